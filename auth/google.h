/* SPDX-License-Identifier: Apache-2.0 */
/*
 * google.h - Google Cloud: who we are, for which scope or audience.
 *
 * Every provider yields a bearer token in credentials.token.  The order is that
 * of Application Default Credentials: the file that
 * GOOGLE_APPLICATION_CREDENTIALS names, the file that gcloud writes, the
 * metadata server.  The metadata server's project stands in credentials.key_id
 * and its location in credentials.secret, where GOOGLE_PLACE asks for them.
 *
 * What a token is for is laid over the environment that a lease is given:
 *
 *     const struct google_options o = {.scope = STR(GOOGLE_SCOPE_CLOUD)};
 *     lease.providers = google_providers;
 *     lease.mend = google_no_credentials;
 *     lease.env = google_env(env, &o, arena);
 *
 * One lease per scope or audience.  Facts: google-auth-library 10.9.1, AIP-4110
 * and after.
 */
#ifndef AUTH_GOOGLE_H
#define AUTH_GOOGLE_H

#include "auth/auth.h"

/* In the order in which they are tried; NULL ends the list. */
extern const struct provider_type *const google_providers[];
/* The mend, when none of them is configured. */
extern const char google_no_credentials[];

#define GOOGLE_SCOPE_WRITE "https://www.googleapis.com/auth/monitoring.write"
#define GOOGLE_SCOPE_CLOUD "https://www.googleapis.com/auth/cloud-platform"

/* What is empty is as the environment says. */
struct google_options {
    struct str scope;       /* one, or several with blanks; else that of
                               GOOGLE_SCOPE_WRITE */
    struct str audience;    /* an ID token for this audience, in place of an
                               access token */
    struct str credentials; /* a credentials file in place of
                               GOOGLE_APPLICATION_CREDENTIALS */
    struct str ca_file;     /* for who gives tokens; PEM */
    bool place;             /* project and location of the metadata server */
    bool exchange;          /* a key's token by exchange, never self-signed */
};
/* `under` with the options laid over it; all of it lives in `arena`. */
const struct auth_env *google_env(const struct auth_env *under,
                                  const struct google_options *o,
                                  struct arena *arena);

/* What environment and credentials file say without asking anybody. */
struct google_facts {
    struct str project;       /* empty: not known */
    struct str quota_project; /* empty: none */
    struct str universe;      /* googleapis.com, if nothing says otherwise */
    struct str who;           /* "service account x@y", for people; or empty */
};
/* `env` may be one of google_env().  Texts live in `arena`. */
must_check bool google_facts_read(const struct auth_env *env,
                                  struct arena *arena, struct google_facts *out,
                                  struct err *err);

#endif

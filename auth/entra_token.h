/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entra_token.h - what the providers of Azure tokens share; for auth/entra*.c
 * alone.
 *
 * Answers: Microsoft identity platform, "OAuth 2.0 client credentials flow";
 * "How to use managed identities on a VM to acquire an access token"; forms of
 * expires_on: MSAL Go tokens.go, of MSAL.NET issue 4963.  No error made here
 * shows a secret, nor the body of an answer that may hold one.
 */
#ifndef AUTH_ENTRA_TOKEN_H
#define AUTH_ENTRA_TOKEN_H

#include "auth/auth.h"

extern const struct provider_type entra_secret;
extern const struct provider_type entra_certificate;
extern const struct provider_type entra_workload;
extern const struct provider_type entra_app_service;
extern const struct provider_type entra_arc;
extern const struct provider_type entra_imds;

/* Settings that the overlay adds; no variable has such a name. */
#define ENTRA_AUDIENCE    "entra:audience"
#define ENTRA_CREDENTIAL  "entra:credential"
#define ENTRA_OBJECT_ID   "entra:object_id"
#define ENTRA_RESOURCE_ID "entra:resource_id"
#define ENTRA_CA_FILE     "entra:ca_file"

enum entra_way {
    ENTRA_WAY_SECRET,
    ENTRA_WAY_CERTIFICATE,
    ENTRA_WAY_WORKLOAD,
    ENTRA_WAY_APP_SERVICE,
    ENTRA_WAY_ARC,
    ENTRA_WAY_IMDS,
};
/* Whether this way is among those that the settings allow. */
bool entra_wanted(const struct auth_env *env, enum entra_way way);

/* The answer of 200, whoever gave it, into credentials; the end as
 * expires_on or expires_in says. */
must_check bool entra_token(const struct http_response *res, struct now now,
                            const char *source, struct provide_out *out);
/* expires_on in each form that is known, to a wall clock time. */
must_check bool entra_expires_on(struct str text, int64_t *wall_ms);
/* An answer that is no 200: the code and message that it tells, as one line in
 * out->err, and whether to retry.  Words that hold a secret of ours are left
 * out. */
enum provide entra_refused(const struct auth_env *env,
                           const struct http_response *res, struct now now,
                           struct provide_out *out);

/*
 * The request to a managed identity's endpoint: base URL, then api-version,
 * resource and the user-assigned identity; `resource_id` is what this endpoint
 * calls the selector by resource id.
 */
must_check bool entra_managed_ask(const struct auth_env *env, struct str base,
                                  const char *version, const char *resource_id,
                                  struct provide_out *out);

/* The form of a client's request to the authority, all but its proof. */
struct entra_form {
    struct buf body;
    struct str url; /* the token endpoint */
    struct str client_id;
};
must_check bool entra_form_begin(const struct auth_env *env,
                                 struct entra_form *form,
                                 struct provide_out *out);
void entra_form_add(struct entra_form *form, const char *name,
                    struct str value);
/* Into out->ask; the form is wiped. */
enum provide entra_form_send(const struct auth_env *env,
                             struct entra_form *form, struct provide_out *out);
void entra_form_wipe(struct entra_form *form);
/* What the authority answered. */
enum provide entra_authority_answer(const struct provider_type *type,
                                    const struct auth_env *env, struct now now,
                                    const struct http_response *res,
                                    const struct err *net,
                                    struct provide_out *out);

#endif

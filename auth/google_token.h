/* SPDX-License-Identifier: Apache-2.0 */
/*
 * google_token.h - what the providers of Google's tokens share; for
 * auth/google*.c alone.  No error made here shows a secret, nor the body of an
 * answer that may hold one.
 */
#ifndef AUTH_GOOGLE_TOKEN_H
#define AUTH_GOOGLE_TOKEN_H

#include "auth/auth.h"

struct json_object;

extern const struct provider_type google_file;
extern const struct provider_type google_metadata;

/* Settings that the overlay adds; no variable has such a name. */
#define GOOGLE_SCOPE       "google:scope"
#define GOOGLE_AUDIENCE    "google:audience"
#define GOOGLE_CREDENTIALS "google:credentials"
#define GOOGLE_CA_FILE     "google:ca_file"
#define GOOGLE_PLACE       "google:place"
#define GOOGLE_EXCHANGE    "google:exchange"

/* Without blanks around it; empty when it is not set. */
struct str google_setting(const struct auth_env *env, const char *name);
/* What the token is for. */
struct str google_scope(const struct auth_env *env);

/*
 * The credentials file of Application Default Credentials, parsed; `path` is
 * where it stands.  False with ERR_NONE in `err`: there is none, as none is
 * named.  The tree is the caller's: json_object_put().
 */
must_check bool google_file_read(const struct auth_env *env,
                                 struct arena *arena, struct json_object **out,
                                 const char **path, struct err *err);
/* That secrets may be sent there: https to Google's universe, or loopback. */
must_check bool google_url_ok(struct str url, struct str universe,
                              const char *what, struct err *err);
/* A universe is a domain name; empty gives googleapis.com. */
must_check bool google_universe_ok(struct str *universe, struct err *err);

/* The token of an answer of 200: access_token with expires_in, accessToken
 * with expireTime, id_token or token. */
must_check bool google_token(const struct http_response *res, struct now now,
                             const char *source, struct provide_out *out);
/* The same for a token that is known, which ends then. */
void google_token_set(struct str token, int64_t expires_ms, const char *source,
                      struct provide_out *out);
/* An answer that is no 200: its words as one line in out->err, and whether to
 * retry. */
enum provide google_refused(const struct http_response *res, struct now now,
                            const char *mend, struct provide_out *out);

#endif

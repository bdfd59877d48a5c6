/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entra.h - Azure: who we are, for which service, in which cloud.
 *
 * Every provider yields a bearer token in credentials.token, for one audience.
 * Variables and order are those of Microsoft's SDKs (DefaultAzureCredential
 * without its developer tools): client secret, client certificate, workload
 * identity, then the managed identity of App Service and Container Apps, of
 * Azure Arc, of a virtual machine.  AZURE_TOKEN_CREDENTIALS narrows them.
 *
 * For whom a token is, and which identity is meant, is laid over the
 * environment that a lease is given:
 *
 *     const struct entra_options o = {
 *         .audience = entra_audience(env, ENTRA_ARM)};
 *     lease.providers = entra_providers;
 *     lease.mend = entra_no_credentials;
 *     lease.env = entra_env(env, &o, arena);
 *
 * One lease per audience.  Without an overlay the audience is that of Azure
 * Monitor's ingestion.
 */
#ifndef AUTH_ENTRA_H
#define AUTH_ENTRA_H

#include "auth/auth.h"

/* In the order in which they are tried; NULL ends the list. */
extern const struct provider_type *const entra_providers[];
/* The mend, when none of them is configured. */
extern const char entra_no_credentials[];

enum entra_service {
    ENTRA_MONITOR, /* ingestion of custom metrics */
    ENTRA_ARM,     /* Azure Resource Manager */
};

/*
 * The service's audience in the cloud that AZURE_AUTHORITY_HOST names, byte
 * for byte as the service wants it, with its slash.  Microsoft documents no
 * other audience of Monitor's ingestion than https://monitoring.azure.com/, so
 * another cloud may need its own by option.  Lives for ever.
 */
struct str entra_audience(const struct auth_env *env,
                          enum entra_service service);
/* The base URL of Azure Resource Manager there, without a slash at its end. */
struct str entra_arm_url(const struct auth_env *env);

/* What is empty is as the environment says. */
struct entra_options {
    struct str audience; /* becomes resource=, or scope= with /.default */
    /* One way alone, by its name in the list below; auto: the first that is
     * configured. */
    struct str credential;
    struct str tenant_id;
    /* A user-assigned managed identity by one of these (client_id is also that
     * of the app where a secret, certificate or token file is used). */
    struct str client_id, object_id, resource_id;
    struct str ca_file; /* for the authority; PEM */
};

/* The values of `credential`: auto, environment (both of the next), secret,
 * certificate, workload, managed (all of the next), app-service, arc, imds. */
bool entra_is_credential(struct str name);
/* False with what is wrong: two identities at once, an unknown credential. */
must_check bool entra_options_check(const struct entra_options *o,
                                    struct err *err);
/* `under` with the options laid over it; all of it lives in `arena`. */
const struct auth_env *entra_env(const struct auth_env *under,
                                 const struct entra_options *o,
                                 struct arena *arena);

/* Who a token says that it is for, as one line for people ("application A,
 * object O, tenant T, audience U"): its claims, unverified. */
must_check bool entra_who(struct str token, struct arena *arena,
                          struct str *who, struct err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
// A token as Microsoft's own library gets it: node azure_identity.js WAY SCOPE
// [SELECTOR VALUE]; prints {token, expires_ms}.
'use strict';
const azure = require('@azure/identity');

const [way, scope, selector, value] = process.argv.slice(2);
const env = process.env;
const options = { authorityHost: env.AZURE_AUTHORITY_HOST, disableInstanceDiscovery: true };
const managed = selector ? { [selector]: value } : {};
const ways = {
  environment: () => new azure.EnvironmentCredential(options),
  chain: () => new azure.ClientCertificateCredential(env.AZURE_TENANT_ID, env.AZURE_CLIENT_ID,
    { certificatePath: env.AZURE_CLIENT_CERTIFICATE_PATH },
    { ...options, sendCertificateChain: true }),
  workload: () => new azure.WorkloadIdentityCredential(options),
  managed: () => new azure.ManagedIdentityCredential(managed),
};

ways[way]().getToken(scope).then(
  (t) => console.log(JSON.stringify({ token: t.token, expires_ms: t.expiresOnTimestamp })),
  (error) => { console.error(String(error)); process.exitCode = 1; });

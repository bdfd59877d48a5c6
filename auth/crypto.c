/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void broken(const char *what)
{
    (void)fprintf(stderr, "scalebridge: libcrypto cannot do %s\n", what);
    abort();
}

void crypto_sha256(struct str data, unsigned char out[CRYPTO_SHA256])
{
    if (!EVP_Digest(data.ptr ? data.ptr : "", data.len, out, NULL, EVP_sha256(),
                    NULL))
        broken("SHA-256");
}

void crypto_hmac_sha256(struct str key, struct str data,
                        unsigned char out[CRYPTO_SHA256])
{
    size_t len = 0;

    if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.ptr ? key.ptr : "",
                   key.len, (const unsigned char *)(data.ptr ? data.ptr : ""),
                   data.len, out, CRYPTO_SHA256, &len) ||
        len != CRYPTO_SHA256)
        broken("HMAC-SHA-256");
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

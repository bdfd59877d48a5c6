/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto.h - the few primitives signatures need: SHA-256 (FIPS 180-4), HMAC
 * (RFC 2104) and a comparison that tells nothing by its time.
 *
 * crypto.c is the only file that includes OpenSSL.  Nothing here fails: a
 * library without SHA-256 ends the process.
 */
#ifndef AUTH_CRYPTO_H
#define AUTH_CRYPTO_H

#include "agent/base/str.h"

#define CRYPTO_SHA256 32 /* bytes of a digest */

void crypto_sha256(struct str data, unsigned char out[CRYPTO_SHA256]);
void crypto_hmac_sha256(struct str key, struct str data,
                        unsigned char out[CRYPTO_SHA256]);
/* Whether two secrets of `n` bytes are equal, in constant time. */
bool crypto_equal(const void *a, const void *b, size_t n);

#endif

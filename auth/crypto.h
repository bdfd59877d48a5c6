/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto.h - the few primitives that are needed: SHA-256 (FIPS 180-4), HMAC
 * (RFC 2104), RSA signatures (RFC 8017), keys and certificates from PEM (RFC
 * 7468) and PKCS#12 (RFC 7292), and a comparison that tells nothing by its
 * time.
 *
 * crypto.c is the only file that includes OpenSSL.  Digests never fail: a
 * library without SHA-256 ends the process.  No error shows a part of a key or
 * a password.
 */
#ifndef AUTH_CRYPTO_H
#define AUTH_CRYPTO_H

#include "agent/base/buf.h"
#include "agent/base/err.h"

#define CRYPTO_SHA256 32 /* bytes of a digest */

void crypto_sha256(struct str data, unsigned char out[CRYPTO_SHA256]);
/* RFC 1321; for Prometheus' hashmod, which is no security. */
#define CRYPTO_MD5 16
void crypto_md5(struct str data, unsigned char out[CRYPTO_MD5]);
void crypto_hmac_sha256(struct str key, struct str data,
                        unsigned char out[CRYPTO_SHA256]);
/* Whether two secrets of `n` bytes are equal, in constant time. */
bool crypto_equal(const void *a, const void *b, size_t n);

/* A private RSA key, and the certificates that stand with it. */
struct crypto_key;

/*
 * From a PEM text (PKCS#8 or PKCS#1, maybe encrypted), with any certificates
 * that it holds, or from a PKCS#12 store; `password` may be empty.  Free it by
 * crypto_key_free(), which takes NULL.
 */
must_check bool crypto_key_read(struct str file, struct str password,
                                struct crypto_key **out, struct err *err);
void crypto_key_free(struct crypto_key *key);
/* Certificates in DER, lent by the key: first the key's own, then the chain in
 * the order of the file; empty from crypto_key_certs() on. */
size_t crypto_key_certs(const struct crypto_key *key);
struct str crypto_key_cert(const struct crypto_key *key, size_t i);

enum crypto_scheme {
    CRYPTO_RS256, /* RSASSA-PKCS1-v1_5 with SHA-256 */
    CRYPTO_PS256, /* RSASSA-PSS, SHA-256, MGF1 of it, a salt of 32 bytes */
};

/* The signature's bytes onto `out`. */
must_check bool crypto_sign(const struct crypto_key *key,
                            enum crypto_scheme scheme, struct str data,
                            struct buf *out, struct err *err);
/* 16 random bytes, as a version 4 UUID in text, with its NUL (RFC 9562). */
#define CRYPTO_UUID 37
void crypto_uuid(char out[CRYPTO_UUID]);

#endif

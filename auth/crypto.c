/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/crypto.h"

#include "agent/base/mem.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
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

void crypto_md5(struct str data, unsigned char out[CRYPTO_MD5])
{
    size_t len = 0;

    /* Also where FIPS mode leaves only digests for signatures. */
    if (!EVP_Q_digest(NULL, "MD5", "fips=no", data.ptr ? data.ptr : "",
                      data.len, out, &len) ||
        len != CRYPTO_MD5)
        broken("MD5");
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

/*
 * Private keys.
 */
#define CERTS_MAX  16
#define BITS_LEAST 2048

struct crypto_key {
    EVP_PKEY *pkey;
    unsigned char *certs[CERTS_MAX];
    size_t lens[CERTS_MAX];
    size_t count;
    bool has_own; /* it is the first */
};

void crypto_key_free(struct crypto_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    for (size_t i = 0; i < key->count; i++)
        OPENSSL_free(key->certs[i]);
    free(key);
}

size_t crypto_key_certs(const struct crypto_key *key)
{
    return key->count;
}

struct str crypto_key_cert(const struct crypto_key *key, size_t i)
{
    return i < key->count ? str_n((const char *)key->certs[i], key->lens[i])
                          : STR_NONE;
}

/* The key's own certificate goes to the front. */
static bool keep(struct crypto_key *key, X509 *cert)
{
    bool own = X509_check_private_key(cert, key->pkey) == 1;
    unsigned char *der = NULL;
    int len;

    if (key->count == CERTS_MAX || (len = i2d_X509(cert, &der)) <= 0)
        return false;
    key->certs[key->count] = der;
    key->lens[key->count] = (size_t)len;
    if (own) {
        for (size_t i = key->count; i > 0; i--) {
            key->certs[i] = key->certs[i - 1];
            key->lens[i] = key->lens[i - 1];
        }
        key->certs[0] = der;
        key->lens[0] = (size_t)len;
        key->has_own = true;
    }
    key->count++;
    return true;
}

/* Never asks at a terminal; `arg` is the password, a struct str. */
static int on_password(char *to, int size, int writing, void *arg)
{
    const struct str *password = arg;

    (void)writing;
    if (password->len == 0 || size < 0 || password->len > (size_t)size)
        return -1;
    memcpy(to, password->ptr, password->len);
    return (int)password->len;
}

static bool read_pem(struct str file, struct str password,
                     struct crypto_key *key, struct err *err)
{
    BIO *keys = BIO_new_mem_buf(file.ptr, (int)file.len);
    BIO *certs = BIO_new_mem_buf(file.ptr, (int)file.len);
    bool ok = true;
    X509 *cert;

    if (!keys || !certs)
        broken("memory BIOs");
    key->pkey = PEM_read_bio_PrivateKey(keys, NULL, on_password, &password);
    if (!key->pkey)
        ok = err_set(err, ERR_CONFIG, "holds no private key that can be read%s",
                     password.len ? " with this password"
                                  : " (an encrypted one needs its password)");
    while (ok &&
           (cert = PEM_read_bio_X509(certs, NULL, on_password, &password))) {
        if (!keep(key, cert))
            ok = err_set(err, ERR_CONFIG, "holds more than %d certificates",
                         CERTS_MAX);
        X509_free(cert);
    }
    BIO_free(keys);
    BIO_free(certs);
    return ok;
}

static bool keep_all(struct crypto_key *key, X509 *own, STACK_OF(X509) * others)
{
    bool ok = !own || keep(key, own);

    for (int i = 0; ok && i < sk_X509_num(others); i++)
        ok = keep(key, sk_X509_value(others, i));
    return ok;
}

static bool read_pkcs12(struct str file, struct str password,
                        struct crypto_key *key, struct err *err)
{
    const unsigned char *at = (const unsigned char *)file.ptr;
    PKCS12 *store = d2i_PKCS12(NULL, &at, (long)file.len);
    STACK_OF(X509) *others = NULL;
    X509 *own = NULL;
    char *z;
    bool ok;

    if (!store)
        return err_set(err, ERR_CONFIG, "is neither PEM nor PKCS#12");
    z = xstrndup(password.ptr ? password.ptr : "", password.len);
    ok = PKCS12_parse(store, z, &key->pkey, &own, &others) == 1 && key->pkey;
    if (!ok)
        (void)err_set(err, ERR_CONFIG,
                      "is PKCS#12, but holds no private key that can be read "
                      "with this password");
    else if (!keep_all(key, own, others))
        ok = err_set(err, ERR_CONFIG, "holds more than %d certificates",
                     CERTS_MAX);
    wipe_free(z);
    X509_free(own);
    sk_X509_pop_free(others, X509_free);
    PKCS12_free(store);
    return ok;
}

static bool is_pem(struct str file)
{
    return file.len > 0 && memmem(file.ptr, file.len, "-----BEGIN ", 11);
}

bool crypto_key_read(struct str file, struct str password,
                     struct crypto_key **out, struct err *err)
{
    struct crypto_key *key = xcalloc(1, sizeof(*key));
    bool ok = is_pem(file) ? read_pem(file, password, key, err)
                           : read_pkcs12(file, password, key, err);

    ERR_clear_error();
    if (ok && !EVP_PKEY_is_a(key->pkey, "RSA"))
        ok = err_set(err, ERR_CONFIG, "its private key is not of type RSA");
    else if (ok && EVP_PKEY_get_bits(key->pkey) < BITS_LEAST)
        ok = err_set(err, ERR_CONFIG,
                     "its private key has %d bits; make one of %d or more",
                     EVP_PKEY_get_bits(key->pkey), BITS_LEAST);
    else if (ok && key->count > 0 && !key->has_own)
        ok = err_set(err, ERR_CONFIG,
                     "none of its certificates belongs to its private key");
    if (ok)
        *out = key;
    else
        crypto_key_free(key);
    return ok;
}

static bool set_scheme(EVP_PKEY_CTX *p, enum crypto_scheme scheme)
{
    if (scheme == CRYPTO_RS256)
        return EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) > 0;
}

bool crypto_sign(const struct crypto_key *key, enum crypto_scheme scheme,
                 struct str data, struct buf *out, struct err *err)
{
    size_t len = (size_t)EVP_PKEY_get_size(key->pkey);
    unsigned char *sig = xmalloc(len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *p; /* the former's */
    bool ok = ctx &&
              EVP_DigestSignInit(ctx, &p, EVP_sha256(), NULL, key->pkey) > 0 &&
              set_scheme(p, scheme) &&
              EVP_DigestSign(ctx, sig, &len, (const unsigned char *)data.ptr,
                             data.len) > 0;

    if (ok)
        buf_add(out, sig, len);
    EVP_MD_CTX_free(ctx);
    free(sig);
    ERR_clear_error();
    return ok || err_set(err, ERR_CONFIG, "the private key cannot sign");
}

void crypto_uuid(char out[CRYPTO_UUID])
{
    unsigned char b[16];

    if (RAND_bytes(b, sizeof(b)) != 1)
        broken("random bytes");
    b[6] = (unsigned char)((b[6] & 0x0fU) | 0x40U);
    b[8] = (unsigned char)((b[8] & 0x3fU) | 0x80U);
    (void)snprintf(out, CRYPTO_UUID,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                   "%02x%02x%02x%02x%02x%02x",
                   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
                   b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* sha256.c - SHA-256 by OpenSSL's libcrypto; the only file that includes <openssl/evp.h>.
 *
 * The algorithm is fetched once and kept: since OpenSSL 3.0 EVP_sha256() means a lookup at every
 * initialisation (manual page crypto(7), "Explicit fetching"), and values are short.
 *
 * Thread rule: one hasher a thread. Owns: the fetched algorithm and one digest context. */
#include "core/base/sha256.h"

#include <openssl/evp.h>

#include <stdlib.h>

enum { SHA256_BYTES = SHA256_HEX_LENGTH / 2 };

struct sha256 {
    EVP_MD *algorithm;
    EVP_MD_CTX *context;
};

struct sha256 *sha256_create(void)
{
    struct sha256 *hasher = calloc(1, sizeof *hasher);
    if (hasher == NULL) return NULL;
    hasher->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    hasher->context = EVP_MD_CTX_new();
    if (hasher->algorithm == NULL || hasher->context == NULL) {
        sha256_destroy(hasher);
        return NULL;
    }
    return hasher;
}

bool sha256_hex(struct sha256 *hasher, const void *bytes, size_t length, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char
        digest[EVP_MAX_MD_SIZE]; /* libcrypto writes as many as its algorithm has: never trust ours */
    unsigned int digest_length = 0;

    /* Initialising afresh also clears a context that an earlier failure left half way. */
    if (EVP_DigestInit_ex2(hasher->context, hasher->algorithm, NULL) != 1) return false;
    if (length != 0 && EVP_DigestUpdate(hasher->context, bytes, length) != 1) return false;
    if (EVP_DigestFinal_ex(hasher->context, digest, &digest_length) != 1) return false;
    if (digest_length != SHA256_BYTES) return false;

    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    return true;
}

void sha256_destroy(struct sha256 *hasher)
{
    if (hasher == NULL) return;
    EVP_MD_CTX_free(hasher->context); /* both take NULL */
    EVP_MD_free(hasher->algorithm);
    free(hasher);
}

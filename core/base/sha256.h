/* sha256.h - SHA-256 of a value (transform sha256). Thread rule: one hasher a thread. */
#ifndef PENSTOCK_CORE_BASE_SHA256_H
#define PENSTOCK_CORE_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>

#define SHA256_HEX_LENGTH 64

struct sha256;

/* NULL when libcrypto can't give one (out of memory, SHA-256 forbidden by its configuration). */
struct sha256 *sha256_create(void);
/* Writes SHA256_HEX_LENGTH lower-case digits, no terminator. False: libcrypto failed. */
bool sha256_hex(struct sha256 *hasher, const void *bytes, size_t length, char *hex);
void sha256_destroy(struct sha256 *hasher); /* takes NULL */

#endif

/* key_digest.h - 128 bits that stand for a key: what deduplication keeps of an id instead of its text.
 *
 * XXH3 is no cryptographic hash, and need not be: nobody is kept from making two ids that meet, but among
 * 10^10 ids that nobody made up two meet with a probability of 10^-19. Its values are fixed since xxHash
 * 0.8.0.
 *
 * Thread rule: pure and reentrant. */
#ifndef PENSTOCK_CORE_BASE_KEY_DIGEST_H
#define PENSTOCK_CORE_BASE_KEY_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct key_digest {
    uint64_t low, high;
};

struct key_digest key_digest_of(const void *text, size_t length);

#endif

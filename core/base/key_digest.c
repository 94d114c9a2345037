/* key_digest.c - XXH3 behind our own type. Thread: any. Owns nothing. */
#include "core/base/key_digest.h"

#include <xxhash.h>

struct key_digest key_digest_of(const void *text, size_t length)
{
    XXH128_hash_t const hash = XXH3_128bits(text, length);
    return (struct key_digest){.low = hash.low64, .high = hash.high64};
}

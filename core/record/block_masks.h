/* block_masks.h - 64 bytes of JSON text as masks, of which each has a bit for each byte: by AVX2, for the
 * files that look for tokens (structurals.c, element_clean.c).
 *
 * Thread rule: pure; any thread. */
#ifndef PENSTOCK_CORE_RECORD_BLOCK_MASKS_H
#define PENSTOCK_CORE_RECORD_BLOCK_MASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* Has this CPU what code under BLOCK_MASKS_TARGET needs? */
static inline bool block_masks_here(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("pclmul") &&
           __builtin_cpu_supports("popcnt");
}

#define BLOCK_MASKS_TARGET __attribute__((target("avx2,bmi,bmi2,pclmul,popcnt")))
/* Into its callers, whose encoding it must have. */
#define BLOCK_MASKS_PART BLOCK_MASKS_TARGET static inline __attribute__((always_inline))

#define BLOCK_MASKS_BYTES 64u

struct block {
    __m256i low, high; /* bytes 0 to 31, 32 to 63 */
};

BLOCK_MASKS_PART struct block block_load(const uint8_t *bytes)
{
    return (struct block){
        .low = _mm256_loadu_si256((const __m256i *)(const void *)bytes),
        .high = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + BLOCK_MASKS_BYTES / 2))};
}

BLOCK_MASKS_PART __m256i block_each(uint8_t byte)
{
    return _mm256_set1_epi8((char)byte);
}

BLOCK_MASKS_PART uint64_t block_bits(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

BLOCK_MASKS_PART uint64_t block_equal(struct block block, uint8_t byte)
{
    return block_bits(_mm256_cmpeq_epi8(block.low, block_each(byte)),
                      _mm256_cmpeq_epi8(block.high, block_each(byte)));
}

BLOCK_MASKS_PART uint64_t block_control_characters(struct block block)
{
    __m256i const last = block_each(0x1f);
    return block_bits(_mm256_cmpeq_epi8(_mm256_min_epu8(block.low, last), block.low),
                      _mm256_cmpeq_epi8(_mm256_min_epu8(block.high, last), block.high));
}

/* Some lane is not 0: the block has a backslash or a control character. */
BLOCK_MASKS_PART __m256i block_rare(struct block block)
{
    __m256i const slash = block_each('\\'), last = block_each(0x1f);
    __m256i const least = _mm256_min_epu8(block.low, block.high);
    __m256i const control = _mm256_cmpeq_epi8(_mm256_min_epu8(least, last), least);
    __m256i const slashes =
        _mm256_or_si256(_mm256_cmpeq_epi8(block.low, slash), _mm256_cmpeq_epi8(block.high, slash));
    return _mm256_or_si256(control, slashes);
}

/* { } [ ] : , and blanks by the lower half of a byte: the byte that it must be. Bit 5 makes one of '{' and
 * '[', of '}' and ']'; it also makes 0x0c and 0x1a look like ',' and ':', as in simdjson: no JSON has them
 * outside of strings. */
BLOCK_MASKS_PART uint64_t block_separators(struct block block)
{
    __m256i const wanted = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0, 0, 0, 0,
                                            0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0);
    __m256i const low = _mm256_or_si256(block.low, block_each(0x20)),
                  high = _mm256_or_si256(block.high, block_each(0x20));
    return block_bits(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(wanted, block.low), low),
                      _mm256_cmpeq_epi8(_mm256_shuffle_epi8(wanted, block.high), high));
}

/* Where no byte is wanted stands one of another lower half. */
BLOCK_MASKS_PART uint64_t block_blanks(struct block block)
{
    __m256i const wanted = _mm256_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0, ' ', 0,
                                            0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0);
    return block_bits(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(wanted, block.low), block.low),
                      _mm256_cmpeq_epi8(_mm256_shuffle_epi8(wanted, block.high), block.high));
}

/* Bit i of the product: how many of the bits 0 to i are set, modulo 2. */
BLOCK_MASKS_PART uint64_t block_parity(uint64_t mask)
{
    __m128i const product =
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)mask), _mm_set1_epi8((char)0xff), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

#else

static inline bool block_masks_here(void)
{
    return false;
}

#endif

#endif

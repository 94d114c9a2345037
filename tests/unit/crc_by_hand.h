/* crc_by_hand.h - CRCs and their polynomials bit by bit, for the tests: the other way round than the program
 * (the highest coefficient is the highest bit, as polynomials are published), reversed at the very end, and
 * without a table, so that it shares nothing with what it judges. */
#ifndef PENSTOCK_TESTS_UNIT_CRC_BY_HAND_H
#define PENSTOCK_TESTS_UNIT_CRC_BY_HAND_H

#include <stddef.h>
#include <stdint.h>

struct by_hand {
    unsigned width;
    uint64_t polynomial; /* without its highest term */
};

static const struct by_hand by_hand_crc64nvme = {64, UINT64_C(0xad93d23594c93659)};
static const struct by_hand by_hand_crc32c = {32, 0x1edc6f41};
static const struct by_hand by_hand_crc32 = {32, 0x04c11db7};

static inline uint64_t by_hand_reverse(uint64_t value, unsigned width)
{
    uint64_t reversed = 0;
    for (unsigned i = 0; i < width; i++)
        reversed |= (value >> i & 1) << (width - 1 - i);
    return reversed;
}

static inline uint64_t by_hand_ones(const struct by_hand *crc)
{
    return UINT64_MAX >> (64 - crc->width);
}

/* `value` times x, plus `bit` times x^width. */
static inline uint64_t by_hand_step(const struct by_hand *crc, uint64_t value, uint64_t bit)
{
    uint64_t const top = value >> (crc->width - 1) & 1;
    value = value << 1 & by_hand_ones(crc);
    return (top ^ bit) != 0 ? value ^ crc->polynomial : value;
}

/* The register behind some bytes; it begins as by_hand_ones(). */
static inline uint64_t by_hand_feed(const struct by_hand *crc, uint64_t state, const uint8_t *bytes,
                                    size_t length)
{
    for (size_t i = 0; i < length; i++)
        for (unsigned bit = 0; bit < 8; bit++)
            state = by_hand_step(crc, state, bytes[i] >> bit & 1u);
    return state;
}

/* The published value of a register, and back. */
static inline uint64_t by_hand_finished(const struct by_hand *crc, uint64_t state)
{
    return by_hand_reverse(state ^ by_hand_ones(crc), crc->width);
}

static inline uint64_t by_hand_crc(const struct by_hand *crc, const uint8_t *bytes, size_t length)
{
    return by_hand_finished(crc, by_hand_feed(crc, by_hand_ones(crc), bytes, length));
}

static inline uint64_t by_hand_product(const struct by_hand *crc, uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    for (unsigned i = crc->width; i-- > 0;)
        sum = by_hand_step(crc, sum, 0) ^ ((a >> i & 1) != 0 ? b : 0);
    return sum;
}

/* x^(8 bytes) */
static inline uint64_t by_hand_power(const struct by_hand *crc, uint64_t bytes)
{
    uint64_t sum = 1;
    for (unsigned i = 64; i-- > 0;) {
        sum = by_hand_product(crc, sum, sum);
        if ((bytes >> i & 1) != 0) sum = by_hand_product(crc, sum, 1u << 8);
    }
    return sum;
}

/* Numbers that look random and are the same in every run (xorshift64*, Vigna 2014). */
static inline uint64_t by_hand_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(0x2545f4914f6cdd1d);
}

static inline void by_hand_fill(uint64_t seed, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(by_hand_random(&seed) >> 56);
}

#endif

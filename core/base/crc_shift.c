/* crc_shift.c - see the header. Thread: any. Owns nothing.
 *
 * Powers by squaring: x^8, x^16, x^32, ...; those that stand for a bit of the number of bytes are multiplied
 * into the value. The product here is a b x, because that is what carry-less multiplication makes of
 * reflected numbers; so a power is kept divided by x: x^7 for x^8, and x^7 x^7 x = x^15 for x^16. Some 40
 * products for 16 MiB, never more than 128. */
#include "core/base/crc_shift.h"

/* x^7, which is x^8 divided by x. */
#define X8_BY_X (UINT64_C(1) << (63 - 7))

/* Horner's rule from the highest coefficient of a, which is bit 0, down; and once more by x. */
static uint64_t product_plain(struct crc_shift_modulus modulus, uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < 64; i++) {
        sum ^= b & (0 - (a >> i & 1));
        sum = sum >> 1 ^ (modulus.low & (0 - (sum & 1)));
    }
    return sum;
}

uint64_t crc_shift_plain(struct crc_shift_modulus modulus, uint64_t value, uint64_t bytes)
{
    for (uint64_t power = X8_BY_X; bytes != 0; bytes >>= 1) {
        if ((bytes & 1) != 0) value = product_plain(modulus, power, value);
        power = product_plain(modulus, power, power);
    }
    return value;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("pclmul,sse4.1")))

/* The constants of Barrett's reduction as registers. */
struct barrett {
    __m128i pair; /* the quotient, and the modulus with its x^64 but without its x^0 */
    __m128i last; /* upper half: all ones if the modulus has an x^0 */
};

/* In and out in the lower half. The product has 128 bits, the earlier of them in the lower half; their
 * quotient by the modulus is the lower half of their product with modulus.quotient, as in crc64_fold.c. */
TARGET static inline __m128i product(const struct barrett *by, __m128i a, __m128i b)
{
    __m128i const whole = _mm_clmulepi64_si128(a, b, 0x00);
    __m128i const quotient = _mm_clmulepi64_si128(whole, by->pair, 0x00);
    __m128i const back = _mm_clmulepi64_si128(quotient, by->pair, 0x10);
    __m128i const last = _mm_and_si128(_mm_slli_si128(quotient, 8), by->last);
    return _mm_srli_si128(_mm_xor_si128(_mm_xor_si128(whole, back), last), 8);
}

TARGET static uint64_t shift_clmul(struct crc_shift_modulus modulus, uint64_t value, uint64_t bytes)
{
    struct barrett const by = {
        .pair = _mm_set_epi64x((long long)(modulus.low << 1 | 1), (long long)modulus.quotient),
        .last = _mm_set_epi64x(-(long long)(modulus.low >> 63), 0)};
    __m128i sum = _mm_cvtsi64_si128((long long)value);
    for (__m128i power = _mm_cvtsi64_si128((long long)X8_BY_X); bytes != 0; bytes >>= 1) {
        if ((bytes & 1) != 0) sum = product(&by, sum, power);
        power = product(&by, power, power);
    }
    return (uint64_t)_mm_cvtsi128_si64(sum);
}

uint64_t crc_shift(struct crc_shift_modulus modulus, uint64_t value, uint64_t bytes)
{
    /* asked at every call: a load and a test, and nothing to initialise or to share */
    if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"))
        return shift_clmul(modulus, value, bytes);
    return crc_shift_plain(modulus, value, bytes);
}
#else
uint64_t crc_shift(struct crc_shift_modulus modulus, uint64_t value, uint64_t bytes)
{
    return crc_shift_plain(modulus, value, bytes);
}
#endif

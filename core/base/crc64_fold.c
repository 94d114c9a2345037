/* crc64_fold.c - see the header. Thread: any. Owns nothing.
 *
 * The message is a long polynomial; a lane of 128 bits of it may be moved D bits towards its end when it is
 * multiplied by x^D, modulo P: two carry-less multiplications, one for each half, and two additions
 * (exclusive or). Several lanes go on side by side, as a multiplication takes several cycles but one can
 * begin in every or every other cycle. At the end the lanes are folded into one, that one over what is left
 * of the bytes, and Barrett's reduction makes 64 bits of it. Notation and constants: crc64_powers.h. The
 * method is that of Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction",
 * Intel, 2009. */
#include "core/base/crc64_fold.h"

#if CRC64_FOLD_IS_HERE
#include "core/base/crc64_powers.h"

#include <immintrin.h>

#define TARGET_128 __attribute__((target("pclmul,sse4.1")))
#define TARGET_256 __attribute__((target("pclmul,sse4.1,avx2,vpclmulqdq")))
#define TARGET_512 __attribute__((target("pclmul,sse4.1,avx2,vpclmulqdq,avx512f")))
/* Into its callers, whose encoding it must have: SSE's slows AVX's registers down when they are mixed. */
#define PART static inline __attribute__((always_inline))

/* Lanes side by side of each width. */
#define LANES      4u
#define STRIDE_128 (LANES * 16u)
#define STRIDE_256 (LANES * 32u)
#define STRIDE_512 (LANES * 64u)

/* ---- one lane, and the end that all share ---- */

/* The earlier 64 bits of a lane are its lower half. */
TARGET_128 PART __m128i pair(uint64_t earlier, uint64_t later)
{
    return _mm_set_epi64x((long long)later, (long long)earlier);
}

TARGET_128 PART __m128i load(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

TARGET_128 PART __m128i fold(__m128i lane, __m128i powers, __m128i onto)
{
    __m128i const earlier = _mm_clmulepi64_si128(lane, powers, 0x00);
    __m128i const later = _mm_clmulepi64_si128(lane, powers, 0x11);
    return _mm_xor_si128(_mm_xor_si128(earlier, later), onto);
}

/* The last 1 to 15 bytes, before `end`, behind at least 16 others. The lane and these bytes are read as a
 * short piece with zeros in front, and the 16 last bytes: moved[] picks both by shuffling. */
TARGET_128 PART __m128i fold_rest(__m128i lane, const uint8_t *end, size_t rest, __m128i powers)
{
    static const uint8_t moved[48] = {
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, /* zero */
        0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  15,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128};
    __m128i const down = load(moved + 16 + rest);
    __m128i const first = _mm_shuffle_epi8(lane, load(moved + rest));
    __m128i const last = _mm_blendv_epi8(_mm_shuffle_epi8(lane, down), load(end - 16), down);
    return fold(first, powers, last);
}

/* The lane times x^64 modulo P. First the earlier half is moved over the later one and over x^64, which
 * leaves 128 bits to be reduced; then Barrett: the quotient by P of their earlier half times x^64 is the
 * lower half of the product with CRC64_QUOTIENT, and what is left over is the sum of the later half and the
 * quotient times P, below x^64. There P has 65 bits, x^64 first; as that of x^0 does not fit, it is added by
 * itself. */
TARGET_128 PART uint64_t reduce(__m128i lane, __m128i powers)
{
    __m128i const barrett = pair(CRC64_QUOTIENT, CRC64_POLYNOMIAL << 1 | 1);
    __m128i const later = _mm_srli_si128(lane, 8);
    __m128i const sum = _mm_xor_si128(_mm_clmulepi64_si128(lane, powers, 0x10), later);
    __m128i const quotient = _mm_clmulepi64_si128(sum, barrett, 0x00);
    __m128i const product = _mm_clmulepi64_si128(quotient, barrett, 0x10);
    __m128i const left_over = _mm_xor_si128(_mm_xor_si128(sum, product), _mm_slli_si128(quotient, 8));
    return (uint64_t)_mm_extract_epi64(left_over, 1);
}

TARGET_128 PART uint64_t finish(__m128i lane, const uint8_t *at, size_t length)
{
    __m128i const powers = pair(CRC64_X191, CRC64_X127);
    for (; length >= 16; at += 16, length -= 16)
        lane = fold(lane, powers, load(at));
    if (length != 0) lane = fold_rest(lane, at + length, length, powers);
    return reduce(lane, powers);
}

/* ---- 128 bits a lane ---- */

TARGET_128 uint64_t crc64_fold_128(uint64_t state, const uint8_t *at, size_t length)
{
    __m128i lane0 = _mm_xor_si128(load(at), pair(state, 0));
    if (length < STRIDE_128) return finish(lane0, at + 16, length - 16);
    __m128i lane1 = load(at + 16), lane2 = load(at + 32), lane3 = load(at + 48);
    __m128i const stride = pair(CRC64_X575, CRC64_X511);
    for (at += STRIDE_128, length -= STRIDE_128; length >= STRIDE_128;
         at += STRIDE_128, length -= STRIDE_128) {
        lane0 = fold(lane0, stride, load(at));
        lane1 = fold(lane1, stride, load(at + 16));
        lane2 = fold(lane2, stride, load(at + 32));
        lane3 = fold(lane3, stride, load(at + 48));
    }
    __m128i const next = pair(CRC64_X191, CRC64_X127), over = pair(CRC64_X319, CRC64_X255);
    lane1 = fold(lane0, next, lane1);
    lane3 = fold(lane2, next, lane3);
    return finish(fold(lane1, over, lane3), at, length);
}

/* ---- 256 bits a lane ---- */

TARGET_256 PART __m256i load_256(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

TARGET_256 PART __m256i fold_256(__m256i lane, __m256i powers, __m256i onto)
{
    __m256i const earlier = _mm256_clmulepi64_epi128(lane, powers, 0x00);
    __m256i const later = _mm256_clmulepi64_epi128(lane, powers, 0x11);
    return _mm256_xor_si256(_mm256_xor_si256(earlier, later), onto);
}

TARGET_256 uint64_t crc64_fold_256(uint64_t state, const uint8_t *at, size_t length)
{
    if (length < STRIDE_256) return finish(_mm_xor_si128(load(at), pair(state, 0)), at + 16, length - 16);
    __m256i const begin = _mm256_inserti128_si256(_mm256_setzero_si256(), pair(state, 0), 0);
    __m256i lane0 = _mm256_xor_si256(load_256(at), begin), lane1 = load_256(at + 32);
    __m256i lane2 = load_256(at + 64), lane3 = load_256(at + 96);
    __m256i const stride = _mm256_broadcastsi128_si256(pair(CRC64_X1087, CRC64_X1023));
    for (at += STRIDE_256, length -= STRIDE_256; length >= STRIDE_256;
         at += STRIDE_256, length -= STRIDE_256) {
        lane0 = fold_256(lane0, stride, load_256(at));
        lane1 = fold_256(lane1, stride, load_256(at + 32));
        lane2 = fold_256(lane2, stride, load_256(at + 64));
        lane3 = fold_256(lane3, stride, load_256(at + 96));
    }
    __m256i const next = _mm256_broadcastsi128_si256(pair(CRC64_X319, CRC64_X255));
    __m256i const over = _mm256_broadcastsi128_si256(pair(CRC64_X575, CRC64_X511));
    lane1 = fold_256(lane0, next, lane1);
    lane3 = fold_256(lane2, next, lane3);
    lane3 = fold_256(lane1, over, lane3);
    for (; length >= 32; at += 32, length -= 32)
        lane3 = fold_256(lane3, next, load_256(at));
    __m128i const lane =
        fold(_mm256_castsi256_si128(lane3), pair(CRC64_X191, CRC64_X127), _mm256_extracti128_si256(lane3, 1));
    return finish(lane, at, length);
}

/* ---- 512 bits a lane ---- */

TARGET_512 PART __m512i load_512(const uint8_t *at)
{
    return _mm512_loadu_si512((const void *)at);
}

/* The logic of three operands is 0x96: exclusive or of all. */
TARGET_512 PART __m512i fold_512(__m512i lane, __m512i powers, __m512i onto)
{
    __m512i const earlier = _mm512_clmulepi64_epi128(lane, powers, 0x00);
    __m512i const later = _mm512_clmulepi64_epi128(lane, powers, 0x11);
    return _mm512_ternarylogic_epi64(earlier, later, onto, 0x96);
}

/* Its four quarters, each moved to the last one's place. */
TARGET_512 PART __m128i join_512(__m512i lane)
{
    __m128i sum = _mm512_extracti32x4_epi32(lane, 3);
    sum = fold(_mm512_extracti32x4_epi32(lane, 2), pair(CRC64_X191, CRC64_X127), sum);
    sum = fold(_mm512_extracti32x4_epi32(lane, 1), pair(CRC64_X319, CRC64_X255), sum);
    return fold(_mm512_castsi512_si128(lane), pair(CRC64_X447, CRC64_X383), sum);
}

TARGET_512 uint64_t crc64_fold_512(uint64_t state, const uint8_t *at, size_t length)
{
    if (length < STRIDE_512) return finish(_mm_xor_si128(load(at), pair(state, 0)), at + 16, length - 16);
    __m512i const begin = _mm512_inserti32x4(_mm512_setzero_si512(), pair(state, 0), 0);
    __m512i lane0 = _mm512_xor_si512(load_512(at), begin), lane1 = load_512(at + 64);
    __m512i lane2 = load_512(at + 128), lane3 = load_512(at + 192);
    __m512i const stride = _mm512_broadcast_i32x4(pair(CRC64_X2111, CRC64_X2047));
    for (at += STRIDE_512, length -= STRIDE_512; length >= STRIDE_512;
         at += STRIDE_512, length -= STRIDE_512) {
        lane0 = fold_512(lane0, stride, load_512(at));
        lane1 = fold_512(lane1, stride, load_512(at + 64));
        lane2 = fold_512(lane2, stride, load_512(at + 128));
        lane3 = fold_512(lane3, stride, load_512(at + 192));
    }
    __m512i const next = _mm512_broadcast_i32x4(pair(CRC64_X575, CRC64_X511));
    __m512i const over = _mm512_broadcast_i32x4(pair(CRC64_X1087, CRC64_X1023));
    lane1 = fold_512(lane0, next, lane1);
    lane3 = fold_512(lane2, next, lane3);
    lane3 = fold_512(lane1, over, lane3);
    for (; length >= 64; at += 64, length -= 64)
        lane3 = fold_512(lane3, next, load_512(at));
    return finish(join_512(lane3), at, length);
}
#endif

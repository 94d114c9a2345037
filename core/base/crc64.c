/* crc64.c - see the header: the table, and which way is taken. Thread: any. Owns nothing: the table is
 * constant, and the CPU is asked at every call (the compiler's runtime looked it up before main(); it costs a
 * load and a test), so that there is nothing to initialise or to share. */
#include "core/base/crc64.h"

#include "core/base/crc64_fold.h"
#include "core/base/crc64_powers.h"

/* From here on the wider lanes win (bench_checksum, and by hand for sizes in between): filling four of them
 * and joining them again costs a dozen multiplications. */
#define FOLD_WIDE_MIN 256u

/* ---- the table ---- */

/* table[k][b]: byte b with k bytes of zeros behind it, that is b x^(64+8k). Bit i of a byte stands for
 * x^(7-i), so an entry is the sum of the powers x^(71+8k-i) of the bits i that are set. */
#define BIT(b, i, n) (((b) >> (i)&1) != 0 ? (uint64_t)CRC64_X_##n : UINT64_C(0))
#define ONE(b, n0, n1, n2, n3, n4, n5, n6, n7)                                                       \
    (BIT(b, 0, n0) ^ BIT(b, 1, n1) ^ BIT(b, 2, n2) ^ BIT(b, 3, n3) ^ BIT(b, 4, n4) ^ BIT(b, 5, n5) ^ \
     BIT(b, 6, n6) ^ BIT(b, 7, n7))
#define FOUR(b, ...) \
    ONE(b, __VA_ARGS__), ONE(b + 1, __VA_ARGS__), ONE(b + 2, __VA_ARGS__), ONE(b + 3, __VA_ARGS__)
#define SIXTEEN(b, ...) \
    FOUR(b, __VA_ARGS__), FOUR(b + 4, __VA_ARGS__), FOUR(b + 8, __VA_ARGS__), FOUR(b + 12, __VA_ARGS__)
#define QUARTER(b, ...)                                                                  \
    SIXTEEN(b, __VA_ARGS__), SIXTEEN(b + 16, __VA_ARGS__), SIXTEEN(b + 32, __VA_ARGS__), \
        SIXTEEN(b + 48, __VA_ARGS__)
#define ROW(...)                                                                         \
    {                                                                                    \
        QUARTER(0u, __VA_ARGS__), QUARTER(64u, __VA_ARGS__), QUARTER(128u, __VA_ARGS__), \
            QUARTER(192u, __VA_ARGS__)                                                   \
    }

static const uint64_t table[8][256] = {
    ROW(71, 70, 69, 68, 67, 66, 65, 64),         ROW(79, 78, 77, 76, 75, 74, 73, 72),
    ROW(87, 86, 85, 84, 83, 82, 81, 80),         ROW(95, 94, 93, 92, 91, 90, 89, 88),
    ROW(103, 102, 101, 100, 99, 98, 97, 96),     ROW(111, 110, 109, 108, 107, 106, 105, 104),
    ROW(119, 118, 117, 116, 115, 114, 113, 112), ROW(127, 126, 125, 124, 123, 122, 121, 120)};

/* Whatever the CPU's byte order; compilers make one load of it. */
static inline uint64_t load(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

/* Eight bytes a step, their look-ups independent of each other; so are those of the last one to seven bytes.
 */
static uint64_t by_table(uint64_t state, const uint8_t *at, size_t length)
{
    for (; length >= 8; at += 8, length -= 8) {
        uint64_t const next = state ^ load(at);
        state = table[7][next & 0xFF] ^ table[6][next >> 8 & 0xFF] ^ table[5][next >> 16 & 0xFF] ^
                table[4][next >> 24 & 0xFF] ^ table[3][next >> 32 & 0xFF] ^ table[2][next >> 40 & 0xFF] ^
                table[1][next >> 48 & 0xFF] ^ table[0][next >> 56];
    }
    if (length == 0) return state;
    uint64_t rest = state >> 8 * length;
    for (size_t i = 0; i < length; i++)
        rest ^= table[length - 1 - i][(state >> 8 * i ^ at[i]) & 0xFF];
    return rest;
}

/* ---- the ways ---- */

bool crc64_supported(enum crc64_way way)
{
    switch (way) {
    case CRC64_TABLE: return true;
#if CRC64_FOLD_IS_HERE
    case CRC64_FOLD_128: return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
    case CRC64_FOLD_256:
        return __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx2") &&
               crc64_supported(CRC64_FOLD_128);
    case CRC64_FOLD_512: return __builtin_cpu_supports("avx512f") && crc64_supported(CRC64_FOLD_256);
#endif
    default: return false;
    }
}

const char *crc64_way_name(enum crc64_way way)
{
    static const char *const names[CRC64_WAYS] = {
        [CRC64_TABLE] = "table",
        [CRC64_FOLD_128] = "fold_128",
        [CRC64_FOLD_256] = "fold_256",
        [CRC64_FOLD_512] = "fold_512",
    };
    return (unsigned)way < CRC64_WAYS ? names[way] : "unknown";
}

static enum crc64_way best(size_t length)
{
    if (length < CRC64_FOLD_MIN) return CRC64_TABLE;
    if (length >= FOLD_WIDE_MIN) {
        if (crc64_supported(CRC64_FOLD_512)) return CRC64_FOLD_512;
        if (crc64_supported(CRC64_FOLD_256)) return CRC64_FOLD_256;
    }
    return crc64_supported(CRC64_FOLD_128) ? CRC64_FOLD_128 : CRC64_TABLE;
}

uint64_t crc64_update_by(enum crc64_way way, uint64_t so_far, const void *bytes, size_t length)
{
#if CRC64_FOLD_IS_HERE
    if (length >= CRC64_FOLD_MIN) {
        switch (way) {
        case CRC64_FOLD_128: return ~crc64_fold_128(~so_far, bytes, length);
        case CRC64_FOLD_256: return ~crc64_fold_256(~so_far, bytes, length);
        case CRC64_FOLD_512: return ~crc64_fold_512(~so_far, bytes, length);
        default: break;
        }
    }
#else
    (void)way;
#endif
    return ~by_table(~so_far, bytes, length);
}

uint64_t crc64_update(uint64_t so_far, const void *bytes, size_t length)
{
    return crc64_update_by(best(length), so_far, bytes, length);
}

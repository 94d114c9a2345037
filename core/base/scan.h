/* scan.h - looks at 16 bytes at a time. SSE2 is part of every x86-64, so nothing has to be chosen at run
 * time; other machines take the plain loop, which compilers turn into their own vectors. Loads may read past
 * the text's end: callers have LIMIT_PADDING readable bytes behind every text. */
#ifndef PENSTOCK_CORE_BASE_SCAN_H
#define PENSTOCK_CORE_BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SCAN_STEP 16u

#if defined(__SSE2__)
#include <emmintrin.h>

/* Bit i: byte i of the 16 at `from` is `a` or `b`. */
static inline uint32_t scan_either(const uint8_t *from, uint8_t a, uint8_t b)
{
    __m128i const bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i const found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)a)),
                                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)b)));
    return (uint32_t)_mm_movemask_epi8(found);
}

/* Bit i: byte i of the 16 at `a` equals byte i of those at `b`. */
static inline uint32_t scan_equal(const uint8_t *a, const uint8_t *b)
{
    __m128i const left = _mm_loadu_si128((const __m128i *)(const void *)a);
    __m128i const right = _mm_loadu_si128((const __m128i *)(const void *)b);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(left, right));
}

/* The same; `b` is aligned. */
static inline uint32_t scan_equal_aligned(const uint8_t *a, const uint8_t *b)
{
    __m128i const left = _mm_loadu_si128((const __m128i *)(const void *)a);
    __m128i const right = _mm_load_si128((const __m128i *)(const void *)b);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(left, right));
}

/* Bit i: byte i of the 16 at `first` is `a`, and byte i of those at `second` is `b`. */
static inline uint32_t scan_pair(const uint8_t *first, uint8_t a, const uint8_t *second, uint8_t b)
{
    __m128i const left = _mm_loadu_si128((const __m128i *)(const void *)first);
    __m128i const right = _mm_loadu_si128((const __m128i *)(const void *)second);
    __m128i const found = _mm_and_si128(_mm_cmpeq_epi8(left, _mm_set1_epi8((char)a)),
                                        _mm_cmpeq_epi8(right, _mm_set1_epi8((char)b)));
    return (uint32_t)_mm_movemask_epi8(found);
}

/* Bit i: byte i of the 16 at `from` is a quote that may open a key: behind { or , or a byte up to the blank.
 * The byte before `from` is looked at. */
static inline uint32_t scan_key_quotes(const uint8_t *from)
{
    __m128i const bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i const before = _mm_loadu_si128((const __m128i *)(const void *)(from - 1));
    __m128i const joint =
        _mm_or_si128(_mm_cmpeq_epi8(before, _mm_set1_epi8('{')), _mm_cmpeq_epi8(before, _mm_set1_epi8(',')));
    __m128i const blank = _mm_cmpeq_epi8(_mm_min_epu8(before, _mm_set1_epi8(' ')), before);
    __m128i const quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    return (uint32_t)_mm_movemask_epi8(_mm_and_si128(quote, _mm_or_si128(joint, blank)));
}

/* Bit i: byte i of the 16 at `from` is a digit. */
static inline uint32_t scan_digits(const uint8_t *from)
{
    __m128i const bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i const value = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value));
}

/* scan_either() while the 16 bytes are copied to `to`. */
static inline uint32_t scan_copy_either(uint8_t *to, const uint8_t *from, uint8_t a, uint8_t b)
{
    __m128i const bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
    _mm_storeu_si128((__m128i *)(void *)to, bytes);
    __m128i const found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)a)),
                                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)b)));
    return (uint32_t)_mm_movemask_epi8(found);
}

/* Bit i: byte i of the 16 at `from` is a quote, a backslash or a control character. */
static inline uint32_t scan_string_stops(const uint8_t *from)
{
    __m128i const bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i const control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i const quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i const slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, slash)));
}

#else

static inline uint32_t scan_string_stops(const uint8_t *from)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < SCAN_STEP; i++)
        mask |= (uint32_t)(from[i] == '"' || from[i] == '\\' || from[i] < 0x20) << i;
    return mask;
}

static inline uint32_t scan_either(const uint8_t *from, uint8_t a, uint8_t b)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < SCAN_STEP; i++)
        mask |= (uint32_t)(from[i] == a || from[i] == b) << i;
    return mask;
}

static inline uint32_t scan_equal(const uint8_t *a, const uint8_t *b)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < SCAN_STEP; i++)
        mask |= (uint32_t)(a[i] == b[i]) << i;
    return mask;
}

static inline uint32_t scan_equal_aligned(const uint8_t *a, const uint8_t *b)
{
    return scan_equal(a, b);
}

static inline uint32_t scan_pair(const uint8_t *first, uint8_t a, const uint8_t *second, uint8_t b)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < SCAN_STEP; i++)
        mask |= (uint32_t)(first[i] == a && second[i] == b) << i;
    return mask;
}

static inline uint32_t scan_key_quotes(const uint8_t *from)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < SCAN_STEP; i++) {
        uint8_t const before = from[(int64_t)i - 1];
        mask |= (uint32_t)(from[i] == '"' && (before == '{' || before == ',' || before <= ' ')) << i;
    }
    return mask;
}

static inline uint32_t scan_digits(const uint8_t *from)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < SCAN_STEP; i++)
        mask |= (uint32_t)(from[i] >= '0' && from[i] <= '9') << i;
    return mask;
}

static inline uint32_t scan_copy_either(uint8_t *to, const uint8_t *from, uint8_t a, uint8_t b)
{
    memcpy(to, from, SCAN_STEP);
    return scan_either(from, a, b);
}

#endif

/* Bit i: byte i of the 64 at `from` is `byte`. */
static inline uint64_t scan_mask64(const uint8_t *from, uint8_t byte)
{
    return (uint64_t)scan_either(from, byte, byte) | (uint64_t)scan_either(from + 16, byte, byte) << 16 |
           (uint64_t)scan_either(from + 32, byte, byte) << 32 |
           (uint64_t)scan_either(from + 48, byte, byte) << 48;
}

/* How often `byte` is there among `length` bytes. */
static inline uint64_t scan_count(const uint8_t *from, size_t length, uint8_t byte)
{
    uint64_t count = 0;
#if defined(__SSE2__)
    __m128i const wanted = _mm_set1_epi8((char)byte);
    while (length >= SCAN_STEP) {
        size_t steps = length / SCAN_STEP < 255 ? length / SCAN_STEP : 255; /* a lane counts so far */
        __m128i lanes = _mm_setzero_si128();
        length -= steps * SCAN_STEP;
        for (; steps > 0; steps--, from += SCAN_STEP)
            lanes = _mm_sub_epi8(
                lanes, _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)from), wanted));
        __m128i const sums = _mm_sad_epu8(lanes, _mm_setzero_si128());
        count += (uint64_t)_mm_extract_epi16(sums, 0) + (uint64_t)_mm_extract_epi16(sums, 4);
    }
#endif
    for (; length > 0; length--)
        count += *from++ == byte;
    return count;
}

/* Is there a byte `a` or `b` among `length` bytes? */
static inline bool scan_has_either(const uint8_t *from, uint32_t length, uint8_t a, uint8_t b)
{
    while (length > SCAN_STEP) {
        if (scan_either(from, a, b) != 0) return true;
        from += SCAN_STEP;
        length -= SCAN_STEP;
    }
    return (scan_either(from, a, b) & ((1u << length) - 1)) != 0;
}

#endif

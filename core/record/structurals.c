/* structurals.c - see the header. Thread: any. Owns nothing.
 *
 * 64 bytes at a time, of which each mask has a bit for each byte. What most blocks have none of (backslashes,
 * control characters, bytes behind ASCII) is looked for all at once and takes a branch of its own. The way
 * from masks to tokens is that of Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019. */
#include "core/record/structurals.h"

#include "core/record/block_masks.h"

#if defined(__x86_64__)
#include <string.h>

#define EVEN 0x5555555555555555u

/* What one block leaves to the next. */
struct carry {
    uint64_t in_string; /* all bits: it ends inside a string */
    uint64_t scalar;    /* 1: its last byte belongs to a scalar */
    uint64_t due;       /* bits 0 to 2: continuation bytes that a character wants; bit 3: ESCAPES */
    uint64_t narrow;    /* its last byte, when that narrows down the next one */
    uint64_t bad;       /* not 0: the text is not clean */
};
#define DUE     7u
#define ESCAPES 8u /* the last byte is a backslash that escapes */

/* Bytes compared as signed ones: 0x80 is the lowest, ASCII is above all others. */
BLOCK_MASKS_PART uint64_t below(struct block block, uint8_t byte)
{
    return block_bits(_mm256_cmpgt_epi8(block_each(byte), block.low),
                      _mm256_cmpgt_epi8(block_each(byte), block.high));
}

/* ---- what is rare ---- */

/* Not 0: the block has a backslash, a control character, or a byte that is not of ASCII. */
BLOCK_MASKS_PART uint32_t has_rare(struct block block)
{
    __m256i const behind = _mm256_or_si256(block.low, block.high);
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(block_rare(block), behind));
}

/* The bytes behind runs of backslashes of odd length. A run that begins at an even place and is added its
 * first bit carries over to the place behind it, which is odd when the run's length is; likewise one that
 * begins at an odd place. A run that goes on in the next block leaves the sum by its upper end. */
BLOCK_MASKS_PART uint64_t escaped_bytes(struct carry *carry, uint64_t slashes, bool first)
{
    slashes &= ~(uint64_t)first;
    uint64_t const begins = slashes & ~(slashes << 1);
    unsigned long long from_even, from_odd;
    (void)__builtin_uaddll_overflow(slashes, begins & EVEN, &from_even);
    if (__builtin_uaddll_overflow(slashes, begins & ~EVEN, &from_odd)) carry->due |= ESCAPES;
    return (uint64_t)first | (from_even & ~EVEN & ~slashes) | (from_odd & EVEN & ~slashes);
}

/* Bytes that narrow down the one behind them, or that no text has: E0, ED, F0 and higher, C0, C1. Of the
 * comparison only the highest bit of a byte counts. */
BLOCK_MASKS_PART __m256i narrow_of(__m256i bytes)
{
    __m256i const e0_ed = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, block_each(0xe0)),
                                          _mm256_cmpeq_epi8(bytes, block_each(0xed)));
    __m256i const c0_c1 = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, block_each(0xfe)), block_each(0xc0));
    __m256i const from_f0 = _mm256_and_si256(_mm256_cmpgt_epi8(bytes, block_each(0xef)), bytes);
    return _mm256_or_si256(_mm256_or_si256(e0_ed, c0_c1), from_f0);
}

BLOCK_MASKS_PART bool has_narrow(struct block block)
{
    return _mm256_movemask_epi8(_mm256_or_si256(narrow_of(block.low), narrow_of(block.high))) != 0;
}

/* Second bytes that are out of their first one's range, and bytes that no text has: Unicode 15, table 3-7. */
BLOCK_MASKS_TARGET static uint64_t narrow_errors(struct block block, uint64_t narrow)
{
    uint64_t const low_half = below(block, 0xa0), low_quarter = below(block, 0x90);
    uint64_t const e0 = block_equal(block, 0xe0) << 1 | (narrow == 0xe0);
    uint64_t const ed = block_equal(block, 0xed) << 1 | (narrow == 0xed);
    uint64_t const f0 = block_equal(block, 0xf0) << 1 | (narrow == 0xf0);
    uint64_t const f4 = block_equal(block, 0xf4) << 1 | (narrow == 0xf4);
    uint64_t const never = block_equal(block, 0xc0) | block_equal(block, 0xc1) |
                           (block_bits(block.low, block.high) & ~below(block, 0xf5));
    return never | (e0 & low_half) | (ed & ~low_half) | (f0 & low_quarter) | (f4 & ~low_quarter);
}

/* Are there as many continuation bytes as first bytes ask for, where they ask for them? `others`: bytes that
 * are not of ASCII; `last`: the block's last byte. */
BLOCK_MASKS_PART void check_utf8(struct carry *carry, struct block block, uint64_t others,
                                 const uint8_t *last)
{
    uint64_t const continues = below(block, 0xc0), leads = others & ~continues;
    uint64_t const leads3 = others & ~below(block, 0xe0);
    uint64_t due = leads << 1 | leads3 << 2 | carry->due, due_next = leads >> 63 | leads3 >> 62;
    if (__builtin_expect(has_narrow(block) || carry->narrow != 0, 0)) {
        uint64_t const leads4 = others & ~below(block, 0xf0);
        due |= leads4 << 3;
        due_next |= leads4 >> 61;
        carry->bad |= narrow_errors(block, carry->narrow);
        carry->narrow = leads >> 63 != 0 ? *last : 0;
    }
    carry->bad |= due ^ continues;
    carry->due = due_next;
}

/* ---- masks of a block ---- */

BLOCK_MASKS_PART uint64_t tokens_of(struct carry *carry, struct block block, const uint8_t *last)
{
    uint64_t quotes = block_equal(block, '"'), control = 0;
    if (__builtin_expect((has_rare(block) | carry->due) != 0, 0)) {
        uint64_t const slashes = block_equal(block, '\\'), others = block_bits(block.low, block.high);
        uint64_t const escapes = carry->due & ESCAPES;
        carry->due &= DUE;
        control = block_control_characters(block);
        if ((others | carry->due) != 0) check_utf8(carry, block, others, last);
        if ((slashes | escapes) != 0) quotes &= ~escaped_bytes(carry, slashes, escapes != 0);
    }
    uint64_t const strings = block_parity(quotes) ^ carry->in_string; /* with their first quotes */
    carry->in_string = (uint64_t)((int64_t)strings >> 63);
    carry->bad |= control & strings;
    uint64_t const separate = block_separators(block), apart = separate | block_blanks(block);
    uint64_t const scalars = ~(apart | quotes);
    uint64_t const goes_on = scalars << 1 | carry->scalar;
    carry->scalar = scalars >> 63;
    return (separate | ~(apart | goes_on)) & ~(strings ^ quotes);
}

/* ---- tokens ---- */

/* For each byte of a mask the numbers of its bits, one in each byte, lowest first. */
#define RANK(mask, bit)  (8 * __builtin_popcount((mask) & ((1 << (bit)) - 1)))
#define PLACE(mask, bit) ((uint64_t)(((mask) >> (bit)&1) * (bit)) << RANK(mask, bit))
#define PLACES(mask)                                                                                       \
    (PLACE(mask, 1) | PLACE(mask, 2) | PLACE(mask, 3) | PLACE(mask, 4) | PLACE(mask, 5) | PLACE(mask, 6) | \
     PLACE(mask, 7))
#define PLACES4(mask)  PLACES(mask), PLACES((mask) + 1), PLACES((mask) + 2), PLACES((mask) + 3)
#define PLACES16(mask) PLACES4(mask), PLACES4((mask) + 4), PLACES4((mask) + 8), PLACES4((mask) + 12)
#define PLACES64(mask) PLACES16(mask), PLACES16((mask) + 16), PLACES16((mask) + 32), PLACES16((mask) + 48)
static const uint64_t places[256] = {PLACES64(0), PLACES64(64), PLACES64(128), PLACES64(192)};

/* What tokens are counted from, eight at a time, for the next eight bytes of text, and 8. */
struct places {
    __m256i at, step;
};

BLOCK_MASKS_PART uint32_t *put_eight(uint32_t *to, uint64_t byte, struct places *base)
{
    __m256i const found = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)places[byte]));
    _mm256_storeu_si256((__m256i *)(void *)to, _mm256_add_epi32(found, base->at));
    base->at = _mm256_add_epi32(base->at, base->step);
    return to + __builtin_popcountll(byte);
}

/* Writes the tokens of a block; returns the place behind them. Eight are written for each byte of the mask,
 * without a branch that would depend on the text: those behind the last one are overwritten. */
BLOCK_MASKS_PART uint32_t *put_tokens(uint32_t *to, uint64_t mask, struct places *base)
{
    for (unsigned i = 0; i < 4; i++) {
        to = put_eight(to, mask & 0xff, base);
        to = put_eight(to, mask >> 8 & 0xff, base);
        mask >>= 16;
        __asm__("" : "+Q"(mask)); /* both bytes are at hand then, where compilers would shift anew for each */
    }
    return to;
}

BLOCK_MASKS_TARGET bool structurals_find(const uint8_t *bytes, size_t length, uint32_t *tokens, size_t *count)
{
    struct carry carry = {0};
    struct places base = {.at = _mm256_setzero_si256(), .step = _mm256_set1_epi32(8)};
    uint32_t *to = tokens;
    const uint8_t *at = bytes, *const end = bytes + length / BLOCK_MASKS_BYTES * BLOCK_MASKS_BYTES;
    __asm__("" : "+x"(base.step)); /* one register, where compilers would make seven constants of it */
    for (; at != end; at += BLOCK_MASKS_BYTES)
        to = put_tokens(to, tokens_of(&carry, block_load(at), at + BLOCK_MASKS_BYTES - 1), &base);
    if (length % BLOCK_MASKS_BYTES != 0) {
        uint8_t rest[BLOCK_MASKS_BYTES];
        memset(rest, ' ', sizeof rest);
        memcpy(rest, at, length % BLOCK_MASKS_BYTES);
        to = put_tokens(to, tokens_of(&carry, block_load(rest), rest + BLOCK_MASKS_BYTES - 1), &base);
    }
    *count = (size_t)(to - tokens);
    return (carry.bad | carry.in_string | (carry.due & DUE)) == 0;
}

bool structurals_here(void)
{
    return block_masks_here();
}

#else

bool structurals_here(void)
{
    return false;
}

bool structurals_find(const uint8_t *bytes, size_t length, uint32_t *tokens, size_t *count)
{
    (void)bytes, (void)length, (void)tokens;
    *count = 0;
    return false;
}

#endif

/* prefilter.c - many ids looked for at once. Thread: main makes it, workers search. Owns nothing: the arena
 * does. */
#include "core/record/prefilter.h"

#include "core/base/limits.h"
#include "core/base/scan.h"
#include "core/record/json_text.h"

#include <string.h>

/* Bytes at the window's end that choose the shift: two would be too common among hex digits, four hardly
 * rarer than three. */
#define BLOCK_MAX 3u
/* Entries of the shift table, as a power of two: some 16 for each block of the ids keep most text at long
 * shifts; the least is nothing beside the first cache, the most a part of the second. */
#define TABLE_BITS_MIN    12u
#define TABLE_BITS_MAX    16u
#define ENTRIES_PER_BLOCK 16u
#define SHIFT_MAX         255u /* what an entry holds: windows are cut to it */

/* Up to so many ids are looked for one by one, by their ends, 16 places at a time: each costs some 70 ns for
 * 1.6 KB of a profile, where the shifts cost 250 for as many as there are, so that three are no gain. */
#define FEW_MAX  2u
#define FEW_STEP 4096u /* bytes: a small part of what is looked at, a large one of what a call costs */

struct prefilter {
    const struct segment *ids;
    size_t id_count, id_max;
    uint32_t window; /* bytes of the shortest id, but not more than the largest shift allows */
    uint32_t block;  /* of these at its end */
    uint32_t bits;
    const uint8_t *shifts;  /* 0: an id's window may end here */
    const uint16_t *firsts; /* by the same hash: number of the first such id, from 1 */
    const uint16_t *nexts;  /* of each id: the next one with the same hash, 0: none */
    bool any_escape;
    bool spelled[128]; /* may \u and this number be a character of an id? */
    bool spelled_wide; /* and any larger number? */
};

static inline uint32_t block_hash(const struct prefilter *filter, const uint8_t *block)
{
    uint32_t word;
    memcpy(&word, block, sizeof word);
    word <<= 8 * (4 - filter->block); /* little-endian: drops what lies behind the block */
    return word * 0x9e3779b1u >> (32 - filter->bits);
}

/* ---- making it ---- */

static bool has_short_escape(const struct segment *segment)
{
    for (size_t i = 0; i < segment->id_length; i++) {
        unsigned char const byte = (unsigned char)segment->id[i];
        if (byte < 0x20 || byte == '"' || byte == '\\' || byte == '/') return true;
    }
    return false;
}

static void note_spelled(struct prefilter *filter, const struct segment *segment)
{
    for (size_t i = 0; i < segment->id_length; i++) {
        unsigned char const byte = (unsigned char)segment->id[i];
        if (byte < sizeof filter->spelled)
            filter->spelled[byte] = true;
        else
            filter->spelled_wide = true;
    }
}

static void measure(struct prefilter *filter)
{
    size_t shortest = SHIFT_MAX;
    filter->spelled[0] = true;
    for (size_t i = 0; i < filter->id_count; i++) {
        size_t const length = filter->ids[i].id_length;
        if (length < shortest) shortest = length;
        if (length > filter->id_max) filter->id_max = length;
        filter->any_escape = filter->any_escape || has_short_escape(&filter->ids[i]);
        note_spelled(filter, &filter->ids[i]);
    }
    filter->window = (uint32_t)shortest;
    filter->block = filter->window < BLOCK_MAX ? filter->window : BLOCK_MAX;
    size_t const entries = ENTRIES_PER_BLOCK * filter->id_count * filter->window;
    filter->bits = TABLE_BITS_MIN;
    while (filter->bits < TABLE_BITS_MAX && ((size_t)1 << filter->bits) < entries)
        filter->bits++;
}

/* The blocks of one id: each says how far it is from the window's end. `copy` has room to read a word. */
static void put_shifts(const struct prefilter *filter, const uint8_t *copy, uint8_t *shifts)
{
    for (uint32_t at = 0; at + filter->block <= filter->window; at++) {
        uint8_t *const entry = &shifts[block_hash(filter, copy + at)];
        uint8_t const shift = (uint8_t)(filter->window - filter->block - at);
        if (shift < *entry) *entry = shift;
    }
}

const struct prefilter *prefilter_create(struct arena *arena, const struct segments *segments)
{
    struct prefilter *const filter = arena_alloc(arena, sizeof *filter);
    if (filter == NULL) return NULL;
    filter->ids = segments->list;
    filter->id_count = segments->count;
    measure(filter);
    size_t const size = (size_t)1 << filter->bits;
    uint8_t *const shifts = arena_array(arena, size, sizeof *shifts);
    uint16_t *const firsts = arena_array(arena, size, sizeof *firsts);
    uint16_t *const nexts = arena_array(arena, filter->id_count, sizeof *nexts);
    if (shifts == NULL || firsts == NULL || nexts == NULL) return NULL;
    memset(shifts, (int)(filter->window - filter->block + 1), size);
    for (size_t i = 0; i < filter->id_count; i++) {
        uint8_t copy[SHIFT_MAX + 4] = {0};
        memcpy(copy, filter->ids[i].id, filter->window);
        put_shifts(filter, copy, shifts);
        uint16_t *const first = &firsts[block_hash(filter, copy + filter->window - filter->block)];
        nexts[i] = *first;
        *first = (uint16_t)(i + 1);
    }
    filter->shifts = shifts;
    filter->firsts = firsts;
    filter->nexts = nexts;
    return filter;
}

_Static_assert(MAPPING_SEGMENTS_MAX < UINT16_MAX, "numbers of ids are 16 bits");

size_t prefilter_id_max(const struct prefilter *filter)
{
    return filter->id_max;
}

/* ---- searching ---- */

/* Does any of the ids with this hash begin at `at`? */
static bool begins_id(const struct prefilter *filter, uint32_t hash, const uint8_t *at, size_t left)
{
    for (uint32_t number = filter->firsts[hash]; number != 0; number = filter->nexts[number - 1]) {
        const struct segment *const id = &filter->ids[number - 1];
        if (id->id_length <= left && memcmp(at, id->id, id->id_length) == 0) return true;
    }
    return false;
}

/* Where an id first begins in [from, end), whole before `length`; `end`: nowhere. Reads at most SCAN_STEP
 * bytes behind `length`. */
static size_t find_one(const struct segment *id, const uint8_t *bytes, size_t from, size_t end, size_t length)
{
    size_t const last = id->id_length - 1;
    uint8_t const head = (uint8_t)id->id[0], tail = (uint8_t)id->id[last];
    if (last >= length) return end;
    size_t const stop = end < length - last ? end : length - last;
    for (; from < stop; from += SCAN_STEP) {
        uint32_t may = scan_pair(bytes + from, head, bytes + from + last, tail);
        for (; __builtin_expect(may != 0, 0); may &= may - 1) {
            size_t const at = from + (size_t)__builtin_ctz(may);
            if (at < stop && memcmp(bytes + at, id->id, last) == 0) return at;
        }
    }
    return end;
}

/* find_id() of few ids. A step at a time, so that an id that is rare is not looked for again and again behind
 * one that is not. */
static size_t find_few(const struct prefilter *filter, const uint8_t *bytes, size_t from, size_t length)
{
    for (; from < length; from += FEW_STEP) {
        size_t const end = length - from < FEW_STEP ? length : from + FEW_STEP;
        size_t first = end;
        for (size_t i = 0; i < filter->id_count; i++)
            first = find_one(&filter->ids[i], bytes, from, first, length);
        if (first < end) return first;
    }
    return length;
}

/* find_id() of any number of ids. */
static size_t find_many(const struct prefilter *filter, const uint8_t *bytes, size_t from, size_t length)
{
    size_t const window = filter->window, tail = window - filter->block;
    const uint8_t *const shifts = filter->shifts;
    while (from + window <= length) {
        uint32_t const hash = block_hash(filter, bytes + from + tail);
        uint32_t const shift = shifts[hash];
        if (shift == 0 && begins_id(filter, hash, bytes + from, length - from)) return from;
        from += shift == 0 ? 1 : shift;
    }
    return length;
}

/* May the escape at this backslash be a character of an id? */
static bool may_spell(const struct prefilter *filter, const uint8_t *backslash)
{
    if (filter->any_escape || backslash[1] != 'u') return filter->any_escape;
    int32_t const unit = json_escape_unit(backslash + 2, LIMIT_PADDING - 2);
    if (unit < 0) return true;
    return (size_t)unit < sizeof filter->spelled ? filter->spelled[unit] : filter->spelled_wide;
}

/* Where the first id at or behind `from` begins; `length`: none. */
static size_t find_id(const struct prefilter *filter, const uint8_t *bytes, size_t from, size_t length)
{
    return filter->id_count <= FEW_MAX ? find_few(filter, bytes, from, length)
                                       : find_many(filter, bytes, from, length);
}

static size_t find_escape(const struct prefilter *filter, const uint8_t *bytes, size_t from, size_t length)
{
    while (from < length) {
        const uint8_t *const backslash = memchr(bytes + from, '\\', length - from);
        if (backslash == NULL) return length;
        from = (size_t)(backslash - bytes);
        if (may_spell(filter, backslash)) return from;
        from++;
    }
    return length;
}

void prefilter_begin(struct prefilter_scan *scan, const struct prefilter *filter, const uint8_t *bytes,
                     size_t length)
{
    *scan = (struct prefilter_scan){.filter = filter, .bytes = bytes, .length = length};
    scan->id_at = find_id(filter, bytes, 0, length);
    scan->escape_at = find_escape(filter, bytes, 0, length);
}

bool prefilter_may_name(struct prefilter_scan *scan, size_t begin, size_t end)
{
    if (scan->id_at < begin) scan->id_at = find_id(scan->filter, scan->bytes, begin, scan->length);
    if (scan->id_at < end) return true;
    if (scan->escape_at < begin)
        scan->escape_at = find_escape(scan->filter, scan->bytes, begin, scan->length);
    return scan->escape_at < end;
}

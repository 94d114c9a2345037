/* prefilter.c - ids looked for among keys. Thread: main makes it, workers search. Owns nothing: the arena
 * does. */
#include "core/record/prefilter.h"

#include "core/base/key_digest.h"
#include "core/base/limits.h"
#include "core/base/scan.h"
#include "core/record/json_text.h"

#include <string.h>

/* Bytes behind a key's opening quote that tell most keys from ids: as many as a load takes. */
#define FRONT_MAX 8u
/* Entries of the tables, as a power of two: some 16 for each id keep them sparse; the least is nothing beside
 * the first cache, the most (64 KiB, and 128 of `firsts`) a part of the second. */
#define TABLE_BITS_MIN 12u
#define TABLE_BITS_MAX 16u
#define ENTRIES_PER_ID 16u
/* A key may have it before its name (core/record/walk_key.c). */
#define PREFIX        "xdm:"
#define PREFIX_LENGTH (sizeof PREFIX - 1)

/* Up to so many ids are looked for one by one, by their ends, 16 places at a time: each costs some 70 ns for
 * 1.6 KB of a profile, where looking at each key costs some 150 whatever their number. */
#define FEW_MAX  2u
#define FEW_STEP 4096u /* bytes: a small part of what is looked at, a large one of what a call costs */

struct prefilter {
    const struct segment *ids;
    size_t id_count, id_max;
    uint64_t front_mask; /* of the shortest id's bytes and its closing quote, at most FRONT_MAX */
    uint32_t bits;
    const uint8_t *fronts;  /* by the hash of a front: has an id such a one? */
    const uint16_t *firsts; /* by the hash of the text: number of the first such id, from 1 */
    const uint16_t *nexts;  /* of each id: the next one with the same hash, 0: none */
    bool any_escape;
    bool spelled[128]; /* may \u and this number be a character of an id? */
    bool spelled_wide; /* and any larger number? */
};

/* Of the bytes behind an opening quote; FRONT_MAX are readable. */
static inline uint32_t front_hash(const struct prefilter *filter, const uint8_t *front)
{
    uint64_t word;
    memcpy(&word, front, sizeof word);
    return (uint32_t)((word & filter->front_mask) * 0x9e3779b97f4a7c15u >> (64 - filter->bits));
}

static uint32_t text_hash(const struct prefilter *filter, const uint8_t *text, size_t length)
{
    return (uint32_t)(key_digest_of(text, length).low >> (64 - filter->bits));
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

static void note_spelled(struct prefilter *filter, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char const byte = (unsigned char)text[i];
        if (byte < sizeof filter->spelled)
            filter->spelled[byte] = true;
        else
            filter->spelled_wide = true;
    }
}

static void measure(struct prefilter *filter)
{
    size_t shortest = FRONT_MAX;
    note_spelled(filter, PREFIX, sizeof PREFIX); /* and the NUL, which may be dropped from a key */
    for (size_t i = 0; i < filter->id_count; i++) {
        size_t const length = filter->ids[i].id_length;
        if (length < shortest) shortest = length;
        if (length > filter->id_max) filter->id_max = length;
        filter->any_escape = filter->any_escape || has_short_escape(&filter->ids[i]);
        note_spelled(filter, filter->ids[i].id, length);
    }
    size_t const front = shortest + 1 < FRONT_MAX ? shortest + 1 : FRONT_MAX;
    filter->front_mask = UINT64_MAX >> (64 - 8 * front); /* little-endian: drops what lies behind */
    filter->bits = TABLE_BITS_MIN;
    while (filter->bits < TABLE_BITS_MAX && ((size_t)1 << filter->bits) < ENTRIES_PER_ID * filter->id_count)
        filter->bits++;
}

static void put_id(struct prefilter *filter, size_t i, uint8_t *fronts, uint16_t *firsts, uint16_t *nexts)
{
    const struct segment *const id = &filter->ids[i];
    uint8_t front[FRONT_MAX + 1] = {0};
    size_t const length = id->id_length < FRONT_MAX ? id->id_length : FRONT_MAX;
    memcpy(front, id->id, length);
    front[length] = '"';
    fronts[front_hash(filter, front)] = 1;
    uint16_t *const first = &firsts[text_hash(filter, (const uint8_t *)id->id, id->id_length)];
    nexts[i] = *first;
    *first = (uint16_t)(i + 1);
}

const struct prefilter *prefilter_create(struct arena *arena, const struct segments *segments)
{
    struct prefilter *const filter = arena_alloc(arena, sizeof *filter);
    if (filter == NULL) return NULL;
    filter->ids = segments->list;
    filter->id_count = segments->count;
    measure(filter);
    size_t const size = (size_t)1 << filter->bits;
    uint8_t *const fronts = arena_array(arena, size, sizeof *fronts);
    uint16_t *const firsts = arena_array(arena, size, sizeof *firsts);
    uint16_t *const nexts = arena_array(arena, filter->id_count, sizeof *nexts);
    if (fronts == NULL || firsts == NULL || nexts == NULL) return NULL;
    for (size_t i = 0; i < filter->id_count; i++)
        put_id(filter, i, fronts, firsts, nexts);
    filter->fronts = fronts;
    filter->firsts = firsts;
    filter->nexts = nexts;
    return filter;
}

_Static_assert(MAPPING_SEGMENTS_MAX < UINT16_MAX, "numbers of ids are 16 bits");

size_t prefilter_key_max(const struct prefilter *filter)
{
    return PREFIX_LENGTH + filter->id_max + 2;
}

/* ---- searching ---- */

/* May a key's opening quote stand at `at`? */
static bool key_here(const uint8_t *bytes, size_t at)
{
    if (bytes[at] != '"') return false;
    return at == 0 || bytes[at - 1] == '{' || bytes[at - 1] == ',' || bytes[at - 1] <= ' ';
}

/* May the text at `text` be a key, or what stands in one behind the prefix? */
static bool key_before(const uint8_t *bytes, size_t text)
{
    if (text > 0 && key_here(bytes, text - 1)) return true;
    return text > PREFIX_LENGTH && memcmp(bytes + text - PREFIX_LENGTH, PREFIX, PREFIX_LENGTH) == 0 &&
           key_here(bytes, text - PREFIX_LENGTH - 1);
}

/* Where an id first stands as a key in [from, end), its closing quote before `length`; `end`: nowhere. Looked
 * for by its first and last byte. Reads at most SCAN_STEP bytes behind `length`. */
static size_t find_one(const struct segment *id, const uint8_t *bytes, size_t from, size_t end, size_t length)
{
    const uint8_t *const text = (const uint8_t *)id->id;
    size_t const size = id->id_length, apart = size > 1 ? size - 1 : 1;
    uint8_t const head = text[0], tail = size > 1 ? text[apart] : '"';
    if (size + 1 > length) return end;
    size_t const stop = end < length - size ? end : length - size;
    for (; from < stop; from += SCAN_STEP) {
        uint32_t may = scan_pair(bytes + from, head, bytes + from + apart, tail);
        for (; __builtin_expect(may != 0, 0); may &= may - 1) {
            size_t const at = from + (size_t)__builtin_ctz(may);
            if (at < stop && bytes[at + size] == '"' && memcmp(bytes + at, text, size) == 0 &&
                key_before(bytes, at))
                return at;
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

/* Is what stands from `text` to the next quote before `end` an id? */
static __attribute__((noinline)) bool is_id(const struct prefilter *filter, const uint8_t *text,
                                            const uint8_t *end)
{
    size_t const left = (size_t)(end - text), most = filter->id_max + 1;
    const uint8_t *const quote = memchr(text, '"', left < most ? left : most);
    if (quote == NULL) return false;
    size_t const size = (size_t)(quote - text);
    for (uint32_t number = filter->firsts[text_hash(filter, text, size)]; number != 0;
         number = filter->nexts[number - 1]) {
        const struct segment *const id = &filter->ids[number - 1];
        if (id->id_length == size && memcmp(text, id->id, size) == 0) return true;
    }
    return false;
}

/* Is the string with its opening quote at `quote`, whole before `end`, a key that names an id? */
static inline bool names_id(const struct prefilter *filter, const uint8_t *quote, const uint8_t *end)
{
    const uint8_t *const text = quote + 1;
    if (filter->fronts[front_hash(filter, text)] != 0 && is_id(filter, text, end)) return true;
    return memcmp(text, PREFIX, PREFIX_LENGTH) == 0 && (size_t)(end - quote) > PREFIX_LENGTH &&
           filter->fronts[front_hash(filter, text + PREFIX_LENGTH)] != 0 &&
           is_id(filter, text + PREFIX_LENGTH, end);
}

/* find_id() of any number of ids: looks at each key. */
static size_t find_many(const struct prefilter *filter, const uint8_t *bytes, size_t from, size_t length)
{
    if (from == 0) {
        if (length > 0 && key_here(bytes, 0) && names_id(filter, bytes, bytes + length)) return 0;
        from = 1;
    }
    for (; from < length; from += SCAN_STEP)
        for (uint32_t keys = scan_key_quotes(bytes + from); keys != 0; keys &= keys - 1) {
            size_t const at = from + (size_t)__builtin_ctz(keys);
            if (at < length && names_id(filter, bytes + at, bytes + length)) return at;
        }
    return length;
}

/* Where the first key at or behind `from` that names an id stands; `length`: none. */
static size_t find_id(const struct prefilter *filter, const uint8_t *bytes, size_t from, size_t length)
{
    return filter->id_count <= FEW_MAX ? find_few(filter, bytes, from, length)
                                       : find_many(filter, bytes, from, length);
}

/* May the escape at this backslash be a character of an id? */
static bool may_spell(const struct prefilter *filter, const uint8_t *backslash)
{
    if (filter->any_escape || backslash[1] != 'u') return filter->any_escape;
    int32_t const unit = json_escape_unit(backslash + 2, LIMIT_PADDING - 2);
    if (unit < 0) return true;
    return (size_t)unit < sizeof filter->spelled ? filter->spelled[unit] : filter->spelled_wide;
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

/* record_defect.c - a slow tokeniser that agrees with simdjson's stage 1 byte for byte, and the exact walk.
 * Thread: the caller's. Owns nothing. */
#include "core/record/record_defect.h"

#include "core/record/json_container.h"
#include "core/record/json_text.h"
#include "core/record/record_walk.h"

struct tokens {
    uint32_t *at;
    uint32_t count;
    uint32_t stop;      /* where the tokens end: the record's end, or what is wrong inside a string */
    enum defect defect; /* that, or DEFECT_NONE */
};

/* Stage 1 compares bytes with bit 5 set, and so takes 0x0c and 0x1a for ',' and ':' (simdjson 3.0, haswell
 * and icelake: "curlified"); they are tokens of their own that fit nowhere. */
static bool is_operator(uint8_t byte)
{
    return byte == '{' || byte == '}' || byte == '[' || byte == ']' || byte == ':' || byte == ',' ||
           byte == 0x0c || byte == 0x1a;
}

/* The rules of stage 1: a quote counts unless an odd number of backslashes stands before it, inside strings
 * and outside; a scalar begins where the byte before it is none (closing quotes are none). */
static struct tokens tokenise(const uint8_t *bytes, uint32_t length, uint32_t *room)
{
    struct tokens tokens = {.at = room, .stop = length, .defect = DEFECT_NONE};
    bool in_string = false, escaped = false, in_scalar = false;
    for (uint32_t i = 0; i < length; i++) {
        uint8_t const byte = bytes[i];
        bool const quote = byte == '"' && !escaped;
        escaped = byte == '\\' && !escaped;
        if (in_string) {
            if (quote) in_string = false;
            if (byte >= 0x20) continue;
            tokens.defect = DEFECT_SYNTAX;
            tokens.stop = i;
            return tokens;
        }
        bool const scalar = !is_operator(byte) && !json_is_blank(byte);
        if (is_operator(byte) || (scalar && !in_scalar)) tokens.at[tokens.count++] = i;
        in_scalar = scalar && !quote;
        in_string = quote;
    }
    if (in_string) tokens.defect = DEFECT_UNCLOSED_STRING;
    return tokens;
}

/* Where a slot's value is malformed: an offset in the record, or SIZE_MAX. */
static size_t value_defect(const struct index_walk *walk, uint32_t slot, const uint8_t *at, uint32_t length)
{
    size_t written, bad;
    if (!plan_reads(walk->plan, slot, *at)) return SIZE_MAX;
    bool const good = *at == '{' || *at == '['
                          ? json_container(at, length, walk->brackets, walk->depth_max, NULL, &written, &bad)
                          : json_is_scalar(at, length, &bad);
    return good ? SIZE_MAX : (size_t)(at - walk->bytes) + bad;
}

/* The first defect inside the values that the walk found and that are used. What it had found and dropped
 * again (duplicate keys, elements that a filter leaves out) does not count. */
static size_t values_defect(const struct index_walk *walk)
{
    const struct cells *cells = walk->cells;
    const struct plan *plan = walk->plan;
    size_t first = SIZE_MAX;
    for (uint32_t slot = 0; slot < plan->slot_count; slot++) {
        const struct cell *cell = &cells->slots[slot];
        if (cell->at == NULL) continue;
        if (!plan->slot_many[slot]) {
            size_t const bad = value_defect(walk, slot, cell->at, cell->length);
            first = bad < first ? bad : first;
        }
        for (uint32_t number = cell->last; number != 0; number = cells->items[number - 1].before) {
            const struct cells_item *item = &cells->items[number - 1];
            size_t const bad = value_defect(walk, slot, cells->record + item->offset, item->length);
            first = bad < first ? bad : first;
        }
    }
    return first;
}

/* The tokens, with what a walk may look at behind the last one. */
static struct tokens tokens_of(const uint8_t *bytes, uint32_t length, uint32_t *room)
{
    struct tokens const tokens = tokenise(bytes, length, room);
    for (uint32_t i = 0; i < RECORD_INDEX_BEHIND; i++)
        tokens.at[tokens.count + i] = tokens.stop;
    return tokens;
}

enum defect record_defect(struct index_walk *walk, const uint8_t *bytes, uint32_t length, uint32_t *room)
{
    if (!record_is_utf8(bytes, length)) return DEFECT_UTF8;
    struct tokens const tokens = tokens_of(bytes, length, room);
    struct index_walk exact = *walk;
    exact.bytes = bytes;
    exact.end = tokens.stop;
    exact.exact = true;
    exact.defect = DEFECT_NONE;
    cells_begin(exact.cells, bytes);
    bool const good = index_walk_record(&exact, tokens.at) != NULL;
    size_t const walked = good ? SIZE_MAX : exact.defect_at;
    size_t const value = values_defect(&exact);
    if (value < tokens.stop && value < walked) return DEFECT_SYNTAX;
    if (walked < tokens.stop) return exact.defect;
    if (tokens.defect != DEFECT_NONE) return tokens.defect;
    return good ? DEFECT_NONE : DEFECT_SYNTAX; /* the record ends too early */
}

enum defect record_defect_strict(struct strict *strict, struct index_walk *walk, const uint8_t *bytes,
                                 uint32_t length, uint32_t *room)
{
    if (bytes[0] != '{') return record_defect(walk, bytes, length, room); /* there is nothing more to see */
    if (!record_is_utf8(bytes, length)) return DEFECT_UTF8;
    struct tokens const tokens = tokens_of(bytes, length, room);
    bool const is_open = tokens.defect != DEFECT_NONE; /* found in the last string */
    uint32_t const open_string = is_open ? tokens.at[tokens.count - 1] : RECORD_CHECK_ALL_CLOSED;
    uint32_t at;
    enum defect const defect = strict_defect(strict, bytes, tokens.at, tokens.stop, open_string, &at);
    if (defect != DEFECT_NONE && at < tokens.stop) return defect;
    if (is_open) return tokens.defect;
    return defect == DEFECT_NONE ? DEFECT_NONE : DEFECT_SYNTAX; /* the record ends too early */
}

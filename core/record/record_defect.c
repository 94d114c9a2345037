/* record_defect.c - a slow tokeniser that agrees with simdjson's stage 1 byte for byte, and the exact walk.
 * Thread: the caller's. Owns nothing. */
#include "core/record/record_defect.h"

#include "core/record/json_text.h"
#include "core/record/record_walk.h"

struct tokens {
    uint32_t *at;
    uint32_t count;
    uint32_t stop;      /* where the tokens end: the record's end, or what is wrong inside a string */
    enum defect defect; /* that, or DEFECT_NONE */
};

static bool is_operator(uint8_t byte)
{
    return byte == '{' || byte == '}' || byte == '[' || byte == ']' || byte == ':' || byte == ',';
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

enum defect record_defect(struct index_walk *walk, const uint8_t *bytes, uint32_t length, uint32_t *room)
{
    if (!record_is_utf8(bytes, length)) return DEFECT_UTF8;
    struct tokens const tokens = tokenise(bytes, length, room);
    tokens.at[tokens.count] = tokens.at[tokens.count + 1] = tokens.stop;
    struct index_walk exact = *walk;
    exact.bytes = bytes;
    exact.end = tokens.stop;
    exact.exact = true;
    exact.defect = DEFECT_NONE;
    cells_begin(exact.cells, bytes);
    bool const good = index_walk_record(&exact, tokens.at) != NULL || exact.defect == DEFECT_NONE;
    if (good || exact.defect_at >= tokens.stop) {
        if (tokens.defect != DEFECT_NONE) return tokens.defect;
        if (!good && exact.defect == DEFECT_UNCLOSED_STRING) return DEFECT_SYNTAX;
    }
    return good ? DEFECT_NONE : exact.defect;
}

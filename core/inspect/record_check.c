/* record_check.c - see the header. Pure. */
#include "core/inspect/record_check.h"

#include <stddef.h>

/* The escapes of a string that has some. */
static __attribute__((noinline)) bool are_good_escapes(const struct record_check *check,
                                                       const uint32_t *token)
{
    struct json_string string;
    uint32_t const begin = token[0] + 1;
    uint32_t const end = record_check_scalar_end(check->bytes, token[1], check->end);
    return json_unescape(check->bytes + begin, end - 1 - begin, NULL, &string);
}

/* A string: stage 1 saw its closing quote, its UTF-8, and that it has no control character. */
static inline bool is_good_text(struct record_check *check, const uint32_t *token)
{
    return !record_escapes_in(&check->escapes, token[0] + 1, token[1]) || are_good_escapes(check, token);
}

static bool is_good_word(const struct record_check *check, const uint32_t *token)
{
    uint32_t const end = record_check_scalar_end(check->bytes, token[1], check->end);
    return json_is_scalar(check->bytes + token[0], end - token[0], NULL);
}

/* A key and its colon. */
static bool is_good_key(struct record_check *check, const uint32_t *token)
{
    bool const is_key =
        token[1] < check->end && check->bytes[token[0]] == '"' && check->bytes[token[1]] == ':';
    return is_key && is_good_text(check, token);
}

static bool opens(uint8_t byte)
{
    return (byte | 0x20) == '{';
}

/* What may come next. */
enum wants { WANTS_VALUE, WANTS_KEY, WANTS_COMMA_OR_END };

const uint32_t *record_check(struct record_check *check, const uint32_t *token)
{
    const uint8_t *const bytes = check->bytes;
    uint32_t const end = check->end;
    uint32_t depth = 0;
    enum wants wants = WANTS_VALUE;
    if (*token >= end || bytes[*token] != '{') return NULL;
    do {
        if (*token >= end) return NULL;
        uint8_t const byte = bytes[*token];
        if (wants == WANTS_KEY) {
            if (!is_good_key(check, token)) return NULL;
            token += 2;
            wants = WANTS_VALUE;
        } else if (wants == WANTS_COMMA_OR_END) {
            bool const closes = check->brackets[depth] + 2 == byte; /* '{' + 2 == '}', '[' + 2 == ']' */
            if (!closes && byte != ',') return NULL;
            if (!closes) wants = check->brackets[depth] == '{' ? WANTS_KEY : WANTS_VALUE;
            depth -= closes;
            token++;
        } else if (opens(byte)) {
            if (depth == check->depth_max) return NULL;
            check->brackets[++depth] = byte;
            token++;
            bool const is_empty = *token < end && bytes[*token] == byte + 2;
            wants = is_empty ? WANTS_COMMA_OR_END : byte == '{' ? WANTS_KEY : WANTS_VALUE;
        } else {
            if (byte == '"' ? !is_good_text(check, token) : !is_good_word(check, token)) return NULL;
            token++;
            wants = WANTS_COMMA_OR_END;
        }
    } while (depth > 0);
    return *token < end ? NULL : token;
}

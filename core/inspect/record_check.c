/* record_check.c - see the header. Pure. */
#include "core/inspect/record_check.h"

#include "core/record/json_text.h"

#include <string.h>

uint32_t record_check_scalar_end(const uint8_t *bytes, uint32_t next, uint32_t end)
{
    if (next > end) next = end;
    while (json_is_blank(bytes[next - 1]))
        next--; /* ends: the scalar's first byte is no blank */
    return next;
}

/* A string's text: stage 1 saw its closing quote, UTF-8 and control characters. */
static bool is_good_text(const struct record_check *check, uint32_t begin, uint32_t end)
{
    struct json_string string;
    const uint8_t *const raw = check->bytes + begin + 1;
    uint32_t const length = end - begin - 2;
    return !check->escapes || memchr(raw, '\\', length) == NULL || json_unescape(raw, length, NULL, &string);
}

static bool is_good_scalar(const struct record_check *check, const uint32_t *token)
{
    uint32_t const begin = token[0], end = record_check_scalar_end(check->bytes, token[1], check->end);
    const uint8_t *const at = check->bytes + begin;
    if (*at != '"') return json_is_scalar(at, end - begin, NULL);
    return end - begin >= 2 && check->bytes[end - 1] == '"' && is_good_text(check, begin, end);
}

/* A key and its colon. */
static bool is_good_key(const struct record_check *check, const uint32_t *token)
{
    if (token[1] >= check->end || check->bytes[token[0]] != '"' || check->bytes[token[1]] != ':')
        return false;
    return !check->escapes ||
           is_good_text(check, token[0], record_check_scalar_end(check->bytes, token[1], check->end));
}

static bool opens(uint8_t byte)
{
    return (byte | 0x20) == '{';
}

/* What may come next. */
enum wants { WANTS_VALUE, WANTS_KEY, WANTS_COMMA_OR_END };

const uint32_t *record_check(const struct record_check *check, const uint32_t *token)
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
            if (!is_good_scalar(check, token)) return NULL;
            token++;
            wants = WANTS_COMMA_OR_END;
        }
    } while (depth > 0);
    return *token < end ? NULL : token;
}

/* record_check.c - see the header. Pure.
 *
 * One grammar, compiled for each of the three ways: `keyed` and `exact` are constants wherever they stand.
 * Functions return the token behind what they passed, NULL at a defect. */
#include "core/record/record_check.h"

#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

static const uint32_t *defect_is(struct record_check *check, enum defect defect, uint32_t at)
{
    check->defect = defect;
    check->defect_at = at < check->end ? at : check->end;
    return NULL;
}

/* ---- scalars ---- */

enum defect record_check_text(const struct record_check *check, const uint8_t *raw, size_t length,
                              size_t *bad)
{
    struct json_string string;
    bool const good = json_unescape(raw, length, NULL, &string); /* notes nothing behind a bad escape */
    size_t const lone = check->refuses_surrogates ? string.lone_surrogate : SIZE_MAX;
    size_t const null = check->refuses_nulls ? string.null_character : SIZE_MAX;
    *bad = lone < null ? lone : null;
    if (*bad != SIZE_MAX) return lone < null ? DEFECT_LONE_SURROGATE : DEFECT_NULL_CHARACTER;
    *bad = string.bad;
    return good ? DEFECT_NONE : DEFECT_SYNTAX;
}

/* A text with escapes, its closing quote known to be there. */
static __attribute__((noinline)) bool are_good_escapes(struct record_check *check, const uint32_t *token)
{
    uint32_t const begin = token[0] + 1;
    uint32_t const end = record_check_scalar_end(check->bytes, token[1], check->end);
    size_t bad;
    enum defect const defect = record_check_text(check, check->bytes + begin, end - 1 - begin, &bad);
    return defect == DEFECT_NONE || defect_is(check, defect, begin + (uint32_t)bad) != NULL;
}

/* The text that has no end: what is wrong before that, or that. */
static bool is_good_open_text(struct record_check *check, const uint32_t *token)
{
    uint32_t const begin = token[0] + 1;
    const uint8_t *const raw = check->bytes + begin;
    uint32_t const length = check->end - begin;
    size_t bad;
    enum defect const defect = record_check_text(check, raw, length, &bad);
    bool const is_cut = defect == DEFECT_SYNTAX && json_escape_is_cut(raw + bad, length - bad);
    if (defect == DEFECT_NONE || is_cut) return defect_is(check, DEFECT_UNCLOSED_STRING, check->end) != NULL;
    return defect_is(check, defect, begin + (uint32_t)bad) != NULL;
}

/* A string: stage 1 saw its closing quote, its UTF-8, and that it has no control character. */
INLINE bool is_good_text(struct record_check *check, const uint32_t *token, bool const exact, bool *escaped)
{
    if (exact && token[0] == check->open_string) return is_good_open_text(check, token);
    *escaped = record_escapes_in(&check->escapes, token[0] + 1, token[1]);
    return __builtin_expect(!*escaped, 1) || are_good_escapes(check, token);
}

static bool is_good_word(struct record_check *check, const uint32_t *token)
{
    uint32_t const end = record_check_scalar_end(check->bytes, token[1], check->end);
    size_t bad;
    return json_is_scalar(check->bytes + token[0], end - token[0], &bad) ||
           defect_is(check, DEFECT_SYNTAX, token[0] + (uint32_t)bad) != NULL;
}

INLINE bool is_good_scalar(struct record_check *check, const uint32_t *token, bool const exact)
{
    bool escaped;
    return check->bytes[*token] == '"' ? is_good_text(check, token, exact, &escaped)
                                       : is_good_word(check, token);
}

/* ---- containers ---- */

/* A key and its colon. */
INLINE const uint32_t *pass_key(struct record_check *check, const uint32_t *token, uint32_t depth,
                                bool const keyed, bool const exact)
{
    bool escaped;
    if (token[0] >= check->end || check->bytes[token[0]] != '"')
        return defect_is(check, DEFECT_SYNTAX, token[0]);
    if (!is_good_text(check, token, exact, &escaped)) return NULL;
    if (token[1] >= check->end || check->bytes[token[1]] != ':')
        return defect_is(check, DEFECT_SYNTAX, token[1]);
    if (keyed) {
        uint32_t const close = record_check_scalar_end(check->bytes, token[1], check->end) - 1;
        record_keys_add(check->keys, depth, token[0] + 1, close - token[0] - 1, escaped);
    }
    return token + 2;
}

static inline bool opens(uint8_t byte)
{
    return (byte | 0x20) == '{';
}

/* Where the walk is: *depth containers are open. */
struct place {
    const uint32_t *token;
    uint32_t depth;
};

/* Opens the container at hand. True: it has something in it, and `place` is at its first value. */
INLINE bool enter(struct record_check *check, struct place *place, bool const keyed, bool const exact)
{
    uint8_t const byte = check->bytes[*place->token];
    if (place->depth == check->depth_max) {
        place->token = defect_is(check, DEFECT_DEPTH, *place->token);
        return false;
    }
    check->brackets[++place->depth] = byte;
    place->token++;
    if (keyed && byte == '{') record_keys_open(check->keys, place->depth);
    if (*place->token < check->end && check->bytes[*place->token] == byte + 2)
        return false; /* '{' + 2 == '}' */
    if (byte == '{') place->token = pass_key(check, place->token, place->depth, keyed, exact);
    return place->token != NULL;
}

/* Behind a value: closes what is closed here, passes a comma and a key. False: the record is through, or not
 * good. */
INLINE bool leave(struct record_check *check, struct place *place, bool const keyed, bool const exact)
{
    for (;;) {
        uint32_t const offset = *place->token;
        uint8_t const byte = check->bytes[offset], open = check->brackets[place->depth];
        if (offset < check->end && byte == ',') {
            place->token++;
            if (open == '{') place->token = pass_key(check, place->token, place->depth, keyed, exact);
            return place->token != NULL;
        }
        if (offset >= check->end || byte != open + 2) { /* '[' + 2 == ']' */
            place->token = defect_is(check, DEFECT_SYNTAX, offset);
            return false;
        }
        if (keyed && open == '{') record_keys_close(check->keys, place->depth);
        place->token++;
        if (--place->depth == 0) return false;
    }
}

INLINE const uint32_t *check_record(struct record_check *check, const uint32_t *token, bool const keyed,
                                    bool const exact)
{
    struct place place = {.token = token};
    if (*token >= check->end || check->bytes[*token] != '{') return defect_is(check, DEFECT_SYNTAX, *token);
    do {
        uint32_t const offset = *place.token;
        if (offset >= check->end) return defect_is(check, DEFECT_SYNTAX, offset);
        if (opens(check->bytes[offset])) {
            if (enter(check, &place, keyed, exact)) continue;
            if (place.token == NULL) return NULL;
        } else {
            if (!is_good_scalar(check, place.token, exact)) return NULL;
            place.token++;
        }
        if (!leave(check, &place, keyed, exact)) break;
    } while (true);
    if (place.token == NULL || *place.token >= check->end) return place.token;
    return defect_is(check, DEFECT_TRAILING_CONTENT, *place.token);
}

const uint32_t *record_check(struct record_check *check, const uint32_t *token)
{
    return check_record(check, token, false, false);
}

const uint32_t *record_check_keys(struct record_check *check, const uint32_t *token)
{
    return check_record(check, token, true, false);
}

const uint32_t *record_check_exact(struct record_check *check, const uint32_t *token)
{
    return check_record(check, token, false, true);
}

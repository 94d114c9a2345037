/* json_text.c - small scanners over one token each. No memory of their own. */
#include "core/record/json_text.h"

#include <string.h>

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int32_t json_escape_unit(const uint8_t *digits, size_t left)
{
    if (left < 4) return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int const digit = hex_digit(digits[i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static size_t utf8_put(uint8_t *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

static bool is_high(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* A \u escape at raw[at]: its code point to *code (of a lone surrogate: itself), its bytes of raw text
 * returned; 0: bad. */
static size_t unescape_unit(const uint8_t *raw, size_t length, size_t at, uint32_t *code,
                            struct json_string *string)
{
    int32_t const unit = json_escape_unit(raw + at + 2, length - at - 2);
    if (unit < 0) return 0;
    *code = (uint32_t)unit;
    if (unit == 0 && string->null_character == SIZE_MAX) string->null_character = at;
    if (is_high(unit) && length - at >= 12 && raw[at + 6] == '\\' && raw[at + 7] == 'u') {
        int32_t const low = json_escape_unit(raw + at + 8, 4);
        if (is_low(low)) {
            *code = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
            return 12;
        }
    }
    if ((is_high(unit) || is_low(unit)) && string->lone_surrogate == SIZE_MAX) string->lone_surrogate = at;
    return 6;
}

/* The byte that \c stands for; 0: none. */
static uint8_t short_escape(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

bool json_unescape(const uint8_t *raw, size_t length, uint8_t *out, struct json_string *string)
{
    *string = (struct json_string){.lone_surrogate = SIZE_MAX, .null_character = SIZE_MAX, .bad = SIZE_MAX};
    size_t at = 0, written = 0;
    while (at < length) {
        const uint8_t *escape = memchr(raw + at, '\\', length - at);
        size_t const plain = escape == NULL ? length - at : (size_t)(escape - (raw + at));
        if (out != NULL) memcpy(out + written, raw + at, plain);
        written += plain;
        at += plain;
        if (escape == NULL) break;
        uint8_t text[4];
        size_t text_length = 1, taken = 2;
        text[0] = length - at < 2 ? 0 : short_escape(raw[at + 1]);
        if (text[0] == 0) {
            uint32_t code = 0;
            taken =
                length - at >= 2 && raw[at + 1] == 'u' ? unescape_unit(raw, length, at, &code, string) : 0;
            if (taken == 0) {
                string->bad = at;
                return false;
            }
            bool const lone = is_high((int32_t)code) || is_low((int32_t)code);
            text_length = utf8_put(text, lone ? 0xfffd : code);
        }
        if (out != NULL) memcpy(out + written, text, text_length);
        written += text_length;
        at += taken;
    }
    string->length = written;
    return true;
}

bool json_escape_is_cut(const uint8_t *escape, size_t length)
{
    if (length < 2) return true;
    if (escape[1] != 'u' || length >= 6) return false;
    for (size_t i = 2; i < length; i++)
        if (hex_digit(escape[i]) < 0) return false;
    return true;
}

static size_t digits_end(const uint8_t *token, size_t length, size_t at)
{
    while (at < length && token[at] >= '0' && token[at] <= '9')
        at++;
    return at;
}

/* Where the number at the token's beginning ends; SIZE_MAX minus nothing: `*good` says whether one is there.
 */
static size_t number_end(const uint8_t *token, size_t length, bool *good)
{
    size_t at = length > 0 && token[0] == '-';
    size_t end = digits_end(token, length, at);
    *good = false;
    if (end == at) return at;
    if (token[at] == '0' && end > at + 1) return at + 1; /* a leading zero */
    at = end;
    if (at < length && token[at] == '.') {
        end = digits_end(token, length, at + 1);
        if (end == at + 1) return end;
        at = end;
    }
    if (at < length && (token[at] | 0x20) == 'e') {
        at++;
        if (at < length && (token[at] == '+' || token[at] == '-')) at++;
        end = digits_end(token, length, at);
        if (end == at) return end;
        at = end;
    }
    *good = true;
    return at;
}

bool json_is_number(const uint8_t *token, size_t length)
{
    bool good;
    return number_end(token, length, &good) == length && good;
}

static bool literal_check(const uint8_t *token, size_t length, const char *word, size_t *bad)
{
    size_t const word_length = strlen(word);
    size_t at = 0;
    while (at < length && at < word_length && token[at] == (uint8_t)word[at])
        at++;
    *bad = at;
    return at == length && at == word_length;
}

bool json_pass_string(const uint8_t *text, size_t length, size_t *end)
{
    struct json_string string;
    size_t close = 1;
    bool escaped = false;
    while (close < length && text[close] != '"') {
        bool const escape = text[close] == '\\';
        escaped |= escape;
        close += escape ? 2 : 1;
    }
    bool const is_closed = close < length;
    *end = is_closed ? close + 1 : length;
    if (!escaped || json_unescape(text + 1, (is_closed ? close : length) - 1, NULL, &string))
        return is_closed;
    if (is_closed || !json_escape_is_cut(text + 1 + string.bad, length - 1 - string.bad))
        *end = 1 + string.bad;
    return false;
}

bool json_is_scalar(const uint8_t *token, size_t length, size_t *bad)
{
    size_t ignored;
    if (bad == NULL) bad = &ignored;
    *bad = 0;
    if (length == 0) return false;
    bool good;
    switch (token[0]) {
    case 't': return literal_check(token, length, "true", bad);
    case 'f': return literal_check(token, length, "false", bad);
    case 'n': return literal_check(token, length, "null", bad);
    case '"': return json_pass_string(token, length, bad) && *bad == length;
    default: *bad = number_end(token, length, &good); return good && *bad == length;
    }
}

/* ---- comparison ---- */

/* The next code unit sequence of a string's text: up to 4 bytes. A lone surrogate is like no character: it
 * stays itself, three bytes that no UTF-8 holds. */
static size_t string_step(const uint8_t *raw, size_t length, size_t *at, uint8_t out[4])
{
    struct json_string string = {.lone_surrogate = SIZE_MAX, .null_character = SIZE_MAX};
    if (raw[*at] != '\\') {
        out[0] = raw[(*at)++];
        return 1;
    }
    if (length - *at < 2) return 0;
    uint32_t code = 0;
    out[0] = short_escape(raw[*at + 1]);
    size_t const unit =
        out[0] == 0 && raw[*at + 1] == 'u' ? unescape_unit(raw, length, *at, &code, &string) : 0;
    size_t const taken = out[0] != 0 ? 2 : unit;
    if (taken == 0) return 0;
    *at += taken;
    return out[0] != 0 ? 1 : utf8_put(out, code);
}

int json_compare_text(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    uint8_t a_bytes[4], b_bytes[4];
    size_t a_at = 0, b_at = 0, a_have = 0, b_have = 0, a_used = 0, b_used = 0;
    for (;;) {
        if (a_used == a_have && a_at < a_length) {
            a_have = string_step(a, a_length, &a_at, a_bytes);
            a_used = 0;
            if (a_have == 0) return -1;
        }
        if (b_used == b_have && b_at < b_length) {
            b_have = string_step(b, b_length, &b_at, b_bytes);
            b_used = 0;
            if (b_have == 0) return -1;
        }
        if (a_used == a_have || b_used == b_have) return (b_used == b_have) - (a_used == a_have);
        if (a_bytes[a_used++] != b_bytes[b_used++]) return a_bytes[a_used - 1] < b_bytes[b_used - 1] ? -1 : 1;
    }
}

uint32_t json_hash(const uint8_t *raw, size_t length)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    uint8_t bytes[4];
    size_t at = 0;
    while (at < length) {
        size_t const have = string_step(raw, length, &at, bytes);
        if (have == 0) break;
        for (size_t i = 0; i < have; i++)
            hash = (hash ^ bytes[i]) * 16777619u;
    }
    return hash;
}

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

/* Where the string that begins at `begin` with its quote closes; `length` or behind it: nowhere. */
static size_t string_close(const uint8_t *text, size_t length, size_t begin)
{
    size_t at = begin + 1;
    while (at < length && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    return at;
}

static bool string_check(const uint8_t *token, size_t length, size_t *bad)
{
    struct json_string string;
    size_t const close = string_close(token, length, 0);
    size_t const end = close < length ? close : length;
    *bad = length;
    if (json_unescape(token + 1, end - 1, NULL, &string)) {
        if (close < length) *bad = close + 1;
        return close + 1 == length;
    }
    if (close < length || !json_escape_is_cut(token + 1 + string.bad, length - 1 - string.bad))
        *bad = 1 + string.bad;
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
    case '"': return string_check(token, length, bad);
    default: *bad = number_end(token, length, &good); return good && *bad == length;
    }
}

/* ---- containers ---- */

struct container {
    const uint8_t *text;
    size_t length, at;
    uint8_t *out;
    size_t written;
};

static void container_put(struct container *c, size_t from, size_t length)
{
    if (c->out != NULL) memcpy(c->out + c->written, c->text + from, length);
    c->written += length;
}

static void container_blanks(struct container *c)
{
    while (c->at < c->length && json_is_blank(c->text[c->at]))
        c->at++;
}

/* A string at c->at: passes it. */
static bool container_string(struct container *c)
{
    size_t const begin = c->at;
    if (begin >= c->length || c->text[begin] != '"') return false;
    size_t const end = string_close(c->text, c->length, begin);
    if (end >= c->length) {
        (void)string_check(c->text + begin, c->length - begin, &c->at);
        c->at += begin;
        return false;
    }
    struct json_string string;
    if (!json_unescape(c->text + begin + 1, end - begin - 1, NULL, &string)) {
        c->at = begin + 1 + string.bad;
        return false;
    }
    container_put(c, begin, end + 1 - begin);
    c->at = end + 1;
    return true;
}

static bool is_scalar_end(uint8_t byte)
{
    return json_is_blank(byte) || byte == ',' || byte == ':' || byte == ']' || byte == '}' || byte == '[' ||
           byte == '{' || byte == '"';
}

static bool container_scalar(struct container *c)
{
    if (c->at < c->length && c->text[c->at] == '"') return container_string(c);
    size_t end = c->at, bad;
    while (end < c->length && !is_scalar_end(c->text[end]))
        end++;
    if (!json_is_scalar(c->text + c->at, end - c->at, &bad)) {
        c->at += bad;
        return false;
    }
    container_put(c, c->at, end - c->at);
    c->at = end;
    return true;
}

static bool container_char(struct container *c, uint8_t wanted)
{
    if (c->at >= c->length || c->text[c->at] != wanted) return false;
    container_put(c, c->at++, 1);
    return true;
}

/* The key and colon of a member. */
static bool container_key(struct container *c)
{
    if (!container_string(c)) return false;
    container_blanks(c);
    if (!container_char(c, ':')) return false;
    container_blanks(c);
    return true;
}

/* A value begins at c->at: passes a scalar, or opens a container. */
static bool container_value(struct container *c, uint8_t *brackets, uint32_t depth_max, uint32_t *depth,
                            bool *opened)
{
    uint8_t const first = c->at < c->length ? c->text[c->at] : 0;
    *opened = first == '{' || first == '[';
    if (!*opened) return container_scalar(c);
    if (*depth == depth_max) return false;
    brackets[(*depth)++] = first;
    return container_char(c, first);
}

/* Behind a value: closes what is closed here, passes a comma. */
static bool container_next(struct container *c, const uint8_t *brackets, uint32_t *depth)
{
    for (;;) {
        if (*depth == 0) return true;
        container_blanks(c);
        uint8_t const close = brackets[*depth - 1] == '{' ? '}' : ']';
        if (container_char(c, close)) {
            --*depth;
            continue;
        }
        if (!container_char(c, ',')) return false;
        container_blanks(c);
        return close == ']' || container_key(c);
    }
}

static bool container_walk(struct container *c, uint8_t *brackets, uint32_t depth_max)
{
    uint32_t depth = 0;
    do {
        bool opened;
        if (!container_value(c, brackets, depth_max, &depth, &opened)) return false;
        if (opened) {
            container_blanks(c);
            uint8_t const open = brackets[depth - 1];
            bool const empty = c->at < c->length && c->text[c->at] == (open == '{' ? '}' : ']');
            if (!empty && open == '{' && !container_key(c)) return false;
            if (!empty) continue;
        }
        if (!container_next(c, brackets, &depth)) return false;
    } while (depth != 0);
    return true;
}

bool json_container(const uint8_t *text, size_t length, uint8_t *brackets, uint32_t depth_max, uint8_t *out,
                    size_t *written, size_t *bad)
{
    struct container c = {.text = text, .length = length, .out = out};
    bool const good = container_walk(&c, brackets, depth_max) && c.at == length;
    *written = c.written;
    *bad = c.at;
    return good;
}

bool json_is_value(const uint8_t *text, size_t length, uint8_t *brackets, uint32_t depth_max)
{
    size_t written, bad;
    if (length > 0 && (text[0] == '{' || text[0] == '['))
        return json_container(text, length, brackets, depth_max, NULL, &written, &bad);
    return json_is_scalar(text, length, NULL);
}

/* ---- comparison ---- */

/* A number as sign, digits d (no zero at either end) and exponent: value = 0.d1d2d3… x 10^exponent. */
struct decimal {
    const uint8_t *token;
    size_t length;
    bool negative;
    size_t first, end; /* of the significant digits in the token, the point possibly among them */
    int64_t exponent;
    bool exponent_huge; /* beyond what 64 bits hold: equal only when spelled the same way */
};

static void decimal_exponent(struct decimal *d, size_t at)
{
    enum { EXPONENT_DIGITS = 17 };
    bool const negative = at < d->length && d->token[at] == '-';
    if (at < d->length && (d->token[at] == '-' || d->token[at] == '+')) at++;
    while (at < d->length && d->token[at] == '0')
        at++;
    d->exponent_huge = d->length - at > EXPONENT_DIGITS;
    int64_t value = 0;
    for (; !d->exponent_huge && at < d->length; at++)
        value = value * 10 + (d->token[at] - '0');
    d->exponent += negative ? -value : value;
}

static struct decimal decimal_read(const uint8_t *token, size_t length)
{
    struct decimal d = {.token = token, .length = length, .negative = token[0] == '-'};
    size_t at = d.negative, point = SIZE_MAX, last = 0;
    d.first = SIZE_MAX;
    for (; at < length && (token[at] | 0x20) != 'e'; at++) {
        if (token[at] == '.') {
            point = at;
        } else if (token[at] != '0') {
            if (d.first == SIZE_MAX) d.first = at;
            last = at;
        }
    }
    if (d.first == SIZE_MAX)
        return (struct decimal){.token = token, .length = length}; /* zero, of either sign */
    d.end = last + 1;
    size_t const integer_end = point == SIZE_MAX ? at : point;
    d.exponent =
        d.first < integer_end ? (int64_t)(integer_end - d.first) : -(int64_t)(d.first - integer_end - 1);
    if (at < length) decimal_exponent(&d, at + 1);
    return d;
}

static bool decimal_equal(const uint8_t *a_token, size_t a_length, const uint8_t *b_token, size_t b_length)
{
    struct decimal const a = decimal_read(a_token, a_length), b = decimal_read(b_token, b_length);
    if (a.end == 0 || b.end == 0) return a.end == b.end;
    if (a.exponent_huge || b.exponent_huge)
        return a_length == b_length && memcmp(a_token, b_token, a_length) == 0;
    if (a.negative != b.negative || a.exponent != b.exponent) return false;
    size_t i = a.first, j = b.first;
    for (;;) {
        if (i < a.end && a_token[i] == '.') i++;
        if (j < b.end && b_token[j] == '.') j++;
        if (i >= a.end || j >= b.end) return i >= a.end && j >= b.end;
        if (a_token[i++] != b_token[j++]) return false;
    }
}

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

bool json_equal(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    if (a_length == 0 || b_length == 0) return false;
    bool const a_number = json_is_number(a, a_length), b_number = json_is_number(b, b_length);
    if (a_number || b_number) return a_number && b_number && decimal_equal(a, a_length, b, b_length);
    if (a[0] == '"' && b[0] == '"')
        return a_length >= 2 && b_length >= 2 &&
               json_compare_text(a + 1, a_length - 2, b + 1, b_length - 2) == 0;
    if (a[0] == '{' || a[0] == '[') return false;
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

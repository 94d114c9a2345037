/* json_grammar.h - RFC 8259 byte by byte, as the contract names what is wrong: a model that shares nothing
 * with the program, for fuzz_strict.c. Slow and plain. */
#ifndef PENSTOCK_TESTS_UNIT_JSON_GRAMMAR_H
#define PENSTOCK_TESTS_UNIT_JSON_GRAMMAR_H

#include "core/base/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GRAMMAR_DEPTH_MAX 128u
#define GRAMMAR_KEYS_MAX  2048u /* of all open objects; beyond that duplicates are not looked for */

struct grammar_key {
    const uint8_t *raw;
    size_t length;
};

struct grammar {
    const uint8_t *bytes;
    size_t length, at;
    uint32_t depth_max;
    bool drops_nulls;
    enum defect defect; /* the first one */
    bool duplicate, many_keys;
    struct grammar_key keys[GRAMMAR_KEYS_MAX];
    size_t key_count;
};

static inline bool grammar_fail(struct grammar *g, enum defect defect)
{
    g->defect = defect;
    return false;
}

/* The byte at hand; -1 at the end. */
static inline int grammar_byte(const struct grammar *g)
{
    return g->at < g->length ? g->bytes[g->at] : -1;
}

static inline void grammar_blanks(struct grammar *g)
{
    while (g->at < g->length && strchr(" \t\r\n", g->bytes[g->at]) != NULL && g->bytes[g->at] != '\0')
        g->at++;
}

static inline bool grammar_utf8(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        uint8_t const lead = bytes[i];
        size_t const more = lead < 0x80   ? 0
                            : lead < 0xc2 ? 9
                            : lead < 0xe0 ? 1
                            : lead < 0xf0 ? 2
                            : lead < 0xf5 ? 3
                                          : 9;
        if (more == 9 || length - i <= more) return false;
        uint32_t code = more == 0 ? lead : lead & (0x3fu >> more);
        for (size_t k = 1; k <= more; k++) {
            if ((bytes[i + k] & 0xc0) != 0x80) return false;
            code = code << 6 | (bytes[i + k] & 0x3fu);
        }
        if ((more == 2 && code < 0x800) || (more == 3 && (code < 0x10000 || code > 0x10ffff))) return false;
        if (code >= 0xd800 && code < 0xe000) return false;
        i += more + 1;
    }
    return true;
}

/* ---- strings ---- */

/* Four hex digits at `at`; -1: not so, -2: the text ends in them. */
static inline int32_t grammar_hex(const struct grammar *g, size_t at)
{
    int32_t unit = 0;
    for (size_t i = at; i < at + 4; i++) {
        if (i >= g->length) return -2;
        uint8_t const c = g->bytes[i];
        if (strchr("0123456789abcdefABCDEF", c) == NULL || c == '\0') return -1;
        unit = unit * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return unit;
}

static inline bool grammar_unit(struct grammar *g)
{
    int32_t const unit = grammar_hex(g, g->at + 2);
    if (unit < 0) return grammar_fail(g, unit == -1 ? DEFECT_SYNTAX : DEFECT_UNCLOSED_STRING);
    if (unit == 0 && !g->drops_nulls) return grammar_fail(g, DEFECT_NULL_CHARACTER);
    g->at += 6;
    if (unit < 0xd800 || unit > 0xdfff) return true;
    bool const pairs =
        unit < 0xdc00 && grammar_byte(g) == '\\' && g->at + 1 < g->length && g->bytes[g->at + 1] == 'u';
    int32_t const low = pairs ? grammar_hex(g, g->at + 2) : -1;
    if (low < 0xdc00 || low > 0xdfff) return grammar_fail(g, DEFECT_LONE_SURROGATE);
    g->at += 6;
    return true;
}

/* A string from its quote on. */
static inline bool grammar_string(struct grammar *g)
{
    g->at++;
    for (;;) {
        int const byte = grammar_byte(g);
        if (byte < 0) return grammar_fail(g, DEFECT_UNCLOSED_STRING);
        if (byte < 0x20) return grammar_fail(g, DEFECT_SYNTAX);
        if (byte == '"') break;
        if (byte != '\\') {
            g->at++;
            continue;
        }
        if (g->at + 1 == g->length) return grammar_fail(g, DEFECT_UNCLOSED_STRING);
        uint8_t const kind = g->bytes[g->at + 1];
        if (kind == 'u') {
            if (!grammar_unit(g)) return false;
            continue;
        }
        if (strchr("\"\\/bfnrt", kind) == NULL || kind == '\0') return grammar_fail(g, DEFECT_SYNTAX);
        g->at += 2;
    }
    g->at++;
    return true;
}

/* The next unit of a good text: a byte of it, or 256 and more for what an escape stands for. */
static inline uint32_t grammar_char(const struct grammar_key *key, size_t *at)
{
    uint8_t const byte = key->raw[(*at)++];
    if (byte != '\\') return byte;
    uint8_t const kind = key->raw[(*at)++];
    static const char escapes[] = "bfnrt", values[] = "\b\f\n\r\t";
    const char *const place = strchr(escapes, kind);
    if (kind != 'u') return place == NULL ? kind : (uint32_t)values[place - escapes];
    char digits[5] = {0};
    memcpy(digits, key->raw + *at, 4);
    *at += 4;
    uint32_t const unit = (uint32_t)strtoul(digits, NULL, 16);
    return unit < 0x80 ? unit : 256 + unit;
}

/* Only keys that differ in more than the spelling of characters beyond ASCII are told apart here: *sure says
 * whether that was enough. */
static inline bool grammar_same(const struct grammar_key *a, const struct grammar_key *b, bool *sure)
{
    size_t i = 0, k = 0;
    *sure = true;
    while (i < a->length && k < b->length) {
        uint32_t const x = grammar_char(a, &i), y = grammar_char(b, &k);
        if (x != y && (x >= 0x80 && y >= 0x80) && (x > 255) != (y > 255)) {
            *sure = false;
            return false;
        }
        if (x != y) return false;
    }
    return i == a->length && k == b->length;
}

/* A key of an object whose first one is number `first`. */
static inline void grammar_note(struct grammar *g, size_t first, const uint8_t *raw, size_t length)
{
    struct grammar_key const key = {.raw = raw, .length = length};
    if (g->key_count == GRAMMAR_KEYS_MAX) {
        g->many_keys = true;
        return;
    }
    for (size_t i = first; i < g->key_count; i++) {
        bool sure;
        if (grammar_same(&g->keys[i], &key, &sure)) g->duplicate = true;
        if (!sure) g->many_keys = true;
    }
    g->keys[g->key_count++] = key;
}

/* ---- values ---- */

static inline bool grammar_word(struct grammar *g, const char *word)
{
    for (; *word != '\0'; word++, g->at++)
        if (grammar_byte(g) != *word) return grammar_fail(g, DEFECT_SYNTAX);
    return true;
}

static inline bool grammar_digits(struct grammar *g)
{
    size_t const begin = g->at;
    while (grammar_byte(g) >= '0' && grammar_byte(g) <= '9')
        g->at++;
    return g->at > begin || grammar_fail(g, DEFECT_SYNTAX);
}

static inline bool grammar_number(struct grammar *g)
{
    if (grammar_byte(g) == '-') g->at++;
    if (grammar_byte(g) == '0')
        g->at++;
    else if (!grammar_digits(g))
        return false;
    if (grammar_byte(g) == '.') {
        g->at++;
        if (!grammar_digits(g)) return false;
    }
    if (grammar_byte(g) != 'e' && grammar_byte(g) != 'E') return true;
    g->at++;
    if (grammar_byte(g) == '+' || grammar_byte(g) == '-') g->at++;
    return grammar_digits(g);
}

static inline bool grammar_value(struct grammar *g, uint32_t depth);

/* The members of an object, or the elements of an array, behind its bracket. `depth`: with this one. */
static inline bool grammar_items(struct grammar *g, uint32_t depth, bool object)
{
    int const close = object ? '}' : ']';
    size_t const first = g->key_count;
    grammar_blanks(g);
    if (grammar_byte(g) == close) {
        g->at++;
        return true;
    }
    for (;;) {
        if (object) {
            if (grammar_byte(g) != '"') return grammar_fail(g, DEFECT_SYNTAX);
            size_t const begin = g->at + 1;
            if (!grammar_string(g)) return false;
            grammar_note(g, first, g->bytes + begin, g->at - 1 - begin);
            grammar_blanks(g);
            if (grammar_byte(g) != ':') return grammar_fail(g, DEFECT_SYNTAX);
            g->at++;
            grammar_blanks(g);
        }
        if (!grammar_value(g, depth)) return false;
        grammar_blanks(g);
        int const byte = grammar_byte(g);
        if (byte != close && byte != ',') return grammar_fail(g, DEFECT_SYNTAX);
        g->at++;
        if (byte == close) break;
        grammar_blanks(g);
    }
    g->key_count = first;
    return true;
}

static inline bool grammar_value(struct grammar *g, uint32_t depth)
{
    int const byte = grammar_byte(g);
    switch (byte) {
    case '{':
    case '[':
        if (depth == g->depth_max) return grammar_fail(g, DEFECT_DEPTH);
        g->at++;
        return grammar_items(g, depth + 1, byte == '{');
    case '"': return grammar_string(g);
    case 't': return grammar_word(g, "true");
    case 'f': return grammar_word(g, "false");
    case 'n': return grammar_word(g, "null");
    default: return grammar_number(g);
    }
}

/* An object and nothing behind it, as `--strict` has it. g->defect: DEFECT_NONE, or what is the first. */
static inline void grammar_record(struct grammar *g, const uint8_t *bytes, size_t length, uint32_t depth_max,
                                  bool drops_nulls)
{
    g->bytes = bytes;
    g->length = length;
    g->at = 0;
    g->depth_max = depth_max;
    g->drops_nulls = drops_nulls;
    g->defect = DEFECT_NONE;
    g->duplicate = g->many_keys = false;
    g->key_count = 0;
    if (!grammar_utf8(bytes, length)) {
        g->defect = DEFECT_UTF8;
    } else if (grammar_value(g, 0)) {
        grammar_blanks(g);
        if (g->at < length) g->defect = DEFECT_TRAILING_CONTENT;
    }
}

#endif

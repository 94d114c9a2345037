/* profilegen_nasty.c - the kinds of broken records and what a converter must call them (the reject codes).
 *
 * Places are found by the text around them; a full record has each of them once, or the first one is meant.
 * Owns nothing. Thread rule: reentrant. */
#include "datasets/profilegen_nasty.h"

#include "datasets/profilegen_odd.h"

#include <ctype.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* source.max_depth is 1024 unless the job says otherwise. */
#define DEPTH_ALLOWED 1024u
/* So many levels more at least: it must not matter whether the record itself counts as one. */
#define DEPTH_BEYOND 8u

static const char *pick(struct prng *prng, const char *const *choices, size_t count)
{
    return choices[prng_below(prng, (uint32_t)count)];
}

/* The text of the string value of `key`, both quotes left out: where it begins, and its length. */
static size_t string_value(const struct text *text, const char *key, size_t *length)
{
    size_t const begin = text_find_end(text, 0, key);
    *length = text_value_end(text->data, begin - 1) - 1 - begin;
    return begin;
}

static void set_first_name(struct text *text, const char *value)
{
    size_t length;
    size_t const begin = string_value(text, "\"firstName\":\"", &length);
    text_replace_string(text, begin, length, value);
}

/* Commas and colons of objects that the columns' paths enter; others are checked with --strict only. */
static void missing_comma(struct prng *prng, struct text *text)
{
    static const char *const behind[] = {",\"_repo\"",      ",\"person\"",        ",\"lastName\"",
                                         ",\"city\"",       ",\"postalCode\"",    ",\"homeAddress\"",
                                         ",\"modifyDate\"", ",\"ECID\"",          ",\"identityMap\"",
                                         ",\"churnScore\"", ",\"lifetimeValue\"", ",\"_acme\""};
    size_t const at = text_find(text, 0, pick(prng, behind, COUNT(behind)));
    text_replace_string(text, at, 1, prng_below(prng, 2) ? "" : " ");
}

static void missing_colon(struct prng *prng, struct text *text)
{
    static const char *const keys[] = {
        "\"_repo\":",   "\"person\":", "\"firstName\":",  "\"city\":", "\"homeAddress\":", "\"identityMap\":",
        "\"address\":", "\"email\":",  "\"churnScore\":", "\"tier\":", "\"consents\":",    "\"tags\":"};
    size_t const end = text_find_end(text, 0, pick(prng, keys, COUNT(keys)));
    text_replace_string(text, end - 1, 1, prng_below(prng, 2) ? "" : " ");
}

/* The line ends inside a string, before anything else is wrong. */
static void unclosed_string(struct prng *prng, struct text *text)
{
    static const char *const keys[] = {
        "\"firstName\":\"",        "\"fullName\":\"",       "\"street1\":\"", "\"postalCode\":\"",
        "\"createdByBatchID\":\"", "\"preferredStore\":\"", "\"_id\":\""};
    size_t at = text_find_end(text, 0, pick(prng, keys, COUNT(keys)));
    for (uint32_t i = prng_below(prng, 8); i > 0 && isalnum((unsigned char)text->data[at]); i--)
        at++;
    text->length = at;
}

/* The line ends between two tokens, or lacks closing braces: no string is open. */
static void truncated_object(struct prng *prng, struct text *text)
{
    static const char *const before[] = {
        "\"_repo\":",   "\"person\":{",     ",\"homeAddress\"", "\"segmentMembership\"",
        ",\"_acme\":{", "\"customerid\":[", "\"isVip\":"};
    uint32_t const way = prng_below(prng, 2 + (uint32_t)COUNT(before));
    if (way < 2)
        text->length -= 1 + way;
    else
        text->length = text_find_end(text, 0, before[way - 2]);
}

/* Text that begins with what no JSON value begins with: anything else could be called a value of another
 * type. */
static void garbage_line(struct prng *prng, struct text *text)
{
    static const char *const lines[] = {"Service Unavailable",
                                        "ERROR: export interrupted after 1200 s, {\"retry\":true}",
                                        "<html><body>502 Bad Gateway</body></html>",
                                        "# 500 records follow",
                                        "}",
                                        "]}",
                                        ", {\"_id\":\"x\"}",
                                        "Zoë;Smith;zoe@example.org",
                                        "%PDF-1.7",
                                        "_id,firstName,lastName"};
    text_replace_string(text, 0, text->length, pick(prng, lines, COUNT(lines)));
}

static void trailing_content(struct prng *prng, struct text *text)
{
    static const char *const tails[] = {",", " ,",       "}", "]",    " null",
                                        ";", " // done", "1", "\t[]", " garbage"};
    text_replace_string(text, text->length, 0, pick(prng, tails, COUNT(tails)));
}

static void two_objects(struct prng *prng, struct text *text)
{
    static const char *const between[] = {"", " ", ",", "\t"};
    size_t const length = text->length;
    text_replace_string(text, length, 0, pick(prng, between, COUNT(between)));
    if (prng_below(prng, 4) == 0)
        text_replace_string(text, text->length, 0, "{}");
    else
        text_replace(text, text->length, 0, text->data, length);
}

static void array_line(struct prng *prng, struct text *text)
{
    static const char *const lines[] = {"[1,2,3]", "[]", "[\"C-0000000001\",{\"id\":null}]", "[[[]]]"};
    if (prng_below(prng, 2)) {
        text_replace_string(text, 0, 0, "[");
        text_replace_string(text, text->length, 0, "]");
        return;
    }
    text_replace_string(text, 0, text->length, pick(prng, lines, COUNT(lines)));
}

static void scalar_line(struct prng *prng, struct text *text)
{
    static const char *const lines[] = {"42",   "\"C-0000000001\"", "true",   "false",
                                        "null", "-1.5e3",           "\"{}\"", "\"\""};
    text_replace_string(text, 0, text->length, pick(prng, lines, COUNT(lines)));
}

/* In a value that is used, in one that is skipped, or in a key. */
static void invalid_utf8(struct prng *prng, struct text *text)
{
    static const char *const bytes[] = {"\x80",         "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                        "\xff",         "\xe2\x82", "\xf0\x9f\x98", "\xc3",
                                        "\xe0\x80\xaf", "\xfe",     "\xe9",         "\xf8\x88\x80\x80\x80"};
    static const char *const places[] = {"\"firstName\":\"", "\"fullName\":\"", "\"city\":\"",
                                         "\"createdBy\":\"", "\"pers"};
    size_t const at = text_find_end(text, 0, pick(prng, places, COUNT(places)));
    text_replace_string(text, at, 0, pick(prng, bytes, COUNT(bytes)));
}

/* LF is left out: it would end the line. */
static void control_character(struct prng *prng, struct text *text)
{
    static const char characters[] = {'\0', '\x01', '\b', '\t', '\v', '\f', '\r', '\x1b', '\x1f'};
    static const char *const places[] = {"\"firstName\":\"", "\"street1\":\"", "\"createdBy\":\"",
                                         "\"program\":\"Re", "\"external"};
    size_t const at = text_find_end(text, 0, pick(prng, places, COUNT(places)));
    text_replace(text, at, 0, &characters[prng_below(prng, (uint32_t)COUNT(characters))], 1);
}

static void lone_surrogate(struct prng *prng, struct text *text)
{
    static const char *const values[] = {"\\ud83d",        "Zo\\ude00",   "\\ud83d\\u0041",       "\\uD83D!",
                                         "\\ude00\\ud83d", "a\\ud83d\\n", "\\ud83d\\ud83d\\ude00"};
    set_first_name(text, pick(prng, values, COUNT(values)));
}

static void null_character(struct prng *prng, struct text *text)
{
    static const char *const values[] = {"\\u0000", "Zo\\u0000e", "Ann\\u0000", "\\\\\\u0000"};
    set_first_name(text, pick(prng, values, COUNT(values)));
}

/* Closed again at the end, in a member that no column reads. */
static void too_deep(struct prng *prng, struct text *text)
{
    uint32_t const levels = DEPTH_ALLOWED + DEPTH_BEYOND + prng_below(prng, 2000);
    odd_nest(text, levels, prng_below(prng, 2) != 0);
}

static void missing_identity(struct prng *prng, struct text *text)
{
    static const char *const values[] = {"[]",
                                         "null",
                                         "[{\"id\":\"\"}]",
                                         "[{\"id\":null}]",
                                         "[{}]",
                                         "\"C-0000000001\"",
                                         "[{\"primary\":true}]",
                                         "[{\"id\":\"\"},{\"id\":null}]"};
    size_t const map = text_find(text, 0, "\"identityMap\":{");
    size_t const key = text_find(text, map, "\"customerid\":");
    size_t const value = text_find_end(text, map, "\"customerid\":");
    uint32_t const way = prng_below(prng, 4);
    if (way == 0) {
        text_replace_string(text, key, text_value_end(text->data, value) + 1 - key, ""); /* ECID follows */
    } else if (way == 1) {
        size_t const begin = map + strlen("\"identityMap\":");
        text_replace_string(text, begin, text_value_end(text->data, begin) - begin,
                            prng_below(prng, 2) ? "null" : "{}");
    } else if (way == 2 && prng_below(prng, 4) == 0) {
        text_replace_string(text, 0, text->length, "{}");
    } else {
        text_replace_string(text, value, text_value_end(text->data, value) - value,
                            pick(prng, values, COUNT(values)));
    }
}

/* Another token in place of a number that a column reads. */
static void set_number(struct prng *prng, struct text *text, const char *token)
{
    static const char *const keys[] = {"\"churnScore\":", "\"lifetimeValue\":", "\"points\":"};
    size_t const value = text_find_end(text, 0, pick(prng, keys, COUNT(keys)));
    text_replace_string(text, value, text_value_end(text->data, value) - value, token);
}

static void bad_literal(struct prng *prng, struct text *text)
{
    static const char *const tokens[] = {"nul",   "tru",  "True",      "NaN",      "None",
                                         "nulll", "fals", "undefined", "Infinity", "truefalse"};
    set_number(prng, text, pick(prng, tokens, COUNT(tokens)));
}

static void bad_number(struct prng *prng, struct text *text)
{
    static const char *const tokens[] = {"01",  "1.",   "0x1", "+1",  ".5",    "1e", "-",  "1e+",
                                         "-01", "1.e3", "1_0", "--1", "1.2.3", "00", "1-2"};
    set_number(prng, text, pick(prng, tokens, COUNT(tokens)));
}

static void bad_escape(struct prng *prng, struct text *text)
{
    static const char *const values[] = {"Jo\\qhn", "\\x41nna", "\\u12G4", "Zo\\u00e",
                                         "a\\'b",   "\\U0041",  "\\ ",     "\\0"};
    set_first_name(text, pick(prng, values, COUNT(values)));
}

/* A bracket of the other kind closes; in objects that are entered and in skipped ones.
 */
static void bracket_mismatch(struct prng *prng, struct text *text)
{
    static const char *const openings[] = {
        "\"person\":",     "\"homeAddress\":", "\"_repo\":",    "\"loyaltyID\":", "\"ups\":",
        "\"customerid\":", "\"tags\":",        "\"metadata\":", "\"consents\":"};
    size_t const value = text_find_end(text, 0, pick(prng, openings, COUNT(openings)));
    size_t const last = text_value_end(text->data, value) - 1;
    text->data[last] = text->data[last] == '}' ? ']' : '}';
}

static const struct {
    const char *kind;
    const char *code;
    void (*change)(struct prng *prng, struct text *text);
} defects[] = {
    {"missing_comma", "syntax", missing_comma},
    {"missing_colon", "syntax", missing_colon},
    {"unclosed_string", "unclosed_string", unclosed_string},
    {"truncated_object", "syntax", truncated_object},
    {"garbage_line", "syntax", garbage_line},
    {"trailing_content", "trailing_content", trailing_content},
    {"two_objects", "trailing_content", two_objects},
    {"array_line", "not_an_object", array_line},
    {"scalar_line", "not_an_object", scalar_line},
    {"invalid_utf8", "utf8", invalid_utf8},
    {"control_character", "syntax", control_character},
    {"lone_surrogate", "lone_surrogate", lone_surrogate},
    {"null_character", "null_character", null_character},
    {"too_deep", "depth", too_deep},
    {"missing_identity", "missing_identity", missing_identity},
    {"bad_literal", "syntax", bad_literal},
    {"bad_number", "syntax", bad_number},
    {"bad_escape", "syntax", bad_escape},
    {"bracket_mismatch", "syntax", bracket_mismatch},
};

void nasty_break(struct prng *prng, struct text *text, struct nasty *nasty)
{
    size_t const which = prng_below(prng, (uint32_t)COUNT(defects));
    defects[which].change(prng, text);
    *nasty = (struct nasty){.kind = defects[which].kind, .code = defects[which].code};
    odd_frame(prng, text, nasty);
}

void nasty_oddify(struct prng *prng, struct text *text, struct nasty *nasty)
{
    *nasty = (struct nasty){0};
    odd_change(prng, text);
    odd_frame(prng, text, nasty);
}

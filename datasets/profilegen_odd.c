/* profilegen_odd.c - valid oddities; see the header. Owns nothing. Thread rule: reentrant. */
#include "datasets/profilegen_odd.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define LONG_VALUE_MIN \
    (64u * 1024) /* longer than the raw bytes of a reject line, shorter than any record limit */

/* Below the 1024 levels that are allowed by default, and beyond what a parser takes that counts on few. */
#define DEPTH_ODD_MIN 500u
#define DEPTH_ODD_MAX 1000u

void odd_nest(struct text *text, uint32_t levels, bool objects)
{
    static const char name[] = "\"nest\":";
    static const char open_object[] = "{\"a\":";
    size_t const unit = objects ? sizeof open_object - 1 : 1;
    size_t const depth = levels - 1; /* the record is a level itself */
    char *const member = malloc(sizeof name + depth * (unit + 1) + 2);
    if (member == NULL) text_own_error("out of memory", "");
    char *p = member;
    memcpy(p, name, sizeof name - 1);
    p += sizeof name - 1;
    for (size_t i = 0; i < depth; i++, p += unit)
        memcpy(p, objects ? open_object : "[", unit);
    *p++ = '1';
    memset(p, objects ? '}' : ']', depth);
    p += depth;
    *p++ = ',';
    text_replace(text, 1, 0, member, (size_t)(p - member));
    free(member);
}

/* The later one wins, on every level. */
static void duplicate_keys(struct prng *prng, struct text *text)
{
    static const struct {
        const char *before;
        const char *member;
    } duplicates[] = {
        {"\"firstName\":", "\"firstName\":\"WRONG\","},
        {"\"city\":", "\"city\":null,"},
        {"\"person\":", "\"person\":{\"name\":{\"firstName\":\"WRONG\",\"lastName\":\"WRONG\"}},"},
        {"\"churnScore\":", "\"churnScore\":[1,2],"},
        {"\"identityMap\":", "\"identityMap\":{\"customerid\":[{\"id\":\"WRONG\",\"primary\":true}]},"},
        {"\"isVip\":", "\"isVip\":null,\"isVip\":true,"},
    };
    size_t const which = prng_below(prng, (uint32_t)COUNT(duplicates));
    text_replace_string(text, text_find(text, 0, duplicates[which].before), 0, duplicates[which].member);
}

static void swap_key(struct prng *prng, struct text *text, const char *const (*keys)[2], size_t count)
{
    size_t const which = prng_below(prng, (uint32_t)count);
    size_t const at = text_find(text, 0, keys[which][0]);
    text_replace_string(text, at, strlen(keys[which][0]), keys[which][1]);
}

static void escaped_key(struct prng *prng, struct text *text)
{
    static const char *const keys[][2] = {
        {"\"firstName\":", "\"first\\u004eame\":"},
        {"\"person\":", "\"\\u0070erson\":"},
        {"\"city\":", "\"cit\\u0079\":"},
        {"\"identityMap\":", "\"identity\\u004Dap\":"},
        {"\"customerid\":", "\"customer\\u0069d\":"},
        {"\"_acme\":", "\"\\u005facme\":"},
        {"\"program\":", "\"pro\\\"gram\\\\\":"},
    };
    swap_key(prng, text, keys, COUNT(keys));
}

static void prefixed_key(struct prng *prng, struct text *text)
{
    static const char *const keys[][2] = {
        {"\"person\":{\"name\":{\"firstName\":", "\"xdm:person\":{\"xdm:name\":{\"xdm:firstName\":"},
        {"\"homeAddress\":", "\"xdm:homeAddress\":"},
        {"\"identityMap\":{\"customerid\":[{\"id\":", "\"xdm:identityMap\":{\"customerid\":[{\"xdm:id\":"},
        {"\"consents\":", "\"xdm:consents\":"},
        {"\"firstName\":",
         "\"xdm:firstName\":\"WRONG\",\"firstName\":"}, /* the exact key beats the prefixed one */
    };
    swap_key(prng, text, keys, COUNT(keys));
}

static void namespace_case(struct prng *prng, struct text *text)
{
    static const char *const keys[][2] = {{"\"customerid\":", "\"CustomerID\":"},
                                          {"\"customerid\":", "\"CUSTOMERID\":"},
                                          {"\"ECID\":", "\"ecid\":"}};
    swap_key(prng, text, keys, COUNT(keys));
}

static void big_number(struct prng *prng, struct text *text)
{
    static const char *const numbers[] = {"123456789012345678901234567890",
                                          "9007199254740993",
                                          "18446744073709551616",
                                          "-0",
                                          "-0.0",
                                          "1.0E+400",
                                          "1e-400",
                                          "0.10000000000000000000000000000000000001",
                                          "39486.100000"};
    static const char *const keys[] = {"\"churnScore\":", "\"lifetimeValue\":", "\"points\":"};
    size_t const value = text_find_end(text, 0, keys[prng_below(prng, (uint32_t)COUNT(keys))]);
    text_replace_string(text, value, text_value_end(text->data, value) - value,
                        numbers[prng_below(prng, (uint32_t)COUNT(numbers))]);
}

static void deep_value(struct prng *prng, struct text *text)
{
    uint32_t const levels = DEPTH_ODD_MIN + prng_below(prng, DEPTH_ODD_MAX - DEPTH_ODD_MIN);
    odd_nest(text, levels, prng_below(prng, 2) != 0);
}

/* Every escape there is, and code points at the ends of the UTF-8 lengths (noncharacters are characters
 * here). */
static void all_escapes(struct prng *prng, struct text *text)
{
    static const char *const values[] = {
        "\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\ud83d\\ude00\\u001f",
        "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
        "line one\\r\\nline two\\rline three\\u2028end",
        "=1+1",
        " , \\\" , {}[]:, ",
        "\\ufeff\\uFFFF\\uDBFF\\uDFFF",
    };
    size_t const begin = text_find_end(text, 0, "\"street1\":");
    char value[128];
    size_t length = 0;
    const char *const chosen = values[prng_below(prng, (uint32_t)COUNT(values))];
    value[length++] = '"';
    memcpy(value + length, chosen, strlen(chosen));
    length += strlen(chosen);
    value[length++] = '"';
    text_replace(text, begin, text_value_end(text->data, begin) - begin, value, length);
}

/* A street of 64 to 128 KiB, quotes and line breaks in it. */
static void long_value(struct prng *prng, struct text *text)
{
    static const char unit[] = "12 \\\"Old\\\" Mill Lane,\\nGalway ";
    size_t const begin = text_find_end(text, 0, "\"street1\":\"");
    size_t const units = (LONG_VALUE_MIN + prng_below(prng, LONG_VALUE_MIN)) / (sizeof unit - 1);
    size_t const length = units * (sizeof unit - 1);
    char *const value = malloc(length);
    if (value == NULL) text_own_error("out of memory", "");
    for (size_t i = 0; i < units; i++)
        memcpy(value + i * (sizeof unit - 1), unit, sizeof unit - 1);
    text_replace(text, begin, 0, value, length);
    free(value);
}

static void plain(struct prng *prng, struct text *text)
{
    (void)prng;
    (void)text;
}

void odd_change(struct prng *prng, struct text *text)
{
    /* `plain` stands for records whose only oddity is what surrounds them. */
    static void (*const changes[])(struct prng * prng, struct text * text) = {
        text_spread, duplicate_keys, escaped_key, prefixed_key, namespace_case, big_number,
        deep_value,  all_escapes,    long_value,  plain,        plain,          plain};
    changes[prng_below(prng, (uint32_t)COUNT(changes))](prng, text);
}

void odd_frame(struct prng *prng, struct text *text, struct nasty *nasty)
{
    static const char *const blank_lines[] = {"\n", "\n\n", "\r\n", " \t\n", "\n \r\n\n"};
    static const char *const blanks[] = {" ", "\t", "  \t "};
    uint32_t form = prng_below(prng, 8);
    /* Blanks behind an open string would be part of the string. */
    if (nasty->code != NULL && strcmp(nasty->code, "unclosed_string") == 0 && (form == 2 || form == 4))
        form = 3;
    nasty->length = text->length;
    if (form == 0 || form == 4)
        text_replace_string(text, 0, 0, blanks[prng_below(prng, (uint32_t)COUNT(blanks))]);
    if (form == 1) {
        const char *const lines = blank_lines[prng_below(prng, (uint32_t)COUNT(blank_lines))];
        text_replace_string(text, 0, 0, lines);
        for (const char *c = lines; *c != '\0'; c++)
            nasty->lines_before += *c == '\n';
    }
    nasty->offset = text->length - nasty->length;
    if (form == 2 || form == 4)
        text_replace_string(text, text->length, 0, blanks[prng_below(prng, (uint32_t)COUNT(blanks))]);
    text_replace_string(text, text->length, 0, form == 3 || form == 4 ? "\r\n" : "\n");
}

/* test_json_text.c - escapes, numbers, scalars, containers and comparison, with the place of every first
 * wrong byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/record/json_container.h"
#include "core/record/json_equal.h"
#include "core/record/json_text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* An exact copy on the heap, so that a read behind the end is seen. */
static uint8_t *copy_of(const char *text, size_t length)
{
    uint8_t *copy = malloc(length + (length == 0));
    assert_non_null(copy);
    memcpy(copy, text, length);
    return copy;
}

/* ---- strings ---- */

struct string_case {
    const char *raw, *text; /* text NULL: refused */
    size_t lone, null_character, bad;
};

#define NO SIZE_MAX

static const struct string_case string_cases[] = {
    {"", "", NO, NO, NO},
    {"plain", "plain", NO, NO, NO},
    {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", NO, NO, NO},
    {"a\\u0041b", "aAb", NO, NO, NO},
    {"\\u00e9\\u20AC", "\xc3\xa9\xe2\x82\xac", NO, NO, NO},
    {"\\u007f\\u0080\\u07ff\\u0800\\uffff", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", NO, NO, NO},
    {"\\ud83d\\ude00", "\xf0\x9f\x98\x80", NO, NO, NO},
    {"\\ud800\\udc00\\udbff\\udfff", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", NO, NO, NO},
    {"\xc3\xa9\\n\xc3\xa9", "\xc3\xa9\n\xc3\xa9", NO, NO, NO},
    /* lone surrogates: each its U+FFFD, the first one told */
    {"x\\ud800", "x\xef\xbf\xbd", 1, NO, NO},
    {"\\udc00\\ud800", "\xef\xbf\xbd\xef\xbf\xbd", 0, NO, NO},
    {"ab\\ud800\\u0041",
     "ab\xef\xbf\xbd"
     "A",
     2, NO, NO},
    {"\\ud800\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80", 0, NO, NO},
    {"\\ud800\\n", "\xef\xbf\xbd\n", 0, NO, NO},
    {"\\ud800x", "\xef\xbf\xbdx", 0, NO, NO},
    {"\\\\ud800", "\\ud800", NO, NO, NO},
    /* what RFC 8259 does not know */
    {"\\", NULL, NO, NO, 0},
    {"ab\\", NULL, NO, NO, 2},
    {"\\x41", NULL, NO, NO, 0},
    {"a\\'", NULL, NO, NO, 1},
    {"\\u", NULL, NO, NO, 0},
    {"\\u004", NULL, NO, NO, 0},
    {"\\u00g0", NULL, NO, NO, 0},
    {"\\U0041", NULL, NO, NO, 0},
    {"\\n\\ud800\\u12", NULL, NO, NO, 8},
    {"\\ud800\\uzzzz", NULL, NO, NO, 6},
    {"\\0", NULL, NO, NO, 0},
};

static void strings_are_unescaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(string_cases); i++) {
        const struct string_case *c = &string_cases[i];
        size_t const length = strlen(c->raw);
        uint8_t *raw = copy_of(c->raw, length), *out = copy_of(c->raw, length);
        struct json_string looked, written;
        bool const good = json_unescape(raw, length, out, &written);
        if (good != (c->text != NULL)) fail_msg("%s", c->raw);
        assert_int_equal(json_unescape(raw, length, NULL, &looked), good);
        if (good) {
            assert_int_equal(written.length, strlen(c->text));
            assert_memory_equal(out, c->text, written.length);
            assert_int_equal(looked.length, written.length);
        }
        assert_int_equal(written.bad, c->bad);
        if (good) assert_int_equal(written.lone_surrogate, c->lone);
        assert_int_equal(written.null_character, c->null_character);
        assert_int_equal(looked.bad, c->bad);
        free(raw);
        free(out);
    }
}

static void null_characters_are_told(void **state)
{
    (void)state;
    uint8_t out[32];
    struct json_string string;
    assert_true(json_unescape((const uint8_t *)"a\\u0000b\\u0000", 14, out, &string));
    assert_int_equal(string.null_character, 1);
    assert_int_equal(string.length, 4);
    assert_memory_equal(out, "a\0b\0", 4);
}

static void cut_escapes_are_told_from_bad_ones(void **state)
{
    (void)state;
    static const struct {
        const char *escape;
        bool cut;
    } cases[] = {{"\\", true},       {"\\u", true},    {"\\u1", true},    {"\\u12a", true},
                 {"\\u12aF", false}, {"\\u1x", false}, {"\\x", false},    {"\\u12\"", false},
                 {"\\u12G", false},  {"\\q", false},   {"\\uzzzz", false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t *escape = copy_of(cases[i].escape, strlen(cases[i].escape));
        if (json_escape_is_cut(escape, strlen(cases[i].escape)) != cases[i].cut)
            fail_msg("%s", cases[i].escape);
        free(escape);
    }
}

/* ---- scalars ---- */

static const struct {
    const char *token;
    size_t bad; /* NO: good */
} scalar_cases[] = {
    {"0", NO},
    {"-0", NO},
    {"7", NO},
    {"10", NO},
    {"-123456789012345678901234567890", NO},
    {"0.0", NO},
    {"1.50", NO},
    {"1e5", NO},
    {"1E+05", NO},
    {"0e-0", NO},
    {"-1.25e-300", NO},
    {"", 0},
    {"-", 1},
    {"+1", 0},
    {"01", 1},
    {"-01", 2},
    {"00", 1},
    {".5", 0},
    {"1.", 2},
    {"1.e5", 2},
    {"1e", 2},
    {"1e+", 3},
    {"1e5.0", 3},
    {"1 ", 1},
    {" 1", 0},
    {"0x10", 1},
    {"1_000", 1},
    {"NaN", 0},
    {"Infinity", 0},
    {"-Infinity", 1},
    {"1,5", 1},
    {"12\"x", 2},
    {"true", NO},
    {"false", NO},
    {"null", NO},
    {"tru", 3},
    {"truee", 4},
    {"True", 0},
    {"nul", 3},
    {"nulL", 3},
    {"f", 1},
    {"falsy", 4},
    {"t\x0c", 1},
    {"\"\"", NO},
    {"\"a b\"", NO},
    {"\"\\u0000\"", NO},
    {"\"\\\"\"", NO},
    {"\"\\\\\"", NO},
    {"\"", 1},
    {"\"abc", 4},
    {"\"abc\\\"", 6},
    {"\"\\q\"", 1},
    {"\"ab\\u12\"", 3},
    {"\"ab\\u12", 7},
    {"\"ab\\q", 3},
    {"\"a\"b\"", 3},
    {"\"a\" ", 3},
    {"\"a\"\"b\"", 3},
    {"[", 0},
    {"{}", 0},
    {"[]", 0},
    {",", 0},
};

static void scalars_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scalar_cases); i++) {
        size_t const length = strlen(scalar_cases[i].token);
        uint8_t *token = copy_of(scalar_cases[i].token, length);
        size_t bad = 1000;
        bool const good = json_is_scalar(token, length, &bad);
        if (good != (scalar_cases[i].bad == NO) || (!good && bad != scalar_cases[i].bad))
            fail_msg("%s: %d at %zu", scalar_cases[i].token, good, bad);
        assert_int_equal(json_is_scalar(token, length, NULL), good);
        bool const digits = length > 0 && (token[0] == '-' || (token[0] >= '0' && token[0] <= '9'));
        assert_int_equal(json_is_number(token, length), good && digits);
        free(token);
    }
}

/* ---- containers ---- */

static const struct {
    const char *text, *minified; /* NULL: bad */
    size_t bad;
} container_cases[] = {
    {"{}", "{}", 0},
    {"[]", "[]", 0},
    {"{ \n\r\t}", "{}", 0},
    {"[ 1 , \"a b\" ,true ]", "[1,\"a b\",true]", 0},
    {"{ \"a\" : { \"b\" : [ ] } , \"c\" : null }", "{\"a\":{\"b\":[]},\"c\":null}", 0},
    {"[[],[[]],{}]", "[[],[[]],{}]", 0},
    {"{\"a\\u0041\":\"\\ud800\"}", "{\"a\\u0041\":\"\\ud800\"}", 0},
    {"{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}", 0},
    {"[1 2]", NULL, 3},
    {"[1,]", NULL, 3},
    {"[,1]", NULL, 1},
    {"[1,,2]", NULL, 3},
    {"[1:2]", NULL, 2},
    {"[}", NULL, 1},
    {"[1}", NULL, 2},
    {"{]", NULL, 1},
    {"{\"a\":1]", NULL, 6},
    {"{\"a\"}", NULL, 4},
    {"{\"a\":}", NULL, 5},
    {"{\"a\" 1}", NULL, 5},
    {"{\"a\":1,}", NULL, 7},
    {"{,}", NULL, 1},
    {"{a:1}", NULL, 1},
    {"{1:1}", NULL, 1},
    {"{\"a\":1 \"b\":2}", NULL, 7},
    {"{\"\\q\":1}", NULL, 2},
    {"{\"a\":tru}", NULL, 8},
    {"{\"a\":\"\\u12\"}", NULL, 6},
    {"[01]", NULL, 2},
    {"[", NULL, 1},
    {"[1", NULL, 2},
    {"[1,", NULL, 3},
    {"{\"a", NULL, 3},
    {"{\"a\\", NULL, 4},
    {"{\"a\":\"b", NULL, 7},
    {"[]]", NULL, 2},
    {"{} ", NULL, 2},
    {"[1]x", NULL, 3},
    {"[\"a\"\"b\"]", NULL, 4},
    {"[1\"b\"]", NULL, 2},
    {"[true[]]", NULL, 5},
    {"[\x0c]", NULL, 1},
};

static void containers_are_judged_and_minified(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(container_cases); i++) {
        const char *minified = container_cases[i].minified;
        size_t const length = strlen(container_cases[i].text);
        uint8_t brackets[8], *text = copy_of(container_cases[i].text, length);
        uint8_t *out = copy_of(container_cases[i].text, length);
        size_t written, looked, bad, again;
        bool const good = json_container(text, length, brackets, 7, out, &written, &bad);
        if (good != (minified != NULL) || (!good && bad != container_cases[i].bad))
            fail_msg("%s: %d at %zu", container_cases[i].text, good, bad);
        assert_int_equal(json_container(text, length, brackets, 7, NULL, &looked, &again), good);
        assert_true(looked == written && again == bad);
        assert_int_equal(json_is_value(text, length, brackets, 7), good);
        if (good) {
            assert_int_equal(written, strlen(minified));
            assert_memory_equal(out, minified, written);
        }
        free(text);
        free(out);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    uint8_t brackets[3];
    size_t written, bad;
    assert_true(json_container((const uint8_t *)"[[]]", 4, brackets, 2, NULL, &written, &bad));
    assert_false(json_container((const uint8_t *)"[[[]]]", 6, brackets, 2, NULL, &written, &bad));
    assert_int_equal(bad, 2);
    assert_true(json_container((const uint8_t *)"[[],[],{\"a\":1}]", 15, brackets, 2, NULL, &written, &bad));
    assert_false(json_container((const uint8_t *)"{}", 2, brackets, 0, NULL, &written, &bad));
    assert_true(json_is_value((const uint8_t *)"1", 1, brackets, 0));
}

/* ---- comparison ---- */

static const struct {
    const char *a, *b;
    bool equal;
} equal_cases[] = {
    {"1", "1", true},
    {"1", "1.0", true},
    {"1", "10e-1", true},
    {"100", "1e2", true},
    {"1e2", "1E+02", true},
    {"0.001", "1e-3", true},
    {"0.00120", "12e-4", true},
    {"0", "-0", true},
    {"0", "0.000e99", true},
    {"0", "0.1", false},
    {"1", "-1", false},
    {"1", "2", false},
    {"1", "10", false},
    {"1.5", "1.51", false},
    {"12.34", "1234e-2", true},
    {"12.34", "123.4", false},
    {"123456789012345678901234567890", "123456789012345678901234567890.0", true},
    {"123456789012345678901234567890", "123456789012345678901234567891", false},
    {"1e99999999999999999999", "1e99999999999999999999", true},
    {"1e99999999999999999999", "1e99999999999999999998", false},
    {"1e-99999999999999999999", "1e99999999999999999999", false},
    {"10.01", "1001e-2", true},
    {"1001", "1.001e3", true},
    {"\"a\"", "\"a\"", true},
    {"\"a\"", "\"\\u0061\"", true},
    {"\"a\"", "\"b\"", false},
    {"\"a\"", "\"ab\"", false},
    {"\"\"", "\"\"", true},
    {"\"\"", "\"\\u0000\"", false},
    {"\"\\u0000\"", "\"\\u0000\"", true},
    {"\"/\"", "\"\\/\"", true},
    {"\"\\n\"", "\"\\u000A\"", true},
    {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"", true},
    {"\"\\u00e9\"", "\"\xc3\xa9\"", true},
    {"\"\\ud800\"", "\"\\uD800\"", true},
    {"\"\\ud800\"", "\"\\ud801\"", false},
    {"\"\\ud800\"", "\"\xef\xbf\xbd\"", false},
    {"\"1\"", "1", false},
    {"\"true\"", "true", false},
    {"true", "true", true},
    {"true", "false", false},
    {"null", "null", true},
    {"null", "0", false},
    {"false", "0", false},
    {"{}", "{}", false},
    {"[1]", "[1]", false},
    {"[1]", "1", false},
    {"", "", false},
    {"1", "", false},
};

static void values_are_compared(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(equal_cases); i++) {
        size_t const a_length = strlen(equal_cases[i].a), b_length = strlen(equal_cases[i].b);
        uint8_t *a = copy_of(equal_cases[i].a, a_length), *b = copy_of(equal_cases[i].b, b_length);
        if (json_equal(a, a_length, b, b_length) != equal_cases[i].equal ||
            json_equal(b, b_length, a, a_length) != equal_cases[i].equal)
            fail_msg("%s and %s", equal_cases[i].a, equal_cases[i].b);
        if (equal_cases[i].equal && a[0] == '"')
            assert_int_equal(json_hash(a + 1, a_length - 2), json_hash(b + 1, b_length - 2));
        free(a);
        free(b);
    }
    assert_int_not_equal(json_hash((const uint8_t *)"ab", 2), json_hash((const uint8_t *)"ba", 2));
}

static void bad_strings_are_equal_to_nothing(void **state)
{
    (void)state;
    assert_false(json_equal((const uint8_t *)"\"\\x0041\"", 8, (const uint8_t *)"\"A\"", 3));
    assert_false(json_equal((const uint8_t *)"\"\\\"", 3, (const uint8_t *)"\"\\\"", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(null_characters_are_told),
        cmocka_unit_test(cut_escapes_are_told_from_bad_ones),
        cmocka_unit_test(scalars_are_judged),
        cmocka_unit_test(containers_are_judged_and_minified),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(values_are_compared),
        cmocka_unit_test(bad_strings_are_equal_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_path.c - every form of a path, every refusal with its place, and the UTF-8 helpers below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/utf8.h"
#include "core/map/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A path as one line: names as .name, the rest as [3] [*] [?key==literal]; what is not printable as <XX>. */
static void describe_text(char *out, size_t size, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char const c = (unsigned char)text[i];
        size_t const used = strlen(out);
        snprintf(out + used, size - used, c < 0x20 || c == 0x7F ? "<%02X>" : "%c", c);
    }
}

static void describe(const struct path *path, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < path->part_count; i++) {
        const struct path_part *part = &path->parts[i];
        size_t used = strlen(out);
        switch (part->kind) {
        case PATH_NAME:
            snprintf(out + used, size - used, ".");
            describe_text(out, size, part->name, part->name_length);
            break;
        case PATH_INDEX: snprintf(out + used, size - used, "[%lld]", (long long)part->index); break;
        case PATH_WILDCARD: snprintf(out + used, size - used, "[*]"); break;
        case PATH_FILTER:
            snprintf(out + used, size - used, "[?");
            describe_text(out, size, part->name, part->name_length);
            used = strlen(out);
            snprintf(out + used, size - used, "==");
            describe_text(out, size, part->literal, part->literal_length);
            used = strlen(out);
            snprintf(out + used, size - used, "]");
            break;
        }
    }
}

static void expect_parts(const char *text, const char *wanted)
{
    struct arena arena = {0};
    struct path path = {0};
    struct fault fault = {0};
    char got[1024];
    /* An exact copy on the heap, so that a read behind the end is seen. */
    size_t const length = strlen(text);
    char *copy = malloc(length + (length == 0));
    assert_non_null(copy);
    memcpy(copy, text, length);
    if (path_parse(&arena, copy, length, &path, &fault) != STATUS_OK)
        fail_msg("%s: refused: %s", text, fault.message);
    free(copy);
    describe(&path, got, sizeof got);
    assert_string_equal(got, wanted);
    assert_string_equal(path.text, text);
    arena_free(&arena);
}

static void expect_refused(const char *text, size_t length, unsigned character, const char *words)
{
    struct arena arena = {0};
    struct path path = {0};
    struct fault fault = {0};
    char place[32];
    char *copy = malloc(length + (length == 0));
    assert_non_null(copy);
    memcpy(copy, text, length);
    enum status const status = path_parse(&arena, copy, length, &path, &fault);
    free(copy);
    if (status != STATUS_JOB) fail_msg("%s: not refused", text);
    assert_int_equal(fault.status, STATUS_JOB);
    snprintf(place, sizeof place, "character %u:", character);
    if (strstr(fault.message, place) == NULL || strstr(fault.message, words) == NULL)
        fail_msg("%s: \"%s\" lacks \"%s\" or \"%s\"", text, fault.message, place, words);
    arena_free(&arena);
}

static void test_forms(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a", ".a"},
        {"$.a", ".a"},
        {"$['a']", ".a"},
        {"['a']", ".a"},
        {"[\"x\"]", ".x"},
        {"person.name.firstName", ".person.name.firstName"},
        {"_acme.crm:id.a-b.9", "._acme.crm:id.a-b.9"},
        {"identityMap.CustomerID", ".identityMap.CustomerID"},
        {"$['a.b'][0]", ".a.b[0]"},
        {"[0]", "[0]"},
        {"$[-1]", "[-1]"},
        {"a[*].b", ".a[*].b"},
        {"a[ * ]", ".a[*]"},
        {"a[ \t\r\n0 \t\r\n]", ".a[0]"},
        {"a[1000000000][-1000000000]", ".a[1000000000][-1000000000]"},
        {"a[''].b", ".a..b"},
        {"Straße.名前.\xF0\x9F\x98\x80", ".Straße.名前.\xF0\x9F\x98\x80"},
        {"segmentMembership.ups['59bd2fcd-3c48-4b18-bf56-4f5c5e6967ae'].status",
         ".segmentMembership.ups.59bd2fcd-3c48-4b18-bf56-4f5c5e6967ae.status"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_parts(cases[i][0], cases[i][1]);
}

static void test_texts(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"['\\'']", ".'"},
        {"[\"\\\"\"]", ".\""},
        {"['\"']", ".\""},
        {"[\"'\"]", ".'"},
        {"['\\\\\\/']", ".\\/"},
        {"['\\b\\f\\n\\r\\t']", ".<08><0C><0A><0D><09>"},
        {"['\\u0041\\u00e9\\u20AC']", ".A\xC3\xA9\xE2\x82\xAC"},
        {"['\\uD83D\\uDE00']", ".\xF0\x9F\x98\x80"},
        {"['\\ud800\\udc00\\udbff\\udfff']", ".\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
        {"['\\u0000x']", ".<00>x"},
        {"['\\ud7ff\\ue000\\uffff']", ".\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"},
        {"['\x7F']", ".<7F>"},
        {"['a]b[c']", ".a]b[c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_parts(cases[i][0], cases[i][1]);
}

static void test_filters(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a[?@.type == 'home'].street1", ".a[?type==\"home\"].street1"},
        {"a[?@.type=='home']", ".a[?type==\"home\"]"},
        {"a[?@['k'] == 12.5]", ".a[?k==12.5]"},
        {"a[ ? @ [ \"k\" ] == \n true ]", ".a[?k==true]"},
        {"[?@.a==false]", "[?a==false]"},
        {"[?@.a==null]", "[?a==null]"},
        {"[?@.a==0]", "[?a==0]"},
        {"[?@.a==-0]", "[?a==-0]"},
        {"[?@.a==-0.50e+10]", "[?a==-0.50e+10]"},
        {"[?@.a==1E5]", "[?a==1E5]"},
        {"[?@.a==12.50]", "[?a==12.50]"},
        {"[?@.a==\"it's\"]", "[?a==\"it's\"]"},
        {"[?@.a=='say \"x\" \\\\']", "[?a==\"say \\\"x\\\" \\\\\"]"},
        {"[?@.a=='\\n\\u0001\\u0000\\/']", "[?a==\"\\n\\u0001\\u0000/\"]"},
        {"[?@.a=='\\u00e9\\ud83d\\ude00']", "[?a==\"\xC3\xA9\xF0\x9F\x98\x80\"]"},
        {"[?@.a=='']", "[?a==\"\"]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_parts(cases[i][0], cases[i][1]);
}

struct refusal {
    const char *text;
    unsigned character;
    const char *words;
};

static void test_refusals(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"", 1, "empty"},
        {"$", 1, "whole record"},
        {"$a", 2, "expected"},
        {"$.", 3, "name is expected"},
        {".a", 1, "not with a dot"},
        {"a.", 3, "name is expected"},
        {"a..b", 3, "\"..\" is not supported"},
        {"$..b", 3, "\"..\" is not supported"},
        {"a.*", 3, "[*]"},
        {"a.['b']", 3, "name is expected"},
        {"a b", 2, "expected"},
        {" a", 1, "name is expected"},
        {"a ", 2, "expected"},
        {"a.b!", 4, "expected"},
        {"a['b']c", 7, "expected"},
        {"é€[x]", 4, "quoted key"},
        {"a[", 3, "quoted key"},
        {"a[]", 3, "quoted key"},
        {"a[b]", 3, "quoted key"},
        {"a]", 2, "expected"},
        {"a[1", 4, "\"]\""},
        {"a[01]", 3, "leading zeros"},
        {"a[00]", 3, "leading zeros"},
        {"a[-0]", 3, "-0"},
        {"a[-]", 3, "digits"},
        {"a[+1]", 3, "quoted key"},
        {"a[1.5]", 4, "\"]\""},
        {"a[1000000001]", 3, "too large"},
        {"a[-99999999999999999999999]", 3, "too large"},
        {"a[1:2]", 4, "slices"},
        {"a[:2]", 3, "slices"},
        {"a[1,2]", 4, "unions"},
        {"a['b','c']", 6, "unions"},
        {"a[*,1]", 4, "unions"},
        {"a['b]", 3, "no closing quote"},
        {"a['b\"]", 3, "no closing quote"},
        {"a['b\\", 5, "does not end"},
        {"a['\\\"']", 4, "no escape"},
        {"a[\"\\'\"]", 4, "no escape"},
        {"a['\\x41']", 4, "no escape"},
        {"a['\\U0041']", 4, "no escape"},
        {"a['\\u00g1']", 4, "four hexadecimal"},
        {"a['\\u12", 4, "four hexadecimal"},
        {"a['\\ud800']", 4, "surrogate"},
        {"a['\\ud800x']", 4, "surrogate"},
        {"a['\\ud800\\n']", 4, "surrogate"},
        {"a['\\ud800\\u0041']", 4, "surrogate"},
        {"a['\\ud800\\ud800']", 4, "surrogate"},
        {"a['\\udc00']", 4, "surrogate"},
        {"a['\t']", 4, "control character"},
        {"[?a == 1]", 3, "form"},
        {"[?]", 3, "form"},
        {"[?(@.a == 1)]", 3, "parentheses"},
        {"[?@ == 1]", 5, "one member"},
        {"[?@.a]", 6, "\"==\""},
        {"[?@.a = 1]", 7, "\"==\""},
        {"[?@.a != 1]", 7, "\"==\""},
        {"[?@.a < 1]", 7, "\"==\""},
        {"[?@.a.b == 1]", 6, "below"},
        {"[?@.a['b'] == 1]", 6, "below"},
        {"[?@[0] == 1]", 5, "quoted key"},
        {"[?@['a' == 1]", 9, "\"]\""},
        {"[?@. a == 1]", 5, "name is expected"},
        {"[?@.a == ]", 10, "value is expected"},
        {"[?@.a == True]", 10, "value is expected"},
        {"[?@.a == truex]", 14, "\"]\""},
        {"[?@.a == 01]", 10, "JSON number"},
        {"[?@.a == 1.]", 10, "JSON number"},
        {"[?@.a == .5]", 10, "value is expected"},
        {"[?@.a == +5]", 10, "value is expected"},
        {"[?@.a == 1e]", 10, "JSON number"},
        {"[?@.a == 1e+]", 10, "JSON number"},
        {"[?@.a == -]", 10, "JSON number"},
        {"[?@.a == 'x' && @.b == 1]", 14, "&&"},
        {"[?@.a == 'x' || @.b == 1]", 14, "&&"},
        {"[?@.a == 'x'", 13, "\"]\""},
        {"[?length(@.a) == 1]", 3, "form"},
        {"\xC3\xA9.\x80", 3, "UTF-8"},
        {"a['\xED\xA0\x80']", 4, "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(cases[i].text, strlen(cases[i].text), cases[i].character, cases[i].words);
    expect_refused("a\0b", 3, 2, "expected");
    expect_refused("a['\0']", 6, 4, "control character");
}

static void test_bounds(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct path path = {0};
    struct fault fault = {0};
    char text[PATH_TEXT_MAX + 1];
    memset(text, 'a', sizeof text);
    assert_int_equal(path_parse(&arena, text, PATH_TEXT_MAX, &path, &fault), STATUS_OK);
    assert_int_equal(path.parts[0].name_length, PATH_TEXT_MAX);
    assert_int_equal(path_parse(&arena, text, PATH_TEXT_MAX + 1, &path, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "4096"));
    /* The longest literal: quotes that double. */
    memcpy(text, "[?@.a=='", 8);
    memset(text + 8, '"', PATH_TEXT_MAX - 10);
    memcpy(text + PATH_TEXT_MAX - 2, "']", 2);
    assert_int_equal(path_parse(&arena, text, PATH_TEXT_MAX, &path, &fault), STATUS_OK);
    assert_int_equal(path.parts[0].literal_length, 2 * (PATH_TEXT_MAX - 10) + 2);
    text[PATH_TEXT_MAX - 1] = '!';
    assert_int_equal(path_parse(&arena, text, PATH_TEXT_MAX, &path, &fault), STATUS_JOB);
    assert_true(strlen(fault.message) < 400); /* a long path does not hide the sentence */
    /* Parts. */
    for (size_t i = 0; i < PATH_PARTS_MAX + 1; i++)
        memcpy(text + 3 * i, "[0]", 3);
    assert_int_equal(path_parse(&arena, text, 3 * PATH_PARTS_MAX, &path, &fault), STATUS_OK);
    assert_int_equal(path.part_count, PATH_PARTS_MAX);
    assert_int_equal(path_parse(&arena, text, 3 * (PATH_PARTS_MAX + 1), &path, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "at most 64"));
    assert_int_equal(path_parse(&arena, "a..b", 4, &path, NULL), STATUS_JOB); /* no fault wanted */
    arena_free(&arena);
}

static void expect_equal(const char *a, const char *b, bool wanted)
{
    struct arena arena = {0};
    struct path p = {0}, q = {0};
    assert_int_equal(path_parse(&arena, a, strlen(a), &p, NULL), STATUS_OK);
    assert_int_equal(path_parse(&arena, b, strlen(b), &q, NULL), STATUS_OK);
    if (path_equal(&p, &q) != wanted || path_equal(&q, &p) != wanted) fail_msg("%s and %s", a, b);
    arena_free(&arena);
}

static void test_equal(void **state)
{
    (void)state;
    expect_equal("$.a['b'][ 0 ]", "a.b[0]", true);
    expect_equal("a[?@.k == 'x']", "$['a'][?@[\"k\"]==\"\\u0078\"]", true);
    expect_equal("a[*]", "a[*]", true);
    expect_equal("a.b", "a", false);
    expect_equal("a[0]", "a[-1]", false);
    expect_equal("a[0]", "a['0']", false);
    expect_equal("a[*]", "a['*']", false);
    expect_equal("['a\\u0000b']", "['a\\u0000c']", false);
    expect_equal("['']", "['\\u0000']", false);
    expect_equal("[?@.k=='1']", "[?@.k==1]", false);
    expect_equal("[?@.k==1]", "[?@.j==1]", false);
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length, valid;
    } cases[] = {
        {"", 0, 0},
        {"a\0b", 3, 3},
        {"\xC2\x80\xDF\xBF", 4, 4},
        {"\xE0\xA0\x80\xEF\xBF\xBF", 6, 6},
        {"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 8, 8},
        {"\xC0\x80", 2, 0},
        {"\xC1\xBF", 2, 0},
        {"\xE0\x9F\xBF", 3, 0},
        {"\xED\xA0\x80", 3, 0},
        {"\xF0\x8F\xBF\xBF", 4, 0},
        {"\xF4\x90\x80\x80", 4, 0},
        {"\xF5\x80\x80\x80", 4, 0},
        {"\xFF", 1, 0},
        {"a\x80", 2, 1},
        {"ab\xE2\x82", 4, 2},
        {"ab\xE2\x82x", 5, 2},
        {"\xF0\x90\x80", 3, 0},
        {"\xC3(", 2, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(utf8_valid_prefix(cases[i].bytes, cases[i].length), cases[i].valid);
    assert_int_equal(utf8_characters("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 10), 4);
    assert_true(utf8_has_control("a\n", 2));
    assert_true(utf8_has_control("\x7F", 1));
    assert_true(utf8_has_control("\xC2\x85", 2));
    assert_false(utf8_has_control("\xC2\xA0 \xC3\x85", 5));
    char out[UTF8_BYTES_MAX];
    assert_int_equal(utf8_write(0x7F, out), 1);
    assert_int_equal(utf8_write(0x7FF, out), 2);
    assert_memory_equal(out, "\xDF\xBF", 2);
    assert_int_equal(utf8_write(0xFFFF, out), 3);
    assert_memory_equal(out, "\xEF\xBF\xBF", 3);
    assert_int_equal(utf8_write(0x10FFFF, out), 4);
    assert_memory_equal(out, "\xF4\x8F\xBF\xBF", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),    cmocka_unit_test(test_texts),  cmocka_unit_test(test_filters),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_bounds), cmocka_unit_test(test_equal),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_transform.c - trim and case mapping: ASCII at every alignment, Unicode's traps, the bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/csv/transform.h"

#include <stdlib.h>
#include <string.h>

#define CODE_POINTS 0x110000u

typedef size_t case_fn(const char *text, size_t length, char *out);

/* Maps in buffers of exactly the needed size, so that the address sanitizer sees one byte too many. */
static void expect(case_fn *map, const char *text, size_t length, const char *wanted, size_t wanted_length)
{
    char *in = malloc(length + 1), *out = malloc(transform_case_bound(length) + 1);
    assert_true(in != NULL && out != NULL);
    memcpy(in + 1, text, length);
    size_t const got = map(in + 1, length, out + 1);
    assert_int_equal(got, wanted_length);
    assert_true(got <= transform_case_bound(length));
    assert_memory_equal(out + 1, wanted, got);
    free(in);
    free(out);
}

static void expect_lower(const char *text, const char *wanted)
{
    expect(transform_lower, text, strlen(text), wanted, strlen(wanted));
}

static void expect_upper(const char *text, const char *wanted)
{
    expect(transform_upper, text, strlen(text), wanted, strlen(wanted));
}

static void expect_trim(const char *text, size_t length, size_t begin, size_t wanted)
{
    const char *view = text;
    transform_trim(&view, &length);
    assert_int_equal(length, wanted);
    assert_ptr_equal(view, text + begin);
}

static void trims_json_white_space_only(void **state)
{
    (void)state;
    expect_trim("", 0, 0, 0);
    expect_trim("a", 1, 0, 1);
    expect_trim(" \t\r\na b\n\r\t ", 11, 4, 3);
    expect_trim("  a", 3, 2, 1);
    expect_trim("a  ", 3, 0, 1);
    expect_trim(" \t\r\n", 4, 0, 0); /* nothing left */
    expect_trim("\0 ", 2, 0, 1);     /* NUL is no white space */
    expect_trim(" \0 ", 3, 1, 1);
    expect_trim("\v\f", 2, 0, 2);                  /* nor are these in JSON */
    expect_trim("\xC2\xA0x\xE2\x80\x83", 6, 0, 6); /* nor no-break and em space */
    expect_trim("\xEF\xBB\xBFx", 4, 0, 4);         /* nor a byte order mark */

    const char *none = NULL;
    size_t length = 0;
    transform_trim(&none, &length);
    assert_true(none == NULL && length == 0);
}

/* Every ASCII byte at every place of texts around the eight-byte step, beside every neighbour that could
 * carry. */
static void maps_ascii_at_every_alignment(void **state)
{
    (void)state;
    static const unsigned char neighbours[] = {0x00, '@', 'A', 'Z', '[', '`', 'a', 'z', '{', 0x7F};
    char text[19], lower[19], upper[19];
    for (size_t length = 1; length <= sizeof text; length++)
        for (unsigned c = 0; c < 0x80; c++)
            for (size_t n = 0; n < sizeof neighbours; n++) {
                size_t const at = (c + n) % length;
                memset(text, neighbours[n], length);
                text[at] = (char)c;
                for (size_t i = 0; i < length; i++) {
                    lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
                    upper[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
                }
                expect(transform_lower, text, length, lower, length);
                expect(transform_upper, text, length, upper, length);
            }
}

static void maps_nothing_to_nothing(void **state)
{
    (void)state;
    char out = '#';
    assert_int_equal(transform_lower("", 0, &out), 0);
    assert_int_equal(transform_upper(NULL, 0, &out), 0);
    assert_int_equal(out, '#');
    assert_int_equal(transform_case_bound(0), 0);
    assert_int_equal(transform_case_bound(1), 1);
    assert_int_equal(transform_case_bound(2), 3);
    assert_int_equal(transform_case_bound(3), 4);
}

static void passes_nul(void **state)
{
    (void)state;
    expect(transform_upper, "a\0b\0\0c", 6, "A\0B\0\0C", 6);
    expect(transform_lower, "\0\0\0\0\0\0\0\0Q\0", 10, "\0\0\0\0\0\0\0\0q\0", 10);
    expect(transform_lower, "\xC3\x84\0\xC3\x84", 5, "\xC3\xA4\0\xC3\xA4", 5);
}

static void maps_simply(void **state)
{
    (void)state;
    expect_lower("MÜLLER Straße ÀÉÎÕŸ", "müller straße àéîõÿ");
    expect_upper("müller Straße àéîõÿ", "MÜLLER STRAßE ÀÉÎÕŸ"); /* sharp s has no simple capital */
    expect_lower("ẞ", "ß");                                     /* but the capital has a small letter */
    expect_upper("ﬁ ŉ ΐ", "ﬁ ŉ ΐ");                             /* full mapping would make two or three */
    expect_lower("İI", "ii");                                   /* no dot above is added, no locale asked */
    expect_upper("ıi", "II");
    expect_lower("ΣΑΣ", "σασ"); /* final sigma is full mapping */
    expect_upper("ςσ", "ΣΣ");
    expect_lower("ДОБРЫЙ ДЕНЬ", "добрый день");
    expect_upper("ǆ ǅ Ǆ", "Ǆ Ǆ Ǆ");
    expect_lower("ǆ ǅ Ǆ", "ǆ ǆ ǆ");
    expect_lower("\xF0\x90\x90\x80", "\xF0\x90\x90\xA8"); /* U+10400, four bytes */
    expect_upper("日本語 😀 العربية", "日本語 😀 العربية");
    expect_upper("abcdefgä", "ABCDEFGÄ"); /* the eight-byte step gives up in its last byte */
    expect_upper("äabcdefgh", "ÄABCDEFGH");
}

static void grows_and_shrinks(void **state)
{
    (void)state;
    expect_lower("\xC8\xBA", "\xE2\xB1\xA5"); /* U+023A -> U+2C65 */
    expect_upper("\xC8\xBF", "\xE2\xB1\xBE"); /* U+023F -> U+2C7E */
    expect_lower("\xE2\x84\xAA", "k");        /* Kelvin sign: three bytes to one */
    expect_upper("\xC5\xBF", "S");            /* long s: two to one */
    char text[200], wanted[300];
    for (size_t i = 0; i < 100; i++) {
        memcpy(text + 2 * i, "\xC8\xBA", 2);
        memcpy(wanted + 3 * i, "\xE2\xB1\xA5", 3);
    }
    assert_int_equal(transform_case_bound(200), 300); /* the bound is reached, never passed */
    expect(transform_lower, text, 200, wanted, 300);
}

static size_t encode(unsigned code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t const length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[length] | code);
    return length;
}

/* All of Unicode: within the bound, one code point to one, the mapping settles, and only letters with a
 * partner change. */
static void keeps_the_bound_for_every_code_point(void **state)
{
    (void)state;
    case_fn *const maps[] = {transform_lower, transform_upper};
    unsigned changed = 0;
    for (unsigned code = 0; code < CODE_POINTS; code++) {
        if (code >= 0xD800 && code < 0xE000) continue; /* surrogates are no text */
        char in[4], out[8], again[12];
        size_t const length = encode(code, in);
        for (size_t m = 0; m < 2; m++) {
            size_t const got = maps[m](in, length, out);
            assert_true(got >= 1 && got <= transform_case_bound(length) && got <= 4);
            size_t leads = 0;
            for (size_t i = 0; i < got; i++)
                leads += ((unsigned char)out[i] & 0xC0) != 0x80;
            assert_int_equal(leads, 1);
            assert_int_equal(maps[m](out, got, again), got);
            assert_memory_equal(again, out, got);
            changed += got != length || memcmp(in, out, got) != 0;
        }
    }
    assert_in_range(changed, 2700, 4000); /* Unicode 14 has 1433 lower and 1450 upper mappings */
}

/* Not UTF-8: can't come, and must stay in bounds all the same. */
static void passes_broken_bytes_as_they_are(void **state)
{
    (void)state;
    expect(transform_lower, "\xFF", 1, "\xFF", 1);
    expect(transform_lower, "A\xC3", 2, "a\xC3", 2);
    expect(transform_upper, "\xE2\xB1", 2, "\xE2\xB1", 2);
    expect(transform_upper, "\x80\x80z\xF4\x90\x80\x80", 7, "\x80\x80Z\xF4\x90\x80\x80", 7);
    expect(transform_lower, "\xED\xA0\x80", 3, "\xED\xA0\x80", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trims_json_white_space_only),
        cmocka_unit_test(maps_ascii_at_every_alignment),
        cmocka_unit_test(maps_nothing_to_nothing),
        cmocka_unit_test(passes_nul),
        cmocka_unit_test(maps_simply),
        cmocka_unit_test(grows_and_shrinks),
        cmocka_unit_test(keeps_the_bound_for_every_code_point),
        cmocka_unit_test(passes_broken_bytes_as_they_are),
    };
    return cmocka_run_group_tests_name("transform", tests, NULL, NULL);
}

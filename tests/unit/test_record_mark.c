/* test_record_mark.c - places that look like the beginning of a record, and those that only nearly do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/record/record_mark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* In `text` a place that is one is the next byte behind each ^, which is taken out; the first one is learnt
 * from. */
struct mark_case {
    enum record_mark_joint joint;
    const char *text;
};

static const struct mark_case cases[] = {
    {RECORD_MARK_COMMA, "[~{\"id\":1},^{\"id\":2}, ^{ \"id\" : 3},{\"a\":4},^{\"id\":5}]"},
    {RECORD_MARK_COMMA, "[~{\"id\":1,\"a\":[{\"id\":2},^{\"id\":3}],\"b\":{\"id\":4}},^{\"id\":5}]"},
    {RECORD_MARK_COMMA, "[~{\"id\":\",{\\\"id\\\":1\"},^{\"id\":2}]"}, /* in a string quotes are escaped */
    {RECORD_MARK_COMMA, "[~{\"id\":1},{\"idx\":2},{\"i\":3},{id:4},{\"id\"},{\"id\" 5},{\"\":6},{},{"},
    {RECORD_MARK_COMMA, "[\n  ~{\"id\":1},\n  ^{\"id\":2,\n    \"a\":[\n    {\"id\":3},\n    {\"id\":4}]},\n "
                        " ^{\"id\":5},{\"id\":6}]"},
    {RECORD_MARK_COMMA, "[\n\t~{\"id\":1},\n  {\"id\":2},\n\t^{\"id\":3}]"},
    {RECORD_MARK_NOTHING, "~{\"id\":1}^{\"id\":2} ^{\"id\":3}"},
    {RECORD_MARK_NOTHING, "~{\"id\":1,\"a\":{\"id\":2},\"b\":[{\"id\":3},{\"id\":4}]}^{\"id\":5}"},
    {RECORD_MARK_NOTHING, "\n~{\n \"id\":1,\n \"a\":\n {\n \"id\":2}}\n^{\n \"id\":3}\n"},
    {RECORD_MARK_NAMED,
     "{~\"k\":{\"entity\":1},^\"l\":{\"entity\":2}, ^\"m\" : { \"entity\" :3},\"n\":{\"other\":4},\"o\":5}"},
    {RECORD_MARK_NAMED, "{~\"a\\\"b\":{\"entity\":1},^\"c\\\\\\\"d\":{\"entity\":{\"entity\":2}}}"},
    {RECORD_MARK_NAMED,
     "{\n  ~\"k\":{\"entity\":{\n    \"x\":1,\n    \"y\":{\"entity\":2}}},\n  ^\"l\":{\"entity\":3}}"},
};

/* The text without its signs, an end that a sanitizer sees behind the padding, and where the signs stood. */
struct marked_text {
    uint8_t *bytes;
    size_t length, first, count;
    size_t places[16];
};

static struct marked_text unmark(const char *text)
{
    struct marked_text out = {.bytes = malloc(strlen(text) + LIMIT_PADDING)};
    assert_non_null(out.bytes);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '~')
            out.first = out.length;
        else if (*at == '^')
            out.places[out.count++] = out.length;
        else
            out.bytes[out.length++] = (uint8_t)*at;
    }
    memset(out.bytes + out.length, '{', LIMIT_PADDING);
    return out;
}

static void found_and_passed(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(cases); c++) {
        struct marked_text const text = unmark(cases[c].text);
        struct record_mark mark = {.joint = cases[c].joint};
        record_mark_learn(&mark, text.bytes, text.length, text.first, true);
        assert_int_equal(mark.key_count, 1);
        size_t next = 0;
        for (size_t at = text.first + 1; at <= text.length; at++) {
            bool const is = next < text.count && text.places[next] == at;
            size_t const wanted = next < text.count ? text.places[next] : RECORD_MARK_NONE;
            size_t const got = record_mark_next(&mark, text.bytes, text.length, at);
            if (record_mark_is(&mark, text.bytes, text.length, at) != is || got != wanted)
                print_message("%s: at %zu: next %zu, not %zu\n", cases[c].text, at, got, wanted);
            assert_int_equal(record_mark_is(&mark, text.bytes, text.length, at), is);
            assert_int_equal(got, wanted);
            next += is;
        }
        assert_int_equal(next, text.count);
        size_t const last = text.count == 0 ? RECORD_MARK_NONE : text.places[text.count - 1];
        assert_int_equal(record_mark_last(&mark, text.bytes, text.length, text.first + 1), last);
        free(text.bytes);
    }
}

/* A text that ends anywhere: no byte behind it counts. */
static void ends_anywhere(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(cases); c++) {
        struct marked_text const text = unmark(cases[c].text);
        struct record_mark mark = {.joint = cases[c].joint};
        record_mark_learn(&mark, text.bytes, text.length, text.first, true);
        for (size_t length = text.first; length < text.length; length++) {
            uint8_t *const cut = malloc(length + LIMIT_PADDING);
            assert_non_null(cut);
            memcpy(cut, text.bytes, length);
            memcpy(cut + length, text.bytes + length,
                   text.length - length < LIMIT_PADDING ? text.length - length : LIMIT_PADDING);
            size_t const place = record_mark_next(&mark, cut, length, text.first + 1);
            assert_true(place == RECORD_MARK_NONE ||
                        (text.count != 0 && place == text.places[0] && place < length));
            free(cut);
        }
        free(text.bytes);
    }
}

static void learns_several(void **state)
{
    static const char text[] =
        "{\"a\":1}{\"b\":1}{\"a\":2}{\"c\":1}{5}{\"d\":1}{\"e\":1}{\"f\":1}{\"g\":1}{\"h\":1}{\"i\":1}";
    struct record_mark mark = {.joint = RECORD_MARK_NOTHING};
    (void)state;
    for (size_t at = 0; at < sizeof text - 1; at++)
        if (text[at] == '{') record_mark_learn(&mark, (const uint8_t *)text, sizeof text - 1, at, at == 0);
    assert_int_equal(mark.key_count, RECORD_MARK_KEYS);
    assert_memory_equal(mark.keys[RECORD_MARK_KEYS - 1], "h", 1);
    assert_false(mark.has_indent);
}

/* Keys that are too long are no marks; nor is anything when none was learnt. */
static void long_keys(void **state)
{
    char text[4 * RECORD_MARK_KEY_MAX + LIMIT_PADDING];
    struct record_mark mark = {.joint = RECORD_MARK_COMMA};
    (void)state;
    for (size_t length = RECORD_MARK_KEY_MAX - 1; length <= RECORD_MARK_KEY_MAX + 1; length++) {
        char key[RECORD_MARK_KEY_MAX + 2];
        memset(key, 'k', length);
        key[length] = '\0';
        mark.key_count = 0;
        memset(text, ' ', sizeof text);
        size_t const end = (size_t)snprintf(text, sizeof text, "{\"%s\":1},{\"%s\":2}", key, key);
        record_mark_learn(&mark, (uint8_t *)text, end, 0, true);
        bool const learnt = length < RECORD_MARK_KEY_MAX;
        assert_int_equal(mark.key_count, learnt);
        size_t const place = record_mark_next(&mark, (uint8_t *)text, end, 1);
        assert_int_equal(place, learnt ? length + 7 : RECORD_MARK_NONE);
        assert_int_equal(record_mark_last(&mark, (uint8_t *)text, end, 1), place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_and_passed),
        cmocka_unit_test(ends_anywhere),
        cmocka_unit_test(learns_several),
        cmocka_unit_test(long_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

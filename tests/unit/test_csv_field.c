/* test_csv_field.c - quoting and the changes of csv options, against an RFC 4180 reader and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/csv/csv_field.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct csv_options plain = {.delimiter = ',', .null_text = "", .list_separator = "|"};

/* A copy of exactly these bytes on the heap: a look behind them is seen by AddressSanitizer. */
static uint8_t *exact(const void *bytes, size_t length)
{
    uint8_t *copy = malloc(length == 0 ? 1 : length);
    assert_non_null(copy);
    if (length != 0) memcpy(copy, bytes, length);
    return copy;
}

/* ---- options ---- */

static void takes_over_options(void **state)
{
    (void)state;
    struct csv_options options = plain;
    struct csv_field field = csv_field_options(&options);
    assert_int_equal(field.delimiter, ',');
    assert_false(field.quote_all || field.newline_to_space || field.null_drop || field.formula_escape);
    assert_int_equal(field.null_length, 0);
    assert_int_equal(field.line_end_length, 1);
    assert_memory_equal(field.line_end, "\n", 1);
    options = (struct csv_options){.delimiter = '\t',
                                   .quote = CSV_QUOTE_ALL,
                                   .line_end = CSV_LINE_CRLF,
                                   .null_text = "NULL",
                                   .newline_to_space = true,
                                   .null_character_drop = true,
                                   .formula_escape = true};
    field = csv_field_options(&options);
    assert_int_equal(field.delimiter, '\t');
    assert_true(field.quote_all && field.newline_to_space && field.null_drop && field.formula_escape);
    assert_int_equal(field.null_length, 4);
    assert_int_equal(field.line_end_length, 2);
    assert_memory_equal(field.line_end, "\r\n", 2);
}

/* ---- quotes ---- */

static bool quoted(const struct csv_options *options, const char *text, size_t length, bool is_null)
{
    struct csv_field const field = csv_field_options(options);
    uint8_t *copy = exact(text, length);
    bool const result = csv_field_quoted(&field, copy, length, is_null);
    free(copy);
    return result;
}

static void quotes_what_must_be(void **state)
{
    (void)state;
    for (unsigned delimiter = 1; delimiter < 128; delimiter++) {
        struct csv_options options = plain;
        options.delimiter = (char)delimiter;
        for (unsigned byte = 0; byte < 256; byte++) {
            bool const special = byte == delimiter || byte == '"' || byte == '\n' || byte == '\r';
            char text[40];
            for (size_t at = 0; at < sizeof text; at += 13) { /* alone in a text that is harmless */
                memset(text, delimiter == 'x' ? 'y' : 'x', sizeof text);
                text[at] = (char)byte;
                assert_int_equal(quoted(&options, text, sizeof text, false), special);
                assert_int_equal(quoted(&options, text, at, false), false);
                assert_int_equal(quoted(&options, text, at + 1, true), special);
            }
        }
    }
    assert_false(quoted(&plain, "", 0, false));
    assert_false(quoted(&plain, "", 0, true));
}

static void quotes_all_when_asked(void **state)
{
    (void)state;
    struct csv_options options = plain;
    options.quote = CSV_QUOTE_ALL;
    assert_true(quoted(&options, "", 0, false));
    assert_true(quoted(&options, "", 0, true));
    assert_true(quoted(&options, "x", 1, false));
}

static void tells_texts_from_null(void **state)
{
    (void)state;
    struct csv_options options = plain;
    options.null_text = "NULL";
    assert_true(quoted(&options, "NULL", 4, false));
    assert_false(quoted(&options, "NULL", 4, true));
    assert_false(quoted(&options, "NUL", 3, false));
    assert_false(quoted(&options, "NULLS", 5, false));
    assert_false(quoted(&options, "null", 4, false));
    assert_false(quoted(&options, "", 0, false));
    options.null_text = "a,b"; /* holds the delimiter itself */
    assert_true(quoted(&options, "a,b", 3, true));
}

static void doubles_quotes(void **state)
{
    (void)state;
    for (size_t length = 0; length <= 10; length++)
        for (unsigned mask = 0; mask < 1u << length; mask++) {
            uint8_t text[10], wanted[20], *in, *out = malloc(2 * length + 1);
            size_t at = 0;
            assert_non_null(out);
            for (size_t i = 0; i < length; i++) {
                text[i] = (mask >> i & 1) != 0 ? '"' : (uint8_t)('a' + i);
                wanted[at++] = text[i];
                if (text[i] == '"') wanted[at++] = '"';
            }
            in = exact(text, length);
            uint8_t *const end = csv_field_double(out, in, length);
            assert_int_equal(end - out, at);
            assert_memory_equal(out, wanted, at);
            assert_true(csv_field_bound(length) >= at + 2);
            free(in);
            free(out);
        }
}

/* ---- changes ---- */

struct change_case {
    const char *text;
    size_t length;
    const char *wanted;
    size_t wanted_length;
    unsigned newline, null_character, formula;
};

#define CASE(text, wanted, newline, null_character, formula)                                 \
    {                                                                                        \
        text, sizeof(text) - 1, wanted, sizeof(wanted) - 1, newline, null_character, formula \
    }

static void check_changes(const struct csv_options *options, const struct change_case *cases, size_t count)
{
    struct csv_field const field = csv_field_options(options);
    for (size_t i = 0; i < count; i++) {
        const struct change_case *one = &cases[i];
        uint32_t changed[CHANGE_COUNT] = {0};
        uint8_t *text = exact(one->text, one->length), *out = malloc(one->length + 1);
        assert_non_null(out);
        bool const changes = one->newline + one->null_character + one->formula != 0;
        /* it may be asked for nothing (a CR that goes with formula_escape off), never the other way round */
        if (changes) assert_true(csv_field_changes(&field, text, one->length));
        size_t const length = csv_field_change(&field, text, one->length, out, changed);
        assert_int_equal(length, one->wanted_length);
        assert_memory_equal(out, one->wanted, length);
        assert_int_equal(changed[CHANGE_NEWLINE], one->newline);
        assert_int_equal(changed[CHANGE_NULL_CHARACTER], one->null_character);
        assert_int_equal(changed[CHANGE_FORMULA], one->formula);
        free(text);
        free(out);
    }
}

static void changes_nothing_by_default(void **state)
{
    (void)state;
    static const struct change_case cases[] = {CASE("", "", 0, 0, 0), CASE("=1\r\n\0", "=1\r\n\0", 0, 0, 0)};
    struct csv_field const field = csv_field_options(&plain);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_false(csv_field_changes(&field, (const uint8_t *)cases[i].text, cases[i].length));
    check_changes(&plain, cases, COUNT(cases));
}

static void puts_spaces_for_newlines(void **state)
{
    (void)state;
    static const struct change_case cases[] = {
        CASE("a\nb", "a b", 1, 0, 0),    CASE("a\rb", "a b", 1, 0, 0),     CASE("a\r\nb", "a b", 1, 0, 0),
        CASE("\n\r", "  ", 1, 0, 0),     CASE("\r\r\n\n", "   ", 1, 0, 0), CASE("\r\n\r\n", "  ", 1, 0, 0),
        CASE("\r", " ", 1, 0, 0),        CASE("\n", " ", 1, 0, 0),         CASE("none", "none", 0, 0, 0),
        CASE("\r\0\n", " \0 ", 1, 0, 0), CASE("=\n", "= ", 1, 0, 0),
    };
    struct csv_options options = plain;
    options.newline_to_space = true;
    check_changes(&options, cases, COUNT(cases));
}

static void drops_null_characters(void **state)
{
    (void)state;
    static const struct change_case cases[] = {
        CASE("\0", "", 0, 1, 0),
        CASE("\0a\0\0b\0", "ab", 0, 1, 0),
        CASE("ab", "ab", 0, 0, 0),
        CASE("\r\0\n", "\r\n", 0, 1, 0),
    };
    struct csv_options options = plain;
    options.null_character_drop = true;
    check_changes(&options, cases, COUNT(cases));
}

static void escapes_formulas(void **state)
{
    (void)state;
    static const struct change_case cases[] = {
        CASE("=1", "'=1", 0, 0, 1),  CASE("+", "'+", 0, 0, 1),     CASE("-1", "'-1", 0, 0, 1),
        CASE("@x", "'@x", 0, 0, 1),  CASE("\tx", "'\tx", 0, 0, 1), CASE("\rx", "'\rx", 0, 0, 1),
        CASE("\nx", "\nx", 0, 0, 0), CASE("a=1", "a=1", 0, 0, 0),  CASE("'=1", "'=1", 0, 0, 0),
        CASE(" =1", " =1", 0, 0, 0), CASE("", "", 0, 0, 0),        CASE("\0=", "\0=", 0, 0, 0),
    };
    struct csv_options options = plain;
    options.formula_escape = true;
    check_changes(&options, cases, COUNT(cases));
}

/* Null characters, then newlines, then formulas: each sees what the one before it left. */
static void changes_in_the_contracts_order(void **state)
{
    (void)state;
    static const struct change_case cases[] = {
        CASE("\0=1", "'=1", 0, 1, 1),       CASE("\0\0\0", "", 0, 1, 0),
        CASE("\r\0\n", " ", 1, 1, 0), /* a CRLF once the null character is gone */
        CASE("\r\0\0\r\n", "  ", 1, 1, 0),  CASE("\r\0x", " x", 1, 1, 0),
        CASE("\r=", " =", 1, 0, 0), /* a space is no formula */
        CASE("\0\r", " ", 1, 1, 0),         CASE("\0\t", "'\t", 0, 1, 1),
        CASE("-\r\n\0\n", "'-  ", 1, 1, 1), CASE("\n\0=", " =", 1, 1, 0),
        CASE("\r\0", " ", 1, 1, 0),
    };
    struct csv_options options = plain;
    options.newline_to_space = options.null_character_drop = options.formula_escape = true;
    check_changes(&options, cases, COUNT(cases));
}

/* All texts of up to 6 of the bytes that matter, for all options: never longer than promised, never unchanged
 * when csv_field_changes() says no. */
static void keeps_its_promises_for_all_short_texts(void **state)
{
    (void)state;
    static const uint8_t letters[] = {'\0', '\r', '\n', '=', 'x'};
    for (unsigned bits = 0; bits < 8; bits++) {
        struct csv_options options = plain;
        options.newline_to_space = (bits & 1) != 0;
        options.null_character_drop = (bits & 2) != 0;
        options.formula_escape = (bits & 4) != 0;
        struct csv_field const field = csv_field_options(&options);
        for (size_t length = 0; length <= 6; length++) {
            unsigned texts = 1;
            for (size_t i = 0; i < length; i++)
                texts *= COUNT(letters);
            for (unsigned number = 0; number < texts; number++) {
                uint8_t text[6], *out = malloc(length + 1);
                uint32_t changed[CHANGE_COUNT] = {0};
                unsigned left = number;
                assert_non_null(out);
                for (size_t i = 0; i < length; i++, left /= COUNT(letters))
                    text[i] = letters[left % COUNT(letters)];
                size_t const got = csv_field_change(&field, text, length, out, changed);
                bool const counted = (changed[0] | changed[1] | changed[2]) != 0;
                bool const differs = got != length || memcmp(text, out, length) != 0;
                assert_true(got <= length + 1);
                assert_int_equal(counted, differs);
                if (differs) assert_true(csv_field_changes(&field, text, length));
                for (size_t i = 0; i < CHANGE_COUNT; i++)
                    assert_in_range(changed[i], 0, 1);
                if (field.null_drop) assert_null(memchr(out, '\0', got));
                if (field.newline_to_space) assert_null(memchr(out, '\n', got));
                free(out);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_over_options),
        cmocka_unit_test(quotes_what_must_be),
        cmocka_unit_test(quotes_all_when_asked),
        cmocka_unit_test(tells_texts_from_null),
        cmocka_unit_test(doubles_quotes),
        cmocka_unit_test(changes_nothing_by_default),
        cmocka_unit_test(puts_spaces_for_newlines),
        cmocka_unit_test(drops_null_characters),
        cmocka_unit_test(escapes_formulas),
        cmocka_unit_test(changes_in_the_contracts_order),
        cmocka_unit_test(keeps_its_promises_for_all_short_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

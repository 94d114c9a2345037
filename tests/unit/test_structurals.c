/* test_structurals.c - the structural index of our own against simdjson's: over texts of what matters to it,
 * at every place of a block of 64 bytes, and at the very end of what may be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/structurals_desk.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { CAPACITY = 4096 };

static struct structurals_desk desk;

/* The text is all that may be read by our code, which the sanitizer watches; simdjson gets a copy with
 * padding. */
static void compare(const uint8_t *text, size_t length)
{
    uint8_t padded[CAPACITY + LIMIT_PADDING] = {0};
    uint8_t *const exact = malloc(length == 0 ? 1 : length);
    size_t count;
    assert_non_null(exact);
    memcpy(padded, text, length);
    memcpy(exact, text, length);
    structurals_desk_compare(&desk, padded, length);
    bool const alone = structurals_find(exact, length, desk.tokens, &count);
    free(exact);
    if (!structurals_here()) return;
    struct record_index index;
    assert_int_equal(alone, record_parser_index(desk.parser, padded, length, &index));
}

/* The text at every place of two blocks, in a string and outside of one. */
static void compare_everywhere(const char *text, size_t length)
{
    uint8_t line[3 * 64 + 64];
    assert_true(length < 64);
    for (size_t at = 1; at < 130; at++)
        for (unsigned in_string = 0; in_string < 2; in_string++) {
            memset(line, in_string ? 'x' : ' ', sizeof line);
            if (in_string) line[0] = line[at + length] = '"';
            memcpy(line + at, text, length);
            compare(line, at + length + in_string);
            compare(line, at + length);
            compare(line, sizeof line);
        }
}

static void texts_at_every_place(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "\"",
                                        "\\",
                                        "\\\"",
                                        "\\\\\"",
                                        "\\\\\\\"",
                                        "{\"a\":1,\"b\":[true,null]}",
                                        "a\"b",
                                        "1\"2\"3",
                                        "\"a\"1",
                                        ":,:,",
                                        "\t\r\n",
                                        "\x01",
                                        "\x1f",
                                        "\x7f",
                                        "\x0c\x1a",
                                        "1 2",
                                        "-1.5e+3,{}",
                                        "{{{{[[",
                                        "\\u0022",
                                        "\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x98\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        "\xe0\xa0\x80"};
    for (size_t t = 0; t < COUNT(texts); t++)
        compare_everywhere(texts[t], strlen(texts[t]));
    compare_everywhere("\0", 1);
    for (size_t length = 0; length < 60; length++) {
        char slashes[64];
        memset(slashes, '\\', sizeof slashes);
        slashes[length] = '"';
        compare_everywhere(slashes, length + 1);
    }
}

/* All rows of four of the bytes at which table 3-7 of Unicode 15 changes, across a block's end. */
static void utf8_at_its_edges(void **state)
{
    (void)state;
    static const uint8_t edges[] = {'a',  0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
                                    0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    uint8_t line[80 + LIMIT_PADDING];
    memset(line, 'x', sizeof line);
    line[0] = line[79] = '"';
    for (size_t at = 60; at < 65; at++) {
        for (uint32_t i = 0; i < COUNT(edges) * COUNT(edges) * COUNT(edges) * COUNT(edges); i++) {
            uint32_t rest = i;
            for (size_t k = 0; k < 4; k++, rest /= (uint32_t)COUNT(edges))
                line[at + k] = edges[rest % COUNT(edges)];
            structurals_desk_compare(&desk, line, 80);
            if (at == 60) structurals_desk_compare(&desk, line, 64);
        }
        memset(line + 1, 'x', 78);
    }
}

static void texts_of_what_matters(void **state)
{
    (void)state;
    static const char bytes[] = "\"\"\"\"\\\\{}[]::,,  \n\t\x01\x0c\x1a\xc3\xa9"
                                "abcdefghijklmn0123456789";
    uint64_t random = 1;
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t text[256 + LIMIT_PADDING] = {0};
        size_t const length = random >> 56;
        uint64_t const kinds = 4 + (random >> 32) % (sizeof bytes - 4);
        for (size_t i = 0; i < length; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
            text[i] = (uint8_t)bytes[(random >> 33) % kinds];
        }
        random = random * 6364136223846793005u + 1442695040888963407u;
        structurals_desk_compare(&desk, text, length);
    }
}

static void every_byte_a_token(void **state)
{
    (void)state;
    uint8_t text[CAPACITY];
    memset(text, ',', sizeof text);
    for (size_t length = 0; length <= 256; length++)
        compare(text, length);
    compare(text, sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_at_every_place),
        cmocka_unit_test(utf8_at_its_edges),
        cmocka_unit_test(texts_of_what_matters),
        cmocka_unit_test(every_byte_a_token),
    };
    structurals_desk_open(&desk, CAPACITY);
    int const failed = cmocka_run_group_tests(tests, NULL, NULL);
    structurals_desk_close(&desk);
    return failed;
}

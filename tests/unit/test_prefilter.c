/* test_prefilter.c - against a search byte by byte: ids of all lengths, one and many, at every place;
 * escapes; lines asked one after another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/record/prefilter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 10000, IDS_MAX = MAPPING_SEGMENTS_MAX };

struct desk {
    struct arena arena;
    struct segment ids[IDS_MAX];
    struct segments segments;
    const struct prefilter *filter;
    uint8_t *text; /* TEXT_MAX and padding */
};

static void open_desk(struct desk *desk)
{
    *desk = (struct desk){.text = calloc(1, TEXT_MAX + LIMIT_PADDING)};
    assert_non_null(desk->text);
    desk->segments.list = desk->ids;
}

static void close_desk(struct desk *desk)
{
    arena_free(&desk->arena);
    free(desk->text);
}

static void add_id(struct desk *desk, const char *id, size_t length)
{
    desk->ids[desk->segments.count++] =
        (struct segment){.id = arena_text(&desk->arena, id, length), .id_length = length};
}

static void make(struct desk *desk)
{
    desk->filter = prefilter_create(&desk->arena, &desk->segments);
    assert_non_null(desk->filter);
}

/* Asked in lines. */
static void expect_lines(const struct desk *desk, const char *text, const char *wanted)
{
    size_t const length = strlen(text);
    memcpy(desk->text, text, length);
    memset(desk->text + length, 0xff, LIMIT_PADDING);
    struct prefilter_scan scan;
    prefilter_begin(&scan, desk->filter, desk->text, length);
    for (size_t at = 0; at < length; wanted++) {
        const char *const feed = strchr(text + at, '\n');
        size_t const end = feed == NULL ? length : (size_t)(feed - text);
        assert_int_equal(prefilter_may_name(&scan, at, end), *wanted == 'y');
        at = end + 1;
    }
    assert_int_equal(*wanted, '\0');
}

static void lines_with_an_id(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    add_id(&desk, "59bd2fcd-3c48", 13);
    make(&desk);
    expect_lines(&desk, "59bd2fcd-3c48\nx\n{\"59bd2fcd-3c48\":1}\n59bd2fcd-3c4\n8\n59bd2fcd-3c48", "ynynny");
    expect_lines(&desk, "", "");
    expect_lines(&desk, "59bd2fcd-3c48 59bd2fcd-3c48\n\n\n59bd2fcd-3c48", "ynny");
    close_desk(&desk);
}

static void escapes_may_spell_an_id(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    add_id(&desk, "abcd", 4);
    make(&desk);
    expect_lines(&desk, "x\\u0061bcd\n\\n\\\"\n\\\\u\n\\U0061", "ynyn"); /* the third only looks like one */
    close_desk(&desk);
    open_desk(&desk);
    add_id(&desk, "a/b", 3);
    add_id(&desk, "plain", 5);
    make(&desk);
    expect_lines(&desk, "a\\/b\na/b\nx\\ny\nxyz\nplain", "yyyny");
    close_desk(&desk);
}

/* Only escapes that may be a character of an id count. */
static void escapes_of_other_characters(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    add_id(&desk, "a-9", 3);
    make(&desk);
    expect_lines(&desk, "\\u0061\n\\u0062\n\\u002d\n\\u002D\n\\u00e1\n\\u0161\n\\ud83d\\ude00", "ynyynnn");
    expect_lines(&desk, "\\u0000\n\\u00g1\n\\u00\n\\u\n\\u0039", "yyyyy"); /* dropped, or no number */
    expect_lines(&desk, "\\u0062\\u0062\\u0039\n\\u0062\n\\u00", "yny");
    close_desk(&desk);
    open_desk(&desk);
    add_id(&desk, "a", 1);
    add_id(&desk, "\xc3\xa9", 2);
    make(&desk);
    expect_lines(&desk, "\\u00e9\n\\u0061\n\\u0062\n\\ud83d", "yyny");
    close_desk(&desk);
}

static void short_ids(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    add_id(&desk, "7", 1);
    add_id(&desk, "89", 2);
    make(&desk);
    assert_int_equal(prefilter_id_max(desk.filter), 2);
    expect_lines(&desk, "123456\n8 9\n7\n98\n089", "nnyny");
    close_desk(&desk);
}

/* ---- against the plain search ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static char random_letter(uint32_t *seed, uint32_t letters)
{
    return "abcdefghijklmn"[next_random(seed) % letters];
}

static bool plain_may_name(const struct desk *desk, size_t begin, size_t end)
{
    for (size_t i = 0; i < desk->segments.count; i++) {
        const struct segment *const id = &desk->ids[i];
        if (memmem(desk->text + begin, end - begin, id->id, id->id_length) != NULL) return true;
    }
    for (size_t at = begin; at < end; at++) {
        const char *const text = (const char *)desk->text + at;
        if (strncmp(text, "\\u", 2) != 0) continue;
        if (strspn(text + 2, "0123456789abcdef") < 4) return true; /* another escape was planted into it */
        unsigned long const letter = strtoul((char[]){text[4], text[5], '\0'}, NULL, 16);
        for (size_t i = 0; i < desk->segments.count; i++)
            if (memchr(desk->ids[i].id, (int)letter, desk->ids[i].id_length) != NULL) return true;
    }
    return false;
}

static void random_round(uint32_t *seed)
{
    struct desk desk;
    open_desk(&desk);
    uint32_t const letters = 2 + next_random(seed) % 12; /* few letters: many near misses */
    size_t const ids = 1 + next_random(seed) % (next_random(seed) % 4 == 0 ? IDS_MAX : 5);
    size_t const least = 1 + next_random(seed) % 8;
    for (size_t i = 0; i < ids; i++) {
        char id[300];
        size_t const length = least + next_random(seed) % (next_random(seed) % 8 == 0 ? 290 : 12);
        for (size_t k = 0; k < length; k++)
            id[k] = random_letter(seed, letters);
        add_id(&desk, id, length);
    }
    make(&desk);
    size_t const length = next_random(seed) % TEXT_MAX;
    for (size_t k = 0; k < length; k++)
        desk.text[k] = (uint8_t)random_letter(seed, letters);
    for (size_t k = 0; k < 4 && length > 320; k++) { /* ids, planted */
        const struct segment *const id = &desk.ids[next_random(seed) % ids];
        memcpy(desk.text + next_random(seed) % (length - 310), id->id, id->id_length);
    }
    for (size_t k = 0; k < 4 && length > 320; k++) { /* escapes, of letters in ids and of others */
        char escape[7];
        (void)snprintf(escape, sizeof escape, "\\u00%02x", (unsigned)random_letter(seed, 14));
        memcpy(desk.text + next_random(seed) % (length - 310), escape, 6);
    }
    struct prefilter_scan scan;
    prefilter_begin(&scan, desk.filter, desk.text, length);
    for (size_t at = 0; at < length;) {
        size_t end = at + next_random(seed) % 200;
        if (end > length) end = length;
        bool const may = prefilter_may_name(&scan, at, end);
        if (plain_may_name(&desk, at, end)) assert_true(may);
        /* an id may reach over the end of what was asked: more is said then, never less */
        if (may && end + 300 < length) assert_true(plain_may_name(&desk, at, end + 300));
        at = end + 1;
    }
    close_desk(&desk);
}

static void random_texts(void **state)
{
    (void)state;
    uint32_t seed = 20261128;
    for (int round = 0; round < 3000; round++)
        random_round(&seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_with_an_id),
        cmocka_unit_test(escapes_may_spell_an_id),
        cmocka_unit_test(escapes_of_other_characters),
        cmocka_unit_test(short_ids),
        cmocka_unit_test(random_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

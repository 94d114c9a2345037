/* test_prefilter.c - against a search byte by byte: ids of all lengths, few and many, at every place;
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
    expect_lines(&desk, "\"59bd2fcd-3c48\"\nx\n{\"59bd2fcd-3c48\":1}\n\"59bd2fcd-3c4\n8\"\n\"59bd2fcd-3c48\"",
                 "ynynny");
    expect_lines(&desk, "", "");
    expect_lines(&desk, "{\"59bd2fcd-3c48\",\"59bd2fcd-3c48\"\n\n\n \"59bd2fcd-3c48\"", "ynny");
    expect_lines(&desk, "59bd2fcd-3c48\n\"59bd2fcd-3c48\n59bd2fcd-3c48\"\n\"59bd2fcd-3c48", "nnnn");
    close_desk(&desk);
}

static void escapes_may_spell_an_id(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    add_id(&desk, "abcd", 4);
    make(&desk);
    expect_lines(&desk, "{\"x\\u0061bcd\n\\n\\\"\n\\\\u\n\\U0061",
                 "ynyn"); /* the third only looks like one */
    close_desk(&desk);
    open_desk(&desk);
    add_id(&desk, "a/b", 3);
    add_id(&desk, "plain", 5);
    make(&desk);
    expect_lines(&desk, "a\\/b\n{\"a/b\":\nx\\ny\nxyz\n,\"plain\"", "yyyny");
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

/* `xdm:` may stand before an id, once, spelled any way. */
static void prefixed_ids(void **state)
{
    (void)state;
    for (size_t ids = 1; ids <= 3; ids++) { /* few and many */
        struct desk desk;
        open_desk(&desk);
        add_id(&desk, "ABC", 3);
        if (ids > 1) add_id(&desk, "1234567890", 10);
        if (ids > 2) add_id(&desk, "unused", 6);
        make(&desk);
        expect_lines(&desk, "{\"xdm:ABC\":\n{\"xdmABC\"\n{\"xdm:ABCD\"\n,\"xdm:ABC", "ynnn");
        expect_lines(&desk, "\"\\u0078dm:ABC\"\n\"\\u0064\n\\u006D\n\\u003a\n\\u007a", "yyyyn");
        expect_lines(&desk, "\"xdm:\n\"xdm\n\"", "nnn");
        if (ids > 1) expect_lines(&desk, "{ \"xdm:1234567890\"\n{ \"xdm:123456789\"", "yn");
        close_desk(&desk);
    }
}

static void short_ids(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    add_id(&desk, "7", 1);
    add_id(&desk, "89", 2);
    make(&desk);
    assert_int_equal(prefilter_key_max(desk.filter), 8);
    expect_lines(&desk, "1234567\n\"8 9\"\n\"7\"\n\"98\"\n{\"089\",\"89\"", "nnyny");
    close_desk(&desk);
    open_desk(&desk); /* many: each key is looked at */
    add_id(&desk, "7", 1);
    add_id(&desk, "89", 2);
    add_id(&desk, "7890123456", 10);
    make(&desk);
    expect_lines(&desk, "\"7\"\n:\"7\"\n{\"78\"\n,\"7890123456\"\n \"89\"\n\"7890123457\"\n\"89", "ynnyynn");
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

static bool plain_key(const char *text, size_t begin, size_t end, const struct segment *id)
{
    static const char *const before[] = {"\"", "\"xdm:"};
    for (size_t at = begin; at < end; at++)
        for (size_t i = 0; i < 2; i++) {
            size_t const front = strlen(before[i]);
            if (at + front + id->id_length + 1 > end || memcmp(text + at, before[i], front) != 0) continue;
            if (memcmp(text + at + front, id->id, id->id_length) != 0) continue;
            if (text[at + front + id->id_length] != '"') continue;
            if (at == 0 || strchr("{, ", text[at - 1]) != NULL) return true;
        }
    return false;
}

static bool plain_id(const struct desk *desk, size_t begin, size_t end)
{
    for (size_t i = 0; i < desk->segments.count; i++)
        if (plain_key((const char *)desk->text, begin, end, &desk->ids[i])) return true;
    return false;
}

static bool plain_escape(const struct desk *desk, size_t begin, size_t end)
{
    for (size_t at = begin; at < end; at++) {
        const char *const text = (const char *)desk->text + at;
        if (strncmp(text, "\\u", 2) != 0) continue;
        if (strspn(text + 2, "0123456789abcdef") < 4) return true; /* something was planted into it */
        unsigned long const letter = strtoul((char[]){text[4], text[5], '\0'}, NULL, 16);
        if (letter != 0 && strchr("xdm:", (int)letter) != NULL) return true;
        for (size_t i = 0; i < desk->segments.count; i++)
            if (memchr(desk->ids[i].id, (int)letter, desk->ids[i].id_length) != NULL) return true;
    }
    return false;
}

static void plant_ids(struct desk *desk, uint32_t *seed, size_t length)
{
    for (size_t k = 0; k < 6 && length > 320; k++) {
        const struct segment *const id = &desk->ids[next_random(seed) % desk->segments.count];
        uint8_t *at = desk->text + next_random(seed) % (length - 310);
        at[0] = (uint8_t) "{, :x"[next_random(seed) % 5];
        at[1] = '"';
        memcpy(at + 2, id->id, id->id_length);
        if (next_random(seed) % 8 != 0) at[2 + id->id_length] = '"';
    }
}

static void plant_escapes(struct desk *desk, uint32_t *seed, size_t length)
{
    for (size_t k = 0; k < 4 && length > 320; k++) { /* of letters in ids and of others */
        char escape[7];
        (void)snprintf(escape, sizeof escape, "\\u00%02x", (unsigned)random_letter(seed, 14));
        memcpy(desk->text + next_random(seed) % (length - 310), escape, 6);
    }
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
        desk.text[k] = (uint8_t)(next_random(seed) % 5 == 0 ? "\"\"{, :"[next_random(seed) % 6]
                                                            : random_letter(seed, letters));
    plant_ids(&desk, seed, length);
    plant_escapes(&desk, seed, length);
    struct prefilter_scan scan;
    prefilter_begin(&scan, desk.filter, desk.text, length);
    for (size_t at = 0; at < length;) {
        size_t end = at + next_random(seed) % 200;
        if (end > length) end = length;
        bool const may = prefilter_may_name(&scan, at, end);
        if (plain_id(&desk, at, end) || plain_escape(&desk, at, end)) assert_true(may);
        /* a key may reach over both ends of what was asked: more is said then, never less */
        if (may && end + 310 < length)
            assert_true(plain_id(&desk, at < 5 ? 0 : at - 5, end + 310) || plain_escape(&desk, at, end));
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
        cmocka_unit_test(prefixed_ids),
        cmocka_unit_test(short_ids),
        cmocka_unit_test(random_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

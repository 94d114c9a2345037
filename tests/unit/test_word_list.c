/* test_word_list.c - words of all lengths against a plain comparison. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/map/word_list.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 24u

static const char *const words[] = {"y", "dy", "", "exactly8", "realized", "nine char", "longer than eight"};
#define WORDS (sizeof words / sizeof *words)

struct desk {
    struct arena arena;
    struct word_list list;
};

static void start(struct desk *desk, size_t count)
{
    *desk = (struct desk){.list = {.count = 0}};
    assert_true(word_list_make(&desk->arena, words, count, &desk->list));
}

/* Text with others' bytes behind it, which must not count. */
static bool has(const struct word_list *list, const void *text, size_t length)
{
    uint8_t bytes[TEXT_MAX + WORD_LIST_SHORT];
    memset(bytes, 'y', sizeof bytes);
    memcpy(bytes, text, length);
    return word_list_has(list, bytes, length);
}

static void every_word_is_found(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk, WORDS);
    for (size_t i = 0; i < WORDS; i++)
        assert_true(has(&desk.list, words[i], strlen(words[i])));
    arena_free(&desk.arena);
}

static void beginnings_and_neighbours_are_not(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk, WORDS);
    for (size_t i = 0; i < WORDS; i++) {
        char text[TEXT_MAX];
        size_t const length = strlen(words[i]);
        memcpy(text, words[i], length);
        for (size_t at = 0; at < length; at++) {
            text[at] ^= 1;
            assert_false(has(&desk.list, text, length));
            text[at] ^= 1;
        }
        text[length] = 'z';
        assert_false(has(&desk.list, text, length + 1));
        if (length > 1) assert_false(has(&desk.list, text, length - 1));
    }
    arena_free(&desk.arena);
}

static void nuls_count(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk, WORDS);
    assert_false(has(&desk.list, "y\0", 2));
    assert_false(has(&desk.list, "\0", 1));
    assert_false(has(&desk.list, "\0y", 2));
    assert_false(has(&desk.list, "\0\0\0\0\0\0\0\0", 8));
    assert_false(has(&desk.list, "exactly\0", 8));
    assert_false(has(&desk.list, "nine char\0", 10));
    arena_free(&desk.arena);
}

static void an_empty_list_has_nothing(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk, 0);
    assert_false(has(&desk.list, "", 0));
    assert_false(has(&desk.list, "y", 1));
    assert_false(has(&desk.list, "longer than eight", 17));
    arena_free(&desk.arena);
    start(&desk, 1);
    assert_false(has(&desk.list, "", 0));
    arena_free(&desk.arena);
}

/* From none to more than a table takes: each is found, and no other. */
static void lists_of_all_sizes(void **state)
{
    (void)state;
    enum { MANY = 300 };
    static char texts[MANY][WORD_LIST_SHORT + 1];
    const char *list[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "%.*s%u", (int)(i % 5), "abcd", i);
        list[i] = texts[i];
    }
    for (size_t count = 0; count <= MANY; count += count < 60 ? 1 : 40) {
        struct arena arena = {0};
        struct word_list words_of;
        assert_true(word_list_make(&arena, list, count, &words_of));
        for (size_t i = 0; i < MANY; i++)
            assert_true(has(&words_of, texts[i], strlen(texts[i])) == (i < count));
        arena_free(&arena);
    }
}

static void words_may_stand_twice(void **state)
{
    (void)state;
    static const char *const twice[] = {"y", "n", "y", "n", "y"};
    struct arena arena = {0};
    struct word_list list;
    assert_true(word_list_make(&arena, twice, sizeof twice / sizeof *twice, &list));
    assert_true(has(&list, "y", 1) && has(&list, "n", 1));
    assert_false(has(&list, "u", 1) || has(&list, "yn", 2) || has(&list, "", 0));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_word_is_found),
                                       cmocka_unit_test(beginnings_and_neighbours_are_not),
                                       cmocka_unit_test(nuls_count),
                                       cmocka_unit_test(lists_of_all_sizes),
                                       cmocka_unit_test(words_may_stand_twice),
                                       cmocka_unit_test(an_empty_list_has_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

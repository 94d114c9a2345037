/* test_arena.c - memory is zeroed, aligned, apart; impossible sizes fail and stay noted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/arena.h"

#include <string.h>

static bool all_zero(const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0) return false;
    return true;
}

/* Sizes around the alignment and the block; each allocation is filled, so that an overlap would show. */
static void gives_zeroed_aligned_memory_apart(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,     15, 16, 17, 100, 4096, 16 * 1024 - 16, 16 * 1024, 16 * 1024 + 1,
                                   100000};
    enum { ROUNDS = 20, COUNT = sizeof sizes / sizeof *sizes };
    unsigned char *given[ROUNDS * COUNT];
    struct arena arena = {0};
    for (size_t i = 0; i < ROUNDS * COUNT; i++) {
        given[i] = arena_alloc(&arena, sizes[i % COUNT]);
        assert_non_null(given[i]);
        assert_int_equal((uintptr_t)given[i] % 16, 0);
        assert_true(all_zero(given[i], sizes[i % COUNT]));
        memset(given[i], (int)(i % 255 + 1), sizes[i % COUNT]);
    }
    for (size_t i = 0; i < ROUNDS * COUNT; i++)
        for (size_t b = 0; b < sizes[i % COUNT]; b++)
            assert_true(given[i][b] == i % 255 + 1);
    assert_false(arena_failed(&arena));
    arena_free(&arena);
}

static void takes_zero_bytes(void **state)
{
    (void)state;
    struct arena arena = {0};
    assert_non_null(arena_alloc(&arena, 0));
    assert_non_null(arena_array(&arena, 0, 8));
    assert_non_null(arena_array(&arena, 8, 0));
    assert_false(arena_failed(&arena));
    arena_free(&arena);
}

static void copies_texts(void **state)
{
    (void)state;
    struct arena arena = {0};
    assert_string_equal(arena_text(&arena, "", 0), "");
    assert_string_equal(arena_text(&arena, NULL, 0), "");
    assert_string_equal(arena_text(&arena, "abcdef", 3), "abc");
    assert_memory_equal(arena_text(&arena, "a\0b", 3), "a\0b", 4);
    char text[16];
    memset(text, 'x', sizeof text);
    assert_int_equal(strlen(arena_text(&arena, text, sizeof text)),
                     sizeof text); /* terminator past the align */
    arena_free(&arena);
}

static void notes_impossible_sizes(void **state)
{
    (void)state;
    static const size_t factors[][2] = {
        {SIZE_MAX, SIZE_MAX}, {SIZE_MAX / 2, 3}, {SIZE_MAX / 16 + 1, 16}, {2, SIZE_MAX / 2}, {SIZE_MAX, 1},
    };
    struct arena arena = {0};
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_true(arena_failed(&arena));
    arena_free(&arena);
    assert_false(arena_failed(&arena));
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        assert_null(arena_array(&arena, factors[i][0], factors[i][1]));
        assert_true(arena_failed(&arena));
        assert_non_null(arena_alloc(&arena, 8)); /* what fits still comes, */
        assert_true(arena_failed(&arena));       /* but the failure stays noted */
        arena_free(&arena);
    }
}

static void may_be_used_again(void **state)
{
    (void)state;
    struct arena arena = {0};
    arena_free(&arena);
    for (int i = 0; i < 3; i++) {
        unsigned char *bytes = arena_array(&arena, 100, 50);
        assert_non_null(bytes);
        assert_true(all_zero(bytes, 5000));
        memset(bytes, 0xFF, 5000);
        arena_free(&arena);
        assert_null(arena.blocks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory_apart),
        cmocka_unit_test(takes_zero_bytes),
        cmocka_unit_test(copies_texts),
        cmocka_unit_test(notes_impossible_sizes),
        cmocka_unit_test(may_be_used_again),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}

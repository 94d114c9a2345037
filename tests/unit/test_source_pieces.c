/* test_source_pieces.c - what was given back last is filled next, and queues keep their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/input/source_pieces.h"

enum { COUNT = 5, BYTES = 100 };

static void fills_what_was_read_last(void **state)
{
    (void)state;
    struct source_pieces pieces;
    assert_true(source_pieces_create(&pieces, COUNT, BYTES, 0));
    struct source_piece *const first = source_pieces_take(&pieces);
    struct source_piece *const second = source_pieces_take(&pieces);
    for (int i = 0; i < 20; i++) { /* however long, no other memory is touched */
        first->length = 7;
        source_pieces_give(&pieces, first);
        assert_int_equal(pieces.empty_count, COUNT - 1);
        assert_ptr_equal(source_pieces_take(&pieces), first);
        assert_int_equal(first->length, 0);
    }
    source_pieces_give(&pieces, second);
    source_pieces_give(&pieces, first);
    assert_ptr_equal(source_pieces_take(&pieces), first);
    assert_ptr_equal(source_pieces_take(&pieces), second);
    source_pieces_destroy(&pieces);
}

static void has_no_more_than_there_are(void **state)
{
    (void)state;
    struct source_pieces pieces;
    struct source_piece_queue queue = {.bytes = 0};
    assert_true(source_pieces_create(&pieces, COUNT, BYTES, 0));
    for (int i = 0; i < COUNT; i++) {
        struct source_piece *const piece = source_pieces_take(&pieces);
        assert_non_null(piece);
        for (int k = 0; k < BYTES; k++)
            piece->memory[k] = (uint8_t)i; /* they don't overlap, as sanitizers would see */
        piece->length = BYTES;
        source_piece_push(&queue, piece);
    }
    assert_null(source_pieces_take(&pieces));
    assert_int_equal(queue.bytes, COUNT * BYTES);
    int expected = 0;
    for (const struct source_piece *piece = queue.first; piece != NULL; piece = piece->next, expected++)
        for (int k = 0; k < BYTES; k++)
            assert_int_equal(piece->memory[k], expected);
    assert_int_equal(expected, COUNT);
    source_pieces_give_all(&pieces, &queue);
    assert_int_equal(pieces.empty_count, COUNT);
    assert_null(queue.first);
    assert_int_equal(queue.bytes, 0);
    source_pieces_destroy(&pieces);
}

static void keeps_their_order(void **state)
{
    (void)state;
    struct source_piece pieces[COUNT] = {{.length = 0}};
    struct source_piece_queue queue = {.bytes = 0};
    assert_null(source_piece_pop(&queue));
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            pieces[i].length = i + 1;
            source_piece_push(&queue, &pieces[i]);
        }
        for (size_t i = 0, left = 15; i < COUNT; i++) {
            assert_int_equal(queue.bytes, left);
            assert_ptr_equal(source_piece_pop(&queue), &pieces[i]);
            left -= i + 1;
        }
        assert_null(source_piece_pop(&queue));
        assert_int_equal(queue.bytes, 0);
    }
}

static void keeps_to_a_budget(void **state)
{
    (void)state;
    for (size_t count = 0; count < 40; count++) {
        uint64_t const memory = source_pieces_memory(count, BYTES);
        assert_int_equal(source_pieces_fit(memory, BYTES), count);
        assert_true(memory >= count * BYTES);
        if (memory > 0) assert_int_equal(source_pieces_fit(memory - 1, BYTES), count - 1);
    }
    assert_true(source_pieces_fit(UINT64_MAX, BYTES) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_what_was_read_last),
        cmocka_unit_test(has_no_more_than_there_are),
        cmocka_unit_test(keeps_their_order),
        cmocka_unit_test(keeps_to_a_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

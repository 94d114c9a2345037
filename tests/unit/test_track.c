/* test_track.c - acts inside acts, sums, spans and those that are dropped; with a clock by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/track.h"

#include <string.h>

static uint64_t clock_by_hand;

static uint64_t now(void)
{
    return clock_by_hand;
}

static void counts_nothing_without_a_track(void **state)
{
    (void)state;
    track_end(NULL, track_begin(NULL), TRACK_READ, 7);
}

/* Each nanosecond belongs to the innermost act. */
static void gives_time_to_the_innermost_act(void **state)
{
    (void)state;
    struct track track;
    assert_true(track_init(&track, now, 8));
    clock_by_hand = 1000;
    struct track_mark const convert = track_begin(&track);
    clock_by_hand += 10;
    struct track_mark const wait = track_begin(&track);
    clock_by_hand += 5;
    struct track_mark const compress = track_begin(&track);
    clock_by_hand += 3;
    track_end(&track, compress, TRACK_COMPRESS, 30);
    clock_by_hand += 2;
    track_end(&track, wait, TRACK_WAIT_CHUNK, 0);
    struct track_mark const read = track_begin(&track);
    clock_by_hand += 40;
    track_end(&track, read, TRACK_READ, 400);
    clock_by_hand += 100;
    track_end(&track, convert, TRACK_CONVERT, 500);
    assert_int_equal(track.spent[TRACK_CONVERT], 110);
    assert_int_equal(track.spent[TRACK_WAIT_CHUNK], 7);
    assert_int_equal(track.spent[TRACK_COMPRESS], 3);
    assert_int_equal(track.spent[TRACK_READ], 40);
    assert_int_equal(track.counted, 160);
    assert_int_equal(track.bytes[TRACK_READ], 400);
    assert_int_equal(track.bytes[TRACK_CONVERT], 500);
    assert_int_equal(track.span_count, 4);
    const struct track_span *const outer = &track.spans[3];
    assert_int_equal(outer->began, 1000);
    assert_int_equal(outer->took, 160);
    assert_int_equal(outer->own, 110);
    assert_int_equal(outer->bytes, 500);
    assert_int_equal(outer->act, TRACK_CONVERT);
    track_free(&track);
}

static void add_acts(struct track *track, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct track_mark const mark = track_begin(track);
        clock_by_hand += 2;
        track_end(track, mark, TRACK_READ, 10);
    }
}

/* The first spans stay, the sums go on. */
static void drops_what_has_no_room(void **state)
{
    (void)state;
    struct track track;
    assert_true(track_init(&track, now, 3));
    clock_by_hand = 0;
    add_acts(&track, 5);
    assert_int_equal(track.span_count, 3);
    assert_int_equal(track.dropped, 2);
    assert_int_equal(track.spans[2].began, 4);
    assert_int_equal(track.spent[TRACK_READ], 10);
    track_free(&track);
}

static void keeps_no_spans_unasked(void **state)
{
    (void)state;
    struct track track;
    assert_true(track_init(&track, now, 0));
    add_acts(&track, 5);
    assert_null(track.spans);
    assert_int_equal(track.span_count, 0);
    assert_int_equal(track.dropped, 0);
    assert_int_equal(track.counted, 10);
    track_free(&track);
}

static void adds_up_threads(void **state)
{
    (void)state;
    struct track tracks[3], sum = {.now = NULL};
    for (unsigned t = 0; t < 3; t++) {
        assert_true(track_init(&tracks[t], now, 1));
        add_acts(&tracks[t], t + 1);
    }
    track_add(tracks, 3, &sum);
    assert_int_equal(sum.spent[TRACK_READ], 12);
    assert_int_equal(sum.bytes[TRACK_READ], 60);
    assert_int_equal(sum.counted, 12);
    assert_int_equal(sum.dropped, 3);
    for (unsigned t = 0; t < 3; t++)
        track_free(&tracks[t]);
}

static void has_a_name_for_every_act(void **state)
{
    (void)state;
    for (enum track_act a = 0; a < TRACK_ACTS; a++) {
        assert_non_null(track_act_name(a));
        assert_int_equal(track_is_wait(a), strncmp(track_act_name(a), "wait", 4) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_nothing_without_a_track),
        cmocka_unit_test(gives_time_to_the_innermost_act),
        cmocka_unit_test(drops_what_has_no_room),
        cmocka_unit_test(keeps_no_spans_unasked),
        cmocka_unit_test(adds_up_threads),
        cmocka_unit_test(has_a_name_for_every_act),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

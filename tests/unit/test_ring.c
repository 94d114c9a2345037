/* test_ring.c - the ring alone (edges, wrap-around, close), then between two threads that spin. */
#define _GNU_SOURCE 1 /* pthread_timedjoin_np() in stress.h */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/ring.h"
#include "tests/unit/stress.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const uint32_t sizes[] = {1, 2, 4, 1024};
static const uint32_t first_indices[] = {0, UINT32_MAX - 3, UINT32_MAX, UINT32_C(1) << 31};

/* ---- one thread ---- */

static void rounds_capacity_up(void **state)
{
    (void)state;
    static const uint32_t wanted[] = {0, 1, 2, 3, 4, 5, 1023, 1024, 1025};
    static const uint32_t given[] = {1, 1, 2, 4, 4, 8, 1024, 1024, 2048};
    int item;
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct ring ring;
        assert_true(ring_init(&ring, wanted[i], 0));
        uint32_t pushed = 0;
        while (ring_push(&ring, &item))
            pushed++;
        assert_int_equal(pushed, given[i]); /* all of the capacity is usable */
        ring_free(&ring);
    }
}

static void refuses_capacity_past_the_indices(void **state)
{
    (void)state;
    struct ring ring;
    memset(&ring, 0xAA, sizeof ring);
    assert_false(ring_init(&ring, (UINT32_C(1) << 31) + 1, 0));
    ring_free(&ring); /* a ring that failed to start may be freed */
    assert_false(ring_init(&ring, UINT32_MAX, 0));
    ring_free(&ring);
}

static void frees_zeroed_and_twice(void **state)
{
    (void)state;
    struct ring ring = {0};
    ring_free(&ring);
    assert_true(ring_init(&ring, 4, 0));
    ring_free(&ring);
    ring_free(&ring);
}

static void keeps_lines_apart(void **state)
{
    (void)state;
    struct ring ring;
    assert_int_equal((uintptr_t)&ring % LIMIT_LINE, 0);
    assert_true(offsetof(struct ring, head) - offsetof(struct ring, tail) >= LIMIT_LINE);
    assert_true(offsetof(struct ring, slots) - offsetof(struct ring, head) >= LIMIT_LINE);
    assert_int_equal(sizeof ring % LIMIT_LINE, 0);
    assert_true(atomic_is_lock_free(&ring.tail) && atomic_is_lock_free(&ring.closed));
}

/* Fills and empties one ring at every fill level, several times round. */
static void walk_edges(uint32_t size, uint32_t first)
{
    struct ring ring;
    uint32_t *numbers = calloc((size_t)size + 1, sizeof *numbers);
    assert_non_null(numbers);
    assert_true(ring_init(&ring, size, first));
    uint32_t const rounds = size > 8 ? 3 : 2 * size + 5;
    for (uint32_t round = 0; round < rounds; round++) {
        assert_null(ring_peek(&ring));
        assert_null(ring_pop(&ring));
        assert_false(ring_finished(&ring));
        for (uint32_t i = 0; i < size; i++)
            assert_true(ring_push(&ring, &numbers[i]));
        assert_false(ring_push(&ring, &numbers[size]));
        assert_ptr_equal(ring_peek(&ring), &numbers[0]);
        assert_ptr_equal(ring_pop(&ring), &numbers[0]);
        assert_true(ring_push(&ring, &numbers[size])); /* one out, one in: full again */
        assert_false(ring_push(&ring, &numbers[0]));
        for (uint32_t i = 1; i <= size; i++) {
            assert_ptr_equal(ring_peek(&ring), &numbers[i]);
            assert_ptr_equal(ring_peek(&ring), &numbers[i]); /* the item stays */
            assert_ptr_equal(ring_pop(&ring), &numbers[i]);
        }
    }
    ring_free(&ring);
    free(numbers);
}

static void meets_full_and_empty_at_every_wrap(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (size_t f = 0; f < COUNT(first_indices); f++)
            walk_edges(sizes[s], first_indices[f]);
    for (uint32_t back = 0; back < 12; back++)
        walk_edges(4, UINT32_MAX - back);
}

static void keeps_order_at_any_fill(void **state)
{
    (void)state;
    struct ring ring;
    uint32_t random = 7, in = 0, out = 0;
    static uint32_t numbers[64];
    assert_true(ring_init(&ring, 16, UINT32_MAX - 3));
    for (int step = 0; step < 20000; step++) {
        if (stress_random(&random) & 1024) {
            bool const room = in - out < 16;
            assert_int_equal(ring_push(&ring, &numbers[in % 64]), room);
            in += room;
        } else {
            void *expected = in == out ? NULL : &numbers[out % 64];
            assert_ptr_equal(ring_pop(&ring), expected);
            out += expected != NULL;
        }
    }
    ring_free(&ring);
}

static void finishes_only_when_closed_and_empty(void **state)
{
    (void)state;
    int item;
    struct ring ring;
    assert_true(ring_init(&ring, 2, UINT32_MAX));
    assert_false(ring_finished(&ring));
    ring_close(&ring); /* closed while empty */
    assert_true(ring_finished(&ring));
    assert_null(ring_pop(&ring));
    assert_true(ring_finished(&ring)); /* and it stays so */
    ring_free(&ring);

    assert_true(ring_init(&ring, 2, UINT32_MAX));
    assert_null(ring_peek(&ring)); /* the consumer's own view is "empty" and stale from here on */
    assert_true(ring_push(&ring, &item));
    assert_true(ring_push(&ring, &item));
    assert_false(ring_push(&ring, &item));
    ring_close(&ring); /* closed while full */
    assert_false(ring_finished(&ring));
    assert_non_null(ring_pop(&ring));
    assert_false(ring_finished(&ring));
    assert_non_null(ring_pop(&ring));
    assert_true(ring_finished(&ring));
    ring_free(&ring);
}

/* ---- two threads ---- */

struct line {
    struct ring forth, back; /* messages go forth and come home by back */
    uint32_t count;
    enum stress_pace producer_pace, consumer_pace;
    struct stress_message *messages;
    uint32_t message_count;
    uint32_t errors; /* the consumer's, read after the join */
};

/* A message to fill: the next new one, then those that came home. */
static struct stress_message *next_message(struct line *line, uint32_t *fresh)
{
    if (*fresh < line->message_count) return &line->messages[(*fresh)++];
    void *home;
    uint32_t looks = 0;
    while ((home = ring_pop(&line->back)) == NULL)
        stress_look_again(&looks);
    return home;
}

static void *produce(void *context)
{
    struct line *line = context;
    uint32_t random = 11, fresh = 0, looks = 0;
    for (uint32_t sequence = 0; sequence < line->count; sequence++) {
        struct stress_message *message = next_message(line, &fresh);
        stress_fill(message, 5, sequence);
        while (!ring_push(&line->forth, message))
            stress_look_again(&looks);
        stress_stall(line->producer_pace, &random);
    }
    ring_close(&line->forth);
    return NULL;
}

static void *consume(void *context)
{
    struct line *line = context;
    uint32_t random = 13, sequence = 0, looks = 0;
    while (!ring_finished(&line->forth)) {
        struct stress_message *message = ring_pop(&line->forth);
        if (message == NULL) {
            stress_look_again(&looks);
            continue;
        }
        line->errors += !stress_check(message, 5, sequence++);
        stress_fill(message, 99, 0); /* it is ours until it goes home: a race with the producer would show */
        while (!ring_push(&line->back, message))
            stress_look_again(&looks);
        stress_stall(line->consumer_pace, &random);
    }
    line->errors += sequence != line->count;
    return NULL;
}

static void run_line(uint32_t size, uint32_t first, uint32_t count, enum stress_pace producer_pace,
                     enum stress_pace consumer_pace)
{
    struct line line = {.count = count, .producer_pace = producer_pace, .consumer_pace = consumer_pace};
    line.message_count = size + 1; /* one more than fits forth; all fit back, where the producer ends first */
    line.messages = calloc(line.message_count, sizeof *line.messages);
    assert_non_null(line.messages);
    assert_true(ring_init(&line.forth, size, first));
    assert_true(ring_init(&line.back, line.message_count, first));

    pthread_t producer, consumer;
    stress_start(&consumer, consume, &line);
    stress_start(&producer, produce, &line);
    stress_join(producer, "producer of a ring");
    stress_join(consumer, "consumer of a ring");
    assert_int_equal(line.errors, 0);

    ring_free(&line.forth);
    ring_free(&line.back);
    free(line.messages);
}

static void relays_between_two_threads(void **state)
{
    (void)state;
    static const enum stress_pace paces[][2] = {
        {STRESS_FAST, STRESS_FAST},
        {STRESS_SLOW, STRESS_FAST},
        {STRESS_FAST, STRESS_SLOW},
        {STRESS_RANDOM, STRESS_RANDOM},
    };
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (size_t p = 0; p < COUNT(paces); p++)
            run_line(sizes[s], p % 2 ? UINT32_MAX - 3 : 0, sizes[s] < 4 ? 8000 : 40000, paces[p][0],
                     paces[p][1]);
}

/* Very short lives, over an empty, a part filled and a full ring. */
static void closes_at_any_fill(void **state)
{
    (void)state;
    for (uint32_t life = 0; life < 60; life++)
        run_line(life % 3 + 1, UINT32_MAX - life % 5, life % 5, STRESS_FAST,
                 life % 2 ? STRESS_FAST : STRESS_SLOW);
}

/* Many rings, each with one push and the close straight after it, while the consumer asks whether it is over:
 * whoever looks at the tail before `closed` loses an item here. */
enum { LIVES = 20000 };

struct lives {
    struct ring *rings;
    _Atomic uint32_t arrived; /* the consumer's: which ring it looks at */
    uint32_t lost;
};

static void *live_produce(void *context)
{
    struct lives *lives = context;
    uint32_t random = 29;
    for (uint32_t life = 0; life < LIVES; life++) {
        stress_meet(&lives->arrived, life);
        stress_jitter(64, &random);
        (void)ring_push(&lives->rings[life], lives);
        ring_close(&lives->rings[life]);
    }
    return NULL;
}

static void *live_consume(void *context)
{
    struct lives *lives = context;
    for (uint32_t life = 0; life < LIVES; life++) {
        uint32_t got = 0, looks = 0;
        atomic_store_explicit(&lives->arrived, life, memory_order_relaxed);
        while (!ring_finished(&lives->rings[life])) {
            got += ring_pop(&lives->rings[life]) == lives;
            stress_look_again(&looks);
        }
        lives->lost += got != 1;
    }
    return NULL;
}

static void closes_in_a_race_with_the_last_pop(void **state)
{
    (void)state;
    struct lives lives = {.rings = aligned_alloc(LIMIT_LINE, LIVES * sizeof(struct ring))};
    assert_non_null(lives.rings);
    atomic_init(&lives.arrived, UINT32_MAX);
    for (uint32_t life = 0; life < LIVES; life++)
        assert_true(ring_init(&lives.rings[life], 1, life));
    pthread_t producer, consumer;
    stress_start(&producer, live_produce, &lives);
    stress_start(&consumer, live_consume, &lives);
    stress_join(producer, "producer of many rings");
    stress_join(consumer, "consumer of many rings");
    assert_int_equal(lives.lost, 0);
    for (uint32_t life = 0; life < LIVES; life++)
        ring_free(&lives.rings[life]);
    free(lives.rings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_capacity_up),
        cmocka_unit_test(refuses_capacity_past_the_indices),
        cmocka_unit_test(frees_zeroed_and_twice),
        cmocka_unit_test(keeps_lines_apart),
        cmocka_unit_test(meets_full_and_empty_at_every_wrap),
        cmocka_unit_test(keeps_order_at_any_fill),
        cmocka_unit_test(finishes_only_when_closed_and_empty),
        cmocka_unit_test(relays_between_two_threads),
        cmocka_unit_test(closes_at_any_fill),
        cmocka_unit_test(closes_in_a_race_with_the_last_pop),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}

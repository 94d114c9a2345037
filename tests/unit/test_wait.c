/* test_wait.c - the event count alone, then with rings between threads that really sleep.
 *
 * The stress programs are made so that no later wake-up can mend a lost one for long: rings of one slot,
 * where the other side has nothing to do until this one moves. A lost wake-up then hangs, and the watchdog
 * tells. */
#define _GNU_SOURCE 1 /* pthread_timedjoin_np() in stress.h */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/flow/ring.h"
#include "core/flow/wait.h"
#include "tests/unit/stress.h"

#define EPOCH_LAST (UINT64_C(0xFFFFFFFF) << 32)

static uint32_t waiters(struct wait *wait)
{
    return (uint32_t)atomic_load(&wait->state);
}

/* ---- one thread ---- */

static void counts_waiters(void **state)
{
    (void)state;
    struct wait wait;
    assert_true(wait_init(&wait));
    assert_int_equal(waiters(&wait), 0);
    uint32_t const first = wait_prepare(&wait);
    uint32_t const second = wait_prepare(&wait);
    assert_int_equal(first, second); /* nothing was signalled */
    assert_int_equal(waiters(&wait), 2);
    wait_cancel(&wait);
    wait_cancel(&wait);
    assert_int_equal(waiters(&wait), 0);
    wait_destroy(&wait);
}

static void does_not_sleep_on_an_old_ticket(void **state)
{
    (void)state;
    struct wait wait;
    assert_true(wait_init(&wait));
    wait_wake(&wait); /* nobody waits: must neither hang nor be forgotten by the epoch */
    uint32_t const ticket = wait_prepare(&wait);
    wait_wake(&wait);
    wait_sleep(&wait, ticket); /* returns at once */
    assert_int_equal(waiters(&wait), 0);
    assert_int_not_equal(wait_prepare(&wait), ticket);
    wait_cancel(&wait);
    wait_destroy(&wait);
}

static void epoch_wraps_without_touching_the_waiters(void **state)
{
    (void)state;
    struct wait wait;
    assert_true(wait_init(&wait));
    atomic_store(&wait.state, EPOCH_LAST);
    uint32_t const ticket = wait_prepare(&wait);
    assert_int_equal(ticket, UINT32_MAX);
    wait_wake(&wait);
    assert_int_equal(waiters(&wait), 1);
    wait_sleep(&wait, ticket);
    assert_true(atomic_load(&wait.state) == 0); /* epoch 0, nobody */
    wait_destroy(&wait);
}

/* ---- one wake-up for all ---- */

enum { CROWD = 5 };

struct crowd {
    struct wait wait;
    _Atomic bool open;
    _Atomic uint32_t through;
};

static void *stand_in_crowd(void *context)
{
    struct crowd *crowd = context;
    while (!atomic_load_explicit(&crowd->open, memory_order_acquire)) {
        uint32_t const ticket = wait_prepare(&crowd->wait);
        if (atomic_load_explicit(&crowd->open, memory_order_acquire))
            wait_cancel(&crowd->wait);
        else
            wait_sleep(&crowd->wait, ticket);
    }
    atomic_fetch_add(&crowd->through, 1);
    return NULL;
}

static void wakes_all(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct crowd crowd = {.open = false};
        pthread_t threads[CROWD];
        assert_true(wait_init(&crowd.wait));
        for (int i = 0; i < CROWD; i++)
            stress_start(&threads[i], stand_in_crowd, &crowd);
        while (round % 2 == 0 && waiters(&crowd.wait) < CROWD)
            stress_give_way(); /* even rounds: all wait; odd ones: wherever they are */
        atomic_store_explicit(&crowd.open, true, memory_order_release);
        wait_wake(&crowd.wait);
        for (int i = 0; i < CROWD; i++)
            stress_join(threads[i], "crowd at one wait");
        assert_int_equal(atomic_load(&crowd.through), CROWD);
        wait_destroy(&crowd.wait);
    }
}

/* ---- the last look against the signal, as close together as two threads get ---- */

enum { DUELS = 30000 };

/* One line for both words: the signaller's store then has to fetch the line from the waiter, and stands in
 * its store buffer for as long as that takes. A wake-up that were allowed to look at the waiters meanwhile
 * gets lost. */
struct duel {
    struct wait wait;
    _Alignas(LIMIT_LINE) _Atomic uint32_t arrived; /* the waiter's */
    _Atomic uint32_t signalled;                    /* the signaller's */
};

static void *duel_signal(void *context)
{
    struct duel *duel = context;
    uint32_t random = 31;
    for (uint32_t round = 1; round <= DUELS; round++) {
        stress_meet(&duel->arrived, round);
        stress_jitter(32, &random);
        atomic_store_explicit(&duel->signalled, round, memory_order_release);
        wait_wake(&duel->wait);
    }
    return NULL;
}

static void *duel_wait(void *context)
{
    struct duel *duel = context;
    uint32_t random = 37;
    for (uint32_t round = 1; round <= DUELS; round++) {
        atomic_store_explicit(&duel->arrived, round, memory_order_relaxed);
        stress_jitter(64, &random);
        while (atomic_load_explicit(&duel->signalled, memory_order_acquire) != round) {
            uint32_t const ticket = wait_prepare(&duel->wait);
            if (atomic_load_explicit(&duel->signalled, memory_order_acquire) == round)
                wait_cancel(&duel->wait);
            else
                wait_sleep(&duel->wait, ticket);
        }
    }
    return NULL;
}

static void last_look_never_misses_the_signal(void **state)
{
    (void)state;
    static struct duel duel;
    assert_true(wait_init(&duel.wait));
    pthread_t signaller, waiter;
    stress_start(&waiter, duel_wait, &duel);
    stress_start(&signaller, duel_signal, &duel);
    stress_join(waiter, "waiter of a duel");
    stress_join(signaller, "signaller of a duel");
    wait_destroy(&duel.wait);
}

/* ---- rings and waits together ---- */

enum { PRODUCERS_MAX = 4 };

struct lane {
    struct ring ring;  /* producer -> consumer */
    struct wait *room; /* where its producer sleeps when the ring is full */
    struct wait own_room;
    struct plant *plant;
    uint32_t id;
    struct stress_message *messages; /* one for each sequence number */
};

struct plant {
    struct lane lanes[PRODUCERS_MAX];
    uint32_t producers, count;
    enum stress_pace producer_pace, consumer_pace;
    struct wait work; /* where the consumer sleeps */
    uint32_t errors;  /* the consumer's, read after the join */
};

static void *lane_produce(void *context)
{
    struct lane *lane = context;
    struct plant *plant = lane->plant;
    uint32_t random = 17 + lane->id;
    for (uint32_t sequence = 0; sequence < plant->count; sequence++) {
        struct stress_message *message = &lane->messages[sequence];
        stress_fill(message, lane->id, sequence);
        while (!ring_push(&lane->ring, message)) {
            uint32_t const ticket = wait_prepare(lane->room);
            bool const pushed = ring_push(&lane->ring, message);
            stress_stall(plant->producer_pace, &random);
            if (pushed) {
                wait_cancel(lane->room);
                break;
            }
            wait_sleep(lane->room, ticket);
        }
        wait_wake(&plant->work);
        stress_stall(plant->producer_pace, &random);
    }
    ring_close(&lane->ring);
    wait_wake(&plant->work);
    return NULL;
}

/* Takes what there is, one item a lane; returns how many, and in *open how many lanes may still give some. */
static uint32_t take_round(struct plant *plant, uint32_t *next, uint32_t *open)
{
    uint32_t taken = 0;
    *open = 0;
    for (uint32_t i = 0; i < plant->producers; i++) {
        struct lane *lane = &plant->lanes[i];
        struct stress_message *message = ring_pop(&lane->ring);
        if (message != NULL) {
            plant->errors += !stress_check(message, i, next[i]++);
            wait_wake(lane->room);
            taken++;
        }
        *open += !ring_finished(&lane->ring);
    }
    return taken;
}

static void *plant_consume(void *context)
{
    struct plant *plant = context;
    uint32_t random = 23, open = plant->producers, next[PRODUCERS_MAX] = {0};
    while (open != 0) {
        uint32_t taken = take_round(plant, next, &open);
        if (taken == 0 && open != 0) {
            uint32_t const ticket = wait_prepare(&plant->work);
            taken = take_round(plant, next, &open);
            stress_stall(plant->consumer_pace, &random);
            if (taken != 0 || open == 0)
                wait_cancel(&plant->work);
            else
                wait_sleep(&plant->work, ticket);
        }
        stress_stall(plant->consumer_pace, &random);
    }
    for (uint32_t i = 0; i < plant->producers; i++)
        plant->errors += next[i] != plant->count;
    return NULL;
}

static void plant_open(struct plant *plant, uint32_t slots, bool one_wait)
{
    assert_true(wait_init(&plant->work));
    for (uint32_t i = 0; i < plant->producers; i++) {
        struct lane *lane = &plant->lanes[i];
        assert_true(ring_init(&lane->ring, slots, UINT32_MAX - 3));
        assert_true(wait_init(&lane->own_room));
        lane->room = one_wait ? &plant->work : &lane->own_room;
        lane->plant = plant;
        lane->id = i;
        lane->messages = calloc(plant->count, sizeof *lane->messages);
        assert_non_null(lane->messages);
    }
}

static void plant_shut(struct plant *plant)
{
    for (uint32_t i = 0; i < plant->producers; i++) {
        ring_free(&plant->lanes[i].ring);
        wait_destroy(&plant->lanes[i].own_room);
        free(plant->lanes[i].messages);
    }
    wait_destroy(&plant->work);
}

/* one_wait: the producers sleep at the consumer's wait too, so that it has many waiters and many signallers.
 */
static void run_plant(uint32_t producers, uint32_t slots, uint32_t count, bool one_wait,
                      enum stress_pace producer_pace, enum stress_pace consumer_pace)
{
    static struct plant plant;
    plant = (struct plant){.producers = producers,
                           .count = count,
                           .producer_pace = producer_pace,
                           .consumer_pace = consumer_pace};
    plant_open(&plant, slots, one_wait);
    pthread_t consumer, threads[PRODUCERS_MAX];
    stress_start(&consumer, plant_consume, &plant);
    for (uint32_t i = 0; i < producers; i++)
        stress_start(&threads[i], lane_produce, &plant.lanes[i]);
    for (uint32_t i = 0; i < producers; i++)
        stress_join(threads[i], "producer that sleeps");
    stress_join(consumer, "consumer that sleeps");
    assert_int_equal(plant.errors, 0);
    plant_shut(&plant);
}

static void one_slot_each_way_never_hangs(void **state)
{
    (void)state;
    run_plant(1, 1, 5000, false, STRESS_FAST, STRESS_FAST);
    run_plant(1, 1, 5000, false, STRESS_RANDOM, STRESS_RANDOM);
    run_plant(1, 1, 5000, true, STRESS_RANDOM, STRESS_FAST);
}

static void many_producers_one_sleeping_consumer(void **state)
{
    (void)state;
    run_plant(4, 1, 1500, false, STRESS_RANDOM, STRESS_RANDOM);
    run_plant(4, 1, 1500, true, STRESS_RANDOM, STRESS_RANDOM);
    run_plant(3, 2, 4000, false, STRESS_FAST, STRESS_SLOW);
    run_plant(3, 2, 2000, false, STRESS_SLOW, STRESS_FAST);
    run_plant(4, 64, 8000, false, STRESS_RANDOM, STRESS_RANDOM);
}

/* Short lives: the close and its wake-up race the consumer on its way to sleep. */
static void close_wakes_the_consumer(void **state)
{
    (void)state;
    for (uint32_t life = 0; life < 150; life++)
        run_plant(life % PRODUCERS_MAX + 1, 1, life % 3 + 1, life % 2, life % 5 ? STRESS_FAST : STRESS_SLOW,
                  life % 7 ? STRESS_FAST : STRESS_SLOW);
}

static uint64_t steady_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Nobody wakes it: it ends by the time, never before it. Woken before it sleeps: it ends at once. */
static void sleeps_until(void **state)
{
    (void)state;
    struct wait wait;
    assert_true(wait_init(&wait));
    uint64_t const end = steady_now() + 20000000u;
    uint32_t ticket = wait_prepare(&wait);
    wait_sleep_until(&wait, ticket, end);
    assert_true(steady_now() >= end);
    ticket = wait_prepare(&wait);
    wait_wake(&wait);
    wait_sleep_until(&wait, ticket, UINT64_MAX / 4);
    ticket = wait_prepare(&wait);
    wait_sleep_until(&wait, ticket, 0); /* long ago */
    wait_destroy(&wait);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_waiters),
        cmocka_unit_test(does_not_sleep_on_an_old_ticket),
        cmocka_unit_test(epoch_wraps_without_touching_the_waiters),
        cmocka_unit_test(wakes_all),
        cmocka_unit_test(last_look_never_misses_the_signal),
        cmocka_unit_test(one_slot_each_way_never_hangs),
        cmocka_unit_test(many_producers_one_sleeping_consumer),
        cmocka_unit_test(close_wakes_the_consumer),
        cmocka_unit_test(sleeps_until),
    };
    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}

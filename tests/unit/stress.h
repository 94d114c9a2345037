/* stress.h - what tests with several threads share: random stalls, a checked payload, and a watchdog.
 *
 * A thread of a test must not call cmocka's assertions (they jump to the main thread's stack): it counts
 * errors, and the main thread asserts on the count after the join. */
#ifndef PENSTOCK_TESTS_UNIT_STRESS_H
#define PENSTOCK_TESTS_UNIT_STRESS_H

#include "tests/unit/under_tsan.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A healthy run of any test here takes about two seconds, some ten under a sanitizer, and many times that on
 * a machine that is busy otherwise; a quarter of what scripts/test gives a program. */
#define STRESS_WATCHDOG_SECONDS 300

/* How often a thread stands still: never; now and then (all kinds of stalls); at every step. */
enum stress_pace { STRESS_FAST, STRESS_RANDOM, STRESS_SLOW };

struct stress_message {
    uint32_t producer;
    uint32_t sequence;
    uint32_t checksum;
};

static inline uint32_t stress_random(uint32_t *state)
{
    *state ^= *state << 13; /* xorshift32, G. Marsaglia, "Xorshift RNGs" (2003) */
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static inline void stress_nap(long nanoseconds)
{
    struct timespec const time = {0, nanoseconds};
    (void)nanosleep(&time, NULL);
}

/* Gives the processor away. Not by sched_yield(): where others want it, Linux takes a whole slice for each
 * (since 6.18 always), so that some ten thousand take minutes. */
static inline void stress_give_way(void)
{
    stress_nap(1);
}

static inline void stress_stall(enum stress_pace pace, uint32_t *random)
{
    if (pace == STRESS_FAST) return;
    uint32_t const dice = stress_random(random) >> 8;
    if (dice % 2048 == 0)
        stress_nap((long)(dice % 200) * 1000);
    else if (dice % 32 == 0)
        stress_give_way();
    else if (pace == STRESS_SLOW || dice % 8 == 0)
        for (volatile uint32_t spin = dice % 512; spin != 0; spin = spin - 1) {
        }
}

/* One more look was in vain; counts them in `looks`. */
static inline void stress_look_again(uint32_t *looks)
{
    if (++*looks % 1024 == 0) stress_give_way();
}

/* Looks for as long as a thread takes to wake up, some 50 us. */
#define STRESS_MEET_LOOKS (UNDER_TSAN ? 4096u : 65536u)

/* Spins until *word is `value`: in step with the other thread as closely as can be, without holding up a
 * machine of one processor. */
static inline void stress_meet(_Atomic uint32_t *word, uint32_t value)
{
    for (uint32_t looks = 1; atomic_load_explicit(word, memory_order_relaxed) != value; looks++)
        if (looks % STRESS_MEET_LOOKS == 0) stress_give_way();
}

/* Stands still for 0 to `most` turns: some nanoseconds each. */
static inline void stress_jitter(uint32_t most, uint32_t *random)
{
    for (volatile uint32_t spin = (stress_random(random) >> 8) % (most + 1); spin != 0; spin = spin - 1) {
    }
}

static inline void stress_fill(struct stress_message *message, uint32_t producer, uint32_t sequence)
{
    message->producer = producer;
    message->sequence = sequence;
    message->checksum = producer * UINT32_C(2654435761) ^ ~sequence;
}

static inline bool stress_check(const struct stress_message *message, uint32_t producer, uint32_t sequence)
{
    return message->producer == producer && message->sequence == sequence &&
           message->checksum == (producer * UINT32_C(2654435761) ^ ~sequence);
}

static inline void stress_start(pthread_t *thread, void *(*run)(void *), void *context)
{
    if (pthread_create(thread, NULL, run, context) != 0) {
        fprintf(stderr, "stress: the system gives no thread\n");
        abort();
    }
}

/* Joins, or ends the program with a message when the thread hangs: its memory can't be taken back from it. */
static inline void stress_join(pthread_t thread, const char *what)
{
    struct timespec limit;
    (void)clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += STRESS_WATCHDOG_SECONDS;
    if (pthread_timedjoin_np(thread, NULL, &limit) != 0) {
        fprintf(stderr, "watchdog: %s: no end after %d s: a wake-up or an item was lost\n", what,
                STRESS_WATCHDOG_SECONDS);
        abort();
    }
}

#endif

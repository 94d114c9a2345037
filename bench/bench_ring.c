/* bench_ring.c - what it costs to hand a pointer from one thread to another.
 *
 *   spin        ring.h alone: both sides look again and again (and let others run now and then)
 *   wait        ring.h and wait.h, as the pipeline uses them: a signal after every push and every pop
 *   round_trip  one item out and home again, with wait.h: two hand-offs and their wake-ups
 *
 * Verified: every item comes once, in order (items are numbers). Threads: producer (main) and consumer, on
 * CPUs of the system's choice; --cpu puts both on one. */
#include "bench/harness.h"
#include "core/flow/ring.h"
#include "core/flow/wait.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#define SPIN_ITEMS 1000000u
#define WAIT_ITEMS 200000u
#define TRIP_ITEMS 10000u
/* As in the pipeline, where a ring has room for a worker's chunks. */
#define ROOM 8u
/* Looks before a spinning thread lets others run: some microseconds, far below a time slice. */
#define LOOKS 4096u

static const struct harness_wants wants = {.name = "bench_ring",
                                           .about = "Times the hand-off of pointers between two threads."};

struct line {
    struct ring there, home;
    struct wait filled, emptied;
    uintptr_t items;
    bool waits, trips;
    bool in_order; /* the consumer's, read after join */
};

/* ---- both sides ---- */

static void look_again(unsigned *looks)
{
    if (++*looks % LOOKS == 0) sched_yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void push(struct line *line, struct ring *ring, struct wait *room, struct wait *filled, void *item)
{
    unsigned looks = 0;
    while (!ring_push(ring, item)) {
        if (!line->waits) {
            look_again(&looks);
            continue;
        }
        uint32_t const ticket = wait_prepare(room);
        if (ring_push(ring, item)) {
            wait_cancel(room);
            break;
        }
        wait_sleep(room, ticket);
    }
    if (line->waits) wait_wake(filled);
}

static void *pop(struct line *line, struct ring *ring, struct wait *filled, struct wait *room)
{
    unsigned looks = 0;
    void *item;
    while ((item = ring_pop(ring)) == NULL) {
        if (!line->waits) {
            look_again(&looks);
            continue;
        }
        uint32_t const ticket = wait_prepare(filled);
        item = ring_pop(ring);
        if (item != NULL) {
            wait_cancel(filled);
            break;
        }
        wait_sleep(filled, ticket);
    }
    if (line->waits && room != NULL) wait_wake(room);
    return item;
}

static void *consumer(void *argument)
{
    struct line *line = argument;
    bool in_order = true;
    for (uintptr_t i = 1; i <= line->items; i++) {
        void *item = pop(line, &line->there, &line->filled, line->trips ? NULL : &line->emptied);
        in_order = in_order && (uintptr_t)item == i;
        if (line->trips) push(line, &line->home, &line->filled, &line->emptied, item);
    }
    line->in_order = in_order;
    return NULL;
}

/* ---- a lap ---- */

static bool lap(struct harness_laps *laps, uintptr_t items, bool waits, bool trips)
{
    struct line line;
    memset(&line, 0, sizeof line);
    line.items = items;
    line.waits = waits;
    line.trips = trips;
    if (!ring_init(&line.there, ROOM, 0) || !ring_init(&line.home, ROOM, 0) || !wait_init(&line.filled) ||
        !wait_init(&line.emptied))
        harness_fail("no memory for a ring");
    pthread_t thread;
    struct harness_time const began = harness_begin();
    if (pthread_create(&thread, NULL, consumer, &line) != 0) harness_fail("can't start a thread");
    bool in_order = true;
    for (uintptr_t i = 1; i <= items; i++) {
        push(&line, &line.there, &line.emptied, &line.filled, (void *)i);
        if (trips) in_order = (uintptr_t)pop(&line, &line.home, &line.emptied, NULL) == i && in_order;
    }
    pthread_join(thread, NULL);
    harness_lap(laps, began);
    bool const all =
        in_order && line.in_order && ring_pop(&line.there) == NULL && ring_pop(&line.home) == NULL;
    ring_free(&line.there);
    ring_free(&line.home);
    wait_destroy(&line.filled);
    wait_destroy(&line.emptied);
    return all;
}

struct variant {
    const char *name;
    uintptr_t items;
    bool waits, trips;
};

static const struct variant variants[] = {
    {"spin", SPIN_ITEMS, false, false},
    {"wait", WAIT_ITEMS, true, false},
    {"round_trip", TRIP_ITEMS, true, true},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

int main(int argc, char **argv)
{
    static struct harness_laps laps[VARIANTS];
    bool correct[VARIANTS] = {true, true, true};
    struct harness_options const options = harness_options(argc, argv, &wants);
    harness_environment(&wants, &options);
    for (unsigned round = 0; round < options.rounds; round++)
        for (int v = 0; v < VARIANTS; v++)
            correct[v] = lap(&laps[v], variants[v].items, variants[v].waits, variants[v].trips) && correct[v];
    for (int v = 0; v < VARIANTS; v++) {
        struct harness_result const result = {.bench = "ring",
                                              .variant = variants[v].name,
                                              .unit = variants[v].trips ? "round trip" : "hand-off",
                                              .items = variants[v].items,
                                              .threads = 2,
                                              .verified = true,
                                              .correct = correct[v],
                                              .laps = &laps[v]};
        harness_print(&result);
    }
    return harness_status();
}

/* verify_crew.c - see the header. Thread: main, but for run(). Owns the threads while verify_crew_run() runs.
 *
 * Edges: a thread's count-down of `working` is a release, main's look at it an acquire, so that main sees all
 * that the work wrote; the end of a run is a join besides. `stop` stands for itself: relaxed. */
#include "io/verify/verify_crew.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often a signal's flag is looked at. */
#define LOOK_NANOSECONDS UINT64_C(200000000)

struct shift {
    struct verify_crew *crew;
    verify_work_fn *work;
    void *context;
    _Atomic uint32_t working;
    pthread_mutex_t mutex;
    enum status status; /* guarded by it; of the first that failed */
    struct fault *fault;
};

struct hand {
    struct shift *shift;
    uint32_t index;
    pthread_t thread;
};

static void note(struct shift *shift, enum status status, const char *message)
{
    (void)pthread_mutex_lock(&shift->mutex);
    if (shift->status == STATUS_OK) shift->status = fault_set(shift->fault, status, "%s", message);
    (void)pthread_mutex_unlock(&shift->mutex);
    atomic_store_explicit(&shift->crew->stop, true, memory_order_relaxed);
}

static void *run(void *context)
{
    struct hand *const hand = context;
    struct shift *const shift = hand->shift;
    struct wait *const arrivals = shift->crew->arrivals;
    struct fault fault = {.message = ""};
    enum status const status = shift->work(shift->context, hand->index, &fault);
    if (status != STATUS_OK) note(shift, status, fault.message);
    (void)atomic_fetch_sub_explicit(&shift->working, 1, memory_order_release);
    wait_wake(arrivals);
    return NULL;
}

static bool is_over(struct shift *shift)
{
    return atomic_load_explicit(&shift->working, memory_order_acquire) == 0;
}

static void attend(struct shift *shift)
{
    struct verify_crew *const crew = shift->crew;
    bool told = false;
    while (!is_over(shift)) {
        enum status const stop = crew->interrupted == NULL ? STATUS_OK : crew->interrupted();
        if (stop != STATUS_OK && !told) {
            told = true;
            note(shift, stop, "stopped by a signal");
            if (crew->pump != NULL) s3_pump_stop(crew->pump);
        }
        if (crew->pump != NULL) s3_pump_turn(crew->pump);
        uint32_t const ticket = wait_prepare(crew->arrivals);
        if (is_over(shift) || (crew->pump != NULL && s3_pump_has_work(crew->pump)))
            wait_cancel(crew->arrivals);
        else
            wait_sleep_until(crew->arrivals, ticket, crew->now() + LOOK_NANOSECONDS);
    }
}

/* How many were started. */
static uint32_t start(struct shift *shift, struct hand *hands, uint32_t threads)
{
    sigset_t all, before; /* signals are main's */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    uint32_t started = 0;
    for (; started < threads; started++) {
        struct hand *const hand = &hands[started];
        *hand = (struct hand){.shift = shift, .index = started};
        (void)atomic_fetch_add_explicit(&shift->working, 1, memory_order_relaxed);
        int const error = pthread_create(&hand->thread, NULL, run, hand);
        if (error == 0) continue;
        (void)atomic_fetch_sub_explicit(&shift->working, 1, memory_order_relaxed);
        char words[128];
        (void)snprintf(words, sizeof words, "can't start thread %u: %s; lower --threads", started + 1,
                       strerror(error));
        note(shift, STATUS_IO, words);
        break;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

enum status verify_crew_run(struct verify_crew *crew, uint32_t threads, verify_work_fn *work, void *context,
                            struct fault *fault)
{
    struct shift shift = {.crew = crew, .work = work, .context = context, .fault = fault};
    struct hand *const hands = calloc(threads, sizeof *hands);
    if (hands == NULL || pthread_mutex_init(&shift.mutex, NULL) != 0) {
        free(hands);
        return fault_set(fault, STATUS_IO, "no memory for threads; lower --threads");
    }
    uint32_t const started = start(&shift, hands, threads);
    attend(&shift);
    for (uint32_t i = 0; i < started; i++)
        (void)pthread_join(hands[i].thread, NULL);
    (void)pthread_mutex_destroy(&shift.mutex);
    free(hands);
    return shift.status;
}

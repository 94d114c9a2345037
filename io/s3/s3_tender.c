/* s3_tender.c - see the header. Thread: its own, but for start and stop. Owns the thread.
 *
 * `stop` stands for itself, and whoever sets it wakes: relaxed. */
#include "io/s3/s3_tender.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* How often a signal's flag is looked at. */
#define LOOK_NANOSECONDS UINT64_C(200000000)

struct s3_tender {
    struct s3_tender_options options;
    pthread_t thread;
    _Atomic bool stop;
    bool called_off;
};

static bool is_over(struct s3_tender *tender)
{
    return atomic_load_explicit(&tender->stop, memory_order_relaxed);
}

static bool has_work(const struct s3_tender *tender)
{
    for (size_t i = 0; i < tender->options.count; i++)
        if (s3_pump_has_work(tender->options.pumps[i])) return true;
    return false;
}

static void call_off(struct s3_tender *tender)
{
    if (tender->called_off) return;
    tender->called_off = true;
    for (size_t i = 0; i < tender->options.count; i++)
        s3_pump_stop(tender->options.pumps[i]);
}

static void turn(const struct s3_tender *tender)
{
    for (size_t i = 0; i < tender->options.count; i++)
        s3_pump_turn(tender->options.pumps[i]);
}

static void *run(void *context)
{
    struct s3_tender *const tender = context;
    const struct s3_tender_options *const options = &tender->options;
    while (!is_over(tender)) {
        if (options->interrupted != NULL && options->interrupted() != STATUS_OK) call_off(tender);
        turn(tender);
        uint32_t const ticket = wait_prepare(options->arrivals);
        if (is_over(tender) || has_work(tender))
            wait_cancel(options->arrivals);
        else
            wait_sleep_until(options->arrivals, ticket, options->now() + LOOK_NANOSECONDS);
    }
    call_off(tender);
    turn(tender); /* what came since they were called off earlier */
    return NULL;
}

struct s3_tender *s3_tender_start(const struct s3_tender_options *options, struct fault *fault)
{
    struct s3_tender *const tender = calloc(1, sizeof *tender);
    if (tender == NULL) {
        (void)fault_set(fault, STATUS_IO, "no memory to read from S3");
        return NULL;
    }
    tender->options = *options;
    sigset_t all, before; /* signals are main's */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int const error = pthread_create(&tender->thread, NULL, run, tender);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) return tender;
    (void)fault_set(fault, STATUS_IO,
                    "can't start a thread to read from S3: %s; raise the limit of processes",
                    strerror(error));
    free(tender);
    return NULL;
}

void s3_tender_stop(struct s3_tender *tender)
{
    if (tender == NULL) return;
    atomic_store_explicit(&tender->stop, true, memory_order_relaxed);
    wait_wake(tender->options.arrivals);
    (void)pthread_join(tender->thread, NULL);
    free(tender);
}

/* s3_engine.c - an uploader thread: its making (main's), its loop, and main's orders to it (the thread's).
 * What it does with calls that are sent: s3_flight.c.
 *
 * Thread: main down to s3_engine_stop(), and s3_engine_start(); the rest is the thread's. Owns: its HTTP
 * connections, its signer, the rings, and the tasks of all calls inside.
 *
 * Edges besides the rings' (ring.c): O1 -> O2, main's orders in struct s3_shared (stop, cancel_all,
 * cancel_one), stored with release by main (s3_client.c), loaded with acquire here. The ring is emptied
 * before they are loaded: a call that was given after an order was taken back is then never met by that
 * order, since its push came after the taking back. Results are pushed before `arrivals` is woken (wait.c,
 * S1). */
#include "io/s3/s3_engine.h"

#include "core/flow/track.h"
#include "io/http/http.h"
#include "io/s3/s3_flight.h"
#include "io/s3/s3_plan.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Longest sleep: whatever wake-up were missing, a second later all goes on. */
#define PAUSE_MOST_MS 1000u

/* ---- main's ---- */

static uint32_t share_of(uint32_t connections, uint32_t engines, uint32_t index)
{
    uint32_t const share = connections / engines + (index < connections % engines);
    return share == 0 ? 1 : share;
}

static bool make_rings(struct s3_engine *engine)
{
    return ring_init(&engine->calls, S3_ENGINE_CALLS, 0) && ring_init(&engine->results, S3_ENGINE_CALLS, 0);
}

struct s3_engine *s3_engine_create(struct s3_shared *shared, uint32_t index, struct fault *fault)
{
    size_t const size = (sizeof(struct s3_engine) + LIMIT_LINE - 1) / LIMIT_LINE * LIMIT_LINE;
    struct s3_engine *const engine = aligned_alloc(LIMIT_LINE, size);
    if (engine == NULL) {
        (void)fault_set(fault, STATUS_IO, "S3 client: no memory for a thread");
        return NULL;
    }
    memset(engine, 0, size);
    engine->shared = shared;
    engine->index = index;
    engine->track = shared->options.tracks == NULL ? NULL : &shared->options.tracks[index];
    engine->parts_most = share_of(shared->options.connections, shared->engines, index);
    engine->others_most = engine->parts_most < S3_OTHERS_LEAST  ? S3_OTHERS_LEAST
                          : engine->parts_most > S3_OTHERS_MOST ? S3_OTHERS_MOST
                                                                : engine->parts_most;
    struct http_options const options = {.connections = engine->parts_most + engine->others_most,
                                         .ca_bundle = shared->options.config->ca_bundle,
                                         .user_agent = shared->options.user_agent,
                                         .upload_buffer = S3_UPLOAD_BUFFER,
                                         .receive_buffer = shared->options.receive_buffer,
                                         .track = engine->track};
    if (!make_rings(engine)) {
        (void)fault_set(fault, STATUS_IO, "S3 client: no memory for a thread");
    } else if ((engine->http = http_create(&options, fault)) != NULL &&
               (engine->signer = aws_signer_create(fault)) != NULL) {
        if (getrandom(&engine->random, sizeof engine->random, GRND_NONBLOCK) < 0)
            engine->random = shared->options.now() + index; /* at boot: threads must differ, that is all */
        shared->https[index] = engine->http;
        return engine;
    }
    s3_engine_destroy(engine);
    return NULL;
}

void s3_engine_destroy(struct s3_engine *engine)
{
    if (engine == NULL) return;
    http_destroy(engine->http);
    aws_signer_destroy(engine->signer);
    ring_free(&engine->calls);
    ring_free(&engine->results);
    free(engine);
}

void s3_engine_give(struct s3_engine *engine, struct s3_call *call)
{
    (void)ring_push(&engine->calls, call); /* never full: see s3_engine.h */
    http_wake(engine->http);
}

struct s3_call *s3_engine_take(struct s3_engine *engine)
{
    return ring_pop(&engine->results);
}

bool s3_engine_has(struct s3_engine *engine)
{
    return ring_peek(&engine->results) != NULL;
}

void s3_engine_wake(struct s3_engine *engine)
{
    http_wake(engine->http);
}

void s3_engine_stop(struct s3_engine *engine)
{
    if (!engine->started) return;
    http_wake(engine->http);
    (void)pthread_join(engine->thread, NULL);
    engine->started = false;
}

/* ---- the thread ---- */

static void admit(struct s3_engine *engine)
{
    struct s3_call *call;
    while ((call = ring_pop(&engine->calls)) != NULL) {
        struct s3_task *const task = calloc(1, sizeof *task);
        if (task == NULL) {
            call->verdict = S3_FATAL;
            call->status = fault_set(&call->fault, STATUS_IO, "S3 client: no memory for a request");
            (void)ring_push(&engine->results, call);
            engine->arrived = true;
            continue;
        }
        task->call = call;
        call->state = task;
        s3_tasks_append(s3_flight_is_part(task) ? &engine->parts : &engine->others, task);
    }
}

static void tell(struct s3_engine *engine)
{
    if (!engine->arrived) return;
    engine->arrived = false;
    wait_wake(engine->shared->options.arrivals);
}

/* All (`only` NULL), or the task of one call. */
static void cancel_in(struct s3_engine *engine, struct s3_tasks *tasks, const struct s3_call *only)
{
    struct s3_task *next;
    for (struct s3_task *task = tasks->first; task != NULL; task = next) {
        next = task->next;
        if (only == NULL || task->call == only) s3_flight_cancel(engine, task);
    }
}

static void cancel_everywhere(struct s3_engine *engine, const struct s3_call *only)
{
    cancel_in(engine, &engine->parts, only);
    cancel_in(engine, &engine->others, only);
    cancel_in(engine, &engine->waiting, only);
    cancel_in(engine, &engine->flying, only);
}

static void obey(struct s3_engine *engine)
{
    struct s3_shared *const shared = engine->shared;
    /* O2: acquire, pairs with O1; behind admit(). */
    struct s3_call *const one = atomic_load_explicit(&shared->cancel_one, memory_order_acquire);
    if (one != NULL) cancel_everywhere(engine, one);
    if (atomic_load_explicit(&shared->cancel_all, memory_order_acquire)) cancel_everywhere(engine, NULL);
}

/* Nobody waits past the end of the run. */
static uint64_t due_of(const struct s3_engine *engine, const struct s3_task *task)
{
    uint64_t const hurry = atomic_load_explicit(&engine->shared->hurry, memory_order_relaxed); /* H2 */
    return hurry != 0 && hurry < task->due ? hurry : task->due;
}

static void ripen(struct s3_engine *engine)
{
    struct s3_task *task;
    uint64_t const now = engine->shared->options.now();
    while ((task = engine->waiting.first) != NULL && due_of(engine, task) <= now) {
        s3_tasks_remove(task);
        s3_flight_place(engine, task, s3_task_due(task, engine->shared));
    }
}

static uint32_t pause_ms(const struct s3_engine *engine)
{
    uint64_t pause = PAUSE_MOST_MS * S3_NANOSECONDS_A_MS;
    uint64_t const now = engine->shared->options.now();
    if (engine->waiting.first != NULL) {
        uint64_t const due = due_of(engine, engine->waiting.first);
        if (due <= now) return 0;
        if (due - now < pause) pause = due - now;
    }
    if (engine->parts_flying > 0 && pause > S3_HEDGE_LOOK_MS * S3_NANOSECONDS_A_MS)
        pause = S3_HEDGE_LOOK_MS * S3_NANOSECONDS_A_MS;
    return (uint32_t)((pause + S3_NANOSECONDS_A_MS - 1) / S3_NANOSECONDS_A_MS);
}

static void *run(void *context)
{
    struct s3_engine *const engine = context;
    struct s3_shared *const shared = engine->shared;
    while (!atomic_load_explicit(&shared->stop, memory_order_acquire)) { /* O2 */
        struct track_mark const mark = track_begin(engine->track);
        uint64_t const before = http_moved(engine->http);
        admit(engine);
        obey(engine);
        ripen(engine);
        s3_flight_send(engine);
        tell(engine);
        http_turn(engine->http, pause_ms(engine));
        s3_flight_settle(engine);
        tell(engine);
        track_end(engine->track, mark, TRACK_TRANSFER, http_moved(engine->http) - before);
    }
    admit(engine);
    cancel_everywhere(engine, NULL);
    tell(engine);
    return NULL;
}

enum status s3_engine_start(struct s3_engine *engine, struct fault *fault)
{
    sigset_t all, before; /* signals are main's */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int const error = pthread_create(&engine->thread, NULL, run, engine);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return fault_set(fault, STATUS_IO, "S3 client: can't start a thread: %s", strerror(error));
    engine->started = true;
    return STATUS_OK;
}

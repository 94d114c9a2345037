/* s3_flight.c - calls that are sent. Thread: the engine's. Owns: attempts while they run, tasks.
 *
 * A transfer's end is only noted while libcurl is at work (on_done()), and judged when it is not: so nothing
 * here is called out of itself. */
#include "io/s3/s3_flight.h"

#include "io/http/http.h"

#include <stdlib.h>
#include <string.h>

/* splitmix64 (Steele, Lea, Flood 2014): back-off needs numbers that differ, no secrets. */
static uint64_t next_random(struct s3_engine *engine)
{
    uint64_t z = engine->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

bool s3_flight_is_part(const struct s3_task *task)
{
    enum s3_op_kind const kind = task->call->op.kind;
    return !task->probe && (kind == S3_UPLOAD_PART || kind == S3_PUT_OBJECT);
}

static void finish(struct s3_engine *engine, struct s3_task *task)
{
    struct s3_call *const call = task->call;
    call->state = NULL;
    free(task);
    (void)ring_push(&engine->results, call); /* never full: see s3_engine.h */
    engine->arrived = true;
}

/* What is sent again goes before what never was: it is older. */
void s3_flight_place(struct s3_engine *engine, struct s3_task *task, enum s3_next next)
{
    switch (next) {
    case S3_NEXT_NOW:
        s3_tasks_prepend(s3_flight_is_part(task) ? &engine->parts : &engine->others, task);
        return;
    case S3_NEXT_LATER: s3_tasks_insert(&engine->waiting, task); return;
    case S3_NEXT_OVER: finish(engine, task); return;
    }
}

/* ---- attempts ---- */

static void on_done(struct s3_attempt *attempt)
{
    struct s3_engine *const engine = attempt->engine;
    attempt->next = NULL;
    if (engine->ended == NULL)
        engine->ended = attempt;
    else
        engine->ended_last->next = attempt;
    engine->ended_last = attempt;
}

/* It is over or called off: what it held is free. */
static void release(struct s3_engine *engine, struct s3_attempt *attempt)
{
    struct s3_task *const task = attempt->task;
    task->tries[attempt->hedge] = NULL;
    if (attempt->windowed) {
        engine->parts_flying--;
        s3_shared_leave(engine->shared, engine->index);
    } else {
        engine->others_flying--;
    }
}

static void call_off(struct s3_engine *engine, struct s3_attempt *attempt)
{
    if (attempt == NULL) return;
    release(engine, attempt);
    if (attempt->running)
        s3_attempt_free(attempt);
    else
        attempt->abandoned = true; /* it ended in this very turn: s3_flight_settle() frees it */
}

/* The host of a redirect may have the bucket in its name already. */
static void go_to(struct s3_endpoint *endpoint, const char *host, const char *bucket)
{
    size_t const name = strlen(bucket), base = strlen(endpoint->base);
    memcpy(endpoint->host, host, strlen(host) + 1);
    bool const named = strncmp(host, bucket, name) == 0 && host[name] == '.';
    if (named && base > name && strcmp(endpoint->base + base - name, bucket) == 0 &&
        endpoint->base[base - name - 1] == '/')
        endpoint->base[base - name - 1] = '\0';
}

static bool signs_payload(const struct s3_engine *engine)
{
    enum aws_tristate const setting = engine->shared->options.config->payload_signing;
    return engine->endpoint.tls ? setting == AWS_TRUE : setting != AWS_FALSE;
}

static enum status begin(struct s3_engine *engine, struct s3_task *task, struct s3_attempt *attempt,
                         const struct aws_credentials *credentials, struct fault *fault)
{
    struct s3_shared *const shared = engine->shared;
    s3_shared_endpoint(shared, &engine->endpoint, &engine->endpoint_version);
    struct s3_endpoint endpoint = engine->endpoint;
    if (task->host[0] != '\0') go_to(&endpoint, task->host, shared->options.bucket);
    attempt->clock_offset_ms = s3_shared_clock_offset(shared);
    struct s3_attempt_means const means = {
        .http = engine->http,
        .signer = engine->signer,
        .endpoint = &endpoint,
        .credentials = credentials,
        .time = (shared->options.wall_milliseconds() + attempt->clock_offset_ms) / 1000,
        .sign_payload = signs_payload(engine),
        .payload_hash = task->payload_hash,
        .connect_ms = shared->limits.connect_ms,
        .stall_seconds = shared->limits.stall_seconds,
        .fresh = task->fresh || attempt->hedge,
        .done = on_done};
    task->fresh = false;
    return s3_attempt_start(attempt, &means, fault);
}

/* Starts a try of `task`, which is in no list, or in flying for a hedge. False: it did not begin, and what
 * comes of the task is said in `next` (a hedge's failure to begin is of no matter). */
static bool launch(struct s3_engine *engine, struct s3_task *task, bool hedge, enum s3_next *next)
{
    *next = S3_NEXT_OVER;
    struct fault fault = {.message = "no memory for a request"};
    enum status status = STATUS_IO;
    struct aws_credentials credentials = {0};
    struct s3_attempt *const attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL) goto failed;
    attempt->engine = engine;
    attempt->task = task;
    attempt->hedge = hedge;
    attempt->probe = task->probe;
    attempt->windowed = s3_flight_is_part(task);
    attempt->repeat = task->failures > 0;
    attempt->started = engine->shared->options.now();
    s3_task_op(task, &attempt->op);
    status = aws_provider_current(engine->shared->provider, &credentials, &attempt->generation, &fault);
    if (status == STATUS_TRY_AGAIN) {
        if (!hedge) *next = s3_task_unsigned(task, engine->shared);
        s3_attempt_free(attempt);
        return false;
    }
    if (status == STATUS_OK) status = begin(engine, task, attempt, &credentials, &fault);
    aws_credentials_wipe(&credentials);
    if (status == STATUS_OK) {
        task->tries[hedge] = attempt;
        if (!hedge && !attempt->probe) task->call->attempts++;
        return true;
    }
failed:
    if (!hedge) s3_task_refused(task, engine->shared, status, fault.message);
    s3_attempt_free(attempt);
    return false;
}

static void send_next(struct s3_engine *engine, struct s3_tasks *tasks, uint32_t *flying)
{
    struct s3_task *const task = tasks->first;
    bool const windowed = s3_flight_is_part(task);
    enum s3_next next;
    s3_tasks_remove(task);
    if (launch(engine, task, false, &next)) {
        ++*flying;
        s3_tasks_append(&engine->flying, task);
        return;
    }
    if (windowed) s3_shared_leave(engine->shared, engine->index);
    s3_flight_place(engine, task, next);
}

static void send_again(struct s3_engine *engine, struct s3_task *task, uint64_t now)
{
    const struct s3_attempt *const first = task->tries[0];
    if (first == NULL || task->tries[1] != NULL || first->op.kind != S3_UPLOAD_PART) return;
    uint32_t const after = s3_shared_hedge_after(engine->shared, first->op.body_length);
    if (after == 0 || now - first->started < after * S3_NANOSECONDS_A_MS) return;
    if (engine->parts_flying == engine->parts_most) return;
    engine->wishes = !s3_shared_enter(engine->shared, engine->index);
    if (engine->wishes) return;
    enum s3_next next;
    if (launch(engine, task, true, &next)) {
        engine->parts_flying++;
        s3_shared_hedged(engine->shared);
    } else {
        s3_shared_leave(engine->shared, engine->index);
    }
}

static void hedge(struct s3_engine *engine)
{
    uint64_t const now = engine->shared->options.now();
    if (engine->parts_flying == 0 || now < engine->hedges_at || s3_shared_hurried(engine->shared)) return;
    engine->hedges_at = now + S3_HEDGE_LOOK_MS * S3_NANOSECONDS_A_MS;
    for (struct s3_task *task = engine->flying.first; task != NULL; task = task->next)
        send_again(engine, task, now);
}

/* Hedges first: they help parts that others wait for. */
void s3_flight_send(struct s3_engine *engine)
{
    hedge(engine);
    while (engine->parts.first != NULL && engine->parts_flying < engine->parts_most) {
        engine->wishes = !s3_shared_enter(engine->shared, engine->index);
        if (engine->wishes) break;
        send_next(engine, &engine->parts, &engine->parts_flying);
    }
    if (engine->wishes && (engine->parts.first == NULL || engine->parts_flying == engine->parts_most)) {
        engine->wishes = false;
        s3_shared_no_wish(engine->shared, engine->index);
    }
    while (engine->others.first != NULL && engine->others_flying < engine->others_most)
        send_next(engine, &engine->others, &engine->others_flying);
}

/* ---- ends ---- */

/* What all can learn of it. */
static void account(struct s3_engine *engine, const struct s3_attempt *attempt)
{
    struct s3_shared *const shared = engine->shared;
    const struct http_reply *const reply = &attempt->http.reply;
    if (reply->status != 0 && reply->failure != HTTP_PROXY) (void)s3_shared_reached(shared, true);
    if (reply->sent > 0) s3_shared_sent(shared, reply->sent);
    if (attempt->verdict == S3_THROTTLED) s3_shared_throttled(shared, attempt->windowed);
    if (attempt->verdict != S3_DONE) return;
    s3_shared_done(shared, attempt->repeat);
    if (!attempt->windowed) return;
    if (attempt->op.checksum_kind != CHECKSUM_NONE) (void)s3_shared_echo(shared, true);
    uint64_t const ms = (shared->options.now() - attempt->started) / S3_NANOSECONDS_A_MS;
    s3_shared_part_done(shared, attempt->op.body_length, ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX);
}

static void conclude(struct s3_engine *engine, struct s3_attempt *attempt)
{
    struct s3_task *const task = attempt->task;
    release(engine, attempt);
    s3_attempt_judge(attempt);
    account(engine, attempt);
    struct s3_attempt *const twin = task->tries[!attempt->hedge];
    if (twin != NULL && attempt->verdict != S3_DONE) {
        s3_attempt_free(attempt); /* the other one may still make it */
        return;
    }
    call_off(engine, twin);
    s3_tasks_remove(task);
    enum s3_next const next = s3_task_judged(task, engine->shared, attempt, next_random(engine));
    s3_attempt_free(attempt);
    s3_flight_place(engine, task, next);
}

void s3_flight_settle(struct s3_engine *engine)
{
    struct s3_attempt *attempt;
    while ((attempt = engine->ended) != NULL) {
        engine->ended = attempt->next;
        if (attempt->abandoned)
            s3_attempt_free(attempt);
        else
            conclude(engine, attempt);
    }
}

void s3_flight_cancel(struct s3_engine *engine, struct s3_task *task)
{
    enum s3_op_kind const kind = task->call->op.kind;
    bool const flies = task->tries[0] != NULL && !task->tries[0]->probe;
    if (flies && (kind == S3_COMPLETE_UPLOAD || kind == S3_PUT_OBJECT || kind == S3_CREATE_UPLOAD))
        task->call->uncertain = true;
    call_off(engine, task->tries[0]);
    call_off(engine, task->tries[1]);
    s3_tasks_remove(task);
    s3_task_cancelled(task, engine->shared);
    finish(engine, task);
}

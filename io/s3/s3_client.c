/* s3_client.c - main's side: calls are handed to engines and come back. Thread: main. Owns: the lists of
 * calls that are neither in an engine nor reaped; calls themselves are the caller's.
 *
 * Edges (engines' halves: s3_engine.c): O1 orders to engines, stored with release; H1 the hurry, a number
 * that stands for itself, relaxed (H2 in s3_shared.c). Calls go out and come home by rings; engines wake
 * `arrivals`. */
#include "io/s3/s3_client.h"

#include "io/s3/s3_client_inside.h"
#include "io/s3/s3_message.h"

#include <string.h>

#define NANOSECONDS_A_MS UINT64_C(1000000)
/* How often a person's interruption is looked for. */
#define LOOK_MS UINT64_C(200)

static void append(struct s3_calls *calls, struct s3_call *call)
{
    call->next = NULL;
    if (calls->first == NULL)
        calls->first = call;
    else
        calls->last->next = call;
    calls->last = call;
}

static struct s3_call *take_first(struct s3_calls *calls)
{
    struct s3_call *const call = calls->first;
    if (call == NULL) return NULL;
    calls->first = call->next;
    call->next = NULL;
    return call;
}

/* False: it is not in there. */
static bool take_one(struct s3_calls *calls, struct s3_call *call)
{
    struct s3_call *before = NULL;
    for (struct s3_call *at = calls->first; at != NULL; before = at, at = at->next) {
        if (at != call) continue;
        *(before == NULL ? &calls->first : &before->next) = at->next;
        if (calls->last == at) calls->last = before;
        at->next = NULL;
        return true;
    }
    return false;
}

/* The engine with the fewest calls that has room; they have equal shares of the connections. */
static uint32_t idlest(const struct s3_client *client)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < client->shared.engines; k++)
        if (client->inside[k] < client->inside[best]) best = k;
    return best;
}

static void dispatch(struct s3_client *client)
{
    while (client->overflow.first != NULL) {
        uint32_t const k = idlest(client);
        if (client->inside[k] == S3_ENGINE_CALLS) return;
        client->inside[k]++;
        s3_engine_give(client->engines[k], take_first(&client->overflow));
    }
}

/* Takes home what is finished, and fills the room that it leaves. */
static void collect(struct s3_client *client)
{
    for (uint32_t k = 0; k < client->shared.engines; k++) {
        struct s3_call *call;
        while ((call = s3_engine_take(client->engines[k])) != NULL) {
            client->inside[k]--;
            append(&client->ready, call);
        }
    }
    dispatch(client);
}

static void wake_all(struct s3_client *client)
{
    for (uint32_t k = 0; k < client->shared.engines; k++)
        s3_engine_wake(client->engines[k]);
}

static bool has_arrived(struct s3_client *client)
{
    for (uint32_t k = 0; k < client->shared.engines; k++)
        if (s3_engine_has(client->engines[k])) return true;
    return false;
}

/* Until something arrives, or `until`. May end too early. */
static void sleep_until(struct s3_client *client, uint64_t until)
{
    struct wait *const arrivals = client->shared.options.arrivals;
    uint32_t const ticket = wait_prepare(arrivals);
    if (has_arrived(client))
        wait_cancel(arrivals);
    else
        wait_sleep_until(arrivals, ticket, until);
}

/* A call that no engine has seen. */
static void cancel_here(struct s3_client *client, struct s3_call *call)
{
    char url[S3_MESSAGE_URL_MAX + 8];
    s3_message_place(client->shared.options.bucket, &call->op, url);
    call->verdict = S3_FATAL;
    call->status =
        fault_set(&call->fault, STATUS_INTERRUPTED, "%s %s: cancelled", s3_op_name(call->op.kind), url);
    append(&client->ready, call);
}

void s3_client_submit(struct s3_client *client, struct s3_call *call)
{
    call->verdict = S3_FATAL;
    call->status = STATUS_INTERNAL;
    call->attempts = 0;
    call->uncertain = false;
    call->state = NULL;
    client->out++;
    append(&client->overflow, call);
    dispatch(client);
}

struct s3_call *s3_client_reap(struct s3_client *client)
{
    if (client->ready.first == NULL) collect(client);
    struct s3_call *const call = take_first(&client->ready);
    if (call != NULL) client->out--;
    return call;
}

bool s3_client_ready(struct s3_client *client)
{
    return client->ready.first != NULL || has_arrived(client);
}

size_t s3_client_out(const struct s3_client *client)
{
    return client->out;
}

void s3_client_wait(struct s3_client *client)
{
    uint64_t const until = client->shared.options.now() + LOOK_MS * NANOSECONDS_A_MS;
    for (;;) {
        collect(client);
        if (client->ready.first != NULL || client->out == 0) return;
        if (client->shared.options.now() >= until) return;
        sleep_until(client, until);
    }
}

static enum status interrupted(const struct s3_client *client)
{
    enum status (*const asked)(void) = client->shared.options.interrupted;
    return asked != NULL ? asked() : STATUS_OK;
}

static void cancel_one(struct s3_client *client, struct s3_call *call)
{
    if (take_one(&client->overflow, call)) {
        cancel_here(client, call);
        return;
    }
    atomic_store_explicit(&client->shared.cancel_one, call, memory_order_release); /* O1 */
    wake_all(client);
}

enum status s3_client_run(struct s3_client *client, struct s3_call *call, bool uninterrupted)
{
    enum status stop = STATUS_OK;
    s3_client_submit(client, call);
    for (;;) {
        collect(client);
        if (take_one(&client->ready, call)) break;
        if (!uninterrupted && stop == STATUS_OK && (stop = interrupted(client)) != STATUS_OK) {
            cancel_one(client, call);
            continue;
        }
        sleep_until(client, client->shared.options.now() + LOOK_MS * NANOSECONDS_A_MS);
    }
    client->out--;
    atomic_store_explicit(&client->shared.cancel_one, NULL, memory_order_release); /* O1 */
    if (stop != STATUS_OK && call->status == STATUS_INTERRUPTED) call->status = call->fault.status = stop;
    return call->status;
}

static bool explains(const struct s3_call *question)
{
    switch (question->verdict) {
    case S3_DENIED: return strcmp(question->answer.code, "AccessDenied") != 0;
    case S3_EXPIRED:
    case S3_CLOCK_SKEW:
    case S3_OTHER_REGION:
    case S3_NO_BUCKET: return true;
    default: return false;
    }
}

void s3_client_explain(struct s3_client *client, struct s3_call *call)
{
    bool const has_no_body = call->op.kind == S3_HEAD_BUCKET || call->op.kind == S3_HEAD_OBJECT;
    unsigned const status = call->answer.status;
    if (!has_no_body || (status != 400 && status != 401 && status != 403)) return;
    struct s3_call question = {
        .op = {.kind = S3_LIST_UPLOADS, .list_most = 1, .expected_owner = call->op.expected_owner}};
    (void)s3_client_run(client, &question, false);
    if (explains(&question)) {
        call->verdict = question.verdict;
        call->status = question.status;
        call->fault = question.fault;
    }
    s3_call_free(&question);
}

void s3_client_cancel(struct s3_client *client)
{
    struct s3_call *call;
    while ((call = take_first(&client->overflow)) != NULL)
        cancel_here(client, call);
    atomic_store_explicit(&client->shared.cancel_all, true, memory_order_release); /* O1 */
    wake_all(client);
    for (;;) {
        collect(client);
        uint32_t inside = 0;
        for (uint32_t k = 0; k < client->shared.engines; k++)
            inside += client->inside[k];
        if (inside == 0) break;
        sleep_until(client, client->shared.options.now() + LOOK_MS * NANOSECONDS_A_MS);
    }
    atomic_store_explicit(&client->shared.cancel_all, false, memory_order_release); /* O1 */
}

void s3_client_hurry(struct s3_client *client, uint32_t ms)
{
    uint64_t const from = client->shared.options.now() + ms * NANOSECONDS_A_MS;
    atomic_store_explicit(&client->shared.hurry, from, memory_order_relaxed); /* H1 */
    wake_all(client); /* who backs off for longer does not any more */
}

void s3_client_stats(const struct s3_client *client, struct s3_client_stats *stats)
{
    s3_shared_stats(&client->shared, stats);
}

const struct s3_endpoint *s3_client_endpoint(const struct s3_client *client)
{
    uint64_t version = 0;
    s3_shared_endpoint(&client->shared, client->shown, &version);
    return client->shown;
}

const char *s3_client_credentials_name(const struct s3_client *client)
{
    return aws_provider_name(client->shared.provider);
}

void s3_call_free(struct s3_call *call)
{
    s3_answer_free(&call->answer);
}

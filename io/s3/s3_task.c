/* s3_task.c - what a verdict means for a call. Thread: the engine's. Owns: nothing; answers move from
 * attempts into calls. */
#include "io/s3/s3_task.h"

#include "io/s3/s3_message.h"

#include <string.h>

#define NANOSECONDS_A_MS UINT64_C(1000000)

/* ---- the end ---- */

static struct s3_subject subject_of(struct s3_shared *shared, struct s3_endpoint *endpoint)
{
    uint64_t version = 0;
    s3_shared_endpoint(shared, endpoint, &version);
    return (struct s3_subject){.bucket = shared->options.bucket,
                               .host = endpoint->host,
                               .region = endpoint->region,
                               .is_aws = endpoint->is_aws,
                               .expected_owner = shared->options.expected_owner,
                               .credentials = aws_provider_name(shared->provider)};
}

/* `failure` has all but what the call knows. */
static enum s3_next fail(struct s3_task *task, struct s3_shared *shared, struct s3_failure *failure)
{
    struct s3_call *const call = task->call;
    struct s3_endpoint endpoint;
    struct s3_subject subject = subject_of(shared, &endpoint);
    if (task->host[0] != '\0') subject.host = task->host;
    failure->answer = &call->answer;
    failure->attempts = call->attempts;
    call->verdict = failure->verdict;
    call->status = s3_message_make(&subject, &call->op, failure, &call->fault);
    return S3_NEXT_OVER;
}

/* As it ended. */
static enum s3_next fail_with(struct s3_task *task, struct s3_shared *shared,
                              const struct s3_attempt *attempt, enum s3_verdict verdict)
{
    struct s3_failure failure = {.verdict = verdict,
                                 .http = attempt->http.reply.failure,
                                 .http_text = attempt->http.reply.failure_text};
    return fail(task, shared, &failure);
}

void s3_task_refused(struct s3_task *task, struct s3_shared *shared, enum status status, const char *why)
{
    struct s3_call *const call = task->call;
    char url[S3_MESSAGE_URL_MAX + 8];
    s3_message_place(shared->options.bucket, &call->op, url);
    call->verdict = S3_FATAL;
    call->status = fault_set(&call->fault, status, "%s %s: %s", s3_op_name(call->op.kind), url, why);
}

void s3_task_cancelled(struct s3_task *task, struct s3_shared *shared)
{
    s3_task_refused(task, shared, STATUS_INTERRUPTED, "cancelled");
}

/* ---- again ---- */

static enum s3_next later(struct s3_task *task, const struct s3_shared *shared, uint32_t ms)
{
    task->due = shared->options.now() + ms * NANOSECONDS_A_MS;
    return S3_NEXT_LATER;
}

static enum s3_next back_off(struct s3_task *task, struct s3_shared *shared, const struct s3_attempt *attempt,
                             uint64_t random)
{
    const struct http_reply *const reply = &attempt->http.reply;
    struct s3_failure failure = {
        .verdict = attempt->verdict, .http = reply->failure, .http_text = reply->failure_text};
    bool const reached = s3_shared_reached(shared, false);
    failure.hurried = s3_shared_hurried(shared);
    if (++task->failures >= s3_retry_attempts(reply->failure, reached) || failure.hurried)
        return fail(task, shared, &failure);
    failure.budget_used_up = !s3_shared_repeat(shared, attempt->verdict);
    if (failure.budget_used_up) return fail(task, shared, &failure);
    uint32_t const delay =
        s3_retry_delay(attempt->verdict, task->failures + 1, attempt->retry_after_ms, random);
    task->fresh = reply->failure == HTTP_STALLED || reply->failure == HTTP_BROKEN;
    return later(task, shared, (uint32_t)((uint64_t)delay * shared->limits.delay_percent / 100));
}

static enum s3_next corrupted(struct s3_task *task, struct s3_shared *shared,
                              const struct s3_attempt *attempt, uint64_t random)
{
    if (++task->corrupted > S3_CORRUPT_MAX) return fail_with(task, shared, attempt, S3_CORRUPTED);
    return back_off(task, shared, attempt, random);
}

static enum s3_next set_clock(struct s3_task *task, struct s3_shared *shared,
                              const struct s3_attempt *attempt)
{
    int64_t const date = task->call->answer.date;
    int64_t const offset = date * 1000 - shared->options.wall_milliseconds();
    if (date != 0 && ++task->clocks <= S3_CLOCKS_MAX &&
        s3_shared_learn_clock(shared, attempt->clock_offset_ms, offset))
        return S3_NEXT_NOW;
    return fail_with(task, shared, attempt, S3_CLOCK_SKEW);
}

static enum s3_next ask_for_region(struct s3_task *task, struct s3_shared *shared,
                                   const struct s3_attempt *attempt)
{
    if (++task->regions > S3_REGIONS_MAX) return fail_with(task, shared, attempt, S3_OTHER_REGION);
    if (task->call->answer.region[0] == '\0') {
        if (attempt->op.kind == S3_HEAD_BUCKET) return fail_with(task, shared, attempt, S3_OTHER_REGION);
        task->probe = true;
        return S3_NEXT_NOW;
    }
    task->host[0] = '\0'; /* what another region said of places does not count here */
    if (s3_shared_learn_region(shared, attempt->region, task->call->answer.region)) return S3_NEXT_NOW;
    return fail_with(task, shared, attempt, S3_OTHER_REGION);
}

/* A HEAD of the bucket has come back. The call keeps the answer that led here. */
static enum s3_next probed(struct s3_task *task, struct s3_shared *shared, const struct s3_attempt *attempt,
                           uint64_t random)
{
    if (attempt->answer.region[0] != '\0') {
        task->probe = false;
        if (s3_shared_learn_region(shared, attempt->region, attempt->answer.region)) return S3_NEXT_NOW;
    } else if (attempt->verdict == S3_TRANSIENT || attempt->verdict == S3_THROTTLED) {
        return back_off(task, shared, attempt, random);
    }
    struct s3_failure failure = {.verdict = S3_OTHER_REGION};
    return fail(task, shared, &failure);
}

/* A host name with port: what may stand in a URL between "//" and '/'. */
static bool is_host(const char *text)
{
    size_t const length = strlen(text);
    return length > 0 && length <= S3_HOST_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_") == length;
}

static bool ends_in(const char *text, const char *end)
{
    size_t const length = strlen(text), tail = strlen(end);
    return length > tail && strcasecmp(text + length - tail, end) == 0;
}

/* AWS sends to its own hosts only; another one is not given the bytes. */
static bool may_go_to(const struct s3_endpoint *endpoint, const char *host)
{
    if (!is_host(host)) return false;
    const char *const own = strstr(endpoint->host, ".amazonaws.");
    if (!endpoint->is_aws || own == NULL) return true;
    return ends_in(host, own);
}

static enum s3_next redirect(struct s3_task *task, struct s3_shared *shared, const struct s3_attempt *attempt)
{
    const char *const host = task->call->answer.endpoint;
    struct s3_endpoint endpoint;
    uint64_t version = 0;
    s3_shared_endpoint(shared, &endpoint, &version);
    if (++task->redirects > S3_REDIRECTS_MAX || !may_go_to(&endpoint, host))
        return fail_with(task, shared, attempt, S3_REDIRECT);
    memcpy(task->host, host, strlen(host) + 1);
    return S3_NEXT_NOW;
}

/* ---- credentials ---- */

static enum s3_next give_up_renewing(struct s3_task *task, struct s3_shared *shared, const char *why)
{
    struct s3_failure failure = {.verdict = S3_EXPIRED, .renewal = why};
    return fail(task, shared, &failure);
}

/* Looks whether other credentials are there; else comes again in a moment. */
static enum s3_next look_for_credentials(struct s3_task *task, struct s3_shared *shared)
{
    struct aws_credentials credentials = {0};
    struct fault fault = {.message = ""};
    uint64_t generation = 0, now = shared->options.now();
    enum status const status = aws_provider_current(shared->provider, &credentials, &generation, &fault);
    aws_credentials_wipe(&credentials);
    if (status == STATUS_OK && generation != task->stale) {
        task->renewing = false;
        return S3_NEXT_NOW;
    }
    const char *const why = status == STATUS_OK ? NULL : fault.message;
    if (now >= task->renew_until || s3_shared_hurried(shared)) return give_up_renewing(task, shared, why);
    if (now >= task->renew_again && aws_provider_settled(shared->provider)) {
        if (!aws_provider_renew(shared->provider, task->stale)) return give_up_renewing(task, shared, why);
        task->renew_again = now + shared->limits.renew_again_ms * NANOSECONDS_A_MS;
    }
    return later(task, shared, shared->limits.renew_step_ms);
}

static enum s3_next renew(struct s3_task *task, struct s3_shared *shared, uint64_t stale)
{
    uint64_t const now = shared->options.now();
    if (++task->renewals > S3_RENEWALS_MAX || !aws_provider_renew(shared->provider, stale))
        return give_up_renewing(task, shared, NULL);
    task->renewing = true;
    task->stale = stale;
    task->renew_until = now + shared->limits.renew_most_ms * NANOSECONDS_A_MS;
    task->renew_again = now + shared->limits.renew_again_ms * NANOSECONDS_A_MS;
    return look_for_credentials(task, shared);
}

enum s3_next s3_task_unsigned(struct s3_task *task, struct s3_shared *shared)
{
    uint64_t const now = shared->options.now();
    task->renewing = true;
    task->stale = 0; /* any that are valid */
    task->renew_until = now + shared->limits.renew_most_ms * NANOSECONDS_A_MS;
    task->renew_again = UINT64_MAX; /* the provider knows by itself */
    return later(task, shared, shared->limits.renew_step_ms);
}

enum s3_next s3_task_due(struct s3_task *task, struct s3_shared *shared)
{
    return task->renewing ? look_for_credentials(task, shared) : S3_NEXT_NOW;
}

/* ---- one attempt's end ---- */

/* What of the body was taken stays taken: the next attempt asks for the rest. */
static void note_taken(struct s3_task *task, const struct s3_attempt *attempt)
{
    struct s3_answer *const answer = &task->call->answer;
    if (attempt->op.take == NULL) return;
    if (answer->status / 100 == 2) {
        if (answer->content_length > 0)
            answer->content_length += task->taken; /* an answer to a call for the rest tells of the rest */
        if (task->length == 0) task->length = attempt->length;
        if (task->etag[0] == '\0') memcpy(task->etag, answer->etag, sizeof task->etag);
    }
    task->taken += attempt->taken;
}

/* Else nothing would tell the bytes of one object from those of its successor, or where they end. */
static bool can_ask_for_rest(const struct s3_task *task, const struct s3_attempt *attempt)
{
    if (attempt->misplaced) return false;
    return task->taken == 0 || (task->etag[0] != '\0' && task->taken < task->length);
}

static void take_answer(struct s3_task *task, struct s3_attempt *attempt)
{
    struct s3_call *const call = task->call;
    s3_answer_free(&call->answer);
    call->answer = attempt->answer;
    attempt->answer = (struct s3_answer){0};
    call->uncertain |= s3_attempt_is_uncertain(attempt);
    note_taken(task, attempt);
}

/* Does the store say nothing of checksums at all? */
static bool is_silent(struct s3_task *task, struct s3_shared *shared, const struct s3_attempt *attempt)
{
    if (attempt->echo != S3_ECHO_MISSING || s3_shared_echo(shared, false)) return false;
    return ++task->silent_echoes >= S3_SILENT_ECHOES_MAX;
}

static enum s3_next failed(struct s3_task *task, struct s3_shared *shared, const struct s3_attempt *attempt,
                           uint64_t random)
{
    if (is_silent(task, shared, attempt)) {
        struct s3_failure failure = {.verdict = S3_NOT_SUPPORTED, .no_echo = true};
        return fail(task, shared, &failure);
    }
    if (!can_ask_for_rest(task, attempt)) return fail_with(task, shared, attempt, attempt->verdict);
    switch (attempt->verdict) {
    case S3_TRANSIENT:
    case S3_THROTTLED:
    case S3_CONFLICT: return back_off(task, shared, attempt, random);
    case S3_CORRUPTED: return corrupted(task, shared, attempt, random);
    case S3_CLOCK_SKEW: return set_clock(task, shared, attempt);
    case S3_EXPIRED: return renew(task, shared, attempt->generation);
    case S3_OTHER_REGION: return ask_for_region(task, shared, attempt);
    case S3_REDIRECT: return redirect(task, shared, attempt);
    case S3_DONE:
    case S3_DENIED:
    case S3_NO_BUCKET:
    case S3_NO_UPLOAD:
    case S3_NO_KEY:
    case S3_EXISTS:
    case S3_NOT_SUPPORTED:
    case S3_TRUST:
    case S3_FATAL: break;
    }
    return fail_with(task, shared, attempt, attempt->verdict);
}

enum s3_next s3_task_judged(struct s3_task *task, struct s3_shared *shared, struct s3_attempt *attempt,
                            uint64_t random)
{
    if (attempt->probe) return probed(task, shared, attempt, random);
    take_answer(task, attempt);
    if (attempt->verdict != S3_DONE) return failed(task, shared, attempt, random);
    task->call->verdict = S3_DONE;
    task->call->status = STATUS_OK;
    return S3_NEXT_OVER;
}

void s3_task_op(const struct s3_task *task, struct s3_op *op)
{
    *op = task->call->op;
    if (task->probe) {
        *op = (struct s3_op){.kind = S3_HEAD_BUCKET, .expected_owner = task->call->op.expected_owner};
    } else if (task->taken > 0) {
        op->range_begin += task->taken;
        op->range_length = task->length - task->taken;
        if (op->if_match == NULL) op->if_match = task->etag;
    }
}

/* ---- lists ---- */

static void put_behind(struct s3_tasks *tasks, struct s3_task *task, struct s3_task *place)
{
    struct s3_task *const after = place == NULL ? tasks->first : place->next;
    task->previous = place;
    task->next = after;
    task->in = tasks;
    *(place == NULL ? &tasks->first : &place->next) = task;
    *(after == NULL ? &tasks->last : &after->previous) = task;
}

void s3_tasks_append(struct s3_tasks *tasks, struct s3_task *task)
{
    put_behind(tasks, task, tasks->last);
}

void s3_tasks_prepend(struct s3_tasks *tasks, struct s3_task *task)
{
    put_behind(tasks, task, NULL);
}

void s3_tasks_insert(struct s3_tasks *tasks, struct s3_task *task)
{
    struct s3_task *place = tasks->last;
    while (place != NULL && place->due > task->due)
        place = place->previous;
    put_behind(tasks, task, place);
}

void s3_tasks_remove(struct s3_task *task)
{
    struct s3_tasks *const tasks = task->in;
    if (tasks == NULL) return;
    *(task->previous == NULL ? &tasks->first : &task->previous->next) = task->next;
    *(task->next == NULL ? &tasks->last : &task->next->previous) = task->previous;
    task->next = task->previous = NULL;
    task->in = NULL;
}

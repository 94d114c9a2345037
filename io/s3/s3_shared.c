/* s3_shared.c - what the threads of a client share. Thread: any, by the mutex; it is held for a few loads and
 * stores and never over a call that waits. Owns: the mutex. Engines are woken after it was given up. */
#include "io/s3/s3_shared.h"

#include "io/http/http.h"

#include <stdlib.h>
#include <string.h>

#define NANOSECONDS_A_MS UINT64_C(1000000)
/* What older parts count for at each new one: some 20 are remembered. */
#define USUAL_KEPT 0.95
/* A day: what is later need not be told apart. */
#define HEDGE_MS_MAX 86400000u

const struct s3_limits s3_limits_usual = {.connect_ms = 10000,
                                          .stall_seconds = 30,
                                          .delay_percent = 100,
                                          .renew_step_ms = 50,
                                          .renew_most_ms = 60000,
                                          .renew_again_ms = 5000,
                                          .hedge_ms = 0};

/* A look does not change what is shared, though it takes the mutex. */
static void lock(const struct s3_shared *shared)
{
    (void)pthread_mutex_lock(
        (pthread_mutex_t *)&shared->mutex); /* can't fail: initialised, never locked twice */
}

static void unlock(const struct s3_shared *shared)
{
    (void)pthread_mutex_unlock((pthread_mutex_t *)&shared->mutex);
}

enum status s3_shared_start(struct s3_shared *shared, struct fault *fault)
{
    shared->rules.region = shared->region;
    enum status const status =
        s3_endpoint_resolve(&shared->rules, shared->options.bucket, &shared->endpoint, fault);
    if (status != STATUS_OK) return status;
    shared->endpoint_version = 1;
    s3_window_start(&shared->window, shared->options.connections);
    s3_hedge_start(&shared->hedge, shared->options.connections);
    s3_retry_budget_start(&shared->budget, shared->options.connections);
    if (pthread_mutex_init(&shared->mutex, NULL) != 0)
        return fault_set(fault, STATUS_IO, "S3 client: the system has no mutex to give");
    return STATUS_OK;
}

void s3_shared_stop(struct s3_shared *shared)
{
    if (shared->endpoint_version != 0) (void)pthread_mutex_destroy(&shared->mutex);
    shared->endpoint_version = 0;
}

/* Engines with an older ticket than `k`'s. */
static uint32_t before(const struct s3_shared *shared, uint32_t k)
{
    uint32_t count = 0;
    for (uint32_t other = 0; other < shared->engines; other++) {
        if (other == k || shared->waiting[other] == 0) continue;
        count += shared->waiting[k] == 0 || shared->waiting[other] < shared->waiting[k];
    }
    return count;
}

bool s3_shared_enter(struct s3_shared *shared, uint32_t k)
{
    lock(shared);
    bool const room = shared->window.flying + before(shared, k) < s3_window_size(&shared->window);
    bool const entered = room && s3_window_enter(&shared->window);
    if (entered)
        shared->waiting[k] = 0;
    else if (shared->waiting[k] == 0)
        shared->waiting[k] = ++shared->tickets;
    unlock(shared);
    return entered;
}

/* Those that wait; taken under the mutex, woken outside of it. */
static uint64_t waiters(const struct s3_shared *shared, uint32_t k)
{
    uint64_t set = 0;
    for (uint32_t other = 0; other < shared->engines; other++)
        if (other != k && shared->waiting[other] != 0) set |= UINT64_C(1) << other;
    return set;
}

static void wake(struct s3_shared *shared, uint64_t set)
{
    for (uint32_t k = 0; set != 0; k++, set >>= 1)
        if ((set & 1) != 0) http_wake(shared->https[k]);
}

void s3_shared_leave(struct s3_shared *shared, uint32_t k)
{
    lock(shared);
    s3_window_leave(&shared->window);
    uint64_t const set = waiters(shared, k);
    unlock(shared);
    wake(shared, set);
}

void s3_shared_no_wish(struct s3_shared *shared, uint32_t k)
{
    lock(shared);
    bool const waited = shared->waiting[k] != 0;
    shared->waiting[k] = 0;
    uint64_t const set = waited ? waiters(shared, k) : 0; /* the place that was kept for us is free */
    unlock(shared);
    wake(shared, set);
}

void s3_shared_endpoint(const struct s3_shared *shared, struct s3_endpoint *copy, uint64_t *version)
{
    lock(shared);
    if (*version != shared->endpoint_version) {
        *copy = shared->endpoint;
        *version = shared->endpoint_version;
    }
    unlock(shared);
}

/* An endpoint of the user's stays: only what requests are signed for changes. An access point's ARN has a
 * region of its own, which nobody changes: no progress then. */
static bool move_to(struct s3_shared *shared, const char *region)
{
    struct s3_endpoint moved = shared->endpoint;
    char old[S3_REGION_MAX + 1];
    memcpy(old, shared->region, sizeof old);
    memcpy(shared->region, region, strlen(region) + 1);
    bool good = true;
    if (shared->endpoint.is_aws)
        good = s3_endpoint_resolve(&shared->rules, shared->options.bucket, &moved, NULL) == STATUS_OK;
    else
        memcpy(moved.region, region, strlen(region) + 1);
    if (!good || strcmp(moved.region, shared->endpoint.region) == 0) {
        memcpy(shared->region, old, sizeof old);
        return false;
    }
    shared->endpoint = moved;
    shared->endpoint_version++;
    return true;
}

/* It goes into a header and a host name: letters, digits and dashes, as all regions are written. */
static bool is_region(const char *text)
{
    size_t const length = strlen(text);
    if (length == 0 || length > S3_REGION_MAX) return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == length;
}

bool s3_shared_learn_region(struct s3_shared *shared, const char *used, const char *region)
{
    lock(shared);
    bool again = false;
    if (strcmp(shared->endpoint.region, used) != 0)
        again = true; /* another call has learnt it meanwhile */
    else if (is_region(region) && strcmp(region, used) != 0)
        again = move_to(shared, region);
    unlock(shared);
    return again;
}

int64_t s3_shared_clock_offset(struct s3_shared *shared)
{
    lock(shared);
    int64_t const offset = shared->clock_offset_ms;
    unlock(shared);
    return offset;
}

bool s3_shared_learn_clock(struct s3_shared *shared, int64_t used, int64_t offset)
{
    bool const differs = llabs(offset - used) >= S3_CLOCK_STEP_MS;
    lock(shared);
    if (differs) shared->clock_offset_ms = offset;
    unlock(shared);
    return differs;
}

bool s3_shared_echo(struct s3_shared *shared, bool seen)
{
    lock(shared);
    shared->echo_seen |= seen;
    bool const known = shared->echo_seen;
    unlock(shared);
    return known;
}

bool s3_shared_reached(struct s3_shared *shared, bool now)
{
    lock(shared);
    shared->reached |= now;
    bool const reached = shared->reached;
    unlock(shared);
    return reached;
}

/* Sums, so that the short last parts of files don't count for more than their bytes. */
static double usual_ms(const struct s3_shared *shared, uint64_t bytes)
{
    return shared->part_bytes == 0 ? 0 : shared->part_ms / shared->part_bytes * (double)bytes;
}

/* What the hedges learn from is by how much a part took longer than its size lets expect: when the last byte
 * of a body left is not known up here. */
static void learn_time(struct s3_shared *shared, uint64_t bytes, uint32_t ms)
{
    double const late = shared->part_bytes == 0 ? 0 : (double)ms - usual_ms(shared, bytes);
    s3_hedge_sample(&shared->hedge, late > 0 ? (uint32_t)late : 0);
    shared->part_ms = shared->part_ms * USUAL_KEPT + (double)ms;
    shared->part_bytes = shared->part_bytes * USUAL_KEPT + (double)bytes;
}

void s3_shared_part_done(struct s3_shared *shared, uint64_t bytes, uint32_t ms)
{
    lock(shared);
    uint32_t const size = s3_window_size(&shared->window);
    s3_window_success(&shared->window);
    if (bytes > 0) learn_time(shared, bytes, ms);
    bool const grown = s3_window_size(&shared->window) > size;
    uint64_t const set = grown ? waiters(shared, S3_ENGINES_MAX) : 0;
    unlock(shared);
    wake(shared, set);
}

void s3_shared_done(struct s3_shared *shared, bool was_repeat)
{
    lock(shared);
    s3_retry_budget_give(&shared->budget, was_repeat);
    unlock(shared);
}

void s3_shared_throttled(struct s3_shared *shared, bool windowed)
{
    uint64_t const now = shared->options.now() / NANOSECONDS_A_MS;
    lock(shared);
    shared->stats.throttles++;
    if (windowed) s3_window_throttled(&shared->window, now);
    unlock(shared);
}

void s3_shared_stats(const struct s3_shared *shared, struct s3_client_stats *stats)
{
    lock(shared);
    *stats = shared->stats;
    unlock(shared);
}

void s3_shared_sent(struct s3_shared *shared, uint64_t bytes)
{
    lock(shared);
    shared->stats.bytes_sent += bytes;
    unlock(shared);
}

bool s3_shared_repeat(struct s3_shared *shared, enum s3_verdict verdict)
{
    lock(shared);
    bool const taken = s3_retry_budget_take(&shared->budget, verdict);
    if (taken) shared->stats.retries++;
    unlock(shared);
    return taken;
}

void s3_shared_hedged(struct s3_shared *shared)
{
    lock(shared);
    s3_hedge_count(&shared->hedge);
    shared->stats.hedges++;
    unlock(shared);
}

uint32_t s3_shared_hedge_after(struct s3_shared *shared, uint64_t bytes)
{
    lock(shared);
    uint32_t const limit =
        shared->limits.hedge_ms != 0 ? shared->limits.hedge_ms : s3_hedge_limit(&shared->hedge);
    double const after = (double)limit + usual_ms(shared, bytes);
    unlock(shared);
    if (limit == 0) return 0;
    return after < (double)HEDGE_MS_MAX ? (uint32_t)after : HEDGE_MS_MAX;
}

bool s3_shared_hurried(const struct s3_shared *shared)
{
    /* H2: relaxed; a number that stands for itself. */
    uint64_t const from = atomic_load_explicit(&shared->hurry, memory_order_relaxed);
    return from != 0 && shared->options.now() >= from;
}

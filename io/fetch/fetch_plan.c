/* fetch_plan.c - see the header. Pure. Owns nothing. */
#include "io/fetch/fetch_plan.h"

#include "io/s3/s3_plan.h"

static uint64_t memory_of(const struct fetch_request *request, const struct fetch_plan *plan)
{
    uint64_t const ranges = plan->slots + (uint64_t)request->streams * plan->ahead;
    uint64_t const busy = ranges < request->connections ? ranges : request->connections;
    return request->buckets * (uint64_t)S3_CLIENT_BYTES + ranges * plan->range_bytes +
           busy * (FETCH_CONNECTION_BYTES + request->receive_buffer);
}

static bool fits(const struct fetch_request *request, struct fetch_plan *plan)
{
    plan->memory = memory_of(request, plan);
    return plan->memory <= request->memory;
}

/* Of all that there is, some objects' last ranges are short. */
static uint32_t all_slots(const struct fetch_request *request, size_t range_bytes)
{
    uint64_t const ranges = request->shelved / range_bytes + request->objects;
    return ranges < UINT32_MAX ? (uint32_t)ranges : UINT32_MAX;
}

static uint32_t at_most(uint64_t count, uint32_t most)
{
    return count < most ? (uint32_t)count : most;
}

static uint32_t least_slots(const struct fetch_request *request, size_t range_bytes)
{
    uint64_t const shard = request->shard < FETCH_SHARD_MAX ? request->shard : FETCH_SHARD_MAX;
    uint64_t const slots = (request->threads + 1) * shard / range_bytes + 2;
    return at_most(slots, all_slots(request, range_bytes));
}

/* Every connection busy, while each thread reads a range, or as much as is wished for it, and one more is
 * between the two. */
static uint32_t most_slots(const struct fetch_request *request, size_t range_bytes)
{
    uint32_t const least = least_slots(request, range_bytes);
    uint64_t const wished = (request->wish + range_bytes - 1) / range_bytes;
    uint64_t const threads = request->threads * (wished == 0 ? 1 : wished);
    uint32_t const busy = at_most(request->connections + threads + 1, all_slots(request, range_bytes));
    return busy > least ? busy : least;
}

static uint32_t most_ahead(const struct fetch_request *request)
{
    if (request->streams == 0) return 0;
    uint32_t const each = request->connections / request->streams + 1;
    return at_most(each < FETCH_AHEAD_MIN ? FETCH_AHEAD_MIN : each, FETCH_AHEAD_MAX);
}

static void set_range(const struct fetch_request *request, struct fetch_plan *plan, size_t range_bytes)
{
    uint32_t const least = least_slots(request, range_bytes);
    plan->range_bytes = range_bytes;
    if (plan->slots < least) plan->slots = least;
}

static uint32_t half(uint32_t count, uint32_t least)
{
    return count / 2 > least ? count / 2 : least;
}

void fetch_plan_make(const struct fetch_request *request, struct fetch_plan *plan)
{
    uint32_t const ahead_least = request->streams > 0 ? FETCH_AHEAD_MIN : 0;
    *plan = (struct fetch_plan){.range_bytes = FETCH_RANGE_MAX, .ahead = most_ahead(request)};
    plan->slots = most_slots(request, FETCH_RANGE_MAX);
    while (!fits(request, plan) && plan->range_bytes > FETCH_RANGE_LOW)
        set_range(request, plan, plan->range_bytes / 2);
    for (uint32_t least = least_slots(request, plan->range_bytes);
         !fits(request, plan) && (plan->slots > least || plan->ahead > ahead_least);) {
        plan->slots = half(plan->slots, least);
        plan->ahead = half(plan->ahead, ahead_least);
    }
    while (!fits(request, plan) && plan->range_bytes > FETCH_RANGE_MIN) {
        size_t const smaller = plan->range_bytes / 2;
        plan->slots = least_slots(request, smaller);
        plan->range_bytes = smaller;
    }
    (void)fits(request, plan);
}

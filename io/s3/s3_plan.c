/* s3_plan.c - arithmetic of an upload's sizes. Pure. Thread: any. Owns nothing. */
#include "io/s3/s3_plan.h"

#include "core/base/limits.h"

#include <inttypes.h>

/* Groups of parts of one size in a whole upload, and in the half of it that a known object should keep to. */
#define PLAN_GROUPS      (S3_PARTS_MAX / S3_PARTS_BEFORE_DOUBLING)
#define PLAN_GROUPS_HALF (PLAN_GROUPS / 2)
/* Parts held besides those on their way: one being filled, one waiting. */
#define PLAN_PARTS_MORE 2u
/* What a dump whose size is not known is taken for: a pipe may bring anything. */
#define PLAN_UNKNOWN S3_OBJECT_MAX

uint64_t s3_plan_part(uint64_t part_size, uint32_t number)
{
    if (number == 0 || number > S3_PARTS_MAX) return 0;
    uint32_t const doublings = (number - 1) / S3_PARTS_BEFORE_DOUBLING; /* at most 9 */
    return part_size >= S3_PART_MAX >> doublings ? S3_PART_MAX : part_size << doublings;
}

/* Bytes of the parts of the first `groups` groups. */
static uint64_t groups_bytes(uint64_t part_size, uint32_t groups)
{
    uint64_t bytes = 0;
    for (uint32_t group = 0; group < groups; group++)
        bytes += S3_PARTS_BEFORE_DOUBLING * s3_plan_part(part_size, group * S3_PARTS_BEFORE_DOUBLING + 1);
    return bytes;
}

uint64_t s3_plan_largest(uint64_t part_size)
{
    return groups_bytes(part_size, PLAN_GROUPS);
}

/* The largest part of an object of `bytes`. */
static uint64_t top_part(uint64_t part_size, uint64_t bytes)
{
    uint32_t groups = 1;
    while (groups < PLAN_GROUPS && groups_bytes(part_size, groups) < bytes)
        groups++;
    return s3_plan_part(part_size, groups * S3_PARTS_BEFORE_DOUBLING);
}

/* A quarter more, rounded up: chunks are not always full. */
static uint64_t with_slack(uint64_t bytes)
{
    return bytes + (bytes + 3) / 4;
}

static uint64_t hold_for(uint64_t part_size, uint32_t connections)
{
    return with_slack(part_size * (connections + PLAN_PARTS_MORE));
}

/* What the upload takes besides what it holds. */
static uint64_t other_memory(const struct s3_plan_request *request, uint64_t part_size, uint32_t connections)
{
    uint64_t const beside = request->beside == NULL ? 0 : request->beside(part_size, connections);
    return S3_CLIENT_BYTES + (uint64_t)connections * S3_CONNECTION_BYTES + beside;
}

/* Rounded up. */
static uint64_t hold_cost(const struct s3_plan_request *request, uint64_t hold)
{
    uint64_t const percent = request->hold_percent == 0 ? 100 : request->hold_percent;
    return hold / 100 * percent + (hold % 100 * percent + 99) / 100;
}

/* The most that may be held for `cost` bytes. */
static uint64_t hold_within(const struct s3_plan_request *request, uint64_t cost)
{
    uint64_t const percent = request->hold_percent == 0 ? 100 : request->hold_percent;
    return cost / percent * 100 + cost % percent * 100 / percent;
}

static uint64_t need(const struct s3_plan_request *request, uint64_t part_size, uint32_t connections)
{
    return other_memory(request, part_size, connections) +
           hold_cost(request, hold_for(part_size, connections));
}

bool s3_plan_part_fits(uint64_t size, uint64_t hold)
{
    return size <= hold / 5 * 2;
}

/* The largest object none of whose parts is too large to be held whole. */
static uint64_t reach_of(uint64_t part_size, uint64_t hold)
{
    uint32_t groups = 0;
    while (groups < PLAN_GROUPS &&
           s3_plan_part_fits(s3_plan_part(part_size, (groups + 1) * S3_PARTS_BEFORE_DOUBLING), hold))
        groups++;
    return groups_bytes(part_size, groups);
}

static enum status check_flags(const struct s3_plan_request *request, struct fault *fault)
{
    if (request->part_size != 0 && (request->part_size < S3_PART_MIN || request->part_size > S3_PART_MAX))
        return fault_set(fault, STATUS_USAGE,
                         "--part-size: S3 takes parts of %llu MiB to %llu GiB, not of %" PRIu64 " bytes",
                         S3_PART_MIN >> 20, S3_PART_MAX >> 30, request->part_size);
    if (request->connections > S3_CONNECTIONS_MAX)
        return fault_set(fault, STATUS_USAGE, "--connections: at most %u, not %" PRIu32, S3_CONNECTIONS_MAX,
                         request->connections);
    return STATUS_OK;
}

static enum status too_short(const struct s3_plan_request *request, uint64_t least, struct fault *fault)
{
    uint32_t const connections = request->connections == 0 ? 1 : request->connections;
    uint64_t const part_size = request->part_size == 0 ? S3_PART_MIN : request->part_size;
    return fault_set(fault, STATUS_USAGE,
                     "--memory-limit: leaves %" PRIu64 " MiB for the upload to S3, which takes %" PRIu64
                     " MiB with %u connection%s and parts of %" PRIu64
                     " MiB; raise it, or lower --connections or --part-size",
                     request->memory / LIMIT_MIB, (least + LIMIT_MIB - 1) / LIMIT_MIB, connections,
                     connections == 1 ? "" : "s", part_size / LIMIT_MIB);
}

/* The part size to begin with when memory is no matter. */
static uint64_t wanted_part(uint64_t largest)
{
    uint64_t part_size = S3_PART_DEFAULT;
    while (part_size < S3_PART_MAX && groups_bytes(part_size, PLAN_GROUPS_HALF) < largest)
        part_size *= 2;
    return part_size < S3_PART_MAX ? part_size : S3_PART_MAX;
}

/* 16, 8, 5 MiB: S3's advice is 8 to 16, 5 is its least. */
static uint64_t smaller_part(uint64_t part_size)
{
    return part_size / 2 > S3_PART_MIN ? part_size / 2 : S3_PART_MIN;
}

/* `need` grows with the connections: the most that fit. At least one does. */
static uint32_t fitting_connections(const struct s3_plan_request *request, uint64_t part_size,
                                    uint32_t connections)
{
    while (need(request, part_size, connections) > request->memory)
        connections--;
    return connections;
}

enum status s3_plan_make(const struct s3_plan_request *request, struct s3_plan *plan, uint64_t *least,
                         struct fault *fault)
{
    *least = 0;
    enum status const status = check_flags(request, fault);
    if (status != STATUS_OK) return status;
    uint64_t const lowest = need(request, request->part_size == 0 ? S3_PART_MIN : request->part_size,
                                 request->connections == 0 ? 1 : request->connections);
    if (request->memory < lowest) {
        *least = lowest;
        return too_short(request, lowest, fault);
    }
    uint64_t const largest = request->largest == 0 ? PLAN_UNKNOWN : request->largest;
    uint64_t part_size = request->part_size;
    uint32_t connections = request->connections == 0 ? S3_CONNECTIONS_DEFAULT : request->connections;
    if (part_size == 0) {
        part_size = request->largest == 0 ? S3_PART_DEFAULT : wanted_part(largest);
        while (part_size > S3_PART_MIN && need(request, part_size, connections) > request->memory)
            part_size = smaller_part(part_size);
    }
    connections = fitting_connections(request, part_size, connections);
    uint64_t const other = other_memory(request, part_size, connections);
    uint64_t const room = hold_within(request, request->memory - other);
    uint64_t const full = hold_for(top_part(part_size, largest), connections);
    uint64_t const hold = full < room ? full : room; /* at least hold_for(part_size, connections) */
    *plan = (struct s3_plan){
        .part_size = part_size,
        .connections = connections,
        .threads = (connections + S3_CONNECTIONS_A_THREAD - 1) / S3_CONNECTIONS_A_THREAD,
        .hold = hold,
        .other = other,
        .memory = other + hold_cost(request, hold),
        .reach = reach_of(part_size, hold),
    };
    return STATUS_OK;
}

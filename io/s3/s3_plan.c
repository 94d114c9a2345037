/* s3_plan.c - arithmetic of an upload's sizes. Pure. Thread: any. Owns nothing. */
#include "io/s3/s3_plan.h"

#include "core/base/limits.h"

#include <inttypes.h>
#include <stdio.h>

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

static uint32_t open_files_of(const struct s3_plan_request *request)
{
    if (request->open_files == 0) return 1;
    return request->open_files < S3_PLAN_FILES_MAX ? request->open_files : S3_PLAN_FILES_MAX;
}

/* What the upload takes besides what it holds. */
static uint64_t other_memory(const struct s3_plan_request *request, uint64_t part_size, uint32_t connections)
{
    uint64_t const beside =
        request->beside == NULL ? 0 : request->beside(part_size, connections, open_files_of(request));
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

bool s3_plan_parts_fit(uint64_t bytes, uint64_t fill, uint64_t hold)
{
    return bytes <= fill + hold / 5 * 2;
}

/* The largest objects, all open at once, none of whose parts are too large to be filled. */
static uint64_t reach_of(const struct s3_plan *plan)
{
    uint32_t groups = 0;
    while (groups < PLAN_GROUPS &&
           s3_plan_parts_fit(plan->open_files *
                                 s3_plan_part(plan->part_size, (groups + 1) * S3_PARTS_BEFORE_DOUBLING),
                             plan->fill, plan->hold))
        groups++;
    return groups_bytes(plan->part_size, groups);
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
    uint32_t const files = open_files_of(request);
    char for_files[96] = "";
    if (files > 1) (void)snprintf(for_files, sizeof for_files, " for each of %u files open at once", files);
    return fault_set(fault, STATUS_USAGE,
                     "--memory-limit: leaves %" PRIu64 " MiB for the upload to S3, which takes %" PRIu64
                     " MiB with %u connection%s and parts of %" PRIu64
                     " MiB%s; raise it, or lower --connections or --part-size%s",
                     request->memory / LIMIT_MIB, (least + LIMIT_MIB - 1) / LIMIT_MIB, connections,
                     connections == 1 ? "" : "s", part_size / LIMIT_MIB, for_files,
                     files > 1 ? ", or have fewer segments (segments.split) or a smaller files.count" : "");
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

/* What is filled and held within the memory, which is at least need(). */
static struct s3_plan with_memory(const struct s3_plan_request *request, uint64_t part_size,
                                  uint32_t connections, uint64_t largest)
{
    struct s3_plan plan = {.part_size = part_size,
                           .connections = connections,
                           .threads = (connections + S3_CONNECTIONS_A_THREAD - 1) / S3_CONNECTIONS_A_THREAD,
                           .open_files = open_files_of(request)};
    uint64_t const top = top_part(part_size, largest);
    uint64_t const left = request->memory - need(request, part_size, connections);
    uint64_t more = plan.open_files == 1 ? 0 : plan.open_files * (top - part_size);
    if (more > left) more = left;
    plan.fill = plan.open_files * part_size + more;
    plan.other = other_memory(request, part_size, connections) + more;
    uint64_t const room = hold_within(request, request->memory - plan.other);
    uint64_t const full = hold_for(top, connections);
    plan.hold = full < room ? full : room; /* at least hold_for(part_size, connections) */
    plan.memory = plan.other + hold_cost(request, plan.hold);
    plan.reach = reach_of(&plan);
    return plan;
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
    *plan = with_memory(request, part_size, connections, largest);
    return STATUS_OK;
}

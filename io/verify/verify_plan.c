/* verify_plan.c - ranges become smaller before threads become fewer. Pure. Owns nothing. */
#include "io/verify/verify_plan.h"

#include "core/codec/unpack.h"
#include "io/verify/verify_source.h"

/* A connection's buffers in libcurl (receive, upload, TLS) and ours for headers. */
#define CONNECTION_BYTES ((uint64_t)192 * 1024)
/* A thread's structs and malloc's own. */
#define THREAD_BYTES ((uint64_t)64 * 1024)

static uint64_t thread_memory(bool is_s3, size_t range_bytes)
{
    uint64_t const unpacking = VERIFY_BLOCK + unpack_memory(UNPACK_GZIP, VERIFY_WINDOW_LOG) +
                               unpack_memory(UNPACK_ZSTD, VERIFY_WINDOW_LOG);
    uint64_t const reading = is_s3 ? VERIFY_AHEAD * (range_bytes + CONNECTION_BYTES) : VERIFY_BLOCK;
    return unpacking + reading + THREAD_BYTES;
}

bool verify_plan_make(const struct verify_plan_request *request, struct verify_plan *plan, uint64_t *least)
{
    uint32_t const fewest = request->threads_given ? request->threads : 1;
    *least = request->fixed + fewest * thread_memory(request->is_s3, VERIFY_OBJECT_RANGE_MIN);
    for (uint32_t threads = request->threads; threads >= fewest; threads--)
        for (size_t range = VERIFY_OBJECT_RANGE_MAX; range >= VERIFY_OBJECT_RANGE_MIN; range /= 2) {
            if (request->fixed + threads * thread_memory(request->is_s3, range) > request->memory) continue;
            *plan = (struct verify_plan){.threads = threads, .range_bytes = range};
            return true;
        }
    return false;
}

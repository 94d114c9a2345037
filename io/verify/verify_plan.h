/* verify_plan.h - what a verify takes of the memory limit. Pure. */
#ifndef PENSTOCK_IO_VERIFY_VERIFY_PLAN_H
#define PENSTOCK_IO_VERIFY_VERIFY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ranges of one object on their way at once: one is looked at while the others come. */
#define VERIFY_AHEAD 4u
/* Bytes of a range: S3 answers a request after tens of milliseconds, in which a connection carries some
 * megabytes; below 1 MiB the requests would cost more than the bytes. */
#define VERIFY_OBJECT_RANGE_MAX ((size_t)8 * 1024 * 1024)
#define VERIFY_OBJECT_RANGE_MIN ((size_t)1024 * 1024)
/* The same for any limit, since a frame that can't be read is a result; zstd's levels up to 19 need no more.
 */
#define VERIFY_WINDOW_LOG 23u

struct verify_plan_request {
    uint64_t memory; /* the limit */
    uint64_t fixed;  /* what is taken whatever the threads */
    uint32_t threads;
    bool threads_given; /* by the person: all of them, or none */
    bool is_s3;
};

struct verify_plan {
    uint32_t threads;
    size_t range_bytes; /* S3 only */
};

/* False: `least` is what it takes. */
bool verify_plan_make(const struct verify_plan_request *request, struct verify_plan *plan, uint64_t *least);

#endif

/* fetch_plan.h - what reading from S3 takes of the memory limit: the size of ranges, and how many there are.
 * Pure.
 *
 * S3 answers a request after some 30 ms, in which a connection could carry 2.5 MB: ranges of 4 MiB keep it
 * busy for more than half of the time, 25 connections carry 10 Gbit/s then. Memory that is short makes ranges
 * smaller first, down to 1 MiB, then fewer, then smaller still: many small requests are slow, few are slower.
 *
 * The shelf has room for the shards that all threads have in hand, and one more: then no thread finds its
 * range gone before it was read, and every range comes once. (Shards above FETCH_SHARD_MAX don't count: what
 * has gone is fetched again, and the checksum of such an object may remain unknown.) */
#ifndef PENSTOCK_IO_FETCH_FETCH_PLAN_H
#define PENSTOCK_IO_FETCH_FETCH_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define FETCH_RANGE_MAX ((size_t)4 * 1024 * 1024)
#define FETCH_RANGE_LOW ((size_t)1024 * 1024)
#define FETCH_RANGE_MIN ((size_t)256 * 1024)
/* Ranges of one stream on their way at once, when there is memory: eight connections carry 0.7 GB/s, more
 * than a decoder takes. */
#define FETCH_AHEAD_MAX 8u
/* One is read while the other comes. */
#define FETCH_AHEAD_MIN 2u
#define FETCH_SHARD_MAX ((uint64_t)8 * 1024 * 1024)
/* What a connection has beside its receive buffer: of libcurl, of TLS. */
#define FETCH_CONNECTION_BYTES ((uint64_t)128 * 1024)

struct fetch_request {
    uint64_t memory;       /* bytes that it may take in all */
    uint32_t connections;  /* at least 1 */
    size_t receive_buffer; /* of each */
    uint32_t threads;      /* that read */
    uint32_t buckets;
    uint32_t streams; /* packed objects that are read front to back at once; 0: none */
    uint64_t shelved; /* bytes of all objects on the shelf: plain ones, and one whose frames are shared */
    size_t objects;   /* how many these are; 0: none */
    uint64_t shard;   /* bytes that a thread takes of them at a time */
    uint64_t wish;    /* bytes for each thread at best, when there is memory; 0: a range is enough */
};

struct fetch_plan {
    size_t range_bytes;
    uint32_t slots;  /* of the shelf; 0: nothing is on it */
    uint32_t ahead;  /* ranges of each stream; 0: no streams */
    uint64_t memory; /* all of it */
};

/* The best that the memory allows, and the least that works when it allows none: `plan->memory` is larger
 * than `request->memory` then. */
void fetch_plan_make(const struct fetch_request *request, struct fetch_plan *plan);

#endif

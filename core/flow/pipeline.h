/* pipeline.h - who runs when: workers that convert, one assembler that orders and writes.
 *
 *                  next shard (atomic counter, claimed by one fetch_add)
 *                    |            |            |
 *                worker 0     worker 1     worker N-1        convert.c: source window -> chunks
 *                    |            |            |
 *              forward ring  forward ring  forward ring      single producer, single consumer, chunks in
 * order \           |           / assembler (the caller's thread)      assemble.c: order, files, sink,
 * rejects, budget
 *                     /           |           \
 *                home ring    home ring     home ring        empty chunks go back to who made them
 *
 * Memory is bounded by the chunks (chunk_pool.h): a worker that has none left waits until one comes home.
 * That can't lock up: the chunks of the shard that is next in order are always drained, its worker comes
 * first when one is empty, and there are more chunks than the other workers and the sink can keep back. The
 * assembler sleeps in one place, for rows and for the sink alike. Workers also do what a sink gives them to
 * do (crew.h), whenever they would wait and after the last shard.
 *
 * A run that deduplicates keeps all chunks in a spool first (dedup.h), and assembles what is left of them
 * when the last one is there. The workers find out together who is left, and the assembler then has all
 * chunks of the pool.
 *
 * Errors: the first one wins (a compare-and-swap on the latch); everybody looks at the latch between blocks
 * and whenever woken; workers close their rings and leave; all is freed after join.
 *
 * Determinism: shards are positions, the assembler takes them in order; nothing depends on who converted
 * what. */
#ifndef PENSTOCK_CORE_FLOW_PIPELINE_H
#define PENSTOCK_CORE_FLOW_PIPELINE_H

#include "core/flow/assemble.h"
#include "core/flow/chunk_pool.h"
#include "core/flow/convert.h"
#include "core/flow/crew.h"
#include "core/flow/dedup.h"
#include "core/flow/wait.h"
#include "core/record/shard_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Chunks of a worker: one for rows and one for rejects being filled, one with the assembler, one on its way
 * home; two more so that neither side waits for the other's rhythm. */
#define PIPELINE_CHUNKS_PER_WORKER 6u
#define PIPELINE_CHUNKS_MIN        4u
/* With a sink that holds: as many bytes, in the smallest chunks. */
#define PIPELINE_CHUNKS_SMALL (PIPELINE_CHUNKS_PER_WORKER * (CHUNK_BYTES_MAX / CHUNK_BYTES_MIN))

/* Input in one stage 1: its bytes, its index (0.7 of them, for profiles) and the chunk share a core's L2
 * cache. */
#define PIPELINE_BLOCK_MAX (256u * 1024)
#define PIPELINE_BLOCK_MIN (32u * 1024)

/* Text in a block of a stream (STREAM_BLOCK_BYTES) when memory is short. */
#define PIPELINE_STREAM_BLOCK_MIN (128u * 1024)

/* The share of the memory limit (1 / this) that rows of sources ahead of the front one may fill: what they
 * don't fill is never touched. */
#define PIPELINE_AHEAD_SHARE 4u
/* Chunks of a worker for that: 8 GiB of rows. A bound for the arrays of chunks, whatever the limit. */
#define PIPELINE_AHEAD_MAX 65536u

/* Stack of a worker: the walks descend PATH_PARTS_MAX levels of some 200 bytes. */
#define PIPELINE_STACK_BYTES (512u * 1024)

/* How often a waiting assembler looks whether the run was interrupted. */
#define PIPELINE_LOOK_NS 200000000ull

struct pipeline_sizes {
    size_t block, chunk;
    size_t stream_block;      /* text in one block of a stream */
    uint32_t chunks;          /* of each worker */
    uint32_t extra;           /* chunks on top of them, which the sink may hold */
    struct dedup_sizes dedup; /* zeroed: the run keeps all records */
    uint64_t memory;          /* bytes that a run with these sizes allocates at most */
};

struct pipeline_options {
    uint32_t threads;
    const struct convert_rules *rules;
    const struct record_visitor *visitors; /* one a thread, with rules->visits */
    struct pipeline_sizes sizes;
    bool buffered_sources; /* readers hold a block each (and the lane's one of max_record) */
    struct wait *arrivals; /* what the assembler sleeps on: workers wake it for rows, the sink's threads
                              for pieces that may come home */
    const struct spool_store *store; /* with sizes.dedup: for rows that memory has no room for */
    struct crew *crew;               /* of as many workers, for sinks that give them work; NULL: none does */
    /* Tells the system of memory that is about to be filled; may be NULL. */
    void (*prepare)(void *memory, size_t bytes);
    uint64_t (*now)(void);            /* nanoseconds of CLOCK_MONOTONIC */
    enum status (*interrupted)(void); /* STATUS_OK: go on; else why to stop. Asked by the assembler. */
    struct assemble_rules assemble;   /* but `streams` and `home`, which are the pipeline's */
};

struct pipeline_times { /* nanoseconds, summed over the workers (wall time of the assembler's for `write`) */
    uint64_t convert, read, wait_chunk, write, wait_rows;
    uint64_t stream, wait_stream; /* reading streams (inflating included); nothing of them to convert yet */
    uint64_t compress;            /* in the works of a crew */
    uint64_t drain;               /* wall time of the assembler, for the last pieces to come home */
};

struct pipeline_result {
    struct assemble assemble; /* tally and files; assemble_free() it */
    struct pipeline_times times;
};

/* Bytes outside workers, lane and chunks: the program itself, its libraries, job, plan, sinks' buffers. */
#define PIPELINE_MEMORY_BASE (6ull * 1024 * 1024)

/* What a run is sized for. */
struct pipeline_needs {
    const struct convert_rules *rules;
    uint32_t threads;
    bool buffered_sources;
    uint64_t hold; /* bytes of pieces that the sink may hold back and have on their way; 0: gives them home at
                      once */
    uint64_t other;                   /* memory that the sink takes beside them */
    uint64_t sources, stream_sources; /* of the sources: those that are read front to back */
    uint64_t stream_bytes;            /* memory of one stream that is being read */
    bool blocks_show;                 /* in the output: blocks of streams have one size, whatever the limit */
    bool has_forms;                   /* a source that can be read anywhere has a form */
};

/* The largest sizes that stay under `limit` bytes; STATUS_USAGE names the least limit that would do. Sizes
 * never show in the output. With `hold`, chunks are small: those at the end of shards are held partly empty.
 * With several sources of which some are streams there are more chunks, for a share of the limit: rows of the
 * later ones, which are read beside the front one, wait in them. */
enum status pipeline_size(const struct pipeline_needs *needs, uint64_t limit, struct pipeline_sizes *sizes,
                          struct fault *fault);
/* Lets deduplication, if there is any, have what sizes->memory leaves of the limit. */
void pipeline_fill(const struct pipeline_needs *needs, uint64_t limit, struct pipeline_sizes *sizes);
/* The least that pipeline_size() would take. */
uint64_t pipeline_least(const struct pipeline_needs *needs);

/* Converts all shards into the sink. Returns when all threads are joined and all pieces are home. The sink
 * was not committed; on failure it was aborted (only so does it let go of its pieces), and the result's tally
 * holds what was counted. */
enum status pipeline_run(const struct pipeline_options *options, struct source *const *sources,
                         const struct shard_plan *plan, struct sink *sink, struct pipeline_result *result,
                         struct fault *fault);

#endif

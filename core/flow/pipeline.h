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
 * Memory is bounded by the workers' chunks: a worker that has none left waits until one comes home. That
 * can't lock up: the chunks of the shard that is next in order are always drained, so its worker always goes
 * on, and a worker's chunks of earlier shards were drained before. While the sink holds pieces of chunks and
 * no rows are there, the assembler waits for the sink, not for the workers: they may be out of chunks.
 *
 * Errors: the first one wins (a compare-and-swap on the latch); everybody looks at the latch between blocks
 * and whenever woken; workers close their rings and leave; all is freed after join.
 *
 * Determinism: shards are positions, the assembler takes them in order; nothing depends on who converted
 * what. */
#ifndef PENSTOCK_CORE_FLOW_PIPELINE_H
#define PENSTOCK_CORE_FLOW_PIPELINE_H

#include "core/flow/assemble.h"
#include "core/flow/convert.h"
#include "core/record/shard_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Chunks of a worker: one for rows and one for rejects being filled, one with the assembler, one on its way
 * home; two more so that neither side waits for the other's rhythm. */
#define PIPELINE_CHUNKS_PER_WORKER 6u
#define PIPELINE_CHUNKS_MIN        4u

/* Input in one stage 1: its bytes, its index (0.7 of them, for profiles) and the chunk share a core's L2
 * cache. */
#define PIPELINE_BLOCK_MAX (256u * 1024)
#define PIPELINE_BLOCK_MIN (32u * 1024)

/* Stack of a worker: the walks descend PATH_PARTS_MAX levels of some 200 bytes. */
#define PIPELINE_STACK_BYTES (512u * 1024)

struct pipeline_sizes {
    size_t block, chunk;
    uint32_t chunks; /* of each worker */
    uint64_t memory; /* bytes that a run with these sizes allocates at most */
};

struct pipeline_options {
    uint32_t threads;
    const struct convert_rules *rules;
    struct pipeline_sizes sizes;
    bool buffered_sources;            /* readers hold a block each (and the lane's one of max_record) */
    uint64_t (*now)(void);            /* nanoseconds of a steady clock */
    enum status (*interrupted)(void); /* STATUS_OK: go on; else why to stop. Asked by the assembler. */
    struct assemble_rules assemble;   /* but `home`, which is the pipeline's */
};

struct pipeline_times { /* nanoseconds, summed over the workers (wall time of the assembler's for `write`) */
    uint64_t convert, read, wait_chunk, write, wait_rows;
};

struct pipeline_result {
    struct assemble assemble; /* tally and files; assemble_free() it */
    struct pipeline_times times;
};

/* Bytes outside workers, lane and chunks: the program itself, its libraries, job, plan, sinks' buffers. */
#define PIPELINE_MEMORY_BASE (8ull * 1024 * 1024)

/* The largest sizes that stay under `limit` bytes; STATUS_USAGE names the least limit that would do. Sizes
 * never show in the output. */
enum status pipeline_size(const struct convert_rules *rules, uint32_t threads, bool buffered_sources,
                          uint64_t limit, struct pipeline_sizes *sizes, struct fault *fault);

/* Converts all shards into the sink. Returns when all threads are joined and all pieces are home. The sink
 * was not committed; on failure it was aborted (only so does it let go of its pieces), and the result's tally
 * holds what was counted. */
enum status pipeline_run(const struct pipeline_options *options, struct source *const *sources,
                         const struct shard_plan *plan, struct sink *sink, struct pipeline_result *result,
                         struct fault *fault);

#endif

/* pipeline.h - who runs when: workers that convert, one assembler that orders and writes.
 *
 *          next shard, or block of a stream (feed.h)
 *            |            |            |
 *        worker 0     worker 1     worker N-1      pipeline_worker.c, convert.c: source window -> chunks
 *            |            |            |
 *      forward ring  forward ring  forward ring    one producer, one consumer, chunks in order
 *             \           |           /
 *          assembler (the caller's thread)         pipeline_assemble.c, assemble.c: order, files, rejects
 *             /           |           \
 *        home ring    home ring     home ring      empty chunks go back to who made them
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
#include "core/flow/pipeline_sizes.h"
#include "core/flow/prepare.h"
#include "core/flow/wait.h"
#include "core/record/shard_plan.h"

#include <stdbool.h>
#include <stdint.h>

/* Stack of a worker: the walks descend PATH_PARTS_MAX levels of some 200 bytes. */
#define PIPELINE_STACK_BYTES (512u * 1024)

/* How often a waiting assembler looks whether the run was interrupted. */
#define PIPELINE_LOOK_NS 200000000ull

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
    prepare_fn *prepare;             /* may be NULL */
    uint64_t (*now)(void);           /* nanoseconds of CLOCK_MONOTONIC */
    /* Of each worker, and of the caller's thread behind them: what the run's time goes to. NULL: not counted.
     */
    struct track *tracks;
    /* Called by each worker before it touches its memory; NULL: nothing is due. */
    void (*start)(void *context, uint32_t worker);
    void *start_context;
    const uint8_t
        *nodes; /* of the machine's memory, below CHUNK_POOL_NODES, each worker's; NULL: one for all */
    enum status (*interrupted)(void); /* STATUS_OK: go on; else why to stop. Asked by the assembler. */
    struct assemble_rules assemble;   /* but `streams` and `home`, which are the pipeline's */
};

struct pipeline_result {
    struct assemble assemble; /* tally and files; assemble_free() it */
};

/* Converts all shards into the sink. Returns when all threads are joined and all pieces are home. The sink
 * was not committed; on failure it was aborted (only so does it let go of its pieces), and the result's tally
 * holds what was counted. */
enum status pipeline_run(const struct pipeline_options *options, struct source *const *sources,
                         const struct shard_plan *plan, struct sink *sink, struct pipeline_result *result,
                         struct fault *fault);

#endif

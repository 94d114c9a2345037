/* pipeline_sizes.h - how large blocks, chunks and tables of a run are, so that it stays under its memory
 * limit. Sizes never show in the output.
 *
 * Pure. Thread rule: none; owns nothing. */
#ifndef PENSTOCK_CORE_FLOW_PIPELINE_SIZES_H
#define PENSTOCK_CORE_FLOW_PIPELINE_SIZES_H

#include "core/flow/chunk.h"
#include "core/flow/convert.h"
#include "core/flow/dedup.h"
#include "core/flow/feed.h"

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

struct pipeline_sizes {
    size_t block, chunk;
    size_t stream_block;      /* text in one block of a stream */
    uint32_t chunks;          /* of each worker */
    uint32_t extra;           /* chunks on top of them, which the sink may hold */
    struct dedup_sizes dedup; /* zeroed: the run keeps all records */
    uint64_t memory;          /* bytes that a run with these sizes allocates at most */
};

/* Bytes outside workers, lane and chunks: the program itself, its libraries, job, plan, sinks' buffers. */
#define PIPELINE_MEMORY_BASE (6ull * 1024 * 1024)

/* What a run is sized for. */
struct pipeline_needs {
    const struct convert_rules *rules;
    uint32_t threads;
    bool buffered_sources;
    uint64_t reads_ahead; /* bytes that a worker's reader has beside its window */
    uint64_t hold; /* bytes of pieces that the sink may hold back and have on their way; 0: gives them home at
                      once */
    uint64_t other;                   /* memory that the sink takes beside them */
    uint64_t sources, stream_sources; /* of the sources: those that are read front to back */
    uint64_t stream_bytes;            /* memory of one stream that is being read */
    bool blocks_show;                 /* in the output: blocks of streams have one size, whatever the limit */
    bool has_forms;                   /* a source that can be read anywhere has a form, */
    bool stream_forms;                /* one that is read front to back, or may have one */
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

/* What the feed of such a run is made with. */
struct feed_rules pipeline_feed_rules(const struct convert_rules *rules, uint32_t threads,
                                      const struct pipeline_sizes *sizes);

#endif

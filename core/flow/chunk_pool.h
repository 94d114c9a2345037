/* chunk_pool.h - all chunks of a run, and who gets the next empty one.
 *
 * Each worker may have `quota` chunks that have not yet reached the assembler; `extra` more exist, so that a
 * sink may hold that many while every worker still gets its quota. An empty chunk goes to any worker below
 * its quota: the one whose shard is next in order before all others, then in turn.
 *
 * Why that can't lock up: when a worker waits and no chunk is empty, the other workers have at most their
 * quotas, so that the sink has at least `extra` chunks and one quota. It asked for `extra` so that this is
 * more than it holds back (sink.h, pipeline.h): some of it is on its way and comes home.
 *
 * Chunks of a machine with several nodes of memory (pool->nodes) stay on the node of the worker that had them
 * first, and so touched them first: a worker gets one of its own node while there is one, then one that
 * nobody had, then any.
 *
 * Thread rule: the assembler's thread; create and destroy before and after the workers. Owns the chunks. */
#ifndef PENSTOCK_CORE_FLOW_CHUNK_POOL_H
#define PENSTOCK_CORE_FLOW_CHUNK_POOL_H

#include "core/flow/chunk.h"

/* Nodes of memory that chunks are told apart by; more are one with the last. */
#define CHUNK_POOL_NODES 64u

struct chunk_pool {
    /* One piece of memory each, so that a chunk that was never used costs no page. */
    struct chunk *all;
    uint8_t *bytes;
    uint32_t *row_ends;
    struct chunk_run *runs; /* NULL: one stream */
    uint32_t *row_marks;    /* NULL: none */
    /* Stacks: what was used last is in the cache. Behind those of the nodes, the one of chunks that nobody
     * had.
     */
    struct chunk *empty[CHUNK_POOL_NODES + 1];
    uint32_t empty_count;
    const uint8_t *nodes; /* each worker's; NULL: one for all. Set before create. */
    uint32_t *with;       /* chunks that each worker has */
    uint32_t workers, quota, turn;
    size_t count;
};

/* False: no memory; destroy is due all the same. */
bool chunk_pool_create(struct chunk_pool *pool, uint32_t workers, uint32_t quota, uint32_t extra,
                       size_t bytes, uint32_t streams);
/* Gives the chunks room for marks. False: no memory; destroy is due all the same. */
bool chunk_pool_add_marks(struct chunk_pool *pool);
void chunk_pool_destroy(struct chunk_pool *pool); /* zeroed is fine */

/* An empty chunk for chunk->worker, which is set: of worker `first` when it may have one (`first` >= workers:
 * nobody goes before the others). NULL: none is empty, or nobody may have more. */
struct chunk *chunk_pool_take(struct chunk_pool *pool, uint32_t first);
/* The worker gave it away: the assembler has it now. */
void chunk_pool_came(struct chunk_pool *pool, const struct chunk *chunk);
/* It is empty again. */
void chunk_pool_home(struct chunk_pool *pool, struct chunk *chunk);

/* The workers have given all that they will, and nobody holds a chunk: all are empty, and the assembler's,
 * who takes them by chunk_pool_spare(). */
void chunk_pool_take_back(struct chunk_pool *pool);
/* An empty chunk for the assembler; NULL: there is none. */
struct chunk *chunk_pool_spare(struct chunk_pool *pool);

#endif

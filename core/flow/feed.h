/* feed.h - what a worker converts next: the one place where work is claimed.
 *
 * Two kinds of sources follow each other in input order. One that can be read anywhere is cut into shards by
 * position (shard_plan.h). One that is read front to back (stream.h) is cut into blocks (stream_cut.h): a
 * worker that finds nothing to convert reads the next block of the first stream that nobody reads, and
 * whoever comes next converts it. So a single gzip file is inflated by one worker while others convert, and
 * of many files several are inflated side by side.
 *
 *   claim: the first in input order of   a shard   |   a block that was read   |   a stream to read a block
 * of
 *
 * What each worker claims ascends, as the assembler wants it (pipeline.h); and one worker at least stays with
 * the front source, the first that is not wholly converted, while others go ahead of it. Their rows wait
 * until the front source is through: a worker that has no room for more of them reads blocks of the front
 * source for those who convert it, rather than stand still with a unit in hand. And whoever has read a block
 * reads on while others wait for something to convert, so that a single stream is read without a gap.
 *
 * Memory is bounded by the blocks: two for each worker and FEED_RESERVE more. Only a line that is longer than
 * a block wants the large one, of which there is one.
 *
 * Why that can't lock up. A worker waits for an empty chunk, or for its turn, with a shard or block in hand;
 * that ends when all before it is written. Let U be the first unit, in input order, that is not converted; it
 * is of the front source.
 * - U is claimed: all that its worker claimed before is written, so that it gets chunks (chunk_pool.h) and
 * has its turn: it goes on.
 * - U is not claimed: nothing behind it in the front source is, and what stands before it is converted. So
 * the worker that stays with the front source has nothing in hand: it claims U, or reads it first. Room for
 * it there is: blocks of the front source are free again, and later sources leave FEED_RESERVE when they take
 *   one. The large block is taken for the front source only, and comes home when its record is converted.
 *
 * Order: units ascend by `order` (source, then place in it), which is what chunks carry as their shard.
 *
 * Thread rule: feed_try() and feed_done() by any worker; everything but the claims of runs without streams is
 * under the mutex. Whoever waits sleeps on `changed` (wait.h), which the feed wakes. create and destroy
 * before and after the workers. Owns the blocks and the cuts. */
#ifndef PENSTOCK_CORE_FLOW_FEED_H
#define PENSTOCK_CORE_FLOW_FEED_H

#include "core/flow/source.h"
#include "core/flow/stream_cut.h"
#include "core/flow/track.h"
#include "core/flow/wait.h"
#include "core/record/shard_plan.h"

#include <pthread.h>
#include <stdatomic.h>

/* Blocks that streams behind the front one leave free: for the front's next one to be read while the one
 * before it is converted. */
#define FEED_RESERVE 2u

/* Room for the place within a source: shards of one byte of a tebibyte. */
#define FEED_INDEX_BITS 40u

struct feed_rules {
    uint32_t workers;
    struct track *tracks; /* of the workers; NULL: nobody counts */
    struct stream_cut_rules cut;
};

struct feed_task {
    uint64_t order;
    size_t source;
    bool final;                 /* the source ends with it */
    struct shard shard;         /* of a source that can be read anywhere */
    struct stream_block *block; /* of a stream; NULL: it is a shard */
    const struct fault *fault;  /* of a STREAM_BROKEN block */
};

struct feed_source;

/* What the feed knows of a worker. */
struct feed_worker {
    size_t source; /* of its last claim: it claims nothing of earlier ones any more */
    bool has_room; /* as it said last */
    bool reads_on; /* it has just read, and others wait */
};

struct feed {
    struct feed_rules rules;
    struct source *const *sources;
    const struct shard_plan *plan; /* streams have no shard in it */
    struct wait *changed;
    bool has_streams; /* set at create, as all above */
    /* Runs without streams: relaxed fetch_add, claims and publishes nothing. */
    _Alignas(LIMIT_LINE) _Atomic uint64_t next_shard;
    _Alignas(LIMIT_LINE) pthread_mutex_t mutex; /* of all that follows */
    struct feed_source *list;
    struct feed_worker *workers;
    uint32_t ahead;          /* workers whose source is behind the front one */
    size_t front;            /* the first source that is not wholly converted */
    struct stream_cut *cuts; /* `stream` NULL: free */
    struct stream_block *blocks, *empty;
    uint32_t empty_count;
    struct stream_block large;
    bool large_taken;
};

_Static_assert(LIMIT_APART(struct feed, has_streams, next_shard) &&
                   LIMIT_APART(struct feed, next_shard, mutex),
               "what all look at, what all claim by, and what is under the mutex");

/* Memory of a feed: blocks, carries, the large block; 0 for runs without streams. */
uint64_t feed_memory(const struct feed_rules *rules);
/* False: no memory; destroy is due all the same. */
bool feed_create(struct feed *feed, const struct feed_rules *rules, struct source *const *sources,
                 const struct shard_plan *plan, struct wait *changed);
void feed_destroy(struct feed *feed); /* zeroed is fine; closes streams */

enum feed_answer {
    FEED_TASK, /* `task` is the caller's until feed_done() */
    FEED_WAIT, /* nothing now: look again when `changed` was woken */
    FEED_END   /* nothing will come any more */
};
/* For worker number `worker`; `has_room`: for what a unit of a source ahead of the front one comes to. May
 * read from a stream, and take as long as that does. */
enum feed_answer feed_try(struct feed *feed, uint32_t worker, bool has_room, struct feed_task *task);
void feed_done(struct feed *feed, const struct feed_task *task);

/* The units in input order, as the assembler meets them. */
struct feed_cursor {
    size_t source;
    uint64_t index;
};
/* To the first unit. False: there is none. */
bool feed_first(const struct feed *feed, struct feed_cursor *cursor);
/* To the one behind; `final`: as the task of the one at hand said. False: it was the last one. */
bool feed_next(const struct feed *feed, struct feed_cursor *cursor, bool final);
static inline uint64_t feed_order(size_t source, uint64_t index)
{
    return (uint64_t)source << FEED_INDEX_BITS | index;
}

#endif

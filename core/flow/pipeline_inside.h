/* pipeline_inside.h - what the files of the pipeline share: the run with its workers (pipeline.c), their loop
 * (pipeline_worker.c), the assembler's (pipeline_assemble.c), shards that it converts again
 * (pipeline_mend.c), and what it does when it is known who stays (pipeline_replay.c).
 *
 * Thread rule: said of each. Owns nothing; pipeline.c makes and frees all of it. */
#ifndef PENSTOCK_CORE_FLOW_PIPELINE_INSIDE_H
#define PENSTOCK_CORE_FLOW_PIPELINE_INSIDE_H

#include "core/base/limits.h"
#include "core/flow/pipeline.h"
#include "core/flow/ring.h"
#include "core/flow/wait.h"

#include <pthread.h>

struct pipeline_worker {
    _Alignas(LIMIT_LINE) struct ring forward; /* worker -> assembler */
    struct ring home;                         /* assembler -> worker */
    /* The worker waits for home, or work; the assembler wakes. */
    _Alignas(LIMIT_LINE) struct wait bed;
    _Alignas(LIMIT_LINE) struct convert convert; /* the worker's alone */
    struct chunk *empty; /* likewise: a stack, what came home last on top; it is in the cache */
    uint32_t empty_count;
    struct track *track; /* likewise; NULL: nothing is counted */
    struct pipeline *pipeline;
    uint32_t number;
    pthread_t thread;
    bool started, wait_ready; /* the caller's */
    struct fault fault;       /* the worker's until the latch points at it */
};

_Static_assert(LIMIT_APART(struct pipeline_worker, home, bed) &&
                   LIMIT_APART(struct pipeline_worker, bed, convert) &&
                   sizeof(struct pipeline_worker) % LIMIT_LINE == 0,
               "what the assembler writes, what is the worker's alone, and the next worker");

/* No worker: more than LIMIT_THREADS. */
#define PIPELINE_NOBODY UINT32_MAX

/* The turn behind all units: no unit has this order. */
#define PIPELINE_TURN_OVER UINT64_MAX

/* Where the next shard of a container begins, in runs that keep what records do. `at` passes from the worker
 * of one shard to that of the next. */
struct pipeline_seam {
    uint64_t at;
    /* N1: release by a worker that wrote `at` for this shard of the source; N2: acquire by the worker that
     * has it. */
    _Atomic uint64_t shard;
};

/* Converts again, on the assembler's thread, a shard of a container whose worker began it at a wrong place.
 */
struct pipeline_mender {
    struct convert convert;
    struct assemble *assemble; /* of the shard at hand */
    struct sink *sink;
    size_t source;
    bool needed; /* is there any such source? */
    enum status status;
};

struct pipeline {
    const struct pipeline_options *options;
    struct source *const *sources;
    struct feed feed; /* what workers claim */
    /* Workers wait for streams to be read; the feed wakes. */
    _Alignas(LIMIT_LINE) struct wait feed_changed;
    /* Workers wait for their turn, and the assembler wakes; or for where their shard begins, and others of
     * them wake. */
    _Alignas(LIMIT_LINE) struct wait turn_changed;
    _Alignas(LIMIT_LINE) bool feed_wait_ready;
    struct pipeline_worker *workers;
    struct convert_tools large; /* used by the worker whose turn it is: see `turn` */
    struct chunk_pool pool;     /* the assembler's */
    struct assemble *assemble;  /* the assembler's */
    struct wait *arrivals;      /* the assembler waits for forward rings and for the sink; workers wake */
    struct dedup *dedup;        /* NULL: the run keeps all records */
    bool replays;               /* the assembler's: the workers get no more chunks */
    /* D1: release by a worker that found all losers that it could; D2: acquire by the assembler. */
    _Alignas(LIMIT_LINE) _Atomic uint32_t settled;
    bool wait_ready;
    uint32_t first;                /* the assembler's: the worker of the shard at hand, or PIPELINE_NOBODY */
    struct pipeline_mender mender; /* the assembler's */
    struct pipeline_seam *seams;   /* of each source; NULL: no shard's begin is told */
    /* The assembler's: where the first record of the shard at hand begins, in a container that can be read
     * anywhere. */
    uint64_t due;
    /* T1: release by the assembler when all shards before `turn` are drained; T2: acquire by the worker that
     * waits for it. The edge also hands the large lane from one worker to the next: the former user's last
     * chunk was popped (ring edge) before T1. T3: acquire by a worker that asks whether the assembler
     * sleeps for its shard. */
    _Alignas(LIMIT_LINE) _Atomic uint64_t turn;
    /* S1: release CAS by whoever fails first, with its fault filled before; S2: acquire by everyone who
     * polls. */
    _Alignas(LIMIT_LINE) _Atomic(const struct fault *) stop;
    _Alignas(LIMIT_LINE) struct fault assembler_fault;
};
_Static_assert(LIMIT_APART(struct pipeline, sources, feed_changed) &&
                   LIMIT_APART(struct pipeline, feed_changed, turn_changed) &&
                   LIMIT_APART(struct pipeline, turn_changed, workers) &&
                   LIMIT_APART(struct pipeline, replays, settled) &&
                   LIMIT_APART(struct pipeline, due, turn) && LIMIT_APART(struct pipeline, turn, stop) &&
                   LIMIT_APART(struct pipeline, stop, assembler_fault),
               "what all look at all the time lies apart from what some write");

/* ---- any thread (pipeline.c) ---- */

bool pipeline_is_stopped(struct pipeline *pipeline);
/* Ends the run with this fault, unless it ends with an earlier one. The fault stays with its thread. */
void pipeline_stop(struct pipeline *pipeline, const struct fault *fault);

/* ---- the caller's, before and after the threads ---- */

/* False: no memory; destroy is due all the same. */
bool pipeline_worker_create(struct pipeline *pipeline, uint32_t number);
void pipeline_worker_destroy(struct pipeline_worker *worker, struct source *const *sources);
/* The thread: its argument is the worker. */
void *pipeline_worker_main(void *argument);
/* With pipeline->mender.needed. False: no memory. */
bool pipeline_mend_create(struct pipeline *pipeline);
void pipeline_mend_destroy(struct pipeline *pipeline); /* zeroed is fine */

/* ---- the assembler ---- */

/* All rows in order into the sink, and all pieces home. STATUS_OK, early: the run is being stopped. */
enum status pipeline_assemble(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink);
/* All in order once more, when the last candidate is entered. Ends early, without a fault of its own, when a
 * worker failed. */
enum status pipeline_replay(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink);
/* Converts the shard at hand from pipeline->due on. `final`: its source ends with it. */
enum status pipeline_mend(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink,
                          const struct feed_cursor *unit, bool final);

/* Empty chunks to the workers that may have more; to worker `first` before the others. */
void pipeline_serve(struct pipeline *pipeline, uint32_t first);
/* For whoever has done with a chunk; `context`: the pipeline. */
void pipeline_chunk_home(void *context, struct chunk *chunk);
/* A chunk to the files. */
enum status pipeline_put(struct pipeline *pipeline, struct assemble *assemble, struct chunk *chunk,
                         size_t source);
/* The same, or to where rows are kept until it is known who stays. */
enum status pipeline_pass_on(struct pipeline *pipeline, struct assemble *assemble, struct chunk *chunk,
                             size_t source);
/* All before `order` is written. */
void pipeline_set_turn(struct pipeline *pipeline, uint64_t order);
enum status pipeline_check_interrupted(struct pipeline *pipeline);
/* Until there is what `ready` looks for, a failure, or an end of the run. */
enum status pipeline_wait_until(struct pipeline *pipeline, struct sink *sink,
                                bool (*ready)(struct pipeline *));
/* Is a chunk of the pool empty? */
bool pipeline_has_spare(struct pipeline *pipeline);

/* The assembler's track; NULL: nothing is counted. */
static inline struct track *pipeline_track(const struct pipeline *pipeline)
{
    const struct pipeline_options *const options = pipeline->options;
    return options->tracks == NULL ? NULL : &options->tracks[options->threads];
}

/* Is the source a container whose records a worker guesses? */
static inline bool pipeline_guesses(const struct pipeline *pipeline, size_t source)
{
    const struct source *const port = pipeline->sources[source];
    return port->form != NULL && port->stream == NULL;
}

#endif

/* crew.h - work that the assembler gives to the workers: whatever a sink wants done beside the conversion.
 *
 *              assembler (a sink's crew_give(), crew_reap())
 *              |         ^      |         ^
 *         given ring   done ring                    one pair a worker: single producer, single consumer
 *              v         |      v         |
 *            worker 0         worker N-1            crew_work(): all that is there, in order
 *
 * The workers are the pipeline's converters. One calls crew_work() before it takes an empty chunk, while it
 * waits for one or for its turn, between two shards, and after the last shard until crew_close(). So work is
 * as many cores' as conversion is, and neither has to be given a share of them: where rows come faster than
 * they are dealt with, chunks run out and all turn to the work.
 *
 * Why nothing locks up: a worker that converts comes to the end of its shard, or to one of its waits, without
 * anybody's help, and there does all work that it was given. So every work that was given is done, whatever
 * the assembler does meanwhile: it may wait for work inside a sink's write(), without taking chunks. Work
 * itself never waits for anything.
 *
 * Which worker gets a work is the assembler's choice: the one with the fewest that are not yet back, in turn
 * when equal. No more than CREW_WORKS a worker are out at a time, so that no ring is ever full.
 *
 * Life: crew_create(), then pipeline_run() calls crew_enter() before it starts its workers, crew_close() when
 * nothing more will be given, crew_stop() when the run fails (work that was given may then stay undone), and
 * crew_leave() when all are joined. Before and after, crew_give() does the work itself, at once.
 *
 * Thread rule: as each function says. A work is its giver's again when crew_reap() has marked it. */
#ifndef PENSTOCK_CORE_FLOW_CREW_H
#define PENSTOCK_CORE_FLOW_CREW_H

#include "core/flow/ring.h"
#include "core/flow/track.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Works of a worker that may be out at once: one that it does, one that waits for it, one that is done and
 * waits for its place in the order, one more so that neither side waits for the other's rhythm. */
#define CREW_WORKS 4u

/* One thing to do. Part of a struct of the giver's. */
struct crew_work {
    void (*run)(struct crew_work *work, uint32_t worker); /* on a worker's thread; `worker` < crew->workers */
    uint32_t worker;                                      /* the assembler's: who has it */
    bool done;                                            /* the assembler's */
    size_t bytes;                                         /* that it deals with, for who counts them */
};

struct crew_lane {
    _Alignas(LIMIT_LINE) struct ring given; /* assembler -> worker */
    struct ring done;                       /* worker -> assembler */
    _Alignas(LIMIT_LINE) uint32_t out;      /* the assembler's: given and not yet back */
};
_Static_assert(LIMIT_APART(struct crew_lane, given, done) && LIMIT_APART(struct crew_lane, done, out) &&
                   sizeof(struct crew_lane) % LIMIT_LINE == 0,
               "rings, the assembler's count, and the next lane");

struct crew {
    struct crew_lane *lanes;
    uint32_t workers;
    uint32_t turn; /* the assembler's */
    bool manned;   /* the assembler's: workers are there */
    /* The pipeline's, from crew_enter() on. */
    void (*wake_worker)(void *context, uint32_t worker);
    void (*wake_assembler)(void *context);
    void *wake_context;
    /* X1: release by whoever stops the run; X2: acquire by the assembler. */
    _Atomic bool stopped;
};

/* False: no memory; crew_destroy() is due all the same. */
bool crew_create(struct crew *crew, uint32_t workers);
void crew_destroy(struct crew *crew); /* zeroed is fine */
size_t crew_memory(uint32_t workers);
/* Works that may be out at once. */
uint32_t crew_room(const struct crew *crew);

/* ---- the assembler's thread ---- */

/* `wake_worker` ends that worker's sleep, wherever it sleeps, and `wake_assembler` the assembler's; both may
 * be called by any thread. */
void crew_enter(struct crew *crew, void (*wake_worker)(void *context, uint32_t worker),
                void (*wake_assembler)(void *context), void *wake_context);
/* At most crew_room() works are out; the giver counts. */
void crew_give(struct crew *crew, struct crew_work *work);
/* Marks what came back. */
void crew_reap(struct crew *crew);
/* Nothing more will be given: workers that have done all may go. */
void crew_close(struct crew *crew);
/* All workers are joined. */
void crew_leave(struct crew *crew);
/* The run fails: what was given may never come back. */
bool crew_is_stopped(struct crew *crew);

/* ---- any thread ---- */

/* The caller wakes everybody afterwards. */
void crew_stop(struct crew *crew);

/* ---- worker number `worker` ---- */

/* Does what it was given, as acts of its track (NULL: not counted). */
void crew_work(struct crew *crew, uint32_t worker, struct track *track);
bool crew_has_work(struct crew *crew, uint32_t worker);
/* Closed, and all done. */
bool crew_is_over(struct crew *crew, uint32_t worker);

#endif

/* crew.c - see the header. Threads: the assembler's, and the workers, each on its own lane. Owns the rings.
 *
 * The rings' edges (ring.c) carry all there is: P2 -> C1 of `given` hands a work to its worker, with what the
 * assembler wrote into its struct; P2 -> C1 of `done` hands it back, with what the worker wrote. Sleeping is
 * the pipeline's, which looks at crew_has_work() behind wait_prepare(). */
#include "core/flow/crew.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool crew_create(struct crew *crew, uint32_t workers)
{
    *crew = (struct crew){.workers = workers};
    crew->lanes = aligned_alloc(_Alignof(struct crew_lane), workers * sizeof *crew->lanes);
    if (crew->lanes == NULL) return false;
    memset(crew->lanes, 0, workers * sizeof *crew->lanes);
    for (uint32_t w = 0; w < workers; w++)
        if (!ring_init(&crew->lanes[w].given, CREW_WORKS, 0) ||
            !ring_init(&crew->lanes[w].done, CREW_WORKS, 0))
            return false;
    return true;
}

void crew_destroy(struct crew *crew)
{
    for (uint32_t w = 0; crew->lanes != NULL && w < crew->workers; w++) {
        ring_free(&crew->lanes[w].given);
        ring_free(&crew->lanes[w].done);
    }
    free(crew->lanes);
    crew->lanes = NULL;
}

size_t crew_memory(uint32_t workers)
{
    return workers * (sizeof(struct crew_lane) + 2 * CREW_WORKS * sizeof(void *));
}

uint32_t crew_room(const struct crew *crew)
{
    return crew->workers * CREW_WORKS;
}

/* ---- the assembler's thread ---- */

void crew_enter(struct crew *crew, void (*wake_worker)(void *context, uint32_t worker),
                void (*wake_assembler)(void *context), void *wake_context)
{
    crew->wake_worker = wake_worker;
    crew->wake_assembler = wake_assembler;
    crew->wake_context = wake_context;
    crew->manned = true;
}

/* The lane with the fewest works. While fewer than crew_room() are out, it has fewer than CREW_WORKS. */
static uint32_t least_busy(const struct crew *crew)
{
    uint32_t best = crew->turn;
    for (uint32_t i = 1; i < crew->workers && crew->lanes[best].out != 0; i++) {
        uint32_t const w = (crew->turn + i) % crew->workers;
        if (crew->lanes[w].out < crew->lanes[best].out) best = w;
    }
    return best;
}

void crew_give(struct crew *crew, struct crew_work *work)
{
    work->done = false;
    if (!crew->manned) {
        work->run(work, 0); /* worker 0 is not there: what is its own is free */
        work->done = true;
        return;
    }
    uint32_t const w = least_busy(crew);
    crew->turn = (w + 1) % crew->workers;
    crew->lanes[w].out++;
    work->worker = w;
    bool const pushed = ring_push(&crew->lanes[w].given, work);
    assert(pushed); /* the giver counts */
    (void)pushed;
    crew->wake_worker(crew->wake_context, w);
}

void crew_reap(struct crew *crew)
{
    for (uint32_t w = 0; w < crew->workers; w++)
        for (struct crew_work *work; crew->lanes[w].out != 0;) {
            work = ring_pop(&crew->lanes[w].done);
            if (work == NULL) break;
            work->done = true;
            crew->lanes[w].out--;
        }
}

void crew_close(struct crew *crew)
{
    for (uint32_t w = 0; crew->manned && w < crew->workers; w++) {
        ring_close(&crew->lanes[w].given);
        crew->wake_worker(crew->wake_context, w);
    }
}

void crew_leave(struct crew *crew)
{
    crew->manned = false;
}

bool crew_is_stopped(struct crew *crew)
{
    return atomic_load_explicit(&crew->stopped, memory_order_acquire); /* X2, pairs with X1 */
}

/* ---- any thread ---- */

void crew_stop(struct crew *crew)
{
    atomic_store_explicit(&crew->stopped, true, memory_order_release); /* X1, pairs with X2 */
}

/* ---- a worker ---- */

void crew_work(struct crew *crew, uint32_t worker, struct track *track)
{
    struct crew_lane *const lane = &crew->lanes[worker];
    for (struct crew_work *work; (work = ring_pop(&lane->given)) != NULL;) {
        size_t const bytes = work->bytes; /* the work is the assembler's once it is done */
        struct track_mark const mark = track_begin(track);
        work->run(work, worker);
        (void)ring_push(&lane->done, work); /* never full: no more are out than it has room for */
        crew->wake_assembler(crew->wake_context);
        track_end(track, mark, TRACK_COMPRESS, bytes);
    }
}

bool crew_has_work(struct crew *crew, uint32_t worker)
{
    return ring_peek(&crew->lanes[worker].given) != NULL;
}

bool crew_is_over(struct crew *crew, uint32_t worker)
{
    return ring_finished(&crew->lanes[worker].given);
}

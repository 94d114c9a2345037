/* pipeline_assemble.c - the assembler's loop: shards and blocks in input order, into the sink. See
 * pipeline.h. Thread: the assembler, which is the caller's. Owns nothing. */
#include "core/flow/pipeline_inside.h"

#include <inttypes.h>

/* ---- chunks ---- */

/* Empty chunks to the workers that may have more; to worker `first` before the others. */
void pipeline_serve(struct pipeline *pipeline, uint32_t first)
{
    for (struct chunk *chunk; (chunk = chunk_pool_take(&pipeline->pool, first)) != NULL;) {
        struct pipeline_worker *worker = &pipeline->workers[chunk->worker];
        (void)ring_push(&worker->home, chunk); /* never full: it has room for all that the worker may have */
        wait_wake(&worker->bed);
    }
}

void pipeline_chunk_home(void *context, struct chunk *chunk)
{
    struct pipeline *pipeline = context;
    chunk_pool_home(&pipeline->pool, chunk);
    if (!pipeline->replays) pipeline_serve(pipeline, pipeline->first);
}

/* Finds the worker that has `shard`, if something of it is there already. */
static bool find_worker(struct pipeline *pipeline, uint64_t shard)
{
    for (uint32_t w = 0; w < pipeline->options->threads; w++) {
        struct chunk const *head = ring_peek(&pipeline->workers[w].forward);
        if (head == NULL || head->shard != shard) continue;
        pipeline->first = w;
        return true;
    }
    return false;
}

/* The next chunk of `shard`, NULL: not there yet. */
static struct chunk *chunk_of(struct pipeline *pipeline, uint64_t shard)
{
    if (pipeline->first == PIPELINE_NOBODY && !find_worker(pipeline, shard)) return NULL;
    struct chunk *const chunk = ring_pop(&pipeline->workers[pipeline->first].forward);
    if (chunk == NULL) return NULL;
    chunk_pool_came(&pipeline->pool, chunk);
    pipeline_serve(pipeline, pipeline->first);
    return chunk;
}

enum status pipeline_check_interrupted(struct pipeline *pipeline)
{
    enum status const status = pipeline->options->interrupted();
    if (status == STATUS_OK) return STATUS_OK;
    return fault_set(&pipeline->assembler_fault, status,
                     "stopped by a signal"); /* which one, the caller knows */
}

/* Sleeps until something arrived. When no chunk is empty and the sink has some, it has all that it may
 * (chunk_pool.h), and the worker that is waited for waits for it. */
static void sleep_for_arrivals(struct pipeline *pipeline, uint32_t ticket)
{
    bool const is_full = pipeline->pool.empty_count == 0 && pipeline->assemble->pieces_out != 0;
    struct track_mark const mark = track_begin(pipeline_track(pipeline));
    wait_sleep_until(pipeline->arrivals, ticket, pipeline->options->now() + PIPELINE_LOOK_NS);
    track_end(pipeline_track(pipeline), mark, is_full ? TRACK_WAIT_SINK : TRACK_WAIT_ROWS, 0);
}

/* Is there something to go on with? Rows of `shard`, a failure, or an end of the run. */
static bool look(struct pipeline *pipeline, struct sink *sink, uint64_t shard, struct chunk **chunk,
                 enum status *status)
{
    *status = sink->reap(sink, &pipeline->assembler_fault);
    if (*status == STATUS_OK) *status = pipeline_check_interrupted(pipeline);
    if (*status == STATUS_OK) *chunk = chunk_of(pipeline, shard);
    return *status != STATUS_OK || *chunk != NULL || pipeline_is_stopped(pipeline);
}

/* STATUS_OK with *chunk NULL: the run is being stopped. */
static enum status next_chunk(struct pipeline *pipeline, struct sink *sink, uint64_t shard,
                              struct chunk **chunk)
{
    enum status status;
    *chunk = NULL;
    if (look(pipeline, sink, shard, chunk, &status)) return status;
    for (;;) {
        uint32_t const ticket = wait_prepare(pipeline->arrivals);
        if (look(pipeline, sink, shard, chunk, &status)) break;
        sleep_for_arrivals(pipeline, ticket);
    }
    wait_cancel(pipeline->arrivals);
    return status;
}

/* The chunks are freed when the run ends: nothing may be on its way out of them then. What the sink made of
 * them must be on its way, too: nobody helps it afterwards. */
static enum status wait_for_pieces(struct pipeline *pipeline, const struct assemble *assemble,
                                   struct sink *sink)
{
    struct fault *fault = &pipeline->assembler_fault;
    for (;;) {
        uint32_t const ticket = wait_prepare(pipeline->arrivals);
        enum status status = sink->reap(sink, fault);
        if (status == STATUS_OK) status = pipeline_check_interrupted(pipeline);
        if (status == STATUS_OK && assemble->pieces_out != 0 && !sink->background)
            status = fault_set(fault, STATUS_INTERNAL,
                               "the destination kept %" PRIu64
                               " pieces; nothing is delivered. This is a fault of penstock: please report it",
                               assemble->pieces_out);
        bool const drained = sink->drained == NULL || sink->drained(sink);
        if (status != STATUS_OK || (assemble->pieces_out == 0 && drained) || pipeline_is_stopped(pipeline)) {
            wait_cancel(pipeline->arrivals);
            return status;
        }
        wait_sleep_until(pipeline->arrivals, ticket, pipeline->options->now() + PIPELINE_LOOK_NS);
    }
}

void pipeline_set_turn(struct pipeline *pipeline, uint64_t order)
{
    pipeline->first = PIPELINE_NOBODY;
    /* T1, pairs with T2 */
    atomic_store_explicit(&pipeline->turn, order, memory_order_release);
    wait_wake(&pipeline->turn_changed);
}

enum status pipeline_put(struct pipeline *pipeline, struct assemble *assemble, struct chunk *chunk,
                         size_t source)
{
    size_t const bytes = chunk->kind == CHUNK_ROWS ? chunk->length : 0; /* the chunk goes home */
    struct track_mark const mark = track_begin(pipeline_track(pipeline));
    enum status const status = assemble_chunk(assemble, chunk, source, &pipeline->assembler_fault);
    track_end(pipeline_track(pipeline), mark, TRACK_WRITE, bytes);
    return status;
}

enum status pipeline_pass_on(struct pipeline *pipeline, struct assemble *assemble, struct chunk *chunk,
                             size_t source)
{
    if (pipeline->dedup == NULL) return pipeline_put(pipeline, assemble, chunk, source);
    struct track_mark const mark = track_begin(pipeline_track(pipeline));
    enum status const status = dedup_keep(pipeline->dedup, chunk, &pipeline->assembler_fault);
    pipeline_chunk_home(pipeline, chunk);
    track_end(pipeline_track(pipeline), mark, TRACK_WRITE, 0);
    return status;
}

/* Is there something to go on with: what `ready` says, a failure, or an end of the run? */
static bool look_for(struct pipeline *pipeline, struct sink *sink, bool (*ready)(struct pipeline *),
                     enum status *status)
{
    *status = sink->reap(sink, &pipeline->assembler_fault);
    if (*status == STATUS_OK) *status = pipeline_check_interrupted(pipeline);
    return *status != STATUS_OK || ready(pipeline) || pipeline_is_stopped(pipeline);
}

enum status pipeline_wait_until(struct pipeline *pipeline, struct sink *sink,
                                bool (*ready)(struct pipeline *))
{
    enum status status;
    if (look_for(pipeline, sink, ready, &status)) return status;
    for (;;) {
        uint32_t const ticket = wait_prepare(pipeline->arrivals);
        if (look_for(pipeline, sink, ready, &status)) break;
        sleep_for_arrivals(pipeline, ticket);
    }
    wait_cancel(pipeline->arrivals);
    return status;
}

bool pipeline_has_spare(struct pipeline *pipeline)
{
    return pipeline->pool.empty_count != 0;
}

/* ---- shards and blocks ---- */

/* A shard that began where the one before was told to end, and that one ended elsewhere: what was read at two
 * times was not the same. */
static enum status say_changed(struct pipeline *pipeline, size_t source)
{
    return fault_set(&pipeline->assembler_fault, STATUS_IO,
                     "%s: changed while it was read: run again once nothing writes to it",
                     pipeline->sources[source]->name);
}

/* One shard or block, whole. *final: its source ends with it. */
static enum status take_unit(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink,
                             const struct feed_cursor *unit, bool *final)
{
    uint64_t const order = feed_order(unit->source, unit->index);
    bool const guessed = pipeline_guesses(pipeline, unit->source);
    bool wrong = false;
    if (guessed && unit->index == 0) pipeline->due = pipeline->feed.plan->sources[unit->source].begin;
    pipeline_set_turn(pipeline, order);
    for (bool last = false; !last;) {
        struct chunk *chunk;
        enum status status = next_chunk(pipeline, sink, order, &chunk);
        if (status != STATUS_OK || chunk == NULL) return status;
        bool const begins = guessed && chunk->began != UINT64_MAX;
        wrong = begins && chunk->began != pipeline->due;
        last = chunk->last;
        *final = chunk->ends_source;
        if (begins && last && !wrong) pipeline->due = chunk->ended;
        if (wrong)
            pipeline_chunk_home(pipeline, chunk);
        else
            status = pipeline_pass_on(pipeline, assemble, chunk, unit->source);
        if (status != STATUS_OK) return status;
    }
    if (!wrong) return STATUS_OK;
    if (pipeline->seams != NULL) return say_changed(pipeline, unit->source);
    return pipeline_mend(pipeline, assemble, sink, unit, *final);
}

/* All in order. Ends early, without a fault of its own, when a worker failed. */
static enum status take_all(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink)
{
    struct feed_cursor unit;
    bool final = false;
    for (bool more = feed_first(&pipeline->feed, &unit); more && !pipeline_is_stopped(pipeline);
         more = feed_next(&pipeline->feed, &unit, final)) {
        enum status const status = take_unit(pipeline, assemble, sink, &unit, &final);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

enum status pipeline_assemble(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink)
{
    enum status status = take_all(pipeline, assemble, sink);
    if (status == STATUS_OK && !pipeline_is_stopped(pipeline) && pipeline->dedup != NULL)
        status = pipeline_replay(pipeline, assemble, sink);
    if (status != STATUS_OK || pipeline_is_stopped(pipeline)) return status;
    struct track_mark const mark = track_begin(pipeline_track(pipeline));
    status = assemble_finish(assemble, &pipeline->assembler_fault);
    if (status == STATUS_OK) status = wait_for_pieces(pipeline, assemble, sink);
    track_end(pipeline_track(pipeline), mark, TRACK_FINISH, 0);
    return status;
}

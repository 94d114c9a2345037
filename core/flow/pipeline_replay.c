/* pipeline_replay.c - the second half of a run that deduplicates: what was kept comes back without the
 * losers. See dedup.h. Thread: the assembler. Owns nothing. */
#include "core/flow/pipeline_inside.h"

static bool all_settled(struct pipeline *pipeline)
{
    /* D2, pairs with D1 */
    return atomic_load_explicit(&pipeline->settled, memory_order_acquire) == pipeline->options->threads;
}

static enum status replay_unit(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink,
                               const struct feed_cursor *unit, bool *final)
{
    for (bool last = false; !last;) {
        enum status status = pipeline_wait_until(pipeline, sink, pipeline_has_spare);
        if (status != STATUS_OK || pipeline_is_stopped(pipeline)) return status;
        struct chunk *const chunk = chunk_pool_spare(&pipeline->pool);
        status = dedup_next(pipeline->dedup, chunk, &pipeline->assembler_fault);
        if (status != STATUS_OK) return status;
        last = chunk->last;
        *final = chunk->ends_source;
        status = pipeline_put(pipeline, assemble, chunk, unit->source);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* All in order once more. Ends early, without a fault of its own, when a worker failed. */
enum status pipeline_replay(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink)
{
    struct feed_cursor unit;
    bool final = false;
    pipeline_set_turn(pipeline, PIPELINE_TURN_OVER);
    enum status status = pipeline_wait_until(pipeline, sink, all_settled);
    if (status != STATUS_OK || pipeline_is_stopped(pipeline)) return status;
    pipeline->replays = true;
    chunk_pool_take_back(&pipeline->pool);
    status = dedup_rewind(pipeline->dedup, &pipeline->assembler_fault);
    for (bool more = feed_first(&pipeline->feed, &unit);
         more && status == STATUS_OK && !pipeline_is_stopped(pipeline);
         more = feed_next(&pipeline->feed, &unit, final))
        status = replay_unit(pipeline, assemble, sink, &unit, &final);
    return status;
}

/* pipeline_mend.c - shards of containers that a worker began at a wrong place (convert_form.h): their chunks
 * were dropped, and the assembler converts them again, with tools and chunks of its own.
 *
 * The shard is the next one to be written: all before it are, and its worker has done with it. So the large
 * lane is free, which is used by whoever has the turn.
 *
 * Thread: the assembler. Owns the mender. */
#include "core/flow/pipeline_inside.h"

/* While it works, no chunk that comes home goes to a worker: it has as many as one of them in the pool. */
static struct chunk *mender_take(void *context)
{
    struct pipeline *pipeline = context;
    struct pipeline_mender *const mender = &pipeline->mender;
    if (mender->status == STATUS_OK)
        mender->status = pipeline_wait_until(pipeline, mender->sink, pipeline_has_spare);
    return mender->status != STATUS_OK || pipeline_is_stopped(pipeline) ? NULL
                                                                        : chunk_pool_spare(&pipeline->pool);
}

static void mender_give(void *context, struct chunk *chunk)
{
    struct pipeline *pipeline = context;
    struct pipeline_mender *const mender = &pipeline->mender;
    if (mender->status == STATUS_OK)
        mender->status = pipeline_pass_on(pipeline, mender->assemble, chunk, mender->source);
    else
        pipeline_chunk_home(pipeline, chunk);
}

/* The shard is the next one: all before it are written, and its worker has done with it. */
static bool mender_turn(void *context, uint64_t shard)
{
    (void)shard;
    return !pipeline_is_stopped(context);
}

static bool mender_stopped(void *context)
{
    struct pipeline *pipeline = context;
    struct pipeline_mender *const mender = &pipeline->mender;
    if (mender->status == STATUS_OK) mender->status = pipeline_check_interrupted(pipeline);
    return mender->status != STATUS_OK || pipeline_is_stopped(pipeline);
}

enum status pipeline_mend(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink,
                          const struct feed_cursor *unit, bool final)
{
    struct pipeline_mender *const mender = &pipeline->mender;
    struct fault *const fault = &pipeline->assembler_fault;
    const struct shard_plan *const plan = pipeline->feed.plan;
    struct feed_task const task = {.order = feed_order(unit->source, unit->index),
                                   .source = unit->source,
                                   .final = final,
                                   .shard = shard_plan_get(plan, plan->first[unit->source] + unit->index)};
    mender->assemble = assemble;
    mender->sink = sink;
    mender->source = unit->source;
    mender->status = STATUS_OK;
    mender->convert.stopping = false;
    pipeline->replays = true;
    struct track_mark const mark = track_begin(pipeline_track(pipeline));
    enum status const status = convert_again(&mender->convert, &task, pipeline->due, fault);
    track_end(pipeline_track(pipeline), mark, TRACK_CONVERT, task.shard.end - task.shard.begin);
    pipeline->replays = false;
    pipeline_serve(pipeline, PIPELINE_NOBODY);
    pipeline->due = mender->convert.ended;
    return mender->status != STATUS_OK ? mender->status : status;
}

/* ---- set-up and tear-down ---- */

bool pipeline_mend_create(struct pipeline *pipeline)
{
    const struct pipeline_options *options = pipeline->options;
    struct convert *const convert = &pipeline->mender.convert;
    convert->rules = options->rules;
    convert->sources = pipeline->sources;
    convert->large = &pipeline->large;
    convert->port = (struct convert_port){.context = pipeline,
                                          .take = mender_take,
                                          .give = mender_give,
                                          .wait_for_turn = mender_turn,
                                          .stopped = mender_stopped,
                                          .track = pipeline_track(pipeline)};
    return convert_tools_create(&convert->tools, options->rules, options->sizes.block) &&
           split_create(&convert->split, options->sizes.chunk, options->rules->streams);
}

void pipeline_mend_destroy(struct pipeline *pipeline)
{
    convert_tools_destroy(&pipeline->mender.convert.tools, pipeline->sources);
    split_destroy(&pipeline->mender.convert.split);
}

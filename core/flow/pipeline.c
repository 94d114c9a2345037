/* pipeline.c - a run: its threads, what they share, how it ends. The essay stands in the header.
 * Threads: the caller's is the assembler; workers are made and joined here. Owns all that they share. */
#include "core/flow/pipeline_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- stopping and waking ---- */

bool pipeline_is_stopped(struct pipeline *pipeline)
{
    return atomic_load_explicit(&pipeline->stop, memory_order_acquire) != NULL; /* S2, pairs with S1 */
}

void pipeline_stop(struct pipeline *pipeline, const struct fault *fault)
{
    const struct fault *none = NULL;
    /* S1, pairs with S2: publishes the fault. A later one loses and stays with its thread. */
    atomic_compare_exchange_strong_explicit(&pipeline->stop, &none, fault, memory_order_release,
                                            memory_order_relaxed);
    if (pipeline->options->crew != NULL) crew_stop(pipeline->options->crew);
    wait_wake(pipeline->arrivals);
    wait_wake(&pipeline->turn_changed);
    if (pipeline->feed_wait_ready) wait_wake(&pipeline->feed_changed);
    for (uint32_t w = 0; w < pipeline->options->threads; w++)
        if (pipeline->workers[w].wait_ready) wait_wake(&pipeline->workers[w].bed);
}

/* For the crew. The worker may sleep in any of three places; the others in there look, and sleep again. */
static void wake_worker(void *context, uint32_t number)
{
    struct pipeline *pipeline = context;
    wait_wake(&pipeline->workers[number].bed);
    wait_wake(&pipeline->turn_changed);
    wait_wake(&pipeline->feed_changed);
}

static void wake_assembler(void *context)
{
    wait_wake(((struct pipeline *)context)->arrivals);
}

/* ---- set-up and tear-down ---- */

static bool stream_stopped(void *context)
{
    return pipeline_is_stopped(context);
}

static void set_stops(struct pipeline *pipeline, const struct shard_plan *plan)
{
    for (size_t s = 0; pipeline->feed.has_streams && s < plan->source_count; s++) {
        struct stream *const stream = pipeline->sources[s]->stream;
        if (stream == NULL) continue;
        stream->stopped = stream_stopped;
        stream->stopped_context = pipeline;
    }
}

static bool has_stream(const struct pipeline *pipeline, const struct shard_plan *plan)
{
    for (size_t s = 0; s < plan->source_count; s++)
        if (pipeline->sources[s]->stream != NULL) return true;
    return false;
}

static bool make_seams(struct pipeline *pipeline, const struct shard_plan *plan)
{
    pipeline->seams = calloc(plan->source_count, sizeof *pipeline->seams);
    for (size_t s = 0; pipeline->seams != NULL && s < plan->source_count; s++) {
        pipeline->seams[s].at = plan->sources[s].begin;
        atomic_init(&pipeline->seams[s].shard, feed_order(s, 0));
    }
    return pipeline->seams != NULL;
}

static bool make_dedup(struct pipeline *pipeline, const struct shard_plan *plan)
{
    const struct pipeline_sizes *const sizes = &pipeline->options->sizes;
    struct dedup_options const options = {.sizes = sizes->dedup,
                                          .units = has_stream(pipeline, plan) ? 0 : plan->count,
                                          .chunk = sizes->chunk,
                                          .checksum = pipeline->options->rules->checksum,
                                          .store = pipeline->options->store,
                                          .prepare = pipeline->options->prepare};
    pipeline->dedup = calloc(1, sizeof *pipeline->dedup);
    return pipeline->dedup != NULL && dedup_create(pipeline->dedup, &options);
}

static bool pipeline_create(struct pipeline *pipeline, const struct shard_plan *plan)
{
    const struct pipeline_options *options = pipeline->options;
    struct feed_rules feed = pipeline_feed_rules(options->rules, options->threads, &options->sizes);
    feed.tracks = options->tracks;
    size_t const bytes = options->threads * sizeof *pipeline->workers;
    pipeline->workers = aligned_alloc(_Alignof(struct pipeline_worker), bytes);
    if (pipeline->workers == NULL) return false;
    memset(pipeline->workers, 0, bytes);
    pipeline->wait_ready = wait_init(&pipeline->turn_changed);
    pipeline->feed_wait_ready = wait_init(&pipeline->feed_changed);
    if (!pipeline->wait_ready || !pipeline->feed_wait_ready) return false;
    if (convert_deduplicates(options->rules) && !make_dedup(pipeline, plan)) return false;
    size_t const lane = convert_large_capacity(options->rules, options->sizes.block);
    if (!convert_tools_create(&pipeline->large, options->rules, lane)) return false;
    for (uint32_t w = 0; w < options->threads; w++)
        if (!pipeline_worker_create(pipeline, w)) return false;
    bool const keeps = convert_keeps(options->rules);
    for (size_t i = 0; i < plan->source_count && !keeps; i++)
        pipeline->mender.needed = pipeline->mender.needed || pipeline_guesses(pipeline, i);
    if (keeps && !make_seams(pipeline, plan)) return false;
    if (pipeline->mender.needed && !pipeline_mend_create(pipeline)) return false;
    uint32_t const extra = options->sizes.extra + (pipeline->mender.needed ? options->sizes.chunks : 0);
    pipeline->pool.nodes = options->nodes;
    if (!chunk_pool_create(&pipeline->pool, options->threads, options->sizes.chunks, extra,
                           options->sizes.chunk, options->rules->streams))
        return false;
    if (!feed_create(&pipeline->feed, &feed, pipeline->sources, plan, &pipeline->feed_changed)) return false;
    set_stops(pipeline, plan);
    if (pipeline->dedup != NULL && !chunk_pool_add_marks(&pipeline->pool)) return false;
    pipeline_serve(pipeline, PIPELINE_NOBODY);
    return true;
}

static void pipeline_destroy(struct pipeline *pipeline)
{
    for (uint32_t w = 0; pipeline->workers != NULL && w < pipeline->options->threads; w++)
        pipeline_worker_destroy(&pipeline->workers[w], pipeline->sources);
    pipeline_mend_destroy(pipeline);
    convert_tools_destroy(&pipeline->large, pipeline->sources);
    chunk_pool_destroy(&pipeline->pool);
    if (pipeline->dedup != NULL) dedup_destroy(pipeline->dedup);
    free(pipeline->dedup);
    free(pipeline->seams);
    feed_destroy(&pipeline->feed);
    if (pipeline->wait_ready) wait_destroy(&pipeline->turn_changed);
    if (pipeline->feed_wait_ready) wait_destroy(&pipeline->feed_changed);
    free(pipeline->workers);
}

static enum status workers_start(struct pipeline *pipeline, struct fault *fault)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return fault_set(fault, STATUS_IO, "no memory to start a thread");
    pthread_attr_setstacksize(&attributes, PIPELINE_STACK_BYTES);
    enum status status = STATUS_OK;
    for (uint32_t w = 0; w < pipeline->options->threads && status == STATUS_OK; w++) {
        struct pipeline_worker *worker = &pipeline->workers[w];
        int const error = pthread_create(&worker->thread, &attributes, pipeline_worker_main, worker);
        worker->started = error == 0;
        if (error != 0)
            status = fault_set(fault, STATUS_IO, "can't start thread %u of %u: %s; try fewer --threads",
                               w + 1, pipeline->options->threads, strerror(error));
    }
    pthread_attr_destroy(&attributes);
    return status;
}

static void workers_join(struct pipeline *pipeline)
{
    for (uint32_t w = 0; w < pipeline->options->threads; w++) {
        struct pipeline_worker *worker = &pipeline->workers[w];
        if (worker->started) pthread_join(worker->thread, NULL);
    }
    if (pipeline->options->crew != NULL) crew_leave(pipeline->options->crew);
}

enum status pipeline_run(const struct pipeline_options *options, struct source *const *sources,
                         const struct shard_plan *plan, struct sink *sink, struct pipeline_result *result,
                         struct fault *fault)
{
    struct pipeline pipeline = {
        .options = options, .sources = sources, .assemble = &result->assemble, .arrivals = options->arrivals};
    struct assemble_rules rules = options->assemble;
    rules.streams = options->rules->streams;
    rules.home = pipeline_chunk_home;
    rules.home_context = &pipeline;
    *result = (struct pipeline_result){0};
    assemble_start(&result->assemble, &rules, sink, sources);
    if (!pipeline_create(&pipeline, plan)) {
        sink->abort(sink);
        pipeline_destroy(&pipeline);
        return fault_set(fault, STATUS_IO, "no memory for %u %s (%" PRIu64 " MiB); try fewer --threads",
                         options->threads, options->threads == 1 ? "thread" : "threads",
                         options->sizes.memory / LIMIT_MIB);
    }
    if (options->crew != NULL) crew_enter(options->crew, wake_worker, wake_assembler, &pipeline);
    enum status status = workers_start(&pipeline, &pipeline.assembler_fault);
    if (status == STATUS_OK) status = pipeline_assemble(&pipeline, &result->assemble, sink);
    if (status != STATUS_OK) pipeline_stop(&pipeline, &pipeline.assembler_fault);
    if (options->crew != NULL) crew_close(options->crew);
    workers_join(&pipeline);
    const struct fault *first = atomic_load_explicit(&pipeline.stop, memory_order_acquire); /* S2 */
    if (first != NULL) {
        status = first->status;
        if (fault != NULL) *fault = *first;
    }
    if (status != STATUS_OK) sink->abort(sink); /* before its pieces' memory goes */
    result->assemble.rules = NULL;              /* it lies on this stack */
    pipeline_destroy(&pipeline);
    return status;
}

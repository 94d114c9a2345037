/* pipeline.c - threads, rings, memory. The essay stands in the header.
 * Threads: the caller's is the assembler; workers are made and joined here. Owns all that they share. */
#include "core/flow/pipeline.h"

#include "core/base/limits.h"
#include "core/flow/ring.h"
#include "core/flow/wait.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct worker {
    _Alignas(LIMIT_LINE) struct ring forward; /* worker -> assembler */
    struct ring home;                         /* assembler -> worker */
    struct wait bed;                          /* the worker waits for home, or work; the assembler wakes */
    struct convert convert;                   /* the worker's alone */
    uint64_t wait_ns, work_ns, busy_ns; /* the worker's; read after join. busy: with wait, without work */
    uint64_t stream_ns, idle_ns;        /* likewise: reading streams; nothing to convert yet */
    struct pipeline *pipeline;
    uint32_t number;
    pthread_t thread;
    bool started, wait_ready; /* the caller's */
    struct fault fault;       /* the worker's until the latch points at it */
};

/* Empty chunks that a worker has before it takes a unit ahead of the front source: what the rows of one come
 * to, for dumps of profiles. Fewer than PIPELINE_CHUNKS_MIN: a worker without rows on their way has room. */
#define ROOM_AHEAD 3u
_Static_assert(ROOM_AHEAD < PIPELINE_CHUNKS_MIN, "a worker without rows on their way has room");

/* No worker: more than LIMIT_THREADS. */
#define NOBODY UINT32_MAX

/* The turn behind all units: no unit has this order. */
#define TURN_OVER UINT64_MAX

/* Converts again, on the assembler's thread, a shard of a container whose worker began it at a wrong place.
 */
struct mender {
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
    struct feed feed;         /* what workers claim */
    struct wait feed_changed; /* workers wait for streams to be read; the feed wakes */
    bool feed_wait_ready;
    struct worker *workers;
    struct convert_tools large; /* used by the worker whose turn it is: see `turn` */
    struct chunk_pool pool;     /* the assembler's */
    struct wait *arrivals;      /* the assembler waits for forward rings and for the sink; workers wake */
    struct wait turn_changed;   /* workers wait for their turn; the assembler wakes */
    struct dedup *dedup;        /* NULL: the run keeps all records */
    bool replays;               /* the assembler's: the workers get no more chunks */
    /* D1: release by a worker that found all losers that it could; D2: acquire by the assembler. */
    _Atomic uint32_t settled;
    bool wait_ready;
    uint32_t first;       /* the assembler's: the worker of the shard at hand, or NOBODY */
    struct mender mender; /* the assembler's */
    /* Where the first record of the shard at hand begins, in a container that can be read anywhere. Written
     * before T1, and read behind T2 by the worker whose turn it is; then it is the assembler's until the
     * next.
     */
    uint64_t due;
    /* T1: release by the assembler when all shards before `turn` are drained; T2: acquire by the worker that
     * waits for it. The edge also hands the large lane from one worker to the next: the former user's last
     * chunk was popped (ring edge) before T1. T3: acquire by a worker that asks whether the assembler
     * sleeps for its shard. */
    _Alignas(LIMIT_LINE) _Atomic uint64_t turn;
    /* S1: release CAS by whoever fails first, with its fault filled before; S2: acquire by everyone who
     * polls. */
    _Alignas(LIMIT_LINE) _Atomic(const struct fault *) stop;
    struct fault assembler_fault;
};

/* ---- stopping and waking ---- */

static bool is_stopped(struct pipeline *pipeline)
{
    return atomic_load_explicit(&pipeline->stop, memory_order_acquire) != NULL; /* S2, pairs with S1 */
}

static void stop(struct pipeline *pipeline, const struct fault *fault)
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

/* ---- the crew's work ---- */

/* Does what the worker was given; returns how long it took. */
static uint64_t do_work(struct worker *worker)
{
    struct crew *crew = worker->pipeline->options->crew;
    uint64_t const took = crew == NULL ? 0 : crew_work(crew, worker->number);
    worker->work_ns += took;
    return took;
}

static bool has_work(const struct worker *worker)
{
    struct crew *crew = worker->pipeline->options->crew;
    return crew != NULL && crew_has_work(crew, worker->number);
}

/* Work until there will be no more. */
static void do_all_work(struct worker *worker)
{
    struct pipeline *pipeline = worker->pipeline;
    struct crew *crew = pipeline->options->crew;
    if (crew == NULL) return;
    while (!is_stopped(pipeline) && !crew_is_over(crew, worker->number)) {
        (void)do_work(worker);
        uint32_t const ticket = wait_prepare(&worker->bed);
        if (is_stopped(pipeline) || has_work(worker) || crew_is_over(crew, worker->number))
            wait_cancel(&worker->bed);
        else
            wait_sleep(&worker->bed, ticket);
    }
}

/* ---- the worker's port ---- */

/* Work comes before an empty chunk: what waits for it is older than what would fill the chunk. */
static struct chunk *port_take(void *context)
{
    struct worker *worker = context;
    (void)do_work(worker);
    struct chunk *chunk = ring_pop(&worker->home);
    if (chunk != NULL) return chunk;
    uint64_t const began = worker->pipeline->options->now();
    uint64_t worked = 0;
    while (chunk == NULL && !is_stopped(worker->pipeline)) {
        worked += do_work(worker);
        uint32_t const ticket = wait_prepare(&worker->bed);
        chunk = ring_pop(&worker->home);
        if (chunk != NULL || has_work(worker) || is_stopped(worker->pipeline))
            wait_cancel(&worker->bed);
        else
            wait_sleep(&worker->bed, ticket);
    }
    worker->wait_ns += worker->pipeline->options->now() - began - worked;
    return chunk;
}

/* The assembler sleeps for the chunks of one shard, its turn: others can lie in the ring until then. That is
 * looked at behind the read-modify-write of wait_has_waiters(), so that the turn read is the one it sleeps
 * for. */
static void port_give(void *context, struct chunk *chunk)
{
    struct worker *worker = context;
    struct pipeline *pipeline = worker->pipeline;
    uint64_t const shard = chunk->shard;      /* the chunk is the assembler's from here on */
    (void)ring_push(&worker->forward, chunk); /* never full: it has room for all chunks of the worker */
    if (!wait_has_waiters(pipeline->arrivals)) return;
    /* T3, pairs with T1 by way of W1 and S0 (wait.c) */
    if (atomic_load_explicit(&pipeline->turn, memory_order_acquire) == shard) wait_wake(pipeline->arrivals);
}

static bool port_stopped(void *context)
{
    return is_stopped(((struct worker *)context)->pipeline);
}

static bool port_wait_for_turn(void *context, uint64_t shard)
{
    struct worker *worker = context;
    struct pipeline *pipeline = worker->pipeline;
    for (;;) {
        (void)do_work(worker);
        uint32_t const ticket = wait_prepare(&pipeline->turn_changed);
        bool const stopped = is_stopped(pipeline);
        /* T2, pairs with T1 */
        bool const mine = atomic_load_explicit(&pipeline->turn, memory_order_acquire) == shard;
        if (stopped || mine) {
            wait_cancel(&pipeline->turn_changed);
            return !stopped;
        }
        if (has_work(worker))
            wait_cancel(&pipeline->turn_changed);
        else
            wait_sleep(&pipeline->turn_changed, ticket);
    }
}

static uint64_t port_begin(void *context)
{
    return ((struct worker *)context)->pipeline->due;
}

/* Asks the feed once. */
static enum feed_answer ask_feed(struct worker *worker, struct feed_task *task)
{
    if (is_stopped(worker->pipeline)) return FEED_END;
    uint64_t const began = worker->pipeline->options->now();
    bool const has_room = ring_count(&worker->home) >= ROOM_AHEAD;
    enum feed_answer const answer = feed_try(&worker->pipeline->feed, worker->number, has_room, task);
    worker->stream_ns += worker->pipeline->options->now() - began;
    return answer;
}

/* False: there is nothing more to convert, or the run is being stopped. */
static bool next_task(struct worker *worker, struct feed_task *task)
{
    struct pipeline *pipeline = worker->pipeline;
    (void)do_work(worker);
    enum feed_answer answer = ask_feed(worker, task);
    while (answer == FEED_WAIT) {
        (void)do_work(worker);
        uint32_t const ticket = wait_prepare(&pipeline->feed_changed);
        answer = ask_feed(worker, task);
        if (answer != FEED_WAIT || has_work(worker)) {
            wait_cancel(&pipeline->feed_changed);
            continue;
        }
        uint64_t const began = pipeline->options->now();
        wait_sleep(&pipeline->feed_changed, ticket);
        worker->idle_ns += pipeline->options->now() - began;
    }
    return answer == FEED_TASK;
}

/* Behind all units, when all candidates are entered. */
static void settle(struct worker *worker)
{
    struct pipeline *pipeline = worker->pipeline;
    uint64_t const began = pipeline->options->now();
    bool const go = port_wait_for_turn(worker, TURN_OVER);
    worker->wait_ns += pipeline->options->now() - began;
    if (!go) return;
    dedup_settle(pipeline->dedup, worker->convert.contend.scratch);
    atomic_fetch_add_explicit(&pipeline->settled, 1, memory_order_release); /* D1, pairs with D2 */
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct pipeline *pipeline = worker->pipeline;
    struct feed_task task;
    uint64_t const began = pipeline->options->now();
    while (next_task(worker, &task)) {
        if (convert_task(&worker->convert, &task, &worker->fault) != STATUS_OK)
            stop(pipeline, &worker->fault);
        feed_done(&pipeline->feed, &task);
    }
    if (pipeline->dedup != NULL) settle(worker);
    ring_close(&worker->forward);
    wait_wake(pipeline->arrivals);
    worker->busy_ns = pipeline->options->now() - began - worker->work_ns;
    do_all_work(worker);
    return NULL;
}

/* ---- the assembler ---- */

/* Empty chunks to the workers that may have more; to worker `first` before the others. */
static void serve(struct pipeline *pipeline, uint32_t first)
{
    for (struct chunk *chunk; (chunk = chunk_pool_take(&pipeline->pool, first)) != NULL;) {
        struct worker *worker = &pipeline->workers[chunk->worker];
        (void)ring_push(&worker->home, chunk); /* never full: it has room for all that the worker may have */
        wait_wake(&worker->bed);
    }
}

static void chunk_home(void *context, struct chunk *chunk)
{
    struct pipeline *pipeline = context;
    chunk_pool_home(&pipeline->pool, chunk);
    if (!pipeline->replays) serve(pipeline, pipeline->first);
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
    if (pipeline->first == NOBODY && !find_worker(pipeline, shard)) return NULL;
    struct chunk *const chunk = ring_pop(&pipeline->workers[pipeline->first].forward);
    if (chunk == NULL) return NULL;
    chunk_pool_came(&pipeline->pool, chunk);
    serve(pipeline, pipeline->first);
    return chunk;
}

static enum status check_interrupted(struct pipeline *pipeline)
{
    enum status const status = pipeline->options->interrupted();
    if (status == STATUS_OK) return STATUS_OK;
    return fault_set(&pipeline->assembler_fault, status,
                     "stopped by a signal"); /* which one, the caller knows */
}

/* Is there something to go on with? Rows of `shard`, a failure, or an end of the run. */
static bool look(struct pipeline *pipeline, struct sink *sink, uint64_t shard, struct chunk **chunk,
                 enum status *status)
{
    *status = sink->reap(sink, &pipeline->assembler_fault);
    if (*status == STATUS_OK) *status = check_interrupted(pipeline);
    if (*status == STATUS_OK) *chunk = chunk_of(pipeline, shard);
    return *status != STATUS_OK || *chunk != NULL || is_stopped(pipeline);
}

/* STATUS_OK with *chunk NULL: the run is being stopped. */
static enum status next_chunk(struct pipeline *pipeline, struct sink *sink, uint64_t shard,
                              struct chunk **chunk, uint64_t *wait_ns)
{
    enum status status;
    *chunk = NULL;
    if (look(pipeline, sink, shard, chunk, &status)) return status;
    uint64_t const began = pipeline->options->now();
    for (;;) {
        uint32_t const ticket = wait_prepare(pipeline->arrivals);
        if (look(pipeline, sink, shard, chunk, &status)) break;
        wait_sleep_until(pipeline->arrivals, ticket, pipeline->options->now() + PIPELINE_LOOK_NS);
    }
    wait_cancel(pipeline->arrivals);
    *wait_ns += pipeline->options->now() - began;
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
        if (status == STATUS_OK) status = check_interrupted(pipeline);
        if (status == STATUS_OK && assemble->pieces_out != 0 && !sink->background)
            status = fault_set(fault, STATUS_INTERNAL,
                               "the destination kept %" PRIu64
                               " pieces; nothing is delivered. This is a fault of penstock: please report it",
                               assemble->pieces_out);
        bool const drained = sink->drained == NULL || sink->drained(sink);
        if (status != STATUS_OK || (assemble->pieces_out == 0 && drained) || is_stopped(pipeline)) {
            wait_cancel(pipeline->arrivals);
            return status;
        }
        wait_sleep_until(pipeline->arrivals, ticket, pipeline->options->now() + PIPELINE_LOOK_NS);
    }
}

static void set_turn(struct pipeline *pipeline, uint64_t order)
{
    pipeline->first = NOBODY;
    /* T1, pairs with T2 */
    atomic_store_explicit(&pipeline->turn, order, memory_order_release);
    wait_wake(&pipeline->turn_changed);
}

/* A chunk that came, to where the run wants it. */
static enum status pass_on(struct pipeline *pipeline, struct assemble *assemble, struct chunk *chunk,
                           size_t source)
{
    struct fault *fault = &pipeline->assembler_fault;
    if (pipeline->dedup == NULL) return assemble_chunk(assemble, chunk, source, fault);
    enum status const status = dedup_keep(pipeline->dedup, chunk, fault);
    chunk_home(pipeline, chunk);
    return status;
}

/* Is there something to go on with: what `ready` says, a failure, or an end of the run? */
static bool look_for(struct pipeline *pipeline, struct sink *sink, bool (*ready)(struct pipeline *),
                     enum status *status)
{
    *status = sink->reap(sink, &pipeline->assembler_fault);
    if (*status == STATUS_OK) *status = check_interrupted(pipeline);
    return *status != STATUS_OK || ready(pipeline) || is_stopped(pipeline);
}

static enum status wait_until(struct pipeline *pipeline, struct sink *sink, bool (*ready)(struct pipeline *),
                              uint64_t *wait_ns)
{
    enum status status;
    if (look_for(pipeline, sink, ready, &status)) return status;
    uint64_t const began = pipeline->options->now();
    for (;;) {
        uint32_t const ticket = wait_prepare(pipeline->arrivals);
        if (look_for(pipeline, sink, ready, &status)) break;
        wait_sleep_until(pipeline->arrivals, ticket, pipeline->options->now() + PIPELINE_LOOK_NS);
    }
    wait_cancel(pipeline->arrivals);
    *wait_ns += pipeline->options->now() - began;
    return status;
}

static bool has_spare(struct pipeline *pipeline)
{
    return pipeline->pool.empty_count != 0;
}

/* ---- shards that are converted again ---- */

/* While it works, no chunk that comes home goes to a worker: it has as many as one of them in the pool. */
static struct chunk *mender_take(void *context)
{
    struct pipeline *pipeline = context;
    struct mender *const mender = &pipeline->mender;
    uint64_t ignored = 0;
    if (mender->status == STATUS_OK) mender->status = wait_until(pipeline, mender->sink, has_spare, &ignored);
    return mender->status != STATUS_OK || is_stopped(pipeline) ? NULL : chunk_pool_spare(&pipeline->pool);
}

static void mender_give(void *context, struct chunk *chunk)
{
    struct pipeline *pipeline = context;
    struct mender *const mender = &pipeline->mender;
    if (mender->status == STATUS_OK)
        mender->status = pass_on(pipeline, mender->assemble, chunk, mender->source);
    else
        chunk_home(pipeline, chunk);
}

/* The shard is the next one: all before it are written, and its worker has done with it. */
static bool mender_turn(void *context, uint64_t shard)
{
    (void)shard;
    return !is_stopped(context);
}

static bool mender_stopped(void *context)
{
    struct pipeline *pipeline = context;
    struct mender *const mender = &pipeline->mender;
    if (mender->status == STATUS_OK) mender->status = check_interrupted(pipeline);
    return mender->status != STATUS_OK || is_stopped(pipeline);
}

static enum status mend_unit(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink,
                             const struct feed_cursor *unit, bool final)
{
    struct mender *const mender = &pipeline->mender;
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
    enum status const status = convert_again(&mender->convert, &task, pipeline->due, fault);
    pipeline->replays = false;
    serve(pipeline, NOBODY);
    pipeline->due = mender->convert.ended;
    return mender->status != STATUS_OK ? mender->status : status;
}

/* ---- shards and blocks ---- */

/* Is the shard at hand of a container whose records a worker guesses? */
static bool is_guessed(const struct pipeline *pipeline, size_t source)
{
    const struct source *const port = pipeline->sources[source];
    return port->form != NULL && port->stream == NULL;
}

/* One shard or block, whole. *final: its source ends with it. */
static enum status take_unit(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink,
                             const struct feed_cursor *unit, struct pipeline_times *times, bool *final)
{
    uint64_t const order = feed_order(unit->source, unit->index);
    bool const guessed = is_guessed(pipeline, unit->source);
    bool wrong = false;
    if (guessed && unit->index == 0) pipeline->due = pipeline->feed.plan->sources[unit->source].begin;
    set_turn(pipeline, order);
    for (bool last = false; !last;) {
        struct chunk *chunk;
        enum status status = next_chunk(pipeline, sink, order, &chunk, &times->wait_rows);
        if (status != STATUS_OK || chunk == NULL) return status;
        bool const begins = guessed && chunk->began != UINT64_MAX;
        wrong = begins && chunk->began != pipeline->due;
        last = chunk->last;
        *final = chunk->ends_source;
        if (begins && last && !wrong) pipeline->due = chunk->ended;
        if (wrong)
            chunk_home(pipeline, chunk);
        else
            status = pass_on(pipeline, assemble, chunk, unit->source);
        if (status != STATUS_OK) return status;
    }
    return wrong ? mend_unit(pipeline, assemble, sink, unit, *final) : STATUS_OK;
}

/* All in order. Ends early, without a fault of its own, when a worker failed. */
static enum status take_all(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink,
                            struct pipeline_times *times)
{
    struct feed_cursor unit;
    bool final = false;
    for (bool more = feed_first(&pipeline->feed, &unit); more && !is_stopped(pipeline);
         more = feed_next(&pipeline->feed, &unit, final)) {
        enum status const status = take_unit(pipeline, assemble, sink, &unit, times, &final);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* ---- the assembler, when it is known who stays ---- */

static bool all_settled(struct pipeline *pipeline)
{
    /* D2, pairs with D1 */
    return atomic_load_explicit(&pipeline->settled, memory_order_acquire) == pipeline->options->threads;
}

static enum status replay_unit(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink,
                               const struct feed_cursor *unit, uint64_t *wait_ns, bool *final)
{
    for (bool last = false; !last;) {
        enum status status = wait_until(pipeline, sink, has_spare, wait_ns);
        if (status != STATUS_OK || is_stopped(pipeline)) return status;
        struct chunk *const chunk = chunk_pool_spare(&pipeline->pool);
        status = dedup_next(pipeline->dedup, chunk, &pipeline->assembler_fault);
        if (status != STATUS_OK) return status;
        last = chunk->last;
        *final = chunk->ends_source;
        status = assemble_chunk(assemble, chunk, unit->source, &pipeline->assembler_fault);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* All in order once more. Ends early, without a fault of its own, when a worker failed. */
static enum status replay_all(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink,
                              uint64_t *wait_ns)
{
    struct feed_cursor unit;
    bool final = false;
    set_turn(pipeline, TURN_OVER);
    enum status status = wait_until(pipeline, sink, all_settled, wait_ns);
    if (status != STATUS_OK || is_stopped(pipeline)) return status;
    pipeline->replays = true;
    chunk_pool_take_back(&pipeline->pool);
    status = dedup_rewind(pipeline->dedup, &pipeline->assembler_fault);
    for (bool more = feed_first(&pipeline->feed, &unit); more && status == STATUS_OK && !is_stopped(pipeline);
         more = feed_next(&pipeline->feed, &unit, final))
        status = replay_unit(pipeline, assemble, sink, &unit, wait_ns, &final);
    return status;
}

static enum status assemble_all(struct pipeline *pipeline, struct assemble *assemble, struct sink *sink,
                                struct pipeline_times *times)
{
    enum status status = take_all(pipeline, assemble, sink, times);
    if (status == STATUS_OK && !is_stopped(pipeline) && pipeline->dedup != NULL)
        status = replay_all(pipeline, assemble, sink, &times->wait_rows);
    if (status != STATUS_OK || is_stopped(pipeline)) return status;
    status = assemble_finish(assemble, &pipeline->assembler_fault);
    if (status != STATUS_OK) return status;
    uint64_t const began = pipeline->options->now();
    enum status const drained = wait_for_pieces(pipeline, assemble, sink);
    times->drain = pipeline->options->now() - began;
    return drained;
}

/* ---- memory ---- */

static uint64_t reader_bytes(bool buffered, size_t capacity)
{
    return buffered ? capacity + LIMIT_PADDING + 4096 : 0;
}

static struct feed_rules feed_rules_of(const struct convert_rules *rules, uint32_t threads,
                                       const struct pipeline_sizes *sizes)
{
    return (struct feed_rules){.workers = threads,
                               .cut = {.max_record = rules->max_record,
                                       .forgives = rules->forgives_damage,
                                       .prefilter = rules->prefilter,
                                       .block_bytes = sizes->stream_block}};
}

static uint64_t feed_bytes(const struct pipeline_needs *needs, const struct pipeline_sizes *sizes)
{
    struct feed_rules const rules = feed_rules_of(needs->rules, needs->threads, sizes);
    uint64_t const most = (uint64_t)needs->threads + 1; /* open at once: see feed.c */
    uint64_t const open = needs->stream_sources < most ? needs->stream_sources : most;
    return needs->stream_sources != 0 ? feed_memory(&rules) + needs->stream_bytes * open : 0;
}

/* What deduplication takes in workers, chunks and replay, and its own sizes. */
static uint64_t dedup_memory_of(const struct pipeline_needs *needs, const struct pipeline_sizes *sizes)
{
    if (!convert_deduplicates(needs->rules)) return 0;
    uint64_t const chunks = (uint64_t)needs->threads * (sizes->chunks + 1) + sizes->extra; /* 1: split.h */
    return chunks * chunk_mark_room(sizes->chunk) * sizeof(uint32_t) + sizes->chunk +
           needs->threads * contend_memory() + sizes->dedup.table + sizes->dedup.spool;
}

static uint64_t memory_of(const struct pipeline_needs *needs, const struct pipeline_sizes *sizes)
{
    const struct convert_rules *rules = needs->rules;
    size_t const lane = convert_large_capacity(rules, sizes->block);
    uint64_t const worker =
        convert_tools_bytes(rules, sizes->block) + reader_bytes(needs->buffered_sources, sizes->block) +
        sizes->chunks * chunk_memory(sizes->chunk, rules->streams) +
        split_memory(sizes->chunk, rules->streams) + sizeof(struct worker) + 64 * LIMIT_KIB;
    uint32_t const workers = needs->threads + needs->has_forms; /* the assembler's mender is like one more */
    return PIPELINE_MEMORY_BASE + convert_tools_bytes(rules, lane) +
           reader_bytes(needs->buffered_sources, lane) + workers * worker +
           sizes->extra * chunk_memory(sizes->chunk, rules->streams) + needs->other +
           feed_bytes(needs, sizes) + dedup_memory_of(needs, sizes);
}

static struct pipeline_sizes sizes_at_most(const struct pipeline_needs *needs)
{
    bool const holds = needs->hold != 0;
    size_t const chunk = holds ? CHUNK_BYTES_MIN : CHUNK_BYTES_MAX;
    struct dedup_sizes const none = {.table = 0};
    return (struct pipeline_sizes){.dedup = convert_deduplicates(needs->rules) ? DEDUP_SIZES_MIN : none,
                                   .block = PIPELINE_BLOCK_MAX,
                                   .stream_block = STREAM_BLOCK_BYTES,
                                   .chunk = chunk,
                                   .chunks = holds ? PIPELINE_CHUNKS_SMALL : PIPELINE_CHUNKS_PER_WORKER,
                                   .extra = (uint32_t)((needs->hold + chunk - 1) / chunk)};
}

/* One step down; false: there is none. */
static bool sizes_shrink(const struct pipeline_needs *needs, struct pipeline_sizes *sizes)
{
    if (sizes->chunk > CHUNK_BYTES_MIN)
        sizes->chunk /= 2;
    else if (sizes->chunks > PIPELINE_CHUNKS_MIN)
        sizes->chunks--;
    else if (sizes->stream_block > PIPELINE_STREAM_BLOCK_MIN && !needs->blocks_show)
        sizes->stream_block /= 2;
    else if (sizes->block > PIPELINE_BLOCK_MIN)
        sizes->block /= 2;
    else
        return false;
    return true;
}

/* More chunks, where sources run ahead of others. */
static void grow_chunks(const struct pipeline_needs *needs, uint64_t limit, struct pipeline_sizes *sizes)
{
    if (needs->stream_sources == 0 || needs->sources < 2 || needs->threads < 2) return;
    uint64_t const share = limit / PIPELINE_AHEAD_SHARE, left = limit - sizes->memory;
    struct pipeline_sizes one_more = *sizes;
    one_more.chunks++; /* of each worker */
    uint64_t const more = (share < left ? share : left) / (memory_of(needs, &one_more) - sizes->memory);
    sizes->chunks += (uint32_t)(more < PIPELINE_AHEAD_MAX ? more : PIPELINE_AHEAD_MAX);
    sizes->memory = memory_of(needs, sizes);
}

uint64_t pipeline_least(const struct pipeline_needs *needs)
{
    struct pipeline_sizes sizes = sizes_at_most(needs);
    while (sizes_shrink(needs, &sizes)) {
    }
    return memory_of(needs, &sizes);
}

enum status pipeline_size(const struct pipeline_needs *needs, uint64_t limit, struct pipeline_sizes *sizes,
                          struct fault *fault)
{
    uint64_t const wanted = convert_deduplicates(needs->rules) ? limit / 2 : limit; /* the rest is for keys */
    *sizes = sizes_at_most(needs);
    do {
        sizes->memory = memory_of(needs, sizes);
        if (sizes->memory <= wanted) {
            grow_chunks(needs, wanted, sizes);
            return STATUS_OK;
        }
    } while (sizes_shrink(needs, sizes));
    if (sizes->memory <= limit) return STATUS_OK;
    return fault_set(fault, STATUS_USAGE,
                     "--memory-limit: %" PRIu64 " MiB are not enough for %u %s and records of up to %" PRIu64
                     " bytes; the least that works is %" PRIu64
                     "MiB (fewer --threads or a smaller source.max_record need less)",
                     limit / LIMIT_MIB, needs->threads, needs->threads == 1 ? "thread" : "threads",
                     needs->rules->max_record, sizes->memory / LIMIT_MIB + 1);
}

void pipeline_fill(const struct pipeline_needs *needs, uint64_t limit, struct pipeline_sizes *sizes)
{
    if (!convert_deduplicates(needs->rules) || sizes->memory >= limit) return;
    struct pipeline_sizes const most = sizes_at_most(needs);
    uint64_t const beside = sizes->memory - sizes->dedup.table - sizes->dedup.spool;
    uint64_t const at_most = memory_of(needs, &most) - most.dedup.table - most.dedup.spool;
    sizes->dedup = dedup_share(limit - beside);
    sizes->dedup.beside = beside > at_most ? beside : at_most;
    sizes->memory = memory_of(needs, sizes);
}

/* ---- set-up and tear-down ---- */

/* With deduplication. */
static bool worker_contends(struct worker *worker)
{
    struct chunk *const gathered = worker->convert.split.rows;
    return contend_create(&worker->convert.contend, &worker->pipeline->dedup->table) &&
           (gathered == NULL || chunk_add_marks(gathered));
}

static bool worker_create(struct pipeline *pipeline, uint32_t number)
{
    const struct pipeline_options *options = pipeline->options;
    struct worker *worker = &pipeline->workers[number];
    worker->pipeline = pipeline;
    worker->number = number;
    worker->wait_ready = wait_init(&worker->bed);
    if (!worker->wait_ready || !ring_init(&worker->forward, options->sizes.chunks, 0) ||
        !ring_init(&worker->home, options->sizes.chunks, 0) ||
        !convert_tools_create(&worker->convert.tools, options->rules, options->sizes.block) ||
        !split_create(&worker->convert.split, options->sizes.chunk, options->rules->streams) ||
        (pipeline->dedup != NULL && !worker_contends(worker)))
        return false;
    worker->convert.rules = options->rules;
    worker->convert.sources = pipeline->sources;
    worker->convert.large = &pipeline->large;
    worker->convert.visitor = options->rules->visits ? &options->visitors[number] : NULL;
    worker->convert.port = (struct convert_port){.context = worker,
                                                 .take = port_take,
                                                 .give = port_give,
                                                 .wait_for_turn = port_wait_for_turn,
                                                 .begin = port_begin,
                                                 .stopped = port_stopped,
                                                 .now = options->now};
    return true;
}

static bool mender_create(struct pipeline *pipeline)
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
                                          .now = options->now};
    return convert_tools_create(&convert->tools, options->rules, options->sizes.block) &&
           split_create(&convert->split, options->sizes.chunk, options->rules->streams);
}

static void worker_destroy(struct worker *worker, struct source *const *sources)
{
    convert_tools_destroy(&worker->convert.tools, sources);
    split_destroy(&worker->convert.split);
    contend_destroy(&worker->convert.contend);
    ring_free(&worker->forward);
    ring_free(&worker->home);
    if (worker->wait_ready) wait_destroy(&worker->bed);
}

static bool stream_stopped(void *context)
{
    return is_stopped(context);
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
    struct feed_rules const feed = feed_rules_of(options->rules, options->threads, &options->sizes);
    size_t const bytes = options->threads * sizeof *pipeline->workers;
    pipeline->workers = aligned_alloc(_Alignof(struct worker), bytes);
    if (pipeline->workers == NULL) return false;
    memset(pipeline->workers, 0, bytes);
    pipeline->wait_ready = wait_init(&pipeline->turn_changed);
    pipeline->feed_wait_ready = wait_init(&pipeline->feed_changed);
    if (!pipeline->wait_ready || !pipeline->feed_wait_ready) return false;
    if (convert_deduplicates(options->rules) && !make_dedup(pipeline, plan)) return false;
    size_t const lane = convert_large_capacity(options->rules, options->sizes.block);
    if (!convert_tools_create(&pipeline->large, options->rules, lane)) return false;
    for (uint32_t w = 0; w < options->threads; w++)
        if (!worker_create(pipeline, w)) return false;
    for (size_t i = 0; i < plan->source_count; i++)
        pipeline->mender.needed = pipeline->mender.needed || is_guessed(pipeline, i);
    if (pipeline->mender.needed && !mender_create(pipeline)) return false;
    uint32_t const extra = options->sizes.extra + (pipeline->mender.needed ? options->sizes.chunks : 0);
    if (!chunk_pool_create(&pipeline->pool, options->threads, options->sizes.chunks, extra,
                           options->sizes.chunk, options->rules->streams))
        return false;
    if (!feed_create(&pipeline->feed, &feed, pipeline->sources, plan, &pipeline->feed_changed)) return false;
    set_stops(pipeline, plan);
    if (pipeline->dedup != NULL && !chunk_pool_add_marks(&pipeline->pool)) return false;
    serve(pipeline, NOBODY);
    return true;
}

static void pipeline_destroy(struct pipeline *pipeline)
{
    for (uint32_t w = 0; pipeline->workers != NULL && w < pipeline->options->threads; w++)
        worker_destroy(&pipeline->workers[w], pipeline->sources);
    convert_tools_destroy(&pipeline->mender.convert.tools, pipeline->sources);
    split_destroy(&pipeline->mender.convert.split);
    convert_tools_destroy(&pipeline->large, pipeline->sources);
    chunk_pool_destroy(&pipeline->pool);
    if (pipeline->dedup != NULL) dedup_destroy(pipeline->dedup);
    free(pipeline->dedup);
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
        struct worker *worker = &pipeline->workers[w];
        int const error = pthread_create(&worker->thread, &attributes, worker_main, worker);
        worker->started = error == 0;
        if (error != 0)
            status = fault_set(fault, STATUS_IO, "can't start thread %u of %u: %s; try fewer --threads",
                               w + 1, pipeline->options->threads, strerror(error));
    }
    pthread_attr_destroy(&attributes);
    return status;
}

static void workers_join(struct pipeline *pipeline, struct pipeline_times *times)
{
    for (uint32_t w = 0; w < pipeline->options->threads; w++) {
        struct worker *worker = &pipeline->workers[w];
        if (!worker->started) continue;
        pthread_join(worker->thread, NULL);
        times->wait_chunk += worker->wait_ns;
        times->read += worker->convert.read_ns;
        times->stream += worker->stream_ns;
        times->wait_stream += worker->idle_ns;
        times->convert +=
            worker->busy_ns - worker->wait_ns - worker->convert.read_ns - worker->stream_ns - worker->idle_ns;
    }
    if (pipeline->options->crew != NULL) times->compress = crew_leave(pipeline->options->crew);
}

enum status pipeline_run(const struct pipeline_options *options, struct source *const *sources,
                         const struct shard_plan *plan, struct sink *sink, struct pipeline_result *result,
                         struct fault *fault)
{
    struct pipeline pipeline = {.options = options, .sources = sources, .arrivals = options->arrivals};
    struct assemble_rules rules = options->assemble;
    rules.streams = options->rules->streams;
    rules.home = chunk_home;
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
    uint64_t const began = options->now();
    if (options->crew != NULL) crew_enter(options->crew, wake_worker, wake_assembler, &pipeline);
    enum status status = workers_start(&pipeline, &pipeline.assembler_fault);
    if (status == STATUS_OK) status = assemble_all(&pipeline, &result->assemble, sink, &result->times);
    if (status != STATUS_OK) stop(&pipeline, &pipeline.assembler_fault);
    if (options->crew != NULL) crew_close(options->crew);
    result->times.write = options->now() - began - result->times.wait_rows;
    workers_join(&pipeline, &result->times);
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

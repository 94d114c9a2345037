/* pipeline_worker.c - a worker: what it asks of the pipeline, and its loop. See pipeline.h.
 * Thread: the worker's, but what makes and frees it. Owns what the worker has. */
#include "core/flow/pipeline_inside.h"

/* Empty chunks that a worker has before it takes a unit ahead of the front source: what the rows of one come
 * to, for dumps of profiles. Fewer than PIPELINE_CHUNKS_MIN: a worker without rows on their way has room. */
#define ROOM_AHEAD 3u
_Static_assert(ROOM_AHEAD < PIPELINE_CHUNKS_MIN, "a worker without rows on their way has room");

/* ---- the crew's work ---- */

/* Does what the worker was given. */
static void do_work(struct pipeline_worker *worker)
{
    struct crew *crew = worker->pipeline->options->crew;
    if (crew != NULL) crew_work(crew, worker->number, worker->track);
}

static bool has_work(const struct pipeline_worker *worker)
{
    struct crew *crew = worker->pipeline->options->crew;
    return crew != NULL && crew_has_work(crew, worker->number);
}

/* Work until there will be no more. */
static void do_all_work(struct pipeline_worker *worker)
{
    struct pipeline *pipeline = worker->pipeline;
    struct crew *crew = pipeline->options->crew;
    if (crew == NULL) return;
    while (!pipeline_is_stopped(pipeline) && !crew_is_over(crew, worker->number)) {
        do_work(worker);
        uint32_t const ticket = wait_prepare(&worker->bed);
        if (pipeline_is_stopped(pipeline) || has_work(worker) || crew_is_over(crew, worker->number))
            wait_cancel(&worker->bed);
        else
            wait_sleep(&worker->bed, ticket);
    }
}

/* ---- empty chunks ---- */

/* Puts what came home on the stack. Of many chunks, as of a worker that may go far ahead, those are used
 * again that were used last, and most stay memory that nobody ever touched. */
static void gather_empty(struct pipeline_worker *worker)
{
    for (struct chunk *chunk; (chunk = ring_pop(&worker->home)) != NULL;) {
        chunk->next = worker->empty;
        worker->empty = chunk;
        worker->empty_count++;
    }
}

/* NULL: there is none. */
static struct chunk *pop_empty(struct pipeline_worker *worker)
{
    gather_empty(worker);
    struct chunk *const chunk = worker->empty;
    if (chunk == NULL) return NULL;
    worker->empty = chunk->next;
    worker->empty_count--;
    return chunk;
}

/* ---- the worker's port ---- */

/* Work comes before an empty chunk: what waits for it is older than what would fill the chunk. */
static struct chunk *port_take(void *context)
{
    struct pipeline_worker *worker = context;
    do_work(worker);
    struct chunk *chunk = pop_empty(worker);
    if (chunk != NULL) return chunk;
    struct track_mark const mark = track_begin(worker->track);
    while (chunk == NULL && !pipeline_is_stopped(worker->pipeline)) {
        do_work(worker);
        uint32_t const ticket = wait_prepare(&worker->bed);
        chunk = pop_empty(worker);
        if (chunk != NULL || has_work(worker) || pipeline_is_stopped(worker->pipeline))
            wait_cancel(&worker->bed);
        else
            wait_sleep(&worker->bed, ticket);
    }
    track_end(worker->track, mark, TRACK_WAIT_CHUNK, 0);
    return chunk;
}

/* The assembler sleeps for the chunks of one shard, its turn: others can lie in the ring until then. That is
 * looked at behind the read-modify-write of wait_has_waiters(), so that the turn read is the one it sleeps
 * for. */
static void port_give(void *context, struct chunk *chunk)
{
    struct pipeline_worker *worker = context;
    struct pipeline *pipeline = worker->pipeline;
    uint64_t const shard = chunk->shard;      /* the chunk is the assembler's from here on */
    (void)ring_push(&worker->forward, chunk); /* never full: it has room for all chunks of the worker */
    if (!wait_has_waiters(pipeline->arrivals)) return;
    /* T3, pairs with T1 by way of W1 and S0 (wait.c) */
    if (atomic_load_explicit(&pipeline->turn, memory_order_acquire) == shard) wait_wake(pipeline->arrivals);
}

static bool port_stopped(void *context)
{
    return pipeline_is_stopped(((struct pipeline_worker *)context)->pipeline);
}

static bool wait_for_turn(struct pipeline_worker *worker, uint64_t shard)
{
    struct pipeline *pipeline = worker->pipeline;
    for (;;) {
        do_work(worker);
        uint32_t const ticket = wait_prepare(&pipeline->turn_changed);
        bool const stopped = pipeline_is_stopped(pipeline);
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

static bool port_wait_for_turn(void *context, uint64_t shard)
{
    struct pipeline_worker *worker = context;
    struct track_mark const mark = track_begin(worker->track);
    bool const go = wait_for_turn(worker, shard);
    track_end(worker->track, mark, TRACK_WAIT_TURN, 0);
    return go;
}

/* ---- seams: where shards of containers begin ---- */

static struct pipeline_seam *seam_of(struct pipeline_worker *worker, uint64_t shard)
{
    return &worker->pipeline->seams[shard >> FEED_INDEX_BITS];
}

/* It is waited for while the workers of the shards before look for it, who wait for nothing else: shards of a
 * source are claimed in order. */
static bool port_due(void *context, uint64_t shard, bool waits, uint64_t *begin)
{
    struct pipeline_worker *worker = context;
    struct pipeline *pipeline = worker->pipeline;
    struct pipeline_seam *const seam = seam_of(worker, shard);
    struct track_mark const mark = track_begin(worker->track);
    bool known = false, stopped = false;
    for (bool looks = true; looks; looks = waits && !known && !stopped) {
        uint32_t const ticket = wait_prepare(&pipeline->turn_changed);
        /* N2, pairs with N1 */
        known = atomic_load_explicit(&seam->shard, memory_order_acquire) == shard;
        stopped = pipeline_is_stopped(pipeline);
        if (known || stopped || !waits)
            wait_cancel(&pipeline->turn_changed);
        else
            wait_sleep(&pipeline->turn_changed, ticket);
    }
    if (waits) track_end(worker->track, mark, TRACK_WAIT_TURN, 0);
    if (known) *begin = seam->at;
    return known && !stopped;
}

static void port_tell_due(void *context, uint64_t shard, uint64_t begin)
{
    struct pipeline_worker *worker = context;
    struct pipeline_seam *const seam = seam_of(worker, shard);
    seam->at = begin;
    atomic_store_explicit(&seam->shard, shard + 1, memory_order_release); /* N1, pairs with N2 */
    wait_wake(&worker->pipeline->turn_changed);
}

/* Asks the feed once. */
static enum feed_answer ask_feed(struct pipeline_worker *worker, struct feed_task *task)
{
    if (pipeline_is_stopped(worker->pipeline)) return FEED_END;
    gather_empty(worker);
    return feed_try(&worker->pipeline->feed, worker->number, worker->empty_count >= ROOM_AHEAD, task);
}

/* False: there is nothing more to convert, or the run is being stopped. */
static bool next_task(struct pipeline_worker *worker, struct feed_task *task)
{
    struct pipeline *pipeline = worker->pipeline;
    do_work(worker);
    enum feed_answer answer = ask_feed(worker, task);
    while (answer == FEED_WAIT) {
        do_work(worker);
        uint32_t const ticket = wait_prepare(&pipeline->feed_changed);
        answer = ask_feed(worker, task);
        if (answer != FEED_WAIT || has_work(worker)) {
            wait_cancel(&pipeline->feed_changed);
            continue;
        }
        struct track_mark const mark = track_begin(worker->track);
        wait_sleep(&pipeline->feed_changed, ticket);
        track_end(worker->track, mark, TRACK_WAIT_TEXT, 0);
    }
    return answer == FEED_TASK;
}

/* Behind all units, when all candidates are entered. */
static void settle(struct pipeline_worker *worker)
{
    struct pipeline *pipeline = worker->pipeline;
    if (!port_wait_for_turn(worker, PIPELINE_TURN_OVER)) return;
    struct track_mark const mark = track_begin(worker->track);
    dedup_settle(pipeline->dedup, worker->convert.contend.scratch);
    track_end(worker->track, mark, TRACK_CONVERT, 0);
    atomic_fetch_add_explicit(&pipeline->settled, 1, memory_order_release); /* D1, pairs with D2 */
}

/* ---- the thread ---- */

/* With deduplication. */
static bool contends(struct pipeline_worker *worker)
{
    struct chunk *const gathered = worker->convert.split.rows;
    return contend_create(&worker->convert.contend, &worker->pipeline->dedup->table) &&
           (gathered == NULL || chunk_add_marks(gathered));
}

/* On the worker's own thread: its memory is near its CPU, and shares no cache line with another's. False:
 * there is none, which its fault says. */
static bool make_tools(struct pipeline_worker *worker)
{
    const struct pipeline_options *const options = worker->pipeline->options;
    struct convert *const convert = &worker->convert;
    if (convert_tools_create(&convert->tools, options->rules, options->sizes.block) &&
        split_create(&convert->split, options->sizes.chunk, options->rules->streams) &&
        (worker->pipeline->dedup == NULL || contends(worker)))
        return true;
    fault_set(&worker->fault, STATUS_IO, "no memory for thread %u of %u; try fewer --threads",
              worker->number + 1, options->threads);
    return false;
}

/* Bytes of text that a task is about. */
static uint64_t text_of(const struct feed_task *task)
{
    return task->block != NULL ? task->block->length : task->shard.end - task->shard.begin;
}

void *pipeline_worker_main(void *argument)
{
    struct pipeline_worker *worker = argument;
    struct pipeline *pipeline = worker->pipeline;
    struct feed_task task;
    if (pipeline->options->start != NULL)
        pipeline->options->start(pipeline->options->start_context, worker->number);
    if (!make_tools(worker)) pipeline_stop(pipeline, &worker->fault);
    while (next_task(worker, &task)) {
        struct track_mark const mark = track_begin(worker->track);
        if (convert_task(&worker->convert, &task, &worker->fault) != STATUS_OK)
            pipeline_stop(pipeline, &worker->fault);
        track_end(worker->track, mark, TRACK_CONVERT, text_of(&task));
        feed_done(&pipeline->feed, &task);
    }
    if (pipeline->dedup != NULL) settle(worker);
    ring_close(&worker->forward);
    wait_wake(pipeline->arrivals);
    do_all_work(worker);
    return NULL;
}

/* ---- set-up and tear-down ---- */

bool pipeline_worker_create(struct pipeline *pipeline, uint32_t number)
{
    const struct pipeline_options *options = pipeline->options;
    struct pipeline_worker *worker = &pipeline->workers[number];
    worker->pipeline = pipeline;
    worker->number = number;
    worker->track = options->tracks == NULL ? NULL : &options->tracks[number];
    worker->wait_ready = wait_init(&worker->bed);
    if (!worker->wait_ready || !ring_init(&worker->forward, options->sizes.chunks, 0) ||
        !ring_init(&worker->home, options->sizes.chunks, 0))
        return false;
    worker->convert.rules = options->rules;
    worker->convert.sources = pipeline->sources;
    worker->convert.large = &pipeline->large;
    worker->convert.alone = options->threads == 1;
    worker->convert.visitor = options->rules->visits ? &options->visitors[number] : NULL;
    worker->convert.port = (struct convert_port){.context = worker,
                                                 .take = port_take,
                                                 .give = port_give,
                                                 .wait_for_turn = port_wait_for_turn,
                                                 .due = port_due,
                                                 .tell_due = port_tell_due,
                                                 .stopped = port_stopped,
                                                 .track = worker->track};
    return true;
}

void pipeline_worker_destroy(struct pipeline_worker *worker, struct source *const *sources)
{
    convert_tools_destroy(&worker->convert.tools, sources);
    split_destroy(&worker->convert.split);
    contend_destroy(&worker->convert.contend);
    ring_free(&worker->forward);
    ring_free(&worker->home);
    if (worker->wait_ready) wait_destroy(&worker->bed);
}

/* feed.c - claims. The essay stands in the header. Threads: workers. Owns blocks and cuts. */
#include "core/flow/feed.h"

#include <stdlib.h>
#include <string.h>

/* How far one source is. Under the mutex; the cut is the reader's alone while `reading`. */
struct feed_source {
    uint64_t next, count;              /* units taken; of a source with shards: how many there are */
    struct stream_cut *cut;            /* NULL: not begun, or done with */
    struct stream_block *first, *last; /* read, and not taken yet */
    uint32_t out;                      /* taken and not done, the reading included */
    bool reading, ended, wants_large;
};

/* ---- memory ---- */

static uint32_t block_count(const struct feed_rules *rules)
{
    return 2 * rules->workers + FEED_RESERVE;
}

/* Streams that are begun and not ended: pick() looks no further than `workers` behind the front one. */
static uint32_t cut_count(const struct feed_rules *rules)
{
    return rules->workers + 1;
}

static size_t large_bytes(const struct feed_rules *rules)
{
    return stream_cut_large_bytes(&rules->cut);
}

uint64_t feed_memory(const struct feed_rules *rules)
{
    uint64_t const blocks = block_count(rules) * (uint64_t)(rules->cut.block_bytes + LIMIT_PADDING);
    uint64_t const cuts = cut_count(rules) * (uint64_t)(sizeof(struct stream_cut) + rules->cut.block_bytes);
    return blocks + cuts + large_bytes(rules) + LIMIT_PADDING;
}

static bool make_blocks(struct feed *feed)
{
    uint32_t const count = block_count(&feed->rules);
    size_t const room = feed->rules.cut.block_bytes + LIMIT_PADDING;
    feed->blocks = calloc(count, sizeof *feed->blocks);
    if (feed->blocks == NULL) return false;
    for (uint32_t i = 0; i < count; i++) {
        struct stream_block *const block = &feed->blocks[i];
        block->capacity = feed->rules.cut.block_bytes;
        block->bytes = malloc(room);
        if (block->bytes == NULL) return false;
        block->next = feed->empty;
        feed->empty = block;
        feed->empty_count++;
    }
    feed->cuts = calloc(cut_count(&feed->rules), sizeof *feed->cuts);
    feed->large.capacity = large_bytes(&feed->rules);
    feed->large.bytes = malloc(feed->large.capacity + LIMIT_PADDING);
    return feed->cuts != NULL && feed->large.bytes != NULL;
}

static uint64_t shards_of(const struct feed *feed, size_t source)
{
    return feed->plan->first[source + 1] - feed->plan->first[source];
}

static bool has_units(const struct feed *feed, size_t source)
{
    return feed->sources[source]->stream != NULL || shards_of(feed, source) != 0;
}

bool feed_create(struct feed *feed, const struct feed_rules *rules, struct source *const *sources,
                 const struct shard_plan *plan, struct wait *changed)
{
    *feed = (struct feed){.rules = *rules, .sources = sources, .plan = plan, .changed = changed};
    for (size_t s = 0; s < plan->source_count && !feed->has_streams; s++)
        feed->has_streams = sources[s]->stream != NULL;
    if (!feed->has_streams) return true;
    feed->list = calloc(plan->source_count, sizeof *feed->list);
    feed->workers = calloc(rules->workers, sizeof *feed->workers);
    if (feed->list == NULL || feed->workers == NULL || pthread_mutex_init(&feed->mutex, NULL) != 0) {
        feed->has_streams = false; /* there is no mutex to destroy */
        return false;
    }
    for (size_t s = 0; s < plan->source_count; s++)
        feed->list[s].count = shards_of(feed, s);
    return make_blocks(feed);
}

void feed_destroy(struct feed *feed)
{
    for (uint32_t i = 0; feed->cuts != NULL && i < cut_count(&feed->rules); i++)
        if (feed->cuts[i].stream != NULL) stream_cut_end(&feed->cuts[i]);
    free(feed->cuts);
    free(feed->list);
    free(feed->workers);
    for (uint32_t i = 0; feed->blocks != NULL && i < block_count(&feed->rules); i++)
        if (feed->blocks[i].bytes != NULL) free(feed->blocks[i].bytes - feed->blocks[i].lead);
    free(feed->blocks);
    free(feed->large.bytes);
    if (feed->has_streams) pthread_mutex_destroy(&feed->mutex);
    *feed = (struct feed){0};
}

/* ---- blocks ---- */

static struct stream_block *take_empty(struct feed *feed)
{
    struct stream_block *const block = feed->empty;
    feed->empty = block->next;
    feed->empty_count--;
    return block;
}

static void give_empty(struct feed *feed, struct stream_block *block)
{
    if (block == &feed->large) {
        feed->large_taken = false;
        return;
    }
    block->next = feed->empty;
    feed->empty = block;
    feed->empty_count++;
}

static void add_ready(struct feed_source *source, struct stream_block *block)
{
    block->next = NULL;
    if (source->first == NULL)
        source->first = block;
    else
        source->last->next = block;
    source->last = block;
}

/* ---- reading ---- */

/* May this source be read by the caller now? */
static bool can_read(const struct feed *feed, size_t number)
{
    const struct feed_source *const source = &feed->list[number];
    bool const ahead = number > feed->front;
    if (source->reading || source->ended) return false;
    if (source->wants_large) return !ahead && !feed->large_taken;
    return feed->empty_count > (ahead ? FEED_RESERVE : 0);
}

static struct stream_cut *begin_cut(struct feed *feed, size_t number)
{
    struct stream_cut *cut = feed->cuts;
    while (cut->stream != NULL) /* ends: see cut_count() */
        cut++;
    stream_cut_start(cut, feed->sources[number]->stream, &feed->rules.cut);
    return cut;
}

/* Its stream is closed at once; one that failed keeps its fault, and with it its place. */
static void end_cut(struct feed_source *source, const struct stream_block *block)
{
    source->ended = true;
    if (block->kind == STREAM_BROKEN) return;
    stream_cut_end(source->cut);
    source->cut->stream = NULL;
    source->cut = NULL;
}

/* Reads the next block of a source, with the mutex given up meanwhile. */
static void read_block(struct feed *feed, size_t number, uint32_t worker)
{
    struct feed_source *const source = &feed->list[number];
    bool const large = source->wants_large;
    if (source->cut == NULL) source->cut = begin_cut(feed, number);
    struct stream_block *const block = large ? &feed->large : take_empty(feed);
    feed->large_taken = feed->large_taken || large;
    feed->sources[number]->stream->track = feed->rules.tracks == NULL ? NULL : &feed->rules.tracks[worker];
    source->reading = true;
    source->wants_large = false;
    source->out++;
    pthread_mutex_unlock(&feed->mutex);
    enum stream_cut_result result = STREAM_CUT_BLOCK;
    if (large)
        stream_cut_large(source->cut, block);
    else
        result = stream_cut_next(source->cut, block);
    pthread_mutex_lock(&feed->mutex);
    source->reading = false;
    source->out--;
    if (result == STREAM_CUT_WANTS_LARGE) {
        source->wants_large = true;
        give_empty(feed, block);
        return;
    }
    if (block->final) end_cut(source, block);
    add_ready(source, block);
}

/* ---- claims ---- */

static bool is_through(const struct feed *feed, size_t number)
{
    const struct feed_source *const source = &feed->list[number];
    bool const is_stream = feed->sources[number]->stream != NULL;
    bool const taken = is_stream ? source->ended && source->first == NULL : source->next == source->count;
    return taken && source->out == 0;
}

static void advance(struct feed *feed)
{
    size_t const before = feed->front;
    while (feed->front < feed->plan->source_count && is_through(feed, feed->front))
        feed->front++;
    if (feed->front == before) return;
    feed->ahead = 0;
    for (uint32_t w = 0; w < feed->rules.workers; w++)
        feed->ahead += feed->workers[w].source > feed->front;
}

/* The last worker that is with the front source stays there; nobody goes on ahead without room. */
static bool may_go_ahead(const struct feed *feed, const struct feed_worker *worker)
{
    if (!worker->has_room) return false;
    return worker->source > feed->front || feed->ahead + 1 < feed->rules.workers;
}

static void note_source(struct feed *feed, struct feed_worker *worker, size_t source)
{
    if (source > feed->front && worker->source <= feed->front) feed->ahead++;
    worker->source = source;
}

static void take_shard(const struct feed *feed, size_t number, struct feed_task *task)
{
    struct feed_source *const source = &feed->list[number];
    *task = (struct feed_task){.order = feed_order(number, source->next),
                               .source = number,
                               .shard = shard_plan_get(feed->plan, feed->plan->first[number] + source->next)};
    task->final = ++source->next == source->count;
    source->out++;
}

static void take_block(struct feed_source *source, size_t number, struct feed_task *task)
{
    struct stream_block *const block = source->first;
    source->first = block->next;
    *task = (struct feed_task){.order = feed_order(number, source->next++),
                               .source = number,
                               .final = block->final,
                               .block = block,
                               .fault = block->kind == STREAM_BROKEN ? &source->cut->fault : NULL};
    source->out++;
}

enum pick { PICK_TASK, PICK_READ, PICK_NOTHING, PICK_END };

/* The first thing that the worker may do in a source: take what is there, or read. */
static enum pick pick_of(struct feed *feed, const struct feed_worker *worker, size_t number,
                         struct feed_task *task)
{
    struct feed_source *const source = &feed->list[number];
    if (feed->sources[number]->stream != NULL) {
        bool const may_read = can_read(feed, number);
        if (may_read && (source->first == NULL || worker->reads_on)) return PICK_READ;
        if (source->first == NULL) return PICK_NOTHING;
        take_block(source, number, task);
        return PICK_TASK;
    }
    if (source->next == source->count) return PICK_NOTHING;
    take_shard(feed, number, task);
    return PICK_TASK;
}

/* From the front on, or from the source that the worker is at; no further than there are workers. */
static enum pick pick(struct feed *feed, struct feed_worker *worker, struct feed_task *task, size_t *read)
{
    size_t const count = feed->plan->source_count;
    uint32_t seen = 0;
    advance(feed);
    if (feed->front == count) return PICK_END;
    for (size_t s = feed->front; s < count && seen <= feed->rules.workers; s++) {
        if (!has_units(feed, s)) continue;
        seen++;
        if (s < worker->source) continue;
        if (s > feed->front && !may_go_ahead(feed, worker)) break;
        enum pick const picked = pick_of(feed, worker, s, task);
        if (picked == PICK_NOTHING) continue;
        note_source(feed, worker, s);
        *read = s;
        return picked;
    }
    /* reading alone does no harm to the order */
    *read = feed->front;
    bool const helps = !worker->has_room && feed->sources[feed->front]->stream != NULL;
    return helps && can_read(feed, feed->front) ? PICK_READ : PICK_NOTHING;
}

/* Without streams: one atomic operation. */
static enum feed_answer claim_shard(struct feed *feed, struct feed_task *task)
{
    uint64_t const number = atomic_fetch_add_explicit(&feed->next_shard, 1, memory_order_relaxed);
    if (number >= feed->plan->count) return FEED_END;
    struct shard const shard = shard_plan_get(feed->plan, number);
    uint64_t const index = number - feed->plan->first[shard.source];
    *task = (struct feed_task){.order = feed_order(shard.source, index),
                               .source = shard.source,
                               .final = index + 1 == shards_of(feed, shard.source),
                               .shard = shard};
    return FEED_TASK;
}

enum feed_answer feed_try(struct feed *feed, uint32_t worker, bool has_room, struct feed_task *task)
{
    if (!feed->has_streams) return claim_shard(feed, task);
    enum feed_answer answer = FEED_WAIT;
    struct feed_worker *const self = &feed->workers[worker];
    size_t read = 0;
    pthread_mutex_lock(&feed->mutex);
    self->has_room = has_room;
    self->reads_on = false;
    for (;;) {
        enum pick const picked = pick(feed, self, task, &read);
        if (picked == PICK_TASK) answer = FEED_TASK;
        if (picked == PICK_END) answer = FEED_END;
        if (picked != PICK_READ) break;
        read_block(feed, read, worker);
        self->reads_on = wait_has_waiters(feed->changed);
        wait_wake(feed->changed);
    }
    pthread_mutex_unlock(&feed->mutex);
    if (answer == FEED_END) wait_wake(feed->changed);
    return answer;
}

void feed_done(struct feed *feed, const struct feed_task *task)
{
    if (!feed->has_streams) return;
    pthread_mutex_lock(&feed->mutex);
    feed->list[task->source].out--;
    if (task->block != NULL) give_empty(feed, task->block);
    advance(feed);
    pthread_mutex_unlock(&feed->mutex);
    wait_wake(feed->changed);
}

/* ---- the assembler's side ---- */

static bool to_units(const struct feed *feed, struct feed_cursor *cursor)
{
    while (cursor->source < feed->plan->source_count && !has_units(feed, cursor->source))
        cursor->source++;
    return cursor->source < feed->plan->source_count;
}

bool feed_first(const struct feed *feed, struct feed_cursor *cursor)
{
    *cursor = (struct feed_cursor){.source = 0};
    return to_units(feed, cursor);
}

bool feed_next(const struct feed *feed, struct feed_cursor *cursor, bool final)
{
    cursor->index++;
    if (!final) return true;
    *cursor = (struct feed_cursor){.source = cursor->source + 1};
    return to_units(feed, cursor);
}

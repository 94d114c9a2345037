/* test_feed.c - claims by many workers: every unit once, streams in order, blocks bounded, no worker left
 * asleep; workers that stand still with a unit in hand until all before it is done, as a full pipeline makes
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/feed.h"
#include "tests/unit/memory_ports.h"
#include "tests/unit/memory_stream.h"

enum { SOURCES_MAX = 24, WORKERS_MAX = 8, BLOCK = 256, MAX_RECORD = 3000 };

struct piece {
    uint64_t order;
    bool final;
    struct memory_text text;
};

struct desk {
    struct feed feed;
    struct wait changed, written;
    struct memory_stream streams[SOURCES_MAX];
    struct source sources[SOURCES_MAX];
    struct source *ports[SOURCES_MAX];
    struct memory_text texts[SOURCES_MAX];
    struct shard_source extents[SOURCES_MAX];
    size_t count;
    struct shard_plan plan;
    pthread_mutex_t mutex;
    struct piece *pieces; /* as they were converted */
    size_t piece_count, piece_room;
    struct feed_cursor turn; /* what is written next: under the mutex */
    bool turn_ends;
    size_t behind; /* how many units a worker may be ahead without waiting */
    uint32_t seed;
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Lines of all lengths, some longer than a block, some beyond MAX_RECORD. */
static void make_text(struct desk *desk, size_t source)
{
    struct memory_text *const text = &desk->texts[source];
    size_t const lines = next_random(&desk->seed) % 60;
    for (size_t i = 0; i < lines; i++) {
        uint32_t const kind = next_random(&desk->seed) % 40;
        size_t const length = kind == 0  ? MAX_RECORD + 1 + next_random(&desk->seed) % 5000
                              : kind < 3 ? BLOCK + next_random(&desk->seed) % 2000
                                         : next_random(&desk->seed) % 100;
        memory_fill(text, (char)('a' + (char)(i % 26)), length);
        memory_print(text, "\n");
    }
    if (lines % 3 == 0) memory_print(text, "no feed");
    memory_append(text, "", 1);
    text->length--;
}

static void desk_open(struct desk *desk, size_t count, uint32_t workers, uint32_t seed)
{
    *desk = (struct desk){.count = count, .seed = seed, .mutex = PTHREAD_MUTEX_INITIALIZER};
    for (size_t s = 0; s < count; s++) {
        make_text(desk, s);
        bool const is_stream = next_random(&desk->seed) % 4 != 0;
        memory_stream_start(&desk->streams[s], "s", desk->texts[s].bytes, desk->texts[s].length, seed + 1);
        desk->sources[s] = (struct source){.name = "s", .size = desk->texts[s].length};
        if (is_stream) desk->sources[s].stream = &desk->streams[s].port;
        desk->extents[s] = (struct shard_source){.size = is_stream ? 0 : desk->texts[s].length};
        desk->ports[s] = &desk->sources[s];
    }
    assert_true(wait_init(&desk->changed) && wait_init(&desk->written));
    assert_true(shard_plan_create(&desk->plan, desk->extents, count, BLOCK));
    struct feed_rules const rules = {.workers = workers,
                                     .cut = {.max_record = MAX_RECORD, .block_bytes = BLOCK}};
    assert_true(feed_create(&desk->feed, &rules, desk->ports, &desk->plan, &desk->changed));
    desk->turn_ends = !feed_first(&desk->feed, &desk->turn);
}

static void desk_close(struct desk *desk)
{
    feed_destroy(&desk->feed);
    for (size_t i = 0; i < desk->piece_count; i++)
        memory_text_free(&desk->pieces[i].text);
    free(desk->pieces);
    for (size_t s = 0; s < desk->count; s++) {
        assert_int_equal(desk->streams[s].wrong, 0);
        assert_int_equal(desk->streams[s].opened, desk->streams[s].closed);
        memory_text_free(&desk->texts[s]);
    }
    shard_plan_destroy(&desk->plan);
    wait_destroy(&desk->changed);
    wait_destroy(&desk->written);
}

/* "Written" in order: the turn moves on over all units that are there. */
static void write_ready(struct desk *desk)
{
    for (bool moved = true; moved && !desk->turn_ends;) {
        moved = false;
        for (size_t i = 0; i < desk->piece_count && !moved; i++) {
            if (desk->pieces[i].order != feed_order(desk->turn.source, desk->turn.index)) continue;
            desk->turn_ends = !feed_next(&desk->feed, &desk->turn, desk->pieces[i].final);
            moved = true;
        }
    }
}

static bool may_go_on(struct desk *desk, uint64_t order)
{
    pthread_mutex_lock(&desk->mutex);
    size_t ahead = 0;
    for (size_t i = 0; i < desk->piece_count; i++)
        ahead += desk->pieces[i].order > feed_order(desk->turn.source, desk->turn.index);
    bool const may =
        desk->turn_ends || order <= feed_order(desk->turn.source, desk->turn.index) || ahead < desk->behind;
    pthread_mutex_unlock(&desk->mutex);
    return may;
}

/* Stands still like a worker without an empty chunk. */
static void wait_for_room(struct desk *desk, uint64_t order)
{
    for (;;) {
        uint32_t const ticket = wait_prepare(&desk->written);
        if (may_go_on(desk, order)) break;
        wait_sleep(&desk->written, ticket);
    }
    wait_cancel(&desk->written);
}

static void convert(struct desk *desk, const struct feed_task *task)
{
    struct piece piece = {.order = task->order, .final = task->final};
    wait_for_room(desk, task->order);
    if (task->block == NULL) {
        memory_append(&piece.text, desk->texts[task->source].bytes + task->shard.begin,
                      (size_t)(task->shard.end - task->shard.begin));
    } else if (task->block->kind == STREAM_TOO_LARGE) {
        memory_fill(&piece.text, (char)task->block->bytes[0], (size_t)task->block->record_length);
        if (task->block->feed) memory_print(&piece.text, "\n");
    } else {
        assert_int_equal(task->block->kind, STREAM_LINES);
        memory_append(&piece.text, task->block->bytes, task->block->length);
    }
    pthread_mutex_lock(&desk->mutex);
    if (desk->piece_count == desk->piece_room) {
        desk->piece_room = 2 * desk->piece_room + 64;
        desk->pieces = memory_must(realloc(desk->pieces, desk->piece_room * sizeof *desk->pieces));
    }
    desk->pieces[desk->piece_count++] = piece;
    write_ready(desk);
    pthread_mutex_unlock(&desk->mutex);
    wait_wake(&desk->written);
}

struct hand {
    struct desk *desk;
    uint32_t number, seed;
};

static void *work(void *argument)
{
    struct hand *const hand = argument;
    struct desk *const desk = hand->desk;
    uint64_t least = 0;
    for (;;) {
        struct feed_task task;
        uint32_t const ticket = wait_prepare(&desk->changed);
        bool const has_room = next_random(&hand->seed) % 3 != 0;
        enum feed_answer const answer = feed_try(&desk->feed, hand->number, has_room, &task);
        if (answer == FEED_WAIT) {
            wait_sleep(&desk->changed, ticket);
            continue;
        }
        wait_cancel(&desk->changed);
        if (answer == FEED_END) return NULL;
        assert_true(task.order >= least); /* what one worker claims ascends */
        least = task.order + 1;
        convert(desk, &task);
        feed_done(&desk->feed, &task);
    }
}

static int by_order(const void *a, const void *b)
{
    const struct piece *const first = a, *const second = b;
    return first->order < second->order ? -1 : first->order > second->order;
}

static void check(struct desk *desk)
{
    size_t at = 0;
    if (desk->piece_count > 1) qsort(desk->pieces, desk->piece_count, sizeof *desk->pieces, by_order);
    assert_true(desk->turn_ends);
    for (size_t s = 0; s < desk->count; s++) {
        struct memory_text whole = {0};
        while (at < desk->piece_count && desk->pieces[at].order >> FEED_INDEX_BITS == s)
            memory_append(&whole, desk->pieces[at].text.bytes, desk->pieces[at].text.length), at++;
        assert_int_equal(whole.length, desk->texts[s].length);
        if (whole.length != 0) assert_memory_equal(whole.bytes, desk->texts[s].bytes, whole.length);
        memory_text_free(&whole);
    }
    assert_int_equal(at, desk->piece_count);
}

static void run(size_t count, uint32_t workers, size_t behind, uint32_t seed)
{
    struct desk desk;
    pthread_t threads[WORKERS_MAX];
    struct hand hands[WORKERS_MAX];
    desk_open(&desk, count, workers, seed);
    desk.behind = behind;
    for (uint32_t w = 0; w < workers; w++) {
        hands[w] = (struct hand){&desk, w, seed + w};
        assert_int_equal(pthread_create(&threads[w], NULL, work, &hands[w]), 0);
    }
    for (uint32_t w = 0; w < workers; w++)
        pthread_join(threads[w], NULL);
    check(&desk);
    desk_close(&desk);
}

static void every_unit_once_and_in_order(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 300; seed++)
        run(seed % SOURCES_MAX, 1 + seed % WORKERS_MAX, SIZE_MAX, seed);
}

/* Nobody may be ahead: workers stand with units in hand until their turn. */
static void no_lock_up_when_the_output_is_full(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 300; seed++)
        run(1 + seed % (SOURCES_MAX - 1), 1 + seed % WORKERS_MAX, seed % 3, seed);
}

static void a_broken_stream_comes_in_order(void **state)
{
    (void)state;
    struct desk desk;
    struct feed_task task;
    desk_open(&desk, 0, 1, 1);
    feed_destroy(&desk.feed);
    shard_plan_destroy(&desk.plan);
    memory_stream_start(&desk.streams[0], "s", "{1}\n{2", 6, 1);
    desk.streams[0].fails_at = 6;
    desk.sources[0] = (struct source){.name = "s", .stream = &desk.streams[0].port};
    desk.ports[0] = &desk.sources[0];
    assert_true(shard_plan_create(&desk.plan, desk.extents, 1, BLOCK));
    struct feed_rules const rules = {.workers = 1, .cut = {.max_record = MAX_RECORD, .block_bytes = BLOCK}};
    assert_true(feed_create(&desk.feed, &rules, desk.ports, &desk.plan, &desk.changed));
    assert_int_equal(feed_try(&desk.feed, 0, true, &task), FEED_TASK);
    assert_int_equal(task.block->kind, STREAM_LINES);
    assert_false(task.final);
    feed_done(&desk.feed, &task);
    assert_int_equal(feed_try(&desk.feed, 0, true, &task), FEED_TASK);
    assert_int_equal(task.block->kind, STREAM_BROKEN);
    assert_true(task.final);
    assert_string_equal(task.fault->message, "s: broken at 6");
    feed_done(&desk.feed, &task);
    assert_int_equal(feed_try(&desk.feed, 0, true, &task), FEED_END);
    desk.count = 1;
    desk_close(&desk);
}

/* While worker 0 reads the front source, worker 1 goes ahead. */
static struct desk *nested_desk;
static struct feed_task nested_task;

static enum status nested_read(struct stream *port, uint8_t *into, size_t room, size_t *length,
                               struct fault *fault)
{
    struct desk *const desk = nested_desk;
    nested_desk = NULL;
    if (desk != NULL) assert_int_equal(feed_try(&desk->feed, 1, true, &nested_task), FEED_TASK);
    return memory_stream_read(port, into, room, length, fault);
}

/* A worker that is ahead and has no room reads for the one that stays. */
static void reads_for_others_without_room(void **state)
{
    (void)state;
    static const char text[] = "{1}\n";
    enum { LINES = 500 };
    struct desk desk;
    struct feed_task mine, other;
    desk_open(&desk, 0, 2, 1);
    feed_destroy(&desk.feed);
    shard_plan_destroy(&desk.plan);
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < LINES; i++)
            memory_print(&desk.texts[s], text);
        memory_stream_start(&desk.streams[s], "s", desk.texts[s].bytes, desk.texts[s].length, 1);
        desk.sources[s] = (struct source){.name = "s", .stream = &desk.streams[s].port};
        desk.ports[s] = &desk.sources[s];
    }
    assert_true(shard_plan_create(&desk.plan, desk.extents, 2, BLOCK));
    struct feed_rules const rules = {.workers = 2, .cut = {.max_record = MAX_RECORD, .block_bytes = BLOCK}};
    assert_true(feed_create(&desk.feed, &rules, desk.ports, &desk.plan, &desk.changed));
    nested_desk = &desk;
    desk.streams[0].port.read = nested_read;
    assert_int_equal(feed_try(&desk.feed, 0, true, &mine), FEED_TASK);
    assert_int_equal(mine.source, 0);
    assert_int_equal(nested_task.source, 1);
    feed_done(&desk.feed, &nested_task);
    size_t const before = desk.streams[0].at;
    assert_int_equal(feed_try(&desk.feed, 1, false, &other), FEED_WAIT);
    size_t const read = desk.streams[0].at;
    assert_true(read > before);
    feed_done(&desk.feed, &mine);
    assert_int_equal(feed_try(&desk.feed, 0, false, &mine), FEED_TASK);
    assert_int_equal(mine.source, 0);
    assert_int_equal(desk.streams[0].at, read); /* it was there already */
    feed_done(&desk.feed, &mine);
    desk.count = 2;
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_once_and_in_order),
        cmocka_unit_test(no_lock_up_when_the_output_is_full),
        cmocka_unit_test(a_broken_stream_comes_in_order),
        cmocka_unit_test(reads_for_others_without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

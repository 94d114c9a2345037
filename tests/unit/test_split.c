/* test_split.c - rows gathered for several streams come out stream by stream, in order, whatever fits:
 * against one text for each stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/split.h"
#include "tests/unit/memory_ports.h"

#define STREAMS_MAX 256u

/* ---- a worker and who takes its chunks ---- */

struct desk {
    struct split split;
    struct chunk *chunk; /* where rows are handed out to, again and again */
    uint32_t streams;
    struct memory_text wanted[STREAMS_MAX], got[STREAMS_MAX];
    uint32_t chunks;
};

static struct desk *desk_create(size_t capacity, uint32_t streams)
{
    struct desk *desk = memory_must(calloc(1, sizeof *desk));
    assert_true(split_create(&desk->split, capacity, streams));
    assert_int_equal(desk->split.stream_count, streams);
    desk->chunk = memory_must(chunk_create(capacity, streams));
    desk->streams = streams;
    return desk;
}

static void desk_destroy(struct desk *desk)
{
    split_destroy(&desk->split);
    chunk_destroy(desk->chunk);
    for (uint32_t s = 0; s < STREAMS_MAX; s++) {
        memory_text_free(&desk->wanted[s]);
        memory_text_free(&desk->got[s]);
    }
    free(desk);
}

/* Runs ascend, none is empty, and together they are the chunk. */
static void take_chunk(struct desk *desk)
{
    const struct chunk *chunk = desk->chunk;
    uint32_t row = 0, begin = 0;
    assert_true(chunk->length <= chunk->capacity && chunk->rows <= chunk->rows_max && chunk->rows > 0);
    for (uint32_t i = 0; i < chunk->run_count; i++) {
        const struct chunk_run *run = &chunk->runs[i];
        assert_true(run->rows > 0 && run->stream < desk->streams);
        if (i > 0) assert_true(chunk->runs[i - 1].stream < run->stream);
        row += run->rows;
        assert_true(row <= chunk->rows);
        uint32_t const end = chunk->row_ends[row - 1];
        memory_append(&desk->got[run->stream], chunk->bytes + begin, end - begin);
        begin = end;
    }
    assert_int_equal(row, chunk->rows);
    assert_int_equal(begin, chunk->length);
    desk->chunks++;
}

/* Returns the chunks that it took. */
static uint32_t send(struct desk *desk)
{
    uint32_t const before = desk->chunks;
    bool more = !split_is_empty(&desk->split);
    while (more) {
        chunk_reset(desk->chunk, CHUNK_ROWS, 0);
        more = split_fill(&desk->split, desk->chunk);
        take_chunk(desk);
    }
    assert_true(split_is_empty(&desk->split));
    return desk->chunks - before;
}

/* A row of `length` bytes: no two look alike. */
static void put(struct desk *desk, uint32_t number, size_t length, const uint32_t *streams, uint32_t count)
{
    struct chunk *rows = desk->split.rows;
    for (;;) {
        uint8_t *const at = rows->bytes + rows->length;
        bool const fits = length <= rows->capacity - rows->length;
        for (size_t i = 0; fits && i < length; i++)
            at[i] = (uint8_t)('a' + (number * 7 + i) % 26);
        if (fits && split_add(&desk->split, rows->length + (uint32_t)length, streams, count)) break;
        assert_false(split_is_empty(&desk->split));
        send(desk);
    }
    const uint8_t *const row = rows->bytes + rows->length - length;
    for (uint32_t i = 0; i < count; i++)
        memory_append(&desk->wanted[streams[i]], row, length);
}

static void check(struct desk *desk)
{
    send(desk);
    for (uint32_t s = 0; s < desk->streams; s++) {
        assert_int_equal(desk->got[s].length, desk->wanted[s].length);
        if (desk->got[s].length != 0)
            assert_memory_equal(desk->got[s].bytes, desk->wanted[s].bytes, desk->got[s].length);
    }
}

/* ---- tests ---- */

static void is_nothing_for_one_stream(void **state)
{
    (void)state;
    for (uint32_t streams = 0; streams < 2; streams++) {
        struct split split;
        assert_true(split_create(&split, 4096, streams));
        assert_int_equal(split.stream_count, 0);
        assert_null(split.rows);
        assert_int_equal(split_memory(4096, streams), 0);
        split_reset(&split);
        split_destroy(&split);
    }
    assert_true(split_memory(4096, 2) > 4096);
}

static void keeps_order_in_each_stream(void **state)
{
    (void)state;
    static const uint32_t streams[] = {0, 2, 5};
    struct desk *desk = desk_create(256, 6);
    put(desk, 1, 3, streams, 2);
    put(desk, 2, 3, streams + 1, 1);
    put(desk, 3, 3, streams, 3);
    put(desk, 4, 3, streams + 2, 1);
    assert_int_equal(send(desk), 1);
    assert_int_equal(desk->chunk->run_count, 3);
    assert_int_equal(desk->chunk->runs[0].rows, 2);
    assert_int_equal(desk->chunk->runs[1].rows, 3);
    assert_int_equal(desk->chunk->runs[2].rows, 2);
    put(desk, 5, 3, streams, 1); /* and again */
    check(desk);
    desk_destroy(desk);
}

/* What is gathered fits one chunk, to the byte. */
static void gathers_what_fits_a_chunk(void **state)
{
    (void)state;
    static const uint32_t streams[] = {0, 1};
    for (uint32_t less = 0; less < 2; less++) {
        struct desk *desk = desk_create(100, 2);
        put(desk, 0, 30, streams, 2);
        put(desk, 1, 20 - less, streams, 2);
        assert_int_equal(desk->chunks, 0);
        put(desk, 2, 1, streams, 2);
        assert_int_equal(desk->chunks, less == 0 ? 1 : 0);
        check(desk);
        desk_destroy(desk);
    }
}

/* One row that fills a chunk by itself, for all streams: a chunk for each. */
static void hands_out_large_rows(void **state)
{
    (void)state;
    uint32_t all[STREAMS_MAX];
    for (uint32_t s = 0; s < STREAMS_MAX; s++)
        all[s] = s;
    for (size_t length = 98; length <= 100; length++) {
        struct desk *desk = desk_create(100, STREAMS_MAX);
        put(desk, 0, 5, all + 7, 1);
        put(desk, 1, length, all, STREAMS_MAX);
        assert_int_equal(desk->chunks, 1);
        assert_int_equal(send(desk), STREAMS_MAX);
        put(desk, 2, 5, all + 7, 1);
        check(desk);
        desk_destroy(desk);
    }
}

static void forgets(void **state)
{
    (void)state;
    static const uint32_t streams[] = {1};
    struct desk *desk = desk_create(100, 2);
    put(desk, 0, 30, streams, 1);
    split_reset(&desk->split);
    assert_true(split_is_empty(&desk->split));
    desk->wanted[1].length = 0;
    put(desk, 1, 90, streams, 1);
    assert_int_equal(desk->chunks, 0);
    check(desk);
    desk_destroy(desk);
}

static uint32_t random_next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static void splits_random_rows(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 400; seed++) {
        uint32_t random = seed;
        static const uint32_t counts[] = {2, 3, 50, STREAMS_MAX};
        uint32_t const streams = counts[random_next(&random) % 4];
        size_t const capacity = 40 + random_next(&random) % 4000;
        struct desk *desk = desk_create(capacity, streams);
        uint32_t const share = 1 + random_next(&random) % streams; /* one in so many is a member */
        for (uint32_t r = 0; r < 300; r++) {
            uint32_t members[STREAMS_MAX], count = 0;
            for (uint32_t s = 0; s < streams; s++)
                if (random_next(&random) % share == 0) members[count++] = s;
            if (count == 0) members[count++] = random_next(&random) % streams;
            size_t const length = random_next(&random) % 20 == 0 ? 1 + random_next(&random) % capacity
                                                                 : 1 + random_next(&random) % 40;
            put(desk, r, length, members, count);
            if (random_next(&random) % 50 == 0) send(desk); /* a shard ends */
        }
        check(desk);
        desk_destroy(desk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_nothing_for_one_stream),
        cmocka_unit_test(keeps_order_in_each_stream),
        cmocka_unit_test(gathers_what_fits_a_chunk),
        cmocka_unit_test(hands_out_large_rows),
        cmocka_unit_test(forgets),
        cmocka_unit_test(splits_random_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

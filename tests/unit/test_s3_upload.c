/* test_s3_upload.c - what the parts of several open files hold, looked at from inside: blocks within their
 * bound, a block for each file, chunks that come home when nothing is on its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/s3_upload.h"

#include <stdlib.h>
#include <string.h>

#define PART  1000u
#define CHUNK 256u
#define FILES 20u
#define HOLD  3750u /* one connection's: three parts and a quarter */

struct world {
    struct sink sink;
    struct s3_holds holds;
    struct s3_upload_rules rules;
    struct s3_upload *uploads[FILES];
    struct s3_outgoing *out[64]; /* parts on their way */
    size_t out_count;
    size_t chunks; /* that are not home */
    uint64_t random;
};

struct chunk {
    unsigned uses;
    uint8_t bytes[CHUNK];
};

static uint32_t below(struct world *world, uint32_t limit)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((world->random >> 33) % limit);
}

static void release(struct world *world, struct chunk *chunk)
{
    if (--chunk->uses > 0) return;
    free(chunk);
    world->chunks--;
}

static void home(void *context, const struct sink_piece *piece)
{
    release(context, piece->owner);
}

static void start(struct world *world, uint64_t seed)
{
    *world = (struct world){
        .sink = {.home = home, .home_context = world},
        .holds = {.block_bytes = CHUNK,
                  .blocks_max = FILES * (PART + 2 * CHUNK) + 2 * CHUNK,
                  .filling_max = FILES * PART + HOLD / 5 * 2,
                  .pinned_max = HOLD / 5 * 2},
        .rules = {.bucket = "b", .checksum = CHECKSUM_CRC64NVME, .part_size = PART, .hold = HOLD},
        .random = seed};
    world->holds.sink = &world->sink;
    for (unsigned i = 0; i < FILES; i++) {
        world->uploads[i] = s3_upload_create("key", SINK_DATA);
        assert_non_null(world->uploads[i]);
    }
}

static void come_back(struct world *world, size_t place)
{
    s3_outgoing_free(world->out[place], &world->holds);
    world->out[place] = world->out[--world->out_count];
}

static void tidy_all(struct world *world)
{
    for (unsigned i = 0; i < FILES; i++)
        assert_int_equal(s3_upload_tidy(world->uploads[i], &world->holds, world->out_count == 0, NULL), 0);
}

static void send_whole(struct world *world, struct s3_upload *upload)
{
    for (struct s3_outgoing *part = s3_upload_next(upload); part != NULL; part = s3_upload_next(upload)) {
        assert_int_equal(part->length, PART);
        if (world->out_count == sizeof world->out / sizeof *world->out) come_back(world, 0);
        world->out[world->out_count++] = part;
    }
}

/* As the pipeline does: a chunk is there only while fewer than HOLD bytes of them are out. */
static void wait_for_chunk(struct world *world)
{
    tidy_all(world);
    while (world->chunks >= HOLD / CHUNK) {
        assert_true(world->out_count > 0); /* else this would last for ever */
        come_back(world, below(world, (uint32_t)world->out_count));
        tidy_all(world);
    }
    assert_true(world->holds.blocks_now <= world->holds.blocks_max);
}

/* So few bytes that they are copied. */
static void write_few(struct world *world, struct s3_upload *upload, size_t length)
{
    struct chunk *const chunk = calloc(1, sizeof *chunk);
    assert_non_null(chunk);
    chunk->uses = 1;
    world->chunks++;
    struct sink_piece const piece = {.bytes = chunk->bytes, .length = length, .owner = chunk};
    assert_int_equal(s3_upload_take(upload, &world->rules, &world->holds, &piece, true, NULL), STATUS_OK);
}

static void write_chunk(struct world *world, unsigned pieces, uint32_t among)
{
    struct chunk *const chunk = malloc(sizeof *chunk);
    assert_non_null(chunk);
    chunk->uses = 1;
    memset(chunk->bytes, 'x', sizeof chunk->bytes);
    world->chunks++;
    size_t at = 0;
    for (unsigned i = 0; i < pieces; i++) {
        size_t const most = (CHUNK - at) / (pieces - i);
        size_t const length = i + 1 == pieces ? CHUNK - at : 1 + below(world, (uint32_t)most);
        struct s3_upload *const upload = world->uploads[below(world, among)];
        struct sink_piece const piece = {.bytes = chunk->bytes + at, .length = length, .owner = chunk};
        chunk->uses++;
        assert_int_equal(
            s3_upload_take(upload, &world->rules, &world->holds, &piece, world->out_count == 0, NULL),
            STATUS_OK);
        send_whole(world, upload);
        at += length;
    }
    release(world, chunk);
}

static void finish(struct world *world)
{
    while (world->out_count > 0)
        come_back(world, 0);
    for (unsigned i = 0; i < FILES; i++)
        s3_upload_destroy(world->uploads[i], &world->holds);
    s3_holds_end(&world->holds);
    assert_int_equal(world->chunks, 0);
    assert_int_equal(world->holds.blocks_now, 0);
    assert_int_equal(world->holds.filling, 0);
    assert_int_equal(world->holds.pinned, 0);
    assert_int_equal(world->holds.waiting, 0);
}

static void holds_stay_within_their_bounds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct world world;
        start(&world, seed);
        for (unsigned i = 0; i < 2000; i++) {
            wait_for_chunk(&world);
            unsigned const pieces = seed % 4 == 0 ? 1 : seed % 4 == 1 ? 30 : 1 + below(&world, 6);
            write_chunk(&world, pieces, seed % 3 == 0 && below(&world, 10) != 0 ? 2 : FILES);
        }
        finish(&world);
    }
}

/* Without anything on its way what short pieces pin is home after one round. */
static void nothing_short_stays_pinned(void **state)
{
    (void)state;
    struct world world;
    start(&world, 7);
    for (unsigned i = 0; i < 500; i++) {
        wait_for_chunk(&world);
        write_chunk(&world, 8, FILES);
    }
    while (world.out_count > 0)
        come_back(&world, 0);
    tidy_all(&world);
    assert_int_equal(world.holds.waiting, 0);
    assert_true(world.holds.pinned <= world.holds.pinned_max);
    assert_true(world.chunks <= world.holds.pinned / CHUNK);
    assert_true(world.holds.blocks_now <= world.holds.filling + 2 * FILES * CHUNK + CHUNK);
    finish(&world);
}

/* Ten bytes of another file among a thousand parts of one: its block is its own. */
static void a_rare_file_keeps_one_block(void **state)
{
    (void)state;
    struct world world;
    start(&world, 9);
    for (unsigned i = 0; i < 1000; i++) {
        if (i % 100 == 0) write_few(&world, world.uploads[1], 1);
        write_chunk(&world, 8, 1);
        while (world.out_count > 0)
            come_back(&world, 0);
    }
    assert_true(world.holds.blocks_now <= PART + 3 * CHUNK + CHUNK);
    finish(&world);
}

/* A file that ends leaves its block to the next one. */
static void blocks_are_handed_on(void **state)
{
    (void)state;
    struct world world;
    start(&world, 11);
    for (unsigned i = 0; i < FILES; i++) {
        write_few(&world, world.uploads[i], 10);
        assert_int_equal(s3_upload_end(world.uploads[i], &world.rules, &world.holds, false, NULL), 0);
    }
    assert_int_equal(world.holds.blocks_now, CHUNK); /* 200 bytes of twenty files */
    assert_int_equal(world.chunks, 0);
    finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_stay_within_their_bounds), cmocka_unit_test(nothing_short_stays_pinned),
        cmocka_unit_test(a_rare_file_keeps_one_block), cmocka_unit_test(blocks_are_handed_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_source_ahead.c - windows over reads that are on their way: all offsets, whatever the order in which
 * reads end, short ones, failures, files that became shorter. The port is the test's. Thread: main. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those above */

#include "core/base/limits.h"
#include "io/input/source_ahead.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16 };

/* A file in memory whose reads end in an order of chance. */
struct disk {
    struct source_ahead_port port;
    uint64_t size;    /* of the file as it is now */
    uint64_t random;  /* state */
    bool short_reads; /* some end early, some are interrupted */
    int fail_error;   /* an errno, negative: of the read that begins at fail_at */
    uint64_t fail_at;
    int start_error, wait_error;
    size_t pending;
    struct {
        uint32_t slot;
        uint8_t *buffer;
        size_t length;
        uint64_t offset;
    } reads[SOURCE_AHEAD_DEPTH_MAX];
    uint64_t started, bytes;
    size_t most;
};

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 31 + offset / 251 + 1);
}

static uint64_t chance(struct disk *disk, uint64_t below)
{
    disk->random = disk->random * 6364136223846793005u + 1442695040888963407u;
    return (disk->random >> 33) % below;
}

static int disk_start(void *self, uint32_t slot, uint8_t *buffer, size_t length, uint64_t offset)
{
    struct disk *const disk = self;
    if (disk->start_error != 0) return disk->start_error;
    assert_true(disk->pending < SOURCE_AHEAD_DEPTH_MAX);
    assert_int_equal(offset % ALIGN, 0);
    assert_int_equal(length % ALIGN, 0);
    assert_int_equal((uintptr_t)buffer % ALIGN, 0);
    assert_true(length != 0);
    for (size_t i = 0; i < disk->pending; i++) {
        assert_int_not_equal(disk->reads[i].slot, slot);
        assert_true(buffer + length <= disk->reads[i].buffer ||
                    buffer >= disk->reads[i].buffer + disk->reads[i].length);
    }
    memset(buffer, 0xee, length); /* what was there is lost from now on */
    disk->reads[disk->pending].slot = slot;
    disk->reads[disk->pending].buffer = buffer;
    disk->reads[disk->pending].length = length;
    disk->reads[disk->pending++].offset = offset;
    disk->started++;
    disk->bytes += length;
    if (disk->pending > disk->most) disk->most = disk->pending;
    return 0;
}

static int64_t disk_read(struct disk *disk, uint8_t *buffer, size_t length, uint64_t offset)
{
    if (disk->fail_error != 0 && offset <= disk->fail_at && disk->fail_at < offset + length)
        return disk->fail_error;
    if (disk->short_reads && chance(disk, 4) == 0) return -EINTR;
    if (offset >= disk->size) return 0;
    if (length > disk->size - offset) length = (size_t)(disk->size - offset);
    if (disk->short_reads && length > 2 * ALIGN && chance(disk, 2) == 0)
        length = ALIGN + (size_t)chance(disk, length - ALIGN);
    for (size_t i = 0; i < length; i++)
        buffer[i] = byte_at(offset + i);
    return (int64_t)length;
}

static int disk_wait(void *self, uint32_t *slot, int64_t *result)
{
    struct disk *const disk = self;
    if (disk->wait_error != 0) return disk->wait_error;
    assert_true(disk->pending != 0);
    size_t const i = (size_t)chance(disk, disk->pending);
    *slot = disk->reads[i].slot;
    *result = disk_read(disk, disk->reads[i].buffer, disk->reads[i].length, disk->reads[i].offset);
    disk->reads[i] = disk->reads[--disk->pending];
    return 0;
}

static void begin(struct disk *disk, struct source_ahead *ahead, const struct source_ahead_rules *rules)
{
    *disk = (struct disk){.size = rules->size, .random = rules->size + rules->read};
    disk->port = (struct source_ahead_port){.self = disk, .start = disk_start, .wait = disk_wait};
    assert_true(source_ahead_create(ahead, rules, &disk->port));
}

static void check_window(struct source_ahead *ahead, uint64_t offset, size_t length)
{
    struct source_ahead_trouble trouble;
    const uint8_t *const bytes = source_ahead_window(ahead, offset, length, &trouble);
    unsigned sum = 0;
    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != byte_at(offset + i)) fail_msg("byte %zu of [%zu, +%zu)", i, (size_t)offset, length);
    for (size_t i = 0; i < LIMIT_PADDING; i++)
        sum += ((const volatile uint8_t *)bytes)[length + i]; /* AddressSanitizer would say so */
    assert_true(sum <= 255 * LIMIT_PADDING);
}

/* ---- pure ---- */

static void multiples(void **state)
{
    (void)state;
    assert_int_equal(source_ahead_down(0, 4096), 0);
    assert_int_equal(source_ahead_down(4095, 4096), 0);
    assert_int_equal(source_ahead_down(4096, 4096), 4096);
    assert_int_equal(source_ahead_up(0, 4096), 0);
    assert_int_equal(source_ahead_up(1, 4096), 4096);
    assert_int_equal(source_ahead_up(4096, 4096), 4096);
    assert_int_equal(source_ahead_down(UINT64_MAX, 512), UINT64_MAX - 511);
    assert_int_equal(source_ahead_up(((uint64_t)1 << 62) + 1, 512), ((uint64_t)1 << 62) + 512);
}

static void progress(void **state)
{
    (void)state;
    assert_int_equal(source_ahead_progress(0, 1000, 1000, 512), 1000); /* whole, unaligned at the end */
    assert_int_equal(source_ahead_progress(0, 1024, 1000, 512), 1000); /* the file has grown */
    assert_int_equal(source_ahead_progress(0, 999, 1000, 512), 512);   /* from a whole block on again */
    assert_int_equal(source_ahead_progress(0, 511, 1000, 512), 0);     /* no progress: the file ends */
    assert_int_equal(source_ahead_progress(512, 300, 1000, 512), 512);
    assert_int_equal(source_ahead_progress(512, 488, 1000, 512), 1000);
    assert_int_equal(source_ahead_progress(512, 0, 1000, 512), 512);
    assert_int_equal(source_ahead_progress(0, SIZE_MAX, 1000, 512), 1000);
}

/* ---- windows ---- */

static void front_to_back(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 7, 16, 31, 64, 100};
    for (uint32_t depth = 1; depth <= 5; depth++)
        for (size_t size = 1; size < 700; size += 13)
            for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
                struct disk disk;
                struct source_ahead ahead;
                size_t const window = steps[s] + 20 < 32 * depth ? steps[s] + 20 : 32 * depth;
                struct source_ahead_rules const rules = {
                    .size = size, .align = ALIGN, .read = 32, .depth = depth, .window_max = window};
                begin(&disk, &ahead, &rules);
                disk.short_reads = s % 2 == 1;
                if (s % 3 == 0) source_ahead_expect(&ahead, 0, size);
                for (size_t at = 0; at < size; at += steps[s])
                    check_window(&ahead, at, window < size - at ? window : size - at);
                if (!disk.short_reads && steps[s] <= 16) /* each byte once */
                    assert_int_equal(disk.bytes, source_ahead_up(size, ALIGN));
                source_ahead_destroy(&ahead);
                assert_int_equal(disk.pending, 0);
            }
}

/* Shards of chance, windows that go on, jump and come back, against the bytes themselves. */
static void anywhere(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct disk disk;
        struct source_ahead ahead;
        struct source_ahead_rules rules = {.size = 1000 + seed * 7,
                                           .align = ALIGN,
                                           .read = (size_t)16 << seed % 4,
                                           .depth = (uint32_t)(1 + seed % 7)};
        rules.window_max = rules.read * rules.depth;
        begin(&disk, &ahead, &rules);
        disk.short_reads = seed % 3 == 0;
        for (size_t turn = 0; turn < 60; turn++) {
            uint64_t at = chance(&disk, rules.size);
            if (turn % 4 != 3) source_ahead_expect(&ahead, at, at + chance(&disk, rules.size));
            for (size_t step = 0; step < 12 && at < rules.size; step++) {
                size_t const most =
                    rules.window_max < rules.size - at ? rules.window_max : (size_t)(rules.size - at);
                check_window(&ahead, at, (size_t)chance(&disk, most + 1));
                at += chance(&disk, rules.window_max + rules.window_max / 2);
                if (chance(&disk, 9) == 0) at = at > 50 ? at - 50 : 0;
            }
        }
        source_ahead_destroy(&ahead);
        assert_int_equal(disk.pending, 0);
    }
}

static void what_is_expected_is_on_its_way(void **state)
{
    (void)state;
    struct disk disk;
    struct source_ahead ahead;
    struct source_ahead_rules const rules = {
        .size = 10000, .align = ALIGN, .read = 64, .depth = 4, .window_max = 64};
    begin(&disk, &ahead, &rules);
    source_ahead_expect(&ahead, 1000, 2001);
    assert_int_equal(disk.pending, 4); /* before anybody looks */
    assert_int_equal(disk.reads[0].offset, 992);
    for (uint64_t at = 1000; at < 2000; at += 50) {
        check_window(&ahead, at, 50);
        assert_true(disk.most <= 4);
    }
    assert_int_equal(disk.bytes, source_ahead_up(2001, ALIGN) - 992); /* and nothing behind it */
    source_ahead_expect(&ahead, 2000, 3000);                          /* goes on: what is there stays */
    check_window(&ahead, 2000, 64);
    for (uint64_t at = 2000; at < 3000; at += 50)
        check_window(&ahead, at, 50);
    assert_int_equal(disk.bytes, source_ahead_up(3000, ALIGN) - 992);
    source_ahead_expect(&ahead, 9990, 20000); /* beyond the file */
    check_window(&ahead, 9990, 10);
    source_ahead_destroy(&ahead);
}

/* ---- trouble ---- */

static void expect_trouble(struct source_ahead *ahead, uint64_t offset, size_t length, uint64_t at, int error)
{
    struct source_ahead_trouble trouble;
    assert_null(source_ahead_window(ahead, offset, length, &trouble));
    assert_int_equal(trouble.error, error);
    assert_int_equal(trouble.offset, at);
}

static void failing_reads(void **state)
{
    (void)state;
    struct disk disk;
    struct source_ahead ahead;
    struct source_ahead_rules const rules = {
        .size = 1000, .align = ALIGN, .read = 64, .depth = 4, .window_max = 128};
    begin(&disk, &ahead, &rules);
    disk.fail_error = -EIO;
    disk.fail_at = 200;
    source_ahead_expect(&ahead, 0, 1000);
    check_window(&ahead, 0, 128); /* what lies before is good */
    check_window(&ahead, 64, 128);
    expect_trouble(&ahead, 128, 100, 192, EIO);
    source_ahead_destroy(&ahead);
    assert_int_equal(disk.pending, 0);

    begin(&disk, &ahead, &rules); /* of bytes that nobody looks at */
    disk.fail_error = -EIO;
    disk.fail_at = 200;
    source_ahead_expect(&ahead, 0, 1000);
    check_window(&ahead, 0, 100);
    source_ahead_expect(&ahead, 500, 1000);
    check_window(&ahead, 500, 100);
    source_ahead_destroy(&ahead);
}

static void shorter_files(void **state)
{
    (void)state;
    for (uint64_t now = 0; now < 1000; now += 7) {
        struct disk disk;
        struct source_ahead ahead;
        struct source_ahead_rules const rules = {
            .size = 1000, .align = ALIGN, .read = 64, .depth = 3, .window_max = 100};
        struct source_ahead_trouble trouble = {.error = -1};
        begin(&disk, &ahead, &rules);
        disk.size = now;
        disk.short_reads = now % 2 == 0;
        source_ahead_expect(&ahead, 0, 1000);
        uint64_t at = 0;
        while (at < 1000 && source_ahead_window(&ahead, at, at < 900 ? 100 : (size_t)(1000 - at), &trouble))
            at += 50;
        assert_true(at <= now); /* a window before the end that is now could be had */
        assert_int_equal(trouble.error, 0);
        assert_int_equal(trouble.offset, source_ahead_down(now, ALIGN));
        source_ahead_destroy(&ahead);
    }
}

static void ports_that_fail(void **state)
{
    (void)state;
    struct disk disk;
    struct source_ahead ahead;
    struct source_ahead_rules const rules = {
        .size = 1000, .align = ALIGN, .read = 64, .depth = 2, .window_max = 64};
    begin(&disk, &ahead, &rules);
    disk.start_error = ENOMEM;
    source_ahead_expect(&ahead, 0, 1000);
    expect_trouble(&ahead, 10, 50, 0, ENOMEM);
    source_ahead_destroy(&ahead);

    begin(&disk, &ahead, &rules);
    disk.wait_error = EBADF;
    source_ahead_expect(&ahead, 0, 1000);
    expect_trouble(&ahead, 10, 50, 0, EBADF);
    expect_trouble(&ahead, 500, 50, 500, EBADF);
    uint8_t *const owned = ahead.buffer; /* by reads that may still land */
    source_ahead_destroy(&ahead);
    assert_ptr_equal(ahead.buffer, owned);
    disk.wait_error = 0;
    source_ahead_destroy(&ahead);
    assert_null(ahead.buffer);
}

static void sizes(void **state)
{
    (void)state;
    struct source_ahead ahead;
    struct source_ahead_rules const rules = {
        .size = 1000, .align = 4096, .read = 65536, .depth = 4, .window_max = 5000};
    assert_int_equal(source_ahead_bytes(&rules), 8192 + 4 * 65536 + LIMIT_PADDING);
    struct source_ahead_port const none = {.self = NULL};
    assert_true(source_ahead_create(&ahead, &rules, &none));
    source_ahead_destroy(&ahead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multiples),
        cmocka_unit_test(progress),
        cmocka_unit_test(front_to_back),
        cmocka_unit_test(anywhere),
        cmocka_unit_test(what_is_expected_is_on_its_way),
        cmocka_unit_test(failing_reads),
        cmocka_unit_test(shorter_files),
        cmocka_unit_test(ports_that_fail),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

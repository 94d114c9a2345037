/* test_pack_sink.c - the same bytes whatever the pieces, the workers and the inner sink; an orderly end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/pack_sink.h"
#include "tests/unit/memory_ports.h"
#include "tests/unit/pack_desk.h"
#include "tests/unit/stress.h"

#define WORKERS_MAX 4u
#define BLOCK       512u /* of the pieces that the inner sink gets */

/* ---- a sink with its workers ---- */

struct rig {
    struct crew crew;
    struct wait arrivals, beds[WORKERS_MAX];
    struct rig_worker {
        struct rig *rig;
        uint32_t number;
        pthread_t thread;
    } members[WORKERS_MAX];
    uint32_t workers; /* 0: none are there */
    enum stress_pace pace;
    struct memory_sink inner;
    struct sink *sink;
    uint64_t homes;
    struct fault fault;
};

/* The sink asks without a context: one rig at a time. Only the assembler's thread calls it. */
static uint64_t looks, stop_at_look;

static enum status interrupted(void)
{
    return ++looks == stop_at_look ? STATUS_TERMINATED : STATUS_OK;
}

static void wake_worker(void *context, uint32_t worker)
{
    struct rig *rig = context;
    wait_wake(&rig->beds[worker]);
}

static void wake_assembler(void *context)
{
    struct rig *rig = context;
    wait_wake(&rig->arrivals);
}

static void *worker_main(void *argument)
{
    struct rig_worker *const worker = argument;
    struct rig *const rig = worker->rig;
    struct crew *const crew = &rig->crew;
    uint32_t random = worker->number + 17;
    while (!crew_is_stopped(crew) && !crew_is_over(crew, worker->number)) {
        stress_stall(rig->pace, &random);
        crew_work(crew, worker->number, NULL);
        uint32_t const ticket = wait_prepare(&rig->beds[worker->number]);
        if (crew_is_stopped(crew) || crew_has_work(crew, worker->number) ||
            crew_is_over(crew, worker->number))
            wait_cancel(&rig->beds[worker->number]);
        else
            wait_sleep(&rig->beds[worker->number], ticket);
    }
    return NULL;
}

static void piece_home(void *context, const struct sink_piece *piece)
{
    struct rig *rig = context;
    if (piece->owner == rig) rig->homes++;
}

static void no_destroy(struct sink *sink)
{
    (void)sink;
}

static enum status no_commit(struct sink *sink, struct fault *fault)
{
    (void)sink;
    (void)fault;
    return STATUS_OK;
}

/* `workers` 0: the crew is not manned. */
/* The fake sink within gives pieces home when it is reaped, and wakes nobody, as a real one does: the waiting
 * side looks again each millisecond instead of five times a second. */
static uint64_t now_for_looks(void)
{
    return memory_now() - 199000000;
}

static struct rig *rig_create(enum pack_kind kind, size_t unit, uint32_t open, uint32_t workers,
                              uint64_t hold)
{
    struct rig *const rig = memory_must(calloc(1, sizeof *rig));
    rig->workers = workers;
    looks = stop_at_look = 0;
    assert_true(crew_create(&rig->crew, workers == 0 ? 1 : workers));
    assert_true(wait_init(&rig->arrivals));
    memory_sink_start(&rig->inner);
    rig->inner.port.destroy = no_destroy;
    rig->inner.port.commit = no_commit;
    struct pack_sink_options const options = {.kind = kind,
                                              .unit = unit,
                                              .open = open,
                                              .hold = hold,
                                              .block_bytes = BLOCK,
                                              .checksum = CHECKSUM_CRC64NVME,
                                              .crew = &rig->crew,
                                              .arrivals = &rig->arrivals,
                                              .now = now_for_looks,
                                              .interrupted = interrupted};
    rig->sink = pack_sink_create(&options, &rig->inner.port, &rig->fault);
    assert_non_null(rig->sink);
    assert_in_range(pack_sink_memory(&options, rig->crew.workers), unit, 1 << 30);
    rig->sink->home = piece_home;
    rig->sink->home_context = rig;
    return rig;
}

static void rig_start(struct rig *rig)
{
    if (rig->workers == 0) return;
    crew_enter(&rig->crew, wake_worker, wake_assembler, rig);
    for (uint32_t w = 0; w < rig->workers; w++) {
        assert_true(wait_init(&rig->beds[w]));
        rig->members[w] = (struct rig_worker){.rig = rig, .number = w};
        stress_start(&rig->members[w].thread, worker_main, &rig->members[w]);
    }
}

static void rig_stop(struct rig *rig)
{
    crew_stop(&rig->crew);
    for (uint32_t w = 0; w < rig->workers; w++)
        wait_wake(&rig->beds[w]);
}

static void rig_join(struct rig *rig)
{
    for (uint32_t w = 0; w < rig->workers; w++) {
        stress_join(rig->members[w].thread, "a worker");
        wait_destroy(&rig->beds[w]);
    }
    rig->workers = 0;
    crew_leave(&rig->crew);
}

static void rig_destroy(struct rig *rig)
{
    rig->sink->destroy(rig->sink);
    memory_sink_free(&rig->inner);
    crew_destroy(&rig->crew);
    wait_destroy(&rig->arrivals);
    free(rig);
}

static enum status rig_write(struct rig *rig, uint32_t file, const uint8_t *bytes, size_t length)
{
    struct sink_piece const piece = {.bytes = bytes, .length = length, .owner = rig};
    return rig->sink->write(rig->sink, file, &piece, &rig->fault);
}

static enum status rig_drain(struct rig *rig)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !rig->sink->drained(rig->sink)) {
        uint32_t const ticket = wait_prepare(&rig->arrivals);
        status = rig->sink->reap(rig->sink, &rig->fault);
        if (status != STATUS_OK || rig->sink->drained(rig->sink))
            wait_cancel(&rig->arrivals);
        else
            wait_sleep_until(&rig->arrivals, ticket, memory_now() + 1000000);
    }
    return status;
}

/* ---- what comes out ---- */

/* A file as units made by hand. */
static struct memory_text by_hand(enum pack_kind kind, const uint8_t *bytes, size_t length, size_t unit)
{
    struct pack_tool *const tool = memory_must(pack_tool_create(kind));
    uint8_t *const out = memory_must(malloc(pack_room(kind, unit) + PACK_ENDS_MAX));
    struct memory_text text = {0};
    memory_append(&text, out, pack_head(kind, out));
    for (size_t at = 0; at < length || (length == 0 && at == 0 && pack_has_empty_unit(kind)); at += unit) {
        size_t written;
        assert_true(pack_unit(tool, bytes + at, length - at < unit ? length - at : unit, out, &written));
        memory_append(&text, out, written);
    }
    uint32_t const crc32 = (uint32_t)checksum_update(CHECKSUM_CRC32, 0, bytes, length);
    memory_append(&text, out, pack_tail(kind, crc32, length, out));
    pack_tool_destroy(tool);
    free(out);
    return text;
}

static void expect_file(const struct rig *rig, enum pack_kind kind, uint32_t file, const uint8_t *bytes,
                        size_t length, size_t unit)
{
    const struct memory_text *const got = &rig->inner.files[file].text;
    struct memory_text wanted = by_hand(kind, bytes, length, unit);
    assert_int_equal(got->length, wanted.length);
    assert_memory_equal(got->bytes, wanted.bytes, got->length);
    struct desk_text const plain = kind == PACK_GZIP ? desk_gunzip(got->bytes, got->length, length)
                                                     : desk_unzstd(got->bytes, got->length, length);
    assert_true(plain.good);
    assert_int_equal(plain.length, length);
    assert_memory_equal(plain.bytes, bytes, length);
    free(plain.bytes);
    struct sink_stored stored;
    rig->sink->stored(rig->sink, file, &stored);
    assert_int_equal(stored.bytes, got->length);
    assert_true(stored.checksum == checksum_update(CHECKSUM_CRC64NVME, 0, got->bytes, got->length));
    memory_text_free(&wanted);
}

static void expect_clean(struct rig *rig)
{
    assert_int_equal(rig->inner.wrong, 0);
    assert_int_equal(rig->inner.held_count, 0);
    assert_int_equal(rig->inner.open_count, 0);
}

/* One file, in pieces up to `most` long. */
static void one_file(enum pack_kind kind, size_t unit, uint32_t workers, size_t length, size_t most)
{
    struct rig *const rig = rig_create(kind, unit, 1, workers, 0);
    uint8_t *const bytes = desk_make(DESK_ROWS, length);
    uint32_t random = (uint32_t)(length + most + 1);
    uint64_t pieces = 0;
    rig_start(rig);
    assert_int_equal(rig->sink->begin(rig->sink, 0, "a", SINK_DATA, &rig->fault), STATUS_OK);
    for (size_t at = 0; at < length; pieces++) {
        size_t const step = stress_random(&random) % most + 1;
        size_t const part = length - at < step ? length - at : step;
        assert_int_equal(rig_write(rig, 0, bytes + at, part), STATUS_OK);
        assert_int_equal(rig->homes, pieces + 1); /* at once */
        at += part;
    }
    assert_int_equal(rig->sink->end(rig->sink, 0, length != 0, length, &rig->fault), STATUS_OK);
    assert_int_equal(rig_drain(rig), STATUS_OK);
    assert_int_equal(rig->sink->commit(rig->sink, &rig->fault), STATUS_OK);
    crew_close(&rig->crew);
    rig_join(rig);
    expect_file(rig, kind, 0, bytes, length, unit);
    expect_clean(rig);
    rig_destroy(rig);
    free(bytes);
}

static void same_bytes_for_any_pieces(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 99, 100, 101, 200, 1000, 12345};
    for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
            for (size_t most = 1; most < 2000; most *= 7) {
                one_file(kind, 100, 0, lengths[i], most);
                one_file(kind, 1 + i, 2, lengths[i], most);
            }
}

static void same_bytes_for_any_workers(void **state)
{
    (void)state;
    for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++)
        for (uint32_t workers = 0; workers <= WORKERS_MAX; workers++) {
            one_file(kind, PACK_UNIT, workers, 9 * PACK_UNIT + 77, 100000);
            one_file(kind, 64, workers, 50000, 300);
        }
}

/* Files of many sizes, some open at once, written to in any order, while workers stall and the inner sink
 * keeps pieces. */
static void many_files(struct rig *rig, enum pack_kind kind, size_t unit, uint32_t open)
{
    enum { FILES = 40, MOST = 4000 };
    uint8_t *const bytes = desk_make(DESK_ROWS, FILES * 100 + MOST);
    size_t at[FILES] = {0}, lengths[FILES];
    uint32_t random = open + 5, begun = 0, ended = 0, is_open[FILES] = {0};
    for (uint32_t f = 0; f < FILES; f++)
        lengths[f] = f % 7 == 0 ? f / 7 : stress_random(&random) % MOST;
    rig_start(rig);
    while (ended < FILES) {
        if (begun < FILES && begun - ended < open && stress_random(&random) % 4 == 0) {
            assert_int_equal(rig->sink->begin(rig->sink, begun, "x", SINK_DATA, &rig->fault), STATUS_OK);
            is_open[begun++] = 1;
        }
        uint32_t const f = begun == 0 ? 0 : stress_random(&random) % begun;
        if (!is_open[f]) continue;
        size_t const left = lengths[f] - at[f];
        size_t const step = left < 500 ? left : stress_random(&random) % 500;
        if (step != 0) assert_int_equal(rig_write(rig, f, bytes + 100 * f + at[f], step), STATUS_OK);
        at[f] += step;
        if (at[f] == lengths[f] && stress_random(&random) % 2 == 0) {
            assert_int_equal(rig->sink->end(rig->sink, f, 0, lengths[f], &rig->fault), STATUS_OK);
            is_open[f] = 0;
            ended++;
        }
        assert_in_range(rig->inner.open_count, 0, open);
        if (stress_random(&random) % 8 == 0)
            assert_int_equal(rig->sink->reap(rig->sink, &rig->fault), STATUS_OK);
    }
    assert_int_equal(rig_drain(rig), STATUS_OK);
    crew_close(&rig->crew);
    rig_join(rig);
    rig->sink->abort(rig->sink); /* the inner sink gives all pieces home: they are looked at only then */
    for (uint32_t f = 0; f < FILES; f++)
        expect_file(rig, kind, f, bytes + 100 * f, lengths[f], unit);
    expect_clean(rig);
    rig_destroy(rig);
    free(bytes);
}

static void several_files_may_be_open(void **state)
{
    (void)state;
    for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++)
        for (uint32_t open = 1; open <= 9; open += 4)
            for (uint32_t workers = 0; workers <= WORKERS_MAX; workers += 2)
                many_files(rig_create(kind, 300, open, workers, 0), kind, 300, open);
}

static void workers_may_stall(void **state)
{
    (void)state;
    for (enum stress_pace pace = STRESS_RANDOM; pace <= STRESS_SLOW; pace++)
        for (uint32_t workers = 1; workers <= WORKERS_MAX; workers++) {
            struct rig *const rig = rig_create(PACK_GZIP, 200, 3, workers, 0);
            rig->pace = pace;
            many_files(rig, PACK_GZIP, 200, 3);
        }
}

/* A sink that keeps pieces and gives home as it likes when it is reaped. */
static void the_inner_sink_may_keep_pieces(void **state)
{
    (void)state;
    static const struct memory_sink sinks[] = {
        {.hold = 1}, {.hold = 8}, {.hold = 8, .random = 5}, {.hold = 1000, .random = 9}};
    for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++)
        for (uint32_t workers = 0; workers <= WORKERS_MAX; workers += 2) {
            struct rig *const rig = rig_create(PACK_ZSTD, 400, 4, workers, 8 * BLOCK);
            rig->inner.hold = sinks[i].hold;
            rig->inner.random = sinks[i].random;
            many_files(rig, PACK_ZSTD, 400, 4);
        }
}

/* As S3 does: nothing comes home before a part is whole, of pieces that are full but at the ends of files. */
static void the_inner_sink_may_gather_parts(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers <= WORKERS_MAX; workers++) {
        struct rig *const rig = rig_create(PACK_GZIP, 2000, 1, workers, 8 * BLOCK);
        uint8_t *const bytes = desk_make(DESK_NOISE, 400000);
        rig->inner.hold = 100000;
        rig->inner.part = 8 * BLOCK;
        rig_start(rig);
        assert_int_equal(rig->sink->begin(rig->sink, 0, "a", SINK_DATA, &rig->fault), STATUS_OK);
        for (size_t at = 0; at < 400000; at += 1000)
            assert_int_equal(rig_write(rig, 0, bytes + at, 1000), STATUS_OK);
        assert_int_equal(rig->sink->end(rig->sink, 0, 1, 400000, &rig->fault), STATUS_OK);
        assert_int_equal(rig_drain(rig), STATUS_OK);
        crew_close(&rig->crew);
        rig_join(rig);
        rig->sink->abort(rig->sink);
        expect_file(rig, PACK_GZIP, 0, bytes, 400000, 2000);
        expect_clean(rig);
        rig_destroy(rig);
        free(bytes);
    }
}

/* Manifest and token are what they are, and come after all data; stored() holds for them too. */
static void later_stages_are_not_compressed(void **state)
{
    (void)state;
    struct rig *const rig = rig_create(PACK_GZIP, 100, 2, 2, 0);
    uint8_t *const bytes = desk_make(DESK_ROWS, 5000);
    struct sink_stored stored;
    rig_start(rig);
    assert_int_equal(rig->sink->begin(rig->sink, 0, "data", SINK_DATA, &rig->fault), STATUS_OK);
    assert_int_equal(rig_write(rig, 0, bytes, 5000), STATUS_OK);
    assert_int_equal(rig->sink->end(rig->sink, 0, 1, 5000, &rig->fault), STATUS_OK);
    assert_int_equal(rig->sink->begin(rig->sink, 1, "manifest", SINK_MANIFEST, &rig->fault), STATUS_OK);
    assert_true(rig->sink->drained(rig->sink));
    rig->sink->stored(rig->sink, 0, &stored);
    assert_int_equal(stored.bytes, rig->inner.files[0].text.length);
    assert_int_equal(rig_write(rig, 1, bytes, 3000), STATUS_OK);
    assert_int_equal(rig->sink->end(rig->sink, 1, 0, 3000, &rig->fault), STATUS_OK);
    assert_int_equal(rig->sink->begin(rig->sink, 2, "token", SINK_TOKEN, &rig->fault), STATUS_OK);
    assert_int_equal(rig->sink->end(rig->sink, 2, 0, 0, &rig->fault), STATUS_OK);
    crew_close(&rig->crew);
    rig_join(rig);
    assert_int_equal(rig->homes, 2);
    expect_file(rig, PACK_GZIP, 0, bytes, 5000, 100);
    assert_int_equal(rig->inner.files[1].stage, SINK_MANIFEST);
    assert_int_equal(rig->inner.files[1].text.length, 3000);
    assert_memory_equal(rig->inner.files[1].text.bytes, bytes, 3000);
    rig->sink->stored(rig->sink, 1, &stored);
    assert_int_equal(stored.bytes, 3000);
    assert_true(stored.checksum == checksum_update(CHECKSUM_CRC64NVME, 0, bytes, 3000));
    assert_int_equal(rig->inner.files[2].stage, SINK_TOKEN);
    assert_int_equal(rig->inner.files[2].text.length, 0);
    expect_clean(rig);
    rig_destroy(rig);
    free(bytes);
}

/* ---- what fails ---- */

/* Two files, until something fails. */
static enum status try_two_files(struct rig *rig, const uint8_t *bytes)
{
    enum status status = STATUS_OK;
    for (uint32_t f = 0; f < 2 && status == STATUS_OK; f++) {
        status = rig->sink->begin(rig->sink, f, "a", SINK_DATA, &rig->fault);
        for (size_t at = 0; at < 20000 && status == STATUS_OK; at += 100)
            status = rig_write(rig, f, bytes + at, 100);
        if (status == STATUS_OK) status = rig->sink->end(rig->sink, f, 1, 20000, &rig->fault);
    }
    return status == STATUS_OK ? rig_drain(rig) : status;
}

static void a_fault_of_the_inner_sink_ends_it(void **state)
{
    (void)state;
    uint8_t *const bytes = desk_make(DESK_NOISE, 20000);
    for (uint64_t fail = 1; fail < 90; fail++)
        for (uint32_t workers = 0; workers <= 2; workers += 2) {
            struct rig *const rig = rig_create(PACK_GZIP, 700, 1, workers, 0);
            rig->inner.fail_at = fail;
            rig_start(rig);
            assert_int_equal(try_two_files(rig, bytes), STATUS_IO);
            assert_int_equal(rig->fault.status, STATUS_IO);
            rig_stop(rig);
            rig_join(rig);
            rig->sink->abort(rig->sink);
            rig->sink->abort(rig->sink);
            assert_int_equal(rig->inner.held_count, 0);
            rig_destroy(rig);
        }
    free(bytes);
}

/* Nobody works: write() waits for a slot, until it is told. */
static enum status write_until_it_waits(struct rig *rig, const uint8_t *bytes)
{
    enum status status = rig->sink->begin(rig->sink, 0, "a", SINK_DATA, &rig->fault);
    for (size_t at = 0; at < 20000 && status == STATUS_OK; at += 100)
        status = rig_write(rig, 0, bytes + at, 100);
    return status;
}

static void an_interrupt_ends_the_wait(void **state)
{
    (void)state;
    uint8_t *const bytes = desk_make(DESK_ROWS, 20000);
    struct rig *const rig = rig_create(PACK_GZIP, 100, 1, 1, 0);
    assert_true(wait_init(&rig->beds[0]));
    crew_enter(&rig->crew, wake_worker, wake_assembler, rig);
    stop_at_look = 3;
    assert_int_equal(write_until_it_waits(rig, bytes), STATUS_TERMINATED);
    assert_int_equal(rig->homes, CREW_WORKS + 1); /* the piece of the call that failed is home too */
    rig->sink->abort(rig->sink);
    wait_destroy(&rig->beds[0]);
    rig_destroy(rig);
    free(bytes);
}

static void *stop_soon(void *argument)
{
    struct rig *const rig = argument;
    stress_nap(3000000);
    crew_stop(&rig->crew);
    wait_wake(&rig->arrivals);
    return NULL;
}

static void a_stopped_run_ends_the_wait(void **state)
{
    (void)state;
    uint8_t *const bytes = desk_make(DESK_ROWS, 20000);
    struct rig *const rig = rig_create(PACK_GZIP, 100, 1, 1, 0);
    pthread_t thread;
    assert_true(wait_init(&rig->beds[0]));
    crew_enter(&rig->crew, wake_worker, wake_assembler, rig);
    stress_start(&thread, stop_soon, rig);
    assert_int_equal(write_until_it_waits(rig, bytes), STATUS_INTERNAL);
    stress_join(thread, "the stop");
    rig->sink->abort(rig->sink);
    wait_destroy(&rig->beds[0]);
    rig_destroy(rig);
    free(bytes);
}

static void refuses_calls_out_of_order(void **state)
{
    (void)state;
    struct rig *const rig = rig_create(PACK_GZIP, 100, 1, 0, 0);
    struct sink *const sink = rig->sink;
    assert_int_equal(sink->begin(sink, 1, "a", SINK_DATA, &rig->fault), STATUS_INTERNAL);
    assert_int_equal(rig_write(rig, 0, (const uint8_t *)"x", 1), STATUS_INTERNAL);
    assert_int_equal(sink->end(sink, 0, 0, 0, &rig->fault), STATUS_INTERNAL);
    assert_int_equal(rig->homes, 1);
    assert_int_equal(sink->begin(sink, 0, "a", SINK_DATA, &rig->fault), STATUS_OK);
    assert_int_equal(sink->commit(sink, &rig->fault), STATUS_INTERNAL);
    assert_int_equal(sink->begin(sink, 1, "b", SINK_DATA, &rig->fault), STATUS_INTERNAL); /* too many open */
    assert_int_equal(rig_write(rig, 0, (const uint8_t *)"xy", 2), STATUS_OK);
    assert_int_equal(sink->end(sink, 0, 1, 3, &rig->fault), STATUS_INTERNAL);
    assert_int_equal(sink->end(sink, 0, 3, 2, &rig->fault), STATUS_INTERNAL);
    sink->abort(sink);
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_for_any_pieces),
        cmocka_unit_test(same_bytes_for_any_workers),
        cmocka_unit_test(several_files_may_be_open),
        cmocka_unit_test(workers_may_stall),
        cmocka_unit_test(the_inner_sink_may_keep_pieces),
        cmocka_unit_test(the_inner_sink_may_gather_parts),
        cmocka_unit_test(later_stages_are_not_compressed),
        cmocka_unit_test(a_fault_of_the_inner_sink_ends_it),
        cmocka_unit_test(an_interrupt_ends_the_wait),
        cmocka_unit_test(a_stopped_run_ends_the_wait),
        cmocka_unit_test(refuses_calls_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

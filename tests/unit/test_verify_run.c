/* test_verify_run.c - the crew (first failure, signals), and deliveries in a folder: where files are looked
 * for, whose header counts, names given twice, large files in ranges with any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static _Atomic enum status interruption;

static enum status interrupted(void)
{
    return atomic_load(&interruption);
}

/* ---- the crew ---- */

struct work {
    struct verify_crew *crew;
    _Atomic uint32_t ran, stopped;
    uint32_t failing; /* this thread fails; none: UINT32_MAX */
    bool waits;       /* the others work until they are stopped */
};

static enum status work(void *context, uint32_t thread, struct fault *fault)
{
    struct work *const work = context;
    (void)atomic_fetch_add(&work->ran, 1);
    if (thread == work->failing) return fault_set(fault, STATUS_RIGHTS, "thread %u", thread);
    while (work->waits && !atomic_load(&work->crew->stop))
        (void)usleep(1000);
    if (!work->waits) return STATUS_OK;
    (void)atomic_fetch_add(&work->stopped, 1);
    return fault_set(fault, STATUS_INTERRUPTED, "stopped");
}

static void runs_threads_until_one_fails(void **state)
{
    (void)state;
    struct wait arrivals;
    struct fault fault;
    assert_true(wait_init(&arrivals));
    struct verify_crew crew = {.arrivals = &arrivals, .interrupted = interrupted, .now = now};
    struct work all = {.crew = &crew, .failing = UINT32_MAX};
    assert_int_equal(verify_crew_run(&crew, 7, work, &all, &fault), STATUS_OK);
    assert_int_equal(all.ran, 7);
    struct work one = {.crew = &crew, .failing = 2, .waits = true};
    assert_int_equal(verify_crew_run(&crew, 4, work, &one, &fault), STATUS_RIGHTS);
    assert_string_equal(fault.message, "thread 2");
    assert_int_equal(one.stopped, 3);
    crew.stop = false;
    atomic_store(&interruption, STATUS_TERMINATED);
    struct work until = {.crew = &crew, .failing = UINT32_MAX, .waits = true};
    assert_int_equal(verify_crew_run(&crew, 3, work, &until, &fault), STATUS_TERMINATED);
    assert_int_equal(until.stopped, 3);
    atomic_store(&interruption, STATUS_OK);
    wait_destroy(&arrivals);
}

/* ---- deliveries ---- */

struct rig {
    char folder[64], manifest_path[96];
    struct wait arrivals;
    struct verify_crew crew;
    struct manifest_file files[8];
    struct manifest manifest;
    struct report_files report;
    struct verify_options options;
    struct verify verify;
    struct fault fault;
};

static void rig_open(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    (void)snprintf(rig->folder, sizeof rig->folder, "/tmp/penstock-verify-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    (void)snprintf(rig->manifest_path, sizeof rig->manifest_path, "%s/m.xml", rig->folder);
    assert_true(wait_init(&rig->arrivals));
    rig->crew = (struct verify_crew){.arrivals = &rig->arrivals, .now = now};
    rig->manifest.files = rig->files;
    rig->options = (struct verify_options){.manifest = &rig->manifest,
                                           .manifest_place = rig->manifest_path,
                                           .root = "",
                                           .header = CSV_HEADER_EVERY,
                                           .dialect = {.delimiter = ','},
                                           .range_min = VERIFY_RANGE_MIN,
                                           .threads = 2,
                                           .crew = &rig->crew};
}

static void rig_close(struct rig *rig)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r '%s'", rig->folder);
    assert_int_equal(system(command), 0);
    wait_destroy(&rig->arrivals);
}

static void put(const struct rig *rig, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", rig->folder, name);
    FILE *const file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void name(struct rig *rig, const char *text)
{
    rig->files[rig->manifest.file_count++] = (struct manifest_file){.name = text};
}

/* To be freed by verify_free(). */
static void look(struct rig *rig, const char *prefix)
{
    struct verify_place place;
    assert_true(verify_place_make(&place, rig->manifest_path, prefix, "acme"));
    struct verify_tools *const tools = calloc(rig->options.threads, sizeof *tools);
    assert_non_null(tools);
    for (uint32_t i = 0; i < rig->options.threads; i++)
        assert_true(
            verify_tools_make(&tools[i], verify_source_local(), UNPACK_WINDOW_LOG_LEAST, &rig->crew.stop));
    enum status status = verify_make(&rig->verify, &rig->options, &place, tools, &rig->fault);
    if (status == STATUS_OK) status = verify_locate(&rig->verify, &rig->fault);
    if (status == STATUS_OK) status = verify_files(&rig->verify, &rig->fault);
    if (status != STATUS_OK) fail_msg("%s", rig->fault.message);
}

static void finds_files_by_the_first_that_is_there(void **state)
{
    (void)state;
    struct rig rig;
    char deep[128];
    rig_open(&rig);
    (void)snprintf(deep, sizeof deep, "%s/in", rig.folder);
    assert_int_equal(mkdir(deep, 0700), 0);
    name(&rig, "Repo/in/gone.csv");
    name(&rig, "Repo/in/a.csv");
    name(&rig, "Repo/in/b.csv");
    put(&rig, "in/a.csv", "id,x\n1,2\n");
    put(&rig, "b.csv", "id,x\n1,2\n"); /* beside the manifest, where the first was not */
    look(&rig, NULL);
    assert_int_equal(rig.verify.place.strip, 1);
    assert_int_equal(rig.verify.header_file, 1);
    assert_true(rig.verify.results[0].missing);
    assert_int_equal(rig.verify.results[1].scan.rows, 2);
    assert_true(rig.verify.results[2].missing);
    verify_free(&rig.verify);
    put(&rig, "a.csv", "id,x\n3,4\n5,6\n"); /* beside the manifest counts before all others */
    look(&rig, NULL);
    assert_int_equal(rig.verify.place.strip, 2);
    assert_int_equal(rig.verify.results[1].scan.rows, 3);
    assert_int_equal(rig.verify.results[2].scan.rows, 2);
    verify_free(&rig.verify);
    look(&rig, "Repo/");
    assert_int_equal(rig.verify.results[1].scan.rows, 2);
    assert_true(rig.verify.results[2].missing);
    verify_free(&rig.verify);
    rig_close(&rig);
}

static void looks_at_nothing_where_nothing_is(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    look(&rig, NULL);
    assert_int_equal(rig.verify.part_count, 0);
    verify_free(&rig.verify);
    name(&rig, "x/y/a.csv");
    look(&rig, NULL);
    assert_int_equal(rig.verify.place.strip, 2);
    assert_true(rig.verify.results[0].missing);
    verify_free(&rig.verify);
    rig_close(&rig);
}

static void compares_headers_as_the_job_says(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    name(&rig, "empty.csv");
    name(&rig, "a.csv");
    name(&rig, "b.csv");
    name(&rig, "a.csv");
    put(&rig, "empty.csv", "");
    put(&rig, "a.csv", "id,x\n1,2\n");
    put(&rig, "b.csv", "1,2\n3,4\n");
    look(&rig, NULL);
    assert_int_equal(rig.verify.header_file, 1);
    assert_true(rig.verify.results[0].other_header);
    assert_false(rig.verify.results[1].other_header);
    assert_true(rig.verify.results[2].other_header);
    assert_false(rig.verify.named_before[1]);
    assert_true(rig.verify.named_before[3]);
    assert_true(verify_has_header(&rig.verify, 2));
    verify_free(&rig.verify);
    rig.options.header = CSV_HEADER_FIRST;
    look(&rig, NULL);
    assert_false(rig.verify.results[2].other_header);
    assert_true(verify_has_header(&rig.verify, 0));
    assert_false(verify_has_header(&rig.verify, 2));
    verify_free(&rig.verify);
    rig.options.header = CSV_HEADER_NONE;
    look(&rig, NULL);
    assert_false(rig.verify.results[0].other_header);
    assert_false(verify_has_header(&rig.verify, 0));
    verify_free(&rig.verify);
    rig_close(&rig);
}

/* Two large files in ranges of 64 KiB, a small one between them. */
static void finds_the_same_with_any_number_of_threads(void **state)
{
    (void)state;
    static char text[600000];
    size_t length = (size_t)sprintf(text, "id,x\n");
    for (unsigned i = 0; length + 64 < sizeof text; i++)
        length += (size_t)sprintf(text + length, i % 1000 == 999 ? "%u\n" : "%u,\"a\n,\"\"%u\"\n", i, i);
    struct rig rig;
    rig_open(&rig);
    name(&rig, "large.csv");
    name(&rig, "small.csv");
    name(&rig, "again.csv");
    put(&rig, "large.csv", text);
    put(&rig, "small.csv", "id,x\n1,2\n");
    put(&rig, "again.csv", text + 5); /* without a header */
    static const char url[] = "large.csv";
    struct report_entry entry = {.url = url, .checksum_kind = CHECKSUM_CRC32C};
    rig.report = (struct report_files){.data = {.entries = &entry, .count = 1}};
    rig.options.report = &rig.report;
    struct csv_scan first[3];
    for (uint32_t threads = 1; threads <= 5; threads += 2) {
        rig.options.threads = threads;
        rig.options.range_min = 65536;
        look(&rig, NULL);
        assert_int_equal(rig.verify.cut_count, threads == 1 ? 0 : 2);
        assert_ptr_equal(rig.verify.entries[0], &entry);
        assert_null(rig.verify.entries[1]);
        assert_true(rig.verify.results[0].checksum == checksum_update(CHECKSUM_CRC32C, 0, text, length));
        assert_int_equal(rig.verify.results[0].bytes, length);
        assert_true(rig.verify.results[2].other_header);
        for (unsigned i = 0; i < 3; i++) {
            const struct csv_scan *const scan = &rig.verify.results[i].scan;
            if (threads == 1) first[i] = *scan;
            assert_int_equal(scan->rows, first[i].rows);
            assert_int_equal(scan->uneven, first[i].uneven);
            assert_int_equal(scan->uneven_row, first[i].uneven_row);
            assert_int_equal(scan->defects, first[i].defects);
        }
        assert_true(first[0].uneven > 5 && first[0].defects == 0);
        verify_free(&rig.verify);
    }
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_threads_until_one_fails),
        cmocka_unit_test(finds_files_by_the_first_that_is_there),
        cmocka_unit_test(looks_at_nothing_where_nothing_is),
        cmocka_unit_test(compares_headers_as_the_job_says),
        cmocka_unit_test(finds_the_same_with_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

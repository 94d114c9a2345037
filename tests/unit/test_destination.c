/* test_destination.c - how many files a run writes at once, and what an upload of them takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/chunk.h"
#include "io/cli/destination.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)

static void counts_open_files(void **state)
{
    (void)state;
    struct job job = {.name = "t"};
    assert_int_equal(destination_open_files(&job), 1);
    job.file_count = 20;
    assert_int_equal(destination_open_files(&job), 20);
    job.mapping.segments.count = 7; /* all into one delivery */
    assert_int_equal(destination_open_files(&job), 20);
    job.mapping.segments.split = true;
    assert_int_equal(destination_open_files(&job), 140);
    job.file_count = 0;
    assert_int_equal(destination_open_files(&job), 7);
    job.file_count = UINT32_MAX;
    assert_int_equal(destination_open_files(&job), UINT32_MAX);
}

static enum status plan(struct destination *destination, const struct job *job, uint64_t memory,
                        uint64_t input, uint64_t *least, struct fault *fault)
{
    *destination = (struct destination){.kind = DESTINATION_S3, .job = job};
    return destination_plan(destination, memory, 0, 0, input, least, fault);
}

static void plans_for_open_files(void **state)
{
    (void)state;
    struct destination one, many;
    struct fault fault = {0};
    uint64_t least = 0;
    struct job job = {.name = "t"};
    assert_int_equal(plan(&one, &job, 1024 * MIB, 1000 * MIB, &least, &fault), STATUS_OK);
    assert_int_equal(one.plan.open_files, 1);
    job.mapping.segments.count = 256;
    job.mapping.segments.split = true;
    assert_int_equal(plan(&many, &job, 1024 * MIB, 1000 * MIB, &least, &fault), STATUS_USAGE);
    assert_non_null(strstr(fault.message, "256 files open at once"));
    assert_true(least > 256 * 5 * MIB);
    assert_int_equal(plan(&many, &job, least, 1000 * MIB, &least, &fault), STATUS_OK);
    assert_int_equal(many.plan.open_files, 256);
    assert_int_equal(many.plan.fill, 256 * 5 * MIB);
    assert_int_equal(many.plan.connections, 1);
}

/* Even files have a share of the input each, so that their parts begin smaller. */
static void even_files_share_the_input(void **state)
{
    (void)state;
    struct destination destination;
    struct fault fault = {0};
    uint64_t least = 0;
    struct job job = {.name = "t", .file_count = 4};
    uint64_t const input = (uint64_t)1024 * 1024 * MIB, plenty = 64 * 1024 * MIB;
    assert_int_equal(plan(&destination, &job, plenty, input, &least, &fault), STATUS_OK);
    assert_int_equal(destination.plan.part_size, 16 * MIB); /* for 256 GiB */
    assert_true(destination.plan.reach >= input / 4);
    job.file_count = 0;
    assert_int_equal(plan(&destination, &job, plenty, input, &least, &fault), STATUS_OK);
    assert_int_equal(destination.plan.part_size, 64 * MIB);
    job.file_count = 4;
    assert_int_equal(plan(&destination, &job, plenty, 1, &least, &fault), STATUS_OK); /* not "unknown" */
    assert_int_equal(destination.plan.fill, 4 * 16 * MIB);
}

/* What is held is held in chunks, and these have marks when the run deduplicates: they are part of the least.
 */
static void holds_marks_of_deduplication(void **state)
{
    (void)state;
    struct destination destination;
    struct fault fault = {0};
    uint64_t least = 0, least_with_marks = 0, ignored = 0;
    struct job job = {.name = "t"};
    assert_int_equal(plan(&destination, &job, 1, 1, &least, &fault), STATUS_USAGE);
    job.mapping.identity.deduplicate = IDENTITY_KEEP_LATEST;
    assert_int_equal(plan(&destination, &job, 1, 1, &least_with_marks, &fault), STATUS_USAGE);
    assert_int_equal(plan(&destination, &job, least_with_marks, 1, &ignored, &fault), STATUS_OK);
    uint64_t const chunks = (destination.plan.hold + CHUNK_BYTES_MIN - 1) / CHUNK_BYTES_MIN;
    assert_true(least_with_marks >= least + chunks * chunk_mark_room(CHUNK_BYTES_MIN) * sizeof(uint32_t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_open_files), cmocka_unit_test(plans_for_open_files),
        cmocka_unit_test(even_files_share_the_input), cmocka_unit_test(holds_marks_of_deduplication)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

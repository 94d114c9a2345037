/* test_s3_plan.c - sizes of an upload: single figures, and properties over many requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_plan.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct s3_plan made(const struct s3_plan_request *request)
{
    struct s3_plan plan = {0};
    struct fault fault = {0};
    uint64_t least = 1;
    assert_int_equal(s3_plan_make(request, &plan, &least, &fault), STATUS_OK);
    assert_int_equal(least, 0);
    return plan;
}

/* The largest part of an object of `bytes` by adding part after part; 0 when 10,000 don't do. */
static uint64_t largest_part(uint64_t part_size, uint64_t bytes)
{
    uint64_t done = 0;
    for (uint32_t number = 1; number <= S3_PARTS_MAX; number++) {
        done += s3_plan_part(part_size, number);
        if (done >= bytes) return s3_plan_part(part_size, number);
    }
    return 0;
}

/* ---- parts ---- */

static void parts_double_every_thousand(void **state)
{
    (void)state;
    assert_int_equal(s3_plan_part(5 * MIB, 1), 5 * MIB);
    assert_int_equal(s3_plan_part(5 * MIB, 1000), 5 * MIB);
    assert_int_equal(s3_plan_part(5 * MIB, 1001), 10 * MIB);
    assert_int_equal(s3_plan_part(5 * MIB, 2000), 10 * MIB);
    assert_int_equal(s3_plan_part(5 * MIB, 9001), 2560 * MIB);
    assert_int_equal(s3_plan_part(5 * MIB, 10000), 2560 * MIB);
    assert_int_equal(s3_plan_part(16 * MIB, 10000), 5 * GIB); /* not 8 */
    assert_int_equal(s3_plan_part(5 * GIB, 1), 5 * GIB);
    assert_int_equal(s3_plan_part(5 * GIB, 10000), 5 * GIB);
    assert_int_equal(s3_plan_part(UINT64_MAX, 10000), 5 * GIB);
    assert_int_equal(s3_plan_part(16 * MIB, 0), 0);
    assert_int_equal(s3_plan_part(16 * MIB, 10001), 0);
    assert_int_equal(s3_plan_part(16 * MIB, UINT32_MAX), 0);
}

static void largest_objects(void **state)
{
    (void)state;
    assert_int_equal(s3_plan_largest(5 * MIB), 1000 * 1023 * 5 * MIB); /* 4.9 TiB */
    assert_true(s3_plan_largest(16 * MIB) > 12 * TIB);
    assert_int_equal(s3_plan_largest(5 * GIB), S3_OBJECT_MAX);
    static const uint64_t sizes[] = {5 * MIB, 5 * MIB + 1, 16 * MIB, 100 * MIB, 3 * GIB, 5 * GIB};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint64_t const largest = s3_plan_largest(sizes[i]);
        assert_int_not_equal(largest_part(sizes[i], largest), 0);
        assert_int_equal(largest_part(sizes[i], largest + 1), 0);
    }
}

/* ---- plans ---- */

static void plenty_of_memory_gives_the_defaults(void **state)
{
    (void)state;
    struct s3_plan const plan = made(&(struct s3_plan_request){.memory = 2 * GIB, .largest = GIB});
    assert_int_equal(plan.part_size, S3_PART_DEFAULT);
    assert_int_equal(plan.connections, S3_CONNECTIONS_DEFAULT);
    assert_int_equal(plan.threads, 1);
    assert_int_equal(plan.hold, 27 * 16 * MIB / 4 * 5);
    assert_int_equal(plan.memory, plan.hold + 25 * S3_CONNECTION_BYTES + S3_CLIENT_BYTES);
    assert_true(plan.reach >= 100 * GIB);
}

/* As the sink has it: a part of each file, and blocks. */
static uint64_t beside(uint64_t part_size, uint32_t connections, uint32_t open_files)
{
    return open_files * (part_size + MIB / 4) + connections * MIB;
}

/* What a held byte costs and what is beside are within the limit too, to the byte. */
static void counts_what_is_beside(void **state)
{
    (void)state;
    for (uint64_t memory = 40 * MIB; memory < GIB; memory += 7 * MIB + 1) {
        struct s3_plan_request const request = {
            .memory = memory, .largest = TIB, .hold_percent = 126, .beside = beside};
        struct s3_plan plan;
        uint64_t least;
        struct fault fault;
        if (s3_plan_make(&request, &plan, &least, &fault) != STATUS_OK) {
            assert_true(least > memory);
            continue;
        }
        assert_true(plan.memory <= memory);
        assert_true(plan.memory >= plan.other + plan.hold / 100 * 126);
        assert_true(plan.other >= beside(plan.part_size, plan.connections, 1));
        assert_int_equal(plan.fill, plan.part_size);
        assert_true(s3_plan_parts_fit(plan.part_size, plan.fill, plan.hold));
    }
}

static void flags_are_kept_to(void **state)
{
    (void)state;
    struct s3_plan const plan = made(&(struct s3_plan_request){
        .memory = 64 * GIB, .part_size = 7 * MIB + 3, .connections = 200, .largest = 1});
    assert_int_equal(plan.part_size, 7 * MIB + 3);
    assert_int_equal(plan.connections, 200);
    assert_int_equal(plan.threads, 4);
}

static void threads_follow_the_connections(void **state)
{
    (void)state;
    static const uint32_t connections[] = {1, 64, 65, 128, 1024}, threads[] = {1, 1, 2, 2, 16};
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(
            made(&(struct s3_plan_request){.memory = TIB, .connections = connections[i], .largest = 1})
                .threads,
            threads[i]);
}

static void flags_out_of_range_are_named(void **state)
{
    (void)state;
    static const struct {
        struct s3_plan_request request;
        const char *flag;
    } cases[] = {
        {{.memory = TIB, .part_size = 1}, "--part-size"},
        {{.memory = TIB, .part_size = 5 * MIB - 1}, "--part-size"},
        {{.memory = TIB, .part_size = 5 * GIB + 1}, "--part-size"},
        {{.memory = TIB, .part_size = UINT64_MAX}, "--part-size"},
        {{.memory = TIB, .connections = 1025}, "--connections"},
        {{.memory = TIB, .connections = UINT32_MAX}, "--connections"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct s3_plan plan;
        struct fault fault = {0};
        uint64_t least = 1;
        assert_int_equal(s3_plan_make(&cases[i].request, &plan, &least, &fault), STATUS_USAGE);
        assert_int_equal(fault.status, STATUS_USAGE);
        assert_non_null(strstr(fault.message, cases[i].flag));
        assert_int_equal(least, 0); /* no memory helps */
    }
}

static void large_objects_begin_with_larger_parts(void **state)
{
    (void)state;
    /* half of the 10,000 parts of 16 MiB and their doublings: 484 GiB */
    assert_int_equal(made(&(struct s3_plan_request){.memory = TIB, .largest = 31000 * 16 * MIB}).part_size,
                     16 * MIB);
    assert_int_equal(
        made(&(struct s3_plan_request){.memory = TIB, .largest = 31000 * 16 * MIB + 1}).part_size, 32 * MIB);
    assert_int_equal(made(&(struct s3_plan_request){.memory = TIB, .largest = UINT64_MAX}).part_size,
                     5 * GIB);
    /* --part-size stays */
    assert_int_equal(
        made(&(struct s3_plan_request){.memory = TIB, .part_size = 5 * MIB, .largest = S3_OBJECT_MAX})
            .part_size,
        5 * MIB);
}

static void short_memory_takes_from_parts_then_from_connections(void **state)
{
    (void)state;
    uint64_t const other = S3_CLIENT_BYTES + 25 * S3_CONNECTION_BYTES;
    uint64_t const for_16 = other + 27 * 16 * MIB / 4 * 5, for_8 = other + 27 * 8 * MIB / 4 * 5;
    uint64_t const for_5 = other + 27 * 5 * MIB / 4 * 5;
    static const uint64_t sizes[] = {16, 8, 8, 5, 5, 5};
    static const uint32_t connections[] = {25, 25, 25, 25, 25, 24};
    uint64_t const memory[] = {for_16, for_16 - 1, for_8, for_8 - 1, for_5, for_5 - 1};
    for (size_t i = 0; i < COUNT(memory); i++) {
        struct s3_plan const plan = made(&(struct s3_plan_request){.memory = memory[i], .largest = 1});
        assert_int_equal(plan.part_size, sizes[i] * MIB);
        assert_int_equal(plan.connections, connections[i]);
    }
}

static void given_parts_take_from_connections(void **state)
{
    (void)state;
    struct s3_plan const plan =
        made(&(struct s3_plan_request){.memory = 256 * MIB, .part_size = 32 * MIB, .largest = 1});
    assert_int_equal(plan.part_size, 32 * MIB);
    assert_int_equal(plan.connections, 4); /* (4 + 2) * 40 MiB + 14.5 */
}

static void given_connections_take_from_parts_only(void **state)
{
    (void)state;
    struct s3_plan const plan =
        made(&(struct s3_plan_request){.memory = 256 * MIB, .connections = 32, .largest = 1});
    assert_int_equal(plan.connections, 32);
    assert_int_equal(plan.part_size, 5 * MIB);
}

/* Parts of 1,001 and more are larger: what keeps all connections busy grows, as far as memory goes. */
static void objects_whose_parts_double_hold_more(void **state)
{
    (void)state;
    struct s3_plan const small = made(&(struct s3_plan_request){.memory = TIB, .largest = 16000 * MIB});
    struct s3_plan const larger = made(&(struct s3_plan_request){.memory = TIB, .largest = 16000 * MIB + 1});
    assert_int_equal(larger.part_size, small.part_size);
    assert_int_equal(larger.hold, 2 * small.hold);
    struct s3_plan const bound = made(&(struct s3_plan_request){.memory = GIB, .largest = 100 * GIB});
    assert_int_equal(bound.memory, GIB);
    struct s3_plan const unknown = made(&(struct s3_plan_request){.memory = GIB});
    assert_int_equal(unknown.part_size, S3_PART_DEFAULT);
    assert_int_equal(unknown.memory, GIB);
}

/* ---- several open files ---- */

static void each_open_file_has_a_part(void **state)
{
    (void)state;
    struct s3_plan_request request = {.memory = 16 * GIB, .largest = GIB, .open_files = 50, .beside = beside};
    struct s3_plan plan = made(&request);
    assert_int_equal(plan.open_files, 50);
    assert_int_equal(plan.part_size, S3_PART_DEFAULT);
    assert_int_equal(plan.fill, 50 * S3_PART_DEFAULT);
    assert_int_equal(plan.connections, 25);
    request.memory = 2 * GIB; /* 800 MiB of parts being filled and 540 held */
    assert_int_equal(made(&request).part_size, S3_PART_DEFAULT);
    request.memory = GIB;
    assert_int_equal(made(&request).part_size, 8 * MIB);
    request.memory = GIB / 2;
    assert_int_equal(made(&request).part_size, 5 * MIB);
    /* one of them alone asks for nothing new */
    request.open_files = 1;
    struct s3_plan const one = made(&request);
    request.open_files = 0;
    struct s3_plan const none = made(&request);
    assert_int_equal(one.memory, none.memory);
    assert_int_equal(none.open_files, 1);
    assert_int_equal(none.fill, none.part_size);
}

static void too_many_open_files_are_refused(void **state)
{
    (void)state;
    struct s3_plan_request request = {.memory = GIB, .largest = TIB, .open_files = 256, .beside = beside};
    struct s3_plan plan;
    struct fault fault = {0};
    uint64_t least = 0;
    assert_int_equal(s3_plan_make(&request, &plan, &least, &fault), STATUS_USAGE);
    assert_non_null(strstr(fault.message, "for each of 256 files open at once"));
    assert_non_null(strstr(fault.message, "fewer segments"));
    assert_non_null(strstr(fault.message, "files.count"));
    assert_true(least > 256 * 5 * MIB);
    request.memory = least;
    plan = made(&request);
    assert_int_equal(plan.part_size, 5 * MIB);
    assert_int_equal(plan.connections, 1);
    assert_int_equal(plan.memory, least);
    request.open_files = UINT32_MAX; /* no sum runs over */
    request.memory = UINT64_MAX / 2;
    plan = made(&request);
    assert_int_equal(plan.open_files, S3_PLAN_FILES_MAX);
    request.part_size = S3_PART_MAX;
    assert_true(made(&request).memory <= request.memory);
}

/* Files whose parts will grow get memory for that first: else the run could not be ended. */
static void growing_files_fill_more(void **state)
{
    (void)state;
    struct s3_plan_request request = {
        .memory = TIB, .largest = 100 * GIB, .open_files = 20, .beside = beside, .hold_percent = 126};
    struct s3_plan const plenty = made(&request);
    assert_int_equal(plenty.fill, 20 * s3_plan_part(plenty.part_size, 2001));
    assert_true(plenty.reach >= 100 * GIB);
    uint64_t reach = 0;
    for (request.memory = 500 * MIB; request.memory < 8 * GIB; request.memory += 97 * MIB) {
        struct s3_plan const plan = made(&request);
        assert_true(plan.memory <= request.memory);
        assert_true(plan.fill >= 20 * plan.part_size);
        assert_true(plan.other >=
                    beside(plan.part_size, plan.connections, 20) + plan.fill - 20 * plan.part_size);
        assert_true(plan.hold >= (plan.connections + 2) * plan.part_size / 4 * 5);
        assert_true(s3_plan_parts_fit(20 * largest_part(plan.part_size, plan.reach), plan.fill, plan.hold));
        if (plan.part_size == S3_PART_DEFAULT) {
            assert_true(plan.reach >= reach); /* more memory never reaches less far */
            reach = plan.reach;
        }
    }
    assert_true(reach >= 100 * GIB);
}

static void messages_say_how_much_is_needed(void **state)
{
    (void)state;
    struct s3_plan plan;
    struct fault fault = {0};
    uint64_t least = 0;
    assert_int_equal(s3_plan_make(&(struct s3_plan_request){.memory = 10 * MIB}, &plan, &least, &fault),
                     STATUS_USAGE);
    assert_int_equal(fault.status, STATUS_USAGE);
    assert_non_null(strstr(fault.message, "--memory-limit: leaves 10 MiB"));
    assert_non_null(strstr(fault.message, "takes 26 MiB with 1 connection and parts of 5 MiB"));
    assert_int_equal(least, S3_CLIENT_BYTES + S3_CONNECTION_BYTES + 15 * MIB / 4 * 5);
    assert_int_equal(
        s3_plan_make(&(struct s3_plan_request){.connections = 7, .part_size = GIB}, &plan, &least, NULL),
        STATUS_USAGE);
}

/* ---- properties ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* As often small as large. */
static uint64_t random_below(uint64_t *seed, uint64_t bound)
{
    uint64_t const value = next_random(seed) >> (next_random(seed) % 64);
    return value % bound;
}

static struct s3_plan_request random_request(uint64_t *seed)
{
    struct s3_plan_request request = {.memory = random_below(seed, 64 * TIB),
                                      .largest = random_below(seed, S3_OBJECT_MAX)};
    if (next_random(seed) % 3 == 0)
        request.part_size = S3_PART_MIN + random_below(seed, S3_PART_MAX - S3_PART_MIN + 1);
    if (next_random(seed) % 3 == 0)
        request.connections = 1 + (uint32_t)random_below(seed, S3_CONNECTIONS_MAX);
    return request;
}

static void check_plan(const struct s3_plan_request *request, const struct s3_plan *plan)
{
    assert_in_range(plan->part_size, S3_PART_MIN, S3_PART_MAX);
    assert_in_range(plan->connections, 1, S3_CONNECTIONS_MAX);
    assert_in_range(plan->threads, 1, plan->connections);
    assert_true(plan->threads * S3_CONNECTIONS_A_THREAD >= plan->connections);
    if (request->part_size != 0) assert_int_equal(plan->part_size, request->part_size);
    if (request->connections != 0) assert_int_equal(plan->connections, request->connections);
    assert_true(plan->memory <= request->memory);
    assert_int_equal(plan->memory,
                     plan->hold + plan->connections * (uint64_t)S3_CONNECTION_BYTES + S3_CLIENT_BYTES);
    assert_true(plan->hold >= (plan->connections + 2) * plan->part_size / 4 * 5);
    assert_true(plan->reach <= s3_plan_largest(plan->part_size));
    assert_true(plan->reach >= S3_PARTS_BEFORE_DOUBLING * plan->part_size);
    assert_true(s3_plan_parts_fit(largest_part(plan->part_size, plan->reach), plan->fill, plan->hold));
}

static void plans_keep_their_promises(void **state)
{
    (void)state;
    uint64_t seed = 1;
    unsigned refused = 0;
    for (int i = 0; i < 3000; i++) {
        struct s3_plan_request request = random_request(&seed);
        struct s3_plan plan;
        struct fault fault = {0};
        uint64_t least = 1;
        enum status const status = s3_plan_make(&request, &plan, &least, &fault);
        if (status == STATUS_OK) {
            assert_int_equal(least, 0);
            check_plan(&request, &plan);
            continue;
        }
        refused++;
        assert_int_equal(status, STATUS_USAGE);
        assert_true(least > request.memory); /* exact: works with it, not with a byte less */
        request.memory = least - 1;
        assert_int_equal(s3_plan_make(&request, &plan, &least, &fault), STATUS_USAGE);
        assert_int_equal(least, request.memory + 1);
        request.memory = least;
        assert_int_equal(s3_plan_make(&request, &plan, &least, &fault), STATUS_OK);
        check_plan(&request, &plan);
    }
    assert_in_range(refused, 100, 2900);
}

static void parts_suffice_whatever_the_size(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = 0; i < 500; i++) {
        uint64_t const largest = 1 + random_below(&seed, S3_OBJECT_MAX);
        struct s3_plan const plan = made(&(struct s3_plan_request){.memory = 512 * TIB, .largest = largest});
        uint64_t const top = largest_part(plan.part_size, largest);
        assert_int_not_equal(top, 0);
        assert_true(plan.reach >= largest);
        assert_true(plan.hold >= top * (plan.connections + 2) / 4 * 5); /* all connections stay busy */
    }
}

/* More memory never makes parts smaller or connections fewer. */
static void plans_grow_with_memory(void **state)
{
    (void)state;
    static const uint64_t largest[] = {1, 20 * GIB, TIB, 0};
    for (size_t i = 0; i < COUNT(largest); i++)
        for (uint32_t connections = 0; connections < 80; connections += 40) {
            struct s3_plan before = {0};
            for (uint64_t memory = 350 * MIB * (connections != 0) + 32 * MIB; memory < 4 * GIB;
                 memory += 777777) {
                struct s3_plan const plan = made(&(struct s3_plan_request){
                    .memory = memory, .connections = connections, .largest = largest[i]});
                assert_true(plan.part_size >= before.part_size);
                assert_true(plan.connections >= before.connections);
                before = plan;
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_double_every_thousand),
        cmocka_unit_test(largest_objects),
        cmocka_unit_test(plenty_of_memory_gives_the_defaults),
        cmocka_unit_test(counts_what_is_beside),
        cmocka_unit_test(flags_are_kept_to),
        cmocka_unit_test(threads_follow_the_connections),
        cmocka_unit_test(flags_out_of_range_are_named),
        cmocka_unit_test(large_objects_begin_with_larger_parts),
        cmocka_unit_test(short_memory_takes_from_parts_then_from_connections),
        cmocka_unit_test(given_parts_take_from_connections),
        cmocka_unit_test(given_connections_take_from_parts_only),
        cmocka_unit_test(objects_whose_parts_double_hold_more),
        cmocka_unit_test(each_open_file_has_a_part),
        cmocka_unit_test(too_many_open_files_are_refused),
        cmocka_unit_test(growing_files_fill_more),
        cmocka_unit_test(messages_say_how_much_is_needed),
        cmocka_unit_test(plans_keep_their_promises),
        cmocka_unit_test(parts_suffice_whatever_the_size),
        cmocka_unit_test(plans_grow_with_memory),
    };
    return cmocka_run_group_tests_name("s3_plan", tests, NULL, NULL);
}

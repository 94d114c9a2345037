/* test_sample.c - where the first N records end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/sample.h"
#include "tests/unit/memory_ports.h"
#include "tests/unit/memory_stream.h"

#define SOURCES_MAX 4

static enum status go_on(void)
{
    return STATUS_OK;
}

static enum status stop(void)
{
    return STATUS_INTERRUPTED;
}

/* The extents' ends after a cut at `records` of these texts. */
static void cut(const char *const *texts, size_t count, uint64_t records, const uint64_t *ends)
{
    struct memory_source memory[SOURCES_MAX];
    struct source *sources[SOURCES_MAX] = {NULL};
    struct shard_source extents[SOURCES_MAX] = {{.begin = 0}};
    struct fault fault;
    for (size_t i = 0; i < count; i++) {
        memory_source_start(&memory[i], "s", texts[i], strlen(texts[i]));
        sources[i] = &memory[i].port;
        extents[i] = (struct shard_source){.begin = 0, .size = strlen(texts[i])};
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(sample_cut(sources[i], &extents[i], &records, go_on, &fault), STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(extents[i].size, ends[i]);
        assert_int_equal(memory[i].readers, 0);
        assert_int_equal(memory[i].wrong, 0);
    }
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__})
#define ENDS(...)  ((const uint64_t[]){__VA_ARGS__})

static void test_one_source(void **state)
{
    (void)state;
    cut(TEXTS("{}\n{}\n{}\n"), 1, 1, ENDS(3));
    cut(TEXTS("{}\n{}\n{}\n"), 1, 2, ENDS(6));
    cut(TEXTS("{}\n{}\n{}\n"), 1, 3, ENDS(9));
    cut(TEXTS("{}\n{}\n{}\n"), 1, 4, ENDS(9));
    cut(TEXTS("{}\n{}\n{}"), 1, 3, ENDS(8)); /* a last line without its end */
    cut(TEXTS("{}\n{}\n{}"), 1, UINT64_MAX, ENDS(8));
    cut(TEXTS("{}"), 1, 1, ENDS(2));
    cut(TEXTS(""), 1, 1, ENDS(0));
}

static void test_blank_lines(void **state)
{
    (void)state;
    cut(TEXTS("\n\n{}\n\n{}\n"), 1, 1, ENDS(5));
    cut(TEXTS("\n\n{}\n\n{}\n"), 1, 2, ENDS(9));
    cut(TEXTS(" \t\r\n{}\r\n{}\r\n"), 1, 1, ENDS(8));
    cut(TEXTS("\n \n\t\n"), 1, 1, ENDS(5));
    cut(TEXTS("x\n{}\n"), 1, 1, ENDS(2)); /* a broken record is one */
    cut(TEXTS("  {}  \n {}"), 1, 1, ENDS(7));
}

static void test_many_sources(void **state)
{
    (void)state;
    const char *const texts[] = {"{}\n{}", "", "\n{}\n{}\n", "{}\n"};
    cut(texts, 4, 1, ENDS(3, 0, 0, 0));
    cut(texts, 4, 2, ENDS(5, 0, 0, 0));
    cut(texts, 4, 3, ENDS(5, 0, 4, 0));
    cut(texts, 4, 4, ENDS(5, 0, 7, 0));
    cut(texts, 4, 5, ENDS(5, 0, 7, 3));
    cut(texts, 4, 6, ENDS(5, 0, 7, 3));
}

/* The scan starts behind a byte order mark, and leaves an empty extent there when nothing is left to take. */
static void test_begin(void **state)
{
    (void)state;
    const char text[] = "\xEF\xBB\xBF{}\n{}\n";
    struct memory_source memory;
    struct fault fault;
    memory_source_start(&memory, "s", text, sizeof text - 1);
    struct shard_source extents[] = {{.begin = 3, .size = 9}, {.begin = 3, .size = 9}};
    uint64_t records = 1;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(sample_cut(&memory.port, &extents[i], &records, go_on, &fault), STATUS_OK);
    assert_int_equal(extents[0].size, 6);
    assert_int_equal(extents[1].size, 3);
}

/* Lines, blanks and ends at every place around a window's end. */
static void test_windows(void **state)
{
    (void)state;
    size_t const length = 2 * SAMPLE_WINDOW + 64;
    char *const text = memory_must(malloc(length + 1));
    for (size_t shift = 0; shift < 8; shift++) {
        memset(text, ' ', length);
        text[length] = '\0';
        size_t const first = SAMPLE_WINDOW - 4 + shift, second = 2 * SAMPLE_WINDOW - 4 + shift;
        text[3] = 'x'; /* a line whose text lies windows before its end */
        text[first] = '\n';
        text[first + 1] = 'y';
        text[second] = '\n';
        text[second + 2] = '\n'; /* blank */
        cut(TEXTS(text), 1, 1, ENDS(first + 1));
        cut(TEXTS(text), 1, 2, ENDS(second + 1));
        cut(TEXTS(text), 1, 3, ENDS(length));
    }
    free(text);
}

static void test_failures(void **state)
{
    (void)state;
    struct memory_source memory;
    struct fault fault;
    memory_source_start(&memory, "s", "{}\n{}\n", 6);
    struct shard_source extent = {.begin = 0, .size = 6};
    uint64_t records = 1;
    memory.fail_at = 1;
    assert_int_equal(sample_cut(&memory.port, &extent, &records, go_on, &fault), STATUS_IO);
    assert_int_equal(memory.readers, 0);
    memory.fail_at = 0;
    assert_int_equal(sample_cut(&memory.port, &extent, &records, stop, &fault), STATUS_INTERRUPTED);
    assert_int_equal(memory.readers, 0);
    assert_int_equal(extent.size, 6);
}

static uint64_t left_of(const char *text, uint64_t records, uint32_t seed)
{
    struct memory_stream memory;
    struct fault fault;
    memory_stream_start(&memory, "s", text, strlen(text), seed);
    assert_int_equal(sample_count_stream(&memory.port, 1000, &records, go_on, &fault), STATUS_OK);
    assert_int_equal(memory.opened, memory.closed);
    assert_int_equal(memory.wrong, 0);
    return records;
}

static void test_streams(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 50; seed++) {
        assert_int_equal(left_of("{}\n\n \n{}\n{}", 5, seed), 2);
        assert_int_equal(left_of("{}\n\n \n{}\n{}\n", 5, seed), 2);
        assert_int_equal(left_of("{}\n{}\n{}", 3, seed), 0);
        assert_int_equal(left_of("{}\n{}\n{}\n", 2, seed), 0);
        assert_int_equal(left_of("", 2, seed), 2);
        assert_int_equal(left_of("{}", 0, seed), 0);
    }
}

static void test_failing_streams(void **state)
{
    (void)state;
    struct memory_stream memory;
    struct fault fault;
    for (int damage = 0; damage < 2; damage++) {
        uint64_t records = 5;
        memory_stream_start(&memory, "s", "{}\n{}\n{}", 8, 1);
        memory.fails_at = 7;
        memory.damage = damage;
        assert_int_equal(sample_count_stream(&memory.port, 1000, &records, go_on, &fault),
                         damage ? STATUS_OK : STATUS_IO);
        assert_int_equal(memory.closed, 1);
        if (damage) assert_int_equal(records, 2); /* the record that it is in counts */
    }
    uint64_t records = 1;
    memory_stream_start(&memory, "s", "{}", 2, 1);
    assert_int_equal(sample_count_stream(&memory.port, 1000, &records, stop, &fault), STATUS_INTERRUPTED);
    assert_int_equal(memory.closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_source),   cmocka_unit_test(test_blank_lines),
        cmocka_unit_test(test_many_sources), cmocka_unit_test(test_begin),
        cmocka_unit_test(test_windows),      cmocka_unit_test(test_failures),
        cmocka_unit_test(test_streams),      cmocka_unit_test(test_failing_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

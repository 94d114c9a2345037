/* test_verify_file.c - files against their header: whole, in ranges cut anywhere, packed, damaged, missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/checksum.h"
#include "io/verify/verify_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTENT_MAX ((size_t)1 << 20)
#define RANGES_MAX  4096u

static const struct csv_scan_dialect lf = {.delimiter = ','};

struct rig {
    struct verify_tools tools;
    _Atomic bool stop;
    char path[64];
    struct verify_header header;
    struct verify_task task;
    uint8_t *content;
    size_t length;
    struct fault fault;
};

static void rig_open(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    assert_true(verify_tools_make(&rig->tools, verify_source_local(), UNPACK_WINDOW_LOG_LEAST, &rig->stop));
    (void)snprintf(rig->path, sizeof rig->path, "/tmp/penstock-verify-XXXXXX");
    int const file = mkstemp(rig->path);
    assert_true(file >= 0);
    (void)close(file);
    rig->header.bytes = malloc(VERIFY_HEADER_MAX);
    rig->content = malloc(CONTENT_MAX);
    assert_true(rig->header.bytes != NULL && rig->content != NULL);
    rig->task = (struct verify_task){.place = rig->path,
                                     .dialect = lf,
                                     .header = &rig->header,
                                     .compare = true,
                                     .checksum = CHECKSUM_CRC64NVME};
}

static void rig_close(struct rig *rig)
{
    verify_tools_free(&rig->tools);
    (void)unlink(rig->path);
    free(rig->header.bytes);
    free(rig->content);
}

static void put(struct rig *rig, const void *bytes, size_t length)
{
    FILE *const file = fopen(rig->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void set_header(struct rig *rig, const char *text, uint64_t columns)
{
    rig->header.length = strlen(text);
    rig->header.columns = columns;
    memcpy(rig->header.bytes, text, rig->header.length);
}

static struct verify_result look(struct rig *rig)
{
    struct verify_result result = {.seen = false};
    assert_int_equal(verify_file(&rig->tools, &rig->task, &result, &rig->fault), STATUS_OK);
    assert_true(result.seen);
    return result;
}

static void reads_the_header(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    put(&rig, "id,\"a\nb\",c\n1,2,3\n", 17);
    assert_int_equal(verify_file_header(&rig.tools, rig.path, lf, &rig.header, &rig.fault), STATUS_OK);
    assert_int_equal(rig.header.length, 11);
    assert_int_equal(rig.header.columns, 3);
    put(&rig, "id,a", 4);
    assert_int_equal(verify_file_header(&rig.tools, rig.path, lf, &rig.header, &rig.fault), STATUS_OK);
    assert_int_equal(rig.header.length, 4);
    put(&rig, "", 0);
    assert_int_equal(verify_file_header(&rig.tools, rig.path, lf, &rig.header, &rig.fault), STATUS_OK);
    assert_int_equal(rig.header.length, 0);
    assert_int_equal(verify_file_header(&rig.tools, "/nonexistent/a.csv", lf, &rig.header, &rig.fault),
                     STATUS_NO_SOURCE);
    rig_close(&rig);
}

static void compares_with_the_header(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    set_header(&rig, "id,a\n", 2);
    static const struct {
        const char *text;
        bool other;
        uint64_t rows, uneven;
    } cases[] = {{"id,a\n1,2\n", false, 2, 0},
                 {"id,b\n1,2\n", true, 2, 0},
                 {"id,a,b\n1,2,3\n", true, 2, 2},
                 {"id\n", true, 1, 1},
                 {"", true, 0, 0},
                 {"id,a\n", false, 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(&rig, cases[i].text, strlen(cases[i].text));
        struct verify_result const result = look(&rig);
        assert_int_equal(result.other_header, cases[i].other);
        assert_int_equal(result.scan.rows, cases[i].rows);
        assert_int_equal(result.scan.uneven, cases[i].uneven);
        assert_int_equal(result.bytes, strlen(cases[i].text));
        assert_true(result.checksum ==
                    checksum_update(CHECKSUM_CRC64NVME, 0, cases[i].text, strlen(cases[i].text)));
    }
    rig_close(&rig);
}

static void reads_packed_files(void **state)
{
    (void)state;
    static const char *const names[] = {"one.gz", "members.gz", "one.zst", "frames.zst"};
    struct rig rig;
    rig_open(&rig);
    rig.task.compare = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", TESTS_DATA, names[i]);
        rig.task.place = path;
        struct verify_result const result = look(&rig);
        assert_null(result.trouble);
        assert_int_equal(result.scan.rows, 400);
        assert_int_equal(result.scan.uneven, 0);
        assert_int_equal(result.members, strchr("mf", names[i][0]) != NULL ? 4 : 1);
    }
    rig_close(&rig);
}

static void says_what_can_not_be_read(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    char path[512];
    (void)snprintf(path, sizeof path, "%s/one.gz", TESTS_DATA);
    FILE *const file = fopen(path, "rb");
    assert_non_null(file);
    size_t const length = fread(rig.content, 1, CONTENT_MAX, file);
    (void)fclose(file);
    put(&rig, rig.content, length - 1);
    struct verify_result result = look(&rig);
    assert_non_null(result.trouble);
    assert_non_null(strstr(result.trouble, "is cut off"));
    assert_int_equal(result.bytes, length - 1); /* and its checksum: all the same */
    free(result.trouble);
    rig.content[20] ^= 0xFF;
    put(&rig, rig.content, length);
    result = look(&rig);
    assert_non_null(result.trouble);
    assert_int_equal(result.bytes, length);
    free(result.trouble);
    rig.task.place = "/nonexistent/a.csv";
    result = look(&rig);
    assert_true(result.missing);
    assert_non_null(strstr(result.trouble, "there is no such file"));
    free(result.trouble);
    rig.task.place = "/tmp";
    result = look(&rig);
    assert_false(result.missing);
    assert_non_null(result.trouble);
    free(result.trouble);
    rig.stop = true;
    rig.task.place = rig.path;
    assert_int_equal(verify_file(&rig.tools, &rig.task, &result, &rig.fault), STATUS_INTERRUPTED);
    rig_close(&rig);
}

/* ---- ranges ---- */

static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    return *seed ^= *seed << 5;
}

/* Rows of 3 columns with line feeds in quotes; every `odd`th row is broken in one way or another. */
static void fill(struct rig *rig, uint32_t *seed, size_t size, unsigned odd)
{
    static const char *const values[] = {
        "", "12345", "\"a,b\"", "\"x\ny\"", "\"\"\"\"", "\"\n\n\n\"", "\"1,2,3\n4,5,6\n\"", "plain text"};
    static const char *const breaks[] = {"x\"y", "1,2", "\"z\"q", "\n"};
    rig->length = (size_t)sprintf((char *)rig->content, "id,a,b\n");
    while (rig->length < size) {
        bool const broken = odd != 0 && next(seed) % odd == 0;
        rig->length +=
            (size_t)sprintf((char *)rig->content + rig->length, "%s,%s,%s\n", values[next(seed) % 8],
                            broken ? breaks[next(seed) % 4] : values[next(seed) % 8], values[next(seed) % 8]);
    }
    put(rig, rig->content, rig->length);
}

static void expect_same(const struct verify_result *ranged, const struct verify_result *whole)
{
    assert_int_equal(ranged->bytes, whole->bytes);
    assert_true(ranged->checksum == whole->checksum);
    assert_int_equal(ranged->other_header, whole->other_header);
    assert_int_equal(ranged->scan.bytes, whole->scan.bytes);
    assert_int_equal(ranged->scan.rows, whole->scan.rows);
    assert_int_equal(ranged->scan.uneven, whole->scan.uneven);
    assert_int_equal(ranged->scan.uneven_row, whole->scan.uneven_row);
    assert_int_equal(ranged->scan.uneven_columns, whole->scan.uneven_columns);
    assert_int_equal(ranged->scan.defects, whole->scan.defects);
    assert_int_equal(ranged->scan.defect_offset, whole->scan.defect_offset);
}

static void look_in_ranges(struct rig *rig, size_t step, struct verify_result *result)
{
    static struct verify_range ranges[RANGES_MAX];
    size_t count = 0;
    for (uint64_t begin = 0; begin < rig->length; begin += step) {
        assert_true(count < RANGES_MAX);
        uint64_t const end = begin + step < rig->length ? begin + step : rig->length;
        ranges[count] = (struct verify_range){.begin = begin, .end = end};
        assert_int_equal(verify_file_range(&rig->tools, &rig->task, &ranges[count], &rig->fault), STATUS_OK);
        count++;
    }
    *result = (struct verify_result){.seen = false};
    assert_int_equal(verify_file_join(&rig->tools, &rig->task, ranges, count, result, &rig->fault),
                     STATUS_OK);
}

static void finds_the_same_in_ranges(void **state)
{
    (void)state;
    uint32_t seed = 7;
    struct rig rig;
    rig_open(&rig);
    set_header(&rig, "id,a,b\n", 3);
    for (unsigned round = 0; round < 120; round++) {
        bool const large = round % 10 == 0;
        fill(&rig, &seed, large ? 700000 : 1 + next(&seed) % 3000, round % 3 == 0 ? 0 : 1 + next(&seed) % 40);
        struct verify_result const whole = look(&rig);
        struct verify_result ranged;
        look_in_ranges(&rig, large ? 60000 + next(&seed) % 300000 : 1 + next(&seed) % 400, &ranged);
        expect_same(&ranged, &whole);
        if (round % 3 == 0) assert_int_equal(ranged.scan.defects, 0);
    }
    rig_close(&rig);
}

/* One row larger than many ranges, and no line feed at all. */
static void finds_the_same_in_ranges_without_rows(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    set_header(&rig, "id,a,b\n", 3);
    memset(rig.content, 'x', 5000);
    memcpy(rig.content, "id,a,b\n1,", 9);
    memcpy(rig.content + 3000, ",2\n3,4,5\n", 9);
    for (size_t length = 2000; length <= 5000; length += 1000) {
        rig.length = length;
        put(&rig, rig.content, length);
        struct verify_result const whole = look(&rig);
        struct verify_result ranged;
        look_in_ranges(&rig, 64, &ranged);
        expect_same(&ranged, &whole);
    }
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_header),         cmocka_unit_test(compares_with_the_header),
        cmocka_unit_test(reads_packed_files),       cmocka_unit_test(says_what_can_not_be_read),
        cmocka_unit_test(finds_the_same_in_ranges), cmocka_unit_test(finds_the_same_in_ranges_without_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_row_contender.c - what deduplication compares: times to the microsecond, digests of ids as texts, and
 * who is a contender at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/row_desk.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void start(struct row_desk *desk, enum identity_deduplicate deduplicate, const char *timestamp)
{
    row_desk_start(desk, "identityMap.CRM");
    desk->job.mapping.identity.multiple = IDENTITY_EXPLODE;
    desk->job.mapping.identity.deduplicate = deduplicate;
    if (timestamp != NULL)
        desk->job.mapping.identity.timestamp = *memory_paths(&desk->job.arena, &timestamp, 1);
    memory_column(&desk->job, "a")->required = true;
    row_desk_ready(desk);
}

#define ID "\"identityMap\":{\"CRM\":[{\"id\":1}]}"

static void reads_the_time(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        int64_t time;
    } cases[] = {
        {"{" ID ",\"a\":1,\"t\":\"1970-01-01T00:00:01.5Z\"}", 1500000},
        {"{" ID ",\"a\":1,\"t\":\"1970-01-01T00:00:00.0000019+00:00\"}", 1},
        {"{" ID ",\"a\":1,\"t\":\"1969-12-31\"}", INT64_C(-86400000000)},
        {"{" ID ",\"a\":1,\"t\":1700000000123.4567}", INT64_C(1700000000123456)},
        {"{" ID ",\"a\":1,\"t\":-0.0001}", -1},
        {"{" ID ",\"a\":1,\"t\":null}", ROW_TIME_NONE},
        {"{" ID ",\"a\":1,\"t\":\"\"}", ROW_TIME_NONE},
        {"{" ID ",\"a\":1}", ROW_TIME_NONE},
    };
    struct row_desk desk;
    start(&desk, IDENTITY_KEEP_LATEST, "t");
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(row_desk_says(&desk, cases[i].record), "1,1\n");
        assert_true(desk.row.is_contender);
        assert_true(desk.row.time == cases[i].time);
    }
    static const char *const bad[] = {"\"soon\"", "true", "{}", "[]", "1e30", "\"1700000000123\""};
    for (size_t i = 0; i < COUNT(bad); i++) {
        char record[128];
        snprintf(record, sizeof record, "{" ID ",\"a\":1,\"t\":%s}", bad[i]);
        assert_string_equal(row_desk_says(&desk, record), "fail bad_timestamp t");
        assert_false(desk.row.is_contender);
    }
    row_desk_end(&desk);
}

static bool same(struct key_digest a, struct key_digest b)
{
    return a.low == b.low && a.high == b.high;
}

static void digests_ids_as_texts(void **state)
{
    (void)state;
    struct row_desk desk;
    start(&desk, IDENTITY_KEEP_LATEST, NULL);
    (void)row_desk_says(
        &desk, "{\"a\":1,\"identityMap\":{\"CRM\":[{\"id\":\"A\"},{\"id\":\"\\u0041\"},{\"id\":\"a\"},"
               "{\"id\":7},{\"id\":\"7\"},{\"id\":7.0},{\"id\":\"A \"}]}}");
    const struct key_digest *keys = desk.row.keys;
    static const char *const wanted[] = {"A", "a", "7", "7.0", "A "}; /* each text once */
    assert_int_equal(desk.row.id_count, COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++)
        assert_true(same(keys[i], key_digest_of(wanted[i], strlen(wanted[i]))));
    (void)row_desk_says(&desk, "{\"a\":1,\"identityMap\":{\"CRM\":[{\"id\":\"alone\"}]}}");
    assert_true(same(keys[0], key_digest_of("alone", 5)));
    (void)row_desk_says(&desk, "{\"a\":1,\"identityMap\":{\"CRM\":[{\"id\":\"\\u0061lone\"}]}}");
    assert_true(same(keys[0], key_digest_of("alone", 5)));
    assert_true(desk.row.time == ROW_TIME_NONE);
    row_desk_end(&desk);
}

/* Two ids that are written alike are one, within a record and between records. */
static void digests_ids_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *ids;     /* of a record */
        const char *written; /* those of its rows, each followed by a blank */
    } cases[] = {
        {"{\"id\":\"a\\u0000b\"},{\"id\":\"ab\"}", "ab "},
        {"{\"id\":\"a\\nb\"},{\"id\":\"a b\"},{\"id\":\"a\\r\\nb\"}", "a b "},
        {"{\"id\":\"=1\"},{\"id\":\"'=1\"}", "'=1 "},
        {"{\"id\":\"\\u0000=1\"},{\"id\":\"\\u003d1\"}", "'=1 "},
        {"{\"id\":-1},{\"id\":\"-1\"}", "-1 '-1 "}, /* a number is no formula */
        {"{\"id\":\"=1\"}", "'=1 "},
        {"{\"id\":\"'=1\"}", "'=1 "},
        {"{\"id\":\"x\\ty\"}", "x\ty "},
    };
    struct row_desk desk;
    row_desk_start(&desk, "identityMap.CRM");
    desk.job.mapping.identity.multiple = IDENTITY_EXPLODE;
    desk.job.mapping.identity.deduplicate = IDENTITY_KEEP_LATEST;
    desk.job.mapping.csv.newline_to_space = true;
    desk.job.mapping.csv.null_character_drop = true;
    desk.job.mapping.csv.formula_escape = true;
    desk.job.mapping.csv.line_end = CSV_LINE_LF;
    row_desk_ready(&desk);
    for (size_t i = 0; i < COUNT(cases); i++) {
        static char rows[ROW_DESK_RECORD_MAX + 200];
        char record[256];
        snprintf(record, sizeof record, "{\"identityMap\":{\"CRM\":[%s]}}", cases[i].ids);
        snprintf(rows, sizeof rows, "%s", row_desk_says(&desk, record));
        uint32_t count = 0;
        for (char *at = rows, *end; (end = strchr(at, '\n')) != NULL; at = end + 1, count++) {
            assert_true(count < desk.row.id_count);
            assert_true(same(desk.row.keys[count], key_digest_of(at, (size_t)(end - at))));
            *end = ' ';
        }
        assert_string_equal(rows, cases[i].written);
        assert_int_equal(desk.row.id_count, count);
    }
    row_desk_end(&desk);
}

/* From that stage on, whatever becomes of the record. */
static void says_who_contends(void **state)
{
    (void)state;
    struct row_desk desk;
    start(&desk, IDENTITY_KEEP_LATEST, "t");
    assert_string_equal(row_desk_says(&desk, "{" ID "}"), "skip required");
    assert_true(desk.row.is_contender);
    assert_string_equal(row_desk_says(&desk, "{" ID ",\"a\":\"\\ud800\"}"), "fail lone_surrogate a");
    assert_true(desk.row.is_contender);
    assert_string_equal(row_desk_says(&desk, "{\"a\":1}"), "fail missing_identity identityMap.CRM");
    assert_false(desk.row.is_contender);
    assert_string_equal(row_desk_says(&desk, "{" ID ",\"a\":tru}"), "fail syntax -");
    assert_false(desk.row.is_contender); /* syntax goes before, in whatever column */
    row_desk_end(&desk);
    start(&desk, IDENTITY_KEEP_ALL, "t");
    assert_string_equal(row_desk_says(&desk, "{" ID ",\"a\":1,\"t\":\"not looked at\"}"), "1,1\n");
    assert_false(desk.row.is_contender);
    row_desk_end(&desk);
}

/* What csv options change in the id itself is known for each row. */
static void notes_changes_of_ids(void **state)
{
    (void)state;
    struct row_desk desk;
    row_desk_start(&desk, "identityMap.CRM");
    desk.job.mapping.identity.multiple = IDENTITY_EXPLODE;
    desk.job.mapping.identity.deduplicate = IDENTITY_KEEP_LATEST;
    desk.job.mapping.csv.newline_to_space = true;
    desk.job.mapping.csv.formula_escape = true;
    memory_column(&desk.job, "a");
    row_desk_ready(&desk);
    assert_string_equal(
        row_desk_says(&desk, "{\"a\":\"\\n\",\"identityMap\":{\"CRM\":[{\"id\":\"=\\n\"},{\"id\":\"1\"},"
                             "{\"id\":\"-\"}]}}"),
        "'= , \n1, \n'-, \n");
    assert_int_equal(desk.row.id_changed[0], 1u << CHANGE_NEWLINE | 1u << CHANGE_FORMULA);
    assert_int_equal(desk.row.id_changed[1], 0);
    assert_int_equal(desk.row.id_changed[2], 1u << CHANGE_FORMULA);
    assert_int_equal(desk.row.changed[CHANGE_NEWLINE], 1);
    row_desk_end(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_time),         cmocka_unit_test(digests_ids_as_texts),
        cmocka_unit_test(digests_ids_as_written), cmocka_unit_test(says_who_contends),
        cmocka_unit_test(notes_changes_of_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

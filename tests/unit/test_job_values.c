/* test_job_values.c - values of job files and their bounds: names, headers, columns, sizes, budgets; and the
 * short form, by flags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/job_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_dialect(void **state)
{
    (void)state;
    struct job job;
    load(JOB_BEGIN "csv: { dialect: pega }\n", &job);
    assert_true(job.mapping.csv.newline_to_space);
    assert_true(job.mapping.csv.null_character_drop);
    job_free(&job);
    load(JOB_BEGIN "csv: { newline_in_value: keep, dialect: pega }\n", &job);
    assert_false(job.mapping.csv.newline_to_space);
    assert_true(job.mapping.csv.null_character_drop);
    job_free(&job);
    load(JOB_BEGIN "csv: { dialect: pega, null_character: reject, newline_in_value: ~ }\n", &job);
    assert_true(job.mapping.csv.newline_to_space);
    assert_false(job.mapping.csv.null_character_drop);
    job_free(&job);
    load(JOB_BEGIN "csv: { dialect: rfc4180, delimiter: \"\\x01\" }\n", &job);
    assert_false(job.mapping.csv.newline_to_space);
    assert_int_equal(job.mapping.csv.delimiter, 1);
    job_free(&job);
}

static void test_file_names(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{ name: \"{part}\" }",
        "{ name: x.csv }", /* a second file is refused when it is needed */
        "{ name: x.csv, max_rows: 5, max_bytes: 1MB }",
        "{ name: \"{name}{run_time}{run_id}{part}{part}\" }",
        "{ name: \"x{part}..csv\" }",
        "{ name: x.csv, max_rows: null }",
        "{ name: x.csv, max_rows: ~, max_bytes: null }",
        "{ name: \"Größe {part}.csv\" }",
    };
    static const char *const bad[][2] = {
        {"{ name: '' }", "is empty"},
        {"{ name: 'a/{part}' }", "holds a slash"},
        {"{ name: '.{part}' }", "begins with a dot"},
        {"{ name: '..' , max_rows: null }", "begins with a dot"},
        {"{ name: \"{part}\\n\" }", "holds a control"},
        {"{ name: \"{part}\\x85\" }", "holds a control"},
        {"{ name: \"{part}\\0\" }", "holds a NUL"},
        {"{ name: '{part' }", "has a \"{\" without"},
        {"{ name: 'part}' }", "has a \"}\" without"},
        {"{ name: '{{part}}' }", "\"{{part}\" is not a placeholder"},
        {"{ name: '{}{part}' }", "\"{}\" is not a placeholder"},
        {"{ name: '{ part }' }",
         "\"{ part }\" is not a placeholder; allowed are {name} {run_time} {run_id} {part}"},
        {"{ name: '{part}{date}' }", "\"{date}\" is not a placeholder"},
        {"{ name: '{part}{segment_id}' }", "{segment_id} is for jobs that split by segments"},
        {"{ name: '{part}{segment_name}' }", "{segment_name} is for jobs that split by segments"},
    };
    char text[1024], message[512];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct job job;
        snprintf(text, sizeof text, JOB_BEGIN "files: %s\n", good[i]);
        load(text, &job);
        job_free(&job);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, JOB_BEGIN "files: %s\n", bad[i][0]);
        snprintf(message, sizeof message, "acme.yaml:3: files.name: %s", bad[i][1]);
        refused(text, message);
    }
    /* 255 bytes less the temporary name's 22 and {part}'s 10. */
    char filler[225];
    struct job job;
    memset(filler, 'x', sizeof filler - 1);
    filler[224] = '\0';
    snprintf(text, sizeof text, JOB_BEGIN "files: { name: \"%s{part}\" }\n", filler + 1);
    load(text, &job);
    job_free(&job);
    snprintf(text, sizeof text, JOB_BEGIN "files: { name: \"%s{part}\" }\n", filler);
    refused(text, "acme.yaml:3: files.name: makes names of up to 234 bytes");
}

static void test_default_headers(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"person.name.firstName", "person_name_firstName"},
        {"$.personalEmail.address", "personalEmail_address"},
        {"['a.b'].c", "a_b_c"},
        {"_acme.tags[*]", "_acme_tags"},
        {"array[0].x", "array0_x"},
        {"a[-1]", "a-1"},
        {"a[?@.type == 'home'].street1", "a_street1"},
        {"xdm:a.b", "xdm:a_b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job job;
        char text[256];
        snprintf(text, sizeof text, JOB_BEGIN "columns: [ { path: \"%s\" } ]\n", cases[i][0]);
        load(text, &job);
        assert_string_equal(job.mapping.columns[0].name, cases[i][1]);
        job_free(&job);
    }
}

static char *many_columns(size_t count, const char *head)
{
    size_t const room = strlen(head) + 32 + count * 32;
    char *text = malloc(room);
    assert_non_null(text);
    size_t used = (size_t)snprintf(text, room, "%scolumns:\n", head);
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, room - used, "- { path: c%zu }\n", i);
    return text;
}

static void test_column_bounds(void **state)
{
    (void)state;
    struct job job;
    static const struct {
        size_t count;
        const char *head;
        size_t warnings;
        const char *message;
    } cases[] = {
        {250, JOB_HEAD, 0, NULL},
        {249, JOB_BEGIN, 0, NULL},
        {250, JOB_BEGIN, 1, NULL},
        {500, JOB_HEAD, 1, NULL},
        {499, JOB_BEGIN, 1, NULL},
        {500, JOB_BEGIN, 0, "acme.yaml:503: columns[499]: is one column too many; at most 500"},
        {501, JOB_HEAD, 0, "acme.yaml:503: columns[500]: is one column too many; at most 500"},
        {5000, JOB_BEGIN, 0, "acme.yaml:503: columns[499]: is one column too many; at most 500"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = many_columns(cases[i].count, cases[i].head);
        if (cases[i].message != NULL) {
            refused(text, cases[i].message);
        } else {
            load(text, &job);
            assert_int_equal(job.mapping.column_count, cases[i].count);
            assert_int_equal(job.warning_count, cases[i].warnings);
            job_free(&job);
        }
        free(text);
    }
}

static void test_headers_and_texts(void **state)
{
    (void)state;
    struct job job;
    /* 64 characters (of two bytes) are fine, 65 are warned of; the identity column too. */
    char umlauts[2 * 65 + 1], text[512 + MAPPING_TEXT_MAX];
    for (size_t i = 0; i < 65; i++)
        memcpy(umlauts + 2 * i, "\xC3\xA9", 3);
    snprintf(text, sizeof text,
             JOB_HEAD "identity: { column: %s, paths: [ a ] }\ncolumns: [ { name: %s, path: b } ]\n", umlauts,
             umlauts + 2);
    load(text, &job);
    assert_int_equal(job.warning_count, 1);
    assert_non_null(strstr(job.warnings[0], "jobs/acme.yaml:2: identity.column: the header"));
    job_free(&job);
    char longest[MAPPING_TEXT_MAX + 2];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    snprintf(text, sizeof text, JOB_BEGIN "columns: [ { name: c, constant: %s } ]\n", longest + 1);
    load(text, &job);
    assert_int_equal(strlen(job.mapping.columns[0].constant), MAPPING_TEXT_MAX);
    job_free(&job);
    static const char *const keys[] = {"columns: [ { name: c, constant: %s } ]\n", "csv: { null: %s }\n",
                                       "columns: [ { path: c, default: %s } ]\n",
                                       "csv: { list_separator: %s }\n",
                                       "columns: [ { path: c, name: %s } ]\n"};
    static const char *const places[] = {"columns[0].constant", "csv.null", "columns[0].default",
                                         "csv.list_separator", "columns[0].name"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char message[128], *at = text + sprintf(text, JOB_BEGIN);
        const char *value = strstr(keys[i], "%s");
        at += sprintf(at, "%.*s%s%s", (int)(value - keys[i]), keys[i], longest, value + 2);
        assert_true((size_t)(at - text) < sizeof text);
        snprintf(message, sizeof message, "acme.yaml:3: %s: is 4097 bytes long; at most 4096", places[i]);
        refused(text, message);
    }
}

static void test_rejects_path(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"acme.yaml", "r.jsonl", "r.jsonl"},
        {"/etc/acme.yaml", "r.jsonl", "/etc/r.jsonl"},
        {"a/b.yaml", "../r.jsonl", "a/../r.jsonl"},
        {"a/b.yaml", "/tmp/r.jsonl", "/tmp/r.jsonl"},
        {"/b.yaml", "r", "/r"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job job;
        char text[256];
        int const length =
            snprintf(text, sizeof text, JOB_BEGIN "rejects: { path: %s, max: \"12\" }\n", cases[i][1]);
        assert_int_equal(job_load_bytes(cases[i][0], text, (size_t)length, &job, NULL), STATUS_OK);
        assert_string_equal(job.rejects_path, cases[i][2]);
        assert_int_equal(job.budget.records, 12);
        job_free(&job);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"1", 1},
        {"4096B", 4096},
        {"1KB", 1000},
        {"1K", 1024},
        {"1KiB", 1024},
        {"1.5GB", 1500000000},
        {"16MiB", 16777216},
        {"2M", 2097152},
        {"2MB", 2000000},
        {"1G", 1ull << 30},
        {"1GiB", 1ull << 30},
        {"1T", 1ull << 40},
        {"1TiB", 1ull << 40},
        {"1TB", 1000000000000},
        {"0.5K", 512},
        {"0.000001MB", 1},
        {"0.0001K", 0},
        {"1.999999TiB", 2199022156040},
        {"18446744073709551615", UINT64_MAX},
        {"16777215TiB", 16777215ull << 40},
    };
    static const char *const bad[] = {"",
                                      "B",
                                      "-1",
                                      "+1",
                                      "1.",
                                      ".5K",
                                      "1.5",
                                      "1.5B",
                                      "1 K",
                                      " 1",
                                      "1K ",
                                      "01",
                                      "1k",
                                      "1mib",
                                      "1KBB",
                                      "0x10",
                                      "1e3",
                                      "1,5K",
                                      "1.1.1K",
                                      "1.0000001K",
                                      "00",
                                      "1_000",
                                      "1PB",
                                      "K",
                                      "18446744073709551616",
                                      "16777216TiB",
                                      "99999999999999999999"};
    uint64_t bytes = 0;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!job_parse_size(good[i].text, &bytes)) fail_msg("%s", good[i].text);
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (job_parse_size(bad[i], &bytes)) fail_msg("\"%s\" was read", bad[i]);
}

static void test_budgets(void **state)
{
    (void)state;
    struct job_budget budget;
    static const struct {
        const char *text;
        uint64_t value;
        bool share;
    } good[] = {
        {"0", 0, false},
        {"1000", 1000, false},
        {"18446744073709551615", UINT64_MAX, false},
        {"5%", 50000, true},
        {"0.25%", 2500, true},
        {"0%", 0, true},
        {"100%", 1000000, true},
        {"0.0001%", 1, true},
        {"99.9999%", 999999, true},
        {"100.0000%", 1000000, true},
    };
    static const char *const bad[] = {"",
                                      "%",
                                      "1.5",
                                      "-1",
                                      "5 %",
                                      "5%%",
                                      "101%",
                                      "100.0001%",
                                      "01%",
                                      "0.00001%",
                                      "5.%",
                                      ".5%",
                                      "many",
                                      "1K",
                                      "1e3",
                                      "18446744073709551616",
                                      "18446744073709551616%",
                                      "1844674407370955162%"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!job_parse_budget(good[i].text, &budget)) fail_msg("%s", good[i].text);
        assert_int_equal(budget.is_share, good[i].share);
        assert_int_equal(good[i].share ? budget.millionths : budget.records, good[i].value);
        assert_ptr_equal(budget.text, good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (job_parse_budget(bad[i], &budget)) fail_msg("\"%s\" was read", bad[i]);
}

static void test_flags(void **state)
{
    (void)state;
    struct job job;
    struct fault fault = {0};
    const struct job_flag_column columns[] = {{"Email", "personalEmail.address"}, {"N", "a[0]"}};
    assert_int_equal(job_from_flags("identityMap.CustomerID", columns, 2, &job, &fault), STATUS_OK);
    assert_null(job.file);
    assert_string_equal(job.name, "export");
    assert_string_equal(job.mapping.identity.column, "CustomerID");
    assert_int_equal(job.mapping.identity.path_count, 1);
    assert_int_equal(job.mapping.identity.paths[0].part_count, 2);
    assert_int_equal(job.mapping.column_count, 2);
    assert_string_equal(job.mapping.columns[1].name, "N");
    assert_int_equal(job.mapping.columns[1].paths[0].part_count, 2);
    assert_int_equal(job.max_rows, 5000000);
    assert_int_equal(job.mapping.csv.delimiter, ',');
    job_free(&job);
    assert_int_equal(job_from_flags(NULL, columns, 2, &job, &fault), STATUS_OK);
    assert_null(job.mapping.identity.column);
    job_free(&job);
    assert_int_equal(job_from_flags("id", NULL, 0, &job, &fault), STATUS_OK);
    assert_int_equal(job.mapping.column_count, 0);
    job_free(&job);
}

static void flags_refused(const char *id, const char *name, const char *path, size_t count,
                          const char *message)
{
    struct job job;
    struct fault fault = {0};
    struct job_flag_column *columns = calloc(count + 1, sizeof *columns);
    assert_non_null(columns);
    for (size_t i = 0; i < count; i++)
        columns[i] = (struct job_flag_column){name, path};
    assert_int_equal(job_from_flags(id, columns, count, &job, &fault), STATUS_USAGE);
    free(columns);
    assert_int_equal(fault.status, STATUS_USAGE);
    if (strncmp(fault.message, message, strlen(message)) != 0)
        fail_msg("message: %s\nwanted:  %s", fault.message, message);
    job_free(&job);
}

static void test_flag_refusals(void **state)
{
    (void)state;
    flags_refused(NULL, NULL, NULL, 0, "--column: there is nothing to write; give --id");
    flags_refused("a..b", NULL, NULL, 0, "--id: path \"a..b\", character 3: ");
    flags_refused("", NULL, NULL, 0, "--id: path \"\", character 1: is empty");
    flags_refused(NULL, "E", "a[", 1, "--column: E: path \"a[\", character 3: ");
    flags_refused(NULL, "", "a", 1, "--column: the name: is empty");
    flags_refused(NULL, "a\nb", "a", 1, "--column: the name: \"a?b\" holds a control");
    flags_refused(NULL, "a\xFF", "a", 1, "--column: the name: is not UTF-8 from byte 2 on");
    flags_refused(NULL, "E", "a", 2, "--column: \"E\" is the header of --column already");
    flags_refused("id", "CustomerID", "a", 1,
                  "--column: \"CustomerID\" is the header of the identity column already");
    flags_refused(NULL, "E", "a", 100000, "--column: is one column too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialect),
        cmocka_unit_test(test_file_names),
        cmocka_unit_test(test_default_headers),
        cmocka_unit_test(test_column_bounds),
        cmocka_unit_test(test_headers_and_texts),
        cmocka_unit_test(test_rejects_path),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_budgets),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_flag_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_report.c - the run report and its summary: every field, the ways to write it, failing writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/report.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int enter_scratch(void **state)
{
    char *const folder = strdup("/tmp/test_report_XXXXXX");
    *state = folder;
    return folder == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_scratch(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    int const failed = chdir("/") != 0 || system(command) != 0;
    free(*state);
    return failed;
}

static const struct report_file files[] = {
    {.url = "out/a\"\xFF.csv", .kind = REPORT_FILE_DATA, .rows = 3, .bytes = 100},
    {.url = "out/a.xml", .kind = REPORT_FILE_MANIFEST, .rows = 0, .bytes = 7},
    {.url = "out/p.csv", .kind = REPORT_FILE_PURGE, .rows = 1, .bytes = 20},
    {.url = "out/a.xml.TOK", .kind = REPORT_FILE_TOKEN, .rows = 0, .bytes = 0}};

static struct report a_report(void)
{
    struct report report = {.version = "1.2.3",
                            .run_id = "0123456789abcdef",
                            .job = "acme",
                            .mode = "full",
                            .started_milliseconds = 1795316400000,
                            .completed_milliseconds = 1795316402005,
                            .elapsed_nanoseconds = 2000000000,
                            .input_bytes = 1000,
                            .input_files = 2,
                            .status = REPORT_SUCCESS,
                            .files = files,
                            .file_count = sizeof files / sizeof files[0],
                            .stages = {.of = {[STAGE_READ] = {.busy = 250000000, .bytes = 1000},
                                              [STAGE_CONVERT] = {1500000000, 2000, 999},
                                              [STAGE_DELIVER] = {.busy = 1, .waiting = 1000000}},
                                       .bottleneck = STAGE_CONVERT},
                            .threads = 4,
                            .peak_rss_bytes = 123456789012,
                            .retries = 1,
                            .throttles = 2};
    report.tally = (struct tally){.input = 10, .delivered = 3, .rows = 4, .duplicate_keys = 1};
    report.tally.skipped[SKIP_SEGMENT] = 3;
    report.tally.skipped[SKIP_IDENTITY] = 1;
    report.tally.failed[DEFECT_SYNTAX] = 2;
    report.tally.failed[DEFECT_NULL_CHARACTER] = 1;
    report.tally.changed[CHANGE_FORMULA] = 5;
    return report;
}

static const char expected[] =
    "{\n"
    "  \"tool\": \"penstock\",\n"
    "  \"version\": \"1.2.3\",\n"
    "  \"runId\": \"0123456789abcdef\",\n"
    "  \"job\": \"acme\",\n"
    "  \"mode\": \"full\",\n"
    "  \"metrics\": {\n"
    "    \"durationSummary\": { \"startedAtUTC\": \"2026-11-22T03:00:00.000Z\", \"completedAtUTC\": "
    "\"2026-11-22T03:00:02.005Z\" },\n"
    "    \"sizeSummary\": { \"inputBytes\": 1000, \"outputBytes\": 120 },\n"
    "    \"recordSummary\": {\n"
    "      \"inputRecordCount\": 10,\n"
    "      \"deliveredRecordCount\": 3,\n"
    "      \"outputRowCount\": 4,\n"
    "      \"skippedRecordCount\": 4,\n"
    "      \"skippedByReason\": { \"segment\": 3, \"consent\": 0, \"required\": 0, \"duplicate\": 0, "
    "\"unchanged\": "
    "0, \"identity\": 1 },\n"
    "      \"failedRecordCount\": 3,\n"
    "      \"failedByReason\": { \"syntax\": 2, \"null_character\": 1 },\n"
    "      \"duplicateKeyRecordCount\": 1,\n"
    "      \"changedByReason\": { \"newline\": 0, \"null_character\": 0, \"formula\": 5 }\n"
    "    },\n"
    "    \"fileSummary\": { \"inputFileCount\": 2, \"outputFileCount\": 2 },\n"
    "    \"statusSummary\": {\n"
    "      \"status\": \"success\",\n"
    "      \"errors\": []\n"
    "    }\n"
    "  },\n"
    "  \"files\": [\n"
    "    { \"url\": \"out/a\\\"\xEF\xBF\xBD.csv\", \"kind\": \"data\", \"rows\": 3, \"bytes\": 100 },\n"
    "    { \"url\": \"out/a.xml\", \"kind\": \"manifest\", \"rows\": 0, \"bytes\": 7 },\n"
    "    { \"url\": \"out/p.csv\", \"kind\": \"purge\", \"rows\": 1, \"bytes\": 20 },\n"
    "    { \"url\": \"out/a.xml.TOK\", \"kind\": \"token\", \"rows\": 0, \"bytes\": 0 }\n"
    "  ],\n"
    "  \"performance\": {\n"
    "    \"bottleneck\": \"convert\",\n"
    "    \"stages\": {\n"
    "      \"read\": { \"busySeconds\": 0.250000, \"waitingSeconds\": 0.000000, \"bytes\": 1000 },\n"
    "      \"convert\": { \"busySeconds\": 1.500000, \"waitingSeconds\": 0.000002, \"bytes\": 999 },\n"
    "      \"write\": { \"busySeconds\": 0.000000, \"waitingSeconds\": 0.001000, \"bytes\": 0 }\n"
    "    },\n"
    "    \"rowsPerSecond\": 2,\n"
    "    \"inputBytesPerSecond\": 500,\n"
    "    \"threads\": 4,\n"
    "    \"peakRssBytes\": 123456789012,\n"
    "    \"retries\": 1,\n"
    "    \"throttles\": 2\n"
    "  }\n"
    "}\n";

static void expect_content(const char *path, const char *content)
{
    char text[8192] = {0};
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_string_equal(text, content);
}

static void write_ok(const struct report *report, const char *path)
{
    struct fault fault = {0};
    enum status const status = report_write(report, path, &fault);
    assert_string_equal(fault.message, "");
    assert_int_equal(status, STATUS_OK);
}

static size_t entries(void)
{
    size_t count = 0;
    DIR *const folder = opendir(".");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2;
}

static void writes_every_field(void **state)
{
    (void)state;
    struct report const report = a_report();
    write_ok(&report, "report.json");
    expect_content("report.json", expected);
    assert_int_equal(entries(), 1);
}

static void read_report(char *text, size_t size)
{
    FILE *const file = fopen("report.json", "r");
    assert_non_null(file);
    memset(text, 0, size);
    assert_true(fread(text, 1, size - 1, file) > 0);
    fclose(file);
}

static void writes_a_failed_run(void **state)
{
    (void)state;
    struct report_error const errors[] = {{"input", "line\n\"two\""}, {"io", "x"}};
    struct report report = {.version = "1",
                            .run_id = "r",
                            .job = NULL,
                            .mode = "full",
                            .started_milliseconds = -1,
                            .status = REPORT_FAILED,
                            .errors = errors,
                            .error_count = 2,
                            .stages.bottleneck = STAGE_DELIVER,
                            .uploads = true};
    report.tally.input = 7; /* not balanced: a failed run may be cut anywhere */
    write_ok(&report, "report.json");
    char text[8192];
    read_report(text, sizeof text);
    assert_non_null(strstr(text, "\"job\": \"\""));
    assert_non_null(strstr(text, "\"startedAtUTC\": \"1969-12-31T23:59:59.999Z\""));
    assert_non_null(strstr(text, "\"failedByReason\": {},"));
    assert_non_null(strstr(text, "\"status\": \"failed\""));
    assert_non_null(strstr(text, "{ \"code\": \"input\", \"message\": \"line\\n\\\"two\\\"\" },\n"));
    assert_non_null(strstr(text, "\"files\": [],"));
    assert_non_null(
        strstr(text, "\"bottleneck\": \"upload\",\n    \"stages\": {},\n    \"rowsPerSecond\": 0,"));
    report.stages.bottleneck = STAGE_NONE;
    write_ok(&report, "report.json");
    read_report(text, sizeof text);
    assert_non_null(strstr(text, "\"bottleneck\": null,\n    \"stages\": {},\n"));
}

static void refuses_a_lie(void **state)
{
    (void)state;
    struct report report = a_report();
    report.tally.delivered++;
    struct fault fault = {0};
    assert_int_equal(report_write(&report, "report.json", &fault), STATUS_INTERNAL);
    assert_int_equal(entries(), 0);
}

static void replaces(void **state)
{
    (void)state;
    struct report const report = a_report();
    assert_int_equal(mkdir("deep", 0777), 0);
    write_ok(&report, "deep/real.json");
    FILE *const file = fopen("deep/real.json", "a");
    assert_non_null(file);
    fputs("old", file);
    fclose(file);
    assert_int_equal(symlink("deep/real.json", "link.json"), 0);
    FILE *const stale = fopen("deep/.real.json.0123456789abcdef.tmp", "w");
    assert_non_null(stale);
    fclose(stale);
    write_ok(&report, "link.json");
    struct stat found;
    assert_int_equal(lstat("link.json", &found), 0);
    assert_true(S_ISLNK(found.st_mode));
    expect_content("deep/real.json", expected);
    assert_int_equal(access("deep/.real.json.0123456789abcdef.tmp", F_OK), -1);
}

static void expect_failure(const char *path, enum status status, const char *words)
{
    struct report const report = a_report();
    struct fault fault = {0};
    assert_int_equal(report_write(&report, path, &fault), status);
    if (strstr(fault.message, words) == NULL) fail_msg("'%s' not in: %s", words, fault.message);
}

static void expect_checked(const char *path, enum status status, const char *words)
{
    struct fault fault = {0};
    assert_int_equal(report_check(path, "0123456789abcdef", &fault), status);
    if (strstr(fault.message, words) == NULL) fail_msg("'%s' not in: %s", words, fault.message);
}

static void put(const char *path, const char *text)
{
    FILE *const file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Dumps, jobs, reject files: whatever is not a report stays as it is. */
static void leaves_what_is_not_ours(void **state)
{
    (void)state;
    static const char *const others[] = {"x", "{\n  \"tool\": \"penstoc", "{\"tool\": \"penstock\"}\n",
                                         "{\"source\":\"dump\"}\n"};
    assert_int_equal(symlink("other", "link"), 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put("other", others[i]);
        expect_checked("other", STATUS_USAGE, "other: exists and is not a report");
        expect_checked("link", STATUS_USAGE, "exists and is not a report");
        expect_failure("other", STATUS_IO, "the delivery stands");
        expect_failure("link", STATUS_IO, "exists and is not a report");
        expect_content("other", others[i]);
    }
    struct report report = a_report();
    report.status = REPORT_FAILED;
    struct fault fault = {0};
    assert_int_equal(report_write(&report, "other", &fault), STATUS_IO);
    assert_null(strstr(fault.message, "delivery stands"));
    put("other", "");
    expect_checked("link", STATUS_OK, "");
    report = a_report();
    write_ok(&report, "other");
    expect_checked("link", STATUS_OK, "");
    expect_checked("new", STATUS_OK, "");
    expect_checked("-", STATUS_OK, "");
    expect_checked("/dev/null", STATUS_OK, "");
    expect_checked("missing/new", STATUS_IO, "missing/new");
    expect_checked(".", STATUS_IO, "is a directory");
    assert_int_equal(entries(), 2);
}

static void tells_failures(void **state)
{
    (void)state;
    expect_failure("missing/report.json", STATUS_IO, "missing/report.json");
    expect_failure(".", STATUS_IO, "is a directory");
    expect_failure("/dev/full", STATUS_IO, "free space");
    expect_failure("/proc/report.json", STATUS_IO, "/proc/report.json");
    char name[300];
    memset(name, 'a', sizeof name);
    name[299] = '\0';
    expect_failure(name, STATUS_IO, "shorter");
    assert_int_equal(entries(), 0);
    struct report const report = a_report();
    write_ok(&report, "/dev/null");
}

static void writes_standard_output(void **state)
{
    (void)state;
    struct report const report = a_report();
    int const kept = dup(STDOUT_FILENO);
    fflush(stdout);
    assert_non_null(freopen("captured", "w", stdout));
    struct fault fault = {0};
    printf("before\n");
    enum status const status = report_write(&report, "-", &fault);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    assert_int_equal(status, STATUS_OK);
    char whole[sizeof expected + 16];
    snprintf(whole, sizeof whole, "before\n%s", expected);
    expect_content("captured", whole);
}

static void expect_summary(const struct report *report, const char *text)
{
    char out[REPORT_SUMMARY_SIZE];
    report_summary(report, out, sizeof out);
    assert_string_equal(out, text);
}

static void summarises(void **state)
{
    (void)state;
    struct report report = a_report();
    expect_summary(&report,
                   "penstock: 10 records in, 4 rows out in 2 files (120 B), 3 failed, 4 skipped, 2.00 s, "
                   "2 rows/s, 500 B/s, bottleneck: convert\n"
                   "penstock: failed: syntax 2, null_character 1; skipped: segment 3, identity 1; values "
                   "changed: formula 5; 1 record with a key twice\n");
    struct report_file const file = {.url = "x", .kind = REPORT_FILE_DATA, .rows = 199998, .bytes = 33200000};
    report.files = &file;
    report.file_count = 1;
    report.tally = (struct tally){.input = 200000, .delivered = 199998, .rows = 199998};
    report.tally.failed[DEFECT_UTF8] = 2;
    report.elapsed_nanoseconds = 350000000;
    report.input_bytes = 320000000;
    expect_summary(&report,
                   "penstock: 200000 records in, 199998 rows out in 1 file (33.2 MB), 2 failed, 0 skipped, "
                   "0.35 s, 571 k rows/s, 914 MB/s, bottleneck: convert\npenstock: failed: utf8 2\n");
    report.tally = (struct tally){.input = 1, .delivered = 1, .rows = 1, .duplicate_keys = 2};
    report.elapsed_nanoseconds = 3661000000000;
    report.input_bytes = UINT64_MAX;
    expect_summary(
        &report, "penstock: 1 record in, 1 row out in 1 file (33.2 MB), 0 failed, 0 skipped, 1 h 1 min 1 s, "
                 "0 rows/s, 5.04 PB/s, bottleneck: convert\npenstock: 2 records with a key twice\n");
    report = (struct report){.status = REPORT_FAILED};
    report.tally.input = 5;
    expect_summary(&report, "penstock: 5 records in, nothing delivered, 0 failed, 0 skipped, 0.00 s\n");
    report.elapsed_nanoseconds = 1000000000; /* how much of the input was read is not known */
    report.input_bytes = 1000;
    expect_summary(&report, "penstock: 5 records in, nothing delivered, 0 failed, 0 skipped, 1.00 s\n");
    report.tally.input = 0; /* no rate of nothing */
    expect_summary(&report, "penstock: 0 records in, nothing delivered, 0 failed, 0 skipped, 1.00 s\n");
}

static void summary_is_bounded(void **state)
{
    (void)state;
    struct report report = a_report();
    memset(&report.tally, 0xFF, sizeof report.tally);
    report.elapsed_nanoseconds = UINT64_MAX;
    char whole[REPORT_SUMMARY_SIZE];
    report_summary(&report, whole, sizeof whole);
    size_t const length = strlen(whole);
    assert_true(length < sizeof whole - 1);
    assert_int_equal(whole[length - 1], '\n');
    for (size_t size = 1; size < 200; size++) {
        char cut[200];
        report_summary(&report, cut, size);
        assert_int_equal(strlen(cut), size - 1);
        assert_memory_equal(cut, whole, size - 1);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_scratch, leave_scratch)
    const struct CMUnitTest tests[] = {TEST(writes_every_field),      TEST(writes_a_failed_run),
                                       TEST(refuses_a_lie),           TEST(replaces),
                                       TEST(leaves_what_is_not_ours), TEST(tells_failures),
                                       TEST(writes_standard_output),  TEST(summarises),
                                       TEST(summary_is_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_rejects.c - the reject file: its lines, its mode, what stands at its path before, failing writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "io/output/rejects.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int enter_scratch(void **state)
{
    char *const folder = strdup("/tmp/test_rejects_XXXXXX");
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

static struct reject a_reject(void)
{
    return (struct reject){.source = "dump.ndjson",
                           .offset = 10,
                           .length = 4,
                           .line = 2,
                           .code = DEFECT_SYNTAX,
                           .path = "",
                           .raw = (const uint8_t *)"{\"a\"",
                           .raw_length = 4};
}

static void put(const char *path, const char *text)
{
    FILE *const file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* The whole file; the caller frees it. */
static char *get(const char *path, size_t *length)
{
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    size_t const most = 4u << 20;
    char *const text = malloc(most + 1);
    assert_non_null(text);
    *length = fread(text, 1, most, file);
    text[*length] = '\0';
    fclose(file);
    return text;
}

static void expect_content(const char *path, const char *expected)
{
    size_t length = 0;
    char *const text = get(path, &length);
    assert_string_equal(text, expected);
    free(text);
}

static struct rejects *open_rejects(const char *path)
{
    struct fault fault = {0};
    struct rejects *const rejects = rejects_open(path, &fault);
    if (rejects == NULL) fail_msg("%s", fault.message);
    return rejects;
}

static void expect_refused(const char *path, enum status status, const char *words)
{
    struct fault fault = {0};
    assert_null(rejects_open(path, &fault));
    if (strstr(fault.message, words) == NULL) fail_msg("'%s' not in: %s", words, fault.message);
    assert_int_equal(fault.status, status);
}

static void add(struct rejects *rejects, const struct reject *reject)
{
    struct fault fault = {0};
    assert_int_equal(rejects_add(rejects, reject, &fault), STATUS_OK);
}

static void close_rejects(struct rejects *rejects)
{
    struct fault fault = {0};
    assert_int_equal(rejects_close(rejects, &fault), STATUS_OK);
    rejects_destroy(rejects);
}

static void writes_lines(void **state)
{
    (void)state;
    struct rejects *const rejects = open_rejects("r.jsonl");
    assert_int_equal(access("r.jsonl", F_OK), -1);
    struct reject reject = a_reject();
    add(rejects, &reject);
    reject = (struct reject){.source = "d\xFF\"\n.json",
                             .offset = UINT64_MAX,
                             .length = UINT64_MAX,
                             .line = UINT64_MAX,
                             .code = DEFECT_LONE_SURROGATE,
                             .path = "a['b']"};
    add(rejects, &reject);
    reject.path = NULL;
    reject.raw = (const uint8_t *)"\xff\xfe\xfd\x00";
    reject.raw_length = 4;
    add(rejects, &reject);
    reject.raw_length = 5; /* with the terminator of the literal */
    add(rejects, &reject);
    close_rejects(rejects);
#define NUMBERS "18446744073709551615,\"length\":18446744073709551615,\"line\":18446744073709551615"
#define SECOND \
    "{\"source\":\"d\xEF\xBF\xBD\\\"\\n.json\",\"offset\":" NUMBERS ",\"code\":\"lone_surrogate\",\"path\":"
    expect_content("r.jsonl",
                   "{\"source\":\"dump.ndjson\",\"offset\":10,\"length\":4,\"line\":2,\"code\":\"syntax\","
                   "\"path\":\"\",\"raw\":\"eyJhIg==\"}\n" SECOND "\"a['b']\",\"raw\":\"\"}\n" SECOND
                   "\"\",\"raw\":\"//79AA==\"}\n" SECOND "\"\",\"raw\":\"//79AAA=\"}\n");
}

static void cuts_raw(void **state)
{
    (void)state;
    size_t const size = LIMIT_REJECT_RAW + 1000;
    uint8_t *const raw = calloc(1, size);
    assert_non_null(raw);
    char *const source = malloc(20000);
    assert_non_null(source);
    memset(source, 1, 19999); /* each byte as \u0001: cut at its bound */
    source[19999] = '\0';
    struct rejects *const rejects = open_rejects("r.jsonl");
    struct reject reject = a_reject();
    reject.raw = raw;
    reject.raw_length = size;
    reject.source = source;
    reject.path = source;
    for (int i = 0; i < 10; i++)
        add(rejects, &reject);
    close_rejects(rejects);
    size_t length = 0;
    char *const text = get("r.jsonl", &length);
    char *line = text;
    for (int i = 0; i < 10; i++) {
        char *const end = strchr(line, '\n');
        assert_non_null(end);
        const char *const begin = strstr(line, "\"raw\":\"") + 7;
        assert_int_equal(end - 2 - begin, 87384);
        assert_memory_equal(end - 4, "==\"}", 4);
        line = end + 1;
    }
    assert_int_equal(line - text, length);
    free(text);
    free(raw);
    free(source);
}

static void has_mode_0600(void **state)
{
    (void)state;
    mode_t const old = umask(0777);
    struct rejects *const rejects = open_rejects("r.jsonl");
    struct reject const reject = a_reject();
    add(rejects, &reject);
    close_rejects(rejects);
    umask(old);
    struct stat found;
    assert_int_equal(stat("r.jsonl", &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
}

static void end_well(struct rejects *rejects)
{
    struct fault fault = {0};
    assert_int_equal(rejects_close(rejects, &fault), STATUS_OK);
    assert_int_equal(rejects_remove_former(rejects, &fault), STATUS_OK);
    rejects_destroy(rejects);
}

static void no_reject_no_file(void **state)
{
    (void)state;
    put("r.jsonl", "{\"source\":\"old\"}\n");
    close_rejects(open_rejects("r.jsonl")); /* the run failed: the old one stays */
    expect_content("r.jsonl", "{\"source\":\"old\"}\n");
    end_well(open_rejects("r.jsonl"));
    assert_int_equal(access("r.jsonl", F_OK), -1);
    put("r.jsonl", "");
    end_well(open_rejects("r.jsonl"));
    assert_int_equal(access("r.jsonl", F_OK), -1);
    end_well(open_rejects("r.jsonl"));
    assert_int_equal(rejects_remove_former(NULL, NULL), STATUS_OK);
    assert_int_equal(rejects_add(NULL, NULL, NULL), STATUS_OK);
    assert_int_equal(rejects_close(NULL, NULL), STATUS_OK);
    rejects_destroy(NULL);
}

static void replaces_the_former(void **state)
{
    (void)state;
    put("r.jsonl", "{\"source\":\"old\"}\n");
    struct rejects *rejects = open_rejects("r.jsonl");
    struct reject const reject = a_reject();
    add(rejects, &reject);
    add(rejects, &reject);
    end_well(rejects);
    size_t length = 0;
    char *const text = get("r.jsonl", &length);
    assert_null(strstr(text, "old"));
    assert_non_null(strstr(text, "dump.ndjson"));
    free(text);
    /* another run's that took its place meanwhile is left */
    rejects = open_rejects("r.jsonl");
    put("other", "{\"source\":\"other\"}\n");
    assert_int_equal(rename("other", "r.jsonl"), 0);
    end_well(rejects);
    expect_content("r.jsonl", "{\"source\":\"other\"}\n");
}

static void refuses_what_is_not_ours(void **state)
{
    (void)state;
    put("dump", "{\"a\":1}\n");
    expect_refused("dump", STATUS_JOB, "not a reject file");
    expect_content("dump", "{\"a\":1}\n");
    assert_int_equal(symlink("dump", "link"), 0);
    expect_refused("link", STATUS_JOB, "symbolic link");
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    expect_refused("dangling", STATUS_JOB, "symbolic link");
    expect_refused(".", STATUS_JOB, "is a directory");
    expect_refused("", STATUS_JOB, "empty");
    expect_refused("missing/r.jsonl", STATUS_JOB, "missing");
    expect_refused("missing/", STATUS_JOB, "directory");
    expect_refused("dump/r.jsonl", STATUS_JOB, "file where a directory is needed");
    expect_content("dump", "{\"a\":1}\n");
}

static void refuses_a_late_file(void **state)
{
    (void)state;
    struct rejects *const rejects = open_rejects("r.jsonl");
    put("r.jsonl", "another run's");
    struct reject const reject = a_reject();
    struct fault fault = {0};
    assert_int_equal(rejects_add(rejects, &reject, &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "r.jsonl"));
    assert_int_equal(rejects_add(rejects, &reject, &fault), STATUS_IO);
    assert_int_equal(rejects_close(rejects, &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "incomplete"));
    rejects_destroy(rejects);
    expect_content("r.jsonl", "another run's");
}

/* Root may write everywhere but where no file can be made at all. */
static void tells_where_no_file_can_be(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct rejects *const rejects = rejects_open("/proc/r\x1b.jsonl", &fault);
    if (rejects != NULL) {
        struct reject const reject = a_reject();
        assert_int_equal(rejects_add(rejects, &reject, &fault), STATUS_IO);
        rejects_destroy(rejects);
        assert_non_null(strstr(fault.message, "/proc/r\\x1b.jsonl"));
    }
    assert_int_equal(fault.status, STATUS_IO);
    assert_non_null(strstr(fault.message, "/proc"));
}

static void writes_streams(void **state)
{
    (void)state;
    struct reject const reject = a_reject();
    struct rejects *rejects = open_rejects("/dev/null");
    add(rejects, &reject);
    close_rejects(rejects);
    assert_int_equal(access("/dev/null", F_OK), 0);

    int ends[2];
    assert_int_equal(pipe(ends), 0);
    char path[64];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[1]); /* a link to a pipe: process substitution */
    rejects = open_rejects(path);
    add(rejects, &reject);
    close_rejects(rejects);
    close(ends[1]);
    char line[256] = {0};
    assert_true(read(ends[0], line, sizeof line - 1) > 0);
    assert_memory_equal(line, "{\"source\":\"dump.ndjson\"", 23);
    close(ends[0]);
}

static void tells_a_full_disk(void **state)
{
    (void)state;
    struct reject const reject = a_reject();
    struct rejects *const rejects = open_rejects("/dev/full");
    add(rejects, &reject);
    struct fault fault = {0};
    assert_int_equal(rejects_close(rejects, &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "/dev/full"));
    assert_non_null(strstr(fault.message, "free space"));
    rejects_destroy(rejects);
}

static void tells_a_file_limit(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit const low = {.rlim_cur = 1000, .rlim_max = old.rlim_max};
    struct rejects *const rejects = open_rejects("r.jsonl");
    struct reject const reject = a_reject();
    struct fault fault = {0};
    for (int i = 0; i < 20; i++)
        add(rejects, &reject);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    enum status const status = rejects_close(rejects, &fault);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(fault.message, "ulimit -f"));
    rejects_destroy(rejects);
}

/* After a crash (destroy without close) whole lines stand there. */
static void flushes_whole_lines(void **state)
{
    (void)state;
    struct rejects *const rejects = open_rejects("r.jsonl");
    struct reject const reject = a_reject();
    for (int i = 0; i < 5000; i++)
        add(rejects, &reject);
    rejects_destroy(rejects);
    size_t length = 0;
    char *const text = get("r.jsonl", &length);
    assert_true(length > 100000);
    assert_int_equal(text[length - 1], '\n');
    free(text);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_scratch, leave_scratch)
    const struct CMUnitTest tests[] = {TEST(writes_lines),        TEST(cuts_raw),
                                       TEST(replaces_the_former), TEST(has_mode_0600),
                                       TEST(no_reject_no_file),   TEST(refuses_what_is_not_ours),
                                       TEST(refuses_a_late_file), TEST(tells_where_no_file_can_be),
                                       TEST(writes_streams),      TEST(tells_a_full_disk),
                                       TEST(tells_a_file_limit),  TEST(flushes_whole_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

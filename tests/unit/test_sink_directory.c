/* test_sink_directory.c - the directory sink (and the null sink): what is under which name at every moment,
 * races on final names, file systems that lack a call, failing writes.
 *
 * renameat2, linkat and fsync are defined here, in front of the C library's: they do the system call unless a
 * test wants them to be missing, to fail, or something to happen just before. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/output_fs.h"
#include "io/output/sink_directory.h"
#include "io/output/sink_null.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_ID "0123456789abcdef"

static bool no_noreplace;         /* renameat2(RENAME_NOREPLACE) is not supported */
static bool no_exchange;          /* nor RENAME_EXCHANGE */
static bool no_links;             /* nor hard links */
static int renames_until_failure; /* the n-th renameat2 from now fails with EIO; 0: none */
static int renames_until_event;   /* before the n-th renameat2 from now `event` is called; 0: none */
static void (*event)(void);
static int syncs_until_failure; /* the n-th fsync from now fails with EIO; 0: none */

int renameat2(int old_fd, const char *old, int new_fd, const char *new, unsigned flags)
{
    if (renames_until_event > 0 && --renames_until_event == 0) event();
    if (renames_until_failure > 0 && --renames_until_failure == 0) {
        errno = EIO;
        return -1;
    }
    if ((no_noreplace && flags == RENAME_NOREPLACE) || (no_exchange && flags == RENAME_EXCHANGE)) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_renameat2, old_fd, old, new_fd, new, flags);
}

int linkat(int old_fd, const char *old, int new_fd, const char *new, int flags)
{
    if (no_links) {
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_linkat, old_fd, old, new_fd, new, flags);
}

int fsync(int fd)
{
    if (syncs_until_failure > 0 && --syncs_until_failure == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static int enter_scratch(void **state)
{
    no_noreplace = no_exchange = no_links = false;
    renames_until_failure = renames_until_event = syncs_until_failure = 0;
    char *const folder = strdup("/tmp/test_sink_XXXXXX");
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

static size_t homes;

static void home(void *context, const struct sink_piece *piece)
{
    assert_ptr_equal(context, &homes);
    assert_ptr_equal(piece->owner, &homes);
    homes++;
}

static struct sink *create(const char *path, bool replace)
{
    struct fault fault = {0};
    struct sink *const sink = sink_directory_create(path, RUN_ID, replace, &fault);
    if (sink == NULL) fail_msg("%s", fault.message);
    sink->home = home;
    sink->home_context = &homes;
    homes = 0;
    return sink;
}

static void expect_status(enum status status, enum status expected, const struct fault *fault)
{
    if (status != expected) fail_msg("status %d, not %d: %s", status, expected, fault->message);
    if (status != STATUS_OK) assert_int_equal(fault->status, status);
}

static void expect_words(const struct fault *fault, const char *words)
{
    if (strstr(fault->message, words) == NULL) fail_msg("'%s' not in: %s", words, fault->message);
}

static void write_file(struct sink *sink, uint32_t file, const char *name, const char *text)
{
    struct fault fault = {0};
    struct sink_piece const piece = {.bytes = (const uint8_t *)text, .length = strlen(text), .owner = &homes};
    expect_status(sink->begin(sink, file, name, SINK_DATA, &fault), STATUS_OK, &fault);
    expect_status(sink->write(sink, file, &piece, &fault), STATUS_OK, &fault);
    expect_status(sink->end(sink, file, 0, strlen(text), &fault), STATUS_OK, &fault);
}

static void put(const char *path, const char *text)
{
    FILE *const file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void expect_content(const char *path, const char *expected)
{
    char text[256] = {0};
    FILE *const file = fopen(path, "r");
    if (file == NULL) fail_msg("no %s", path);
    fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_string_equal(text, expected);
}

/* Entries of the folder but "." and ".."; -1 when there is none. */
static int entries(const char *path)
{
    DIR *const folder = opendir(path);
    if (folder == NULL) return -1;
    int count = -2;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void expect_commit(struct sink *sink, enum status expected, const char *words)
{
    struct fault fault = {0};
    expect_status(sink->commit(sink, &fault), expected, &fault);
    expect_words(&fault, words);
}

static void abort_and_destroy(struct sink *sink)
{
    sink->abort(sink);
    sink->abort(sink);
    sink->destroy(sink);
}

static void delivers(void **state)
{
    (void)state;
    mode_t const old = umask(027);
    struct sink *const sink = create("out//deep/", false);
    struct fault fault = {0};
    struct sink_piece const header = {.bytes = (const uint8_t *)"h\n", .length = 2};
    expect_status(sink->begin(sink, 0, "a.csv", SINK_DATA, &fault), STATUS_OK, &fault);
    expect_status(sink->write(sink, 0, &header, &fault), STATUS_OK, &fault); /* no owner: not sent home */
    expect_status(sink->reap(sink, &fault), STATUS_OK, &fault);
    assert_int_equal(access("out/deep/a.csv", F_OK), -1);
    expect_content("out/deep/.a.csv." RUN_ID ".tmp", "h\n");
    expect_status(sink->end(sink, 0, 1, 2, &fault), STATUS_OK, &fault);
    write_file(sink, 1, "b.csv", "b\n");
    assert_int_equal(homes, 1);
    assert_int_equal(entries("out/deep"), 2);
    expect_commit(sink, STATUS_OK, "");
    sink->abort(sink); /* too late: nothing happens */
    char url[64];
    sink->url(sink, "a.csv", url, sizeof url);
    assert_string_equal(url, "out//deep/a.csv");
    sink->destroy(sink);
    umask(old);
    expect_content("out/deep/a.csv", "h\n");
    expect_content("out/deep/b.csv", "b\n");
    assert_int_equal(entries("out/deep"), 2);
    struct stat found;
    assert_int_equal(stat("out/deep/a.csv", &found), 0);
    assert_int_equal(found.st_mode & 07777, 0640);
}

static void no_files_is_a_delivery(void **state)
{
    (void)state;
    struct sink *const sink = create("out", false);
    expect_commit(sink, STATUS_OK, "");
    sink->destroy(sink);
    assert_int_equal(entries("out"), 0);
}

static void abort_leaves_no_trace(void **state)
{
    (void)state;
    struct sink *sink = create("a/b/../c/d", false);
    write_file(sink, 0, "x", "1");
    struct fault fault = {0};
    expect_status(sink->begin(sink, 1, "y", SINK_DATA, &fault), STATUS_OK, &fault);
    sink->abort(sink);
    char url[64];
    sink->url(sink, "x", url, sizeof url);
    assert_string_equal(url, "a/b/../c/d/x");
    sink->destroy(sink);
    assert_int_equal(entries("."), 0);

    sink = create("a/b", false); /* undecided: destroy aborts */
    write_file(sink, 0, "x", "1");
    sink->destroy(sink);
    assert_int_equal(entries("."), 0);

    sink = create("a/b", false); /* what others put there stays, with what holds it */
    write_file(sink, 0, "x", "1");
    put("a/theirs", "t");
    abort_and_destroy(sink);
    assert_int_equal(entries("a"), 1);

    sink = create("a", false); /* made by others: stays */
    abort_and_destroy(sink);
    assert_int_equal(entries("a"), 1);
}

/* A temporary name that another hand gave to another file is not removed. */
static void abort_removes_only_ours(void **state)
{
    (void)state;
    struct sink *const sink = create("out", false);
    write_file(sink, 0, "x", "1");
    put("theirs", "t");
    assert_int_equal(rename("theirs", "out/.x." RUN_ID ".tmp"), 0);
    expect_commit(sink, STATUS_IO, "removed or replaced");
    abort_and_destroy(sink);
    expect_content("out/.x." RUN_ID ".tmp", "t");
}

static void refuses_taken_names(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct sink *sink = create("out", false);
    put("out/x", "old");
    expect_status(sink->begin(sink, 0, "x", SINK_DATA, &fault), STATUS_EXISTS, &fault);
    expect_words(&fault, "out/x: exists already;");
    expect_status(sink->commit(sink, &fault), STATUS_INTERNAL, &fault);
    abort_and_destroy(sink);
    expect_content("out/x", "old");

    assert_int_equal(mkdir("out/folder", 0777), 0);
    assert_int_equal(symlink("nowhere", "out/link"), 0);
    sink = create("out", false);
    expect_status(sink->begin(sink, 0, "folder", SINK_DATA, &fault), STATUS_EXISTS, &fault);
    expect_words(&fault, "(a directory)");
    abort_and_destroy(sink);
    sink = create("out", false);
    expect_status(sink->begin(sink, 0, "link", SINK_DATA, &fault), STATUS_EXISTS, &fault);
    abort_and_destroy(sink);
    sink = create("out", true);
    expect_status(sink->begin(sink, 0, "folder", SINK_DATA, &fault), STATUS_JOB, &fault);
    expect_words(&fault, "a directory, which is never replaced");
    abort_and_destroy(sink);
    assert_int_equal(entries("out"), 3);
}

static void refuses_names_that_collide(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct sink *sink = create("out", false);
    write_file(sink, 0, "x", "1");
    expect_status(sink->begin(sink, 1, "x", SINK_DATA, &fault), STATUS_JOB, &fault);
    expect_words(&fault, "{part}");
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);

    sink = create("out", false);
    put("out/.x." RUN_ID ".tmp", "stale");
    expect_status(sink->begin(sink, 0, "x", SINK_DATA, &fault), STATUS_IO, &fault);
    expect_words(&fault, "out/.x." RUN_ID ".tmp: making the temporary file");
    expect_words(&fault, "give another --run-id");
    abort_and_destroy(sink);
    expect_content("out/.x." RUN_ID ".tmp", "stale");
}

static void refuse_begin(const char *name, enum status status)
{
    struct fault fault = {0};
    struct sink *const sink = create("out", false);
    expect_status(sink->begin(sink, 0, name, SINK_DATA, &fault), status, &fault);
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);
}

static void refuses_bad_names(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'n', sizeof name);
    name[234] = '\0';
    refuse_begin(name, STATUS_JOB);
    refuse_begin("", STATUS_JOB);
    refuse_begin("..", STATUS_JOB);
    refuse_begin("../x", STATUS_JOB);
    refuse_begin("a\n", STATUS_JOB);
    name[233] = '\0';
    struct sink *const sink = create("out", false);
    write_file(sink, 0, name, "long");
    expect_commit(sink, STATUS_OK, "");
    sink->destroy(sink);
}

static void refuse_create(const char *path, const char *run_id, enum status status, const char *words)
{
    struct fault fault = {0};
    assert_null(sink_directory_create(path, run_id, false, &fault));
    expect_words(&fault, words);
    assert_int_equal(fault.status, status);
}

static void refuses_bad_places(void **state)
{
    (void)state;
    put("file", "");
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    refuse_create("", RUN_ID, STATUS_JOB, "empty");
    refuse_create("file", RUN_ID, STATUS_JOB, "file where a directory is needed");
    refuse_create("file/", RUN_ID, STATUS_JOB, "file where a directory is needed");
    refuse_create("file/deep", RUN_ID, STATUS_JOB, "file where a directory is needed");
    refuse_create("new/../file/deep", RUN_ID, STATUS_JOB, "file where a directory is needed");
    refuse_create("dangling", RUN_ID, STATUS_JOB, "dangling");
    refuse_create("dangling/deep", RUN_ID, STATUS_JOB, "dangling");
    refuse_create("file:///tmp/x", RUN_ID, STATUS_JOB, "URL");
    refuse_create("s3://b/p", RUN_ID, STATUS_JOB, "URL");
    refuse_create("/proc/no\x1bsuch", RUN_ID, STATUS_JOB, "/proc/no\\x1bsuch");
    refuse_create("out", "a/b", STATUS_USAGE, "--run-id a/b");
    refuse_create("out", "", STATUS_USAGE, "--run-id");
    char path[5000];
    memset(path, 'p', sizeof path);
    path[300] = '\0';
    refuse_create(path, RUN_ID, STATUS_JOB, "shorter");
    path[300] = 'p';
    path[4999] = '\0';
    refuse_create(path, RUN_ID, STATUS_JOB, "shorter");
    assert_int_equal(entries("."), 2);
    /* a directory where root may write, but no file can be */
    struct sink *const sink = sink_directory_create("/proc", RUN_ID, false, NULL);
    if (sink != NULL) {
        struct fault fault = {0};
        assert_true(sink->begin(sink, 0, "x", SINK_DATA, &fault) != STATUS_OK);
        expect_words(&fault, "/proc/.x." RUN_ID ".tmp");
        abort_and_destroy(sink);
    }
}

static void put_second(void)
{
    put("out/b", "theirs");
}

static void lose_race(void)
{
    struct sink *const sink = create("out", false);
    write_file(sink, 0, "a", "1");
    write_file(sink, 1, "b", "2");
    write_file(sink, 2, "c", "3");
    put_second();
    expect_commit(sink, STATUS_EXISTS, "out/b: exists already");
    expect_content("out/b", "theirs");
    assert_int_equal(access("out/a", F_OK), -1);
    assert_int_equal(entries("out"), 1);
    abort_and_destroy(sink);
    assert_int_equal(entries("out"), 1);
}

static void a_lost_race_takes_all_back(void **state)
{
    (void)state;
    lose_race();
    assert_int_equal(unlink("out/b"), 0);
    no_noreplace = true;
    lose_race();
}

/* The name appears in the last moment, between any look of ours and the rename. */
static void a_close_race_is_lost_too(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sink *const sink = create("out", false);
        write_file(sink, 0, "a", "1");
        write_file(sink, 1, "b", "2");
        renames_until_event = 2;
        event = put_second;
        expect_commit(sink, STATUS_EXISTS, "out/b");
        abort_and_destroy(sink);
        expect_content("out/b", "theirs");
        assert_int_equal(entries("out"), 1);
        assert_int_equal(unlink("out/b"), 0);
        no_noreplace = true;
    }
}

static void failures_take_all_back(void **state)
{
    (void)state;
    for (int n = 1; n <= 3; n++) {
        struct sink *const sink = create("out/deep", false);
        write_file(sink, 0, "a", "1");
        write_file(sink, 1, "b", "2");
        write_file(sink, 2, "c", "3");
        renames_until_failure = n;
        expect_commit(sink, STATUS_IO, "giving the file its final name");
        assert_int_equal(entries("out/deep"), 0);
        abort_and_destroy(sink);
        assert_int_equal(entries("."), 0);
    }
    for (int n = 1; n <= 3; n++) { /* destination, ".", "out" */
        struct sink *const sink = create("out/deep", false);
        write_file(sink, 0, "a", "1");
        syncs_until_failure = n;
        expect_commit(sink, STATUS_IO, "fsync");
        abort_and_destroy(sink);
        assert_int_equal(entries("."), 0);
    }
}

static void replace_and_commit(enum status expected)
{
    struct sink *const sink = create("out", true);
    write_file(sink, 0, "a", "new a");
    write_file(sink, 1, "b", "new b");
    write_file(sink, 2, "c", "new c");
    struct fault fault = {0};
    expect_status(sink->commit(sink, &fault), expected, &fault);
    abort_and_destroy(sink);
}

static void replaces(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        no_exchange = i >= 1;
        no_noreplace = i >= 2;
        no_links = i == 1; /* one of the two must be there to publish */
        mkdir("out", 0777);
        put("out/a", "old a");
        unlink("out/c");
        assert_int_equal(symlink("a", "out/c"), 0);
        unlink("out/b");
        replace_and_commit(STATUS_OK);
        expect_content("out/a", "new a");
        expect_content("out/b", "new b");
        expect_content("out/c", "new c");
        assert_int_equal(entries("out"), 3);
    }
}

static void failed_replacement_restores(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        no_exchange = i >= 1;
        no_links = i == 2;
        mkdir("out", 0777);
        put("out/a", "old a");
        put("out/c", "old c");
        unlink("out/b");
        for (int n = 1; n <= 4; n++) {
            struct sink *const sink = create("out", true);
            write_file(sink, 0, "a", "new a");
            write_file(sink, 1, "b", "new b");
            write_file(sink, 2, "c", "new c");
            /* the calls: a exchanged, b exchanged (ENOENT), b placed, c exchanged */
            renames_until_failure = n;
            struct fault fault = {0};
            expect_status(sink->commit(sink, &fault), STATUS_IO, &fault);
            abort_and_destroy(sink);
            expect_content("out/a", "old a");
            expect_content("out/c", "old c");
            assert_int_equal(entries("out"), 2);
        }
        syncs_until_failure = 4; /* three files, then the directory: everything was renamed */
        replace_and_commit(STATUS_IO);
        expect_content("out/a", "old a");
        expect_content("out/c", "old c");
        assert_int_equal(entries("out"), 2);
    }
}

static void replace_first_by_theirs(void)
{
    put("theirs", "theirs");
    assert_int_equal(rename("theirs", "out/a"), 0);
    renames_until_failure = 1;
}

/* After our file "a" stands, another hand replaces it; then we fail. Theirs stays. */
static void taking_back_spares_others(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        mkdir("out", 0777);
        if (i == 1) put("out/a", "old a");
        struct sink *const sink = create("out", i == 1);
        write_file(sink, 0, "a", "new a");
        write_file(sink, 1, "b", "new b");
        renames_until_event = 2;
        event = replace_first_by_theirs;
        expect_commit(sink, STATUS_IO, "out/b");
        abort_and_destroy(sink);
        expect_content("out/a", "theirs");
        assert_int_equal(entries("out"), 1);
        assert_int_equal(unlink("out/a"), 0);
    }
}

static void make_folder(void)
{
    assert_int_equal(unlink("out/a"), 0);
    assert_int_equal(mkdir("out/a", 0777), 0);
}

/* A directory gets under the final name between our look and the exchange: it is put back. */
static void a_late_folder_is_put_back(void **state)
{
    (void)state;
    mkdir("out", 0777);
    put("out/a", "old");
    struct sink *const sink = create("out", true);
    write_file(sink, 0, "a", "new");
    renames_until_event = 1;
    event = make_folder;
    expect_commit(sink, STATUS_JOB, "never replaced");
    abort_and_destroy(sink);
    assert_int_equal(entries("out"), 1);
    assert_int_equal(entries("out/a"), 0);
}

static void needs_a_safe_rename(void **state)
{
    (void)state;
    no_noreplace = no_links = true;
    struct sink *const sink = create("out", false);
    struct fault fault = {0};
    expect_status(sink->begin(sink, 0, "a", SINK_DATA, &fault), STATUS_JOB, &fault);
    expect_words(&fault, "hard links");
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);
}

static void tells_a_file_limit(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit const low = {.rlim_cur = 1000, .rlim_max = old.rlim_max};
    struct sink *const sink = create("out", false);
    static const uint8_t bytes[1500];
    struct sink_piece const piece = {.bytes = bytes, .length = sizeof bytes, .owner = &homes};
    struct fault fault = {0};
    expect_status(sink->begin(sink, 0, "a", SINK_DATA, &fault), STATUS_OK, &fault);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    enum status const status = sink->write(sink, 0, &piece, &fault);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    expect_status(status, STATUS_IO, &fault);
    expect_words(&fault, "out/a: writing: ");
    expect_words(&fault, "ulimit -f");
    assert_int_equal(homes, 1); /* home in spite of the failure */
    assert_int_equal(sink->end(sink, 0, 1, 1500, &fault), STATUS_INTERNAL);
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);
}

static void tells_sync_failure(void **state)
{
    (void)state;
    struct sink *const sink = create("out", false);
    struct fault fault = {0};
    expect_status(sink->begin(sink, 0, "a", SINK_DATA, &fault), STATUS_OK, &fault);
    syncs_until_failure = 1;
    expect_status(sink->end(sink, 0, 0, 0, &fault), STATUS_IO, &fault);
    expect_words(&fault, "out/a: fsync");
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);
}

static void checks_the_count(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct sink *sink = create("out", false);
    expect_status(sink->begin(sink, 0, "a", SINK_DATA, &fault), STATUS_OK, &fault);
    expect_status(sink->end(sink, 0, 1, 2, &fault), STATUS_INTERNAL, &fault);
    abort_and_destroy(sink);
    sink = create("out", false);
    expect_status(sink->begin(sink, 0, "a", SINK_DATA, &fault), STATUS_OK, &fault);
    put("out/.a." RUN_ID ".tmp", "theirs");
    expect_status(sink->end(sink, 0, 0, 0, &fault), STATUS_IO, &fault);
    expect_words(&fault, "has 6 bytes after 0");
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);
}

static void refuses_calls_out_of_order(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct sink_piece const piece = {.bytes = (const uint8_t *)"x", .length = 1, .owner = &homes};
    struct sink *sink = create("out", false);
    expect_status(sink->write(sink, 0, &piece, &fault), STATUS_INTERNAL, &fault);
    assert_int_equal(homes, 1);
    abort_and_destroy(sink);
    sink = create("out", false);
    expect_status(sink->begin(sink, 1, "a", SINK_DATA, &fault), STATUS_INTERNAL, &fault);
    abort_and_destroy(sink);
    sink = create("out", false);
    expect_status(sink->begin(sink, 0, "a", SINK_DATA, &fault), STATUS_OK, &fault);
    expect_status(sink->commit(sink, &fault), STATUS_INTERNAL, &fault);
    abort_and_destroy(sink);
    sink = create("out", false);
    expect_commit(sink, STATUS_OK, "");
    expect_status(sink->begin(sink, 0, "a", SINK_DATA, &fault), STATUS_INTERNAL, &fault);
    sink->destroy(sink);
}

static void writes_large_files(void **state)
{
    (void)state;
    enum { PIECE = 250000, COUNT = 80 }; /* 20 MB: over two write-back windows */
    uint8_t *const bytes = malloc(PIECE);
    assert_non_null(bytes);
    struct sink *const sink = create("out", false);
    struct fault fault = {0};
    expect_status(sink->begin(sink, 0, "a", SINK_DATA, &fault), STATUS_OK, &fault);
    for (int i = 0; i < COUNT; i++) {
        memset(bytes, i, PIECE);
        struct sink_piece const piece = {.bytes = bytes, .length = PIECE, .owner = &homes};
        expect_status(sink->write(sink, 0, &piece, &fault), STATUS_OK, &fault);
    }
    expect_status(sink->end(sink, 0, 1, (uint64_t)PIECE * COUNT, &fault), STATUS_OK, &fault);
    expect_commit(sink, STATUS_OK, "");
    sink->destroy(sink);
    assert_int_equal(homes, COUNT);
    FILE *const file = fopen("out/a", "r");
    assert_non_null(file);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(fread(bytes, 1, PIECE, file), PIECE);
        assert_int_equal(bytes[0], i);
        assert_int_equal(bytes[PIECE - 1], i);
    }
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
    free(bytes);
}

/* More files than descriptors. */
static void writes_many_files(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    struct rlimit const low = {.rlim_cur = 64, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    for (int round = 0; round < 3; round++) { /* aborted, delivered, replaced */
        struct sink *const sink = create("out", round == 2);
        for (uint32_t i = 0; i < COUNT; i++) {
            char name[32];
            snprintf(name, sizeof name, "f%04u.csv", i);
            write_file(sink, i, name, round == 2 ? "second" : "first");
        }
        if (round > 0) expect_commit(sink, STATUS_OK, "");
        abort_and_destroy(sink);
        assert_int_equal(entries("out"), round == 0 ? -1 : COUNT);
    }
    expect_content("out/f2999.csv", "second");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

/* ---- several files at once, folders, stages ---- */

static enum status begin(struct sink *sink, uint32_t file, const char *name, enum sink_stage stage,
                         struct fault *fault)
{
    return sink->begin(sink, file, name, stage, fault);
}

static void write_text(struct sink *sink, uint32_t file, const char *text)
{
    struct fault fault = {0};
    struct sink_piece const piece = {.bytes = (const uint8_t *)text, .length = strlen(text), .owner = &homes};
    expect_status(sink->write(sink, file, &piece, &fault), STATUS_OK, &fault);
}

static void put_staged(struct sink *sink, uint32_t file, const char *name, enum sink_stage stage,
                       const char *text)
{
    struct fault fault = {0};
    expect_status(begin(sink, file, name, stage, &fault), STATUS_OK, &fault);
    if (text[0] != '\0') write_text(sink, file, text);
    expect_status(sink->end(sink, file, 0, strlen(text), &fault), STATUS_OK, &fault);
}

static void writes_several_at_once(void **state)
{
    (void)state;
    struct sink *const sink = create("out", false);
    struct fault fault = {0};
    enum { COUNT = 50 };
    char name[32], path[40], expected[4 * COUNT] = "";
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "f%02u", i);
        expect_status(begin(sink, i, name, SINK_DATA, &fault), STATUS_OK, &fault);
    }
    for (int round = 0; round < 3; round++)
        for (uint32_t i = 0; i < COUNT; i++) {
            snprintf(name, sizeof name, "%u,%d\n", i, round);
            write_text(sink, (i * 7) % COUNT, name);
        }
    expect_status(sink->commit(sink, NULL), STATUS_INTERNAL, &(struct fault){.status = STATUS_INTERNAL});
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);

    struct sink *const again = create("out", false);
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "f%02u", i);
        expect_status(begin(again, i, name, SINK_DATA, &fault), STATUS_OK, &fault);
    }
    for (int round = 0; round < 3; round++)
        for (uint32_t i = 0; i < COUNT; i++)
            write_text(again, (i * 7) % COUNT, round == 0 ? "a\n" : round == 1 ? "b\n" : "c\n");
    for (uint32_t i = COUNT; i-- > 0;)
        expect_status(again->end(again, i, 3, 6, &fault), STATUS_OK, &fault);
    expect_commit(again, STATUS_OK, "");
    again->destroy(again);
    snprintf(expected, sizeof expected, "a\nb\nc\n");
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "out/f%02u", i);
        expect_content(path, expected);
    }
    assert_int_equal(entries("out"), COUNT);
}

static void refuses_what_has_ended(void **state)
{
    (void)state;
    struct sink *const sink = create("out", false);
    struct fault fault = {0};
    struct sink_piece const piece = {.bytes = (const uint8_t *)"x", .length = 1, .owner = &homes};
    expect_status(begin(sink, 0, "a", SINK_DATA, &fault), STATUS_OK, &fault);
    expect_status(begin(sink, 1, "b", SINK_DATA, &fault), STATUS_OK, &fault);
    expect_status(sink->end(sink, 0, 0, 0, &fault), STATUS_OK, &fault);
    expect_status(sink->write(sink, 0, &piece, &fault), STATUS_INTERNAL, &fault);
    assert_int_equal(homes, 1);
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);
}

static void tells_the_limit_of_descriptors(void **state)
{
    (void)state;
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    struct rlimit const low = {.rlim_cur = 40, .rlim_max = old.rlim_max};
    struct sink *const sink = create("out", false);
    struct fault fault = {0};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    enum status status = STATUS_OK;
    uint32_t count = 0;
    char name[32];
    while (status == STATUS_OK && count < 100) {
        snprintf(name, sizeof name, "s%u/x", count);
        status = begin(sink, count++, name, SINK_DATA, &fault);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    expect_status(status, STATUS_IO, &fault);
    assert_in_range(count, 20, 40);
    expect_words(&fault, "ulimit -n");
    expect_words(&fault, "files.count");
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);
}

static void makes_folders(void **state)
{
    (void)state;
    struct sink *const sink = create("out", false);
    write_file(sink, 0, "a/b/x", "1");
    expect_content("out/a/b/.x." RUN_ID ".tmp", "1");
    write_file(sink, 1, "a/x", "2");
    write_file(sink, 2, "x", "3");
    write_file(sink, 3, "a-/x", "4"); /* sorts between "a" and "a/b" */
    assert_int_equal(entries("out/a"), 2);
    expect_commit(sink, STATUS_OK, "");
    char url[64];
    sink->url(sink, "a/b/x", url, sizeof url);
    assert_string_equal(url, "out/a/b/x");
    sink->destroy(sink);
    expect_content("out/a/b/x", "1");
    expect_content("out/a/x", "2");
    expect_content("out/x", "3");
    expect_content("out/a-/x", "4");
    assert_int_equal(entries("out/a/b"), 1);
    assert_int_equal(entries("out"), 3);
}

static void takes_folders_away_again(void **state)
{
    (void)state;
    assert_int_equal(mkdir("out", 0777), 0);
    assert_int_equal(mkdir("out/there", 0777), 0);
    struct sink *const sink = create("out", false);
    write_file(sink, 0, "a/b/x", "1");
    write_file(sink, 1, "a/c/x", "1");
    write_file(sink, 2, "there/deep/x", "1");
    write_file(sink, 3, "used/x", "1");
    put("out/used/theirs", "t");
    abort_and_destroy(sink);
    assert_int_equal(entries("out"), 2);
    assert_int_equal(entries("out/there"), 0);
    assert_int_equal(entries("out/used"), 1);
}

static void refuses_bad_folders(void **state)
{
    (void)state;
    static const char *const names[] = {"/x", "a//x", "./x",    "a/./x",  "../x", "a/../x",
                                        "a/", "a/..", "a\tb/x", "\x7f/x", "/",    "a/b/"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        refuse_begin(names[i], STATUS_JOB);
    char name[1100];
    memset(name, 'n', sizeof name);
    name[256] = '/';
    name[258] = '\0';
    refuse_begin(name, STATUS_JOB); /* a folder of 256 bytes */
    for (size_t i = 99; i < sizeof name; i += 100)
        name[i] = '/';
    name[256] = name[258] = 'n';
    name[1025] = '\0';
    refuse_begin(name, STATUS_JOB);
    name[1024] = '\0';
    struct sink *const sink = create("out", false);
    write_file(sink, 0, name, "long");
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);
}

static void refuses_what_is_in_the_way_of_folders(void **state)
{
    (void)state;
    assert_int_equal(mkdir("out", 0777), 0);
    put("out/file", "f");
    assert_int_equal(symlink("nowhere", "out/dangling"), 0);
    static const char *const names[] = {"file/x", "file/deep/x", "dangling/x", "new/../x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct fault fault = {0};
        struct sink *const sink = create("out", false);
        expect_status(begin(sink, 0, names[i], SINK_DATA, &fault), STATUS_JOB, &fault);
        abort_and_destroy(sink);
    }
    assert_int_equal(entries("out"), 2);
    struct fault fault = {0};
    struct sink *const sink = create("out", false);
    write_file(sink, 0, "new/x", "1");
    put("out/new/y", "theirs");
    expect_status(begin(sink, 1, "new/y", SINK_DATA, &fault), STATUS_EXISTS, &fault);
    expect_words(&fault, "out/new/y: exists already");
    abort_and_destroy(sink);
    expect_content("out/new/y", "theirs");
}

/* A folder that is a link is where the person wants the files. */
static void follows_linked_folders(void **state)
{
    (void)state;
    assert_int_equal(mkdir("out", 0777), 0);
    assert_int_equal(mkdir("elsewhere", 0777), 0);
    assert_int_equal(symlink("../elsewhere", "out/a"), 0);
    struct sink *const sink = create("out", false);
    write_file(sink, 0, "a/x", "1");
    expect_commit(sink, STATUS_OK, "");
    sink->destroy(sink);
    expect_content("elsewhere/x", "1");
}

static struct sink *delivery_of_stages(bool replace)
{
    struct sink *const sink = create("out", replace);
    put_staged(sink, 0, "m.xml.TOK", SINK_TOKEN, ""); /* the order of begin() is not that of stages */
    put_staged(sink, 1, "s/a", SINK_DATA, "1");
    put_staged(sink, 2, "m.xml", SINK_MANIFEST, "<m/>");
    put_staged(sink, 3, "s/b", SINK_DATA, "2");
    return sink;
}

static int stage_seen; /* by look_at_stages: renames so far */

static void look_at_stages(void)
{
    bool const has_a = access("out/s/a", F_OK) == 0, has_b = access("out/s/b", F_OK) == 0;
    bool const has_manifest = access("out/m.xml", F_OK) == 0, has_token = access("out/m.xml.TOK", F_OK) == 0;
    assert_int_equal(has_a, stage_seen >= 1);
    assert_int_equal(has_b, stage_seen >= 2);
    assert_int_equal(has_manifest, stage_seen >= 3);
    assert_false(has_token);
    stage_seen++;
    renames_until_event = 1; /* before each one */
}

static void commits_stage_by_stage(void **state)
{
    (void)state;
    struct sink *const sink = delivery_of_stages(false);
    stage_seen = 0;
    renames_until_event = 1;
    event = look_at_stages;
    expect_commit(sink, STATUS_OK, "");
    assert_int_equal(stage_seen, 4);
    sink->destroy(sink);
    expect_content("out/m.xml.TOK", "");
    assert_int_equal(entries("out"), 3);
}

/* Each stage is on the disk before the next one begins: a sync that fails stops it. */
static void syncs_each_stage(void **state)
{
    (void)state;
    /* of data: out/s, out, "."; of manifest and token: out, "." */
    for (int n = 1; n <= 7; n++) {
        struct sink *const sink = delivery_of_stages(false);
        syncs_until_failure = n;
        renames_until_event = 5; /* never: all were counted down before */
        expect_commit(sink, STATUS_IO, "fsync");
        assert_int_equal(5 - renames_until_event, n <= 3 ? 2 : n <= 5 ? 3 : 4);
        renames_until_event = 0;
        assert_int_equal(entries("out"), 1); /* the folder */
        assert_int_equal(entries("out/s"), 0);
        abort_and_destroy(sink);
        assert_int_equal(entries("."), 0);
    }
    struct sink *const sink = delivery_of_stages(false);
    syncs_until_failure = 8;
    expect_commit(sink, STATUS_OK, "");
    assert_int_equal(syncs_until_failure, 1);
    sink->destroy(sink);
}

static void put_manifest(void)
{
    put("out/m.xml", "theirs");
}

static void put_token(void)
{
    put("out/m.xml.TOK", "theirs");
}

static void a_race_in_a_later_stage_takes_all_back(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct sink *const sink = delivery_of_stages(false);
        bool const is_token = i % 2 == 1;
        renames_until_event = is_token ? 4 : 3;
        event = is_token ? put_token : put_manifest;
        expect_commit(sink, STATUS_EXISTS, is_token ? "out/m.xml.TOK: exists" : "out/m.xml: exists");
        assert_int_equal(entries("out"), 2); /* theirs, and the folder */
        abort_and_destroy(sink);
        expect_content(is_token ? "out/m.xml.TOK" : "out/m.xml", "theirs");
        assert_int_equal(entries("out"), 1);
        assert_int_equal(unlink(is_token ? "out/m.xml.TOK" : "out/m.xml"), 0);
        no_noreplace = i >= 1;
    }
}

/* The deliveries of a split run, two of them, over former ones: tokens, manifests, then a data file each. */
static const char *const split_names[] = {"1.xml.TOK", "2.xml.TOK", "1.xml", "2.xml", "s/1", "s/2"};
#define SPLIT_FILES (sizeof split_names / sizeof *split_names)

static enum sink_stage split_stage(size_t file)
{
    return file < 2 ? SINK_TOKEN : file < 4 ? SINK_MANIFEST : SINK_DATA;
}

static void put_former_deliveries(void)
{
    mkdir("out", 0777);
    mkdir("out/s", 0777);
    for (size_t i = 0; i < SPLIT_FILES; i++) {
        char path[64];
        snprintf(path, sizeof path, "out/%s", split_names[i]);
        put(path, "old");
    }
}

static void expect_deliveries(const char *content)
{
    for (size_t i = 0; i < SPLIT_FILES; i++) {
        char path[64];
        snprintf(path, sizeof path, "out/%s", split_names[i]);
        expect_content(path, content);
    }
    assert_int_equal(entries("out"), 5);
    assert_int_equal(entries("out/s"), 2);
}

static struct sink *replacing_deliveries(void)
{
    put_former_deliveries();
    struct sink *const sink = create("out", true);
    for (size_t i = 0; i < SPLIT_FILES; i++)
        put_staged(sink, (uint32_t)i, split_names[i], split_stage(i), "new");
    return sink;
}

static char generation(size_t file) /* 'o'ld, 'n'ew, '-' for none */
{
    char path[64];
    snprintf(path, sizeof path, "out/%s", split_names[file]);
    FILE *const stream = fopen(path, "r");
    if (stream == NULL) return '-';
    int const first = fgetc(stream);
    assert_int_equal(fclose(stream), 0);
    return (char)first;
}

static bool all_are(size_t from, size_t to, char wanted)
{
    for (size_t i = from; i < to; i++)
        if (generation(i) != wanted) return false;
    return true;
}

static int renames_seen;

/* At no moment stands a manifest beside a data file of another delivery, or a token without all manifests. */
static void expect_no_mixture(void)
{
    for (size_t i = 0; i < SPLIT_FILES; i++) {
        char const found = generation(i);
        if (split_stage(i) == SINK_DATA) assert_true(found == 'o' || found == 'n');
        if (split_stage(i) == SINK_DATA || found == '-') continue;
        assert_true(all_are(4, 6, found));
        if (split_stage(i) == SINK_TOKEN) assert_true(all_are(2, 4, found));
    }
    renames_seen++;
    renames_until_event = 1; /* before each one */
}

static void replaces_without_a_mixture(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sink *const sink = replacing_deliveries();
        renames_seen = 0;
        renames_until_event = 1;
        event = expect_no_mixture;
        expect_commit(sink, STATUS_OK, "");
        assert_int_equal(renames_seen, 10); /* four aside, two exchanged, four placed */
        renames_until_event = 0;
        sink->destroy(sink);
        expect_deliveries("new");
        no_exchange = no_noreplace = true;
    }
}

/* Whatever fails, a rename or a sync: the former deliveries stand, and on the way back is no mixture either.
 */
static void a_replacement_that_fails_restores_all(void **state)
{
    (void)state;
    for (int n = 1; n <= 10; n++) {
        struct sink *const sink = replacing_deliveries();
        renames_until_failure = n;
        renames_until_event = 1;
        event = expect_no_mixture;
        expect_commit(sink, STATUS_IO,
                      n <= 4   ? "moving the former file aside"
                      : n <= 6 ? "replacing it"
                               : "its final");
        renames_until_event = 0;
        expect_deliveries("old");
        abort_and_destroy(sink);
        expect_deliveries("old");
    }
    for (int n = 1; n <= 9; n++) { /* tokens away, manifests away, data (two folders and "."), both again */
        struct sink *const sink = replacing_deliveries();
        syncs_until_failure = n;
        struct fault fault = {0};
        enum status const status = sink->commit(sink, &fault);
        if (syncs_until_failure == 0) expect_status(status, STATUS_IO, &fault);
        syncs_until_failure = 0;
        expect_deliveries(status == STATUS_OK ? "new" : "old");
        abort_and_destroy(sink);
    }
}

/* A run that ends before its commit has touched nothing. */
static void former_deliveries_stand_until_commit(void **state)
{
    (void)state;
    abort_and_destroy(replacing_deliveries());
    expect_deliveries("old");
}

static void lose_a_former_file(void)
{
    assert_int_equal(unlink("out/s/.1." RUN_ID ".tmp"), 0);
    renames_until_failure = 1;
}

/* What can't be put back whole has no token, nor a manifest. */
static void no_token_beside_what_is_not_whole(void **state)
{
    (void)state;
    struct sink *const sink = replacing_deliveries();
    renames_until_event = 7; /* data files are exchanged */
    event = lose_a_former_file;
    expect_commit(sink, STATUS_IO, "could not all be put back, so its manifest or token stays aside");
    abort_and_destroy(sink);
    assert_true(all_are(0, 4, '-'));
    expect_content("out/s/2", "old");
    expect_content("out/.1.xml." RUN_ID ".old", "old");
    expect_content("out/.2.xml.TOK." RUN_ID ".old", "old");
}

static void put_manifest_1(void)
{
    put("theirs", "theirs");
    assert_int_equal(rename("theirs", "out/1.xml"), 0);
}

static void a_race_for_a_withdrawn_name(void **state)
{
    (void)state;
    struct sink *const sink = replacing_deliveries();
    renames_until_event = 7;
    event = put_manifest_1;
    expect_commit(sink, STATUS_IO, "out/1.xml: another program wrote it");
    abort_and_destroy(sink);
    expect_content("out/1.xml", "theirs");
    expect_content("out/2.xml", "old");
    expect_content("out/s/1", "old");
    assert_int_equal(entries("out"), 5);
}

static void make_manifest_folder(void)
{
    assert_int_equal(unlink("out/1.xml"), 0);
    assert_int_equal(mkdir("out/1.xml", 0777), 0);
}

static void a_late_folder_is_not_withdrawn(void **state)
{
    (void)state;
    struct sink *const sink = replacing_deliveries();
    renames_until_event = 3;
    event = make_manifest_folder;
    expect_commit(sink, STATUS_IO, "out/1.xml: moving the former file aside");
    abort_and_destroy(sink);
    assert_int_equal(entries("out/1.xml"), 0);
    expect_content("out/1.xml.TOK", "old");
    expect_content("out/s/1", "old");
    assert_int_equal(entries("out"), 5);
    assert_int_equal(rmdir("out/1.xml"), 0);
}

/* Only what stands is withdrawn: the former run may have been killed in the midst. */
static void replaces_what_a_killed_run_left(void **state)
{
    (void)state;
    struct sink *const sink = replacing_deliveries();
    assert_int_equal(unlink("out/1.xml.TOK"), 0);
    assert_int_equal(unlink("out/2.xml.TOK"), 0);
    assert_int_equal(unlink("out/2.xml"), 0);
    assert_int_equal(unlink("out/s/2"), 0);
    expect_commit(sink, STATUS_OK, "");
    sink->destroy(sink);
    expect_deliveries("new");
}

static void replace_a(void)
{
    put("theirs", "theirs");
    assert_int_equal(rename("theirs", "out/s/a"), 0);
}

static void append_to_a(void)
{
    FILE *const file = fopen("out/s/a", "a");
    assert_non_null(file);
    fputs("more", file);
    assert_int_equal(fclose(file), 0);
}

/* What another hand did to a data file shows before the manifest. */
static void looks_once_more_before_the_next_stage(void **state)
{
    (void)state;
    static void (*const events[])(void) = {replace_a, append_to_a};
    static const char *const words[] = {"out/s/a: was replaced", "out/s/a: was changed"};
    for (int i = 0; i < 2; i++) {
        struct sink *const sink = delivery_of_stages(false);
        renames_until_event = 2;
        event = events[i];
        expect_commit(sink, STATUS_IO, words[i]);
        assert_int_equal(access("out/m.xml", F_OK), -1);
        abort_and_destroy(sink);
        assert_int_equal(entries("out"), 1); /* of the first round */
        if (i == 0) expect_content("out/s/a", "theirs");
        if (i == 0) assert_int_equal(unlink("out/s/a"), 0);
    }
}

static void refuses_names_of_later_stages_at_once(void **state)
{
    (void)state;
    struct fault fault = {0};
    mkdir("out", 0777);
    put("out/m.xml", "old");
    struct sink *sink = create("out", false);
    expect_status(begin(sink, 0, "m.xml", SINK_MANIFEST, &fault), STATUS_EXISTS, &fault);
    abort_and_destroy(sink);
    sink = create("out", false);
    put_staged(sink, 0, "a", SINK_DATA, "1");
    expect_status(begin(sink, 1, "a", SINK_TOKEN, &fault), STATUS_JOB, &fault);
    expect_words(&fault, "pega.token");
    abort_and_destroy(sink);
    assert_int_equal(entries("out"), 1);
}

static void on_alarm(int number)
{
    (void)number;
}

/* output_fs_write: a slow reader, a small pipe, a signal every millisecond. */
static void write_survives_signals(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[1]);
        fcntl(ends[0], F_SETFL, 0);
        size_t total = 0;
        char bytes[5000];
        for (ssize_t n = 0; (n = read(ends[0], bytes, sizeof bytes)) > 0; total += (size_t)n)
            usleep(50);
        _exit(total == SIZE ? 0 : 1);
    }
    close(ends[0]);
    struct sigaction const action = {.sa_handler = on_alarm}; /* no SA_RESTART */
    sigaction(SIGALRM, &action, NULL);
    struct itimerval const every = {{0, 1000}, {0, 1000}};
    struct itimerval const never = {{0, 0}, {0, 0}};
    char *const bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    setitimer(ITIMER_REAL, &every, NULL);
    int const first = output_fs_write(ends[1], bytes, SIZE / 2);
    fcntl(ends[1], F_SETFL, 0);
    int const second = output_fs_write(ends[1], bytes, SIZE / 2);
    setitimer(ITIMER_REAL, &never, NULL);
    close(ends[1]);
    free(bytes);
    int status = 1;
    assert_int_equal(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)), child);
    assert_int_equal(first, 0);
    assert_int_equal(second, 0);
    assert_int_equal(status, 0);
}

static void null_counts(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct sink *const sink = sink_null_create(&fault);
    assert_non_null(sink);
    sink->home = home;
    sink->home_context = &homes;
    homes = 0;
    write_file(sink, 0, "a", "123");
    write_file(sink, 1, "b", "");
    assert_int_equal(homes, 2);
    expect_status(sink->reap(sink, &fault), STATUS_OK, &fault);
    expect_commit(sink, STATUS_OK, "");
    char url[32];
    sink->url(sink, "a.csv", url, sizeof url);
    assert_string_equal(url, "null:a.csv");
    expect_status(sink->begin(sink, 3, "d", SINK_DATA, &fault), STATUS_INTERNAL, &fault);
    expect_status(sink->begin(sink, 2, "c", SINK_DATA, &fault), STATUS_OK, &fault);
    expect_status(sink->begin(sink, 3, "x/d", SINK_TOKEN, &fault), STATUS_OK, &fault); /* both are open */
    struct sink_piece const piece = {.bytes = (const uint8_t *)"12", .length = 2, .owner = &homes};
    expect_status(sink->write(sink, 3, &piece, &fault), STATUS_OK, &fault);
    expect_status(sink->write(sink, 2, &piece, &fault), STATUS_OK, &fault);
    expect_status(sink->write(sink, 3, &piece, &fault), STATUS_OK, &fault);
    expect_status(sink->end(sink, 3, 1, 4, &fault), STATUS_OK, &fault);
    expect_status(sink->commit(sink, &fault), STATUS_INTERNAL, &fault);
    expect_status(sink->end(sink, 2, 0, 1, &fault), STATUS_INTERNAL, &fault);
    expect_status(sink->end(sink, 2, 0, 2, &fault), STATUS_INTERNAL, &fault);
    expect_status(sink->write(sink, 2, &piece, &fault), STATUS_INTERNAL, &fault);
    assert_int_equal(homes, 6);
    sink->abort(sink);
    sink->destroy(sink);
    assert_int_equal(entries("."), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_scratch, leave_scratch)
    const struct CMUnitTest tests[] = {TEST(delivers),
                                       TEST(no_files_is_a_delivery),
                                       TEST(abort_leaves_no_trace),
                                       TEST(abort_removes_only_ours),
                                       TEST(refuses_taken_names),
                                       TEST(refuses_names_that_collide),
                                       TEST(refuses_bad_names),
                                       TEST(refuses_bad_places),
                                       TEST(a_lost_race_takes_all_back),
                                       TEST(a_close_race_is_lost_too),
                                       TEST(failures_take_all_back),
                                       TEST(replaces),
                                       TEST(failed_replacement_restores),
                                       TEST(taking_back_spares_others),
                                       TEST(a_late_folder_is_put_back),
                                       TEST(needs_a_safe_rename),
                                       TEST(tells_a_file_limit),
                                       TEST(tells_sync_failure),
                                       TEST(checks_the_count),
                                       TEST(refuses_calls_out_of_order),
                                       TEST(writes_large_files),
                                       TEST(writes_many_files),
                                       TEST(writes_several_at_once),
                                       TEST(refuses_what_has_ended),
                                       TEST(tells_the_limit_of_descriptors),
                                       TEST(makes_folders),
                                       TEST(takes_folders_away_again),
                                       TEST(refuses_bad_folders),
                                       TEST(refuses_what_is_in_the_way_of_folders),
                                       TEST(follows_linked_folders),
                                       TEST(commits_stage_by_stage),
                                       TEST(syncs_each_stage),
                                       TEST(a_race_in_a_later_stage_takes_all_back),
                                       TEST(replaces_without_a_mixture),
                                       TEST(a_replacement_that_fails_restores_all),
                                       TEST(former_deliveries_stand_until_commit),
                                       TEST(no_token_beside_what_is_not_whole),
                                       TEST(a_race_for_a_withdrawn_name),
                                       TEST(a_late_folder_is_not_withdrawn),
                                       TEST(replaces_what_a_killed_run_left),
                                       TEST(looks_once_more_before_the_next_stage),
                                       TEST(refuses_names_of_later_stages_at_once),
                                       TEST(write_survives_signals),
                                       TEST(null_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

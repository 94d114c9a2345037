/* test_sink_directory.c - the directory sink (and the null sink), a file at a time: what is under which name
 * at every moment, races on final names, file systems that lack a call, failing writes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/output_fs.h"
#include "io/output/sink_null.h"
#include "tests/unit/sink_directory_desk.h"

#include <sys/resource.h>

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
    struct sink_directory_options const options = {.path = path, .run_id = run_id};
    assert_null(sink_directory_create(&options, &fault));
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
    struct sink *const sink =
        sink_directory_create(&(struct sink_directory_options){.path = "/proc", .run_id = RUN_ID}, NULL);
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
    const struct CMUnitTest tests[] = {
        TEST(delivers),
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
        TEST(write_survives_signals),
        TEST(null_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

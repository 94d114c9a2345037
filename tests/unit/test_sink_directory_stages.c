/* test_sink_directory_stages.c - the directory sink with several files at once, in folders, stage by stage:
 * data files, manifests, tokens; what replaces a former delivery, and when. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sink_directory_desk.h"

#include <sys/resource.h>

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
    assert_true(all_are(0, 2, '-')); /* a token would stand over a manifest that is not its own */
    expect_content("out/.1.xml." RUN_ID ".old", "old");
    expect_content("out/.1.xml.TOK." RUN_ID ".old", "old");
}

/* ---- former deliveries of other names ---- */

static const char old_manifest[] =
    "<manifest><totalRecordCount>3</totalRecordCount><files>"
    "<file><name>1</name><recordCount>1</recordCount></file>"
    "<file><name>2</name><recordCount>1</recordCount></file>"
    "<file><name>3</name><recordCount>1</recordCount></file></files></manifest>";

/* Beside what replacing_deliveries() replaces: another manifest over the same files and one more, and tokens.
 */
static void put_others(void)
{
    put("out/s/all.xml", old_manifest);
    put("out/s/all.xml.DONE", "");
    put("out/s/3.TOK", "");
    put("out/s/3", "old");
}

static struct sink *replacing_others(void)
{
    struct sink *const sink = replacing_deliveries();
    put_others();
    return sink;
}

static void expect_no_other_mixture(void)
{
    bool const token = access("out/s/all.xml.DONE", F_OK) == 0 || access("out/s/3.TOK", F_OK) == 0;
    bool const manifest = access("out/s/all.xml", F_OK) == 0;
    if (token) assert_true(manifest);
    if (token || manifest) assert_true(all_are(4, 6, 'o'));
    if (manifest) expect_content("out/s/3", "old");
    expect_no_mixture();
}

static void expect_others(void)
{
    expect_content("out/s/all.xml", old_manifest);
    expect_content("out/s/all.xml.DONE", "");
    expect_content("out/s/3.TOK", "");
    expect_content("out/s/3", "old");
    assert_int_equal(unlink("out/s/all.xml") | unlink("out/s/all.xml.DONE") | unlink("out/s/3.TOK") |
                         unlink("out/s/3"),
                     0);
    expect_deliveries("old");
}

static void withdraws_former_deliveries_of_other_names(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sink *const sink = replacing_others();
        renames_seen = 0;
        renames_until_event = 1;
        event = expect_no_other_mixture;
        expect_commit(sink, STATUS_OK, "");
        assert_int_equal(renames_seen, 13); /* three more aside */
        renames_until_event = 0;
        sink->destroy(sink);
        expect_deliveries("new"); /* and nothing else */
        assert_int_equal(entries("out/s"), 2);
        no_exchange = no_noreplace = true;
    }
}

static void a_replacement_that_fails_restores_other_names(void **state)
{
    (void)state;
    for (int n = 1; n <= 13; n++) {
        struct sink *const sink = replacing_others();
        renames_until_failure = n;
        renames_until_event = 1;
        event = expect_no_other_mixture;
        expect_commit(sink, STATUS_IO, "");
        renames_until_event = 0;
        abort_and_destroy(sink);
        expect_others();
    }
    for (int n = 1; n <= 10; n++) {
        struct sink *const sink = replacing_others();
        syncs_until_failure = n;
        struct fault fault = {0};
        enum status const status = sink->commit(sink, &fault);
        bool const failed = syncs_until_failure == 0 && status != STATUS_OK;
        syncs_until_failure = 0;
        abort_and_destroy(sink);
        if (failed)
            expect_others();
        else
            expect_deliveries("new");
    }
}

static void deliver_as(const char *run_id)
{
    struct sink *const sink = create_as("out", run_id, true);
    for (size_t i = 0; i < SPLIT_FILES; i++)
        put_staged(sink, (uint32_t)i, split_names[i], split_stage(i), "new");
    calls_until_death *= -1; /* from now on */
    expect_commit(sink, STATUS_OK, "");
    sink->destroy(sink);
}

/* kill -9 before any call that changes something: never a mixture, and the next run leaves nothing but hidden
 * files. */
static void a_killed_commit_is_repeated(void **state)
{
    (void)state;
    for (int n = 1, status = -1; status != 0; n++) {
        put_former_deliveries();
        put_others();
        pid_t const child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            calls_until_death = -n;
            deliver_as("dead");
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        expect_no_other_mixture();
        renames_until_event = 0;
        deliver_as(RUN_ID);
        for (size_t i = 0; i < SPLIT_FILES; i++)
            assert_int_equal(generation(i), 'n');
        static const char *const gone[] = {"out/s/all.xml", "out/s/all.xml.DONE", "out/s/3.TOK", "out/s/3"};
        for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
            if (access(gone[i], F_OK) == 0) fail_msg("after call %d stands %s", n, gone[i]);
        assert_int_equal(system("rm -r out"), 0);
        assert_true(n < 100);
    }
}

static void refuses_what_it_cant_judge_before_it_touches_anything(void **state)
{
    (void)state;
    struct sink *const sink = replacing_deliveries();
    put("out/s/broken.xml", "<manifest><files>");
    renames_until_failure = 1;
    expect_commit(sink, STATUS_JOB, "out/s/broken.xml: is no manifest");
    assert_int_equal(renames_until_failure, 1);
    abort_and_destroy(sink);
    assert_int_equal(unlink("out/s/broken.xml"), 0);
    expect_deliveries("old");
}

/* What can't be removed behind a whole delivery is told, and the delivery stands. */
static void leftovers_are_told(void **state)
{
    (void)state;
    struct sink *const sink = replacing_others();
    unlinks_until_failure = 1;
    expect_commit(sink, STATUS_OK, "");
    unlinks_until_failure = 0;
    assert_non_null(strstr(
        warned, "the delivery stands, but 10 of the files that it replaces could not be removed: out/"));
    abort_and_destroy(sink); /* does nothing any more */
    assert_true(all_are(0, 6, 'n'));
    assert_int_equal(access("out/s/all.xml", F_OK), -1);
}

static void another_run_replaces_1(void)
{
    put("theirs", "theirs");
    assert_int_equal(rename("theirs", "out/s/1"), 0);
    renames_until_failure = 1;
}

/* Without a lock (another program, NFS): nobody's token stands over another's data. */
static void no_token_over_anothers_data(void **state)
{
    (void)state;
    struct sink *const sink = replacing_deliveries();
    renames_until_event = 7; /* data files are exchanged */
    event = another_run_replaces_1;
    expect_commit(sink, STATUS_IO, "so its manifest or token stays aside");
    abort_and_destroy(sink);
    assert_true(all_are(0, 4, '-'));
    expect_content("out/s/1", "theirs");
    expect_content("out/s/2", "old");
}

/* ---- two runs at once ---- */

static int other_run; /* the descriptor of its directory */

static void other_run_ends(void)
{
    if (pauses == 3) assert_int_equal(flock(other_run, LOCK_UN), 0);
}

static void waits_for_another_run(void **state)
{
    (void)state;
    for (int ends = 0; ends < 2; ends++) {
        struct sink *const sink = replacing_deliveries();
        other_run = open("out", O_RDONLY | O_DIRECTORY);
        assert_int_equal(flock(other_run, LOCK_EX), 0);
        pauses = 0;
        on_pause = ends ? other_run_ends : NULL;
        expect_commit(sink, ends ? STATUS_OK : STATUS_TRY_AGAIN, ends ? "" : "out: another run of penstock");
        if (ends) assert_int_equal(pauses, 3);
        abort_and_destroy(sink);
        assert_int_equal(flock(other_run, LOCK_EX | LOCK_NB), 0); /* it is free again */
        close(other_run);
        expect_deliveries(ends ? "new" : "old");
    }
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

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, enter_scratch, leave_scratch)
    const struct CMUnitTest tests[] = {
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
        TEST(withdraws_former_deliveries_of_other_names),
        TEST(a_replacement_that_fails_restores_other_names),
        TEST(a_killed_commit_is_repeated),
        TEST(refuses_what_it_cant_judge_before_it_touches_anything),
        TEST(leftovers_are_told),
        TEST(no_token_over_anothers_data),
        TEST(waits_for_another_run),
        TEST(a_late_folder_is_not_withdrawn),
        TEST(replaces_what_a_killed_run_left),
        TEST(looks_once_more_before_the_next_stage),
        TEST(refuses_names_of_later_stages_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

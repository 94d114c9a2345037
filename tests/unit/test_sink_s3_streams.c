/* test_sink_s3_streams.c - the S3 sink with several files open at once, fed by a pool of few chunks: no
 * lock-up, within its memory. And in stages: what is there when, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sink_s3_rig.h"

#define FILES_MAX 64u

/* ---- several files at once ---- */

/* A sink for so many files with as little memory as the plan would ever give it: one connection. */
static struct rig *rig_of(uint32_t files, uint64_t part_size, uint32_t seed)
{
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, true, part_size);
    rig->options.open_files = files;
    rig->options.connections = 1;
    rig->options.hold = part_size * 3 / 4 * 5;
    rig->limit = (rig->options.hold + CHUNK - 1) / CHUNK; /* the chunks that exist for it */
    rig->random = seed;
    rig->client->random = seed * 77;
    rig->client->slow = seed % 2 == 0;
    rig_open(rig);
    return rig;
}

static void begin_all(struct rig *rig, uint32_t files)
{
    char name[32];
    for (uint32_t i = 0; i < files; i++) {
        snprintf(name, sizeof name, "s%02u/rows.csv", i);
        ok(rig_begin(rig, name));
    }
}

static void end_all(struct rig *rig, uint32_t files)
{
    for (uint32_t i = 0; i < files; i++)
        ok(rig_end_file(rig, (i * 7 + 3) % files));
}

/* Whatever was written and is not with S3 lies in chunks or in copies. */
static void check_memory(const struct rig *rig)
{
    uint64_t written = 0, sent = 0;
    for (size_t i = 0; i < rig->file_count; i++)
        written += rig->files[i].size;
    for (size_t i = 0; i < rig->client->upload_count; i++)
        for (uint32_t k = 0; k < rig->client->uploads[i].part_room; k++)
            sent += rig->client->uploads[i].parts[k].size;
    assert_true(written - sent <= sink_s3_copies(&rig->options) + rig->limit * CHUNK);
}

static void deliver(struct rig *rig, uint32_t files)
{
    end_all(rig, files);
    ok(rig_commit(rig));
    check_delivered(rig);
    assert_true(rig->most_out <= rig->limit);
    assert_int_equal(rig->warnings, 0);
    rig_free(rig);
}

/* Chunks of `runs` pieces for files picked at random; `favours`: most rows go to the first few. */
static void write_chunks(struct rig *rig, uint32_t files, unsigned chunks, unsigned runs_most, bool favours)
{
    struct run runs[FILES_MAX];
    for (unsigned chunk = 0; chunk < chunks; chunk++) {
        unsigned const count = 1 + below(rig, runs_most);
        size_t left = CHUNK;
        unsigned used = 0;
        for (unsigned i = 0; i < count && left > 0; i++) {
            size_t const most = 2 * CHUNK / count, length = 1 + below(rig, (uint32_t)most);
            uint32_t const among = favours && below(rig, 20) != 0 ? 3 : files;
            runs[used++] = (struct run){.file = below(rig, among), .length = length < left ? length : left};
            left -= runs[used - 1].length;
        }
        ok(rig_wait(rig)); /* asserts that something is on its way when no chunk is empty */
        ok(rig_write_runs(rig, runs, used));
        check_memory(rig);
    }
}

static void test_tiny_pieces_for_many_files(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 12; seed++) {
        struct rig *const rig = rig_of(50, PART, seed);
        begin_all(rig, 50);
        write_chunks(rig, 50, 1500, 50, seed % 3 == 0);
        deliver(rig, 50);
    }
}

static void test_pieces_of_all_lengths_for_many_files(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 12; seed++) {
        struct rig *const rig = rig_of(50, PART, seed);
        begin_all(rig, 50);
        for (unsigned round = 0; round < 10; round++) {
            write_chunks(rig, 50, 100, 1, seed % 3 == 0); /* whole chunks, or their most part */
            write_chunks(rig, 50, 100, 3, seed % 3 == 0);
            write_chunks(rig, 50, 50, 40, seed % 3 == 0);
        }
        deliver(rig, 50);
    }
}

/* Whole chunks in turn: none of the parts is whole before all chunks would be taken. */
static void test_even_files(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 4; seed++) {
        struct rig *const rig = rig_of(20, 8 * CHUNK, seed);
        begin_all(rig, 20);
        for (unsigned i = 0; i < 20 * 30; i++) {
            struct run const run = {.file = i % 20, .length = seed > 2 ? CHUNK : CHUNK / 2};
            ok(rig_wait(rig));
            ok(rig_write_runs(rig, &run, 1));
            check_memory(rig);
        }
        deliver(rig, 20);
    }
}

/* Pieces whose heads end the parts of many files: each tail alone would pin a chunk. */
static void test_tails_do_not_pin(void **state)
{
    (void)state;
    struct rig *const rig = rig_of(40, PART, 2);
    begin_all(rig, 40);
    for (uint32_t file = 0; file < 40; file++) {
        struct run runs[] = {{file, CHUNK}, {file, CHUNK}, {file, CHUNK}, {file, PART - 3 * CHUNK + 1}};
        for (unsigned i = 0; i < 4; i++) { /* the last one: all but a byte for the part */
            ok(rig_wait(rig));
            ok(rig_write_runs(rig, &runs[i], 1));
        }
    }
    while (s3_client_out(rig->client) > 0) {
        s3_client_wait(rig->client);
        ok(rig->sink->reap(rig->sink, &rig->fault));
    }
    assert_int_equal(rig->out, 0);
    deliver(rig, 40);
}

/* A file that gets a few bytes now and then does not keep what is copied for the others. */
static void test_a_slow_file_keeps_nothing(void **state)
{
    (void)state;
    struct rig *const rig = rig_of(2, 4 * CHUNK, 4);
    begin_all(rig, 2);
    for (unsigned i = 0; i < 3000; i++) {
        struct run const runs[] = {{0, CHUNK / 3}, {1, i % 10 == 0}, {0, CHUNK / 3}};
        ok(rig_wait(rig));
        ok(rig_write_runs(rig, runs, 1));
        if (i % 10 == 0) ok(rig_wait(rig));
        if (i % 10 == 0) ok(rig_write_runs(rig, runs + 1, 1));
        check_memory(rig);
    }
    deliver(rig, 2);
}

/* Parts that have grown fit as long as all of them together do. */
static void test_growing_parts_of_several_files(void **state)
{
    (void)state;
    struct rig *rig = rig_of(3, 16, 3);
    rig->sink->destroy(rig->sink);
    rig->options.hold = 12 * CHUNK;
    rig->options.fill = 3 * 64; /* of 2,001 and more */
    rig->limit = 12;
    rig_open(rig);
    begin_all(rig, 3);
    write_chunks(rig, 3, 3 * 55000 / CHUNK * 2, 6, false);
    for (unsigned i = 0; i < 3; i++)
        assert_true(rig->files[i].size > 16 * 1000 + 32 * 1000);
    deliver(rig, 3);

    rig = rig_of(3, 16, 3);
    rig->sink->destroy(rig->sink);
    rig->options.hold = 20; /* two fifths: 8 */
    rig_open(rig);
    begin_all(rig, 3);
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < 1100 * 3 && status == STATUS_OK; i++) {
        struct run const run = {.file = i % 3, .length = 16};
        status = rig_wait(rig);
        if (status == STATUS_OK) status = rig_write_runs(rig, &run, 1);
        if (i % 3 == 2 && status == STATUS_OK) continue;
        struct run const more = {.file = i % 3, .length = 1}; /* each has a part begun */
        if (i < 3) status = rig_write_runs(rig, &more, 1);
    }
    assert_int_equal(status, STATUS_JOB);
    assert_non_null(strstr(rig->fault.message, "other open files"));
    assert_non_null(strstr(rig->fault.message, "files.count"));
    check_nothing_left(rig);
    rig_free(rig);
}

/* One after the other in each stream, as files are cut by rows. */
static void test_streams_of_many_files(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 6; seed++) {
        struct rig *const rig = rig_of(8, PART, seed);
        uint32_t open[8];
        char name[32];
        begin_all(rig, 8);
        for (uint32_t i = 0; i < 8; i++)
            open[i] = i;
        for (unsigned i = 0; i < 4000; i++) {
            uint32_t const stream = below(rig, 8);
            struct run const run = {.file = open[stream], .length = 1 + below(rig, CHUNK)};
            ok(rig_wait(rig));
            ok(rig_write_runs(rig, &run, 1));
            check_memory(rig);
            if (rig->files[open[stream]].size < PART + below(rig, 5 * PART)) continue;
            ok(rig_end_file(rig, open[stream]));
            open[stream] = (uint32_t)rig->file_count;
            snprintf(name, sizeof name, "s%02u/%zu.csv", stream, rig->file_count);
            ok(rig_begin(rig, name));
        }
        for (uint32_t i = 0; i < 8; i++)
            ok(rig_end_file(rig, open[i]));
        assert_true(rig->file_count > 100);
        ok(rig_commit(rig));
        check_delivered(rig);
        rig_free(rig);
    }
}

static void test_more_files_than_planned(void **state)
{
    (void)state;
    struct rig *const rig = rig_of(2, PART, 1);
    begin_all(rig, 2);
    ok(rig_begin_staged(rig, "m.xml", SINK_MANIFEST)); /* does not count */
    ok(rig_end_file(rig, 0));
    ok(rig_begin(rig, "third.csv"));
    assert_int_equal(rig_begin(rig, "fourth.csv"), STATUS_INTERNAL);
    check_nothing_left(rig);
    rig_free(rig);
}

static void test_abort_with_many_open(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct rig *const rig = rig_of(30, PART, seed);
        begin_all(rig, 30);
        write_chunks(rig, 30, below(rig, 400), seed % 2 == 0 ? 30 : 2, false);
        for (uint32_t i = 0; i < below(rig, 30); i++)
            ok(rig_end_file(rig, i));
        check_nothing_left(rig);
        assert_int_equal(rig->warnings, 0);
        rig_free(rig);
    }
}

static void test_order_of_calls(void **state)
{
    (void)state;
    struct rig *const rig = rig_of(3, PART, 1);
    begin_all(rig, 3);
    ok(rig_end_file(rig, 1));
    struct run const run = {.file = 1, .length = 5};
    assert_int_equal(rig_write_runs(rig, &run, 1), STATUS_INTERNAL); /* goes home */
    check_nothing_left(rig);
    rig_free(rig);
}

/* ---- stages ---- */

struct watch {
    const struct rig *rig;
    size_t looks, put; /* HEADs before the first object; objects put */
    size_t data, verified_data, manifests, verified_manifests;
    size_t of_data, of_manifests, of_all; /* that the run has */
    bool looks_first;
    char types[3][64];
};

static int stage_of(const char *key)
{
    if (strstr(key, ".TOK") != NULL) return SINK_TOKEN;
    return strstr(key, ".xml") != NULL ? SINK_MANIFEST : SINK_DATA;
}

/* Every object appears when all of the stage before were looked at. */
static void witness_stages(const struct s3_client *client, const struct s3_op *op, enum s3_verdict verdict)
{
    struct watch *const watch = client->witness_context;
    if (op->key == NULL) return;
    int const stage = stage_of(op->key);
    if (op->object != NULL)
        snprintf(watch->types[stage], sizeof watch->types[stage], "%s", op->object->content_type);
    if (op->kind == S3_HEAD_OBJECT && watch->put == 0) watch->looks++;
    if (op->kind == S3_HEAD_OBJECT && verdict == S3_DONE) {
        watch->verified_data += stage == SINK_DATA;
        watch->verified_manifests += stage == SINK_MANIFEST;
    }
    if (op->kind != S3_PUT_OBJECT && op->kind != S3_COMPLETE_UPLOAD) return;
    if (watch->looks_first && watch->put == 0) assert_int_equal(watch->looks, 2 * watch->of_all);
    watch->put++;
    if (stage >= SINK_MANIFEST) assert_int_equal(watch->verified_data, watch->of_data);
    if (stage == SINK_TOKEN) assert_int_equal(watch->verified_manifests, watch->of_manifests);
}

static void put_staged(struct rig *rig, const char *name, enum sink_stage stage, size_t size)
{
    ok(rig_begin_staged(rig, name, stage));
    if (size != 0) ok(rig_write(rig, size));
    ok(rig_end(rig));
}

/* Two manifests of two data files each, one large, with tokens. */
static void write_delivery(struct rig *rig)
{
    put_staged(rig, "early.xml", SINK_MANIFEST, 50); /* the order of begin() is not that of stages */
    put_staged(rig, "s1/a.csv", SINK_DATA, 3 * PART + 7);
    put_staged(rig, "s1/b.csv", SINK_DATA, 20);
    put_staged(rig, "early.xml.TOK", SINK_TOKEN, 0);
    put_staged(rig, "s2/a.csv", SINK_DATA, PART);
    put_staged(rig, "s2/b.csv", SINK_DATA, 0);
    put_staged(rig, "late.xml", SINK_MANIFEST, 2 * PART + 1);
    put_staged(rig, "late.xml.TOK", SINK_TOKEN, 0);
}

#define DELIVERY_FILES 8u

static struct watch watch_delivery(struct rig *rig)
{
    return (struct watch){.rig = rig,
                          .of_data = 4,
                          .of_manifests = 2,
                          .of_all = DELIVERY_FILES,
                          .looks_first = !rig->options.replace};
}

static struct rig *rig_staged(bool replace, uint32_t seed)
{
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, replace, PART);
    rig->client->random = seed;
    rig->options.object.content_type = "text/csv";
    rig_open(rig);
    return rig;
}

static void test_stage_after_stage(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        struct rig *const rig = rig_staged(seed % 2 == 0, seed);
        struct watch watch = watch_delivery(rig);
        rig->client->witness = witness_stages;
        rig->client->witness_context = &watch;
        write_delivery(rig);
        assert_int_equal(rig->client->object_count, 0);
        ok(rig_commit(rig));
        check_delivered(rig);
        assert_int_equal(watch.put, DELIVERY_FILES);
        assert_string_equal(watch.types[SINK_DATA], "text/csv");
        assert_string_equal(watch.types[SINK_MANIFEST], "application/xml");
        assert_string_equal(watch.types[SINK_TOKEN], "application/octet-stream");
        assert_int_equal(rig_object(rig, "late.xml.TOK")->body.size, 0);
        assert_int_equal(rig->client->by_kind[S3_PUT_OBJECT], 5);
        rig_free(rig);
    }
}

/* An object is there only with all of the stages before it, and the message says what is there. */
static void check_stages(struct rig *rig, enum status status, unsigned k)
{
    if (status == STATUS_OK) {
        check_delivered(rig);
        return;
    }
    rig->sink->abort(rig->sink);
    assert_int_equal(rig->out, 0);
    assert_int_equal(fake_uploads_alive(rig->client), 0);
    size_t there[3] = {0};
    for (size_t i = 0; i < rig->file_count; i++) {
        if (rig_object(rig, rig->files[i].name) == NULL) continue;
        check_file(rig, &rig->files[i]);
        there[stage_of(rig->files[i].name)]++;
    }
    if (there[SINK_MANIFEST] != 0) assert_int_equal(there[SINK_DATA], 4);
    if (there[SINK_TOKEN] != 0) assert_int_equal(there[SINK_MANIFEST], 2);
    size_t const all = there[0] + there[1] + there[2];
    assert_int_equal(rig->client->object_count, all);
    char told[64];
    snprintf(told, sizeof told, "%zu of %u files are complete and stay", all, DELIVERY_FILES);
    if (all > 0 && strstr(rig->fault.message, told) == NULL) fail_msg("call %u: %s", k, rig->fault.message);
    if (all > 0 && there[SINK_MANIFEST] == 0)
        assert_true(strstr(rig->fault.message, "; no manifest and no token is written") != NULL ||
                    strstr(rig->fault.message, "; no token is written") != NULL);
}

static void every_call_of_stages(struct fake_rule what)
{
    struct rig *rig = rig_staged(false, 1);
    write_delivery(rig);
    ok(rig_commit(rig));
    unsigned const calls = rig->client->calls;
    rig_free(rig);
    for (unsigned k = 1; k <= calls; k++) {
        rig = rig_staged(false, k);
        what.kind = FAKE_ANY;
        what.from = k;
        rule(rig, what);
        enum status status = STATUS_OK;
        static const struct {
            const char *name;
            enum sink_stage stage;
            size_t size;
        } files[DELIVERY_FILES] = {{"m.xml", SINK_MANIFEST, 50},
                                   {"a.csv", SINK_DATA, 3 * PART + 7},
                                   {"b.csv", SINK_DATA, 20},
                                   {"m.xml.TOK", SINK_TOKEN, 0},
                                   {"c.csv", SINK_DATA, PART},
                                   {"d.csv", SINK_DATA, 0},
                                   {"n.xml", SINK_MANIFEST, 2 * PART + 1},
                                   {"n.xml.TOK", SINK_TOKEN, 0}};
        for (unsigned i = 0; i < DELIVERY_FILES && status == STATUS_OK; i++) {
            status = rig_begin_staged(rig, files[i].name, files[i].stage);
            if (status == STATUS_OK && files[i].size != 0) status = rig_write(rig, files[i].size);
            if (status == STATUS_OK) status = rig_end(rig);
        }
        if (status == STATUS_OK) status = rig_commit(rig);
        check_stages(rig, status, k);
        rig_free(rig);
    }
}

static void test_every_call_of_stages_fails(void **state)
{
    (void)state;
    every_call_of_stages((struct fake_rule){.verdict = S3_FATAL});
    every_call_of_stages((struct fake_rule){.verdict = S3_TRANSIENT, .carried_out = true});
    every_call_of_stages((struct fake_rule){.carried_out = true, .again = true});
}

static void test_data_that_fails_leaves_no_manifest(void **state)
{
    (void)state;
    struct rig *const rig = rig_staged(false, 5);
    rule(rig, (struct fake_rule){.kind = S3_COMPLETE_UPLOAD, .key = PREFIX "s2/a.csv", .verdict = S3_DENIED});
    write_delivery(rig);
    assert_int_equal(rig_commit(rig), STATUS_RIGHTS);
    assert_non_null(strstr(rig->fault.message, "; no manifest and no token is written; "));
    assert_non_null(strstr(rig->fault.message, " of 8 files are complete and stay: s3://acme/in/s"));
    rig->sink->abort(rig->sink);
    assert_null(rig_object(rig, "early.xml"));
    assert_null(rig_object(rig, "late.xml"));
    assert_null(rig_object(rig, "early.xml.TOK"));
    assert_int_equal(fake_uploads_alive(rig->client), 0);
    rig_free(rig);
}

static void test_manifest_that_fails_leaves_no_token(void **state)
{
    (void)state;
    struct rig *const rig = rig_staged(false, 6);
    rule(rig, (struct fake_rule){.kind = S3_PUT_OBJECT, .key = PREFIX "early.xml", .verdict = S3_FATAL});
    write_delivery(rig);
    assert_int_equal(rig_commit(rig), STATUS_IO);
    assert_non_null(strstr(rig->fault.message, "; no token is written; "));
    rig->sink->abort(rig->sink);
    for (unsigned i = 0; i < 4; i++) {
        static const char *const names[] = {"s1/a.csv", "s1/b.csv", "s2/a.csv", "s2/b.csv"};
        assert_non_null(rig_object(rig, names[i]));
    }
    assert_null(rig_object(rig, "early.xml.TOK"));
    assert_null(rig_object(rig, "late.xml.TOK"));
    rig_free(rig);
}

/* Data that is not what was sent: no manifest names it. */
static void test_data_that_is_not_verified_leaves_no_manifest(void **state)
{
    (void)state;
    struct rig *const rig = rig_staged(false, 7);
    write_delivery(rig);
    rig->client->wrong_size = true;
    assert_int_equal(rig_commit(rig), STATUS_IO);
    assert_non_null(strstr(rig->fault.message, "integrity"));
    rig->sink->abort(rig->sink);
    assert_null(rig_object(rig, "early.xml"));
    assert_null(rig_object(rig, "late.xml"));
    rig_free(rig);
}

/* A token is verified too: an empty object, but ours. */
static void test_foreign_token(void **state)
{
    (void)state;
    struct rig *const rig = rig_staged(false, 8);
    rig->client->ignores_condition = true;
    rig->client->wrong_token = false;
    put_staged(rig, "a.csv.TOK", SINK_TOKEN, 0);
    rule(rig, (struct fake_rule){.kind = S3_PUT_OBJECT, .verdict = S3_DONE, .status = STATUS_OK});
    fake_put(rig->client, PREFIX "other", (struct fake_bytes){.bytes = fake_must(strdup(""))}, "another");
    assert_int_equal(rig_commit(rig), STATUS_IO); /* the store said that it had put it */
    assert_non_null(strstr(rig->fault.message, "a.csv.TOK: integrity: was completed, but is not there"));
    rig_free(rig);
}

static void test_names_of_all_stages_may_be_taken(void **state)
{
    (void)state;
    static const char *const names[] = {"early.xml", "late.xml", "early.xml.TOK", "late.xml.TOK", "s2/b.csv"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        struct rig *rig = rig_staged(false, i + 1);
        char key[64];
        snprintf(key, sizeof key, PREFIX "%s", names[i]);
        write_delivery(rig);
        put_foreign(rig, key); /* before the second look */
        assert_int_equal(rig_commit(rig), STATUS_EXISTS);
        assert_non_null(strstr(rig->fault.message, key));
        rig->sink->abort(rig->sink);
        assert_int_equal(rig->client->object_count, 1);
        assert_int_equal(fake_uploads_alive(rig->client), 0);
        rig_free(rig);

        rig = rig_staged(true, i + 1);
        put_foreign(rig, key);
        write_delivery(rig);
        ok(rig_commit(rig));
        check_delivered(rig);
        rig_free(rig);
    }
}

/* It appears between the looks and its own stage: If-None-Match decides. */
static void test_race_for_a_token(void **state)
{
    (void)state;
    struct rig *const rig = rig_staged(false, 3);
    put_foreign(rig, PREFIX "late.xml.TOK");
    rule(rig, (struct fake_rule){
                  .kind = S3_HEAD_OBJECT, .key = PREFIX "late.xml.TOK", .count = 2, .verdict = S3_NO_KEY});
    write_delivery(rig);
    assert_int_equal(rig_commit(rig), STATUS_EXISTS);
    assert_non_null(strstr(rig->fault.message, "late.xml.TOK: exists already"));
    assert_non_null(strstr(rig->fault.message, "of 8 files are complete and stay"));
    rig->sink->abort(rig->sink);
    assert_string_equal(rig_object(rig, "late.xml.TOK")->token, "another");
    assert_non_null(rig_object(rig, "late.xml"));
    rig_free(rig);
}

static void stop_when_rows_are_there(const struct s3_client *client, const struct s3_op *op,
                                     enum s3_verdict verdict)
{
    (void)client;
    bool const is_put = op->kind == S3_PUT_OBJECT || op->kind == S3_COMPLETE_UPLOAD;
    if (is_put && verdict == S3_DONE && stage_of(op->key) == SINK_MANIFEST) stop_with = STATUS_TERMINATED;
}

static void test_signal_between_stages(void **state)
{
    (void)state;
    struct rig *rig = rig_staged(false, 4);
    rig->client->witness = stop_when_rows_are_there;
    write_delivery(rig);
    ok(rig_commit(rig));
    assert_int_equal(stop_with, STATUS_TERMINATED);
    check_delivered(rig);
    rig_free(rig);
    rig = rig_staged(false, 4);
    write_delivery(rig);
    stop_with = STATUS_INTERRUPTED;
    assert_int_equal(rig_commit(rig), STATUS_INTERRUPTED);
    check_nothing_left(rig);
    rig_free(rig);
}

/* Small manifests are kept whatever the files of rows have taken of the room for that. */
static void test_manifests_are_kept(void **state)
{
    (void)state;
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, true, 4u << 20);
    rig->options.chunk_bytes = 128u << 10;
    rig_open(rig);
    char name[32];
    for (unsigned i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "%u.csv", i);
        ok(rig_put(rig, name, S3_SMALL_FILE - 1, 128u << 10));
    }
    put_staged(rig, "m.xml", SINK_MANIFEST, S3_SMALL_FILE - 1);
    put_staged(rig, "n.xml", SINK_MANIFEST, S3_SMALL_FILE);
    put_staged(rig, "m.xml.TOK", SINK_TOKEN, 0);
    ok(rig_commit(rig));
    check_delivered(rig);
    assert_int_equal(rig->client->by_kind[S3_PUT_OBJECT], S3_KEPT_MAX / S3_SMALL_FILE + 2);
    rig_free(rig);
}

static void test_one_name_for_two_stages(void **state)
{
    (void)state;
    struct rig *rig = rig_staged(false, 1);
    put_staged(rig, "m.xml", SINK_MANIFEST, 5);
    assert_int_equal(rig_begin_staged(rig, "m.xml", SINK_TOKEN), STATUS_JOB);
    assert_non_null(strstr(rig->fault.message, "pega.token"));
    check_nothing_left(rig);
    rig_free(rig);
    rig = rig_staged(false, 1);
    put_staged(rig, "m.xml", SINK_DATA, 5);
    put_staged(rig, "a.csv", SINK_DATA, 5);
    put_staged(rig, "m.xml", SINK_MANIFEST, 5);
    assert_int_equal(rig_commit(rig), STATUS_JOB);
    assert_non_null(strstr(rig->fault.message, "pega.manifest"));
    check_nothing_left(rig);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny_pieces_for_many_files),
        cmocka_unit_test(test_pieces_of_all_lengths_for_many_files),
        cmocka_unit_test(test_even_files),
        cmocka_unit_test(test_tails_do_not_pin),
        cmocka_unit_test(test_a_slow_file_keeps_nothing),
        cmocka_unit_test(test_growing_parts_of_several_files),
        cmocka_unit_test(test_streams_of_many_files),
        cmocka_unit_test(test_more_files_than_planned),
        cmocka_unit_test(test_abort_with_many_open),
        cmocka_unit_test(test_order_of_calls),
        cmocka_unit_test(test_stage_after_stage),
        cmocka_unit_test(test_every_call_of_stages_fails),
        cmocka_unit_test(test_data_that_fails_leaves_no_manifest),
        cmocka_unit_test(test_manifest_that_fails_leaves_no_token),
        cmocka_unit_test(test_data_that_is_not_verified_leaves_no_manifest),
        cmocka_unit_test(test_foreign_token),
        cmocka_unit_test(test_names_of_all_stages_may_be_taken),
        cmocka_unit_test(test_race_for_a_token),
        cmocka_unit_test(test_signal_between_stages),
        cmocka_unit_test(test_manifests_are_kept),
        cmocka_unit_test(test_one_name_for_two_stages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_sink_s3_failures.c - the S3 sink over a store in memory when calls fail: every one of them once, what
 * is verified, and what is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/s3_abort.h"
#include "io/output/s3_commit.h"
#include "io/output/s3_pass.h"
#include "tests/unit/sink_s3_rig.h"

/* ---- failures ---- */

static enum status small_delivery(struct rig *rig)
{
    enum status status = rig_put(rig, "a.csv", 3 * PART + 10, CHUNK);
    if (status == STATUS_OK) status = rig_put(rig, "b.csv", 100, CHUNK);
    if (status == STATUS_OK) status = rig_put(rig, "c.csv", PART, CHUNK);
    return status == STATUS_OK ? rig_commit(rig) : status;
}

/* Either all is delivered, or nothing is left but whole files that the message tells of. */
static void check_outcome(struct rig *rig, enum status status, unsigned k)
{
    if (status == STATUS_OK) {
        assert_int_equal(rig->file_count, 3);
        check_delivered(rig);
        return;
    }
    rig->sink->abort(rig->sink);
    assert_int_equal(rig->out, 0);
    assert_int_equal(fake_uploads_alive(rig->client), 0);
    assert_int_equal(rig->warnings, 0);
    size_t there = 0;
    for (size_t i = 0; i < rig->file_count; i++) {
        if (rig_object(rig, rig->files[i].name) == NULL) continue;
        check_file(rig, &rig->files[i]);
        there++;
    }
    assert_int_equal(rig->client->object_count, there);
    char told[64];
    snprintf(told, sizeof told, "%zu of 3 files are complete and stay", there);
    if (there > 0 && strstr(rig->fault.message, told) == NULL)
        fail_msg("call %u: %zu there: %s", k, there, rig->fault.message);
}

static void every_call(enum s3_verdict verdict, bool carried_out, bool again)
{
    struct rig *rig = rig_default();
    ok(small_delivery(rig));
    unsigned const calls = rig->client->calls;
    assert_true(calls >= 18);
    rig_free(rig);
    for (unsigned k = 1; k <= calls; k++) {
        rig = rig_default();
        rig->client->random = k;
        rule(
            rig,
            (struct fake_rule){
                .kind = FAKE_ANY, .from = k, .verdict = verdict, .carried_out = carried_out, .again = again});
        check_outcome(rig, small_delivery(rig), k);
        rig_free(rig);
    }
}

static void test_every_call_fails(void **state)
{
    (void)state;
    every_call(S3_TRANSIENT, false, false);
    every_call(S3_FATAL, false, false);
    every_call(S3_DENIED, false, false);
    every_call(S3_NO_UPLOAD, false, false);
}

static void test_every_reply_is_lost(void **state)
{
    (void)state;
    every_call(S3_TRANSIENT, true, false);
    every_call(S3_NO_UPLOAD, true, false);
}

static void test_every_call_is_repeated(void **state)
{
    (void)state;
    struct rig *rig = rig_default();
    ok(small_delivery(rig));
    unsigned const calls = rig->client->calls;
    rig_free(rig);
    for (unsigned k = 1; k <= calls; k++) {
        rig = rig_default();
        rule(rig, (struct fake_rule){.kind = FAKE_ANY, .from = k, .carried_out = true, .again = true});
        ok(small_delivery(
            rig)); /* also a second Create, whose first upload nobody knows; and a second Complete */
        check_delivered(rig);
        assert_int_equal(rig->warnings, 0);
        rig_free(rig);
    }
}

static void test_fault_of_call_is_the_runs(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    rule(rig, (struct fake_rule){.kind = S3_UPLOAD_PART, .from = 2, .verdict = S3_DENIED});
    assert_int_equal(small_delivery(rig), STATUS_RIGHTS);
    assert_int_equal(rig->fault.status, STATUS_RIGHTS);
    assert_non_null(strstr(rig->fault.message, "failed by the test"));
    check_nothing_left(rig);
    rig_free(rig);
}

static void test_denied_look_names_rights(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    rule(rig, (struct fake_rule){.kind = S3_HEAD_OBJECT, .verdict = S3_DENIED});
    assert_int_equal(rig_begin(rig, "a.csv"), STATUS_RIGHTS);
    assert_non_null(strstr(rig->fault.message, "s3:ListBucket"));
    check_nothing_left(rig);
    rig_free(rig);
}

static void test_lost_complete_is_ours(void **state)
{
    (void)state;
    static const enum s3_verdict verdicts[] = {S3_TRANSIENT, S3_NO_UPLOAD, S3_EXISTS, S3_FATAL, S3_CONFLICT};
    for (unsigned i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        struct rig *const rig = rig_default();
        rule(rig,
             (struct fake_rule){.kind = S3_COMPLETE_UPLOAD, .verdict = verdicts[i], .carried_out = true});
        rule(rig, (struct fake_rule){.kind = S3_PUT_OBJECT, .verdict = verdicts[i], .carried_out = true});
        ok(small_delivery(rig));
        check_delivered(rig);
        rig_free(rig);
    }
}

static void test_doubt_that_stays(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    rule(rig, (struct fake_rule){.kind = S3_COMPLETE_UPLOAD, .verdict = S3_TRANSIENT, .carried_out = true});
    rule(rig, (struct fake_rule){.kind = S3_HEAD_OBJECT, .from = 3, .count = 100, .verdict = S3_TRANSIENT});
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    assert_int_equal(rig_commit(rig), STATUS_TRY_AGAIN);
    assert_non_null(strstr(rig->fault.message, "of 1 it is not known"));
    rig->sink->abort(rig->sink);
    assert_int_equal(rig->warnings, 0);
    rig_free(rig);
}

static void test_conflict(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    rule(rig, (struct fake_rule){.kind = S3_COMPLETE_UPLOAD, .verdict = S3_CONFLICT});
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    assert_int_equal(rig_commit(rig), STATUS_TRY_AGAIN);
    assert_int_equal(rig->fault.status, STATUS_TRY_AGAIN);
    check_nothing_left(rig);
    rig_free(rig);
}

static void test_no_conditions(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    rule(rig, (struct fake_rule){.kind = S3_COMPLETE_UPLOAD, .verdict = S3_NOT_SUPPORTED});
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    assert_int_equal(rig_commit(rig), STATUS_JOB);
    assert_non_null(strstr(rig->fault.message, "destination.if_exists: replace"));
    check_nothing_left(rig);
    rig_free(rig);
}

static void partly_done(uint32_t seed)
{
    struct rig *const rig = rig_default();
    rig->client->random = seed;
    rule(rig, (struct fake_rule){.kind = S3_COMPLETE_UPLOAD, .from = 6, .verdict = S3_FATAL});
    for (unsigned i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "%02u.csv", i);
        ok(rig_put(rig, name, PART, CHUNK));
    }
    assert_int_equal(rig_commit(rig), STATUS_IO);
    size_t const there = rig->client->object_count;
    assert_true(there >= 5 && there <= 5 + S3_ERRANDS_A_CONNECTION * rig->options.connections);
    char told[64];
    snprintf(told, sizeof told, "; %zu of 20 files are complete and stay: s3://acme/in/", there);
    assert_non_null(strstr(rig->fault.message, told));
    assert_non_null(strstr(rig->fault.message, ", ..."));
    assert_int_equal(rig->client->hurry_ms, S3_ABORT_SECONDS * 1000);
    rig->sink->abort(rig->sink);
    assert_int_equal(rig->client->object_count, there); /* they stay */
    assert_int_equal(fake_uploads_alive(rig->client), 0);
    rig_free(rig);
}

static void test_partly_done(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 30; seed++)
        partly_done(seed);
}

/* ---- verification ---- */

static enum status verified(void (*change)(struct s3_client *client), enum checksum_kind kind,
                            const char *expected)
{
    struct rig *const rig = rig_new(kind, false, PART);
    rig_open(rig);
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    change(rig->client);
    enum status const status = rig_commit(rig);
    if (expected != NULL) {
        assert_non_null(strstr(rig->fault.message, expected));
        assert_non_null(strstr(rig->fault.message, "s3://acme/in/a.csv"));
        bool const is_there = strstr(expected, "not there") == NULL;
        bool const is_ours = strstr(expected, "penstock-token") == NULL;
        assert_int_equal(strstr(rig->fault.message, "1 of 1 files are complete and stay") != NULL,
                         is_there && is_ours);
        rig->sink->abort(rig->sink);
        /* what was said to be complete and is not may have its upload still */
        assert_int_equal(rig->client->by_kind[S3_ABORT_UPLOAD] != 0, !is_there);
    }
    rig_free(rig);
    return status;
}

static void with_nothing(struct s3_client *client)
{
    (void)client;
}

static void with_wrong_size(struct s3_client *client)
{
    client->wrong_size = true;
}

static void with_wrong_checksum(struct s3_client *client)
{
    client->wrong_checksum = true;
}

static void with_wrong_token(struct s3_client *client)
{
    client->wrong_token = true;
}

static void with_composite(struct s3_client *client)
{
    client->composite = true;
}

static void without_checksums(struct s3_client *client)
{
    client->no_checksums = true;
    client->wrong_checksum = true;
}

static void with_delay(struct s3_client *client)
{
    client->hidden_heads = S3_VERIFY_ROUNDS - 1;
}

static void with_loss(struct s3_client *client)
{
    client->hidden_heads = 1000;
}

static void test_verification(void **state)
{
    (void)state;
    ok(verified(with_nothing, CHECKSUM_CRC64NVME, NULL));
    assert_int_equal(verified(with_wrong_size, CHECKSUM_CRC64NVME, "has 3001 bytes, 3000 were sent"),
                     STATUS_IO);
    assert_int_equal(verified(with_wrong_checksum, CHECKSUM_CRC32C, "the store has crc32c "), STATUS_IO);
    assert_int_equal(verified(with_wrong_token, CHECKSUM_CRC64NVME, "penstock-token"), STATUS_IO);
    ok(verified(with_composite, CHECKSUM_CRC32, NULL));
    ok(verified(without_checksums, CHECKSUM_CRC64NVME, NULL));
    ok(verified(with_wrong_checksum, CHECKSUM_NONE, NULL));
    ok(verified(with_delay, CHECKSUM_CRC64NVME, NULL));
    assert_int_equal(verified(with_loss, CHECKSUM_CRC64NVME, "is not there"), STATUS_IO);
}

/* ---- abort ---- */

static void test_abort_midway(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct rig *const rig = rig_default();
        rig->client->random = seed;
        rig->random = seed;
        unsigned const files = below(rig, 5);
        for (unsigned i = 0; i < files; i++) {
            char name[32];
            snprintf(name, sizeof name, "%u.csv", i);
            ok(rig_put(rig, name, below(rig, 6 * PART), CHUNK));
        }
        ok(rig_begin(rig, "open.csv"));
        for (uint32_t pieces = below(rig, 30); pieces > 0; pieces--)
            ok(rig_write(rig, 1 + below(rig, CHUNK)));
        if (seed % 4 == 0) { /* without abort() */
            rig->sink->destroy(rig->sink);
            rig_open(rig);
        }
        check_nothing_left(rig);
        assert_int_equal(rig->warnings, 0);
        rig_free(rig);
    }
}

/* Creates that don't come back in time are cancelled; the upload that one of them began all the same is found
 * by its key and time, another's of the same key stays. */
static void test_abort_finds_strays(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, true, PART);
        rig->client->random = seed;
        rig_open(rig);
        int64_t const now = (int64_t)time(NULL) + FAKE_SKEW;
        rule(rig, (struct fake_rule){
                      .kind = S3_CREATE_UPLOAD, .carried_out = true, .again = true, .key = PREFIX "a.csv"});
        ok(rig_put(rig, "a.csv", 2 * PART, CHUNK));
        while (s3_client_out(rig->client) > 0) {
            s3_client_wait(rig->client);
            ok(rig->sink->reap(rig->sink, &rig->fault));
        }
        enum s3_op_kind const stuck = S3_CREATE_UPLOAD;
        rig->client->stuck = &stuck;
        ok(rig_put(rig, "b.csv", 2 * PART, CHUNK));
        fake_begin(rig->client, PREFIX "a.csv", "another", now - 3600);
        fake_begin(rig->client, PREFIX "a.csv.gz", "another", now);
        fake_begin(rig->client, PREFIX "b.csv", "another", now + 3600);
        uint64_t const began = fake_now;
        rig->sink->abort(rig->sink);
        assert_true(fake_now - began >= S3_ABORT_CREATE_SECONDS * 1000000000ull);
        assert_int_equal(fake_uploads_alive(rig->client), 3);
        assert_int_equal(rig->warnings, 0);
        rig_free(rig);
    }
}

/* One that does come back is waited for and aborted by its id. */
static void test_abort_waits_for_creates(void **state)
{
    (void)state;
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, true, PART);
    rig_open(rig);
    rig->client->stands = true;
    ok(rig_put(rig, "a.csv", 2 * PART, CHUNK));
    rig->client->stands = false;
    check_nothing_left(rig);
    assert_int_equal(rig->client->by_kind[S3_CREATE_UPLOAD], 1);
    assert_int_equal(rig->client->by_kind[S3_UPLOAD_PART], 0);
    assert_int_equal(rig->client->by_kind[S3_LIST_UPLOADS], 0);
    rig_free(rig);
}

static void test_strays_of_a_delivery(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    int64_t const now = (int64_t)time(NULL) + FAKE_SKEW;
    fake_begin(rig->client, PREFIX "a.csv", "another", now - 60);
    fake_begin(rig->client, PREFIX "a.csv.gz", "another", now);
    rule(rig, (struct fake_rule){.kind = S3_CREATE_UPLOAD, .count = 100, .carried_out = true, .again = true});
    ok(small_delivery(rig));
    assert_int_equal(fake_uploads_alive(rig->client), 2);
    assert_int_equal(rig->client->by_kind[S3_LIST_UPLOADS], 2);
    assert_int_equal(rig->warnings, 0);
    rig_free(rig);
}

static void test_stray_that_stays_is_told(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    rule(rig, (struct fake_rule){.kind = S3_CREATE_UPLOAD, .count = 100, .carried_out = true, .again = true});
    rule(rig, (struct fake_rule){.kind = S3_LIST_UPLOADS, .count = 100, .verdict = S3_DENIED});
    ok(small_delivery(rig)); /* a warning, no failure */
    assert_int_equal(rig->warnings, 2);
    assert_non_null(strstr(rig->warning, "s3://acme/in/a.csv"));
    assert_non_null(strstr(rig->warning, "penstock cleanup s3://acme/in/"));
    rig_free(rig);
}

static void test_abort_that_is_denied_is_told(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    rule(rig, (struct fake_rule){.kind = S3_ABORT_UPLOAD, .count = 100, .verdict = S3_DENIED});
    for (unsigned i = 0; i < 8; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.csv", i);
        ok(rig_put(rig, name, PART, CHUNK));
    }
    stop_with = STATUS_TERMINATED;
    assert_int_equal(rig_commit(rig), STATUS_TERMINATED);
    rig->sink->abort(rig->sink);
    assert_int_equal(rig->client->by_kind[S3_ABORT_UPLOAD], fake_uploads_alive(rig->client));
    assert_true(rig->warnings <= S3_ABORT_NAMED + 1);
    assert_non_null(strstr(rig->warning, "s3://acme/in/"));
    assert_non_null(strstr(rig->warning, "upload-"));
    assert_non_null(strstr(rig->warning, "penstock cleanup s3://acme/in/"));
    rig_free(rig);
}

static void test_abort_until_parts_have_landed(void **state)
{
    (void)state;
    struct rig *rig = rig_default();
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    while (s3_client_out(rig->client) > 0) {
        s3_client_wait(rig->client);
        ok(rig->sink->reap(rig->sink, &rig->fault));
    }
    rig->client->uploads[0].late = S3_ABORT_ROUNDS - 1;
    check_nothing_left(rig);
    assert_int_equal(rig->client->by_kind[S3_ABORT_UPLOAD], S3_ABORT_ROUNDS);
    assert_int_equal(rig->client->by_kind[S3_LIST_PARTS], S3_ABORT_ROUNDS);
    rig_free(rig);
    /* a store that keeps it: bounded, and told */
    rig = rig_default();
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    while (s3_client_out(rig->client) > 0) {
        s3_client_wait(rig->client);
        ok(rig->sink->reap(rig->sink, &rig->fault));
    }
    rig->client->uploads[0].late = 1000;
    rig->sink->abort(rig->sink);
    assert_int_equal(rig->warnings, 1);
    rig_free(rig);
}

static void test_abort_without_right_to_list(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    rule(rig, (struct fake_rule){.kind = S3_LIST_PARTS, .count = 100, .verdict = S3_DENIED});
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    while (s3_client_out(rig->client) > 0) {
        s3_client_wait(rig->client);
        ok(rig->sink->reap(rig->sink, &rig->fault));
    }
    check_nothing_left(rig);
    assert_int_equal(rig->warnings, 0);
    rig_free(rig);
}

/* The network is gone: abort() ends all the same, after its time. */
static void test_abort_has_an_end(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    for (unsigned i = 0; i < 30; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.csv", i);
        ok(rig_put(rig, name, PART, CHUNK));
    }
    while (s3_client_out(rig->client) > 0) {
        s3_client_wait(rig->client);
        ok(rig->sink->reap(rig->sink, &rig->fault));
    }
    rig->client->stands = true;
    uint64_t const began = fake_now;
    rig->sink->abort(rig->sink);
    assert_true(fake_now - began <= (S3_ABORT_SECONDS + 1) * 1000000000ull);
    assert_int_equal(rig->out, 0);
    assert_int_equal(s3_client_out(rig->client), 0);
    assert_int_equal(rig->warnings, S3_ABORT_NAMED + 1);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call_fails),
        cmocka_unit_test(test_every_reply_is_lost),
        cmocka_unit_test(test_every_call_is_repeated),
        cmocka_unit_test(test_fault_of_call_is_the_runs),
        cmocka_unit_test(test_denied_look_names_rights),
        cmocka_unit_test(test_lost_complete_is_ours),
        cmocka_unit_test(test_doubt_that_stays),
        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_no_conditions),
        cmocka_unit_test(test_partly_done),
        cmocka_unit_test(test_verification),
        cmocka_unit_test(test_abort_midway),
        cmocka_unit_test(test_abort_finds_strays),
        cmocka_unit_test(test_abort_waits_for_creates),
        cmocka_unit_test(test_strays_of_a_delivery),
        cmocka_unit_test(test_stray_that_stays_is_told),
        cmocka_unit_test(test_abort_that_is_denied_is_told),
        cmocka_unit_test(test_abort_until_parts_have_landed),
        cmocka_unit_test(test_abort_without_right_to_list),
        cmocka_unit_test(test_abort_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

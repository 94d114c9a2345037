/* test_sink_s3.c - the S3 sink over a store in memory (fake_s3_client.h): exact parts, checksums of cut
 * pieces, pieces home exactly once and not too early, bounds, names that are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/s3_pass.h"
#include "tests/unit/sink_s3_rig.h"

/* ---- deliveries ---- */

static void some_files(enum checksum_kind kind, bool replace, uint32_t seed, uint64_t part_size)
{
    struct rig *const rig = rig_new(kind, replace, part_size);
    rig->random = seed;
    rig->client->random = seed * 77;
    rig_open(rig);
    for (unsigned i = 0; i < 12; i++) {
        char name[32];
        snprintf(name, sizeof name, "part_%04u.csv", i + 1);
        size_t const size = i == 0 ? 0 : i == 1 ? 5 * part_size : below(rig, (uint32_t)(9 * part_size));
        uint32_t const most = i % 3 == 0 ? CHUNK : i % 3 == 1 ? CHUNK / 3 : (uint32_t)(3 * part_size);
        ok(rig_put(rig, name, size, most));
    }
    assert_int_equal(rig->client->object_count, 0); /* nothing shows before commit */
    ok(rig_commit(rig));
    check_delivered(rig);
    assert_int_equal(rig->warnings, 0);
    assert_int_equal(rig->client->by_kind[S3_ABORT_UPLOAD], 0);
    rig->sink->abort(rig->sink); /* after commit: nothing */
    check_delivered(rig);
    rig_free(rig);
}

static void test_random_pieces(void **state)
{
    (void)state;
    static const enum checksum_kind kinds[] = {CHECKSUM_CRC64NVME, CHECKSUM_CRC32C, CHECKSUM_CRC32,
                                               CHECKSUM_NONE};
    for (uint32_t seed = 1; seed <= 40; seed++)
        some_files(kinds[seed % 4], seed % 3 == 0, seed, seed % 5 == 0 ? 37 : PART);
}

/* Every place of a part's end in a piece, and pieces that exactly end with it. */
static void test_every_cut(void **state)
{
    (void)state;
    for (size_t first = PART - 130; first <= PART + 1; first++) {
        struct rig *const rig = rig_default();
        ok(rig_begin(rig, "cut.csv"));
        ok(rig_write_piece(rig, first, true, SIZE_MAX));
        ok(rig_write_piece(rig, 200, true, SIZE_MAX));
        ok(rig_write_piece(rig, 2 * PART, true, SIZE_MAX)); /* over three parts */
        ok(rig_write_piece(rig, 7, true, SIZE_MAX));
        ok(rig_end(rig));
        ok(rig_commit(rig));
        check_delivered(rig);
        rig_free(rig);
    }
}

/* A byte that changes between the worker and the wire: the store must hear of it, on both sides of a cut. */
static void test_changed_byte_is_noticed(void **state)
{
    (void)state;
    for (size_t at = 0; at < 240; at += 3) {
        struct rig *const rig = rig_default();
        ok(rig_begin(rig, "changed.csv"));
        ok(rig_write_piece(rig, PART - 100, true, SIZE_MAX));
        ok(rig_write_piece(rig, 240, true, at));
        enum status status = rig_end(rig);
        if (status == STATUS_OK) status = rig_commit(rig);
        assert_int_equal(status, STATUS_IO);
        check_nothing_left(rig);
        rig_free(rig);
    }
}

/* Parts double every 1,000: the store checks each size. */
static void test_growing_parts(void **state)
{
    (void)state;
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, false, 16);
    rig_open(rig);
    ok(rig_put(rig, "long.csv", 16 * 1000 + 32 * 1000 + 64 * 10 + 5, CHUNK));
    ok(rig_commit(rig));
    check_delivered(rig);
    assert_int_equal(rig->client->by_kind[S3_UPLOAD_PART], 2011);
    rig_free(rig);
}

static void test_part_too_large_for_memory(void **state)
{
    (void)state;
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, false, 16);
    rig->options.hold = 39; /* 2/5 of it: 14 bytes, beside the 16 of a part */
    rig_open(rig);
    ok(rig_begin(rig, "long.csv"));
    for (unsigned i = 0; i < 1000; i++)
        ok(rig_write(rig, 16));
    assert_int_equal(rig_write(rig, 1), STATUS_JOB);
    assert_non_null(strstr(rig->fault.message, "--memory-limit"));
    assert_non_null(strstr(rig->fault.message, "--part-size"));
    assert_non_null(strstr(rig->fault.message, "files.max_bytes"));
    check_nothing_left(rig);
    rig_free(rig);
}

static void test_too_many_parts(void **state)
{
    (void)state;
    struct rig *const rig = rig_new(CHECKSUM_NONE, false, 1);
    rig_open(rig);
    ok(rig_begin(rig, "long.csv"));
    ok(rig_write(rig, 1000 * 1023)); /* 1 + 2 + ... + 512 times 1,000: all 10,000 */
    assert_int_equal(rig_write(rig, 1), STATUS_JOB);
    assert_non_null(strstr(rig->fault.message, "10000 parts"));
    check_nothing_left(rig);
    rig_free(rig);
}

static void test_small_files_are_put(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    ok(rig_put(rig, "empty.csv", 0, CHUNK));
    ok(rig_put(rig, "small.csv", PART - 1, CHUNK));
    assert_int_equal(rig->out, 0); /* kept as a copy */
    ok(rig_put(rig, "part.csv", PART, CHUNK));
    ok(rig_commit(rig));
    check_delivered(rig);
    assert_int_equal(rig->client->by_kind[S3_PUT_OBJECT], 2);
    assert_int_equal(rig->client->by_kind[S3_CREATE_UPLOAD], 1);
    assert_int_equal(rig->client->by_kind[S3_HEAD_OBJECT], 9); /* before, once more, and to verify */
    rig_free(rig);
}

static void test_kept_files_have_a_bound(void **state)
{
    (void)state;
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, true, 4u << 20);
    rig->options.chunk_bytes = 128u << 10;
    rig_open(rig);
    for (unsigned i = 0; i < 12; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.csv", i);
        ok(rig_put(rig, name, i == 0 ? S3_SMALL_FILE : S3_SMALL_FILE - 1, 128u << 10));
    }
    ok(rig_commit(rig));
    check_delivered(rig);
    assert_int_equal(rig->client->by_kind[S3_PUT_OBJECT], S3_KEPT_MAX / S3_SMALL_FILE);
    assert_int_equal(rig->client->by_kind[S3_CREATE_UPLOAD], 12 - S3_KEPT_MAX / S3_SMALL_FILE);
    assert_int_equal(rig->client->by_kind[S3_HEAD_OBJECT], 12); /* replace: to verify only */
    rig_free(rig);
}

static void test_thousands_of_files(void **state)
{
    (void)state;
    struct rig *const rig = rig_new(CHECKSUM_CRC32C, false, 8);
    rig->limit = 20;
    rig_open(rig);
    for (unsigned i = 0; i < 3000; i++) {
        char name[32];
        snprintf(name, sizeof name, "%05u.csv", i);
        ok(rig_put(rig, name, 10 + i % 7, 12));
    }
    /* the file at hand adds its own: HEAD, Create, parts */
    assert_true(rig->client->most_out <= S3_CALLS_A_CONNECTION * rig->options.connections + 5);
    rig->client->most_out = 0;
    ok(rig_commit(rig));
    assert_true(rig->client->most_out <= S3_ERRANDS_A_CONNECTION * rig->options.connections);
    check_delivered(rig);
    rig_free(rig);
}

/* A pool of few chunks and pieces of a few bytes, with a network that takes its time: no lock-up, whatever is
 * copied and whatever is held. */
static void test_few_chunks(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, false, 4 * CHUNK);
        rig->limit = 12; /* half full, they hold a part and a half */
        rig->random = seed;
        rig->client->slow = seed % 2 == 0;
        rig_open(rig);
        ok(rig_put(rig, "a.csv", 40 * CHUNK, 20));
        ok(rig_put(rig, "b.csv", 40 * CHUNK, CHUNK));
        ok(rig_put(rig, "c.csv", 40 * CHUNK, CHUNK / 2));
        ok(rig_commit(rig));
        check_delivered(rig);
        rig_free(rig);
    }
}

/* Parts that have grown beyond the bound of copies, of short pieces alone: when nothing is on its way that
 * could make room, they are copied all the same. */
static void test_few_chunks_and_grown_parts(void **state)
{
    (void)state;
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, false, 16);
    rig->client->slow = true;
    rig_open(rig);
    ok(rig_begin(rig, "a.csv"));
    for (unsigned i = 0; i < 127; i++) /* 1 + 2 + ... + 64 times 1,000 parts */
        ok(rig_write(rig, 16 * 1000));
    assert_true(sink_s3_copies(&rig->options) < 16 * 128);
    rig->limit = 12;
    while (s3_client_out(rig->client) > 0) {
        s3_client_wait(rig->client);
        ok(rig->sink->reap(rig->sink, &rig->fault));
    }
    assert_int_equal(rig->out, 0);
    for (unsigned i = 0; i < 1000; i++) {
        ok(rig_wait(rig));
        ok(rig_write(rig, 1 + below(rig, 30)));
    }
    ok(rig_end(rig));
    ok(rig_commit(rig));
    check_delivered(rig);
    rig_free(rig);
}

/* While nothing comes back, copies stay within their bound and short pieces are held as they are; with the
 * first room they go home. */
static void test_copies_have_a_bound(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    ok(rig_begin(rig, "a.csv"));
    rig->client->stands = true;
    size_t held = 0;
    for (unsigned i = 0; i < 410; i++) { /* 20 parts and a half */
        ok(rig_write(rig, 50));
        if (rig->out == 0) held += 50;
    }
    assert_true(held >= PART);
    assert_true(held <= sink_s3_copies(&rig->options));
    size_t const out = rig->out;
    assert_true(out > 0);
    rig->client->stands = false;
    while (s3_client_out(rig->client) > 0) {
        s3_client_wait(rig->client);
        ok(rig->sink->reap(rig->sink, &rig->fault));
    }
    assert_int_equal(rig->out, 0); /* also those of the part that is not whole yet */
    ok(rig_end(rig));
    ok(rig_commit(rig));
    check_delivered(rig);
    rig_free(rig);
}

static void test_piece_of_two_parts_waits_for_both(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    ok(rig_begin(rig, "a.csv"));
    ok(rig_write(rig, PART + 200));
    while (s3_client_out(rig->client) > 0) {
        s3_client_wait(rig->client);
        ok(rig->sink->reap(rig->sink, &rig->fault));
    }
    assert_int_equal(rig->client->by_kind[S3_UPLOAD_PART], 1);
    assert_int_equal(rig->out, 1);
    ok(rig_end(rig));
    ok(rig_commit(rig));
    check_delivered(rig);
    rig_free(rig);
}

/* ---- names that are taken ---- */

static void test_first_name_taken(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    put_foreign(rig, PREFIX "a.csv");
    assert_int_equal(rig_begin(rig, "a.csv"), STATUS_EXISTS);
    assert_non_null(strstr(rig->fault.message, "s3://acme/in/a.csv"));
    assert_non_null(strstr(rig->fault.message, "if_exists: replace"));
    rig->sink->abort(rig->sink);
    assert_int_equal(rig->client->by_kind[S3_CREATE_UPLOAD], 0);
    rig_free(rig);
}

static void test_later_name_taken(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    put_foreign(rig, PREFIX "c.csv");
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    ok(rig_put(rig, "b.csv", 10, CHUNK));
    enum status status = rig_put(rig, "c.csv", 3 * PART, CHUNK);
    if (status == STATUS_OK) status = rig_commit(rig);
    assert_int_equal(status, STATUS_EXISTS);
    assert_non_null(strstr(rig->fault.message, "in/c.csv"));
    rig->sink->abort(rig->sink);
    assert_int_equal(rig->client->object_count, 1);
    assert_int_equal(fake_uploads_alive(rig->client), 0);
    rig_free(rig);
}

static void test_name_taken_before_commit(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    rig->client->ignores_condition = true; /* only the HEAD just before can see it */
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    ok(rig_put(rig, "b.csv", 3 * PART, CHUNK));
    put_foreign(rig, PREFIX "b.csv");
    assert_int_equal(rig_commit(rig), STATUS_EXISTS);
    rig->sink->abort(rig->sink);
    assert_null(rig_object(rig, "a.csv"));
    assert_string_equal(rig_object(rig, "b.csv")->token, "another");
    rig_free(rig);
}

/* The race that If-None-Match alone decides: it appears between HEAD and Complete. */
static void race(struct rig *rig, const char *taken)
{
    char key[64];
    snprintf(key, sizeof key, PREFIX "%s", taken);
    put_foreign(rig, key);
    rule(rig, (struct fake_rule){.kind = S3_HEAD_OBJECT,
                                 .key = fake_find(rig->client, key)->key,
                                 .count = 2,
                                 .verdict = S3_NO_KEY});
}

static void test_name_taken_in_commit(void **state)
{
    (void)state;
    static const size_t sizes[] = {3 * PART, 10};
    for (unsigned i = 0; i < 2; i++) {
        struct rig *const rig = rig_default();
        race(rig, "b.csv");
        ok(rig_put(rig, "a.csv", 10, CHUNK));
        ok(rig_put(rig, "b.csv", sizes[i], CHUNK));
        assert_int_equal(rig_commit(rig), STATUS_EXISTS);
        assert_non_null(strstr(rig->fault.message, "in/b.csv: exists already"));
        rig->sink->abort(rig->sink);
        assert_string_equal(rig_object(rig, "b.csv")->token, "another");
        assert_int_equal(fake_uploads_alive(rig->client), 0);
        rig_free(rig);
    }
}

static void test_replace(void **state)
{
    (void)state;
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, true, PART);
    rig_open(rig);
    put_foreign(rig, PREFIX "a.csv");
    put_foreign(rig, PREFIX "b.csv");
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    ok(rig_put(rig, "b.csv", 10, CHUNK));
    ok(rig_commit(rig));
    check_delivered(rig);
    rig_free(rig);
}

static void test_one_name_for_two_files(void **state)
{
    (void)state;
    struct rig *rig = rig_default();
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    assert_int_equal(rig_begin(rig, "a.csv"), STATUS_JOB);
    assert_non_null(strstr(rig->fault.message, "{part}"));
    check_nothing_left(rig);
    rig_free(rig);
    rig = rig_new(CHECKSUM_CRC64NVME, true, PART);
    rig_open(rig);
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    ok(rig_put(rig, "b.csv", 10, CHUNK));
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    assert_int_equal(rig_commit(rig), STATUS_JOB);
    check_nothing_left(rig);
    rig_free(rig);
}

static void test_key_too_long(void **state)
{
    (void)state;
    struct rig *const rig = rig_new(CHECKSUM_NONE, false, PART);
    char prefix[S3_KEY_MAX];
    memset(prefix, 'p', sizeof prefix);
    prefix[sizeof prefix - 1] = '\0';
    rig->options.prefix = prefix;
    rig_open(rig);
    assert_int_equal(rig_begin(rig, "12"), STATUS_JOB);
    rig_free(rig);
}

/* ---- signals, order ---- */

static void test_interrupted_while_waiting(void **state)
{
    (void)state;
    struct rig *rig = rig_default();
    rig->client->stands = true;
    stop_with = STATUS_INTERRUPTED; /* is asked for when begin() waits */
    unsigned i = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        char name[32];
        snprintf(name, sizeof name, "%u.csv", i++);
        status = rig_put(rig, name, 3 * PART, CHUNK);
    }
    assert_int_equal(status, STATUS_INTERRUPTED);
    assert_true(i > 3);
    rig->client->stands = false;
    check_nothing_left(rig);
    rig_free(rig);
    rig = rig_default();
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    stop_with = STATUS_TERMINATED;
    assert_int_equal(rig_commit(rig), STATUS_TERMINATED);
    check_nothing_left(rig);
    rig_free(rig);
}

static void test_order_and_counts(void **state)
{
    (void)state;
    struct rig *rig = rig_default();
    assert_int_equal(rig->sink->begin(rig->sink, 1, "a", SINK_DATA, &rig->fault), STATUS_INTERNAL);
    rig_free(rig);
    rig = rig_default();
    ok(rig_begin(rig, "a.csv"));
    ok(rig_write(rig, 100));
    assert_int_equal(rig->sink->end(rig->sink, 0, 0, 99, &rig->fault), STATUS_INTERNAL);
    rig_free(rig);
    rig = rig_default();
    ok(rig_begin(rig, "a.csv"));
    ok(rig_write(rig, 3 * PART));
    assert_int_equal(rig->sink->end(rig->sink, 0, 3 * PART + 1, 3 * PART, &rig->fault), STATUS_INTERNAL);
    rig_free(rig);
    rig = rig_default();
    ok(rig_begin(rig, "a.csv"));
    assert_int_equal(rig_commit(rig), STATUS_INTERNAL);
    rig_free(rig);
    rig = rig_default();
    ok(rig_begin(rig, "a.csv"));
    ok(rig_end(rig));
    assert_int_equal(rig_write(rig, 10), STATUS_INTERNAL); /* goes home */
    rig_free(rig);
}

static void test_nothing_to_deliver(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    ok(rig_commit(rig));
    assert_int_equal(rig->client->calls, 0);
    rig_free(rig);
}

static void test_url(void **state)
{
    (void)state;
    struct rig *const rig = rig_default();
    char url[64];
    rig->sink->url(rig->sink, "a b.csv", url, sizeof url);
    assert_string_equal(url, "s3://acme/in/a b.csv");
    assert_true(rig->sink->background);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_pieces),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_changed_byte_is_noticed),
        cmocka_unit_test(test_growing_parts),
        cmocka_unit_test(test_part_too_large_for_memory),
        cmocka_unit_test(test_too_many_parts),
        cmocka_unit_test(test_small_files_are_put),
        cmocka_unit_test(test_kept_files_have_a_bound),
        cmocka_unit_test(test_thousands_of_files),
        cmocka_unit_test(test_few_chunks),
        cmocka_unit_test(test_few_chunks_and_grown_parts),
        cmocka_unit_test(test_copies_have_a_bound),
        cmocka_unit_test(test_piece_of_two_parts_waits_for_both),
        cmocka_unit_test(test_first_name_taken),
        cmocka_unit_test(test_later_name_taken),
        cmocka_unit_test(test_name_taken_before_commit),
        cmocka_unit_test(test_name_taken_in_commit),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_one_name_for_two_files),
        cmocka_unit_test(test_key_too_long),
        cmocka_unit_test(test_interrupted_while_waiting),
        cmocka_unit_test(test_order_and_counts),
        cmocka_unit_test(test_nothing_to_deliver),
        cmocka_unit_test(test_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

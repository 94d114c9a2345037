/* test_s3_client_many.c - many calls at once against a scripted S3: the window, hedges, cancelling,
 * beginnings and ends; with one thread and with two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/s3_client_desk.h"

/* ---- many at once ---- */

static void slow_parts(struct s3_desk *desk, const struct s3_desk_request *request,
                       struct s3_desk_reply *reply)
{
    (void)desk;
    if (request->kind == S3_UPLOAD_PART) reply->wait_ms = 5;
}

/* In place of the limit that is learnt: no part of a busy machine is sent twice where a test counts them. */
#define NO_HEDGE_MS 600000u

static void keeps_to_the_window(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct rig rig;
        rig_make(&rig, slow_parts, NULL);
        rig.options.threads = threads;
        rig.options.connections = 5;
        rig.limits.hedge_ms = NO_HEDGE_MS;
        rig_start(&rig);
        run_many(&rig, S3_UPLOAD_PART, 80);
        assert_true(rig.desk.most_flying <= 5);
        assert_true(rig.desk.most_flying > 1);
        assert_int_equal(rig.desk.part_bytes, 80 * (uint64_t)BODY_SIZE);
        assert_false(rig.desk.damaged);
        assert_true(stats_of(&rig).bytes_sent == 80 * (uint64_t)BODY_SIZE);
        rig_close(&rig);
    }
}

/* Every fourth part is told to slow down, the first time that it comes. */
static void throttle(struct s3_desk *desk, const struct s3_desk_request *request, struct s3_desk_reply *reply)
{
    bool *const seen = desk->context;
    if (request->kind != S3_UPLOAD_PART || request->part % 4 != 0 || seen[request->part]) return;
    seen[request->part] = true;
    s3_desk_error(reply, 503, "SlowDown", "");
}

static void gets_through_a_burst(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        struct rig rig;
        bool seen[201] = {false};
        rig_make(&rig, throttle, seen);
        rig.options.threads = threads;
        rig.options.connections = 8;
        rig_start(&rig);
        run_many(&rig, S3_UPLOAD_PART, 200);
        struct s3_client_stats const stats = stats_of(&rig);
        assert_int_equal(stats.throttles, 50);
        assert_int_equal(stats.retries, 50);
        assert_false(rig.desk.damaged);
        rig_close(&rig);
    }
}

static void shares_a_window_of_one(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, slow_parts, NULL);
    rig.options.threads = 3;
    rig.options.connections = 1;
    rig.limits.hedge_ms = NO_HEDGE_MS;
    rig_start(&rig);
    run_many(&rig, S3_UPLOAD_PART, 30);
    assert_int_equal(rig.desk.most_flying, 1);
    rig_close(&rig);
}

/* One request in six goes wrong in one of many ways. */
static void storm(struct s3_desk *desk, const struct s3_desk_request *request, struct s3_desk_reply *reply)
{
    uint32_t *const seed = desk->context;
    *seed = *seed * 1664525u + 1013904223u;
    uint32_t const dice = (*seed >> 16) % 6;
    if (dice != 0) return;
    switch ((*seed >> 20) % 8) {
    case 0: s3_desk_error(reply, 500, "InternalError", ""); break;
    case 1: s3_desk_error(reply, 503, "SlowDown", ""); break;
    case 2: reply->act = S3_DESK_RESET; break;
    case 3: reply->act = S3_DESK_DROP; break;
    case 4:
        s3_desk_error(reply, 503, "SlowDown", "");
        s3_desk_add(reply, "Connection", "close");
        reply->act = S3_DESK_EARLY;
        break;
    case 5: reply->headers[0] = '\0'; break; /* no ETag */
    case 6: reply->wait_ms = 120; break;     /* longer than the hedge's limit */
    case 7: s3_desk_error(reply, 400, "RequestTimeout", ""); break;
    }
    (void)request;
}

static void gets_through_a_storm(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct rig rig;
        uint32_t seed = threads;
        rig_make(&rig, storm, &seed);
        rig.options.threads = threads;
        rig.options.connections = 9;
        rig.limits.hedge_ms = 60;
        rig_start(&rig);
        for (unsigned round = 0; round < 3; round++)
            run_many(&rig, S3_UPLOAD_PART, 90);
        assert_false(rig.desk.damaged);
        rig_close(&rig);
    }
}

static void holds_more_calls_than_its_rings(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL, NULL);
    run_many(&rig, S3_HEAD_OBJECT, S3_ENGINE_CALLS + 300);
    assert_int_equal(rig.desk.counts[S3_HEAD_OBJECT], S3_ENGINE_CALLS + 300);
    rig_close(&rig);
}

#define SLOW_PART 7u

static void stall_slow_part_once(struct s3_desk *desk, const struct s3_desk_request *request,
                                 struct s3_desk_reply *reply)
{
    unsigned *const times = desk->context;
    if (request->kind == S3_UPLOAD_PART && request->part == SLOW_PART && (*times)++ == 0)
        reply->act = S3_DESK_STALL;
}

static void sends_a_slow_part_twice(void **state)
{
    (void)state;
    struct rig rig;
    unsigned times = 0;
    rig_make(&rig, stall_slow_part_once, &times);
    rig.limits.hedge_ms = 50;
    rig_start(&rig);
    run_good(&rig, S3_UPLOAD_PART); /* on a busy machine it may be hedged, too */
    uint64_t const before = stats_of(&rig).hedges;
    struct s3_call call = {.op = op_of(&rig, S3_UPLOAD_PART)};
    call.op.part = SLOW_PART;
    assert_int_equal(s3_client_run(rig.client, &call, false), STATUS_OK);
    must_be(&call, S3_DONE, STATUS_OK);
    assert_int_equal(call.attempts, 1);
    s3_call_free(&call);
    assert_int_equal(stats_of(&rig).hedges, before + 1);
    assert_int_equal(times, 2);
    run_many(&rig, S3_UPLOAD_PART, 20); /* nothing is left behind in the window */
    rig_close(&rig);
}

/* More than the sockets' buffers take (net.ipv4.tcp_wmem and tcp_rmem: 4 and 6 MiB at most), so that the
 * first try is called off in the middle of its body. What came of it is right to the last byte. */
static void calls_a_try_off_in_its_body(void **state)
{
    (void)state;
    struct rig rig;
    size_t const size = 32u << 20;
    uint8_t *const body = malloc(size);
    assert_non_null(body);
    for (size_t i = 0; i < size; i++)
        body[i] = desk_byte(i);
    struct http_span const span = {body, size};
    rig_make(&rig, play, STEPS({S3_UPLOAD_PART, 0, 1, S3_DESK_HOLD, 0, NULL, NULL, NULL}));
    rig.limits.hedge_ms = 50;
    rig_start(&rig);
    struct s3_call call = {.op = op_of(&rig, S3_UPLOAD_PART)};
    call.op.body = &span;
    call.op.body_length = size;
    call.op.checksum = checksum_update(CHECKSUM_CRC64NVME, 0, body, size);
    assert_int_equal(s3_client_run(rig.client, &call, false), STATUS_OK);
    memset(body, 0, size); /* given back: nobody reads it any more */
    assert_int_equal(stats_of(&rig).hedges, 1);
    s3_call_free(&call);
    rig_close(&rig);
    assert_int_equal(rig.desk.gone, 1);
    assert_int_equal(rig.desk.part_bytes, size);
    assert_false(rig.desk.damaged);
    free(body);
}

/* ---- ends before the end ---- */

static void stall_all(struct s3_desk *desk, const struct s3_desk_request *request,
                      struct s3_desk_reply *reply)
{
    (void)desk;
    if (request->kind == S3_UPLOAD_PART || request->kind == S3_COMPLETE_UPLOAD) reply->act = S3_DESK_STALL;
}

static void wait_for_requests(struct rig *rig, unsigned count)
{
    while (atomic_load(&rig->desk.desk.requests) < count)
        (void)usleep(1000);
}

static void cancels_all(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        struct rig rig;
        rig_make(&rig, stall_all, NULL);
        rig.options.threads = threads;
        rig_start(&rig);
        struct s3_call calls[40] = {0};
        for (size_t i = 0; i < COUNT(calls); i++) {
            calls[i].op = op_of(&rig, i == 0 ? S3_COMPLETE_UPLOAD : S3_UPLOAD_PART);
            s3_client_submit(rig.client, &calls[i]);
        }
        wait_for_requests(&rig, 5);
        s3_client_cancel(rig.client);
        for (size_t i = 0; i < COUNT(calls); i++) {
            struct s3_call *const call = s3_client_reap(rig.client);
            assert_non_null(call);
            must_be(call, S3_FATAL, STATUS_INTERRUPTED);
            assert_int_equal(call->uncertain, call == &calls[0]);
            s3_call_free(call);
        }
        assert_null(s3_client_reap(rig.client));
        assert_int_equal(s3_client_out(rig.client), 0);
        run_good(&rig, S3_ABORT_UPLOAD); /* and it goes on */
        rig_close(&rig);
    }
}

static void cancels_what_a_person_interrupts(void **state)
{
    (void)state;
    static const enum status ways[] = {STATUS_INTERRUPTED, STATUS_TERMINATED};
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct rig rig;
        rig_open(&rig, stall_all, NULL);
        struct s3_call other = {.op = op_of(&rig, S3_UPLOAD_PART)};
        s3_client_submit(rig.client, &other);
        wait_for_requests(&rig, 1);
        interruption = ways[i];
        struct s3_call call = {.op = op_of(&rig, S3_COMPLETE_UPLOAD)};
        assert_int_equal(s3_client_run(rig.client, &call, false), ways[i]);
        must_be(&call, S3_FATAL, ways[i]);
        s3_call_free(&call);
        assert_int_equal(s3_client_out(rig.client), 1); /* the other one still is */
        call = (struct s3_call){.op = op_of(&rig, S3_ABORT_UPLOAD)};
        assert_int_equal(s3_client_run(rig.client, &call, true), STATUS_OK);
        s3_call_free(&call);
        s3_client_cancel(rig.client);
        assert_ptr_equal(s3_client_reap(rig.client), &other);
        s3_call_free(&other);
        rig_close(&rig);
    }
}

static void hurries(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, play,
             STEPS({S3_HEAD_OBJECT, 0, 0, S3_DESK_REPLY, 503, NULL, NULL, "Retry-After: 60\r\n"}));
    rig.limits.delay_percent = 100;
    rig_start(&rig);
    struct s3_call waiting = {.op = op_of(&rig, S3_HEAD_OBJECT)};
    s3_client_submit(rig.client, &waiting);
    wait_for_requests(&rig, 1);
    s3_client_hurry(rig.client, 0); /* it does not wait its minute */
    struct s3_call *call;
    while ((call = s3_client_reap(rig.client)) == NULL)
        s3_client_wait(rig.client);
    assert_ptr_equal(call, &waiting);
    must_be(call, S3_THROTTLED, STATUS_TRY_AGAIN);
    assert_true(call->attempts <= 2);
    s3_call_free(call);
    run_good(&rig, S3_UPLOAD_PART);
    rig_close(&rig);
}

static void ends_with_calls_out(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, stall_all, NULL);
    struct s3_call calls[20] = {0};
    for (size_t i = 0; i < COUNT(calls); i++) {
        calls[i].op = op_of(&rig, S3_UPLOAD_PART);
        s3_client_submit(rig.client, &calls[i]);
    }
    wait_for_requests(&rig, 2);
    rig_close(&rig);
    for (size_t i = 0; i < COUNT(calls); i++)
        s3_call_free(&calls[i]);
}

/* ---- beginnings ---- */

static void looks_for_the_bucket(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, elsewhere, "header");
    rig.options.region = NULL;
    assert_true(rig_try(&rig, false));
    assert_string_equal(s3_client_endpoint(rig.client)->region, "eu-central-1");
    rig_close(&rig);

    /* who may not ask learns the region all the same */
    rig_make(
        &rig, play,
        STEPS({S3_HEAD_BUCKET, 0, 0, S3_DESK_REPLY, 403, NULL, NULL, "x-amz-bucket-region: eu-west-3\r\n"}));
    rig.options.region = NULL;
    assert_true(rig_try(&rig, false));
    assert_string_equal(s3_client_endpoint(rig.client)->region, "eu-west-3");
    rig_close(&rig);

    /* a region that is known is not asked for */
    rig_make(&rig, NULL, NULL);
    assert_true(rig_try(&rig, false));
    assert_int_equal(rig.desk.counts[S3_HEAD_BUCKET], 0);
    rig_close(&rig);
}

static void fails_to_begin(void **state)
{
    (void)state;
    static const struct {
        struct step step;
        enum status status;
        const char *word;
    } cases[] = {
        {{S3_HEAD_BUCKET, 0, 0, S3_DESK_REPLY, 403, NULL, NULL, NULL}, STATUS_RIGHTS, "s3:ListBucket"},
        {{S3_HEAD_BUCKET, 0, 0, S3_DESK_REPLY, 404, NULL, NULL, NULL}, STATUS_JOB, "there is no bucket acme"},
        {{S3_HEAD_BUCKET, 0, 0, S3_DESK_REPLY, 500, NULL, NULL, NULL},
         STATUS_TRY_AGAIN,
         "HeadBucket s3://acme:"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        struct steps const steps = {&cases[i].step, 1};
        rig_make(&rig, play, (void *)&steps);
        rig.options.expected_owner = "123456789012";
        assert_false(rig_try(&rig, true));
        assert_int_equal(rig.fault.status, cases[i].status);
        assert_non_null(strstr(rig.fault.message, cases[i].word));
        if (i == 0) assert_non_null(strstr(rig.fault.message, "account_id"));
        rig_close(&rig);
    }
    struct rig rig;
    rig_make(&rig, NULL, NULL);
    rig.no_keys = true;
    assert_false(rig_try(&rig, false));
    assert_int_equal(rig.fault.status, STATUS_RIGHTS);
    rig_close(&rig);

    rig_make(&rig, NULL, NULL);
    rig.options.endpoint = "ftp://store";
    assert_false(rig_try(&rig, false));
    assert_int_equal(rig.fault.status, STATUS_JOB);
    rig_close(&rig);
    s3_client_destroy(NULL);
}

static void interrupted_at_the_beginning(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, play, STEPS({S3_HEAD_BUCKET, 0, 0, S3_DESK_STALL, 0, NULL, NULL, NULL}));
    interruption = STATUS_TERMINATED;
    assert_false(rig_try(&rig, true));
    assert_int_equal(rig.fault.status, STATUS_TERMINATED);
    rig_close(&rig);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    struct fault fault;
    if (http_global_start(&fault) != STATUS_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_to_the_window),
        cmocka_unit_test(gets_through_a_burst),
        cmocka_unit_test(shares_a_window_of_one),
        cmocka_unit_test(gets_through_a_storm),
        cmocka_unit_test(holds_more_calls_than_its_rings),
        cmocka_unit_test(sends_a_slow_part_twice),
        cmocka_unit_test(calls_a_try_off_in_its_body),
        cmocka_unit_test(cancels_all),
        cmocka_unit_test(cancels_what_a_person_interrupts),
        cmocka_unit_test(hurries),
        cmocka_unit_test(ends_with_calls_out),
        cmocka_unit_test(looks_for_the_bucket),
        cmocka_unit_test(fails_to_begin),
        cmocka_unit_test(interrupted_at_the_beginning),
    };
    int const failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_global_stop();
    return failed;
}

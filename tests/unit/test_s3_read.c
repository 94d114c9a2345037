/* test_s3_read.c - an object read by ranges from a scripted S3 (s3_desk.h), by a thread of its own while the
 * test's thread turns the pump: whole, in ranges of any size, over faults that pass and faults that don't. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_client_inside.h"
#include "io/s3/s3_read.h"
#include "tests/unit/s3_desk.h"

#include <inttypes.h>

#define OBJECT_MAX 40000u

/* What the store does to the `nth` GET (from 0). */
enum mischief { NOTHING, SLOW_DOWN, CUT, OTHER_OBJECT, GONE, SHORT, DENIED };

struct store {
    size_t size;
    enum mischief mischief;
    unsigned nth;
    bool missing, forbidden;
    unsigned matched; /* GETs with the ETag in If-Match */
};

struct rig {
    struct s3_desk desk;
    struct store store;
    struct aws_config config;
    struct wait arrivals;
    struct s3_client *client;
    struct s3_pump *pump;
    struct s3_read *read;
    char endpoint[64];
    bool finished; /* guarded by the desk's script mutex */
    bool close_early;
    /* the reader's */
    enum status status;
    struct fault fault;
    uint8_t bytes[OBJECT_MAX];
    size_t length;
};

static char object_byte(size_t i)
{
    return (char)('a' + i % 23);
}

static void spoil(const struct store *store, uint64_t begin, uint64_t end, struct s3_desk_reply *reply)
{
    switch (store->mischief) {
    case NOTHING: break;
    case SLOW_DOWN: s3_desk_error(reply, 503, "SlowDown", ""); break;
    case CUT: reply->act = S3_DESK_CUT; break;
    case OTHER_OBJECT: s3_desk_error(reply, 412, "PreconditionFailed", ""); break;
    case GONE: s3_desk_error(reply, 404, "NoSuchKey", ""); break;
    case SHORT: reply->body[end - begin - 1] = '\0'; break;
    case DENIED: s3_desk_error(reply, 403, "AccessDenied", ""); break;
    }
}

static void serve(struct s3_desk *desk, const struct s3_desk_request *request, struct s3_desk_reply *reply)
{
    struct store *const store = desk->context;
    char text[96];
    reply->headers[0] = '\0';
    memset(reply->body, 0, sizeof reply->body);
    s3_desk_add(reply, "ETag", "\"one\"");
    if (request->kind == S3_HEAD_OBJECT) {
        memset(reply->body, 'x', store->size < 2047 ? store->size : 2047);
        if (store->missing) s3_desk_error(reply, 404, "NoSuchKey", "");
        if (store->forbidden) s3_desk_error(reply, 403, "AccessDenied", "");
        return;
    }
    uint64_t begin = 0, end = 0;
    s3_desk_header(request->head, "If-Match", text, sizeof text);
    store->matched += strcmp(text, "\"one\"") == 0;
    s3_desk_header(request->head, "Range", text, sizeof text);
    bool const is_whole = text[0] == '\0' && store->size > 0;
    if (is_whole) end = store->size - 1;
    bool const fits = is_whole || (sscanf(text, "bytes=%" SCNu64 "-%" SCNu64, &begin, &end) == 2 &&
                                   begin <= end && end < store->size && end - begin < sizeof reply->body);
    if (!fits) {
        s3_desk_error(reply, 416, "InvalidRange", "");
        return;
    }
    for (uint64_t i = begin; i <= end; i++)
        reply->body[i - begin] = object_byte(i);
    if (!is_whole) reply->status = 206;
    (void)snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%zu", begin, end, store->size);
    s3_desk_add(reply, "Content-Range", text);
    if (request->nth == store->nth) spoil(store, begin, end + 1, reply);
}

static void rig_open(struct rig *rig, size_t size, size_t range_bytes, uint32_t ahead)
{
    memset(rig, 0, sizeof *rig);
    rig->store = (struct store){.size = size, .nth = 1};
    s3_desk_open(&rig->desk, serve, &rig->store);
    (void)snprintf(rig->endpoint, sizeof rig->endpoint, "http://127.0.0.1:%u", rig->desk.desk.port);
    assert_true(wait_init(&rig->arrivals));
    assert_int_equal(aws_config_load(s3_desk_environment, NULL, &rig->config, &rig->fault), STATUS_OK);
    struct s3_limits const limits = {
        .connect_ms = 5000, .stall_seconds = 30, .delay_percent = 1, .renew_step_ms = 5};
    struct s3_client_options const options = {.config = &rig->config,
                                              .bucket = "acme",
                                              .region = "us-east-1",
                                              .endpoint = rig->endpoint,
                                              .connections = ahead,
                                              .threads = 1,
                                              .user_agent = "test/1",
                                              .arrivals = &rig->arrivals,
                                              .now = s3_desk_now,
                                              .wall_milliseconds = s3_desk_wall};
    rig->client = s3_client_create_with(&options, &limits, false, &rig->fault);
    if (rig->client == NULL) fail_msg("%s", rig->fault.message);
    rig->pump = s3_pump_create(rig->client, &rig->arrivals);
    assert_non_null(rig->pump);
    struct s3_read_options const read = {
        .pump = rig->pump, .bucket = "acme", .range_bytes = range_bytes, .ahead = ahead};
    rig->read = s3_read_create(&read, &rig->fault);
    assert_non_null(rig->read);
}

static void rig_close(struct rig *rig)
{
    s3_read_destroy(rig->read);
    s3_pump_destroy(rig->pump);
    s3_client_destroy(rig->client);
    s3_desk_close(&rig->desk);
    aws_config_free(&rig->config);
    wait_destroy(&rig->arrivals);
}

static void *reader(void *context)
{
    struct rig *const rig = context;
    const uint8_t *bytes;
    size_t length = 1;
    rig->length = 0;
    rig->status = s3_read_open(rig->read, "in/a.csv", &rig->fault);
    while (rig->status == STATUS_OK && length != 0) {
        rig->status = s3_read_next(rig->read, &bytes, &length, &rig->fault);
        if (rig->status != STATUS_OK || length == 0) break;
        memcpy(rig->bytes + rig->length, bytes, length);
        rig->length += length;
        if (rig->close_early) break;
    }
    s3_read_close(rig->read);
    (void)pthread_mutex_lock(&rig->desk.script_mutex);
    rig->finished = true;
    (void)pthread_mutex_unlock(&rig->desk.script_mutex);
    wait_wake(&rig->arrivals);
    return NULL;
}

static bool is_finished(struct rig *rig)
{
    (void)pthread_mutex_lock(&rig->desk.script_mutex);
    bool const finished = rig->finished;
    (void)pthread_mutex_unlock(&rig->desk.script_mutex);
    return finished;
}

static void run(struct rig *rig, bool stop)
{
    pthread_t thread;
    rig->finished = false;
    assert_int_equal(pthread_create(&thread, NULL, reader, rig), 0);
    if (stop) s3_pump_stop(rig->pump);
    while (!is_finished(rig)) {
        s3_pump_turn(rig->pump);
        uint32_t const ticket = wait_prepare(&rig->arrivals);
        if (s3_pump_has_work(rig->pump) || is_finished(rig))
            wait_cancel(&rig->arrivals);
        else
            wait_sleep_until(&rig->arrivals, ticket, s3_desk_now() + 200000000u);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void expect_whole(const struct rig *rig)
{
    if (rig->status != STATUS_OK) fail_msg("%s", rig->fault.message);
    assert_int_equal(rig->length, rig->store.size);
    for (size_t i = 0; i < rig->length; i++)
        assert_int_equal(rig->bytes[i], object_byte(i));
}

static void reads_objects_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 99, 100, 101, 400, 1999};
    for (uint32_t ahead = 1; ahead <= 4; ahead += 3)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct rig rig;
            rig_open(&rig, sizes[i], 100, ahead);
            rig.store.mischief = NOTHING;
            run(&rig, false);
            expect_whole(&rig);
            assert_int_equal(rig.store.matched, (sizes[i] + 99) / 100);
            run(&rig, false); /* another object, with the same reader */
            expect_whole(&rig);
            rig_close(&rig);
        }
}

static void gets_over_faults_that_pass(void **state)
{
    (void)state;
    static const enum mischief faults[] = {SLOW_DOWN, CUT};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct rig rig;
        rig_open(&rig, 1500, 300, 3);
        rig.store.mischief = faults[i];
        run(&rig, false);
        expect_whole(&rig);
        rig_close(&rig);
    }
}

static void expect_failure(enum mischief mischief, enum status status, const char *words)
{
    struct rig rig;
    rig_open(&rig, 1500, 300, 3);
    rig.store.mischief = mischief;
    run(&rig, false);
    assert_int_equal(rig.status, status);
    if (strstr(rig.fault.message, words) == NULL) fail_msg("%s", rig.fault.message);
    rig_close(&rig);
}

static void says_that_an_object_changed(void **state)
{
    (void)state;
    expect_failure(OTHER_OBJECT, STATUS_IO, "s3://acme/in/a.csv: changed while it was read");
    expect_failure(GONE, STATUS_IO, "changed while it was read");
    expect_failure(SHORT, STATUS_IO, "changed while it was read");
    expect_failure(DENIED, STATUS_RIGHTS, "s3:GetObject");
}

static void says_what_is_missing(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 10, 300, 3);
    rig.store.missing = true;
    run(&rig, false);
    assert_int_equal(rig.status, STATUS_NO_SOURCE);
    assert_non_null(strstr(rig.fault.message, "s3://acme/in/a.csv"));
    rig.store.missing = false;
    rig.store.forbidden = true;
    run(&rig, false);
    assert_int_equal(rig.status, STATUS_RIGHTS);
    rig_close(&rig);
}

static void closes_while_ranges_are_on_their_way(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 1999, 100, 8);
    rig.store.mischief = NOTHING;
    rig.close_early = true;
    run(&rig, false);
    assert_int_equal(rig.status, STATUS_OK);
    assert_int_equal(rig.length, 100);
    rig.close_early = false;
    run(&rig, false);
    expect_whole(&rig);
    rig_close(&rig);
}

static void ends_when_the_pump_is_stopped(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, 1999, 100, 4);
    run(&rig, true);
    assert_int_equal(rig.status, STATUS_INTERRUPTED);
    rig_close(&rig);
}

int main(void)
{
    assert_int_equal(http_global_start(NULL), STATUS_OK);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_objects_of_any_size),
        cmocka_unit_test(gets_over_faults_that_pass),
        cmocka_unit_test(says_that_an_object_changed),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(closes_while_ranges_are_on_their_way),
        cmocka_unit_test(ends_when_the_pump_is_stopped),
    };
    int const failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_global_stop();
    return failed;
}

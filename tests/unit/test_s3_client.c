/* test_s3_client.c - calls against a scripted S3 (s3_desk.h): what is tried again and how, what is learnt,
 * what ends a call and with which status, cancelling, the window, hedges; with one thread and with two. Times
 * are the client's limits made short; nothing asserts how long something took. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/aws/aws_sigv4.h"
#include "io/s3/s3_client_inside.h"
#include "io/s3/s3_task.h"
#include "tests/unit/s3_desk.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BODY_SIZE    (96u * 1024)
#define SECRET       "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
#define TOKEN        "FwoGZXIvYXdzEBYaDExampleSessionTokenThatIsLongEnoughToBeSeen0123456789"

/* ---- the client's side ---- */

struct rig {
    struct s3_desk desk, other;
    bool has_other;
    struct aws_config config;
    struct wait arrivals;
    struct s3_client_options options;
    struct s3_limits limits;
    struct s3_client *client;
    struct fault fault;
    char endpoint[64], folder[32], config_file[64], script_file[64], generation_file[64];
    const char *token; /* session token of the environment, NULL: none */
    bool no_keys;
    uint8_t body[BODY_SIZE];
    struct http_span span;
    uint64_t checksum;
};

static const char *environment(void *context, const char *name)
{
    const struct rig *const rig = context;
    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0) return rig->no_keys ? NULL : "AKIDEXAMPLE";
    if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0) return rig->no_keys ? NULL : SECRET;
    if (strcmp(name, "AWS_SESSION_TOKEN") == 0) return rig->token;
    if (strcmp(name, "AWS_CONFIG_FILE") == 0) return rig->config_file;
    if (strcmp(name, "AWS_SHARED_CREDENTIALS_FILE") == 0) return "/nonexistent/credentials";
    if (strcmp(name, "AWS_EC2_METADATA_DISABLED") == 0) return "true";
    return NULL;
}

static uint64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int64_t wall(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static enum status interruption; /* set before a call, read by the thread that set it */

static enum status interrupted(void)
{
    return interruption;
}

static void rig_make(struct rig *rig, s3_desk_script *script, void *context)
{
    memset(rig, 0, sizeof *rig);
    interruption = STATUS_OK;
    s3_desk_open(&rig->desk, script, context);
    (void)snprintf(rig->endpoint, sizeof rig->endpoint, "http://127.0.0.1:%u", rig->desk.desk.port);
    (void)snprintf(rig->config_file, sizeof rig->config_file, "/nonexistent/config");
    for (size_t i = 0; i < BODY_SIZE; i++)
        rig->body[i] = desk_byte(i);
    rig->span = (struct http_span){rig->body, BODY_SIZE};
    rig->checksum = checksum_update(CHECKSUM_CRC64NVME, 0, rig->body, BODY_SIZE);
    assert_true(wait_init(&rig->arrivals));
    rig->limits = (struct s3_limits){.connect_ms = 5000,
                                     .stall_seconds = 30,
                                     .delay_percent = 1,
                                     .renew_step_ms = 5,
                                     .renew_most_ms = 20000,
                                     .renew_again_ms = 100};
    rig->options = (struct s3_client_options){.config = &rig->config,
                                              .bucket = "acme",
                                              .region = "us-east-1",
                                              .endpoint = rig->endpoint,
                                              .checksum = CHECKSUM_CRC64NVME,
                                              .connections = 4,
                                              .threads = 1,
                                              .user_agent = "test/1",
                                              .arrivals = &rig->arrivals,
                                              .interrupted = interrupted,
                                              .now = now,
                                              .wall_milliseconds = wall};
}

static bool rig_try(struct rig *rig, bool probe)
{
    if (aws_config_load(environment, rig, &rig->config, &rig->fault) != STATUS_OK)
        fail_msg("%s", rig->fault.message);
    rig->client = s3_client_create_with(&rig->options, &rig->limits, probe, &rig->fault);
    return rig->client != NULL;
}

static void rig_start(struct rig *rig)
{
    if (!rig_try(rig, false)) fail_msg("%s", rig->fault.message);
}

static void rig_open(struct rig *rig, s3_desk_script *script, void *context)
{
    rig_make(rig, script, context);
    rig_start(rig);
}

static void rig_close(struct rig *rig)
{
    s3_client_destroy(rig->client);
    s3_desk_close(&rig->desk);
    if (rig->has_other) s3_desk_close(&rig->other);
    aws_config_free(&rig->config);
    wait_destroy(&rig->arrivals);
}

static struct s3_op op_of(const struct rig *rig, enum s3_op_kind kind)
{
    static const struct s3_part parts[] = {{.number = 1, .size = BODY_SIZE, .etag = "\"part-1\""}};
    struct s3_op op = {.kind = kind, .key = "in/a b.csv", .checksum_kind = CHECKSUM_CRC64NVME};
    switch (kind) {
    case S3_UPLOAD_PART:
    case S3_PUT_OBJECT:
        op.body = &rig->span;
        op.body_count = 1;
        op.body_length = BODY_SIZE;
        op.checksum = rig->checksum;
        break;
    case S3_COMPLETE_UPLOAD:
        op.parts = parts;
        op.part_count = 1;
        op.object_size = BODY_SIZE;
        break;
    case S3_HEAD_BUCKET:
    case S3_LIST_OBJECTS:
    case S3_LIST_UPLOADS: op.key = NULL; break;
    default: break;
    }
    bool const of_upload = kind == S3_UPLOAD_PART || kind == S3_COMPLETE_UPLOAD || kind == S3_ABORT_UPLOAD ||
                           kind == S3_LIST_PARTS;
    if (of_upload) op.upload_id = "up-1";
    if (kind == S3_UPLOAD_PART) op.part = 1;
    return op;
}

static void must_be(const struct s3_call *call, enum s3_verdict verdict, enum status status)
{
    if (call->verdict != verdict || call->status != status)
        print_error("%s, %d: %s\n", s3_verdict_name(call->verdict), (int)call->status, call->fault.message);
    assert_int_equal(call->verdict, verdict);
    assert_int_equal(call->status, status);
    if (status == STATUS_OK) return;
    assert_int_equal(call->fault.status, status);
    assert_null(strstr(call->fault.message, SECRET));
    assert_null(strstr(call->fault.message, TOKEN));
    assert_null(strstr(call->fault.message, "Signature="));
}

static void must_say(const struct s3_call *call, const char *word)
{
    if (strstr(call->fault.message, word) == NULL) fail_msg("'%s' is not in: %s", word, call->fault.message);
}

/* One call to its end; its answer is the caller's to free. */
static struct s3_call run_one(struct rig *rig, enum s3_op_kind kind, enum s3_verdict verdict,
                              enum status status)
{
    struct s3_call call = {.op = op_of(rig, kind)};
    assert_int_equal(s3_client_run(rig->client, &call, false), status);
    must_be(&call, verdict, status);
    assert_int_equal(s3_client_out(rig->client), 0);
    return call;
}

static void run_good(struct rig *rig, enum s3_op_kind kind)
{
    struct s3_call call = run_one(rig, kind, S3_DONE, STATUS_OK);
    s3_call_free(&call);
}

/* `count` calls at once. */
static void run_many(struct rig *rig, enum s3_op_kind kind, unsigned count)
{
    struct s3_call *const calls = calloc(count, sizeof *calls);
    assert_non_null(calls);
    for (unsigned i = 0; i < count; i++) {
        calls[i].op = op_of(rig, kind);
        calls[i].op.part = i + 1;
        calls[i].owner = &calls[i];
        s3_client_submit(rig->client, &calls[i]);
    }
    assert_int_equal(s3_client_out(rig->client), count);
    unsigned done = 0;
    while (done < count) {
        struct s3_call *const call = s3_client_reap(rig->client);
        if (call == NULL) {
            s3_client_wait(rig->client);
            continue;
        }
        assert_ptr_equal(call->owner, call);
        must_be(call, S3_DONE, STATUS_OK);
        if (kind == S3_UPLOAD_PART) {
            char etag[32];
            (void)snprintf(etag, sizeof etag, "\"part-%u\"", call->op.part);
            assert_string_equal(call->answer.etag, etag);
        }
        s3_call_free(call);
        done++;
    }
    assert_null(s3_client_reap(rig->client));
    assert_int_equal(s3_client_out(rig->client), 0);
    free(calls);
}

static struct s3_client_stats stats_of(const struct rig *rig)
{
    struct s3_client_stats stats;
    s3_client_stats(rig->client, &stats);
    return stats;
}

/* ---- scripts: a few steps by the number of the request of a kind ---- */

struct step {
    enum s3_op_kind kind;
    unsigned from, count; /* requests of that kind; count 0: all from there */
    enum s3_desk_act act;
    unsigned status; /* 0: the good reply's */
    const char *code, *more, *headers;
};

struct steps {
    const struct step *step;
    size_t count;
};

static void play(struct s3_desk *desk, const struct s3_desk_request *request, struct s3_desk_reply *reply)
{
    const struct steps *const steps = desk->context;
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *const step = &steps->step[i];
        if (step->kind != request->kind || request->nth < step->from) continue;
        if (step->count != 0 && request->nth >= step->from + step->count) continue;
        reply->act = step->act;
        if (step->code != NULL)
            s3_desk_error(reply, step->status, step->code, step->more != NULL ? step->more : "");
        else if (step->status != 0) {
            reply->status = step->status;
            reply->body[0] = '\0';
        }
        if (step->headers != NULL) {
            size_t const used = strlen(reply->headers);
            (void)snprintf(reply->headers + used, sizeof reply->headers - used, "%s", step->headers);
        }
        return;
    }
}

#define STEPS(...)                                                                                           \
    &(struct steps)                                                                                          \
    {                                                                                                        \
        (const struct step[]){__VA_ARGS__}, sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step) \
    }

/* ---- good weather ---- */

struct taken {
    char bytes[256];
    size_t length;
    unsigned refuse_from; /* refuses what is behind; 0: nothing */
};

static bool take(void *context, const uint8_t *bytes, size_t length)
{
    struct taken *const taken = context;
    if (taken->refuse_from != 0 && taken->length + length > taken->refuse_from) return false;
    assert_true(taken->length + length < sizeof taken->bytes);
    memcpy(taken->bytes + taken->length, bytes, length);
    taken->length += length;
    return true;
}

static void does_all_operations(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL, NULL);
    struct s3_call call = run_one(&rig, S3_CREATE_UPLOAD, S3_DONE, STATUS_OK);
    assert_string_equal(call.answer.upload_id, "up-1");
    assert_int_equal(call.attempts, 1);
    assert_false(call.uncertain);
    s3_call_free(&call);
    static const enum s3_op_kind kinds[] = {S3_HEAD_BUCKET,  S3_UPLOAD_PART, S3_COMPLETE_UPLOAD,
                                            S3_ABORT_UPLOAD, S3_LIST_PARTS,  S3_LIST_UPLOADS,
                                            S3_PUT_OBJECT,   S3_HEAD_OBJECT, S3_DELETE_OBJECT};
    for (size_t i = 0; i < COUNT(kinds); i++)
        run_good(&rig, kinds[i]);
    struct taken taken = {.length = 0};
    call = (struct s3_call){.op = op_of(&rig, S3_GET_OBJECT)};
    call.op.take = take;
    call.op.take_context = &taken;
    assert_int_equal(s3_client_run(rig.client, &call, false), STATUS_OK);
    assert_int_equal(taken.length, 20);
    assert_memory_equal(taken.bytes, "0123456789abcdefghij", 20);
    assert_int_equal(call.answer.content_length, 20);
    s3_call_free(&call);
    struct s3_client_stats const stats = stats_of(&rig);
    assert_int_equal(stats.retries, 0);
    assert_true(stats.bytes_sent >= 2 * BODY_SIZE);
    assert_false(rig.desk.damaged);
    assert_string_equal(s3_client_credentials_name(rig.client), "environment");
    assert_string_equal(s3_client_endpoint(rig.client)->region, "us-east-1");
    rig_close(&rig);
}

static void signs_bodies_over_plain_http(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL, NULL);
    struct fault fault;
    struct aws_signer *const signer = aws_signer_create(&fault);
    char hash[AWS_HASH_SIZE];
    assert_int_equal(aws_signer_hash(signer, &rig.span, 1, hash, &fault), STATUS_OK);
    run_good(&rig, S3_UPLOAD_PART);
    assert_string_equal(rig.desk.content_sha256, hash);
    run_good(&rig, S3_HEAD_OBJECT);
    assert_int_equal(aws_signer_hash(signer, NULL, 0, hash, &fault), STATUS_OK);
    assert_string_equal(rig.desk.content_sha256, hash);
    aws_signer_destroy(signer);
    rig.config.payload_signing = AWS_FALSE; /* read at each attempt; nothing is on its way */
    run_good(&rig, S3_UPLOAD_PART);
    assert_string_equal(rig.desk.content_sha256, "UNSIGNED-PAYLOAD");
    rig_close(&rig);
}

/* ---- what passes ---- */

static void tries_again_what_passes(void **state)
{
    (void)state;
    static const struct {
        struct step step;
        enum s3_op_kind kind;
    } cases[] = {
        {{S3_UPLOAD_PART, 0, 2, S3_DESK_REPLY, 500, "InternalError", NULL, NULL}, S3_UPLOAD_PART},
        {{S3_UPLOAD_PART, 0, 2, S3_DESK_REPLY, 503, "SlowDown", NULL, NULL}, S3_UPLOAD_PART},
        {{S3_UPLOAD_PART, 0, 2, S3_DESK_EARLY, 503, "SlowDown", NULL, "Connection: close\r\n"},
         S3_UPLOAD_PART},
        {{S3_UPLOAD_PART, 0, 2, S3_DESK_RESET, 0, NULL, NULL, NULL}, S3_UPLOAD_PART},
        {{S3_UPLOAD_PART, 0, 2, S3_DESK_DROP, 0, NULL, NULL, NULL}, S3_UPLOAD_PART},
        {{S3_UPLOAD_PART, 0, 2, S3_DESK_REPLY, 400, "RequestTimeout", NULL, NULL}, S3_UPLOAD_PART},
        {{S3_UPLOAD_PART, 0, 2, S3_DESK_REPLY, 400, "BadDigest", NULL, NULL}, S3_UPLOAD_PART},
        {{S3_COMPLETE_UPLOAD, 0, 2, S3_DESK_REPLY, 200, "InternalError", NULL, NULL}, S3_COMPLETE_UPLOAD},
        {{S3_COMPLETE_UPLOAD, 0, 2, S3_DESK_CUT, 0, NULL, NULL, NULL}, S3_COMPLETE_UPLOAD},
        {{S3_COMPLETE_UPLOAD, 0, 2, S3_DESK_REPLY, 200, NULL, NULL, NULL}, S3_COMPLETE_UPLOAD},
        {{S3_COMPLETE_UPLOAD, 0, 2, S3_DESK_REPLY, 409, "ConditionalRequestConflict", NULL, NULL},
         S3_COMPLETE_UPLOAD},
        {{S3_LIST_PARTS, 0, 2, S3_DESK_REPLY, 429, "TooManyRequests", NULL, "Retry-After: 0\r\n"},
         S3_LIST_PARTS},
        {{S3_HEAD_OBJECT, 0, 2, S3_DESK_REPLY, 502, NULL, NULL, NULL}, S3_HEAD_OBJECT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        struct steps const steps = {&cases[i].step, 1};
        rig_open(&rig, play, (void *)&steps);
        struct s3_call call = run_one(&rig, cases[i].kind, S3_DONE, STATUS_OK);
        assert_int_equal(call.attempts, 3);
        s3_call_free(&call);
        assert_int_equal(rig.desk.counts[cases[i].kind], 3);
        assert_int_equal(stats_of(&rig).retries, 2);
        rig_close(&rig);
    }
}

static void tries_a_stalled_part_again_elsewhere(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, play, STEPS({S3_UPLOAD_PART, 1, 1, S3_DESK_STALL, 0, NULL, NULL, NULL}));
    rig.limits.stall_seconds = 1;
    rig_start(&rig);
    run_good(&rig, S3_UPLOAD_PART);
    unsigned const links = atomic_load(&rig.desk.desk.links);
    struct s3_call call = run_one(&rig, S3_UPLOAD_PART, S3_DONE, STATUS_OK);
    assert_int_equal(call.attempts, 2);
    s3_call_free(&call);
    assert_int_equal(atomic_load(&rig.desk.desk.links), links + 1);
    rig_close(&rig);
}

static void gives_up_after_ten_attempts(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, play, STEPS({S3_CREATE_UPLOAD, 0, 0, S3_DESK_REPLY, 500, "InternalError", NULL, NULL}));
    struct s3_call call = run_one(&rig, S3_CREATE_UPLOAD, S3_TRANSIENT, STATUS_TRY_AGAIN);
    assert_int_equal(call.attempts, S3_ATTEMPTS_MAX);
    must_say(&call, "CreateMultipartUpload s3://acme/in/a b.csv: InternalError (HTTP 500)");
    must_say(&call, "after 10 attempts");
    assert_true(call.uncertain);
    s3_call_free(&call);
    rig_close(&rig);
}

static void stops_when_the_budget_is_used_up(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, play, STEPS({S3_HEAD_OBJECT, 0, 0, S3_DESK_REPLY, 500, NULL, NULL, NULL}));
    bool used_up = false;
    for (unsigned i = 0; i < S3_RETRY_TOKENS && !used_up; i++) {
        struct s3_call call = run_one(&rig, S3_HEAD_OBJECT, S3_TRANSIENT, STATUS_TRY_AGAIN);
        used_up = call.attempts < S3_ATTEMPTS_MAX;
        if (used_up) must_say(&call, "too many requests of this run failed");
        s3_call_free(&call);
    }
    assert_true(used_up);
    rig_close(&rig);
}

static void gives_up_on_a_host_that_nobody_knows(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, NULL, NULL);
    rig.options.endpoint = "http://no-such-store.invalid";
    rig_start(&rig);
    struct s3_call call = run_one(&rig, S3_HEAD_OBJECT, S3_TRANSIENT, STATUS_TRY_AGAIN);
    assert_int_equal(call.attempts, S3_ATTEMPTS_UNKNOWN_HOST);
    must_say(&call, "destination.endpoint");
    s3_call_free(&call);
    rig_close(&rig);
}

static void gives_up_on_a_closed_port(void **state)
{
    (void)state;
    struct rig rig;
    struct s3_desk gone;
    s3_desk_open(&gone, NULL, NULL);
    rig_make(&rig, NULL, NULL);
    (void)snprintf(rig.endpoint, sizeof rig.endpoint, "http://127.0.0.1:%u", gone.desk.port);
    s3_desk_close(&gone);
    rig_start(&rig);
    struct s3_call call = run_one(&rig, S3_COMPLETE_UPLOAD, S3_TRANSIENT, STATUS_TRY_AGAIN);
    assert_false(call.uncertain);
    must_say(&call, "nobody answers at 127.0.0.1");
    s3_call_free(&call);
    rig_close(&rig);
}

/* ---- what is not believed ---- */

static void spoil_echo(struct s3_desk *desk, const struct s3_desk_request *request,
                       struct s3_desk_reply *reply)
{
    const char *const how = desk->context;
    bool const body = request->kind == S3_UPLOAD_PART || request->kind == S3_PUT_OBJECT;
    if (!body || (strcmp(how, "silent") != 0 && request->nth != 1)) return;
    reply->headers[0] = '\0';
    if (strcmp(how, "no etag") != 0) s3_desk_add(reply, "ETag", "\"e\"");
    if (strcmp(how, "wrong") == 0) s3_desk_add(reply, "x-amz-checksum-crc64nvme", "AAAAAAAAAAA=");
}

static void believes_only_what_is_confirmed(void **state)
{
    (void)state;
    static char *const ways[] = {"wrong", "missing", "no etag"};
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct rig rig;
        rig_open(&rig, spoil_echo, ways[i]);
        run_good(&rig, S3_UPLOAD_PART);
        struct s3_call call = run_one(&rig, S3_UPLOAD_PART, S3_DONE, STATUS_OK);
        assert_int_equal(call.attempts, 2);
        s3_call_free(&call);
        rig_close(&rig);
    }
}

static void names_the_setting_for_stores_without_checksums(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, spoil_echo, "silent");
    struct s3_call call = run_one(&rig, S3_UPLOAD_PART, S3_NOT_SUPPORTED, STATUS_JOB);
    assert_int_equal(call.attempts, S3_SILENT_ECHOES_MAX);
    must_say(&call, "destination.checksum: none");
    s3_call_free(&call);
    call = (struct s3_call){.op = op_of(&rig, S3_UPLOAD_PART)};
    call.op.checksum_kind = CHECKSUM_NONE;
    assert_int_equal(s3_client_run(rig.client, &call, false), STATUS_OK);
    s3_call_free(&call);
    rig_close(&rig);
}

static void says_that_a_lost_reply_is_uncertain(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, play,
             STEPS({S3_COMPLETE_UPLOAD, 0, 1, S3_DESK_DROP, 0, NULL, NULL, NULL},
                   {S3_COMPLETE_UPLOAD, 1, 1, S3_DESK_REPLY, 404, "NoSuchUpload", NULL, NULL},
                   {S3_PUT_OBJECT, 0, 1, S3_DESK_DROP, 0, NULL, NULL, NULL},
                   {S3_PUT_OBJECT, 1, 1, S3_DESK_REPLY, 412, "PreconditionFailed", NULL, NULL},
                   {S3_PUT_OBJECT, 2, 1, S3_DESK_REPLY, 412, "PreconditionFailed", NULL, NULL}));
    struct s3_call call = run_one(&rig, S3_COMPLETE_UPLOAD, S3_NO_UPLOAD, STATUS_IO);
    assert_true(call.uncertain);
    s3_call_free(&call);
    call = run_one(&rig, S3_PUT_OBJECT, S3_EXISTS, STATUS_EXISTS);
    assert_true(call.uncertain);
    s3_call_free(&call);
    call = run_one(&rig, S3_PUT_OBJECT, S3_EXISTS, STATUS_EXISTS);
    assert_false(call.uncertain);
    s3_call_free(&call);
    rig_close(&rig);
}

/* ---- what is learnt ---- */

/* Requests signed for another region than eu-central-1 are sent there, in one of several ways. */
static void elsewhere(struct s3_desk *desk, const struct s3_desk_request *request,
                      struct s3_desk_reply *reply)
{
    const char *const how = desk->context;
    if (strstr(desk->authorization, "/eu-central-1/s3/") != NULL && strcmp(how, "circle") != 0) return;
    if (strcmp(how, "malformed") == 0 && request->kind != S3_HEAD_BUCKET)
        s3_desk_error(reply, 400, "AuthorizationHeaderMalformed",
                      "<Message>the region is wrong</Message><Region>eu-central-1</Region>");
    else if (strcmp(how, "circle") == 0)
        s3_desk_error(reply, 301, "PermanentRedirect", "<Region>eu-central-1</Region>");
    else {
        s3_desk_error(reply, 301, "PermanentRedirect", "");
        bool const tells =
            strcmp(how, "header") == 0 || (strcmp(how, "head") == 0 && request->kind == S3_HEAD_BUCKET);
        if (tells) s3_desk_add(reply, "x-amz-bucket-region", "eu-central-1");
    }
}

static void learns_the_region(void **state)
{
    (void)state;
    static char *const ways[] = {"header", "head", "malformed"};
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct rig rig;
        rig_open(&rig, elsewhere, ways[i]);
        struct s3_call call = run_one(&rig, S3_UPLOAD_PART, S3_DONE, STATUS_OK);
        assert_int_equal(call.attempts, 2);
        s3_call_free(&call);
        assert_int_equal(rig.desk.counts[S3_HEAD_BUCKET], strcmp(ways[i], "head") == 0);
        call = run_one(&rig, S3_CREATE_UPLOAD, S3_DONE, STATUS_OK);
        assert_int_equal(call.attempts, 1);
        s3_call_free(&call);
        assert_string_equal(s3_client_endpoint(rig.client)->region, "eu-central-1");
        assert_int_equal(stats_of(&rig).retries, 0);
        rig_close(&rig);
    }
}

static void gives_up_on_regions_in_a_circle(void **state)
{
    (void)state;
    static char *const ways[] = {"circle", "nobody tells"};
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct rig rig;
        rig_open(&rig, elsewhere, ways[i]);
        struct s3_call call = {.op = op_of(&rig, S3_PUT_OBJECT)};
        assert_int_not_equal(s3_client_run(rig.client, &call, false), STATUS_OK);
        assert_true(call.attempts <= 2 + S3_REGIONS_MAX);
        must_be(&call, i == 0 ? S3_FATAL : S3_OTHER_REGION, STATUS_JOB);
        must_say(&call, "destination.region");
        s3_call_free(&call);
        rig_close(&rig);
    }
}

static void redirect_to(struct s3_desk *desk, const struct s3_desk_request *request,
                        struct s3_desk_reply *reply)
{
    char location[256];
    const struct s3_desk *const target = desk->context;
    (void)snprintf(location, sizeof location, "http://127.0.0.1:%u%s", target->desk.port, request->target);
    s3_desk_error(reply, 307, "TemporaryRedirect", "");
    s3_desk_add(reply, "Location", location);
}

static void follows_a_redirect(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, redirect_to, &rig.other);
    s3_desk_open(&rig.other, NULL, NULL);
    rig.has_other = true;
    rig_start(&rig);
    run_good(&rig, S3_UPLOAD_PART);
    run_good(&rig, S3_UPLOAD_PART); /* it holds for one call only */
    assert_int_equal(rig.desk.counts[S3_UPLOAD_PART], 2);
    assert_int_equal(rig.other.counts[S3_UPLOAD_PART], 2);
    assert_false(rig.other.damaged);
    rig_close(&rig);
}

static void gives_up_on_redirects_in_a_circle(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, redirect_to, &rig.desk);
    rig_start(&rig);
    struct s3_call call = run_one(&rig, S3_UPLOAD_PART, S3_REDIRECT, STATUS_JOB);
    assert_int_equal(call.attempts, S3_REDIRECTS_MAX + 1);
    must_say(&call, "destination.endpoint");
    s3_call_free(&call);
    rig_close(&rig);
}

/* A server whose clock is 2 hours ahead refuses what is not signed within 15 minutes of it. */
static void skewed(struct s3_desk *desk, const struct s3_desk_request *request, struct s3_desk_reply *reply)
{
    (void)request;
    bool const stubborn = desk->context != NULL;
    struct tm signed_at = {0};
    desk->clock_offset = 7200;
    assert_non_null(strptime(desk->amz_date, "%Y%m%dT%H%M%SZ", &signed_at));
    int64_t const off = time(NULL) + desk->clock_offset - timegm(&signed_at);
    if (!stubborn && off < 900 && off > -900) return;
    if (request->kind == S3_HEAD_OBJECT)
        s3_desk_error(reply, 403, "", "");
    else
        s3_desk_error(reply, 403, "RequestTimeTooSkewed", "");
}

static void sets_the_clock(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, skewed, NULL);
    struct s3_call call = run_one(&rig, S3_CREATE_UPLOAD, S3_DONE, STATUS_OK);
    assert_int_equal(call.attempts, 2);
    s3_call_free(&call);
    call = run_one(&rig, S3_HEAD_OBJECT, S3_DONE, STATUS_OK);
    assert_int_equal(call.attempts, 1);
    s3_call_free(&call);
    rig_close(&rig);

    rig_open(&rig, skewed, NULL); /* a HEAD's reply does not tell why: its Date does */
    call = run_one(&rig, S3_HEAD_OBJECT, S3_DONE, STATUS_OK);
    assert_int_equal(call.attempts, 2);
    s3_call_free(&call);
    rig_close(&rig);

    rig_open(&rig, skewed, &rig);
    call = run_one(&rig, S3_CREATE_UPLOAD, S3_CLOCK_SKEW, STATUS_RIGHTS);
    assert_int_equal(call.attempts, 2);
    must_say(&call, "clock");
    s3_call_free(&call);
    rig_close(&rig);
}

/* ---- credentials ---- */

static void expired(struct s3_desk *desk, const struct s3_desk_request *request, struct s3_desk_reply *reply)
{
    (void)request;
    if (strstr(desk->authorization, "Credential=FIRST/") != NULL ||
        strstr(desk->authorization, "Credential=AKIDEXAMPLE/") != NULL)
        s3_desk_error(reply, 400, "ExpiredToken", "<Message>The provided token has expired.</Message>");
}

static void ends_when_credentials_do_not_renew(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, expired, NULL);
    rig.token = TOKEN;
    rig_start(&rig);
    struct s3_call call = run_one(&rig, S3_CREATE_UPLOAD, S3_EXPIRED, STATUS_RIGHTS);
    assert_int_equal(call.attempts, 1);
    must_say(&call, "environment");
    s3_call_free(&call);
    rig_close(&rig);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    int const file = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(file);
}

/* A credential_process that gives other keys each time that it is run: FIRST, then NEXT. */
static void make_process(struct rig *rig)
{
    char *const folder = rig->folder;
    char text[1024];
    memcpy(folder, "/tmp/test_s3_client.XXXXXX", sizeof "/tmp/test_s3_client.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(rig->config_file, sizeof rig->config_file, "%s/config", folder);
    (void)snprintf(rig->script_file, sizeof rig->script_file, "%s/process", folder);
    (void)snprintf(rig->generation_file, sizeof rig->generation_file, "%s/again", folder);
    (void)snprintf(text, sizeof text,
                   "#!/bin/sh\nkey=FIRST\n[ -e %s ] && key=NEXT\n: > %s\n"
                   "echo '{\"Version\":1,\"AccessKeyId\":\"'$key'\",\"SecretAccessKey\":\"" SECRET
                   "\",\"SessionToken\":\"" TOKEN "\",\"Expiration\":\"2099-01-01T00:00:00Z\"}'\n",
                   rig->generation_file, rig->generation_file);
    write_file(rig->script_file, text, 0700);
    (void)snprintf(text, sizeof text, "[default]\ncredential_process = %s\n", rig->script_file);
    write_file(rig->config_file, text, 0600);
    rig->no_keys = true;
}

static void remove_process(const struct rig *rig)
{
    (void)unlink(rig->config_file);
    (void)unlink(rig->script_file);
    (void)unlink(rig->generation_file);
    (void)rmdir(rig->folder);
}

static void renews_credentials(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, expired, NULL);
    make_process(&rig);
    rig.options.threads = 2;
    rig_start(&rig);
    run_many(&rig, S3_UPLOAD_PART, 12);
    assert_non_null(strstr(rig.desk.authorization, "Credential=NEXT/"));
    assert_int_equal(stats_of(&rig).retries, 0);
    rig_close(&rig);
    remove_process(&rig);
}

static void always_expired(struct s3_desk *desk, const struct s3_desk_request *request,
                           struct s3_desk_reply *reply)
{
    (void)desk, (void)request;
    s3_desk_error(reply, 400, "ExpiredToken", "");
}

static void gives_up_renewing(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, always_expired, NULL);
    make_process(&rig);
    rig.limits.renew_most_ms = 300;
    rig.limits.renew_again_ms = 50;
    rig_start(&rig);
    struct s3_call call = run_one(&rig, S3_CREATE_UPLOAD, S3_EXPIRED, STATUS_RIGHTS);
    assert_true(call.attempts >= 2);
    s3_call_free(&call);
    rig_close(&rig);
    remove_process(&rig);
}

/* ---- what is final ---- */

static void ends_with_the_status_of_the_contract(void **state)
{
    (void)state;
    static const struct {
        struct step step;
        enum s3_op_kind kind;
        enum s3_verdict verdict;
        enum status status;
        const char *word;
    } cases[] = {
        {{S3_CREATE_UPLOAD, 0, 0, S3_DESK_REPLY, 403, "AccessDenied", "<Message>Access Denied</Message>",
          NULL},
         S3_CREATE_UPLOAD,
         S3_DENIED,
         STATUS_RIGHTS,
         "s3:PutObject"},
        {{S3_ABORT_UPLOAD, 0, 0, S3_DESK_REPLY, 403, "AccessDenied", NULL, NULL},
         S3_ABORT_UPLOAD,
         S3_DENIED,
         STATUS_RIGHTS,
         "s3:AbortMultipartUpload"},
        {{S3_HEAD_OBJECT, 0, 0, S3_DESK_REPLY, 403, NULL, NULL, NULL},
         S3_HEAD_OBJECT,
         S3_DENIED,
         STATUS_RIGHTS,
         "s3:ListBucket"},
        {{S3_CREATE_UPLOAD, 0, 0, S3_DESK_REPLY, 403, "SignatureDoesNotMatch", NULL, NULL},
         S3_CREATE_UPLOAD,
         S3_DENIED,
         STATUS_RIGHTS,
         "secret access key"},
        {{S3_CREATE_UPLOAD, 0, 0, S3_DESK_REPLY, 404, "NoSuchBucket", NULL, NULL},
         S3_CREATE_UPLOAD,
         S3_NO_BUCKET,
         STATUS_JOB,
         "there is no bucket acme"},
        {{S3_HEAD_OBJECT, 0, 0, S3_DESK_REPLY, 404, NULL, NULL, NULL},
         S3_HEAD_OBJECT,
         S3_NO_KEY,
         STATUS_IO,
         "no such object"},
        {{S3_COMPLETE_UPLOAD, 0, 0, S3_DESK_REPLY, 412, "PreconditionFailed", NULL, NULL},
         S3_COMPLETE_UPLOAD,
         S3_EXISTS,
         STATUS_EXISTS,
         "if_exists: replace"},
        {{S3_UPLOAD_PART, 0, 0, S3_DESK_REPLY, 501, "NotImplemented", "<Message>x-amz-checksum</Message>",
          NULL},
         S3_UPLOAD_PART,
         S3_NOT_SUPPORTED,
         STATUS_JOB,
         "destination.checksum: none"},
        {{S3_COMPLETE_UPLOAD, 0, 0, S3_DESK_REPLY, 400, "EntityTooSmall", NULL, NULL},
         S3_COMPLETE_UPLOAD,
         S3_FATAL,
         STATUS_IO,
         "--part-size"},
        {{S3_UPLOAD_PART, 0, 0, S3_DESK_REPLY, 400, "BadDigest", NULL, NULL},
         S3_UPLOAD_PART,
         S3_CORRUPTED,
         STATUS_IO,
         "changed on their way"},
        {{S3_UPLOAD_PART, 0, 0, S3_DESK_EARLY, 403, "AccessDenied", NULL, "Connection: close\r\n"},
         S3_UPLOAD_PART,
         S3_DENIED,
         STATUS_RIGHTS,
         "s3:PutObject"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        struct steps const steps = {&cases[i].step, 1};
        rig_open(&rig, play, (void *)&steps);
        struct s3_call call = run_one(&rig, cases[i].kind, cases[i].verdict, cases[i].status);
        assert_int_equal(call.attempts, cases[i].verdict == S3_CORRUPTED ? S3_CORRUPT_MAX + 1 : 1);
        must_say(&call, cases[i].word);
        must_say(&call, "s3://acme/in/a b.csv");
        assert_false(call.uncertain);
        s3_call_free(&call);
        rig_close(&rig);
    }
}

/* A server that says what it was sent. */
static void tell_tale(struct s3_desk *desk, const struct s3_desk_request *request,
                      struct s3_desk_reply *reply)
{
    char more[1600], token[256];
    s3_desk_header(request->head, "x-amz-security-token", token, sizeof token);
    assert_true(token[0] != '\0');
    (void)snprintf(more, sizeof more, "<Message>%s %s</Message>", token, desk->authorization);
    s3_desk_error(reply, 403, "AccessDenied", more);
}

static void keeps_secrets(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, tell_tale, NULL);
    rig.token = TOKEN;
    rig_start(&rig);
    struct s3_call call = run_one(&rig, S3_CREATE_UPLOAD, S3_DENIED, STATUS_RIGHTS);
    const char *const signature = strstr(rig.desk.authorization, "Signature=");
    assert_non_null(signature);
    assert_null(strstr(call.fault.message, signature + strlen("Signature=")));
    s3_call_free(&call);
    rig_close(&rig);
}

static void refuses_what_can_not_be_sent(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL, NULL);
    struct s3_object_options const object = {.acl = "two\nlines"};
    struct s3_call call = {.op = op_of(&rig, S3_CREATE_UPLOAD)};
    call.op.object = &object;
    assert_int_equal(s3_client_run(rig.client, &call, false), STATUS_JOB);
    must_be(&call, S3_FATAL, STATUS_JOB);
    s3_call_free(&call);
    run_good(&rig, S3_UPLOAD_PART);
    rig_close(&rig);
}

/* ---- the object's bytes ---- */

/* The first reply is cut after half of it; the next ones are as `context` says. */
static void cut_first(struct s3_desk *desk, const struct s3_desk_request *request,
                      struct s3_desk_reply *reply)
{
    const char *const how = desk->context;
    char range[64];
    if (request->kind != S3_GET_OBJECT) return;
    if (request->nth == 0) {
        reply->act = S3_DESK_CUT;
        return;
    }
    s3_desk_header(request->head, "range", range, sizeof range);
    assert_string_equal(range, "bytes=10-19");
    char match[64];
    s3_desk_header(request->head, "if-match", match, sizeof match);
    assert_string_equal(match, "\"object-1\"");
    if (strcmp(how, "whole") == 0) return;
    if (strcmp(how, "changed") == 0) {
        s3_desk_error(reply, 412, "PreconditionFailed", "");
        return;
    }
    reply->status = 206;
    s3_desk_add(reply, "Content-Range", "bytes 10-19/20");
    (void)snprintf(reply->body, sizeof reply->body, "abcdefghij");
}

static void goes_on_where_a_reply_was_cut(void **state)
{
    (void)state;
    static char *const ways[] = {"rest", "whole", "changed"};
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct rig rig;
        rig_open(&rig, cut_first, ways[i]);
        struct taken taken = {.length = 0};
        struct s3_call call = {.op = op_of(&rig, S3_GET_OBJECT)};
        call.op.take = take;
        call.op.take_context = &taken;
        enum status const status = s3_client_run(rig.client, &call, false);
        if (i == 0) {
            must_be(&call, S3_DONE, STATUS_OK);
            assert_int_equal(taken.length, 20);
            assert_memory_equal(taken.bytes, "0123456789abcdefghij", 20);
            assert_int_equal(call.answer.content_length, 20);
        } else {
            assert_int_not_equal(status, STATUS_OK);
        }
        assert_int_equal(call.attempts, 2);
        s3_call_free(&call);
        rig_close(&rig);
    }
}

static void ends_when_the_bytes_are_refused(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL, NULL);
    struct taken taken = {.refuse_from = 1};
    struct s3_call call = {.op = op_of(&rig, S3_GET_OBJECT)};
    call.op.take = take;
    call.op.take_context = &taken;
    assert_int_not_equal(s3_client_run(rig.client, &call, false), STATUS_OK);
    must_be(&call, S3_FATAL, STATUS_IO);
    assert_int_equal(call.attempts, 1);
    s3_call_free(&call);
    rig_close(&rig);
}

/* ---- many at once ---- */

static void slow_parts(struct s3_desk *desk, const struct s3_desk_request *request,
                       struct s3_desk_reply *reply)
{
    (void)desk;
    if (request->kind == S3_UPLOAD_PART) reply->wait_ms = 5;
}

static void keeps_to_the_window(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct rig rig;
        rig_make(&rig, slow_parts, NULL);
        rig.options.threads = threads;
        rig.options.connections = 5;
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

static void sends_a_slow_part_twice(void **state)
{
    (void)state;
    struct rig rig;
    rig_make(&rig, play, STEPS({S3_UPLOAD_PART, 1, 1, S3_DESK_STALL, 0, NULL, NULL, NULL}));
    rig.limits.hedge_ms = 50;
    rig_start(&rig);
    run_good(&rig, S3_UPLOAD_PART);
    struct s3_call call = run_one(&rig, S3_UPLOAD_PART, S3_DONE, STATUS_OK);
    assert_int_equal(call.attempts, 1);
    s3_call_free(&call);
    assert_int_equal(stats_of(&rig).hedges, 1);
    assert_int_equal(rig.desk.counts[S3_UPLOAD_PART], 3);
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
        cmocka_unit_test(does_all_operations),
        cmocka_unit_test(signs_bodies_over_plain_http),
        cmocka_unit_test(tries_again_what_passes),
        cmocka_unit_test(tries_a_stalled_part_again_elsewhere),
        cmocka_unit_test(gives_up_after_ten_attempts),
        cmocka_unit_test(stops_when_the_budget_is_used_up),
        cmocka_unit_test(gives_up_on_a_host_that_nobody_knows),
        cmocka_unit_test(gives_up_on_a_closed_port),
        cmocka_unit_test(believes_only_what_is_confirmed),
        cmocka_unit_test(names_the_setting_for_stores_without_checksums),
        cmocka_unit_test(says_that_a_lost_reply_is_uncertain),
        cmocka_unit_test(learns_the_region),
        cmocka_unit_test(gives_up_on_regions_in_a_circle),
        cmocka_unit_test(follows_a_redirect),
        cmocka_unit_test(gives_up_on_redirects_in_a_circle),
        cmocka_unit_test(sets_the_clock),
        cmocka_unit_test(ends_when_credentials_do_not_renew),
        cmocka_unit_test(renews_credentials),
        cmocka_unit_test(gives_up_renewing),
        cmocka_unit_test(ends_with_the_status_of_the_contract),
        cmocka_unit_test(keeps_secrets),
        cmocka_unit_test(refuses_what_can_not_be_sent),
        cmocka_unit_test(goes_on_where_a_reply_was_cut),
        cmocka_unit_test(ends_when_the_bytes_are_refused),
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

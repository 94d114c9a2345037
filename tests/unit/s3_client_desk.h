/* s3_client_desk.h - what the tests of the S3 client share: a client with its desks (s3_desk.h), calls and
 * what must come of them, and scripts of a few steps. Times are the client's limits made short; nothing
 * asserts how long something took. */
#ifndef PENSTOCK_TESTS_UNIT_S3_CLIENT_DESK_H
#define PENSTOCK_TESTS_UNIT_S3_CLIENT_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_client_inside.h"
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

static inline uint64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline int64_t wall(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static enum status interruption; /* set before a call, read by the thread that set it */

static inline enum status interrupted(void)
{
    return interruption;
}

static inline void rig_make(struct rig *rig, s3_desk_script *script, void *context)
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

static inline bool rig_try(struct rig *rig, bool probe)
{
    if (aws_config_load(environment, rig, &rig->config, &rig->fault) != STATUS_OK)
        fail_msg("%s", rig->fault.message);
    rig->client = s3_client_create_with(&rig->options, &rig->limits, probe, &rig->fault);
    return rig->client != NULL;
}

static inline void rig_start(struct rig *rig)
{
    if (!rig_try(rig, false)) fail_msg("%s", rig->fault.message);
}

static inline void rig_open(struct rig *rig, s3_desk_script *script, void *context)
{
    rig_make(rig, script, context);
    rig_start(rig);
}

static inline void rig_close(struct rig *rig)
{
    s3_client_destroy(rig->client);
    s3_desk_close(&rig->desk);
    if (rig->has_other) s3_desk_close(&rig->other);
    aws_config_free(&rig->config);
    wait_destroy(&rig->arrivals);
}

static inline struct s3_op op_of(const struct rig *rig, enum s3_op_kind kind)
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

static inline void must_be(const struct s3_call *call, enum s3_verdict verdict, enum status status)
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

static inline void must_say(const struct s3_call *call, const char *word)
{
    if (strstr(call->fault.message, word) == NULL) fail_msg("'%s' is not in: %s", word, call->fault.message);
}

/* One call to its end; its answer is the caller's to free. */
static inline struct s3_call run_one(struct rig *rig, enum s3_op_kind kind, enum s3_verdict verdict,
                                     enum status status)
{
    struct s3_call call = {.op = op_of(rig, kind)};
    assert_int_equal(s3_client_run(rig->client, &call, false), status);
    must_be(&call, verdict, status);
    assert_int_equal(s3_client_out(rig->client), 0);
    return call;
}

static inline void run_good(struct rig *rig, enum s3_op_kind kind)
{
    struct s3_call call = run_one(rig, kind, S3_DONE, STATUS_OK);
    s3_call_free(&call);
}

/* `count` calls at once. */
static inline void run_many(struct rig *rig, enum s3_op_kind kind, unsigned count)
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

static inline struct s3_client_stats stats_of(const struct rig *rig)
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

static inline void play(struct s3_desk *desk, const struct s3_desk_request *request,
                        struct s3_desk_reply *reply)
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

/* Requests signed for another region than eu-central-1 are sent there, in one of several ways. */
static inline void elsewhere(struct s3_desk *desk, const struct s3_desk_request *request,
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

#endif

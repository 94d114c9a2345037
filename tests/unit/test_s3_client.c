/* test_s3_client.c - calls against a scripted S3, one at a time: what is tried again and how, what is learnt,
 * what ends a call and with which status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/aws/aws_sigv4.h"
#include "io/s3/s3_task.h"
#include "tests/unit/s3_client_desk.h"

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
    rig.limits.stall_seconds = 4; /* a busy machine must not take as long for the other parts */
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
    uint16_t port;
    int const held = desk_closed_port(&port);
    rig_make(&rig, NULL, NULL);
    (void)snprintf(rig.endpoint, sizeof rig.endpoint, "http://127.0.0.1:%u", port);
    rig_start(&rig);
    struct s3_call call = run_one(&rig, S3_COMPLETE_UPLOAD, S3_TRANSIENT, STATUS_TRY_AGAIN);
    assert_false(call.uncertain);
    must_say(&call, "nobody answers at 127.0.0.1");
    s3_call_free(&call);
    rig_close(&rig);
    (void)close(held);
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
    rig.limits.renew_most_ms = 3000; /* the process must be able to answer once in that time */
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
    };
    int const failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_global_stop();
    return failed;
}

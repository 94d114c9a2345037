/* aws_stage.h - for tests of aws_provider: a server that plays IMDSv2, container agent and STS, a clock that
 * stands still, and an environment that names nothing of this machine. */
#ifndef PENSTOCK_TESTS_UNIT_AWS_STAGE_H
#define PENSTOCK_TESTS_UNIT_AWS_STAGE_H

#include "io/aws/aws_source.h"

#include "tests/unit/aws_rig.h"

#include <time.h>

/* Each test takes what it needs of this. */
#pragma GCC diagnostic ignored "-Wunused-function"

/* 2026-11-23T10:00:00Z */
#define EPOCH 1795428000

/* What the server plays. Written by the test, read by the server's thread: all under the mutex. */
struct cloud {
    pthread_mutex_t mutex;
    unsigned asked;    /* requests */
    unsigned failures; /* so many are answered with `failure` first */
    unsigned failure;
    char failure_body[1024];
    char failure_headers[128];
    unsigned no_token, no_role, bad_role; /* IMDS: status instead of the answer; 0: fine */
    bool hang;
    int64_t expires; /* 0: no Expiration */
    unsigned issued; /* number in the keys that are given out; grows with each when `fresh` */
    bool fresh;
    char code[32];  /* "": Success */
    char token[64]; /* container: the Authorization that is wanted; "": none */
    char last_body[4096], last_path[512], last_authorization[512];
};

struct stage {
    struct rig_environment environment;
    struct aws_config config;
    struct cloud cloud;
    struct rig rig;
    struct aws_tuning tuning;
    _Atomic int64_t now;
    atomic_bool stop;
    struct fault fault;
    struct aws_provider *provider;
};

static void time_text(int64_t seconds, char out[32])
{
    time_t const time = (time_t)seconds;
    struct tm fields;
    gmtime_r(&time, &fields);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &fields);
}

static void answer_json(struct cloud *cloud, struct rig_reply *reply)
{
    char expires[32] = "", line[64] = "";
    if (cloud->fresh) cloud->issued++;
    time_text(cloud->expires, expires);
    if (cloud->expires != 0) snprintf(line, sizeof line, ",\"Expiration\":\"%s\"", expires);
    if (cloud->code[0] != '\0')
        snprintf(reply->body, sizeof reply->body, "{\"Code\":\"%s\",\"Message\":\"why\"}", cloud->code);
    else
        snprintf(reply->body, sizeof reply->body,
                 "{\"Code\":\"Success\",\"AccessKeyId\":\"ID%u\",\"SecretAccessKey\":\"HIDDEN%u\",\"Token\":"
                 "\"TOKEN%u\"%s}",
                 cloud->issued, cloud->issued, cloud->issued, line);
}

static void answer_imds(struct cloud *cloud, const struct rig_request *request, struct rig_reply *reply)
{
    char header[128];
    if (strcmp(request->path, "/latest/api/token") == 0) {
        bool const good =
            strcmp(request->method, "PUT") == 0 &&
            strcmp(rig_header(request, "x-aws-ec2-metadata-token-ttl-seconds", header, sizeof header),
                   "21600") == 0;
        reply->status = cloud->no_token != 0 ? cloud->no_token : good ? 200 : 400;
        strcpy(reply->body, "imds-session");
        return;
    }
    if (strcmp(rig_header(request, "x-aws-ec2-metadata-token", header, sizeof header), "imds-session") != 0) {
        reply->status = 401;
        return;
    }
    if (strcmp(request->path, "/latest/meta-data/placement/region") == 0)
        strcpy(reply->body, "eu-west-3");
    else if (strcmp(request->path, "/latest/meta-data/iam/security-credentials/") == 0) {
        reply->status = cloud->no_role != 0 ? cloud->no_role : 200;
        strcpy(reply->body, "my-role\n");
    } else if (strcmp(request->path, "/latest/meta-data/iam/security-credentials/my-role") == 0) {
        reply->status = cloud->bad_role != 0 ? cloud->bad_role : 200;
        answer_json(cloud, reply);
    } else
        reply->status = 404;
}

static void answer_sts(struct cloud *cloud, struct rig_reply *reply)
{
    char expires[32];
    if (cloud->fresh) cloud->issued++;
    time_text(cloud->expires, expires);
    snprintf(
        reply->body, sizeof reply->body,
        "<R xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Credentials><AccessKeyId>STS%u</AccessKeyId>"
        "<SecretAccessKey>HIDDEN%u</SecretAccessKey><SessionToken>TOKEN%u</SessionToken>"
        "<Expiration>%s</Expiration></Credentials></R>",
        cloud->issued, cloud->issued, cloud->issued, expires);
}

static void answer(void *context, const struct rig_request *request, struct rig_reply *reply)
{
    struct cloud *const cloud = context;
    char header[512];
    pthread_mutex_lock(&cloud->mutex);
    cloud->asked++;
    reply->hang = cloud->hang;
    snprintf(cloud->last_body, sizeof cloud->last_body, "%s", request->body);
    snprintf(cloud->last_path, sizeof cloud->last_path, "%s", request->path);
    rig_header(request, "authorization", cloud->last_authorization, sizeof cloud->last_authorization);
    if (cloud->failures != 0) {
        cloud->failures--;
        reply->status = cloud->failure;
        strcpy(reply->body, cloud->failure_body);
        strcpy(reply->headers, cloud->failure_headers);
    } else if (strncmp(request->path, "/latest/", 8) == 0) {
        answer_imds(cloud, request, reply);
    } else if (strncmp(request->path, "/ecs", 4) == 0) {
        if (strcmp(rig_header(request, "authorization", header, sizeof header), cloud->token) != 0)
            reply->status = 401;
        else
            answer_json(cloud, reply);
    } else if (strcmp(request->path, "/") == 0 && strcmp(request->method, "POST") == 0) {
        answer_sts(cloud, reply);
    } else {
        reply->status = 404;
    }
    pthread_mutex_unlock(&cloud->mutex);
}

static int64_t stage_now(void *context)
{
    struct stage *const stage = context;
    return atomic_load(&stage->now);
}

static bool stage_stop(void *context)
{
    struct stage *const stage = context;
    return atomic_load(&stage->stop);
}

static int stage_enter(void **state)
{
    struct stage *const stage = calloc(1, sizeof *stage);
    if (stage == NULL) return 1;
    *state = stage;
    pthread_mutex_init(&stage->cloud.mutex, NULL);
    stage->cloud.expires = EPOCH + 3600;
    stage->cloud.issued = 1;
    atomic_store(&stage->now, EPOCH);
    stage->tuning = aws_source_tuning();
    stage->tuning.now = stage_now;
    stage->tuning.now_context = stage;
    stage->tuning.retry_ms = 5;
    stage->tuning.look_ms = 5;
    stage->tuning.pause_ms = 1;
    rig_start(&stage->rig, answer, &stage->cloud);
    /* Nothing of this machine's, and no metadata service but by consent. */
    rig_set(&stage->environment, "HOME", "/nonexistent");
    rig_set(&stage->environment, "AWS_CONFIG_FILE", "config");
    rig_set(&stage->environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    rig_set(&stage->environment, "AWS_EC2_METADATA_DISABLED", "true");
    unlink("config");
    unlink("credentials");
    return 0;
}

static int stage_leave(void **state)
{
    struct stage *const stage = *state;
    aws_provider_destroy(stage->provider);
    aws_config_free(&stage->config);
    rig_stop(&stage->rig);
    pthread_mutex_destroy(&stage->cloud.mutex);
    free(stage);
    return 0;
}

static void set_imds(struct stage *stage)
{
    rig_set(&stage->environment, "AWS_EC2_METADATA_DISABLED", "false");
    rig_set(&stage->environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:%u/",
            stage->rig.port);
    /* A second would do, but for machines under sanitizers and load. */
    rig_set(&stage->environment, "AWS_METADATA_SERVICE_TIMEOUT", "20");
}

static void set_sts(struct stage *stage)
{
    rig_set(&stage->environment, "AWS_ENDPOINT_URL_STS", "http://127.0.0.1:%u", stage->rig.port);
    rig_set(&stage->environment, "AWS_REGION", "eu-central-1");
}

static void set_ecs(struct stage *stage)
{
    rig_set(&stage->environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:%u/ecs/x",
            stage->rig.port);
}

static struct aws_provider *create(struct stage *stage)
{
    aws_provider_destroy(stage->provider);
    aws_config_free(&stage->config);
    stage->fault = (struct fault){0};
    enum status const status =
        aws_config_load(rig_variable, &stage->environment, &stage->config, &stage->fault);
    if (status != STATUS_OK) print_message("%s\n", stage->fault.message);
    assert_int_equal(status, STATUS_OK);
    stage->provider = aws_provider_create_tuned(&stage->config, NULL, "test/1", stage_stop, stage,
                                                &stage->tuning, &stage->fault);
    return stage->provider;
}

static void expect_keys(struct stage *stage, const char *id, const char *secret, const char *token,
                        const char *name)
{
    struct aws_credentials keys;
    uint64_t generation = 0;
    if (create(stage) == NULL) print_message("%s\n", stage->fault.message);
    assert_non_null(stage->provider);
    assert_int_equal(aws_provider_current(stage->provider, &keys, &generation, &stage->fault), STATUS_OK);
    assert_int_equal(generation, 1);
    assert_string_equal(keys.access_key_id, id);
    assert_string_equal(keys.secret_access_key, secret);
    if (token == NULL)
        assert_null(keys.session_token);
    else
        assert_string_equal(keys.session_token, token);
    assert_string_equal(aws_provider_name(stage->provider), name);
    assert_string_equal(keys.provider, name);
    assert_true(aws_provider_settled(stage->provider));
    aws_credentials_wipe(&keys);
}

static void expect_none(struct stage *stage, enum status status, const char *part)
{
    assert_null(create(stage));
    if (stage->fault.status != status || strstr(stage->fault.message, part) == NULL)
        print_message("%d: %s\n", stage->fault.status, stage->fault.message);
    assert_int_equal(stage->fault.status, status);
    assert_non_null(strstr(stage->fault.message, part));
    assert_null(strstr(stage->fault.message, "HIDDEN"));
    assert_null(strstr(stage->fault.message, "TOKEN1"));
}

/* What a credential_process prints. */
#define STAGE_PROCESS_KEYS \
    "{\"Version\":1,\"AccessKeyId\":\"PID\",\"SecretAccessKey\":\"PHIDDEN\",\"SessionToken\":\"PTOKEN\"}"

static int group_enter(void **state)
{
    struct fault fault;
    return rig_enter_scratch(state) != 0 || http_global_start(&fault) != STATUS_OK;
}

static int group_leave(void **state)
{
    http_global_stop();
    return rig_leave_scratch(state);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_enter, stage_leave)

#endif

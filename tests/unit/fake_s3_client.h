/* fake_s3_client.h - s3_client.h over an S3 that lives in memory: for tests of who submits calls.
 *
 * Calls are carried out when they come back, in random order and some turns after they were submitted, so
 * that bytes which went home too early are gone by then. The store is strict: part numbers, sizes, ETags and
 * checksums of a Complete must be its own, parts must have the sizes of the plan. A rule makes calls fail,
 * before or after they were carried out. Time is a number: a pause or a wait moves it on and takes none.
 *
 * One test program includes it once: it defines the client's functions, nanosleep() and clock_gettime(). */
#ifndef PENSTOCK_TESTS_UNIT_FAKE_S3_CLIENT_H
#define PENSTOCK_TESTS_UNIT_FAKE_S3_CLIENT_H

#include "core/base/checksum.h"
#include "io/s3/s3_client.h"
#include "io/s3/s3_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FAKE_RULES_MAX 8u
#define FAKE_ANY       S3_OP_KINDS
#define FAKE_PAGE      5u /* objects that a page of a list looks at */
/* The server's clock is that much ahead of ours. */
#define FAKE_SKEW 1000

struct fake_bytes {
    uint8_t *bytes;
    uint64_t size, checksum;
};

struct fake_object {
    char *key;
    struct fake_bytes body;
    char token[64];
};

struct fake_upload {
    char *key;
    char id[32], token[64];
    struct fake_bytes *parts;
    uint32_t part_room; /* part n stands at n - 1; bytes NULL: not there */
    bool alive;
    uint32_t late; /* parts that land after so many Aborts */
    int64_t initiated;
};

struct fake_rule {
    enum s3_op_kind kind; /* FAKE_ANY: every one */
    unsigned from, count; /* the calls of that kind, from 1 */
    enum s3_verdict verdict;
    enum status status;
    bool carried_out; /* its reply was lost */
    bool again;       /* and the client sent it a second time, which is what it answers with */
    const char *key;  /* of that object only; NULL: of any */
    unsigned seen;
};

struct s3_client {
    /* the client */
    struct s3_call *out, *done;
    size_t out_count, submitted, most_out;
    unsigned calls; /* carried out, or failed by a rule */
    unsigned by_kind[S3_OP_KINDS];
    uint32_t random;
    bool stands;                  /* nothing comes back */
    bool slow;                    /* only while the sink waits */
    const enum s3_op_kind *stuck; /* calls of that kind don't; NULL: all do */
    uint32_t hurry_ms;
    /* the store */
    enum checksum_kind checksum;
    uint64_t part_size;
    struct fake_object *objects;
    size_t object_count;
    struct fake_upload *uploads;
    size_t upload_count;
    struct fake_rule rules[FAKE_RULES_MAX];
    size_t rule_count;
    /* ways of stores */
    bool no_checksums, composite, ignores_condition;
    unsigned hidden_heads; /* objects show after so many HEADs that did not find them */
    bool wrong_size, wrong_checksum, wrong_token;
    char list_token[24];
    const char *complaint; /* what the store found wrong that a rule did not ask for */
    /* Is shown each operation when it has been carried out; NULL: nobody looks. */
    void (*witness)(const struct s3_client *client, const struct s3_op *op, enum s3_verdict verdict);
    void *witness_context;
};

static uint64_t fake_now = 1000000000000ull;

int nanosleep(const struct timespec *time, struct timespec *rest)
{
    (void)rest;
    fake_now += (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_MONOTONIC) return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = (time_t)(fake_now / 1000000000u);
    time->tv_nsec = (long)(fake_now % 1000000000u);
    return 0;
}

static void *fake_must(void *memory)
{
    if (memory != NULL) return memory;
    fprintf(stderr, "test: no memory\n");
    abort();
}

static uint32_t fake_random(struct s3_client *client, uint32_t below)
{
    client->random = client->random * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(client->random >> 8) * below >> 24);
}

/* ---- the store ---- */

static struct fake_object *fake_find(const struct s3_client *client, const char *key)
{
    for (size_t i = client->object_count; i > 0; i--)
        if (strcmp(client->objects[i - 1].key, key) == 0) return &client->objects[i - 1];
    return NULL;
}

static struct fake_upload *fake_find_upload(const struct s3_client *client, const char *id)
{
    for (size_t i = client->upload_count; id != NULL && i > 0; i--)
        if (client->uploads[i - 1].alive && strcmp(client->uploads[i - 1].id, id) == 0)
            return &client->uploads[i - 1];
    return NULL;
}

static void fake_put(struct s3_client *client, const char *key, struct fake_bytes body, const char *token)
{
    struct fake_object *object = fake_find(client, key);
    if (object == NULL) {
        client->objects =
            fake_must(realloc(client->objects, (client->object_count + 1) * sizeof *client->objects));
        object = &client->objects[client->object_count++];
        *object = (struct fake_object){.key = fake_must(strdup(key))};
    }
    free(object->body.bytes);
    object->body = body;
    snprintf(object->token, sizeof object->token, "%s", token);
}

static size_t fake_uploads_alive(const struct s3_client *client)
{
    size_t alive = 0;
    for (size_t i = 0; i < client->upload_count; i++)
        alive += client->uploads[i].alive;
    return alive;
}

static const char *fake_token(const struct s3_op *op)
{
    for (size_t i = 0; op->object != NULL && i < op->object->metadata_count; i++)
        if (strcmp(op->object->metadata[i].name, "penstock-token") == 0) return op->object->metadata[i].value;
    return "";
}

static struct fake_upload *fake_begin(struct s3_client *client, const char *key, const char *token,
                                      int64_t initiated)
{
    client->uploads =
        fake_must(realloc(client->uploads, (client->upload_count + 1) * sizeof *client->uploads));
    struct fake_upload *const upload = &client->uploads[client->upload_count++];
    *upload = (struct fake_upload){.key = fake_must(strdup(key)), .alive = true, .initiated = initiated};
    snprintf(upload->id, sizeof upload->id, "upload-%zu", client->upload_count);
    snprintf(upload->token, sizeof upload->token, "%s", token);
    return upload;
}

static void fake_etag(uint32_t number, uint64_t checksum, char out[S3_ETAG_MAX + 1])
{
    snprintf(out, S3_ETAG_MAX + 1, "\"%x-%llx\"", number, (unsigned long long)checksum);
}

/* Reads the body as the wire would; what was freed shows here. */
static enum s3_verdict fake_body(struct s3_client *client, const struct s3_op *op, struct fake_bytes *body)
{
    *body = (struct fake_bytes){.bytes = fake_must(malloc(op->body_length + 1)), .size = op->body_length};
    uint64_t at = 0;
    for (size_t i = 0; i < op->body_count && at + op->body[i].length <= op->body_length; i++) {
        memcpy(body->bytes + at, op->body[i].bytes, op->body[i].length);
        at += op->body[i].length;
    }
    body->checksum = checksum_update(client->checksum, 0, body->bytes, op->body_length);
    if (at != op->body_length) client->complaint = "body_length is not the spans'";
    if (op->checksum_kind != client->checksum) client->complaint = "another kind of checksum";
    if (op->checksum_kind == CHECKSUM_NONE || op->checksum == body->checksum) return S3_DONE;
    free(body->bytes);
    body->bytes = NULL;
    return S3_CORRUPTED;
}

static enum s3_verdict fake_part(struct s3_client *client, const struct s3_op *op, struct s3_answer *answer)
{
    struct fake_upload *const upload = fake_find_upload(client, op->upload_id);
    if (upload == NULL || strcmp(upload->key, op->key) != 0) return S3_NO_UPLOAD;
    struct fake_bytes body;
    enum s3_verdict const verdict = fake_body(client, op, &body);
    if (verdict != S3_DONE) return verdict;
    if (op->part > upload->part_room) {
        uint32_t const room = op->part + 16;
        upload->parts = fake_must(realloc(upload->parts, room * sizeof *upload->parts));
        memset(upload->parts + upload->part_room, 0, (room - upload->part_room) * sizeof *upload->parts);
        upload->part_room = room;
    }
    free(upload->parts[op->part - 1].bytes);
    upload->parts[op->part - 1] = body;
    fake_etag(op->part, body.checksum, answer->etag);
    return S3_DONE;
}

static const char *fake_complete_complaint(const struct s3_client *client, const struct s3_op *op,
                                           const struct fake_upload *upload)
{
    uint64_t size = 0;
    for (size_t i = 0; i < op->part_count; i++) {
        const struct s3_part *const part = &op->parts[i];
        char etag[S3_ETAG_MAX + 1];
        if (part->number != i + 1 || part->number > upload->part_room) return "part numbers";
        const struct fake_bytes *const have = &upload->parts[i];
        if (have->bytes == NULL || have->size != part->size) return "a part's size";
        fake_etag(part->number, have->checksum, etag);
        if (strcmp(etag, part->etag) != 0) return "a part's ETag";
        if (client->checksum != CHECKSUM_NONE && part->checksum != have->checksum) return "a part's checksum";
        uint64_t const planned = s3_plan_part(client->part_size, part->number);
        if (i + 1 < op->part_count ? have->size != planned : have->size > planned)
            return "a part's boundaries";
        size += have->size;
    }
    return size != op->object_size ? "mp-object-size" : NULL;
}

static enum s3_verdict fake_complete(struct s3_client *client, const struct s3_op *op)
{
    struct fake_upload *const upload = fake_find_upload(client, op->upload_id);
    if (upload == NULL || strcmp(upload->key, op->key) != 0) return S3_NO_UPLOAD;
    if (op->if_none_match && !client->ignores_condition && fake_find(client, op->key) != NULL)
        return S3_EXISTS;
    const char *const complaint = fake_complete_complaint(client, op, upload);
    if (complaint != NULL) {
        client->complaint = complaint;
        return S3_FATAL;
    }
    struct fake_bytes body = {.bytes = fake_must(malloc(op->object_size + 1)), .size = op->object_size};
    uint64_t at = 0;
    for (size_t i = 0; i < op->part_count; i++) {
        memcpy(body.bytes + at, upload->parts[i].bytes, upload->parts[i].size);
        at += upload->parts[i].size;
    }
    body.checksum = checksum_update(client->checksum, 0, body.bytes, body.size);
    if (client->checksum != CHECKSUM_NONE && op->checksum != body.checksum) {
        client->complaint = "the object's checksum";
        free(body.bytes);
        return S3_CORRUPTED;
    }
    upload->alive = false;
    fake_put(client, op->key, body, upload->token);
    return S3_DONE;
}

static enum s3_verdict fake_put_object(struct s3_client *client, const struct s3_op *op)
{
    if (op->if_none_match && !client->ignores_condition && fake_find(client, op->key) != NULL)
        return S3_EXISTS;
    struct fake_bytes body;
    enum s3_verdict const verdict = fake_body(client, op, &body);
    if (verdict == S3_DONE) fake_put(client, op->key, body, fake_token(op));
    return verdict;
}

static enum s3_verdict fake_head(struct s3_client *client, const struct s3_op *op, struct s3_answer *answer)
{
    const struct fake_object *const object = fake_find(client, op->key);
    if (object == NULL) return S3_NO_KEY;
    if (client->hidden_heads > 0) {
        client->hidden_heads--;
        return S3_NO_KEY;
    }
    answer->content_length = object->body.size + client->wrong_size;
    answer->has_checksum = client->checksum != CHECKSUM_NONE && !client->no_checksums;
    answer->checksum = object->body.checksum ^ (client->wrong_checksum || client->composite);
    answer->checksum_is_composite = client->composite;
    snprintf(answer->token, sizeof answer->token, "%s%s", object->token, client->wrong_token ? "x" : "");
    return S3_DONE;
}

static enum s3_verdict fake_delete(struct s3_client *client, const struct s3_op *op)
{
    struct fake_object *const object = fake_find(client, op->key);
    if (op->upload_id != NULL) client->complaint = "a Delete with an upload's id aborts it";
    if (object == NULL) return S3_DONE; /* as S3 says */
    free(object->key);
    free(object->body.bytes);
    *object = client->objects[--client->object_count];
    return S3_DONE;
}

static enum s3_verdict fake_abort(struct s3_client *client, const struct s3_op *op)
{
    struct fake_upload *const upload = fake_find_upload(client, op->upload_id);
    if (upload == NULL || strcmp(upload->key, op->key) != 0) return S3_NO_UPLOAD;
    if (upload->late > 0)
        upload->late--;
    else
        upload->alive = false;
    return S3_DONE;
}

static enum s3_verdict fake_list(struct s3_client *client, const struct s3_op *op, struct s3_answer *answer)
{
    answer->uploads = fake_must(calloc(client->upload_count + 1, sizeof *answer->uploads));
    for (size_t i = 0; i < client->upload_count; i++) {
        const struct fake_upload *const upload = &client->uploads[i];
        if (!upload->alive || strncmp(upload->key, op->prefix, strlen(op->prefix)) != 0) continue;
        answer->uploads[answer->upload_count++] = (struct s3_listed_upload){
            .key = upload->key, .upload_id = upload->id, .initiated = upload->initiated};
    }
    return S3_DONE;
}

/* With a delimiter, in pages. */
static enum s3_verdict fake_list_objects(struct s3_client *client, const struct s3_op *op,
                                         struct s3_answer *answer)
{
    size_t const prefix = strlen(op->prefix);
    size_t i = op->list_token == NULL ? 0 : strtoul(op->list_token, NULL, 10);
    free(answer->objects); /* of the reply that was lost */
    answer->object_count = 0;
    answer->objects = fake_must(calloc(client->object_count + 1, sizeof *answer->objects));
    for (size_t end = i + FAKE_PAGE; i < client->object_count && i < end; i++) {
        const struct fake_object *const object = &client->objects[i];
        if (strncmp(object->key, op->prefix, prefix) != 0) continue;
        if (op->list_flat && strchr(object->key + prefix, '/') != NULL) continue;
        answer->objects[answer->object_count++] =
            (struct s3_listed_object){.key = object->key, .size = object->body.size};
    }
    answer->truncated = i < client->object_count;
    snprintf(client->list_token, sizeof client->list_token, "%zu", i);
    answer->next_list_token = client->list_token;
    return S3_DONE;
}

static enum s3_verdict fake_get(struct s3_client *client, const struct s3_op *op)
{
    const struct fake_object *const object = fake_find(client, op->key);
    if (object == NULL) return S3_NO_KEY;
    uint64_t const length =
        op->range_length == 0 || op->range_length > object->body.size ? object->body.size : op->range_length;
    uint64_t const half = length / 2; /* in two pieces */
    if (half > 0 && !op->take(op->take_context, object->body.bytes, half)) return S3_FATAL;
    return op->take(op->take_context, object->body.bytes + half, length - half) ? S3_DONE : S3_FATAL;
}

static enum s3_verdict fake_do(struct s3_client *client, const struct s3_op *op, struct s3_answer *answer)
{
    answer->date = (int64_t)time(NULL) + FAKE_SKEW;
    switch (op->kind) {
    case S3_CREATE_UPLOAD:
        snprintf(answer->upload_id, sizeof answer->upload_id, "%s",
                 fake_begin(client, op->key, fake_token(op), answer->date)->id);
        return S3_DONE;
    case S3_UPLOAD_PART: return fake_part(client, op, answer);
    case S3_COMPLETE_UPLOAD: return fake_complete(client, op);
    case S3_PUT_OBJECT: return fake_put_object(client, op);
    case S3_HEAD_OBJECT: return fake_head(client, op, answer);
    case S3_DELETE_OBJECT: return fake_delete(client, op);
    case S3_ABORT_UPLOAD: return fake_abort(client, op);
    case S3_LIST_PARTS: return fake_find_upload(client, op->upload_id) != NULL ? S3_DONE : S3_NO_UPLOAD;
    case S3_LIST_UPLOADS: return fake_list(client, op, answer);
    case S3_LIST_OBJECTS: return fake_list_objects(client, op, answer);
    case S3_GET_OBJECT: return fake_get(client, op);
    default: client->complaint = "an operation that the sink has no use for"; return S3_FATAL;
    }
}

static enum s3_verdict fake_carry_out(struct s3_client *client, const struct s3_op *op,
                                      struct s3_answer *answer)
{
    enum s3_verdict const verdict = fake_do(client, op, answer);
    if (client->witness != NULL) client->witness(client, op, verdict);
    return verdict;
}

/* ---- calls ---- */

static enum status fake_status(enum s3_verdict verdict)
{
    switch (verdict) {
    case S3_DONE: return STATUS_OK;
    case S3_EXISTS: return STATUS_EXISTS;
    case S3_DENIED: return STATUS_RIGHTS;
    case S3_NO_BUCKET: return STATUS_JOB;
    case S3_TRANSIENT:
    case S3_THROTTLED: return STATUS_TRY_AGAIN;
    default: return STATUS_IO;
    }
}

static struct fake_rule *fake_rule_for(struct s3_client *client, const struct s3_op *op)
{
    struct fake_rule *found = NULL;
    for (size_t i = 0; i < client->rule_count; i++) {
        struct fake_rule *const rule = &client->rules[i];
        if (rule->kind != FAKE_ANY && rule->kind != op->kind) continue;
        if (rule->key != NULL && (op->key == NULL || strcmp(rule->key, op->key) != 0)) continue;
        rule->seen++;
        if (rule->seen >= rule->from && rule->seen - rule->from < rule->count && found == NULL) found = rule;
    }
    return found;
}

static void fake_finish(struct s3_client *client, struct s3_call *call)
{
    const struct fake_rule *const rule = fake_rule_for(client, &call->op);
    client->calls++;
    client->by_kind[call->op.kind]++;
    call->attempts = 1;
    if (rule == NULL || rule->carried_out) call->verdict = fake_carry_out(client, &call->op, &call->answer);
    if (rule != NULL && rule->again) {
        call->verdict = fake_carry_out(client, &call->op, &call->answer);
        call->attempts = 2;
        call->uncertain = true;
    } else if (rule != NULL) {
        call->verdict = rule->verdict;
        call->uncertain = rule->carried_out;
    }
    call->status =
        rule != NULL && !rule->again && rule->status != STATUS_OK ? rule->status : fake_status(call->verdict);
    if (call->verdict != S3_DONE)
        fault_set(&call->fault, call->status, "operation %d of %s: %s", (int)call->op.kind,
                  call->op.key == NULL ? "the bucket" : call->op.key,
                  rule != NULL ? "failed by the test" : "refused");
}

static void fake_move(struct s3_client *client, struct s3_call **from)
{
    struct s3_call *const call = *from;
    *from = call->next;
    struct s3_call **last = &client->done;
    while (*last != NULL)
        last = &(*last)->next;
    call->next = NULL;
    *last = call;
}

static bool fake_comes_back(const struct s3_client *client, const struct s3_call *call)
{
    return !client->stands && (client->stuck == NULL || *client->stuck != call->op.kind);
}

/* Some of the calls come back, any of them. */
static void fake_progress(struct s3_client *client, uint32_t most)
{
    uint32_t waiting = 0;
    for (const struct s3_call *call = client->out; call != NULL; call = call->next)
        waiting += fake_comes_back(client, call);
    for (; most > 0 && waiting > 0; most--, waiting--) {
        struct s3_call **at = &client->out;
        for (uint32_t skip = fake_random(client, waiting); skip > 0 || !fake_comes_back(client, *at);
             at = &(*at)->next)
            skip -= skip > 0 && fake_comes_back(client, *at);
        fake_finish(client, *at);
        fake_move(client, at);
    }
}

void s3_client_submit(struct s3_client *client, struct s3_call *call)
{
    call->next = client->out;
    client->out = call;
    client->submitted++;
    if (++client->out_count > client->most_out) client->most_out = client->out_count;
}

struct s3_call *s3_client_reap(struct s3_client *client)
{
    if (!client->slow && fake_random(client, 4) == 0) fake_progress(client, fake_random(client, 3));
    struct s3_call *const call = client->done;
    if (call == NULL) return NULL;
    client->done = call->next;
    client->out_count--;
    return call;
}

size_t s3_client_out(const struct s3_client *client)
{
    return client->out_count;
}

enum status s3_client_run(struct s3_client *client, struct s3_call *call, bool uninterrupted)
{
    (void)uninterrupted;
    fake_finish(client, call);
    return call->status;
}

bool s3_client_ready(struct s3_client *client)
{
    return client->done != NULL;
}

void s3_client_wait(struct s3_client *client)
{
    fake_now += 200000000ull;
    if (client->done == NULL) fake_progress(client, client->slow ? 1 : 1 + fake_random(client, 4));
}

/* A part that was on its way when it was cancelled may land later. */
void s3_client_cancel(struct s3_client *client)
{
    while (client->out != NULL) {
        struct s3_call *const call = client->out;
        struct fake_upload *const upload = fake_find_upload(client, call->op.upload_id);
        if (call->op.kind == S3_UPLOAD_PART && upload != NULL && fake_random(client, 2) == 0)
            upload->late = 1;
        if (call->op.kind == S3_CREATE_UPLOAD && fake_random(client, 2) == 0)
            fake_begin(client, call->op.key, fake_token(&call->op), (int64_t)time(NULL) + FAKE_SKEW);
        call->attempts = 1;
        call->verdict = S3_FATAL;
        call->status = STATUS_INTERRUPTED;
        fault_set(&call->fault, STATUS_INTERRUPTED, "cancelled");
        fake_move(client, &client->out);
    }
}

void s3_client_explain(struct s3_client *client, struct s3_call *call)
{
    (void)client;
    (void)call;
}

void s3_client_hurry(struct s3_client *client, uint32_t ms)
{
    client->hurry_ms = ms;
}

void s3_call_free(struct s3_call *call)
{
    free(call->answer.uploads);
    free(call->answer.objects);
    call->answer.uploads = NULL;
    call->answer.objects = NULL;
}

struct s3_client *s3_client_create(const struct s3_client_options *options, bool probe, struct fault *fault)
{
    (void)options;
    (void)probe;
    (void)fault;
    struct s3_client *const client = fake_must(calloc(1, sizeof *client));
    client->random = 1;
    return client;
}

void s3_client_destroy(struct s3_client *client)
{
    for (size_t i = 0; i < client->object_count; i++) {
        free(client->objects[i].key);
        free(client->objects[i].body.bytes);
    }
    for (size_t i = 0; i < client->upload_count; i++) {
        for (uint32_t k = 0; k < client->uploads[i].part_room; k++)
            free(client->uploads[i].parts[k].bytes);
        free(client->uploads[i].parts);
        free(client->uploads[i].key);
    }
    free(client->objects);
    free(client->uploads);
    free(client);
}

void s3_client_stats(const struct s3_client *client, struct s3_client_stats *stats)
{
    (void)client;
    *stats = (struct s3_client_stats){.retries = 0};
}

const struct s3_endpoint *s3_client_endpoint(const struct s3_client *client)
{
    (void)client;
    return NULL;
}

const char *s3_client_credentials_name(const struct s3_client *client)
{
    (void)client;
    return "";
}

#endif

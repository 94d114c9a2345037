/* s3_desk.h - enough of S3 for a test, scripted, over http_desk.h: every request is told to the test's script
 * with the reply that a good server would give, and the script spoils what it likes. Signatures are not
 * checked here (test_aws_sigv4.c does, and real servers do). The script runs under a mutex, one request at a
 * time. */
#ifndef PENSTOCK_TESTS_UNIT_S3_DESK_H
#define PENSTOCK_TESTS_UNIT_S3_DESK_H

#include "io/s3/s3_op.h"
#include "tests/unit/http_desk.h"

#include <stdio.h>
#include <time.h>

enum s3_desk_act {
    S3_DESK_REPLY,
    S3_DESK_EARLY, /* replies before the body was read, and closes */
    S3_DESK_RESET, /* resets the connection behind the head */
    S3_DESK_DROP,  /* reads all, closes without a word */
    S3_DESK_STALL, /* reads all, says nothing until the desk closes */
    S3_DESK_HOLD,  /* reads nothing until the desk closes, then what there is */
    S3_DESK_CUT    /* closes in the middle of the reply's body */
};

struct s3_desk_request {
    enum s3_op_kind kind;
    unsigned nth; /* of its kind, from 0 */
    unsigned part;
    const char *head;
    const char *target;
    uint64_t length;
};

struct s3_desk_reply {
    enum s3_desk_act act;
    unsigned status, wait_ms;
    char headers[1024]; /* each with its line end */
    char body[2048];
    bool no_date;
};

struct s3_desk;
typedef void s3_desk_script(struct s3_desk *desk, const struct s3_desk_request *request,
                            struct s3_desk_reply *reply);

struct s3_desk {
    struct desk desk;
    s3_desk_script *script;
    void *context;
    pthread_mutex_t script_mutex; /* over what follows */
    unsigned counts[S3_OP_KINDS];
    unsigned flying, most_flying; /* parts */
    uint64_t part_bytes;
    unsigned gone; /* parts whose client went before their last byte */
    bool damaged;  /* bytes of a part were not what desk_byte() says */
    char authorization[1024], amz_date[32], content_sha256[80]; /* of the newest request */
    int64_t clock_offset;                                       /* of its Date */
};

static inline void s3_desk_header(const char *head, const char *name, char *out, size_t size)
{
    char wanted[128];
    (void)snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    const char *at = strcasestr(head, wanted);
    out[0] = '\0';
    if (at == NULL) return;
    at += strlen(wanted);
    (void)snprintf(out, size, "%.*s", (int)strcspn(at, "\r"), at);
}

/* By method and query; the path is /bucket or /bucket/key. */
static inline enum s3_op_kind s3_desk_kind(const char *method, const char *target)
{
    const char *const query = strchr(target, '?');
    const char *const key = strchr(target + 1, '/');
    bool const of_bucket = key == NULL || (query != NULL && key > query);
    bool const of_upload = query != NULL && strstr(query, "uploadId=") != NULL;
    bool const uploads = query != NULL && strstr(query, "uploads") != NULL;
    if (strcmp(method, "HEAD") == 0) return of_bucket ? S3_HEAD_BUCKET : S3_HEAD_OBJECT;
    if (strcmp(method, "PUT") == 0) return of_upload ? S3_UPLOAD_PART : S3_PUT_OBJECT;
    if (strcmp(method, "POST") == 0) return uploads ? S3_CREATE_UPLOAD : S3_COMPLETE_UPLOAD;
    if (strcmp(method, "DELETE") == 0) return of_upload ? S3_ABORT_UPLOAD : S3_DELETE_OBJECT;
    if (uploads) return S3_LIST_UPLOADS;
    if (query != NULL && strstr(query, "list-type=2") != NULL) return S3_LIST_OBJECTS;
    return of_upload ? S3_LIST_PARTS : S3_GET_OBJECT;
}

static inline void s3_desk_add(struct s3_desk_reply *reply, const char *name, const char *value)
{
    size_t const used = strlen(reply->headers);
    (void)snprintf(reply->headers + used, sizeof reply->headers - used, "%s: %s\r\n", name, value);
}

static inline void s3_desk_error(struct s3_desk_reply *reply, unsigned status, const char *code,
                                 const char *more)
{
    reply->status = status;
    reply->headers[0] = '\0';
    (void)snprintf(reply->body, sizeof reply->body,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code>%s</Error>", code,
                   more);
}

static inline void s3_desk_good(const struct s3_desk_request *request, struct s3_desk_reply *reply)
{
    char text[160];
    reply->status = 200;
    s3_desk_add(reply, "x-amz-request-id", "DESKREQUEST1");
    switch (request->kind) {
    case S3_UPLOAD_PART:
    case S3_PUT_OBJECT:
        (void)snprintf(text, sizeof text, "\"part-%u\"", request->part);
        s3_desk_add(reply, "ETag", text);
        s3_desk_header(request->head, "x-amz-checksum-crc64nvme", text, sizeof text);
        if (text[0] != '\0') s3_desk_add(reply, "x-amz-checksum-crc64nvme", text);
        break;
    case S3_CREATE_UPLOAD:
        (void)snprintf(
            reply->body, sizeof reply->body,
            "<InitiateMultipartUploadResult><Bucket>acme</Bucket><Key>k</Key><UploadId>up-1</UploadId>"
            "</InitiateMultipartUploadResult>");
        break;
    case S3_COMPLETE_UPLOAD:
        (void)snprintf(reply->body, sizeof reply->body,
                       "<CompleteMultipartUploadResult><ETag>&quot;whole-1&quot;</ETag>"
                       "</CompleteMultipartUploadResult>");
        break;
    case S3_LIST_PARTS:
        (void)snprintf(reply->body, sizeof reply->body,
                       "<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>");
        break;
    case S3_LIST_UPLOADS:
        (void)snprintf(reply->body, sizeof reply->body,
                       "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>"
                       "</ListMultipartUploadsResult>");
        break;
    case S3_LIST_OBJECTS:
        (void)snprintf(reply->body, sizeof reply->body,
                       "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
        break;
    case S3_HEAD_OBJECT:
    case S3_GET_OBJECT:
        s3_desk_add(reply, "ETag", "\"object-1\"");
        (void)snprintf(reply->body, sizeof reply->body, "0123456789abcdefghij");
        break;
    case S3_ABORT_UPLOAD:
    case S3_DELETE_OBJECT: reply->status = 204; break;
    case S3_HEAD_BUCKET:
    case S3_OP_KINDS: break;
    }
}

static inline void s3_desk_note(struct s3_desk *desk, const struct s3_desk_request *request)
{
    s3_desk_header(request->head, "authorization", desk->authorization, sizeof desk->authorization);
    s3_desk_header(request->head, "x-amz-date", desk->amz_date, sizeof desk->amz_date);
    s3_desk_header(request->head, "x-amz-content-sha256", desk->content_sha256, sizeof desk->content_sha256);
    if (request->kind != S3_UPLOAD_PART) return;
    desk->flying++;
    if (desk->flying > desk->most_flying) desk->most_flying = desk->flying;
}

/* Reads a request's body and notes what came of a part. */
static inline bool s3_desk_take(struct desk_link *link, struct s3_desk *desk,
                                const struct s3_desk_request *request)
{
    bool differs = false;
    bool const whole = desk_take_body(link, 0, request->length, &differs);
    if (request->kind != S3_UPLOAD_PART) return whole;
    (void)pthread_mutex_lock(&desk->script_mutex);
    if (whole) desk->part_bytes += request->length;
    desk->gone += !whole;
    desk->damaged |= differs;
    (void)pthread_mutex_unlock(&desk->script_mutex);
    return whole;
}

static inline bool s3_desk_say(struct desk_link *link, struct s3_desk *desk,
                               const struct s3_desk_request *request, const struct s3_desk_reply *reply)
{
    char head[2048], date[64] = "";
    if (!reply->no_date) {
        time_t const now = time(NULL) + (time_t)desk->clock_offset;
        struct tm parts;
        (void)gmtime_r(&now, &parts);
        (void)strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    }
    size_t const length = strlen(reply->body);
    (void)snprintf(head, sizeof head, "HTTP/1.1 %u Whatever\r\n%s%s", reply->status, date, reply->headers);
    size_t const used = strlen(head);
    if (reply->status == 204)
        (void)snprintf(head + used, sizeof head - used, "\r\n");
    else
        (void)snprintf(head + used, sizeof head - used, "Content-Length: %zu\r\n\r\n", length);
    if (!desk_say(link, head)) return false;
    bool const without =
        request->kind == S3_HEAD_BUCKET || request->kind == S3_HEAD_OBJECT || reply->status == 204;
    if (without) return true;
    if (reply->act != S3_DESK_CUT) return desk_say(link, reply->body);
    (void)desk_say_bytes(link, reply->body, length / 2);
    return false;
}

static inline bool s3_desk_act(struct desk_link *link, struct s3_desk *desk,
                               const struct s3_desk_request *request, const struct s3_desk_reply *reply)
{
    if (reply->act == S3_DESK_RESET) {
        desk_reset(link);
        return false;
    }
    if (reply->act == S3_DESK_EARLY) {
        (void)s3_desk_say(link, desk, request, reply);
        (void)shutdown(link->socket, SHUT_WR);
        desk_drain(link);
        return false;
    }
    if (reply->act == S3_DESK_HOLD) desk_sleep(link);
    if (!s3_desk_take(link, desk, request)) return false;
    if (reply->wait_ms > 0) (void)usleep(reply->wait_ms * 1000);
    if (reply->act == S3_DESK_STALL) desk_sleep(link);
    if (reply->act == S3_DESK_STALL || reply->act == S3_DESK_DROP) return false;
    return s3_desk_say(link, desk, request, reply);
}

static inline void s3_desk_link(struct desk_link *link)
{
    struct s3_desk *const desk = link->desk->context;
    bool going = true;
    while (going && desk_read_head(link)) {
        char method[8], target[4096];
        if (sscanf(link->head, "%7s %4095s", method, target) != 2) return;
        struct s3_desk_request request = {.head = link->head, .target = target};
        request.kind = s3_desk_kind(method, target);
        request.length = desk_content_length(link);
        const char *const part = strstr(target, "partNumber=");
        if (part != NULL) request.part = (unsigned)strtoul(part + 11, NULL, 10);
        struct s3_desk_reply reply = {0};
        s3_desk_good(&request, &reply);
        (void)pthread_mutex_lock(&desk->script_mutex);
        request.nth = desk->counts[request.kind]++;
        s3_desk_note(desk, &request);
        if (desk->script != NULL) desk->script(desk, &request, &reply);
        (void)pthread_mutex_unlock(&desk->script_mutex);
        bool const is_part = request.kind == S3_UPLOAD_PART;
        /* It flies no more before the client can know the answer. */
        if (is_part && reply.act == S3_DESK_REPLY) {
            bool const whole = s3_desk_take(link, desk, &request);
            if (whole && reply.wait_ms > 0) (void)usleep(reply.wait_ms * 1000);
            (void)pthread_mutex_lock(&desk->script_mutex);
            desk->flying--;
            (void)pthread_mutex_unlock(&desk->script_mutex);
            going = whole && s3_desk_say(link, desk, &request, &reply);
            continue;
        }
        going = s3_desk_act(link, desk, &request, &reply);
        if (!is_part) continue;
        (void)pthread_mutex_lock(&desk->script_mutex);
        desk->flying--;
        (void)pthread_mutex_unlock(&desk->script_mutex);
    }
}

static inline void s3_desk_open(struct s3_desk *desk, s3_desk_script *script, void *context)
{
    memset(desk, 0, sizeof *desk);
    desk->script = script;
    desk->context = context;
    (void)pthread_mutex_init(&desk->script_mutex, NULL);
    desk_open(&desk->desk, s3_desk_link, desk);
}

static inline void s3_desk_close(struct s3_desk *desk)
{
    desk_close(&desk->desk);
    (void)pthread_mutex_destroy(&desk->script_mutex);
}

/* ---- what a client asks of the world: keys and nothing else, and the real clocks ---- */

static inline const char *s3_desk_environment(void *context, const char *name)
{
    (void)context;
    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0) return "AKIDEXAMPLE";
    if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0) return "secret";
    if (strcmp(name, "AWS_CONFIG_FILE") == 0) return "/nonexistent/config";
    if (strcmp(name, "AWS_SHARED_CREDENTIALS_FILE") == 0) return "/nonexistent/credentials";
    return NULL;
}

static inline uint64_t s3_desk_now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline int64_t s3_desk_wall(void)
{
    return (int64_t)time(NULL) * 1000;
}

#endif

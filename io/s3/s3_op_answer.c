/* s3_op_answer.c - a reply as facts, and whether the operation succeeded.
 *
 * Everything here was written by a server that may be broken or not S3 at all: what does not fit its field or
 * its form is left out, never cut to something that looks right.
 *
 * Thread rule: pure but for memory. Owns: the lists of an answer until s3_answer_free(). */
#include "io/s3/s3_op.h"

#include "io/aws/aws_time.h"
#include "io/s3/s3_xml.h"
#include "io/s3/s3_xml_text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BAD_REPLY "BadReply"

enum {
    HTTP_SUCCESS_END = 300,
    RETRY_AFTER_DIGITS =
        9 /* 31 years of seconds, 11 days of milliseconds: no overflow, nobody waits longer */
};

struct code {
    unsigned status;
    const char *code;
};

/* S3's codes for the statuses, for replies without a body: to HEAD, and from proxies. */
static const struct code codes[] = {
    {301, "PermanentRedirect"},  {302, "TemporaryRedirect"},    {304, "NotModified"},
    {307, "TemporaryRedirect"},  {308, "PermanentRedirect"},    {400, "BadRequest"},
    {401, "AccessDenied"},       {403, "AccessDenied"},         {405, "MethodNotAllowed"},
    {408, "RequestTimeout"},     {411, "MissingContentLength"}, {412, "PreconditionFailed"},
    {413, "EntityTooLarge"},     {416, "InvalidRange"},         {429, "TooManyRequests"},
    {500, "InternalError"},      {501, "NotImplemented"},       {502, "BadGateway"},
    {503, "ServiceUnavailable"}, {504, "GatewayTimeout"},
};

bool s3_op_succeeded(enum s3_op_kind kind, unsigned status)
{
    switch (kind) {
    case S3_ABORT_UPLOAD:
    case S3_DELETE_OBJECT: return status == 204 || status == 200;
    case S3_GET_OBJECT: return status == 200 || status == 206;
    default: return status == 200;
    }
}

void s3_answer_free(struct s3_answer *answer)
{
    arena_free(&answer->arena);
    answer->parts = NULL;
    answer->uploads = NULL;
    answer->objects = NULL;
    answer->part_count = answer->upload_count = answer->object_count = 0;
    answer->next_key_marker = answer->next_upload_marker = answer->next_list_token = NULL;
}

/* ---- headers ---- */

/* False, and `out` as it was: no text, too long, or with control characters. */
static bool copy_text(char *out, size_t size, const char *text)
{
    if (text == NULL) return false;
    size_t const length = strlen(text);
    if (length >= size) return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F) return false;
    memcpy(out, text, length + 1);
    return true;
}

static bool read_number(const char *text, uint64_t *value)
{
    size_t const length = strspn(text, "0123456789");
    /* 19 digits are below 2^64; S3's largest size has 14. */
    if (length == 0 || length > 19 || text[length] != '\0') return false;
    *value = 0;
    for (size_t i = 0; i < length; i++)
        *value = *value * 10 + (uint64_t)(text[i] - '0');
    return true;
}

static int64_t read_date(const char *text)
{
    int64_t seconds = 0;
    return text != NULL && aws_time_http(text, &seconds) ? seconds : 0;
}

/* Retry-After: seconds, or a date (RFC 9110, 10.2.3), which is held against the server's own Date. */
static void read_retry_after(const struct http_reply *reply, struct s3_answer *answer)
{
    const char *milliseconds = http_reply_header(reply, "x-amz-retry-after");
    const char *seconds = http_reply_header(reply, "retry-after");
    uint64_t number = 0;
    if (milliseconds != NULL && strlen(milliseconds) <= RETRY_AFTER_DIGITS &&
        read_number(milliseconds, &number)) {
        answer->retry_after_ms = (int64_t)number;
        return;
    }
    if (seconds == NULL) return;
    if (strlen(seconds) <= RETRY_AFTER_DIGITS && read_number(seconds, &number)) {
        answer->retry_after_ms = (int64_t)number * 1000;
        return;
    }
    int64_t const date = read_date(seconds);
    if (date == 0 || answer->date == 0) return;
    answer->retry_after_ms = date > answer->date ? (date - answer->date) * 1000 : 0;
}

/* The host (and port) of "https://host/path"; of a Location without one the host stays as it was. */
static void read_location(const char *location, struct s3_answer *answer)
{
    if (location == NULL) return;
    if (strncasecmp(location, "https://", 8) == 0) {
        location += 8;
    } else if (strncasecmp(location, "http://", 7) == 0) {
        location += 7;
    } else {
        return;
    }
    size_t const length = strcspn(location, "/?#");
    if (length == 0 || length > S3_HOST_MAX || memchr(location, '@', length) != NULL) return;
    char host[S3_HOST_MAX + 1];
    memcpy(host, location, length);
    host[length] = '\0';
    copy_text(answer->endpoint, sizeof answer->endpoint, host);
}

/* False: the reply has none of that kind. */
static bool read_checksum_of(enum checksum_kind kind, const struct http_reply *reply,
                             struct s3_answer *answer)
{
    char name[32];
    snprintf(name, sizeof name, "x-amz-checksum-%s", checksum_name(kind));
    const char *text = http_reply_header(reply, name);
    if (text == NULL) return false;
    answer->has_checksum =
        s3_xml_text_checksum(kind, text, &answer->checksum, &answer->checksum_is_composite);
    answer->checksum_kind = kind;
    return true;
}

static void read_checksum(const struct s3_op *op, const struct http_reply *reply, struct s3_answer *answer)
{
    bool found = op->checksum_kind != CHECKSUM_NONE && read_checksum_of(op->checksum_kind, reply, answer);
    for (int kind = CHECKSUM_CRC64NVME; op->any_checksum && !found && kind <= CHECKSUM_CRC32; kind++)
        found = read_checksum_of((enum checksum_kind)kind, reply, answer);
    if (!found) return;
    const char *type = http_reply_header(reply, "x-amz-checksum-type");
    if (type != NULL && strcasecmp(type, "COMPOSITE") == 0) answer->checksum_is_composite = true;
}

static void read_headers(const struct s3_op *op, const struct http_reply *reply, struct s3_answer *answer)
{
    copy_text(answer->request_id, sizeof answer->request_id, http_reply_header(reply, "x-amz-request-id"));
    copy_text(answer->host_id, sizeof answer->host_id, http_reply_header(reply, "x-amz-id-2"));
    copy_text(answer->region, sizeof answer->region, http_reply_header(reply, "x-amz-bucket-region"));
    copy_text(answer->etag, sizeof answer->etag, http_reply_header(reply, "etag"));
    copy_text(answer->token, sizeof answer->token, http_reply_header(reply, "x-amz-meta-penstock-token"));
    copy_text(answer->version_id, sizeof answer->version_id, http_reply_header(reply, "x-amz-version-id"));
    answer->date = read_date(http_reply_header(reply, "date"));
    answer->abort_date = read_date(http_reply_header(reply, "x-amz-abort-date"));
    read_retry_after(reply, answer);
    read_checksum(op, reply, answer);
    if (reply->status >= HTTP_SUCCESS_END) read_location(http_reply_header(reply, "location"), answer);
}

/* ---- failures ---- */

static bool fail(struct s3_answer *answer, const char *code)
{
    snprintf(answer->code, sizeof answer->code, "%s", code);
    return false;
}

static bool bad_reply(struct s3_answer *answer, const char *what)
{
    snprintf(answer->message, sizeof answer->message, "%s", what);
    return fail(answer, BAD_REPLY);
}

/* Which thing of the operation a 404 misses. A HEAD of an object can't tell its bucket from its key. */
static const char *missing(enum s3_op_kind kind)
{
    switch (kind) {
    case S3_HEAD_BUCKET:
    case S3_CREATE_UPLOAD:
    case S3_PUT_OBJECT:
    case S3_LIST_UPLOADS:
    case S3_LIST_OBJECTS: return "NoSuchBucket";
    case S3_UPLOAD_PART:
    case S3_COMPLETE_UPLOAD:
    case S3_ABORT_UPLOAD:
    case S3_LIST_PARTS: return "NoSuchUpload";
    default: return "NoSuchKey";
    }
}

static bool fail_by_status(const struct s3_op *op, struct s3_answer *answer)
{
    if (answer->status == 404) return fail(answer, missing(op->kind));
    if (answer->status == 409)
        return fail(answer, op->if_none_match ? "ConditionalRequestConflict" : "OperationAborted");
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].status == answer->status) return fail(answer, codes[i].code);
    if (answer->status < HTTP_SUCCESS_END) return bad_reply(answer, "a status that this operation never has");
    snprintf(answer->code, sizeof answer->code, "Http%u", answer->status);
    return false;
}

static enum s3_document read_document(const struct s3_op *op, const struct http_reply *reply,
                                      struct s3_answer *answer)
{
    if (reply->body == NULL || reply->body_length == 0) return S3_DOCUMENT_BAD;
    return s3_xml_read(reply->body, reply->body_length, op->checksum_kind, answer);
}

static bool read_error(const struct s3_op *op, const struct http_reply *reply, struct s3_answer *answer)
{
    enum s3_document const document = read_document(op, reply, answer);
    if (document == S3_DOCUMENT_ERROR && answer->code[0] != '\0') return false;
    return fail_by_status(op, answer);
}

/* ---- successes ---- */

/* A 2xx whose body must be `wanted`; an <Error> in it is one (Complete sends its status before it knows). */
static bool read_body(const struct s3_op *op, const struct http_reply *reply, enum s3_document wanted,
                      struct s3_answer *answer)
{
    enum s3_document const document = read_document(op, reply, answer);
    if (document == wanted) return true;
    if (document == S3_DOCUMENT_ERROR && answer->code[0] != '\0') return false;
    return bad_reply(answer, document == S3_DOCUMENT_BAD ? "the body is cut, or not the XML that S3 sends"
                                                         : "the body is another operation's");
}

static bool read_length(const struct http_reply *reply, struct s3_answer *answer)
{
    const char *length = http_reply_header(reply, "content-length");
    return length != NULL && read_number(length, &answer->content_length);
}

static bool read_head(const struct http_reply *reply, struct s3_answer *answer)
{
    return read_length(reply, answer) || bad_reply(answer, "no Content-Length");
}

/* A server that knows no ranges sends the whole object, one that is broken another range. */
static bool range_fits(const struct s3_op *op, const struct http_reply *reply)
{
    if (op->range_length == 0) return reply->status == 200;
    const char *range = http_reply_header(reply, "content-range");
    if (reply->status != 206 || range == NULL || strncasecmp(range, "bytes ", 6) != 0) return false;
    range += 6;
    char begin[24];
    size_t const length = strcspn(range, "-");
    uint64_t value = 0;
    if (range[length] != '-' || length >= sizeof begin) return false;
    memcpy(begin, range, length);
    begin[length] = '\0';
    return read_number(begin, &value) && value == op->range_begin;
}

static bool read_get(const struct s3_op *op, const struct http_reply *reply, struct s3_answer *answer)
{
    if (!range_fits(op, reply)) return bad_reply(answer, "not the range that was asked for");
    if (!read_length(reply, answer)) answer->content_length = reply->received; /* chunked */
    if (op->range_length != 0 && answer->content_length > op->range_length)
        return bad_reply(answer, "more than the range that was asked for");
    return true;
}

static bool read_success(const struct s3_op *op, const struct http_reply *reply, struct s3_answer *answer)
{
    switch (op->kind) {
    case S3_CREATE_UPLOAD:
        if (!read_body(op, reply, S3_DOCUMENT_CREATE, answer)) return false;
        return answer->upload_id[0] != '\0' || bad_reply(answer, "no UploadId");
    case S3_COMPLETE_UPLOAD: return read_body(op, reply, S3_DOCUMENT_COMPLETE, answer);
    case S3_LIST_PARTS: return read_body(op, reply, S3_DOCUMENT_PARTS, answer);
    case S3_LIST_UPLOADS: return read_body(op, reply, S3_DOCUMENT_UPLOADS, answer);
    case S3_LIST_OBJECTS: return read_body(op, reply, S3_DOCUMENT_OBJECTS, answer);
    case S3_UPLOAD_PART:
    case S3_PUT_OBJECT: return answer->etag[0] != '\0' || bad_reply(answer, "no ETag");
    case S3_HEAD_OBJECT: return read_head(reply, answer);
    case S3_GET_OBJECT: return read_get(op, reply, answer);
    case S3_HEAD_BUCKET:
    case S3_ABORT_UPLOAD:
    case S3_DELETE_OBJECT:
    case S3_OP_KINDS: break;
    }
    return true;
}

bool s3_op_answer(const struct s3_op *op, const struct http_reply *reply, struct s3_answer *answer)
{
    s3_answer_free(answer);
    *answer = (struct s3_answer){.status = reply->status, .retry_after_ms = -1};
    if (reply->status == 0) return false;
    read_headers(op, reply, answer);
    bool const succeeded = s3_op_succeeded(op->kind, reply->status);
    if (!succeeded) return read_error(op, reply, answer);
    /* A good status, but not the whole reply: what was cut off might have been an error. */
    if (reply->failure != HTTP_OK) return bad_reply(answer, "the reply was cut");
    return read_success(op, reply, answer);
}

/* test_s3_op.c - every operation's exact request, and what is made of replies, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY    "out/a b.csv"
#define UPLOAD "up/load=1"
#define OWNER  "123456789012"

/* Values of "123456789" (the published check values). */
#define SUM64      0xae8b14860a799888u
#define SUM64_TEXT "rosUhgp5mIg="
#define SUM32C     0xe3069283u

static const char *const methods[] = {"GET", "HEAD", "PUT", "POST", "DELETE"};

/* ---- requests ---- */

static struct s3_endpoint aws_endpoint(void)
{
    return (struct s3_endpoint){.tls = true,
                                .host = "bucket.s3.eu-central-1.amazonaws.com",
                                .region = "eu-central-1",
                                .is_aws = true};
}

static struct s3_endpoint store_endpoint(void)
{
    return (struct s3_endpoint){.host = "localhost:7480", .base = "/base/bucket", .region = "us-east-1"};
}

static void append(char *text, size_t size, const char *format, const char *a, const char *b)
{
    size_t const length = strlen(text);
    snprintf(text + length, size - length, format, a, b);
}

/* "METHOD scheme://host path ?name=value... |name: value..." of a request, in its order. */
static void expect_request_at(const struct s3_endpoint *endpoint, const struct s3_op *op,
                              const char *expected)
{
    struct arena arena = {0};
    struct aws_request request;
    struct http_span xml = {0};
    struct fault fault = {0};
    char text[4096] = "";
    enum status const status = s3_op_request(op, endpoint, &arena, &request, &xml, &fault);
    assert_string_equal(fault.message, "");
    assert_int_equal(status, STATUS_OK);
    append(text, sizeof text, "%s %s", methods[request.method], request.scheme);
    append(text, sizeof text, "://%s %s", request.host, request.path);
    for (size_t i = 0; i < request.query_count; i++)
        append(text, sizeof text, " ?%s=%s", request.query[i].name, request.query[i].value);
    for (size_t i = 0; i < request.header_count; i++)
        append(text, sizeof text, " |%s: %s", request.headers[i].name, request.headers[i].value);
    assert_string_equal(text, expected);
    if (op->kind != S3_COMPLETE_UPLOAD) assert_null(xml.bytes);
    arena_free(&arena);
}

static void expect_request(const struct s3_op *op, const char *expected)
{
    struct s3_endpoint const endpoint = aws_endpoint();
    expect_request_at(&endpoint, op, expected);
}

static void refuse(const struct s3_op *op, enum status expected, const char *words)
{
    struct s3_endpoint const endpoint = aws_endpoint();
    struct arena arena = {0};
    struct aws_request request;
    struct http_span xml;
    struct fault fault = {0};
    assert_int_equal(s3_op_request(op, &endpoint, &arena, &request, &xml, &fault), expected);
    assert_int_equal(fault.status, expected);
    if (strstr(fault.message, words) == NULL) fail_msg("'%s' not in: %s", words, fault.message);
    arena_free(&arena);
}

#define AT "https://bucket.s3.eu-central-1.amazonaws.com "

static void bucket_requests(void **state)
{
    (void)state;
    struct s3_endpoint const store = store_endpoint();
    struct s3_op op = {.kind = S3_HEAD_BUCKET};
    expect_request(&op, "HEAD " AT "/");
    expect_request_at(&store, &op, "HEAD http://localhost:7480 /base/bucket");
    op.expected_owner = OWNER;
    op.key = "not used";
    expect_request(&op, "HEAD " AT "/ |x-amz-expected-bucket-owner: " OWNER);
    op = (struct s3_op){.kind = S3_LIST_UPLOADS};
    expect_request(&op, "GET " AT "/ ?uploads= ?encoding-type=url ?max-uploads=1000");
    op.prefix = "a b/";
    op.key_marker = "k";
    op.upload_marker = "u";
    op.list_most = 7;
    expect_request_at(&store, &op,
                      "GET http://localhost:7480 /base/bucket ?uploads= ?encoding-type=url ?max-uploads=7 "
                      "?prefix=a b/ ?key-marker=k ?upload-id-marker=u");
    op.key_marker = "";
    op.prefix = "";
    op.expected_owner = OWNER;
    expect_request(&op, "GET " AT "/ ?uploads= ?encoding-type=url ?max-uploads=7 "
                        "|x-amz-expected-bucket-owner: " OWNER);
    op = (struct s3_op){.kind = S3_LIST_OBJECTS, .prefix = ""};
    expect_request(&op, "GET " AT "/ ?list-type=2 ?encoding-type=url ?max-keys=1000");
    op.prefix = "a b/";
    op.list_token = "t+/=";
    op.list_most = 7;
    expect_request(&op, "GET " AT "/ ?list-type=2 ?encoding-type=url ?max-keys=7 ?prefix=a b/ "
                        "?continuation-token=t+/=");
}

static void create_requests(void **state)
{
    (void)state;
    struct s3_op op = {.kind = S3_CREATE_UPLOAD, .key = KEY};
    expect_request(&op, "POST " AT "/" KEY " ?uploads=");
    op.checksum_kind = CHECKSUM_CRC32C;
    expect_request(&op, "POST " AT "/" KEY
                        " ?uploads= |x-amz-checksum-algorithm: CRC32C |x-amz-checksum-type: FULL_OBJECT");
    struct aws_pair const tags[] = {{"team", "data & sales"}, {"k=", "\xC3\xA4/"}, {"empty", ""}};
    struct aws_pair const metadata[] = {{"penstock-token", "t1"}, {"penstock-run", "0123"}};
    struct s3_object_options const object = {.content_type = "text/csv; charset=utf-8",
                                             .content_encoding = "gzip",
                                             .sse = "aws:kms",
                                             .kms_key_id = "arn:aws:kms:eu-central-1:1:key/2",
                                             .storage_class = "STANDARD_IA",
                                             .acl = "bucket-owner-full-control",
                                             .tags = tags,
                                             .tag_count = 3,
                                             .metadata = metadata,
                                             .metadata_count = 2};
    op.object = &object;
    op.checksum_kind = CHECKSUM_CRC64NVME;
    op.expected_owner = OWNER;
    expect_request(&op, "POST " AT "/" KEY " ?uploads= |content-type: text/csv; charset=utf-8 "
                        "|content-encoding: gzip |x-amz-server-side-encryption: aws:kms "
                        "|x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:eu-central-1:1:key/2 "
                        "|x-amz-storage-class: STANDARD_IA |x-amz-acl: bucket-owner-full-control "
                        "|x-amz-tagging: team=data%20%26%20sales&k%3D=%C3%A4%2F&empty= "
                        "|x-amz-meta-penstock-token: t1 |x-amz-meta-penstock-run: 0123 "
                        "|x-amz-checksum-algorithm: CRC64NVME |x-amz-checksum-type: FULL_OBJECT "
                        "|x-amz-expected-bucket-owner: " OWNER);
}

static void part_requests(void **state)
{
    (void)state;
    struct s3_op op = {.kind = S3_UPLOAD_PART, .key = KEY, .upload_id = UPLOAD, .part = 10000};
    expect_request(&op, "PUT " AT "/" KEY " ?partNumber=10000 ?uploadId=" UPLOAD);
    op.checksum_kind = CHECKSUM_CRC64NVME;
    op.checksum = SUM64;
    expect_request(&op, "PUT " AT "/" KEY " ?partNumber=10000 ?uploadId=" UPLOAD
                        " |x-amz-checksum-crc64nvme: " SUM64_TEXT);
    op.checksum_kind = CHECKSUM_CRC32C;
    op.checksum = SUM32C;
    op.part = 1;
    expect_request(&op,
                   "PUT " AT "/" KEY " ?partNumber=1 ?uploadId=" UPLOAD " |x-amz-checksum-crc32c: 4waSgw==");
    op.part = 0;
    refuse(&op, STATUS_INTERNAL, "no such part number");
    op.part = 10001;
    refuse(&op, STATUS_INTERNAL, "no such part number");
    op = (struct s3_op){.kind = S3_LIST_PARTS, .key = KEY, .upload_id = UPLOAD};
    expect_request(&op, "GET " AT "/" KEY " ?uploadId=" UPLOAD " ?max-parts=1000");
    op.part_marker = 3;
    op.list_most = 1;
    expect_request(&op, "GET " AT "/" KEY " ?uploadId=" UPLOAD " ?max-parts=1 ?part-number-marker=3");
    op = (struct s3_op){.kind = S3_ABORT_UPLOAD, .key = KEY, .upload_id = UPLOAD, .expected_owner = OWNER};
    expect_request(&op, "DELETE " AT "/" KEY " ?uploadId=" UPLOAD " |x-amz-expected-bucket-owner: " OWNER);
}

static void object_requests(void **state)
{
    (void)state;
    struct s3_object_options const object = {.content_type = "application/xml", .sse = "AES256"};
    struct s3_op op = {.kind = S3_PUT_OBJECT,
                       .key = KEY,
                       .object = &object,
                       .checksum_kind = CHECKSUM_CRC64NVME,
                       .checksum = SUM64,
                       .if_none_match = true};
    expect_request(&op,
                   "PUT " AT "/" KEY " |content-type: application/xml |x-amz-server-side-encryption: AES256 "
                   "|x-amz-sdk-checksum-algorithm: CRC64NVME |x-amz-checksum-crc64nvme: " SUM64_TEXT
                   " |if-none-match: *");
    op = (struct s3_op){.kind = S3_PUT_OBJECT, .key = KEY};
    expect_request(&op, "PUT " AT "/" KEY);
    op = (struct s3_op){.kind = S3_HEAD_OBJECT, .key = KEY, .checksum_kind = CHECKSUM_CRC32};
    expect_request(&op, "HEAD " AT "/" KEY " |x-amz-checksum-mode: ENABLED");
    op = (struct s3_op){.kind = S3_HEAD_OBJECT, .key = KEY, .any_checksum = true};
    expect_request(&op, "HEAD " AT "/" KEY " |x-amz-checksum-mode: ENABLED");
    op.any_checksum = false;
    op.if_match = "\"not for head\"";
    expect_request(&op, "HEAD " AT "/" KEY);
    op.kind = S3_GET_OBJECT;
    op.if_match = "\"etag\"";
    op.checksum_kind = CHECKSUM_CRC64NVME;
    expect_request(&op, "GET " AT "/" KEY " |x-amz-checksum-mode: ENABLED |if-match: \"etag\"");
    op.range_begin = 10;
    op.range_length = 1;
    op.if_match = NULL;
    op.checksum_kind = CHECKSUM_NONE;
    expect_request(&op, "GET " AT "/" KEY " |range: bytes=10-10");
    op.range_begin = UINT64_MAX - 1;
    op.range_length = 2;
    refuse(&op, STATUS_INTERNAL, "range");
    op = (struct s3_op){.kind = S3_DELETE_OBJECT, .key = KEY};
    expect_request(&op, "DELETE " AT "/" KEY);
}

/* ---- Complete ---- */

static struct s3_part part(uint32_t number, uint64_t size, const char *etag)
{
    struct s3_part part = {.number = number, .size = size, .checksum = SUM64};
    snprintf(part.etag, sizeof part.etag, "%s", etag);
    return part;
}

static void expect_xml(const struct s3_op *op, const char *expected)
{
    struct s3_endpoint const endpoint = aws_endpoint();
    struct arena arena = {0};
    struct aws_request request;
    struct http_span xml = {0};
    struct fault fault = {0};
    assert_int_equal(s3_op_request(op, &endpoint, &arena, &request, &xml, &fault), STATUS_OK);
    assert_int_equal(xml.length, strlen(expected));
    assert_memory_equal(xml.bytes, expected, xml.length);
    arena_free(&arena);
}

#define XML_BEGIN                                  \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
    "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
#define XML_END "</CompleteMultipartUpload>\n"

static void complete_requests(void **state)
{
    (void)state;
    struct s3_endpoint const store = store_endpoint();
    struct s3_part const parts[] = {part(1, 5, "\"e1\""), part(2, 4, "a<b>&c")};
    struct s3_op op = {.kind = S3_COMPLETE_UPLOAD,
                       .key = KEY,
                       .upload_id = UPLOAD,
                       .parts = parts,
                       .part_count = 2,
                       .object_size = 9,
                       .checksum_kind = CHECKSUM_CRC64NVME,
                       .checksum = SUM64,
                       .if_none_match = true,
                       .expected_owner = OWNER};
    expect_request(&op, "POST " AT "/" KEY " ?uploadId=" UPLOAD " |content-type: application/xml "
                        "|x-amz-checksum-crc64nvme: " SUM64_TEXT " |x-amz-checksum-type: FULL_OBJECT "
                        "|x-amz-mp-object-size: 9 |if-none-match: * |x-amz-expected-bucket-owner: " OWNER);
    expect_xml(&op, XML_BEGIN "<Part><ETag>\"e1\"</ETag><ChecksumCRC64NVME>" SUM64_TEXT
                              "</ChecksumCRC64NVME><PartNumber>1</PartNumber></Part>\n"
                              "<Part><ETag>a&lt;b&gt;&amp;c</ETag><ChecksumCRC64NVME>" SUM64_TEXT
                              "</ChecksumCRC64NVME><PartNumber>2</PartNumber></Part>\n" XML_END);
    op.checksum_kind = CHECKSUM_NONE;
    op.if_none_match = false;
    op.expected_owner = NULL;
    expect_request(&op, "POST " AT "/" KEY " ?uploadId=" UPLOAD " |content-type: application/xml "
                        "|x-amz-mp-object-size: 9");
    expect_request_at(&store, &op,
                      "POST http://localhost:7480 /base/bucket/" KEY " ?uploadId=" UPLOAD
                      " |content-type: application/xml");
    expect_xml(&op,
               XML_BEGIN "<Part><ETag>\"e1\"</ETag><PartNumber>1</PartNumber></Part>\n"
                         "<Part><ETag>a&lt;b&gt;&amp;c</ETag><PartNumber>2</PartNumber></Part>\n" XML_END);
}

static void refuse_parts(const struct s3_part *parts, size_t count, uint64_t size)
{
    struct s3_op const op = {.kind = S3_COMPLETE_UPLOAD,
                             .key = KEY,
                             .upload_id = UPLOAD,
                             .parts = parts,
                             .part_count = count,
                             .object_size = size};
    refuse(&op, STATUS_INTERNAL, "list of parts");
}

static void complete_wants_all_parts(void **state)
{
    (void)state;
    struct s3_part const gap[] = {part(1, 5, "e"), part(3, 4, "e")};
    struct s3_part const order[] = {part(2, 5, "e"), part(1, 4, "e")};
    struct s3_part const no_etag[] = {part(1, 5, "e"), part(2, 4, "")};
    refuse_parts(gap, 2, 9);
    refuse_parts(order, 2, 9);
    refuse_parts(no_etag, 2, 9);
    refuse_parts(gap, 1, 6);
    refuse_parts(gap, 0, 0);
    struct s3_part *parts = calloc(S3_PARTS_MAX + 1, sizeof *parts);
    assert_non_null(parts);
    for (uint32_t i = 0; i <= S3_PARTS_MAX; i++) {
        parts[i] = part(i + 1, 1, "");
        memset(parts[i].etag, '&', S3_ETAG_MAX); /* the longest text */
    }
    refuse_parts(parts, S3_PARTS_MAX + 1, S3_PARTS_MAX + 1);
    struct s3_op const op = {.kind = S3_COMPLETE_UPLOAD,
                             .key = KEY,
                             .upload_id = UPLOAD,
                             .parts = parts,
                             .part_count = S3_PARTS_MAX,
                             .object_size = S3_PARTS_MAX,
                             .checksum_kind = CHECKSUM_CRC64NVME,
                             .checksum = SUM64};
    struct s3_endpoint const endpoint = aws_endpoint();
    struct arena arena = {0};
    struct aws_request request;
    struct http_span xml = {0};
    assert_int_equal(s3_op_request(&op, &endpoint, &arena, &request, &xml, NULL), STATUS_OK);
    assert_true(xml.length <= S3_XML_MAX);
    arena_free(&arena);
    free(parts);
}

/* ---- requests that can't be ---- */

static void refuses_texts(void **state)
{
    (void)state;
    static const char *const bad[] = {"", " a", "a ", "a  b", "a\nb", "a\tb", "\xC3\xA4", "\x7F"};
    struct s3_object_options object = {0};
    struct s3_op op = {.kind = S3_CREATE_UPLOAD, .key = KEY, .object = &object};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        object = (struct s3_object_options){.acl = bad[i]};
        refuse(&op, STATUS_JOB, "header x-amz-acl");
        struct aws_pair const metadata = {"note", bad[i]};
        object = (struct s3_object_options){.metadata = &metadata, .metadata_count = 1};
        refuse(&op, STATUS_JOB, "header x-amz-meta-note");
    }
    struct aws_pair pairs[60];
    for (size_t i = 0; i < 60; i++)
        pairs[i] = (struct aws_pair){"k", "v"};
    object = (struct s3_object_options){.tags = pairs, .tag_count = 11};
    refuse(&op, STATUS_JOB, "11 tags");
    object = (struct s3_object_options){.metadata = pairs, .metadata_count = 60};
    refuse(&op, STATUS_JOB, "more than 48 request headers");
    char text[2048];
    memset(text, 'v', sizeof text);
    text[2047] = '\0'; /* and the name's one byte: 2,048 */
    pairs[0].value = text;
    struct arena arena = {0};
    struct aws_request request;
    struct s3_endpoint const endpoint = aws_endpoint();
    object = (struct s3_object_options){.metadata = pairs, .metadata_count = 1};
    assert_int_equal(s3_op_request(&op, &endpoint, &arena, &request, NULL, NULL), STATUS_OK);
    arena_free(&arena);
    object.metadata_count = 2;
    refuse(&op, STATUS_JOB, "2048 bytes");
}

/* A DELETE without its upload id would take the object, one without a key would take the bucket. */
static void refuses_what_is_missing(void **state)
{
    (void)state;
    for (int kind = 0; kind < S3_OP_KINDS; kind++) {
        if (kind == S3_HEAD_BUCKET || kind == S3_LIST_UPLOADS || kind == S3_LIST_OBJECTS) continue;
        struct s3_op op = {.kind = (enum s3_op_kind)kind, .upload_id = UPLOAD, .part = 1};
        refuse(&op, STATUS_INTERNAL, "without a key");
        op.key = "";
        refuse(&op, STATUS_INTERNAL, "without a key");
    }
    static const enum s3_op_kind kinds[] = {S3_UPLOAD_PART, S3_COMPLETE_UPLOAD, S3_ABORT_UPLOAD,
                                            S3_LIST_PARTS};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct s3_op op = {.kind = kinds[i], .key = KEY, .part = 1};
        refuse(&op, STATUS_INTERNAL, "without an upload id");
        op.upload_id = "";
        refuse(&op, STATUS_INTERNAL, "without an upload id");
    }
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(s3_op_name(S3_HEAD_BUCKET), "HeadBucket");
    assert_string_equal(s3_op_name(S3_LIST_UPLOADS), "ListMultipartUploads");
    assert_string_equal(s3_op_name(S3_LIST_OBJECTS), "ListObjectsV2");
    assert_string_equal(s3_op_name(S3_DELETE_OBJECT), "DeleteObject");
    assert_string_equal(s3_op_name(S3_OP_KINDS), "?");
}

/* ---- answers ---- */

struct reply {
    unsigned status;
    const char *body;
    struct http_header headers[6];
    enum http_failure failure;
    uint64_t received;
};

/* True: it succeeded. The answer must be freed. */
static bool answer_to(const struct s3_op *op, const struct reply *given, struct s3_answer *answer)
{
    struct http_reply reply = {.status = given->status,
                               .failure = given->failure,
                               .headers = given->headers,
                               .received = given->received};
    while (reply.header_count < 6 && given->headers[reply.header_count].name != NULL)
        reply.header_count++;
    char *body = given->body != NULL ? strdup(given->body) : NULL;
    reply.body = (uint8_t *)body;
    reply.body_length = body != NULL ? strlen(body) : 0;
    bool const succeeded = s3_op_answer(op, &reply, answer);
    free(body); /* nothing of it is kept by reference */
    return succeeded;
}

static void expect_code(const struct s3_op *op, const struct reply *reply, const char *code)
{
    struct s3_answer answer = {0};
    assert_false(answer_to(op, reply, &answer));
    assert_string_equal(answer.code, code);
    assert_int_equal(answer.status, reply->status);
    s3_answer_free(&answer);
}

static void succeeded_statuses(void **state)
{
    (void)state;
    for (int kind = 0; kind < S3_OP_KINDS; kind++) {
        assert_true(s3_op_succeeded((enum s3_op_kind)kind, 200));
        assert_int_equal(s3_op_succeeded((enum s3_op_kind)kind, 204),
                         kind == S3_ABORT_UPLOAD || kind == S3_DELETE_OBJECT);
        assert_int_equal(s3_op_succeeded((enum s3_op_kind)kind, 206), kind == S3_GET_OBJECT);
        assert_false(s3_op_succeeded((enum s3_op_kind)kind, 0));
        assert_false(s3_op_succeeded((enum s3_op_kind)kind, 100));
        assert_false(s3_op_succeeded((enum s3_op_kind)kind, 301));
    }
}

static void codes_by_status(void **state)
{
    (void)state;
    static const struct {
        enum s3_op_kind kind;
        unsigned status;
        const char *code;
    } cases[] = {
        {S3_HEAD_BUCKET, 301, "PermanentRedirect"},
        {S3_HEAD_BUCKET, 400, "BadRequest"},
        {S3_HEAD_BUCKET, 403, "AccessDenied"},
        {S3_HEAD_BUCKET, 404, "NoSuchBucket"},
        {S3_CREATE_UPLOAD, 404, "NoSuchBucket"},
        {S3_UPLOAD_PART, 404, "NoSuchUpload"},
        {S3_ABORT_UPLOAD, 404, "NoSuchUpload"},
        {S3_HEAD_OBJECT, 404, "NoSuchKey"},
        {S3_GET_OBJECT, 404, "NoSuchKey"},
        {S3_GET_OBJECT, 412, "PreconditionFailed"},
        {S3_GET_OBJECT, 416, "InvalidRange"},
        {S3_PUT_OBJECT, 307, "TemporaryRedirect"},
        {S3_PUT_OBJECT, 408, "RequestTimeout"},
        {S3_PUT_OBJECT, 409, "OperationAborted"},
        {S3_PUT_OBJECT, 429, "TooManyRequests"},
        {S3_PUT_OBJECT, 500, "InternalError"},
        {S3_PUT_OBJECT, 501, "NotImplemented"},
        {S3_PUT_OBJECT, 502, "BadGateway"},
        {S3_PUT_OBJECT, 503, "ServiceUnavailable"},
        {S3_PUT_OBJECT, 504, "GatewayTimeout"},
        {S3_PUT_OBJECT, 418, "Http418"},
        {S3_PUT_OBJECT, 204, "BadReply"},
        {S3_PUT_OBJECT, 202, "BadReply"},
        {S3_HEAD_OBJECT, 206, "BadReply"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct s3_op const op = {.kind = cases[i].kind};
        struct reply reply = {.status = cases[i].status};
        expect_code(&op, &reply, cases[i].code);
        reply.body = "<html>a proxy's page</html>";
        expect_code(&op, &reply, cases[i].code);
        reply.body = "<Error><Code>Slo"; /* cut */
        expect_code(&op, &reply, cases[i].code);
    }
    struct s3_op const op = {.kind = S3_COMPLETE_UPLOAD, .if_none_match = true};
    expect_code(&op, &(struct reply){.status = 409}, "ConditionalRequestConflict");
    expect_code(&op, &(struct reply){0}, "");
    expect_code(&op, &(struct reply){.failure = HTTP_CONNECT}, "");
}

static void errors(void **state)
{
    (void)state;
    struct s3_op const op = {.kind = S3_UPLOAD_PART};
    struct reply const reply = {
        .status = 503,
        .body = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Please reduce.</Message>"
                "<RequestId>R1</RequestId><HostId>H1</HostId></Error>",
        .headers = {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                    {"x-amz-request-id", "R0"},
                    {"retry-after", "7"}},
        .failure = HTTP_BROKEN}; /* an early answer on a connection that died */
    struct s3_answer answer = {0};
    assert_false(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.code, "SlowDown");
    assert_string_equal(answer.message, "Please reduce.");
    assert_string_equal(answer.request_id, "R0");
    assert_string_equal(answer.host_id, "H1");
    assert_int_equal(answer.date, 784111777);
    assert_int_equal(answer.retry_after_ms, 7000);
    s3_answer_free(&answer);
}

static void redirects(void **state)
{
    (void)state;
    struct s3_op const op = {.kind = S3_HEAD_BUCKET};
    struct s3_answer answer = {0};
    struct reply reply = {.status = 301, .headers = {{"x-amz-bucket-region", "eu-west-1"}}};
    assert_false(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.region, "eu-west-1");
    assert_string_equal(answer.endpoint, "");
    static const struct {
        const char *location, *endpoint;
    } cases[] = {
        {"https://b.s3-x.amazonaws.com/k?y", "b.s3-x.amazonaws.com"},
        {"HTTP://h:8080", "h:8080"},
        {"//h/", ""},
        {"/k", ""},
        {"ftp://h/", ""},
        {"https:///k", ""},
        {"https://u@h/k", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        reply = (struct reply){.status = 307, .headers = {{"location", cases[i].location}}};
        assert_false(answer_to(&op, &reply, &answer)); /* the same answer again: what was in it is gone */
        assert_string_equal(answer.endpoint, cases[i].endpoint);
        assert_string_equal(answer.region, "");
    }
    char location[S3_HOST_MAX + 16];
    snprintf(location, sizeof location, "http://%0*d", (int)S3_HOST_MAX + 1, 0);
    reply = (struct reply){.status = 307, .headers = {{"location", location}}};
    assert_false(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.endpoint, "");
    /* The document knows it too; what a header said is not lost by a document without it. */
    reply = (struct reply){
        .status = 307,
        .headers = {{"location", "https://header.example/"}},
        .body = "<Error><Code>TemporaryRedirect</Code><Endpoint>body.example</Endpoint></Error>"};
    assert_false(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.code, "TemporaryRedirect");
    assert_string_equal(answer.endpoint, "body.example");
    reply.body = "<Error><Code>TemporaryRedirect</Code></Error>";
    assert_false(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.endpoint, "header.example");
    reply =
        (struct reply){.status = 400,
                       .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-north-1</Region>"
                               "</Error>"};
    assert_false(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.region, "eu-north-1");
    s3_answer_free(&answer);
}

static void expect_wait(const char *name, const char *value, const char *date, int64_t expected)
{
    struct s3_op const op = {.kind = S3_PUT_OBJECT};
    struct reply const reply = {.status = 503, .headers = {{name, value}, {"date", date}}};
    struct s3_answer answer = {0};
    assert_false(answer_to(&op, &reply, &answer));
    assert_int_equal(answer.retry_after_ms, expected);
    s3_answer_free(&answer);
}

static void waits(void **state)
{
    (void)state;
    static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT", later[] = "Sun, 06 Nov 1994 08:50:07 GMT";
    expect_wait("retry-after", "0", date, 0);
    expect_wait("retry-after", "120", date, 120000);
    expect_wait("retry-after", "999999999", date, 999999999000);
    expect_wait("retry-after", "9999999999", date, -1);
    expect_wait("retry-after", later, date, 30000);
    expect_wait("retry-after", date, later, 0);
    expect_wait("retry-after", later, "", -1);
    expect_wait("retry-after", "soon", date, -1);
    expect_wait("retry-after", "-1", date, -1);
    expect_wait("retry-after", "1.5", date, -1);
    expect_wait("retry-after", "", date, -1);
    expect_wait("x-amz-retry-after", "1500", date, 1500);
    expect_wait("x-amz-retry-after", "x", date, -1);
    expect_wait("other", "1", date, -1);
    struct s3_op const op = {.kind = S3_PUT_OBJECT};
    struct reply const both = {.status = 503, .headers = {{"retry-after", "2"}, {"x-amz-retry-after", "3"}}};
    struct s3_answer answer = {0};
    assert_false(answer_to(&op, &both, &answer));
    assert_int_equal(answer.retry_after_ms, 3);
    s3_answer_free(&answer);
}

static void create_answers(void **state)
{
    (void)state;
    struct s3_op const op = {.kind = S3_CREATE_UPLOAD};
    struct s3_answer answer = {0};
    struct reply reply = {.status = 200,
                          .body = "<InitiateMultipartUploadResult><UploadId>u1</UploadId>"
                                  "</InitiateMultipartUploadResult>",
                          .headers = {{"x-amz-abort-date", "Sun, 06 Nov 1994 08:49:37 GMT"}}};
    assert_true(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.upload_id, "u1");
    assert_int_equal(answer.abort_date, 784111777);
    assert_string_equal(answer.code, "");
    assert_int_equal(answer.retry_after_ms, -1);
    s3_answer_free(&answer);
    static const char *const bad[] = {
        NULL,
        "",
        "ok",
        "<InitiateMultipartUploadResult></InitiateMultipartUploadResult>",
        "<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>",
        "<InitiateMultipartUploadResult><UploadId>u1</Upl",
        "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>",
        "<Error></Error>",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_code(&op, &(struct reply){.status = 200, .body = bad[i]}, "BadReply");
    reply.failure = HTTP_BROKEN;
    expect_code(&op, &reply, "BadReply");
}

static void part_answers(void **state)
{
    (void)state;
    struct s3_op op = {.kind = S3_UPLOAD_PART, .checksum_kind = CHECKSUM_CRC64NVME};
    struct s3_answer answer = {0};
    struct reply reply = {.status = 200,
                          .headers = {{"etag", "\"e1\""}, {"x-amz-checksum-crc64nvme", SUM64_TEXT}}};
    assert_true(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.etag, "\"e1\"");
    assert_true(answer.has_checksum);
    assert_true(answer.checksum == SUM64);
    assert_false(answer.checksum_is_composite);
    static const char *const bad[] = {
        "", "rosUhgp5mIg", "rosUhgp5mIh=", "rosUhgp5mI==", "4waSgw==", "?osUhgp5mIg="};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        reply.headers[1].value = bad[i];
        assert_true(answer_to(&op, &reply, &answer));
        assert_false(answer.has_checksum); /* and the client tells */
    }
    reply.headers[1].value = SUM64_TEXT "-3";
    assert_true(answer_to(&op, &reply, &answer));
    assert_true(answer.has_checksum && answer.checksum_is_composite);
    reply.headers[1].value = SUM64_TEXT;
    reply.headers[2] = (struct http_header){"x-amz-checksum-type", "COMPOSITE"};
    assert_true(answer_to(&op, &reply, &answer));
    assert_true(answer.has_checksum && answer.checksum_is_composite);
    op.checksum_kind = CHECKSUM_CRC32C; /* of another kind: not told */
    assert_true(answer_to(&op, &reply, &answer));
    assert_false(answer.has_checksum);
    reply.headers[1] = (struct http_header){"x-amz-checksum-crc32c", "4waSgw=="};
    reply.headers[2] = (struct http_header){0};
    assert_true(answer_to(&op, &reply, &answer));
    assert_true(answer.has_checksum && answer.checksum == SUM32C);
    op.checksum_kind = CHECKSUM_NONE;
    assert_true(answer_to(&op, &reply, &answer));
    assert_false(answer.has_checksum);
    s3_answer_free(&answer);
    reply.headers[0].value = "";
    expect_code(&op, &reply, "BadReply");
    char etag[S3_ETAG_MAX + 2];
    memset(etag, 'e', sizeof etag);
    etag[S3_ETAG_MAX + 1] = '\0';
    reply.headers[0].value = etag;
    expect_code(&op, &reply, "BadReply");
    reply.headers[0].value = "a\x01";
    expect_code(&op, &reply, "BadReply");
    expect_code(&op, &(struct reply){.status = 200}, "BadReply");
    op.kind = S3_PUT_OBJECT;
    expect_code(&op, &(struct reply){.status = 200}, "BadReply");
    reply = (struct reply){.status = 200, .headers = {{"etag", "e"}, {"x-amz-version-id", "v1"}}};
    assert_true(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.version_id, "v1");
    s3_answer_free(&answer);
}

static void complete_answers(void **state)
{
    (void)state;
    struct s3_op const op = {.kind = S3_COMPLETE_UPLOAD, .checksum_kind = CHECKSUM_CRC64NVME};
    struct s3_answer answer = {0};
    struct reply reply = {
        .status = 200,
        .body = "  \n\n <?xml version=\"1.0\" encoding=\"UTF-8\"?><CompleteMultipartUploadResult>"
                "<ETag>\"e-2\"</ETag><ChecksumCRC64NVME>" SUM64_TEXT
                "</ChecksumCRC64NVME></CompleteMultipartUploadResult>"};
    assert_true(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.etag, "\"e-2\"");
    assert_true(answer.has_checksum && answer.checksum == SUM64);
    reply.body =
        "   <Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>";
    assert_false(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.code, "InternalError");
    assert_int_equal(answer.status, 200);
    s3_answer_free(&answer);
    reply.body = "     ";
    expect_code(&op, &reply, "BadReply");
    reply.body = NULL;
    expect_code(&op, &reply, "BadReply");
    reply.body = "<CompleteMultipartUploadResult><ETag>e";
    expect_code(&op, &reply, "BadReply");
}

static void list_answers(void **state)
{
    (void)state;
    struct s3_op op = {.kind = S3_LIST_PARTS};
    struct s3_answer answer = {0};
    struct reply reply = {.status = 200,
                          .body =
                              "<ListPartsResult><IsTruncated>true</IsTruncated>"
                              "<NextPartNumberMarker>2</NextPartNumberMarker><Part><PartNumber>2</PartNumber>"
                              "<ETag>e</ETag><Size>7</Size></Part></ListPartsResult>"};
    assert_true(answer_to(&op, &reply, &answer));
    assert_int_equal(answer.part_count, 1);
    assert_int_equal(answer.parts[0].number, 2);
    assert_int_equal(answer.parts[0].size, 7);
    assert_true(answer.truncated);
    assert_int_equal(answer.next_part_marker, 2);
    s3_answer_free(&answer);
    assert_null(answer.parts);
    op.kind = S3_LIST_UPLOADS;
    expect_code(&op, &reply, "BadReply");
    reply.body = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>k</Key>"
                 "<UploadId>u</UploadId><Initiated>2026-11-23T10:00:00.000Z</Initiated></Upload>"
                 "</ListMultipartUploadsResult>";
    assert_true(answer_to(&op, &reply, &answer));
    assert_int_equal(answer.upload_count, 1);
    assert_string_equal(answer.uploads[0].key, "k");
    s3_answer_free(&answer);
    op.kind = S3_LIST_PARTS;
    expect_code(&op, &reply, "BadReply");
}

static void list_of_objects(void **state)
{
    (void)state;
    struct s3_op op = {.kind = S3_LIST_OBJECTS};
    struct s3_answer answer = {0};
    struct reply reply = {
        .status = 200,
        .body = "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                "<NextContinuationToken>a+b%2F=</NextContinuationToken><Contents><Key>a%2Fb+c</Key><Size>12</"
                "Size>"
                "<ETag>&quot;e&quot;</ETag></Contents><Contents><Key>d</Key><Size>0</Size></Contents>"
                "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>"};
    assert_true(answer_to(&op, &reply, &answer));
    assert_int_equal(answer.object_count, 2);
    assert_string_equal(answer.objects[0].key, "a/b c");
    assert_int_equal(answer.objects[0].size, 12);
    assert_string_equal(answer.objects[0].etag, "\"e\"");
    assert_string_equal(answer.objects[1].key, "d");
    assert_null(answer.objects[1].etag);
    assert_true(answer.truncated);
    assert_string_equal(answer.next_list_token, "a+b%2F="); /* tokens are not encoded */
    s3_answer_free(&answer);
    assert_null(answer.objects);
    static const char *const bad[] = {
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Key>b</Key><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        reply.body = bad[i];
        expect_code(&op, &reply, "BadReply");
    }
}

/* Whichever the store has, of the whole object. */
static void any_checksum(void **state)
{
    (void)state;
    struct s3_op op = {.kind = S3_HEAD_OBJECT, .any_checksum = true};
    struct s3_answer answer = {0};
    struct reply reply = {.status = 200,
                          .headers = {{"content-length", "9"}, {"x-amz-checksum-crc32c", "AAAABQ=="}}};
    assert_true(answer_to(&op, &reply, &answer));
    assert_true(answer.has_checksum && !answer.checksum_is_composite);
    assert_int_equal(answer.checksum_kind, CHECKSUM_CRC32C);
    assert_int_equal(answer.checksum, 5);
    reply.headers[2] = (struct http_header){"x-amz-checksum-type", "COMPOSITE"};
    assert_true(answer_to(&op, &reply, &answer));
    assert_true(answer.checksum_is_composite);
    reply.headers[1] = (struct http_header){"x-amz-checksum-sha256", "AAAABQ=="};
    assert_true(answer_to(&op, &reply, &answer));
    assert_false(answer.has_checksum);
    reply.headers[1] = (struct http_header){"x-amz-checksum-crc32", "AAAABQ=="};
    op.any_checksum = false;
    assert_true(answer_to(&op, &reply, &answer));
    assert_false(answer.has_checksum);
    s3_answer_free(&answer);
}

static void object_answers(void **state)
{
    (void)state;
    struct s3_op op = {.kind = S3_HEAD_OBJECT, .checksum_kind = CHECKSUM_CRC64NVME};
    struct s3_answer answer = {0};
    struct reply reply = {.status = 200,
                          .headers = {{"content-length", "53687091200000"},
                                      {"etag", "\"e\""},
                                      {"x-amz-meta-penstock-token", "t1"},
                                      {"x-amz-checksum-crc64nvme", SUM64_TEXT}}};
    assert_true(answer_to(&op, &reply, &answer));
    assert_true(answer.content_length == 53687091200000u);
    assert_string_equal(answer.token, "t1");
    assert_true(answer.has_checksum);
    s3_answer_free(&answer);
    static const char *const bad[] = {"", "-1", "1 ", "0x1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        reply.headers[0].value = bad[i];
        expect_code(&op, &reply, "BadReply");
    }
    op = (struct s3_op){.kind = S3_HEAD_BUCKET};
    reply = (struct reply){.status = 200, .headers = {{"x-amz-bucket-region", "eu-central-1"}}};
    assert_true(answer_to(&op, &reply, &answer));
    assert_string_equal(answer.region, "eu-central-1");
    op.kind = S3_ABORT_UPLOAD;
    reply = (struct reply){.status = 204};
    assert_true(answer_to(&op, &reply, &answer));
    op.kind = S3_DELETE_OBJECT;
    assert_true(answer_to(&op, &reply, &answer));
    s3_answer_free(&answer);
}

static void get_answers(void **state)
{
    (void)state;
    struct s3_op op = {.kind = S3_GET_OBJECT};
    struct s3_answer answer = {0};
    struct reply reply = {.status = 200, .headers = {{"content-length", "9"}}};
    assert_true(answer_to(&op, &reply, &answer));
    assert_int_equal(answer.content_length, 9);
    reply = (struct reply){.status = 200, .received = 5};
    assert_true(answer_to(&op, &reply, &answer));
    assert_int_equal(answer.content_length, 5);
    s3_answer_free(&answer);
    reply = (struct reply){.status = 206, .headers = {{"content-range", "bytes 0-8/9"}}};
    expect_code(&op, &reply, "BadReply");
    op.range_begin = 10;
    op.range_length = 5;
    reply = (struct reply){.status = 206,
                           .headers = {{"content-length", "5"}, {"content-range", "bytes 10-14/99"}}};
    assert_true(answer_to(&op, &reply, &answer));
    assert_int_equal(answer.content_length, 5);
    reply.headers[0].value = "3"; /* the object ends */
    assert_true(answer_to(&op, &reply, &answer));
    s3_answer_free(&answer);
    reply.headers[0].value = "6";
    expect_code(&op, &reply, "BadReply");
    reply.headers[0].value = "5";
    static const char *const bad[] = {"",           "bytes",          "bytes 11-14/99", "bytes 10",
                                      "bytes */99", "lines 10-14/99", "bytes -14/99"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        reply.headers[1].value = bad[i];
        expect_code(&op, &reply, "BadReply");
    }
    expect_code(&op, &(struct reply){.status = 200, .headers = {{"content-length", "99"}}}, "BadReply");
    expect_code(&op, &(struct reply){.status = 206, .failure = HTTP_REFUSED}, "BadReply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket_requests),
        cmocka_unit_test(create_requests),
        cmocka_unit_test(part_requests),
        cmocka_unit_test(object_requests),
        cmocka_unit_test(complete_requests),
        cmocka_unit_test(complete_wants_all_parts),
        cmocka_unit_test(refuses_texts),
        cmocka_unit_test(refuses_what_is_missing),
        cmocka_unit_test(names),
        cmocka_unit_test(succeeded_statuses),
        cmocka_unit_test(codes_by_status),
        cmocka_unit_test(errors),
        cmocka_unit_test(redirects),
        cmocka_unit_test(waits),
        cmocka_unit_test(create_answers),
        cmocka_unit_test(part_answers),
        cmocka_unit_test(complete_answers),
        cmocka_unit_test(list_answers),
        cmocka_unit_test(list_of_objects),
        cmocka_unit_test(any_checksum),
        cmocka_unit_test(object_answers),
        cmocka_unit_test(get_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_s3_op_answer.c - what is made of replies to every operation, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/s3_op_desk.h"

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

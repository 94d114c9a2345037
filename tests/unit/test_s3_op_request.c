/* test_s3_op_request.c - every operation's exact request, and those that can't be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/s3_op_desk.h"

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
    op.list_flat = true;
    expect_request(&op, "GET " AT "/ ?list-type=2 ?encoding-type=url ?max-keys=7 ?prefix=a b/ ?delimiter=/ "
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

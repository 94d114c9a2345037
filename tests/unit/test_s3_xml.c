/* test_s3_xml.c - documents as S3, RGW, Swift and MinIO write them; cut, broken, too large, too deep ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_xml.h"
#include "io/s3/s3_xml_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define XML          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NAMESPACE    " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

/* From a copy without a byte too many, so that a sanitizer sees what reads too far. */
static enum s3_document read_bytes(const char *bytes, size_t length, enum checksum_kind kind,
                                   struct s3_answer *answer)
{
    uint8_t *copy = malloc(length + (length == 0));
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    enum s3_document const document = s3_xml_read(copy, length, kind, answer);
    free(copy);
    return document;
}

static enum s3_document read_text(const char *text, struct s3_answer *answer)
{
    return read_bytes(text, strlen(text), CHECKSUM_CRC64NVME, answer);
}

static void refuses(const char *text)
{
    struct s3_answer answer = {.status = 7}, before = {.status = 7};
    if (read_text(text, &answer) != S3_DOCUMENT_BAD) fail_msg("accepted: %.200s", text);
    arena_free(&answer.arena);
    assert_memory_equal(&answer, &before, sizeof answer);
}

/* ---- errors ---- */

static void reads_errors_of_s3(void **state)
{
    (void)state;
    struct s3_answer answer = {0};
    assert_int_equal(
        read_text(XML "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message>"
                      "<BucketName>nobody</BucketName><RequestId>4442587FB7D0A2F9</RequestId>"
                      "<HostId>Uuag1LuByRx9e6j5Onimru9pO4ZVKnJ2Qz7/C1NPcfTWAtRPfTaOFg==</HostId></Error>",
                  &answer),
        S3_DOCUMENT_ERROR);
    assert_string_equal(answer.code, "NoSuchBucket");
    assert_string_equal(answer.message, "The specified bucket does not exist");
    assert_string_equal(answer.request_id, "4442587FB7D0A2F9");
    assert_string_equal(answer.host_id, "Uuag1LuByRx9e6j5Onimru9pO4ZVKnJ2Qz7/C1NPcfTWAtRPfTaOFg==");
    answer = (struct s3_answer){0};
    assert_int_equal(read_text(XML
                               "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting "
                               "to access must be addressed using the specified endpoint.</Message>"
                               "<Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint><Bucket>b</Bucket></Error>",
                               &answer),
                     S3_DOCUMENT_ERROR);
    assert_string_equal(answer.endpoint, "b.s3.eu-west-1.amazonaws.com");
    answer = (struct s3_answer){0};
    assert_int_equal(
        read_text(XML
                  "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong; "
                  "expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>",
                  &answer),
        S3_DOCUMENT_ERROR);
    assert_string_equal(answer.region, "eu-west-1");
    answer = (struct s3_answer){0};
    assert_int_equal(
        read_text(XML "<Error><Code>RequestTimeTooSkewed</Code><RequestTime>20260924T101010Z</RequestTime>"
                      "<ServerTime>2001-09-09T01:46:40Z</ServerTime>"
                      "<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds></Error>",
                  &answer),
        S3_DOCUMENT_ERROR);
    assert_int_equal(answer.date, 1000000000);
}

static void reads_errors_of_other_stores(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code, *message;
    } cases[] = {
        /* RGW 16 */
        {XML "<Error><Code>NoSuchKey</Code><BucketName>b</BucketName>"
             "<RequestId>tx000000000000000000001-0067-1234-default</RequestId>"
             "<HostId>1234-default-default</HostId></Error>",
         "NoSuchKey", ""},
        {XML "<Error><Code>SlowDown</Code><Message></Message></Error>", "SlowDown", ""},
        {XML "<Error><Code>SlowDown</Code><Message/></Error>", "SlowDown", ""},
        /* Swift */
        {"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>The "
         "request "
         "signature we calculated does not match the signature you provided. Check your key and signing "
         "method.</Message><RequestId>txa1b2</RequestId></Error>",
         "SignatureDoesNotMatch",
         "The request signature we calculated does not match the signature you provided. Check your key and "
         "signing method."},
        /* MinIO */
        {XML
         "<Error><Code>NoSuchUpload</Code><Message>The specified multipart upload does not exist.</Message>"
         "<Key>k</Key><BucketName>b</BucketName><Resource>/b/k</Resource><RequestId>17F</RequestId>"
         "<HostId>dd9025bab4ad464b049177c95eb6ebf374d3b3fd1af9251148b658df7ac2e3e8</HostId></Error>",
         "NoSuchUpload", "The specified multipart upload does not exist."},
        /* without declaration, with a namespace, with a prefix, pretty */
        {"<Error" NAMESPACE "><Code>A</Code></Error>", "A", ""},
        {"<s3:Error xmlns:s3=\"urn:x\"><s3:Code>A</s3:Code></s3:Error>", "A", ""},
        {"<Error>\n  <Code>\n    A\n  </Code>\n  <Message>\n  two\n  lines </Message>\n</Error>\n", "A",
         "two lines"},
        {"<Error/>", "", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct s3_answer answer = {0};
        assert_int_equal(read_text(cases[i].text, &answer), S3_DOCUMENT_ERROR);
        assert_string_equal(answer.code, cases[i].code);
        assert_string_equal(answer.message, cases[i].message);
    }
}

static void headers_come_before_the_body(void **state)
{
    (void)state;
    struct s3_answer answer = {.request_id = "R", .host_id = "H", .region = "eu", .date = 5, .status = 400};
    assert_int_equal(read_text("<Error><RequestId>x</RequestId><HostId>x</HostId><Region>x</Region>"
                               "<ServerTime>2001-09-09T01:46:40Z</ServerTime></Error>",
                               &answer),
                     S3_DOCUMENT_ERROR);
    assert_string_equal(answer.request_id, "R");
    assert_string_equal(answer.host_id, "H");
    assert_string_equal(answer.region, "eu");
    assert_int_equal(answer.date, 5);
    assert_int_equal(answer.status, 400);
    answer.date = 0;
    assert_int_equal(read_text("<Error><ServerTime>soon</ServerTime></Error>", &answer), S3_DOCUMENT_ERROR);
    assert_int_equal(answer.date, 0);
}

static void cleans_what_people_read(void **state)
{
    (void)state;
    struct s3_answer answer = {0};
    assert_int_equal(read_text("<Error><Message>a&#127;b\xC2\x9B"
                               "31mc&#xD;&#9; d &lt;&amp;&gt;&quot;&apos; &#228;\xE2\x82\xAC<![CDATA[<x>]]>\n"
                               "</Message></Error>",
                               &answer),
                     S3_DOCUMENT_ERROR);
    assert_string_equal(answer.message, "ab31mc d <&>\"' \xC3\xA4\xE2\x82\xAC<x>");
}

static void cuts_long_messages_between_characters(void **state)
{
    (void)state;
    static const char *const fillers[] = {"x", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    static char text[65536];
    for (size_t i = 0; i < COUNT(fillers); i++)
        for (size_t shift = 0; shift < 4; shift++) {
            size_t const bytes = strlen(fillers[i]);
            int at = snprintf(text, sizeof text, "<Error><Code>A</Code><Message>%.*s", (int)shift, "abc");
            for (int k = 0; k < 5000; k++)
                at += snprintf(text + at, sizeof text - (size_t)at, "%s", fillers[i]);
            (void)snprintf(text + at, sizeof text - (size_t)at, "</Message></Error>");
            struct s3_answer answer = {0};
            assert_int_equal(read_text(text, &answer), S3_DOCUMENT_ERROR);
            size_t const length = strlen(answer.message);
            assert_in_range(length, sizeof answer.message - bytes, sizeof answer.message - 1);
            assert_int_equal((length - shift) % bytes, 0);
            assert_string_equal(answer.code, "A");
        }
}

static void bounds_of_texts(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
        size_t most;
    } cases[] = {
        {"<Error><Code>", "</Code></Error>", 63},
        {"<Error><Region>", "</Region></Error>", S3_REGION_MAX},
        {"<Error><Endpoint>", "</Endpoint></Error>", S3_HOST_MAX},
        {"<InitiateMultipartUploadResult><UploadId>", "</UploadId></InitiateMultipartUploadResult>",
         S3_UPLOAD_ID_MAX},
        {"<CompleteMultipartUploadResult><ETag>", "</ETag></CompleteMultipartUploadResult>", S3_ETAG_MAX}};
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t over = 0; over < 2; over++) {
            char text[4096], filler[2048];
            memset(filler, 'x', sizeof filler);
            (void)snprintf(text, sizeof text, "%s%.*s%s", cases[i].before, (int)(cases[i].most + over),
                           filler, cases[i].after);
            struct s3_answer answer = {0};
            assert_int_equal(read_text(text, &answer) == S3_DOCUMENT_BAD, over == 1);
        }
    struct s3_answer answer = {0}; /* ids for support are cut */
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "<Error><Code>A</Code><RequestId>%0300d</RequestId><HostId>%0300d</HostId></Error>", 0, 0);
    assert_int_equal(read_text(text, &answer), S3_DOCUMENT_ERROR);
    assert_int_equal(strlen(answer.request_id), sizeof answer.request_id - 1);
    assert_int_equal(strlen(answer.host_id), sizeof answer.host_id - 1);
}

/* ---- create and complete ---- */

static void reads_creates(void **state)
{
    (void)state;
    struct s3_answer answer = {0};
    assert_int_equal(read_text(XML "<InitiateMultipartUploadResult" NAMESPACE
                                   "><Bucket>b</Bucket><Key>k</Key>"
                                   "<UploadId>2~xX_.-&amp;+/=</UploadId></InitiateMultipartUploadResult>",
                               &answer),
                     S3_DOCUMENT_CREATE);
    assert_string_equal(answer.upload_id, "2~xX_.-&+/=");
    assert_string_equal(answer.code, "");
}

static void reads_completes(void **state)
{
    (void)state;
    struct s3_answer answer = {.status = 200, .has_checksum = false};
    assert_int_equal(
        read_text("   \n \r\n\t " XML "\n<CompleteMultipartUploadResult" NAMESPACE
                  "><Location>http://b.s3.amazonaws.com/k</Location><Bucket>b</Bucket><Key>k</Key>"
                  "<ETag>&quot;3858f62230ac3c915f300c664312c11f-9&quot;</ETag>"
                  "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME><ChecksumCRC32>AAAAAA==</ChecksumCRC32>"
                  "<ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>",
                  &answer),
        S3_DOCUMENT_COMPLETE);
    assert_string_equal(answer.etag, "\"3858f62230ac3c915f300c664312c11f-9\"");
    assert_true(answer.has_checksum);
    assert_false(answer.checksum_is_composite);
    assert_int_equal(answer.checksum, 0xae8b14860a799888);
    assert_int_equal(answer.status, 200);
}

static void a_200_may_be_an_error(void **state)
{
    (void)state;
    struct s3_answer answer = {.status = 200, .etag = "kept"};
    assert_int_equal(read_text(XML "          \n    <Error><Code>InternalError</Code></Error>", &answer),
                     S3_DOCUMENT_ERROR);
    assert_string_equal(answer.code, "InternalError");
    assert_string_equal(answer.etag, "kept");
}

static void reads_checksums_of_the_kind_asked_for(void **state)
{
    (void)state;
    static const char text[] =
        "<CompleteMultipartUploadResult><ChecksumType>COMPOSITE</ChecksumType>"
        "<ChecksumCRC32>y/Q5Jg==-3</ChecksumCRC32><ChecksumCRC32C>4waSgw==</ChecksumCRC32C>"
        "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME>"
        "</CompleteMultipartUploadResult>";
    static const struct {
        enum checksum_kind kind;
        bool has;
        uint64_t value;
    } cases[] = {{CHECKSUM_NONE, false, 0},
                 {CHECKSUM_CRC32, true, 0xCBF43926},
                 {CHECKSUM_CRC32C, true, 0xE3069283},
                 {CHECKSUM_CRC64NVME, true, 0xae8b14860a799888}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct s3_answer answer = {0};
        assert_int_equal(read_bytes(text, strlen(text), cases[i].kind, &answer), S3_DOCUMENT_COMPLETE);
        assert_int_equal(answer.has_checksum, cases[i].has);
        assert_int_equal(answer.checksum, cases[i].value);
        assert_true(answer.checksum_is_composite);
    }
    struct s3_answer answer = {0};
    static const char untold[] =
        "<CompleteMultipartUploadResult><ChecksumCRC32>y/Q5Jg==-10000</ChecksumCRC32>"
        "</CompleteMultipartUploadResult>";
    assert_int_equal(read_bytes(untold, strlen(untold), CHECKSUM_CRC32, &answer), S3_DOCUMENT_COMPLETE);
    assert_true(answer.checksum_is_composite);
}

static void refuses_broken_checksums(void **state)
{
    (void)state;
    static const char *const broken[] = {"",
                                         "x",
                                         "rosUhgp5mIg",
                                         "rosUhgp5mIg==",
                                         "rosUhgp5mIh=",
                                         "rosUhgp5m!g=",
                                         "rosUhgp5mIg=x",
                                         "rosUhgp5mIg=-",
                                         "rosUhgp5mIg=-x",
                                         "rosUhgp5mIg=-10001",
                                         "cbf43926",
                                         "y/Q5Jg=="};
    for (size_t i = 0; i < COUNT(broken); i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "<CompleteMultipartUploadResult><ChecksumCRC64NVME>%s</ChecksumCRC64NVME>"
                       "</CompleteMultipartUploadResult>",
                       broken[i]);
        refuses(text);
    }
}

/* ---- parts ---- */

#define PARTS(inside) "<ListPartsResult>" inside "</ListPartsResult>"

static void reads_parts(void **state)
{
    (void)state;
    struct s3_answer answer = {0};
    assert_int_equal(
        read_text(
            XML "<ListPartsResult" NAMESPACE "><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId>"
                "<Initiator><ID>arn:aws:iam::1:user/x</ID><DisplayName>Size</DisplayName></Initiator>"
                "<Owner><ID>75aa</ID></Owner><StorageClass>STANDARD</StorageClass>"
                "<PartNumberMarker>1</PartNumberMarker><NextPartNumberMarker>3</NextPartNumberMarker>"
                "<MaxParts>2</MaxParts><IsTruncated>true</IsTruncated>"
                "<Part><PartNumber>2</PartNumber><LastModified>2010-11-10T20:48:34.000Z</LastModified>"
                "<ETag>&quot;7778aef83f66abc1fa1e8477f296d394&quot;</ETag><Size>10485760</Size>"
                "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME></Part>"
                "<Part><Size>0</Size><PartNumber>3</PartNumber><Strange><PartNumber>9</PartNumber></Strange>"
                "</Part></ListPartsResult>",
            &answer),
        S3_DOCUMENT_PARTS);
    assert_int_equal(answer.part_count, 2);
    assert_int_equal(answer.parts[0].number, 2);
    assert_int_equal(answer.parts[0].size, 10485760);
    assert_int_equal(answer.parts[0].checksum, 0xae8b14860a799888);
    assert_string_equal(answer.parts[0].etag, "\"7778aef83f66abc1fa1e8477f296d394\"");
    assert_int_equal(answer.parts[1].number, 3);
    assert_int_equal(answer.parts[1].size, 0);
    assert_string_equal(answer.parts[1].etag, "");
    assert_true(answer.truncated);
    assert_int_equal(answer.next_part_marker, 3);
    assert_false(answer.has_checksum); /* not every part has one */
    assert_string_equal(answer.upload_id, "");
    arena_free(&answer.arena);
}

static void says_whether_all_parts_have_checksums(void **state)
{
    (void)state;
    struct s3_answer answer = {.has_checksum = true};
    assert_int_equal(read_text(PARTS("<NextPartNumberMarker/><IsTruncated>false</IsTruncated>"), &answer),
                     S3_DOCUMENT_PARTS);
    assert_int_equal(answer.part_count, 0);
    assert_false(answer.has_checksum);
    assert_int_equal(read_text(PARTS("<Part><PartNumber>1</PartNumber><Size>5</Size>"
                                     "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME></Part>"),
                               &answer),
                     S3_DOCUMENT_PARTS);
    assert_true(answer.has_checksum);
    assert_int_equal(read_text(PARTS(""), &answer),
                     S3_DOCUMENT_PARTS); /* another page: nothing of the last */
    assert_int_equal(answer.part_count, 0);
    assert_null(answer.parts);
    arena_free(&answer.arena);
}

static void refuses_broken_parts(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "<Part/>",
        "<Part><PartNumber>1</PartNumber></Part>",
        "<Part><Size>1</Size></Part>",
        "<Part><PartNumber>0</PartNumber><Size>1</Size></Part>",
        "<Part><PartNumber>10001</PartNumber><Size>1</Size></Part>",
        "<Part><PartNumber>-1</PartNumber><Size>1</Size></Part>",
        "<Part><PartNumber>1x</PartNumber><Size>1</Size></Part>",
        "<Part><PartNumber></PartNumber><Size>1</Size></Part>",
        "<Part><PartNumber>1</PartNumber><Size>99999999999999999999</Size></Part>",
        "<Part><PartNumber>1</PartNumber><Size>53687091200001</Size></Part>",
        "<Part><PartNumber><b/>1</PartNumber><Size>1</Size></Part>",
        "<IsTruncated>maybe</IsTruncated>",
        "<IsTruncated>true</IsTruncated>", /* but where does it go on? */
        "<IsTruncated>true</IsTruncated><NextPartNumberMarker>0</NextPartNumberMarker>",
        "<NextPartNumberMarker>10001</NextPartNumberMarker>",
        "<Part><PartNumber>1</PartNumber><Size>1</Size><ChecksumCRC64NVME>x</ChecksumCRC64NVME></Part>",
    };
    for (size_t i = 0; i < COUNT(broken); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, PARTS("%s"), broken[i]);
        refuses(text);
    }
}

static char *parts_page(size_t count, size_t *length)
{
    size_t const size = count * 200 + 200;
    char *text = malloc(size);
    assert_non_null(text);
    size_t at = (size_t)snprintf(text, size, XML "<ListPartsResult><IsTruncated>false</IsTruncated>");
    for (size_t i = 1; i <= count; i++)
        at += (size_t)snprintf(
            text + at, size - at,
            "<Part><PartNumber>%zu</PartNumber><ETag>\"%032zx\"</ETag><Size>%zu</Size></Part>", i, i,
            i * 5242880);
    *length = at + (size_t)snprintf(text + at, size - at, "</ListPartsResult>");
    return text;
}

static void reads_a_full_page_and_no_more(void **state)
{
    (void)state;
    for (size_t count = S3_LIST_MAX; count <= S3_LIST_MAX + 1; count++) {
        size_t length;
        char *text = parts_page(count, &length);
        struct s3_answer answer = {0};
        enum s3_document const document = read_bytes(text, length, CHECKSUM_CRC32, &answer);
        assert_int_equal(document, count > S3_LIST_MAX ? S3_DOCUMENT_BAD : S3_DOCUMENT_PARTS);
        assert_int_equal(answer.part_count, count > S3_LIST_MAX ? 0 : count);
        for (size_t i = 0; i < answer.part_count; i++) {
            assert_int_equal(answer.parts[i].number, i + 1);
            assert_int_equal(answer.parts[i].size, (i + 1) * 5242880);
        }
        arena_free(&answer.arena);
        free(text);
    }
}

/* ---- uploads ---- */

#define UPLOADS(inside) "<ListMultipartUploadsResult>" inside "</ListMultipartUploadsResult>"
#define INITIATED       "<Initiated>2010-11-10T20:48:33.000Z</Initiated>"

static void reads_uploads(void **state)
{
    (void)state;
    struct s3_answer answer = {0};
    assert_int_equal(
        read_text(XML
                  "<ListMultipartUploadsResult" NAMESPACE "><Bucket>b</Bucket><KeyMarker></KeyMarker>"
                  "<UploadIdMarker></UploadIdMarker><NextKeyMarker>a b&lt;/c.csv</NextKeyMarker>"
                  "<NextUploadIdMarker>u2</NextUploadIdMarker><MaxUploads>2</MaxUploads>"
                  "<IsTruncated>true</IsTruncated><Upload><Key> a+%41</Key><UploadId>u1</UploadId><Initiator>"
                  "<ID>x</ID><DisplayName>Key</DisplayName></Initiator><Owner><ID>o</ID></Owner>"
                  "<StorageClass>STANDARD</StorageClass>" INITIATED "</Upload>"
                  "<Upload>" INITIATED "<UploadId>u2</UploadId><Key>\xC3\xA4</Key></Upload>"
                  "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListMultipartUploadsResult>",
                  &answer),
        S3_DOCUMENT_UPLOADS);
    assert_int_equal(answer.upload_count, 2);
    assert_string_equal(answer.uploads[0].key, " a+%41"); /* as it is: no EncodingType */
    assert_string_equal(answer.uploads[0].upload_id, "u1");
    assert_int_equal(answer.uploads[0].initiated, 1289422113);
    assert_string_equal(answer.uploads[1].key, "\xC3\xA4");
    assert_string_equal(answer.next_key_marker, "a b</c.csv");
    assert_string_equal(answer.next_upload_marker, "u2");
    assert_true(answer.truncated);
    assert_int_equal(read_text(UPLOADS("<NextKeyMarker/><NextUploadIdMarker/>"), &answer),
                     S3_DOCUMENT_UPLOADS);
    assert_int_equal(answer.upload_count, 0);
    assert_null(answer.next_key_marker);
    assert_null(answer.next_upload_marker);
    assert_false(answer.truncated);
    arena_free(&answer.arena);
}

static void decodes_keys_wherever_the_encoding_stands(void **state)
{
    (void)state;
    static const char *const places[2] = {
        UPLOADS(
            "<EncodingType>url</EncodingType><NextKeyMarker>%2B</NextKeyMarker><Upload><Key>a%20b+c%C3%a4%01"
            "</Key><UploadId>%41</UploadId>" INITIATED "</Upload>"),
        UPLOADS("<NextKeyMarker>%2B</NextKeyMarker><Upload><Key>a%20b+c%C3%a4%01</Key><UploadId>%41</"
                "UploadId>" INITIATED "</Upload><EncodingType>url</EncodingType>")};
    for (size_t i = 0; i < 2; i++) {
        struct s3_answer answer = {0};
        assert_int_equal(read_text(places[i], &answer), S3_DOCUMENT_UPLOADS);
        assert_string_equal(answer.uploads[0].key, "a b c\xC3\xA4\x01");
        assert_string_equal(answer.uploads[0].upload_id, "%41"); /* never encoded */
        assert_string_equal(answer.next_key_marker, "+");
        arena_free(&answer.arena);
    }
}

static void refuses_broken_uploads(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "<Upload/>",
        "<Upload><Key>k</Key><UploadId>u</UploadId></Upload>", /* of no age: `cleanup` can't judge it */
        "<Upload><Key>k</Key><UploadId>u</UploadId><Initiated/></Upload>",
        "<Upload><Key>k</Key><UploadId>u</UploadId><Initiated>yesterday</Initiated></Upload>",
        "<Upload><Key>k</Key>" INITIATED "</Upload>",
        "<Upload><UploadId>u</UploadId>" INITIATED "</Upload>",
        "<Upload><Key/><UploadId>u</UploadId>" INITIATED "</Upload>",
        "<Upload><Key>k</Key><UploadId/>" INITIATED "</Upload>",
        "<Upload><Key>k</Key><Key>l</Key><UploadId>u</UploadId>" INITIATED "</Upload>",
        "<Upload><Key>k</Key><UploadId>u</UploadId><UploadId>v</UploadId>" INITIATED "</Upload>",
        "<NextKeyMarker>a</NextKeyMarker><NextKeyMarker>b</NextKeyMarker>",
        "<IsTruncated>true</IsTruncated>",
        "<IsTruncated>true</IsTruncated><NextUploadIdMarker>u</NextUploadIdMarker>",
        "<EncodingType>url</EncodingType><NextKeyMarker>%</NextKeyMarker>",
        "<EncodingType>url</EncodingType><NextKeyMarker>%4</NextKeyMarker>",
        "<EncodingType>url</EncodingType><NextKeyMarker>%x1</NextKeyMarker>",
        "<EncodingType>url</EncodingType><NextKeyMarker>a%00</NextKeyMarker>",
        "<EncodingType>url</EncodingType><Upload><Key>%</Key><UploadId>u</UploadId>" INITIATED "</Upload>",
    };
    for (size_t i = 0; i < COUNT(broken); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, UPLOADS("%s"), broken[i]);
        refuses(text);
    }
}

static void keys_are_as_long_as_keys_may_be(void **state)
{
    (void)state;
    for (int encoded = 0; encoded < 2; encoded++)
        for (int over = 0; over < 2; over++) {
            char text[8192];
            int at = snprintf(text, sizeof text, "<ListMultipartUploadsResult>%s<Upload><Key>",
                              encoded ? "<EncodingType>url</EncodingType>" : "");
            for (unsigned i = 0; i < S3_KEY_MAX + (unsigned)over; i++)
                at += snprintf(text + at, sizeof text - (size_t)at, "%s", encoded ? "%C4" : "k");
            (void)snprintf(text + at, sizeof text - (size_t)at,
                           "</Key><UploadId>u</UploadId>" INITIATED "</Upload></ListMultipartUploadsResult>");
            struct s3_answer answer = {0};
            assert_int_equal(read_text(text, &answer), over ? S3_DOCUMENT_BAD : S3_DOCUMENT_UPLOADS);
            arena_free(&answer.arena);
        }
}

static void reads_a_full_page_of_the_longest_keys(void **state)
{
    (void)state;
    size_t const size = S3_LIST_MAX * 6400 + 1000; /* each byte as &quot; */
    char *text = malloc(size);
    assert_non_null(text);
    size_t at = (size_t)snprintf(text, size, XML "<ListMultipartUploadsResult>");
    for (unsigned i = 0; i < S3_LIST_MAX; i++) {
        at += (size_t)snprintf(text + at, size - at, "<Upload>" INITIATED "<UploadId>%u</UploadId><Key>", i);
        for (unsigned k = 0; k < S3_KEY_MAX; k++) {
            memcpy(text + at, "&quot;", 6);
            at += 6;
        }
        at += (size_t)snprintf(text + at, size - at, "</Key></Upload>");
    }
    at += (size_t)snprintf(text + at, size - at, "</ListMultipartUploadsResult>");
    assert_true(at <= S3_XML_MAX);
    struct s3_answer answer = {0};
    assert_int_equal(read_bytes(text, at, CHECKSUM_NONE, &answer), S3_DOCUMENT_UPLOADS);
    assert_int_equal(answer.upload_count, S3_LIST_MAX);
    assert_int_equal(strlen(answer.uploads[999].key), S3_KEY_MAX);
    assert_string_equal(answer.uploads[999].upload_id, "999");
    arena_free(&answer.arena);
    free(text);
}

/* ---- what is no document ---- */

static void refuses_what_is_no_document(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "",
        " ",
        "\n\n",
        "x",
        "<",
        "<Error>",
        "<Error></Errors>",
        "<Error/><Error/>",
        "<Error/>x",
        "<error/>",
        "<html><body><h1>503 Service Unavailable</h1></body></html>",
        "{\"message\":\"Forbidden\"}",
        "<Error>&unknown;</Error>",
        "<Error><Code>&#0;</Code></Error>",
        "<Error><Code>&#x1b;</Code></Error>",
        "<Error><Code>\x1b[31m</Code></Error>",
        "<Error><Code>\xFF</Code></Error>",
        "<Error><Code>\xED\xA0\x80</Code></Error>",
        "<Error><Code>a<b/>c</Code></Error>",
        "<Error><Code a=\"1\" a=\"2\"/></Error>",
        "<?xml version=\"1.0\" encoding=\"EBCDIC-XY\"?><Error/>",
        "<ListAllMyBucketsResult/>",
        "<ErrorResponse><Error><Code>A</Code></Error></ErrorResponse>",
    };
    for (size_t i = 0; i < COUNT(broken); i++)
        refuses(broken[i]);
    struct s3_answer answer = {0};
    assert_int_equal(s3_xml_read(NULL, 0, CHECKSUM_NONE, &answer), S3_DOCUMENT_BAD);
    assert_int_equal(read_bytes("<Error/>\0", 9, CHECKSUM_NONE, &answer), S3_DOCUMENT_BAD);
}

static void refuses_dtds(void **state)
{
    (void)state;
    refuses("<!DOCTYPE Error><Error/>");
    refuses("<!DOCTYPE Error SYSTEM \"http://127.0.0.1:1/x.dtd\"><Error/>");
    refuses("<!DOCTYPE Error [<!ENTITY a \"b\">]><Error><Code>&a;</Code></Error>");
    refuses("<!DOCTYPE Error [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><Error><Code>&f;</Code></Error>");
    refuses("<!DOCTYPE Error [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c "
            "\"&b;&b;&b;&b;\">]>"
            "<Error><Message>&c;&c;&c;</Message></Error>");
}

static void takes_comments_instructions_and_unknown_elements(void **state)
{
    (void)state;
    struct s3_answer answer = {0};
    assert_int_equal(
        read_text(XML "<!-- a --><?x y?><Error a=\"b\"><!-- c --><New><Code>B</Code></New><Co"
                      "de>A<!-- d -->B</Code><Part><PartNumber>x</PartNumber></Part></Error><!-- e -->",
                  &answer),
        S3_DOCUMENT_ERROR);
    assert_string_equal(answer.code, "AB");
}

static void reads_utf_16_and_byte_order_marks(void **state)
{
    (void)state;
    static const char text[] = "<Error><Code>A</Code><Message>m</Message></Error>";
    char wide[2][2 * sizeof text], marked[3 + sizeof text];
    for (size_t i = 0; i < sizeof text; i++)
        for (size_t big = 0; big < 2; big++) {
            char const c = i == 0 ? 0 : text[i - 1];
            wide[big][2 * i + (big ? 1 : 0)] = i == 0 ? (char)0xFF : c;
            wide[big][2 * i + (big ? 0 : 1)] = i == 0 ? (char)0xFE : 0;
        }
    memcpy(marked, "\xEF\xBB\xBF", 3);
    memcpy(marked + 3, text, sizeof text);
    struct s3_answer answer = {0};
    assert_int_equal(read_text(marked, &answer), S3_DOCUMENT_ERROR);
    for (size_t big = 0; big < 2; big++) {
        answer = (struct s3_answer){0};
        assert_int_equal(read_bytes(wide[big], sizeof wide[big], CHECKSUM_NONE, &answer), S3_DOCUMENT_ERROR);
        assert_string_equal(answer.code, "A");
        assert_string_equal(answer.message, "m");
    }
}

static enum s3_document read_nested(size_t levels)
{
    size_t const size = levels * 7 + 64;
    char *text = malloc(size);
    assert_non_null(text);
    size_t at = (size_t)snprintf(text, size, "<Error>");
    for (size_t i = 1; i < levels; i++)
        at += (size_t)snprintf(text + at, size - at, "<a>");
    for (size_t i = 1; i < levels; i++)
        at += (size_t)snprintf(text + at, size - at, "</a>");
    at += (size_t)snprintf(text + at, size - at, "</Error>");
    struct s3_answer answer = {0};
    enum s3_document const document = read_bytes(text, at, CHECKSUM_NONE, &answer);
    free(text);
    return document;
}

static void sixteen_levels_are_enough(void **state)
{
    (void)state;
    assert_int_equal(read_nested(1), S3_DOCUMENT_ERROR);
    assert_int_equal(read_nested(16), S3_DOCUMENT_ERROR);
    assert_int_equal(read_nested(17), S3_DOCUMENT_BAD);
    assert_int_equal(read_nested(1000000), S3_DOCUMENT_BAD);
}

static void bounds_the_whole(void **state)
{
    (void)state;
    static const char before[] = "<Error><Code>A</Code><Other>", after[] = "</Other></Error>";
    for (size_t over = 0; over < 2; over++) {
        size_t const length = S3_XML_MAX + over;
        char *text = malloc(length);
        assert_non_null(text);
        memset(text, 'x', length);
        memcpy(text, before, sizeof before - 1);
        memcpy(text + length - (sizeof after - 1), after, sizeof after - 1);
        struct s3_answer answer = {0};
        assert_int_equal(s3_xml_read((const uint8_t *)text, length, CHECKSUM_NONE, &answer),
                         over ? S3_DOCUMENT_BAD : S3_DOCUMENT_ERROR);
        free(text);
    }
}

/* A reply that ends too early is never taken for a whole one, and leaves the answer as it was. */
static void refuses_documents_cut_at_every_byte(void **state)
{
    (void)state;
    static const char *const whole[] = {
        XML "<Error><Code>SlowDown</Code><Message>a&amp;\xC3\xA4</Message><RequestId>x</RequestId></Error>",
        "  \n" XML "<CompleteMultipartUploadResult" NAMESPACE "><ETag>&quot;x&quot;</ETag>"
        "<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME></CompleteMultipartUploadResult>",
        XML UPLOADS("<Upload><Key>k</Key><UploadId>u</UploadId>" INITIATED "</Upload>"),
        XML PARTS("<Part><PartNumber>1</PartNumber><Size>5</Size><ETag>e</ETag></Part>"),
    };
    for (size_t i = 0; i < COUNT(whole); i++) {
        size_t const length = strlen(whole[i]);
        for (size_t cut = 0; cut <= length; cut++) {
            struct s3_answer answer = {.status = 7}, before = {.status = 7};
            enum s3_document const document = read_bytes(whole[i], cut, CHECKSUM_CRC64NVME, &answer);
            assert_int_equal(document == S3_DOCUMENT_BAD, cut < length);
            arena_free(&answer.arena);
            if (cut < length) assert_memory_equal(&answer, &before, sizeof answer);
        }
    }
}

/* ---- texts alone ---- */

static void reads_numbers(void **state)
{
    (void)state;
    uint64_t value = 0;
    assert_true(s3_xml_text_number("0", 0, &value));
    assert_int_equal(value, 0);
    assert_true(s3_xml_text_number("999999999999999999", UINT64_MAX, &value));
    assert_int_equal(value, 999999999999999999);
    assert_true(s3_xml_text_number("007", 7, &value));
    assert_int_equal(value, 7);
    static const char *const broken[] = {"", " 1", "1 ", "+1", "-0", "0x1", "1.0", "1000000000000000000",
                                         "8"};
    for (size_t i = 0; i < COUNT(broken); i++)
        assert_false(s3_xml_text_number(broken[i], 7, &value));
}

static void cleans_into_the_smallest_room(void **state)
{
    (void)state;
    char to[4];
    s3_xml_text_clean(to, 1, "abc");
    assert_string_equal(to, "");
    s3_xml_text_clean(to, 4, "ab c");
    assert_string_equal(to, "ab"); /* the blank at the end goes */
    s3_xml_text_clean(to, 4, "a\xE2\x82\xAC");
    assert_string_equal(to, "a");
    s3_xml_text_clean(to, 4, "\xE2\x82"); /* cut where it came from */
    assert_string_equal(to, "");
    s3_xml_text_clean(to, 4, " \t\n ");
    assert_string_equal(to, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_errors_of_s3),
        cmocka_unit_test(reads_errors_of_other_stores),
        cmocka_unit_test(headers_come_before_the_body),
        cmocka_unit_test(cleans_what_people_read),
        cmocka_unit_test(cuts_long_messages_between_characters),
        cmocka_unit_test(bounds_of_texts),
        cmocka_unit_test(reads_creates),
        cmocka_unit_test(reads_completes),
        cmocka_unit_test(a_200_may_be_an_error),
        cmocka_unit_test(reads_checksums_of_the_kind_asked_for),
        cmocka_unit_test(refuses_broken_checksums),
        cmocka_unit_test(reads_parts),
        cmocka_unit_test(says_whether_all_parts_have_checksums),
        cmocka_unit_test(refuses_broken_parts),
        cmocka_unit_test(reads_a_full_page_and_no_more),
        cmocka_unit_test(reads_uploads),
        cmocka_unit_test(decodes_keys_wherever_the_encoding_stands),
        cmocka_unit_test(refuses_broken_uploads),
        cmocka_unit_test(keys_are_as_long_as_keys_may_be),
        cmocka_unit_test(reads_a_full_page_of_the_longest_keys),
        cmocka_unit_test(refuses_what_is_no_document),
        cmocka_unit_test(refuses_dtds),
        cmocka_unit_test(takes_comments_instructions_and_unknown_elements),
        cmocka_unit_test(reads_utf_16_and_byte_order_marks),
        cmocka_unit_test(sixteen_levels_are_enough),
        cmocka_unit_test(bounds_the_whole),
        cmocka_unit_test(refuses_documents_cut_at_every_byte),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(cleans_into_the_smallest_room),
    };
    return cmocka_run_group_tests_name("s3_xml", tests, NULL, NULL);
}

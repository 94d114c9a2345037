/* test_s3_message.c - every verdict has its exit status and a remedy that names the thing to change; no
 * message outgrows a fault, none repeats what looks like a secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_message.h"
#include "io/s3/s3_message_text.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct s3_subject at_aws = {.bucket = "acme",
                                         .host = "acme.s3.eu-west-1.amazonaws.com",
                                         .region = "eu-west-1",
                                         .is_aws = true,
                                         .credentials = "environment"};
static const struct s3_subject elsewhere = {.bucket = "acme",
                                            .host = "store.example.net:9000",
                                            .region = "us-east-1",
                                            .expected_owner = "123456789012",
                                            .credentials = "profile"};

static struct s3_answer answer_of(unsigned status, const char *code, const char *message)
{
    struct s3_answer answer = {.status = status};
    (void)snprintf(answer.code, sizeof answer.code, "%s", code);
    (void)snprintf(answer.message, sizeof answer.message, "%s", message);
    return answer;
}

static void must_say(const struct fault *fault, const char *word)
{
    if (strstr(fault->message, word) == NULL) fail_msg("'%s' is not in: %s", word, fault->message);
}

static void says_all_of_a_refusal(void **state)
{
    (void)state;
    struct s3_answer answer = answer_of(403, "AccessDenied", "Access Denied");
    memcpy(answer.request_id, "4442587FB7D0A2F9", 17);
    memcpy(answer.host_id,
           "vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo=", 77);
    struct s3_op const op = {.kind = S3_CREATE_UPLOAD, .key = "in/a.csv"};
    struct s3_failure const failure = {.verdict = S3_DENIED, .answer = &answer, .attempts = 1};
    struct fault fault;
    assert_int_equal(s3_message_make(&at_aws, &op, &failure, &fault), STATUS_RIGHTS);
    assert_int_equal(fault.status, STATUS_RIGHTS);
    assert_string_equal(
        fault.message,
        "CreateMultipartUpload s3://acme/in/a.csv: AccessDenied (HTTP 403): Access Denied; give the identity "
        "of "
        "the credentials in use (environment) the right s3:PutObject on bucket acme [request id "
        "4442587FB7D0A2F9, host id "
        "vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo=]");
}

static void names_the_right(void **state)
{
    (void)state;
    static const char *const rights[S3_OP_KINDS] = {
        [S3_HEAD_BUCKET] = "s3:ListBucket",
        [S3_CREATE_UPLOAD] = "s3:PutObject",
        [S3_UPLOAD_PART] = "s3:PutObject",
        [S3_COMPLETE_UPLOAD] = "s3:PutObject",
        [S3_ABORT_UPLOAD] = "s3:AbortMultipartUpload",
        [S3_LIST_PARTS] = "s3:ListMultipartUploadParts",
        [S3_LIST_UPLOADS] = "s3:ListBucketMultipartUploads",
        [S3_LIST_OBJECTS] = "s3:ListBucket",
        [S3_PUT_OBJECT] = "s3:PutObject",
        [S3_HEAD_OBJECT] = "s3:GetObject and s3:ListBucket",
        [S3_GET_OBJECT] = "s3:GetObject",
        [S3_DELETE_OBJECT] = "s3:DeleteObject",
    };
    struct s3_answer const answer = answer_of(403, "AccessDenied", "");
    struct s3_failure const failure = {.verdict = S3_DENIED, .answer = &answer, .attempts = 1};
    for (int kind = 0; kind < S3_OP_KINDS; kind++) {
        struct s3_op const op = {.kind = (enum s3_op_kind)kind, .key = "k"};
        struct fault fault;
        assert_int_equal(s3_message_make(&elsewhere, &op, &failure, &fault), STATUS_RIGHTS);
        must_say(&fault, rights[kind]);
        must_say(&fault, "account 123456789012 (account_id)");
        must_say(&fault, s3_op_name((enum s3_op_kind)kind));
    }
}

static void names_what_options_need(void **state)
{
    (void)state;
    struct aws_pair const tag = {"a", "b"};
    struct s3_object_options const object = {
        .sse = "aws:kms", .acl = "private", .tags = &tag, .tag_count = 1};
    struct s3_op const op = {.kind = S3_CREATE_UPLOAD, .key = "k", .object = &object};
    struct s3_answer const answer = answer_of(403, "AccessDenied", "");
    struct s3_failure const failure = {.verdict = S3_DENIED, .answer = &answer, .attempts = 1};
    struct fault fault;
    (void)s3_message_make(&at_aws, &op, &failure, &fault);
    must_say(&fault, "kms:GenerateDataKey");
    must_say(&fault, "s3:PutObjectTagging");
    must_say(&fault, "s3:PutObjectAcl");
}

static const struct {
    enum s3_verdict verdict;
    enum http_failure http;
    unsigned answer_status;
    const char *code;
    enum status status;
    const char *word;
} verdicts[] = {
    {S3_DENIED, HTTP_OK, 403, "InvalidAccessKeyId", STATUS_RIGHTS, "access key"},
    {S3_DENIED, HTTP_OK, 403, "SignatureDoesNotMatch", STATUS_RIGHTS, "secret access key"},
    {S3_DENIED, HTTP_OK, 400, "InvalidToken", STATUS_RIGHTS, "session token"},
    {S3_DENIED, HTTP_OK, 403, "AccountProblem", STATUS_RIGHTS, "owner"},
    {S3_EXPIRED, HTTP_OK, 400, "ExpiredToken", STATUS_RIGHTS, "(profile)"},
    {S3_CLOCK_SKEW, HTTP_OK, 403, "RequestTimeTooSkewed", STATUS_RIGHTS, "clock"},
    {S3_NO_BUCKET, HTTP_OK, 404, "NoSuchBucket", STATUS_JOB, "there is no bucket acme"},
    {S3_OTHER_REGION, HTTP_OK, 301, "PermanentRedirect", STATUS_JOB, "destination.region"},
    {S3_REDIRECT, HTTP_OK, 307, "TemporaryRedirect", STATUS_JOB, "destination.endpoint"},
    {S3_EXISTS, HTTP_OK, 412, "PreconditionFailed", STATUS_EXISTS, "destination.if_exists: replace"},
    {S3_NO_UPLOAD, HTTP_OK, 404, "NoSuchUpload", STATUS_IO, "AbortIncompleteMultipartUpload"},
    {S3_NO_KEY, HTTP_OK, 404, "NoSuchKey", STATUS_IO, "no such object"},
    {S3_CORRUPTED, HTTP_OK, 400, "BadDigest", STATUS_IO, "changed on their way"},
    {S3_CONFLICT, HTTP_OK, 409, "OperationAborted", STATUS_TRY_AGAIN, "same object"},
    {S3_THROTTLED, HTTP_OK, 503, "SlowDown", STATUS_TRY_AGAIN, "--connections"},
    {S3_TRANSIENT, HTTP_OK, 500, "InternalError", STATUS_TRY_AGAIN, "run it again"},
    {S3_TRANSIENT, HTTP_RESOLVE, 0, "", STATUS_TRY_AGAIN, "no address for store.example.net:9000"},
    {S3_TRANSIENT, HTTP_CONNECT, 0, "", STATUS_TRY_AGAIN, "HTTPS_PROXY"},
    {S3_TRANSIENT, HTTP_TLS, 0, "", STATUS_TRY_AGAIN, "http://"},
    {S3_TRANSIENT, HTTP_STALLED, 0, "", STATUS_TRY_AGAIN, "run it again"},
    {S3_TRANSIENT, HTTP_BROKEN, 0, "", STATUS_TRY_AGAIN, "run it again"},
    {S3_TRANSIENT, HTTP_PROXY, 0, "", STATUS_TRY_AGAIN, "NO_PROXY"},
    {S3_TRANSIENT, HTTP_BAD_REPLY, 0, "", STATUS_TRY_AGAIN, "an S3 service"},
    {S3_TRANSIENT, HTTP_OK, 200, "BadReply", STATUS_TRY_AGAIN, "an S3 service"},
    {S3_TRUST, HTTP_TLS_TRUST, 0, "", STATUS_IO, "AWS_CA_BUNDLE"},
    {S3_FATAL, HTTP_PROXY, 407, "", STATUS_IO, "NO_PROXY"},
    {S3_FATAL, HTTP_MEMORY, 0, "", STATUS_IO, "--connections"},
    {S3_FATAL, HTTP_REFUSED, 200, "", STATUS_IO, "could not be taken"},
    {S3_FATAL, HTTP_OK, 301, "PermanentRedirect", STATUS_JOB, "destination.region"},
    {S3_FATAL, HTTP_OK, 400, "KMS.NotFoundException", STATUS_JOB, "destination.kms_key_id"},
    {S3_FATAL, HTTP_OK, 400, "InvalidStorageClass", STATUS_JOB, "destination.storage_class"},
    {S3_FATAL, HTTP_OK, 400, "AccessControlListNotSupported", STATUS_JOB, "destination.acl: null"},
    {S3_FATAL, HTTP_OK, 400, "InvalidTag", STATUS_JOB, "destination.tags"},
    {S3_NO_BUCKET, HTTP_OK, 400, "InvalidBucketName", STATUS_JOB, "destination.url"},
    {S3_FATAL, HTTP_OK, 400, "EntityTooLarge", STATUS_IO, "--part-size"},
    {S3_FATAL, HTTP_OK, 403, "QuotaExceeded", STATUS_IO, "quota"},
    {S3_FATAL, HTTP_OK, 418, "", STATUS_IO, "refused (HTTP 418)"},
};

static void has_a_status_and_a_remedy_for_each(void **state)
{
    (void)state;
    struct s3_op const op = {.kind = S3_UPLOAD_PART, .key = "in/a.csv"};
    for (size_t i = 0; i < COUNT(verdicts); i++) {
        struct s3_answer const answer = answer_of(verdicts[i].answer_status, verdicts[i].code, "");
        struct s3_failure const failure = {
            .verdict = verdicts[i].verdict, .http = verdicts[i].http, .answer = &answer, .attempts = 3};
        struct fault fault;
        enum status const status = s3_message_make(&elsewhere, &op, &failure, &fault);
        if (status != verdicts[i].status) print_error("%zu: %s\n", i, fault.message);
        assert_int_equal(status, verdicts[i].status);
        assert_int_equal(fault.status, status);
        must_say(&fault, verdicts[i].word);
        must_say(&fault, "UploadPart s3://acme/in/a.csv: ");
        must_say(&fault, "(after 3 attempts)");
        assert_null(strstr(fault.message, ": ;"));
        assert_true(strchr(fault.message, ';')[1] == ' ' && strchr(fault.message, ';')[2] != '\0');
    }
}

static void names_the_setting_that_is_not_supported(void **state)
{
    (void)state;
    struct s3_object_options const object = {.storage_class = "GLACIER", .sse = "AES256"};
    struct s3_op op = {
        .kind = S3_PUT_OBJECT, .key = "k", .checksum_kind = CHECKSUM_CRC64NVME, .if_none_match = true};
    struct s3_answer answer = answer_of(501, "NotImplemented", "Header If-None-Match: not implemented");
    struct s3_failure failure = {.verdict = S3_NOT_SUPPORTED, .answer = &answer, .attempts = 1};
    struct fault fault;
    assert_int_equal(s3_message_make(&elsewhere, &op, &failure, &fault), STATUS_JOB);
    must_say(&fault, "destination.if_exists: replace");
    assert_null(strstr(fault.message, "destination.checksum"));

    answer = answer_of(501, "NotImplemented", ""); /* nobody says which: all that are in use */
    op.object = &object;
    (void)s3_message_make(&elsewhere, &op, &failure, &fault);
    must_say(&fault, "destination.checksum: none");
    must_say(&fault, "destination.if_exists: replace");
    must_say(&fault, "destination.sse: none");
    must_say(&fault, "destination.storage_class: null");
    assert_null(strstr(fault.message, "destination.acl"));

    failure.no_echo = true;
    (void)s3_message_make(&elsewhere, &op, &failure, &fault);
    must_say(&fault, "does not check crc64nvme");
    must_say(&fault, "destination.checksum: none");

    failure.no_echo = false;
    op = (struct s3_op){.kind = S3_LIST_UPLOADS, .prefix = "in/"};
    (void)s3_message_make(&elsewhere, &op, &failure, &fault);
    must_say(&fault, "s3://acme/in/");
    must_say(&fault, "destination.endpoint");
}

static void names_the_region_that_is_right(void **state)
{
    (void)state;
    struct s3_op const op = {.kind = S3_HEAD_BUCKET};
    struct s3_answer answer = answer_of(301, "PermanentRedirect", "");
    memcpy(answer.region, "ap-south-1", 11);
    struct s3_failure const failure = {.verdict = S3_OTHER_REGION, .answer = &answer, .attempts = 1};
    struct fault fault;
    (void)s3_message_make(&at_aws, &op, &failure, &fault);
    must_say(&fault, "HeadBucket s3://acme: ");
    must_say(&fault, "destination.region: ap-south-1");
    (void)s3_message_make(&elsewhere, &op, &failure, &fault);
    must_say(&fault, "it is in ap-south-1");
    must_say(&fault, "destination.endpoint");
}

static void says_why_it_was_not_tried_again(void **state)
{
    (void)state;
    struct s3_op const op = {.kind = S3_HEAD_OBJECT, .key = "k"};
    struct s3_answer const answer = answer_of(0, "", "");
    struct s3_failure failure = {.verdict = S3_TRANSIENT,
                                 .http = HTTP_BROKEN,
                                 .http_text = "Connection reset by peer",
                                 .answer = &answer,
                                 .attempts = 2,
                                 .budget_used_up = true};
    struct fault fault;
    (void)s3_message_make(&elsewhere, &op, &failure, &fault);
    must_say(&fault, "Connection reset by peer (after 2 attempts)");
    must_say(&fault, "too many requests of this run failed");
    failure.budget_used_up = false;
    failure.hurried = true;
    (void)s3_message_make(&elsewhere, &op, &failure, &fault);
    must_say(&fault, "the run is ending");
    failure = (struct s3_failure){
        .verdict = S3_EXPIRED, .answer = &answer, .attempts = 1, .renewal = "the role is gone"};
    assert_int_equal(s3_message_make(&elsewhere, &op, &failure, &fault), STATUS_TRY_AGAIN);
    must_say(&fault, "the role is gone");
}

static void leaves_out_what_looks_like_a_secret(void **state)
{
    (void)state;
    static const char *const secrets[] = {
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        "IQoJb3JpZ2luX2VjEPT//////////wEaCXVzLWVhc3QtMSJHMEUCIQDkSessionTokenOfSomeHundredCharacters==",
        "IQoJb3JpZ2luX2VjEPT%2F%2F%2F%2F%2FwEaCXVzLWVhc3QtMSJHMEUCIQDkSessionToken%3D%3D"};
    struct s3_op const op = {.kind = S3_HEAD_OBJECT, .key = "k"};
    for (size_t i = 0; i < COUNT(secrets); i++) {
        char message[512];
        (void)snprintf(message, sizeof message, "we got Signature=%s, token: %s.", secrets[i], secrets[i]);
        struct s3_answer const answer = answer_of(403, "AccessDenied", message);
        struct s3_failure const failure = {.verdict = S3_DENIED, .answer = &answer, .attempts = 1};
        struct fault fault;
        (void)s3_message_make(&elsewhere, &op, &failure, &fault);
        must_say(&fault, "we got ");
        must_say(&fault, "[...]");
        assert_null(strstr(fault.message, secrets[i]));
        assert_null(strstr(fault.message, secrets[i] + strlen(secrets[i]) - 20));
    }
}

static void makes_foreign_words_fit(void **state)
{
    (void)state;
    char out[16];
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", ""},
        {"short", "short"},
        {"a b\nc\td", "a b?c?d"},
        {"exactly a doz", "exactly a ..."},
        {"one two three four", "one two ..."},
        {"\xff\xfe b", "?? b"},
        {"\xc3\xa4\xc3\xb6", "\xc3\xa4\xc3\xb6"},
        {"1234567890 \xe2\x82\xac\xe2\x82\xac", "1234567890 ..."},
        {"\xc2\x85x", "?x"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        s3_message_words(cases[i].text, out, sizeof out);
        assert_string_equal(out, cases[i].wanted);
    }
}

static void shortens_places(void **state)
{
    (void)state;
    char key[1025], bucket[2049], url[S3_MESSAGE_URL_MAX + 8];
    memset(key, 'k', 1024);
    memcpy(key + 1000, "the-end-of-its-name.csv", 24);
    memset(bucket, 'b', 2048);
    bucket[2048] = '\0';
    s3_message_url(bucket, key, url, sizeof url);
    assert_int_equal(strncmp(url, "s3://bbbb", 9), 0);
    assert_non_null(strstr(url, "bbb...bbb"));
    assert_non_null(strstr(url, "kkk...kkk"));
    assert_string_equal(url + strlen(url) - 23, "the-end-of-its-name.csv");
    for (size_t i = 0; i + 2 < sizeof key; i += 3)
        memcpy(key + i, "\xe2\x82\xac", 3);
    key[1023] = '\0';
    s3_message_url("acme", key, url, sizeof url);
    assert_non_null(strstr(url, "\xe2\x82\xac...\xe2\x82\xac"));
    s3_message_url("acme", NULL, url, sizeof url);
    assert_string_equal(url, "s3://acme");
}

/* Everything as long as it may be: the remedy and the request's id are still there. */
static void fits_a_fault(void **state)
{
    (void)state;
    char key[1025], bucket[2049], host[256];
    struct s3_answer answer = {.status = 403};
    memset(key, 'k', 1024), key[1024] = '\0';
    memset(bucket, 'b', 2048), bucket[2048] = '\0';
    memset(host, 'h', 255), host[255] = '\0';
    memset(answer.code, 'c', sizeof answer.code - 1);
    for (size_t i = 0; i + 1 < sizeof answer.message; i++)
        answer.message[i] = i % 8 == 7 ? ' ' : 'm';
    memset(answer.request_id, 'r', sizeof answer.request_id - 1);
    memset(answer.host_id, 'i', sizeof answer.host_id - 1);
    memset(answer.region, 'g', sizeof answer.region - 1);
    struct s3_subject const subject = {.bucket = bucket,
                                       .host = host,
                                       .region = answer.region,
                                       .expected_owner = "123456789012",
                                       .credentials = "web identity (AssumeRoleWithWebIdentity)"};
    struct aws_pair const tag = {"a", "b"};
    struct s3_object_options const object = {
        .sse = "aws:kms:dsse", .acl = "private", .tags = &tag, .tag_count = 1, .storage_class = "X"};
    struct s3_op const op = {.kind = S3_COMPLETE_UPLOAD,
                             .key = key,
                             .object = &object,
                             .checksum_kind = CHECKSUM_CRC64NVME,
                             .if_none_match = true};
    for (int verdict = S3_TRANSIENT; verdict <= S3_FATAL; verdict++) {
        for (int failure = HTTP_OK; failure <= HTTP_REFUSED; failure++) {
            struct s3_failure const how = {.verdict = (enum s3_verdict)verdict,
                                           .http = (enum http_failure)failure,
                                           .answer = &answer,
                                           .attempts = UINT32_MAX,
                                           .budget_used_up = true,
                                           .hurried = true,
                                           .renewal = answer.message};
            struct fault fault;
            (void)s3_message_make(&subject, &op, &how, &fault);
            assert_true(strlen(fault.message) < sizeof fault.message - 1);
            assert_int_equal(fault.message[strlen(fault.message) - 1], ']');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_all_of_a_refusal),
        cmocka_unit_test(names_the_right),
        cmocka_unit_test(names_what_options_need),
        cmocka_unit_test(has_a_status_and_a_remedy_for_each),
        cmocka_unit_test(names_the_setting_that_is_not_supported),
        cmocka_unit_test(names_the_region_that_is_right),
        cmocka_unit_test(says_why_it_was_not_tried_again),
        cmocka_unit_test(leaves_out_what_looks_like_a_secret),
        cmocka_unit_test(makes_foreign_words_fit),
        cmocka_unit_test(shortens_places),
        cmocka_unit_test(fits_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

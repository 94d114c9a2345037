/* test_s3_retry.c - every code of S3's list and of the stores like it, every status, every failure of HTTP;
 * then delays and the budget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_retry.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct s3_answer answer_of(unsigned status, const char *code)
{
    struct s3_answer answer = {.status = status, .retry_after_ms = -1};
    (void)snprintf(answer.code, sizeof answer.code, "%s", code);
    return answer;
}

static enum s3_verdict judge(enum s3_op_kind kind, const struct s3_answer *answer)
{
    struct s3_op const op = {.kind = kind};
    return s3_retry_judge(&op, HTTP_OK, answer, false);
}

static void expect(enum s3_verdict verdict, enum s3_verdict wanted, const char *what)
{
    if (verdict != wanted)
        fail_msg("%s: %s, not %s", what, s3_verdict_name(verdict), s3_verdict_name(wanted));
}

/* ---- codes ---- */

/* Status and code as the servers send them, to CompleteMultipartUpload. */
static const struct {
    unsigned status;
    const char *code;
    enum s3_verdict verdict;
} codes[] = {
    /* AWS's list of error codes, but those of requests that we never send */
    {400, "AccessControlListNotSupported", S3_FATAL},
    {403, "AccessDenied", S3_DENIED},
    {403, "AccountProblem", S3_DENIED},
    {403, "AllAccessDisabled", S3_DENIED},
    {400, "BadDigest", S3_CORRUPTED},
    {409, "ConditionalRequestConflict", S3_CONFLICT},
    {400, "ConnectionClosedByRequester", S3_TRANSIENT},
    {400, "CredentialsNotSupported", S3_FATAL},
    {400, "EntityTooLarge", S3_FATAL},
    {400, "EntityTooSmall", S3_FATAL},
    {400, "ExpiredToken", S3_EXPIRED},
    {400, "IllegalLocationConstraintException", S3_OTHER_REGION},
    {400, "IncompleteBody", S3_TRANSIENT},
    {400, "IncorrectEndpoint", S3_OTHER_REGION},
    {500, "InternalError", S3_TRANSIENT},
    {403, "InvalidAccessKeyId", S3_DENIED},
    {400, "InvalidArgument", S3_FATAL},
    {400, "InvalidBucketName", S3_NO_BUCKET},
    {409, "InvalidBucketState", S3_FATAL},
    {400, "InvalidBucketOwnerAWSAccountID", S3_FATAL},
    {400, "InvalidDigest", S3_CORRUPTED},
    {400, "InvalidEncryptionAlgorithmError", S3_FATAL},
    {400, "InvalidHostHeader", S3_FATAL},
    {403, "InvalidObjectState", S3_FATAL},
    {400, "InvalidPart", S3_FATAL},
    {400, "InvalidPartOrder", S3_FATAL},
    {403, "InvalidPayer", S3_DENIED},
    {416, "InvalidRange", S3_FATAL},
    {403, "InvalidRegion", S3_FATAL},
    {400, "InvalidRequest", S3_FATAL},
    {403, "InvalidSecurity", S3_DENIED},
    {400, "InvalidStorageClass", S3_FATAL},
    {400, "InvalidTag", S3_FATAL},
    {400, "InvalidToken", S3_DENIED},
    {400, "InvalidURI", S3_FATAL},
    {400, "KeyTooLongError", S3_FATAL},
    {400, "KMS.DisabledException", S3_FATAL},
    {400, "KMS.NotFoundException", S3_FATAL},
    {400, "KMS.ThrottlingException", S3_THROTTLED},
    {400, "MalformedXML", S3_FATAL},
    {400, "MaxMessageLengthExceeded", S3_FATAL},
    {400, "MetadataTooLarge", S3_FATAL},
    {405, "MethodNotAllowed", S3_FATAL},
    {403, "MissingAuthenticationToken", S3_DENIED},
    {411, "MissingContentLength", S3_FATAL},
    {400, "MissingSecurityHeader", S3_FATAL},
    {404, "NoSuchAccessPoint", S3_NO_BUCKET},
    {404, "NoSuchBucket", S3_NO_BUCKET},
    {404, "NoSuchKey", S3_NO_KEY},
    {404, "NoSuchUpload", S3_NO_UPLOAD},
    {404, "NoSuchVersion", S3_NO_KEY},
    {501, "NotImplemented", S3_NOT_SUPPORTED},
    {403, "NotSignedUp", S3_DENIED},
    {409, "OperationAborted", S3_CONFLICT},
    {412, "PreconditionFailed", S3_EXISTS},
    {307, "Redirect", S3_REDIRECT},
    {400, "RequestHeaderSectionTooLarge", S3_FATAL},
    {400, "RequestTimeout", S3_TRANSIENT},
    {403, "RequestTimeTooSkewed", S3_CLOCK_SKEW},
    {400, "ResponseInterrupted", S3_TRANSIENT},
    {403, "SignatureDoesNotMatch", S3_DENIED},
    {503, "ServiceUnavailable", S3_THROTTLED},
    {503, "SlowDown", S3_THROTTLED},
    {307, "TemporaryRedirect", S3_REDIRECT},
    {400, "TokenRefreshRequired", S3_EXPIRED},
    {403, "UnauthorizedAccess", S3_DENIED},
    {403, "UnauthorizedAccessError", S3_DENIED},
    {403, "UnexpectedIPError", S3_DENIED},
    {400, "UnsupportedArgument", S3_NOT_SUPPORTED},
    {400, "UnsupportedSignature", S3_DENIED},
    {400, "XAmzContentSHA256Mismatch", S3_CORRUPTED},
    /* all services' lists, botocore */
    {400, "Throttling", S3_THROTTLED},
    {400, "ThrottlingException", S3_THROTTLED},
    {400, "ThrottledException", S3_THROTTLED},
    {400, "RequestThrottledException", S3_THROTTLED},
    {400, "RequestThrottled", S3_THROTTLED},
    {400, "TooManyRequestsException", S3_THROTTLED},
    {400, "ProvisionedThroughputExceededException", S3_THROTTLED},
    {400, "TransactionInProgressException", S3_THROTTLED},
    {400, "RequestLimitExceeded", S3_THROTTLED},
    {400, "BandwidthLimitExceeded", S3_THROTTLED},
    {400, "LimitExceededException", S3_THROTTLED},
    {400, "EC2ThrottledException", S3_THROTTLED},
    {400, "RequestTimeoutException", S3_TRANSIENT},
    {400, "PriorRequestNotComplete", S3_TRANSIENT},
    {403, "RequestExpired", S3_CLOCK_SKEW},
    {403, "RequestInTheFuture", S3_CLOCK_SKEW},
    {400, "ExpiredTokenException", S3_EXPIRED},
    {403, "InvalidClientTokenId", S3_DENIED},
    {403, "UnrecognizedClientException", S3_DENIED},
    {400, "IncompleteSignature", S3_DENIED},
    {403, "OptInRequired", S3_DENIED},
    {403, "AuthFailure", S3_DENIED},
    /* stores like S3 */
    {403, "QuotaExceeded", S3_FATAL},
    {403, "UserSuspended", S3_DENIED},
    {400, "XAmzContentChecksumMismatch", S3_CORRUPTED},
    {400, "ContentSHA256Mismatch", S3_CORRUPTED},
    {503, "SlowDownRead", S3_THROTTLED},
    {503, "SlowDownWrite", S3_THROTTLED},
    {503, "OperationMaxedOut", S3_THROTTLED},
    {503, "OperationTimedOut", S3_TRANSIENT},
    {503, "XMinioServerNotInitialized", S3_TRANSIENT},
    {507, "XMinioStorageFull", S3_FATAL},
    {499, "ClientDisconnected", S3_TRANSIENT},
    {403, "InvalidTokenId", S3_DENIED},
    {400, "ClientDisconnect", S3_TRANSIENT},
    {429, "TooManyRequests", S3_THROTTLED},
    {409, "FileAlreadyExists", S3_EXISTS},
    {503, "InternalError", S3_TRANSIENT}, /* a code of another kind */
    /* of no list: by the status */
    {400, "SomethingNew", S3_FATAL},
    {403, "SomethingNew", S3_DENIED},
    {409, "SomethingNew", S3_CONFLICT},
    {500, "SomethingNew", S3_TRANSIENT},
    {503, "SomethingNew", S3_THROTTLED},
    {503, "BadReply", S3_THROTTLED}, /* a load balancer's page */
    {502, "BadReply", S3_TRANSIENT},
    {403, "BadReply", S3_DENIED},
    {200, "BadReply", S3_TRANSIENT},
    {500, "slowdown", S3_TRANSIENT}, /* codes have their case */
};

static void judges_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct s3_answer const answer = answer_of(codes[i].status, codes[i].code);
        struct s3_op const op = {.kind = S3_COMPLETE_UPLOAD};
        expect(s3_retry_judge(&op, HTTP_OK, &answer, false), codes[i].verdict, codes[i].code);
    }
}

/* CompleteMultipartUpload answers 200 before it knows. */
static void judges_errors_in_a_200(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        enum s3_verdict verdict;
    } cases[] = {{"InternalError", S3_TRANSIENT},   {"SlowDown", S3_THROTTLED},
                 {"AccessDenied", S3_DENIED},       {"InvalidPart", S3_FATAL},
                 {"InvalidRequest", S3_FATAL},      {"SomethingNew", S3_TRANSIENT},
                 {"NoSuchUpload", S3_NO_UPLOAD},    {"BadDigest", S3_CORRUPTED},
                 {"PreconditionFailed", S3_EXISTS}, {"", S3_TRANSIENT}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct s3_answer const answer = answer_of(200, cases[i].code);
        expect(judge(S3_COMPLETE_UPLOAD, &answer), cases[i].verdict, cases[i].code);
    }
}

static void judges_another_region(void **state)
{
    (void)state;
    struct s3_answer answer = answer_of(400, "AuthorizationHeaderMalformed");
    expect(judge(S3_UPLOAD_PART, &answer), S3_DENIED, "without a region: the access key");
    strcpy(answer.region, "eu-west-1");
    expect(judge(S3_UPLOAD_PART, &answer), S3_OTHER_REGION, "AuthorizationHeaderMalformed");
    answer = answer_of(301, "PermanentRedirect");
    expect(judge(S3_UPLOAD_PART, &answer), S3_OTHER_REGION, "nothing");
    strcpy(answer.endpoint, "bucket.s3.example.net");
    expect(judge(S3_UPLOAD_PART, &answer), S3_REDIRECT, "endpoint");
    strcpy(answer.region, "eu-west-1");
    expect(judge(S3_UPLOAD_PART, &answer), S3_OTHER_REGION, "region and endpoint");
    strcpy(answer.code, "");
    expect(judge(S3_HEAD_BUCKET, &answer), S3_OTHER_REGION, "HEAD");
}

static void judges_redirects(void **state)
{
    (void)state;
    static const unsigned statuses[] = {302, 307, 308};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct s3_answer answer = answer_of(statuses[i], "");
        expect(judge(S3_PUT_OBJECT, &answer), S3_FATAL, "to nowhere");
        strcpy(answer.endpoint, "elsewhere.example.net");
        expect(judge(S3_PUT_OBJECT, &answer), S3_REDIRECT, "elsewhere");
    }
}

static void judges_headers_that_a_store_does_not_know(void **state)
{
    (void)state;
    static const struct {
        const char *code, *message;
        enum s3_verdict verdict;
    } cases[] = {
        {"InvalidArgument", "Unsupported header 'x-amz-sdk-checksum-algorithm' received for this API call.",
         S3_NOT_SUPPORTED}, /* B2 */
        {"InvalidArgument",
         "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value.",
         S3_NOT_SUPPORTED}, /* OSS */
        {"InvalidRequest", "Checksum type FULL_OBJECT is not supported for the crc32c checksum algorithm.",
         S3_NOT_SUPPORTED},
        {"InvalidRequest", "The authorization mechanism you have provided is not supported.", S3_FATAL},
        {"InvalidRequest", "Value for x-amz-checksum-crc64nvme header is invalid.", S3_FATAL},
        {"InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", S3_FATAL},
        {"InvalidArgument", "", S3_FATAL}, /* RGW has no words */
        {"EntityTooLarge", "header not supported", S3_FATAL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct s3_answer answer = answer_of(400, cases[i].code);
        (void)snprintf(answer.message, sizeof answer.message, "%s", cases[i].message);
        expect(judge(S3_CREATE_UPLOAD, &answer), cases[i].verdict, cases[i].message);
    }
    struct s3_answer const bare = answer_of(501, "");
    expect(judge(S3_CREATE_UPLOAD, &bare), S3_NOT_SUPPORTED, "501");
}

/* ---- statuses ---- */

static void judges_statuses_without_a_code(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        enum s3_verdict verdict;
    } cases[] = {{304, S3_FATAL},     {401, S3_DENIED},    {402, S3_FATAL},     {403, S3_DENIED},
                 {405, S3_FATAL},     {408, S3_TRANSIENT}, {409, S3_CONFLICT},  {411, S3_FATAL},
                 {413, S3_FATAL},     {416, S3_FATAL},     {417, S3_FATAL},     {425, S3_TRANSIENT},
                 {429, S3_THROTTLED}, {499, S3_TRANSIENT}, {500, S3_TRANSIENT}, {501, S3_NOT_SUPPORTED},
                 {502, S3_TRANSIENT}, {503, S3_THROTTLED}, {504, S3_TRANSIENT}, {505, S3_FATAL},
                 {507, S3_FATAL},     {509, S3_THROTTLED}, {511, S3_FATAL},     {520, S3_TRANSIENT},
                 {524, S3_TRANSIENT}, {999, S3_TRANSIENT}};
    static const enum s3_op_kind kinds[] = {S3_HEAD_BUCKET, S3_HEAD_OBJECT, S3_UPLOAD_PART, S3_GET_OBJECT};
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t k = 0; k < COUNT(kinds); k++) {
            struct s3_answer const answer = answer_of(cases[i].status, "");
            char text[32];
            (void)snprintf(text, sizeof text, "%u, %u", cases[i].status, kinds[k]);
            expect(judge(kinds[k], &answer), cases[i].verdict, text);
        }
}

static void judges_not_found_by_what_was_looked_for(void **state)
{
    (void)state;
    static const enum s3_verdict verdicts[S3_OP_KINDS] = {
        [S3_HEAD_BUCKET] = S3_NO_BUCKET,  [S3_CREATE_UPLOAD] = S3_NO_BUCKET,
        [S3_UPLOAD_PART] = S3_NO_UPLOAD,  [S3_COMPLETE_UPLOAD] = S3_NO_UPLOAD,
        [S3_ABORT_UPLOAD] = S3_NO_UPLOAD, [S3_LIST_PARTS] = S3_NO_UPLOAD,
        [S3_LIST_UPLOADS] = S3_NO_BUCKET, [S3_PUT_OBJECT] = S3_NO_BUCKET,
        [S3_HEAD_OBJECT] = S3_NO_KEY,     [S3_GET_OBJECT] = S3_NO_KEY,
        [S3_DELETE_OBJECT] = S3_NO_KEY,   [S3_LIST_OBJECTS] = S3_NO_BUCKET,
    };
    for (enum s3_op_kind kind = 0; kind < S3_OP_KINDS; kind++) {
        struct s3_answer answer = answer_of(404, "");
        expect(judge(kind, &answer), verdicts[kind], "404");
        answer = answer_of(404, "NoSuchBucket"); /* words are better, where there is a body */
        if (kind != S3_HEAD_OBJECT) expect(judge(kind, &answer), S3_NO_BUCKET, "NoSuchBucket");
    }
}

static void a_precondition_is_about_what_was_asked(void **state)
{
    (void)state;
    struct s3_answer const answer = answer_of(412, "PreconditionFailed"), bare = answer_of(412, "");
    expect(judge(S3_COMPLETE_UPLOAD, &answer), S3_EXISTS, "Complete");
    expect(judge(S3_PUT_OBJECT, &bare), S3_EXISTS, "Put");
    expect(judge(S3_GET_OBJECT, &answer), S3_FATAL, "Get: the source changed");
    expect(judge(S3_HEAD_OBJECT, &bare), S3_FATAL, "Head");
}

/* Whatever name a status was given: HEAD brought no body. */
static void heads_are_judged_by_status(void **state)
{
    (void)state;
    struct s3_answer answer = answer_of(400, "BadRequest");
    expect(judge(S3_HEAD_BUCKET, &answer), S3_EXPIRED, "400");
    expect(judge(S3_HEAD_OBJECT, &answer), S3_EXPIRED, "400");
    expect(judge(S3_GET_OBJECT, &answer), S3_FATAL, "400 of another");
    strcpy(answer.region, "eu-west-1");
    expect(judge(S3_HEAD_BUCKET, &answer), S3_OTHER_REGION, "400 with a region");
    answer = answer_of(404, "NoSuchKey");
    expect(judge(S3_HEAD_BUCKET, &answer), S3_NO_BUCKET, "404");
    answer = answer_of(403, "SlowDown");
    expect(judge(S3_HEAD_OBJECT, &answer), S3_DENIED, "403");
    answer = answer_of(503, "InternalError");
    expect(judge(S3_HEAD_OBJECT, &answer), S3_THROTTLED, "503");
}

/* ---- no reply, or half of one ---- */

static void judges_failures(void **state)
{
    (void)state;
    static const struct {
        enum http_failure failure;
        enum s3_verdict verdict;
    } cases[] = {{HTTP_RESOLVE, S3_TRANSIENT},   {HTTP_CONNECT, S3_TRANSIENT}, {HTTP_TLS_TRUST, S3_TRUST},
                 {HTTP_TLS, S3_TRANSIENT},       {HTTP_STALLED, S3_TRANSIENT}, {HTTP_BROKEN, S3_TRANSIENT},
                 {HTTP_BAD_REPLY, S3_TRANSIENT}, {HTTP_PROXY, S3_TRANSIENT},   {HTTP_MEMORY, S3_FATAL},
                 {HTTP_REFUSED, S3_FATAL},       {HTTP_OK, S3_TRANSIENT}};
    static const unsigned statuses[] = {0, 100, 200};
    struct s3_op const op = {.kind = S3_UPLOAD_PART};
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t k = 0; k < COUNT(statuses); k++) {
            struct s3_answer const answer = answer_of(statuses[k], "");
            expect(s3_retry_judge(&op, cases[i].failure, &answer, false), cases[i].verdict, "failure");
        }
}

static void an_error_counts_more_than_the_break_after_it(void **state)
{
    (void)state;
    struct s3_op const op = {.kind = S3_UPLOAD_PART};
    struct s3_answer answer = answer_of(503, "SlowDown");
    expect(s3_retry_judge(&op, HTTP_BROKEN, &answer, false), S3_THROTTLED, "early 503");
    answer = answer_of(403, "");
    expect(s3_retry_judge(&op, HTTP_BROKEN, &answer, false), S3_DENIED, "403 that was cut");
    answer = answer_of(200, "");
    expect(s3_retry_judge(&op, HTTP_BROKEN, &answer, true), S3_TRANSIENT, "200 that was cut");
    expect(s3_retry_judge(&op, HTTP_OK, &answer, true), S3_DONE, "200");
    answer = answer_of(403, "");
    expect(s3_retry_judge(&op, HTTP_TLS_TRUST, &answer, false), S3_TRUST, "trust");
}

static void a_proxy_that_refuses_for_good(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        enum s3_verdict verdict;
    } cases[] = {{0, S3_TRANSIENT},   {403, S3_FATAL},     {407, S3_FATAL},     {408, S3_TRANSIENT},
                 {429, S3_TRANSIENT}, {502, S3_TRANSIENT}, {503, S3_TRANSIENT}, {504, S3_TRANSIENT}};
    struct s3_op const op = {.kind = S3_UPLOAD_PART};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct s3_answer const answer = answer_of(cases[i].status, "");
        expect(s3_retry_judge(&op, HTTP_PROXY, &answer, false), cases[i].verdict, "proxy");
    }
}

static void gives_an_unknown_host_few_attempts(void **state)
{
    (void)state;
    static const enum http_failure doubtful[] = {HTTP_RESOLVE, HTTP_TLS, HTTP_PROXY, HTTP_BAD_REPLY};
    static const enum http_failure others[] = {HTTP_OK, HTTP_CONNECT, HTTP_STALLED, HTTP_BROKEN};
    for (size_t i = 0; i < COUNT(doubtful); i++) {
        assert_int_equal(s3_retry_attempts(doubtful[i], false), S3_ATTEMPTS_UNKNOWN_HOST);
        assert_int_equal(s3_retry_attempts(doubtful[i], true), S3_ATTEMPTS_MAX);
        assert_int_equal(s3_retry_attempts(others[i], false), S3_ATTEMPTS_MAX);
        assert_int_equal(s3_retry_attempts(others[i], true), S3_ATTEMPTS_MAX);
    }
}

/* ---- refined ---- */

static void a_clock_that_is_off_explains_a_refusal(void **state)
{
    (void)state;
    struct s3_answer answer = answer_of(403, "");
    assert_int_equal(s3_retry_refine(S3_DENIED, &answer, "eu", 1000000), S3_DENIED); /* no date */
    static const struct {
        int64_t date;
        enum s3_verdict verdict;
    } cases[] = {{1000000, S3_DENIED},     {1000900, S3_DENIED},    {999100, S3_DENIED},
                 {1000901, S3_CLOCK_SKEW}, {999099, S3_CLOCK_SKEW}, {1, S3_CLOCK_SKEW}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer.date = cases[i].date;
        assert_int_equal(s3_retry_refine(S3_DENIED, &answer, "eu", 1000000), cases[i].verdict);
    }
    answer.date = 1;
    assert_int_equal(s3_retry_refine(S3_EXPIRED, &answer, "eu", 1000000), S3_CLOCK_SKEW);
    assert_int_equal(s3_retry_refine(S3_THROTTLED, &answer, "eu", 1000000), S3_THROTTLED);
    assert_int_equal(s3_retry_refine(S3_NO_KEY, &answer, "eu", 1000000), S3_NO_KEY);
}

static void the_region_that_it_was_is_no_other(void **state)
{
    (void)state;
    struct s3_answer answer = answer_of(400, "");
    strcpy(answer.region, "eu-west-1");
    assert_int_equal(s3_retry_refine(S3_OTHER_REGION, &answer, "us-east-1", 5), S3_OTHER_REGION);
    assert_int_equal(s3_retry_refine(S3_OTHER_REGION, &answer, "eu-west-1", 5), S3_EXPIRED);
    answer.date = 5000;
    assert_int_equal(s3_retry_refine(S3_OTHER_REGION, &answer, "eu-west-1", 5), S3_CLOCK_SKEW);
    answer.date = 0;
    strcpy(answer.code, "AuthorizationHeaderMalformed");
    assert_int_equal(s3_retry_refine(S3_OTHER_REGION, &answer, "eu-west-1", 5), S3_FATAL);
    answer = answer_of(301, "");
    assert_int_equal(s3_retry_refine(S3_OTHER_REGION, &answer, "eu-west-1", 5), S3_OTHER_REGION);
    strcpy(answer.region, "eu-west-1");
    assert_int_equal(s3_retry_refine(S3_OTHER_REGION, &answer, "eu-west-1", 5), S3_FATAL);
    strcpy(answer.endpoint, "s3.example.net");
    assert_int_equal(s3_retry_refine(S3_OTHER_REGION, &answer, "eu-west-1", 5), S3_REDIRECT);
}

static void verdicts_have_names(void **state)
{
    (void)state;
    for (enum s3_verdict a = S3_DONE; a <= S3_FATAL; a++) {
        assert_string_not_equal(s3_verdict_name(a), "unknown");
        for (enum s3_verdict b = S3_DONE; b < a; b++)
            assert_string_not_equal(s3_verdict_name(a), s3_verdict_name(b));
    }
    assert_string_equal(s3_verdict_name(S3_FATAL + 1), "unknown");
}

/* ---- delays ---- */

static void delays_double_up_to_a_cap(void **state)
{
    (void)state;
    static const uint32_t transient[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000};
    static const uint32_t throttled[] = {1000, 2000, 4000, 8000, 16000, 20000, 20000, 20000, 20000, 20000};
    for (uint32_t i = 0; i < COUNT(transient); i++) {
        assert_int_equal(s3_retry_delay(S3_TRANSIENT, i + 2, -1, UINT64_MAX), transient[i]);
        assert_int_equal(s3_retry_delay(S3_CORRUPTED, i + 2, -1, UINT64_MAX), transient[i]);
        assert_int_equal(s3_retry_delay(S3_CONFLICT, i + 2, -1, UINT64_MAX), transient[i]);
        assert_int_equal(s3_retry_delay(S3_THROTTLED, i + 2, -1, UINT64_MAX), throttled[i]);
        assert_int_equal(s3_retry_delay(S3_THROTTLED, i + 2, -1, 0), 0);
    }
    assert_int_equal(s3_retry_delay(S3_THROTTLED, UINT32_MAX, -1, UINT64_MAX), 20000);
    assert_int_equal(s3_retry_delay(S3_THROTTLED, 0, -1, UINT64_MAX), 1000);
}

static void delays_are_spread_evenly(void **state)
{
    (void)state;
    unsigned tenths[10] = {0};
    for (uint64_t i = 0; i < 100000; i++) {
        uint32_t const delay = s3_retry_delay(S3_THROTTLED, 2, -1, i * UINT64_C(0x9E3779B97F4A7C15));
        assert_in_range(delay, 0, 1000);
        tenths[delay == 1000 ? 9 : delay / 100]++;
    }
    for (size_t i = 0; i < 10; i++)
        assert_in_range(tenths[i], 9500, 10500);
}

static void what_the_server_asks_for_is_kept_to(void **state)
{
    (void)state;
    assert_int_equal(s3_retry_delay(S3_THROTTLED, 2, 5000, 0), 5000);
    assert_int_equal(s3_retry_delay(S3_THROTTLED, 9, 5000, UINT64_MAX), 6000);
    assert_int_equal(s3_retry_delay(S3_TRANSIENT, 9, 5000, UINT64_MAX), 5100);
    assert_int_equal(s3_retry_delay(S3_TRANSIENT, 9, 0, UINT64_MAX),
                     100); /* "at once", but not all at once */
    assert_int_equal(s3_retry_delay(S3_THROTTLED, 2, 86400000, 0), S3_RETRY_AFTER_MAX);
    assert_int_equal(s3_retry_delay(S3_THROTTLED, 2, INT64_MAX, UINT64_MAX), S3_RETRY_AFTER_MAX + 1000);
    assert_int_equal(s3_retry_delay(S3_THROTTLED, 2, INT64_MIN, 0), 0);
}

static void other_verdicts_wait_for_nothing(void **state)
{
    (void)state;
    static const enum s3_verdict verdicts[] = {S3_DONE,     S3_CLOCK_SKEW, S3_EXPIRED,   S3_OTHER_REGION,
                                               S3_REDIRECT, S3_DENIED,     S3_NO_BUCKET, S3_TRUST,
                                               S3_EXISTS,   S3_FATAL};
    for (size_t i = 0; i < COUNT(verdicts); i++) {
        assert_int_equal(s3_retry_delay(verdicts[i], 9, -1, UINT64_MAX), 0);
        assert_int_equal(s3_retry_delay(verdicts[i], 9, 9000, UINT64_MAX), 0);
    }
}

/* ---- the budget ---- */

static unsigned takes(struct s3_retry_budget *budget, enum s3_verdict verdict)
{
    unsigned count = 0;
    while (s3_retry_budget_take(budget, verdict))
        count++;
    return count;
}

/* Every connection's call may fail as often as a call may, and one more call. */
static void the_budget_grows_with_the_connections(void **state)
{
    (void)state;
    struct s3_retry_budget budget;
    s3_retry_budget_start(&budget, 25);
    assert_int_equal(takes(&budget, S3_TRANSIENT), 25 * S3_ATTEMPTS_MAX);
    for (int i = 0; i < 1000; i++)
        s3_retry_budget_give(&budget, true);
    assert_int_equal(takes(&budget, S3_TRANSIENT), 25 * S3_ATTEMPTS_MAX);
}

static void the_budget_ends(void **state)
{
    (void)state;
    struct s3_retry_budget budget;
    s3_retry_budget_start(&budget, 1);
    assert_int_equal(takes(&budget, S3_TRANSIENT), 50);
    s3_retry_budget_start(&budget, 1);
    assert_int_equal(takes(&budget, S3_THROTTLED), 100);
    assert_int_equal(budget.tokens, 0);
    for (int i = 0; i < 4; i++)
        s3_retry_budget_give(&budget, false);
    assert_false(s3_retry_budget_take(&budget, S3_THROTTLED));
    assert_int_equal(budget.tokens, 4); /* what can't be taken stays */
    s3_retry_budget_give(&budget, false);
    assert_false(s3_retry_budget_take(&budget, S3_TRANSIENT));
    assert_true(s3_retry_budget_take(&budget, S3_EXPIRED));
    assert_int_equal(budget.tokens, 0);
}

static void the_budget_never_grows_over_its_start(void **state)
{
    (void)state;
    struct s3_retry_budget budget;
    s3_retry_budget_start(&budget, 1);
    for (int i = 0; i < 1000; i++)
        s3_retry_budget_give(&budget, i % 2 == 0);
    assert_int_equal(budget.tokens, S3_RETRY_TOKENS);
}

/* A network on which every second attempt fails for ever, and every repeat helps: no reason to give up. */
static void repeats_that_help_dont_use_it_up(void **state)
{
    (void)state;
    struct s3_retry_budget budget;
    s3_retry_budget_start(&budget, 1);
    for (int i = 0; i < 100000; i++) {
        assert_true(s3_retry_budget_take(&budget, S3_TRANSIENT));
        s3_retry_budget_give(&budget, true);
    }
    assert_int_equal(budget.tokens, S3_RETRY_TOKENS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_codes),
        cmocka_unit_test(judges_errors_in_a_200),
        cmocka_unit_test(judges_another_region),
        cmocka_unit_test(judges_redirects),
        cmocka_unit_test(judges_headers_that_a_store_does_not_know),
        cmocka_unit_test(judges_statuses_without_a_code),
        cmocka_unit_test(judges_not_found_by_what_was_looked_for),
        cmocka_unit_test(a_precondition_is_about_what_was_asked),
        cmocka_unit_test(heads_are_judged_by_status),
        cmocka_unit_test(judges_failures),
        cmocka_unit_test(an_error_counts_more_than_the_break_after_it),
        cmocka_unit_test(a_proxy_that_refuses_for_good),
        cmocka_unit_test(gives_an_unknown_host_few_attempts),
        cmocka_unit_test(a_clock_that_is_off_explains_a_refusal),
        cmocka_unit_test(the_region_that_it_was_is_no_other),
        cmocka_unit_test(verdicts_have_names),
        cmocka_unit_test(delays_double_up_to_a_cap),
        cmocka_unit_test(delays_are_spread_evenly),
        cmocka_unit_test(what_the_server_asks_for_is_kept_to),
        cmocka_unit_test(other_verdicts_wait_for_nothing),
        cmocka_unit_test(the_budget_ends),
        cmocka_unit_test(the_budget_grows_with_the_connections),
        cmocka_unit_test(the_budget_never_grows_over_its_start),
        cmocka_unit_test(repeats_that_help_dont_use_it_up),
    };
    return cmocka_run_group_tests_name("s3_retry", tests, NULL, NULL);
}

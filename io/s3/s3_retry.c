/* s3_retry.c - judges failed attempts, waits between them, a budget of repeats. Pure: no clock, no randomness
 * of its own. Thread: any; a budget under the client's mutex. Owns nothing.
 *
 * Codes: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, botocore's retries/standard.py, and
 * what RGW, MinIO, Swift's s3api, R2, B2, OSS and Google answer under S3's names. A code that is not listed
 * is judged by the HTTP status. */
#include "io/s3/s3_retry.h"

#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* aws-c-io, standard_retry_strategy.c */
#define RETRY_COST_TRANSIENT 10u
#define RETRY_COST_OTHER     5u
#define RETRY_GIVE           1u

struct retry_code {
    const char *code;
    enum s3_verdict verdict;
};

/* Codes whose name says all. Those with conditions are in judge_code(). */
static const struct retry_code codes[] = {
    {"ClientDisconnect", S3_TRANSIENT},   /* R2 */
    {"ClientDisconnected", S3_TRANSIENT}, /* MinIO */
    {"ConnectionClosedByRequester", S3_TRANSIENT},
    {"IncompleteBody", S3_TRANSIENT},
    {"InternalError", S3_TRANSIENT},
    {"InternalErrors", S3_TRANSIENT}, /* aws-c-s3 knows it from old regions */
    {"InternalFailure", S3_TRANSIENT},
    {"InternalServerError", S3_TRANSIENT},
    {"OperationTimedOut", S3_TRANSIENT}, /* MinIO, 503 */
    {"PriorRequestNotComplete", S3_TRANSIENT},
    {"RequestTimeout", S3_TRANSIENT},
    {"RequestTimeoutException", S3_TRANSIENT},
    {"ResponseInterrupted", S3_TRANSIENT},
    {"XMinioServerNotInitialized", S3_TRANSIENT},

    {"BandwidthLimitExceeded", S3_THROTTLED},
    {"LimitExceededException", S3_THROTTLED},
    {"OperationMaxedOut", S3_THROTTLED}, /* MinIO */
    {"ProvisionedThroughputExceededException", S3_THROTTLED},
    {"RateLimitExceeded", S3_THROTTLED},
    {"RequestLimitExceeded", S3_THROTTLED},
    {"ServerBusy", S3_THROTTLED},
    {"ServiceUnavailable", S3_THROTTLED},
    {"SlowDown", S3_THROTTLED},
    {"SlowDownRead", S3_THROTTLED}, /* MinIO */
    {"SlowDownWrite", S3_THROTTLED},
    {"TooManyRequests", S3_THROTTLED},
    {"TooManyRequestsException", S3_THROTTLED},
    {"TransactionInProgressException", S3_THROTTLED},

    {"BadDigest", S3_CORRUPTED},
    {"ContentSHA256Mismatch", S3_CORRUPTED},
    {"InvalidDigest", S3_CORRUPTED},
    {"XAmzContentChecksumMismatch", S3_CORRUPTED}, /* MinIO, RGW */
    {"XAmzContentSHA256Mismatch", S3_CORRUPTED},

    {"RequestExpired", S3_CLOCK_SKEW},
    {"RequestInTheFuture", S3_CLOCK_SKEW},
    {"RequestTimeTooSkewed", S3_CLOCK_SKEW},

    {"ExpiredToken", S3_EXPIRED},
    {"ExpiredTokenException", S3_EXPIRED},
    {"TokenRefreshRequired", S3_EXPIRED},

    {"IllegalLocationConstraintException", S3_OTHER_REGION},
    {"IncorrectEndpoint", S3_OTHER_REGION},

    {"Redirect", S3_REDIRECT},
    {"TemporaryRedirect", S3_REDIRECT},

    {"AccessDenied", S3_DENIED},
    {"AccessDeniedException", S3_DENIED},
    {"AccountProblem", S3_DENIED},
    {"AllAccessDisabled", S3_DENIED},
    {"AuthFailure", S3_DENIED},
    {"IncompleteSignature", S3_DENIED},
    {"InvalidAccessKeyId", S3_DENIED},
    {"InvalidClientTokenId", S3_DENIED},
    {"InvalidPayer", S3_DENIED},
    {"InvalidSecurity", S3_DENIED},
    {"InvalidSignature", S3_DENIED},
    {"InvalidSignatureException", S3_DENIED},
    {"InvalidToken", S3_DENIED},
    {"InvalidTokenId", S3_DENIED}, /* MinIO */
    {"MissingAuthenticationToken", S3_DENIED},
    {"NotSignedUp", S3_DENIED},
    {"OptInRequired", S3_DENIED},
    {"SignatureDoesNotMatch", S3_DENIED},
    {"UnauthorizedAccess", S3_DENIED}, /* China's regions */
    {"UnauthorizedAccessError", S3_DENIED},
    {"UnexpectedIPError", S3_DENIED},
    {"UnrecognizedClientException", S3_DENIED},
    {"UnsupportedSignature", S3_DENIED},
    {"UserSuspended", S3_DENIED}, /* RGW */

    {"InvalidBucketName", S3_NO_BUCKET},
    {"NoSuchAccessPoint", S3_NO_BUCKET},
    {"NoSuchBucket", S3_NO_BUCKET},

    {"NoSuchUpload", S3_NO_UPLOAD},

    {"NoSuchKey", S3_NO_KEY},
    {"NoSuchVersion", S3_NO_KEY},

    {"ConditionalRequestConflict", S3_CONFLICT},
    {"OperationAborted", S3_CONFLICT},

    {"NotImplemented", S3_NOT_SUPPORTED},
    {"UnsupportedArgument", S3_NOT_SUPPORTED},

    /* whose status would mislead: 403, 409, 5xx that no repeat and no right changes; Complete's under a 200
     */
    {"EntityTooLarge", S3_FATAL},
    {"EntityTooSmall", S3_FATAL},
    {"InvalidBucketState", S3_FATAL},
    {"InvalidObjectState", S3_FATAL}, /* 403: archived */
    {"InvalidPart", S3_FATAL},
    {"InvalidPartOrder", S3_FATAL},
    {"InvalidRegion", S3_FATAL},
    {"MalformedXML", S3_FATAL},
    {"MethodNotAllowed", S3_FATAL},
    {"QuotaExceeded", S3_FATAL},     /* RGW, 403 */
    {"XMinioStorageFull", S3_FATAL}, /* 507 */
};

static bool creates_object(const struct s3_op *op)
{
    return op->kind == S3_COMPLETE_UPLOAD || op->kind == S3_PUT_OBJECT || op->kind == S3_CREATE_UPLOAD;
}

static bool is_head(const struct s3_op *op)
{
    return op->kind == S3_HEAD_BUCKET || op->kind == S3_HEAD_OBJECT;
}

/* 412 of a read: If-Match, the source is not the same any more. */
static enum s3_verdict judge_precondition(const struct s3_op *op)
{
    return creates_object(op) ? S3_EXISTS : S3_FATAL;
}

/* A region, or only a place (RGW's zones name none), or neither. */
static enum s3_verdict judge_moved(const struct s3_answer *answer)
{
    return answer->region[0] == 0 && answer->endpoint[0] != 0 ? S3_REDIRECT : S3_OTHER_REGION;
}

static bool has_words(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasestr(text, words[i]) != NULL) return true;
    return false;
}

static bool is_general(const char *code)
{
    static const char *const general[] = {"InvalidArgument", "InvalidRequest", "InvalidHeader", "BadRequest",
                                          "InvalidParameter"};
    for (size_t i = 0; i < COUNT(general); i++)
        if (strcmp(code, general[i]) == 0) return true;
    return false;
}

/* Stores that don't know one of our headers say so in words under a general code: B2 "Unsupported header
 * 'x-amz-sdk-checksum-algorithm' received for this API call.", OSS "aws-chunked encoding is not supported
 * with the specified x-amz-content-sha256 value". */
static bool says_not_supported(const char *message)
{
    static const char *const refusals[] = {"unsupported",      "not supported",  "not implemented",
                                           "does not support", "unknown header", "unrecognized header"};
    static const char *const things[] = {"header", "x-amz-", "checksum", "trailer", "aws-chunked"};
    return has_words(message, refusals, COUNT(refusals)) && has_words(message, things, COUNT(things));
}

/* S3_DONE: the code says nothing. */
static enum s3_verdict judge_code(const struct s3_op *op, const struct s3_answer *answer)
{
    const char *code = answer->code;
    for (size_t i = 0; i < COUNT(codes); i++)
        if (strcmp(code, codes[i].code) == 0) return codes[i].verdict;
    /* ThrottlingException (also KMS's, which S3 passes on with 400), RequestThrottled, EC2ThrottledException
     */
    if (strstr(code, "Throttl") != NULL) return S3_THROTTLED;
    if (strcmp(code, "PermanentRedirect") == 0) return judge_moved(answer);
    /* the region in the signature is wrong, and <Region> has the right one; else the access key is malformed
     */
    if (strcmp(code, "AuthorizationHeaderMalformed") == 0)
        return answer->region[0] != 0 ? S3_OTHER_REGION : S3_DENIED;
    if (strcmp(code, "PreconditionFailed") == 0) return judge_precondition(op);
    if (strcmp(code, "FileAlreadyExists") == 0) return judge_precondition(op); /* OSS, 409 */
    if (is_general(code)) return says_not_supported(answer->message) ? S3_NOT_SUPPORTED : S3_FATAL;
    return S3_DONE;
}

/* What is not there depends on what was looked for. */
static enum s3_verdict judge_not_found(const struct s3_op *op)
{
    switch (op->kind) {
    case S3_HEAD_OBJECT:
    case S3_GET_OBJECT:
    case S3_DELETE_OBJECT: return S3_NO_KEY;
    case S3_UPLOAD_PART:
    case S3_COMPLETE_UPLOAD:
    case S3_ABORT_UPLOAD:
    case S3_LIST_PARTS: return S3_NO_UPLOAD;
    case S3_HEAD_BUCKET:
    case S3_CREATE_UPLOAD:
    case S3_LIST_UPLOADS:
    case S3_LIST_OBJECTS:
    case S3_PUT_OBJECT:
    case S3_OP_KINDS: break;
    }
    return S3_NO_BUCKET;
}

static enum s3_verdict judge_server_error(unsigned status)
{
    switch (status) {
    case 501: return S3_NOT_SUPPORTED;
    case 503: /* S3's way to say "slow down", with or without the code */
    case 509: return S3_THROTTLED;
    case 505: /* HTTP version */
    case 507: /* no space */
    case 508:
    case 510:
    case 511: return S3_FATAL;    /* a captive portal */
    default: return S3_TRANSIENT; /* 500, 502, 504; 520 to 530 are Cloudflare's, before R2 */
    }
}

static enum s3_verdict judge_status(const struct s3_op *op, const struct s3_answer *answer)
{
    unsigned const status = answer->status;
    if (status >= 500) return status < 600 ? judge_server_error(status) : S3_TRANSIENT;
    switch (status) {
    case 301: return judge_moved(answer);
    case 302:
    case 307:
    case 308: return answer->endpoint[0] != 0 ? S3_REDIRECT : S3_FATAL;
    case 400: /* HEAD's 400 is an expired token, or another region, which x-amz-bucket-region names then */
        if (!is_head(op)) return S3_FATAL;
        return answer->region[0] != 0 ? S3_OTHER_REGION : S3_EXPIRED;
    case 401:
    case 403: return S3_DENIED;
    case 404: return judge_not_found(op);
    case 408:
    case 425:
    case 499: return S3_TRANSIENT; /* nginx's: the client is gone, as seen by a proxy further on */
    case 409: return S3_CONFLICT;
    case 412: return judge_precondition(op);
    case 429: return S3_THROTTLED;
    default: return status < 300 ? S3_TRANSIENT : S3_FATAL;
    }
}

static enum s3_verdict judge_failure(enum http_failure failure, unsigned status)
{
    switch (failure) {
    case HTTP_TLS_TRUST: return S3_TRUST;
    case HTTP_PROXY: /* 407 and 403 are the proxy's answer for good */
        return status >= 400 && status < 500 && status != 408 && status != 429 ? S3_FATAL : S3_TRANSIENT;
    case HTTP_MEMORY:
    case HTTP_REFUSED: return S3_FATAL;
    case HTTP_OK:
    case HTTP_RESOLVE:
    case HTTP_CONNECT:
    case HTTP_TLS:
    case HTTP_STALLED:
    case HTTP_BROKEN:
    case HTTP_BAD_REPLY: break;
    }
    return S3_TRANSIENT;
}

enum s3_verdict s3_retry_judge(const struct s3_op *op, enum http_failure failure,
                               const struct s3_answer *answer, bool succeeded)
{
    if (succeeded && failure == HTTP_OK) return S3_DONE;
    bool const local = failure == HTTP_PROXY || failure == HTTP_TLS_TRUST || failure == HTTP_MEMORY ||
                       failure == HTTP_REFUSED;
    /* an error that came before the connection broke counts more than the break; a success that was cut not
     */
    if (local || answer->status < 200 || (failure != HTTP_OK && answer->status < 300))
        return judge_failure(failure, answer->status);
    /* HEAD has no body: its code was made of the status */
    enum s3_verdict const by_code = is_head(op) ? S3_DONE : judge_code(op, answer);
    return by_code != S3_DONE ? by_code : judge_status(op, answer);
}

static bool clock_is_off(const struct s3_answer *answer, int64_t signed_at)
{
    if (answer->date == 0) return false;
    return answer->date - signed_at > S3_CLOCK_SKEW_SECONDS ||
           signed_at - answer->date > S3_CLOCK_SKEW_SECONDS;
}

enum s3_verdict s3_retry_refine(enum s3_verdict verdict, const struct s3_answer *answer,
                                const char *signed_region, int64_t signed_at)
{
    if ((verdict == S3_DENIED || verdict == S3_EXPIRED) && clock_is_off(answer, signed_at))
        return S3_CLOCK_SKEW;
    if (verdict != S3_OTHER_REGION || answer->region[0] == 0 || strcmp(answer->region, signed_region) != 0)
        return verdict;
    /* told to go where it was */
    if (clock_is_off(answer, signed_at)) return S3_CLOCK_SKEW;
    if (answer->endpoint[0] != 0) return S3_REDIRECT;
    return answer->status == 400 && strcmp(answer->code, "AuthorizationHeaderMalformed") != 0 ? S3_EXPIRED
                                                                                              : S3_FATAL;
}

uint32_t s3_retry_attempts(enum http_failure failure, bool reached)
{
    bool const doubtful =
        failure == HTTP_RESOLVE || failure == HTTP_TLS || failure == HTTP_PROXY || failure == HTTP_BAD_REPLY;
    return doubtful && !reached ? S3_ATTEMPTS_UNKNOWN_HOST : S3_ATTEMPTS_MAX;
}

const char *s3_verdict_name(enum s3_verdict verdict)
{
    switch (verdict) {
    case S3_DONE: return "done";
    case S3_TRANSIENT: return "transient";
    case S3_THROTTLED: return "throttled";
    case S3_CORRUPTED: return "corrupted";
    case S3_CLOCK_SKEW: return "clock_skew";
    case S3_EXPIRED: return "expired";
    case S3_OTHER_REGION: return "other_region";
    case S3_REDIRECT: return "redirect";
    case S3_DENIED: return "denied";
    case S3_NO_BUCKET: return "no_bucket";
    case S3_NO_UPLOAD: return "no_upload";
    case S3_NO_KEY: return "no_key";
    case S3_EXISTS: return "exists";
    case S3_CONFLICT: return "conflict";
    case S3_NOT_SUPPORTED: return "not_supported";
    case S3_TRUST: return "trust";
    case S3_FATAL: return "fatal";
    }
    return "unknown";
}

/* ---- waiting ---- */

/* From 0 to `most`, evenly. */
static uint32_t spread(uint32_t most, uint64_t random)
{
    return (uint32_t)(((random >> 32) * ((uint64_t)most + 1)) >> 32);
}

uint32_t s3_retry_delay(enum s3_verdict verdict, uint32_t attempt, int64_t retry_after_ms, uint64_t random)
{
    uint32_t base = 0;
    if (verdict == S3_TRANSIENT || verdict == S3_CORRUPTED || verdict == S3_CONFLICT)
        base = S3_BACKOFF_TRANSIENT;
    else if (verdict == S3_THROTTLED)
        base = S3_BACKOFF_THROTTLE;
    else
        return 0;
    if (retry_after_ms >= 0) {
        bool const much = retry_after_ms > (int64_t)S3_RETRY_AFTER_MAX;
        return (much ? S3_RETRY_AFTER_MAX : (uint32_t)retry_after_ms) + spread(base, random);
    }
    uint32_t most = base;
    for (uint32_t i = 2; i < attempt && most < S3_BACKOFF_MAX; i++)
        most *= 2;
    return spread(most < S3_BACKOFF_MAX ? most : S3_BACKOFF_MAX, random);
}

/* ---- the budget ---- */

void s3_retry_budget_start(struct s3_retry_budget *budget, uint32_t connections)
{
    uint32_t const all = connections * S3_ATTEMPTS_MAX * RETRY_COST_TRANSIENT;
    budget->most = all > S3_RETRY_TOKENS ? all : S3_RETRY_TOKENS;
    budget->tokens = budget->most;
}

bool s3_retry_budget_take(struct s3_retry_budget *budget, enum s3_verdict verdict)
{
    uint32_t const cost = verdict == S3_TRANSIENT ? RETRY_COST_TRANSIENT : RETRY_COST_OTHER;
    if (budget->tokens < cost) return false;
    budget->tokens -= cost;
    return true;
}

void s3_retry_budget_give(struct s3_retry_budget *budget, bool was_repeat)
{
    budget->tokens += was_repeat ? RETRY_COST_TRANSIENT : RETRY_GIVE;
    if (budget->tokens > budget->most) budget->tokens = budget->most;
}

/* s3_retry.h - what to do about a failed attempt. Pure: time and randomness come in as numbers.
 *
 * Classes and lists of codes: botocore's standard and adaptive modes, aws-c-io's token bucket (capacity 500,
 * a transient failure costs 10, others 5, a success gives 1 back). Back-off: full jitter over min(cap, base *
 * 2^n). */
#ifndef PENSTOCK_IO_S3_S3_RETRY_H
#define PENSTOCK_IO_S3_S3_RETRY_H

#include "io/s3/s3_op.h"

#define S3_ATTEMPTS_MAX      10u
#define S3_RETRY_TOKENS      500u
#define S3_BACKOFF_TRANSIENT 100u /* ms, base */
#define S3_BACKOFF_THROTTLE  1000u
#define S3_BACKOFF_MAX       20000u
#define S3_RETRY_AFTER_MAX   60000u /* a server that asks for longer is not believed */
#define S3_CORRUPT_MAX       2u     /* BadDigest and the like: sent again so often, from memory */
/* A host that was never reached is more likely mistyped, or no S3 at all, than out of order. */
#define S3_ATTEMPTS_UNKNOWN_HOST 3u
/* S3 refuses requests whose clock is further off; smaller differences can't be why a signature failed. */
#define S3_CLOCK_SKEW_SECONDS 900

enum s3_verdict {
    S3_DONE,       /* it succeeded */
    S3_TRANSIENT,  /* 500, 502, 504, 503 with a code of another kind (InternalError), broken connections,
                      RequestTimeout, a wrong or missing echo of checksum or ETag, a reply that can't be
                      understood, a 200 with an error that is not known */
    S3_THROTTLED,  /* SlowDown, Throttling..., 429, RequestLimitExceeded, BandwidthLimitExceeded, 503 as such
                    */
    S3_CORRUPTED,  /* BadDigest, XAmzContentSHA256Mismatch, InvalidDigest */
    S3_CLOCK_SKEW, /* RequestTimeTooSkewed, RequestExpired: set the clock by `date`, again at once */
    S3_EXPIRED,    /* ExpiredToken, TokenRefreshRequired: new credentials, again */
    S3_OTHER_REGION,  /* 301, PermanentRedirect, AuthorizationHeaderMalformed, 400 IllegalLocation..: again
                         there */
    S3_REDIRECT,      /* 307 TemporaryRedirect, 301 with an endpoint but no region: again at `endpoint` */
    S3_DENIED,        /* 401, 403, InvalidAccessKeyId, SignatureDoesNotMatch, InvalidToken, ... : 77 */
    S3_NO_BUCKET,     /* NoSuchBucket: 78 */
    S3_NO_UPLOAD,     /* NoSuchUpload */
    S3_NO_KEY,        /* 404 of an object */
    S3_EXISTS,        /* 412 PreconditionFailed to what creates an object: 73 */
    S3_CONFLICT,      /* 409 ConditionalRequestConflict, OperationAborted */
    S3_NOT_SUPPORTED, /* 501 NotImplemented, and errors about a header that the store does not know */
    S3_TRUST,         /* the server's certificate is not trusted */
    S3_FATAL          /* everything else */
};

/* `failure` of HTTP with `answer` (status 0 when none came). */
enum s3_verdict s3_retry_judge(const struct s3_op *op, enum http_failure failure,
                               const struct s3_answer *answer, bool succeeded);
const char *s3_verdict_name(enum s3_verdict verdict);

/* The verdict when the client's own side is known too: the region and the time (seconds since 1970) that the
 * request was signed with. HEAD's replies have no body, so a clock that is off looks like a missing right,
 * and an expired token like a wrong region. */
enum s3_verdict s3_retry_refine(enum s3_verdict verdict, const struct s3_answer *answer,
                                const char *signed_region, int64_t signed_at);

/* Attempts in all that a call gets when one failed like this. `reached`: the host answered this client
 * before, so that its name is right and a failure of DNS or of the handshake will pass. */
uint32_t s3_retry_attempts(enum http_failure failure, bool reached);

/* Milliseconds until attempt number `attempt` (2: the first repeat); `random` any 64 bits; `retry_after_ms`
 * -1: not told; what is told is kept to, and up to one base is added, so that not all come back at once. 0
 * for what is tried again at once, and for what is not tried again. */
uint32_t s3_retry_delay(enum s3_verdict verdict, uint32_t attempt, int64_t retry_after_ms, uint64_t random);

/* The budget of repeats, shared by all requests of a client (guarded by its mutex): S3_RETRY_TOKENS, or as
 * much as the calls of all connections take when each of them fails as often as it may. So a short outage
 * that meets every connection is lived through, and a store that is down for good is not asked for ever. */
struct s3_retry_budget {
    uint32_t tokens, most;
};
void s3_retry_budget_start(struct s3_retry_budget *budget, uint32_t connections);
bool s3_retry_budget_take(struct s3_retry_budget *budget, enum s3_verdict verdict); /* false: none left */
/* A call succeeded: 1 back, or the 10 of a repeat that helped, so that only repeats that don't use it up. */
void s3_retry_budget_give(struct s3_retry_budget *budget, bool was_repeat);

#endif

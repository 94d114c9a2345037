/* s3_attempt.h - one try of a call: an operation becomes a signed request, the reply a verdict.
 *
 *    s3_op_request -> aws_sign -> http_start ... done() ... s3_op_answer -> checks -> s3_retry_judge
 *
 * A reply that says that a part or an object was taken is believed only with an ETag and with our checksum in
 * it. Ownership: an attempt is memory of its own; it must stay until done() was called or s3_attempt_free(),
 * which cancels. The headers hold signature and session token: they are wiped as soon as the transfer ended.
 * Thread rule: one thread, the http's. */
#ifndef PENSTOCK_IO_S3_S3_ATTEMPT_H
#define PENSTOCK_IO_S3_S3_ATTEMPT_H

#include "io/aws/aws_credentials.h"
#include "io/aws/aws_sigv4.h"
#include "io/s3/s3_op.h"
#include "io/s3/s3_retry.h"

struct s3_attempt;
struct s3_engine;
struct s3_task;

enum s3_echo {
    S3_ECHO_FINE, /* or none was due */
    S3_ECHO_MISSING,
    S3_ECHO_WRONG
};

/* What it takes to start one; borrowed for the length of the call, but for http and signer. */
struct s3_attempt_means {
    struct http *http;
    struct aws_signer *signer;
    const struct s3_endpoint *endpoint;
    const struct aws_credentials *credentials;
    int64_t time;       /* seconds since 1970, the server's clock */
    bool sign_payload;  /* else UNSIGNED-PAYLOAD */
    char *payload_hash; /* AWS_HASH_SIZE, of op.body: "" is filled, so that a repeat has it */
    uint32_t connect_ms, stall_seconds;
    bool fresh; /* on a connection of its own */
    void (*done)(struct s3_attempt *attempt);
};

struct s3_attempt {
    struct s3_op op; /* what is asked in fact: a copy that the engine may have changed */
    struct http_request http;
    struct aws_signed signed_request;
    struct http *runner; /* that runs it */
    struct arena arena;  /* texts of the request */
    struct http_span xml;
    void (*done)(struct s3_attempt *attempt);
    uint64_t taken; /* get: body bytes handed to op.take */

    /* after s3_attempt_judge() */
    struct s3_answer answer;
    enum s3_verdict verdict;
    enum s3_echo echo;
    int64_t retry_after_ms; /* the answer's */
    uint64_t length;        /* get: of the reply's body, 0: not said */
    bool misplaced;         /* get: bytes were taken that are not of the range that was asked for */

    /* the engine's */
    struct s3_engine *engine;
    struct s3_task *task;
    struct s3_attempt *next;
    uint64_t started;        /* now() */
    int64_t signed_at;       /* seconds since 1970 */
    uint64_t generation;     /* of the credentials */
    int64_t clock_offset_ms; /* that it was signed with */
    char region[S3_REGION_MAX + 1];
    bool windowed, hedge, repeat, probe;
    bool running, abandoned;
};

/* `attempt` is zeroed but for op and the engine's fields. STATUS_JOB: the operation can't be a request;
 * STATUS_IO, STATUS_INTERNAL: no memory, libcrypto. */
enum status s3_attempt_start(struct s3_attempt *attempt, const struct s3_attempt_means *means,
                             struct fault *fault);
/* After done(): reads the reply. */
void s3_attempt_judge(struct s3_attempt *attempt);
/* May the server have carried it out although there is no word of it? */
bool s3_attempt_is_uncertain(const struct s3_attempt *attempt);
void s3_attempt_free(struct s3_attempt *attempt); /* cancels it if it runs; takes NULL */

#endif

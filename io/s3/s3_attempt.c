/* s3_attempt.c - one try of a call. Thread: the engine's. Owns: the request's texts, the signed headers
 * (wiped at the transfer's end, before anything else is done with the reply) and the answer until somebody
 * takes it. */
#include "io/s3/s3_attempt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Operations whose reply confirms bytes of ours. */
static bool is_confirmed(enum s3_op_kind kind)
{
    return kind == S3_UPLOAD_PART || kind == S3_PUT_OBJECT;
}

static void on_done(void *context, struct http_request *request)
{
    struct s3_attempt *const attempt = context;
    (void)request;
    attempt->running = false;
    aws_signed_free(&attempt->signed_request);
    attempt->done(attempt);
}

static bool on_bytes(void *context, const uint8_t *bytes, size_t length)
{
    struct s3_attempt *const attempt = context;
    if (!attempt->op.take(attempt->op.take_context, bytes, length)) return false;
    attempt->taken += length;
    return true;
}

static enum status payload_hash(const struct s3_attempt *attempt, const struct s3_attempt_means *means,
                                const struct http_span *body, size_t body_count, char out[AWS_HASH_SIZE],
                                struct fault *fault)
{
    if (!means->sign_payload) {
        memcpy(out, AWS_UNSIGNED_PAYLOAD, sizeof AWS_UNSIGNED_PAYLOAD);
        return STATUS_OK;
    }
    bool const kept = body_count > 0 && body == attempt->op.body;
    if (kept && means->payload_hash[0] != '\0') {
        memcpy(out, means->payload_hash, AWS_HASH_SIZE);
        return STATUS_OK;
    }
    enum status const status = aws_signer_hash(means->signer, body, body_count, out, fault);
    if (status == STATUS_OK && kept) memcpy(means->payload_hash, out, AWS_HASH_SIZE);
    return status;
}

static enum status make_request(struct s3_attempt *attempt, const struct s3_attempt_means *means,
                                struct fault *fault)
{
    struct aws_request request = {0};
    enum status status =
        s3_op_request(&attempt->op, means->endpoint, &attempt->arena, &request, &attempt->xml, fault);
    if (status != STATUS_OK) return status;

    struct http_request *const http = &attempt->http;
    http->method = request.method;
    if (attempt->op.kind == S3_COMPLETE_UPLOAD) {
        http->body = &attempt->xml;
        http->body_count = 1;
        http->body_length = attempt->xml.length;
    } else if (is_confirmed(attempt->op.kind)) {
        http->body = attempt->op.body;
        http->body_count = attempt->op.body_count;
        http->body_length = attempt->op.body_length;
    }
    char hash[AWS_HASH_SIZE];
    status = payload_hash(attempt, means, http->body, http->body_count, hash, fault);
    if (status != STATUS_OK) return status;

    struct aws_scope const scope = {
        .region = means->endpoint->region, .service = "s3", .time = means->time, .sign_payload_header = true};
    status =
        aws_sign(means->signer, &request, &scope, means->credentials, hash, &attempt->signed_request, fault);
    http->url = attempt->signed_request.url;
    http->headers = attempt->signed_request.headers;
    http->header_count = attempt->signed_request.header_count;
    return status;
}

enum status s3_attempt_start(struct s3_attempt *attempt, const struct s3_attempt_means *means,
                             struct fault *fault)
{
    enum status status = make_request(attempt, means, fault);
    if (status != STATUS_OK) return status;
    struct http_request *const http = &attempt->http;
    http->reply_max = S3_XML_MAX;
    http->connect_ms = means->connect_ms;
    /* No bound for the whole: a Complete of 10,000 parts may take minutes, in which S3 sends white space. */
    http->stall_seconds = means->stall_seconds;
    http->fresh_connection = means->fresh;
    http->take = attempt->op.take != NULL ? on_bytes : NULL;
    http->done = on_done;
    http->context = attempt;
    attempt->done = means->done;
    attempt->signed_at = means->time;
    memcpy(attempt->region, means->endpoint->region, sizeof attempt->region);
    status = http_start(means->http, http, fault);
    attempt->running = status == STATUS_OK;
    attempt->runner = means->http;
    return status;
}

/* The reply says that the bytes were taken (s3_op_answer() has seen an ETag): which bytes? */
static enum s3_echo check_echo(const struct s3_op *op, const struct s3_answer *answer)
{
    if (!is_confirmed(op->kind) || op->checksum_kind == CHECKSUM_NONE) return S3_ECHO_FINE;
    if (!answer->has_checksum) return S3_ECHO_MISSING;
    return answer->checksum == op->checksum ? S3_ECHO_FINE : S3_ECHO_WRONG;
}

static void not_confirmed(struct s3_answer *answer, const char *why)
{
    memcpy(answer->code, "BadReply", sizeof "BadReply");
    (void)snprintf(answer->message, sizeof answer->message, "%s", why);
}

static bool is_good(struct s3_attempt *attempt)
{
    struct s3_answer *const answer = &attempt->answer;
    if (!is_confirmed(attempt->op.kind)) return true;
    attempt->echo = check_echo(&attempt->op, answer);
    if (attempt->echo == S3_ECHO_FINE) return true;
    not_confirmed(answer, attempt->echo == S3_ECHO_WRONG ? "the reply's checksum is not that of what was sent"
                                                         : "the reply does not confirm the checksum");
    return false;
}

/* Of a reply that was cut, too: where does its body belong? A server that knows no ranges sends the whole
 * object in place of the rest. */
static void note_range(struct s3_attempt *attempt)
{
    const struct http_reply *const reply = &attempt->http.reply;
    if (attempt->op.take == NULL || reply->status / 100 != 2) return;
    const char *const length = http_reply_header(reply, "content-length");
    if (length != NULL) attempt->length = strtoull(length, NULL, 10);
    if (attempt->op.range_length == 0 && attempt->op.range_begin == 0) return;
    char wanted[48];
    (void)snprintf(wanted, sizeof wanted, "bytes %" PRIu64 "-", attempt->op.range_begin);
    const char *const range = http_reply_header(reply, "content-range");
    attempt->misplaced = attempt->taken > 0 && (reply->status != 206 || range == NULL ||
                                                strncasecmp(range, wanted, strlen(wanted)) != 0);
}

void s3_attempt_judge(struct s3_attempt *attempt)
{
    struct http_reply const *const reply = &attempt->http.reply;
    bool good = s3_op_answer(&attempt->op, reply, &attempt->answer);
    good = good && reply->failure == HTTP_OK && is_good(attempt);
    note_range(attempt);
    attempt->retry_after_ms = attempt->answer.retry_after_ms;
    enum s3_verdict const verdict = s3_retry_judge(&attempt->op, reply->failure, &attempt->answer, good);
    attempt->verdict = s3_retry_refine(verdict, &attempt->answer, attempt->region, attempt->signed_at);
}

bool s3_attempt_is_uncertain(const struct s3_attempt *attempt)
{
    enum s3_op_kind const kind = attempt->op.kind;
    if (kind != S3_COMPLETE_UPLOAD && kind != S3_PUT_OBJECT && kind != S3_CREATE_UPLOAD) return false;
    if (attempt->http.reply.replayed) return true; /* and only the second reply is known */
    if (attempt->verdict == S3_DONE) return false;
    switch (attempt->http.reply.failure) {
    case HTTP_RESOLVE:
    case HTTP_CONNECT:
    case HTTP_TLS_TRUST:
    case HTTP_PROXY: return false; /* it never got there */
    default: break;
    }
    unsigned const status = attempt->http.reply.status;
    if (status >= 300 && status < 500) return false;
    return attempt->verdict != S3_THROTTLED; /* which is said before anything is done */
}

void s3_attempt_free(struct s3_attempt *attempt)
{
    if (attempt == NULL) return;
    if (attempt->running) http_cancel(attempt->runner, &attempt->http);
    aws_signed_free(&attempt->signed_request);
    http_reply_free(&attempt->http.reply);
    s3_answer_free(&attempt->answer);
    arena_free(&attempt->arena);
    free(attempt);
}

/* s3_message.c - sentences about calls that failed. Thread: any; pure. Owns nothing.
 *
 * Which right an operation needs:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html (HEAD of an object is
 * s3:GetObject; without s3:ListBucket a missing object is a 403 instead of a 404; HEAD of a bucket and
 * listing uploads have rights of their own on the bucket). */
#include "io/s3/s3_message.h"

#include "io/s3/s3_message_remedy.h"
#include "io/s3/s3_message_text.h"

#include <stdio.h>
#include <string.h>

#define IDS_MAX 320u

/* Codes about what the job asks for, whatever their verdict: they won't pass by themselves. */
static bool is_of_job(const char *code)
{
    static const char *const codes[] = {"InvalidStorageClass",
                                        "AccessControlListNotSupported",
                                        "MalformedACLError",
                                        "InvalidTag",
                                        "InvalidArgument",
                                        "InvalidRequest",
                                        "KMS.NotFoundException",
                                        "KMS.DisabledException",
                                        "KMS.KMSInvalidStateException",
                                        "KMS.InvalidStateException",
                                        "KMS.InvalidKeyUsageException",
                                        "InvalidEncryptionAlgorithmError",
                                        "KeyTooLongError",
                                        "PermanentRedirect",
                                        "TemporaryRedirect",
                                        "AuthorizationHeaderMalformed",
                                        "InvalidURI"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(code, codes[i]) == 0) return true;
    return false;
}

/* What a run ends with for it. */
static enum status status_of(const struct s3_failure *failure)
{
    switch (failure->verdict) {
    case S3_DONE: return STATUS_OK;
    case S3_TRANSIENT:
    case S3_THROTTLED:
    case S3_CONFLICT: return STATUS_TRY_AGAIN;
    case S3_EXPIRED: return failure->renewal != NULL ? STATUS_TRY_AGAIN : STATUS_RIGHTS;
    case S3_CLOCK_SKEW:
    case S3_DENIED: return STATUS_RIGHTS;
    case S3_OTHER_REGION:
    case S3_REDIRECT:
    case S3_NOT_SUPPORTED:
    case S3_NO_BUCKET: return STATUS_JOB;
    case S3_EXISTS: return STATUS_EXISTS;
    case S3_CORRUPTED:
    case S3_NO_UPLOAD:
    case S3_NO_KEY:
    case S3_TRUST: return STATUS_IO;
    case S3_FATAL: return is_of_job(failure->answer->code) ? STATUS_JOB : STATUS_IO;
    }
    return STATUS_INTERNAL;
}

/* "AccessDenied (HTTP 403): Access Denied", "can't connect: ...", "no such host: ..." */
static void said(const struct s3_failure *failure, char out[static S3_MESSAGE_SERVER_MAX + 128])
{
    size_t const size = S3_MESSAGE_SERVER_MAX + 128;
    const struct s3_answer *const answer = failure->answer;
    char words[S3_MESSAGE_SERVER_MAX + 1];
    if (answer->code[0] != '\0' || (failure->http == HTTP_OK && answer->status != 0)) {
        s3_message_words(answer->message, words, sizeof words);
        (void)snprintf(out, size, "%s (HTTP %u)%s%s", answer->code[0] != '\0' ? answer->code : "refused",
                       answer->status, words[0] != '\0' ? ": " : "", words);
        return;
    }
    s3_message_words(failure->http_text != NULL ? failure->http_text : "", words, sizeof words);
    (void)snprintf(out, size, "%s%s%s", http_failure_text(failure->http), words[0] != '\0' ? ": " : "",
                   words);
}

/* What support of the store asks for. */
static void request_ids(const struct s3_answer *answer, char out[static IDS_MAX])
{
    out[0] = '\0';
    if (answer->request_id[0] == '\0') return;
    (void)snprintf(out, IDS_MAX, " [request id %s%s%s]", answer->request_id,
                   answer->host_id[0] != '\0' ? ", host id " : "", answer->host_id);
    for (char *c = out; *c != '\0'; c++)
        if (*c < ' ' || *c > '~') *c = '?';
}

void s3_message_place(const char *bucket, const struct s3_op *op, char out[static S3_MESSAGE_URL_MAX + 8])
{
    s3_message_url(bucket, op->key != NULL ? op->key : op->prefix, out, S3_MESSAGE_URL_MAX + 8);
}

enum status s3_message_make(const struct s3_subject *subject, const struct s3_op *op,
                            const struct s3_failure *failure, struct fault *fault)
{
    char url[S3_MESSAGE_URL_MAX + 8], server[S3_MESSAGE_SERVER_MAX + 128], ids[IDS_MAX];
    char remedy[S3_REMEDY_MAX], tries[64] = "";
    s3_message_place(subject->bucket, op, url);
    said(failure, server);
    request_ids(failure->answer, ids);
    s3_message_remedy(subject, op, failure, remedy);
    if (failure->attempts > 1) (void)snprintf(tries, sizeof tries, " (after %u attempts)", failure->attempts);
    return fault_set(fault, status_of(failure), "%s %s: %s%s; %s%s", s3_op_name(op->kind), url, server, tries,
                     remedy, ids);
}

/* s3_message.h - the sentence for a person about a call that failed, with its remedy, and the exit status.
 * Pure.
 *
 *     CreateMultipartUpload s3://acme/in/a.csv: AccessDenied (HTTP 403): Access Denied; the keys
 * (environment) lack the right s3:PutObject ... [request 4442587FB7D0A2F9, id 2 ...]
 *
 * The server's words are cut, and runs of characters as long as a signature or a session token are left out
 * of them, should a server repeat what it was sent. */
#ifndef PENSTOCK_IO_S3_S3_MESSAGE_H
#define PENSTOCK_IO_S3_S3_MESSAGE_H

#include "io/s3/s3_op.h"
#include "io/s3/s3_retry.h"

/* What is cut to fit a fault: an ARN in the bucket's place, a key, the server's words. */
#define S3_MESSAGE_URL_MAX    400u
#define S3_MESSAGE_SERVER_MAX 320u
/* A signature has 64 characters, a session token hundreds; words of a sentence don't. */
#define S3_MESSAGE_RUN_MAX 48u

/* Whom it was about. Texts are borrowed. */
struct s3_subject {
    const char *bucket;
    const char *host, *region;  /* the endpoint's */
    bool is_aws;                /* not an endpoint of the user's */
    const char *expected_owner; /* NULL: not sent */
    const char *credentials;    /* where they come from: "environment" */
};

/* How the last attempt ended. */
struct s3_failure {
    enum s3_verdict verdict;
    enum http_failure http;
    const char *http_text; /* libcurl's words; "" or NULL: none */
    const struct s3_answer *answer;
    uint32_t attempts;
    bool budget_used_up; /* the client's repeats, not this call's */
    bool hurried;        /* no more repeats, for the run is ending */
    bool no_echo;        /* S3_NOT_SUPPORTED, since the store never confirmed a checksum */
    const char *renewal; /* S3_EXPIRED: why no new credentials come now; NULL: there are none to come */
};

/* "s3://bucket/key" of the operation, shortened; at most S3_MESSAGE_URL_MAX + 8 with its end. */
void s3_message_place(const char *bucket, const struct s3_op *op, char out[static S3_MESSAGE_URL_MAX + 8]);
/* Fills `fault` and returns its status: what a run ends with for it. */
enum status s3_message_make(const struct s3_subject *subject, const struct s3_op *op,
                            const struct s3_failure *failure, struct fault *fault);

#endif

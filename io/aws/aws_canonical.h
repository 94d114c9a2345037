/* aws_canonical.h - the canonical request of Signature Version 4, without any cryptography.
 *
 * Facts: docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html, steps 1 and 2; what the page
 * leaves open (which headers are left out, how a path is normalised) as botocore does it. Pure. */
#ifndef PENSTOCK_IO_AWS_AWS_CANONICAL_H
#define PENSTOCK_IO_AWS_AWS_CANONICAL_H

#include "io/aws/aws_sigv4.h"

/* "20261123T100000Z" and a terminator. */
#define AWS_TIMESTAMP_SIZE 17u
/* host, x-amz-date, x-amz-content-sha256, x-amz-security-token */
#define AWS_OWN_HEADERS_MAX 4u

struct aws_canonical_input {
    const struct aws_request *request;
    const char *timestamp;
    const char *content_hash; /* value of x-amz-content-sha256; NULL: no such header */
    const char *token;        /* value of x-amz-security-token; NULL: not signed */
    const char *payload_hash; /* the last line */
    bool encode_twice, normalize_path;
};

/* Everything lies in `block`, which may hold a session token. */
struct aws_canonical {
    const char *text;           /* the canonical request */
    const char *query;          /* "a=1&b=", as it must be sent too */
    const char *signed_headers; /* "host;x-amz-date" */
    char *block;
    size_t block_size;
};

/* STATUS_INTERNAL: the request is not one (more headers than fit, a path without its slash, a header of the
 * signer's own); STATUS_JOB: a header that can't be sent; STATUS_IO: no memory. */
enum status aws_canonical_make(const struct aws_canonical_input *input, struct aws_canonical *out,
                               struct fault *fault);
void aws_canonical_free(struct aws_canonical *canonical); /* zeroed is fine */

/* False: the year has not four digits. */
bool aws_canonical_timestamp(int64_t time, char out[AWS_TIMESTAMP_SIZE]);

#endif

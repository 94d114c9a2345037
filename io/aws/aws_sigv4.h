/* aws_sigv4.h - AWS Signature Version 4, in headers.
 *
 * Facts: docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html; the published vectors.
 * Pure but for libcrypto: no clock, no environment. HMAC and SHA-256 are fetched once a signer; the key of
 * day, region and service is kept and derived again when one of them or the secret changes. Thread rule: one
 * signer a thread. */
#ifndef PENSTOCK_IO_AWS_AWS_SIGV4_H
#define PENSTOCK_IO_AWS_AWS_SIGV4_H

#include "core/base/status.h"
#include "io/aws/aws_credentials.h"
#include "io/aws/aws_request.h"

#define AWS_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
#define AWS_HASH_SIZE        65u /* 64 hex digits and a terminator */

struct aws_scope {
    const char *region, *service;
    int64_t time; /* seconds since 1970, the server's clock */
    /* Every service but S3 encodes the path twice and removes dot segments. */
    bool encode_twice, normalize_path;
    bool sign_payload_header; /* S3: x-amz-content-sha256 is sent and signed */
    bool unsigned_token;      /* x-amz-security-token is added behind the signature (a few old services) */
};

struct aws_signer;

struct aws_signer *aws_signer_create(struct fault *fault);
void aws_signer_destroy(struct aws_signer *signer); /* wipes its keys; takes NULL */

/* SHA-256 of the spans, in hex. */
enum status aws_signer_hash(struct aws_signer *signer, const struct http_span *spans, size_t count,
                            char out[AWS_HASH_SIZE], struct fault *fault);

/* Signs. `payload_hash`: hex, or AWS_UNSIGNED_PAYLOAD. With NULL credentials the request goes out unsigned
 * (anonymous). `out` must be freed. Messages never hold keys or signatures. */
enum status aws_sign(struct aws_signer *signer, const struct aws_request *request,
                     const struct aws_scope *scope, const struct aws_credentials *credentials,
                     const char *payload_hash, struct aws_signed *out, struct fault *fault);

/* The two intermediate texts, for tests against the vectors: canonical request and string to sign of what
 * aws_sign() would do. Caller frees both. */
enum status aws_sign_explain(struct aws_signer *signer, const struct aws_request *request,
                             const struct aws_scope *scope, const struct aws_credentials *credentials,
                             const char *payload_hash, char **canonical_request, char **string_to_sign,
                             struct fault *fault);

#endif

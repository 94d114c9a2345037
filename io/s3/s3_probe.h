/* s3_probe.h - may these credentials deliver here? Tried, not guessed, and nothing stays behind:
 *
 *   HEAD bucket            s3:ListBucket
 *   HEAD of the first key  s3:GetObject (with s3:ListBucket: a missing object is denied without it); is it
 * taken? CreateMultipartUpload  s3:PutObject, and what the object's options need: s3:PutObjectTagging,
 *                          s3:PutObjectAcl, kms:GenerateDataKey
 *   UploadPart, one byte   s3:PutObject, kms:Decrypt; does the store know the checksum?
 *   ListParts              s3:ListMultipartUploadParts
 *   AbortMultipartUpload   s3:AbortMultipartUpload; ListParts until the upload is gone
 *
 * A Create that is denied with options is tried again without each of them, to tell which right it is. Steps
 * that don't hang on one another are all tried: the first failure is the result, later ones are told. The
 * upload is aborted whatever comes, an interruption included.
 *
 * Thread rule: main. Owns its calls. */
#ifndef PENSTOCK_IO_S3_S3_PROBE_H
#define PENSTOCK_IO_S3_S3_PROBE_H

#include "io/s3/s3_port.h"

#include <stdbool.h>
#include <stdint.h>

struct s3_probe_request {
    const char *key; /* of the first file */
    bool replace;    /* if_exists: an object there is fine */
    enum checksum_kind checksum;
    const struct s3_object_options *object;
    enum status (*interrupted)(void); /* STATUS_OK: go on */
    /* A right that an export does without, or a failure after the first. */
    void (*warn)(void *context, const char *message);
    void *warn_context;
};

struct s3_probe_result {
    bool taken;         /* an object with the key is there, and `replace` */
    bool lists_bucket;  /* s3:ListBucket */
    bool lists_parts;   /* s3:ListMultipartUploadParts */
    int64_t abort_date; /* when a rule of the bucket would remove the upload; 0: no such rule was told */
};

/* STATUS_EXISTS: the key is taken. STATUS_RIGHTS: the fault names the right that is missing. Also the
 * statuses of s3_client.h. */
enum status s3_probe(const struct s3_port *port, const struct s3_probe_request *request,
                     struct s3_probe_result *result, struct fault *fault);

/* Another name of the delivery: *taken tells whether an object has it. STATUS_EXISTS: it is, without
 * `replace`. A look that is denied is no failure here: s3_probe() has told of that right. */
enum status s3_probe_name(const struct s3_port *port, const char *key, bool replace, bool *taken,
                          struct fault *fault);

#endif

/* s3_delivery.h - what the files of the S3 sink share: the uploads of one run, and the calls out for them.
 *
 * An errand is a call together with what it is for. While rows come, the sink submits errands and settles
 * them as they come back. Afterwards commit and abort go over all uploads in passes (s3_pass.h).
 *
 * Thread rule: the assembler's. Owns uploads, errands and holds; client and texts are lent. */
#ifndef PENSTOCK_IO_OUTPUT_S3_DELIVERY_H
#define PENSTOCK_IO_OUTPUT_S3_DELIVERY_H

#include "io/output/s3_upload.h"
#include "io/output/sink_s3.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum s3_step {
    S3_STEP_LOOK,     /* HEAD, is the name taken? at the file's begin, and once more before its Complete */
    S3_STEP_FORMER,   /* HEAD: does a former token or manifest stand there? */
    S3_STEP_WITHDRAW, /* DeleteObject of it */
    S3_STEP_CREATE,   /* CreateMultipartUpload */
    S3_STEP_PART,     /* UploadPart */
    S3_STEP_COMPLETE, /* CompleteMultipartUpload or PutObject */
    S3_STEP_JUDGE,    /* HEAD: did that succeed after all? */
    S3_STEP_VERIFY,   /* HEAD: is it what we sent? */
    S3_STEP_ABORT,    /* AbortMultipartUpload */
    S3_STEP_LIST      /* ListParts: is it gone? */
};

struct s3_errand {
    struct s3_call call; /* its owner is the errand */
    enum s3_step step;
    struct s3_upload *upload;
    struct s3_outgoing *part; /* of S3_STEP_PART */
    struct s3_part *parts;    /* of a Complete */
    struct http_span span;    /* of a Put */
    struct s3_errand *doubt;  /* of S3_STEP_JUDGE: the Complete or Put */
    int64_t submitted;        /* seconds since 1970 by our clock */
};

struct s3_delivery {
    struct sink_s3_options options;
    struct s3_upload_rules rules;
    struct aws_pair *metadata; /* of options.object, and the token */
    struct s3_object_options objects[SINK_TOKEN + 1];
    struct s3_upload **uploads;
    uint32_t count, room;
    struct s3_upload **found; /* s3_former.h: no uploads, but names to be deleted; tokens, manifests, data */
    uint32_t found_count;
    struct s3_holds holds;
    uint64_t kept;           /* bytes of kept files of rows */
    size_t out, creates_out; /* errands; of these, Creates */
    size_t queued;           /* parts that wait for their upload's id */
    size_t doubts;           /* Completes that failed and are being judged: no more are begun meanwhile */
    size_t complete_parts;   /* listed by the Completes that are out */
    uint32_t withdrawn;      /* former tokens and manifests that were deleted, or may have been */
    bool failed;             /* nothing new is sent for rows any more */
    char abort_failed[256];  /* why an upload could not be aborted: the first one's */
    int64_t clock_offset;    /* the server's seconds less ours, by the last reply with a date */
};

/* STATUS_IO: no memory. */
enum status s3_delivery_start(struct s3_delivery *delivery, const struct sink_s3_options *options,
                              const struct sink *sink, struct fault *fault);
void s3_delivery_end(struct s3_delivery *delivery);
/* Adds an upload under that name; NULL: no memory, or the key is too long. */
struct s3_upload *s3_delivery_add(struct s3_delivery *delivery, const char *name, enum sink_stage stage,
                                  struct fault *fault);

/* "s3://bucket/key", readable. Returns `out`, which has OUTPUT_TEXT_PRINTABLE + S3_BUCKET_MAX + 8 bytes. */
#define S3_DELIVERY_URL_SIZE (768u + S3_BUCKET_MAX + 8u)
const char *s3_delivery_url(const struct s3_delivery *delivery, const struct s3_upload *upload,
                            char out[S3_DELIVERY_URL_SIZE]);
/* STATUS_JOB: both would be one object. */
enum status s3_delivery_same_name(const struct s3_delivery *delivery, const struct s3_upload *one,
                                  const struct s3_upload *other, struct fault *fault);
/* Tells the person. */
void s3_delivery_warn(const struct s3_delivery *delivery, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* An errand with what every operation of that kind says filled in; NULL: no memory. */
struct s3_errand *s3_errand_create(struct s3_delivery *delivery, struct s3_upload *upload, enum s3_step step,
                                   enum s3_op_kind kind, struct fault *fault);
void s3_errand_submit(struct s3_delivery *delivery, struct s3_errand *errand);
/* The next one that came back, NULL: none now. It is the caller's then. */
struct s3_errand *s3_errand_reap(struct s3_delivery *delivery);
/* Lets go of its part's bytes too. Takes NULL. */
void s3_errand_free(struct s3_delivery *delivery, struct s3_errand *errand);
/* The failure of a call as the run's: passes its fault on. Never STATUS_OK. */
enum status s3_errand_fault(const struct s3_errand *errand, struct fault *fault);
/* Is what HEAD found the object that we sent: our token, size and, where the store tells it, checksum? */
bool s3_errand_found_ours(const struct s3_delivery *delivery, const struct s3_errand *head);

/* Settles an errand of LOOK, CREATE or PART: keeps what was learnt, sends the parts that waited for it. Frees
 * it. The first failure is the run's; later ones are told too, the caller keeps the first. */
enum status s3_delivery_settle(struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault);
/* Settles all that came back. */
enum status s3_delivery_reap(struct s3_delivery *delivery, struct fault *fault);
/* Sends the upload's whole parts, or asks for its upload id first. */
enum status s3_delivery_send(struct s3_delivery *delivery, struct s3_upload *upload, struct fault *fault);
/* The errand that looks whether the name is taken. */
struct s3_errand *s3_delivery_look(struct s3_delivery *delivery, struct s3_upload *upload,
                                   struct fault *fault);

/* STATUS_INTERRUPTED or STATUS_TERMINATED when the person wants to stop. */
enum status s3_delivery_interrupted(const struct s3_delivery *delivery, struct fault *fault);
uint64_t s3_delivery_now(void); /* nanoseconds, steady */
void s3_delivery_pause(uint32_t ms);

#endif

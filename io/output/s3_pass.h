/* s3_pass.h - one way over the uploads of a run, or what was found of former ones: an errand for each one
 * that wants it.
 *
 * A pass submits S3_ERRANDS_A_CONNECTION errands a connection at once, and settles them as they come back.
 *
 * Thread rule: the assembler's. Owns errands between reap and finish(). */
#ifndef PENSTOCK_IO_OUTPUT_S3_PASS_H
#define PENSTOCK_IO_OUTPUT_S3_PASS_H

#include "io/output/s3_delivery.h"

/* Calls out at once in a pass, for each connection: one is under way while the other waits, so that none is
 * idle between two. A call has some 8 KB. */
#define S3_ERRANDS_A_CONNECTION 2u
/* Parts listed by all Completes that are out at once, but for a single one: 10,000 take 1.7 MB here and 1.6
 * MB of XML in the client. */
#define S3_COMPLETE_PARTS_MAX (2u * S3_PARTS_MAX)

struct s3_pass {
    bool over_found; /* over delivery->found */
    bool of_stage;   /* only files of `stage` */
    enum sink_stage stage;
    bool (*wants)(const struct s3_upload *upload);
    /* Submits an errand. */
    enum status (*start)(struct s3_delivery *delivery, struct s3_upload *upload, struct fault *fault);
    /* Takes the errand over: frees it, or submits what follows from it. */
    enum status (*finish)(struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault);
    uint64_t deadline;  /* s3_delivery_now(): then all is cancelled and no more started; 0: none */
    bool uninterrupted; /* goes on although the person wants to stop */
};

/* Returns when nothing is out. After a failure or an interruption nothing new is started, and what is out
 * gets S3_ABORT_SECONDS more; the first failure is returned. */
enum status s3_pass_run(struct s3_delivery *delivery, const struct s3_pass *pass, struct fault *fault);

#endif

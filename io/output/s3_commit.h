/* s3_commit.h - makes the uploads of a run visible, all after all bytes are with S3, and sees that they are
 * what was sent.
 *
 * A pass over all files: is the name still free? With `replace`: former tokens and manifests are taken away
 * (s3_withdraw.h). Then for each stage two over its files:
 * Complete or Put, and verification, so that a manifest is there only when all of its files are and were
 * looked at, and a token only when all manifests are. A failed Complete is not believed before a HEAD said
 * that our object is not there. S3 has no transaction over several objects: what was complete before another
 * one failed stays, and the message names it; nothing of the stages behind is written then.
 *
 * Thread rule: the assembler's. */
#ifndef PENSTOCK_IO_OUTPUT_S3_COMMIT_H
#define PENSTOCK_IO_OUTPUT_S3_COMMIT_H

#include "io/output/s3_delivery.h"

/* HEADs of an object that is said not to be there although its Complete succeeded: some stores show new
 * objects a moment later (AWS does not). Between them 100, 200, 400, 800 ms. */
#define S3_VERIFY_ROUNDS   5u
#define S3_VERIFY_PAUSE_MS 100u
/* Objects that a message names; of more it tells the number. */
#define S3_COMMIT_NAMED 3u

/* All files have ended and nothing is out. */
enum status s3_commit(struct s3_delivery *delivery, struct fault *fault);

#endif

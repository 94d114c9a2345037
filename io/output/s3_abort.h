/* s3_abort.h - leaves no trace of a run: cancels its calls and aborts its uploads.
 *
 * A Create that is out is waited for (S3_ABORT_CREATE_SECONDS): cancelled, its upload would have no id to
 * abort it by. All else is cancelled; what comes back gives its bytes home. A part that was on its way may
 * still land after the Abort and keep the upload: so ListParts is asked until it says NoSuchUpload, and Abort
 * is sent again until then. Objects that are complete stay.
 *
 * Thread rule: the assembler's. */
#ifndef PENSTOCK_IO_OUTPUT_S3_ABORT_H
#define PENSTOCK_IO_OUTPUT_S3_ABORT_H

#include "io/output/s3_delivery.h"

#define S3_ABORT_CREATE_SECONDS 10u
/* Rounds of Abort and ListParts over the uploads that are still there. Between them 100 ms and twice as long
 * each time, 12.7 s in all: a part that was cancelled lands within that or not at all. */
#define S3_ABORT_ROUNDS   8u
#define S3_ABORT_PAUSE_MS 100u
/* Uploads that are named in warnings of their own; of more the number is told. */
#define S3_ABORT_NAMED 5u

/* Never fails: what is left is told by warnings. All bytes are home afterwards, nothing is out. */
void s3_abort(struct s3_delivery *delivery);

#endif

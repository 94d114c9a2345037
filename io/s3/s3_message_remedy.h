/* s3_message_remedy.h - what to do about a call that failed. Pure. Private to s3_message. */
#ifndef PENSTOCK_IO_S3_S3_MESSAGE_REMEDY_H
#define PENSTOCK_IO_S3_S3_MESSAGE_REMEDY_H

#include "io/s3/s3_message.h"

/* The longest: rights with all that an operation may need, and the owner. */
#define S3_REMEDY_MAX 768u

void s3_message_remedy(const struct s3_subject *subject, const struct s3_op *op,
                       const struct s3_failure *failure, char out[static S3_REMEDY_MAX]);

#endif

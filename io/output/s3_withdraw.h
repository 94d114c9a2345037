/* s3_withdraw.h - with `replace`: former tokens and manifests go before the first data file of theirs is
 * replaced, so that no data job imports a mixture of two deliveries.
 *
 * S3 has no rename that could be undone. So nothing is deleted before all parts are with S3, and before HEADs
 * said which of the names are taken at all: a delivery under new names deletes nothing and needs no right to.
 * Then all tokens are deleted, and when they are gone, all manifests. What follows is not interrupted any
 * more, and what fails behind leaves no token: the run has to be repeated, which the message says.
 *
 * Thread rule: the assembler's. */
#ifndef PENSTOCK_IO_OUTPUT_S3_WITHDRAW_H
#define PENSTOCK_IO_OUTPUT_S3_WITHDRAW_H

#include "io/output/s3_delivery.h"

/* What s3_former.h found goes with what the run's own names hold.
 *
 * delivery->withdrawn tells afterwards, also after a failure, how many names were made free. STATUS_RIGHTS:
 * it takes s3:DeleteObject. */
enum status s3_withdraw(struct s3_delivery *delivery, struct fault *fault);
/* Behind a whole delivery: data files that only a former manifest named go. What can't be deleted is told by
 * a warning; the delivery stands. */
void s3_withdraw_surplus(struct s3_delivery *delivery);

#endif

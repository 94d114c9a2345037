/* s3_stray.h - uploads that S3 began for us without our knowing their id: the reply to CreateMultipartUpload
 * was lost and it was sent again, or the run ended before the reply came. They would cost money until a rule
 * of the bucket removes them.
 *
 * They are found by ListMultipartUploads: exactly our key, not our id, and begun between the moments when our
 * Create was sent and answered, by the server's clock. Whoever else begins an upload of the very same key in
 * the very same seconds writes the same delivery twice, and one of both fails in any case.
 *
 * Thread rule: the assembler's. */
#ifndef PENSTOCK_IO_OUTPUT_S3_STRAY_H
#define PENSTOCK_IO_OUTPUT_S3_STRAY_H

#include "io/output/s3_delivery.h"

/* Dates have whole seconds, in the server's Date (from which its clock is known) and in the list; and a reply
 * may have been on its way for a while. */
#define S3_STRAY_SLACK_SECONDS 5

/* Removes them; stops at the deadline (s3_delivery_now()). Not finding them is no failure: a warning. Returns
 * how many uploads of this run may be left. */
uint32_t s3_stray_sweep(struct s3_delivery *delivery, uint64_t deadline);

#endif

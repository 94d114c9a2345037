/* s3_uploads.h - multipart uploads that nobody finished: what there is, and how they go.
 *
 * Thread rule: main. Owns nothing but its calls. */
#ifndef PENSTOCK_IO_S3_S3_UPLOADS_H
#define PENSTOCK_IO_S3_S3_UPLOADS_H

#include "io/s3/s3_port.h"

#include <stdbool.h>
#include <stdint.h>

/* Aborts of one upload before it is given up: a part on its way when S3 aborts may land afterwards, and then
 * ListParts still knows the upload (AbortMultipartUpload's reference). The pause doubles: 0.2 s to 3.2 s. */
#define S3_UPLOADS_ROUNDS   6u
#define S3_UPLOADS_PAUSE_MS 200u

/* Told of each upload, in the order of the list (by key). `now`: the server's clock, or 0 when it did not
 * say. Anything but STATUS_OK ends the listing with that. */
typedef enum status s3_uploads_fn(void *context, const struct s3_listed_upload *upload, int64_t now,
                                  struct fault *fault);

/* All unfinished uploads whose keys begin with `prefix`, all pages; one page is in memory at a time. */
enum status s3_uploads_list(const struct s3_port *port, const char *prefix, s3_uploads_fn *each,
                            void *context, struct fault *fault);

/* Aborts until ListParts says that there is no such upload. One that is gone already is fine. `*proven` (NULL
 * is allowed): false when ListParts may not be asked, so that the Abort's word has to do. `interrupted` (NULL
 * is allowed) is asked between rounds. */
enum status s3_uploads_abort(const struct s3_port *port, const char *key, const char *upload_id,
                             enum status (*interrupted)(void), bool *proven, struct fault *fault);

#endif

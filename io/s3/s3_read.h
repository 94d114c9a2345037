/* s3_read.h - one object, read from its begin to its end by ranges, several of them on their way at once.
 *
 *     s3_read_open(read, key)      HEAD: size and ETag; asks for the first range
 *     s3_read_next(read, ...)      the next range's bytes, in order; the one before may be overwritten then
 *     s3_read_close(read)          ready for another object
 *
 * Ranges are s3_range.h's: If-Match on the ETag, tried again, STATUS_IO for an object that becomes another
 * one while it is read. Bytes go from libcurl's buffer into the range's buffer, and from there to the caller
 * as they lie.
 *
 * Memory: `ahead` buffers of `range_bytes`, from create to destroy.
 * Thread rule: one thread each, not the one that turns the pump. */
#ifndef PENSTOCK_IO_S3_S3_READ_H
#define PENSTOCK_IO_S3_S3_READ_H

#include "io/s3/s3_range.h"

#include <stddef.h>
#include <stdint.h>

struct s3_read_options {
    struct s3_pump *pump;
    const char *bucket;         /* for messages */
    const char *expected_owner; /* NULL: not sent */
    size_t range_bytes;         /* at least 1 */
    uint32_t ahead;             /* ranges at once: 1 at least */
};

struct s3_read;

/* STATUS_IO: no memory. */
struct s3_read *s3_read_create(const struct s3_read_options *options, struct fault *fault);
void s3_read_destroy(struct s3_read *read); /* closes; takes NULL */

/* `key` is borrowed until close. STATUS_NO_SOURCE: no such object or bucket; else the call's. Close is due in
 * any case. */
enum status s3_read_open(struct s3_read *read, const char *key, struct fault *fault);
/* The same of an object that is known already, whose texts are borrowed until close. Asks nothing but for its
 * ranges, of all that there is room for. */
void s3_read_open_known(struct s3_read *read, const struct s3_object *object);
uint64_t s3_read_size(const struct s3_read *read);
/* `length` 0: the end. After a failure only close is left. */
enum status s3_read_next(struct s3_read *read, const uint8_t **bytes, size_t *length, struct fault *fault);
void s3_read_close(struct s3_read *read); /* waits for what is on its way */

#endif

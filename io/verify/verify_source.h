/* verify_source.h - the port through which stored files are read from begin to end, and its two ends: local
 * files and S3 objects.
 *
 * A place is what the end understands: a path, or a key of the bucket.
 *   open(source, place, &size, fault)   STATUS_NO_SOURCE: nothing is there
 *   next(source, &bytes, &length, fault)   length 0: the end. The bytes stay until the next call. STATUS_IO
 *                                       also when the file became another one meanwhile
 *   seek(source, offset)                goes on from there; NULL where that can't be
 *   close(source)                       due after open() in any case
 * Thread rule: one thread a source; sources are independent. */
#ifndef PENSTOCK_IO_VERIFY_VERIFY_SOURCE_H
#define PENSTOCK_IO_VERIFY_VERIFY_SOURCE_H

#include "core/base/status.h"
#include "io/s3/s3_read.h"

#include <stddef.h>
#include <stdint.h>

/* What is read of a local file at a time: it stays in a core's cache while it is looked at. */
#define VERIFY_BLOCK ((size_t)256 * 1024)

struct verify_source {
    enum status (*open)(struct verify_source *source, const char *place, uint64_t *size, struct fault *fault);
    enum status (*next)(struct verify_source *source, const uint8_t **bytes, size_t *length,
                        struct fault *fault);
    void (*seek)(struct verify_source *source, uint64_t offset);
    void (*close)(struct verify_source *source);
    void (*destroy)(struct verify_source *source);
};

/* NULL: no memory. */
struct verify_source *verify_source_local(void);
/* STATUS_IO: no memory. The options are s3_read.h's. */
struct verify_source *verify_source_s3(const struct s3_read_options *options, struct fault *fault);

#endif

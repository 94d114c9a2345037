/* source_stamp.h - what tells whether a file is still the one that it was: its size and modification time.
 *
 * A writer that has the file mapped may change its time late: no system can tell.
 * Thread rule: pure. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_STAMP_H
#define PENSTOCK_IO_INPUT_SOURCE_STAMP_H

#include "core/base/status.h"

#include <stdint.h>
#include <time.h>

struct stat;

struct source_stamp {
    uint64_t size; /* bytes */
    struct timespec modified;
};

struct source_stamp source_stamp_of(const struct stat *about);
/* STATUS_IO when `now` is not as `before`: the file `path` changed while it was read. */
enum status source_stamp_check(const char *path, const struct source_stamp *before,
                               const struct source_stamp *now, struct fault *fault);
/* The message for a file that has `now` bytes only. */
enum status source_stamp_shorter(const char *path, uint64_t before, uint64_t now, struct fault *fault);

#endif

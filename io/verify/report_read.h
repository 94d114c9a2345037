/* report_read.h - what a run's report says of the files it delivered.
 *
 * Read are `files[]` with url, kind, rows, bytes and the checksum (crc64nvme, crc32c or crc32, base64); all
 * else is passed over, and so are kinds of files that are not known. A file is looked up by where it lies:
 * the report's URL may be relative to another working directory, so the entry whose URL has most of the
 * place's end is taken.
 *
 * Ownership: report_read_free() frees all. Thread rule: read and free by one thread; find by any. */
#ifndef PENSTOCK_IO_VERIFY_REPORT_READ_H
#define PENSTOCK_IO_VERIFY_REPORT_READ_H

#include "core/base/arena.h"
#include "core/base/checksum.h"
#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* MANIFEST_FILES_MAX files of 300 bytes each and their manifest. */
#define REPORT_BYTES_MAX ((size_t)32 * 1024 * 1024)
/* What reading a report takes: its tree in jansson has some 900 bytes for a file that is 200 in the text. */
#define REPORT_MEMORY(bytes) (6 * (bytes) + 65536)

struct report_entry {
    const char *url;
    uint64_t rows, bytes;
    enum checksum_kind checksum_kind; /* NONE: it has none */
    uint64_t checksum;
};

struct report_list {
    struct report_entry *entries; /* by the ends of their URLs */
    size_t count;
};

struct report_files {
    struct arena arena;
    struct report_list data; /* and purge files: what holds rows */
    struct report_list manifests, tokens;
};

/* `what` names it in messages. STATUS_IO: it is no report, or passes a bound. */
enum status report_read(const char *what, const char *text, size_t length, struct report_files *files,
                        struct fault *fault);
/* NULL: none. `place`: a path, or s3://bucket/key; `relative`: its end that must be in the URL, whole
 * components. */
const struct report_entry *report_find(const struct report_list *list, const char *place,
                                       const char *relative);
void report_read_free(struct report_files *files); /* zeroed is fine */

#endif

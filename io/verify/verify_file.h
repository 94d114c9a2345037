/* verify_file.h - one stored file against what the manifest, the first file and the report say of it.
 *
 *     stored bytes --checksum--> unpack --> header compared, csv_scan
 *
 * A plain local file may be looked at in ranges by several threads: verify_file_range() for each, and
 * verify_file_join() at the end, which looks again at a range whose begin was guessed wrong.
 *
 * Thread rule: one thread a worker; a result by one thread at a time. */
#ifndef PENSTOCK_IO_VERIFY_VERIFY_FILE_H
#define PENSTOCK_IO_VERIFY_VERIFY_FILE_H

#include "core/base/checksum.h"
#include "core/codec/unpack.h"
#include "core/csv/csv_scan.h"
#include "io/verify/verify_source.h"

#include <stdatomic.h>

/* A header longer than that is none: 500 columns with names of 2 KiB each. */
#define VERIFY_HEADER_MAX ((size_t)1024 * 1024)

/* The first row of the first file, and how it was found. */
struct verify_header {
    uint8_t *bytes; /* with its line end; VERIFY_HEADER_MAX of room */
    size_t length;  /* 0: there is no file, or no whole row in it */
    uint64_t columns;
};

/* What a worker has for itself. */
struct verify_tools {
    struct verify_source *source;
    struct unpack *gzip, *zstd; /* made when first needed */
    unsigned window_log;
    uint8_t *room;            /* of VERIFY_BLOCK: what is unpacked */
    const _Atomic bool *stop; /* asked at every block */
};

/* `source` is taken over, also when there is no memory (false). */
bool verify_tools_make(struct verify_tools *tools, struct verify_source *source, unsigned window_log,
                       const _Atomic bool *stop);
void verify_tools_free(struct verify_tools *tools); /* zeroed is fine */

/* What was found in a file. Zeroed before. */
struct verify_result {
    bool seen; /* it was looked at, as far as that went */
    bool missing;
    bool other_header; /* its first bytes are not those of the header */
    char *trouble;     /* why it can't be read, or not to its end; NULL: it was */
    enum unpack_form form;
    uint64_t members;  /* of gzip, zstd */
    uint64_t bytes;    /* as stored */
    uint64_t checksum; /* of them, of the kind that was asked for */
    struct csv_scan scan;
};

/* What to do with a file. */
struct verify_task {
    const char *place; /* the source's */
    struct csv_scan_dialect dialect;
    const struct verify_header *header; /* never NULL */
    bool compare;                       /* does the file begin with it? */
    enum checksum_kind checksum;
};

/* All of it. What is wrong with the file is in the result, and STATUS_OK; other statuses end the run: no
 * right, no network, no memory, STATUS_INTERRUPTED when `stop` was set. */
enum status verify_file(struct verify_tools *tools, const struct verify_task *task,
                        struct verify_result *result, struct fault *fault);

/* The first row of a file, into `header`. STATUS_NO_SOURCE: it is not there. A row that can't be read is no
 * failure: header->length stays 0. */
enum status verify_file_header(struct verify_tools *tools, const char *place, struct csv_scan_dialect dialect,
                               struct verify_header *header, struct fault *fault);

/* [begin, end) of a plain file: rows that begin in it, but for the first of the file behind the first line
 * feed in it; the last one is looked at to its end. Where a file is cut does not show in what is found. */
struct verify_range {
    uint64_t begin, end;
    bool has_scan; /* false: no row begins in it, or so it looks */
    uint64_t scan_begin;
    struct csv_scan scan;
    uint64_t checksum; /* of [begin, end) */
    uint64_t checked;  /* how many bytes that are: fewer than end - begin only when the file became shorter */
    bool other_header;
    char *trouble;
};

/* Needs header->columns, by which rows are judged. */
enum status verify_file_range(struct verify_tools *tools, const struct verify_task *task,
                              struct verify_range *range, struct fault *fault);
/* Of all ranges of a file, from its first, which this frees. */
enum status verify_file_join(struct verify_tools *tools, const struct verify_task *task,
                             struct verify_range *ranges, size_t count, struct verify_result *result,
                             struct fault *fault);

#endif

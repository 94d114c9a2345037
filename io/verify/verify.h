/* verify.h - a delivery against its manifest: where its files are, what is in them, what is wrong.
 *
 *     verify_locate()   by one thread: which folders are taken off the names, the first file's header, which
 *                       local files are large enough to be looked at in ranges
 *     verify_files()    by all threads: every file, or range, from one list
 *     verify_tell()     in the manifest's order, whoever looked at what
 *
 * Thread rule: main calls; the crew's threads do the reading. Ownership: verify_free(). */
#ifndef PENSTOCK_IO_VERIFY_VERIFY_H
#define PENSTOCK_IO_VERIFY_VERIFY_H

#include "core/base/limits.h"
#include "core/map/mapping.h"
#include "io/manifest/manifest_read.h"
#include "io/verify/report_read.h"
#include "io/verify/verify_crew.h"
#include "io/verify/verify_file.h"
#include "io/verify/verify_place.h"

/* A local file is cut into ranges of at least this, where there are two or more: large enough that guessing
 * their begins and joining them costs nothing. */
#define VERIFY_RANGE_MIN (32 * LIMIT_MIB)
/* And of so many at most, whatever its size: 400 KB of ranges. */
#define VERIFY_RANGES_MAX 1024u

struct verify_options {
    const struct manifest *manifest;
    const char *root;       /* of places, for messages and reports: "s3://bucket/", "" */
    enum csv_header header; /* which files have one */
    struct csv_scan_dialect dialect;
    const char *manifest_place;        /* its path or key; used with a report only */
    const struct report_files *report; /* NULL: none is given */
    uint64_t range_min;                /* VERIFY_RANGE_MIN; less in tests */
    uint32_t threads;
    struct verify_crew *crew;
};

/* A file, or a range of one: what a thread takes. */
struct verify_part {
    uint32_t file;
    struct verify_range *range; /* NULL: all of it */
};

/* The manifest, or a token: a file of the report without rows. */
struct verify_other {
    const struct report_entry *entry;
    struct verify_result result;
};

struct verify {
    struct verify_options options;
    struct verify_place place;
    struct verify_tools *tools; /* of options.threads */
    struct verify_header header;
    size_t header_file;                  /* whose it is */
    struct verify_result *results;       /* one a file */
    const struct report_entry **entries; /* one a file; NULL: the report does not have it */
    bool *named_before;
    struct verify_other *others; /* that belong to the manifest: itself, if the report has it, then tokens */
    size_t other_count;
    bool *reported; /* one an entry of the report's data files: the manifest names it */
    bool whole;     /* the report is of this manifest alone: its data files are all to be named in it */
    struct verify_part *parts;
    size_t part_count;
    struct verify_range *ranges; /* of all files that are cut */
    size_t range_count;
    size_t *cut; /* files that are; of cut_count */
    size_t cut_count;
    _Atomic size_t next;
};

/* Takes `tools` over, an array of options->threads. STATUS_IO: no memory; verify_free() is due in any case.
 */
enum status verify_make(struct verify *verify, const struct verify_options *options,
                        const struct verify_place *place, struct verify_tools *tools, struct fault *fault);
void verify_free(struct verify *verify); /* zeroed is fine */

enum status verify_locate(struct verify *verify, struct fault *fault);
enum status verify_files(struct verify *verify, struct fault *fault);

/* The memory of a verify of that many files, without tools and ranges; `report` may be NULL. */
uint64_t verify_memory(size_t files, const struct report_files *report);

/* verify_report.c: what of the report belongs to the manifest, once places are known; its manifest and
 * tokens against the stored ones, by all threads. */
enum status verify_report_find(struct verify *verify, struct fault *fault);
enum status verify_report_files(struct verify *verify, struct fault *fault);

/* Has file number `file` a header? */
bool verify_has_header(const struct verify *verify, size_t file);

#endif

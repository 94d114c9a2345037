/* report.h - the run report: one JSON object (contract: "Report"), and the summary for people.
 *
 * Every field is always there, with these exceptions: failedByReason holds the codes that occurred, and a
 * file's checksum is there when one was made, under the name of its kind ("crc64nvme", "crc32c", "crc32").
 * Pointers are borrowed. Thread rule: one thread.
 */
#ifndef PENSTOCK_IO_OUTPUT_REPORT_H
#define PENSTOCK_IO_OUTPUT_REPORT_H

#include "core/base/checksum.h"
#include "core/base/status.h"
#include "core/base/tally.h"
#include "core/flow/stage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the summary: two lines, each number at its longest. */
#define REPORT_SUMMARY_SIZE 2048u

enum report_file_kind { REPORT_FILE_DATA, REPORT_FILE_PURGE, REPORT_FILE_MANIFEST, REPORT_FILE_TOKEN };

struct report_file {
    const char *url; /* sink's url() */
    enum report_file_kind kind;
    uint64_t rows;
    uint64_t bytes;
    enum checksum_kind checksum_kind;
    uint64_t checksum;
};

struct report_error {
    const char *code; /* status_name() or what is more exact */
    const char *message;
};

enum report_status { REPORT_SUCCESS, REPORT_FAILED };

struct report {
    const char *version;
    const char *run_id;
    const char *job;
    const char *mode;             /* "full" */
    int64_t started_milliseconds; /* since 1970, wall clock */
    int64_t completed_milliseconds;
    uint64_t elapsed_nanoseconds; /* monotonic clock: what the rates are of */
    uint64_t input_bytes;
    uint64_t input_files;
    struct tally tally;
    const char *const *consent_paths; /* of each rule of consent.require */
    size_t consent_count;             /* 0: no skippedByConsentRule in the report */
    enum report_status status;
    const struct report_error *errors;
    size_t error_count;
    const struct report_file *files; /* what was delivered: none when the run failed */
    size_t file_count;
    struct stage_uses stages;
    bool uploads; /* to S3 */
    uint32_t threads;
    uint64_t peak_rss_bytes;
    uint64_t retries;
    uint64_t throttles;
};

/* Writes the report to `path`: whole under a temporary name, then renamed over what was there (a symbolic
 * link is followed); into a pipe or device as it is; "-" is standard output. A file that is neither empty nor
 * a report is not replaced: STATUS_IO, as for every place that can't be written. A report of success whose
 * records don't add up is not written: STATUS_INTERNAL. */
enum status report_write(const struct report *report, const char *path, struct fault *fault);

/* Can a report be written to `path` later? Asked before the run, so that a mistyped path doesn't cost one.
 * STATUS_USAGE for a file that is not a report, else STATUS_IO. */
enum status report_check(const char *path, const char *run_id, struct fault *fault);

/* One line, and a second one when there are reasons to tell; each ends with a line end. Cut when it does not
 * fit. */
void report_summary(const struct report *report, char *out, size_t size);

#endif

/* report.c - the run report as JSON. Thread: main's, after the run. Owns nothing beyond each call. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io/output/report.h"

#include "core/csv/timestamp.h"
#include "io/output/file_name.h"
#include "io/output/output_fs.h"
#include "io/output/output_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MILLISECONDS 1000
#define NANOSECONDS  1e9

/* What every report begins with; what does not is another's and is left alone. */
#define FIRST_BYTES "{\n  \"tool\": \"penstock\""

/* The report under construction: a memory stream, and what its functions can't tell by themselves. */
struct writer {
    FILE *stream;
    bool failed; /* no memory */
};

static void put_text(struct writer *writer, const char *text)
{
    size_t const length = text == NULL ? 0 : strlen(text);
    size_t const size = length * OUTPUT_TEXT_JSON_GROWTH + 1;
    char *const escaped = malloc(size);
    if (escaped == NULL) {
        writer->failed = true;
        return;
    }
    output_text_json(text == NULL ? "" : text, length, escaped, size);
    fprintf(writer->stream, "\"%s\"", escaped);
    free(escaped);
}

static void put_member(struct writer *writer, const char *key, const char *text)
{
    fprintf(writer->stream, "\"%s\": ", key);
    put_text(writer, text);
}

static void put_number(struct writer *writer, const char *key, uint64_t number)
{
    fprintf(writer->stream, "\"%s\": %" PRIu64, key, number);
}

/* RFC 3339 in UTC with milliseconds. */
static void put_time(struct writer *writer, const char *key, int64_t milliseconds)
{
    int64_t seconds = milliseconds / MILLISECONDS;
    int64_t rest = milliseconds % MILLISECONDS;
    if (rest < 0) {
        rest += MILLISECONDS;
        seconds--;
    }
    char text[TIMESTAMP_TEXT_LENGTH + 1] = {0};
    timestamp_write(seconds, text);
    fprintf(writer->stream, "\"%s\": \"%.10sT%.8s.%03dZ\"", key, text, text + 11, (int)rest);
}

static const char *kind_name(enum report_file_kind kind)
{
    switch (kind) {
    case REPORT_FILE_DATA: return "data";
    case REPORT_FILE_PURGE: return "purge";
    case REPORT_FILE_MANIFEST: return "manifest";
    case REPORT_FILE_TOKEN: return "token";
    }
    return "data";
}

struct output_sum {
    uint64_t files;
    uint64_t bytes;
};

/* Data and purge files count, manifest and token don't. */
static struct output_sum sum_output(const struct report *report)
{
    struct output_sum sum = {0};
    for (size_t i = 0; i < report->file_count; i++) {
        const struct report_file *const file = &report->files[i];
        if (file->kind != REPORT_FILE_DATA && file->kind != REPORT_FILE_PURGE) continue;
        sum.files++;
        sum.bytes += file->bytes;
    }
    return sum;
}

/* Per second; 0 when nothing was measured. */
static double rate(const struct report *report, uint64_t count)
{
    if (report->elapsed_nanoseconds == 0) return 0;
    return (double)count * NANOSECONDS / (double)report->elapsed_nanoseconds;
}

/* In the order of the job; their sum is skippedByReason's `consent`. */
static void put_consent(struct writer *writer, const struct report *report)
{
    FILE *const out = writer->stream;
    if (report->consent_count == 0) return;
    fputs(",\n      \"skippedByConsentRule\": [ ", out);
    for (size_t i = 0; i < report->consent_count; i++) {
        fputs(i > 0 ? ", { " : "{ ", out);
        put_member(writer, "path", report->consent_paths[i]);
        fputs(", ", out);
        put_number(writer, "skipped", report->tally.consent[i]);
        fputs(" }", out);
    }
    fputs(" ]", out);
}

static void put_reasons(struct writer *writer, const struct report *report)
{
    FILE *const out = writer->stream;
    const struct tally *const tally = &report->tally;
    fputs(",\n      \"skippedByReason\": { ", out);
    for (int i = 0; i < SKIP_COUNT; i++) {
        if (i > 0) fputs(", ", out);
        put_number(writer, tally_skip_name((enum skip)i), tally->skipped[i]);
    }
    fputs(" }", out);
    put_consent(writer, report);
    fputs(",\n      ", out);
    put_number(writer, "failedRecordCount", tally_failed(tally));
    fputs(",\n      \"failedByReason\": {", out);
    bool some = false;
    for (int i = DEFECT_NONE + 1; i < DEFECT_COUNT; i++) {
        if (tally->failed[i] == 0) continue;
        fputs(some ? ", " : " ", out);
        put_number(writer, tally_defect_name((enum defect)i), tally->failed[i]);
        some = true;
    }
    fputs(some ? " },\n      " : "},\n      ", out);
    put_number(writer, "duplicateKeyRecordCount", tally->duplicate_keys);
    fputs(",\n      \"changedByReason\": { ", out);
    for (int i = 0; i < CHANGE_COUNT; i++) {
        if (i > 0) fputs(", ", out);
        put_number(writer, tally_change_name((enum change)i), tally->changed[i]);
    }
    fputs(" }", out);
}

static void put_records(struct writer *writer, const struct report *report)
{
    FILE *const out = writer->stream;
    const struct tally *const tally = &report->tally;
    fputs("    \"recordSummary\": {\n      ", out);
    put_number(writer, "inputRecordCount", tally->input);
    fputs(",\n      ", out);
    put_number(writer, "deliveredRecordCount", tally->delivered);
    fputs(",\n      ", out);
    put_number(writer, "outputRowCount", tally->rows);
    fputs(",\n      ", out);
    put_number(writer, "skippedRecordCount", tally_skipped(tally));
    put_reasons(writer, report);
    fputs("\n    },\n", out);
}

static void put_status(struct writer *writer, const struct report *report)
{
    FILE *const out = writer->stream;
    fputs("    \"statusSummary\": {\n      ", out);
    put_member(writer, "status", report->status == REPORT_SUCCESS ? "success" : "failed");
    fputs(",\n      \"errors\": [", out);
    for (size_t i = 0; i < report->error_count; i++) {
        fputs(i > 0 ? ",\n        { " : "\n        { ", out);
        put_member(writer, "code", report->errors[i].code);
        fputs(", ", out);
        put_member(writer, "message", report->errors[i].message);
        fputs(" }", out);
    }
    fputs(report->error_count > 0 ? "\n      ]\n    }\n" : "]\n    }\n", out);
}

static void put_metrics(struct writer *writer, const struct report *report)
{
    FILE *const out = writer->stream;
    struct output_sum const output = sum_output(report);
    fputs("  \"metrics\": {\n    \"durationSummary\": { ", out);
    put_time(writer, "startedAtUTC", report->started_milliseconds);
    fputs(", ", out);
    put_time(writer, "completedAtUTC", report->completed_milliseconds);
    fputs(" },\n    \"sizeSummary\": { ", out);
    put_number(writer, "inputBytes", report->input_bytes);
    fputs(", ", out);
    put_number(writer, "outputBytes", output.bytes);
    fputs(" },\n", out);
    put_records(writer, report);
    fputs("    \"fileSummary\": { ", out);
    put_number(writer, "inputFileCount", report->input_files);
    fputs(", ", out);
    put_number(writer, "outputFileCount", output.files);
    fputs(" },\n", out);
    put_status(writer, report);
    fputs("  },\n", out);
}

static void put_files(struct writer *writer, const struct report *report)
{
    FILE *const out = writer->stream;
    fputs("  \"files\": [", out);
    for (size_t i = 0; i < report->file_count; i++) {
        const struct report_file *const file = &report->files[i];
        fputs(i > 0 ? ",\n    { " : "\n    { ", out);
        put_member(writer, "url", file->url);
        fputs(", ", out);
        put_member(writer, "kind", kind_name(file->kind));
        fputs(", ", out);
        put_number(writer, "rows", file->rows);
        fputs(", ", out);
        put_number(writer, "bytes", file->bytes);
        if (file->checksum_kind != CHECKSUM_NONE) {
            char text[CHECKSUM_TEXT_SIZE];
            checksum_text(file->checksum_kind, file->checksum, text);
            fputs(", ", out);
            put_member(writer, checksum_name(file->checksum_kind), text);
        }
        fputs(" }", out);
    }
    fputs(report->file_count > 0 ? "\n  ],\n" : "],\n", out);
}

static void put_performance(struct writer *writer, const struct report *report)
{
    FILE *const out = writer->stream;
    fputs("  \"performance\": {\n    ", out);
    put_member(writer, "bottleneck", report->bottleneck);
    fprintf(out, ",\n    \"rowsPerSecond\": %.0f,\n    \"inputBytesPerSecond\": %.0f,\n    ",
            rate(report, report->tally.rows), rate(report, report->input_bytes));
    put_number(writer, "threads", report->threads);
    fputs(",\n    ", out);
    put_number(writer, "peakRssBytes", report->peak_rss_bytes);
    fputs(",\n    ", out);
    put_number(writer, "retries", report->retries);
    fputs(",\n    ", out);
    put_number(writer, "throttles", report->throttles);
    fputs("\n  }\n}\n", out);
}

static void put_report(struct writer *writer, const struct report *report)
{
    fputs(FIRST_BYTES ",\n  ", writer->stream);
    put_member(writer, "version", report->version);
    fputs(",\n  ", writer->stream);
    put_member(writer, "runId", report->run_id);
    fputs(",\n  ", writer->stream);
    put_member(writer, "job", report->job);
    fputs(",\n  ", writer->stream);
    put_member(writer, "mode", report->mode);
    fputs(",\n", writer->stream);
    put_metrics(writer, report);
    put_files(writer, report);
    put_performance(writer, report);
}

/* The whole report in memory; NULL: no memory. The caller frees it. */
static char *build(const struct report *report, size_t *length)
{
    char *text = NULL;
    struct writer writer = {.stream = open_memstream(&text, length)};
    if (writer.stream == NULL) return NULL;
    put_report(&writer, report);
    bool const failed = ferror(writer.stream) != 0;
    if (fclose(writer.stream) == 0 && !failed && !writer.failed) return text;
    free(text);
    return NULL;
}

/* Writes, syncs where that means something, closes. 0 or errno. */
static int write_and_close(int fd, const char *text, size_t length, bool sync)
{
    int error = output_fs_write(fd, text, length);
    if (error == 0 && sync) error = output_fs_sync(fd);
    int const close_error = output_fs_close(fd);
    return error != 0 ? error : close_error;
}

static int write_stream(const char *path, const char *text, size_t length)
{
    int const fd = output_fs_open_at(AT_FDCWD, path, O_WRONLY | O_NOCTTY, 0);
    return fd < 0 ? errno : write_and_close(fd, text, length, false);
}

/* A temporary file of this name is this run's, or that of a killed run with the same id: it may go. */
static int open_temporary(const char *temporary)
{
    int const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    int const fd = output_fs_open_at(AT_FDCWD, temporary, flags, 0666);
    if (fd >= 0 || errno != EEXIST || unlink(temporary) != 0) return fd;
    return output_fs_open_at(AT_FDCWD, temporary, flags, 0666);
}

/* The name of the temporary file beside `path`; NULL: no memory. The caller frees it. */
static char *temporary_name(const char *path, const char *run_id)
{
    const char *const slash = strrchr(path, '/');
    const char *const name = slash == NULL ? path : slash + 1;
    char *temporary = NULL;
    return asprintf(&temporary, "%.*s.%s.%s.tmp", (int)(name - path), path, name, run_id) < 0 ? NULL
                                                                                              : temporary;
}

static int write_file(const char *path, const char *run_id, const char *text, size_t length)
{
    char *const temporary = temporary_name(path, run_id);
    if (temporary == NULL) return ENOMEM;
    int const fd = open_temporary(temporary);
    int error = fd < 0 ? errno : write_and_close(fd, text, length, true);
    if (error == 0 && rename(temporary, path) != 0) error = errno;
    if (error != 0 && fd >= 0) unlink(temporary);
    free(temporary);
    return error;
}

/* Is the regular file at `path` empty, or a report? 0, EEXIST: neither, or errno. */
static int check_former(const char *path)
{
    int const fd = output_fs_open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0) return errno;
    char first[sizeof FIRST_BYTES - 1];
    ssize_t length = 0;
    do {
        length = pread(fd, first, sizeof first, 0);
    } while (length < 0 && errno == EINTR);
    int error = length < 0 ? errno : 0;
    output_fs_close(fd);
    if (error == 0 && length != 0 &&
        (length != sizeof first || memcmp(first, FIRST_BYTES, sizeof first) != 0))
        error = EEXIST;
    return error;
}

/* To where `path` leads. 0, EEXIST: something stands there that is not a report, or errno. */
static int write_to(const char *path, const char *run_id, const char *text, size_t length)
{
    struct stat found;
    if (stat(path, &found) != 0) return errno == ENOENT ? write_file(path, run_id, text, length) : errno;
    if (S_ISDIR(found.st_mode)) return EISDIR;
    if (!S_ISREG(found.st_mode)) return write_stream(path, text, length);
    char *const real = realpath(path, NULL);
    if (real == NULL) return errno;
    int error = check_former(real);
    if (error == 0) error = write_file(real, run_id, text, length);
    free(real);
    return error;
}

static enum status refuse(enum status status, const char *path, const char *more, struct fault *fault)
{
    char shown[OUTPUT_TEXT_PRINTABLE];
    return fault_set(fault, status,
                     "%s: exists and is not a report, so it is not replaced: give another path (--report) or "
                     "remove it%s",
                     output_text_printable(path, shown, sizeof shown), more);
}

enum status report_write(const struct report *report, const char *path, struct fault *fault)
{
    if (report->status == REPORT_SUCCESS && !tally_balanced(&report->tally))
        return fault_set(fault, STATUS_INTERNAL,
                         "report: %" PRIu64 " records in, but %" PRIu64 " delivered, %" PRIu64
                         " skipped and %" PRIu64 " failed; this is a bug: report it",
                         report->tally.input, report->tally.delivered, tally_skipped(&report->tally),
                         tally_failed(&report->tally));
    size_t length = 0;
    char *const text = build(report, &length);
    if (text == NULL) return fault_set(fault, STATUS_IO, "report: no memory left to write it");
    bool const is_stdout = strcmp(path, "-") == 0;
    if (is_stdout) fflush(stdout); /* what was printed before stays before */
    int const error = is_stdout ? output_fs_write(STDOUT_FILENO, text, length)
                                : write_to(path, report->run_id, text, length);
    free(text);
    if (error == 0) return STATUS_OK;
    if (error == EEXIST && !is_stdout)
        return refuse(STATUS_IO, path, report->status == REPORT_SUCCESS ? "; the delivery stands" : "",
                      fault);
    return output_fs_fault(fault, STATUS_IO, error, "writing the report",
                           is_stdout ? "standard output" : path);
}

/* Can a file be made beside `path`? 0 or errno. */
static int try_place(const char *path, const char *run_id)
{
    char *const temporary = temporary_name(path, run_id);
    if (temporary == NULL) return ENOMEM;
    int const fd = open_temporary(temporary);
    int const error = fd < 0 ? errno : output_fs_close(fd);
    if (fd >= 0) unlink(temporary);
    free(temporary);
    return error;
}

/* The same for a regular file: is it ours to replace, and can the new one be made beside it? */
static int try_replace(const char *path, const char *run_id)
{
    char *const real = realpath(path, NULL);
    if (real == NULL) return errno;
    int error = check_former(real);
    if (error == 0) error = try_place(real, run_id);
    free(real);
    return error;
}

enum status report_check(const char *path, const char *run_id, struct fault *fault)
{
    struct stat found;
    if (strcmp(path, "-") == 0) return STATUS_OK;
    int error = stat(path, &found) == 0 ? 0 : errno;
    if (error == ENOENT)
        error = try_place(path, run_id);
    else if (error == 0 && S_ISDIR(found.st_mode))
        error = EISDIR;
    else if (error == 0 && S_ISREG(found.st_mode))
        error = try_replace(path, run_id);
    else if (error == 0 && access(path, W_OK) != 0)
        error = errno;
    if (error == 0) return STATUS_OK;
    if (error == EEXIST) return refuse(STATUS_USAGE, path, "", fault);
    return output_fs_fault(fault, STATUS_IO, error, "the report can't be written there", path);
}

/* report.c - the run report as JSON. Thread: main's, after the run. Owns nothing beyond each call. */
#include "io/output/report.h"

#include "core/csv/timestamp.h"
#include "io/output/output_text.h"
#include "io/output/output_whole.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLISECONDS 1000
#define NANOSECONDS  1e9

/* What every report begins with; what does not is another's and is left alone. */
#define FIRST_BYTES "{\n  \"tool\": \"penstock\""

/* The report under construction: where it goes, and what its functions can't tell by themselves. */
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

static double seconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / NANOSECONDS;
}

/* Only those that the run had. */
static void put_stages(struct writer *writer, const struct report *report)
{
    FILE *const out = writer->stream;
    const char *separator = "\n      ";
    fputs("\"stages\": {", out);
    for (enum stage s = STAGE_READ; s < STAGE_COUNT; s++) {
        const struct stage_use *const use = &report->stages.of[s];
        if (use->busy == 0 && use->waiting == 0) continue;
        fprintf(out, "%s\"%s\": { \"busySeconds\": %.6f, \"waitingSeconds\": %.6f, \"bytes\": %" PRIu64 " }",
                separator, stage_name(s, report->uploads), seconds(use->busy), seconds(use->waiting),
                use->bytes);
        separator = ",\n      ";
    }
    fputs(separator[0] == ',' ? "\n    }" : "}", out);
}

static void put_performance(struct writer *writer, const struct report *report)
{
    FILE *const out = writer->stream;
    fputs("  \"performance\": {\n    ", out);
    if (report->stages.bottleneck == STAGE_NONE)
        fputs("\"bottleneck\": null", out);
    else
        put_member(writer, "bottleneck", stage_name(report->stages.bottleneck, report->uploads));
    fputs(",\n    ", out);
    put_stages(writer, report);
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

/* ---- the file ---- */

static bool print_report(FILE *out, void *context)
{
    struct writer writer = {.stream = out};
    put_report(&writer, context);
    return !writer.failed;
}

static struct output_whole file_of(const char *path, const char *run_id)
{
    return (struct output_whole){.path = path,
                                 .run_id = run_id,
                                 .kind = "report",
                                 .setting = "--report",
                                 .first = FIRST_BYTES,
                                 .sync = true};
}

enum status report_write(const struct report *report, const char *path, struct fault *fault)
{
    if (report->status == REPORT_SUCCESS && !tally_balanced(&report->tally))
        return fault_set(fault, STATUS_INTERNAL,
                         "report: %" PRIu64 " records in, but %" PRIu64 " delivered, %" PRIu64
                         " skipped and %" PRIu64 " failed; this is a bug: report it",
                         report->tally.input, report->tally.delivered, tally_skipped(&report->tally),
                         tally_failed(&report->tally));
    struct output_whole const file = file_of(path, report->run_id);
    struct report copy = *report; /* print_report() takes what is not constant */
    return output_whole_write(&file, print_report, &copy,
                              report->status == REPORT_SUCCESS ? "; the delivery stands" : "", fault);
}

enum status report_check(const char *path, const char *run_id, struct fault *fault)
{
    struct output_whole const file = file_of(path, run_id);
    return output_whole_check(&file, fault);
}

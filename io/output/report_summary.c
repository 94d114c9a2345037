/* report_summary.c - the summary of a run for people. Counts are exact, sizes and rates have three digits.
 * Pure; owns nothing. */
#include "io/output/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A text that is cut where its room ends. */
struct line {
    char *out;
    size_t size;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int const length = vsnprintf(line->out + line->used, line->size - line->used, format, arguments);
    va_end(arguments);
    if (length <= 0) return;
    size_t const room = line->size - line->used - 1;
    line->used += (size_t)length < room ? (size_t)length : room;
}

static void add_count(struct line *line, uint64_t count, const char *one, const char *many)
{
    add(line, "%" PRIu64 " %s", count, count == 1 ? one : many);
}

/* 999, 1.23 k, 12.3 M, 123 G: powers of 1000, three digits. */
static void add_scaled(struct line *line, double number, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    size_t const last = sizeof prefixes / sizeof prefixes[0] - 1;
    size_t i = 0;
    for (; i < last && number >= 999.5; i++)
        number /= 1000;
    int const digits = i == 0 ? 0 : number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    const char *const between = i == 0 || unit[0] == 'B' ? "" : " "; /* 12 MB, but 12 M rows */
    add(line, "%.*f %s%s%s", digits, number, prefixes[i], between, unit);
}

static void add_duration(struct line *line, uint64_t nanoseconds)
{
    double const seconds = (double)nanoseconds / 1e9;
    if (seconds < 59.995) {
        add(line, "%.2f s", seconds);
        return;
    }
    uint64_t const whole = (uint64_t)(seconds + 0.5);
    uint64_t const hours = whole / 3600;
    if (hours > 0) add(line, "%" PRIu64 " h ", hours);
    add(line, "%" PRIu64 " min %" PRIu64 " s", whole / 60 % 60, whole % 60);
}

static void add_delivery(struct line *line, const struct report *report)
{
    uint64_t files = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < report->file_count; i++) {
        if (report->files[i].kind != REPORT_FILE_DATA && report->files[i].kind != REPORT_FILE_PURGE) continue;
        files++;
        bytes += report->files[i].bytes;
    }
    if (report->status == REPORT_FAILED) {
        add(line, "nothing delivered");
        return;
    }
    add_count(line, report->tally.rows, "row out in ", "rows out in ");
    add_count(line, files, "file (", "files (");
    add_scaled(line, (double)bytes, "B");
    add(line, ")");
}

static void add_rates(struct line *line, const struct report *report)
{
    /* nothing was measured; and how far into its input a run came that ended before, is not known */
    if (report->elapsed_nanoseconds == 0 || report->tally.input == 0 || report->status != REPORT_SUCCESS)
        return;
    double const seconds = (double)report->elapsed_nanoseconds / 1e9;
    add(line, ", ");
    add_scaled(line, (double)report->tally.rows / seconds, "rows/s");
    add(line, ", ");
    add_scaled(line, (double)report->input_bytes / seconds, "B/s");
    if (report->stages.bottleneck == STAGE_NONE) return;
    add(line, ", bottleneck: %s", stage_name(report->stages.bottleneck, report->uploads));
}

/* "failed: syntax 2, utf8 1": what stands before the first reason that occurred. */
struct reasons {
    struct line *line;
    const char *title;
    bool some; /* of this title */
    bool any;  /* of the whole line */
};

static void add_reason(struct reasons *reasons, const char *name, uint64_t count)
{
    if (count == 0) return;
    if (!reasons->any) add(reasons->line, "penstock: ");
    if (reasons->some)
        add(reasons->line, ", ");
    else
        add(reasons->line, "%s%s: ", reasons->any ? "; " : "", reasons->title);
    add(reasons->line, "%s %" PRIu64, name, count);
    reasons->some = true;
    reasons->any = true;
}

static void add_reasons(struct line *line, const struct tally *tally)
{
    struct reasons reasons = {.line = line, .title = "failed"};
    for (int i = DEFECT_NONE + 1; i < DEFECT_COUNT; i++)
        add_reason(&reasons, tally_defect_name((enum defect)i), tally->failed[i]);
    reasons.title = "skipped";
    reasons.some = false;
    for (int i = 0; i < SKIP_COUNT; i++)
        add_reason(&reasons, tally_skip_name((enum skip)i), tally->skipped[i]);
    reasons.title = "values changed";
    reasons.some = false;
    for (int i = 0; i < CHANGE_COUNT; i++)
        add_reason(&reasons, tally_change_name((enum change)i), tally->changed[i]);
    if (tally->duplicate_keys > 0) {
        add(line, "%s", reasons.any ? "; " : "penstock: ");
        add_count(line, tally->duplicate_keys, "record with a key twice", "records with a key twice");
        reasons.any = true;
    }
    if (reasons.any) add(line, "\n");
}

void report_summary(const struct report *report, char *out, size_t size)
{
    struct line line = {.out = out, .size = size, .used = 0};
    if (size == 0) return;
    out[0] = '\0';
    const struct tally *const tally = &report->tally;
    add(&line, "penstock: ");
    add_count(&line, tally->input, "record in, ", "records in, ");
    add_delivery(&line, report);
    add(&line, ", %" PRIu64 " failed, %" PRIu64 " skipped, ", tally_failed(tally), tally_skipped(tally));
    add_duration(&line, report->elapsed_nanoseconds);
    add_rates(&line, report);
    add(&line, "\n");
    add_reasons(&line, tally);
}

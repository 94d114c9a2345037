/* run_report.c - the end of a run: the report file and the summary on standard error. Thread: main. */
#include "io/cli/run_report.h"

#include "io/cli/machine.h"
#include "io/cli/version.h"
#include "io/output/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the workers' time went: waiting for chunks, or idle at the end, means that the sink was slower than
 * they. */
static const char *bottleneck(const struct run *run, const struct pipeline_times *times)
{
    uint64_t const wait_sink = times->wait_chunk + times->drain * run->pipeline.threads;
    if (wait_sink > times->convert && wait_sink > times->read)
        return run->destination.kind == DESTINATION_S3 ? "upload" : "write";
    return times->read > times->convert ? "read" : "convert";
}

static double seconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1e9;
}

static void tell_times(const struct log *logger, const struct pipeline_times *times)
{
    log_detail(
        logger,
        "workers: %.2f s converting, %.2f s reading, %.2f s waiting for empty chunks; assembler: %.2f s "
        "waiting for rows, %.2f s for the last pieces",
        seconds(times->convert), seconds(times->read), seconds(times->wait_chunk), seconds(times->wait_rows),
        seconds(times->drain));
}

/* The summary is written for people: its lines as they are, or one log line each. */
static void show_summary(const struct log *logger, char *summary)
{
    if (logger->format == LOG_FORMAT_TEXT) {
        fputs(summary, logger->stream);
        return;
    }
    static const char prefix[] = "penstock: ";
    for (char *line = strtok(summary, "\n"); line != NULL; line = strtok(NULL, "\n"))
        log_info(logger, "%s",
                 strncmp(line, prefix, sizeof prefix - 1) == 0 ? line + sizeof prefix - 1 : line);
}

/* Bytes and checksum of a file as they lie at the destination. */
static struct sink_stored stored_of(const struct sink *sink, const struct assemble_file *file)
{
    struct sink_stored stored = {.bytes = file->bytes, .checksum = file->checksum};
    if (sink->stored != NULL) sink->stored(sink, file->number, &stored);
    return stored;
}

enum status run_report(const struct run *run, const struct run_outcome *outcome)
{
    struct fault fault = {.status = STATUS_OK};
    enum status const status = outcome->status;
    struct s3_client_stats stats = {0};
    if (run->destination.client != NULL) s3_client_stats(run->destination.client, &stats);
    const struct assemble *assemble = &outcome->result->assemble;
    size_t const count = outcome->delivered ? assemble->file_count : 0;
    enum { URL_MAX = 4096 + ASSEMBLE_NAME_MAX };
    struct report_file *files = calloc(count + 1, sizeof *files);
    char *urls = calloc(count + 1, URL_MAX);
    if (files == NULL || urls == NULL) {
        free(files);
        free(urls);
        log_error(run->logger, "no memory for the report");
        return STATUS_IO;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sink *const sink = run->destination.sink;
        const struct assemble_file *const file = &assemble->files[i];
        struct sink_stored const stored = stored_of(sink, file);
        char *url = urls + i * URL_MAX;
        sink->url(sink, file->name, url, URL_MAX);
        files[i] = (struct report_file){.url = url,
                                        .kind = REPORT_FILE_DATA,
                                        .rows = file->rows,
                                        .bytes = stored.bytes,
                                        .checksum_kind = file->checksum_kind,
                                        .checksum = stored.checksum};
    }
    struct report_error const error = {.code = status_name(status), .message = outcome->fault->message};
    struct report const report = {.version = PENSTOCK_VERSION,
                                  .run_id = run->run_id,
                                  .job = run->job.name == NULL ? "" : run->job.name,
                                  .mode = "full",
                                  .started_milliseconds = run->started_milliseconds,
                                  .completed_milliseconds = machine_wall_milliseconds(),
                                  .elapsed_nanoseconds = machine_now() - run->started,
                                  .input_bytes = run->input_bytes,
                                  .input_files = run->source_count,
                                  .tally = assemble->tally,
                                  .status = status == STATUS_OK ? REPORT_SUCCESS : REPORT_FAILED,
                                  .errors = &error,
                                  .error_count = status == STATUS_OK ? 0 : 1,
                                  .files = files,
                                  .file_count = count,
                                  .bottleneck = bottleneck(run, &outcome->result->times),
                                  .threads = run->pipeline.threads,
                                  .peak_rss_bytes = machine_peak_rss(),
                                  .retries = stats.retries,
                                  .throttles = stats.throttles};
    tell_times(run->logger, &outcome->result->times);
    enum status written = STATUS_OK;
    if (run->options->report != NULL && !outcome->no_report)
        written = report_write(&report, run->options->report, &fault);
    if (written != STATUS_OK) log_error(run->logger, "%s", fault.message);
    if (run->logger->most >= LOG_LEVEL_INFO) {
        char summary[REPORT_SUMMARY_SIZE];
        report_summary(&report, summary, sizeof summary);
        show_summary(run->logger, summary);
    }
    free(files);
    free(urls);
    return status == STATUS_OK ? written : status;
}

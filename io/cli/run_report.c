/* run_report.c - the end of a run: the report file and the summary on standard error. Thread: main. */
#include "io/cli/run_report.h"

#include "io/cli/machine.h"
#include "io/cli/run_pega.h"
#include "io/cli/run_tracks.h"
#include "io/cli/version.h"
#include "io/output/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A destination's URL and a file's name. */
#define REPORT_URL_SIZE (4096u + ASSEMBLE_NAME_MAX)

static double seconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1e9;
}

static void tell_stages(const struct log *logger, const struct stage_uses *stages, bool uploads)
{
    for (enum stage s = STAGE_READ; s < STAGE_COUNT; s++) {
        const struct stage_use *const use = &stages->of[s];
        if (use->busy == 0 && use->waiting == 0) continue;
        log_detail(logger, "%s: %.2f s busy, %.2f s waited for, %llu bytes", stage_name(s, uploads),
                   seconds(use->busy), seconds(use->waiting), (unsigned long long)use->bytes);
    }
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

/* The files of a delivery, as the report lists them: data, manifests, tokens. */
struct listed {
    struct report_file *files;
    char (*urls)[REPORT_URL_SIZE];
    size_t count;
};

static void add_file(struct listed *listed, const struct sink *sink, const char *name,
                     struct report_file file)
{
    char *const url = listed->urls[listed->count];
    sink->url(sink, name, url, REPORT_URL_SIZE);
    file.url = url;
    listed->files[listed->count++] = file;
}

static void free_list(const struct listed *listed)
{
    free(listed->files);
    free(listed->urls);
}

/* False: no memory. */
static bool list_files(const struct run *run, const struct run_outcome *outcome, struct listed *listed)
{
    const struct sink *const sink = run->destination.sink;
    const struct assemble *const assemble = &outcome->result->assemble;
    size_t const data = outcome->delivered ? assemble->file_count : 0;
    size_t const pega = outcome->delivered && outcome->pega != NULL ? outcome->pega->count : 0;
    *listed = (struct listed){.files = calloc(data + pega + 1, sizeof *listed->files),
                              .urls = calloc(data + pega + 1, sizeof *listed->urls)};
    if (listed->files == NULL || listed->urls == NULL) return false;
    for (size_t i = 0; i < data; i++) {
        const struct assemble_file *const file = &assemble->files[i];
        struct sink_stored const stored = run_stored(sink, file);
        add_file(listed, sink, file->name,
                 (struct report_file){.kind = REPORT_FILE_DATA,
                                      .rows = file->rows,
                                      .bytes = stored.bytes,
                                      .checksum_kind = destination_checksum(&run->destination),
                                      .checksum = stored.checksum});
    }
    for (size_t i = 0; i < pega; i++) {
        const struct pega_object *const object = &outcome->pega->objects[i];
        add_file(listed, sink, object->name,
                 (struct report_file){.kind = object->is_token ? REPORT_FILE_TOKEN : REPORT_FILE_MANIFEST,
                                      .bytes = object->text.length,
                                      .checksum_kind = destination_checksum(&run->destination),
                                      .checksum = object->checksum});
    }
    return true;
}

/* A report that is missing must not be taken for a delivery that is. */
static const char *standing(const struct run_outcome *outcome)
{
    return outcome->delivered ? "; the delivery stands whole, only its report is missing" : "";
}

/* Writes the report, when one is wanted, and the summary. */
static enum status tell(const struct run *run, const struct run_outcome *outcome, const struct report *report)
{
    struct fault fault = {.status = STATUS_OK};
    enum status written = STATUS_OK;
    tell_stages(run->logger, &report->stages, report->uploads);
    if (run->options->report != NULL && !outcome->no_report)
        written = report_write(report, run->options->report, &fault);
    if (written != STATUS_OK) log_error(run->logger, "%s%s", fault.message, standing(outcome));
    if (run->logger->most >= LOG_LEVEL_INFO) {
        char summary[REPORT_SUMMARY_SIZE];
        report_summary(report, summary, sizeof summary);
        show_summary(run->logger, summary);
    }
    return written;
}

enum status run_report(const struct run *run, const struct run_outcome *outcome)
{
    enum status const status = outcome->status;
    struct s3_client_stats stats = {0};
    if (run->destination.client != NULL) s3_client_stats(run->destination.client, &stats);
    run_objects_stats(&run->objects, &stats);
    const struct assemble *assemble = &outcome->result->assemble;
    struct listed listed;
    if (!list_files(run, outcome, &listed)) {
        free_list(&listed);
        log_error(run->logger, "no memory for the report%s", standing(outcome));
        return STATUS_IO;
    }
    const char *consent[MAPPING_CONSENT_RULES_MAX];
    for (size_t i = 0; i < run->job.mapping.consent_count; i++)
        consent[i] = run->job.mapping.consent[i].path.text;
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
                                  .consent_paths = consent,
                                  .consent_count = run->job.mapping.consent_count,
                                  .status = status == STATUS_OK ? REPORT_SUCCESS : REPORT_FAILED,
                                  .errors = &error,
                                  .error_count = status == STATUS_OK ? 0 : 1,
                                  .files = listed.files,
                                  .file_count = listed.count,
                                  .stages = run_tracks_sum_up(run),
                                  .uploads = run->destination.kind == DESTINATION_S3,
                                  .threads = run->pipeline.threads,
                                  .peak_rss_bytes = machine_peak_rss(),
                                  .retries = stats.retries,
                                  .throttles = stats.throttles};
    enum status const written = tell(run, outcome, &report);
    free_list(&listed);
    return status == STATUS_OK ? written : status;
}

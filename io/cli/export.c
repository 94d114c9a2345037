/* export.c - one run from options to exit status, in the order in which things can fail:
 *
 *   job -> plan -> memory -> sources -> destination -> report path, reject file -> pipeline -> checks ->
 * commit -> report
 *
 * Thread: main. struct run owns everything that the run opens; run_close() takes zeroed fields. */
#include "io/cli/export.h"

#include "core/base/limits.h"
#include "core/flow/pipeline.h"
#include "io/cli/machine.h"
#include "io/cli/signals.h"
#include "io/cli/version.h"
#include "io/input/source_file.h"
#include "io/input/source_list.h"
#include "io/output/file_name.h"
#include "io/output/rejects.h"
#include "io/output/report.h"
#include "io/output/sink_directory.h"
#include "io/output/sink_null.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct options *options;
    const struct log *logger;
    struct job job;
    struct arena arena;
    struct plan plan;
    struct convert_rules rules;
    struct source_list list;
    struct source **sources;
    size_t source_count;
    struct shard_plan shards;
    struct sink *sink;
    struct rejects *rejects;
    struct pipeline_options pipeline;
    struct pipeline_result result;
    struct job_budget budget;
    const char *destination, *rejects_path;
    char run_id[OPTIONS_RUN_ID_MAX + 1];
    int64_t run_time; /* seconds since 1970 */
    int64_t started_milliseconds;
    uint64_t started;
    uint64_t input_bytes;
    bool delivered;
    bool no_report; /* its path was refused: said once, not tried again */
};

/* ---- what the pipeline asks of the run ---- */

static struct file_name_values name_values(const struct run *run, uint32_t part)
{
    return (struct file_name_values){
        .name = run->job.name, .run_time = run->run_time, .run_id = run->run_id, .part = part};
}

static enum status name_file(void *context, uint32_t part, char *out, size_t size, struct fault *fault)
{
    const struct run *run = context;
    struct file_name_values const values = name_values(run, part);
    (void)size; /* FILE_NAME_SIZE, see below */
    if (part > 1 && strstr(run->job.file_name, "{part}") == NULL)
        return fault_set(
            fault, STATUS_JOB,
            "files.name: has no {part}, so that the second file would get the name of the first; "
            "add {part}, or allow one file only: files.max_rows: null (its default is 5000000) "
            "and no files.max_bytes");
    return file_name_expand(run->job.file_name, &values, out, fault);
}

_Static_assert(FILE_NAME_SIZE <= ASSEMBLE_NAME_MAX, "a name must fit where the assembler keeps it");

static enum status put_reject(void *context, const struct reject *reject, struct fault *fault)
{
    const struct run *run = context;
    return rejects_add(run->rejects, reject, fault);
}

static void warn_large_row(void *context, const char *file, uint64_t bytes)
{
    const struct run *run = context;
    log_warning(run->logger,
                "%s: its one row of %llu bytes makes it larger than files.max_bytes: a row is never cut",
                file, (unsigned long long)bytes);
}

/* ---- the steps ---- */

static enum status load_job(struct run *run, struct fault *fault)
{
    const struct options *options = run->options;
    enum status const status = options->job != NULL ? job_load(options->job, &run->job, fault)
                                                    : job_from_flags(options->id, options->columns,
                                                                     options->column_count, &run->job, fault);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < run->job.warning_count; i++)
        log_warning(run->logger, "%s", run->job.warnings[i]);
    run->destination = options->to != NULL ? options->to : run->job.destination_url;
    run->rejects_path = options->rejects != NULL ? options->rejects : run->job.rejects_path;
    run->budget = options_is_set(options, OPTION_MAX_REJECTS) ? options->max_rejects : run->job.budget;
    if (run->destination == NULL)
        return fault_set(fault, STATUS_USAGE,
                         "no destination: give --to DIRECTORY or --to null: (or destination.url in the job)");
    return plan_compile(&run->arena, &run->job.mapping, &run->plan, fault);
}

static enum status plan_memory(struct run *run, struct fault *fault)
{
    const struct options *options = run->options;
    run->rules = (struct convert_rules){.plan = &run->plan,
                                        .max_record = run->job.max_record,
                                        .max_depth = run->job.max_depth,
                                        .walk = options->walk == OPTIONS_WALK_ON_DEMAND ? CONVERT_ON_DEMAND
                                                                                        : CONVERT_FAST};
    run->pipeline.threads = options->threads != 0 ? options->threads : machine_cpus();
    run->pipeline.rules = &run->rules;
    run->pipeline.buffered_sources = options->input_mode != OPTIONS_INPUT_MMAP;
    run->pipeline.now = machine_now;
    run->pipeline.interrupted = signals_caught;
    uint64_t const limit = options->memory_limit != 0 ? options->memory_limit : machine_memory_default();
    enum status const status =
        pipeline_size(&run->rules, run->pipeline.threads, run->pipeline.buffered_sources, limit,
                      &run->pipeline.sizes, fault);
    if (status != STATUS_OK) return status;
    log_detail(
        run->logger, "%u threads, blocks of %zu KiB, %u chunks of %zu KiB each, at most %llu MiB of memory",
        run->pipeline.threads, run->pipeline.sizes.block / 1024, run->pipeline.sizes.chunks,
        run->pipeline.sizes.chunk / 1024, (unsigned long long)(run->pipeline.sizes.memory / LIMIT_MIB));
    return STATUS_OK;
}

static enum status open_sources(struct run *run, struct fault *fault)
{
    const struct options *options = run->options;
    bool const given = options->source_count != 0;
    const char *const *paths = given ? options->sources : run->job.source_paths;
    size_t const count = given ? options->source_count : run->job.source_count;
    if (count == 0)
        return fault_set(fault, STATUS_USAGE,
                         "no sources: name files on the command line, or in source.paths");
    enum status status = source_list_build(paths, count, &run->list, fault);
    if (status != STATUS_OK) return status;
    run->sources = calloc(run->list.count, sizeof(struct source *));
    struct shard_source *extents = calloc(run->list.count, sizeof *extents);
    if (run->sources == NULL || extents == NULL)
        status = fault_set(fault, STATUS_IO, "no memory for the sources");
    enum source_mode const mode =
        options->input_mode == OPTIONS_INPUT_MMAP ? SOURCE_MODE_MMAP : SOURCE_MODE_READ;
    for (size_t i = 0; status == STATUS_OK && i < run->list.count; i++) {
        struct source *source = source_file_open(run->list.items[i].path, mode, fault);
        if (source == NULL) {
            status = fault->status;
            break;
        }
        run->sources[run->source_count++] = source;
        run->input_bytes += source->size;
        extents[i] = (struct shard_source){.begin = run->list.items[i].content_start, .size = source->size};
    }
    if (status == STATUS_OK &&
        !shard_plan_create(&run->shards, extents, run->list.count, options->shard_size))
        status = fault_set(fault, STATUS_IO, "no memory for the sources");
    free(extents);
    return status;
}

static enum status open_destination(struct run *run, struct fault *fault)
{
    struct file_name_values const first = name_values(run, 1);
    char name[FILE_NAME_SIZE];
    enum status const status = file_name_expand(run->job.file_name, &first, name, fault);
    if (status != STATUS_OK) return status;
    if (strcmp(run->destination, "null:") == 0) {
        run->sink = sink_null_create(fault);
    } else if (strncmp(run->destination, "s3://", 5) == 0) {
        return fault_set(fault, STATUS_USAGE, "%s: delivery to S3 is not supported yet in this version",
                         run->destination);
    } else {
        bool const replace = run->job.if_exists == JOB_EXISTS_REPLACE;
        run->sink = sink_directory_create(run->destination, run->run_id, replace, fault);
    }
    return run->sink == NULL ? fault->status : STATUS_OK;
}

/* Where `path` will be when it is made: its directory without links, and its name. NULL: no such directory,
 * or no memory. The caller frees it. */
static char *resolve_place(const char *path)
{
    const char *const slash = strrchr(path, '/');
    const char *const name = slash == NULL ? path : slash + 1;
    char *const folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(name - path));
    char *const real = folder == NULL ? NULL : realpath(folder, NULL);
    size_t const size = real == NULL ? 0 : strlen(real) + strlen(name) + 2;
    char *const place = real == NULL ? NULL : malloc(size);
    if (place != NULL) snprintf(place, size, "%s/%s", real, name);
    free(real);
    free(folder);
    return place;
}

static bool same_place(const char *one, const char *other)
{
    if (strcmp(one, other) == 0) return true;
    char *const real_one = resolve_place(one);
    char *const real_other = resolve_place(other);
    bool const same = real_one != NULL && real_other != NULL && strcmp(real_one, real_other) == 0;
    free(real_one);
    free(real_other);
    return same;
}

/* Behind the destination, whose directory may be made by this run and may be the report's. */
static enum status check_report(struct run *run, struct fault *fault)
{
    const char *const path = run->options->report;
    if (path == NULL) return STATUS_OK;
    enum status status = STATUS_OK;
    if (run->rejects_path != NULL && same_place(path, run->rejects_path))
        status = fault_set(fault, STATUS_USAGE,
                           "the report and the reject file are the same file '%.200s'; name two (--report, "
                           "--rejects or rejects.path)",
                           path);
    if (status == STATUS_OK) status = report_check(path, run->run_id, fault);
    run->no_report = status != STATUS_OK;
    return status;
}

static enum status open_rejects(struct run *run, struct fault *fault)
{
    if (run->rejects_path == NULL) return STATUS_OK;
    run->rejects = rejects_open(run->rejects_path, fault);
    return run->rejects == NULL ? fault->status : STATUS_OK;
}

static enum status convert_all(struct run *run, struct fault *fault)
{
    struct assemble_rules *rules = &run->pipeline.assemble;
    *rules = (struct assemble_rules){.max_rows = run->job.max_rows,
                                     .max_bytes = run->job.max_bytes,
                                     .header = run->job.mapping.csv.header,
                                     .header_line = csv_row_header(&run->arena, &run->job.mapping),
                                     .budget_is_share = run->budget.is_share,
                                     .budget_records = run->budget.records,
                                     .budget_millionths = run->budget.millionths,
                                     .budget_text = run->budget.text,
                                     .name = name_file,
                                     .name_context = run,
                                     .reject = run->rejects == NULL ? NULL : put_reject,
                                     .reject_context = run,
                                     .large_row = warn_large_row,
                                     .large_row_context = run};
    if (rules->header_line.bytes == NULL) return fault_set(fault, STATUS_IO, "no memory for the header");
    return pipeline_run(&run->pipeline, run->sources, &run->shards, run->sink, &run->result, fault);
}

/* A source that changed explains every other failure of its records: it is looked at first. */
static enum status check_sources(const struct run *run, enum status status, struct fault *fault)
{
    if (status != STATUS_OK && status != STATUS_INPUT) return status;
    for (size_t i = 0; i < run->source_count; i++) {
        enum status const changed = source_file_check(run->sources[i], fault);
        if (changed != STATUS_OK) return changed;
    }
    if (status == STATUS_OK && run->result.assemble.tally.input == 0)
        return fault_set(fault, STATUS_INPUT, "%s%s: the input holds no record at all: nothing is delivered",
                         run->list.items[0].path, run->list.count > 1 ? " and the other sources" : "");
    return status;
}

/* All that can still fail between the last row and the delivery. */
static enum status deliver(struct run *run, struct fault *fault)
{
    enum status status = convert_all(run, fault);
    if (status != STATUS_OK && status == signals_caught())
        fault_set(fault, status, "stopped by %s", signals_name());
    status = check_sources(run, status, fault);
    struct fault close_fault;
    enum status const closed = rejects_close(run->rejects, &close_fault);
    if (status == STATUS_OK && closed != STATUS_OK) {
        *fault = close_fault;
        status = closed;
    }
    if (status == STATUS_OK && signals_caught() != STATUS_OK)
        status = fault_set(fault, signals_caught(), "stopped by %s before the delivery", signals_name());
    if (status == STATUS_OK) status = run->sink->commit(run->sink, fault);
    run->delivered = status == STATUS_OK;
    if (!run->delivered)
        run->sink->abort(run->sink);
    else if (rejects_remove_former(run->rejects, &close_fault) != STATUS_OK)
        log_warning(run->logger, "%s; the delivery stands", close_fault.message);
    return status;
}

static enum status prepare(struct run *run, struct fault *fault)
{
    enum status status = load_job(run, fault);
    if (status == STATUS_OK) status = plan_memory(run, fault);
    if (status == STATUS_OK) status = open_sources(run, fault);
    if (status == STATUS_OK) status = open_destination(run, fault);
    if (status == STATUS_OK) status = check_report(run, fault);
    if (status == STATUS_OK) status = open_rejects(run, fault);
    return status;
}

/* ---- the report ---- */

/* Where the workers' time went: waiting for chunks means that the sink was slower than they. */
static const char *bottleneck(const struct pipeline_times *times)
{
    if (times->wait_chunk > times->convert && times->wait_chunk > times->read) return "write";
    return times->read > times->convert ? "read" : "convert";
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

static enum status write_report(const struct run *run, enum status status, const struct fault *failure)
{
    struct fault fault = {.status = STATUS_OK};
    const struct assemble *assemble = &run->result.assemble;
    size_t const count = run->delivered ? assemble->file_count : 0;
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
        char *url = urls + i * URL_MAX;
        run->sink->url(run->sink, assemble->files[i].name, url, URL_MAX);
        files[i] = (struct report_file){.url = url,
                                        .kind = REPORT_FILE_DATA,
                                        .rows = assemble->files[i].rows,
                                        .bytes = assemble->files[i].bytes};
    }
    struct report_error const error = {.code = status_name(status), .message = failure->message};
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
                                  .bottleneck = bottleneck(&run->result.times),
                                  .threads = run->pipeline.threads,
                                  .peak_rss_bytes = machine_peak_rss()};
    enum status written = STATUS_OK;
    if (run->options->report != NULL && !run->no_report)
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

static void run_close(struct run *run)
{
    assemble_free(&run->result.assemble);
    if (run->sink != NULL) run->sink->destroy(run->sink);
    rejects_destroy(run->rejects);
    shard_plan_destroy(&run->shards);
    for (size_t i = 0; i < run->source_count; i++)
        source_file_close(run->sources[i]);
    free(run->sources);
    source_list_free(&run->list);
    arena_free(&run->arena);
    job_free(&run->job);
}

enum status export_run(const struct options *options, const struct log *logger)
{
    struct run run = {.options = options,
                      .logger = logger,
                      .started_milliseconds = machine_wall_milliseconds(),
                      .started = machine_now()};
    struct fault fault = {.status = STATUS_OK};
    run.run_time =
        options_is_set(options, OPTION_RUN_TIME) ? options->run_time : run.started_milliseconds / 1000;
    if (options->run_id != NULL)
        snprintf(run.run_id, sizeof run.run_id, "%s", options->run_id);
    else
        machine_run_id(run.run_id);

    enum status status = prepare(&run, &fault);
    if (status == STATUS_OK) status = deliver(&run, &fault);
    if (status != STATUS_OK) log_error(logger, "%s", fault.message);
    if (status == STATUS_OK && run.result.assemble.tally.delivered == 0)
        log_warning(logger, "no record was delivered: no file is written");
    status = write_report(&run, status, &fault);
    run_close(&run);
    return status;
}

/* check.c - a run without its delivery, in the order of export.c:
 *
 *   job -> plan -> sources -> memory -> destination -> report path, reject file -> pipeline into nothing ->
 * report
 *
 * It writes nothing but the plan and the report that was asked for. At an S3 destination it tries the rights
 * with an upload that it aborts (s3_probe.h); a directory is looked at (output_check.h), and not made.
 *
 * Thread: main. struct check owns everything that it opens. */
#include "io/cli/check.h"

#include "core/base/limits.h"
#include "io/cli/check_plan.h"
#include "io/cli/run_convert.h"
#include "io/cli/run_names.h"
#include "io/cli/run_places.h"
#include "io/cli/run_report.h"
#include "io/cli/run_sources.h"
#include "io/cli/signals.h"
#include "io/output/leftovers.h"
#include "io/output/output_check.h"
#include "io/output/sink_null.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
    struct run run;
    FILE *out; /* of the plan */
    char name[OUTPUT_NAME_SIZE];
    struct output_check directory; /* open when the destination is one */
    bool has_directory;
    uint32_t taken; /* names in a bucket that would be replaced, but for `name` */
    struct sink *sink;
    struct pipeline_result result;
    bool no_report; /* its path was refused: said once, not tried again */
};

/* ---- the destination ---- */

static enum status look_at_name(void *context, const char *name, struct fault *fault)
{
    const struct check *const check = context;
    return output_check_name(&check->directory, name, fault);
}

static void warn(void *context, const char *message)
{
    const struct run *const run = context;
    log_warning(run->logger, "%s", message);
}

/* Unfinished files of other runs, in the folders of all streams. */
static void tell_leftovers(struct check *check)
{
    struct run *const run = &check->run;
    struct leftovers leftovers = {.count = 0};
    struct fault unused;
    char name[OUTPUT_NAME_SIZE], folder[OUTPUT_NAME_SIZE] = "/"; /* of nobody */
    for (uint32_t stream = 0; stream < run_stream_count(run); stream++) {
        if (run_file_name(run, stream, 1, name, &unused) != STATUS_OK) continue;
        char *const last = strrchr(name, '/');
        *(last == NULL ? name : last) = '\0';
        if (strcmp(folder, name) == 0) continue;
        memcpy(folder, name, strlen(name) + 1);
        leftovers_count(&check->directory.directory, folder, run->run_id, &leftovers);
    }
    leftovers_tell(&leftovers, &check->directory.directory, warn, run);
}

static enum status look_at_directory(struct check *check, struct fault *fault)
{
    struct run *const run = &check->run;
    struct run_names_visitor const spare = {.name = run_sources_spare, .context = run};
    struct run_names_visitor const name = {.name = look_at_name, .context = check};
    bool const replace = run->job.destination.if_exists == JOB_EXISTS_REPLACE;
    enum status const status =
        output_check_open(run->destination.url, run->run_id, replace, &check->directory, fault);
    check->has_directory = status == STATUS_OK;
    if (status != STATUS_OK) return status;
    check_plan_local(check->out, run, output_check_is_there(&check->directory));
    if (output_check_is_there(&check->directory)) tell_leftovers(check);
    enum status found = run_names_each(run, 0, &spare, fault);
    if (found == STATUS_OK) found = output_check_name(&check->directory, check->name, fault);
    return found == STATUS_OK ? run_names_each(run, 0, &name, fault) : found;
}

static enum status try_rights(struct check *check, const char *key, struct s3_probe_result *result,
                              struct fault *fault)
{
    struct run *const run = &check->run;
    const struct job_destination *const job = &run->job.destination;
    struct s3_object_options object;
    enum status status = destination_describe_objects(&run->destination, &object, fault);
    if (status != STATUS_OK) return status;
    struct s3_port const port =
        s3_port_of(run->destination.client, run->destination.place.bucket, job->account_id);
    struct s3_probe_request const request = {.key = key,
                                             .replace = job->if_exists == JOB_EXISTS_REPLACE,
                                             .checksum = job->checksum,
                                             .object = &object,
                                             .interrupted = signals_caught,
                                             .warn = warn,
                                             .warn_context = run};
    return s3_probe(&port, &request, result, fault);
}

static enum status key_of(const struct run *run, const char *name, char key[S3_KEY_MAX + 1],
                          struct fault *fault)
{
    const struct s3_url *const place = &run->destination.place;
    int const length = snprintf(key, S3_KEY_MAX + 1, "%s%s", place->key, name);
    if (length >= 0 && (size_t)length <= S3_KEY_MAX) return STATUS_OK;
    return fault_set(fault, STATUS_JOB,
                     "s3://%s/%.100s...: the key has more than %u bytes: shorten files.name or the "
                     "destination's prefix",
                     place->bucket, place->key, S3_KEY_MAX);
}

/* All but the first file's, which try_rights() looks at. */
static enum status look_at_object(void *context, const char *name, struct fault *fault)
{
    struct check *const check = context;
    struct run *const run = &check->run;
    char key[S3_KEY_MAX + 1];
    bool taken = false;
    if (strcmp(name, check->name) == 0) return STATUS_OK;
    if (signals_caught() != STATUS_OK) return fault_set(fault, signals_caught(), "stopped");
    enum status status = key_of(run, name, key, fault);
    if (status != STATUS_OK) return status;
    struct s3_port const port =
        s3_port_of(run->destination.client, run->destination.place.bucket, run->job.destination.account_id);
    status = s3_probe_name(&port, key, run->job.destination.if_exists == JOB_EXISTS_REPLACE, &taken, fault);
    check->taken += taken;
    return status;
}

static enum status look_at_s3(struct check *check, struct fault *fault)
{
    struct run *const run = &check->run;
    struct run_names_visitor const name = {.name = look_at_object, .context = check};
    char key[S3_KEY_MAX + 1];
    enum status status = key_of(run, check->name, key, fault);
    if (status == STATUS_OK) status = destination_connect(&run->destination, false, &run->arrivals, fault);
    if (status != STATUS_OK) return status;
    struct s3_probe_result result;
    status = try_rights(check, key, &result, fault);
    check_plan_s3(check->out, run); /* now the bucket has told its region */
    if (status == STATUS_OK) check_plan_rights(check->out, run, &result);
    if (status == STATUS_OK) status = run_names_each(run, 0, &name, fault);
    check_plan_replaced(check->out, check->taken, 0);
    return status;
}

static enum status look_at_destination(struct check *check, struct fault *fault)
{
    switch (check->run.destination.kind) {
    case DESTINATION_NULL: check_plan_local(check->out, &check->run, true); return STATUS_OK;
    case DESTINATION_DIRECTORY: return look_at_directory(check, fault);
    case DESTINATION_S3: return look_at_s3(check, fault);
    }
    return STATUS_OK;
}

/* ---- beside it ---- */

/* Is the reject file's directory the destination, which an export makes first? */
static bool is_in_destination(const struct check *check, const char *path)
{
    if (!check->has_directory || output_check_is_there(&check->directory)) return false;
    const char *const slash = strrchr(path, '/');
    if (slash == NULL) return false;
    char *const folder = strndup(path, (size_t)(slash - path));
    char *const url = strdup(check->run.destination.url);
    bool same = false;
    if (folder != NULL && url != NULL) {
        for (size_t length = strlen(url); length > 1 && url[length - 1] == '/'; length--)
            url[length - 1] = '\0';
        same = run_places_same(folder, url);
    }
    free(folder);
    free(url);
    return same;
}

static enum status look_at_places(struct check *check, struct fault *fault)
{
    const char *const rejects_path = check->run.rejects_path;
    enum status status = run_places_check_report(&check->run, fault);
    check->no_report = status != STATUS_OK;
    if (status == STATUS_OK) status = run_places_check_rejects(&check->run, fault);
    if (status != STATUS_OK || rejects_path == NULL || is_in_destination(check, rejects_path)) return status;
    struct rejects *const rejects = rejects_open(rejects_path, fault); /* looks only */
    if (rejects == NULL) return fault->status;
    rejects_destroy(rejects);
    return STATUS_OK;
}

/* ---- the records ---- */

/* The names of all files and their tokens, not the first one only. */
static enum status look_at_names(struct check *check, struct fault *fault)
{
    bool const is_s3 = check->run.destination.kind == DESTINATION_S3;
    struct run_names_visitor const name = {.name = is_s3 ? look_at_object : look_at_name, .context = check};
    const struct assemble *const assemble = &check->result.assemble;
    enum status status = STATUS_OK;
    if (!is_s3 && !check->has_directory) return STATUS_OK;
    check->taken = 0;
    for (uint32_t i = 0; status == STATUS_OK && i < assemble->file_count; i++)
        status = run_names_of_file(&check->run, assemble->files[i].name, &name, fault);
    check_plan_replaced(check->out, 0, check->taken);
    return status;
}

static enum status convert(struct check *check, struct fault *fault)
{
    enum status status = run_cut_to_sample(&check->run, fault);
    if (status != STATUS_OK) return status;
    check->sink = sink_null_create(fault);
    if (check->sink == NULL) return fault->status;
    status = run_convert(&check->run, check->sink, 0, NULL, &check->result, fault);
    check_plan_records(check->out, &check->run, &check->result.assemble);
    if (status == STATUS_OK && check->result.assemble.tally.delivered == 0)
        log_warning(check->run.logger, "no record would be delivered: no file would be written");
    return status == STATUS_OK ? look_at_names(check, fault) : status;
}

/* ---- the whole ---- */

static enum status prepare(struct check *check, struct fault *fault)
{
    enum status status = run_prepare(&check->run, fault);
    if (status != STATUS_OK) return status;
    status = run_names_check(&check->run, fault);
    if (status == STATUS_OK) status = run_file_name(&check->run, 0, 1, check->name, fault);
    if (status != STATUS_OK) return status;
    check_plan_job(check->out, &check->run, check->name);
    check_plan_machine(check->out, &check->run);
    status = look_at_destination(check, fault);
    return status == STATUS_OK ? look_at_places(check, fault) : status;
}

/* Parts grow with their file: can memory hold those of the largest? Asked before gigabytes were sent. */
static enum status check_reach(const struct check *check, struct fault *fault)
{
    const struct assemble *const assemble = &check->result.assemble;
    uint64_t const reach = check->run.destination.plan.reach;
    if (check->run.destination.kind != DESTINATION_S3) return STATUS_OK;
    for (uint32_t i = 0; i < assemble->file_count; i++)
        if (assemble->files[i].bytes > reach)
            return fault_set(
                fault, STATUS_JOB,
                "%s: would have %" PRIu64 " bytes; with parts of %" PRIu64
                " MiB over %u connections no more than %" PRIu64
                " can be uploaded: give more --connections or a larger --part-size (both take memory: "
                "--memory-limit), or make smaller files by files.max_bytes or files.max_rows",
                assemble->files[i].name, assemble->files[i].bytes,
                check->run.destination.plan.part_size / LIMIT_MIB, check->run.destination.plan.connections,
                reach);
    return STATUS_OK;
}

static enum status finish(struct check *check, enum status status, const struct fault *fault)
{
    /* its summary speaks of rows that were delivered */
    struct log const quiet = {
        .stream = check->run.logger->stream, .most = LOG_LEVEL_ERROR, .format = check->run.logger->format};
    const struct log *const logger = check->run.logger;
    struct run_outcome const outcome = {.result = &check->result,
                                        .delivered = false,
                                        .no_report = check->no_report,
                                        .status = status,
                                        .fault = fault};
    check->run.logger = &quiet;
    status = run_report(&check->run, &outcome);
    check->run.logger = logger;
    if (status == STATUS_OK) fputs("ready\n", check->out);
    if (fflush(check->out) == 0 && !ferror(check->out)) return status;
    log_error(logger, "standard output: can't be written");
    return status == STATUS_OK ? STATUS_IO : status;
}

enum status check_run(const struct options *options, const struct log *logger)
{
    struct fault fault = {.status = STATUS_OK};
    /* with --report - standard output is the report's alone */
    bool const is_taken = options->report != NULL && strcmp(options->report, "-") == 0;
    struct check check = {.out = is_taken ? stderr : stdout};
    enum status status = run_start(&check.run, options, logger, &fault);
    if (status == STATUS_OK) status = prepare(&check, &fault);
    if (status == STATUS_OK) status = convert(&check, &fault);
    if (status == STATUS_OK) status = check_reach(&check, &fault);
    if (status != STATUS_OK && status == signals_caught())
        fault_set(&fault, status, "stopped by %s", signals_name());
    fflush(check.out);
    if (status != STATUS_OK) log_error(logger, "%s", fault.message);
    status = finish(&check, status, &fault);
    assemble_free(&check.result.assemble);
    if (check.sink != NULL) check.sink->destroy(check.sink);
    if (check.has_directory) output_check_close(&check.directory);
    run_close(&check.run);
    return status;
}

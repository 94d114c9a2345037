/* verify_command.c - from options to exit status:
 *
 *   job -> S3 client -> manifest -> report -> memory -> where the files are -> the files -> what is wrong
 *
 * Thread: main. struct verification owns everything that is opened. */
#include "io/cli/verify_command.h"

#include "io/cli/machine.h"
#include "io/cli/signals.h"
#include "io/cli/verify_reach.h"
#include "io/cli/verify_tell.h"
#include "io/verify/verify_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libcurl, the arena of the job, stdio, malloc: what no plan counts. */
#define BASE_MEMORY (16 * LIMIT_MIB)

struct verification {
    const struct options *options;
    const struct log *logger;
    struct job job;
    bool has_job;
    struct verify_reach reach;
    struct verify_text manifest_text, report_text; /* as they were read; freed when they are */
    size_t manifest_bytes, report_bytes;
    struct manifest manifest;
    struct report_files report;
    struct verify_plan plan;
    struct verify verify;
    bool not_a_manifest; /* which is what is wrong */
};

static const struct job *job_of(const struct verification *run)
{
    return run->has_job ? &run->job : NULL;
}

/* ---- what it is compared with ---- */

static enum status read_manifest(struct verification *run, struct fault *fault)
{
    const char *const url = run->options->sources[0];
    enum status status =
        verify_reach_read(&run->reach, run->reach.manifest, MANIFEST_BYTES_MAX, &run->manifest_text, fault);
    if (status != STATUS_OK) return status;
    run->manifest_bytes = run->manifest_text.length;
    status = manifest_read(url, run->manifest_text.bytes, run->manifest_text.length, &run->manifest, fault);
    run->not_a_manifest = status != STATUS_OK;
    verify_text_free(&run->manifest_text);
    return status;
}

static enum status read_report(struct verification *run, struct fault *fault)
{
    const char *const path = run->options->report;
    if (path == NULL) return STATUS_OK;
    enum status status = verify_text_load(path, REPORT_BYTES_MAX, &run->report_text, fault);
    if (status != STATUS_OK) return status;
    run->report_bytes = run->report_text.length;
    status =
        report_read(path, (const char *)run->report_text.bytes, run->report_text.length, &run->report, fault);
    verify_text_free(&run->report_text);
    return status;
}

/* ---- how ---- */

static enum status make_plan(struct verification *run, struct fault *fault)
{
    const struct options *const options = run->options;
    uint64_t const fixed =
        BASE_MEMORY + MANIFEST_MEMORY(run->manifest_bytes) +
        (options->report != NULL ? REPORT_MEMORY(run->report_bytes) : 0) +
        verify_memory(run->manifest.file_count, options->report != NULL ? &run->report : NULL);
    struct verify_plan_request const request = {
        .memory = options->memory_limit != 0 ? options->memory_limit : machine_memory_default(),
        .fixed = fixed,
        .threads = options->threads != 0 ? options->threads : machine_cpus(),
        .threads_given = options->threads != 0,
        .is_s3 = run->reach.is_s3};
    uint64_t least = 0;
    if (verify_plan_make(&request, &run->plan, &least)) return STATUS_OK;
    return fault_set(fault, STATUS_USAGE,
                     "--memory-limit: %" PRIu64 " bytes are too few; %" PRIu64 " (%" PRIu64
                     "MiB) are the least for this delivery%s",
                     request.memory, least, least / LIMIT_MIB + 1,
                     request.threads_given ? " and these --threads" : "");
}

static enum status make_tools(struct verification *run, struct verify_tools **tools, struct fault *fault)
{
    *tools = calloc(run->plan.threads, sizeof **tools);
    if (*tools == NULL) return fault_set(fault, STATUS_IO, "no memory for threads; lower --threads");
    for (uint32_t i = 0; i < run->plan.threads; i++) {
        struct verify_source *const source =
            verify_reach_source(&run->reach, run->plan.range_bytes, VERIFY_AHEAD, fault);
        if (!verify_tools_make(&(*tools)[i], source, VERIFY_WINDOW_LOG, &run->reach.crew.stop))
            return fault_set(fault, STATUS_IO, "no memory for thread %u; lower --threads", i + 1);
    }
    return STATUS_OK;
}

static const char *path_prefix(const struct verification *run)
{
    return run->has_job && run->job.pega.wanted ? run->job.pega.path_prefix : NULL;
}

static enum status make_verify(struct verification *run, struct fault *fault)
{
    struct verify_place place;
    if (!verify_place_make(&place, run->reach.manifest, path_prefix(run), run->has_job ? run->job.name : ""))
        return fault_set(fault, STATUS_USAGE, "%s: is too long", run->options->sources[0]);
    const struct csv_options *const csv = run->has_job ? &run->job.mapping.csv : NULL;
    struct verify_options const options = {.manifest = &run->manifest,
                                           .manifest_place = run->reach.manifest,
                                           .root = run->reach.root,
                                           .header = csv != NULL ? csv->header : CSV_HEADER_EVERY,
                                           .dialect = {.delimiter = csv != NULL ? csv->delimiter : ',',
                                                       .crlf = csv != NULL && csv->line_end == CSV_LINE_CRLF},
                                           .report = run->options->report != NULL ? &run->report : NULL,
                                           .range_min = VERIFY_RANGE_MIN,
                                           .threads = run->plan.threads,
                                           .crew = &run->reach.crew};
    struct verify_tools *tools = NULL;
    enum status const status = make_tools(run, &tools, fault);
    struct fault other;
    enum status const made =
        verify_make(&run->verify, &options, &place, tools, status == STATUS_OK ? fault : &other);
    return status != STATUS_OK ? status : made;
}

/* ---- the command ---- */

static enum status look(struct verification *run, struct fault *fault)
{
    enum status status = read_manifest(run, fault);
    if (status == STATUS_OK) status = read_report(run, fault);
    if (status == STATUS_OK) status = make_plan(run, fault);
    if (status == STATUS_OK) status = make_verify(run, fault);
    if (status != STATUS_OK) return status;
    uint64_t const begin = machine_now();
    log_detail(run->logger, "files: %zu, threads: %u", run->manifest.file_count, run->plan.threads);
    status = verify_locate(&run->verify, fault);
    if (status == STATUS_OK) status = verify_files(&run->verify, fault);
    if (status == STATUS_OK)
        log_detail(run->logger, "looked at in %.3f s; files cut into ranges: %zu",
                   (double)(machine_now() - begin) / 1e9, run->verify.cut_count);
    return status;
}

/* What was found, on standard output. */
static enum status tell(const struct verification *run, enum status status, struct fault *fault)
{
    const char *const url = run->options->sources[0];
    uint64_t wrong = 0;
    if (status == STATUS_OK) {
        wrong = verify_tell(&run->verify, url, path_prefix(run));
    } else if (run->not_a_manifest) {
        verify_tell_manifest(fault->message);
        wrong = 1;
    } else if (status == signals_caught()) {
        return fault_set(fault, status, "stopped by %s", signals_name());
    } else {
        return status;
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        return fault_set(fault, STATUS_IO, "standard output: can't be written");
    fault->message[0] = '\0'; /* it has been said */
    return wrong == 0 ? STATUS_OK : STATUS_IO;
}

static void finish(struct verification *run)
{
    verify_free(&run->verify); /* sources before the client */
    verify_reach_close(&run->reach);
    manifest_free(&run->manifest);
    report_read_free(&run->report);
    verify_text_free(&run->manifest_text);
    verify_text_free(&run->report_text);
    if (run->has_job) job_free(&run->job);
}

enum status verify_command_run(const struct options *options, const struct log *logger)
{
    struct verification run = {.options = options, .logger = logger};
    struct fault fault = {.status = STATUS_OK};
    enum status status = STATUS_OK;
    if (options->job != NULL) {
        status = job_load(options->job, &run.job, &fault);
        run.has_job = status == STATUS_OK;
    }
    uint32_t const threads = options->threads != 0 ? options->threads : machine_cpus();
    if (status == STATUS_OK)
        status =
            verify_reach_open(&run.reach, options->sources[0], job_of(&run), threads * VERIFY_AHEAD, &fault);
    if (status == STATUS_OK) status = look(&run, &fault);
    status = tell(&run, status, &fault);
    if (status != STATUS_OK && fault.message[0] != '\0') log_error(logger, "%s", fault.message);
    finish(&run);
    return status;
}

/* run.c - the steps of a run before its first record. Thread: main. Owns all that struct run holds. */
#include "io/cli/run.h"

#include "core/base/limits.h"
#include "io/cli/machine.h"
#include "io/cli/run_former.h"
#include "io/cli/run_kernel.h"
#include "io/cli/run_names.h"
#include "io/cli/run_pack.h"
#include "io/cli/run_pin.h"
#include "io/cli/run_sources.h"
#include "io/cli/run_tracks.h"
#include "io/cli/signals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status run_start(struct run *run, const struct options *options, const struct log *logger,
                      struct fault *fault)
{
    *run = (struct run){.options = options,
                        .logger = logger,
                        .started_milliseconds = machine_wall_milliseconds(),
                        .started = machine_now()};
    run->run_time =
        options_is_set(options, OPTION_RUN_TIME) ? options->run_time : run->started_milliseconds / 1000;
    if (options->run_id != NULL)
        snprintf(run->run_id, sizeof run->run_id, "%s", options->run_id);
    else
        machine_run_id(run->run_id);
    const char *const trace = getenv("PENSTOCK_TRACE");
    run->trace_path = trace != NULL && trace[0] != '\0' ? trace : NULL;
    spool_file_start(&run->spool, NULL);
    run->can_wait = wait_init(&run->arrivals);
    if (!run->can_wait) return fault_set(fault, STATUS_IO, "no memory to wait with");
    enum status const status = run_kernel_check(fault);
    return status == STATUS_OK ? run_pin_read(run, fault) : status;
}

uint32_t run_threads(const struct options *options)
{
    return options->threads != 0 ? options->threads : machine_cpus();
}

uint64_t run_memory_limit(const struct options *options)
{
    return options->memory_limit != 0 ? options->memory_limit : machine_memory_default();
}

static enum status read_job(struct run *run, struct fault *fault)
{
    const struct options *options = run->options;
    enum status const status = options->job != NULL ? job_load(options->job, &run->job, fault)
                                                    : job_from_flags(options->id, options->columns,
                                                                     options->column_count, &run->job, fault);
    const struct job_governance *governance = &run->job.governance;
    /* the message of the fault has no room for more */
    for (size_t i = 0; status != STATUS_OK && i < governance->violation_count; i++)
        if (governance->violation_count > JOB_VIOLATIONS_SHOWN)
            log_error(run->logger, "governance: %s", governance->violations[i]);
    return status;
}

static enum status load_job(struct run *run, struct fault *fault)
{
    const struct options *options = run->options;
    enum status status = read_job(run, fault);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < run->job.warning_count; i++)
        log_warning(run->logger, "%s", run->job.warnings[i]);
    bool const url_is_jobs = options->to == NULL;
    const char *const url = url_is_jobs ? run->job.destination.url : options->to;
    run->rejects_path = options->rejects != NULL ? options->rejects : run->job.rejects_path;
    run->budget = options_is_set(options, OPTION_MAX_REJECTS) ? options->max_rejects : run->job.budget;
    if (url == NULL)
        return fault_set(
            fault, STATUS_USAGE,
            "no destination: give --to s3://bucket/prefix/, --to DIRECTORY or --to null: (or destination.url "
            "in the job)");
    status = job_names_check(&run->job, url, url_is_jobs, fault);
    if (status == STATUS_OK) status = plan_compile(&run->arena, &run->job.mapping, &run->plan, fault);
    if (status == STATUS_OK && !output_place_split(&run->arena, url, &run->place))
        status = fault_set(fault, STATUS_IO, "no memory for the destination");
    if (status != STATUS_OK) return status;
    return destination_read(&run->destination, run->place.base, url_is_jobs, &run->job, run->run_id,
                            run->logger, fault);
}

/* An upload gets what the converters leave of the limit when they take what they like, or else the least.
 * Compressed bytes are held in the compressor's blocks, others in the converters' chunks. */
static enum status plan_upload(struct run *run, uint64_t limit, struct pipeline_needs *needs,
                               struct fault *fault)
{
    const struct options *options = run->options;
    struct destination *destination = &run->destination;
    uint32_t const files = destination_open_files(&run->job);
    struct pipeline_sizes sizes;
    needs->hold = run_is_packed(run) ? 0 : 1; /* the sizes of a sink that holds */
    uint64_t const beside = needs->other - run_pack_memory(run, 0);
    enum status status = pipeline_size(needs, limit, &sizes, fault);
    uint64_t const least_converters = pipeline_least(needs);
    uint64_t taken = status == STATUS_OK ? sizes.memory : least_converters, least_upload = 0;
    bool const shares = convert_deduplicates(needs->rules); /* the other half is for the keys, if that does */
    for (int attempt = 0; attempt < 2 + shares; attempt++, taken = least_converters) {
        uint64_t left = taken < limit ? limit - taken : 0;
        if (shares && attempt < 2) left /= 2;
        status = destination_plan(destination, left, run_objects_spare(&run->objects, options->connections),
                                  options->part_size, run_sources_text(run), &least_upload, fault);
        if (status == STATUS_OK || least_upload == 0) break;
    }
    if (status != STATUS_OK && least_upload != 0)
        return fault_set(
            fault, STATUS_USAGE,
            "--memory-limit: %" PRIu64 " MiB are not enough for %u %s, records of up to %" PRIu64
            " bytes and an upload to S3 of %u %s at once; the least that works is %" PRIu64
            "MiB (fewer --threads or --connections, a smaller --part-size or source.max_record%s need "
            "less)",
            limit / LIMIT_MIB, needs->threads, needs->threads == 1 ? "thread" : "threads",
            run->rules.max_record, files, files == 1 ? "file" : "files",
            (least_converters + least_upload) / LIMIT_MIB + 1,
            files == 1 ? "" : ", fewer segments with segments.split or a smaller files.count");
    needs->hold = run_is_packed(run) ? 0 : destination->plan.hold;
    needs->other = beside + destination->plan.other + run_pack_memory(run, destination->plan.hold);
    return status;
}

static enum status size_beside(struct run *run, uint64_t limit, struct pipeline_needs *needs,
                               struct fault *fault)
{
    enum status status = STATUS_OK;
    if (run->destination.kind == DESTINATION_S3) status = plan_upload(run, limit, needs, fault);
    return status == STATUS_OK ? pipeline_size(needs, limit, &run->pipeline.sizes, fault) : status;
}

/* Reading ahead gets a quarter of the limit from S3, an eighth of files, or, where the rest does not do for
 * the others, the least. */
static enum status size_run(struct run *run, uint64_t limit, struct pipeline_needs *needs,
                            struct fault *fault)
{
    struct pipeline_needs const without = *needs;
    if (run->objects.fetch == NULL && !run_sources_are_direct(run))
        return size_beside(run, limit, needs, fault);
    enum status status = STATUS_OK;
    for (uint64_t memory = limit / 4;; memory = 0) {
        *needs = without;
        needs->reads_ahead = run_sources_read_ahead(run, memory / 2 / needs->threads);
        if (run->objects.fetch != NULL) {
            run_sources_plan(run, memory);
            needs->other += run->objects.plan.memory;
        }
        status = size_beside(run, limit, needs, fault);
        if (status != STATUS_USAGE || memory == 0) return status;
    }
}

/* What workers do with a record. */
static enum status set_rules(struct run *run, struct fault *fault)
{
    const struct options *const options = run->options;
    const struct segments *const segments = &run->job.mapping.segments;
    run->rules = (struct convert_rules){
        .plan = &run->plan,
        .max_record = run->job.max_record,
        .max_depth = run->job.max_depth,
        .walk = options->walk == OPTIONS_WALK_ON_DEMAND ? CONVERT_ON_DEMAND : CONVERT_FAST,
        .checksum = run_is_packed(run) ? CHECKSUM_NONE /* what is stored, has one */
                                       : destination_checksum(&run->destination),
        .streams = run_stream_count(run),
        .forgives_damage = run->job.forgives_damage,
        .strict = options->strict,
        .visits = run->visitor_bytes != 0};
    if (segments->count == 0 || options->strict) return STATUS_OK; /* strict parses others' records, too */
    run->rules.prefilter = prefilter_create(&run->arena, segments);
    return run->rules.prefilter != NULL ? STATUS_OK
                                        : fault_set(fault, STATUS_IO, "no memory for the segments");
}

static void set_pipeline(struct run *run)
{
    const struct options *const options = run->options;
    if (run->pipeline.threads == 0) run->pipeline.threads = run_threads(options);
    run->pipeline.rules = &run->rules;
    run->pipeline.buffered_sources =
        options->input_mode != OPTIONS_INPUT_MMAP || run->visitor_bytes != 0 || run->objects.fetch != NULL;
    run->pipeline.arrivals = &run->arrivals;
    run->pipeline.store = &run->spool.store;
    run->pipeline.prepare = machine_prepare_memory;
    run->pipeline.now = machine_now;
    run->pipeline.interrupted = signals_caught;
}

static void tell_memory(const struct run *run, const struct pipeline_needs *needs)
{
    const struct pipeline_sizes *const sizes = &run->pipeline.sizes;
    log_detail(run->logger,
               "%u threads, blocks of %zu KiB, %u chunks of %zu KiB each, at most %llu MiB of memory",
               run->pipeline.threads, sizes->block / 1024, sizes->chunks, sizes->chunk / 1024,
               (unsigned long long)(sizes->memory / LIMIT_MIB));
    if (run_sources_are_direct(run))
        log_detail(run->logger, "reading around the page cache, %llu KiB ahead of each thread",
                   (unsigned long long)(needs->reads_ahead / 1024));
    if (sizes->dedup.table != 0)
        log_detail(run->logger,
                   "deduplication: %llu MiB for keys, %llu MiB for rows before they go to a file",
                   (unsigned long long)(sizes->dedup.table / LIMIT_MIB),
                   (unsigned long long)(sizes->dedup.spool / LIMIT_MIB));
    if (run->objects.fetch != NULL)
        log_detail(run->logger,
                   "download: %u connections, %u ranges of %zu KiB, %u of each compressed object",
                   run->objects.connections, run->objects.plan.slots, run->objects.plan.range_bytes / 1024,
                   run->objects.plan.ahead);
    if (run->destination.kind == DESTINATION_S3)
        log_detail(run->logger,
                   "upload: %u connections of %u threads, parts of %llu MiB, %llu MiB held at most",
                   run->destination.plan.connections, run->destination.plan.threads,
                   (unsigned long long)(run->destination.plan.part_size / LIMIT_MIB),
                   (unsigned long long)(run->destination.plan.hold / LIMIT_MIB));
}

static enum status plan_memory(struct run *run, struct fault *fault)
{
    enum status status = set_rules(run, fault);
    if (status != STATUS_OK) return status;
    set_pipeline(run);
    uint64_t const limit = run_memory_limit(run->options);
    struct pipeline_needs needs = {.rules = &run->rules,
                                   .threads = run->pipeline.threads,
                                   .buffered_sources = run->pipeline.buffered_sources,
                                   .other = run_pack_memory(run, 0) + run_tracks_memory(run) +
                                            run->visitor_bytes * run->pipeline.threads};
    run_sources_needs(run, &needs);
    status = size_run(run, limit, &needs, fault);
    if (status != STATUS_OK) return status;
    pipeline_fill(&needs, limit, &run->pipeline.sizes);
    status = run_tracks_start(run, fault);
    if (status == STATUS_OK) status = run_pin_start(run, fault);
    if (status != STATUS_OK) return status;
    run_sources_widen(run, limit - run->pipeline.sizes.memory);
    tell_memory(run, &needs);
    return STATUS_OK;
}

enum status run_prepare(struct run *run, struct fault *fault)
{
    enum status status = load_job(run, fault);
    if (status == STATUS_OK) status = run_sources_open(run, fault);
    if (status == STATUS_OK) status = plan_memory(run, fault);
    return status == STATUS_OK ? run_sources_start(run, fault) : status;
}

enum status run_cut_to_sample(struct run *run, struct fault *fault)
{
    if (run->options->sample == 0) return STATUS_OK;
    enum status const status = run_sources_sample(run, run->options->sample, signals_caught, fault);
    if (status != STATUS_OK && status == signals_caught())
        fault_set(fault, status, "stopped by %s", signals_name());
    return status;
}

/* A record is read as a whole: its path has no parts. */
static enum status plan_whole_records(struct run *run, struct fault *fault)
{
    static const struct path whole = {.text = ""};
    static const struct column column = {.name = "record", .paths = &whole, .path_count = 1};
    struct mapping *const mapping = &run->job.mapping;
    struct job_flag_column const any = {.name = column.name, .path = column.name};
    enum status const status = job_from_flags(NULL, &any, 1, &run->job, fault);
    if (status != STATUS_OK) return status;
    mapping->columns = &column;
    run->destination.kind = DESTINATION_NULL;
    run->budget = (struct job_budget){.is_share = true, .millionths = 1000000, .text = "100%"};
    return plan_compile(&run->arena, mapping, &run->plan, fault);
}

enum status run_prepare_reading(struct run *run, uint64_t visitor_bytes, struct fault *fault)
{
    enum status status = plan_whole_records(run, fault);
    run->visitor_bytes = visitor_bytes;
    if (status == STATUS_OK) status = run_sources_open(run, fault);
    if (status != STATUS_OK) return status;
    status = plan_memory(run, fault);
    bool const may_be_fewer = run->options->threads == 0;
    while (status == STATUS_USAGE && may_be_fewer && run->pipeline.threads > 1) {
        run->pipeline.threads = (run->pipeline.threads + 1) / 2;
        status = plan_memory(run, fault);
    }
    return status == STATUS_OK ? run_sources_start(run, fault) : status;
}

enum status run_open_destination(struct run *run, struct fault *fault)
{
    struct run_names_visitor const spare = {.name = run_sources_spare, .context = run};
    enum status status = run_names_check(run, fault);
    if (status == STATUS_OK) status = run_names_each(run, 0, &spare, fault);
    if (run->destination.kind == DESTINATION_S3)
        run->destination.tracks = run_tracks_beside(run, "upload", run->destination.plan.threads);
    if (status == STATUS_OK) status = run_former_rules(run, &run->destination.former, fault);
    if (status == STATUS_OK)
        status = destination_open(&run->destination, run_pack_piece(run), &run->arrivals, fault);
    return status == STATUS_OK ? run_pack_open(run, fault) : status;
}

void run_stop(struct run *run)
{
    destination_close(&run->destination);
    run_sources_close(run);
}

void run_close(struct run *run)
{
    run_stop(run);
    spool_file_close(&run->spool);
    crew_destroy(&run->crew);
    run_tracks_close(run);
    run_pin_close(run);
    if (run->can_wait) wait_destroy(&run->arrivals);
    arena_free(&run->arena);
    job_free(&run->job);
}

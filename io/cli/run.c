/* run.c - the steps of a run before its first record. Thread: main. Owns all that struct run holds. */
#include "io/cli/run.h"

#include "core/base/limits.h"
#include "io/cli/machine.h"
#include "io/cli/run_names.h"
#include "io/cli/run_pack.h"
#include "io/cli/signals.h"
#include "io/input/source_file.h"

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
    spool_file_start(&run->spool, NULL);
    run->can_wait = wait_init(&run->arrivals);
    return run->can_wait ? STATUS_OK : fault_set(fault, STATUS_IO, "no memory to wait with");
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

static uint32_t thread_count(const struct options *options)
{
    return options->threads != 0 ? options->threads : machine_cpus();
}

/* With files.count the shards show in the output: then their size may depend on nothing but the input. */
static uint64_t shard_size(const struct run *run)
{
    const struct options *options = run->options;
    bool const shows = run->job.file_count != 0;
    if (options_is_set(options, OPTION_SHARD_SIZE) && !shows) return options->shard_size;
    bool const may_be_large = shows || run->destination.kind == DESTINATION_S3;
    return may_be_large && run->input_bytes >= RUN_LARGE_INPUT ? RUN_SHARD_LARGE : OPTIONS_SHARD_DEFAULT;
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
    if (status == STATUS_OK && !shard_plan_create(&run->shards, extents, run->list.count, shard_size(run)))
        status = fault_set(fault, STATUS_IO, "no memory for the sources");
    free(extents);
    return status;
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
    needs->other = run_pack_memory(run, 0);
    enum status status = pipeline_size(needs, limit, &sizes, fault);
    uint64_t const least_converters = pipeline_least(needs);
    uint64_t taken = status == STATUS_OK ? sizes.memory : least_converters, least_upload = 0;
    bool const shares = convert_deduplicates(needs->rules); /* the other half is for the keys, if that does */
    for (int attempt = 0; attempt < 2 + shares; attempt++, taken = least_converters) {
        uint64_t left = taken < limit ? limit - taken : 0;
        if (shares && attempt < 2) left /= 2;
        status = destination_plan(destination, left, options->connections, options->part_size,
                                  run->input_bytes, &least_upload, fault);
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
    needs->other = destination->plan.other + run_pack_memory(run, destination->plan.hold);
    return status;
}

static enum status plan_memory(struct run *run, struct fault *fault)
{
    const struct options *options = run->options;
    run->rules = (struct convert_rules){
        .plan = &run->plan,
        .max_record = run->job.max_record,
        .max_depth = run->job.max_depth,
        .walk = options->walk == OPTIONS_WALK_ON_DEMAND ? CONVERT_ON_DEMAND : CONVERT_FAST,
        .checksum = run_is_packed(run) ? CHECKSUM_NONE /* what is stored, has one */
                                       : destination_checksum(&run->destination),
        .streams = run_stream_count(run)};
    const struct segments *const segments = &run->job.mapping.segments;
    if (segments->count != 0) {
        run->rules.prefilter = prefilter_create(&run->arena, segments);
        if (run->rules.prefilter == NULL) return fault_set(fault, STATUS_IO, "no memory for the segments");
    }
    run->pipeline.threads = thread_count(options);
    run->pipeline.rules = &run->rules;
    run->pipeline.buffered_sources = options->input_mode != OPTIONS_INPUT_MMAP;
    run->pipeline.arrivals = &run->arrivals;
    run->pipeline.store = &run->spool.store;
    run->pipeline.prepare = machine_prepare_memory;
    run->pipeline.now = machine_now;
    run->pipeline.interrupted = signals_caught;
    uint64_t const limit = options->memory_limit != 0 ? options->memory_limit : machine_memory_default();
    struct pipeline_needs needs = {.rules = &run->rules,
                                   .threads = run->pipeline.threads,
                                   .buffered_sources = run->pipeline.buffered_sources,
                                   .other = run_pack_memory(run, 0)};
    enum status status = STATUS_OK;
    if (run->destination.kind == DESTINATION_S3) status = plan_upload(run, limit, &needs, fault);
    if (status == STATUS_OK) status = pipeline_size(&needs, limit, &run->pipeline.sizes, fault);
    if (status != STATUS_OK) return status;
    pipeline_fill(&needs, limit, &run->pipeline.sizes);
    const struct pipeline_sizes *sizes = &run->pipeline.sizes;
    log_detail(run->logger,
               "%u threads, blocks of %zu KiB, %u chunks of %zu KiB each, at most %llu MiB of memory",
               run->pipeline.threads, sizes->block / 1024, sizes->chunks, sizes->chunk / 1024,
               (unsigned long long)(sizes->memory / LIMIT_MIB));
    if (sizes->dedup.table != 0)
        log_detail(run->logger,
                   "deduplication: %llu MiB for keys, %llu MiB for rows before they go to a file",
                   (unsigned long long)(sizes->dedup.table / LIMIT_MIB),
                   (unsigned long long)(sizes->dedup.spool / LIMIT_MIB));
    if (run->destination.kind == DESTINATION_S3)
        log_detail(run->logger,
                   "upload: %u connections of %u threads, parts of %llu MiB, %llu MiB held at most",
                   run->destination.plan.connections, run->destination.plan.threads,
                   (unsigned long long)(run->destination.plan.part_size / LIMIT_MIB),
                   (unsigned long long)(run->destination.plan.hold / LIMIT_MIB));
    return STATUS_OK;
}

enum status run_prepare(struct run *run, struct fault *fault)
{
    enum status status = load_job(run, fault);
    if (status == STATUS_OK) status = open_sources(run, fault);
    if (status == STATUS_OK) status = plan_memory(run, fault);
    return status;
}

enum status run_open_destination(struct run *run, struct fault *fault)
{
    enum status status = run_names_check(run, fault);
    if (status == STATUS_OK)
        status = destination_open(&run->destination, run_pack_piece(run), &run->arrivals, fault);
    return status == STATUS_OK ? run_pack_open(run, fault) : status;
}

void run_close(struct run *run)
{
    destination_close(&run->destination);
    spool_file_close(&run->spool);
    crew_destroy(&run->crew);
    if (run->can_wait) wait_destroy(&run->arrivals);
    shard_plan_destroy(&run->shards);
    for (size_t i = 0; i < run->source_count; i++)
        source_file_close(run->sources[i]);
    free(run->sources);
    source_list_free(&run->list);
    arena_free(&run->arena);
    job_free(&run->job);
}

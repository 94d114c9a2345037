/* inspect.c - from options to exit status:
 *
 *   sources -> memory -> a catalogue for each thread -> pipeline -> one catalogue -> standard output
 *
 * Thread: main; workers fill their catalogues through visitors. struct inspecting owns everything. */
#include "io/cli/inspect.h"

#include "core/inspect/catalogue_walk.h"
#include "io/cli/inspect_tell.h"
#include "io/cli/run.h"
#include "io/cli/run_convert.h"
#include "io/cli/run_tracks.h"
#include "io/cli/signals.h"
#include "io/output/sink_null.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct catalogue_limits limits = CATALOGUE_USUAL;

/* What one thread fills. */
struct inspector {
    struct catalogue catalogue;
    struct catalogue_walk walk;
};

struct inspecting {
    struct run run;
    struct inspector *inspectors; /* one a thread */
    struct record_visitor *visitors;
    struct sink *sink; /* of no rows */
    struct pipeline_result result;
};

static enum status make_inspectors(struct inspecting *inspecting, struct fault *fault)
{
    struct run *const run = &inspecting->run;
    uint32_t const threads = run->pipeline.threads;
    inspecting->inspectors = calloc(threads, sizeof *inspecting->inspectors);
    inspecting->visitors = calloc(threads, sizeof *inspecting->visitors);
    bool good = inspecting->inspectors != NULL && inspecting->visitors != NULL;
    for (uint32_t w = 0; good && w < threads; w++) {
        struct inspector *const inspector = &inspecting->inspectors[w];
        good = catalogue_create(&inspector->catalogue, &limits) &&
               catalogue_walk_create(&inspector->walk, &inspector->catalogue, run->rules.max_depth);
        inspecting->visitors[w] =
            (struct record_visitor){.self = &inspector->walk, .visit = catalogue_walk_record};
    }
    run->pipeline.visitors = inspecting->visitors;
    return good ? STATUS_OK
                : fault_set(fault, STATUS_IO, "no memory for the catalogues of %u %s; try fewer --threads",
                            threads, threads == 1 ? "thread" : "threads");
}

/* Into the first one. */
static struct catalogue *join(struct inspecting *inspecting)
{
    struct catalogue *const whole = &inspecting->inspectors[0].catalogue;
    for (uint32_t w = 1; w < inspecting->run.pipeline.threads; w++) {
        struct inspector *const other = &inspecting->inspectors[w];
        catalogue_merge(whole, &other->catalogue);
        catalogue_walk_destroy(&other->walk);
        catalogue_destroy(&other->catalogue);
    }
    catalogue_finish(whole);
    return whole;
}

static enum status look(struct inspecting *inspecting, struct fault *fault)
{
    struct run *const run = &inspecting->run;
    enum status status =
        run_prepare_reading(run, catalogue_bytes(&limits) + catalogue_walk_bytes(LIMIT_DEPTH_MAX), fault);
    if (status == STATUS_OK) status = run_cut_to_sample(run, fault);
    if (status == STATUS_OK) status = make_inspectors(inspecting, fault);
    if (status != STATUS_OK) return status;
    inspecting->sink = sink_null_create(fault);
    if (inspecting->sink == NULL) return fault->status;
    return run_convert(run, inspecting->sink, 0, NULL, &inspecting->result, fault);
}

/* ---- what was found ---- */

static void warn(const struct inspecting *inspecting, const struct catalogue *catalogue)
{
    const struct log *const logger = inspecting->run.logger;
    const struct tally *const tally = &inspecting->result.assemble.tally;
    uint64_t const failed = tally_failed(tally);
    if (failed != 0 && failed < tally->input) /* else that is the command's end */
        log_warning(logger,
                    "%" PRIu64 " %s failed and %s not counted; `penstock export` with --rejects shows them",
                    failed, failed == 1 ? "record" : "records", failed == 1 ? "is" : "are");
    if (catalogue->full)
        log_warning(
            logger,
            "there are more than %u paths: not all are listed, and which ones may differ from run to run",
            CATALOGUE_PATHS_MAX);
    if (catalogue->segments.over)
        log_warning(logger,
                    "there are more than %u segment ids: so many of them are listed, chosen by chance",
                    CATALOGUE_SEGMENTS);
    if (catalogue->spaces.over)
        log_warning(logger, "there are more than %u identity namespaces: so many of them are listed",
                    CATALOGUE_SPACES);
}

enum status inspect_no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "no memory for the catalogue; try fewer --threads");
}

/* Records, and not a good one: what is printed of them says so, but it is no catalogue. */
static enum status judge(const struct inspecting *inspecting, struct fault *fault)
{
    const struct tally *const tally = &inspecting->result.assemble.tally;
    const struct run_failed *const first = &inspecting->run.first_failed;
    if (first->source == NULL || tally_failed(tally) < tally->input) return STATUS_OK;
    return fault_set(fault, STATUS_INPUT,
                     "%s:%" PRIu64 ": %s: %s: there is nothing to list; "
                     "`penstock export` with --rejects shows what is wrong",
                     first->source, first->line, tally_defect_name(first->code),
                     tally->input == 1 ? "the only record failed" : "all records failed");
}

static enum status tell(struct inspecting *inspecting, struct fault *fault)
{
    const struct options *const options = inspecting->run.options;
    const struct catalogue *const catalogue = join(inspecting);
    struct inspection inspection = {.out = stdout,
                                    .catalogue = catalogue,
                                    .tally = &inspecting->result.assemble.tally,
                                    .sources = options->sources,
                                    .source_count = options->source_count,
                                    .bytes = inspecting->run.input_bytes,
                                    .values = !options->no_values,
                                    .path = malloc(INSPECT_PATH_SIZE),
                                    .text = malloc(INSPECT_TEXT_SIZE)};
    enum status const judged = judge(inspecting, fault);
    enum status status = STATUS_OK;
    if (inspection.path == NULL || inspection.text == NULL || catalogue->no_memory)
        status = inspect_no_memory(fault);
    else if (options->as_job && judged != STATUS_OK)
        status = judged;
    else if (options->as_job)
        status = inspect_job(&inspection, fault);
    else if (options->as_json)
        inspect_json(&inspection);
    else
        inspect_text(&inspection);
    free(inspection.path);
    free(inspection.text);
    if (status != STATUS_OK) return status;
    warn(inspecting, catalogue);
    if (fflush(stdout) == 0 && !ferror(stdout)) return judged;
    return fault_set(fault, STATUS_IO, "standard output: can't be written");
}

/* ---- the command ---- */

static void finish(struct inspecting *inspecting)
{
    for (uint32_t w = 0; inspecting->inspectors != NULL && w < inspecting->run.pipeline.threads; w++) {
        catalogue_walk_destroy(&inspecting->inspectors[w].walk);
        catalogue_destroy(&inspecting->inspectors[w].catalogue);
    }
    free(inspecting->inspectors);
    free(inspecting->visitors);
    assemble_free(&inspecting->result.assemble);
    if (inspecting->sink != NULL) inspecting->sink->destroy(inspecting->sink);
    run_close(&inspecting->run);
}

enum status inspect_run(const struct options *options, const struct log *logger)
{
    struct inspecting inspecting = {.sink = NULL};
    struct fault fault = {.status = STATUS_OK};
    enum status status = run_start(&inspecting.run, options, logger, &fault);
    if (status == STATUS_OK) status = look(&inspecting, &fault);
    if (status == STATUS_OK) status = tell(&inspecting, &fault);
    if (status != STATUS_OK && status == signals_caught())
        fault_set(&fault, status, "stopped by %s", signals_name());
    if (status != STATUS_OK) log_error(logger, "%s", fault.message);
    run_stop(&inspecting.run);
    run_tracks_write(&inspecting.run);
    finish(&inspecting);
    return status;
}

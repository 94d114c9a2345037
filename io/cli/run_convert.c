/* run_convert.c - what the pipeline asks of a run, and what its end means. Thread: main. Owns nothing. */
#include "io/cli/run_convert.h"

#include "io/cli/machine.h"
#include "io/cli/run_names.h"
#include "io/cli/run_sources.h"
#include "io/cli/signals.h"

#include <string.h>

/* Files that are too large by their one row and are named; of the others only the number is told. */
#define LARGE_ROWS_NAMED 10u

/* What the pipeline's questions are answered from. */
struct conversion {
    struct run *run;
    struct rejects *rejects;
    uint64_t large_rows;
};

static enum status name_file(void *context, uint32_t stream, uint32_t part, char *out, size_t size,
                             struct fault *fault)
{
    const struct conversion *const conversion = context;
    struct run *const run = conversion->run;
    struct run_names_visitor const spare = {.name = run_sources_spare, .context = run};
    (void)size; /* OUTPUT_NAME_SIZE, see below */
    if (part > 1 && strstr(run->job.file_name, "{part}") == NULL)
        return fault_set(
            fault, STATUS_JOB,
            "files.name: has no {part}, so that the second file would get the name of the first; "
            "add {part}, or allow one file only: files.max_rows: null (its default is 5000000) "
            "and no files.max_bytes");
    enum status const status = run_file_name(run, stream, part, out, fault);
    return status == STATUS_OK ? run_names_of_file(run, out, &spare, fault) : status;
}

_Static_assert(OUTPUT_NAME_SIZE <= ASSEMBLE_NAME_MAX, "a name must fit where the assembler keeps it");

static enum status put_reject(void *context, const struct reject *reject, struct fault *fault)
{
    const struct conversion *const conversion = context;
    struct run_failed *const first = &conversion->run->first_failed;
    if (first->source == NULL)
        *first = (struct run_failed){.source = reject->source, .line = reject->line, .code = reject->code};
    return conversion->rejects == NULL ? STATUS_OK : rejects_add(conversion->rejects, reject, fault);
}

static void warn_large_row(void *context, const char *file, uint64_t bytes)
{
    struct conversion *const conversion = context;
    if (conversion->large_rows++ >= LARGE_ROWS_NAMED) return;
    log_warning(conversion->run->logger,
                "%s: its one row of %llu bytes makes it larger than files.max_bytes: a row is never cut",
                file, (unsigned long long)bytes);
}

static void warn_more_large_rows(const struct conversion *conversion)
{
    if (conversion->large_rows <= LARGE_ROWS_NAMED) return;
    uint64_t const more = conversion->large_rows - LARGE_ROWS_NAMED;
    log_warning(conversion->run->logger, "%llu more %s of one row larger than files.max_bytes",
                (unsigned long long)more, more == 1 ? "file" : "files");
}

/* A source that changed explains every other failure of its records: it is looked at first. */
static enum status check_sources(const struct run *run, const struct tally *tally, enum status status,
                                 struct fault *fault)
{
    if (status != STATUS_OK && status != STATUS_INPUT) return status;
    enum status const changed = run_sources_check(run, fault);
    if (changed != STATUS_OK) return changed;
    if (status == STATUS_OK && tally->input == 0)
        return fault_set(fault, STATUS_INPUT, "%s%s: the input holds no record at all: nothing is delivered",
                         run->list.items[0].path, run->list.count > 1 ? " and the other sources" : "");
    return status;
}

enum status run_convert(struct run *run, struct sink *sink, uint32_t first_file, struct rejects *rejects,
                        struct pipeline_result *result, struct fault *fault)
{
    struct conversion conversion = {.run = run, .rejects = rejects};
    struct assemble_rules *const rules = &run->pipeline.assemble;
    *rules = (struct assemble_rules){.first_file = first_file,
                                     .max_rows = run->job.max_rows,
                                     .max_bytes = run->job.max_bytes,
                                     .file_count = run->job.file_count,
                                     .empty_header = run->job.empty_header,
                                     .header = run->job.mapping.csv.header,
                                     .header_line = csv_row_header(&run->arena, &run->job.mapping),
                                     .checksum = run->rules.checksum,
                                     .budget_is_share = run->budget.is_share,
                                     .budget_records = run->budget.records,
                                     .budget_millionths = run->budget.millionths,
                                     .budget_text = run->budget.text,
                                     .name = name_file,
                                     .name_context = &conversion,
                                     .reject = put_reject,
                                     .reject_context = &conversion,
                                     .large_row = warn_large_row,
                                     .large_row_context = &conversion};
    if (rules->header_line.bytes == NULL) return fault_set(fault, STATUS_IO, "no memory for the header");
    run->began = machine_now();
    enum status const status = pipeline_run(&run->pipeline, run->sources, &run->shards, sink, result, fault);
    warn_more_large_rows(&conversion);
    if (status != STATUS_OK && status == signals_caught())
        fault_set(fault, status, "stopped by %s", signals_name());
    run_sources_count(run);
    return check_sources(run, &result->assemble.tally, status, fault);
}

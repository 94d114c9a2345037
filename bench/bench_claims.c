/* bench_claims.c - what it costs to claim a shard and to hand its chunks over, and nothing else.
 *
 *   many    192 threads: far more than there are CPUs, all after the same shards
 *
 * The pipeline runs as in every export (feed, rings, waits, assembler), over shards that hold one blank line:
 * no record is converted, so that all its CPU time is claims, hand-offs and wake-ups, but for the start of
 * the threads. It is more than a claim costs among records: threads that have nothing to convert wait at each
 * shard. bench/run holds the CPU time against that of converting a shard of 256 KiB, bench/instructions the
 * instructions.
 *
 * Verified: every shard was converted once (the line ends that the assembler counted), no record was found.
 */
#include "bench/harness.h"
#include "bench/tools.h"
#include "core/flow/pipeline.h"
#include "io/output/sink_null.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS        192u
#define SHARDS_DEFAULT 50000u
#define SHARDS_MAX     100000000u
/* Large records are not met here: no memory for them. */
#define RECORD_MAX LIMIT_MIB

static const struct harness_wants wants = {
    .name = "bench_claims",
    .about =
        "Times the claims and hand-offs of shards. --shards N [default: 50000] comes before other flags.",
    .job = true};

/* ---- blank lines as a source ---- */

struct source_reader {
    const uint8_t *lines;
    uint64_t size;
};

static struct source_reader *open_reader(struct source *source, size_t window_max)
{
    (void)window_max;
    struct source_reader *reader = malloc(sizeof *reader);
    if (reader != NULL) *reader = (struct source_reader){.lines = source->self, .size = source->size};
    return reader;
}

static void close_reader(struct source_reader *reader)
{
    free(reader);
}

static enum status window(struct source_reader *reader, uint64_t offset, size_t length,
                          struct source_window *shown, struct fault *fault)
{
    (void)fault;
    uint64_t const left = reader->size - offset;
    *shown = (struct source_window){.bytes = reader->lines + offset,
                                    .length = length < left ? length : (size_t)left};
    return STATUS_OK;
}

static struct source blank_lines(size_t count)
{
    uint8_t *lines = malloc(count + LIMIT_PADDING);
    if (lines == NULL) harness_fail("no memory for %zu blank lines", count);
    memset(lines, '\n', count + LIMIT_PADDING);
    return (struct source){.self = lines,
                           .name = "blank lines",
                           .size = count,
                           .open_reader = open_reader,
                           .close_reader = close_reader,
                           .window = window};
}

/* ---- what the pipeline asks ---- */

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static enum status go_on(void)
{
    return STATUS_OK;
}

static enum status name_file(void *context, uint32_t stream, uint32_t part, char *out, size_t size,
                             struct fault *fault)
{
    (void)context;
    (void)stream;
    (void)fault;
    snprintf(out, size, "%u", part);
    return STATUS_OK;
}

/* ---- a lap ---- */

static void run(struct harness_laps *laps, struct pipeline_options *options, struct source *source,
                struct shard_plan *plan, struct pipeline_result *result)
{
    struct fault fault;
    struct sink *const sink = sink_null_create(&fault);
    if (sink == NULL) harness_fail("%s", fault.message);
    struct harness_time const began = harness_begin();
    if (pipeline_run(options, &source, plan, sink, result, &fault) != STATUS_OK)
        harness_fail("%s", fault.message);
    harness_lap(laps, began);
    sink->destroy(sink);
}

/* True: every shard was converted once. */
static bool lap(struct harness_laps *laps, const struct convert_rules *rules, struct source *source)
{
    struct fault fault;
    struct wait arrivals;
    struct shard_plan plan;
    struct pipeline_result result = {0};
    struct pipeline_needs const needs = {.rules = rules, .threads = THREADS};
    struct pipeline_options options = {
        .threads = THREADS,
        .rules = rules,
        .arrivals = &arrivals,
        .now = now,
        .interrupted = go_on,
        .assemble = {.header = CSV_HEADER_NONE, .budget_text = "0", .name = name_file}};
    if (pipeline_size(&needs, pipeline_least(&needs), &options.sizes, &fault) != STATUS_OK)
        harness_fail("%s", fault.message);
    if (!wait_init(&arrivals) ||
        !shard_plan_create(&plan, &(struct shard_source){.size = source->size}, 1, 1))
        harness_fail("no memory for the shards");
    run(laps, &options, source, &plan, &result);
    const struct tally *const tally = &result.assemble.tally;
    bool const all = plan.count == source->size && tally->lines == plan.count && tally->input == 0;
    assemble_free(&result.assemble);
    shard_plan_destroy(&plan);
    wait_destroy(&arrivals);
    return all;
}

/* Takes --shards N from the front of the arguments. */
static size_t take_shards(int *argc, char ***argv)
{
    if (*argc < 3 || strcmp((*argv)[1], "--shards") != 0) return SHARDS_DEFAULT;
    char *end;
    unsigned long const shards = strtoul((*argv)[2], &end, 10);
    if (*end != '\0' || shards < 1 || shards > SHARDS_MAX)
        harness_fail("--shards %s: allowed is a number from 1 to %u", (*argv)[2], SHARDS_MAX);
    *argc -= 2;
    *argv += 2;
    return shards;
}

int main(int argc, char **argv)
{
    static struct harness_laps laps;
    static struct tools tools;
    bool correct = true;
    size_t const shards = take_shards(&argc, &argv);
    struct harness_options const options = harness_options(argc, argv, &wants);
    harness_environment(&wants, &options);
    tools_open(&tools, options.job);
    tools.rules.max_record = RECORD_MAX;
    struct source source = blank_lines(shards);
    for (unsigned round = 0; round < options.rounds; round++)
        correct = lap(&laps, &tools.rules, &source) && correct;
    struct harness_result const result = {.bench = "claims",
                                          .variant = "many",
                                          .unit = "shard",
                                          .items = shards,
                                          .threads = THREADS,
                                          .verified = true,
                                          .correct = correct,
                                          .laps = &laps};
    harness_print(&result);
    free(source.self);
    tools_close(&tools);
    return harness_status();
}

/* form_desk.h - runs a text in memory through the whole pipeline, with its form as found: what unit tests and
 * the fuzzer of containers share. One run at a time; aborts when something is wrong that no input may cause.
 */
#ifndef PENSTOCK_TESTS_UNIT_FORM_DESK_H
#define PENSTOCK_TESTS_UNIT_FORM_DESK_H

#include "core/flow/pipeline.h"
#include "core/record/form.h"
#include "tests/unit/memory_ports.h"
#include "tests/unit/memory_stream.h"

struct form_run {
    uint32_t threads;
    uint64_t shard_bytes;
    size_t block; /* 0: PIPELINE_BLOCK_MIN */
    bool stream;  /* read front to back */
    size_t stream_block;
    uint64_t max_record; /* 0: 1 MiB */
    const struct prefilter *prefilter;
    const enum form_kind *kind; /* NULL: as found */
    enum convert_walk walk;
    bool strict;
};

struct form_outcome {
    struct memory_text rows, rejects; /* with a terminator that does not count */
    struct tally tally;
    enum form_kind kind;
};

static inline uint64_t form_desk_now(void)
{
    return 0;
}

static inline enum status form_desk_uninterrupted(void)
{
    return STATUS_OK;
}

static inline void form_outcome_free(struct form_outcome *outcome)
{
    memory_text_free(&outcome->rows);
    memory_text_free(&outcome->rejects);
}

/* `bytes`: LIMIT_PADDING readable behind them. False: it does not begin as the kind asked for. */
static inline bool form_desk_run(struct memory_job *job, const uint8_t *bytes, size_t length,
                                 const struct form_run *run, struct form_outcome *outcome)
{
    struct memory_source source;
    struct memory_stream stream;
    struct memory_sink sink;
    struct memory_log log = {.reject_count = 0};
    struct wait arrivals;
    struct form form;
    struct shard_plan plan;
    struct pipeline_result result;
    struct fault fault = {.status = STATUS_OK};
    size_t const head = length < FORM_HEAD_BYTES ? length : FORM_HEAD_BYTES;
    size_t const mark = length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    *outcome = (struct form_outcome){.kind = FORM_NDJSON};
    if (run->kind == NULL)
        form_find(&form, bytes, head, mark, head == length);
    else if (!form_take(&form, *run->kind, bytes, head, mark))
        return false;
    outcome->kind = form.kind;
    struct convert_rules const rules = {.plan = &job->plan,
                                        .max_record = run->max_record != 0 ? run->max_record : 1 << 20,
                                        .max_depth = 64,
                                        .walk = run->walk,
                                        .prefilter = run->prefilter,
                                        .strict = run->strict};
    if (!wait_init(&arrivals)) memory_must(NULL);
    struct pipeline_options options = {
        .threads = run->threads,
        .rules = &rules,
        .arrivals = &arrivals,
        .sizes = {.block = run->block != 0 ? run->block : PIPELINE_BLOCK_MIN,
                  .stream_block = run->stream_block != 0 ? run->stream_block : PIPELINE_STREAM_BLOCK_MIN,
                  .chunk = CHUNK_BYTES_MIN,
                  .chunks = PIPELINE_CHUNKS_MIN},
        .buffered_sources = true,
        .now = form_desk_now,
        .interrupted = form_desk_uninterrupted};
    options.assemble = memory_rules(&log, "");
    options.assemble.header = CSV_HEADER_NONE;
    memory_source_start(&source, "s", bytes, length);
    if (form.kind != FORM_NDJSON && !run->stream) source.port.form = &form;
    struct shard_source extent = {.begin = form.begin, .size = length};
    if (run->stream) {
        memory_stream_start(&stream, "s", bytes, length, (uint32_t)length);
        stream.port.form = form.kind == FORM_NDJSON ? NULL : &form;
        source.port.stream = &stream.port;
        extent.size = extent.begin;
    }
    struct source *const ports[1] = {&source.port};
    if (!shard_plan_create(&plan, &extent, 1, run->shard_bytes)) memory_must(NULL);
    memory_sink_start(&sink);
    enum status const status = pipeline_run(&options, ports, &plan, &sink.port, &result, &fault);
    if (status != STATUS_OK || sink.wrong != 0 || atomic_load(&source.wrong) != 0 ||
        atomic_load(&source.readers) != 0) {
        fprintf(stderr, "form_desk: %s\n", fault.message);
        abort();
    }
    outcome->rows = memory_sink_text(&sink);
    outcome->rejects = log.rejects;
    memory_append(&outcome->rejects, "", 1);
    outcome->rejects.length--;
    outcome->tally = result.assemble.tally;
    assemble_free(&result.assemble);
    memory_sink_free(&sink);
    shard_plan_destroy(&plan);
    wait_destroy(&arrivals);
    return true;
}

#endif

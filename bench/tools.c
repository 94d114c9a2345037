/* tools.c - see the header. Thread: one. */
#include "bench/tools.h"

#include "bench/harness.h"
#include "core/flow/pipeline.h"

void tools_open(struct tools *tools, const char *job)
{
    struct fault fault;
    *tools = (struct tools){0};
    if (job_load(job, &tools->job, &fault) != STATUS_OK ||
        plan_compile(&tools->arena, &tools->job.mapping, &tools->plan, &fault) != STATUS_OK)
        harness_fail("%s", fault.message);
    tools->rules = (struct convert_rules){.plan = &tools->plan,
                                          .max_record = tools->job.max_record,
                                          .max_depth = tools->job.max_depth,
                                          .walk = CONVERT_FAST};
    if (!convert_tools_create(&tools->convert, &tools->rules, PIPELINE_BLOCK_MAX))
        harness_fail("no memory for the tools of a worker");
}

void tools_close(struct tools *tools)
{
    convert_tools_destroy(&tools->convert, NULL);
    arena_free(&tools->arena);
    job_free(&tools->job);
}

const uint32_t *tools_index(struct tools *tools, const uint8_t *bytes, size_t length)
{
    struct record_index index;
    if (!record_parser_index(tools->convert.parser, bytes, length, &index))
        harness_fail("a block is not clean (UTF-8, open string): benchmarks take clean dumps");
    return index.tokens;
}

const uint32_t *tools_walk(struct tools *tools, const uint8_t *bytes, size_t line_end, const uint32_t *token)
{
    struct index_walk *walk = &tools->convert.walk;
    walk->bytes = bytes;
    walk->end = (uint32_t)line_end;
    cells_begin(&tools->convert.cells, bytes + *token);
    const uint32_t *const next = index_walk_record(walk, token);
    if (next == NULL) harness_fail("a record is not good: benchmarks take clean dumps");
    return next;
}

/* tools.h - a job's plan and a worker's tools for it, as the program makes them (bench_walk, bench_csv).
 *
 * Ownership: tools_close() frees all. Thread rule: one thread. */
#ifndef PENSTOCK_BENCH_TOOLS_H
#define PENSTOCK_BENCH_TOOLS_H

#include "core/flow/convert.h"
#include "io/job/job.h"

struct tools {
    struct job job;
    struct arena arena;
    struct plan plan;
    struct convert_rules rules;
    struct convert_tools convert; /* for blocks of PIPELINE_BLOCK_MAX */
};

/* Ends the program when the job can't be used. */
void tools_open(struct tools *tools, const char *job);
void tools_close(struct tools *tools);

/* Walks the record at *token of the block at `bytes`, whose line ends at `line_end`, into the tools' cells.
 * Returns the token behind it; ends the program when the record is not good. */
const uint32_t *tools_walk(struct tools *tools, const uint8_t *bytes, size_t line_end, const uint32_t *token);
/* Stage 1 over a block; ends the program when it is not clean. */
const uint32_t *tools_index(struct tools *tools, const uint8_t *bytes, size_t length);

#endif

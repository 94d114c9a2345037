/* sample.h - how far the first N records of the input reach.
 *
 * A record is a line that is not blank, as convert_lines.c has it; in containers an element, so that they
 * must be streams, since only a cut from their begin knows where those end. Sources follow each other in the
 * order of the run, so the sample is the same for every number of threads and every size of shards. */
#ifndef PENSTOCK_CORE_FLOW_SAMPLE_H
#define PENSTOCK_CORE_FLOW_SAMPLE_H

#include "core/base/status.h"
#include "core/flow/source.h"
#include "core/flow/stream.h"
#include "core/record/shard_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read at a time: a few hundred records, small beside what a worker takes. */
#define SAMPLE_WINDOW (256u * 1024)

/* The scan of one source: where in a line it is. */
struct sample_scan {
    uint64_t left; /* records still wanted */
    uint64_t end;  /* behind the last line that was wanted */
    bool text;     /* the line at hand has a byte that is no blank */
};

/* Looks at the bytes at `offset`. True: the last record that is wanted ends at scan->end. Not with `left` 0.
 */
bool sample_scan_bytes(struct sample_scan *scan, const uint8_t *bytes, size_t length, uint64_t offset);

/* Takes the records of a stream off *records, as many as it has; reads no further than to the last one that
 * is wanted. Of a container, one of `max_record` bytes is held at a time. Damage ends it: it is met again by
 * the run. `interrupted` is asked once a window. */
enum status sample_count_stream(struct stream *stream, uint64_t max_record, uint64_t *records,
                                enum status (*interrupted)(void), struct fault *fault);

/* Cuts the extent of a source of lines that can be read anywhere behind the line end of its record number
 * *records (from 1), and takes those that it has off *records; with 0 it becomes empty. Less input stays as
 * it is. `interrupted` is asked once a window. STATUS_IO: the source can't be read. */
enum status sample_cut(struct source *source, struct shard_source *extent, uint64_t *records,
                       enum status (*interrupted)(void), struct fault *fault);

#endif

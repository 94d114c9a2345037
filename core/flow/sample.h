/* sample.h - how far the first N records of the input reach.
 *
 * A record is a line that is not blank, as convert.c has it. Sources follow each other in the order of the
 * run, so the sample is the same for every number of threads and every size of shards. */
#ifndef PENSTOCK_CORE_FLOW_SAMPLE_H
#define PENSTOCK_CORE_FLOW_SAMPLE_H

#include "core/base/status.h"
#include "core/flow/source.h"
#include "core/record/shard_plan.h"

#include <stddef.h>
#include <stdint.h>

/* Read at a time: a few hundred records, small beside what a worker takes. */
#define SAMPLE_WINDOW (256u * 1024)

/* Cuts the extents behind the line end of record number `records` (from 1); the sources behind it become
 * empty. Less input stays as it is. `interrupted` is asked once a window. STATUS_IO: a source can't be read.
 */
enum status sample_cut(struct source *const *sources, struct shard_source *extents, size_t count,
                       uint64_t records, enum status (*interrupted)(void), struct fault *fault);

#endif

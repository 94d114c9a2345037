/* run_convert.h - the records of a run through the pipeline, as its job wants them. Thread: main. */
#ifndef PENSTOCK_IO_CLI_RUN_CONVERT_H
#define PENSTOCK_IO_CLI_RUN_CONVERT_H

#include "io/cli/run.h"
#include "io/output/rejects.h"

/* Converts all shards into `sink`, as its files from number `first_file` on; it is left for commit or abort.
 * `rejects` may be NULL. A status that is not STATUS_OK has its true cause in the fault: a signal, a source
 * that changed meanwhile, no record at all. The result is valid in any case. */
enum status run_convert(struct run *run, struct sink *sink, uint32_t first_file, struct rejects *rejects,
                        struct pipeline_result *result, struct fault *fault);

#endif

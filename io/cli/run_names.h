/* run_names.h - what the files of a run are called: one place for export and check. Pure. Thread: main.
 *
 * A run has streams, numbered from 0: a job that splits has one for each of its segments, any other has one.
 */
#ifndef PENSTOCK_IO_CLI_RUN_NAMES_H
#define PENSTOCK_IO_CLI_RUN_NAMES_H

#include "io/cli/run.h"
#include "io/output/output_name.h"

uint32_t run_stream_count(const struct run *run);
/* Names below the destination, folders included. `part` is from 1. */
enum status run_file_name(const struct run *run, uint32_t stream, uint32_t part, char out[OUTPUT_NAME_SIZE],
                          struct fault *fault);
enum status run_manifest_name(const struct run *run, uint32_t stream, char out[OUTPUT_NAME_SIZE],
                              struct fault *fault);
/* Of the token that belongs to the manifest or file `name`. */
enum status run_token_name(const struct run *run, const char *name, char out[OUTPUT_NAME_SIZE],
                           struct fault *fault);
/* pega.path_prefix of a stream: what stands before a bare file name (run_names_bare) in its manifest. */
enum status run_path_prefix(const struct run *run, uint32_t stream, char out[OUTPUT_NAME_SIZE],
                            struct fault *fault);
/* A name without its folders. */
const char *run_names_bare(const char *name);
/* How many parts of a stream are asked for their names before anybody knows how many there will be. */
#define RUN_NAMES_PARTS 100u

struct run_names_visitor {
    enum status (*name)(void *context, const char *name, struct fault *fault);
    void *context;
};

/* The names of manifests and their tokens, and those of the first `parts` data files of each stream and their
 * tokens. Ends at the first status that is not STATUS_OK, and returns it. */
enum status run_names_each(const struct run *run, uint32_t parts, const struct run_names_visitor *visitor,
                           struct fault *fault);
/* The data file `name`, and its token if each file has one. */
enum status run_names_of_file(const struct run *run, const char *name,
                              const struct run_names_visitor *visitor, struct fault *fault);
/* All names that are known before the first row: STATUS_JOB when one of them can't be. */
enum status run_names_check(const struct run *run, struct fault *fault);

#endif

/* assemble_files.h - which file a row goes to: files of streams, their limits, headers, sums. A room of
 * assemble.c.
 *
 * Files are named by their place in assemble->files, which is the sink's number while rows come.
 *
 * Thread rule: the assembler's. The list of files is the assembler's own. */
#ifndef PENSTOCK_CORE_FLOW_ASSEMBLE_FILES_H
#define PENSTOCK_CORE_FLOW_ASSEMBLE_FILES_H

#include "core/flow/assemble.h"

/* Sees to an open file of the stream that may take a row of `bytes`. */
enum status assemble_files_for(struct assemble *assemble, uint32_t stream, uint64_t bytes, uint32_t *file,
                               struct fault *fault);
/* How many rows the file still takes: `count` rows (not 0) whose bytes end at `ends`, the first one begins at
 * `begin` and is known to fit. */
uint32_t assemble_files_fit(const struct assemble *assemble, uint32_t file, const uint32_t *ends,
                            uint32_t count, uint32_t begin);
/* Passes a piece on, with its checksum. */
enum status assemble_files_write(struct assemble *assemble, uint32_t file, struct sink_piece *piece,
                                 struct fault *fault);
/* Ends all that are open. */
enum status assemble_files_end(struct assemble *assemble, struct fault *fault);
/* A file for each stream that has none, if the rules say so. */
enum status assemble_files_add_empty(struct assemble *assemble, struct fault *fault);
/* By stream, then by part. */
void assemble_files_sort(struct assemble *assemble);

#endif

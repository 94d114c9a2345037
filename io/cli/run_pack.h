/* run_pack.h - files.compression: the compressor before a run's destination. Thread: main. */
#ifndef PENSTOCK_IO_CLI_RUN_PACK_H
#define PENSTOCK_IO_CLI_RUN_PACK_H

#include "io/cli/run.h"

bool run_is_packed(const struct run *run);
/* Bytes that compressing takes, before a destination that may hold back `hold` bytes; 0: nothing is
 * compressed. The number of threads is set. */
uint64_t run_pack_memory(struct run *run, uint64_t hold);
/* Capacity of the pieces that the destination gets. */
size_t run_pack_piece(const struct run *run);
/* Puts the compressor before the destination's sink, which is open. Does nothing when nothing is compressed.
 */
enum status run_pack_open(struct run *run, struct fault *fault);

#endif

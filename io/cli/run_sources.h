/* run_sources.h - the sources of a run: listed, opened, cut into shards, sampled, checked, closed.
 *
 * Thread rule: main, while no worker runs. What they own is part of struct run. */
#ifndef PENSTOCK_IO_CLI_RUN_SOURCES_H
#define PENSTOCK_IO_CLI_RUN_SOURCES_H

#include "io/cli/run.h"

/* Shards of a sink that holds chunks back (fewer that end half empty), of files.count (fewer turns between
 * files) and of files that are read around the page cache (fewer times that a reader has nothing on its way).
 * Used from an input of so many bytes on: 64 of them, so that the usual numbers of threads are busy to the
 * end. */
#define RUN_SHARD_LARGE (4 * LIMIT_MIB)
#define RUN_LARGE_INPUT (256 * LIMIT_MIB)

/* Memory of a source beside what reads it: its copies of the path, its places in lists. Few are within the
 * base of pipeline.h. */
#define RUN_SOURCE_BYTES 1024u

/* Text that a stored byte of a compressed file stands for, about: dumps of profiles. */
#define RUN_TEXT_RATIO 10u

/* Stored bytes of a zstd frame on S3 that are held for each thread, when there is memory: frames above are
 * rare, and those behind one are decompressed by one thread. */
#define RUN_FRAME_BYTES (16 * LIMIT_MIB)

/* Lists and opens them; files that are read front to back are opened when their turn comes. */
enum status run_sources_open(struct run *run, struct fault *fault);
/* What they ask of the pipeline's memory. */
void run_sources_needs(const struct run *run, struct pipeline_needs *needs);
/* What reading from S3 takes when it may take so many bytes (run->objects.plan), or the least. Only when some
 * are there. */
void run_sources_plan(struct run *run, uint64_t memory);
/* Are some read around the page cache? */
bool run_sources_are_direct(const struct run *run);
/* What each worker's reader takes beside its window, then, when it may take so many bytes, or the least. 0:
 * none are. */
uint64_t run_sources_read_ahead(struct run *run, uint64_t memory);
/* When memory was planned: they can be read. STATUS_IO: there is none. */
enum status run_sources_start(struct run *run, struct fault *fault);
/* Gives memory that is left over, in bytes, to the windows of zstd frames. */
void run_sources_widen(struct run *run, uint64_t left);
/* Bytes of text, about, for the size of an upload's parts; 0: not known. */
uint64_t run_sources_text(const struct run *run);
/* Leaves the first `records` of them. STATUS_IO, or the interruption's: "stopped". */
enum status run_sources_sample(struct run *run, uint64_t records, enum status (*interrupted)(void),
                               struct fault *fault);
/* After the pipeline: counts what was read, and looks whether a source changed meanwhile (STATUS_IO). */
void run_sources_count(struct run *run);
enum status run_sources_check(const struct run *run, struct fault *fault);
/* STATUS_JOB when what `name` would replace at the destination is a source: `context` is the
 * run (a visitor's function, see run_names.h). */
enum status run_sources_spare(void *context, const char *name, struct fault *fault);
void run_sources_close(struct run *run); /* zeroed is fine */

#endif

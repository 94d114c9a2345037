/* run_tracks.h - what the threads of a run spent their time on, and the trace of it (PENSTOCK_TRACE).
 *
 * Thread rule: main, while no worker runs. The tracks are the run's. */
#ifndef PENSTOCK_IO_CLI_RUN_TRACKS_H
#define PENSTOCK_IO_CLI_RUN_TRACKS_H

#include "core/flow/stage.h"
#include "io/cli/run.h"

/* Memory of the tracks: spans too, when a trace is wanted; then of threads beside the pipeline's, too, those
 * that are made later included. */
uint64_t run_tracks_memory(const struct run *run);
/* Makes them for the pipeline's threads and main, in place of such that were made before. run_tracks_close()
 * is due, also when it fails. */
enum status run_tracks_start(struct run *run, struct fault *fault);
void run_tracks_close(struct run *run);

/* Tracks of `count` threads beside the pipeline's, for the trace; they live until run_tracks_close(). `kind`
 * is borrowed. NULL: no trace is wanted, or there is no memory (then these threads have no lines in it). */
struct track *run_tracks_beside(struct run *run, const char *kind, uint32_t count);

/* The main thread's; NULL: there are none (yet). */
struct track *run_tracks_main(const struct run *run);
/* Behind the delivery. */
struct stage_uses run_tracks_sum_up(const struct run *run);

/* Can the trace be written later? STATUS_OK without one. */
enum status run_tracks_check(const struct run *run, struct fault *fault);
/* Writes it, when one is wanted; behind run_stop(), since other threads write tracks. A trace that can't be
 * written is a warning: the run stands. */
void run_tracks_write(const struct run *run);

#endif

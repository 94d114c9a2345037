/* run_places.h - can what a run writes beside its delivery be written? Asked before the first record. Changes
 * nothing. Thread: main. */
#ifndef PENSTOCK_IO_CLI_RUN_PLACES_H
#define PENSTOCK_IO_CLI_RUN_PLACES_H

#include "io/cli/run.h"

/* Do both paths name the same file, made or not yet? */
bool run_places_same(const char *one, const char *other);
/* STATUS_USAGE when one of them has the name of a file of the delivery in a destination directory: of a
 * manifest, a token, or one of the first RUN_NAMES_PARTS data files of a stream.
 *
 * The report (--report) may be written, and is not the reject file. */
/* The trace, likewise; STATUS_OK without one. */
enum status run_places_check_trace(const struct run *run, struct fault *fault);
enum status run_places_check_report(const struct run *run, struct fault *fault);
/* Whether the reject file may be written, rejects_open() says. */
enum status run_places_check_rejects(const struct run *run, struct fault *fault);

#endif

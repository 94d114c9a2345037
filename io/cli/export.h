/* export.h - penstock export: composes job, sources, pipeline, sink, rejects and report. Main thread. */
#ifndef PENSTOCK_IO_CLI_EXPORT_H
#define PENSTOCK_IO_CLI_EXPORT_H

#include "io/cli/log.h"
#include "io/cli/options.h"

/* Runs the whole export; says on the log what went wrong. Returns the program's exit status. */
enum status export_run(const struct options *options, const struct log *logger);

#endif

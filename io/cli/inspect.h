/* inspect.h - penstock inspect: what paths a dump holds, as a table, as JSON, or as a job file for it. Main
 * thread. */
#ifndef PENSTOCK_IO_CLI_INSPECT_H
#define PENSTOCK_IO_CLI_INSPECT_H

#include "io/cli/log.h"
#include "io/cli/options.h"

/* Returns the exit status: 65 when there is no record at all. */
enum status inspect_run(const struct options *options, const struct log *logger);

#endif

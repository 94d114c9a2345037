/* cleanup_directory.h - penstock cleanup of a directory: hidden unfinished files (leftovers.h) in it and
 * below it, listed or removed. Main thread. */
#ifndef PENSTOCK_IO_CLI_CLEANUP_DIRECTORY_H
#define PENSTOCK_IO_CLI_CLEANUP_DIRECTORY_H

#include "io/cli/log.h"
#include "io/cli/options.h"

#include <stdbool.h>

bool cleanup_directory_is(const char *path);
/* Says on the log what went wrong. Returns the program's exit status. */
enum status cleanup_directory_run(const struct options *options, const struct log *logger);

#endif

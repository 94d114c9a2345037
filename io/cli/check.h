/* check.h - penstock check: everything an export does short of writing, and the plan of it on standard
 * output. Main thread. */
#ifndef PENSTOCK_IO_CLI_CHECK_H
#define PENSTOCK_IO_CLI_CHECK_H

#include "io/cli/log.h"
#include "io/cli/options.h"

/* Returns the exit status that an export would end with, as far as that can be known. */
enum status check_run(const struct options *options, const struct log *logger);

#endif

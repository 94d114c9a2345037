/* verify_command.h - `penstock verify`: reads a delivery again and compares it with its manifest. Thread:
 * main. */
#ifndef PENSTOCK_IO_CLI_VERIFY_COMMAND_H
#define PENSTOCK_IO_CLI_VERIFY_COMMAND_H

#include "io/cli/log.h"
#include "io/cli/options.h"

/* STATUS_OK: all is as the manifest says. STATUS_IO: something is not, and standard output says what. */
enum status verify_command_run(const struct options *options, const struct log *logger);

#endif

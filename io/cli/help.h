/* help.h - what -h, --help and --version print, made from the table of options.def.
 * Thread rule: any thread; the stream is the caller's, and so is checking it for errors. */
#ifndef PENSTOCK_IO_CLI_HELP_H
#define PENSTOCK_IO_CLI_HELP_H

#include "io/cli/options.h"

#include <stdio.h>

/* Prints what options->action asks for (nothing for OPTIONS_RUN), of options->command or of penstock as a
 * whole. */
void help_write(FILE *out, const struct options *options, const char *version);

#endif

/* options_rules.h - which flags and arguments a command must have, and which can't stand together. Asked when
 * the line and the environment are read. Pure. Thread rule: main. */
#ifndef PENSTOCK_IO_CLI_OPTIONS_RULES_H
#define PENSTOCK_IO_CLI_OPTIONS_RULES_H

#include "io/cli/options.h"

/* STATUS_USAGE: the message says what to add or leave out. With columns on the line, takes PENSTOCK_JOB back.
 */
enum status options_rules_check(struct options *options, struct fault *fault);

#endif

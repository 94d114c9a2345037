/* signals.h - SIGINT, SIGTERM and SIGHUP ask the run to stop in order; broken pipes and file size limits
 * become errors.
 *
 * The handler only sets a flag. Main looks at it while it waits for the pipeline, and stops the run by the
 * same way as an error does. The second signal of the same kind meets the default action: it ends the process
 * at once, for the person who doesn't want to wait. Thread rule: install and reset by the main thread;
 * signals_caught() and signals_name() by any. */
#ifndef PENSTOCK_IO_CLI_SIGNALS_H
#define PENSTOCK_IO_CLI_SIGNALS_H

#include "core/base/status.h"

/* SIGINT, SIGTERM and SIGHUP (unless it is ignored: nohup) set the flag, SIGPIPE and SIGXFSZ are ignored so
 * that write() says EPIPE and EFBIG. STATUS_INTERNAL when the system refuses, which POSIX allows for invalid
 * arguments only. */
enum status signals_install(struct fault *fault);

/* STATUS_OK, or what the run ends with, of the first signal caught: STATUS_INTERRUPTED for SIGINT,
 * STATUS_TERMINATED for the others. */
enum status signals_caught(void);

/* Of the first signal caught, such as "SIGHUP". */
const char *signals_name(void);

/* Forgets a caught signal: for tests. */
void signals_reset(void);

#endif

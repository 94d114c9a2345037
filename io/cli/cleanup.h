/* cleanup.h - penstock cleanup: unfinished multipart uploads under an S3 URL, listed or aborted. Main thread.
 */
#ifndef PENSTOCK_IO_CLI_CLEANUP_H
#define PENSTOCK_IO_CLI_CLEANUP_H

#include "io/cli/log.h"
#include "io/cli/options.h"

/* Says on the log what went wrong. Returns the program's exit status. */
enum status cleanup_run(const struct options *options, const struct log *logger);

#endif

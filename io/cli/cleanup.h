/* cleanup.h - penstock cleanup: unfinished multipart uploads under an S3 URL, listed or aborted; or what
 * killed runs left in a directory (cleanup_directory.h). Main thread. */
#ifndef PENSTOCK_IO_CLI_CLEANUP_H
#define PENSTOCK_IO_CLI_CLEANUP_H

#include "io/cli/log.h"
#include "io/cli/options.h"

#include <stdint.h>

/* Says on the log what went wrong. Returns the program's exit status. */
enum status cleanup_run(const struct options *options, const struct log *logger);

/* One line of the list. `when`: seconds since 1970, `age` in seconds; `what` is printable. */
void cleanup_print(int64_t when, int64_t age, const char *what, const char *fate);

#endif

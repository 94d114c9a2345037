/* run_kernel.h - may records be read on this CPU, by the kernel that simdjson chose or was told to take?
 *
 * Thread rule: main. No state. */
#ifndef PENSTOCK_IO_CLI_RUN_KERNEL_H
#define PENSTOCK_IO_CLI_RUN_KERNEL_H

#include "core/base/status.h"

/* STATUS_USAGE: no; the message names the variable that chose it, or what the CPU lacks. */
enum status run_kernel_check(struct fault *fault);
/* Why not: `wanted` is what the variable says, NULL: nothing; `names`: of those that may run here, "": none.
 */
enum status run_kernel_refuse(const char *wanted, const char *names, struct fault *fault);

#endif

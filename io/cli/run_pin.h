/* run_pin.h - workers that stay on a NUMA node each, when PENSTOCK_PIN asks for it. Thread: main; the start
 * of each worker is its own thread's. The nodes are the run's. */
#ifndef PENSTOCK_IO_CLI_RUN_PIN_H
#define PENSTOCK_IO_CLI_RUN_PIN_H

#include "io/cli/run.h"

/* Reads the variable. STATUS_USAGE: it says something else than numa or none. */
enum status run_pin_read(struct run *run, struct fault *fault);
/* When the number of threads is known. A machine of one node is left as it is. */
enum status run_pin_start(struct run *run, struct fault *fault);
void run_pin_close(struct run *run);

#endif

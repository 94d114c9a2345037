/* run_former.h - what a run's job says of the deliveries that it may replace (io/output/former_delivery.h).
 * Thread: main. */
#ifndef PENSTOCK_IO_CLI_RUN_FORMER_H
#define PENSTOCK_IO_CLI_RUN_FORMER_H

#include "io/cli/run.h"

/* Its texts live as long as the run. STATUS_JOB: pega.path_prefix can't be expanded; STATUS_IO: no memory. */
enum status run_former_rules(struct run *run, struct former_rules *rules, struct fault *fault);

#endif

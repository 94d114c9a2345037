/* run_report.h - what a run came to, told to machines (--report) and people (the summary). Thread: main. */
#ifndef PENSTOCK_IO_CLI_RUN_REPORT_H
#define PENSTOCK_IO_CLI_RUN_REPORT_H

#include "io/cli/run.h"
#include "io/pega/pega_delivery.h"

struct run_outcome {
    const struct pipeline_result *result;
    const struct pega_delivery *pega; /* NULL: none */
    bool delivered;
    bool no_report; /* its path was refused: said once, not tried again */
    enum status status;
    const struct fault *fault; /* of a status that is not STATUS_OK */
};

/* Returns the outcome's status, or that of a report that could not be written. */
enum status run_report(const struct run *run, const struct run_outcome *outcome);

#endif

/* run_supports.h - what a job may say that no run does yet. Pure. */
#ifndef PENSTOCK_IO_CLI_RUN_SUPPORTS_H
#define PENSTOCK_IO_CLI_RUN_SUPPORTS_H

#include "io/job/job.h"

/* STATUS_JOB for a job that asks for a feature whose rows or files this version can't make. */
enum status run_supports(const struct job *job, struct fault *fault);

#endif

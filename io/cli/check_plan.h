/* check_plan.h - the plan that `check` prints: aligned text, one fact a line, no values of records.
 *
 * Names, paths and other foreign texts are escaped as in messages. Thread: main. The stream is the caller's,
 * and so is checking it for errors. */
#ifndef PENSTOCK_IO_CLI_CHECK_PLAN_H
#define PENSTOCK_IO_CLI_CHECK_PLAN_H

#include "io/cli/run.h"
#include "io/s3/s3_probe.h"

#include <stdio.h>

/* Sources, and segments, that are named one by one; more are counted. */
#define CHECK_PLAN_SOURCES 20u

/* Job, sources, files, columns, CSV, rejects: after run_prepare(). `name` is that of the first file. */
void check_plan_job(FILE *out, const struct run *run, const char *name);
void check_plan_machine(FILE *out, const struct run *run);
/* A destination that is a directory (`there`: it need not be made) or null:. */
void check_plan_local(FILE *out, const struct run *run, bool there);
/* Behind destination_connect(). */
void check_plan_s3(FILE *out, const struct run *run);
void check_plan_rights(FILE *out, const struct run *run, const struct s3_probe_result *result);
/* Names that are taken and would be replaced: of manifests and tokens, which go first, and of data files. */
void check_plan_replaced(FILE *out, uint32_t pega, uint32_t data);
/* What became of the records. */
void check_plan_records(FILE *out, const struct run *run, const struct assemble *assemble);

#endif

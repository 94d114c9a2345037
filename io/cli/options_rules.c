/* options_rules.c - see the header. Pure. Thread: main. */
#include "io/cli/options_rules.h"

#include <string.h>

static enum status check_short_form(struct options *options, struct fault *fault)
{
    bool const short_form = options->id != NULL || options->column_count > 0;
    if (short_form && options->origin[OPTION_JOB] == OPTIONS_FROM_FLAG)
        return fault_set(fault, STATUS_USAGE,
                         "--job can't stand together with %s: the job file says the columns; leave one out",
                         options->id != NULL ? "--id" : "--column");
    if (short_form) { /* flags outrank PENSTOCK_JOB */
        options->job = NULL;
        options->origin[OPTION_JOB] = OPTIONS_UNSET;
    }
    if (!short_form && options->job == NULL)
        return fault_set(
            fault, STATUS_USAGE,
            "no job: name a job file with -j FILE, or columns with --id PATH and --column NAME=PATH");
    if (short_form && options->source_count == 0)
        return fault_set(fault, STATUS_USAGE,
                         "no source: without a job file name what to read, such as dump.ndjson");
    if (short_form && options->to == NULL)
        return fault_set(fault, STATUS_USAGE,
                         "no destination: without a job file name it with --to URL, such as --to out/");
    return STATUS_OK;
}

static enum status check_cleanup(const struct options *options, struct fault *fault)
{
    if (options->source_count == 0)
        return fault_set(fault, STATUS_USAGE, "no URL: name where to look, such as s3://bucket/prefix/");
    if (options->source_count > 1)
        return fault_set(fault, STATUS_USAGE, "'%.200s' is a second URL; one at a time is looked at",
                         options->sources[1]);
    return STATUS_OK;
}

static enum status check_verify(const struct options *options, struct fault *fault)
{
    if (options->source_count == 0)
        return fault_set(fault, STATUS_USAGE,
                         "no manifest: name it, such as s3://bucket/prefix/manifest.xml or out/manifest.xml");
    if (options->source_count > 1)
        return fault_set(fault, STATUS_USAGE, "'%.200s' is a second manifest; one at a time is verified",
                         options->sources[1]);
    if (options->report != NULL && strcmp(options->report, "-") == 0)
        return fault_set(fault, STATUS_USAGE, "--report can't be standard input; name the run's report");
    return STATUS_OK;
}

static enum status check_inspect(const struct options *options, struct fault *fault)
{
    if (options->source_count == 0)
        return fault_set(fault, STATUS_USAGE, "no source: name what to read, such as dump.ndjson");
    if (options->as_json && options->as_job)
        return fault_set(fault, STATUS_USAGE,
                         "--json can't stand together with --job: one of them is printed");
    return STATUS_OK;
}

enum status options_rules_check(struct options *options, struct fault *fault)
{
    if (options->command == COMMAND_CLEANUP) return check_cleanup(options, fault);
    if (options->command == COMMAND_VERIFY) return check_verify(options, fault);
    if (options->command == COMMAND_INSPECT) return check_inspect(options, fault);
    if (options->rejects != NULL && strcmp(options->rejects, "-") == 0)
        return fault_set(fault, STATUS_USAGE, "--rejects can't be standard output; name a file");
    if (options->rejects != NULL && options->report != NULL && strcmp(options->rejects, options->report) == 0)
        return fault_set(fault, STATUS_USAGE, "--rejects and --report name the same file '%.200s'; name two",
                         options->report);
    return check_short_form(options, fault);
}

/* main.c - argv to exit status. Thread: main. */
#include "core/record/record_walk.h"
#include "io/cli/check.h"
#include "io/cli/cleanup.h"
#include "io/cli/export.h"
#include "io/cli/help.h"
#include "io/cli/inspect.h"
#include "io/cli/log.h"
#include "io/cli/options.h"
#include "io/cli/signals.h"
#include "io/cli/verify_command.h"
#include "io/cli/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static const char *environment(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

/* Every source stays open for the run's checks: take as many descriptors as may be had. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* without it, a run of very many files says so itself */
}

static struct log log_for(const struct options *options)
{
    static const enum log_level levels[] = {[OPTIONS_USUAL] = LOG_LEVEL_INFO,
                                            [OPTIONS_VERBOSE] = LOG_LEVEL_DETAIL,
                                            [OPTIONS_QUIET] = LOG_LEVEL_ERROR};
    return (struct log){.stream = stderr, .most = levels[options->verbosity], .format = options->log_format};
}

static enum status print(const struct options *options)
{
    char kernel[64];
    if (options->action != OPTIONS_VERSION) {
        help_write(stdout, options, PENSTOCK_VERSION);
    } else {
        record_parser_kernel(kernel, sizeof kernel);
        printf("penstock %s (simdjson %s, %s kernel)\n", PENSTOCK_VERSION, record_parser_version(), kernel);
    }
    if (fflush(stdout) == 0 && !ferror(stdout)) return STATUS_OK;
    fprintf(stderr, "penstock: error: standard output: can't be written\n");
    return STATUS_IO;
}

static enum status run(const struct options *options, const struct log *logger)
{
    struct fault fault;
    enum status status = signals_install(&fault);
    if (status != STATUS_OK) {
        log_error(logger, "%s", fault.message);
        return status;
    }
    raise_descriptor_limit();
    switch (options->command) {
    case COMMAND_CHECK: return check_run(options, logger);
    case COMMAND_CLEANUP: return cleanup_run(options, logger);
    case COMMAND_INSPECT: return inspect_run(options, logger);
    case COMMAND_VERIFY: return verify_command_run(options, logger);
    default: return export_run(options, logger); /* no other gets through options_parse() */
    }
}

int main(int argc, char **argv)
{
    struct options options;
    struct fault fault = {.status = STATUS_OK};
    enum status status = options_parse(argc, argv, environment, NULL, &options, &fault);
    struct log const logger = log_for(&options);
    if (status != STATUS_OK)
        log_error(&logger, "%s", fault.message);
    else
        status = options.action == OPTIONS_RUN ? run(&options, &logger) : print(&options);
    options_free(&options);
    return (int)status;
}

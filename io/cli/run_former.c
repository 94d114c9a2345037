/* run_former.c - see the header. Thread: main. Owns nothing: texts lie in the run's arena. */
#include "io/cli/run_former.h"

#include "io/cli/run_names.h"

#include <string.h>

static void warn(void *context, const char *message)
{
    const struct log *const logger = context;
    log_warning(logger, "%s", message);
}

/* Streams often have one and the same: it stands once. */
static enum status add_prefix(struct run *run, uint32_t stream, const char **prefixes, size_t *count,
                              struct fault *fault)
{
    char prefix[OUTPUT_NAME_SIZE];
    enum status const status = run_path_prefix(run, stream, prefix, fault);
    if (status != STATUS_OK || (*count > 0 && strcmp(prefixes[*count - 1], prefix) == 0)) return status;
    prefixes[*count] = arena_text(&run->arena, prefix, strlen(prefix));
    return prefixes[(*count)++] != NULL ? STATUS_OK : fault_set(fault, STATUS_IO, "no memory for names");
}

enum status run_former_rules(struct run *run, struct former_rules *rules, struct fault *fault)
{
    uint32_t const streams = run_stream_count(run);
    const char **const prefixes = arena_array(&run->arena, streams, sizeof *prefixes);
    const struct job_pega *const pega = &run->job.pega;
    enum status status = STATUS_OK;
    size_t count = 0;
    if (prefixes == NULL) return fault_set(fault, STATUS_IO, "no memory for names");
    for (uint32_t stream = 0; stream < streams && status == STATUS_OK; stream++)
        status = add_prefix(run, stream, prefixes, &count, fault);
    bool const has_token = pega->wanted && pega->token != JOB_TOKEN_NONE;
    *rules = (struct former_rules){.prefixes = prefixes,
                                   .prefix_count = count,
                                   .token_suffix = has_token ? pega->token_suffix : NULL,
                                   .fresh_names = job_is_of_a_run(run->job.file_name),
                                   .warn = warn,
                                   .warn_context = (void *)run->logger};
    return status;
}

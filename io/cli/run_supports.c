/* run_supports.c - features that jobs can name before runs have them: a line goes when its feature comes.
 * Pure.
 */
#include "io/cli/run_supports.h"

enum status run_supports(const struct job *job, struct fault *fault)
{
    const struct {
        const char *key;
        bool used;
    } later[] = {
        {"files.compression", job->compression != JOB_COMPRESSION_NONE},
    };
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (later[i].used)
            return fault_set(fault, STATUS_JOB, "%s: %s: not supported yet; leave it out", job->file,
                             later[i].key);
    return STATUS_OK;
}

/* cleanup_directory.c - what killed runs left in a directory. Thread: main. struct cleaning owns the walk. */
#include "io/cli/cleanup_directory.h"

#include "io/cli/cleanup.h"
#include "io/cli/machine.h"
#include "io/cli/signals.h"
#include "io/output/leftovers.h"
#include "io/output/output_fs.h"
#include "io/output/output_text.h"

#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cleaning {
    const struct options *options;
    const struct log *logger;
    FTS *walk;
    uint64_t found, old, removed;
};

bool cleanup_directory_is(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static int by_name(const FTSENT **one, const FTSENT **other)
{
    return strcmp((*one)->fts_name, (*other)->fts_name);
}

/* Its age is that of its last change, a rename included: a run that is going on writes to its files, or has
 * just moved them. */
static enum status take(struct cleaning *cleaning, const FTSENT *entry, struct fault *fault)
{
    const struct options *const options = cleaning->options;
    int64_t const changed = entry->fts_statp->st_ctim.tv_sec;
    int64_t const age = machine_wall_milliseconds() / 1000 - changed;
    bool const judged = options_is_set(options, OPTION_OLDER_THAN);
    bool const old = judged && (uint64_t)(age > 0 ? age : 0) >= options->older_than;
    const char *fate = !judged ? "" : !old ? "kept" : "would remove";
    char path[4 * OUTPUT_TEXT_PRINTABLE];
    output_text_printable(entry->fts_path, path, sizeof path);
    cleaning->found++;
    cleaning->old += old;
    int const error = !old || options->dry_run || unlink(entry->fts_path) == 0 ? 0 : errno;
    if (old && !options->dry_run) fate = error == 0 ? "removed" : "not removed";
    cleaning->removed += error == 0 && old && !options->dry_run;
    cleanup_print(changed, age, path, fate);
    return error == 0
               ? STATUS_OK
               : output_fs_fault(fault, STATUS_IO, error, "removing an unfinished file", entry->fts_path);
}

static enum status visit(struct cleaning *cleaning, const FTSENT *entry, struct fault *fault)
{
    switch (entry->fts_info) {
    case FTS_F: return leftovers_is_one(entry->fts_name, NULL) ? take(cleaning, entry, fault) : STATUS_OK;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        if (entry->fts_errno == ENOENT) return STATUS_OK; /* it is gone meanwhile */
        return output_fs_fault(fault, STATUS_IO, entry->fts_errno, "looking for unfinished files",
                               entry->fts_path);
    default: return STATUS_OK;
    }
}

static enum status work(struct cleaning *cleaning, struct fault *fault)
{
    char *const paths[] = {(char *)cleaning->options->sources[0], NULL}; /* fts_open() copies it */
    cleaning->walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (cleaning->walk == NULL)
        return output_fs_fault(fault, STATUS_IO, errno, "opening the directory", paths[0]);
    enum status status = STATUS_OK;
    const FTSENT *entry;
    while (status == STATUS_OK && (entry = fts_read(cleaning->walk)) != NULL) {
        status = visit(cleaning, entry, fault);
        if (status == STATUS_OK && signals_caught() != STATUS_OK)
            status = fault_set(fault, signals_caught(), "stopped by %s", signals_name());
    }
    fts_close(cleaning->walk);
    return status;
}

static void tell(const struct cleaning *cleaning)
{
    const char *const files = cleaning->found == 1 ? "file" : "files";
    char path[OUTPUT_TEXT_PRINTABLE];
    output_text_printable(cleaning->options->sources[0], path, sizeof path);
    if (!options_is_set(cleaning->options, OPTION_OLDER_THAN))
        log_info(cleaning->logger, "%" PRIu64 " unfinished %s under %s", cleaning->found, files, path);
    else if (cleaning->options->dry_run)
        log_info(cleaning->logger, "%" PRIu64 " unfinished %s under %s, %" PRIu64 " would be removed",
                 cleaning->found, files, path, cleaning->old);
    else
        log_info(cleaning->logger, "%" PRIu64 " unfinished %s under %s, %" PRIu64 " removed", cleaning->found,
                 files, path, cleaning->removed);
}

enum status cleanup_directory_run(const struct options *options, const struct log *logger)
{
    struct cleaning cleaning = {.options = options, .logger = logger};
    struct fault fault;
    enum status status = work(&cleaning, &fault);
    bool const written = fflush(stdout) == 0 && !ferror(stdout);
    if (status == STATUS_OK && !written)
        status = fault_set(&fault, STATUS_IO, "standard output: can't be written");
    tell(&cleaning);
    if (status != STATUS_OK) log_error(logger, "%s", fault.message);
    return status;
}

/* run_places.c - paths of the report and the reject file. Thread: main. Owns nothing beyond each call. */
#include "io/cli/run_places.h"

#include "io/cli/run_names.h"
#include "io/cli/run_tracks.h"
#include "io/output/report.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last folder of `path` that is there, without links; `rest` is what lies below it. NULL: none is, or no
 * memory. The caller frees it. */
static char *resolve_folder(const char *path, const char **rest)
{
    size_t length = strlen(path);
    char *real = NULL;
    do {
        while (length > 0 && path[length - 1] != '/')
            length--;
        *rest = path + length;
        char *const folder = length == 0 ? strdup(".") : strndup(path, length);
        real = folder == NULL ? NULL : realpath(folder, NULL);
        free(folder);
        while (length > 0 && path[length - 1] == '/')
            length--;
    } while (real == NULL && *rest != path);
    return real;
}

static void join_slashes(char *path)
{
    char *out = path;
    for (const char *at = path; *at != '\0'; at++)
        if (at[0] != '/' || at[1] != '/') *out++ = *at;
    *out = '\0';
}

/* Where `path` will be when it is made, with folders that are to be made. NULL: as above. The caller frees
 * it. */
static char *resolve_place(const char *path)
{
    const char *rest = path;
    char *const real = resolve_folder(path, &rest);
    size_t const size = real == NULL ? 0 : strlen(real) + strlen(rest) + 2;
    char *const place = real == NULL ? NULL : malloc(size);
    if (place != NULL) snprintf(place, size, "%s/%s", real, rest);
    if (place != NULL) join_slashes(place);
    free(real);
    return place;
}

bool run_places_same(const char *one, const char *other)
{
    if (strcmp(one, other) == 0) return true;
    char *const real_one = resolve_place(one);
    char *const real_other = resolve_place(other);
    bool const same = real_one != NULL && real_other != NULL && strcmp(real_one, real_other) == 0;
    free(real_one);
    free(real_other);
    return same;
}

/* What is not to have a name of the delivery. */
struct beside {
    const char *folder; /* the destination's */
    const char *path, *what, *remedy;
};

static enum status check_beside(void *context, const char *name, struct fault *fault)
{
    const struct beside *const beside = context;
    char place[PATH_MAX];
    if (strcmp(run_names_bare(beside->path), run_names_bare(name)) != 0) return STATUS_OK;
    int const length = snprintf(place, sizeof place, "%s/%s", beside->folder, name);
    if (length < 0 || (size_t)length >= sizeof place || !run_places_same(beside->path, place))
        return STATUS_OK;
    return fault_set(fault, STATUS_USAGE,
                     "the %s '%.200s' has the name of a file of the delivery; name another (%s)",
                     beside->what, beside->path, beside->remedy);
}

/* A data file of the first RUN_NAMES_PARTS of each stream, a manifest, a token. */
static enum status check_names(const struct run *run, struct beside beside, struct fault *fault)
{
    struct run_names_visitor const visitor = {.name = check_beside, .context = &beside};
    if (run->destination.kind != DESTINATION_DIRECTORY) return STATUS_OK;
    beside.folder = run->destination.url;
    return run_names_each(run, RUN_NAMES_PARTS, &visitor, fault);
}

enum status run_places_check_rejects(const struct run *run, struct fault *fault)
{
    struct beside const rejects = {
        .path = run->rejects_path, .what = "reject file", .remedy = "--rejects or rejects.path"};
    return rejects.path == NULL ? STATUS_OK : check_names(run, rejects, fault);
}

enum status run_places_check_report(const struct run *run, struct fault *fault)
{
    const char *const path = run->options->report;
    if (path == NULL) return STATUS_OK;
    if (run->rejects_path != NULL && run_places_same(path, run->rejects_path))
        return fault_set(fault, STATUS_USAGE,
                         "the report and the reject file are the same file '%.200s'; name two (--report, "
                         "--rejects or rejects.path)",
                         path);
    struct beside const report = {.path = path, .what = "report", .remedy = "--report"};
    enum status const status = check_names(run, report, fault);
    return status == STATUS_OK ? report_check(path, run->run_id, fault) : status;
}

enum status run_places_check_trace(const struct run *run, struct fault *fault)
{
    const char *const path = run->trace_path;
    const char *const others[] = {run->options->report, run->rejects_path};
    if (path == NULL) return STATUS_OK;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i] != NULL && (strcmp(path, others[i]) == 0 || run_places_same(path, others[i])))
            return fault_set(fault, STATUS_USAGE,
                             "the trace and the %s are the same file '%.200s'; name another (PENSTOCK_TRACE)",
                             i == 0 ? "report" : "reject file", path);
    struct beside const trace = {.path = path, .what = "trace", .remedy = "PENSTOCK_TRACE"};
    enum status const status = check_names(run, trace, fault);
    return status == STATUS_OK ? run_tracks_check(run, fault) : status;
}

/* run_places.c - paths of the report and the reject file. Thread: main. Owns nothing beyond each call. */
#include "io/cli/run_places.h"

#include "io/output/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where `path` will be when it is made: its directory without links, and its name. NULL: no such directory,
 * or no memory. The caller frees it. */
static char *resolve_place(const char *path)
{
    const char *const slash = strrchr(path, '/');
    const char *const name = slash == NULL ? path : slash + 1;
    char *const folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(name - path));
    char *const real = folder == NULL ? NULL : realpath(folder, NULL);
    size_t const size = real == NULL ? 0 : strlen(real) + strlen(name) + 2;
    char *const place = real == NULL ? NULL : malloc(size);
    if (place != NULL) snprintf(place, size, "%s/%s", real, name);
    free(real);
    free(folder);
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

enum status run_places_check_report(const struct run *run, struct fault *fault)
{
    const char *const path = run->options->report;
    if (path == NULL) return STATUS_OK;
    if (run->rejects_path != NULL && run_places_same(path, run->rejects_path))
        return fault_set(fault, STATUS_USAGE,
                         "the report and the reject file are the same file '%.200s'; name two (--report, "
                         "--rejects or rejects.path)",
                         path);
    return report_check(path, run->run_id, fault);
}

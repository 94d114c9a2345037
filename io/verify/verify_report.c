/* verify_report.c - see verify.h: what a run's report says of the manifest that is verified. Thread: main,
 * but for the functions that the crew runs. What it makes belongs to struct verify.
 *
 * Tokens, and data files that no manifest names, can be told to belong to the manifest only where the report
 * has no other one. */
#include "io/verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the folders before the last component, with the slash. */
static size_t folder_length(const char *place)
{
    const char *const slash = strrchr(place, '/');
    return slash == NULL ? 0 : (size_t)(slash - place) + 1;
}

static bool is_beside(const char *url, const char *other)
{
    size_t const length = folder_length(url);
    return length == folder_length(other) && strncmp(url, other, length) == 0;
}

static bool make_lists(struct verify *verify, struct fault *fault)
{
    const struct report_files *const report = verify->options.report;
    verify->others = calloc(report->tokens.count + 1, sizeof *verify->others);
    verify->reported = calloc(report->data.count + 1, sizeof *verify->reported);
    if (verify->others != NULL && verify->reported != NULL) return true;
    (void)fault_set(fault, STATUS_IO, "no memory for a report of %zu files", report->data.count);
    return false;
}

static void find_entries(struct verify *verify)
{
    const struct manifest *const manifest = verify->options.manifest;
    const struct report_list *const data = &verify->options.report->data;
    char place[VERIFY_PLACE_MAX], whole[VERIFY_PLACE_MAX + 4096];
    for (size_t i = 0; i < manifest->file_count; i++) {
        const char *relative = NULL;
        if (verify_place_of(&verify->place, manifest->files[i].name, place, &relative) != VERIFY_PLACE_FINE)
            continue;
        (void)snprintf(whole, sizeof whole, "%s%s", verify->options.root, place);
        verify->entries[i] = report_find(data, whole, relative);
        if (verify->entries[i] != NULL) verify->reported[verify->entries[i] - data->entries] = true;
    }
}

static void find_others(struct verify *verify)
{
    const struct report_files *const report = verify->options.report;
    const char *const place = verify->options.manifest_place;
    char whole[VERIFY_PLACE_MAX + 4096];
    (void)snprintf(whole, sizeof whole, "%s%s", verify->options.root, place);
    const struct report_entry *const manifest =
        report_find(&report->manifests, whole, place + folder_length(place));
    if (manifest == NULL) return;
    verify->others[verify->other_count++].entry = manifest;
    verify->whole = report->manifests.count == 1;
    for (size_t i = 0; verify->whole && i < report->tokens.count; i++)
        if (is_beside(report->tokens.entries[i].url, manifest->url))
            verify->others[verify->other_count++].entry = &report->tokens.entries[i];
}

enum status verify_report_find(struct verify *verify, struct fault *fault)
{
    if (verify->options.report == NULL) return STATUS_OK;
    if (!make_lists(verify, fault)) return STATUS_IO;
    find_entries(verify);
    find_others(verify);
    return STATUS_OK;
}

/* ---- what is stored of them ---- */

static enum status look_at(struct verify *verify, struct verify_tools *tools, struct verify_other *other,
                           struct fault *fault)
{
    char place[VERIFY_PLACE_MAX];
    const char *const url = other->entry->url;
    int const length = snprintf(place, sizeof place, "%s%s", verify->place.folder, url + folder_length(url));
    if (length < 0 || (size_t)length >= sizeof place)
        return fault_set(fault, STATUS_IO, "%.200s...: is too long for a path", url);
    struct verify_task const task = {.place = place,
                                     .dialect = verify->options.dialect,
                                     .header = &verify->header,
                                     .checksum = other->entry->checksum_kind};
    return verify_file(tools, &task, &other->result, fault);
}

static enum status look_at_others(void *context, uint32_t thread, struct fault *fault)
{
    struct verify *const verify = context;
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        size_t const next = atomic_fetch_add_explicit(&verify->next, 1, memory_order_relaxed);
        if (next >= verify->other_count) break;
        status = look_at(verify, &verify->tools[thread], &verify->others[next], fault);
    }
    return status;
}

enum status verify_report_files(struct verify *verify, struct fault *fault)
{
    if (verify->other_count == 0) return STATUS_OK;
    atomic_store_explicit(&verify->next, 0, memory_order_relaxed);
    return verify_crew_run(verify->options.crew, verify->options.threads, look_at_others, verify, fault);
}

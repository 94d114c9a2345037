/* verify_run.c - see verify.h. Thread: main, but for the functions that the crew runs. Owns what
 * struct verify points at. */
#include "io/verify/verify.h"

#include <stdlib.h>
#include <string.h>

/* Files that are looked for, one after another, before their places are known: where the first 16 are missing
 * more of them would only cost time. */
#define LOOKS_MAX 16u

/* ---- making ---- */

static int compare_names(const void *a, const void *b)
{
    const struct manifest_file *const left = *(const struct manifest_file *const *)a;
    const struct manifest_file *const right = *(const struct manifest_file *const *)b;
    int const order = strcmp(left->name, right->name);
    if (order != 0) return order;
    return (left > right) - (left < right); /* in the manifest's order */
}

static bool find_names_given_twice(struct verify *verify)
{
    const struct manifest *const manifest = verify->options.manifest;
    const struct manifest_file **const sorted = calloc(manifest->file_count + 1, sizeof *sorted);
    if (sorted == NULL) return false;
    for (size_t i = 0; i < manifest->file_count; i++)
        sorted[i] = &manifest->files[i];
    qsort(sorted, manifest->file_count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < manifest->file_count; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            verify->named_before[sorted[i] - manifest->files] = true;
    free(sorted);
    return true;
}

enum status verify_make(struct verify *verify, const struct verify_options *options,
                        const struct verify_place *place, struct verify_tools *tools, struct fault *fault)
{
    size_t const count = options->manifest->file_count + 1; /* none is fine */
    *verify = (struct verify){.options = *options, .place = *place, .tools = tools};
    verify->header.bytes = malloc(VERIFY_HEADER_MAX);
    verify->results = calloc(count, sizeof *verify->results);
    verify->entries = calloc(count, sizeof *verify->entries);
    verify->named_before = calloc(count, sizeof *verify->named_before);
    verify->cut = calloc(count, sizeof *verify->cut);
    if (verify->header.bytes != NULL && verify->results != NULL && verify->entries != NULL &&
        verify->named_before != NULL && verify->cut != NULL && find_names_given_twice(verify))
        return STATUS_OK;
    return fault_set(fault, STATUS_IO, "no memory for a manifest of %zu files",
                     options->manifest->file_count);
}

void verify_free(struct verify *verify)
{
    for (size_t i = 0; verify->results != NULL && i < verify->options.manifest->file_count; i++)
        free(verify->results[i].trouble);
    for (size_t i = 0; i < verify->range_count; i++)
        free(verify->ranges[i].trouble);
    for (size_t i = 0; i < verify->other_count; i++)
        free(verify->others[i].result.trouble);
    for (uint32_t i = 0; verify->tools != NULL && i < verify->options.threads; i++)
        verify_tools_free(&verify->tools[i]);
    free(verify->tools);
    free(verify->header.bytes);
    free(verify->results);
    free(verify->entries);
    free(verify->named_before);
    free(verify->others);
    free(verify->reported);
    free(verify->cut);
    free(verify->parts);
    free(verify->ranges);
    *verify = (struct verify){.tools = NULL};
}

uint64_t verify_memory(size_t files, const struct report_files *report)
{
    size_t const each = sizeof(struct verify_result) + sizeof(struct report_entry *) + sizeof(bool) +
                        sizeof(size_t) + sizeof(struct verify_part) + sizeof(struct manifest_file *);
    uint64_t const reported = report == NULL ? 0
                                             : (report->tokens.count + 1) * sizeof(struct verify_other) +
                                                   (report->data.count + 1) * sizeof(bool);
    return VERIFY_HEADER_MAX + (uint64_t)(files + 1) * each + reported;
}

bool verify_has_header(const struct verify *verify, size_t file)
{
    switch (verify->options.header) {
    case CSV_HEADER_EVERY: return true;
    case CSV_HEADER_FIRST: return file == 0;
    case CSV_HEADER_NONE: break;
    }
    return false;
}

/* ---- where the files are ---- */

/* The header of file number `i`, if it is there. */
static enum status look_at(struct verify *verify, size_t i, bool *found, struct fault *fault)
{
    char place[VERIFY_PLACE_MAX];
    *found = false;
    const char *const name = verify->options.manifest->files[i].name;
    if (verify_place_of(&verify->place, name, place, NULL) != VERIFY_PLACE_FINE) return STATUS_OK;
    enum status const status =
        verify_file_header(&verify->tools[0], place, verify->options.dialect, &verify->header, fault);
    verify->header_file = i;
    *found = status == STATUS_OK;
    return status == STATUS_NO_SOURCE ? STATUS_OK : status;
}

/* Looks for the file at every place that its name may mean. */
static enum status try_places(struct verify *verify, size_t i, bool *found, struct fault *fault)
{
    if (verify->place.has_prefix) return look_at(verify, i, found, fault);
    unsigned const folders = verify_place_folders(verify->options.manifest->files[i].name);
    enum status status = STATUS_OK;
    for (unsigned nth = 0; nth <= folders && status == STATUS_OK && !*found; nth++) {
        verify->place.strip = verify_place_strip(folders, nth);
        status = look_at(verify, i, found, fault);
    }
    return status;
}

/* The first file that is there says where all are; the first that has a row, how rows look. */
static enum status find_header(struct verify *verify, struct fault *fault)
{
    size_t const files = verify->options.manifest->file_count;
    size_t const count = files < LOOKS_MAX ? files : LOOKS_MAX;
    bool placed = false;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK && verify->header.length == 0; i++) {
        bool found = false;
        status = placed ? look_at(verify, i, &found, fault) : try_places(verify, i, &found, fault);
        placed = placed || found;
    }
    if (!placed && count > 0)
        verify->place.strip = verify_place_folders(verify->options.manifest->files[0].name);
    return status;
}

/* ---- ranges ---- */

static bool is_plain(struct verify_source *source, struct fault *fault)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    return source->next(source, &bytes, &length, fault) == STATUS_OK &&
           unpack_recognise(bytes, length) == UNPACK_PLAIN;
}

/* The size of a file that is to be cut; 0: it is not. Failures show when it is read. */
static uint64_t size_to_cut(struct verify *verify, size_t i)
{
    char place[VERIFY_PLACE_MAX];
    uint64_t size = 0;
    struct fault fault;
    struct verify_source *const source = verify->tools[0].source;
    const char *const name = verify->options.manifest->files[i].name;
    if (verify_place_of(&verify->place, name, place, NULL) != VERIFY_PLACE_FINE) return 0;
    bool cut = source->open(source, place, &size, &fault) == STATUS_OK;
    cut = cut && size >= 2 * verify->options.range_min && is_plain(source, &fault);
    source->close(source);
    return cut ? size : 0;
}

static uint64_t range_bytes(const struct verify *verify, uint64_t size)
{
    uint64_t const least = (size + VERIFY_RANGES_MAX - 1) / VERIFY_RANGES_MAX;
    return least > verify->options.range_min ? least : verify->options.range_min;
}

static enum status add_ranges(struct verify *verify, uint64_t size, struct fault *fault)
{
    uint64_t const step = range_bytes(verify, size);
    size_t const count = (size_t)((size + step - 1) / step);
    struct verify_range *const ranges =
        realloc(verify->ranges, (verify->range_count + count) * sizeof *ranges);
    if (ranges == NULL) return fault_set(fault, STATUS_IO, "no memory for the ranges of a file");
    verify->ranges = ranges;
    for (uint64_t begin = 0; begin < size; begin += step)
        ranges[verify->range_count++] =
            (struct verify_range){.begin = begin, .end = size - begin < step ? size : begin + step};
    return STATUS_OK;
}

/* Ranges of different files stand in the order of verify->cut. */
static enum status cut_files(struct verify *verify, struct fault *fault)
{
    bool const can =
        verify->tools[0].source->seek != NULL && verify->header.columns > 0 && verify->options.threads > 1;
    enum status status = STATUS_OK;
    for (size_t i = 0; can && i < verify->options.manifest->file_count && status == STATUS_OK; i++) {
        uint64_t const size = size_to_cut(verify, i);
        if (size == 0) continue;
        verify->cut[verify->cut_count++] = i;
        status = add_ranges(verify, size, fault);
    }
    return status;
}

static size_t ranges_end(const struct verify *verify, size_t first)
{
    size_t end = first + 1;
    while (end < verify->range_count && verify->ranges[end].begin != 0)
        end++;
    return end;
}

static enum status list_parts(struct verify *verify, struct fault *fault)
{
    size_t const files = verify->options.manifest->file_count;
    verify->parts = calloc(files + verify->range_count + 1, sizeof *verify->parts);
    if (verify->parts == NULL)
        return fault_set(fault, STATUS_IO, "no memory for a manifest of %zu files", files);
    size_t cut = 0, range = 0;
    for (size_t i = 0; i < files; i++) {
        if (cut == verify->cut_count || verify->cut[cut] != i) {
            verify->parts[verify->part_count++] = (struct verify_part){.file = (uint32_t)i};
            continue;
        }
        for (size_t const end = ranges_end(verify, range); range < end; range++)
            verify->parts[verify->part_count++] =
                (struct verify_part){.file = (uint32_t)i, .range = &verify->ranges[range]};
        cut++;
    }
    return STATUS_OK;
}

static enum status locate(void *context, uint32_t thread, struct fault *fault)
{
    struct verify *const verify = context;
    (void)thread;
    enum status status = find_header(verify, fault);
    if (status == STATUS_OK) status = cut_files(verify, fault);
    return status == STATUS_OK ? list_parts(verify, fault) : status;
}

enum status verify_locate(struct verify *verify, struct fault *fault)
{
    enum status const status = verify_crew_run(verify->options.crew, 1, locate, verify, fault);
    return status == STATUS_OK ? verify_report_find(verify, fault) : status;
}

/* ---- what is in them ---- */

/* False: its name leads nowhere. */
static bool make_task(const struct verify *verify, size_t file, char place[VERIFY_PLACE_MAX],
                      struct verify_task *task)
{
    const struct report_entry *const entry = verify->entries[file];
    *task = (struct verify_task){.place = place,
                                 .dialect = verify->options.dialect,
                                 .header = &verify->header,
                                 .compare = verify_has_header(verify, file),
                                 .checksum = entry != NULL ? entry->checksum_kind : CHECKSUM_NONE};
    const char *const name = verify->options.manifest->files[file].name;
    return verify_place_of(&verify->place, name, place, NULL) == VERIFY_PLACE_FINE;
}

static enum status look_at_parts(void *context, uint32_t thread, struct fault *fault)
{
    struct verify *const verify = context;
    struct verify_tools *const tools = &verify->tools[thread];
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        size_t const next = atomic_fetch_add_explicit(&verify->next, 1, memory_order_relaxed);
        if (next >= verify->part_count) break;
        const struct verify_part *const part = &verify->parts[next];
        char place[VERIFY_PLACE_MAX];
        struct verify_task task;
        if (!make_task(verify, part->file, place, &task)) continue;
        status = part->range != NULL ? verify_file_range(tools, &task, part->range, fault)
                                     : verify_file(tools, &task, &verify->results[part->file], fault);
    }
    return status;
}

static size_t first_range(const struct verify *verify, size_t cut)
{
    size_t first = 0;
    for (; cut > 0; cut--)
        first = ranges_end(verify, first);
    return first;
}

static enum status join_files(void *context, uint32_t thread, struct fault *fault)
{
    struct verify *const verify = context;
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        size_t const next = atomic_fetch_add_explicit(&verify->next, 1, memory_order_relaxed);
        if (next >= verify->cut_count) break;
        size_t const file = verify->cut[next], first = first_range(verify, next);
        char place[VERIFY_PLACE_MAX];
        struct verify_task task;
        if (!make_task(verify, file, place, &task)) continue;
        status = verify_file_join(&verify->tools[thread], &task, &verify->ranges[first],
                                  ranges_end(verify, first) - first, &verify->results[file], fault);
    }
    return status;
}

enum status verify_files(struct verify *verify, struct fault *fault)
{
    struct verify_crew *const crew = verify->options.crew;
    uint32_t const threads = verify->options.threads;
    atomic_store_explicit(&verify->next, 0, memory_order_relaxed);
    enum status status = verify_crew_run(crew, threads, look_at_parts, verify, fault);
    atomic_store_explicit(&verify->next, 0, memory_order_relaxed);
    if (status == STATUS_OK && verify->cut_count > 0)
        status = verify_crew_run(crew, threads, join_files, verify, fault);
    return status == STATUS_OK ? verify_report_files(verify, fault) : status;
}

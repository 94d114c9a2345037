/* source_list.c - looks at every named path before a run starts: which files it stands for, are they there,
 * and what are they by their first bytes. Thread: the one that builds the list. Owns: nothing after it
 * returns but the list's arena. Never: keeps a file open, changes one, or waits for one (a FIFO is refused
 * before it is opened). */
#include "io/input/source_list_inside.h"

#include "io/input/source_file.h"
#include "io/input/source_manifest.h"
#include "io/input/source_walk.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum status source_list_no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "there is no memory for the list of sources: name fewer files");
}

enum status source_list_add(struct source_builder *builder, const struct source_candidate *candidate)
{
    if (builder->count == SOURCE_FILES_MAX)
        return fault_set(builder->fault, STATUS_INPUT,
                         "%s: is file number %u; a run takes %u: name fewer files", candidate->item.path,
                         SOURCE_FILES_MAX + 1, SOURCE_FILES_MAX);
    if (builder->count == builder->room) {
        size_t const room = builder->room == 0 ? 64 : 2 * builder->room;
        struct source_candidate *const more = realloc(builder->candidates, room * sizeof *more);
        if (more == NULL) return source_list_no_memory(builder->fault);
        builder->candidates = more;
        builder->room = room;
    }
    builder->candidates[builder->count++] = *candidate;
    return STATUS_OK;
}

/* ---- one file ---- */

static enum status path_real(struct source_builder *builder, const char *path, const char **real)
{
    char *found = realpath(path, NULL);
    if (found == NULL) {
        enum status const status = errno == ENOENT || errno == EACCES ? STATUS_NO_SOURCE : STATUS_IO;
        return fault_set(builder->fault, status, "%s: its real path can't be found: %s", path,
                         strerror(errno));
    }
    *real = arena_text(&builder->list->arena, found, strlen(found));
    free(found);
    return *real == NULL ? source_list_no_memory(builder->fault) : STATUS_OK;
}

static enum status take_form(struct source_builder *builder, struct source_item *item,
                             const struct form *form)
{
    item->content_start = form->begin;
    if (form->kind == FORM_NDJSON) return STATUS_OK;
    if (builder->last == NULL || memcmp(builder->last, form, sizeof *form) != 0) {
        struct form *const copy = arena_array(&builder->list->arena, 1, sizeof *copy);
        if (copy == NULL) return source_list_no_memory(builder->fault);
        *copy = *form;
        builder->last = copy;
    }
    item->records = builder->last;
    return STATUS_OK;
}

/* As source_head_judge(), over as many bytes as it takes to be sure. */
static enum status judge(struct source_builder *builder, const struct source_peek_port *port,
                         struct source_look *look, struct form *form, const char **refusal)
{
    look->head.choice = builder->format;
    *refusal = source_head_judge(&look->head, form);
    size_t room = SOURCE_HEAD_BYTES;
    while (*refusal == NULL && form->unsure && (room = source_head_further(room)) != 0) {
        enum status const status = source_peek_further(builder->peek, port, room, look, builder->fault);
        if (status != STATUS_OK) return status;
        *refusal = source_head_judge(&look->head, form);
    }
    return STATUS_OK;
}

enum status source_list_judge(struct source_builder *builder, const struct source_peek_port *port,
                              struct source_look *look, struct source_item *item)
{
    bool const plain = look->form == UNPACK_PLAIN;
    const char *refusal;
    struct form form;
    enum status const status = judge(builder, port, look, &form, &refusal);
    if (status != STATUS_OK) return status;
    item->kind = plain ? SOURCE_KIND_FILE : SOURCE_KIND_PACKED;
    item->form = look->form;
    item->window_log = look->window_log;
    if (refusal != NULL && plain)
        return fault_set(builder->fault, STATUS_INPUT, "%s: %s", item->path, refusal);
    if (refusal != NULL)
        return fault_set(builder->fault, STATUS_INPUT, "%s (%s): %s", item->path,
                         unpack_form_name(look->form), refusal);
    if (look->window_log <= UNPACK_WINDOW_LOG_MOST) return take_form(builder, item, &form);
    return fault_set(
        builder->fault, STATUS_INPUT,
        "%s: needs a zstd window of 2^%u bytes, the largest that can be read is 2^%u: compress it again "
        "(zstd --long=%u)",
        item->path, look->window_log, UNPACK_WINDOW_LOG_MOST, UNPACK_WINDOW_LOG_MOST);
}

/* ---- manifests ---- */

enum status source_list_manifest(struct source_builder *builder, const struct source_look *look,
                                 const struct source_item *item, bool *may_be)
{
    const char *const refusal =
        source_manifest_judge(look->head.bytes, look->head.length, look->form, item->stamp.size, may_be);
    return refusal == NULL ? STATUS_OK
                           : fault_set(builder->fault, STATUS_INPUT, "%s: %s", item->path, refusal);
}

static enum status take_listed(struct source_builder *builder, const struct source_paths *paths);

static bool is_there(void *context, const char *path, uint64_t *size)
{
    struct stat about;
    (void)context;
    if (stat(path, &about) != 0) return false;
    *size = (uint64_t)about.st_size;
    return true;
}

/* Is it a manifest? Then its files are taken in its place. */
static enum status try_manifest(struct source_builder *builder, int descriptor,
                                const struct source_item *item, bool *taken)
{
    size_t const size = (size_t)item->stamp.size; /* at most SOURCE_MANIFEST_BYTES_MAX */
    struct source_manifest_port const port = {.is_there = is_there};
    struct source_paths paths = {0};
    char *const text = malloc(size);
    if (text == NULL) return source_list_no_memory(builder->fault);
    int64_t const length = source_file_pread(descriptor, text, size, 0);
    enum status status = STATUS_OK;
    if (length < 0)
        status = fault_set(builder->fault, STATUS_IO, "%s: can't be read: %s", item->path, strerror(errno));
    else
        status = source_manifest_read(&port, item->path, text, (size_t)length, taken, &paths,
                                      &builder->list->arena, builder->fault);
    free(text);
    if (status == STATUS_OK && *taken) status = take_listed(builder, &paths);
    source_paths_free(&paths);
    return status;
}

/* A file as the peek's port. */
struct open_file {
    const char *path;
    int descriptor;
};

static enum status read_file(void *context, uint64_t offset, uint8_t *into, size_t length, size_t *got,
                             struct fault *fault)
{
    const struct open_file *const file = context;
    int64_t const read = source_file_pread(file->descriptor, into, length, offset);
    if (read < 0)
        return fault_set(fault, STATUS_IO, "%s: can't be read at byte %llu: %s", file->path,
                         (unsigned long long)offset, strerror(errno));
    *got = (size_t)read;
    return STATUS_OK;
}

/* What an open file is. */
static enum status look_at_file(struct source_builder *builder, int descriptor,
                                struct source_candidate *candidate, bool may_be_manifest, bool *taken)
{
    struct source_item *const item = &candidate->item;
    struct open_file file = {.path = item->path, .descriptor = descriptor};
    struct source_peek_port const port = {
        .context = &file, .path = item->path, .size = item->stamp.size, .read = read_file};
    struct source_look look;
    enum status status = source_peek_look(builder->peek, &port, &look, builder->fault);
    if (status != STATUS_OK) return status;
    if (may_be_manifest) status = source_list_manifest(builder, &look, item, &may_be_manifest);
    if (status == STATUS_OK && may_be_manifest) status = try_manifest(builder, descriptor, item, taken);
    if (status != STATUS_OK || *taken) return status;
    status = source_list_judge(builder, &port, &look, item);
    return status == STATUS_OK ? path_real(builder, item->path, &candidate->real) : status;
}

/* Recursion: the files that a manifest names can't be manifests. */
static enum status take_file(struct source_builder *builder, const char *path, bool may_be_manifest)
{
    struct source_candidate candidate = {.item.path = path};
    struct stat about;
    bool taken = false;
    int const descriptor = source_file_descriptor(path, &about, builder->fault);
    if (descriptor < 0) return builder->fault->status;
    candidate.item.stamp = source_stamp_of(&about);
    enum status const status = look_at_file(builder, descriptor, &candidate, may_be_manifest, &taken);
    (void)close(descriptor);
    return status == STATUS_OK && !taken ? source_list_add(builder, &candidate) : status;
}

static enum status take_listed(struct source_builder *builder, const struct source_paths *paths)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < paths->count && status == STATUS_OK; i++)
        status = take_file(builder, paths->items[i], false);
    return status;
}

/* ---- directories and globs ---- */

static enum status take_directory(struct source_builder *builder, const char *path)
{
    struct source_paths files = {0};
    enum status status = source_walk(path, &files, &builder->list->arena, builder->fault);
    if (status == STATUS_OK && files.count == 0)
        status = fault_set(
            builder->fault, STATUS_NO_SOURCE,
            "%s: holds no data files (names that begin with a dot or _, and .crc files, are left out)", path);
    source_paths_sort(&files);
    for (size_t i = 0; i < files.count && status == STATUS_OK; i++)
        status = take_file(builder, files.items[i], true);
    source_paths_free(&files);
    return status;
}

static bool path_is_glob(const char *path)
{
    struct stat about;
    return strpbrk(path, "*?[") != NULL && stat(path, &about) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* What stands behind the last slash, trailing ones left out. */
static const char *last_part(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    while (end > 0 && path[end - 1] != '/')
        end--;
    return path + end;
}

/* What is there: a file or a directory. */
static enum status take_path(struct source_builder *builder, const char *path)
{
    struct stat about;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) return take_directory(builder, path);
    return take_file(builder, path, true);
}

/* The directory itself or the one above, which `.*` matches, too. */
static bool is_dots(const char *part)
{
    size_t const length = strcspn(part, "/");
    return length > 0 && length <= 2 && strspn(part, ".") == length;
}

static enum status take_found(struct source_builder *builder, const char *pattern, const glob_t *found)
{
    struct source_paths paths = {0};
    enum status status = STATUS_OK;
    const char *const last = last_part(pattern);
    bool const is_wild = strchr("*?[", last[0]) != NULL, has_wild = strpbrk(last, "*?[") != NULL;
    for (size_t i = 0; i < found->gl_pathc && status == STATUS_OK; i++) {
        const char *const path = found->gl_pathv[i];
        if (is_wild && source_walk_leaves_out(last_part(path))) continue;
        if (has_wild && is_dots(last_part(path))) continue;
        status = source_paths_add(&paths, &builder->list->arena, path, strlen(path), builder->fault);
    }
    if (status == STATUS_OK && paths.count == 0)
        status = fault_set(
            builder->fault, STATUS_NO_SOURCE,
            "%s: no file has such a name (those that begin with a dot or _, and .crc files, are left out)",
            pattern);
    source_paths_sort(&paths);
    for (size_t i = 0; i < paths.count && status == STATUS_OK; i++)
        status = take_path(builder, paths.items[i]);
    source_paths_free(&paths);
    return status;
}

/* What isn't there matches nothing; what may not be looked into might. */
static int glob_gives_up(const char *path, int error)
{
    (void)path;
    return error != ENOENT && error != ENOTDIR;
}

static enum status take_glob(struct source_builder *builder, const char *pattern)
{
    glob_t found = {0};
    int const result = glob(pattern, GLOB_NOSORT, glob_gives_up, &found);
    enum status status = STATUS_OK;
    if (result == GLOB_NOSPACE)
        status = source_list_no_memory(builder->fault);
    else if (result == GLOB_ABORTED)
        status = fault_set(builder->fault, STATUS_NO_SOURCE,
                           "%s: a directory on the way can't be read (%s): grant read permission", pattern,
                           strerror(errno));
    else
        status = take_found(builder, pattern, &found);
    globfree(&found);
    return status;
}

/* ---- paths ---- */

static enum status take_standard_input(struct source_builder *builder)
{
    struct source_candidate const candidate = {.item = {.path = "-", .kind = SOURCE_KIND_STANDARD},
                                               .real = "-"};
    return source_list_add(builder, &candidate);
}

static enum status take_named(struct source_builder *builder, const char *path)
{
    if (strcmp(path, "-") == 0) return take_standard_input(builder);
    if (builder->remote != NULL && builder->remote->is_path(path))
        return source_list_take_remote(builder, path);
    return path_is_glob(path) ? take_glob(builder, path) : take_path(builder, path);
}

/* ---- order ---- */

static int order_by_path(const void *a, const void *b)
{
    const struct source_candidate *one = a, *other = b;
    return strcmp(one->item.path, other->item.path); /* strcmp compares as unsigned char: byte order */
}

static int order_by_file(const void *a, const void *b)
{
    const struct source_candidate *one = a, *other = b;
    int const order = strcmp(one->real, other->real);
    return order != 0 ? order : strcmp(one->item.path, other->item.path);
}

/* Keeps the first path of each file, in byte order of paths. */
static enum status list_fill(struct source_builder *builder)
{
    struct source_list *const list = builder->list;
    struct source_candidate *const candidates = builder->candidates;
    size_t kept = 0;
    qsort(candidates, builder->count, sizeof *candidates, order_by_file);
    for (size_t i = 0; i < builder->count; i++)
        if (kept == 0 || strcmp(candidates[kept - 1].real, candidates[i].real) != 0)
            candidates[kept++] = candidates[i];
    qsort(candidates, kept, sizeof *candidates, order_by_path);
    list->items = arena_array(&list->arena, kept, sizeof *list->items);
    if (list->items == NULL) return source_list_no_memory(builder->fault);
    for (size_t i = 0; i < kept; i++)
        list->items[i] = candidates[i].item;
    list->count = kept;
    return STATUS_OK;
}

static enum status list_collect(struct source_builder *builder, const struct source_list_rules *rules,
                                struct source_paths *named)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < rules->count && status == STATUS_OK; i++)
        status = source_paths_add(named, &builder->list->arena, rules->paths[i], strlen(rules->paths[i]),
                                  builder->fault);
    source_paths_sort(named);
    for (size_t i = 0; i < named->count && status == STATUS_OK; i++)
        status = take_named(builder, named->items[i]);
    return status == STATUS_OK ? list_fill(builder) : status;
}

enum status source_list_build(const struct source_list_rules *rules, struct source_list *list,
                              struct fault *fault)
{
    *list = (struct source_list){.items = NULL};
    if (rules->count == 0) return STATUS_OK;
    struct fault unseen; /* statuses are taken from the fault: there has to be one */
    struct source_builder builder = {.list = list,
                                     .format = rules->format,
                                     .remote = rules->remote,
                                     .fault = fault != NULL ? fault : &unseen};
    struct source_paths named = {0};
    builder.peek = source_peek_create();
    enum status const status =
        builder.peek != NULL ? list_collect(&builder, rules, &named) : source_list_no_memory(builder.fault);
    source_paths_free(&named);
    free(builder.candidates);
    source_peek_destroy(builder.peek);
    if (status != STATUS_OK) source_list_free(list);
    return status;
}

void source_list_free(struct source_list *list)
{
    arena_free(&list->arena);
    list->items = NULL;
    list->count = 0;
}

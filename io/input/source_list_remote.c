/* source_list_remote.c - the objects that a remote's path stands for, looked at like files. Thread: the one
 * that builds the list. Owns nothing after it returns but what lies in the list's arena. */
#include "io/input/source_list_inside.h"

#include "io/input/source_manifest.h"

#include <stdlib.h>
#include <string.h>

/* One of the objects that were found, as the peek's port. */
struct look_at {
    const struct source_remote *remote;
    const struct source_found *found;
    size_t i;
};

static enum status read_object(void *context, uint64_t offset, uint8_t *into, size_t length, size_t *got,
                               struct fault *fault)
{
    const struct look_at *const at = context;
    const struct source_object *const object = &at->found->items[at->i];
    if (offset == 0) return at->remote->head(at->remote->self, at->found, at->i, into, length, got, fault);
    uint64_t const left = offset < object->size ? object->size - offset : 0;
    *got = left < length ? (size_t)left : length;
    return *got == 0 ? STATUS_OK : at->remote->read(at->remote->self, object, offset, into, *got, fault);
}

static int order_by_path(const void *path, const void *object)
{
    return strcmp(path, ((const struct source_object *)object)->path);
}

static const struct source_object *look_up(const struct source_found *found, const char *path)
{
    if (found->count == 0) return NULL;
    return bsearch(path, found->items, found->count, sizeof *found->items, order_by_path);
}

static bool is_there(void *context, const char *path, uint64_t *size)
{
    const struct source_object *const object = look_up(context, path);
    if (object != NULL) *size = object->size;
    return object != NULL;
}

static enum status take_objects(struct source_builder *builder, const struct source_found *found,
                                bool may_be_manifest);

/* ---- manifests ---- */

/* Takes the objects of `folder` that a manifest names. */
static enum status take_named(struct source_builder *builder, const struct source_paths *paths,
                              const struct source_found *folder)
{
    struct source_found named = {.items = malloc((paths->count + 1) * sizeof *named.items)};
    if (named.items == NULL) return source_list_no_memory(builder->fault);
    for (size_t i = 0; i < paths->count; i++)
        named.items[named.count++] = *look_up(folder, paths->items[i]);
    enum status const status = take_objects(builder, &named, false);
    free(named.items);
    return status;
}

static enum status read_manifest(struct source_builder *builder, const struct source_object *object,
                                 const char *text, bool *taken)
{
    const struct source_remote *const remote = builder->remote;
    struct arena *const arena = &builder->list->arena;
    struct source_found folder = {.items = NULL};
    struct source_paths paths = {0};
    struct source_manifest_port const port = {.context = &folder, .is_there = is_there};
    size_t const length = (size_t)(strrchr(object->path, '/') + 1 - object->path);
    const char *const name = arena_text(arena, object->path, length);
    if (name == NULL) return source_list_no_memory(builder->fault);
    enum status status = remote->find(remote->self, name, true, arena, &folder, builder->fault);
    if (status == STATUS_OK)
        status = source_manifest_read(&port, object->path, text, (size_t)object->size, taken, &paths, arena,
                                      builder->fault);
    if (status == STATUS_OK && *taken) status = take_named(builder, &paths, &folder);
    source_paths_free(&paths);
    free(folder.items);
    return status;
}

/* Is it a manifest? Then its objects are taken in its place. */
static enum status try_manifest(struct source_builder *builder, const struct source_object *object,
                                bool *taken)
{
    const struct source_remote *const remote = builder->remote;
    char *const text = malloc((size_t)object->size + 1); /* of SOURCE_MANIFEST_BYTES_MAX at most */
    if (text == NULL) return source_list_no_memory(builder->fault);
    enum status status =
        remote->read(remote->self, object, 0, (uint8_t *)text, (size_t)object->size, builder->fault);
    if (status == STATUS_OK) status = read_manifest(builder, object, text, taken);
    free(text);
    return status;
}

/* ---- objects ---- */

static enum status keep(struct source_builder *builder, const struct source_object *object,
                        struct source_item *item)
{
    struct source_object *const copy = arena_array(&builder->list->arena, 1, sizeof *copy);
    if (copy == NULL) return source_list_no_memory(builder->fault);
    *copy = *object;
    item->object = copy;
    struct source_candidate const candidate = {.item = *item, .real = object->path};
    return source_list_add(builder, &candidate);
}

static enum status take_object(struct source_builder *builder, const struct source_found *found, size_t i,
                               bool may_be_manifest)
{
    const struct source_object *const object = &found->items[i];
    struct look_at at = {.remote = builder->remote, .found = found, .i = i};
    struct source_peek_port const port = {
        .context = &at, .path = object->path, .size = object->size, .read = read_object};
    struct source_item item = {.path = object->path, .stamp.size = object->size};
    struct source_look look;
    bool taken = false;
    enum status status = source_peek_look(builder->peek, &port, &look, builder->fault);
    if (status != STATUS_OK) return status;
    if (may_be_manifest) status = source_list_manifest(builder, &look, &item, &may_be_manifest);
    if (status == STATUS_OK && may_be_manifest) status = try_manifest(builder, object, &taken);
    if (status != STATUS_OK || taken) return status;
    status = source_list_judge(builder, &port, &look, &item);
    return status == STATUS_OK ? keep(builder, object, &item) : status;
}

/* Recursion: the objects that a manifest names can't be manifests. */
static enum status take_objects(struct source_builder *builder, const struct source_found *found,
                                bool may_be_manifest)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < found->count && status == STATUS_OK; i++)
        status = take_object(builder, found, i, may_be_manifest);
    return status;
}

enum status source_list_take_remote(struct source_builder *builder, const char *path)
{
    const struct source_remote *const remote = builder->remote;
    struct source_found found = {.items = NULL};
    enum status status =
        remote->find(remote->self, path, false, &builder->list->arena, &found, builder->fault);
    if (status == STATUS_OK) status = take_objects(builder, &found, true);
    free(found.items);
    return status;
}

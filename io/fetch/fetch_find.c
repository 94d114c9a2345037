/* fetch_find.c - the objects that an S3 URL stands for.
 *
 *   s3://bucket/folder/   all below it; s3://bucket/ all there are
 *   s3://bucket/key       that object, else all below key/
 *   s3://bucket/a/b*.gz   what the glob matches, by part of the key, as glob(3) does with paths; a folder
 * that it matches stands for all below it
 *
 * Left out are the names that directories leave out (source_walk.h), and folder markers: keys that end in a
 * slash. Keys are what is listed below the longest prefix that has to be theirs, sorted here: not every store
 * lists in byte order.
 *
 * Thread: main. Owns nothing: objects go to the caller's array, their texts to its arena. */
#include "io/fetch/fetch_inside.h"

#include "io/input/source_walk.h"
#include "io/s3/s3_objects.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEFT_OUT "(names that begin with a dot or _, and .crc files, are left out)"

struct search {
    const struct fetch_bucket *bucket;
    const char *folder;  /* what keys begin with; its length is left out when names are judged */
    const char *pattern; /* NULL: all below `folder` */
    size_t parts;        /* of the pattern, between slashes */
    bool only_folders;   /* the pattern ends in a slash */
    bool everything;
    struct arena *arena;
    struct source_found *found;
};

/* ---- names ---- */

/* Behind so many parts of the key: at the slash there, or its end. NULL: it has fewer. */
static const char *behind_parts(const char *key, size_t parts)
{
    for (;; key++) {
        key += strcspn(key, "/");
        if (--parts == 0) return key;
        if (*key == '\0') return NULL;
    }
}

static bool has_part_left_out(const char *rest)
{
    char name[S3_KEY_MAX + 1];
    while (*rest != '\0') {
        size_t const length = strcspn(rest, "/");
        memcpy(name, rest, length);
        name[length] = '\0';
        if (source_walk_leaves_out(name)) return true;
        rest += length + (rest[length] == '/');
    }
    return false;
}

static const char *last_part(const char *path)
{
    const char *const slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* As many of the key's parts as the pattern has match it, and what lies below them is not left out. */
static bool matches(const struct search *search, const char *key)
{
    char front[S3_KEY_MAX + 1];
    const char *const end = behind_parts(key, search->parts);
    if (end == NULL || (search->only_folders && *end == '\0')) return false;
    memcpy(front, key, (size_t)(end - key));
    front[end - key] = '\0';
    if (fnmatch(search->pattern, front, FNM_PATHNAME | FNM_PERIOD) != 0) return false;
    bool const is_wild = strchr("*?[", last_part(search->pattern)[0]) != NULL;
    if (is_wild && source_walk_leaves_out(last_part(front))) return false;
    return !has_part_left_out(end + (*end == '/'));
}

static bool is_wanted(const struct search *search, const char *key)
{
    size_t const length = strlen(key);
    if (length == 0 || length > S3_KEY_MAX || key[length - 1] == '/') return false;
    if (strncmp(key, search->folder, strlen(search->folder)) != 0) return false;
    if (search->everything) return true;
    return search->pattern != NULL ? matches(search, key) : !has_part_left_out(key + strlen(search->folder));
}

/* ---- objects ---- */

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "there is no memory for the list of sources: name fewer objects");
}

static struct source_object *next_item(struct source_found *found)
{
    if (found->count == found->room) {
        size_t const room = found->room == 0 ? 64 : 2 * found->room;
        struct source_object *const more = realloc(found->items, room * sizeof *more);
        if (more == NULL) return NULL;
        found->items = more;
        found->room = room;
    }
    return &found->items[found->count];
}

/* Without its quotes If-Match is no ETag. */
static const char *copy_etag(struct arena *arena, const char *etag)
{
    char quoted[S3_ETAG_MAX + 3];
    if (strchr(etag, '"') != NULL) return arena_text(arena, etag, strlen(etag));
    int const length = snprintf(quoted, sizeof quoted, "\"%s\"", etag);
    return arena_text(arena, quoted, (size_t)length);
}

static enum status add(const struct search *search, const struct s3_listed_object *listed,
                       struct fault *fault)
{
    char path[sizeof "s3:///" + S3_BUCKET_MAX + S3_KEY_MAX];
    if (search->found->count == SOURCE_FILES_MAX)
        return fault_set(fault, STATUS_INPUT,
                         "s3://%.256s/%.512s: is object number %u; a run takes %u: name a smaller prefix",
                         search->bucket->name, listed->key, SOURCE_FILES_MAX + 1, SOURCE_FILES_MAX);
    struct source_object *const item = next_item(search->found);
    int const length = snprintf(path, sizeof path, "s3://%s/%s", search->bucket->name, listed->key);
    if (item == NULL || length < 0 || (size_t)length >= sizeof path) return no_memory(fault);
    *item = (struct source_object){.path = arena_text(search->arena, path, (size_t)length),
                                   .size = listed->size,
                                   .place = (void *)(uintptr_t)search->bucket};
    if (listed->etag != NULL) item->etag = copy_etag(search->arena, listed->etag);
    if (item->path == NULL || (listed->etag != NULL && item->etag == NULL)) return no_memory(fault);
    search->found->count++;
    return STATUS_OK;
}

static enum status on_object(void *context, const struct s3_listed_object *object, struct fault *fault)
{
    const struct search *const search = context;
    return is_wanted(search, object->key) ? add(search, object, fault) : STATUS_OK;
}

static int order_by_path(const void *a, const void *b)
{
    const struct source_object *const one = a, *const other = b;
    return strcmp(one->path, other->path); /* as unsigned char: byte order */
}

static enum status list(struct search *search, const char *prefix, struct fault *fault)
{
    struct s3_objects_request const request = {
        .pump = search->bucket->pump, .bucket = search->bucket->name, .prefix = prefix};
    enum status const status = s3_objects_list(&request, on_object, search, fault);
    if (status == STATUS_OK && search->found->count > 0)
        qsort(search->found->items, search->found->count, sizeof *search->found->items, order_by_path);
    return status;
}

/* ---- URLs ---- */

static enum status take_folder(struct search *search, const char *folder, const char *path,
                               struct fault *fault)
{
    search->folder = folder;
    enum status const status = list(search, folder, fault);
    if (status != STATUS_OK || search->found->count > 0 || search->everything) return status;
    return fault_set(fault, STATUS_NO_SOURCE, "%s: holds no data files " LEFT_OUT, path);
}

/* The slash at its end says that folders are meant. */
static enum status take_glob(struct search *search, char *pattern, const char *path, struct fault *fault)
{
    char prefix[S3_KEY_MAX + 1];
    size_t length = strlen(pattern);
    while (length > 0 && pattern[length - 1] == '/')
        pattern[--length] = '\0';
    search->only_folders = path[strlen(path) - 1] == '/';
    search->pattern = pattern;
    search->parts = 1;
    for (const char *at = pattern; *at != '\0'; at++)
        search->parts += *at == '/';
    length = strcspn(pattern, "*?[\\");
    memcpy(prefix, pattern, length);
    prefix[length] = '\0';
    search->folder = prefix;
    enum status const status = list(search, prefix, fault);
    if (status != STATUS_OK || search->found->count > 0) return status;
    return fault_set(fault, STATUS_NO_SOURCE, "%s: no object has such a name " LEFT_OUT, path);
}

/* An object, or else the folder of that name. */
static enum status take_key(struct search *search, char key[S3_KEY_MAX + 2], const char *path,
                            struct fault *fault)
{
    struct s3_object const object = {
        .pump = search->bucket->pump, .bucket = search->bucket->name, .key = key};
    struct s3_object_facts facts = {.size = 0};
    struct fault missing;
    enum status status = s3_object_look(&object, &facts, &missing);
    if (status == STATUS_OK) {
        struct s3_listed_object const listed = {
            .key = key, .size = facts.size, .etag = facts.etag[0] != '\0' ? facts.etag : NULL};
        return add(search, &listed, fault);
    }
    if (!facts.missing) return fault_set(fault, status, "%s", missing.message);
    if (strpbrk(key, "*?[") != NULL) return take_glob(search, key, path, fault);
    memcpy(key + strlen(key), "/", 2);
    search->folder = key;
    status = list(search, key, fault);
    if (status != STATUS_OK || search->found->count > 0) return status;
    return fault_set(fault, STATUS_NO_SOURCE, "%s", missing.message);
}

static const struct fetch_bucket *bucket_named(const struct fetch *fetch, const char *name)
{
    for (size_t i = 0; i < fetch->options.bucket_count; i++)
        if (strcmp(fetch->options.buckets[i].name, name) == 0) return &fetch->options.buckets[i];
    return NULL;
}

enum status fetch_find(void *self, const char *path, bool everything, struct arena *arena,
                       struct source_found *found, struct fault *fault)
{
    struct s3_url url;
    char key[S3_KEY_MAX + 2]; /* with room for a slash */
    enum status const status = s3_url_parse(path, &url, fault);
    if (status != STATUS_OK) return status;
    struct search search = {
        .bucket = bucket_named(self, url.bucket), .everything = everything, .arena = arena, .found = found};
    if (search.bucket == NULL)
        return fault_set(fault, STATUS_INTERNAL, "%s: its bucket was not opened", path);
    size_t const length = strlen(url.key);
    memcpy(key, url.key, length + 1);
    bool const is_folder = length == 0 || key[length - 1] == '/';
    if (is_folder && !everything && strpbrk(key, "*?[") != NULL) return take_glob(&search, key, path, fault);
    return is_folder ? take_folder(&search, key, path, fault) : take_key(&search, key, path, fault);
}

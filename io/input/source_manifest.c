/* source_manifest.c - by jansson. Its allocator is the one that io/aws/aws_json.c set before main().
 * Reentrant. Owns the tree while it reads. */
#include "io/input/source_manifest.h"

#include "core/record/json_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char key[] = "exportResults";

/* ---- by the first bytes ---- */

/* Behind a byte order mark. */
static size_t pass_mark(const uint8_t *text, size_t length)
{
    return length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* Does a value at `at` stand for exportResults: an array, or one that is cut off? */
static bool is_results(const uint8_t *at, const uint8_t *end)
{
    at = json_pass_blanks(at, end);
    if (at == end) return true;
    if (*at != ':') return false;
    at = json_pass_blanks(at + 1, end);
    return at == end || *at == '[';
}

/* An object that has exportResults, and no container before it. */
static bool begins_as_manifest(const uint8_t *head, size_t length)
{
    const uint8_t *const end = head + length;
    const uint8_t *at = json_pass_blanks(head + pass_mark(head, length), end);
    if (at == end || *at != '{') return false;
    for (at++; at < end && *at != '{' && *at != '[' && *at != '}'; at++) {
        if (*at != '"') continue;
        const uint8_t *const text = ++at;
        while (at < end && *at != '"')
            at += *at == '\\' && at + 1 < end ? 2 : 1;
        if (at >= end) return false;
        if ((size_t)(at - text) == sizeof key - 1 && memcmp(text, key, sizeof key - 1) == 0 &&
            is_results(at + 1, end))
            return true;
    }
    return false;
}

const char *source_manifest_judge(const uint8_t *head, size_t length, enum unpack_form form, uint64_t size,
                                  bool *may_be)
{
    bool const begins = begins_as_manifest(head, length), plain = form == UNPACK_PLAIN;
    *may_be = plain && size <= SOURCE_MANIFEST_BYTES_MAX && memmem(head, length, key, sizeof key - 1) != NULL;
    if (!begins || *may_be) return NULL;
    return plain ? "is a manifest of more than 16 MiB, which is not supported: name the files' folder instead"
                 : "is a compressed manifest, which is not supported: decompress it first (gzip -d, zstd -d)";
}

/* ---- all of it ---- */

struct manifest {
    const struct source_manifest_port *port;
    const char *path;
    size_t folder; /* bytes of `path` up to behind its last slash */
    struct source_paths *paths;
    struct arena *arena;
    struct fault *fault;
};

/* One of exportResults. */
struct entry {
    size_t number; /* from 1 */
    const char *name, *folder;
    uint64_t size;
};

static enum status say_wrong(const struct manifest *manifest, size_t number, const char *what)
{
    return fault_set(manifest->fault, STATUS_INPUT,
                     "%s: exportResults, entry %zu: %s: get the manifest again", manifest->path, number,
                     what);
}

/* Does a part of the path lead up? */
static bool leads_up(const char *path)
{
    while (*path != '\0') {
        size_t const part = strcspn(path, "/");
        if (part == 2 && memcmp(path, "..", 2) == 0) return true;
        path += part + (path[part] == '/');
    }
    return false;
}

static enum status read_entry(const struct manifest *manifest, const json_t *value, struct entry *entry)
{
    const json_t *const name = json_object_get(value, "name"),
                        *const folder = json_object_get(value, "sinkPath"),
                        *const size = json_object_get(value, "size");
    if (!json_is_string(name) || json_string_length(name) == 0)
        return say_wrong(manifest, entry->number, "has no name");
    if (folder != NULL && !json_is_null(folder) && !json_is_string(folder))
        return say_wrong(manifest, entry->number, "its sinkPath is no text");
    if (!json_is_integer(size) || json_integer_value(size) < 0)
        return say_wrong(manifest, entry->number, "has no size in bytes");
    entry->name = json_string_value(name);
    entry->folder = json_is_string(folder) ? json_string_value(folder) : "";
    entry->size = (uint64_t)json_integer_value(size);
    if (leads_up(entry->name) || leads_up(entry->folder))
        return say_wrong(manifest, entry->number, "leads out of the manifest's folder");
    return STATUS_OK;
}

/* Is the file there, with `part` of sinkPath before its name? *size: bytes. NULL: no memory. */
static char *try_place(const struct manifest *manifest, const struct entry *entry, const char *part,
                       bool *there, uint64_t *size)
{
    size_t const length = manifest->folder + strlen(part) + strlen(entry->name) + 3;
    char *const place = malloc(length);
    if (place == NULL) return NULL;
    size_t part_length = strlen(part);
    while (part_length > 0 && part[part_length - 1] == '/')
        part_length--;
    snprintf(place, length, "%.*s%.*s%s%s", (int)manifest->folder, manifest->path, (int)part_length, part,
             part_length > 0 ? "/" : "", entry->name);
    *there = manifest->port->is_there(manifest->port->context, place, size);
    return place;
}

/* Behind the first part of a path. */
static const char *next_part(const char *path)
{
    path += strspn(path, "/");
    path += strcspn(path, "/");
    return path + strspn(path, "/");
}

/* The longest end of sinkPath that leads to the file comes first; the last try is without any. */
static enum status take_entry(const struct manifest *manifest, const struct entry *entry)
{
    const char *part = entry->folder + strspn(entry->folder, "/");
    for (;; part = next_part(part)) {
        bool there = false;
        uint64_t size = 0;
        char *const place = try_place(manifest, entry, part, &there, &size);
        enum status status = STATUS_OK;
        if (place == NULL)
            status = fault_set(manifest->fault, STATUS_IO, "%s: no memory to read it", manifest->path);
        else if (!there && part[0] == '\0')
            status =
                fault_set(manifest->fault, STATUS_NO_SOURCE,
                          "%s: is not there, but the manifest %s names it: the export is not whole; get the "
                          "missing file",
                          place, manifest->path);
        else if (there && size != entry->size)
            status = fault_set(manifest->fault, STATUS_NO_SOURCE,
                               "%s: has %llu bytes, but the manifest %s says %llu: get the file again", place,
                               (unsigned long long)size, manifest->path, (unsigned long long)entry->size);
        else if (there)
            status =
                source_paths_add(manifest->paths, manifest->arena, place, strlen(place), manifest->fault);
        free(place);
        if (there || status != STATUS_OK) return status;
    }
}

static enum status take_entries(const struct manifest *manifest, const json_t *results)
{
    size_t const count = json_array_size(results);
    if (count == 0)
        return fault_set(manifest->fault, STATUS_NO_SOURCE,
                         "%s: is a manifest that names no file: nothing was exported", manifest->path);
    for (size_t i = 0; i < count; i++) {
        struct entry entry = {.number = i + 1};
        enum status status = read_entry(manifest, json_array_get(results, i), &entry);
        if (status == STATUS_OK) status = take_entry(manifest, &entry);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* A text that is no JSON, and begins as a manifest: one, or records that look like it. */
static enum status judge_damaged(const struct manifest *manifest, const char *text, size_t length)
{
    json_error_t error;
    json_t *const first = json_loadb(text, length, JSON_DISABLE_EOF_CHECK, &error);
    bool const is_whole = first != NULL; /* and something behind it */
    json_decref(first);
    return is_whole ? STATUS_OK
                    : fault_set(manifest->fault, STATUS_INPUT,
                                "%s: begins as a manifest, but is cut off or damaged (line %d): get it again",
                                manifest->path, error.line);
}

enum status source_manifest_read(const struct source_manifest_port *port, const char *path, const char *text,
                                 size_t length, bool *is_manifest, struct source_paths *paths,
                                 struct arena *arena, struct fault *fault)
{
    const char *const slash = strrchr(path, '/');
    struct manifest const manifest = {.port = port,
                                      .path = path,
                                      .folder = slash == NULL ? 0 : (size_t)(slash - path) + 1,
                                      .paths = paths,
                                      .arena = arena,
                                      .fault = fault};
    json_error_t error;
    size_t const from = pass_mark((const uint8_t *)text, length);
    json_t *const root = json_loadb(text + from, length - from, 0, &error);
    const json_t *const results = json_object_get(root, key);
    *is_manifest = json_is_array(results);
    enum status status = *is_manifest ? take_entries(&manifest, results) : STATUS_OK;
    if (root == NULL && begins_as_manifest((const uint8_t *)text, length))
        status = judge_damaged(&manifest, text + from, length - from);
    json_decref(root);
    return status;
}

/* pega_delivery.c - see the header. Thread: the assembler's. Owns the delivery's objects. */
#include "io/pega/pega_delivery.h"

#include "io/output/output_name.h"

#include <stdlib.h>
#include <string.h>

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "no memory left for the manifests and tokens");
}

void pega_delivery_free(struct pega_delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++) {
        free(delivery->objects[i].name);
        free(delivery->objects[i].text.bytes);
    }
    free(delivery->objects);
    *delivery = (struct pega_delivery){0};
}

/* ---- names ---- */

/* Adds a file of that name and begins it. */
static enum status begin_object(struct pega_delivery *delivery, const char *name, bool is_token,
                                struct sink *sink, uint32_t file, struct fault *fault)
{
    if (delivery->count == delivery->room) {
        size_t const room = delivery->room == 0 ? 4 : 2 * delivery->room;
        struct pega_object *const objects = reallocarray(delivery->objects, room, sizeof *objects);
        if (objects == NULL) return no_memory(fault);
        delivery->objects = objects;
        delivery->room = room;
    }
    struct pega_object *const object = &delivery->objects[delivery->count++];
    *object = (struct pega_object){.name = strdup(name), .is_token = is_token, .file = file};
    if (object->name == NULL) return no_memory(fault);
    return sink->begin(sink, file, object->name, is_token ? SINK_TOKEN : SINK_MANIFEST, fault);
}

static enum status begin_token(struct pega_delivery *delivery, const struct pega_rules *rules, const char *of,
                               struct sink *sink, uint32_t file, struct fault *fault)
{
    char name[OUTPUT_NAME_SIZE];
    enum status const status = output_name_token(of, rules->token_suffix, rules->token_replaces_extension,
                                                 rules->run_id, name, fault);
    if (status != STATUS_OK) return status;
    return begin_object(delivery, name, true, sink, file, fault);
}

enum status pega_delivery_begin(struct pega_delivery *delivery, const struct pega_rules *rules,
                                const struct pega_set *sets, size_t count, struct sink *sink,
                                struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = begin_object(delivery, sets[i].manifest, false, sink, (uint32_t)i, fault);
    if (rules->tokens != PEGA_TOKENS_PER_MANIFEST) return status;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = begin_token(delivery, rules, sets[i].manifest, sink, (uint32_t)(count + i), fault);
    return status;
}

static enum status begin_file_tokens(struct pega_delivery *delivery, const struct pega_rules *rules,
                                     const struct pega_set *set, struct sink *sink, uint32_t *file,
                                     struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < set->count && status == STATUS_OK; i++)
        status = begin_token(delivery, rules, set->files[i].name, sink, (*file)++, fault);
    return status;
}

/* ---- texts ---- */

/* The name in the manifest: the prefix and the file's name without its folders. NULL: no memory. */
static char *name_in_manifest(const struct pega_set *set, const struct pega_file *file)
{
    const char *const slash = strrchr(file->name, '/');
    const char *const bare = slash == NULL ? file->name : slash + 1;
    size_t const size = strlen(set->path_prefix) + strlen(bare) + 1;
    char *const name = malloc(size);
    if (name == NULL) return NULL;
    strcpy(name, set->path_prefix);
    return strcat(name, bare);
}

static enum status write_text(const struct pega_set *set, struct pega_manifest_file *files,
                              struct pega_manifest_text *text, struct fault *fault)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct pega_file *const file = &set->files[i];
        char *const name = name_in_manifest(set, file);
        if (name == NULL) return no_memory(fault);
        files[i] = (struct pega_manifest_file){.name = name, .size = file->bytes, .records = file->records};
    }
    struct pega_manifest const manifest = {
        .process_type = set->process_type, .files = files, .count = set->count};
    return pega_manifest_write(&manifest, text, fault);
}

static enum status make_manifest(struct pega_object *object, const struct pega_set *set, struct fault *fault)
{
    struct pega_manifest_file *const files = calloc(set->count + 1, sizeof *files);
    if (files == NULL) return no_memory(fault);
    enum status const status = write_text(set, files, &object->text, fault);
    for (size_t i = 0; i < set->count; i++)
        free((char *)files[i].name); /* made by name_in_manifest() */
    free(files);
    return status;
}

static int compare_texts(const void *a, const void *b)
{
    const char *const *const first = a, *const *const second = b;
    return strcmp(*first, *second);
}

/* No two of the delivery's files have one name: the data files' included. */
static enum status check_names(const struct pega_delivery *delivery, const struct pega_set *sets,
                               size_t count, struct fault *fault)
{
    size_t total = delivery->count, used = 0;
    for (size_t i = 0; i < count; i++)
        total += sets[i].count;
    const char **const names = calloc(total + 1, sizeof *names);
    if (names == NULL) return no_memory(fault);
    for (size_t i = 0; i < delivery->count; i++)
        names[used++] = delivery->objects[i].name;
    for (size_t i = 0; i < count; i++)
        for (size_t f = 0; f < sets[i].count; f++)
            names[used++] = sets[i].files[f].name;
    qsort(names, used, sizeof *names, compare_texts);
    enum status status = STATUS_OK;
    for (size_t i = 1; i < used && status == STATUS_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            status = fault_set(fault, STATUS_JOB,
                               "pega: two files of this run would be called %s: change files.name, "
                               "pega.manifest or pega.token",
                               names[i]);
    free(names);
    return status;
}

/* ---- the sink ---- */

static enum status write_object(struct pega_object *object, enum checksum_kind checksum, struct sink *sink,
                                struct fault *fault)
{
    size_t const length = object->text.length;
    enum status status = STATUS_OK;
    object->checksum = checksum_update(checksum, 0, object->text.bytes, length);
    struct sink_piece const piece = {.bytes = (const uint8_t *)object->text.bytes,
                                     .length = length,
                                     .checksum = object->checksum,
                                     .has_checksum = checksum != CHECKSUM_NONE};
    if (length != 0) status = sink->write(sink, object->file, &piece, fault);
    if (status == STATUS_OK) status = sink->end(sink, object->file, 0, length, fault);
    return status;
}

enum status pega_delivery_write(struct pega_delivery *delivery, const struct pega_rules *rules,
                                const struct pega_set *sets, size_t count, struct sink *sink, uint32_t file,
                                struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = make_manifest(&delivery->objects[i], &sets[i], fault);
        if (status == STATUS_OK && rules->tokens == PEGA_TOKENS_PER_FILE)
            status = begin_file_tokens(delivery, rules, &sets[i], sink, &file, fault);
    }
    if (status == STATUS_OK) status = check_names(delivery, sets, count, fault);
    for (size_t i = 0; i < delivery->count && status == STATUS_OK; i++)
        status = write_object(&delivery->objects[i], rules->checksum, sink, fault);
    return status;
}

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

/* ---- what is to be written ---- */

/* Takes `text` over. */
static enum status add(struct pega_delivery *delivery, const char *name, bool is_token, uint64_t records,
                       struct pega_manifest_text text, struct fault *fault)
{
    if (delivery->count == delivery->room) {
        size_t const room = delivery->room == 0 ? 4 : 2 * delivery->room;
        struct pega_object *const objects = reallocarray(delivery->objects, room, sizeof *objects);
        if (objects == NULL) {
            free(text.bytes);
            return no_memory(fault);
        }
        delivery->objects = objects;
        delivery->room = room;
    }
    struct pega_object *const object = &delivery->objects[delivery->count++];
    *object =
        (struct pega_object){.name = strdup(name), .is_token = is_token, .records = records, .text = text};
    return object->name == NULL ? no_memory(fault) : STATUS_OK;
}

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

static enum status write_text(const struct pega_set *set, struct pega_manifest_file *files, uint64_t *records,
                              struct pega_manifest_text *text, struct fault *fault)
{
    *records = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct pega_file *const file = &set->files[i];
        char *const name = name_in_manifest(set, file);
        if (name == NULL) return no_memory(fault);
        files[i] = (struct pega_manifest_file){.name = name, .size = file->bytes, .records = file->records};
        *records += file->records;
    }
    struct pega_manifest const manifest = {
        .process_type = set->process_type, .files = files, .count = set->count};
    return pega_manifest_write(&manifest, text, fault);
}

static enum status add_manifest(struct pega_delivery *delivery, const struct pega_set *set,
                                struct fault *fault)
{
    struct pega_manifest_text text;
    uint64_t records;
    struct pega_manifest_file *const files = calloc(set->count + 1, sizeof *files);
    if (files == NULL) return no_memory(fault);
    enum status status = write_text(set, files, &records, &text, fault);
    for (size_t i = 0; i < set->count; i++)
        free((char *)files[i].name); /* made by name_in_manifest() */
    free(files);
    if (status == STATUS_OK) status = add(delivery, set->manifest, false, records, text, fault);
    return status;
}

static enum status add_token(struct pega_delivery *delivery, const struct pega_rules *rules, const char *of,
                             struct fault *fault)
{
    char name[OUTPUT_NAME_SIZE];
    enum status const status = output_name_token(of, rules->token_suffix, rules->token_replaces_extension,
                                                 rules->run_id, name, fault);
    if (status != STATUS_OK) return status;
    return add(delivery, name, true, 0, (struct pega_manifest_text){.bytes = NULL}, fault);
}

static enum status add_tokens(struct pega_delivery *delivery, const struct pega_rules *rules,
                              const struct pega_set *set, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (rules->tokens == PEGA_TOKENS_PER_MANIFEST) return add_token(delivery, rules, set->manifest, fault);
    for (size_t i = 0; i < set->count && rules->tokens == PEGA_TOKENS_PER_FILE && status == STATUS_OK; i++)
        status = add_token(delivery, rules, set->files[i].name, fault);
    return status;
}

static enum status plan(struct pega_delivery *delivery, const struct pega_rules *rules,
                        const struct pega_set *sets, size_t count, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add_manifest(delivery, &sets[i], fault);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add_tokens(delivery, rules, &sets[i], fault);
    return status;
}

/* ---- names ---- */

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
                                uint32_t file, struct fault *fault)
{
    size_t const length = object->text.length;
    object->checksum = checksum_update(checksum, 0, object->text.bytes, length);
    enum status status =
        sink->begin(sink, file, object->name, object->is_token ? SINK_TOKEN : SINK_MANIFEST, fault);
    struct sink_piece const piece = {.bytes = (const uint8_t *)object->text.bytes,
                                     .length = length,
                                     .checksum = object->checksum,
                                     .has_checksum = checksum != CHECKSUM_NONE};
    if (status == STATUS_OK && length != 0) status = sink->write(sink, file, &piece, fault);
    if (status == STATUS_OK) status = sink->end(sink, file, 0, length, fault);
    return status;
}

enum status pega_delivery_write(struct pega_delivery *delivery, const struct pega_rules *rules,
                                const struct pega_set *sets, size_t count, struct sink *sink, uint32_t file,
                                struct fault *fault)
{
    enum status status = plan(delivery, rules, sets, count, fault);
    if (status == STATUS_OK) status = check_names(delivery, sets, count, fault);
    for (size_t i = 0; i < delivery->count && status == STATUS_OK; i++)
        status = write_object(&delivery->objects[i], rules->checksum, sink, file + (uint32_t)i, fault);
    return status;
}

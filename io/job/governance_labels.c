/* governance_labels.c - the labels file, a YAML mapping of paths to lists of labels, and the labels of a
 * path.
 *
 * Thread rule: one thread a builder. Owns nothing. */
#include "io/job/governance.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- the file ---- */

static enum status read_label_list(struct job_builder *reader, const char *place,
                                   const struct job_node *value, uint32_t *labels)
{
    static const struct job_key key = {.choices = GOVERNANCE_LABELS};
    if (job_node_is_null(value))
        return job_refuse(reader, value->key->line, place, "has no list; write [] for no labels");
    enum status status = job_value_list(reader, place, value, LABEL_COUNT);
    size_t index = 0;
    for (const struct job_node *item = value->first; item != NULL && status == STATUS_OK;
         item = item->next, index++) {
        char here[JOB_PLACE_MAX];
        unsigned label = 0;
        snprintf(here, sizeof here, "%s[%zu]", place, index);
        status = job_value_choice(reader, &key, here, item, &label);
        *labels |= 1u << label;
    }
    return status;
}

static enum status read_entry(struct job_builder *reader, const struct job_node *value,
                              const struct governance_labels *before, struct governance_entry *entry)
{
    const struct job_node *name = value->key;
    struct job_shown const shown = job_show(name->text, name->length);
    const char *place = shown.text;
    entry->line = name->line;
    enum status const status = job_value_path(reader, place, name, &entry->path);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < entry->path.part_count; i++)
        if (entry->path.parts[i].kind == PATH_INDEX || entry->path.parts[i].kind == PATH_FILTER)
            return job_refuse(
                reader, entry->line, place,
                "holds an index or a filter; labels belong to fields, so only names and [*] can "
                "stand here");
    for (size_t i = 0; i < before->count; i++)
        if (path_equal(&before->entries[i].path, &entry->path))
            return job_refuse(reader, entry->line, place, "stands twice, first in line %u; once is allowed",
                              before->entries[i].line);
    return read_label_list(reader, place, value, &entry->labels);
}

enum status governance_labels_read(struct job_builder *builder, const char *file, struct job_text text,
                                   struct governance_labels *labels)
{
    /* messages name this file */
    struct job_builder reader = {
        .job = builder->job, .file = file, .refusal = builder->refusal, .fault = builder->fault};
    const struct job_node *root = NULL;
    enum status status =
        job_yaml_read(&builder->scratch, file, text.bytes, text.length, &root, builder->fault);
    if (status != STATUS_OK) return status;
    if (root->kind != JOB_NODE_MAP)
        return job_refuse(&reader, root->line, "the labels",
                          "are no mapping; write personalEmail.address: [ I1 ]");
    if (root->count > GOVERNANCE_PATHS_MAX)
        return job_refuse(&reader, root->line, "the labels", "name %zu paths; at most %d are allowed",
                          root->count, GOVERNANCE_PATHS_MAX);
    *labels = (struct governance_labels){.file = file};
    labels->entries = arena_array(&builder->scratch, root->count, sizeof *labels->entries);
    if (labels->entries == NULL) return job_no_memory(builder);
    for (const struct job_node *value = root->first; value != NULL && status == STATUS_OK;
         value = value->next) {
        status = read_entry(&reader, value, labels, &labels->entries[labels->count]);
        labels->count++;
    }
    return status;
}

/* ---- the labels of a path ---- */

/* A name as data may spell it: without the prefix of XDM's own spelling. */
static const char *bare_name(const struct path_part *part, size_t *length)
{
    static const char prefix[] = "xdm:";
    size_t const skipped =
        part->name_length > strlen(prefix) && memcmp(part->name, prefix, strlen(prefix)) == 0 ? strlen(prefix)
                                                                                              : 0;
    *length = part->name_length - skipped;
    return part->name + skipped;
}

static bool is_identity_map(const struct path_part *part)
{
    size_t length = 0;
    const char *name = part->kind == PATH_NAME ? bare_name(part, &length) : "";
    return length == strlen("identityMap") && memcmp(name, "identityMap", length) == 0;
}

/* Is part `i` of one path the same name as part `k` of the other? */
static bool same_name(const struct path *one, size_t i, const struct path *other, size_t k)
{
    size_t length = 0, other_length = 0;
    const char *name = bare_name(&one->parts[i], &length);
    const char *other_name = bare_name(&other->parts[k], &other_length);
    if (length != other_length) return false;
    if (memcmp(name, other_name, length) == 0) return true;
    return i > 0 && is_identity_map(&one->parts[i - 1]) && strncasecmp(name, other_name, length) == 0;
}

enum relation { APART, COVERS, TOUCHES };

/* Which prefixes of the entry go with the parts of the path so far: by how many parts, the last of them
 * matched
 * (`at`), or a [*] that stands for nothing (`past`): schemas leave arrays out. A [*] of the path never
 * follows such a one, it is the same. One bit more than parts: the empty prefix. */
struct reach {
    bool at[PATH_PARTS_MAX + 1];
    bool past[PATH_PARTS_MAX + 1];
};

static bool reached(const struct reach *reach, size_t parts)
{
    return reach->at[parts] || reach->past[parts];
}

static void pass_wildcards(struct reach *reach, const struct path *entry)
{
    for (size_t k = 0; k < entry->part_count; k++)
        if (reached(reach, k) && entry->parts[k].kind == PATH_WILDCARD) reach->past[k + 1] = true;
}

/* One part of the path further. `loose`: its [*] and filters may stand for a name, too. */
static struct reach reach_part(const struct reach *before, const struct path *entry, const struct path *path,
                               size_t i, bool loose)
{
    struct reach after = {0};
    enum path_part_kind const kind = path->parts[i].kind;
    bool const name = kind == PATH_NAME;
    for (size_t k = 0; k <= entry->part_count; k++) {
        if (!(name ? reached(before, k) : before->at[k])) continue;
        bool const wild = k < entry->part_count && entry->parts[k].kind == PATH_WILDCARD;
        if (!name && !wild)
            after.at[k] = true; /* an array that the entry leaves out: the field is the same */
        if (k == entry->part_count) continue;
        if (wild || (name ? same_name(path, i, entry, k) : loose && kind != PATH_INDEX))
            after.at[k + 1] = true;
    }
    pass_wildcards(&after, entry);
    return after;
}

static enum relation relate(const struct path *entry, const struct path *path, bool loose)
{
    struct reach reach = {.at[0] = true};
    pass_wildcards(&reach, entry);
    for (size_t i = 0; i < path->part_count && !reached(&reach, entry->part_count); i++)
        reach = reach_part(&reach, entry, path, i, loose);
    if (reached(&reach, entry->part_count)) return COVERS;
    for (size_t k = 0; k < entry->part_count; k++)
        if (reached(&reach, k)) return TOUCHES; /* the entry goes on below the path's value */
    return APART;
}

/* How near an entry that covers a path is: a name says more than [*]. */
static size_t nearness(const struct path *entry)
{
    size_t near = 0;
    for (size_t k = 0; k < entry->part_count; k++)
        near += entry->parts[k].kind == PATH_NAME ? 2 : 1;
    return near;
}

static void add(struct governance_found *found, const struct governance_entry *entry)
{
    for (unsigned label = 0; label < LABEL_COUNT; label++)
        if ((entry->labels & ~found->labels) >> label & 1) found->line[label] = entry->line;
    found->labels |= entry->labels;
}

void governance_labels_find(const struct governance_labels *labels, const struct path *path,
                            struct governance_found *found)
{
    size_t nearest = 0;
    for (size_t i = 0; i < labels->count; i++) {
        const struct path *entry = &labels->entries[i].path;
        if (relate(entry, path, false) == COVERS) {
            size_t const near = nearness(entry);
            nearest = near > nearest ? near : nearest;
        } else if (relate(entry, path, true) != APART) {
            add(found, &labels->entries[i]);
        }
    }
    for (size_t i = 0; i < labels->count; i++)
        if (nearness(&labels->entries[i].path) == nearest &&
            relate(&labels->entries[i].path, path, false) == COVERS)
            add(found, &labels->entries[i]);
}

/* job_keys.c - the one table of all keys of a job file (contract: "Job file"), and the walk over a file with
 * it.
 *
 * Keys of the contract that this version can't act upon stand here too (JOB_KEY_LATER): they are refused by
 * name, and accepted only where their value is the default anyway. Nothing in a job file is ever ignored.
 * Thread rule: one thread a builder. Owns nothing. */
#include "io/job/governance.h"

#include <stdio.h>
#include <string.h>

/* Choices are stored through memcpy of an unsigned: what GCC and Clang make of enums without negative values.
 */
_Static_assert(sizeof(enum csv_quote) == sizeof(unsigned) && sizeof(enum column_type) == sizeof(unsigned) &&
                   sizeof(enum job_if_exists) == sizeof(unsigned) &&
                   sizeof(enum identity_multiple) == sizeof(unsigned) &&
                   sizeof(enum consent_missing) == sizeof(unsigned) &&
                   sizeof(enum job_compression) == sizeof(unsigned) &&
                   sizeof(enum job_token) == sizeof(unsigned),
               "job_choose() stores enums as unsigned");

#define AT(field)        .at = offsetof(struct job, field)
#define COLUMN_AT(field) .at = offsetof(struct job_column, field)
#define RULE_AT(field)   .at = offsetof(struct consent_rule, field)
#define LATER            .kind = JOB_KEY_LATER
#define SECTION          .kind = JOB_KEY_SECTION
#define READ(function)   .kind = JOB_KEY_READ, .read = (function)

/* clang-format off */
static const struct job_key job_keys[] = {
    {"name", READ(job_read_name), AT(name)},
    {"description", .kind = JOB_KEY_TEXT, AT(description), .most = SIZE_MAX},
    {"account_id", READ(job_read_account), AT(destination.account_id)},
    {"mode", LATER, .accepted = "full", .choices = "full, incremental"},
    {"incremental", SECTION},
    {"incremental.state", LATER},
    {"incremental.deletes", LATER, .accepted = "purge", .choices = "purge, none"},

    {"source", SECTION},
    {"source.paths", READ(job_read_sources)},
    {"source.format", READ(job_read_format), AT(format), .choices = "auto, ndjson, array, concatenated, entities"},
    {"source.on_corrupt", .kind = JOB_KEY_SWITCH, AT(forgives_damage), .choices = "fail, skip_rest"},
    {"source.max_record", READ(job_read_record_size), AT(max_record)},
    {"source.max_depth", READ(job_read_depth), AT(max_depth)},

    {"destination", SECTION},
    {"destination.url", READ(job_read_url), AT(destination.url)},
    {"destination.region", READ(job_read_region), AT(destination.region)},
    {"destination.endpoint", READ(job_read_endpoint), AT(destination.endpoint)},
    {"destination.addressing", .kind = JOB_KEY_CHOICE, AT(destination.addressing), .choices = "auto, virtual, path"},
    {"destination.if_exists", .kind = JOB_KEY_CHOICE, AT(destination.if_exists), .choices = "fail, replace"},
    {"destination.sse", READ(job_read_sse), AT(destination.sse), .choices = "none, AES256, aws:kms, aws:kms:dsse"},
    {"destination.kms_key_id", .kind = JOB_KEY_TEXT, AT(destination.kms_key_id), .most = JOB_KMS_KEY_MAX},
    {"destination.storage_class", READ(job_read_storage_class), AT(destination.storage_class)},
    {"destination.acl", READ(job_read_acl), AT(destination.acl),
     .choices = "private, public-read, public-read-write, authenticated-read, aws-exec-read, bucket-owner-read, "
                "bucket-owner-full-control"},
    {"destination.tags", READ(job_read_tags)},
    {"destination.checksum", .kind = JOB_KEY_CHOICE, AT(destination.checksum),
     .choices = "none, crc64nvme, crc32c, crc32"},

    {"files", SECTION},
    {"files.name", .kind = JOB_KEY_TEXT, AT(file_name), .most = JOB_NAME_TEXT_MAX},
    {"files.purge_name", .kind = JOB_KEY_TEXT, AT(purge_name), .most = JOB_NAME_TEXT_MAX},
    {"files.compression", .kind = JOB_KEY_CHOICE, AT(compression), .choices = "none, gzip, zstd"},
    {"files.count", READ(job_read_file_count), AT(file_count)},
    {"files.empty", .kind = JOB_KEY_SWITCH, AT(empty_header), .choices = "none, header"},
    {"files.max_rows", READ(job_read_max_rows), AT(max_rows), .reads_null = true},
    {"files.max_bytes", READ(job_read_max_bytes), AT(max_bytes)},

    {"csv", SECTION},
    {"csv.dialect", READ(job_read_dialect), .choices = "rfc4180, pega"},
    {"csv.delimiter", READ(job_read_delimiter), AT(mapping.csv.delimiter)},
    {"csv.quote", .kind = JOB_KEY_CHOICE, AT(mapping.csv.quote), .choices = "necessary, all"},
    {"csv.header", .kind = JOB_KEY_CHOICE, AT(mapping.csv.header), .choices = "every, first, none"},
    {"csv.line_end", .kind = JOB_KEY_CHOICE, AT(mapping.csv.line_end), .choices = "lf, crlf"},
    {"csv.null", READ(job_read_null_text), AT(mapping.csv.null_text), .most = MAPPING_TEXT_MAX, .reads_null = true},
    {"csv.newline_in_value", .kind = JOB_KEY_SWITCH, AT(mapping.csv.newline_to_space), .choices = "keep, space"},
    {"csv.null_character", .kind = JOB_KEY_SWITCH, AT(mapping.csv.null_character_drop), .choices = "reject, drop"},
    {"csv.list_separator", .kind = JOB_KEY_TEXT, AT(mapping.csv.list_separator), .most = MAPPING_TEXT_MAX},
    {"csv.formula_escape", .kind = JOB_KEY_BOOL, AT(mapping.csv.formula_escape)},

    {"identity", SECTION},
    {"identity.column", READ(job_read_header), AT(mapping.identity.column)},
    {"identity.paths", READ(job_read_identity_paths)},
    {"identity.multiple", .kind = JOB_KEY_CHOICE, AT(mapping.identity.multiple),
     .choices = "primary, first, explode"},
    {"identity.missing", .kind = JOB_KEY_CHOICE, AT(mapping.identity.missing), .choices = "reject, skip"},
    {"identity.deduplicate", .kind = JOB_KEY_CHOICE, AT(mapping.identity.deduplicate), .choices = "none, latest"},
    {"identity.timestamp", READ(job_read_path), AT(mapping.identity.timestamp)},

    {"segments", SECTION},
    {"segments.namespace", READ(job_read_namespace), AT(mapping.segments.name_space)},
    {"segments.ids", READ(job_read_segment_ids)},
    {"segments.names", READ(job_read_segment_names)},
    {"segments.statuses", READ(job_read_statuses), .choices = "realized, existing, exited"},
    {"segments.split", .kind = JOB_KEY_BOOL, AT(mapping.segments.split)},

    {"columns", READ(job_read_columns)},
    {"columns[].name", READ(job_read_header), COLUMN_AT(column.name)},
    {"columns[].path", READ(job_read_path), COLUMN_AT(path)},
    {"columns[].fallback", READ(job_read_fallback)},
    {"columns[].default", .kind = JOB_KEY_TEXT, COLUMN_AT(column.default_text), .most = MAPPING_TEXT_MAX},
    {"columns[].constant", .kind = JOB_KEY_TEXT, COLUMN_AT(column.constant), .most = MAPPING_TEXT_MAX},
    {"columns[].required", .kind = JOB_KEY_BOOL, COLUMN_AT(column.required)},
    {"columns[].type", .kind = JOB_KEY_CHOICE, COLUMN_AT(column.type), .choices = "text, timestamp, date"},
    {"columns[].transform", READ(job_read_transform), .choices = "trim, lower, upper, sha256"},

    {"consent", SECTION},
    {"consent.require", READ(job_read_consent)},
    {"consent.require[].path", READ(job_read_path), RULE_AT(path)},
    {"consent.require[].allow", READ(job_read_allow)},
    {"consent.require[].missing", .kind = JOB_KEY_CHOICE, RULE_AT(missing), .choices = "deny, allow"},

    {"governance", SECTION},
    {"governance.labels", READ(job_read_labels), AT(governance.labels)},
    {"governance.marketing_action", READ(job_read_marketing_action), AT(governance.marketing_action),
     .choices = GOVERNANCE_ACTIONS},
    {"governance.on_violation", .kind = JOB_KEY_SWITCH, AT(governance.drops_columns), .choices = "fail, drop_column"},

    {"pega", READ(job_read_pega), .reads_null = true},
    {"pega.process_type", READ(job_read_pega_text), AT(pega.process_type)},
    {"pega.purge_process_type", READ(job_read_pega_text), AT(pega.purge_process_type)},
    {"pega.manifest", .kind = JOB_KEY_TEXT, AT(pega.manifest), .most = JOB_NAME_TEXT_MAX},
    {"pega.purge_manifest", .kind = JOB_KEY_TEXT, AT(pega.purge_manifest), .most = JOB_NAME_TEXT_MAX},
    {"pega.path_prefix", READ(job_read_path_prefix), AT(pega.path_prefix)},
    {"pega.token", SECTION},
    {"pega.token.suffix", READ(job_read_token_suffix), AT(pega.token_suffix)},
    {"pega.token.per", .kind = JOB_KEY_CHOICE, AT(pega.token), .choices = "manifest, file, none"},
    {"pega.token.replace_extension", .kind = JOB_KEY_BOOL, AT(pega.token_replaces_extension)},

    {"rejects", SECTION},
    {"rejects.path", READ(job_read_rejects_path), AT(rejects_path)},
    {"rejects.max", READ(job_read_rejects_max), AT(budget)},

    {"alerts", LATER},
};
/* clang-format on */

enum { JOB_KEY_COUNT = sizeof job_keys / sizeof *job_keys };
_Static_assert((int)JOB_KEY_COUNT <= (int)JOB_KEYS_MAX, "room for the lines of every key");

/* What stands behind `pattern` in a full key, when that is one name: "max" of "rejects.max". NULL otherwise.
 */
static const char *job_child(const struct job_key *key, const char *pattern)
{
    size_t const length = strlen(pattern);
    const char *rest = key->name;
    if (length > 0) {
        if (strncmp(rest, pattern, length) != 0 || rest[length] != '.') return NULL;
        rest += length + 1;
    }
    return strchr(rest, '.') == NULL ? rest : NULL;
}

/* Index in the table, JOB_KEY_COUNT when there is no such key. */
static size_t job_find(const char *pattern, const struct job_node *name)
{
    for (size_t i = 0; i < JOB_KEY_COUNT; i++) {
        const char *child = job_child(&job_keys[i], pattern);
        if (child != NULL && strlen(child) == name->length && memcmp(child, name->text, name->length) == 0)
            return i;
    }
    return JOB_KEY_COUNT;
}

static enum status job_unknown(const struct job_builder *builder, const char *place, const char *pattern,
                               unsigned line)
{
    char allowed[FAULT_MESSAGE_MAX] = "";
    size_t used = 0;
    for (size_t i = 0; i < JOB_KEY_COUNT; i++) {
        const char *child = job_child(&job_keys[i], pattern);
        if (child == NULL || used >= sizeof allowed) continue;
        int const more =
            snprintf(allowed + used, sizeof allowed - used, "%s%s", used == 0 ? "" : ", ", child);
        used += more > 0 ? (size_t)more : 0;
    }
    return job_refuse(builder, line, place, "there is no such key; allowed here are %s", allowed);
}

/* Stores a choice as the enum or the bool that it is. */
static enum status job_choose(struct job_builder *builder, const struct job_key *key, const char *place,
                              const struct job_node *value, void *target)
{
    unsigned choice = 0;
    enum status const status = job_value_choice(builder, key, place, value, &choice);
    if (status != STATUS_OK) return status;
    if (key->kind == JOB_KEY_SWITCH)
        *(bool *)target = choice == 1;
    else
        memcpy(target, &choice, sizeof choice);
    return STATUS_OK;
}

static enum status job_value(struct job_builder *builder, const struct job_key *key, const char *place,
                             const struct job_node *value, void *base)
{
    void *target = (char *)base + key->at;
    switch (key->kind) {
    case JOB_KEY_SECTION: return job_section(builder, place, key->name, value, base);
    case JOB_KEY_TEXT: return job_value_text(builder, place, value, key->most, target);
    case JOB_KEY_CHOICE:
    case JOB_KEY_SWITCH: return job_choose(builder, key, place, value, target);
    case JOB_KEY_BOOL: return job_value_bool(builder, place, value, target);
    case JOB_KEY_READ: return key->read(builder, key, place, value, target);
    case JOB_KEY_LATER: return job_value_later(builder, key, place, value);
    }
    return STATUS_OK;
}

/* Recursion by way of job_value() ends with the table: three levels of sections, or two with a list between.
 */
enum status job_section(struct job_builder *builder, const char *place, const char *pattern,
                        const struct job_node *map, void *base)
{
    if (map->kind != JOB_NODE_MAP)
        return job_refuse(builder, map->line, place[0] == '\0' ? "the job file" : place,
                          "is a %s; a mapping of keys is allowed here",
                          map->kind == JOB_NODE_LIST ? "list" : "text");
    for (const struct job_node *value = map->first; value != NULL; value = value->next) {
        char here[JOB_PLACE_MAX];
        snprintf(here, sizeof here, "%s%s%s", place, place[0] == '\0' ? "" : ".",
                 job_show(value->key->text, value->key->length).text);
        size_t const found = job_find(pattern, value->key);
        unsigned const line = value->key->line;
        if (found == JOB_KEY_COUNT) return job_unknown(builder, here, pattern, line);
        if (builder->seen[found] != 0)
            return job_refuse(builder, line, here, "stands twice, first in line %u; once is allowed",
                              builder->seen[found]);
        builder->seen[found] = line;
        bool const null = job_node_is_null(value);
        if (null && !job_keys[found].reads_null) continue;
        builder->set[found] = null ? 0 : line;
        enum status const status = job_value(builder, &job_keys[found], here, value, base);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

unsigned job_set_line(const struct job_builder *builder, const char *name)
{
    for (size_t i = 0; i < JOB_KEY_COUNT; i++)
        if (strcmp(job_keys[i].name, name) == 0) return builder->set[i];
    return 0;
}

void job_forget(struct job_builder *builder, const char *pattern)
{
    for (size_t i = 0; i < JOB_KEY_COUNT; i++) {
        if (pattern[0] == '\0' || job_child(&job_keys[i], pattern) == NULL) continue;
        builder->seen[i] = 0;
        builder->set[i] = 0;
    }
}

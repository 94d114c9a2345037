/* inspect_job.c - a job file for what was seen, which `penstock check` accepts as it is. Thread: main. Owns
 * an arena for a call.
 *
 * It holds no value of a profile but segment ids and namespaces; what was seen stands beside each path as a
 * comment. What would fail is provided for: records without the identity are skipped, NUL characters dropped,
 * and there is a budget for as many bad records as there were. */
#include "io/cli/inspect_columns.h"
#include "io/cli/inspect_tell.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LENGTH 64u /* of a job */

static void put(const struct inspection *inspection, const char *text)
{
    inspect_put_quoted(inspection, text, strlen(text));
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The first source's file name without its extensions, as far as it makes a job's name. */
static void put_name(const struct inspection *inspection)
{
    const char *const source = inspection->sources[0];
    size_t end = strlen(source), written = 0;
    while (end > 0 && source[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && source[begin - 1] != '/')
        begin--;
    char name[NAME_MAX_LENGTH + 1];
    for (size_t i = begin; i < end && written < NAME_MAX_LENGTH; i++) {
        char const c = source[i];
        if (c == '.' && written > 0) break;
        if (is_letter_or_digit(c) || (written > 0 && (c == '_' || c == '-')))
            name[written++] = c;
        else if (written > 0)
            name[written++] = '-';
    }
    name[written] = '\0';
    /* quoted: a name of digits is text all the same */
    fprintf(inspection->out, "name: \"%s\"\n", written == 0 ? "dump" : name);
}

static void put_head(const struct inspection *inspection)
{
    FILE *const out = inspection->out;
    fprintf(out,
            "# Made by penstock inspect: %" PRIu64 " good records, %" PRIu64 " that failed.\n"
            "# Numbers of different values are estimates, standard error %u.%u %%.\n",
            inspection->catalogue->records, tally_failed(inspection->tally), HYPERLOGLOG_ERROR / 100,
            HYPERLOGLOG_ERROR / 10 % 10);
    put_name(inspection);
    fputs("\nsource:\n  paths:\n", out);
    for (size_t i = 0; i < inspection->source_count; i++) {
        fputs("    - ", out);
        put(inspection, inspection->sources[i]);
        fputc('\n', out);
    }
    fputs("\ndestination:\n  url: \"null:\"   # drops the rows: name a directory or s3://bucket/prefix/\n",
          out);
}

/* ---- the identity ---- */

/* identityMap.NS, in inspection->path. */
static void space_path(const struct inspection *inspection, const struct census_entry *space)
{
    struct catalogue_node root = {.level = 0}, map = {.parent = &root, .key = (char *)"identityMap"};
    struct catalogue_node name = {.parent = &map, .key = (char *)space->name};
    map.key_length = (uint32_t)strlen(map.key);
    name.key_length = (uint32_t)strlen(name.key);
    catalogue_path(&name, inspection->path, INSPECT_PATH_SIZE);
}

static void put_other_spaces(const struct inspection *inspection, const struct census_entry *chosen)
{
    const struct census *const spaces = &inspection->catalogue->spaces;
    for (uint32_t i = 0; i < spaces->count; i++) {
        const struct census_entry *const entry = &spaces->entries[i];
        if (entry == chosen) continue;
        fputs("  # also: ", inspection->out);
        put(inspection, entry->name);
        fprintf(inspection->out, " in %" PRIu64 " records, %" PRIu64 " ids\n", entry->records,
                entry->counts[SPACE_IDS]);
    }
}

static void put_identity(const struct inspection *inspection, const struct inspect_columns *columns)
{
    FILE *const out = inspection->out;
    uint64_t const all = inspection->catalogue->records;
    uint64_t records = 0;
    if (columns->space == NULL && columns->id == NULL) {
        fputs("\n# identity: no namespace of identityMap and no path like an id was seen in most records\n",
              out);
        return;
    }
    fputs("\nidentity:\n  column: " INSPECT_IDENTITY_HEADER "\n  paths:\n    - ", out);
    if (columns->space != NULL) {
        space_path(inspection, columns->space);
        put(inspection, inspection->path);
        records = columns->space->records;
        fprintf(out, "   # %" PRIu64 " records, %" PRIu64 " ids, about %" PRIu64 " different ones\n", records,
                columns->space->counts[SPACE_IDS], hyperloglog_estimate(&columns->space->distinct));
    } else {
        inspect_path(inspection, columns->id);
        put(inspection, inspection->path);
        records = catalogue_records(columns->id);
        fprintf(out, "   # %" PRIu64 " records, about %" PRIu64 " different values\n", records,
                hyperloglog_estimate(&columns->id->distinct));
    }
    /* an empty text is no identity, and is not told apart */
    bool const may_miss = columns->space == NULL || records < all;
    fprintf(out, "  missing: %s\n", may_miss ? "skip   # not all records have it" : "reject");
    put_other_spaces(inspection, columns->space);
}

/* ---- columns ---- */

static bool is_prefixed(const struct catalogue_node *node, const struct catalogue_node *plain)
{
    static const char prefix[] = "xdm:";
    size_t const length = sizeof prefix - 1;
    return node->key != NULL && node->key_length == plain->key_length + length &&
           memcmp(node->key, prefix, length) == 0 &&
           memcmp(node->key + length, plain->key, plain->key_length) == 0;
}

/* Does the path lead to other values, too, in records that have a name of it with `xdm:` before it alone? */
static bool has_twin(const struct catalogue_node *node)
{
    for (; node->parent != NULL; node = node->parent) {
        if (node->key == NULL) continue;
        for (const struct catalogue_node *other = node->parent->children; other != NULL; other = other->next)
            if (is_prefixed(other, node)) return true;
    }
    return false;
}

static void put_column(const struct inspection *inspection, const struct inspect_column *column)
{
    static const char *const names[CATALOGUE_TYPES] = {"string", "number", "boolean",
                                                       "null",   "object", "array"};
    FILE *const out = inspection->out;
    const struct catalogue_node *const node = column->node;
    const char *const reading = column->is_list || has_twin(node) ? NULL : inspect_reading(node);
    const char *before = "";
    fputs("  - { name: ", out);
    put(inspection, column->header);
    fputs(", path: ", out);
    put(inspection, column->path);
    fprintf(out, "%s%s }   # %.1f %%, ", reading == NULL ? "" : ", type: ", reading == NULL ? "" : reading,
            inspect_fill(inspection, node));
    for (unsigned t = 0; t < CATALOGUE_TYPES; t++) {
        if (node->types[t] == 0) continue;
        fprintf(out, "%s%s", before, names[t]);
        before = " or ";
    }
    fprintf(out, ", about %" PRIu64 " different, at most %" PRIu64 " bytes\n",
            hyperloglog_estimate(&node->distinct), node->longest);
}

static void put_columns(const struct inspection *inspection, const struct inspect_columns *columns)
{
    FILE *const out = inspection->out;
    if (columns->count == 0) return;
    fputs("\ncolumns:\n", out);
    for (size_t i = 0; i < columns->count; i++)
        put_column(inspection, &columns->list[i]);
    if (columns->left_out != 0)
        fprintf(out, "  # left out: %zu paths that fewer records have\n", columns->left_out);
}

/* ---- what may fail, and what may be wanted ---- */

static bool has_null_characters(const struct catalogue *catalogue)
{
    for (const struct catalogue_node *node = catalogue_first(catalogue); node != NULL;
         node = catalogue_next(node))
        if ((node->readings & READS_NULL_CHAR) != 0) return true;
    return false;
}

static uint64_t values_but(const struct catalogue_node *node, enum catalogue_type type)
{
    uint64_t others = 0;
    for (unsigned t = 0; t < CATALOGUE_TYPES; t++)
        if (t != type) others += node->types[t];
    return others;
}

/* Records whose identities are of a wrong type fail; at most so many. */
static uint64_t odd_identities(const struct catalogue *catalogue)
{
    uint64_t odd = 0;
    for (const struct catalogue_node *node = catalogue_first(catalogue); node != NULL;
         node = catalogue_next(node)) {
        if (node->role == ROLE_IDENTITIES) odd += values_but(node, CATALOGUE_OBJECT);
        if (node->role == ROLE_IDENTITY_SPACE || node->role == ROLE_IDENTITY_LIST)
            odd += values_but(node, CATALOGUE_ARRAY);
        if (node->role == ROLE_IDENTITY) odd += values_but(node, CATALOGUE_OBJECT);
        if (node->role == ROLE_ID)
            odd += values_but(node, CATALOGUE_STRING) - node->types[CATALOGUE_NUMBER] -
                   node->types[CATALOGUE_NULL];
    }
    return odd;
}

static void put_failures(const struct inspection *inspection)
{
    const struct catalogue *const catalogue = inspection->catalogue;
    uint64_t const failures =
        tally_failed(inspection->tally) + catalogue->surrogate_records + odd_identities(catalogue);
    if (has_null_characters(catalogue))
        fputs("\ncsv:\n  null_character: drop   # some texts hold \\u0000\n", inspection->out);
    if (failures != 0)
        fprintf(inspection->out,
                "\nrejects:\n  max: %" PRIu64
                "   # bad records that were seen, those with odd texts or identities "
                "included\n",
                failures);
}

static void put_segments(const struct inspection *inspection)
{
    const struct census *const segments = &inspection->catalogue->segments;
    FILE *const out = inspection->out;
    if (segments->count == 0) return;
    fputs("\n# Members only; one namespace, the ids that are wanted:\n# segments:\n", out);
    for (uint32_t i = 0; i < segments->count; i++) {
        const struct census_entry *const entry = &segments->entries[i];
        bool const is_next = i == 0 || strcasecmp(entry->name, segments->entries[i - 1].name) != 0;
        if (is_next) {
            fputs("#   namespace: ", out);
            put(inspection, entry->name);
            fputs("\n#   ids:\n", out);
        }
        fputs("#     - ", out);
        put(inspection, entry->id);
        fprintf(out, "   # realized %" PRIu64 ", existing %" PRIu64 ", exited %" PRIu64 "\n",
                entry->counts[SEGMENT_REALIZED], entry->counts[SEGMENT_EXISTING],
                entry->counts[SEGMENT_EXITED]);
    }
}

enum status inspect_job(const struct inspection *inspection, struct fault *fault)
{
    struct arena arena = {0};
    struct inspect_columns columns;
    enum status status = STATUS_OK;
    if (!inspect_columns_choose(&arena, inspection->catalogue, &columns)) {
        status = inspect_no_memory(fault);
    } else if (columns.count == 0 && columns.space == NULL && columns.id == NULL) {
        status = fault_set(fault, STATUS_INPUT,
                           "--job: no good record has a value that could be a column or an identity; "
                           "`penstock inspect` without --job lists what was seen");
    } else {
        put_head(inspection);
        put_identity(inspection, &columns);
        put_columns(inspection, &columns);
        put_failures(inspection);
        put_segments(inspection);
    }
    arena_free(&arena);
    return status;
}

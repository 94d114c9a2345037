/* inspect_text.c - the catalogue as tables for a person. Thread: main. Owns nothing. */
#include "io/cli/inspect_tell.h"

#include "core/base/utf8.h"
#include "io/output/output_text.h"

#include <inttypes.h>
#include <string.h>

/* Paths are padded to the longest one, up to this. */
#define PATH_WIDTH_MAX 64
#define TYPES_WIDTH    24
#define SHOWN_SIZE     (4u * CATALOGUE_EXAMPLE + 8u) /* each byte of an example may become four */

void inspect_put_quoted(const struct inspection *inspection, const char *text, size_t length)
{
    output_text_json(text, length, inspection->text, INSPECT_TEXT_SIZE);
    fprintf(inspection->out, "\"%s\"", inspection->text);
}

size_t inspect_path(const struct inspection *inspection, const struct catalogue_node *node)
{
    return catalogue_path(node, inspection->path, INSPECT_PATH_SIZE);
}

double inspect_fill(const struct inspection *inspection, const struct catalogue_node *node)
{
    uint64_t const records = inspection->catalogue->records;
    return records == 0 ? 0 : 100.0 * (double)catalogue_records(node) / (double)records;
}

const char *inspect_reading(const struct catalogue_node *node)
{
    uint64_t const others = node->types[CATALOGUE_NUMBER] + node->types[CATALOGUE_BOOLEAN] +
                            node->types[CATALOGUE_OBJECT] + node->types[CATALOGUE_ARRAY];
    if (others != 0 || (node->readings & (READS_NO_TIME | READS_NULL_CHAR)) != 0) return NULL;
    if ((node->readings & READS_TIME) != 0) return "timestamp";
    return (node->readings & READS_DATE) != 0 ? "date" : NULL;
}

size_t inspect_example_length(const struct catalogue_node *node)
{
    size_t const length = node->example_length < CATALOGUE_EXAMPLE ? node->example_length : CATALOGUE_EXAMPLE;
    return utf8_valid_prefix((const char *)node->example, length);
}

/* ---- paths ---- */

/* "string 12, null 3" */
static void types_text(const struct catalogue_node *node, char *out, size_t size)
{
    static const char *const names[CATALOGUE_TYPES] = {"string", "number", "boolean",
                                                       "null",   "object", "array"};
    size_t length = 0;
    out[0] = '\0';
    for (unsigned t = 0; t < CATALOGUE_TYPES; t++) {
        if (node->types[t] == 0 || length >= size) continue;
        length += (size_t)snprintf(out + length, size - length, "%s%s %" PRIu64, length == 0 ? "" : ", ",
                                   names[t], node->types[t]);
    }
}

static const char *example_text(const struct catalogue_node *node, char shown[SHOWN_SIZE])
{
    char text[CATALOGUE_EXAMPLE + 1];
    size_t const length = inspect_example_length(node);
    memcpy(text, node->example, length);
    text[length] = '\0'; /* one that holds a NUL ends there */
    return output_text_printable(text, shown, SHOWN_SIZE);
}

static int path_width(const struct inspection *inspection)
{
    size_t width = 4;
    for (const struct catalogue_node *node = catalogue_first(inspection->catalogue); node != NULL;
         node = catalogue_next(node)) {
        size_t const length = inspect_path(inspection, node);
        if (length > width && length <= PATH_WIDTH_MAX) width = length;
    }
    return (int)width;
}

static void put_node(const struct inspection *inspection, const struct catalogue_node *node, int width)
{
    char types[256], shown[SHOWN_SIZE];
    inspect_path(inspection, node);
    types_text(node, types, sizeof types);
    output_text_printable(inspection->path, inspection->text, INSPECT_TEXT_SIZE);
    fprintf(inspection->out, "%-*s %s%5.1f %%  %-*s", width, inspection->text, node->loose ? "<" : " ",
            inspect_fill(inspection, node), TYPES_WIDTH, types);
    if (catalogue_scalars(node) != 0)
        fprintf(inspection->out, " %10" PRIu64 " %8" PRIu64, hyperloglog_estimate(&node->distinct),
                node->longest);
    if (inspection->values && node->example_length != 0)
        fprintf(inspection->out, "  %s%s", example_text(node, shown),
                node->example_length > CATALOGUE_EXAMPLE ? "..." : "");
    fputc('\n', inspection->out);
}

static void put_paths(const struct inspection *inspection)
{
    int const width = path_width(inspection);
    if (catalogue_first(inspection->catalogue) == NULL) return;
    fprintf(inspection->out, "\n%-*s     fill  %-*s   distinct  longest%s\n", width, "path", TYPES_WIDTH,
            "values", inspection->values ? "  example" : "");
    for (const struct catalogue_node *node = catalogue_first(inspection->catalogue); node != NULL;
         node = catalogue_next(node))
        put_node(inspection, node, width);
}

/* ---- the rest ---- */

static void put_records(const struct inspection *inspection)
{
    const struct tally *const tally = inspection->tally;
    uint64_t const failed = tally_failed(tally);
    const char *before = ": ";
    fprintf(inspection->out, "records %" PRIu64 "\nfailed  %" PRIu64, inspection->catalogue->records, failed);
    for (int d = 0; d < DEFECT_COUNT; d++) {
        if (tally->failed[d] == 0) continue;
        fprintf(inspection->out, "%s%s %" PRIu64, before, tally_defect_name((enum defect)d),
                tally->failed[d]);
        before = ", ";
    }
    fprintf(inspection->out,
            "\nfill    share of the records with a value that is not null; < at most\n"
            "distinct is an estimate with a standard error of %u.%u %%\n",
            HYPERLOGLOG_ERROR / 100, HYPERLOGLOG_ERROR / 10 % 10);
}

static void put_spaces(const struct inspection *inspection)
{
    const struct census *const spaces = &inspection->catalogue->spaces;
    if (spaces->count == 0) return;
    fprintf(inspection->out, "\n   records        ids    primary   distinct  identity namespace\n");
    for (uint32_t i = 0; i < spaces->count; i++) {
        const struct census_entry *const entry = &spaces->entries[i];
        fprintf(inspection->out, "%10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "  %s\n",
                entry->records, entry->counts[SPACE_IDS], entry->counts[SPACE_PRIMARY],
                hyperloglog_estimate(&entry->distinct),
                output_text_printable(entry->name, inspection->text, INSPECT_TEXT_SIZE));
    }
}

static void put_segments(const struct inspection *inspection)
{
    const struct census *const segments = &inspection->catalogue->segments;
    if (segments->count == 0) return;
    fprintf(inspection->out, "\n  realized   existing     exited      other  segment\n");
    for (uint32_t i = 0; i < segments->count; i++) {
        const struct census_entry *const entry = &segments->entries[i];
        for (unsigned s = 0; s < CENSUS_COUNTS; s++)
            fprintf(inspection->out, "%10" PRIu64 " ", entry->counts[s]);
        fprintf(inspection->out, " %s",
                output_text_printable(entry->name, inspection->text, INSPECT_TEXT_SIZE));
        fprintf(inspection->out, " %s\n",
                output_text_printable(entry->id, inspection->text, INSPECT_TEXT_SIZE));
    }
}

void inspect_text(const struct inspection *inspection)
{
    put_records(inspection);
    put_paths(inspection);
    put_spaces(inspection);
    put_segments(inspection);
}

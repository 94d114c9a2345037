/* inspect_json.c - the catalogue as one JSON object; its names are a contract (README, "Inspect a dump").
 * Thread: main. Owns nothing. */
#include "io/cli/inspect_tell.h"

#include "io/cli/version.h"

#include <inttypes.h>
#include <string.h>

static void put_node(const struct inspection *inspection, const struct catalogue_node *node)
{
    static const char *const names[CATALOGUE_TYPES] = {"string", "number", "boolean",
                                                       "null",   "object", "array"};
    FILE *const out = inspection->out;
    const char *const reading = inspect_reading(node);
    size_t const length = inspect_path(inspection, node);
    fputs("    { \"path\": ", out);
    inspect_put_quoted(inspection, inspection->path, length);
    fprintf(out, ", \"records\": %" PRIu64 ", \"recordsExact\": %s, \"fillPercent\": %.4f, \"types\": {",
            catalogue_records(node), node->loose ? "false" : "true", inspect_fill(inspection, node));
    for (unsigned t = 0; t < CATALOGUE_TYPES; t++)
        fprintf(out, "%s\"%s\": %" PRIu64, t == 0 ? " " : ", ", names[t], node->types[t]);
    fprintf(out, " }, \"distinct\": %" PRIu64 ", \"longestBytes\": %" PRIu64,
            hyperloglog_estimate(&node->distinct), node->longest);
    fprintf(out, ", \"readsAs\": \"%s\"", reading == NULL ? "text" : reading);
    if (inspection->values && node->example_length != 0) {
        fputs(", \"example\": ", out);
        inspect_put_quoted(inspection, (const char *)node->example, inspect_example_length(node));
        fprintf(out, ", \"exampleBytes\": %" PRIu64, node->example_length);
    }
    fputs(" }", out);
}

static void put_paths(const struct inspection *inspection)
{
    const char *before = "\n";
    fputs("  \"paths\": [", inspection->out);
    for (const struct catalogue_node *node = catalogue_first(inspection->catalogue); node != NULL;
         node = catalogue_next(node)) {
        fputs(before, inspection->out);
        put_node(inspection, node);
        before = ",\n";
    }
    fputs(" ],\n", inspection->out);
}

static void put_spaces(const struct inspection *inspection)
{
    const struct census *const spaces = &inspection->catalogue->spaces;
    FILE *const out = inspection->out;
    fputs("  \"identityNamespaces\": [", out);
    for (uint32_t i = 0; i < spaces->count; i++) {
        const struct census_entry *const entry = &spaces->entries[i];
        fprintf(out, "%s    { \"namespace\": ", i == 0 ? "\n" : ",\n");
        inspect_put_quoted(inspection, entry->name, strlen(entry->name));
        fprintf(out,
                ", \"records\": %" PRIu64 ", \"ids\": %" PRIu64 ", \"primaryIds\": %" PRIu64
                ", \"distinctIds\": %" PRIu64 " }",
                entry->records, entry->counts[SPACE_IDS], entry->counts[SPACE_PRIMARY],
                hyperloglog_estimate(&entry->distinct));
    }
    fputs(" ],\n", out);
}

static void put_segments(const struct inspection *inspection)
{
    static const char *const names[CENSUS_COUNTS] = {"realized", "existing", "exited", "other"};
    const struct census *const segments = &inspection->catalogue->segments;
    FILE *const out = inspection->out;
    fputs("  \"segments\": [", out);
    for (uint32_t i = 0; i < segments->count; i++) {
        const struct census_entry *const entry = &segments->entries[i];
        fprintf(out, "%s    { \"namespace\": ", i == 0 ? "\n" : ",\n");
        inspect_put_quoted(inspection, entry->name, strlen(entry->name));
        fputs(", \"id\": ", out);
        inspect_put_quoted(inspection, entry->id, strlen(entry->id));
        for (unsigned s = 0; s < CENSUS_COUNTS; s++)
            fprintf(out, ", \"%s\": %" PRIu64, names[s], entry->counts[s]);
        fputs(" }", out);
    }
    fputs(" ],\n", out);
}

static void put_head(const struct inspection *inspection)
{
    const struct tally *const tally = inspection->tally;
    FILE *const out = inspection->out;
    const char *before = " ";
    fputs("{\n  \"tool\": \"penstock\",\n  \"version\": ", out);
    inspect_put_quoted(inspection, PENSTOCK_VERSION, strlen(PENSTOCK_VERSION));
    fputs(",\n  \"sources\": [", out);
    for (size_t i = 0; i < inspection->source_count; i++) {
        fputs(i == 0 ? " " : ", ", out);
        inspect_put_quoted(inspection, inspection->sources[i], strlen(inspection->sources[i]));
    }
    fprintf(out,
            " ],\n  \"inputBytes\": %" PRIu64 ",\n  \"inputRecordCount\": %" PRIu64
            ",\n  \"recordCount\": %" PRIu64 ",\n  \"failedRecordCount\": %" PRIu64
            ",\n  \"failedByReason\": {",
            inspection->bytes, tally->input, inspection->catalogue->records, tally_failed(tally));
    for (int d = 0; d < DEFECT_COUNT; d++) {
        if (tally->failed[d] == 0) continue;
        fprintf(out, "%s\"%s\": %" PRIu64, before, tally_defect_name((enum defect)d), tally->failed[d]);
        before = ", ";
    }
    fprintf(out, " },\n  \"distinctErrorPercent\": %u.%u,\n", HYPERLOGLOG_ERROR / 100,
            HYPERLOGLOG_ERROR / 10 % 10);
}

static const char *truth(bool holds)
{
    return holds ? "true" : "false";
}

void inspect_json(const struct inspection *inspection)
{
    const struct catalogue *const catalogue = inspection->catalogue;
    put_head(inspection);
    put_paths(inspection);
    put_spaces(inspection);
    put_segments(inspection);
    fprintf(inspection->out,
            "  \"complete\": { \"paths\": %s, \"identityNamespaces\": %s, \"segments\": %s }\n}\n",
            truth(!catalogue->full), truth(!catalogue->spaces.over), truth(!catalogue->segments.over));
}

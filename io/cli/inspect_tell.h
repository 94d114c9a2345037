/* inspect_tell.h - a finished catalogue on standard output, in one of three forms. Main thread. */
#ifndef PENSTOCK_IO_CLI_INSPECT_TELL_H
#define PENSTOCK_IO_CLI_INSPECT_TELL_H

#include "core/base/status.h"
#include "core/base/tally.h"
#include "core/inspect/catalogue.h"

#include <stdio.h>

/* A path of as many parts as there can be, each of the longest key, escaped. */
#define INSPECT_PATH_SIZE (CATALOGUE_DEPTH_MAX * (6u * CATALOGUE_KEY_MAX + 4u) + 1u)
/* The most bytes that one text is made of: such a path, or the name of a source. */
#define INSPECT_TEXT_SIZE (INSPECT_PATH_SIZE * 6u)

struct inspection {
    FILE *out;
    const struct catalogue *catalogue;
    const struct tally *tally;
    const char *const *sources; /* as written */
    size_t source_count;
    uint64_t bytes; /* of input */
    bool values;    /* examples are shown */
    char *path;     /* INSPECT_PATH_SIZE */
    char *text;     /* INSPECT_TEXT_SIZE */
};

/* A text in double quotes, as JSON and YAML write it. */
void inspect_put_quoted(const struct inspection *inspection, const char *text, size_t length);
/* The path of a node, in inspection->path; its length. */
size_t inspect_path(const struct inspection *inspection, const struct catalogue_node *node);
/* Share of the records, in percent. */
double inspect_fill(const struct inspection *inspection, const struct catalogue_node *node);
/* How the values of a path read when all of them do: "timestamp", "date"; NULL: as text. */
const char *inspect_reading(const struct catalogue_node *node);
/* Bytes of the example that are whole characters. */
size_t inspect_example_length(const struct catalogue_node *node);

void inspect_text(const struct inspection *inspection);
void inspect_json(const struct inspection *inspection);
/* STATUS_INPUT: there is nothing that a job could write. */
enum status inspect_job(const struct inspection *inspection, struct fault *fault);
enum status inspect_no_memory(struct fault *fault);

#endif

/* manifest_read.h - the manifest of a Pega data job (XML) as a value.
 *
 *     manifest > processType, totalRecordCount, files > file > name, size (may be missing), recordCount
 *
 * in any order, each once in its element; white space around texts is passed over, and so are elements of
 * other names with all that is in them, attributes, and prefixes of namespaces. Whether the counts add up and
 * the names differ is the caller's to judge.
 *
 * Bounds: those below, and 16 levels. DTDs are refused, so that no entities but XML's own five exist.
 * Ownership: manifest_free() frees all. Thread rule: pure but for malloc; any thread. */
#ifndef PENSTOCK_IO_MANIFEST_MANIFEST_READ_H
#define PENSTOCK_IO_MANIFEST_MANIFEST_READ_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many files as a job may name sources (JOB_SOURCES_MAX); with names of 300 bytes each has some 500. */
#define MANIFEST_FILES_MAX 100000u
#define MANIFEST_BYTES_MAX (64u * 1024 * 1024)
/* S3's longest key. */
#define MANIFEST_NAME_MAX 1024u
/* Beside a manifest's own bytes, reading it takes: the names once more, the list of files twice while it
 * grows, expat's buffers. */
#define MANIFEST_MEMORY(bytes) (3 * (bytes) + 1024u * 1024)

struct manifest_file {
    const char *name;
    uint64_t records;
    bool has_size;
    uint64_t size; /* bytes, as stored */
};

struct manifest {
    struct arena arena;
    const char *process_type; /* "": there is none in it, or an empty one */
    uint64_t total;
    struct manifest_file *files;
    size_t file_count;
};

/* `what` names it in messages. STATUS_IO: it is not XML, lacks an element, or passes a bound; the message has
 * the line. `manifest` is overwritten, and to be freed in any case. */
enum status manifest_read(const char *what, const uint8_t *bytes, size_t length, struct manifest *manifest,
                          struct fault *fault);
/* The names of its files alone: there must be <files>, and in each <file> a <name>; whatever else stands in
 * it, or doesn't, is passed over. All but file_count and names is zero. Else as manifest_read(). */
enum status manifest_read_names(const char *what, const uint8_t *bytes, size_t length,
                                struct manifest *manifest, struct fault *fault);
void manifest_free(struct manifest *manifest); /* zeroed is fine */
/* May a text that begins so be a manifest, whole or broken? False: its first element is another one than
 * <manifest>, or it is not XML up to there and has no "<manifest" in its first 64 KiB either (as one in an
 * encoding that expat does not know). */
bool manifest_may_be(const uint8_t *bytes, size_t length);

#endif

/* source_list.h - from the paths a person named to the files a run reads, in order.
 *
 * The list is in byte order of the whole path as given, and holds each file once: of several paths that lead
 * to the same file (same realpath()), the first in that order. Paths are looked at in that same order, each
 * one completely (its form, then whether it is there, then its first bytes), and the first problem ends the
 * work: a file of a wrong format is reported before a missing one that sorts behind it.
 *
 *   STATUS_NO_SOURCE  missing, or may not be read
 *   STATUS_INPUT      not supported, or not yet, by name: "-", s3://, a glob, a directory, FIFO, device or
 * socket; gzip, zstd and other compressed files and archives, Parquet, Avro; UTF-16 and UTF-32; a JSON array,
 * alone or under a key; a map of entities; pretty-printed JSON
 *   STATUS_IO         the system's trouble: read error, too many open files, no memory
 *
 * Only the first SOURCE_LIST_HEAD_BYTES of a file are looked at. An empty file is fine, and so is one whose
 * head is blank. Thread rule: none, but one list is built by one thread; read-only afterwards. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_LIST_H
#define PENSTOCK_IO_INPUT_SOURCE_LIST_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* The contract lets "the lines of the first 64 KiB decide". */
#define SOURCE_LIST_HEAD_BYTES (64u * 1024)

struct source_item {
    const char *path; /* as given; a copy in the list's arena */
    uint64_t size;    /* bytes, when the list was built: the run goes by what source_file_open() finds */
    uint64_t content_start; /* 3 when the file begins with a UTF-8 byte order mark, else 0 */
};

struct source_list {
    struct arena arena;
    struct source_item *items;
    size_t count;
};

/* Fills `list` (whatever it held is forgotten, not freed). On failure it is left empty. `count` 0 gives an
 * empty list: whether that is an error is the caller's to say. */
enum status source_list_build(const char *const *paths, size_t count, struct source_list *list,
                              struct fault *fault);
void source_list_free(struct source_list *list); /* a zeroed list is fine */

#endif

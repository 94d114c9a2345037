/* source_list.h - from the paths a person named to the files a run reads, in order.
 *
 * A path is a file, a directory (source_walk.h), a glob as glob(3) has it (`*`, `?`, `[…]`; quoted, since a
 * shell expands others itself), `-` for standard input, what a remote knows (source_remote.h), or an AEP
 * manifest (source_manifest.h), known by its content. What a wildcard in the last part of a glob finds is
 * left out as in directories.
 *
 * The list is in byte order of the whole path, and holds each file once: of several paths that lead to the
 * same file (same realpath()), the first in that order. Named paths are looked at in that same order, each
 * one completely, with the files that it stands for (their first bytes included), and the first problem ends
 * the work.
 *
 *   STATUS_NO_SOURCE  missing, or may not be read; a directory or glob without data files; a manifest whose
 *                     files are not all there
 *   STATUS_INPUT      not supported, by name: a FIFO, device or socket; forms of files that source_head.h
 *                     refuses, compressed or not
 *   STATUS_IO         the system's trouble: read error, too many open files, no memory
 *   others            the remote's
 *
 * Only the first SOURCE_HEAD_BYTES of a text are looked at, or up to SOURCE_HEAD_BYTES_MAX. An empty file is
 * fine, and so is one whose head is blank. Thread rule: none, but one list is built by one thread; read-only
 * afterwards. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_LIST_H
#define PENSTOCK_IO_INPUT_SOURCE_LIST_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "io/input/source_head.h"
#include "io/input/source_remote.h"
#include "io/input/source_stamp.h"

#include <stddef.h>
#include <stdint.h>

/* How a source is read. */
enum source_kind {
    SOURCE_KIND_FILE,    /* anywhere: source_file.h, or the remote */
    SOURCE_KIND_PACKED,  /* front to back, decompressed if it has to be: source_stream.h */
    SOURCE_KIND_STANDARD /* front to back, not looked at yet: source_stream.h */
};

struct source_item {
    const char *path; /* in the list's arena */
    enum source_kind kind;
    enum unpack_form form;      /* PACKED */
    unsigned window_log;        /* of the first zstd frame; 0: not known */
    struct source_stamp stamp;  /* when the list was built */
    uint64_t content_start;     /* of its records: behind a byte order mark, and what opens a container */
    const struct form *records; /* in the list's arena, perhaps shared by items; NULL: lines */
    const struct source_object *object; /* in the list's arena; NULL: a file of this machine */
};

struct source_list {
    struct arena arena;
    struct source_item *items;
    size_t count;
};

struct source_list_rules {
    const char *const *paths;
    size_t count;
    enum form_choice format;            /* source.format */
    const struct source_remote *remote; /* NULL: there are no paths of it */
};

/* Fills `list` (whatever it held is forgotten, not freed). On failure it is left empty. No paths give an
 * empty list: whether that is an error is the caller's to say. */
enum status source_list_build(const struct source_list_rules *rules, struct source_list *list,
                              struct fault *fault);
void source_list_free(struct source_list *list); /* a zeroed list is fine */

#endif

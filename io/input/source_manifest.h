/* source_manifest.h - the manifest that AEP writes beside an export: a JSON object whose `exportResults` name
 * the files, with their sizes (Adobe, "Amazon S3 connection", includeFileManifest; samples of AdobeDocs).
 *
 *     {"flowRunId": "…", "scheduledTime": "…", "exportResults": [{"sinkPath": "/a/b", "name": "c.json",
 * "size": 1}]}
 *
 * Files are looked for below the manifest's own folder, since an export is moved as a whole: sinkPath is
 * where they lay in the destination. Of sinkPath, as much of its end is taken as leads to a file.
 *
 * Thread rule: reentrant. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_MANIFEST_H
#define PENSTOCK_IO_INPUT_SOURCE_MANIFEST_H

#include "core/codec/unpack.h"
#include "io/input/source_walk.h"

#include <stdint.h>

/* 60,000 files with names of 150 bytes and paths of 50. */
#define SOURCE_MANIFEST_BYTES_MAX (16u * 1024 * 1024)

/* May a file that begins so be a manifest? `size`: bytes of it, all that are stored. NULL with *may_be; or a
 * phrase that goes on after "FILE: ": it begins as one does, but can't be read as one. */
const char *source_manifest_judge(const uint8_t *head, size_t length, enum unpack_form form, uint64_t size,
                                  bool *may_be);

/* Where the files are that it may name. */
struct source_manifest_port {
    void *context;
    /* Is a file at that path, and of which size? */
    bool (*is_there)(void *context, const char *path, uint64_t *size);
};

/* Adds the paths of the files that the manifest at `path` names; *is_manifest false: it is none, whatever
 * source_manifest_judge() said. `text`: all of it.
 *   STATUS_NO_SOURCE  it names no file, or one that is missing or of another size
 *   STATUS_INPUT      an entry that makes no sense, or leads out of the folder; it begins as a manifest does
 *                     and is damaged
 *   STATUS_IO         no memory */
enum status source_manifest_read(const struct source_manifest_port *port, const char *path, const char *text,
                                 size_t length, bool *is_manifest, struct source_paths *paths,
                                 struct arena *arena, struct fault *fault);

#endif

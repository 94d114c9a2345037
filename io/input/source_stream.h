/* source_stream.h - a local file, an object, or standard input, as a source that is read front to back
 * (core/flow/stream.h): decompressed on the way when its first bytes say that it is gzip or zstd.
 *
 * Where stored bytes come from is source_stored.h's. Standard input can't be looked at before: its form is
 * told from its first bytes when they come, and a form that is not supported ends the run with STATUS_INPUT.
 *
 * What ends a read():
 *   STATUS_IO, `damaged`   a truncated member, a wrong checksum, bytes behind the last member, ...
 *   STATUS_IO              the file can't be read, or changed; no memory
 *   others                 what the bytes of an object say
 *   STATUS_INPUT           standard input of a form that is refused; a zstd frame that needs a dictionary, or
 * a larger window than there is memory for
 *
 * Thread rule: create, check, stored and destroy by one thread while nobody reads; the port as in stream.h.
 */
#ifndef PENSTOCK_IO_INPUT_SOURCE_STREAM_H
#define PENSTOCK_IO_INPUT_SOURCE_STREAM_H

#include "core/flow/source.h"
#include "core/flow/stream.h"
#include "io/input/source_head.h"
#include "io/input/source_remote.h"
#include "io/input/source_stamp.h"

struct source_stream_rules {
    const char *path; /* copied */
    bool is_standard_input;
    struct source_bytes *bytes; /* of an object; taken over when create succeeds. NULL: none */
    struct source *object;      /* one that can be read anywhere; likewise, with `remote`. NULL: none */
    const struct source_remote *remote;
    enum unpack_form form;      /* of a file, when it was listed */
    struct source_stamp stamp;  /* likewise */
    unsigned window_log_max;    /* of zstd frames, until source_stream_allow_window() */
    const struct form *records; /* of a file; NULL: lines. Borrowed for its life. */
    enum form_choice format;    /* of standard input */
};

/* NULL with the fault filled: no memory. */
struct source *source_stream_create(const struct source_stream_rules *rules, struct fault *fault);
void source_stream_destroy(struct source *source); /* takes NULL; the stream is closed */

/* Before it is opened: frames may ask for windows of this size. */
void source_stream_allow_window(struct source *source, unsigned window_log_max);
/* Likewise: a zstd file or object of many frames is decompressed by so many threads. Objects that are read
 * front to back only are not. As in source_frames.h: */
struct source_stream_share {
    uint32_t decoders;
    size_t pieces, piece_bytes;
    bool swaps; /* pieces of text may become a stream's blocks: where these end does not show */
    uint64_t walk_max;
    struct track *tracks;
};
void source_stream_share(struct source *source, const struct source_stream_share *share); /* copied */
/* STATUS_IO when the file changed while it was read. A stream that nobody opened is fine. */
enum status source_stream_check(const struct source *source, struct fault *fault);
/* Stored bytes that were read so far. */
uint64_t source_stream_stored(const struct source *source);
/* How what was read is stored; of standard input known once it was read. */
enum unpack_form source_stream_form(const struct source *source);
/* Memory of one that is open. */
uint64_t source_stream_memory(enum unpack_form form, unsigned window_log_max);

#endif

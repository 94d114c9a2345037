/* source_stored.h - the stored bytes of a local file, of an object or of standard input, front to back, as
 * they are: whether they are compressed is source_stream.h's matter.
 *
 * A file is opened when its turn comes, and has to be the one that was listed then. A pipe is waited for with
 * poll(), so that a run that is stopped meanwhile ends at once.
 *
 * Errors: STATUS_IO with words for the user: it can't be read, or changed; no memory; the run is being
 * stopped. Of an object what its port says. Ownership: as each field says; `path` outlives it. Thread rule:
 * one thread at a time, as stream.h has it. Private to io/input. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_STORED_H
#define PENSTOCK_IO_INPUT_SOURCE_STORED_H

#include "core/flow/source.h"
#include "core/flow/stream.h"
#include "io/input/source_remote.h"
#include "io/input/source_stamp.h"

/* Stored bytes that are read at once: some 100 system calls for each megabyte would be felt, one is not. */
#define SOURCE_STORED_STEP (256u * 1024)

/* Made by naming the first fields, with the others 0 and `descriptor` -1. */
struct source_stored {
    const char *path;           /* borrowed */
    struct source_bytes *bytes; /* of an object, owned; NULL: it is none, or: */
    struct source *object;      /* which can be read anywhere; owned, with: */
    const struct source_remote *remote;
    bool is_standard_input;
    bool is_file;               /* has a stamp; of standard input known at open */
    struct source_stamp before; /* of a file, when it was listed; of a redirected one, at open */
    struct source_stamp after;  /* at close */

    /* while open */
    uint64_t count;               /* bytes read; stays behind close */
    int descriptor;               /* owned, but standard input's; -1: none */
    struct source_reader *reader; /* of the object */
    struct source *shared;        /* of a file that was opened to be shared */
    uint8_t *in;                  /* SOURCE_STORED_STEP */
    size_t in_at, in_left;        /* bytes that were read and not used */
    bool at_end;
};

/* `share`: of a file or an object, source_stored_anywhere() is wanted. */
enum status source_stored_open(struct source_stored *stored, bool share, struct fault *fault);
/* The same bytes, to be read by others at any place until close; NULL: that can't be, or wasn't asked for. */
struct source *source_stored_anywhere(const struct source_stored *stored);
/* Also of one that is not open. */
void source_stored_close(struct source_stored *stored);
void source_stored_destroy(struct source_stored *stored); /* the object; closed before */

/* The next step to `in`, when all that was there is used. It is filled to its end, however a pipe gives the
 * bytes: where steps end must depend on the bytes alone (unpack.h). `stream`: whom to ask whether the run is
 * being stopped. */
enum status source_stored_fill(struct source_stored *stored, const struct stream *stream,
                               struct fault *fault);
/* What is left of the step, else the next bytes as they come; *length 0: the end. */
enum status source_stored_read(struct source_stored *stored, const struct stream *stream, uint8_t *into,
                               size_t room, size_t *length, struct fault *fault);

/* STATUS_IO: the file changed since it was listed, which is why it can't be read on; while it is open. */
enum status source_stored_check_now(const struct source_stored *stored, struct fault *fault);
/* Behind close: STATUS_IO when the file changed while it was read. */
enum status source_stored_check(const struct source_stored *stored, struct fault *fault);
/* Of an object that others read to its end: is that what the store says it holds? */
enum status source_stored_check_whole(const struct source_stored *stored, struct fault *fault);
enum status source_stored_say_stopped(const struct source_stored *stored,
                                      struct fault *fault); /* STATUS_IO */

#endif

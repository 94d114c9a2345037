/* fetch.h - objects on S3 as the sources of a run: what source_remote.h asks for, by s3_pump.h's clients.
 *
 *     fetch_create()   buckets, each with a pump that somebody turns (s3_tender.h)
 *     fetch_port()     for source_list.h and source_open.h: lists, first bytes, sources
 *     fetch_start()    when memory was planned: from now on the sources can be read
 *     fetch_cut()      after a sample was measured: what will be read of a source
 *     fetch_destroy()  when the sources are closed, and nobody turns the pumps any more
 *
 *   plain objects   ranges on a shelf, ahead of all workers (fetch_shelf.h)
 *   packed ones     a reader each, when its turn comes (fetch_stream.c)
 *
 * Every GET has If-Match on the ETag that was listed. What was read whole is compared with the checksum that
 * the store keeps of the whole object, if it has one.
 *
 * Thread rule: main, but for the sources' reading. */
#ifndef PENSTOCK_IO_FETCH_FETCH_H
#define PENSTOCK_IO_FETCH_FETCH_H

#include "core/flow/prepare.h"
#include "io/fetch/fetch_plan.h"
#include "io/input/source_remote.h"
#include "io/s3/s3_pump.h"

struct fetch_bucket {
    const char *name;
    struct s3_pump *pump;
};

struct fetch_options {
    const struct fetch_bucket *buckets; /* all that paths name; outlives the fetch */
    size_t bucket_count;
    uint32_t heads; /* first bytes of objects that are on their way at once, while they are listed */
    /* Tells the system of memory that is about to be filled; may be NULL. */
    prepare_fn *prepare;
    uint64_t (*now)(void); /* nanoseconds, steady; NULL: every store is taken for a far one (fetch_pace.h) */
};

struct fetch;

/* NULL with the fault filled: no memory. */
struct fetch *fetch_create(const struct fetch_options *options, struct fault *fault);
void fetch_destroy(struct fetch *fetch); /* takes NULL */

const struct source_remote *fetch_port(const struct fetch *fetch);
/* Is it an S3 URL? */
bool fetch_is_path(const char *path);

/* STATUS_IO: no memory. `plan` is copied. */
enum status fetch_start(struct fetch *fetch, const struct fetch_plan *plan, struct fault *fault);
/* Of a source that can be read anywhere no more than its first `bytes` bytes will be read. Takes effect with
 * fetch_restart(): what is ahead begins anew, at the first source. */
void fetch_cut(const struct source *source, uint64_t bytes);
void fetch_restart(struct fetch *fetch);

#endif

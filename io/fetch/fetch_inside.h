/* fetch_inside.h - what the files of io/fetch share. Private to them.
 *
 * Thread rule: fetch.h's. */
#ifndef PENSTOCK_IO_FETCH_FETCH_INSIDE_H
#define PENSTOCK_IO_FETCH_FETCH_INSIDE_H

#include "io/fetch/fetch.h"
#include "io/fetch/fetch_heads.h"
#include "io/fetch/fetch_shelf.h"
#include "io/s3/s3_range.h"

struct fetch {
    struct source_remote port;
    struct fetch_options options;
    struct fetch_plan plan; /* zeroed before fetch_start() */
    struct fetch_heads *heads;
    struct fetch_shelf *shelf;
};

/* An object as the client asks for it; its texts are those of `object`. */
struct s3_object fetch_object(const struct source_object *object);

/* fetch_find.c, fetch_source.c, fetch_stream.c: the port's functions. */
enum status fetch_find(void *self, const char *path, bool everything, struct arena *arena,
                       struct source_found *found, struct fault *fault);
struct source *fetch_source_open(void *self, const struct source_object *object, struct fault *fault);
enum status fetch_source_check(const struct source *source, struct fault *fault);
void fetch_source_close(struct source *source);
struct source_bytes *fetch_stream_create(void *self, const struct source_object *object, struct fault *fault);

/* The message for bytes that are not what the store's checksum stands for. */
enum status fetch_say_wrong_sum(const struct s3_object *object, const struct s3_proof *proof,
                                struct fault *fault);

#endif

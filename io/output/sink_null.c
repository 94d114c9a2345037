/* sink_null.c - a sink that counts and drops. Thread: the assembler's, as sink.h says. Owns its own struct
 * only; pieces go home at once. */
#include "io/output/sink_null.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct sink_null {
    struct sink sink;
    uint32_t next_file;
    bool file_open;
    uint64_t bytes; /* of the current file */
};

static enum status out_of_order(const char *call, struct fault *fault)
{
    return fault_set(fault, STATUS_INTERNAL, "null: %s was called out of order; this is a bug: report it",
                     call);
}

static enum status null_begin(struct sink *sink, uint32_t file, const char *name, struct fault *fault)
{
    struct sink_null *const self = sink->self;
    if (self->file_open || file != self->next_file || name[0] == '\0') return out_of_order("begin()", fault);
    self->file_open = true;
    self->next_file++;
    self->bytes = 0;
    return STATUS_OK;
}

static enum status null_write(struct sink *sink, const struct sink_piece *piece, struct fault *fault)
{
    struct sink_null *const self = sink->self;
    self->bytes += piece->length;
    if (piece->owner != NULL && sink->home != NULL) sink->home(sink->home_context, piece);
    return self->file_open ? STATUS_OK : out_of_order("write()", fault);
}

static enum status null_end(struct sink *sink, uint64_t rows, uint64_t bytes, struct fault *fault)
{
    struct sink_null *const self = sink->self;
    if (!self->file_open) return out_of_order("end()", fault);
    self->file_open = false;
    if (bytes == self->bytes && rows <= bytes) return STATUS_OK; /* a row has a line end at least */
    return fault_set(fault, STATUS_INTERNAL,
                     "null: file %" PRIu32 " was given %" PRIu64 " bytes, counted %" PRIu64 " (%" PRIu64
                     " rows); this is a bug: report it",
                     self->next_file, self->bytes, bytes, rows);
}

static enum status null_reap(struct sink *sink, struct fault *fault)
{
    (void)sink; /* everything went home at once */
    (void)fault;
    return STATUS_OK;
}

static enum status null_commit(struct sink *sink, struct fault *fault)
{
    const struct sink_null *const self = sink->self;
    return self->file_open ? out_of_order("commit()", fault) : STATUS_OK;
}

static void null_abort(struct sink *sink)
{
    struct sink_null *const self = sink->self;
    self->file_open = false;
}

static void null_url(const struct sink *sink, const char *name, char *out, size_t size)
{
    (void)sink;
    snprintf(out, size, "null:%s", name);
}

static void null_destroy(struct sink *sink)
{
    if (sink != NULL) free(sink->self);
}

struct sink *sink_null_create(struct fault *fault)
{
    struct sink_null *const self = calloc(1, sizeof *self);
    if (self == NULL) {
        fault_set(fault, STATUS_IO, "null: no memory left");
        return NULL;
    }
    self->sink = (struct sink){.self = self,
                               .begin = null_begin,
                               .write = null_write,
                               .end = null_end,
                               .reap = null_reap,
                               .commit = null_commit,
                               .abort = null_abort,
                               .url = null_url,
                               .destroy = null_destroy};
    return &self->sink;
}

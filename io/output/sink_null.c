/* sink_null.c - a sink that counts and drops. Thread: the assembler's, as sink.h says. Owns its own struct
 * and the list of files; pieces go home at once. */
#include "io/output/sink_null.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct null_file {
    uint64_t bytes;
    bool open;
};

struct sink_null {
    struct sink sink;
    struct null_file *files;
    uint32_t file_count, file_room;
    uint32_t open_count;
};

static enum status out_of_order(const char *call, struct fault *fault)
{
    return fault_set(fault, STATUS_INTERNAL, "null: %s was called out of order; this is a bug: report it",
                     call);
}

static enum status reserve_file(struct sink_null *self, struct fault *fault)
{
    if (self->file_count < self->file_room) return STATUS_OK;
    uint32_t const room = self->file_room == 0 ? 16 : 2 * self->file_room;
    struct null_file *const files = realloc(self->files, room * sizeof *files);
    if (files == NULL) return fault_set(fault, STATUS_IO, "null: no memory left for the list of files");
    self->files = files;
    self->file_room = room;
    return STATUS_OK;
}

static enum status null_begin(struct sink *sink, uint32_t file, const char *name, enum sink_stage stage,
                              struct fault *fault)
{
    struct sink_null *const self = sink->self;
    (void)stage; /* nothing becomes visible */
    if (file != self->file_count || name[0] == '\0') return out_of_order("begin()", fault);
    enum status const status = reserve_file(self, fault);
    if (status != STATUS_OK) return status;
    self->files[self->file_count++] = (struct null_file){.open = true};
    self->open_count++;
    return STATUS_OK;
}

/* NULL: it is none. */
static struct null_file *open_file(struct sink_null *self, uint32_t file)
{
    return file < self->file_count && self->files[file].open ? &self->files[file] : NULL;
}

static enum status null_write(struct sink *sink, uint32_t file, const struct sink_piece *piece,
                              struct fault *fault)
{
    struct null_file *const open = open_file(sink->self, file);
    if (open != NULL) open->bytes += piece->length;
    if (piece->owner != NULL && sink->home != NULL) sink->home(sink->home_context, piece);
    return open != NULL ? STATUS_OK : out_of_order("write()", fault);
}

static enum status null_end(struct sink *sink, uint32_t file, uint64_t rows, uint64_t bytes,
                            struct fault *fault)
{
    struct sink_null *const self = sink->self;
    struct null_file *const open = open_file(self, file);
    if (open == NULL) return out_of_order("end()", fault);
    open->open = false;
    self->open_count--;
    if (bytes == open->bytes && rows <= bytes) return STATUS_OK; /* a row has a line end at least */
    return fault_set(fault, STATUS_INTERNAL,
                     "null: file %" PRIu32 " was given %" PRIu64 " bytes, counted %" PRIu64 " (%" PRIu64
                     " rows); this is a bug: report it",
                     file + 1, open->bytes, bytes, rows);
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
    return self->open_count != 0 ? out_of_order("commit()", fault) : STATUS_OK;
}

static void null_abort(struct sink *sink)
{
    struct sink_null *const self = sink->self;
    self->file_count = self->open_count = 0;
}

static void null_url(const struct sink *sink, const char *name, char *out, size_t size)
{
    (void)sink;
    snprintf(out, size, "null:%s", name);
}

static void null_destroy(struct sink *sink)
{
    if (sink == NULL) return;
    struct sink_null *const self = sink->self;
    free(self->files);
    free(self);
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

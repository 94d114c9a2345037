/* pack_sink.c - see the header. Thread: the assembler's. Owns the list of files, the inner sink, and what
 * units and blocks own. */
#include "core/flow/pack_sink.h"

#include "core/flow/pack_line.h"
#include "core/flow/pack_out.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How often who waits looks whether the run was interrupted. */
#define LOOK_NS 200000000ull

struct pack_file {
    char *name; /* ours, until the inner sink has begun the file */
    enum sink_stage stage;
    bool open;      /* here; there it is until its last slot was passed on */
    bool is_sent;   /* a unit of it was: it has its head */
    uint64_t taken; /* bytes that write() was given */
    uint8_t *unit;  /* being filled; NULL: none */
    size_t unit_length;
    uint32_t crc32;  /* of what was passed on, */
    uint64_t passed; /* and its bytes, before compression */
    struct pack_stream stream;
};

struct pack_sink {
    struct sink sink;
    struct sink *inner;
    struct pack_sink_options options;
    struct pack_line line;
    struct pack_out out;
    struct pack_file *files;
    uint32_t file_count, file_room, begun; /* begun: the inner sink knows the files before this one */
    uint32_t open, open_data;
};

static enum status out_of_order(const char *call, struct fault *fault)
{
    return fault_set(fault, STATUS_INTERNAL,
                     "compression: %s was called out of order; this is a bug: report it", call);
}

/* ---- to the inner sink ---- */

/* The inner sink begins all files up to this one, in their order. */
static enum status begin_up_to(struct pack_sink *self, uint32_t file, struct fault *fault)
{
    while (self->begun <= file) {
        struct pack_file *const next = &self->files[self->begun];
        enum status const status =
            self->inner->begin(self->inner, self->begun, next->name, next->stage, fault);
        if (status != STATUS_OK) return status;
        free(next->name);
        next->name = NULL;
        self->begun++;
    }
    return STATUS_OK;
}

static enum status pass_end(struct pack_sink *self, struct pack_file *file, struct fault *fault)
{
    enum status const status = pack_out_flush(&self->out, &file->stream, fault);
    if (status != STATUS_OK) return status;
    return self->inner->end(self->inner, file->stream.file, 0, file->stream.stored.bytes, fault);
}

static enum status pass_slot(struct pack_sink *self, const struct pack_slot *slot, struct fault *fault)
{
    struct pack_file *const file = &self->files[slot->file];
    enum pack_kind const kind = self->options.kind;
    uint8_t ends[PACK_ENDS_MAX];
    if (!slot->good) return fault_set(fault, STATUS_IO, "no memory left to compress; try fewer --threads");
    enum status status = begin_up_to(self, slot->file, fault);
    if (status == STATUS_OK && !file->is_sent)
        status = pack_out_add(&self->out, &file->stream, ends, pack_head(kind, ends), fault);
    if (status == STATUS_OK)
        status = pack_out_add(&self->out, &file->stream, slot->out, slot->out_length, fault);
    file->is_sent = true;
    file->crc32 = (uint32_t)checksum_combine(CHECKSUM_CRC32, file->crc32, slot->crc32, slot->length);
    file->passed += slot->length;
    if (status != STATUS_OK || !slot->is_last) return status;
    size_t const tail = pack_tail(kind, file->crc32, file->passed, ends);
    status = pack_out_add(&self->out, &file->stream, ends, tail, fault);
    return status == STATUS_OK ? pass_end(self, file, fault) : status;
}

/* Passes on what is done, in order, as far as there are blocks. */
static enum status pass_done(struct pack_sink *self, struct fault *fault)
{
    const struct pack_slot *slot;
    pack_line_reap(&self->line);
    while (pack_out_has_room(&self->out) && (slot = pack_line_first(&self->line)) != NULL) {
        enum status const status = pass_slot(self, slot, fault);
        if (status != STATUS_OK) return status;
        pack_line_pop(&self->line);
    }
    return STATUS_OK;
}

static enum status pack_reap(struct sink *sink, struct fault *fault)
{
    struct pack_sink *const self = sink->self;
    enum status const status = self->inner->reap(self->inner, fault);
    return status == STATUS_OK ? pass_done(self, fault) : status;
}

/* ---- waiting ---- */

static bool has_slot(const struct pack_sink *self)
{
    return pack_line_has_slot(&self->line);
}

static bool is_idle(const struct pack_sink *self)
{
    return pack_line_is_idle(&self->line);
}

static bool has_blocks(const struct pack_sink *self)
{
    return pack_out_has_room(&self->out);
}

static enum status look(struct pack_sink *self, struct fault *fault)
{
    enum status status = pack_reap(&self->sink, fault);
    if (status != STATUS_OK) return status;
    status = self->options.interrupted();
    if (status != STATUS_OK) return fault_set(fault, status, "stopped by a signal");
    if (!crew_is_stopped(self->options.crew)) return STATUS_OK;
    return fault_set(fault, STATUS_INTERNAL, "the run was stopped"); /* why, was said before */
}

/* Until something happened. What waits for its turn to be passed on is not the crew's any more. */
static void sleep_for_more(struct pack_sink *self, uint32_t ticket)
{
    bool const is_full = pack_line_first(&self->line) != NULL && !has_blocks(self);
    struct track_mark const mark = track_begin(self->options.track);
    wait_sleep_until(self->options.arrivals, ticket, self->options.now() + LOOK_NS);
    track_end(self->options.track, mark, is_full ? TRACK_WAIT_SINK : TRACK_WAIT_WORK, 0);
}

/* Until `is_so`; see the header for why that comes. */
static enum status wait_until(struct pack_sink *self, bool (*is_so)(const struct pack_sink *self),
                              struct fault *fault)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !is_so(self)) {
        uint32_t const ticket = wait_prepare(self->options.arrivals);
        status = look(self, fault);
        if (status != STATUS_OK || is_so(self))
            wait_cancel(self->options.arrivals);
        else
            sleep_for_more(self, ticket);
    }
    return status;
}

/* ---- units ---- */

/* The file's unit goes to a worker. An empty one that has no bytes has its place in the order only. */
static enum status send_unit(struct pack_sink *self, uint32_t number, bool is_last, struct fault *fault)
{
    enum status const status = wait_until(self, has_slot, fault);
    if (status != STATUS_OK) return status;
    struct pack_file *const file = &self->files[number];
    bool const is_needed =
        file->unit_length != 0 || (file->taken == 0 && pack_has_empty_unit(self->options.kind));
    pack_line_send(&self->line, number, file->unit, file->unit_length, is_last, is_needed);
    file->unit = NULL;
    file->unit_length = 0;
    return STATUS_OK;
}

static enum status fill_units(struct pack_sink *self, uint32_t number, const uint8_t *bytes, size_t length,
                              struct fault *fault)
{
    struct pack_file *const file = &self->files[number];
    while (length != 0) {
        if (file->unit == NULL) file->unit = pack_line_unit(&self->line);
        size_t const room = self->options.unit - file->unit_length;
        size_t const step = length < room ? length : room;
        memcpy(file->unit + file->unit_length, bytes, step);
        file->unit_length += step;
        file->taken += step;
        bytes += step;
        length -= step;
        if (file->unit_length < self->options.unit) continue;
        enum status const status = send_unit(self, number, false, fault);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* ---- the port ---- */

static enum status add_file(struct pack_sink *self, const char *name, enum sink_stage stage,
                            struct fault *fault)
{
    if (self->file_count == self->file_room) {
        uint32_t const room = self->file_room == 0 ? 16 : 2 * self->file_room;
        struct pack_file *const files = realloc(self->files, room * sizeof *files);
        if (files == NULL) return fault_set(fault, STATUS_IO, "no memory for the list of %u files", room);
        self->files = files;
        self->file_room = room;
    }
    size_t const size = strlen(name) + 1;
    char *const kept = malloc(size);
    if (kept == NULL) return fault_set(fault, STATUS_IO, "no memory for the name of a file");
    memcpy(kept, name, size);
    self->files[self->file_count] =
        (struct pack_file){.name = kept, .stage = stage, .open = true, .stream = {.file = self->file_count}};
    self->file_count++;
    self->open++;
    if (stage == SINK_DATA) self->open_data++;
    return STATUS_OK;
}

static enum status pack_begin(struct sink *sink, uint32_t file, const char *name, enum sink_stage stage,
                              struct fault *fault)
{
    struct pack_sink *const self = sink->self;
    if (file != self->file_count || (stage == SINK_DATA && self->open_data == self->options.open))
        return out_of_order("begin()", fault);
    enum status status = add_file(self, name, stage, fault);
    if (status == STATUS_OK && stage != SINK_DATA) status = wait_until(self, is_idle, fault);
    if (status == STATUS_OK && is_idle(self)) status = begin_up_to(self, file, fault);
    return status;
}

/* NULL: it is none. */
static struct pack_file *open_file(struct pack_sink *self, uint32_t file)
{
    return file < self->file_count && self->files[file].open ? &self->files[file] : NULL;
}

/* Bytes of a file that is not compressed, some at a time, as blocks come. It keeps no block between calls. */
static enum status pass_plain(struct pack_sink *self, struct pack_file *file, const uint8_t *bytes,
                              size_t length, struct fault *fault)
{
    enum status status = STATUS_OK;
    file->taken += length;
    while (status == STATUS_OK && length != 0) {
        size_t const step = length < self->options.unit ? length : self->options.unit;
        status = wait_until(self, has_blocks, fault);
        if (status == STATUS_OK) status = pack_out_add(&self->out, &file->stream, bytes, step, fault);
        bytes += step;
        length -= step;
    }
    return status == STATUS_OK ? pack_out_flush(&self->out, &file->stream, fault) : status;
}

static enum status pack_write(struct sink *sink, uint32_t file, const struct sink_piece *piece,
                              struct fault *fault)
{
    struct pack_sink *const self = sink->self;
    struct pack_file *const open = open_file(self, file);
    enum status status;
    if (open == NULL)
        status = out_of_order("write()", fault);
    else if (open->stage == SINK_DATA)
        status = fill_units(self, file, piece->bytes, piece->length, fault);
    else
        status = pass_plain(self, open, piece->bytes, piece->length, fault);
    if (piece->owner != NULL && sink->home != NULL) sink->home(sink->home_context, piece);
    return status;
}

static enum status pack_end(struct sink *sink, uint32_t file, uint64_t rows, uint64_t bytes,
                            struct fault *fault)
{
    struct pack_sink *const self = sink->self;
    struct pack_file *const open = open_file(self, file);
    if (open == NULL) return out_of_order("end()", fault);
    if (bytes != open->taken || rows > bytes) /* a row has a line end at least */
        return fault_set(fault, STATUS_INTERNAL,
                         "compression: file %" PRIu32 " was given %" PRIu64 " bytes, counted %" PRIu64
                         " (%" PRIu64 " rows); this is a bug: report it",
                         file + 1, open->taken, bytes, rows);
    open->open = false;
    self->open--;
    if (open->stage == SINK_DATA) self->open_data--;
    return open->stage == SINK_DATA ? send_unit(self, file, true, fault) : pass_end(self, open, fault);
}

static bool pack_drained(const struct sink *sink)
{
    const struct pack_sink *const self = sink->self;
    return is_idle(self) && (self->inner->drained == NULL || self->inner->drained(self->inner));
}

static void pack_stored(const struct sink *sink, uint32_t file, struct sink_stored *stored)
{
    const struct pack_sink *const self = sink->self;
    *stored = self->files[file].stream.stored;
}

static enum status pack_commit(struct sink *sink, struct fault *fault)
{
    struct pack_sink *const self = sink->self;
    if (self->open != 0 || !is_idle(self)) return out_of_order("commit()", fault);
    return self->inner->commit(self->inner, fault);
}

static void pack_abort(struct sink *sink)
{
    struct pack_sink *const self = sink->self;
    self->inner->abort(self->inner);
}

static void pack_url(const struct sink *sink, const char *name, char *out, size_t size)
{
    const struct pack_sink *const self = sink->self;
    self->inner->url(self->inner, name, out, size);
}

/* ---- set-up and tear-down ---- */

static struct pack_out_rules out_rules(const struct pack_sink_options *options)
{
    return (struct pack_out_rules){.checksum = options->checksum,
                                   .block_bytes = options->block_bytes,
                                   .add_max = pack_room(options->kind, options->unit) + 2 * PACK_ENDS_MAX,
                                   .hold = options->hold,
                                   .open = options->open};
}

uint64_t pack_sink_memory(const struct pack_sink_options *options, uint32_t workers)
{
    struct pack_out_rules const rules = out_rules(options);
    return pack_out_memory(&rules) + crew_memory(workers) +
           pack_line_memory(options->kind, options->unit, options->open, workers);
}

static void pack_destroy(struct sink *sink)
{
    if (sink == NULL) return;
    struct pack_sink *const self = sink->self;
    self->inner->destroy(self->inner);
    for (uint32_t f = 0; f < self->file_count; f++)
        free(self->files[f].name);
    pack_out_destroy(&self->out);
    pack_line_destroy(&self->line);
    free(self->files);
    free(self);
}

struct sink *pack_sink_create(const struct pack_sink_options *options, struct sink *inner,
                              struct fault *fault)
{
    struct pack_sink *const self = calloc(1, sizeof *self);
    if (self == NULL) {
        inner->destroy(inner);
        fault_set(fault, STATUS_IO, "no memory to compress");
        return NULL;
    }
    self->options = *options;
    self->inner = inner;
    self->sink = (struct sink){.self = self,
                               .begin = pack_begin,
                               .write = pack_write,
                               .end = pack_end,
                               .reap = pack_reap,
                               .drained = pack_drained,
                               .stored = pack_stored,
                               .commit = pack_commit,
                               .abort = pack_abort,
                               .url = pack_url,
                               .destroy = pack_destroy};
    struct pack_out_rules const rules = out_rules(options);
    if (pack_line_create(&self->line, options->kind, options->unit, options->open, options->crew) &&
        pack_out_create(&self->out, &rules, inner))
        return &self->sink;
    pack_destroy(&self->sink);
    fault_set(fault, STATUS_IO, "no memory to compress; try fewer --threads");
    return NULL;
}

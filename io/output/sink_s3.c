/* sink_s3.c - the port of the S3 sink: order of calls, back-pressure, what becomes of a file at its end.
 * Thread: the assembler's alone, as sink.h says; destroy after join, by the same thread. Owns the delivery;
 * pieces are borrowed until they go home. */
#include "io/output/sink_s3.h"

#include "io/output/s3_abort.h"
#include "io/output/s3_commit.h"
#include "io/output/s3_delivery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks of copies beside those that the parts being filled take: of each file the one that its part began in
 * and the one being filled; one left behind, and one more to go on in (s3_hold.h). */
#define FILE_BLOCKS  2u
#define SPARE_BLOCKS 2u
/* What a call takes here and in the client: struct s3_errand, its attempt, spans. */
#define CALL_BYTES (16u << 10)

enum sink_state { SINK_OPEN, SINK_FAILED, SINK_COMMITTED, SINK_ABORTED };

struct sink_s3 {
    struct sink sink;
    struct s3_delivery delivery;
    enum sink_state state;
    struct s3_upload **open; /* the files that are */
    uint32_t open_count, open_room;
    uint32_t data_count, data_open; /* files of rows; of these, open */
};

static uint32_t open_files_of(const struct sink_s3_options *options)
{
    return options->open_files == 0 ? 1 : options->open_files;
}

uint64_t sink_s3_fill(const struct sink_s3_options *options)
{
    return options->fill != 0 ? options->fill : open_files_of(options) * options->part_size;
}

uint64_t sink_s3_copies(const struct sink_s3_options *options)
{
    uint64_t const blocks = (uint64_t)FILE_BLOCKS * open_files_of(options) + SPARE_BLOCKS;
    return sink_s3_fill(options) + blocks * options->chunk_bytes;
}

uint64_t sink_s3_memory(const struct sink_s3_options *options)
{
    return sink_s3_copies(options) + S3_KEPT_MAX +
           (uint64_t)S3_CALLS_A_CONNECTION * options->connections * CALL_BYTES;
}

/* After any failure only abort() and destroy() may follow. */
static enum status fail(struct sink_s3 *self, enum status status)
{
    if (status == STATUS_OK) return STATUS_OK;
    self->state = SINK_FAILED;
    self->delivery.failed = true;
    return status;
}

static enum status out_of_order(struct sink_s3 *self, const char *call, struct fault *fault)
{
    return fail(self,
                fault_set(fault, STATUS_INTERNAL,
                          "destination S3: %s was called out of order; this is a bug: report it", call));
}

/* ---- while rows come ---- */

/* Copies that there is room for now let chunks go home; without anything on its way there must be room, or
 * nothing would ever make any. */
static enum status tidy(struct sink_s3 *self, struct fault *fault)
{
    struct s3_holds *const holds = &self->delivery.holds;
    enum status status = STATUS_OK;
    if (holds->waiting == 0 && !s3_holds_pin_too_much(holds, 0)) return STATUS_OK;
    for (uint32_t i = 0; i < self->open_count && status == STATUS_OK; i++)
        status = s3_upload_tidy(self->open[i], holds, self->delivery.out == 0, fault);
    return status;
}

/* Settles what came back. */
static enum status reap(struct sink_s3 *self, struct fault *fault)
{
    enum status const status = s3_delivery_reap(&self->delivery, fault);
    return status == STATUS_OK ? tidy(self, fault) : status;
}

static bool is_too_much_out(const struct s3_delivery *delivery)
{
    if (delivery->out == 0) return false; /* there is nothing to wait for */
    size_t const most = (size_t)S3_CALLS_A_CONNECTION * delivery->options.connections;
    return delivery->out + delivery->queued >= most ||
           delivery->holds.blocks_now >= delivery->holds.blocks_max;
}

static enum status wait_for_room(struct sink_s3 *self, struct fault *fault)
{
    struct s3_delivery *const delivery = &self->delivery;
    for (;;) {
        enum status status = reap(self, fault);
        if (status != STATUS_OK || !is_too_much_out(delivery)) return status;
        status = s3_delivery_interrupted(delivery, fault);
        if (status != STATUS_OK) return status;
        s3_client_wait(delivery->options.client);
    }
}

/* Is the name taken? The first file waits for the answer. */
static enum status look(struct sink_s3 *self, struct s3_upload *upload, bool wait, struct fault *fault)
{
    struct s3_delivery *const delivery = &self->delivery;
    if (delivery->options.replace) return STATUS_OK;
    struct s3_errand *const errand = s3_delivery_look(delivery, upload, fault);
    if (errand == NULL) return STATUS_IO;
    if (!wait) {
        s3_errand_submit(delivery, errand);
        return STATUS_OK;
    }
    s3_client_run(delivery->options.client, &errand->call, false);
    return s3_delivery_settle(delivery, errand, fault);
}

/* The sizes are made for a number of files (sink_s3_options.open_files), which more of them would break. */
static enum status check_count(struct sink_s3 *self, enum sink_stage stage, struct fault *fault)
{
    const struct sink_s3_options *const options = &self->delivery.options;
    if (stage != SINK_DATA) return STATUS_OK;
    if (self->data_count >= S3_FILES_MAX)
        return fault_set(fault, STATUS_JOB,
                         "destination s3://%s/%s: more than %u files in one run: raise files.max_rows or "
                         "files.max_bytes",
                         options->bucket, options->prefix, S3_FILES_MAX);
    if (self->data_open >= open_files_of(options))
        return fault_set(fault, STATUS_INTERNAL,
                         "destination S3: more than %u files are open at once; this is a bug: report it",
                         open_files_of(options));
    return STATUS_OK;
}

static enum status note_open(struct sink_s3 *self, struct s3_upload *upload, struct fault *fault)
{
    if (self->open_count == self->open_room) {
        uint32_t const room = self->open_room == 0 ? 4 : 2 * self->open_room;
        struct s3_upload **const open = reallocarray(self->open, room, sizeof(void *));
        if (open == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left for the list of files");
        self->open = open;
        self->open_room = room;
    }
    upload->open_place = self->open_count;
    self->open[self->open_count++] = upload;
    self->data_count += upload->stage == SINK_DATA;
    self->data_open += upload->stage == SINK_DATA;
    return STATUS_OK;
}

static void note_ended(struct sink_s3 *self, const struct s3_upload *upload)
{
    struct s3_upload *const last = self->open[--self->open_count];
    self->open[upload->open_place] = last;
    last->open_place = upload->open_place;
    self->data_open -= upload->stage == SINK_DATA;
}

static enum status begin(struct sink_s3 *self, uint32_t file, const char *name, enum sink_stage stage,
                         struct fault *fault)
{
    struct s3_delivery *const delivery = &self->delivery;
    enum status status = check_count(self, stage, fault);
    if (status == STATUS_OK) status = wait_for_room(self, fault);
    if (status != STATUS_OK) return status;
    struct s3_upload *const upload = s3_delivery_add(delivery, name, stage, fault);
    if (upload == NULL) return fault == NULL ? STATUS_IO : fault->status;
    status = note_open(self, upload, fault);
    if (status != STATUS_OK) return status;
    /* a name without {part} shows at once; s3_commit.c looks at all pairs */
    const struct s3_upload *const before = file == 0 ? NULL : delivery->uploads[file - 1];
    if (before != NULL && strcmp(before->key, upload->key) == 0)
        return s3_delivery_same_name(delivery, before, upload, fault);
    return look(self, upload, file == 0, fault);
}

static enum status s3_begin(struct sink *sink, uint32_t file, const char *name, enum sink_stage stage,
                            struct fault *fault)
{
    struct sink_s3 *const self = sink->self;
    if (self->state != SINK_OPEN || file != self->delivery.count || name[0] == '\0')
        return out_of_order(self, "begin()", fault);
    return fail(self, begin(self, file, name, stage, fault));
}

/* NULL: it is not open. */
static struct s3_upload *open_file(const struct sink_s3 *self, uint32_t file)
{
    if (self->state != SINK_OPEN || file >= self->delivery.count) return NULL;
    struct s3_upload *const upload = self->delivery.uploads[file];
    return upload->ended ? NULL : upload;
}

static enum status s3_write(struct sink *sink, uint32_t file, const struct sink_piece *piece,
                            struct fault *fault)
{
    struct sink_s3 *const self = sink->self;
    struct s3_delivery *const delivery = &self->delivery;
    struct s3_upload *const upload = open_file(self, file);
    if (upload == NULL) {
        s3_holds_home(&delivery->holds, piece);
        return out_of_order(self, "write()", fault);
    }
    enum status status =
        s3_upload_take(upload, &delivery->rules, &delivery->holds, piece, delivery->out == 0, fault);
    if (status == STATUS_OK) status = s3_delivery_send(delivery, upload, fault);
    return fail(self, status);
}

/* Manifests and tokens don't count: those of a run have some 15 MB in all (S3_FILES_MAX files of 150 bytes),
 * at a time when no rows are held. */
static bool is_to_be_kept(const struct s3_delivery *delivery, const struct s3_upload *upload)
{
    uint64_t const length = s3_upload_filled(upload);
    if (upload->part_count != 0) return false;
    if (length == 0) return true;
    return length < S3_SMALL_FILE && (upload->stage != SINK_DATA || length <= S3_KEPT_MAX - delivery->kept);
}

static enum status end(struct sink_s3 *self, struct s3_upload *upload, uint64_t rows, uint64_t bytes,
                       struct fault *fault)
{
    struct s3_delivery *const delivery = &self->delivery;
    bool const keep = is_to_be_kept(delivery, upload);
    enum status const status = s3_upload_end(upload, &delivery->rules, &delivery->holds, keep, fault);
    note_ended(self, upload);
    if (status != STATUS_OK) return status;
    if (bytes != upload->size || rows > bytes) { /* a row has a line end at least */
        char url[S3_DELIVERY_URL_SIZE];
        return fault_set(fault, STATUS_INTERNAL,
                         "%s: %" PRIu64 " bytes were written, %" PRIu64 " counted (%" PRIu64
                         " rows); this is a bug: report it",
                         s3_delivery_url(delivery, upload, url), upload->size, bytes, rows);
    }
    if (keep && upload->stage == SINK_DATA) delivery->kept += bytes;
    return s3_delivery_send(delivery, upload, fault);
}

static enum status s3_end(struct sink *sink, uint32_t file, uint64_t rows, uint64_t bytes,
                          struct fault *fault)
{
    struct sink_s3 *const self = sink->self;
    struct s3_upload *const upload = open_file(self, file);
    if (upload == NULL) return out_of_order(self, "end()", fault);
    return fail(self, end(self, upload, rows, bytes, fault));
}

static enum status s3_reap(struct sink *sink, struct fault *fault)
{
    struct sink_s3 *const self = sink->self;
    if (self->state != SINK_OPEN) return STATUS_OK;
    return fail(self, reap(self, fault));
}

/* ---- the end of the run ---- */

static enum status wait_for_all(struct sink_s3 *self, struct fault *fault)
{
    struct s3_delivery *const delivery = &self->delivery;
    for (;;) {
        enum status status = reap(self, fault);
        if (status != STATUS_OK || delivery->out == 0) return status;
        status = s3_delivery_interrupted(delivery, fault);
        if (status != STATUS_OK) return status;
        s3_client_wait(delivery->options.client);
    }
}

static enum status s3_sink_commit(struct sink *sink, struct fault *fault)
{
    struct sink_s3 *const self = sink->self;
    if (self->state != SINK_OPEN || self->open_count != 0) return out_of_order(self, "commit()", fault);
    enum status status = wait_for_all(self, fault);
    if (status == STATUS_OK) status = s3_commit(&self->delivery, fault);
    if (status != STATUS_OK) return fail(self, status);
    self->state = SINK_COMMITTED;
    return STATUS_OK;
}

static void s3_sink_abort(struct sink *sink)
{
    struct sink_s3 *const self = sink->self;
    if (self->state == SINK_COMMITTED || self->state == SINK_ABORTED) return;
    s3_abort(&self->delivery);
    self->state = SINK_ABORTED;
}

static void s3_url(const struct sink *sink, const char *name, char *out, size_t size)
{
    const struct sink_s3 *const self = sink->self;
    snprintf(out, size, "s3://%s/%s%s", self->delivery.options.bucket, self->delivery.options.prefix, name);
}

static void s3_destroy(struct sink *sink)
{
    if (sink == NULL) return;
    struct sink_s3 *const self = sink->self;
    s3_sink_abort(sink); /* nothing after commit() or abort(); without either, no trace is left */
    s3_delivery_end(&self->delivery);
    free(self->open);
    free(self);
}

struct sink *sink_s3_create(const struct sink_s3_options *options, struct fault *fault)
{
    struct sink_s3 *const self = calloc(1, sizeof *self);
    if (self == NULL) {
        fault_set(fault, STATUS_IO, "destination S3: no memory left");
        return NULL;
    }
    if (s3_delivery_start(&self->delivery, options, &self->sink, fault) != STATUS_OK) {
        free(self);
        return NULL;
    }
    self->sink = (struct sink){.self = self,
                               .background = true,
                               .begin = s3_begin,
                               .write = s3_write,
                               .end = s3_end,
                               .reap = s3_reap,
                               .commit = s3_sink_commit,
                               .abort = s3_sink_abort,
                               .url = s3_url,
                               .destroy = s3_destroy};
    return &self->sink;
}

/* sink_directory.c - the sink that writes a directory. Thread: the assembler's alone, as sink.h says; destroy
 * after join. Owns: the directory's and the current file's descriptors, the list of files, all temporary
 * files and made directories until commit() or abort(). Pieces are borrowed inside write() and go home at its
 * end. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sync_file_range */
#endif
#include "io/output/sink_directory.h"

#include "core/base/limits.h"
#include "io/output/file_name.h"
#include "io/output/output_directory.h"
#include "io/output/output_fs.h"
#include "io/output/output_publish.h"
#include "io/output/output_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes after which the kernel is asked to start writing them back, so that the disk works while we convert
 * and the fsync of end() finds little left. Large enough for full-size disk requests (a few MiB), small
 * enough that at most this much is waited for behind the converter's back. */
#define WRITEBACK_BYTES (8u * LIMIT_MIB)

enum sink_state { SINK_OPEN, SINK_FAILED, SINK_COMMITTED, SINK_ABORTED };

struct sink_directory {
    struct sink sink;
    struct output_directory directory;
    struct output_place place;
    char *run_id;
    struct output_file *files;
    size_t file_count;
    size_t file_capacity;
    enum sink_state state;
    int fd;           /* of the current file, the last of `files`; -1: none */
    uint64_t bytes;   /* written to it */
    uint64_t started; /* the bytes before this are on their way to the disk */
};

/* After any failure only abort() and destroy() may follow. */
static enum status fail(struct sink_directory *self, enum status status)
{
    self->state = SINK_FAILED;
    return status;
}

static enum status out_of_order(struct sink_directory *self, const char *call, struct fault *fault)
{
    return fail(self, fault_set(fault, STATUS_INTERNAL,
                                "destination directory: %s was called out of order; this is a bug: report it",
                                call));
}

/* "DIRECTORY/NAME: DOING: error; remedy" */
static enum status file_fault(const struct sink_directory *self, enum status status, int error,
                              const char *doing, const char *name, struct fault *fault)
{
    char path[OUTPUT_TEXT_PRINTABLE];
    self->sink.url(&self->sink, name, path, sizeof path);
    return output_fs_fault(fault, status, error, doing, path);
}

static enum status reserve_file(struct sink_directory *self, struct fault *fault)
{
    if (self->file_count >= SINK_DIRECTORY_FILES_MAX)
        return fault_set(fault, STATUS_JOB,
                         "destination directory: more than %u files in one run: raise files.max_rows or "
                         "files.max_bytes",
                         SINK_DIRECTORY_FILES_MAX);
    if (self->file_count < self->file_capacity) return STATUS_OK;
    size_t const capacity = self->file_capacity == 0 ? 16 : self->file_capacity * 2;
    struct output_file *const files = reallocarray(self->files, capacity, sizeof *files);
    if (files == NULL)
        return fault_set(fault, STATUS_IO, "destination directory: no memory left for the list of files");
    self->files = files;
    self->file_capacity = capacity;
    return STATUS_OK;
}

static bool is_name_of_this_run(const struct sink_directory *self, const char *name)
{
    for (size_t i = 0; i < self->file_count; i++)
        if (strcmp(self->files[i].name, name) == 0) return true;
    return false;
}

/* The temporary name is taken: by this run, by a run that was killed, or by one that is going on. No status
 * 73 for these: that one says that a delivery is there. */
static enum status temporary_taken(const struct sink_directory *self, const char *name, const char *temporary,
                                   struct fault *fault)
{
    if (!is_name_of_this_run(self, name))
        return file_fault(self, STATUS_IO, EEXIST, "making the temporary file", temporary, fault);
    char shown[OUTPUT_TEXT_PRINTABLE];
    return fault_set(
        fault, STATUS_JOB,
        "files.name: gives \"%s\" for two files of this run: have {part} in it, or no limit of rows or "
        "bytes",
        output_text_printable(name, shown, sizeof shown));
}

static enum status open_temporary(struct sink_directory *self, const char *name, struct fault *fault)
{
    char temporary[FILE_NAME_SIZE];
    file_name_temporary(name, self->run_id, temporary);
    char *const kept = strdup(name);
    if (kept == NULL) return fault_set(fault, STATUS_IO, "destination directory: no memory left for a name");
    int const fd =
        output_fs_open_at(self->directory.fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
    int error = fd < 0 ? errno : 0;
    struct stat made;
    if (fd >= 0 && fstat(fd, &made) != 0) {
        error = errno;
        output_fs_close(fd);
        unlinkat(self->directory.fd, temporary, 0); /* O_EXCL: it was ours a moment ago */
    }
    if (error != 0) {
        free(kept);
        if (error == EEXIST) return temporary_taken(self, name, temporary, fault);
        return file_fault(self, output_fs_place_status(error), error, "making the temporary file", temporary,
                          fault);
    }
    self->files[self->file_count++] = (struct output_file){
        .name = kept, .device = made.st_dev, .inode = made.st_ino, .state = OUTPUT_FILE_TEMPORARY};
    self->fd = fd;
    self->bytes = 0;
    self->started = 0;
    return STATUS_OK;
}

static enum status directory_begin(struct sink *sink, uint32_t file, const char *name, enum sink_stage stage,
                                   struct fault *fault)
{
    (void)stage; /* all data so far */
    struct sink_directory *const self = sink->self;
    if (self->state != SINK_OPEN || self->fd >= 0 || file != self->file_count)
        return out_of_order(self, "begin()", fault);
    enum status status = file_name_check(name, self->run_id, fault);
    if (status == STATUS_OK) status = output_publish_check(&self->place, name, fault);
    if (status == STATUS_OK) status = reserve_file(self, fault);
    if (status == STATUS_OK) status = open_temporary(self, name, fault);
    if (status == STATUS_OK && file == 0) status = output_publish_probe(&self->place, &self->files[0], fault);
    return status == STATUS_OK ? STATUS_OK : fail(self, status);
}

/* One file is open at a time: the last one. */
static bool is_open(const struct sink_directory *self, uint32_t file)
{
    return self->state == SINK_OPEN && self->fd >= 0 && file == self->file_count - 1;
}

/* Advice, but for the errors that fsync would tell later: better now. */
static int start_writeback(struct sink_directory *self)
{
    uint64_t const from = self->started;
    if (self->bytes - from < WRITEBACK_BYTES) return 0;
    self->started = self->bytes;
    if (sync_file_range(self->fd, (off_t)from, (off_t)(self->bytes - from), SYNC_FILE_RANGE_WRITE) == 0)
        return 0;
    return errno == EIO || errno == ENOSPC || errno == EDQUOT ? errno : 0;
}

static enum status write_piece(struct sink_directory *self, uint32_t file, const struct sink_piece *piece,
                               struct fault *fault)
{
    if (!is_open(self, file)) return out_of_order(self, "write()", fault);
    int error = output_fs_write(self->fd, piece->bytes, piece->length);
    if (error == 0) {
        self->bytes += piece->length;
        error = start_writeback(self);
    }
    if (error == 0) return STATUS_OK;
    const char *const name = self->files[self->file_count - 1].name;
    return fail(self, file_fault(self, STATUS_IO, error, "writing", name, fault));
}

static enum status directory_write(struct sink *sink, uint32_t file, const struct sink_piece *piece,
                                   struct fault *fault)
{
    enum status const status = write_piece(sink->self, file, piece, fault);
    if (piece->owner != NULL && sink->home != NULL) sink->home(sink->home_context, piece);
    return status;
}

static enum status check_bytes(const struct sink_directory *self, uint64_t rows, uint64_t bytes,
                               struct fault *fault)
{
    struct stat now;
    const char *const name = self->files[self->file_count - 1].name;
    if (fstat(self->fd, &now) != 0)
        return file_fault(self, STATUS_IO, errno, "looking up its size", name, fault);
    char shown[OUTPUT_TEXT_PRINTABLE];
    output_text_printable(name, shown, sizeof shown);
    if (bytes != self->bytes || rows > bytes) /* a row has a line end at least */
        return fault_set(fault, STATUS_INTERNAL,
                         "%s: %" PRIu64 " bytes were written, %" PRIu64 " counted (%" PRIu64
                         " rows); this is a bug: report it",
                         shown, self->bytes, bytes, rows);
    if ((uint64_t)now.st_size == bytes) return STATUS_OK;
    return fault_set(fault, STATUS_IO,
                     "%s: has %" PRIu64 " bytes after %" PRIu64
                     " were written: another program wrote to it, or the "
                     "file system failed; run again",
                     shown, (uint64_t)now.st_size, bytes);
}

static enum status directory_end(struct sink *sink, uint32_t file, uint64_t rows, uint64_t bytes,
                                 struct fault *fault)
{
    struct sink_directory *const self = sink->self;
    if (!is_open(self, file)) return out_of_order(self, "end()", fault);
    const char *const name = self->files[self->file_count - 1].name;
    enum status status = check_bytes(self, rows, bytes, fault);
    int error = status == STATUS_OK ? output_fs_sync(self->fd) : 0;
    if (error != 0) status = file_fault(self, STATUS_IO, error, "fsync", name, fault);
    error = output_fs_close(self->fd);
    self->fd = -1;
    if (error != 0 && status == STATUS_OK)
        status = file_fault(self, STATUS_IO, error, "closing", name, fault);
    return status == STATUS_OK ? STATUS_OK : fail(self, status);
}

static enum status directory_reap(struct sink *sink, struct fault *fault)
{
    (void)sink; /* write() gave everything home */
    (void)fault;
    return STATUS_OK;
}

/* Newest first, as things are undone. */
static void take_all_back(struct sink_directory *self)
{
    for (size_t i = self->file_count; i > 0; i--)
        output_publish_take_back(&self->place, &self->files[i - 1]);
}

static enum status settle_all(struct sink_directory *self, struct fault *fault)
{
    enum status first = STATUS_OK;
    for (size_t i = 0; i < self->file_count; i++) {
        struct fault *const told = first == STATUS_OK ? fault : NULL;
        enum status const status = output_publish_settle(&self->place, &self->files[i], told);
        if (first == STATUS_OK) first = status;
    }
    return first;
}

static enum status directory_commit(struct sink *sink, struct fault *fault)
{
    struct sink_directory *const self = sink->self;
    if (self->state != SINK_OPEN || self->fd >= 0) return out_of_order(self, "commit()", fault);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < self->file_count && status == STATUS_OK; i++)
        status = output_publish(&self->place, &self->files[i], fault);
    if (status == STATUS_OK) status = output_directory_sync(&self->directory, fault);
    if (status != STATUS_OK) {
        take_all_back(self);
        return fail(self, status);
    }
    self->state = SINK_COMMITTED;
    return settle_all(self, fault);
}

static void directory_abort(struct sink *sink)
{
    struct sink_directory *const self = sink->self;
    if (self->fd >= 0) output_fs_close(self->fd); /* its content is thrown away */
    self->fd = -1;
    if (self->state == SINK_COMMITTED || self->state == SINK_ABORTED) return;
    take_all_back(self);
    output_directory_remove_made(&self->directory);
    self->state = SINK_ABORTED;
}

static void directory_url(const struct sink *sink, const char *name, char *out, size_t size)
{
    const struct sink_directory *const self = sink->self;
    size_t const length = strlen(self->directory.path);
    bool const has_slash = self->directory.path[length - 1] == '/'; /* "/" itself */
    snprintf(out, size, "%s%s%s", self->directory.path, has_slash ? "" : "/", name);
}

static void directory_destroy(struct sink *sink)
{
    if (sink == NULL) return;
    struct sink_directory *const self = sink->self;
    directory_abort(sink); /* nothing after commit() or abort(); without either, no trace is left */
    for (size_t i = 0; i < self->file_count; i++)
        free(self->files[i].name);
    free(self->files);
    free(self->run_id);
    output_directory_close(&self->directory);
    free(self);
}

struct sink *sink_directory_create(const char *path, const char *run_id, bool replace, struct fault *fault)
{
    if (file_name_check("name", run_id, fault) != STATUS_OK) return NULL; /* is about the run id */
    struct sink_directory *const self = calloc(1, sizeof *self);
    char *const kept = strdup(run_id);
    if (self == NULL || kept == NULL) {
        fault_set(fault, STATUS_IO, "destination directory: no memory left");
    } else if (output_directory_open(path, &self->directory, fault) == STATUS_OK) {
        self->run_id = kept;
        self->fd = -1;
        self->place =
            (struct output_place){.directory = &self->directory, .run_id = kept, .replace = replace};
        self->sink = (struct sink){.self = self,
                                   .begin = directory_begin,
                                   .write = directory_write,
                                   .end = directory_end,
                                   .reap = directory_reap,
                                   .commit = directory_commit,
                                   .abort = directory_abort,
                                   .url = directory_url,
                                   .destroy = directory_destroy};
        return &self->sink;
    }
    free(kept);
    free(self);
    return NULL;
}

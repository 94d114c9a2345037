/* sink_directory.c - the sink that writes a directory. Thread: the assembler's alone, as sink.h says; destroy
 * after join. Owns: the directory's and the open files' descriptors, the list of files, all temporary files
 * and made directories until commit() or abort(). Pieces are borrowed inside write() and go home at its end.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sync_file_range */
#endif
#include "io/output/sink_directory.h"

#include "core/base/limits.h"
#include "io/output/directory_commit.h"
#include "io/output/file_name.h"
#include "io/output/leftovers.h"
#include "io/output/output_directory.h"
#include "io/output/output_folders.h"
#include "io/output/output_fs.h"
#include "io/output/output_path.h"
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
    char *run_id;
    struct directory_files files;
    struct former_rules former;
    size_t data_count; /* of them, files of rows */
    size_t open_count; /* of them, open */
    enum sink_state state;
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

static enum status reserve_file(struct sink_directory *self, enum sink_stage stage, struct fault *fault)
{
    if (stage == SINK_DATA && self->data_count >= SINK_DIRECTORY_FILES_MAX)
        return fault_set(fault, STATUS_JOB,
                         "destination directory: more than %u files in one run: raise files.max_rows or "
                         "files.max_bytes",
                         SINK_DIRECTORY_FILES_MAX);
    if (self->files.count < self->files.room) return STATUS_OK;
    size_t const capacity = self->files.room == 0 ? 16 : self->files.room * 2;
    struct directory_file *const files = reallocarray(self->files.list, capacity, sizeof *files);
    if (files == NULL)
        return fault_set(fault, STATUS_IO, "destination directory: no memory left for the list of files");
    self->files.list = files;
    self->files.room = capacity;
    return STATUS_OK;
}

static bool is_name_of_this_run(const struct sink_directory *self, const char *name)
{
    for (size_t i = 0; i < self->files.count; i++)
        if (strcmp(self->files.list[i].file.name, name) == 0) return true;
    return false;
}

/* The temporary name is taken: by this run, by a run that was killed, or by one that is going on. No status
 * 73 for these: that one says that a delivery is there. */
static enum status temporary_taken(const struct sink_directory *self, const char *name, const char *temporary,
                                   enum sink_stage stage, struct fault *fault)
{
    if (!is_name_of_this_run(self, name))
        return file_fault(self, STATUS_IO, EEXIST, "making the temporary file", temporary, fault);
    char shown[OUTPUT_TEXT_PRINTABLE];
    output_text_printable(name, shown, sizeof shown);
    if (stage != SINK_DATA)
        return fault_set(fault, STATUS_JOB,
                         "\"%s\" is the name of two files of this run: give files.name, pega.manifest and "
                         "pega.token that make different names",
                         shown);
    return fault_set(
        fault, STATUS_JOB,
        "files.name: gives \"%s\" for two files of this run: have {part} in it, or no limit of rows "
        "or bytes",
        shown);
}

static enum status open_fault(const struct sink_directory *self, const char *name, int error,
                              const char *temporary, struct fault *fault)
{
    if (error != EMFILE)
        return file_fault(self, output_fs_place_status(error), error, "making the temporary file", temporary,
                          fault);
    char shown[OUTPUT_TEXT_PRINTABLE];
    return fault_set(
        fault, STATUS_IO,
        "%s: can't be opened beside the %zu files that this run writes at once: raise the limit of "
        "open files (ulimit -n), or have fewer files at once (segments with segments.split, "
        "files.count)",
        output_text_printable(name, shown, sizeof shown), self->open_count);
}

static enum status open_temporary(struct sink_directory *self, const char *name, enum sink_stage stage,
                                  struct fault *fault)
{
    char temporary[OUTPUT_PATH_OTHER_SIZE];
    output_path_temporary(name, self->run_id, temporary);
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
        if (error == EEXIST) return temporary_taken(self, name, temporary, stage, fault);
        return open_fault(self, name, error, temporary, fault);
    }
    self->files.list[self->files.count++] = (struct directory_file){
        .file = {.name = kept, .device = made.st_dev, .inode = made.st_ino, .state = OUTPUT_FILE_TEMPORARY},
        .stage = stage,
        .fd = fd};
    self->data_count += stage == SINK_DATA;
    self->open_count++;
    return STATUS_OK;
}

/* Each folder may be a file system of its own. */
static enum status begin(struct sink_directory *self, const char *name, enum sink_stage stage,
                         struct fault *fault)
{
    bool first = false;
    enum status status = output_path_check(name, self->run_id, fault);
    if (status == STATUS_OK) status = output_publish_check(&self->files.place, name, fault);
    if (status == STATUS_OK) status = reserve_file(self, stage, fault);
    if (status == STATUS_OK) status = output_folders_make(&self->files.folders, name, &first, fault);
    if (status == STATUS_OK) status = open_temporary(self, name, stage, fault);
    if (status != STATUS_OK || !first) return status;
    return output_publish_probe(&self->files.place, &self->files.list[self->files.count - 1].file, fault);
}

static enum status directory_begin(struct sink *sink, uint32_t file, const char *name, enum sink_stage stage,
                                   struct fault *fault)
{
    struct sink_directory *const self = sink->self;
    if (self->state != SINK_OPEN || file != self->files.count) return out_of_order(self, "begin()", fault);
    enum status const status = begin(self, name, stage, fault);
    return status == STATUS_OK ? STATUS_OK : fail(self, status);
}

/* NULL: it is not open. */
static struct directory_file *open_file(const struct sink_directory *self, uint32_t file)
{
    bool const is_open =
        self->state == SINK_OPEN && file < self->files.count && self->files.list[file].fd >= 0;
    return is_open ? &self->files.list[file] : NULL;
}

/* Advice, but for the errors that fsync would tell later: better now. */
static int start_writeback(struct directory_file *file)
{
    uint64_t const from = file->started;
    if (file->file.size - from < WRITEBACK_BYTES) return 0;
    file->started = file->file.size;
    if (sync_file_range(file->fd, (off_t)from, (off_t)(file->file.size - from), SYNC_FILE_RANGE_WRITE) == 0)
        return 0;
    return errno == EIO || errno == ENOSPC || errno == EDQUOT ? errno : 0;
}

static enum status write_piece(struct sink_directory *self, uint32_t number, const struct sink_piece *piece,
                               struct fault *fault)
{
    struct directory_file *const file = open_file(self, number);
    if (file == NULL) return out_of_order(self, "write()", fault);
    int error = output_fs_write(file->fd, piece->bytes, piece->length);
    if (error == 0) {
        file->file.size += piece->length;
        error = start_writeback(file);
    }
    if (error == 0) return STATUS_OK;
    return fail(self, file_fault(self, STATUS_IO, error, "writing", file->file.name, fault));
}

static enum status directory_write(struct sink *sink, uint32_t file, const struct sink_piece *piece,
                                   struct fault *fault)
{
    enum status const status = write_piece(sink->self, file, piece, fault);
    if (piece->owner != NULL && sink->home != NULL) sink->home(sink->home_context, piece);
    return status;
}

static enum status check_bytes(const struct sink_directory *self, const struct directory_file *file,
                               uint64_t rows, uint64_t bytes, struct fault *fault)
{
    struct stat now;
    if (fstat(file->fd, &now) != 0)
        return file_fault(self, STATUS_IO, errno, "looking up its size", file->file.name, fault);
    char shown[OUTPUT_TEXT_PRINTABLE];
    output_text_printable(file->file.name, shown, sizeof shown);
    if (bytes != file->file.size || rows > bytes) /* a row has a line end at least */
        return fault_set(fault, STATUS_INTERNAL,
                         "%s: %" PRIu64 " bytes were written, %" PRIu64 " counted (%" PRIu64
                         " rows); this is a bug: report it",
                         shown, file->file.size, bytes, rows);
    if ((uint64_t)now.st_size == bytes) return STATUS_OK;
    return fault_set(fault, STATUS_IO,
                     "%s: has %" PRIu64 " bytes after %" PRIu64
                     " were written: another program wrote to it, or the "
                     "file system failed; run again",
                     shown, (uint64_t)now.st_size, bytes);
}

static int close_file(struct sink_directory *self, struct directory_file *file)
{
    int const error = output_fs_close(file->fd);
    file->fd = -1;
    self->open_count--;
    return error;
}

static enum status directory_end(struct sink *sink, uint32_t number, uint64_t rows, uint64_t bytes,
                                 struct fault *fault)
{
    struct sink_directory *const self = sink->self;
    struct directory_file *const file = open_file(self, number);
    if (file == NULL) return out_of_order(self, "end()", fault);
    const char *const name = file->file.name;
    enum status status = check_bytes(self, file, rows, bytes, fault);
    int error = status == STATUS_OK ? output_fs_sync(file->fd) : 0;
    if (error != 0) status = file_fault(self, STATUS_IO, error, "fsync", name, fault);
    error = close_file(self, file);
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

/* Of the folders that the run writes to: what other runs left unfinished. */
static void tell_leftovers(const struct sink_directory *self)
{
    const struct output_folders *const folders = &self->files.folders;
    struct leftovers leftovers = {.count = 0};
    for (size_t i = 0; i < folders->count; i++)
        if (folders->list[i].used)
            leftovers_count(&self->directory, folders->list[i].name, self->run_id, &leftovers);
    leftovers_tell(&leftovers, &self->directory, self->former.warn, self->former.warn_context);
}

static enum status commit(struct sink *sink, struct fault *fault)
{
    struct sink_directory *const self = sink->self;
    if (self->state != SINK_OPEN || self->open_count > 0) return out_of_order(self, "commit()", fault);
    tell_leftovers(self);
    enum status const status = directory_commit(&self->files, fault);
    self->state = status == STATUS_OK ? SINK_COMMITTED : SINK_FAILED;
    return status;
}

static void directory_abort(struct sink *sink)
{
    struct sink_directory *const self = sink->self;
    for (size_t i = 0; i < self->files.count && self->open_count > 0; i++)
        if (self->files.list[i].fd >= 0)
            close_file(self, &self->files.list[i]); /* its content is thrown away */
    if (self->state == SINK_COMMITTED || self->state == SINK_ABORTED) return;
    directory_take_back(&self->files); /* nothing was withdrawn, or commit() told of it */
    output_folders_remove_made(&self->files.folders);
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
    for (size_t i = 0; i < self->files.count; i++)
        free((char *)self->files.list[i].file.name); /* open_temporary()'s copy */
    free(self->files.list);
    output_folders_free(&self->files.folders);
    free(self->run_id);
    output_directory_close(&self->directory);
    free(self);
}

struct sink *sink_directory_create(const struct sink_directory_options *options, struct fault *fault)
{
    if (file_name_check("name", options->run_id, fault) != STATUS_OK) return NULL; /* is about the run id */
    struct sink_directory *const self = calloc(1, sizeof *self);
    char *const kept = strdup(options->run_id);
    if (self == NULL || kept == NULL) {
        fault_set(fault, STATUS_IO, "destination directory: no memory left");
    } else if (output_directory_open(options->path, &self->directory, fault) == STATUS_OK) {
        self->run_id = kept;
        self->former = options->former;
        self->files.rules = &self->former;
        self->files.interrupted = options->interrupted;
        self->files.folders.directory = &self->directory;
        self->files.place = (struct output_target){
            .directory = &self->directory, .run_id = kept, .replace = options->replace};
        self->sink = (struct sink){.self = self,
                                   .begin = directory_begin,
                                   .write = directory_write,
                                   .end = directory_end,
                                   .reap = directory_reap,
                                   .commit = commit,
                                   .abort = directory_abort,
                                   .url = directory_url,
                                   .destroy = directory_destroy};
        return &self->sink;
    }
    free(kept);
    free(self);
    return NULL;
}

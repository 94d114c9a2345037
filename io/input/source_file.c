/* source_file.c - local files as sources: one open descriptor, and a mapping or a buffer for each reader.
 * Around the page cache it is source_direct.c that reads.
 * Thread: as source_file.h says; what readers share (struct source_file) does not change while they run.
 * Owns: the descriptor, the mapping with its guard range, each reader's buffer.
 *
 * The mapping: first a reservation of anonymous zeroes, one page longer than the file's pages, then the file
 * fixed over its front. So LIMIT_PADDING bytes behind the file's end can be read whatever its size: they are
 * the zero-filled rest of its last page, or the page behind, which no truncation can take away. */
#include "io/input/source_file.h"

#include "core/base/limits.h"
#include "io/input/source_direct.h"
#include "io/input/source_guard.h"
#include "io/input/source_stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14, <linux/mman.h>; older kernels answer EINVAL */
#endif

struct source_file {
    struct source port;
    char *path;
    int descriptor;
    int range;                        /* the guard's; SOURCE_GUARD_NONE: not mapped */
    size_t page;                      /* bytes */
    uint8_t *base;                    /* NULL: not mapped */
    size_t reserved;                  /* bytes at base: the file's pages and one more */
    struct source_direct_file direct; /* its align is 0: not read around the page cache */
    struct source_stamp stamp;        /* at open */
};

struct source_reader {
    const struct source_file *file;
    size_t window_max;
    /* READ: buffer holds [held_from, held_from+held) of the file. */
    uint8_t *buffer;
    uint64_t held_from;
    size_t held;
    /* MMAP: offsets of page begins. A run is a row of windows without a gap. */
    bool can_populate;
    uint64_t run_from;            /* where the run began */
    uint64_t kept_from;           /* pages of the run before it went by drop() */
    uint64_t run_to;              /* pages before it were asked for */
    uint64_t seam;                /* pages of the run before it hold bytes of another reader, too */
    struct source_direct *direct; /* DIRECT */
};

/* Bytes at `offset` that should be there are not: says why, as far as can be known. */
static enum status fault_lost(const struct source_file *file, uint64_t offset, struct fault *fault)
{
    struct stat now;
    if (fstat(file->descriptor, &now) == 0 && (uint64_t)now.st_size < file->port.size)
        return source_stamp_shorter(file->path, file->port.size, (uint64_t)now.st_size, fault);
    return fault_set(
        fault, STATUS_IO,
        "%s: bytes at %llu or after could not be read: the storage failed, or the file was shorter "
        "for a time while it was read; check the storage and run again",
        file->path, (unsigned long long)offset);
}

/* A read failed at `offset`, with an errno; 0: the file ended there, if it did not grow again since. */
static enum status fault_read(const struct source_file *file, uint64_t offset, int error, struct fault *fault)
{
    struct stat now;
    if (error != 0)
        return fault_set(fault, STATUS_IO, "%s: can't be read at byte %llu: %s", file->path,
                         (unsigned long long)offset, strerror(error));
    bool const known = fstat(file->descriptor, &now) == 0 && (uint64_t)now.st_size < file->port.size;
    return source_stamp_shorter(file->path, file->port.size, known ? (uint64_t)now.st_size : offset, fault);
}

/* ---- opening ---- */

/* False: the file is read instead. Nothing stays behind then. */
static bool map_file(struct source_file *file)
{
    uint64_t const pages = (file->port.size + file->page - 1) / file->page;
    if (pages == 0 || pages >= SIZE_MAX / 2 / file->page) return false;
    size_t const length = (size_t)pages * file->page;
    size_t const reserved = length + file->page; /* a page holds LIMIT_PADDING many times */
    void *base = mmap(NULL, reserved, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return false;
    if (mmap(base, length, PROT_READ, MAP_SHARED | MAP_FIXED, file->descriptor, 0) != MAP_FAILED)
        file->range = source_guard_add(base, length);
    if (file->range == SOURCE_GUARD_NONE) {
        (void)munmap(base, reserved);
        return false;
    }
    file->base = base;
    file->reserved = reserved;
    return true;
}

/* ---- windows of the mapping ---- */

/* Lets all pages of the reader's run go, those at its ends included. A page that another reader looks at
 * comes back to it unharmed at its next touch, from the page cache: DONTNEED on a shared file mapping forgets
 * where pages are, never what they hold. If it kept the ends (a reader looks behind its share to finish a
 * record, where the next reader may have come and gone already), they would add up over a large file. */
static void run_release(struct source_reader *reader)
{
    if (reader->run_to > reader->run_from && reader->file->base != NULL)
        (void)madvise(reader->file->base + reader->run_from, (size_t)(reader->run_to - reader->run_from),
                      MADV_DONTNEED);
    reader->run_from = reader->kept_from = reader->run_to = reader->seam = 0;
}

/* Brings in [from, to). EFAULT and EHWPOISON: touching the pages would raise SIGBUS (madvise(2)). Any other
 * error says that the advice can't be had (EINVAL before Linux 5.14, whatever sandboxes answer): the pages
 * come in when they are touched, then, and the guard watches. */
static enum status populate(struct source_reader *reader, uint64_t from, uint64_t to, struct fault *fault)
{
    uint8_t *start = reader->file->base + from;
    size_t const length = (size_t)(to - from);
    if (reader->can_populate && madvise(start, length, MADV_POPULATE_READ) != 0) {
        if (errno == EFAULT || errno == EHWPOISON) return fault_lost(reader->file, from, fault);
        reader->can_populate = errno != EINVAL && errno != ENOSYS && errno != EPERM;
        (void)madvise(start, length, MADV_WILLNEED);
    } else if (!reader->can_populate) {
        (void)madvise(start, length, MADV_WILLNEED);
    }
    return STATUS_OK;
}

/* Asks for the pages of [offset, offset+length) and its padding that this run did not ask for yet. */
static enum status run_extend(struct source_reader *reader, uint64_t offset, size_t length,
                              struct fault *fault)
{
    uint64_t const page = reader->file->page;
    uint64_t const last = reader->file->reserved - page; /* the file's pages end there */
    uint64_t const from = offset / page * page;
    uint64_t const wanted = (offset + length + LIMIT_PADDING + page - 1) / page * page;
    uint64_t const to = wanted < last ? wanted : last;
    if (from < reader->kept_from || from > reader->run_to || reader->run_to == 0) {
        run_release(reader);
        reader->run_from = reader->kept_from = reader->run_to = from;
        reader->seam = (offset + page - 1) / page * page;
    }
    if (to <= reader->run_to) return STATUS_OK;
    uint64_t const ask = reader->run_to;
    reader->run_to = to; /* before asking: a part may come in although the whole fails */
    enum status const status = populate(reader, ask, to, fault);
    if (status != STATUS_OK) run_release(reader);
    return status;
}

static enum status window_mapped(struct source_reader *reader, uint64_t offset, size_t length,
                                 struct source_window *window, struct fault *fault)
{
    const struct source_file *file = reader->file;
    if (length != 0) {
        enum status const status = run_extend(reader, offset, length, fault);
        if (status != STATUS_OK) return status;
    }
    if (source_guard_broken(file->range)) return fault_lost(file, offset, fault);
    window->bytes = file->base + offset;
    window->length = length;
    return STATUS_OK;
}

static void drop_mapped(struct source_reader *reader, uint64_t end)
{
    uint64_t const page = reader->file->page;
    uint64_t const below = end < reader->run_to ? end : reader->run_to;
    uint64_t const to =
        below / page * page; /* inward at both ends: neighbours' pages stay while they may be hot */
    uint64_t const from = reader->kept_from > reader->seam ? reader->kept_from : reader->seam;
    if (to < from || to - from < SOURCE_FILE_DROP_STEP) return;
    (void)madvise(reader->file->base + from, (size_t)(to - from), MADV_DONTNEED);
    reader->kept_from = to;
}

/* ---- windows of a buffer ---- */

/* Moves what the buffer holds of [offset, …) to its front. */
static void held_slide(struct source_reader *reader, uint64_t offset)
{
    uint64_t const held_to = reader->held_from + reader->held;
    size_t keep = 0;
    if (offset >= reader->held_from && offset < held_to) {
        keep = (size_t)(held_to - offset);
        memmove(reader->buffer, reader->buffer + (offset - reader->held_from), keep);
    }
    reader->held_from = offset;
    reader->held = keep;
}

static enum status held_extend(struct source_reader *reader, size_t length, struct fault *fault)
{
    const struct source_file *file = reader->file;
    uint64_t const from = reader->held_from + reader->held;
    size_t const missing = length - reader->held;
    int64_t const got = source_file_pread(file->descriptor, reader->buffer + reader->held, missing, from);
    if (got < 0) return fault_read(file, from, errno, fault);
    reader->held += (size_t)got;
    memset(reader->buffer + reader->held, 0, LIMIT_PADDING);
    return (size_t)got == missing ? STATUS_OK : fault_read(file, from + (uint64_t)got, 0, fault);
}

static enum status window_read(struct source_reader *reader, uint64_t offset, size_t length,
                               struct source_window *window, struct fault *fault)
{
    uint64_t const held_to = reader->held_from + reader->held;
    if (offset < reader->held_from || offset > held_to || length > held_to - offset) {
        held_slide(reader, offset);
        enum status const status = held_extend(reader, length, fault);
        if (status != STATUS_OK) return status;
    }
    window->bytes = reader->buffer + (offset - reader->held_from);
    window->length = length;
    return STATUS_OK;
}

/* ---- windows around the page cache ---- */

static enum status window_direct(struct source_reader *reader, uint64_t offset, size_t length,
                                 struct source_window *window, struct fault *fault)
{
    struct source_ahead_trouble trouble;
    window->bytes = source_direct_window(reader->direct, offset, length, &trouble);
    window->length = length;
    if (window->bytes != NULL) return STATUS_OK;
    return fault_read(reader->file, trouble.offset, trouble.error, fault);
}

static void expect_direct(struct source_reader *reader, uint64_t from, uint64_t to)
{
    source_direct_expect(reader->direct, from, to);
}

/* ---- the port ---- */

static enum status file_window(struct source_reader *reader, uint64_t offset, size_t length,
                               struct source_window *window, struct fault *fault)
{
    uint64_t const size = reader->file->port.size;
    if (length > reader->window_max)
        return fault_set(fault, STATUS_INTERNAL, "%s: a window of %zu bytes was asked of a reader for %zu",
                         reader->file->path, length, reader->window_max);
    if (offset > size) offset = size;
    if (length > size - offset) length = (size_t)(size - offset);
    if (reader->direct != NULL) return window_direct(reader, offset, length, window, fault);
    return reader->file->base != NULL ? window_mapped(reader, offset, length, window, fault)
                                      : window_read(reader, offset, length, window, fault);
}

static void file_close_reader(struct source_reader *reader)
{
    if (reader == NULL) return;
    run_release(reader);
    source_direct_destroy(reader->direct);
    free(reader->buffer);
    free(reader);
}

/* The buffer of SOURCE_MODE_READ. */
static bool make_buffer(struct source_reader *reader)
{
    const struct source_file *file = reader->file;
    /* No window is longer than the file. */
    size_t const most = reader->window_max < file->port.size ? reader->window_max : (size_t)file->port.size;
    void *buffer = NULL;
    if (most > SIZE_MAX / 2 || posix_memalign(&buffer, file->page, most + LIMIT_PADDING) != 0) return false;
    memset(buffer, 0, LIMIT_PADDING); /* an empty first window has padding, too */
    reader->buffer = buffer;
    return true;
}

static struct source_reader *file_open_reader(struct source *source, size_t window_max)
{
    const struct source_file *file = source->self;
    struct source_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return NULL;
    reader->file = file;
    reader->window_max = window_max;
    reader->can_populate = true;
    if (file->base != NULL) return reader;
    bool made;
    if (file->direct.align != 0)
        made = (reader->direct = source_direct_create(&file->direct, window_max)) != NULL;
    else
        made = make_buffer(reader);
    if (made) return reader;
    free(reader);
    return NULL;
}

static enum status go_around(struct source_file *file, struct fault *fault)
{
    int error;
    size_t const align = source_direct_align(file->descriptor, &error);
    if (align == 0)
        return fault_set(
            fault, STATUS_USAGE,
            "%s: can't be read around the page cache, which its file system does not offer (%s): "
            "take --input-mode read, or leave it out",
            file->path, strerror(error));
    file->direct = (struct source_direct_file){.descriptor = file->descriptor,
                                               .size = file->port.size,
                                               .align = align,
                                               .read = SOURCE_DIRECT_READ_MIN};
    file->port.expect = expect_direct;
    return STATUS_OK;
}

/* The way that was asked for, or the plain one where the file can't be had so. */
static enum status choose_way(struct source_file *file, enum source_mode mode, struct fault *fault)
{
    if (mode == SOURCE_MODE_DIRECT) return go_around(file, fault);
    if (mode == SOURCE_MODE_LARGE && go_around(file, NULL) == STATUS_OK) return STATUS_OK;
    if (mode == SOURCE_MODE_MMAP && map_file(file))
        file->port.drop = drop_mapped;
    else
        (void)posix_fadvise(file->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint: reads work without */
    return STATUS_OK;
}

struct source *source_file_adopt(const char *path, int descriptor, const struct stat *about,
                                 enum source_mode mode, struct fault *fault)
{
    struct source_file *file = calloc(1, sizeof *file);
    char *copy = strdup(path);
    if (file == NULL || copy == NULL) {
        fault_set(fault, STATUS_IO, "%s: there is no memory to open it", path);
        free(file);
        free(copy);
        (void)close(descriptor);
        return NULL;
    }
    *file = (struct source_file){.path = copy,
                                 .descriptor = descriptor,
                                 .range = SOURCE_GUARD_NONE,
                                 .page = (size_t)sysconf(_SC_PAGESIZE),
                                 .stamp = source_stamp_of(about)};
    file->port = (struct source){.self = file,
                                 .name = copy,
                                 .size = (uint64_t)about->st_size,
                                 .open_reader = file_open_reader,
                                 .close_reader = file_close_reader,
                                 .window = file_window};
    if (choose_way(file, mode, fault) == STATUS_OK) return &file->port;
    source_file_close(&file->port);
    return NULL;
}

void source_file_read_ahead(struct source *source, size_t bytes)
{
    struct source_file *file = source->self;
    file->direct.read = bytes;
}

struct source *source_file_open(const char *path, enum source_mode mode, struct fault *fault)
{
    struct stat about;
    int const descriptor = source_file_descriptor(path, &about, fault);
    return descriptor < 0 ? NULL : source_file_adopt(path, descriptor, &about, mode, fault);
}

enum source_mode source_file_mode(const struct source *source)
{
    const struct source_file *file = source->self;
    if (file->direct.align != 0) return SOURCE_MODE_DIRECT;
    return file->base != NULL ? SOURCE_MODE_MMAP : SOURCE_MODE_READ;
}

enum status source_file_check(const struct source *source, struct fault *fault)
{
    const struct source_file *file = source->self;
    struct stat now;
    if (fstat(file->descriptor, &now) != 0)
        return fault_set(fault, STATUS_IO, "%s: can't be checked after it was read: %s", file->path,
                         strerror(errno));
    struct source_stamp const stamp = source_stamp_of(&now);
    enum status const status = source_stamp_check(file->path, &file->stamp, &stamp, fault);
    if (status != STATUS_OK) return status;
    return source_guard_broken(file->range) ? fault_lost(file, 0, fault) : STATUS_OK;
}

void source_file_close(struct source *source)
{
    if (source == NULL) return;
    struct source_file *file = source->self;
    source_guard_remove(file->range); /* before the range becomes someone else's */
    if (file->base != NULL) (void)munmap(file->base, file->reserved);
    (void)close(file->descriptor);
    free(file->path);
    free(file);
}

/* verify_source.c - see the header. Thread: one a source. Owns the descriptor and the block, or the reader.
 */
#include "io/verify/verify_source.h"

#include "io/input/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- local files ---- */

struct local {
    struct verify_source source;
    const char *path; /* the caller's */
    int descriptor;
    struct stat about; /* when it was opened */
    uint64_t offset;
    uint8_t block[VERIFY_BLOCK];
};

static struct local *local_of(struct verify_source *source)
{
    return (struct local *)source; /* its first member */
}

/* Or can it at least not be said that it is not there? */
static bool exists(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static enum status local_open(struct verify_source *source, const char *place, uint64_t *size,
                              struct fault *fault)
{
    struct local *const local = local_of(source);
    local->path = place;
    local->offset = 0;
    local->descriptor = source_file_descriptor(place, &local->about, fault);
    if (local->descriptor < 0)
        return fault->status == STATUS_NO_SOURCE && exists(place) ? STATUS_IO : fault->status;
    (void)posix_fadvise(local->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL); /* only a hint */
    *size = (uint64_t)local->about.st_size;
    return STATUS_OK;
}

static bool is_same(const struct local *local)
{
    struct stat now;
    return fstat(local->descriptor, &now) == 0 && now.st_size == local->about.st_size &&
           now.st_mtim.tv_sec == local->about.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == local->about.st_mtim.tv_nsec;
}

static enum status local_next(struct verify_source *source, const uint8_t **bytes, size_t *length,
                              struct fault *fault)
{
    struct local *const local = local_of(source);
    ssize_t got;
    do
        got = pread(local->descriptor, local->block, sizeof local->block, (off_t)local->offset);
    while (got < 0 && errno == EINTR);
    if (got < 0) return fault_set(fault, STATUS_IO, "%s: can't be read: %s", local->path, strerror(errno));
    if (got == 0 && !is_same(local))
        return fault_set(fault, STATUS_IO,
                         "%s: changed while it was read; wait until nobody writes it any more", local->path);
    local->offset += (uint64_t)got;
    *bytes = local->block;
    *length = (size_t)got;
    return STATUS_OK;
}

static void local_seek(struct verify_source *source, uint64_t offset)
{
    local_of(source)->offset = offset;
}

static void local_close(struct verify_source *source)
{
    struct local *const local = local_of(source);
    if (local->descriptor >= 0) (void)close(local->descriptor);
    local->descriptor = -1;
}

static void local_destroy(struct verify_source *source)
{
    free(local_of(source));
}

struct verify_source *verify_source_local(void)
{
    struct local *const local = malloc(sizeof *local);
    if (local == NULL) return NULL;
    local->source = (struct verify_source){.open = local_open,
                                           .next = local_next,
                                           .seek = local_seek,
                                           .close = local_close,
                                           .destroy = local_destroy};
    local->descriptor = -1;
    return &local->source;
}

/* ---- objects ---- */

struct object {
    struct verify_source source;
    struct s3_read *read;
};

static struct object *object_of(struct verify_source *source)
{
    return (struct object *)source; /* its first member */
}

static enum status object_open(struct verify_source *source, const char *place, uint64_t *size,
                               struct fault *fault)
{
    struct object *const object = object_of(source);
    enum status const status = s3_read_open(object->read, place, fault);
    if (status == STATUS_OK) *size = s3_read_size(object->read);
    return status;
}

static enum status object_next(struct verify_source *source, const uint8_t **bytes, size_t *length,
                               struct fault *fault)
{
    return s3_read_next(object_of(source)->read, bytes, length, fault);
}

static void object_close(struct verify_source *source)
{
    s3_read_close(object_of(source)->read);
}

static void object_destroy(struct verify_source *source)
{
    s3_read_destroy(object_of(source)->read);
    free(object_of(source));
}

struct verify_source *verify_source_s3(const struct s3_read_options *options, struct fault *fault)
{
    struct object *const object = malloc(sizeof *object);
    if (object == NULL) {
        (void)fault_set(fault, STATUS_IO, "no memory to read from S3");
        return NULL;
    }
    object->source = (struct verify_source){
        .open = object_open, .next = object_next, .close = object_close, .destroy = object_destroy};
    object->read = s3_read_create(options, fault);
    if (object->read != NULL) return &object->source;
    free(object);
    return NULL;
}

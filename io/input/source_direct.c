/* source_direct.c - see the header. Thread: as there. */
#include "io/input/source_direct.h"

#include "core/base/limits.h"
#include "io/input/source_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(SOURCE_DIRECT_DEPTH <= SOURCE_AHEAD_DEPTH_MAX, "a slot for each read");
_Static_assert(SOURCE_DIRECT_READ_MIN % SOURCE_DIRECT_ALIGN_MAX == 0, "reads are whole blocks");
_Static_assert(SOURCE_RING_BYTES + sizeof(struct source_ahead) + 1024 <= SOURCE_DIRECT_BESIDE, "is counted");

struct source_direct {
    struct source_direct_file file;
    struct source_ring *ring; /* NULL: the buffer is used */
    struct source_ahead ahead;
    uint8_t *buffer; /* holds [held_from, held_from+held) of the file */
    uint64_t held_from;
    size_t held;
};

/* ---- the file ---- */

/* What the kernel says that it wants; the page where it does not say (before Linux 6.1, some file systems):
 * no device asks for more. 0: it has no such reads. */
static size_t alignment_of(int descriptor)
{
    size_t align = SOURCE_DIRECT_ALIGN_MAX;
#ifdef STATX_DIOALIGN
    struct statx about;
    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_DIOALIGN, &about) == 0 &&
        (about.stx_mask & STATX_DIOALIGN) != 0) {
        if (about.stx_dio_offset_align == 0 || about.stx_dio_mem_align == 0) return 0;
        if (about.stx_dio_offset_align > align || about.stx_dio_mem_align > align) return 0;
    }
#endif
    return align;
}

size_t source_direct_align(int descriptor, int *error)
{
    _Alignas(SOURCE_DIRECT_ALIGN_MAX) uint8_t block[SOURCE_DIRECT_ALIGN_MAX];
    size_t const align = alignment_of(descriptor);
    int const flags = fcntl(descriptor, F_GETFL);
    *error = EINVAL;
    if (align == 0) return 0;
    bool good = flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_DIRECT) == 0;
    /* Any other failure is the file's: windows meet it. */
    good = good && (pread(descriptor, block, align, 0) >= 0 || (errno != EINVAL && errno != EOPNOTSUPP));
    if (good) return align;
    *error = errno;
    if (flags >= 0) (void)fcntl(descriptor, F_SETFL, flags); /* may be read as others are */
    return 0;
}

size_t source_direct_fit(uint64_t memory)
{
    size_t read = SOURCE_DIRECT_READ;
    while (read > SOURCE_DIRECT_READ_MIN && SOURCE_DIRECT_BYTES(read) > memory)
        read /= 2;
    return read;
}

/* ---- readers ---- */

static bool make_ahead(struct source_direct *direct, size_t window_max)
{
    const struct source_direct_file *const file = &direct->file;
    struct source_ahead_rules const rules = {.size = file->size,
                                             .align = file->align,
                                             .read = file->read,
                                             .depth = SOURCE_DIRECT_DEPTH,
                                             .window_max = window_max};
    int error;
    if (file->size <= file->read || window_max > rules.read * rules.depth) return false;
    direct->ring = source_ring_create(file->descriptor, rules.depth, &error);
    if (direct->ring == NULL) return false;
    if (source_ahead_create(&direct->ahead, &rules, source_ring_port(direct->ring))) return true;
    source_ring_destroy(direct->ring);
    direct->ring = NULL;
    return false;
}

struct source_direct *source_direct_create(const struct source_direct_file *file, size_t window_max)
{
    struct source_direct *const direct = calloc(1, sizeof *direct);
    size_t const most = window_max < file->size ? window_max : (size_t)file->size; /* no window is longer */
    void *buffer = NULL;
    if (direct == NULL) return NULL;
    direct->file = *file;
    if (make_ahead(direct, most)) return direct;
    /* Whole blocks that hold a window wherever it begins. */
    if (most > SIZE_MAX / 2 ||
        posix_memalign(&buffer, file->align,
                       source_ahead_up(most, file->align) + file->align + LIMIT_PADDING) != 0) {
        free(direct);
        return NULL;
    }
    direct->buffer = buffer;
    return direct;
}

void source_direct_destroy(struct source_direct *direct)
{
    if (direct == NULL) return;
    if (direct->ring != NULL) source_ahead_destroy(&direct->ahead);
    source_ring_destroy(direct->ring);
    free(direct->buffer);
    free(direct);
}

void source_direct_expect(struct source_direct *direct, uint64_t from, uint64_t to)
{
    if (direct->ring != NULL) source_ahead_expect(&direct->ahead, from, to);
}

/* Reads the blocks of [offset, offset+length), which begins at a block's begin. */
static bool read_blocks(struct source_direct *direct, uint64_t offset, size_t length,
                        struct source_ahead_trouble *trouble)
{
    size_t const align = direct->file.align;
    direct->held = 0;
    direct->held_from = offset;
    for (size_t done = 0; done < length;) {
        ssize_t const more = pread(direct->file.descriptor, direct->buffer + done,
                                   (size_t)source_ahead_up(length - done, align), (off_t)(offset + done));
        if (more < 0 && errno == EINTR) continue;
        size_t const now = more < 0 ? done : source_ahead_progress(done, (size_t)more, length, align);
        if (now == done) {
            *trouble = (struct source_ahead_trouble){.offset = offset + done, .error = more < 0 ? errno : 0};
            return false;
        }
        done = now;
    }
    direct->held = length;
    return true;
}

const uint8_t *source_direct_window(struct source_direct *direct, uint64_t offset, size_t length,
                                    struct source_ahead_trouble *trouble)
{
    if (direct->ring != NULL) return source_ahead_window(&direct->ahead, offset, length, trouble);
    bool const held = offset >= direct->held_from && offset + length <= direct->held_from + direct->held;
    uint64_t const from = source_ahead_down(offset, direct->file.align);
    if (length != 0 && !held && !read_blocks(direct, from, (size_t)(offset + length - from), trouble))
        return NULL;
    return length == 0 ? direct->buffer : direct->buffer + (offset - direct->held_from);
}

/* unpack.c - members one after another, whatever their form. Thread: one an unpack. Owns the decoder.
 *
 * The first bytes of each member are gathered before the decoder sees them, so that garbage behind a member
 * is told from a member that is cut off, wherever the input is cut. */
#include "core/codec/unpack.h"

#include "core/codec/unpack_gzip.h"
#include "core/codec/unpack_zstd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GZIP_MAGIC_BYTES 3u

struct unpack {
    enum unpack_form form;
    enum unpack_state state;
    struct unpack_gzip *gzip;
    struct unpack_zstd *zstd;
    uint8_t magic[UNPACK_MAGIC_BYTES];
    size_t magic_length; /* gathered */
    size_t magic_given;  /* of them, to the decoder */
    bool inside;         /* a member */
    uint64_t consumed, members;
    struct unpack_defect defect;
};

/* ---- what it is ---- */

/* RFC 1952, 2.3.1: ID1, ID2, CM deflate. */
static bool may_be_gzip(const uint8_t *bytes, size_t length)
{
    static const uint8_t magic[GZIP_MAGIC_BYTES] = {0x1F, 0x8B, 8};
    return memcmp(bytes, magic, length < sizeof magic ? length : sizeof magic) == 0;
}

/* RFC 8878, 3.1.1 and 3.1.2: a frame, or a skippable one. */
static bool may_be_zstd(const uint8_t *bytes, size_t length)
{
    static const uint8_t frame[UNPACK_MAGIC_BYTES] = {0x28, 0xB5, 0x2F, 0xFD};
    static const uint8_t skippable[UNPACK_MAGIC_BYTES] = {0x50, 0x2A, 0x4D, 0x18};
    size_t const most = length < sizeof frame ? length : sizeof frame;
    if (memcmp(bytes, frame, most) == 0) return true;
    return most > 0 && (bytes[0] & 0xF0) == skippable[0] && memcmp(bytes + 1, skippable + 1, most - 1) == 0;
}

static size_t magic_bytes(enum unpack_form form)
{
    return form == UNPACK_GZIP ? GZIP_MAGIC_BYTES : UNPACK_MAGIC_BYTES;
}

static bool may_begin(const struct unpack *unpack)
{
    return unpack->form == UNPACK_GZIP ? may_be_gzip(unpack->magic, unpack->magic_length)
                                       : may_be_zstd(unpack->magic, unpack->magic_length);
}

enum unpack_form unpack_recognise(const uint8_t *bytes, size_t length)
{
    if (length >= GZIP_MAGIC_BYTES && may_be_gzip(bytes, length)) return UNPACK_GZIP;
    return length >= UNPACK_MAGIC_BYTES && may_be_zstd(bytes, length) ? UNPACK_ZSTD : UNPACK_PLAIN;
}

const char *unpack_form_name(enum unpack_form form)
{
    switch (form) {
    case UNPACK_PLAIN: return "plain";
    case UNPACK_GZIP: return "gzip";
    case UNPACK_ZSTD: return "zstd";
    }
    return "unknown";
}

/* ---- making ---- */

struct unpack *unpack_create(enum unpack_form form, unsigned window_log_max)
{
    struct unpack *const unpack = calloc(1, sizeof *unpack);
    if (unpack == NULL) return NULL;
    unpack->form = form;
    if (form == UNPACK_GZIP)
        unpack->gzip = unpack_gzip_create();
    else
        unpack->zstd = unpack_zstd_create(window_log_max);
    if (unpack->gzip != NULL || unpack->zstd != NULL) return unpack;
    free(unpack);
    return NULL;
}

void unpack_destroy(struct unpack *unpack)
{
    if (unpack == NULL) return;
    unpack_gzip_destroy(unpack->gzip);
    unpack_zstd_destroy(unpack->zstd);
    free(unpack);
}

void unpack_restart(struct unpack *unpack)
{
    *unpack = (struct unpack){.form = unpack->form, .gzip = unpack->gzip, .zstd = unpack->zstd};
}

size_t unpack_memory(enum unpack_form form, unsigned window_log_max)
{
    size_t const decoder = form == UNPACK_GZIP ? unpack_gzip_memory() : unpack_zstd_memory(window_log_max);
    return sizeof(struct unpack) + decoder;
}

/* ---- running ---- */

static enum unpack_state broken(struct unpack *unpack, enum unpack_defect_kind kind, uint64_t offset)
{
    unpack->defect.kind = kind;
    unpack->defect.offset = offset;
    return unpack->state = UNPACK_BROKEN;
}

/* Gathers the next member's first bytes. True: they are whole and good. */
static bool begin_member(struct unpack *unpack, struct unpack_step *step)
{
    size_t const most = magic_bytes(unpack->form);
    if (unpack->magic_length == 0) {
        if (step->in_left == 0) {
            if (step->last) unpack->state = UNPACK_ENDED;
            return false;
        }
        unpack->defect.member = unpack->consumed;
    }
    while (unpack->magic_length < most && step->in_left > 0) {
        unpack->magic[unpack->magic_length++] = *step->in++;
        step->in_left--;
        unpack->consumed++;
        if (!may_begin(unpack)) {
            bool const first = unpack->members == 0;
            (void)broken(unpack, first ? UNPACK_BAD_HEADER : UNPACK_GARBAGE, unpack->defect.member);
            return false;
        }
    }
    if (unpack->magic_length < most) {
        if (step->last) (void)broken(unpack, UNPACK_TRUNCATED, unpack->consumed);
        return false;
    }
    unpack->inside = true;
    unpack->magic_given = 0;
    unpack->members++;
    if (unpack->form == UNPACK_GZIP)
        unpack_gzip_begin(unpack->gzip);
    else
        unpack_zstd_begin(unpack->zstd);
    return true;
}

/* One step of the decoder; its input is what was gathered, then the caller's. */
static bool step_member(struct unpack *unpack, struct unpack_step *step, enum unpack_defect_kind *kind)
{
    struct unpack_step gathered = *step;
    bool const first = unpack->magic_given < unpack->magic_length;
    if (first) {
        gathered.in = unpack->magic + unpack->magic_given;
        gathered.in_left = unpack->magic_length - unpack->magic_given;
    }
    size_t const before = gathered.in_left;
    bool const ended = unpack->form == UNPACK_GZIP ? unpack_gzip_step(unpack->gzip, &gathered, kind)
                                                   : unpack_zstd_step(unpack->zstd, &gathered, kind);
    size_t const taken = before - gathered.in_left;
    if (first) {
        unpack->magic_given += taken;
    } else {
        step->in += taken;
        step->in_left -= taken;
        unpack->consumed += taken;
    }
    step->out = gathered.out;
    step->out_left = gathered.out_left;
    return ended;
}

enum unpack_state unpack_run(struct unpack *unpack, struct unpack_step *step)
{
    while (unpack->state == UNPACK_GOES_ON) {
        if (!unpack->inside && !begin_member(unpack, step)) break;
        size_t const in = step->in_left, out = step->out_left, given = unpack->magic_given;
        enum unpack_defect_kind kind = UNPACK_FINE;
        if (step_member(unpack, step, &kind)) {
            unpack->inside = false;
            unpack->magic_length = 0;
            continue;
        }
        if (kind != UNPACK_FINE) return broken(unpack, kind, unpack->consumed);
        bool const moved = in != step->in_left || out != step->out_left || given != unpack->magic_given;
        if (moved && step->out_left > 0) continue;
        if (step->out_left > 0 && step->in_left == 0 && step->last)
            return broken(unpack, UNPACK_TRUNCATED, unpack->consumed);
        break;
    }
    return unpack->state;
}

const struct unpack_defect *unpack_defect(const struct unpack *unpack)
{
    return &unpack->defect;
}

uint64_t unpack_members(const struct unpack *unpack)
{
    return unpack->members;
}

/* ---- words ---- */

void unpack_defect_text(enum unpack_form form, const struct unpack_defect *defect,
                        char out[static UNPACK_DEFECT_TEXT])
{
    const char *const name = unpack_form_name(form);
    const char *const unit = form == UNPACK_GZIP ? "member" : "frame";
    const char *what = "";
    switch (defect->kind) {
    case UNPACK_FINE: break;
    case UNPACK_TRUNCATED:
        (void)snprintf(out, UNPACK_DEFECT_TEXT,
                       "the %s %s that begins at byte %" PRIu64 " is cut off: the file ends at byte %" PRIu64,
                       name, unit, defect->member, defect->offset);
        return;
    case UNPACK_GARBAGE:
        (void)snprintf(out, UNPACK_DEFECT_TEXT,
                       "something that is not %s stands behind a %s, at byte %" PRIu64, name, unit,
                       defect->offset);
        return;
    case UNPACK_BAD_HEADER: what = "has a header that makes no sense"; break;
    case UNPACK_BAD_DATA: what = "is damaged"; break;
    case UNPACK_BAD_CHECKSUM: what = "has another checksum than it says"; break;
    case UNPACK_WINDOW: what = "needs a larger window than is allowed"; break;
    case UNPACK_DICTIONARY: what = "needs a dictionary"; break;
    case UNPACK_NO_MEMORY: what = "can't be read for want of memory"; break;
    }
    (void)snprintf(out, UNPACK_DEFECT_TEXT,
                   "the %s %s that begins at byte %" PRIu64 " %s (about byte %" PRIu64 ")", name, unit,
                   defect->member, what, defect->offset);
}

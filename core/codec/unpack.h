/* unpack.h - gzip and zstd taken apart as a stream, from memory to memory.
 *
 *     struct unpack_step step = {.in = bytes, .in_left = length, .out = room, .out_left = size, .last = ...};
 *     while ((state = unpack_run(unpack, &step)) == UNPACK_GOES_ON) ... fill `in` or empty `out` again ...
 *
 * A stream is one gzip member or zstd frame or several, one after another; zstd's skippable frames are passed
 * over. What a member says of itself is checked: CRC-32 and length of gzip, the checksum of zstd where there
 * is one. Behind the last member nothing may stand, not even zeros.
 *
 * Memory is the same for every input: the output never holds more than the caller gives room for, so that a
 * small file that stands for a huge one does no harm (86 KiB for gzip, the window and 3 blocks for zstd).
 *
 * What stands before a defect is given, as far as it is good: it depends on the bytes alone, but for damaged
 * data of gzip, where it also depends on where the input is cut into steps (isa-l looks some symbols ahead).
 * Who cuts at fixed offsets gets the same bytes each time. The offset of a defect is exact for what is cut
 * off or garbage, else about so. Thread rule: pure but for malloc; one thread an unpack. */
#ifndef PENSTOCK_CORE_CODEC_UNPACK_H
#define PENSTOCK_CORE_CODEC_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first bytes of a file by which its form is told. */
#define UNPACK_MAGIC_BYTES 4u

/* Log 2 of the largest window that a zstd frame may ask for. 23: what RFC 8878 (3.1.1.1.2) recommends that
 * every decoder supports; 27: what zstd's own tool takes without being told. */
#define UNPACK_WINDOW_LOG_LEAST 23u
#define UNPACK_WINDOW_LOG_MOST  27u

enum unpack_form { UNPACK_PLAIN, UNPACK_GZIP, UNPACK_ZSTD };

/* By content: what does not begin as gzip or zstd does is plain. */
enum unpack_form unpack_recognise(const uint8_t *bytes, size_t length);
/* "plain", "gzip", "zstd" */
const char *unpack_form_name(enum unpack_form form);

enum unpack_defect_kind {
    UNPACK_FINE,
    UNPACK_TRUNCATED,  /* the input ends inside a member */
    UNPACK_GARBAGE,    /* something else stands behind a member */
    UNPACK_BAD_HEADER, /* also: compressed by another method */
    UNPACK_BAD_DATA,
    UNPACK_BAD_CHECKSUM, /* or length */
    UNPACK_WINDOW,       /* the frame's window is larger than is allowed here */
    UNPACK_DICTIONARY,   /* it needs one, which nobody has */
    UNPACK_NO_MEMORY
};

struct unpack_defect {
    enum unpack_defect_kind kind;
    uint64_t offset; /* in the compressed bytes, about where it was found */
    uint64_t member; /* where the member that it is in begins */
};

/* A phrase for a person: "a gzip member that begins at byte 0 is cut off: the file ends at byte 512". */
#define UNPACK_DEFECT_TEXT 160u
void unpack_defect_text(enum unpack_form form, const struct unpack_defect *defect,
                        char out[static UNPACK_DEFECT_TEXT]);

struct unpack_step {
    const uint8_t *in;
    size_t in_left;
    uint8_t *out;
    size_t out_left;
    bool last; /* behind `in` comes nothing more */
};

enum unpack_state {
    UNPACK_GOES_ON, /* the input is used up, or the output is full */
    UNPACK_ENDED,   /* all input is used up, all output was given */
    UNPACK_BROKEN   /* see unpack_defect(); what was given before is good as far as is known */
};

struct unpack;

/* `form` is not UNPACK_PLAIN. NULL: no memory. */
struct unpack *unpack_create(enum unpack_form form, unsigned window_log_max);
void unpack_destroy(struct unpack *unpack); /* takes NULL */
/* To the beginning of another stream of the same form. */
void unpack_restart(struct unpack *unpack);

enum unpack_state unpack_run(struct unpack *unpack, struct unpack_step *step);

const struct unpack_defect *unpack_defect(const struct unpack *unpack);
/* Members (frames) that have begun. */
uint64_t unpack_members(const struct unpack *unpack);
/* The most that an unpack allocates. */
size_t unpack_memory(enum unpack_form form, unsigned window_log_max);

#endif

/* source_ahead.h - windows into a file whose next reads are on their way: an aligned buffer of a few reads,
 * filled in turn ahead of who looks.
 *
 *   lead                        slots: read k of the run lies in slot k % depth
 *   [......=====][== 4 ==|== 5 ==|-- 2 --|== 3 ==]
 *
 * A window lies where its reads were put. One that goes over the last slot's end begins in the lead, to which
 * its front is moved: part of a window for every `depth` reads is all that is ever copied.
 *
 * How bytes are read is a port's business: io_uring's (source_ring.h), a test's. Every read begins at a
 * multiple of `align` and asks for whole ones, as O_DIRECT wants; the file's last one ends early.
 *
 * Thread rule: one thread at a time. Owns the buffer; the port must live longer. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_AHEAD_H
#define PENSTOCK_IO_INPUT_SOURCE_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads on their way at once, at most. */
#define SOURCE_AHEAD_DEPTH_MAX 16u

struct source_ahead_port {
    void *self;
    /* Starts to read [offset, offset+length) into `buffer`, which is left alone until the read was waited
     * for. 0, or an errno. */
    int (*start)(void *self, uint32_t slot, uint8_t *buffer, size_t length, uint64_t offset);
    /* Waits for any read that was started: its slot, and the bytes that it gave or a negative errno. 0, or an
     * errno when no waiting is possible. */
    int (*wait)(void *self, uint32_t *slot, int64_t *result);
};

struct source_ahead_rules {
    uint64_t size;     /* of the file; nothing behind it is shown */
    size_t align;      /* a power of two, of offsets, lengths and addresses */
    size_t read;       /* bytes of one read: a multiple of align */
    uint32_t depth;    /* 1 to SOURCE_AHEAD_DEPTH_MAX */
    size_t window_max; /* at most read * depth */
};

/* Why bytes can't be had: errno at this offset; 0: the file ended there. */
struct source_ahead_trouble {
    uint64_t offset;
    int error;
};

struct source_ahead_slot {
    uint64_t from; /* of the file */
    size_t wanted; /* bytes: fewer than a read at the file's end */
    size_t done;   /* of them */
    int error;     /* once it is not on its way: 0, or an errno */
    bool on_way;
};

struct source_ahead {
    struct source_ahead_rules rules;
    const struct source_ahead_port *port;
    uint8_t *buffer, *slots; /* the lead begins at buffer */
    bool runs;               /* else the next window begins a run */
    uint64_t run_from;       /* of the file: where read 0 of the run begins */
    uint64_t expected;       /* reads begin before it, those that a window needs apart */
    uint64_t first, next;    /* reads of the run that have a slot: [first, next) */
    uint64_t lap;            /* the round of all slots that can be seen, the lead in front of it */
    uint64_t held_from; /* of the file: from here on bytes can be seen; in the lead when before the lap */
    uint32_t on_way;    /* reads */
    struct source_ahead_slot slot[SOURCE_AHEAD_DEPTH_MAX];
};

/* Bytes of its buffer. */
size_t source_ahead_bytes(const struct source_ahead_rules *rules);
/* False: no memory. */
bool source_ahead_create(struct source_ahead *ahead, const struct source_ahead_rules *rules,
                         const struct source_ahead_port *port);
/* Waits for what is on its way. */
void source_ahead_destroy(struct source_ahead *ahead);

/* Bytes [from, to) will be looked at, front to back: their reads are started, as many as there are slots. */
void source_ahead_expect(struct source_ahead *ahead, uint64_t from, uint64_t to);
/* Shows [offset, offset+length), which lies in the file, until the next call; LIMIT_PADDING bytes behind it
 * can be read. NULL: trouble. */
const uint8_t *source_ahead_window(struct source_ahead *ahead, uint64_t offset, size_t length,
                                   struct source_ahead_trouble *trouble);

/* Pure: the multiple of a power of two at or before, at or behind an offset. */
static inline uint64_t source_ahead_down(uint64_t offset, uint64_t align)
{
    return offset & ~(align - 1);
}

static inline uint64_t source_ahead_up(uint64_t offset, uint64_t align)
{
    return source_ahead_down(offset + align - 1, align);
}

/* Bytes that count when a read of `wanted` of which `done` were there gave `more`: whole multiples of align
 * until the last, since what goes on must begin at one. The same as `done`: the file ends here. */
static inline size_t source_ahead_progress(size_t done, size_t more, size_t wanted, size_t align)
{
    if (more >= wanted - done) return wanted;
    return (size_t)source_ahead_down(done + more, align);
}

#endif

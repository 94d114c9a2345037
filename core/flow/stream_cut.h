/* stream_cut.h - a stream cut into blocks of whole lines, which any worker may then convert.
 *
 * What stands behind the last line feed of a block is carried over to the next one. A line that is longer
 * than a block wants the one large block of a run, which holds any record; of a record beyond
 * source.max_record it keeps what a reject line shows, and its length. Where reads end never shows in the
 * blocks' records. Text that a stream has in memory of its own (swap() in stream.h) becomes a block where it
 * lies: then nothing is copied but what is carried over, to the front of it.
 *
 * The end of a stream that can't be read on comes as a block of its own, behind all whole lines, the last of
 * which may lack its feed when its brackets are closed: so that it is met in input order, and what stands
 * before it counts.
 *
 * Thread rule: one thread at a time (see feed.h). Owns its carry, and what it takes back; blocks are the
 * caller's. */
#ifndef PENSTOCK_CORE_FLOW_STREAM_CUT_H
#define PENSTOCK_CORE_FLOW_STREAM_CUT_H

#include "core/base/limits.h"
#include "core/flow/stream.h"
#include "core/record/element_scan.h"
#include "core/record/prefilter.h"

/* Text in one block: a few of stage 1's, so that taking one costs nothing beside converting it. */
#define STREAM_BLOCK_BYTES (1024u * 1024)
/* Bytes asked for at once behind a record that no block holds. */
#define STREAM_STEP_BYTES (64u * 1024)

/* Room behind the record in the large block. */
#define STREAM_ROOM_BYTES (128u * 1024)
/* Bytes before those that are read behind a record that no block holds: the end of what was looked at before,
 * as long as an id, its quotes and its prefix `xdm:` (prefilter.h). */
#define STREAM_OVERLAP_BYTES (MAPPING_SEGMENT_ID_MAX + 6u)

enum stream_block_kind {
    STREAM_LINES,     /* whole lines; the stream's last, or the last before damage, may lack its feed */
    STREAM_TOO_LARGE, /* one record beyond max_record: the front of it, and its length */
    STREAM_TRUNCATED, /* the stream is damaged inside this record (or behind all), and that is forgiven */
    STREAM_BROKEN,    /* the stream can't be read on: the cut's fault says why */
    STREAM_ELEMENT,   /* one record that no other block holds, of a source with a form */
    STREAM_TRAILING,  /* what stands behind the container: the front of it, and its length */
    STREAM_BAD_END    /* the container has no end, or something is missing behind it */
};

struct stream_block {
    uint8_t *bytes;  /* LIMIT_PADDING readable bytes behind the capacity */
    size_t lead;     /* bytes before them that belong to the same memory */
    size_t capacity; /* STREAM_BLOCK_BYTES; of the large one stream_cut_large_bytes() */
    enum stream_block_kind kind;
    size_t length;
    uint64_t offset;        /* of bytes[0] in the stream */
    uint64_t record_length; /* TOO_LARGE, TRUNCATED: of the whole record, blanks around it left out */
    bool feed;              /* TOO_LARGE: a line feed ended it */
    bool may_name;          /* TOO_LARGE: a wanted segment (prefilter.h); true without segments */
    bool final;             /* nothing of the stream comes behind it */
    /* with a form: */
    size_t seen;    /* bytes that stand in the block, with those behind `length` */
    bool ends;      /* the stream ends with them, */
    bool cut_off;   /* the container goes on behind them, but can't be read on, or no more of it is wanted */
    bool closed;    /* the container ended in it, or before */
    uint64_t lines; /* ELEMENT, TOO_LARGE, TRAILING: line feeds that are passed with it, or before */
    bool broken;    /* ELEMENT: it is bad (element_scan.h) */
    struct stream_block *next; /* the holder's */
};

struct stream_cut_rules {
    uint64_t max_record;
    bool forgives;                     /* source.on_corrupt: skip_rest */
    const struct prefilter *prefilter; /* NULL: records of all segments are wanted */
    size_t block_bytes;                /* STREAM_BLOCK_BYTES, but in tests */
};

enum stream_cut_state { STREAM_CUT_CLOSED, STREAM_CUT_OPEN, STREAM_CUT_FAILED, STREAM_CUT_ENDED };

struct stream_cut {
    struct stream *stream;
    const struct form *form; /* the stream's, once it was read from; NULL: lines */
    struct stream_cut_rules rules;
    enum stream_cut_state state;
    bool at_end;        /* read() said so */
    uint8_t *carry;     /* rules.block_bytes; NULL until opened */
    size_t carried;     /* bytes of it */
    uint64_t offset;    /* of carry[0] in the stream */
    struct fault fault; /* of a stream that failed */
    struct element_scan scan;
    /* Of an element that was broken off: what was read behind it, when the carry can't hold it. */
    uint8_t *back;              /* stream_cut_large_bytes(); NULL: nothing */
    size_t back_at, back_end;   /* what is left of it */
    bool back_ends, back_fails; /* what the stream did behind it */
    uint64_t taken;             /* elements that were passed */
    bool closed;                /* the container's end was read */
    bool bad_end;               /* it was not, and the stream ends */
};

/* Capacity of the large block. */
size_t stream_cut_large_bytes(const struct stream_cut_rules *rules);

/* Opens nothing yet. */
void stream_cut_start(struct stream_cut *cut, struct stream *stream, const struct stream_cut_rules *rules);
void stream_cut_end(struct stream_cut *cut); /* closes the stream, frees what was read */

enum stream_cut_result {
    STREAM_CUT_BLOCK,      /* `block` holds the next one */
    STREAM_CUT_WANTS_LARGE /* the next line is longer than a block: stream_cut_large() goes on; `block` is
                              free */
};
/* Not after a block that was `final`. */
enum stream_cut_result stream_cut_next(struct stream_cut *cut, struct stream_block *block);
/* With the large block, after STREAM_CUT_WANTS_LARGE. */
void stream_cut_large(struct stream_cut *cut, struct stream_block *block);

#endif

/* record_view.h - a record as stage 1 left it, for who looks at all of it in place of the rows of a job. */
#ifndef PENSTOCK_CORE_RECORD_RECORD_VIEW_H
#define PENSTOCK_CORE_RECORD_RECORD_VIEW_H

#include <stddef.h>
#include <stdint.h>

struct record_view {
    const uint8_t *bytes;  /* what tokens count from; LIMIT_PADDING readable bytes behind the block */
    const uint32_t *token; /* the record's first; tokens end as index_walk.h says */
    uint32_t end;          /* of the record: no token at or behind it is the record's */
    size_t source;         /* number of its source */
    uint64_t offset;       /* of `bytes` in it */
};

/* Lent to one worker, whose records it sees in input order. */
struct record_visitor {
    void *self;
    /* Returns the first token behind the record, NULL: the record is not good, and was not counted. */
    const uint32_t *(*visit)(void *self, const struct record_view *view);
};

#endif

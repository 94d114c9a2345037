/* stream_head.h - the first records of a stream, as a stream: what lies behind them is not read.
 *
 * A record is a line that is not blank, as for sample.h, whose scan of lines it shares, or an element of a
 * container, which stream_cut.h counts.
 * Thread rule: as for any stream. Borrows the other stream. */
#ifndef PENSTOCK_CORE_FLOW_STREAM_HEAD_H
#define PENSTOCK_CORE_FLOW_STREAM_HEAD_H

#include "core/flow/sample.h"
#include "core/flow/stream.h"

struct stream_head {
    struct stream port; /* what is read in place of `whole` */
    struct stream *whole;
    struct sample_scan scan;
    bool is_open;
};

/* At most `records` of `whole`; 0: it is never opened. */
void stream_head_start(struct stream_head *head, struct stream *whole, uint64_t records);

#endif

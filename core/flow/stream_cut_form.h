/* stream_cut_form.h - the half of stream_cut.c that cuts containers which are no lines, and what both share.
 *
 * A block goes from where an element is due to where another one is: element_scan.h finds both, front to
 * back. Behind a block's `length` stand the bytes that whoever converts it must see to find the same. An
 * element that no block holds comes in the large one, alone; what stands behind the container's end as a
 * block of its own.
 *
 * Thread rule: that of stream_cut.h. */
#ifndef PENSTOCK_CORE_FLOW_STREAM_CUT_FORM_H
#define PENSTOCK_CORE_FLOW_STREAM_CUT_FORM_H

#include "core/flow/stream_cut.h"

/* The block at hand holds what was carried. `first`: of the stream. */
enum stream_cut_result stream_cut_elements(struct stream_cut *cut, struct stream_block *block, bool first);
/* One element into the large block. */
void stream_cut_element(struct stream_cut *cut, struct stream_block *block);

/* ---- shared ---- */

/* How much of a long record is kept. */
size_t stream_cut_kept_bytes(const struct stream_cut_rules *rules);
/* The next bytes; 0 at the end and after a failure, which is kept. */
size_t stream_cut_read(struct stream_cut *cut, uint8_t *into, size_t room);
void stream_cut_fill(struct stream_cut *cut, struct stream_block *block);
/* Takes bytes off the front. */
void stream_cut_strip(struct stream_block *block, size_t bytes);
size_t stream_cut_leading_blanks(const uint8_t *bytes, size_t length);
/* Bytes up to behind the last one that is no blank. */
size_t stream_cut_text_end(const uint8_t *bytes, size_t length);
void stream_cut_carry_over(struct stream_cut *cut, const uint8_t *bytes, size_t length, uint64_t offset);
/* The same for any length that was read into the large block. */
void stream_cut_take_back(struct stream_cut *cut, const uint8_t *bytes, size_t length, uint64_t offset);
/* The block that ends a stream that failed: what it holds is the record that it was damaged in. */
void stream_cut_end_failed(struct stream_cut *cut, struct stream_block *block);
/* Does a record that no block holds name a wanted segment? Looks at the bytes [at, at + length), which share
 * an id's length with those before. */
void stream_cut_look_for_segments(const struct stream_cut *cut, struct stream_block *block, const uint8_t *at,
                                  size_t length);

#endif

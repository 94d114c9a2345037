/* convert_inside.h - what the two halves of a worker's loop share: records in lines (convert.c) and in other
 * containers (convert_form.c).
 *
 * Thread rule: the worker's, on its own struct convert. */
#ifndef PENSTOCK_CORE_FLOW_CONVERT_INSIDE_H
#define PENSTOCK_CORE_FLOW_CONVERT_INSIDE_H

#include "core/flow/convert_out.h"

/* Bytes [offset, offset + length) of the source at hand, up to convert->end: of the block at hand, or through
 * the tools' reader; `length` is at most their capacity. */
enum status convert_show(struct convert *convert, struct convert_tools *tools, uint64_t offset, size_t length,
                         struct source_window *window, struct fault *fault);
/* What becomes of a record that a walk (or the visitor) found good. False: it needs the large lane. */
bool convert_accept(struct convert *convert, struct convert_tools *tools,
                    const struct convert_record *record);
/* `--strict`, over a record that a walk found good: its last word. NULL: it is not good. */
const uint32_t *convert_strict(struct convert_tools *tools, const uint8_t *bytes, const uint32_t *token,
                               uint32_t end);
/* The first defect of a record, as far as the run looks. */
enum defect convert_defect(const struct convert *convert, struct convert_tools *tools,
                           const struct convert_record *record);
/* A record by On-Demand, which is the judge; the defect of one that it refuses. False: it needs the large
 * lane. */
bool convert_judge(struct convert *convert, struct convert_tools *tools, const struct convert_record *record);
/* A record of any length, with the large lane: the caller has its turn. */
enum status convert_large_record(struct convert *convert, uint64_t text, uint64_t length,
                                 struct fault *fault);

#endif

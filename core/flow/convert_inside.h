/* convert_inside.h - what the parts of a worker's loop share: set-up, walks and shards (convert.c), records
 * in lines (convert_lines.c) and in other containers (convert_form.c), and the large lane (convert_large.c).
 *
 * Errors: STATUS_IO, when the source can't be read. A run that is being stopped is none: convert->stopping is
 * set, and STATUS_OK returned.
 *
 * Thread rule: the worker's, on its own struct convert; the large lane is lent by the turn (convert.h). */
#ifndef PENSTOCK_CORE_FLOW_CONVERT_INSIDE_H
#define PENSTOCK_CORE_FLOW_CONVERT_INSIDE_H

#include "core/flow/convert_out.h"

/* Bytes [offset, offset + length) of the source at hand, up to convert->end: of the block at hand, or through
 * the tools' reader; `length` is at most their capacity. */
enum status convert_show(struct convert *convert, struct convert_tools *tools, uint64_t offset, size_t length,
                         struct source_window *window, struct fault *fault);

/* ---- one record ---- */

/* The walk over the tokens of one record, along the plan. */
static inline const uint32_t *convert_walk_plan(struct convert_tools *tools, const uint8_t *bytes,
                                                const uint32_t *token, uint32_t end)
{
    struct index_walk *const walk = &tools->walk;
    walk->bytes = bytes;
    walk->end = end;
    cells_begin(&tools->cells, bytes + *token);
    return index_walk_record(walk, token);
}

/* By who looks at all of it; `offset`: of `bytes` in the source. NULL: it is not good. */
const uint32_t *convert_walk_watched(const struct convert *convert, struct convert_tools *tools,
                                     const uint8_t *bytes, const uint32_t *token, uint32_t end,
                                     uint64_t offset);
/* Either of them, once a record and so in line: behind the last token, or NULL when it is not good. */
static inline const uint32_t *convert_walk(const struct convert *convert, struct convert_tools *tools,
                                           const uint8_t *bytes, const uint32_t *token, uint32_t end,
                                           uint64_t offset)
{
    return __builtin_expect(convert->watched, 0)
               ? convert_walk_watched(convert, tools, bytes, token, end, offset)
               : convert_walk_plan(tools, bytes, token, end);
}

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

/* ---- convert_large.c ---- */

/* A record of any length, with the large lane: the caller has its turn. */
enum status convert_large_record(struct convert *convert, uint64_t text, uint64_t length,
                                 struct fault *fault);
/* The one line at `from`, whatever its length, with the large tools, for which it waits until its turn.
 * *next: behind its line feed. */
enum status convert_large(struct convert *convert, uint64_t from, uint64_t *next, struct fault *fault);

/* ---- convert_lines.c ---- */

/* The lines that begin in a shard, or in a block of a stream. */
enum status convert_lines(struct convert *convert, const struct shard *shard, struct fault *fault);

#endif

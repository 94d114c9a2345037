/* convert_out.h - what becomes of a record that was walked: a row in the chunk at hand, a count, or a reject
 * entry. What comes behind convert.c, which reads and walks.
 *
 * Thread rule: the worker's, on its own struct convert. */
#ifndef PENSTOCK_CORE_FLOW_CONVERT_OUT_H
#define PENSTOCK_CORE_FLOW_CONVERT_OUT_H

#include "core/flow/convert.h"

struct convert_record {
    const uint8_t *bytes; /* without the blanks around it */
    uint32_t length;
    uint64_t offset; /* in the source */
};

/* The cells of a good record to their row, or to what else becomes of it. False: it needs the large lane. */
bool convert_deliver(struct convert *convert, struct convert_tools *tools,
                     const struct convert_record *record);
/* A failed record. `length`: of the record, which may be longer than what is shown of it. `contends`: it is
 * one of those that are compared (contend.h). */
void convert_reject(struct convert *convert, const struct convert_record *record, uint64_t length,
                    enum defect code, const struct path *path, bool contends);
/* A record that can't name a wanted segment (prefilter.h): skipped without being parsed. */
void convert_pass(struct convert *convert);
/* Gives the chunks at hand, the last one marked, with the shard's tally. */
void convert_finish_shard(struct convert *convert);

#endif

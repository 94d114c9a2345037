/* convert_form.h - the records of a container that is no lines (form.h): a worker's loop over them.
 *
 *   window -> block: from a record to a mark -> stage 1 once a block -> index_walk an element -> csv_row
 *                                                                         |
 *                                      not good, or something is odd      v
 *                                          element_scan: where it ends -> the judge, or a reject entry
 *
 * Both ways find the same elements: the fast one takes an element only when its brackets close, what
 * separates it from the next one follows at once, and no mark lies inside.
 *
 * Shards. The records of shard i are those from the first mark in it up to the first mark at or behind its
 * end; so a worker finds both without asking anybody. Mostly marks are records, and the records in front of
 * such an end do end there. Where they don't (the mark stood inside a record, or in something broken), the
 * worker goes on to the end of the record it is in, says where that is (convert->ended), and the assembler
 * has the next shard converted again from there (pipeline.c): what is found hangs on nothing but the bytes.
 *
 * Thread rule: the worker's, on its own struct convert. */
#ifndef PENSTOCK_CORE_FLOW_CONVERT_FORM_H
#define PENSTOCK_CORE_FLOW_CONVERT_FORM_H

#include "core/flow/convert_out.h"

/* The least window: marks can be seen in it, and something beside them. */
#define CONVERT_FORM_WINDOW_MIN (4u * RECORD_MARK_AHEAD)

/* A shard, or a block of a stream, of the source at hand (convert->form). `begin`: where its first record is
 * due; CONVERT_FORM_GUESS: at the first mark. */
#define CONVERT_FORM_GUESS (UINT64_MAX - 1)
enum status convert_form(struct convert *convert, const struct shard *shard, uint64_t begin,
                         struct fault *fault);
/* For who can't take back what a record did (convert_keeps()), before that is done. *begin: where the first
 * record of the shard is due, which the worker of the shard before it tells (port->due). Where the first one
 * behind the shard is due is told in turn, and both are found side by side: each worker looks from a guess
 * on, and again only when that was wrong. */
enum status convert_form_seam(struct convert *convert, const struct shard *shard, uint64_t *begin,
                              struct fault *fault);
/* A record alone, or one that is known to be broken (convert->element_broken). False: it needs the large
 * lane.
 */
bool convert_form_judge(struct convert *convert, struct convert_tools *tools,
                        const struct convert_record *record);

#endif

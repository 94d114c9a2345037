/* convert.h - one worker's work: a shard of input to chunks of CSV rows and rejects.
 *
 * How a record goes:
 *
 *   window of the source -> blocks of whole lines -> stage 1 once a block -> index_walk a record -> csv_row
 *                                   |                                            |
 *                                   | not clean                                  | not good
 *                                   v                                            v
 *                            each record alone: record_walk (On-Demand) -> record_defect -> reject entry
 *
 * Records longer than a block, and those that select more values than a block's cells hold, take the large
 * lane: one set of tools, sized for source.max_record, for the whole run. A worker may use it only while its
 * shard is the next one to be written (port->wait_for_turn): so there is never a second user, and the chunks
 * that such a record fills are always drained. Which lane a record takes never shows in the output.
 *
 * Thread rule: one struct convert a worker; the lane is lent to one at a time by the turn. */
#ifndef PENSTOCK_CORE_FLOW_CONVERT_H
#define PENSTOCK_CORE_FLOW_CONVERT_H

#include "core/base/checksum.h"
#include "core/base/limits.h"
#include "core/csv/csv_row.h"
#include "core/flow/chunk.h"
#include "core/flow/contend.h"
#include "core/flow/feed.h"
#include "core/flow/split.h"
#include "core/flow/track.h"
#include "core/record/element_scan.h"
#include "core/record/index_walk.h"
#include "core/record/prefilter.h"
#include "core/record/record_view.h"
#include "core/record/record_walk.h"
#include "core/record/strict.h"

/* How far behind its shard's end a worker looks for the end of the last record at first: a few records. */
#define CONVERT_OVERHANG (16u * 1024)

/* Records up to this many bytes are judged by On-Demand when they are taken alone. A longer one is judged by
 * the index walk, which agrees: On-Demand's own index and string buffer would take 6 bytes more for each of
 * the lane's. */
#define CONVERT_ON_DEMAND_MAX (256u * 1024)

/* Bad records in one block after which the rest of it is taken record by record: each costs a new stage 1. */
#define CONVERT_REINDEX_MAX 4u

/* Which walk a run uses: the fast one where it can, or On-Demand for every record (tests compare both). */
enum convert_walk { CONVERT_FAST, CONVERT_ON_DEMAND };

struct convert_rules {
    const struct plan *plan;
    uint64_t max_record;
    uint32_t max_depth;
    enum convert_walk walk;
    enum checksum_kind checksum; /* of the chunks' bytes, made while they are in the cache */
    /* Records that can't name a wanted segment are skipped unparsed; NULL: all are parsed. */
    const struct prefilter *prefilter;
    uint32_t streams;     /* that rows are for; 0 or 1: one, and rows are not looked at for it */
    bool forgives_damage; /* source.on_corrupt: skip_rest */
    bool strict;          /* all of a record is checked */
    bool visits;          /* records go to a visitor, which is their judge; no rows are made */
};

/* identity.deduplicate: latest */
static inline bool convert_deduplicates(const struct convert_rules *rules)
{
    return rules->plan->mapping->identity.deduplicate == IDENTITY_KEEP_LATEST;
}

/* What a record does can't be taken back: candidates are in the table of keys, a visitor has seen it. */
static inline bool convert_keeps(const struct convert_rules *rules)
{
    return rules->visits || convert_deduplicates(rules);
}

/* Everything that a record needs on its way; up to `capacity` bytes with what is around it. */
struct convert_tools {
    size_t capacity;
    bool on_demand;
    struct record_parser *parser;
    struct cells cells;
    struct index_walk walk;
    struct strict strict; /* with rules->strict; else zeroed */
    struct csv_row row;
    struct source_reader *reader; /* of source number `reader_source` */
    size_t reader_source;
};

/* What a worker asks of the pipeline. Each returns NULL or false when the run is being stopped. */
struct convert_port {
    void *context;
    struct chunk *(*take)(void *context);                 /* an empty chunk; may wait */
    void (*give)(void *context, struct chunk *chunk);     /* to the assembler, in order */
    bool (*wait_for_turn)(void *context, uint64_t shard); /* until all shards before it are written */
    /* Of a source with a form, when a run keeps what its records do: where the first record of the shard is
     * due; false: not known yet. With `waits` it is waited for; false: the run is being stopped. */
    bool (*due)(void *context, uint64_t shard, bool waits, uint64_t *begin);
    /* The same of the shard behind this one, which whoever converts it may wait for. */
    void (*tell_due)(void *context, uint64_t shard, uint64_t begin);
    bool (*stopped)(void *context);
    struct track *track; /* of the thread that converts; NULL: nothing is counted */
};

struct convert {
    const struct convert_rules *rules;
    struct source *const *sources;
    struct convert_tools tools;
    struct convert_tools *large; /* the lane, shared by all workers */
    struct convert_port port;
    const struct record_visitor *visitor; /* with rules->visits */
    bool watched;                         /* by the visitor, or strictly: asked once a record */
    bool alone;                           /* no other worker waits to be told where a shard begins */
    struct contend contend;               /* with identity.deduplicate: latest; else zeroed */
    struct split split; /* with several streams: the rows before they are sent; else zeroed */
    /* the shard at hand */
    struct source *source;
    size_t source_number;
    const struct form *form;          /* of its records; NULL: lines */
    const struct stream_block *block; /* of a stream; NULL: windows of the source are shown */
    uint64_t end;                     /* of the source, or of the block */
    bool ends_source;
    uint64_t shard;
    struct tally tally;
    struct chunk *rows, *rejects, *contenders; /* being filled; NULL: none taken */
    bool stopping;
    bool broken; /* ROW_BROKEN: the shard ends with a fault */
    /* With a form: what its chunks say of the shard (chunk.h), and of the element at hand. */
    uint64_t began, ended;
    struct element_scan scan;
    bool element_broken;
};

/* Capacity of the lane's tools: any record, with what is around it, and of one that is too large what a
 * reject line shows. So what a line shows does not hang on the size of blocks, which is the memory limit's.
 */
static inline size_t convert_large_capacity(const struct convert_rules *rules, size_t block)
{
    uint64_t const element = form_longest_element(rules->max_record);
    uint64_t const least = element > LIMIT_REJECT_RAW ? element : LIMIT_REJECT_RAW;
    return least > block ? (size_t)least : block;
}

/* Memory of a set of tools, without the reader's buffer. */
size_t convert_tools_bytes(const struct convert_rules *rules, size_t capacity);
bool convert_tools_create(struct convert_tools *tools, const struct convert_rules *rules, size_t capacity);
void convert_tools_destroy(struct convert_tools *tools, struct source *const *sources); /* zeroed is fine */

/* Converts one shard or block; its chunks went through port->give, the last one marked. STATUS_IO when the
 * source can't be read. When the run is stopped meanwhile it returns STATUS_OK early. */
enum status convert_task(struct convert *convert, const struct feed_task *task, struct fault *fault);
/* Converts a shard of a source with a form again, from where its first record begins (pipeline_mend.c). */
enum status convert_again(struct convert *convert, const struct feed_task *task, uint64_t begin,
                          struct fault *fault);

#endif

/* assemble.h - the stage that puts shards back in order, cuts files, and feeds the sink.
 *
 * Takes chunks in input order, cuts each stream's rows into its files exactly (assemble_files.c), writes
 * headers, passes rejects on with their line numbers, keeps the budget, and adds up the run's tally.
 *
 * Thread rule: one thread, the pipeline's own. Owns the list of files. */
#ifndef PENSTOCK_CORE_FLOW_ASSEMBLE_H
#define PENSTOCK_CORE_FLOW_ASSEMBLE_H

#include "core/base/checksum.h"
#include "core/csv/csv_row.h"
#include "core/flow/chunk.h"
#include "core/flow/reject.h"
#include "core/flow/sink.h"
#include "core/flow/source.h"

#include <stdbool.h>
#include <stdint.h>

/* Longest name below the destination, its folders and the terminator included: a whole key of S3 (1,024). */
#define ASSEMBLE_NAME_MAX 1025u

struct assemble_file {
    char name[ASSEMBLE_NAME_MAX];
    uint32_t stream, part; /* part: from 1 in each stream */
    uint32_t number;       /* the sink's */
    uint64_t rows, bytes;  /* as written, header included: what is stored is the sink's to say (sink.h) */
    uint64_t checksum;     /* of those bytes */
    enum checksum_kind checksum_kind;
    bool is_open;
    uint32_t next; /* number of the stream's next file, while there is one */
};

struct assemble_rules {
    uint32_t streams;    /* 0 or 1: one; at most MAPPING_SPLIT_MAX */
    uint32_t first_file; /* the sink's number of the first: files that were begun before have the others */
    uint64_t max_rows, max_bytes; /* 0: no limit */
    /* Not 0: no cuts. Each stream has so many files, open to the end, fewer when it has fewer shards: a
     * shard's rows go to the one with the fewest, the lower part when they are even. So where rows go depends
     * on the shards' size. */
    uint32_t file_count;
    bool empty_header; /* a stream without rows has a file all the same */
    enum csv_header header;
    struct csv_text header_line;
    enum checksum_kind checksum; /* that of the chunks, too */
    /* The budget: a number is judged at every failed record, a share (in millionths) at the end. */
    bool budget_is_share;
    uint64_t budget_records;
    uint32_t budget_millionths;
    const char *budget_text;
    /* Names file number `part` (from 1) of a stream. */
    enum status (*name)(void *context, uint32_t stream, uint32_t part, char *out, size_t size,
                        struct fault *fault);
    void *name_context;
    /* Told of every failed record, in input order; may be NULL. */
    enum status (*reject)(void *context, const struct reject *reject, struct fault *fault);
    void *reject_context;
    /* Told of a row that is larger than max_bytes. */
    void (*large_row)(void *context, const char *file, uint64_t bytes);
    void *large_row_context;
    /* Where a chunk goes when no piece of it is with the sink any more. */
    void (*home)(void *context, struct chunk *chunk);
    void *home_context;
};

struct assemble_stream {
    uint32_t parts;       /* files so far */
    uint32_t first, last; /* their numbers, when there are any */
    uint32_t current;     /* number of the file that takes rows, when has_current */
    bool has_current;
    uint64_t shard; /* the one that `current` was chosen for, with rules->file_count */
};

struct assemble {
    const struct assemble_rules *rules;
    struct sink *sink;
    struct source *const *sources;
    struct assemble_file *files; /* by the sink's number; after assemble_finish() by stream, then part */
    uint32_t file_count, file_room;
    struct assemble_stream streams[MAPPING_SPLIT_MAX];
    uint64_t row_left;     /* bytes still to come of a row larger than a chunk */
    uint32_t row_file;     /* where they go */
    uint64_t pieces_out;   /* of chunks, with the sink and not yet home */
    size_t source;         /* of the shard at hand */
    uint64_t source_lines; /* line ends of that source before the shard at hand */
    uint64_t shard;        /* at hand, from 1 */
    struct tally
        tally; /* of the shards that are whole; with a passed budget, up to the record that passed it */
};

void assemble_start(struct assemble *assemble, const struct assemble_rules *rules, struct sink *sink,
                    struct source *const *sources);
/* The next chunk in order, of a shard of source number `source`. Takes it over: it goes home by rules->home.
 * STATUS_INPUT: the budget is passed, assemble->tally says where. */
enum status assemble_chunk(struct assemble *assemble, struct chunk *chunk, size_t source,
                           struct fault *fault);
/* After the last chunk: ends the open files, judges a budget that is a share, checks the sums, begins and
 * ends the files of streams without rows. Pieces may still be out. */
enum status assemble_finish(struct assemble *assemble, struct fault *fault);
void assemble_free(struct assemble *assemble);

#endif

/* assemble.c - ordered chunks to files. Thread: the pipeline's. Owns the list of files, grown a file at a
 * time. */
#include "core/flow/assemble.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- chunks and the sink ---- */

static void chunk_release(struct assemble *assemble, struct chunk *chunk)
{
    if (--chunk->pieces == 0) assemble->rules->home(assemble->rules->home_context, chunk);
}

static void piece_home(void *context, const struct sink_piece *piece)
{
    struct assemble *assemble = context;
    if (piece->owner == NULL) return;
    assemble->pieces_out--;
    chunk_release(assemble, piece->owner);
}

void assemble_start(struct assemble *assemble, const struct assemble_rules *rules, struct sink *sink,
                    struct source *const *sources)
{
    *assemble = (struct assemble){.rules = rules, .sink = sink, .sources = sources};
    sink->home = piece_home;
    sink->home_context = assemble;
}

void assemble_free(struct assemble *assemble)
{
    free(assemble->files);
    assemble->files = NULL;
    assemble->file_count = assemble->file_room = 0;
}

/* ---- files ---- */

static struct assemble_file *current(struct assemble *assemble)
{
    return &assemble->files[assemble->file_count - 1];
}

static enum status file_write(struct assemble *assemble, struct sink_piece *piece, struct fault *fault)
{
    struct assemble_file *const file = current(assemble);
    enum checksum_kind const kind = assemble->rules->checksum;
    if (kind != CHECKSUM_NONE) {
        if (!piece->has_checksum) piece->checksum = checksum_update(kind, 0, piece->bytes, piece->length);
        piece->has_checksum = true;
        file->checksum = checksum_combine(kind, file->checksum, piece->checksum, piece->length);
    }
    file->bytes += piece->length;
    return assemble->sink->write(assemble->sink, assemble->file_count - 1, piece, fault);
}

static enum status file_begin(struct assemble *assemble, struct fault *fault)
{
    const struct assemble_rules *rules = assemble->rules;
    if (assemble->file_count == assemble->file_room) {
        uint32_t const room = assemble->file_room == 0 ? 16 : 2 * assemble->file_room;
        struct assemble_file *files = realloc(assemble->files, room * sizeof *files);
        if (files == NULL) return fault_set(fault, STATUS_IO, "no memory for the list of %u files", room);
        assemble->files = files;
        assemble->file_room = room;
    }
    struct assemble_file *file = &assemble->files[assemble->file_count];
    *file = (struct assemble_file){.rows = 0};
    enum status status =
        rules->name(rules->name_context, assemble->file_count + 1, file->name, sizeof file->name, fault);
    if (status != STATUS_OK) return status;
    status = assemble->sink->begin(assemble->sink, assemble->file_count, file->name, SINK_DATA, fault);
    if (status != STATUS_OK) return status;
    assemble->file_open = true;
    bool const has_header =
        rules->header == CSV_HEADER_EVERY || (rules->header == CSV_HEADER_FIRST && assemble->file_count == 0);
    assemble->file_count++;
    if (!has_header) return STATUS_OK;
    struct sink_piece header = {.bytes = rules->header_line.bytes, .length = rules->header_line.length};
    return file_write(assemble, &header, fault);
}

static enum status file_end(struct assemble *assemble, struct fault *fault)
{
    if (!assemble->file_open) return STATUS_OK;
    assemble->file_open = false;
    return assemble->sink->end(assemble->sink, assemble->file_count - 1, current(assemble)->rows,
                               current(assemble)->bytes, fault);
}

/* Sees to an open file that may take a row of `bytes`. */
static enum status file_for(struct assemble *assemble, uint64_t bytes, struct fault *fault)
{
    const struct assemble_rules *rules = assemble->rules;
    if (assemble->file_open && current(assemble)->rows > 0) {
        const struct assemble_file *file = current(assemble);
        bool const full = rules->max_rows != 0 && file->rows == rules->max_rows;
        bool const too_long = rules->max_bytes != 0 &&
                              (file->bytes > rules->max_bytes || bytes > rules->max_bytes - file->bytes);
        if (full || too_long) {
            enum status const status = file_end(assemble, fault);
            if (status != STATUS_OK) return status;
        }
    }
    if (!assemble->file_open) {
        enum status const status = file_begin(assemble, fault);
        if (status != STATUS_OK) return status;
        if (rules->max_bytes != 0 && current(assemble)->bytes + bytes > rules->max_bytes)
            rules->large_row(rules->large_row_context, current(assemble)->name, bytes);
    }
    return STATUS_OK;
}

/* ---- rows ---- */

static enum status put_piece(struct assemble *assemble, struct chunk *chunk, uint32_t begin, uint32_t end,
                             struct fault *fault)
{
    if (begin == end) return STATUS_OK;
    struct sink_piece piece = {.bytes = chunk->bytes + begin,
                               .length = end - begin,
                               .owner = chunk,
                               .checksum = chunk->checksum,
                               .has_checksum = end - begin == chunk->length &&
                                               assemble->rules->checksum != CHECKSUM_NONE};
    chunk->pieces++;
    assemble->pieces_out++;
    return file_write(assemble, &piece, fault);
}

/* How many of the rows from `row` on the open file still takes: the first one is known to fit. */
static uint32_t rows_that_fit(struct assemble *assemble, const struct chunk *chunk, uint32_t row,
                              uint32_t begin)
{
    const struct assemble_rules *rules = assemble->rules;
    const struct assemble_file *file = current(assemble);
    uint64_t most = chunk->rows - row;
    if (rules->max_rows != 0 && most > rules->max_rows - file->rows) most = rules->max_rows - file->rows;
    if (rules->max_bytes == 0) return (uint32_t)most;
    uint64_t const room = file->bytes < rules->max_bytes ? rules->max_bytes - file->bytes : 0;
    uint32_t low = 1, high = (uint32_t)most; /* row ends ascend: the last that lies within the room */
    while (low < high) {
        uint32_t const middle = low + (high - low + 1) / 2;
        if (chunk->row_ends[row + middle - 1] - begin <= room)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* The rest of a row that began in a chunk before: its file is chosen already. Returns how far it reaches. */
static uint32_t row_rest(struct assemble *assemble, const struct chunk *chunk, uint32_t *row)
{
    uint64_t const left = assemble->row_left;
    if (left > chunk->length || chunk->rows == 0) {
        assemble->row_left -= chunk->length;
        return chunk->length;
    }
    assemble->row_left = 0;
    current(assemble)->rows++;
    *row = 1;
    return chunk->row_ends[0];
}

static enum status put_rows(struct assemble *assemble, struct chunk *chunk, struct fault *fault)
{
    uint32_t row = 0, begin = 0;
    enum status status = STATUS_OK;
    if (assemble->row_left != 0) {
        begin = row_rest(assemble, chunk, &row);
        status = put_piece(assemble, chunk, 0, begin, fault);
    }
    while (status == STATUS_OK && row < chunk->rows) {
        status = file_for(assemble, chunk->row_ends[row] - begin, fault);
        if (status != STATUS_OK) return status;
        uint32_t const rows = rows_that_fit(assemble, chunk, row, begin);
        uint32_t const end = chunk->row_ends[row + rows - 1];
        current(assemble)->rows += rows;
        status = put_piece(assemble, chunk, begin, end, fault);
        row += rows;
        begin = end;
    }
    if (status != STATUS_OK || begin == chunk->length) return status;
    assemble->row_left = chunk->open_row;
    status = file_for(assemble, chunk->open_row, fault);
    if (status != STATUS_OK) return status;
    assemble->row_left -= chunk->length - begin;
    return put_piece(assemble, chunk, begin, chunk->length, fault);
}

/* ---- rejects ---- */

static enum status put_reject(struct assemble *assemble, const struct chunk_reject *entry, const uint8_t *raw,
                              struct fault *fault)
{
    const struct assemble_rules *rules = assemble->rules;
    struct tally total = assemble->tally;
    tally_add(&total, &entry->tally);
    struct reject const reject = {.source = assemble->sources[assemble->source]->name,
                                  .offset = entry->offset,
                                  .length = entry->length,
                                  .line = assemble->source_lines + entry->tally.lines + 1,
                                  .code = entry->code,
                                  .path = entry->path == NULL ? "" : entry->path->text,
                                  .raw = raw,
                                  .raw_length = entry->raw_length};
    enum status const status =
        rules->reject == NULL ? STATUS_OK : rules->reject(rules->reject_context, &reject, fault);
    if (status != STATUS_OK) return status;
    if (rules->budget_is_share || tally_failed(&total) <= rules->budget_records) return STATUS_OK;
    assemble->tally = total;
    return fault_set(fault, STATUS_INPUT,
                     "%s:%" PRIu64 ": %s: %" PRIu64
                     " %s failed, the budget is %s (rejects.max, --max-rejects)",
                     reject.source, reject.line, tally_defect_name(reject.code), tally_failed(&total),
                     tally_failed(&total) == 1 ? "record" : "records", rules->budget_text);
}

static enum status put_rejects(struct assemble *assemble, const struct chunk *chunk, struct fault *fault)
{
    uint32_t at = 0;
    while (at < chunk->length) {
        struct chunk_reject entry;
        memcpy(&entry, chunk->bytes + at, sizeof entry);
        enum status const status = put_reject(assemble, &entry, chunk->bytes + at + sizeof entry, fault);
        if (status != STATUS_OK) return status;
        at += (uint32_t)chunk_reject_bytes(entry.raw_length);
    }
    return STATUS_OK;
}

/* ---- the stage ---- */

enum status assemble_chunk(struct assemble *assemble, struct chunk *chunk, size_t source, struct fault *fault)
{
    if (source != assemble->source) {
        assemble->source = source;
        assemble->source_lines = 0;
    }
    chunk->pieces = 1; /* ours, until all of it is handed on */
    enum status const status =
        chunk->kind == CHUNK_ROWS ? put_rows(assemble, chunk, fault) : put_rejects(assemble, chunk, fault);
    if (status == STATUS_OK && chunk->last) {
        tally_add(&assemble->tally, &chunk->tally);
        assemble->source_lines += chunk->tally.lines;
    }
    chunk_release(assemble, chunk);
    return status;
}

static bool share_passed(const struct assemble_rules *rules, const struct tally *tally)
{
    /* failed / input > millionths / 1,000,000, in 128 bits so that no count overflows */
    __extension__ typedef unsigned __int128 wide;
    return (wide)tally_failed(tally) * 1000000u > (wide)tally->input * rules->budget_millionths;
}

static enum status check_sums(const struct assemble *assemble, struct fault *fault)
{
    const struct tally *tally = &assemble->tally;
    uint64_t rows = 0;
    for (uint32_t i = 0; i < assemble->file_count; i++)
        rows += assemble->files[i].rows;
    if (tally_balanced(tally) && rows == tally->rows && assemble->row_left == 0) return STATUS_OK;
    return fault_set(fault, STATUS_INTERNAL,
                     "the counts do not agree: %" PRIu64 " records in, %" PRIu64 " delivered, %" PRIu64
                     " skipped, %" PRIu64 " failed; %" PRIu64 " rows counted, %" PRIu64
                     " written; nothing is delivered. This is a fault of penstock: please report it",
                     tally->input, tally->delivered, tally_skipped(tally), tally_failed(tally), tally->rows,
                     rows);
}

enum status assemble_finish(struct assemble *assemble, struct fault *fault)
{
    enum status status = file_end(assemble, fault);
    if (status == STATUS_OK) status = check_sums(assemble, fault);
    if (status == STATUS_OK && assemble->rules->budget_is_share &&
        share_passed(assemble->rules, &assemble->tally))
        status =
            fault_set(fault, STATUS_INPUT,
                      "%" PRIu64 " of %" PRIu64 " %s failed, the budget is %s (rejects.max, --max-rejects)",
                      tally_failed(&assemble->tally), assemble->tally.input,
                      assemble->tally.input == 1 ? "record" : "records", assemble->rules->budget_text);
    return status;
}

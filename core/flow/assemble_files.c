/* assemble_files.c - rows to files. Thread: the assembler's. Owns the list of files, grown by doubling. */
#include "core/flow/assemble_files.h"

#include <stdlib.h>

/* ---- one file ---- */

enum status assemble_files_write(struct assemble *assemble, uint32_t number, struct sink_piece *piece,
                                 struct fault *fault)
{
    struct assemble_file *const file = &assemble->files[number];
    enum checksum_kind const kind = assemble->rules->checksum;
    if (kind != CHECKSUM_NONE) {
        if (!piece->has_checksum) piece->checksum = checksum_update(kind, 0, piece->bytes, piece->length);
        piece->has_checksum = true;
        file->checksum = checksum_combine(kind, file->checksum, piece->checksum, piece->length);
    }
    file->bytes += piece->length;
    return assemble->sink->write(assemble->sink, file->number, piece, fault);
}

static enum status reserve(struct assemble *assemble, struct fault *fault)
{
    if (assemble->file_count < assemble->file_room) return STATUS_OK;
    uint32_t const room = assemble->file_room == 0 ? 16 : 2 * assemble->file_room;
    struct assemble_file *files = realloc(assemble->files, room * sizeof *files);
    if (files == NULL) return fault_set(fault, STATUS_IO, "no memory for the list of %u files", room);
    assemble->files = files;
    assemble->file_room = room;
    return STATUS_OK;
}

/* The next file of the stream; it takes the stream's rows from now on. */
static enum status file_begin(struct assemble *assemble, uint32_t stream, struct fault *fault)
{
    const struct assemble_rules *rules = assemble->rules;
    struct assemble_stream *const state = &assemble->streams[stream];
    enum status status = reserve(assemble, fault);
    if (status != STATUS_OK) return status;
    uint32_t const number = assemble->file_count;
    struct assemble_file *file = &assemble->files[number];
    *file = (struct assemble_file){.stream = stream,
                                   .part = state->parts + 1,
                                   .number = rules->first_file + number,
                                   .checksum_kind = rules->checksum};
    status = rules->name(rules->name_context, stream, file->part, file->name, sizeof file->name, fault);
    if (status != STATUS_OK) return status;
    status = assemble->sink->begin(assemble->sink, file->number, file->name, SINK_DATA, fault);
    if (status != STATUS_OK) return status;
    file->is_open = true;
    assemble->file_count++;
    if (state->parts++ == 0)
        state->first = number;
    else
        assemble->files[state->last].next = number;
    state->last = state->current = number;
    state->has_current = true;
    bool const has_header =
        rules->header == CSV_HEADER_EVERY || (rules->header == CSV_HEADER_FIRST && file->part == 1);
    if (!has_header) return STATUS_OK;
    struct sink_piece header = {.bytes = rules->header_line.bytes, .length = rules->header_line.length};
    return assemble_files_write(assemble, number, &header, fault);
}

static enum status file_end(struct assemble *assemble, uint32_t number, struct fault *fault)
{
    struct assemble_file *const file = &assemble->files[number];
    file->is_open = false;
    return assemble->sink->end(assemble->sink, file->number, file->rows, file->bytes, fault);
}

/* ---- cuts ---- */

static enum status file_of_cut(struct assemble *assemble, uint32_t stream, uint64_t bytes,
                               struct fault *fault)
{
    const struct assemble_rules *rules = assemble->rules;
    struct assemble_stream *const state = &assemble->streams[stream];
    if (state->has_current && assemble->files[state->current].rows > 0) {
        const struct assemble_file *file = &assemble->files[state->current];
        bool const full = rules->max_rows != 0 && file->rows == rules->max_rows;
        bool const too_long = rules->max_bytes != 0 &&
                              (file->bytes > rules->max_bytes || bytes > rules->max_bytes - file->bytes);
        if (full || too_long) {
            state->has_current = false;
            enum status const status = file_end(assemble, state->current, fault);
            if (status != STATUS_OK) return status;
        }
    }
    if (state->has_current) return STATUS_OK;
    enum status const status = file_begin(assemble, stream, fault);
    if (status != STATUS_OK) return status;
    const struct assemble_file *file = &assemble->files[state->current];
    if (rules->max_bytes != 0 && file->bytes + bytes > rules->max_bytes)
        rules->large_row(rules->large_row_context, file->name, bytes);
    return STATUS_OK;
}

uint32_t assemble_files_fit(const struct assemble *assemble, uint32_t number, const uint32_t *ends,
                            uint32_t count, uint32_t begin)
{
    const struct assemble_rules *rules = assemble->rules;
    const struct assemble_file *file = &assemble->files[number];
    if (rules->file_count != 0) return count;
    uint64_t most = count;
    if (rules->max_rows != 0 && most > rules->max_rows - file->rows) most = rules->max_rows - file->rows;
    if (rules->max_bytes == 0) return (uint32_t)most;
    uint64_t const room = file->bytes < rules->max_bytes ? rules->max_bytes - file->bytes : 0;
    uint32_t low = 1, high = (uint32_t)most; /* row ends ascend: the last that lies within the room */
    while (low < high) {
        uint32_t const middle = low + (high - low + 1) / 2;
        if (ends[middle - 1] - begin <= room)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* ---- even files ---- */

/* The stream's file with the fewest rows, the lowest part of these. There is one. */
static uint32_t fewest_rows(const struct assemble *assemble, const struct assemble_stream *state)
{
    uint32_t best = state->first;
    for (uint32_t i = best; i != state->last;) {
        i = assemble->files[i].next;
        if (assemble->files[i].rows < assemble->files[best].rows) best = i;
    }
    return best;
}

static enum status file_of_count(struct assemble *assemble, uint32_t stream, struct fault *fault)
{
    struct assemble_stream *const state = &assemble->streams[stream];
    if (state->has_current && state->shard == assemble->shard) return STATUS_OK;
    state->shard = assemble->shard;
    if (state->parts < assemble->rules->file_count) return file_begin(assemble, stream, fault);
    state->current = fewest_rows(assemble, state);
    return STATUS_OK;
}

/* ---- all of them ---- */

enum status assemble_files_for(struct assemble *assemble, uint32_t stream, uint64_t bytes, uint32_t *file,
                               struct fault *fault)
{
    enum status const status = assemble->rules->file_count != 0 ? file_of_count(assemble, stream, fault)
                                                                : file_of_cut(assemble, stream, bytes, fault);
    *file = assemble->streams[stream].current;
    return status;
}

enum status assemble_files_end(struct assemble *assemble, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < assemble->file_count && status == STATUS_OK; i++)
        if (assemble->files[i].is_open) status = file_end(assemble, i, fault);
    return status;
}

enum status assemble_files_add_empty(struct assemble *assemble, struct fault *fault)
{
    const struct assemble_rules *rules = assemble->rules;
    uint32_t const streams = rules->streams > 1 ? rules->streams : 1;
    enum status status = STATUS_OK;
    for (uint32_t s = 0; s < streams && rules->empty_header && status == STATUS_OK; s++) {
        if (assemble->streams[s].parts != 0) continue;
        status = file_begin(assemble, s, fault);
        if (status == STATUS_OK) status = file_end(assemble, assemble->streams[s].current, fault);
    }
    return status;
}

static int compare(const void *a, const void *b)
{
    const struct assemble_file *const x = a, *const y = b;
    if (x->stream != y->stream) return x->stream < y->stream ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

void assemble_files_sort(struct assemble *assemble)
{
    if (assemble->file_count > 1)
        qsort(assemble->files, assemble->file_count, sizeof *assemble->files, compare);
}

/* assemble.c - ordered chunks to files, rejects and counts. Thread: the pipeline's. Owns the list of files.
 */
#include "core/flow/assemble.h"

#include "core/flow/assemble_files.h"
#include "core/flow/stream.h"
#include "core/record/form.h"

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
    *assemble =
        (struct assemble){.rules = rules, .sink = sink, .sources = sources, .source = SIZE_MAX, .shard = 1};
    sink->home = piece_home;
    sink->home_context = assemble;
}

void assemble_free(struct assemble *assemble)
{
    free(assemble->files);
    assemble->files = NULL;
    assemble->file_count = assemble->file_room = 0;
}

/* ---- rows ---- */

/* The rows of one stream in a chunk. */
struct run {
    struct chunk *chunk;
    uint32_t stream;
    uint32_t row, row_end;   /* the next row, and behind the last */
    uint32_t begin, at, end; /* bytes: the run's first, the next one, and behind the last */
    uint64_t checksum;
};

static enum status put_piece(struct assemble *assemble, uint32_t file, struct run *run, uint32_t end,
                             struct fault *fault)
{
    uint32_t const at = run->at;
    if (at == end) return STATUS_OK;
    struct sink_piece piece = {.bytes = run->chunk->bytes + at,
                               .length = end - at,
                               .owner = run->chunk,
                               .checksum = run->checksum,
                               .has_checksum = at == run->begin && end == run->end &&
                                               assemble->rules->checksum != CHECKSUM_NONE};
    run->at = end;
    run->chunk->pieces++;
    assemble->pieces_out++;
    return assemble_files_write(assemble, file, &piece, fault);
}

/* The rest of a row that began in a chunk before: its file is chosen already. */
static enum status put_row_rest(struct assemble *assemble, struct run *run, struct fault *fault)
{
    uint64_t const left = assemble->row_left;
    uint32_t const file = assemble->row_file;
    if (left > run->end - run->at || run->row == run->row_end) {
        assemble->row_left -= run->end - run->at;
        return put_piece(assemble, file, run, run->end, fault);
    }
    assemble->row_left = 0;
    assemble->files[file].rows++;
    return put_piece(assemble, file, run, run->chunk->row_ends[run->row++], fault);
}

static enum status put_run(struct assemble *assemble, struct run *run, struct fault *fault)
{
    const struct chunk *const chunk = run->chunk;
    enum status status = STATUS_OK;
    uint32_t file;
    if (assemble->row_left != 0) status = put_row_rest(assemble, run, fault);
    while (status == STATUS_OK && run->row < run->row_end) {
        const uint32_t *const ends = chunk->row_ends + run->row;
        status = assemble_files_for(assemble, run->stream, ends[0] - run->at, &file, fault);
        if (status != STATUS_OK) return status;
        uint32_t const rows = assemble_files_fit(assemble, file, ends, run->row_end - run->row, run->at);
        assemble->files[file].rows += rows;
        run->row += rows;
        status = put_piece(assemble, file, run, ends[rows - 1], fault);
    }
    if (status != STATUS_OK || run->at == run->end) return status;
    status = assemble_files_for(assemble, run->stream, chunk->open_row, &file, fault);
    if (status != STATUS_OK) return status;
    assemble->row_left = chunk->open_row - (run->end - run->at);
    assemble->row_file = file;
    return put_piece(assemble, file, run, run->end, fault);
}

static enum status put_rows(struct assemble *assemble, struct chunk *chunk, struct fault *fault)
{
    struct chunk_run const whole = {.rows = chunk->rows, .checksum = chunk->checksum};
    const struct chunk_run *const runs = chunk->run_count == 0 ? &whole : chunk->runs;
    uint32_t const count = chunk->run_count == 0 ? 1 : chunk->run_count;
    uint32_t row = 0, begin = 0;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        uint32_t const row_end = row + runs[i].rows;
        uint32_t const end = i + 1 == count ? chunk->length : chunk->row_ends[row_end - 1];
        struct run run = {.chunk = chunk,
                          .stream = runs[i].stream,
                          .row = row,
                          .row_end = row_end,
                          .begin = begin,
                          .at = begin,
                          .end = end,
                          .checksum = runs[i].checksum};
        status = put_run(assemble, &run, fault);
        row = row_end;
        begin = end;
    }
    return status;
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
                     " %s failed, the budget is %s (rejects.max, --max-rejects)%s",
                     reject.source, reject.line, tally_defect_name(reject.code), tally_failed(&total),
                     tally_failed(&total) == 1 ? "record" : "records", rules->budget_text,
                     reject.code == DEFECT_TOO_LARGE ? "; source.max_record says how large one may be" : "");
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

/* Line ends before the first record of a source. */
static uint64_t lines_before(const struct source *source)
{
    const struct form *const form = source->stream == NULL ? source->form : source->stream->form;
    return form == NULL ? 0 : form->lines;
}

enum status assemble_chunk(struct assemble *assemble, struct chunk *chunk, size_t source, struct fault *fault)
{
    if (source != assemble->source) {
        assemble->source = source;
        assemble->source_lines = lines_before(assemble->sources[source]);
    }
    chunk->pieces = 1; /* ours, until all of it is handed on */
    enum status const status =
        chunk->kind == CHUNK_ROWS ? put_rows(assemble, chunk, fault) : put_rejects(assemble, chunk, fault);
    if (status == STATUS_OK && chunk->last) {
        tally_add(&assemble->tally, &chunk->tally);
        assemble->source_lines += chunk->tally.lines;
        assemble->shard++;
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

static enum status check_share(const struct assemble *assemble, struct fault *fault)
{
    const struct tally *const tally = &assemble->tally;
    if (!assemble->rules->budget_is_share || !share_passed(assemble->rules, tally)) return STATUS_OK;
    return fault_set(fault, STATUS_INPUT,
                     "%" PRIu64 " of %" PRIu64 " %s failed, the budget is %s (rejects.max, --max-rejects)",
                     tally_failed(tally), tally->input, tally->input == 1 ? "record" : "records",
                     assemble->rules->budget_text);
}

enum status assemble_finish(struct assemble *assemble, struct fault *fault)
{
    enum status status = assemble_files_end(assemble, fault);
    if (status == STATUS_OK) status = check_sums(assemble, fault);
    if (status == STATUS_OK) status = check_share(assemble, fault);
    if (status == STATUS_OK) status = assemble_files_add_empty(assemble, fault);
    if (status == STATUS_OK) assemble_files_sort(assemble);
    return status;
}

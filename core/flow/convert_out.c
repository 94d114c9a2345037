/* convert_out.c - see the header. Thread: a worker. Owns the chunks being filled. */
#include "core/flow/convert_out.h"

#include <string.h>

/* ---- chunks ---- */

static struct chunk *take_chunk(struct convert *convert, enum chunk_kind kind)
{
    struct chunk *chunk = convert->port.take(convert->port.context);
    if (chunk == NULL)
        convert->stopping = true;
    else
        chunk_reset(chunk, kind, convert->shard);
    if (chunk != NULL) chunk->began = convert->began;
    return chunk;
}

/* Each run by itself: they go to different files. */
static void sum_runs(enum checksum_kind kind, struct chunk *rows)
{
    uint32_t row = 0, begin = 0;
    for (uint32_t i = 0; i < rows->run_count; i++) {
        struct chunk_run *const run = &rows->runs[i];
        row += run->rows;
        uint32_t const end = i + 1 == rows->run_count ? rows->length : rows->row_ends[row - 1];
        run->checksum = checksum_update(kind, 0, rows->bytes + begin, end - begin);
        begin = end;
    }
}

static void give_rows(struct convert *convert)
{
    struct chunk *const rows = convert->rows;
    enum checksum_kind const kind = convert->rules->checksum;
    if (rows->run_count != 0)
        sum_runs(kind, rows);
    else
        rows->checksum = checksum_update(kind, 0, rows->bytes, rows->length);
    if (rows->row_marks != NULL && convert->split.stream_count == 0) {
        contend_mark(&convert->contend, rows);
        contend_next_chunk(&convert->contend);
    }
    convert->rows = NULL;
    convert->port.give(convert->port.context, rows);
}

/* Sends the rows at hand, takes an empty chunk in their place. */
static bool next_rows(struct convert *convert)
{
    if (convert->rows != NULL) give_rows(convert);
    convert->rows = take_chunk(convert, CHUNK_ROWS);
    return convert->rows != NULL;
}

/* Sends rejects behind the contenders that they stand among (chunk.h). */
static void give_rejects(struct convert *convert)
{
    if (convert->contenders != NULL) convert->port.give(convert->port.context, convert->contenders);
    if (convert->rejects != NULL) convert->port.give(convert->port.context, convert->rejects);
    convert->contenders = convert->rejects = NULL;
}

static bool next_rejects(struct convert *convert)
{
    give_rejects(convert);
    convert->rejects = take_chunk(convert, CHUNK_REJECTS);
    return convert->rejects != NULL;
}

/* Is there room for one more contender in the chunk at hand? */
static bool fits_contender(const struct convert *convert)
{
    const struct chunk *const chunk = convert->contenders;
    return chunk != NULL && chunk->capacity - chunk->length >= sizeof(struct contender);
}

/* One contender more or the last one for all: see contender.h. */
static bool joins_last(const struct convert *convert, const struct contender *contender)
{
    const struct chunk *const chunk = convert->contenders;
    if (chunk == NULL || chunk->rows == 0) return false;
    return contender_join((struct contender *)chunk->bytes + chunk->rows - 1, contender);
}

/* The commonest case: a record of one id whose row was written, as was that of the one before it. */
static inline bool joins_quickly(const struct convert *convert, const struct csv_row *row,
                                 const struct contend_outcome *outcome)
{
    const struct chunk *const chunk = convert->contenders;
    if (row->id_count != 1 || outcome->outcome != CONTENDER_ROWS || chunk == NULL || chunk->rows == 0)
        return false;
    struct contender *const last = (struct contender *)chunk->bytes + chunk->rows - 1;
    unsigned differ = (unsigned)(last->shape ^ CONTENDER_ALONE) | (unsigned)(last->outcome ^ CONTENDER_ROWS) |
                      (unsigned)(last->rows ^ outcome->rows) | (unsigned)(last->candidates == UINT32_MAX);
    for (unsigned c = 0; c < CHANGE_COUNT; c++)
        differ |= row->changed[c] ^ last->changed[c];
    if (differ != 0) return false;
    last->candidates++;
    return true;
}

static bool next_contenders(struct convert *convert)
{
    if (convert->contenders != NULL) give_rejects(convert);
    convert->contenders = take_chunk(convert, CHUNK_CONTENDERS);
    return convert->contenders != NULL;
}

/* Sends the rows that were gathered for several streams; the last chunk stays at hand. False: the run is
 * being stopped. */
static bool send_split(struct convert *convert)
{
    bool more = !split_is_empty(&convert->split);
    if (convert->contend.table != NULL) {
        contend_mark(&convert->contend, convert->split.rows);
        contend_next_chunk(&convert->contend);
    }
    while (more) {
        if (!next_rows(convert)) return false;
        more = split_fill(&convert->split, convert->rows);
    }
    return true;
}

static bool has_few_contenders(const struct convert *convert)
{
    return convert->contenders != NULL && convert->contenders->rows <= CHUNK_CONTENDERS_MAX;
}

/* The contenders at hand go along with the shard's last chunk; theirs stays, for the next shard. */
static void carry_contenders(struct convert *convert)
{
    struct chunk *const from = convert->contenders;
    memcpy(convert->rows->contenders, from->bytes, from->length);
    convert->rows->contender_count = from->rows;
    chunk_reset(from, CHUNK_CONTENDERS, convert->shard);
}

void convert_finish_shard(struct convert *convert)
{
    if (convert->split.stream_count != 0 && !send_split(convert)) return;
    bool const few = convert->rejects == NULL && has_few_contenders(convert);
    if (!few) give_rejects(convert);
    if (convert->rows == NULL && !next_rows(convert)) return;
    if (few) carry_contenders(convert);
    convert->rows->last = true;
    convert->rows->ends_source = convert->ends_source;
    convert->rows->ended = convert->ended;
    convert->rows->losers = convert->contend.first;
    convert->rows->tally = convert->tally;
    give_rows(convert);
}

/* ---- what becomes of a record ---- */

/* The streams that a row is for. */
struct members {
    const uint32_t *streams;
    uint32_t count;
};

static struct members members_of(const struct convert *convert, const struct csv_row *row)
{
    static const uint32_t only = 0;
    if (convert->split.stream_count == 0) return (struct members){.streams = &only, .count = 1};
    return (struct members){.streams = row->members, .count = row->member_count};
}

static void count_row(struct convert *convert, const struct csv_row *row)
{
    uint32_t const rows = members_of(convert, row).count;
    convert->tally.rows += rows;
    for (int i = 0; i < CHANGE_COUNT; i++)
        convert->tally.changed[i] += (uint64_t)row->changed[i] * rows;
}

void convert_pass(struct convert *convert)
{
    convert->tally.input++;
    convert->tally.skipped[SKIP_SEGMENT]++;
}

/* `length`: of the record, which may be longer than what is shown of it. */
void convert_reject(struct convert *convert, const struct convert_record *record, uint64_t length,
                    enum defect code, const struct path *path, bool contends)
{
    uint32_t const raw = record->length < LIMIT_REJECT_RAW ? record->length : (uint32_t)LIMIT_REJECT_RAW;
    size_t const bytes = chunk_reject_bytes(raw);
    convert->tally.input++;
    convert->tally.failed[code]++;
    bool const fits =
        convert->rejects != NULL && convert->rejects->capacity - convert->rejects->length >= bytes;
    bool const stays_among = !contends || convert->contenders == NULL || fits_contender(convert);
    if (!(fits && stays_among) && !next_rejects(convert)) return;
    struct chunk *chunk = convert->rejects;
    struct chunk_reject const entry = {.tally = convert->tally,
                                       .offset = record->offset,
                                       .length = length,
                                       .path = path,
                                       .code = code,
                                       .raw_length = raw,
                                       .contenders = convert->contend.records,
                                       .contends = contends};
    memcpy(chunk->bytes + chunk->length, &entry, sizeof entry);
    memcpy(chunk->bytes + chunk->length + sizeof entry, record->bytes, raw);
    chunk->length += (uint32_t)bytes;
    chunk->rows++;
}

/* ---- rows ---- */

static struct csv_out chunk_out(const struct chunk *chunk)
{
    uint8_t *const at = chunk->bytes + chunk->length;
    return (struct csv_out){.begin = at, .at = at, .end = chunk->bytes + chunk->capacity};
}

/* Counts what a giant row takes. */
struct measure {
    uint64_t bytes;
};

static void measure_more(struct csv_out *out)
{
    struct measure *measure = out->context;
    measure->bytes += (uint64_t)(out->at - out->begin);
    out->at = out->begin;
}

/* A giant row on its way to one stream. */
struct giant {
    struct convert *convert;
    uint32_t stream;
};

/* An empty chunk for a piece of it. */
static bool giant_chunk(const struct giant *giant)
{
    struct convert *const convert = giant->convert;
    if (!next_rows(convert)) return false;
    if (convert->split.stream_count == 0) return true;
    convert->rows->runs[0] = (struct chunk_run){.stream = giant->stream};
    convert->rows->run_count = 1;
    if (convert->rows->row_marks != NULL) convert->rows->row_marks[0] = (uint32_t)convert->contend.next_row;
    return true;
}

/* Sends a full chunk of a giant row and goes on in the next. When the run is stopped there is no more room,
 * which ends the row: the chunk given away may be being read. */
static void giant_more(struct csv_out *out)
{
    const struct giant *const giant = out->context;
    struct convert *const convert = giant->convert;
    if (convert->stopping) return;
    struct chunk *full = convert->rows;
    full->length = (uint32_t)(out->at - full->bytes);
    if (giant_chunk(giant)) {
        out->begin = out->at = convert->rows->bytes;
        out->end = out->begin + convert->rows->capacity;
    } else {
        out->begin = out->end = out->at;
    }
}

/* To one stream, piece by piece. The chunk at hand is empty. */
static enum csv_row_result send_giant(struct giant *giant, uint64_t bytes, struct csv_row *row,
                                      const struct cells *cells, uint32_t id)
{
    struct convert *const convert = giant->convert;
    convert->rows->open_row = bytes;
    struct csv_out out = chunk_out(convert->rows);
    out.more = giant_more;
    out.context = giant;
    enum csv_row_result const result = csv_row_write(row, cells, id, &out);
    if (result != ROW_WRITTEN) return result;
    struct chunk *chunk = convert->rows;
    chunk->length = (uint32_t)(out.at - chunk->bytes);
    chunk->row_ends[chunk->rows++] = chunk->length;
    if (chunk->run_count != 0) chunk->runs[0].rows = 1;
    return ROW_WRITTEN;
}

/* What a row that is larger than a chunk takes: measured in the room of an empty one. */
static enum csv_row_result measure_giant(const struct chunk *room, struct csv_row *row,
                                         const struct cells *cells, uint32_t id, uint64_t *bytes)
{
    struct measure measure = {0};
    struct csv_out out = chunk_out(room);
    out.more = measure_more;
    out.context = &measure;
    enum csv_row_result const result = csv_row_write(row, cells, id, &out);
    if (result != ROW_WRITTEN) return result;
    measure_more(&out);
    *bytes = measure.bytes;
    return ROW_WRITTEN;
}

/* A row that is larger than a chunk: measured first, so that the assembler can choose its file, then sent
 * piece by piece. The chunk at hand is empty. */
static enum csv_row_result write_giant(struct convert *convert, struct csv_row *row,
                                       const struct cells *cells, uint32_t id)
{
    struct giant giant = {.convert = convert};
    uint64_t bytes;
    enum csv_row_result const result = measure_giant(convert->rows, row, cells, id, &bytes);
    return result == ROW_WRITTEN ? send_giant(&giant, bytes, row, cells, id) : result;
}

/* The same for several streams: once for each. Nothing is gathered. */
static enum csv_row_result write_giants(struct convert *convert, struct csv_row *row,
                                        const struct cells *cells, uint32_t id)
{
    uint64_t bytes;
    enum csv_row_result result = measure_giant(convert->split.rows, row, cells, id, &bytes);
    struct members const members = members_of(convert, row);
    for (uint32_t i = 0; i < members.count && result == ROW_WRITTEN; i++) {
        struct giant giant = {.convert = convert, .stream = members.streams[i]};
        if (!giant_chunk(&giant)) return ROW_NO_ROOM;
        result = send_giant(&giant, bytes, row, cells, id);
    }
    convert->contend.next_row++;
    return result;
}

/* A row for several streams. ROW_NO_ROOM: the run is being stopped. */
static enum csv_row_result gather_row(struct convert *convert, struct csv_row *row, const struct cells *cells,
                                      uint32_t id)
{
    struct split *const split = &convert->split;
    for (;;) {
        struct csv_out out = chunk_out(split->rows);
        enum csv_row_result const result = csv_row_write(row, cells, id, &out);
        if (result == ROW_WRITTEN) {
            struct members const members = members_of(convert, row);
            uint32_t const end = (uint32_t)(out.at - split->rows->bytes);
            if (split_add(split, end, members.streams, members.count)) return result;
        } else if (result != ROW_NO_ROOM) {
            return result;
        } else if (split_is_empty(split)) {
            return write_giants(convert, row, cells, id);
        }
        if (!send_split(convert)) return ROW_NO_ROOM;
    }
}

/* ROW_NO_ROOM: the run is being stopped. */
static enum csv_row_result write_row(struct convert *convert, struct csv_row *row, const struct cells *cells,
                                     uint32_t id)
{
    if (convert->split.stream_count != 0) return gather_row(convert, row, cells, id);
    for (;;) {
        if (convert->rows == NULL && !next_rows(convert)) return ROW_NO_ROOM;
        struct chunk *chunk = convert->rows;
        if (chunk->rows < chunk->rows_max && chunk->open_row == 0) {
            struct csv_out out = chunk_out(chunk);
            enum csv_row_result const result = csv_row_write(row, cells, id, &out);
            if (result == ROW_WRITTEN) {
                chunk->length = (uint32_t)(out.at - chunk->bytes);
                chunk->row_ends[chunk->rows++] = chunk->length;
                return result;
            }
            if (result != ROW_NO_ROOM) return result;
            if (chunk->length == 0) return write_giant(convert, row, cells, id);
        }
        if (!next_rows(convert)) return ROW_NO_ROOM;
    }
}

/* All rows of a record. They fail alike: when the first is written, only a lack of room can stop the others.
 */
static enum csv_row_result write_record(struct convert *convert, struct csv_row *row,
                                        const struct cells *cells)
{
    enum csv_row_result result = csv_row_open(row, cells);
    for (uint32_t id = 0; result == ROW_WRITTEN && id < row->id_count; id++) {
        result = write_row(convert, row, cells, id);
        if (result == ROW_WRITTEN) count_row(convert, row);
    }
    return result;
}

static void count_skipped(struct convert *convert, const struct csv_row *row)
{
    convert->tally.input++;
    convert->tally.skipped[row->skip]++;
    if (row->skip == SKIP_CONSENT) convert->tally.consent[row->consent_rule]++;
}

/* A record that is compared with others, behind all that became of it. */
static void contend(struct convert *convert, const struct csv_row *row, enum contender_outcome outcome)
{
    struct contend_outcome became = {.outcome = outcome, .rows = (uint16_t)members_of(convert, row).count};
    if (outcome == CONTENDER_SKIPPED) became.reason = (uint8_t)row->skip;
    if (outcome == CONTENDER_FAILED) became.reason = (uint8_t)row->defect;
    struct chunk *const rows = convert->split.stream_count == 0 ? convert->rows : convert->split.rows;
    if (rows != NULL) contend_mark(&convert->contend, rows);
    uint32_t id = joins_quickly(convert, row, &became) ? 1 : 0;
    while (id < row->id_count) {
        struct contender contender;
        contend_describe(row, &became, &id, &contender);
        if (joins_last(convert, &contender)) continue;
        if (!fits_contender(convert) && !next_contenders(convert)) return;
        memcpy(convert->contenders->bytes + convert->contenders->length, &contender, sizeof contender);
        convert->contenders->length += (uint32_t)sizeof contender;
        convert->contenders->rows++;
    }
    contend_record(&convert->contend, row);
    if (convert->contend.status != STATUS_OK) convert->stopping = true;
}

bool convert_deliver(struct convert *convert, struct convert_tools *tools,
                     const struct convert_record *record)
{
    struct csv_row *row = &tools->row;
    enum csv_row_result const result = write_record(convert, row, &tools->cells);
    if (result == ROW_NO_ROOM) return true;
    if (result == ROW_TOO_LONG && tools != convert->large) return false;
    bool const contends = row->is_contender && convert->contend.table != NULL;
    enum contender_outcome outcome = CONTENDER_ROWS;
    convert->tally.duplicate_keys += tools->cells.duplicate;
    switch (result) {
    case ROW_NO_ROOM: return true;
    case ROW_BROKEN: convert->broken = convert->stopping = true; return true;
    case ROW_WRITTEN:
        convert->tally.input++;
        convert->tally.delivered++;
        break;
    case ROW_SKIPPED:
        count_skipped(convert, row);
        outcome = CONTENDER_SKIPPED;
        break;
    case ROW_FAILED:
    case ROW_TOO_LONG: /* its defect is DEFECT_TOO_LARGE */
        convert_reject(convert, record, record->length, row->defect, row->defect_path, contends);
        outcome = CONTENDER_FAILED;
        break;
    }
    if (contends) contend(convert, row, outcome);
    return true;
}

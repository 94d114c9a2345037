/* convert.c - a worker's tools, its walks over one record, and its shards and blocks. See the header.
 * Thread: a worker. Owns its tools. */
#include "core/flow/convert.h"

#include "core/flow/convert_form.h"
#include "core/flow/convert_inside.h"
#include "core/flow/stream.h"
#include "core/record/record_defect.h"
#include "core/record/record_mark.h"

/* ---- tools ---- */

/* The largest record that tools of a capacity take. */
static size_t record_limit(const struct convert_rules *rules, size_t capacity)
{
    return rules->max_record < capacity ? (size_t)rules->max_record : capacity;
}

/* Do tools of a capacity judge by On-Demand? */
static bool has_on_demand(const struct convert_rules *rules, size_t capacity)
{
    if (rules->visits) return false;
    return rules->walk == CONVERT_ON_DEMAND || capacity <= CONVERT_ON_DEMAND_MAX;
}

size_t convert_tools_bytes(const struct convert_rules *rules, size_t capacity)
{
    size_t const limit = record_limit(rules, capacity);
    size_t const parser = has_on_demand(rules, capacity)
                              ? record_parser_bytes(capacity, rules->max_depth)
                              : record_parser_index_bytes(capacity, rules->max_depth);
    size_t const row = rules->visits ? 0 : csv_row_bytes(rules->plan, limit, rules->max_depth);
    size_t const strict = rules->strict ? strict_bytes(limit, rules->max_depth) : 0;
    return parser + cells_bytes(rules->plan, limit) + index_walk_bytes(rules->plan, rules->max_depth) + row +
           strict;
}

bool convert_tools_create(struct convert_tools *tools, const struct convert_rules *rules, size_t capacity)
{
    size_t const limit = record_limit(rules, capacity);
    *tools = (struct convert_tools){.capacity = capacity};
    tools->on_demand = has_on_demand(rules, capacity);
    tools->parser = tools->on_demand ? record_parser_create(capacity, rules->max_depth)
                                     : record_parser_create_index(capacity, rules->max_depth);
    bool const good = tools->parser != NULL && cells_create(&tools->cells, rules->plan, limit) &&
                      index_walk_create(&tools->walk, rules->plan, rules->max_depth) &&
                      (rules->visits || csv_row_create(&tools->row, rules->plan, limit, rules->max_depth)) &&
                      (!rules->strict || strict_create(&tools->strict, limit, rules->max_depth,
                                                       rules->plan->mapping->csv.null_character_drop));
    if (good) {
        tools->walk.cells = &tools->cells;
        return true;
    }
    convert_tools_destroy(tools, NULL);
    return false;
}

void convert_tools_destroy(struct convert_tools *tools, struct source *const *sources)
{
    if (tools->reader != NULL) sources[tools->reader_source]->close_reader(tools->reader);
    record_parser_destroy(tools->parser);
    cells_destroy(&tools->cells);
    index_walk_destroy(&tools->walk);
    csv_row_destroy(&tools->row);
    strict_destroy(&tools->strict);
    *tools = (struct convert_tools){0};
}

/* The tools' reader of the source at hand. */
static enum status take_reader(struct convert *convert, struct convert_tools *tools, struct fault *fault)
{
    if (tools->reader != NULL && tools->reader_source != convert->source_number) {
        convert->sources[tools->reader_source]->close_reader(tools->reader);
        tools->reader = NULL;
    }
    if (tools->reader != NULL) return STATUS_OK;
    tools->reader = convert->source->open_reader(convert->source, tools->capacity);
    tools->reader_source = convert->source_number;
    if (tools->reader != NULL) return STATUS_OK;
    return fault_set(fault, STATUS_IO, "%s: no memory to read it", convert->source->name);
}

enum status convert_show(struct convert *convert, struct convert_tools *tools, uint64_t offset, size_t length,
                         struct source_window *window, struct fault *fault)
{
    uint64_t const left = convert->end - offset;
    if (length > left) length = (size_t)left;
    if (convert->block != NULL) {
        *window = (struct source_window){.bytes = convert->block->bytes + (offset - convert->block->offset),
                                         .length = length};
        return STATUS_OK;
    }
    enum status status = take_reader(convert, tools, fault);
    if (status != STATUS_OK) return status;
    struct track_mark const mark = track_begin(convert->port.track);
    status = convert->source->window(tools->reader, offset, length, window, fault);
    track_end(convert->port.track, mark, TRACK_READ, status == STATUS_OK ? window->length : 0);
    return status;
}

/* A shard's bytes, what is looked at before it and the end of its last record can be on their way. */
static enum status expect_shard(struct convert *convert, const struct shard *shard, struct fault *fault)
{
    struct source *const source = convert->source;
    if (source->expect == NULL) return STATUS_OK;
    enum status const status = take_reader(convert, &convert->tools, fault);
    if (status != STATUS_OK) return status;
    uint64_t const before = shard->begin - shard->source_begin;
    uint64_t const behind = before < RECORD_MARK_BEHIND ? before : RECORD_MARK_BEHIND;
    struct track_mark const mark = track_begin(convert->port.track);
    source->expect(convert->tools.reader, shard->begin - behind, shard->end + CONVERT_OVERHANG);
    track_end(convert->port.track, mark, TRACK_READ,
              0); /* reads of the shard before may have to land first */
    return STATUS_OK;
}

/* ---- walks ---- */

__attribute__((noinline)) const uint32_t *convert_walk_watched(const struct convert *convert,
                                                               struct convert_tools *tools,
                                                               const uint8_t *bytes, const uint32_t *token,
                                                               uint32_t end, uint64_t offset)
{
    struct record_view const view = {
        .bytes = bytes, .token = token, .end = end, .source = convert->source_number, .offset = offset};
    if (convert->visitor != NULL) return convert->visitor->visit(convert->visitor->self, &view);
    return convert_walk_plan(tools, bytes, token, end) == NULL ? NULL
                                                               : convert_strict(tools, bytes, token, end);
}

const uint32_t *convert_strict(struct convert_tools *tools, const uint8_t *bytes, const uint32_t *token,
                               uint32_t end)
{
    const uint32_t *const next = strict_record(&tools->strict, bytes, token, end);
    tools->cells.duplicate |= tools->strict.keys.duplicate;
    return next;
}

bool convert_accept(struct convert *convert, struct convert_tools *tools, const struct convert_record *record)
{
    if (convert->visitor == NULL) return convert_deliver(convert, tools, record);
    convert->tally.input++;
    convert->tally.delivered++;
    return true;
}

/* ---- the careful way: a record alone ---- */

/* The walk over a record alone. */
static bool walk_alone(struct convert *convert, struct convert_tools *tools,
                       const struct convert_record *record)
{
    const uint8_t *const bytes = record->bytes;
    uint32_t const length = record->length;
    struct record_index index;
    cells_begin(&tools->cells, bytes);
    if (tools->on_demand) {
        bool const good = record_walk(tools->parser, bytes, length, &tools->cells);
        if (!good || !convert->rules->strict) return good;
    }
    if (!record_parser_index(tools->parser, bytes, length, &index)) return false;
    if (tools->on_demand) return convert_strict(tools, bytes, index.tokens, length) != NULL;
    return convert_walk(convert, tools, bytes, index.tokens, length, record->offset) != NULL;
}

enum defect convert_defect(const struct convert *convert, struct convert_tools *tools,
                           const struct convert_record *record)
{
    uint32_t *const room = record_parser_tokens(tools->parser);
    return convert->rules->strict
               ? record_defect_strict(&tools->strict, &tools->walk, record->bytes, record->length, room)
               : record_defect(&tools->walk, record->bytes, record->length, room);
}

bool convert_judge(struct convert *convert, struct convert_tools *tools, const struct convert_record *record)
{
    struct cells *cells = &tools->cells;
    if (walk_alone(convert, tools, record)) return convert_accept(convert, tools, record);
    enum defect code = DEFECT_TOO_LARGE;
    if (cells->overflow) {
        if (tools != convert->large) return false;
    } else {
        code = convert_defect(convert, tools, record);
        if (code == DEFECT_NONE) code = DEFECT_SYNTAX; /* On-Demand is the judge */
    }
    convert_reject(convert, record, record->length, code, NULL, false);
    return true;
}

/* ---- blocks of streams ---- */

/* What a stream could not give whole: the front of a record. */
static void reject_front(struct convert *convert, const struct stream_block *block, enum defect code)
{
    struct convert_record const record = {
        .bytes = block->bytes, .length = (uint32_t)block->length, .offset = block->offset};
    convert_reject(convert, &record, block->record_length, code, NULL, false);
}

/* One record that has a block to itself. */
static enum status convert_element(struct convert *convert, const struct stream_block *block,
                                   struct fault *fault)
{
    convert->stopping = !convert->port.wait_for_turn(convert->port.context, convert->shard);
    if (convert->stopping) return STATUS_OK;
    convert->element_broken = block->broken;
    enum status const status = convert_large_record(convert, block->offset, block->length, fault);
    convert->element_broken = false;
    convert->tally.lines += block->lines;
    return status;
}

static enum status convert_stream_block(struct convert *convert, const struct feed_task *task,
                                        struct fault *fault)
{
    const struct stream_block *const block = task->block;
    struct shard const all = {
        .source_begin = block->offset, .begin = block->offset, .end = block->offset + block->length};
    switch (block->kind) {
    case STREAM_LINES:
        return convert->form == NULL ? convert_lines(convert, &all, fault)
                                     : convert_form(convert, &all, all.begin, fault);
    case STREAM_ELEMENT: return convert_element(convert, block, fault);
    case STREAM_TRAILING:
        convert->tally.lines += block->lines;
        reject_front(convert, block, DEFECT_TRAILING_CONTENT);
        return STATUS_OK;
    case STREAM_BAD_END: reject_front(convert, block, DEFECT_SYNTAX); return STATUS_OK;
    case STREAM_TOO_LARGE:
        if (block->may_name)
            reject_front(convert, block, DEFECT_TOO_LARGE);
        else
            convert_pass(convert);
        convert->tally.lines += block->feed + block->lines;
        return STATUS_OK;
    case STREAM_TRUNCATED: reject_front(convert, block, DEFECT_TRUNCATED); return STATUS_OK;
    case STREAM_BROKEN: break;
    }
    /* in input order: what stands before it counts */
    convert->stopping = !convert->port.wait_for_turn(convert->port.context, convert->shard);
    if (convert->stopping) return STATUS_OK;
    *fault = *task->fault;
    return fault->status;
}

/* Before the last chunk is given: who has the last chunks of all units knows that all candidates are entered.
 */
static enum status finish_contest(struct convert *convert, struct fault *fault)
{
    struct contend *const contend = &convert->contend;
    if (!convert->stopping) contend_finish(contend);
    if (contend->status != STATUS_OK && fault != NULL) *fault = contend->fault;
    return contend->status;
}

static void begin_task(struct convert *convert, const struct feed_task *task)
{
    convert->source_number = task->source;
    convert->source = convert->sources[task->source];
    convert->form = task->block == NULL ? convert->source->form : convert->source->stream->form;
    convert->shard = task->order;
    convert->block = task->block;
    convert->end = convert->source->size;
    if (task->block != NULL)
        convert->end =
            task->block->offset + (convert->form == NULL ? task->block->length : task->block->seen);
    convert->ends_source = task->final;
    convert->tally = (struct tally){0};
    convert->watched = convert->visitor != NULL || convert->rules->strict;
    contend_begin(&convert->contend, task->order);
    if (convert->contenders != NULL) convert->contenders->shard = task->order;
}

static enum status end_task(struct convert *convert, enum status status, struct fault *fault)
{
    if (status == STATUS_OK && convert->broken)
        status =
            fault_set(fault, STATUS_IO, "%s: SHA-256 failed in libcrypto (transform sha256): out of memory?",
                      convert->source->name);
    if (status == STATUS_OK && convert->contend.table != NULL) status = finish_contest(convert, fault);
    if (status == STATUS_OK && !convert->stopping) convert_finish_shard(convert);
    return status;
}

/* A shard whose records are no lines. What can't be taken back is done from where its records are known to
 * begin; a worker that is alone comes by where the next one does by itself. */
static enum status convert_form_shard(struct convert *convert, const struct shard *shard, struct fault *fault)
{
    const struct convert_port *const port = &convert->port;
    uint64_t begin = shard->begin == shard->source_begin ? shard->begin : CONVERT_FORM_GUESS;
    if (!convert_keeps(convert->rules)) return convert_form(convert, shard, begin, fault);
    enum status status = STATUS_OK;
    if (convert->alone) {
        convert->stopping = !port->due(port->context, convert->shard, false, &begin);
    } else {
        status = convert_form_seam(convert, shard, &begin, fault);
        if (status == STATUS_OK && !convert->stopping) status = expect_shard(convert, shard, fault);
    }
    if (status != STATUS_OK || convert->stopping) return status;
    status = convert_form(convert, shard, begin, fault);
    if (convert->alone) port->tell_due(port->context, convert->shard, convert->ended);
    return status;
}

enum status convert_task(struct convert *convert, const struct feed_task *task, struct fault *fault)
{
    begin_task(convert, task);
    enum status status;
    if (task->block != NULL) {
        status = convert_stream_block(convert, task, fault);
    } else {
        status = expect_shard(convert, &task->shard, fault);
        if (status == STATUS_OK)
            status = convert->form == NULL ? convert_lines(convert, &task->shard, fault)
                                           : convert_form_shard(convert, &task->shard, fault);
    }
    return end_task(convert, status, fault);
}

enum status convert_again(struct convert *convert, const struct feed_task *task, uint64_t begin,
                          struct fault *fault)
{
    begin_task(convert, task);
    return end_task(convert, convert_form(convert, &task->shard, begin, fault), fault);
}

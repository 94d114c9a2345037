/* convert.c - the inner loop of the program. Thread: a worker. Owns its tools. */
#include "core/flow/convert.h"

#include "core/base/limits.h"
#include "core/flow/convert_form.h"
#include "core/flow/convert_inside.h"
#include "core/flow/stream.h"
#include "core/record/json_text.h"
#include "core/record/record_defect.h"
#include "core/record/record_mark.h"

#include <string.h>

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

/* The walk over the tokens of one record, along the plan. */
static inline const uint32_t *walk_plan(struct convert_tools *tools, const uint8_t *bytes,
                                        const uint32_t *token, uint32_t end)
{
    struct index_walk *const walk = &tools->walk;
    walk->bytes = bytes;
    walk->end = end;
    cells_begin(&tools->cells, bytes + *token);
    return index_walk_record(walk, token);
}

/* By who looks at all of it; `offset`: of `bytes` in the source. */
static __attribute__((noinline)) const uint32_t *walk_watched(const struct convert *convert,
                                                              struct convert_tools *tools,
                                                              const uint8_t *bytes, const uint32_t *token,
                                                              uint32_t end, uint64_t offset)
{
    struct record_view const view = {
        .bytes = bytes, .token = token, .end = end, .source = convert->source_number, .offset = offset};
    if (convert->visitor != NULL) return convert->visitor->visit(convert->visitor->self, &view);
    return walk_plan(tools, bytes, token, end) == NULL ? NULL : convert_strict(tools, bytes, token, end);
}

static const uint32_t *walk_tokens(const struct convert *convert, struct convert_tools *tools,
                                   const uint8_t *bytes, const uint32_t *token, uint32_t end, uint64_t offset)
{
    return __builtin_expect(convert->watched, 0) ? walk_watched(convert, tools, bytes, token, end, offset)
                                                 : walk_plan(tools, bytes, token, end);
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
    return walk_tokens(convert, tools, bytes, index.tokens, length, record->offset) != NULL;
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

/* ---- the large lane ---- */

_Static_assert(2 * MAPPING_SEGMENT_ID_MAX < LIMIT_REJECT_RAW, "windows of the lane go on behind any id");

/* Looks for the end of the line at `from`: *line_end is the offset of its line feed or of the source's end,
 * and *text_end is behind its last byte that is no blank (`from` when there is none). */
static enum status find_line_end(struct convert *convert, struct convert_tools *tools, uint64_t from,
                                 uint64_t *line_end, uint64_t *text_end, struct fault *fault)
{
    size_t const step = convert->tools.capacity;
    uint64_t at = from;
    *text_end = from;
    while (at < convert->end) {
        struct source_window window;
        if (convert->port.stopped(convert->port.context)) {
            convert->stopping = true; /* half a line is no record */
            break;
        }
        enum status const status = convert_show(convert, tools, at, step, &window, fault);
        if (status != STATUS_OK) return status;
        const uint8_t *feed = memchr(window.bytes, '\n', window.length);
        size_t length = feed == NULL ? window.length : (size_t)(feed - window.bytes);
        size_t text = length;
        while (text > 0 && json_is_blank(window.bytes[text - 1]))
            text--;
        if (text > 0) *text_end = at + text;
        at += length;
        if (feed != NULL) break;
    }
    *line_end = at;
    return STATUS_OK;
}

/* Passes the blanks at `from`, at most to `end`. */
static enum status skip_blanks(struct convert *convert, struct convert_tools *tools, uint64_t from,
                               uint64_t end, uint64_t *text, struct fault *fault)
{
    *text = from;
    while (*text < end) {
        struct source_window window;
        uint64_t const left = end - *text;
        size_t const step = left < convert->tools.capacity ? (size_t)left : convert->tools.capacity;
        enum status const status = convert_show(convert, tools, *text, step, &window, fault);
        if (status != STATUS_OK) return status;
        size_t blanks = 0;
        while (blanks < window.length && json_is_blank(window.bytes[blanks]))
            blanks++;
        *text += blanks;
        if (blanks < window.length) break;
    }
    return STATUS_OK;
}

/* May the record name a wanted segment? Looked at in windows that share what an id or an escape can reach
 * over.
 */
static enum status large_may_name(struct convert *convert, uint64_t text, uint64_t length, bool *may,
                                  struct fault *fault)
{
    const struct prefilter *const filter = convert->rules->prefilter;
    *may = filter == NULL;
    if (filter == NULL) return STATUS_OK;
    size_t const shared = prefilter_key_max(filter);
    uint64_t done = 0;
    while (!*may) {
        struct source_window window;
        struct prefilter_scan scan;
        uint64_t const left = length - done;
        size_t const step = left < convert->large->capacity ? (size_t)left : convert->large->capacity;
        enum status const status = convert_show(convert, convert->large, text + done, step, &window, fault);
        if (status != STATUS_OK) return status;
        prefilter_begin(&scan, filter, window.bytes, window.length);
        *may = prefilter_may_name(&scan, 0, window.length);
        if (step == left) break;
        done += step - shared;
    }
    return STATUS_OK;
}

enum status convert_large_record(struct convert *convert, uint64_t text, uint64_t length, struct fault *fault)
{
    struct convert_tools *tools = convert->large;
    bool const fits = length <= form_element_max(convert->form, convert->rules->max_record);
    bool may;
    enum status status = large_may_name(convert, text, length, &may, fault);
    if (status != STATUS_OK) return status;
    if (!may) {
        convert_pass(convert);
        return STATUS_OK;
    }
    uint64_t const shown = fits || length < LIMIT_REJECT_RAW ? length : LIMIT_REJECT_RAW;
    struct source_window window;
    status = convert_show(convert, tools, text, shown < tools->capacity ? (size_t)shown : tools->capacity,
                          &window, fault);
    if (status != STATUS_OK) return status;
    struct convert_record const record = {
        .bytes = window.bytes, .length = (uint32_t)window.length, .offset = text};
    if (fits && convert->form != NULL)
        convert_form_judge(convert, tools, &record);
    else if (fits)
        convert_judge(convert, tools, &record);
    else
        convert_reject(convert, &record, length, DEFECT_TOO_LARGE, NULL, false);
    return STATUS_OK;
}

/* The one line at `from`, whatever its length, with the large tools. *next: behind its line feed. */
static enum status convert_large(struct convert *convert, uint64_t from, uint64_t *next, struct fault *fault)
{
    struct convert_tools *tools = convert->large;
    uint64_t line_end, text_end, text;
    *next = convert->end;
    if (!convert->port.wait_for_turn(convert->port.context, convert->shard)) {
        convert->stopping = true;
        return STATUS_OK;
    }
    enum status status = find_line_end(convert, tools, from, &line_end, &text_end, fault);
    if (convert->stopping) return status;
    if (status == STATUS_OK) status = skip_blanks(convert, tools, from, text_end, &text, fault);
    if (status != STATUS_OK) return status;
    bool const has_feed = line_end < convert->end;
    *next = line_end + has_feed;
    if (text < text_end) status = convert_large_record(convert, text, text_end - text, fault);
    convert->tally.lines += has_feed;
    return status;
}

/* ---- blocks of lines ---- */

struct block {
    const uint8_t *bytes;
    size_t length; /* up to behind the last line feed in it, or the source's end */
    uint64_t offset;
    const uint32_t *token; /* the next token; NULL: the block is taken record by record */
    size_t token_base;     /* what tokens count from */
    unsigned reindexed;
};

/* The index of the lines in [from, end). */
static void block_index(struct convert *convert, struct block *block, size_t from, size_t end)
{
    struct record_index index;
    block->token = NULL;
    block->token_base = from;
    if (convert->rules->walk != CONVERT_FAST || block->reindexed > CONVERT_REINDEX_MAX) return;
    if (!record_parser_index(convert->tools.parser, block->bytes + from, end - from, &index)) return;
    block->token = index.tokens;
}

static struct convert_record trim(const struct block *block, size_t begin, size_t end)
{
    while (begin < end && json_is_blank(block->bytes[begin]))
        begin++;
    while (end > begin && json_is_blank(block->bytes[end - 1]))
        end--;
    return (struct convert_record){
        .bytes = block->bytes + begin, .length = (uint32_t)(end - begin), .offset = block->offset + begin};
}

/* The line [begin, end) by the index. False: it is not good, or not for this lane. */
static bool line_fast(struct convert *convert, struct block *block, size_t begin, size_t end)
{
    struct convert_tools *tools = &convert->tools;
    const uint8_t *const bytes = block->bytes + block->token_base;
    uint32_t const line_end = (uint32_t)(end - block->token_base);
    if (*block->token >= line_end) return true; /* a blank line: no token in it */
    if (end - begin > convert->rules->max_record) return false;
    uint64_t const offset = block->offset + block->token_base;
    const uint32_t *const next = walk_tokens(convert, tools, bytes, block->token, line_end, offset);
    if (next == NULL) return false;
    struct convert_record const record = {.bytes = bytes + *block->token,
                                          .length = next[-1] + 1 - *block->token,
                                          .offset = offset + *block->token};
    if (!convert_accept(convert, tools, &record)) return false;
    block->token = next;
    return true;
}

/* The line [begin, end) alone. False: not for this lane. */
static bool line_careful(struct convert *convert, struct block *block, size_t begin, size_t end)
{
    struct convert_record const record = trim(block, begin, end);
    if (record.length == 0) return true;
    if (record.length > convert->rules->max_record) return false;
    return convert_judge(convert, &convert->tools, &record);
}

/* One line of a block; `feed`: it has a line feed behind it. */
static enum status convert_line(struct convert *convert, struct block *block, size_t begin, size_t end,
                                bool feed, struct fault *fault)
{
    if (block->token != NULL && line_fast(convert, block, begin, end)) {
        convert->tally.lines += feed;
        return STATUS_OK;
    }
    bool const had_index = block->token != NULL;
    bool const done = line_careful(convert, block, begin, end);
    enum status status = STATUS_OK;
    if (done) {
        convert->tally.lines += feed;
    } else {
        uint64_t next;
        status = convert_large(convert, block->offset + begin, &next, fault);
    }
    if (had_index && convert->rules->prefilter == NULL) { /* the parser's index was overwritten */
        block->reindexed++;
        block_index(convert, block, end + feed < block->length ? end + feed : block->length, block->length);
    }
    return status;
}

/* A line that can't name a wanted segment: skipped as it is, broken or not. */
static void pass_line(struct convert *convert, const struct block *block, size_t begin, size_t end, bool feed)
{
    if (trim(block, begin, end).length != 0) convert_pass(convert);
    convert->tally.lines += feed;
}

static enum status convert_block(struct convert *convert, struct block *block, struct fault *fault)
{
    const struct prefilter *const filter = convert->rules->prefilter;
    struct prefilter_scan scan;
    size_t at = 0;
    enum status status = STATUS_OK;
    if (filter != NULL)
        prefilter_begin(&scan, filter, block->bytes, block->length);
    else
        block_index(convert, block, 0, block->length);
    while (at < block->length && status == STATUS_OK && !convert->stopping) {
        const uint8_t *feed = memchr(block->bytes + at, '\n', block->length - at);
        size_t const end = feed == NULL ? block->length : (size_t)(feed - block->bytes);
        if (filter != NULL && !prefilter_may_name(&scan, at, end)) {
            pass_line(convert, block, at, end, feed != NULL);
        } else {
            if (filter != NULL) block_index(convert, block, at, end);
            status = convert_line(convert, block, at, end, feed != NULL, fault);
        }
        at = end + (feed != NULL);
    }
    return status;
}

/* ---- shards ---- */

/* The first line that begins at or behind shard->begin. shard->end: there is none in the shard. */
static enum status find_first_line(struct convert *convert, const struct shard *shard, uint64_t *first,
                                   struct fault *fault)
{
    *first = shard->begin;
    if (shard->begin == shard->source_begin) return STATUS_OK;
    uint64_t at = shard->begin - 1; /* a line feed here ends the line before: the shard begins with a line */
    while (at < shard->end) {
        struct source_window window;
        uint64_t const left = shard->end - at;
        size_t step = convert->tools.capacity;
        if (step > CONVERT_OVERHANG && at < shard->begin) step = CONVERT_OVERHANG;
        enum status const status =
            convert_show(convert, &convert->tools, at, left < step ? (size_t)left : step, &window, fault);
        if (status != STATUS_OK) return status;
        const uint8_t *feed = memchr(window.bytes, '\n', window.length);
        if (feed != NULL) {
            *first = at + (uint64_t)(feed - window.bytes) + 1;
            return STATUS_OK;
        }
        at += window.length;
    }
    *first = shard->end;
    return STATUS_OK;
}

/* Bytes of whole lines at the front of the window that begin before shard_left; 0: not one line is whole. */
static size_t whole_lines(const struct source_window *window, uint64_t shard_left, bool at_source_end)
{
    const uint8_t *feed;
    if (shard_left <= window->length) {
        size_t const from = (size_t)shard_left - 1; /* the last line to begin in the shard holds this byte */
        feed = memchr(window->bytes + from, '\n', window->length - from);
        if (feed != NULL) return (size_t)(feed - window->bytes) + 1;
    }
    if (at_source_end) return window->length;
    feed = memrchr(window->bytes, '\n', window->length);
    return feed == NULL ? 0 : (size_t)(feed - window->bytes) + 1;
}

/* Converts whole lines from *at on; moves it behind them. */
static enum status convert_step(struct convert *convert, uint64_t shard_end, uint64_t *at,
                                struct fault *fault)
{
    size_t const capacity = convert->tools.capacity;
    uint64_t const shard_left = shard_end - *at;
    size_t want = CONVERT_OVERHANG < capacity ? CONVERT_OVERHANG : capacity;
    want = shard_left < capacity - want ? (size_t)shard_left + want : capacity;
    for (;;) {
        struct source_window window;
        enum status const status = convert_show(convert, &convert->tools, *at, want, &window, fault);
        if (status != STATUS_OK) return status;
        bool const at_source_end = *at + window.length >= convert->end;
        size_t const length = whole_lines(&window, shard_left, at_source_end);
        if (length != 0) {
            struct block block = {.bytes = window.bytes, .length = length, .offset = *at};
            *at += length;
            return convert_block(convert, &block, fault);
        }
        if (want == capacity) return convert_large(convert, *at, at, fault);
        want = want < capacity / 4 ? want * 4 : capacity;
    }
}

static enum status convert_lines(struct convert *convert, const struct shard *shard, struct fault *fault)
{
    uint64_t at;
    enum status status = find_first_line(convert, shard, &at, fault);
    while (status == STATUS_OK && at < shard->end && !convert->stopping) {
        if (convert->port.stopped(convert->port.context)) convert->stopping = true;
        if (!convert->stopping) status = convert_step(convert, shard->end, &at, fault);
        if (status == STATUS_OK && convert->source->drop != NULL && convert->tools.reader != NULL)
            convert->source->drop(convert->tools.reader, at);
    }
    return status;
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

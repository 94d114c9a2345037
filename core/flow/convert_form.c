/* convert_form.c - see the header. Thread: a worker. Owns nothing. */
#include "core/flow/convert_form.h"

#include "core/base/scan.h"
#include "core/flow/convert_inside.h"
#include "core/record/json_text.h"
#include "core/record/record_defect.h"

#include <string.h>

#define NOWHERE UINT64_MAX

/* The way through a shard. */
struct course {
    uint64_t at;        /* where an element is due, or blanks before it */
    uint64_t first;     /* of the source's elements: nothing of them stands before it */
    uint64_t empty_at;  /* where the container may end without an element; NOWHERE: it has some */
    uint64_t stop;      /* where the course ends; NOWHERE: not found yet */
    uint64_t stop_from; /* the shard's end: the first mark at or behind it is `stop` */
    uint64_t searched;  /* there is none before this */
    uint64_t counted;   /* line feeds before this are in the tally */
    bool last;          /* nothing of the source comes behind: the container must have ended */
    bool ends;          /* what can be seen goes to the source's end */
    bool closed;        /* the container's end was met, or what stands for it */
    bool wide;          /* the last window showed no end of an element */
};

/* Bytes of the source, and the first of them that are a block: from an element to where another is due. */
struct piece {
    const uint8_t *bytes;
    size_t length, block;
    size_t behind; /* bytes that can be seen before these */
    uint64_t offset;
    bool ends; /* the source ends with them */
};

/* ---- lines ---- */

static void count_lines(struct convert *convert, struct course *course, const struct piece *piece,
                        uint64_t to)
{
    if (to <= course->counted) return;
    convert->tally.lines +=
        scan_count(piece->bytes + (course->counted - piece->offset), (size_t)(to - course->counted), '\n');
    course->counted = to;
}

/* The same when they are not at hand. */
static enum status count_far(struct convert *convert, struct course *course, uint64_t to, struct fault *fault)
{
    while (course->counted < to) {
        struct source_window window;
        uint64_t const left = to - course->counted;
        size_t const step = left < convert->tools.capacity ? (size_t)left : convert->tools.capacity;
        enum status const status =
            convert_show(convert, &convert->tools, course->counted, step, &window, fault);
        if (status != STATUS_OK || window.length == 0) return status;
        convert->tally.lines += scan_count(window.bytes, window.length, '\n');
        course->counted += window.length;
    }
    return STATUS_OK;
}

/* ---- entities ---- */

/* One member of an entity's object: the value's token; NULL: it is none. */
static const uint32_t *member_value(const struct index_walk *walk, const uint32_t *token, bool *entity)
{
    static const char name[] = "\"entity\"";
    if (token[0] >= walk->end || token[1] >= walk->end) return NULL;
    if (walk->bytes[token[0]] != '"' || walk->bytes[token[1]] != ':') return NULL;
    *entity =
        token[1] - token[0] >= sizeof name - 1 && memcmp(walk->bytes + token[0], name, sizeof name - 1) == 0;
    return token + 2;
}

/* What a map's member holds, by its index: `"id": { …, "entity": {…}, … }`. */
struct entity {
    const uint32_t *record; /* the entity's first token */
    uint32_t end;           /* behind its last byte */
    const uint32_t *next;   /* the token behind the member */
};

/* `walks`: the entity is walked to its cells; else all is passed by its brackets. The last one counts. */
static bool find_entity(struct convert_tools *tools, const uint32_t *token, bool walks, struct entity *entity)
{
    struct index_walk *const walk = &tools->walk;
    bool is_entity;
    entity->record = NULL;
    token = member_value(walk, token, &is_entity);
    if (token == NULL || *token >= walk->end || walk->bytes[*token] != '{') return false;
    token++;
    for (;;) {
        const uint32_t *const value = member_value(walk, token, &is_entity);
        if (value == NULL || *value >= walk->end) return false;
        if (is_entity && walk->bytes[*value] != '{') return false;
        if (is_entity && walks) {
            cells_begin(&tools->cells, walk->bytes + *value);
            token = index_walk_element(walk, value);
        } else {
            token = index_walk_skip(walk, value, 1);
        }
        if (token == NULL || *token >= walk->end) return false;
        if (is_entity) *entity = (struct entity){.record = value, .end = token[-1] + 1};
        if (walk->bytes[*token] == '}') break;
        if (walk->bytes[*token++] != ',') return false;
    }
    entity->next = token + 1;
    return entity->record != NULL;
}

/* ---- the careful way: an element alone ---- */

/* A record that is known to be bad. */
static void refuse(struct convert *convert, struct convert_tools *tools, const struct convert_record *record)
{
    enum defect code =
        record_defect(&tools->walk, record->bytes, record->length, record_parser_tokens(tools->parser));
    if (code == DEFECT_NONE) code = convert->element_broken ? DEFECT_SYNTAX : DEFECT_NOT_AN_OBJECT;
    convert_reject(convert, record, record->length, code, NULL, false);
}

/* The value of a member without the id before it, when there is one. */
static struct convert_record without_id(const struct convert_record *member)
{
    const uint8_t *const end = member->bytes + member->length;
    const uint8_t *at = member->bytes;
    if (*at != '"') return *member;
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\') at++;
    for (at++; at < end && json_is_blank(*at);)
        at++;
    if (at >= end || *at != ':') return *member;
    for (at++; at < end && json_is_blank(*at);)
        at++;
    if (at >= end) return *member;
    return (struct convert_record){.bytes = at,
                                   .length = (uint32_t)(end - at),
                                   .offset = member->offset + (uint64_t)(at - member->bytes)};
}

static bool judge_entity(struct convert *convert, struct convert_tools *tools,
                         const struct convert_record *member)
{
    struct record_index index;
    struct entity entity;
    tools->walk.bytes = member->bytes;
    tools->walk.end = member->length;
    if (!convert->element_broken &&
        record_parser_index(tools->parser, member->bytes, member->length, &index) &&
        find_entity(tools, index.tokens, false, &entity) && *entity.next >= member->length) {
        struct convert_record const record = {.bytes = member->bytes + *entity.record,
                                              .length = entity.end - *entity.record,
                                              .offset = member->offset + *entity.record};
        return convert_judge(convert, tools, &record);
    }
    struct convert_record const value = without_id(member);
    refuse(convert, tools, &value);
    return true;
}

bool convert_form_judge(struct convert *convert, struct convert_tools *tools,
                        const struct convert_record *record)
{
    if (convert->form->kind == FORM_ENTITIES) return judge_entity(convert, tools, record);
    if (!convert->element_broken) return convert_judge(convert, tools, record);
    refuse(convert, tools, record);
    return true;
}

static bool may_name(const struct convert *convert, const uint8_t *bytes, size_t length)
{
    struct prefilter_scan scan;
    if (convert->rules->prefilter == NULL) return true;
    prefilter_begin(&scan, convert->rules->prefilter, bytes, length);
    return prefilter_may_name(&scan, 0, length);
}

/* An element whose bytes are at hand. False: not for this lane. */
static bool take_near(struct convert *convert, const struct convert_record *record)
{
    if (!may_name(convert, record->bytes, record->length)) {
        convert_pass(convert);
    } else if (record->length > convert->rules->max_record) {
        convert_reject(convert, record, record->length, DEFECT_TOO_LARGE, NULL, false);
    } else {
        return convert_form_judge(convert, &convert->tools, record);
    }
    return true;
}

static bool wait_for_turn(struct convert *convert)
{
    if (!convert->port.wait_for_turn(convert->port.context, convert->shard)) convert->stopping = true;
    return !convert->stopping;
}

/* Bytes of the source that are refused, whatever they say, with the large lane. */
static enum status refuse_far(struct convert *convert, uint64_t offset, uint64_t length, enum defect code,
                              struct fault *fault)
{
    struct source_window window = {.bytes = (const uint8_t *)"", .length = 0};
    size_t const shown = length < LIMIT_REJECT_RAW ? (size_t)length : (size_t)LIMIT_REJECT_RAW;
    if (!wait_for_turn(convert)) return STATUS_OK;
    enum status const status =
        shown == 0 ? STATUS_OK : convert_show(convert, convert->large, offset, shown, &window, fault);
    if (status != STATUS_OK) return status;
    struct convert_record const record = {
        .bytes = window.bytes, .length = (uint32_t)window.length, .offset = offset};
    convert_reject(convert, &record, length, code, NULL, false);
    return STATUS_OK;
}

/* ---- behind the container ---- */

/* The next byte at or behind *at that is no blank; convert->end: there is none. */
static enum status pass_blanks(struct convert *convert, uint64_t *at, struct fault *fault)
{
    while (*at < convert->end) {
        struct source_window window;
        enum status const status =
            convert_show(convert, &convert->tools, *at, convert->tools.capacity, &window, fault);
        if (status != STATUS_OK || window.length == 0) return status;
        size_t blanks = 0;
        while (blanks < window.length && json_is_blank(window.bytes[blanks]))
            blanks++;
        *at += blanks;
        if (blanks < window.length) break;
    }
    return STATUS_OK;
}

/* Behind the last byte from `from` on that is no blank; found from the source's end. */
static enum status last_text(struct convert *convert, uint64_t from, uint64_t *end, struct fault *fault)
{
    *end = convert->end;
    while (*end > from) {
        struct source_window window;
        uint64_t const left = *end - from;
        size_t const step = left < convert->tools.capacity ? (size_t)left : convert->tools.capacity;
        enum status const status = convert_show(convert, &convert->tools, *end - step, step, &window, fault);
        if (status != STATUS_OK) return status;
        size_t text = window.length;
        while (text > 0 && json_is_blank(window.bytes[text - 1]))
            text--;
        *end -= step - text;
        if (text > 0) break;
    }
    return STATUS_OK;
}

/* Of an array under a key: is what follows the rest of its object? */
static enum status ends_object(struct convert *convert, uint64_t at, bool *ends, struct fault *fault)
{
    struct source_window window;
    enum status const status =
        convert_show(convert, &convert->tools, at, convert->tools.capacity, &window, fault);
    if (status == STATUS_OK)
        *ends = at + window.length >= convert->end && form_ends_object(window.bytes, window.length);
    return status;
}

/* The container was closed before `at`. */
static enum status close_container(struct convert *convert, struct course *course, uint64_t at,
                                   struct fault *fault)
{
    uint64_t text = at, end;
    bool const keyed = convert->form->kind == FORM_KEYED_ARRAY;
    bool fine = false;
    course->closed = true;
    course->at = convert->end;
    enum status status = count_far(convert, course, at, fault);
    if (convert->block != NULL) return status; /* what follows in a stream is looked at where it is cut */
    if (status == STATUS_OK) status = pass_blanks(convert, &text, fault);
    if (status == STATUS_OK && keyed) status = ends_object(convert, text, &fine, fault);
    if (status != STATUS_OK || fine) return status;
    if (text == convert->end) return keyed ? refuse_far(convert, at, 0, DEFECT_SYNTAX, fault) : STATUS_OK;
    status = last_text(convert, text, &end, fault);
    if (status == STATUS_OK) status = count_far(convert, course, text, fault);
    return status == STATUS_OK ? refuse_far(convert, text, end - text, DEFECT_TRAILING_CONTENT, fault)
                               : status;
}

/* The source ends where the container should go on: that counts as a record. */
static enum status miss_end(struct convert *convert, struct course *course, struct fault *fault)
{
    uint64_t end;
    course->closed = true;
    if (convert->form->kind == FORM_CONCATENATED || !course->last) return STATUS_OK;
    if (convert->end == convert->form->begin) return STATUS_OK; /* without a byte there is no shard, either */
    enum status status = last_text(convert, course->first, &end, fault);
    if (status == STATUS_OK) status = count_far(convert, course, end, fault);
    return status == STATUS_OK ? refuse_far(convert, end, 0, DEFECT_SYNTAX, fault) : status;
}

/* ---- elements one by one ---- */

/* How the element at `at` ends, when it is longer than what is at hand. */
static enum status scan_far(struct convert *convert, enum element_end *end, struct fault *fault)
{
    struct element_scan *const scan = &convert->scan;
    size_t const capacity = convert->tools.capacity;
    *end = ELEMENT_MORE;
    while (*end == ELEMENT_MORE) {
        struct source_window window;
        uint64_t const behind =
            scan->at - scan->begin < RECORD_MARK_BEHIND ? scan->begin : scan->at - RECORD_MARK_BEHIND;
        if (convert->port.stopped(convert->port.context)) {
            convert->stopping = true; /* half an element is no record */
            return STATUS_OK;
        }
        enum status const status = convert_show(convert, &convert->tools, behind, capacity, &window, fault);
        if (status != STATUS_OK) return status;
        *end = element_scan_run(scan, window.bytes, window.length, behind,
                                behind + window.length >= convert->end);
    }
    return STATUS_OK;
}

/* Text of the source that is not at hand: by its own tools when they hold it, or by the large ones. */
static enum status take_far(struct convert *convert, uint64_t offset, uint64_t length, struct fault *fault)
{
    if (length <= convert->tools.capacity) {
        struct source_window window;
        enum status const status =
            convert_show(convert, &convert->tools, offset, (size_t)length, &window, fault);
        if (status != STATUS_OK) return status;
        struct convert_record const record = {
            .bytes = window.bytes, .length = (uint32_t)window.length, .offset = offset};
        if (take_near(convert, &record)) return STATUS_OK;
    }
    return wait_for_turn(convert) ? convert_large_record(convert, offset, length, fault) : STATUS_OK;
}

/* The element that the scan found, to what becomes of it. `piece`: it is at hand; *reads: it was not enough.
 */
static enum status take_scanned(struct convert *convert, struct course *course, const struct piece *piece,
                                bool *reads, struct fault *fault)
{
    const struct element_scan *const scan = &convert->scan;
    uint64_t const begin = scan->begin, length = scan->text_end - begin;
    *reads = piece == NULL;
    if (piece != NULL) {
        struct convert_record const record = {
            .bytes = piece->bytes + (begin - piece->offset), .length = (uint32_t)length, .offset = begin};
        count_lines(convert, course, piece, begin);
        if (length == 0 || take_near(convert, &record)) return STATUS_OK;
        *reads = true;
    }
    enum status const status = count_far(convert, course, begin, fault);
    if (status != STATUS_OK || length == 0) return status;
    return take_far(convert, begin, length, fault);
}

/* Where the course goes on behind the element. */
static enum status leave_element(struct convert *convert, struct course *course, enum element_end end,
                                 bool *reads, struct fault *fault)
{
    const struct element_scan *const scan = &convert->scan;
    bool const nothing = scan->text_end == scan->begin;
    enum status status = STATUS_OK;
    if (nothing && !(end == ELEMENT_CLOSES && scan->begin == course->empty_at)) {
        *reads = true; /* something was due, and a comma or the container's end stands there */
        status = refuse_far(convert, scan->begin, 1, DEFECT_SYNTAX, fault);
        if (status != STATUS_OK || convert->stopping) return status;
    }
    course->at = scan->next;
    if (end == ELEMENT_COMMA || end == ELEMENT_NEXT || end == ELEMENT_BROKEN) return STATUS_OK;
    *reads = true;
    if (end == ELEMENT_CLOSES) return close_container(convert, course, scan->next, fault);
    bool const whole = scan->behind && !scan->lost && !scan->string_open;
    course->closed = !whole;
    course->at = convert->end;
    return count_far(convert, course, convert->end, fault);
}

/* The element at `at`, with what is at hand if that will do. *reads: it did not, and is not at hand any more.
 */
static enum status take_element(struct convert *convert, struct course *course, const struct piece *piece,
                                uint64_t at, bool *reads, struct fault *fault)
{
    struct element_scan *const scan = &convert->scan;
    uint64_t const back_max = convert->block == NULL ? UINT64_MAX : STREAM_BACK_MAX;
    element_scan_begin(scan, convert->form, convert->rules->max_record, back_max, at);
    enum element_end end = element_scan_run(scan, piece->bytes, piece->length, piece->offset, piece->ends);
    bool const near = end != ELEMENT_MORE;
    if (!near) {
        enum status const status = scan_far(convert, &end, fault);
        if (status != STATUS_OK || convert->stopping) return status;
    }
    convert->element_broken = end == ELEMENT_BROKEN || scan->lost;
    enum status const status = take_scanned(convert, course, near ? piece : NULL, reads, fault);
    convert->element_broken = false;
    if (status != STATUS_OK || convert->stopping) return status;
    return leave_element(convert, course, end, reads, fault);
}

/* ---- blocks ---- */

struct block {
    const uint32_t *token; /* of the element that is due next; NULL: there is no index */
    size_t base;           /* what tokens count from */
    uint64_t mark;         /* the first mark behind the element at hand */
    unsigned reindexed;
    bool filtered;
    struct prefilter_scan filter;
};

static void index_block(struct convert *convert, struct block *block, const struct piece *piece, size_t from)
{
    struct record_index index;
    block->token = NULL;
    block->base = from;
    if (convert->rules->walk != CONVERT_FAST || block->reindexed > CONVERT_REINDEX_MAX) return;
    if (!record_parser_index(convert->tools.parser, piece->bytes + from, piece->block - from, &index)) return;
    block->token = index.tokens;
}

/* The element at the token at hand, as far as its brackets go. */
struct taken {
    const uint32_t *record, *next; /* tokens: the record's first, and the one behind the element */
    uint32_t record_end, end;
};

static bool bracket_element(struct convert *convert, const uint32_t *token, bool walks, struct taken *taken)
{
    struct convert_tools *const tools = &convert->tools;
    struct index_walk *const walk = &tools->walk;
    if (convert->form->kind == FORM_ENTITIES) {
        struct entity entity;
        if (!find_entity(tools, token, walks, &entity)) return false;
        *taken = (struct taken){.record = entity.record, .next = entity.next, .record_end = entity.end};
    } else {
        if (walk->bytes[*token] != '{') return false;
        if (walks) cells_begin(&tools->cells, walk->bytes + *token);
        const uint32_t *const next =
            walks ? index_walk_element(walk, token) : index_walk_skip(walk, token, 0);
        if (next == NULL) return false;
        *taken = (struct taken){.record = token, .next = next, .record_end = next[-1] + 1};
    }
    taken->end = taken->next[-1] + 1;
    return taken->end <= walk->end;
}

/* Is what follows the element what separates it from the next one? *next: where that is due. */
static bool separated(const struct convert *convert, const struct taken *taken, const uint32_t **next)
{
    const struct index_walk *const walk = &convert->tools.walk;
    bool const more = *taken->next < walk->end;
    *next = taken->next;
    if (convert->form->kind == FORM_CONCATENATED) return true;
    *next = taken->next + 1;
    return more && walk->bytes[*taken->next] == ',';
}

/* `base`: of what tokens count from, in the source. */
static bool visit(const struct convert *convert, const struct taken *taken, uint64_t base)
{
    struct record_view const view = {.bytes = convert->tools.walk.bytes,
                                     .token = taken->record,
                                     .end = taken->record_end,
                                     .source = convert->source_number,
                                     .offset = base};
    return convert->visitor->visit(convert->visitor->self, &view) != NULL;
}

/* The element at the token at hand, by the index. False: not so. */
static bool take_fast(struct convert *convert, struct course *course, const struct piece *piece,
                      struct block *block)
{
    struct convert_tools *const tools = &convert->tools;
    struct taken taken;
    const uint32_t *next;
    tools->walk.bytes = piece->bytes + block->base;
    tools->walk.end = (uint32_t)(piece->block - block->base);
    uint64_t const base = piece->offset + block->base, begin = base + *block->token;
    bool const walks = !block->filtered && convert->visitor == NULL;
    if (!bracket_element(convert, block->token, walks, &taken)) return false;
    if (taken.end - *block->token > convert->rules->max_record || !separated(convert, &taken, &next))
        return false;
    if (block->mark <= begin) {
        size_t const mark = record_mark_next(&convert->form->mark, piece->bytes, piece->length,
                                             (size_t)(begin - piece->offset) + 1);
        block->mark = mark == RECORD_MARK_NONE ? NOWHERE : piece->offset + mark;
    }
    if (block->mark < base + taken.end) return false;
    count_lines(convert, course, piece, begin);
    if (block->filtered) {
        size_t const from = (size_t)(begin - piece->offset);
        if (!prefilter_may_name(&block->filter, from, block->base + taken.end)) {
            convert_pass(convert);
            block->token = next;
            return true;
        }
        if (!bracket_element(convert, block->token, true, &taken)) return false;
    }
    struct convert_record const record = {.bytes = tools->walk.bytes + *taken.record,
                                          .length = taken.record_end - *taken.record,
                                          .offset = base + *taken.record};
    if (convert->visitor != NULL && !visit(convert, &taken, base)) return false;
    if (!convert_accept(convert, tools, &record)) return false;
    block->token = next;
    return true;
}

/* Where the next element of a block is due; piece->block: behind it. */
static size_t next_due(const struct piece *piece, const struct block *block, size_t at)
{
    if (block->token != NULL) {
        size_t const due = block->base + *block->token;
        return due < piece->block ? due : piece->block;
    }
    while (at < piece->block && json_is_blank(piece->bytes[at]))
        at++;
    return at;
}

/* The elements of a block; course->at goes to behind it, or to where the bytes at hand were given up. */
static enum status convert_block(struct convert *convert, struct course *course, const struct piece *piece,
                                 struct fault *fault)
{
    const struct prefilter *const filter = convert->rules->prefilter;
    struct block block = {.filtered = filter != NULL, .mark = 0};
    if (filter != NULL) prefilter_begin(&block.filter, filter, piece->bytes, piece->length);
    index_block(convert, &block, piece, 0);
    size_t at = next_due(piece, &block, 0);
    while (at < piece->block && !convert->stopping) {
        bool reads = false;
        if (block.token != NULL && take_fast(convert, course, piece, &block)) {
            at = next_due(piece, &block, at);
            continue;
        }
        bool const had_index = block.token != NULL;
        enum status const status = take_element(convert, course, piece, piece->offset + at, &reads, fault);
        if (status != STATUS_OK || convert->stopping) return status;
        if (reads || course->at >= piece->offset + piece->block)
            return course->closed ? STATUS_OK : count_far(convert, course, course->at, fault);
        at = (size_t)(course->at - piece->offset);
        block.reindexed += had_index;
        block.token = NULL;
        if (had_index) index_block(convert, &block, piece, at); /* the parser's index was overwritten */
        at = next_due(piece, &block, at);
    }
    course->at = piece->offset + piece->block;
    count_lines(convert, course, piece, course->at);
    return STATUS_OK;
}

/* ---- shards ---- */

static size_t seen_behind(const struct course *course, uint64_t at)
{
    uint64_t const behind = at - course->first;
    return behind < RECORD_MARK_BEHIND ? (size_t)behind : (size_t)RECORD_MARK_BEHIND;
}

/* Looks for the first mark at or behind course->searched, in the bytes before `to` and some behind. */
static enum status search_stop(struct convert *convert, struct course *course, uint64_t to,
                               struct fault *fault)
{
    while (course->stop == NOWHERE && course->searched < to) {
        struct source_window window;
        size_t const behind = seen_behind(course, course->searched);
        uint64_t const from = course->searched - behind;
        uint64_t const left = to - from;
        size_t want = left < convert->tools.capacity - RECORD_MARK_AHEAD - 1
                          ? (size_t)left + RECORD_MARK_AHEAD + 1
                          : convert->tools.capacity;
        enum status const status = convert_show(convert, &convert->tools, from, want, &window, fault);
        if (status != STATUS_OK) return status;
        size_t const mark = record_mark_next(&convert->form->mark, window.bytes, window.length, behind);
        if (mark != RECORD_MARK_NONE)
            course->stop = from + mark;
        else if (from + window.length >= convert->end)
            course->stop = convert->end;
        else
            course->searched = from + window.length - RECORD_MARK_AHEAD;
    }
    return STATUS_OK;
}

/* Looks for it in what is at hand. */
static void see_stop(struct convert *convert, struct course *course, const struct piece *piece)
{
    uint64_t const end = piece->offset + piece->length;
    if (course->stop != NOWHERE || course->searched >= end) return;
    uint64_t const from = course->searched > piece->offset ? course->searched : piece->offset;
    uint64_t const offset = piece->offset - piece->behind;
    size_t const mark = record_mark_next(&convert->form->mark, piece->bytes - piece->behind,
                                         piece->length + piece->behind, (size_t)(from - offset));
    if (mark != RECORD_MARK_NONE)
        course->stop = offset + mark;
    else if (piece->ends)
        course->stop = convert->end;
    else if (end - RECORD_MARK_AHEAD > from)
        course->searched = end - RECORD_MARK_AHEAD;
}

/* Bytes up to behind a whole number of elements; 0: not one can be seen to end. */
static size_t block_bytes(const struct convert *convert, const struct course *course,
                          const struct piece *piece)
{
    if (course->stop != NOWHERE && course->stop <= piece->offset + piece->length)
        return (size_t)(course->stop - piece->offset);
    if (piece->ends) return piece->length;
    size_t const mark = record_mark_last(&convert->form->mark, piece->bytes, piece->length, 1);
    return mark == RECORD_MARK_NONE ? 0 : mark;
}

/* The window for the next block: near the shard's end not more than is likely to be wanted. */
static enum status show_piece(struct convert *convert, struct course *course, struct piece *piece,
                              struct fault *fault)
{
    struct source_window window;
    size_t const capacity = convert->tools.capacity, overhang = 2 * RECORD_MARK_AHEAD;
    size_t const behind = seen_behind(course, course->at);
    uint64_t const left = course->stop_from > course->at ? course->stop_from - course->at : 0;
    size_t want = capacity - behind;
    if (!course->wide && left + overhang < want) want = (size_t)left + overhang;
    enum status const status =
        convert_show(convert, &convert->tools, course->at - behind, behind + want, &window, fault);
    if (status != STATUS_OK) return status;
    if (window.length < behind)
        return fault_set(fault, STATUS_IO, "%s: became shorter", convert->source->name);
    *piece = (struct piece){.bytes = window.bytes + behind,
                            .length = window.length - behind,
                            .behind = behind,
                            .offset = course->at,
                            .ends = course->ends && course->at - behind + window.length >= convert->end};
    return STATUS_OK;
}

/* Passes the blanks at the front of a piece. */
static void pass_front(struct convert *convert, struct course *course, struct piece *piece)
{
    size_t blanks = 0;
    while (blanks < piece->length && json_is_blank(piece->bytes[blanks]))
        blanks++;
    count_lines(convert, course, piece, piece->offset + blanks);
    if (course->empty_at == course->at) course->empty_at += blanks;
    course->at += blanks;
    piece->bytes += blanks;
    piece->length -= blanks;
    piece->behind += blanks;
    piece->offset += blanks;
}

/* Converts from course->at on, a window at most. */
static enum status convert_step(struct convert *convert, struct course *course, struct fault *fault)
{
    struct piece piece = {.length = 0};
    bool reads;
    enum status const status = show_piece(convert, course, &piece, fault);
    if (status != STATUS_OK) return status;
    bool const was_wide = piece.ends || piece.length + piece.behind >= convert->tools.capacity;
    pass_front(convert, course, &piece);
    see_stop(convert, course, &piece);
    if (piece.length == 0 || course->at >= course->stop) return STATUS_OK;
    piece.block = block_bytes(convert, course, &piece);
    course->wide = piece.block == 0 && !was_wide;
    if (course->wide) return STATUS_OK;
    if (piece.block != 0) return convert_block(convert, course, &piece, fault);
    return take_element(convert, course, &piece, course->at, &reads, fault);
}

static enum status run_course(struct convert *convert, struct course *course, struct fault *fault)
{
    struct source *const source = convert->source;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !convert->stopping && !course->closed) {
        if (course->at >= course->searched) status = search_stop(convert, course, course->at + 1, fault);
        if (status == STATUS_OK && course->at > course->counted)
            status = count_far(convert, course, course->at, fault);
        if (status != STATUS_OK || course->at >= course->stop || course->at >= convert->end) break;
        if (convert->port.stopped(convert->port.context)) convert->stopping = true;
        if (!convert->stopping) status = convert_step(convert, course, fault);
        if (status == STATUS_OK && source->drop != NULL && convert->tools.reader != NULL && !course->closed)
            source->drop(convert->tools.reader, course->at - seen_behind(course, course->at));
    }
    if (status != STATUS_OK || convert->stopping || course->closed || course->at < convert->end)
        return status;
    return miss_end(convert, course, fault);
}

/* Where the first record of a shard is due; NOWHERE: none begins in it. */
static enum status find_begin(struct convert *convert, const struct shard *shard, uint64_t *begin,
                              struct fault *fault)
{
    struct course guess = {.first = shard->source_begin, .stop = NOWHERE, .searched = shard->begin};
    *begin = shard->begin;
    if (shard->begin == shard->source_begin) return STATUS_OK;
    enum status const status = search_stop(convert, &guess, shard->end, fault);
    *begin = guess.stop < shard->end ? guess.stop : NOWHERE;
    return status;
}

enum status convert_form(struct convert *convert, const struct shard *shard, uint64_t begin,
                         struct fault *fault)
{
    bool const guesses = begin == CONVERT_FORM_GUESS;
    enum status status = STATUS_OK;
    if (guesses) status = find_begin(convert, shard, &begin, fault);
    convert->began = convert->ended = begin;
    if (convert->contenders != NULL) convert->contenders->began = begin; /* kept from the shard before */
    if (status != STATUS_OK || begin == NOWHERE) return status;
    const struct stream_block *const block = convert->block;
    if (begin >= convert->end && block == NULL) return status;
    bool const known = block != NULL || shard->end >= convert->end;
    struct course course = {.at = begin,
                            .first = shard->source_begin,
                            .empty_at = begin == convert->form->begin ? begin : NOWHERE,
                            .stop = known ? shard->end : NOWHERE,
                            .stop_from = shard->end,
                            .searched = known ? NOWHERE : shard->end,
                            .counted = begin,
                            .last = block == NULL || (block->final && !block->closed),
                            .ends = block == NULL || block->ends};
    status = run_course(convert, &course, fault);
    convert->ended = course.closed ? convert->end : course.at;
    return status;
}

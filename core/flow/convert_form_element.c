/* convert_form_element.c - elements of a container one by one, and what becomes of each: whatever is wrong
 * with it, and however long it is. See convert_form.h.
 * Thread: a worker. Owns nothing. */
#include "core/flow/convert_form.h"

#include "core/base/scan.h"
#include "core/flow/convert_form_inside.h"
#include "core/record/entity_find.h"
#include "core/record/json_text.h"
#include "core/record/record_check.h"
#include "core/record/strict.h"

/* ---- an element alone ---- */

/* A record that is known to be bad, by `otherwise` when its own bytes are not. */
static void refuse(struct convert *convert, struct convert_tools *tools, const struct convert_record *record,
                   enum defect otherwise)
{
    enum defect const code = convert_defect(convert, tools, record);
    convert_reject(convert, record, record->length, code == DEFECT_NONE ? otherwise : code, NULL, false);
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

enum defect convert_form_strict(struct convert_tools *tools, const uint8_t *bytes, const uint32_t *token,
                                uint32_t end)
{
    uint32_t const begin = token[0] + 1;
    uint32_t const id_end = record_check_scalar_end(bytes, token[1], end) - 1;
    enum defect const defect = strict_text(&tools->strict, bytes + begin, id_end - begin);
    if (defect != DEFECT_NONE) return defect;
    return strict_around(&tools->strict, bytes, token + 2, end) ? DEFECT_NONE : DEFECT_NOT_AN_OBJECT;
}

/* What of a map's member is the record: its entity, or, where `around` is what is wrong, all but its id. An
 * entity that is too large (DEFECT_TOO_LARGE) is looked at no further, and nothing around it. */
static struct convert_record entity_record(struct convert *convert, struct convert_tools *tools,
                                           const struct convert_record *member, enum defect *around)
{
    struct record_index index;
    struct entity entity;
    *around = convert->element_broken ? DEFECT_SYNTAX : DEFECT_NOT_AN_OBJECT;
    tools->walk.bytes = member->bytes;
    tools->walk.end = member->length;
    if (!convert->element_broken &&
        record_parser_index(tools->parser, member->bytes, member->length, &index) &&
        entity_find(&tools->walk, index.tokens, false, &entity) && *entity.next >= member->length) {
        struct convert_record const record = {.bytes = member->bytes + *entity.record,
                                              .length = entity.end - *entity.record,
                                              .offset = member->offset + *entity.record};
        if (record.length > convert->rules->max_record) *around = DEFECT_TOO_LARGE;
        if (*around == DEFECT_TOO_LARGE) return record;
        *around = convert->rules->strict
                      ? convert_form_strict(tools, member->bytes, index.tokens, member->length)
                      : DEFECT_NONE;
        bool const entity_is_it = *around != DEFECT_NONE && strict_record(&tools->strict, member->bytes,
                                                                          entity.record, entity.end) == NULL;
        if (entity_is_it) *around = DEFECT_NONE;
        if (*around == DEFECT_NONE) return record;
    }
    return without_id(member);
}

static bool judge_entity(struct convert *convert, struct convert_tools *tools,
                         const struct convert_record *member)
{
    enum defect around;
    struct convert_record const record = entity_record(convert, tools, member, &around);
    /* the line of a reject is that of its record, which may begin behind that of its id */
    uint64_t const lines = scan_count(member->bytes, (size_t)(record.bytes - member->bytes), '\n');
    bool judged = true;
    convert->tally.lines += lines;
    if (around == DEFECT_NONE)
        judged = convert_judge(convert, tools, &record);
    else if (around == DEFECT_TOO_LARGE)
        convert_reject(convert, &record, record.length, around, NULL, false);
    else
        refuse(convert, tools, &record, around);
    convert->tally.lines -= lines;
    return judged;
}

bool convert_form_judge(struct convert *convert, struct convert_tools *tools,
                        const struct convert_record *record)
{
    if (convert->form->kind == FORM_ENTITIES) return judge_entity(convert, tools, record);
    if (!convert->element_broken) return convert_judge(convert, tools, record);
    refuse(convert, tools, record, DEFECT_SYNTAX);
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
    } else if (record->length > form_element_max(convert->form, convert->rules->max_record)) {
        convert_reject(convert, record, record->length, DEFECT_TOO_LARGE, NULL, false);
    } else {
        return convert_form_judge(convert, &convert->tools, record);
    }
    return true;
}

/* ---- elements one by one ---- */

bool convert_form_wait(struct convert *convert)
{
    if (!convert->port.wait_for_turn(convert->port.context, convert->shard)) convert->stopping = true;
    return !convert->stopping;
}

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
    return convert_form_wait(convert) ? convert_large_record(convert, offset, length, fault) : STATUS_OK;
}

/* The element that the scan found, to what becomes of it. `piece`: it is at hand; *reads: it was not enough.
 */
static enum status take_scanned(struct convert *convert, struct form_course *course,
                                const struct form_piece *piece, bool *reads, struct fault *fault)
{
    const struct element_scan *const scan = &convert->scan;
    uint64_t const begin = scan->begin, length = scan->text_end - begin;
    *reads = piece == NULL;
    if (piece != NULL) {
        struct convert_record const record = {
            .bytes = piece->bytes + (begin - piece->offset), .length = (uint32_t)length, .offset = begin};
        convert_form_count_lines(convert, course, piece, begin);
        if (length == 0 || take_near(convert, &record)) return STATUS_OK;
        *reads = true;
    }
    enum status const status = convert_form_count_far(convert, course, begin, fault);
    if (status != STATUS_OK || length == 0) return status;
    return take_far(convert, begin, length, fault);
}

/* Something was due at the scan's begin, and a comma or the container's end stands there. `piece`: it is at
 * hand. */
static enum status refuse_nothing(struct convert *convert, const struct form_piece *piece,
                                  struct fault *fault)
{
    uint64_t const begin = convert->scan.begin;
    if (piece == NULL) return convert_form_refuse(convert, begin, 1, DEFECT_SYNTAX, fault);
    struct convert_record const sign = {
        .bytes = piece->bytes + (begin - piece->offset), .length = 1, .offset = begin};
    convert_reject(convert, &sign, 1, DEFECT_SYNTAX, NULL, false);
    return STATUS_OK;
}

/* Where the course goes on behind the element. */
static enum status leave_element(struct convert *convert, struct form_course *course,
                                 const struct form_piece *piece, enum element_end end, bool *reads,
                                 struct fault *fault)
{
    const struct element_scan *const scan = &convert->scan;
    bool const nothing = scan->text_end == scan->begin;
    if (nothing && !(end == ELEMENT_CLOSES && scan->begin == course->empty_at)) {
        enum status const status = refuse_nothing(convert, piece, fault);
        if (status != STATUS_OK || convert->stopping) return status;
    }
    course->at = scan->next;
    if (end == ELEMENT_COMMA || end == ELEMENT_NEXT || end == ELEMENT_BROKEN) return STATUS_OK;
    *reads = true;
    if (end == ELEMENT_CLOSES) return convert_form_close(convert, course, scan->next, fault);
    bool const whole = scan->behind && !scan->lost && !scan->string_open;
    course->closed = !whole;
    course->at = convert->end;
    return convert_form_count_far(convert, course, convert->end, fault);
}

enum status convert_form_element(struct convert *convert, struct form_course *course,
                                 const struct form_piece *piece, uint64_t at, bool *reads,
                                 struct fault *fault)
{
    struct element_scan *const scan = &convert->scan;
    element_scan_again(scan, at);
    enum element_end end = element_scan_run(scan, piece->bytes, piece->length, piece->offset, piece->ends);
    bool const near = end != ELEMENT_MORE;
    if (!near) {
        enum status const status = scan_far(convert, &end, fault);
        if (status != STATUS_OK || convert->stopping) return status;
    }
    if (!near) piece = NULL;
    convert->element_broken = end == ELEMENT_BROKEN || scan->lost;
    enum status const status = take_scanned(convert, course, piece, reads, fault);
    convert->element_broken = false;
    if (status != STATUS_OK || convert->stopping) return status;
    return leave_element(convert, course, *reads ? NULL : piece, end, reads, fault);
}

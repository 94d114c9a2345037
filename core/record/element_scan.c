/* element_scan.c - see the header. Thread: the caller's. Owns nothing. */
#include "core/record/element_scan.h"

#include "core/base/scan.h"
#include "core/record/element_clean.h"
#include "core/record/json_text.h"

#include <string.h>

#define NOWHERE UINT64_MAX

/* How far a broken element's text is looked back for, from a mark in a string: blanks and a comma before that
 * are passed. Every view shows so much (RECORD_MARK_BEHIND). */
#define TEXT_BACK 512u

static const struct element_mark no_mark = {.at = NOWHERE};

/* The bytes at hand: of the source from `offset` on. */
struct view {
    const uint8_t *bytes;
    size_t length;
    uint64_t offset;
    bool ends;
};

void element_scan_begin(struct element_scan *scan, const struct form *form, uint64_t limit, uint64_t begin)
{
    scan->form = form;
    scan->limit = limit;
    scan->clear_from = scan->clear_to = begin;
    scan->mark_ends_it = false;
    scan->has_clean = element_clean_here();
    scan->cut_off = false;
    element_scan_again(scan, begin);
}

void element_scan_again(struct element_scan *scan, uint64_t begin)
{
    const struct form *const form = scan->form;
    uint64_t const limit = scan->limit;
    memset(scan, 0, offsetof(struct element_scan, clear_from));
    scan->form = form;
    scan->limit = limit;
    scan->begin = scan->at = scan->text_end = begin;
    scan->next_mark = NOWHERE;
    scan->in_string = scan->in_closed = scan->marks[0] = no_mark;
    scan->met[0] = 0;
    scan->expect = form->kind == FORM_ENTITIES ? ELEMENT_KEY : ELEMENT_VALUE;
}

/* ---- brackets ---- */

/* Of deeper brackets nobody knows: the element is wrong by then, and nothing hangs on the answer. */
static bool is_object(const struct element_scan *scan)
{
    uint64_t const level = scan->depth - 1;
    if (scan->depth == 0) return scan->form->kind == FORM_ENTITIES;
    return level < LIMIT_DEPTH_MAX && (scan->kinds[level / 8] >> (level % 8) & 1);
}

static void open_bracket(struct element_scan *scan, bool object)
{
    uint64_t const level = scan->depth++;
    if (level < LIMIT_DEPTH_MAX) {
        uint8_t const bit = (uint8_t)(1u << (level % 8));
        uint8_t *const kinds = &scan->kinds[level / 8];
        *kinds = object ? *kinds | bit : *kinds & (uint8_t)~bit;
    }
    if (scan->depth <= ELEMENT_SCAN_LEVELS) {
        scan->marks[scan->depth] = no_mark;
        scan->met[scan->depth] = 0;
        if (scan->depth > scan->deepest) scan->deepest = (uint32_t)scan->depth;
    }
    scan->expect = object ? ELEMENT_KEY_OR_END : ELEMENT_VALUE_OR_END;
}

/* ---- what is out of place ---- */

static enum element_end finish(struct element_scan *scan, enum element_end end, uint64_t next)
{
    scan->next = next;
    return end;
}

static enum element_end break_off(struct element_scan *scan, const struct element_mark *mark)
{
    scan->text_end = mark->text_end;
    return finish(scan, ELEMENT_BROKEN, mark->at);
}

/* The first mark of those that may be turned back to: of the levels [first, last]. */
static const struct element_mark *earliest(const struct element_scan *scan, uint64_t first, uint64_t last)
{
    const struct element_mark *mark = scan->string_open ? &scan->in_string : &no_mark;
    for (uint64_t level = first; level <= last && level <= scan->deepest; level++)
        if (scan->marks[level].at < mark->at) mark = &scan->marks[level];
    return mark;
}

/* The place at hand as a mark, without the comma before it. */
static struct element_mark mark_here(const struct element_scan *scan, const struct view *view)
{
    struct element_mark mark = {.at = scan->at, .text_end = scan->text_end};
    bool const commas = scan->form->kind != FORM_CONCATENATED;
    if (!scan->string_open) {
        if (commas && scan->comma_last) mark.text_end = scan->comma_text;
        return mark;
    }
    uint64_t const first = scan->at - scan->begin > TEXT_BACK ? scan->at - TEXT_BACK : scan->begin;
    bool comma = !commas;
    for (mark.text_end = scan->at; mark.text_end > first; mark.text_end--) {
        uint8_t const byte = view->bytes[mark.text_end - 1 - view->offset];
        if (!json_is_blank(byte) && (comma || byte != ',')) break;
        comma = comma || byte == ',';
    }
    return mark;
}

/* Does an open bracket hold so many marks that they are records, which the element has swallowed? */
static bool swallowed_many(const struct element_scan *scan)
{
    for (uint64_t level = 1; level <= scan->depth && level <= scan->deepest; level++)
        if (scan->marks[level].at != NOWHERE && scan->met[level] > ELEMENT_SCAN_MARKS) return true;
    return false;
}

/* Something is out of place at the byte at hand, or of the string before it. */
static enum element_end out_of_place(struct element_scan *scan, const struct view *view, bool string)
{
    if (scan->wrong) return ELEMENT_MORE;
    scan->wrong = true;
    if (swallowed_many(scan)) return break_off(scan, earliest(scan, 1, scan->depth));
    if (string && scan->in_string.at != NOWHERE) return break_off(scan, &scan->in_string);
    /* a record on a line of its own may have been taken for a value */
    const struct element_mark *const before =
        scan->form->kind == FORM_CONCATENATED ? earliest(scan, 1, scan->depth + 1) : &no_mark;
    if (before->at != NOWHERE) return break_off(scan, before);
    struct element_mark const here = mark_here(scan, view);
    return scan->at == scan->next_mark && scan->at > scan->begin ? break_off(scan, &here) : ELEMENT_MORE;
}

/* A mark at the byte at hand. */
static enum element_end at_mark(struct element_scan *scan, const struct view *view)
{
    struct element_mark const mark = mark_here(scan, view);
    if (mark.at == scan->begin) return ELEMENT_MORE;
    if (scan->wrong) return break_off(scan, &mark);
    if (scan->string_open) {
        if (scan->in_string.at == NOWHERE) scan->in_string = mark;
        return ELEMENT_MORE;
    }
    if (scan->arrays != 0 && scan->depth == scan->arrays) return break_off(scan, &mark);
    if (scan->depth > ELEMENT_SCAN_NESTED) {
        const struct element_mark *const first = earliest(scan, 1, scan->depth);
        return first->at == NOWHERE ? ELEMENT_MORE : break_off(scan, first);
    }
    if (scan->over || scan->depth > ELEMENT_SCAN_LEVELS) return ELEMENT_MORE;
    if (scan->marks[scan->depth].at == NOWHERE) scan->marks[scan->depth] = mark;
    if (scan->met[scan->depth] <= ELEMENT_SCAN_MARKS) scan->met[scan->depth]++;
    return ELEMENT_MORE;
}

/* ---- the end ---- */

/* Does the closing byte at hand only look like the container's end, because a record follows? */
static bool goes_on_behind(const struct element_scan *scan, const struct view *view)
{
    size_t at = (size_t)(scan->at - view->offset) + 1;
    size_t const end = view->length - at > RECORD_MARK_BLANKS ? at + RECORD_MARK_BLANKS : view->length;
    while (at < end && (json_is_blank(view->bytes[at]) || view->bytes[at] == ']' || view->bytes[at] == '}'))
        at++;
    if (at >= end || view->bytes[at] != ',') return false;
    size_t const last = view->length - at > RECORD_MARK_BLANKS ? at + RECORD_MARK_BLANKS : view->length;
    for (at++; at < last && json_is_blank(view->bytes[at]);)
        at++;
    return record_mark_is(&scan->form->mark, view->bytes, view->length, at);
}

/* A byte behind the value, at depth 0, outside of strings. ELEMENT_MORE: it is still the element's. */
static enum element_end byte_behind(struct element_scan *scan, const struct view *view, uint8_t byte)
{
    if (scan->form->kind == FORM_CONCATENATED) {
        if (byte == '\n' || byte == '{') return finish(scan, ELEMENT_NEXT, scan->at);
        return ELEMENT_MORE;
    }
    if (byte == ',') return finish(scan, ELEMENT_COMMA, scan->at + 1);
    if (byte == form_closer(scan->form) && !goes_on_behind(scan, view))
        return finish(scan, ELEMENT_CLOSES, scan->at + 1);
    return ELEMENT_MORE;
}

static enum element_end source_ends(struct element_scan *scan)
{
    bool const several = scan->form->kind == FORM_CONCATENATED;
    uint64_t const level = scan->depth + 1;
    const struct element_mark *mark = &no_mark;
    if (scan->string_open || (several && !scan->behind)) mark = earliest(scan, 1, several ? level : 0);
    /* what should have closed the container closed a bracket in it (of an array under a key: two) */
    bool const closes = !several && !scan->cut_off && scan->closed == scan->text_end;
    if (closes) mark = earliest(scan, 1, level + (scan->form->kind == FORM_KEYED_ARRAY));
    if (closes && scan->in_closed.at < mark->at) mark = &scan->in_closed;
    if (mark->at != NOWHERE && mark->at > scan->begin) return break_off(scan, mark);
    return finish(scan, ELEMENT_SOURCE, scan->at);
}

/* ---- bytes ---- */

/* From within a string on. */
static enum element_end string_byte(struct element_scan *scan, const struct view *view, uint8_t byte)
{
    if (scan->escaped) {
        scan->escaped = false;
        if (byte >= 0x20) return ELEMENT_MORE;
    }
    if (byte == '\\') {
        scan->escaped = true;
    } else if (byte == '"') {
        scan->string_open = false;
        if (scan->depth == 0 && scan->expect == ELEMENT_COMMA_OR_END) scan->behind = true;
    } else if (byte == '\n') {
        return out_of_place(scan, view, true);
    }
    return ELEMENT_MORE;
}

static enum element_end open_string(struct element_scan *scan, const struct view *view)
{
    bool const key = scan->expect == ELEMENT_KEY || scan->expect == ELEMENT_KEY_OR_END;
    bool const fits = key || scan->expect == ELEMENT_VALUE || scan->expect == ELEMENT_VALUE_OR_END;
    enum element_end end = ELEMENT_MORE;
    /* behind a string that should have gone on, it is that one which is wrong */
    if (!fits) end = out_of_place(scan, view, true);
    scan->string_open = true;
    scan->in_string = no_mark;
    scan->expect = key ? ELEMENT_COLON : ELEMENT_COMMA_OR_END;
    return end;
}

static enum element_end close_bracket(struct element_scan *scan, const struct view *view, uint8_t byte)
{
    bool const object = byte == '}';
    bool const known = scan->depth <= LIMIT_DEPTH_MAX;
    enum element_end end = ELEMENT_MORE;
    scan->closed = scan->at + 1;
    if (known && is_object(scan) != object) {
        scan->lost = true;
        return out_of_place(scan, view, false);
    }
    if (!object && scan->form->beside && scan->depth <= ELEMENT_SCAN_LEVELS &&
        scan->marks[scan->depth].at != NOWHERE)
        scan->in_closed = scan->marks[scan->depth]; /* the container's, if its own end is not found */
    uint8_t const may = object ? ELEMENT_KEY_OR_END : ELEMENT_VALUE_OR_END;
    if (scan->expect != may && scan->expect != ELEMENT_COMMA_OR_END) end = out_of_place(scan, view, false);
    scan->depth--;
    if (scan->arrays > scan->depth) scan->arrays = scan->depth;
    scan->expect = ELEMENT_COMMA_OR_END;
    scan->behind = scan->depth == 0;
    if (end != ELEMENT_MORE || !scan->behind || scan->form->kind != FORM_CONCATENATED) return end;
    scan->text_end = scan->at + 1;
    return finish(scan, ELEMENT_NEXT, scan->at + 1);
}

static enum element_end scalar_byte(struct element_scan *scan, const struct view *view)
{
    if (scan->scalar) return ELEMENT_MORE;
    bool const fits = scan->expect == ELEMENT_VALUE || scan->expect == ELEMENT_VALUE_OR_END;
    enum element_end const end = fits ? ELEMENT_MORE : out_of_place(scan, view, true);
    scan->scalar = true;
    scan->expect = ELEMENT_COMMA_OR_END;
    if (scan->depth == 0) scan->behind = true;
    return end;
}

/* One of { [ } ] : , outside of strings and within the value. */
static enum element_end sign_byte(struct element_scan *scan, const struct view *view, uint8_t byte)
{
    enum element_end end = ELEMENT_MORE;
    switch (byte) {
    case '{':
    case '[':
        if (scan->expect != ELEMENT_VALUE && scan->expect != ELEMENT_VALUE_OR_END)
            end = out_of_place(scan, view, false);
        scan->behind = false;
        if (byte == '[' && scan->arrays == scan->depth) scan->arrays++;
        open_bracket(scan, byte == '{');
        return scan->depth > LIMIT_DEPTH_MAX && end == ELEMENT_MORE ? out_of_place(scan, view, false) : end;
    case '}':
    case ']':
        if (scan->depth != 0) return close_bracket(scan, view, byte);
        scan->behind = true; /* an element that begins so */
        return out_of_place(scan, view, false);
    case ':':
        scan->behind = scan->depth == 0 && scan->form->kind == FORM_CONCATENATED;
        if (scan->expect != ELEMENT_COLON) return out_of_place(scan, view, true);
        scan->expect = ELEMENT_VALUE;
        return ELEMENT_MORE;
    default:
        scan->behind = scan->depth == 0; /* of a concatenated text: elsewhere it ends the element */
        if (scan->expect != ELEMENT_COMMA_OR_END) end = out_of_place(scan, view, true);
        scan->expect = is_object(scan) ? ELEMENT_KEY : ELEMENT_VALUE;
        return end;
    }
}

static bool is_sign(uint8_t byte)
{
    return byte == '{' || byte == '}' || byte == '[' || byte == ']' || byte == ':' || byte == ',';
}

static enum element_end plain_byte(struct element_scan *scan, const struct view *view, uint8_t byte)
{
    if (scan->depth == 0 && (scan->behind || scan->form->kind != FORM_CONCATENATED)) {
        enum element_end const end = byte_behind(scan, view, byte);
        if (end != ELEMENT_MORE) return end;
    }
    bool const escaped = scan->escaped;
    scan->escaped = byte == '\\' && !escaped;
    if (byte == '"' && !escaped) {
        scan->scalar = false;
        return open_string(scan, view);
    }
    if (json_is_blank(byte)) {
        scan->scalar = false;
        return ELEMENT_MORE;
    }
    if (!is_sign(byte)) return scalar_byte(scan, view);
    scan->scalar = false;
    return sign_byte(scan, view, byte);
}

/* ---- the loop ---- */

/* Where the next mark before `stop` is. Behind that, what is not shown may belong to one: it is looked for
 * again with the next view. */
static void find_mark(struct element_scan *scan, const struct view *view, uint64_t stop)
{
    bool const known = scan->at >= scan->clear_from && scan->at <= scan->clear_to;
    if (!known) {
        scan->clear_from = scan->clear_to = scan->at;
        scan->mark_ends_it = false;
    }
    if (!scan->mark_ends_it && scan->clear_to < stop) {
        size_t const from = (size_t)(scan->clear_to - view->offset);
        size_t const mark = record_mark_next(&scan->form->mark, view->bytes, view->length, from);
        scan->mark_ends_it = mark != RECORD_MARK_NONE && view->offset + mark < stop;
        scan->clear_to = scan->mark_ends_it ? view->offset + mark : stop;
    }
    scan->next_mark = scan->mark_ends_it ? scan->clear_to : NOWHERE;
}

/* Passes the bytes of a string that mean nothing, up to `end`. */
static void pass_text(struct element_scan *scan, const struct view *view, uint64_t end)
{
    const uint8_t *const bytes = view->bytes;
    uint64_t at = scan->at - view->offset;
    uint64_t const stop = end - view->offset;
    while (at < stop) {
        uint32_t const stops = scan_string_stops(bytes + at);
        if (stops != 0) {
            at += (uint64_t)__builtin_ctz(stops);
            break;
        }
        at += SCAN_STEP;
    }
    if (at > stop) at = stop;
    scan->at = view->offset + at;
    if (scan->at > scan->text_end) scan->text_end = scan->at;
}

/* Passes the bytes before `end` that are fast to pass. The last one before a limit, or that the source may
 * end with, is none of them: there more is looked at. */
static void pass_clean(struct element_scan *scan, const struct view *view, uint64_t end)
{
    if (scan->at < end && element_clean_may(scan))
        element_clean_pass(scan, view->bytes + (scan->at - view->offset), end);
}

/* A limit passed without a sign of where the element is broken. */
static enum element_end pass_limit(struct element_scan *scan)
{
    bool const may = !scan->wrong && !scan->behind;
    const struct element_mark *const mark = may ? earliest(scan, 1, scan->depth + 1) : &no_mark;
    scan->over = true;
    if (mark->at != NOWHERE && mark->at > scan->begin) return break_off(scan, mark);
    scan->in_closed = no_mark;
    for (uint32_t level = 0; level <= scan->deepest; level++)
        scan->marks[level] = no_mark; /* nothing so far back is turned to any more */
    return ELEMENT_MORE;
}

static enum element_end one_byte(struct element_scan *scan, const struct view *view)
{
    uint8_t const byte = view->bytes[scan->at - view->offset];
    enum element_end end = ELEMENT_MORE;
    if (scan->at == scan->next_mark) end = at_mark(scan, view);
    if (end != ELEMENT_MORE) return end;
    if (scan->string_open)
        end = string_byte(scan, view, byte);
    else if (!scan->lost)
        end = plain_byte(scan, view, byte);
    if (end != ELEMENT_MORE) return end;
    scan->at++;
    if (json_is_blank(byte)) return ELEMENT_MORE;
    scan->comma_last = byte == ',';
    if (scan->comma_last) scan->comma_text = scan->text_end;
    scan->text_end = scan->at;
    return ELEMENT_MORE;
}

enum element_end element_scan_run(struct element_scan *scan, const uint8_t *bytes, size_t length,
                                  uint64_t offset, bool ends)
{
    struct view const view = {.bytes = bytes, .length = length, .offset = offset, .ends = ends};
    size_t const left = ends ? 0 : RECORD_MARK_AHEAD;
    uint64_t const stop = offset + (length > left ? length - left : 0);
    enum element_end end = ELEMENT_MORE;
    if (scan->at >= stop && !ends) return ELEMENT_MORE;
    find_mark(scan, &view, stop);
    while (end == ELEMENT_MORE && scan->at < stop) {
        if (scan->next_mark < scan->at) find_mark(scan, &view, stop);
        uint64_t const limit = scan->over ? stop : scan->begin + scan->limit + 1;
        uint64_t to = scan->next_mark < stop ? scan->next_mark : stop;
        if (limit < to) to = limit;
        pass_clean(scan, &view, to < stop && to < limit ? to : to - 1);
        if (scan->string_open && !scan->escaped && scan->at < to) pass_text(scan, &view, to);
        if (scan->at < stop) end = one_byte(scan, &view);
        if (end == ELEMENT_MORE && !scan->over && scan->at - scan->begin > scan->limit)
            end = pass_limit(scan);
    }
    if (end == ELEMENT_MORE && ends) end = source_ends(scan);
    return end;
}

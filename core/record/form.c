/* form.c - see the header. Pure. Thread: any. */
#include "core/record/form.h"

#include "core/record/form_look.h"
#include "core/record/form_object.h"
#include "core/record/json_container.h"
#include "core/record/json_text.h"

#include <string.h>

/* A first record that nests deeper is taken for a broken one. */
#define FORM_DEPTH_MAX 1024u

/* ---- which one ---- */

static enum form_kind object_kind(struct form *form, const struct form_head *head, const uint8_t **begin)
{
    struct form_array found;
    uint8_t brackets[FORM_DEPTH_MAX + 1];
    const uint8_t *const behind = head->first_end;
    const uint8_t *feed = memchr(head->text, '\n', (size_t)(head->end - head->text));
    const uint8_t *const line_end = feed == NULL ? head->end : feed;
    const uint8_t *const map = form_object_map(head);
    if (map != NULL) {
        *begin = map;
        return FORM_ENTITIES;
    }
    if (form_object_array(head, false, &found)) {
        form->beside = found.named;
        form->alone = found.on_line && !found.named;
        *begin = found.array + 1;
        return FORM_KEYED_ARRAY;
    }
    if (behind == NULL) {
        if (feed == NULL || form_look_lines_are_records(head) || form_look_next_line_opens(head))
            return FORM_NDJSON;
        return FORM_CONCATENATED;
    }
    if (behind <= line_end) {
        const uint8_t *const rest = json_pass_blanks(behind, line_end);
        if (rest == line_end) return FORM_NDJSON;
        return *rest == '{' ? FORM_CONCATENATED : FORM_NDJSON;
    }
    if (json_is_value(head->text, (size_t)(behind - head->text), brackets, FORM_DEPTH_MAX))
        return FORM_CONCATENATED;
    return form_look_lines_are_records(head) || form_look_next_line_opens(head) ? FORM_NDJSON
                                                                                : FORM_CONCATENATED;
}

/* Might what follows make it another kind? The first object goes on behind the head, or what stands behind it
 * is not seen. Lines are sure when they are whole objects, a map and an array that is known by its key
 * always, and an array in lines when a longer head says the same: were it another kind, what stands behind it
 * would be counted. */
static bool is_unsure(const struct form *form, const struct form_head *head, enum form_kind kind)
{
    const uint8_t *const behind = head->first_end;
    if (head->whole || (behind != NULL && json_pass_blanks(behind, head->end) != head->end)) return false;
    if (kind == FORM_NDJSON && behind == NULL) return !form_look_lines_are_records(head);
    if (kind == FORM_NDJSON) return memchr(head->text, '\n', (size_t)(head->end - head->text)) == NULL;
    if (kind != FORM_KEYED_ARRAY || form->beside) return kind == FORM_CONCATENATED;
    return form->alone || (size_t)(head->end - head->text) <= FORM_HEAD_BYTES;
}

/* A first line that is an array by itself, with objects on those behind it, is a bad record. */
static enum form_kind array_kind(const struct form_head *head)
{
    const uint8_t *const behind = head->first_end;
    const uint8_t *const feed = memchr(head->text, '\n', (size_t)(head->end - head->text));
    bool const on_line =
        behind != NULL && feed != NULL && behind <= feed && json_pass_blanks(behind, feed) == feed;
    return on_line && form_look_next_line_opens(head) ? FORM_NDJSON : FORM_ARRAY;
}

/* ---- what its records look like ---- */

static enum record_mark_joint joint_of(enum form_kind kind)
{
    if (kind == FORM_ENTITIES) return RECORD_MARK_NAMED;
    return kind == FORM_CONCATENATED ? RECORD_MARK_NOTHING : RECORD_MARK_COMMA;
}

static void learn(struct form *form, const uint8_t *head, const uint8_t *at, const uint8_t *end)
{
    struct form_member member;
    bool first = true;
    while (at != NULL) {
        at = json_pass_blanks(at, end);
        if (at >= end) return;
        record_mark_learn(&form->mark, head, (size_t)(end - head), (size_t)(at - head), first);
        first = false;
        if (form->kind == FORM_ENTITIES) {
            if (!form_look_member(at, end, &member)) return;
            at = member.value;
        }
        at = form_look_value(at, end);
        if (form->kind != FORM_CONCATENATED) at = form_look_comma(at, end);
    }
}

static void finish(struct form *form, enum form_kind kind, const uint8_t *head, const uint8_t *begin,
                   const uint8_t *end)
{
    form->kind = kind;
    form->begin = (uint64_t)(begin - head);
    for (const uint8_t *at = head; (at = memchr(at, '\n', (size_t)(begin - at))) != NULL; at++)
        form->lines++;
    form->mark.joint = joint_of(kind);
    if (kind != FORM_NDJSON) learn(form, head, begin, end);
}

void form_find(struct form *form, const uint8_t *head, size_t length, size_t from, bool whole)
{
    struct form_head const text = form_look_at(head, length, from, whole);
    const uint8_t *begin = head + from;
    enum form_kind kind = FORM_NDJSON;
    *form = (struct form){.kind = FORM_NDJSON};
    if (text.text < text.end && *text.text == '{') {
        kind = object_kind(form, &text, &begin);
        form->unsure = is_unsure(form, &text, kind);
    }
    if (text.text < text.end && *text.text == '[') {
        kind = array_kind(&text);
        if (kind == FORM_ARRAY) begin = text.text + 1;
    }
    finish(form, kind, head, begin, head + length);
}

bool form_take(struct form *form, enum form_kind kind, const uint8_t *head, size_t length, size_t from)
{
    struct form_head const text = form_look_at(head, length, from, true);
    const uint8_t *begin = head + from;
    struct form_array found;
    *form = (struct form){.kind = FORM_NDJSON};
    bool const blank = text.text == text.end;
    if (kind == FORM_ARRAY && !blank && *text.text == '{') {
        if (!form_object_array(&text, true, &found)) return false;
        begin = found.array + 1;
        form->beside = true;
        kind = FORM_KEYED_ARRAY;
    } else if (kind == FORM_ARRAY || kind == FORM_ENTITIES) {
        if (!blank && *text.text != (kind == FORM_ARRAY ? '[' : '{')) return false;
        if (blank)
            kind = FORM_NDJSON; /* no record in it, and nothing that is open */
        else
            begin = text.text + 1;
    }
    finish(form, kind, head, begin, head + length);
    return true;
}

bool form_is_closed(const uint8_t *bytes, size_t length)
{
    return form_look_is_container(bytes, bytes + length);
}

bool form_ends_object(const struct form *form, const uint8_t *bytes, size_t length)
{
    const uint8_t *const limit = bytes + length;
    const uint8_t *end;
    enum form_beside const beside = form->beside ? FORM_BESIDE_NO_RECORDS : FORM_BESIDE_NOTHING;
    if (form_object_rest(bytes, limit, beside, &end) != FORM_REST_FITS ||
        json_pass_blanks(end, limit) != limit)
        return false;
    bool const on_line = memchr(bytes, '\n', (size_t)(end - bytes)) == NULL;
    return !(form->alone && on_line && form_look_comma(bytes, limit) != NULL);
}

bool form_choose(struct form *form, enum form_choice choice, const uint8_t *head, size_t length, size_t from,
                 bool whole)
{
    switch (choice) {
    case FORM_CHOICE_AUTO: form_find(form, head, length, from, whole); return true;
    case FORM_CHOICE_NDJSON: return form_take(form, FORM_NDJSON, head, length, from);
    case FORM_CHOICE_ARRAY: return form_take(form, FORM_ARRAY, head, length, from);
    case FORM_CHOICE_CONCATENATED: return form_take(form, FORM_CONCATENATED, head, length, from);
    case FORM_CHOICE_ENTITIES: return form_take(form, FORM_ENTITIES, head, length, from);
    }
    return false;
}

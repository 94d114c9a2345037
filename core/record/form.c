/* form.c - see the header. Pure. Thread: any. */
#include "core/record/form.h"

#include "core/record/json_text.h"

#include <string.h>

/* A first record that nests deeper is taken for a broken one. */
#define FORM_DEPTH_MAX 1024u

/* A text's first bytes: to `end`, behind which there may be more. */
struct head {
    const uint8_t *text, *end;
    bool whole;
};

/* ---- steps; NULL: the head ends before, or it is not there ---- */

static const uint8_t *pass_blanks(const uint8_t *at, const uint8_t *end)
{
    while (at < end && json_is_blank(*at))
        at++;
    return at;
}

static const uint8_t *pass_string(const uint8_t *at, const uint8_t *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end) at++;
    return at < end ? at + 1 : NULL;
}

/* Brackets count as one kind: whether they fit is the walk's business. */
static const uint8_t *pass_container(const uint8_t *at, const uint8_t *end)
{
    size_t depth = 0;
    while (at != NULL && at < end) {
        if (*at == '"') {
            at = pass_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[') depth++;
        if (*at == '}' || *at == ']') depth--;
        at++;
        if (depth == 0) return at;
    }
    return NULL;
}

static const uint8_t *pass_value(const uint8_t *at, const uint8_t *end)
{
    if (at >= end) return NULL;
    if (*at == '"') return pass_string(at, end);
    if (*at == '{' || *at == '[') return pass_container(at, end);
    const uint8_t *const begin = at;
    while (at < end && !json_is_blank(*at) && strchr(",:{}[]\"", *at) == NULL)
        at++;
    return at == begin || at == end ? NULL : at;
}

/* A member of an object: its key with the quotes, and where its value begins. */
struct member {
    const uint8_t *key, *key_end, *value;
};

static bool read_member(const uint8_t *at, const uint8_t *end, struct member *member)
{
    member->key = pass_blanks(at, end);
    if (member->key >= end || *member->key != '"') return false;
    member->key_end = pass_string(member->key, end);
    if (member->key_end == NULL) return false;
    at = pass_blanks(member->key_end, end);
    if (at >= end || *at != ':') return false;
    member->value = pass_blanks(at + 1, end);
    return member->value < end;
}

/* Behind the comma that another member follows. */
static const uint8_t *pass_comma(const uint8_t *at, const uint8_t *end)
{
    if (at == NULL) return NULL;
    at = pass_blanks(at, end);
    return at < end && *at == ',' ? at + 1 : NULL;
}

/* ---- lines ---- */

/* Is [at, end) one object, blanks around it left out? */
static bool is_object(const uint8_t *at, const uint8_t *end)
{
    at = pass_blanks(at, end);
    if (at >= end || *at != '{') return false;
    at = pass_container(at, end);
    return at != NULL && pass_blanks(at, end) == end;
}

/* Are at least half of the lines that are there to their ends whole objects? */
static bool lines_are_records(const struct head *head)
{
    size_t lines = 0, objects = 0;
    for (const uint8_t *at = head->text; at < head->end;) {
        const uint8_t *feed = memchr(at, '\n', (size_t)(head->end - at));
        if (feed == NULL && !head->whole) break;
        if (feed == NULL) feed = head->end;
        if (pass_blanks(at, feed) != feed) {
            lines++;
            objects += is_object(at, feed);
        }
        at = feed + 1;
    }
    return objects != 0 && 2 * objects >= lines;
}

/* Does the first line that is not blank behind the one at hand begin with a bracket? */
static bool next_line_opens(const struct head *head)
{
    const uint8_t *feed = memchr(head->text, '\n', (size_t)(head->end - head->text));
    if (feed == NULL) return false;
    feed = pass_blanks(feed, head->end);
    return feed < head->end && *feed == '{';
}

/* ---- one object that holds the records ---- */

/* Does an object follow the one at `at`, behind a comma? */
static bool goes_on(const uint8_t *at, const uint8_t *end)
{
    at = pass_comma(pass_container(at, end), end);
    if (at != NULL) at = pass_blanks(at, end);
    return at != NULL && at < end && *at == '{';
}

/* The first member with a container, when that is an array of objects: where its first object begins. */
static const uint8_t *first_array(const struct head *head, const uint8_t **array)
{
    struct member member;
    for (const uint8_t *at = head->text + 1; at != NULL && read_member(at, head->end, &member);
         at = pass_comma(pass_value(member.value, head->end), head->end)) {
        if (*member.value != '[' && *member.value != '{') continue;
        const uint8_t *const first = pass_blanks(member.value + 1, head->end);
        *array = member.value;
        return *member.value == '[' && first < head->end && *first == '{' ? first : NULL;
    }
    return NULL;
}

/* Behind the bracket that opens the array of records; NULL: it is no such object. On one line it must be the
 * only member: with others it is a record as they are. When one of the records is
 * broken what follows them can't be told: then it is enough that one record follows another in the array, and
 * that the lines are no records. */
static const uint8_t *keyed_array(const struct head *head)
{
    struct member member;
    const uint8_t *const end = head->end;
    const uint8_t *array, *const first = first_array(head, &array);
    if (first == NULL) return NULL;
    const uint8_t *at = pass_container(head->text, end);
    bool const on_line = at != NULL && memchr(head->text, '\n', (size_t)(at - head->text)) == NULL;
    if (on_line && !(read_member(head->text + 1, end, &member) && member.value == array)) return NULL;
    at = pass_container(array, end);
    while (at != NULL) {
        at = pass_blanks(at, end);
        if (at < end && *at == '}') {
            at = pass_blanks(at + 1, end);
            if (at == end) return head->whole ? array + 1 : NULL;
            if (*at == '{') return NULL; /* another record */
            break;
        }
        if (at == end || *at != ',' || !read_member(at + 1, end, &member)) break;
        if (on_line) return NULL;
        if (*member.value == '{' || *member.value == '[') return NULL;
        at = pass_value(member.value, end);
    }
    return goes_on(first, end) && !lines_are_records(head) ? array + 1 : NULL;
}

/* Does another member with an object follow the one whose value is at `at`? Else it may be the first of many
 * records that are longer than the head. */
static bool entities_go_on(const uint8_t *at, const uint8_t *end)
{
    struct member second;
    at = pass_comma(pass_container(at, end), end);
    return at != NULL && read_member(at, end, &second) && *second.value == '{';
}

/* Behind the brace that opens the map; NULL: it is none. */
static const uint8_t *entity_map(const struct head *head)
{
    static const uint8_t entity[] = "\"entity\"";
    struct member first, member;
    if (!read_member(head->text + 1, head->end, &first) || *first.value != '{') return NULL;
    const uint8_t *const behind = pass_container(head->text, head->end);
    const uint8_t *const rest = behind == NULL ? head->end : pass_blanks(behind, head->end);
    if (rest != head->end && (*rest == '{' || lines_are_records(head))) return NULL; /* another record */
    if (behind == NULL && !entities_go_on(first.value, head->end)) return NULL;
    for (const uint8_t *at = first.value + 1; at != NULL && read_member(at, head->end, &member);
         at = pass_comma(pass_value(member.value, head->end), head->end))
        if (member.key_end - member.key == sizeof entity - 1 &&
            memcmp(member.key, entity, sizeof entity - 1) == 0)
            return head->text + 1;
    return NULL;
}

/* ---- which one ---- */

static enum form_kind object_kind(const struct head *head, const uint8_t **begin)
{
    uint8_t brackets[FORM_DEPTH_MAX + 1];
    const uint8_t *const behind = pass_container(head->text, head->end);
    const uint8_t *feed = memchr(head->text, '\n', (size_t)(head->end - head->text));
    const uint8_t *const line_end = feed == NULL ? head->end : feed;
    const uint8_t *opened = entity_map(head);
    if (opened != NULL) {
        *begin = opened;
        return FORM_ENTITIES;
    }
    opened = keyed_array(head);
    if (opened != NULL) {
        *begin = opened;
        return FORM_KEYED_ARRAY;
    }
    if (behind == NULL) {
        if (feed == NULL || lines_are_records(head) || next_line_opens(head)) return FORM_NDJSON;
        return FORM_CONCATENATED;
    }
    if (behind <= line_end) {
        const uint8_t *const rest = pass_blanks(behind, line_end);
        if (rest == line_end) return FORM_NDJSON;
        return *rest == '{' ? FORM_CONCATENATED : FORM_NDJSON;
    }
    if (json_is_value(head->text, (size_t)(behind - head->text), brackets, FORM_DEPTH_MAX))
        return FORM_CONCATENATED;
    return lines_are_records(head) || next_line_opens(head) ? FORM_NDJSON : FORM_CONCATENATED;
}

/* A first line that is an array by itself, with objects on those behind it, is a bad record. */
static enum form_kind array_kind(const struct head *head)
{
    const uint8_t *const behind = pass_container(head->text, head->end);
    const uint8_t *const feed = memchr(head->text, '\n', (size_t)(head->end - head->text));
    bool const on_line =
        behind != NULL && feed != NULL && behind <= feed && pass_blanks(behind, feed) == feed;
    return on_line && next_line_opens(head) ? FORM_NDJSON : FORM_ARRAY;
}

/* ---- what its records look like ---- */

static enum record_mark_joint joint_of(enum form_kind kind)
{
    if (kind == FORM_ENTITIES) return RECORD_MARK_NAMED;
    return kind == FORM_CONCATENATED ? RECORD_MARK_NOTHING : RECORD_MARK_COMMA;
}

static void learn(struct form *form, const uint8_t *head, const uint8_t *at, const uint8_t *end)
{
    struct member member;
    bool first = true;
    while (at != NULL) {
        at = pass_blanks(at, end);
        if (at >= end) return;
        record_mark_learn(&form->mark, head, (size_t)(end - head), (size_t)(at - head), first);
        first = false;
        if (form->kind == FORM_ENTITIES) {
            if (!read_member(at, end, &member)) return;
            at = member.value;
        }
        at = pass_value(at, end);
        if (form->kind != FORM_CONCATENATED) at = pass_comma(at, end);
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
    struct head text = {
        .text = pass_blanks(head + from, head + length), .end = head + length, .whole = whole};
    const uint8_t *begin = head + from;
    enum form_kind kind = FORM_NDJSON;
    *form = (struct form){.kind = FORM_NDJSON};
    if (text.text < text.end && *text.text == '{') kind = object_kind(&text, &begin);
    if (text.text < text.end && *text.text == '[') {
        kind = array_kind(&text);
        if (kind == FORM_ARRAY) begin = text.text + 1;
    }
    finish(form, kind, head, begin, head + length);
}

bool form_take(struct form *form, enum form_kind kind, const uint8_t *head, size_t length, size_t from)
{
    struct head const text = {
        .text = pass_blanks(head + from, head + length), .end = head + length, .whole = true};
    const uint8_t *begin = head + from;
    *form = (struct form){.kind = FORM_NDJSON};
    bool const blank = text.text == text.end;
    if (kind == FORM_ARRAY && !blank && *text.text == '{') {
        begin = keyed_array(&text);
        if (begin == NULL) return false;
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

bool form_ends_object(const uint8_t *bytes, size_t length)
{
    const uint8_t *const end = bytes + length;
    const uint8_t *at = pass_blanks(bytes, end);
    struct member member;
    while (at != NULL && at < end && *at == ',') {
        if (!read_member(at + 1, end, &member) || *member.value == '{' || *member.value == '[') return false;
        at = pass_value(member.value, end);
        if (at != NULL) at = pass_blanks(at, end);
    }
    return at != NULL && at < end && *at == '}' && pass_blanks(at + 1, end) == end;
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

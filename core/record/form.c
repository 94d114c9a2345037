/* form.c - see the header. Pure. Thread: any. */
#include "core/record/form.h"

#include "core/record/json_container.h"
#include "core/record/json_text.h"

#include <string.h>

/* A first record that nests deeper is taken for a broken one. */
#define FORM_DEPTH_MAX 1024u

/* A text's first bytes: to `end`, behind which there may be more. */
struct head {
    const uint8_t *text, *end; /* blanks before the text left out */
    bool whole;
    const uint8_t *first_end; /* behind the container that it begins with; NULL: it goes on behind the head */
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

/* An array of records in an object. */
struct found_array {
    const uint8_t *array, *first; /* its bracket; what stands behind it */
    bool alone;                   /* the object's first member */
    bool named;                   /* by its key, or what stands before it: anything may stand beside it */
    bool on_line;                 /* the object, as far as it is seen, is all on one line */
};

static bool key_is(const struct member *member, const char *name)
{
    size_t const length = strlen(name);
    return (size_t)(member->key_end - member->key) == length + 2 &&
           memcmp(member->key + 1, name, length) == 0;
}

/* Keys under which pages of records come. */
static bool is_page_key(const struct member *member)
{
    return key_is(member, "results") || key_is(member, "records") || key_is(member, "profiles");
}

/* The first array of objects that is known for one of records; else the object's first container, when that
 * is one. `asked`: the first array of objects is. */
static bool find_array(const struct head *head, bool asked, struct found_array *found)
{
    struct member member;
    bool first = true, paged = false, others = false;
    *found = (struct found_array){.array = NULL};
    for (const uint8_t *at = head->text + 1; at != NULL && read_member(at, head->end, &member);
         at = pass_comma(pass_value(member.value, head->end), head->end)) {
        bool const alone = first, is_array = *member.value == '[';
        first = false;
        paged = paged || key_is(&member, "_page");
        if (!is_array && *member.value != '{') continue;
        const uint8_t *const behind = pass_blanks(member.value + 1, head->end);
        uint8_t const byte = behind < head->end ? *behind : 0;
        bool const named =
            is_array && (is_page_key(&member) ? byte == '{' || byte == ']' : byte == '{' && (paged || asked));
        if (named || (is_array && byte == '{' && !others))
            *found =
                (struct found_array){.array = member.value, .first = behind, .alone = alone, .named = named};
        if (named) return true;
        others = true;
    }
    return found->array != NULL;
}

/* What stands behind the array, up to the object's end; *end: behind that. */
enum rest { REST_FITS, REST_IS_OTHER, REST_UNSEEN };

/* What may stand there beside scalars. */
enum beside { BESIDE_NOTHING, BESIDE_NO_RECORDS, BESIDE_ANYTHING };

static bool may_be_beside(const uint8_t *value, const uint8_t *limit, enum beside beside)
{
    bool const is_array = *value == '[';
    if (!is_array && *value != '{') return true;
    if (beside != BESIDE_NO_RECORDS || !is_array) return beside != BESIDE_NOTHING;
    value = pass_blanks(value + 1, limit);
    return value == limit || *value != '{';
}

static enum rest rest_of_object(const uint8_t *at, const uint8_t *limit, enum beside beside,
                                const uint8_t **end)
{
    struct member member;
    while (at != NULL) {
        at = pass_blanks(at, limit);
        if (at < limit && *at == '}') {
            *end = at + 1;
            return REST_FITS;
        }
        if (at == limit || *at != ',' || !read_member(at + 1, limit, &member)) break;
        if (!may_be_beside(member.value, limit, beside)) return REST_IS_OTHER;
        at = pass_value(member.value, limit);
    }
    return REST_UNSEEN;
}

/* The array of records in an object; false: it is no such object. On one line a record is more likely, unless
 * the array is the only member or named. When one of the records is broken, or the first
 * one longer than the head, what follows can't be told: then it is enough that the array is named, or that
 * one record follows another in it, and that the lines are no records. */
static bool keyed_array(const struct head *head, bool asked, struct found_array *found)
{
    const uint8_t *const end = head->end;
    const uint8_t *behind = NULL;
    if (!find_array(head, asked, found)) return false;
    const uint8_t *const seen = head->first_end == NULL ? end : head->first_end;
    bool const on_line = memchr(head->text, '\n', (size_t)(seen - head->text)) == NULL;
    found->on_line = on_line;
    if (on_line && !found->named && !found->alone) return false;
    const uint8_t *const array_end = pass_container(found->array, end);
    enum rest const rest =
        rest_of_object(array_end, end, found->named ? BESIDE_ANYTHING : BESIDE_NOTHING, &behind);
    if (rest == REST_IS_OTHER) return false;
    if (rest == REST_FITS) {
        if (on_line && !found->named && pass_comma(array_end, end) != NULL) return false;
        behind = pass_blanks(behind, end);
        if (behind == end) return head->whole;
        if (*behind == '{') return false; /* another record */
    }
    return (found->named || goes_on(found->first, end)) && !lines_are_records(head);
}

/* Does another member with an object follow the one whose value is at `at`? Else it may be the first of many
 * records that are longer than the head. */
static bool entities_go_on(const uint8_t *at, const uint8_t *end)
{
    struct member second;
    at = pass_comma(pass_container(at, end), end);
    return at != NULL && read_member(at, end, &second) && *second.value == '{';
}

/* Behind the brace that opens the map; NULL: it is none. One whose first member the head does not hold is
 * told by its lines, which no records are, or by the entity's own id beside it. */
static const uint8_t *entity_map(const struct head *head)
{
    struct member first, member;
    bool has_entity = false, has_id = false;
    if (!read_member(head->text + 1, head->end, &first) || *first.value != '{') return NULL;
    const uint8_t *const behind = head->first_end;
    const uint8_t *const rest = behind == NULL ? head->end : pass_blanks(behind, head->end);
    if (rest != head->end && (*rest == '{' || lines_are_records(head))) return NULL; /* another record */
    bool const on_line = memchr(head->text, '\n', (size_t)(head->end - head->text)) == NULL;
    bool const in_lines = on_line || next_line_opens(head) || lines_are_records(head);
    bool const sure = behind != NULL || !in_lines || entities_go_on(first.value, head->end);
    for (const uint8_t *at = first.value + 1; at != NULL && read_member(at, head->end, &member);
         at = pass_comma(pass_value(member.value, head->end), head->end)) {
        has_entity = has_entity || key_is(&member, "entity");
        has_id = has_id || key_is(&member, "entityId");
    }
    return has_entity && (sure || has_id) ? head->text + 1 : NULL;
}

/* ---- which one ---- */

static enum form_kind object_kind(struct form *form, const struct head *head, const uint8_t **begin)
{
    struct found_array found;
    uint8_t brackets[FORM_DEPTH_MAX + 1];
    const uint8_t *const behind = head->first_end;
    const uint8_t *feed = memchr(head->text, '\n', (size_t)(head->end - head->text));
    const uint8_t *const line_end = feed == NULL ? head->end : feed;
    const uint8_t *const map = entity_map(head);
    if (map != NULL) {
        *begin = map;
        return FORM_ENTITIES;
    }
    if (keyed_array(head, false, &found)) {
        form->beside = found.named;
        form->alone = found.on_line && !found.named;
        *begin = found.array + 1;
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

/* Might what follows make it another kind? The first object goes on behind the head, or what stands behind it
 * is not seen. A map, and an array that is known by its key, are sure, and one in lines is when a longer head
 * says the same: were it another kind, what stands behind it would be counted. */
static bool is_unsure(const struct form *form, const struct head *head, enum form_kind kind)
{
    const uint8_t *const behind = head->first_end;
    if (head->whole || (behind != NULL && pass_blanks(behind, head->end) != head->end)) return false;
    if (kind == FORM_NDJSON) return memchr(head->text, '\n', (size_t)(head->end - head->text)) == NULL;
    if (kind != FORM_KEYED_ARRAY || form->beside) return kind == FORM_CONCATENATED;
    return form->alone || (size_t)(head->end - head->text) <= FORM_HEAD_BYTES;
}

/* A first line that is an array by itself, with objects on those behind it, is a bad record. */
static enum form_kind array_kind(const struct head *head)
{
    const uint8_t *const behind = head->first_end;
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

static struct head head_of(const uint8_t *bytes, size_t length, size_t from, bool whole)
{
    struct head head = {
        .text = pass_blanks(bytes + from, bytes + length), .end = bytes + length, .whole = whole};
    bool const opens = head.text < head.end && (*head.text == '{' || *head.text == '[');
    if (opens) head.first_end = pass_container(head.text, head.end);
    return head;
}

void form_find(struct form *form, const uint8_t *head, size_t length, size_t from, bool whole)
{
    struct head const text = head_of(head, length, from, whole);
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
    struct head const text = head_of(head, length, from, true);
    const uint8_t *begin = head + from;
    struct found_array found;
    *form = (struct form){.kind = FORM_NDJSON};
    bool const blank = text.text == text.end;
    if (kind == FORM_ARRAY && !blank && *text.text == '{') {
        if (!keyed_array(&text, true, &found)) return false;
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

bool form_ends_object(const struct form *form, const uint8_t *bytes, size_t length)
{
    const uint8_t *const limit = bytes + length;
    const uint8_t *end;
    enum beside const beside = form->beside ? BESIDE_NO_RECORDS : BESIDE_NOTHING;
    if (rest_of_object(bytes, limit, beside, &end) != REST_FITS || pass_blanks(end, limit) != limit)
        return false;
    bool const on_line = memchr(bytes, '\n', (size_t)(end - bytes)) == NULL;
    return !(form->alone && on_line && pass_comma(bytes, limit) != NULL);
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

/* form_object.c - see the header. Pure. Thread: any. */
#include "core/record/form_object.h"

#include "core/record/json_text.h"

#include <string.h>

/* Does an object follow the one at `at`, behind a comma? */
static bool goes_on(const uint8_t *at, const uint8_t *end)
{
    at = form_look_comma(form_look_container(at, end), end);
    if (at != NULL) at = json_pass_blanks(at, end);
    return at != NULL && at < end && *at == '{';
}

static bool key_is(const struct form_member *member, const char *name)
{
    size_t const length = strlen(name);
    return (size_t)(member->key_end - member->key) == length + 2 &&
           memcmp(member->key + 1, name, length) == 0;
}

/* Keys under which pages of records come. */
static bool is_page_key(const struct form_member *member)
{
    return key_is(member, "results") || key_is(member, "records") || key_is(member, "profiles");
}

/* The first array of objects that is known for one of records; else the object's first container, when that
 * is one. `asked`: the first array of objects is. */
static bool find_array(const struct form_head *head, bool asked, struct form_array *found)
{
    struct form_member member;
    bool first = true, paged = false, others = false;
    *found = (struct form_array){.array = NULL};
    for (const uint8_t *at = head->text + 1; at != NULL && form_look_member(at, head->end, &member);
         at = form_look_comma(form_look_value(member.value, head->end), head->end)) {
        bool const alone = first, is_array = *member.value == '[';
        first = false;
        paged = paged || key_is(&member, "_page");
        if (!is_array && *member.value != '{') continue;
        const uint8_t *const behind = json_pass_blanks(member.value + 1, head->end);
        uint8_t const byte = behind < head->end ? *behind : 0;
        bool const named =
            is_array && (is_page_key(&member) ? byte == '{' || byte == ']' : byte == '{' && (paged || asked));
        if (named || (is_array && byte == '{' && !others))
            *found =
                (struct form_array){.array = member.value, .first = behind, .alone = alone, .named = named};
        if (named) return true;
        others = true;
    }
    return found->array != NULL;
}

static bool may_be_beside(const uint8_t *value, const uint8_t *limit, enum form_beside beside)
{
    bool const is_array = *value == '[';
    if (!is_array && *value != '{') return true;
    if (beside != FORM_BESIDE_NO_RECORDS || !is_array) return beside != FORM_BESIDE_NOTHING;
    value = json_pass_blanks(value + 1, limit);
    return value == limit || *value != '{';
}

enum form_rest form_object_rest(const uint8_t *at, const uint8_t *limit, enum form_beside beside,
                                const uint8_t **end)
{
    struct form_member member;
    while (at != NULL) {
        at = json_pass_blanks(at, limit);
        if (at < limit && *at == '}') {
            *end = at + 1;
            return FORM_REST_FITS;
        }
        if (at == limit || *at != ',' || !form_look_member(at + 1, limit, &member)) break;
        if (!may_be_beside(member.value, limit, beside)) return FORM_REST_IS_OTHER;
        at = form_look_value(member.value, limit);
    }
    return FORM_REST_UNSEEN;
}

bool form_object_array(const struct form_head *head, bool asked, struct form_array *found)
{
    const uint8_t *const end = head->end;
    const uint8_t *behind = NULL;
    if (!find_array(head, asked, found)) return false;
    const uint8_t *const seen = head->first_end == NULL ? end : head->first_end;
    bool const on_line = memchr(head->text, '\n', (size_t)(seen - head->text)) == NULL;
    found->on_line = on_line;
    if (on_line && !found->named && !found->alone) return false;
    const uint8_t *const array_end = form_look_container(found->array, end);
    enum form_rest const rest =
        form_object_rest(array_end, end, found->named ? FORM_BESIDE_ANYTHING : FORM_BESIDE_NOTHING, &behind);
    if (rest == FORM_REST_IS_OTHER) return false;
    if (rest == FORM_REST_FITS) {
        if (on_line && !found->named && form_look_comma(array_end, end) != NULL) return false;
        behind = json_pass_blanks(behind, end);
        if (behind == end) return head->whole;
        if (*behind == '{') return false; /* another record */
    }
    return (found->named || goes_on(found->first, end)) && !form_look_lines_are_records(head);
}

/* Does another member with an object follow the one whose value is at `at`? Else it may be the first of many
 * records that are longer than the head. */
static bool entities_go_on(const uint8_t *at, const uint8_t *end)
{
    struct form_member second;
    at = form_look_comma(form_look_container(at, end), end);
    return at != NULL && form_look_member(at, end, &second) && *second.value == '{';
}

const uint8_t *form_object_map(const struct form_head *head)
{
    struct form_member first, member;
    bool has_entity = false, has_id = false;
    if (!form_look_member(head->text + 1, head->end, &first) || *first.value != '{') return NULL;
    const uint8_t *const behind = head->first_end;
    const uint8_t *const rest = behind == NULL ? head->end : json_pass_blanks(behind, head->end);
    if (rest != head->end && (*rest == '{' || form_look_lines_are_records(head)))
        return NULL; /* another record */
    bool const on_line = memchr(head->text, '\n', (size_t)(head->end - head->text)) == NULL;
    bool const in_lines = on_line || form_look_next_line_opens(head) || form_look_lines_are_records(head);
    bool const sure = behind != NULL || !in_lines || entities_go_on(first.value, head->end);
    for (const uint8_t *at = first.value + 1; at != NULL && form_look_member(at, head->end, &member);
         at = form_look_comma(form_look_value(member.value, head->end), head->end)) {
        has_entity = has_entity || key_is(&member, "entity");
        has_id = has_id || key_is(&member, "entityId");
    }
    return has_entity && (sure || has_id) ? head->text + 1 : NULL;
}

/* form_look.c - see the header. Pure. Thread: any. */
#include "core/record/form_look.h"

#include "core/record/json_text.h"

#include <string.h>

struct form_head form_look_at(const uint8_t *bytes, size_t length, size_t from, bool whole)
{
    struct form_head head = {
        .text = json_pass_blanks(bytes + from, bytes + length), .end = bytes + length, .whole = whole};
    bool const opens = head.text < head.end && (*head.text == '{' || *head.text == '[');
    if (opens) head.first_end = form_look_container(head.text, head.end);
    return head;
}

/* ---- steps ---- */

static const uint8_t *pass_string(const uint8_t *at, const uint8_t *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end) at++;
    return at < end ? at + 1 : NULL;
}

/* Brackets count as one kind: whether they fit is the walk's business. */
const uint8_t *form_look_container(const uint8_t *at, const uint8_t *end)
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

const uint8_t *form_look_value(const uint8_t *at, const uint8_t *end)
{
    if (at >= end) return NULL;
    if (*at == '"') return pass_string(at, end);
    if (*at == '{' || *at == '[') return form_look_container(at, end);
    const uint8_t *const begin = at;
    while (at < end && !json_is_blank(*at) && strchr(",:{}[]\"", *at) == NULL)
        at++;
    return at == begin || at == end ? NULL : at;
}

bool form_look_member(const uint8_t *at, const uint8_t *end, struct form_member *member)
{
    member->key = json_pass_blanks(at, end);
    if (member->key >= end || *member->key != '"') return false;
    member->key_end = pass_string(member->key, end);
    if (member->key_end == NULL) return false;
    at = json_pass_blanks(member->key_end, end);
    if (at >= end || *at != ':') return false;
    member->value = json_pass_blanks(at + 1, end);
    return member->value < end;
}

const uint8_t *form_look_comma(const uint8_t *at, const uint8_t *end)
{
    if (at == NULL) return NULL;
    at = json_pass_blanks(at, end);
    return at < end && *at == ',' ? at + 1 : NULL;
}

bool form_look_is_container(const uint8_t *at, const uint8_t *end)
{
    at = json_pass_blanks(at, end);
    if (at >= end || (*at != '{' && *at != '[')) return false;
    at = form_look_container(at, end);
    return at != NULL && json_pass_blanks(at, end) == end;
}

/* ---- lines ---- */

bool form_look_lines_are_records(const struct form_head *head)
{
    size_t lines = 0, objects = 0;
    for (const uint8_t *at = head->text; at < head->end;) {
        const uint8_t *feed = memchr(at, '\n', (size_t)(head->end - at));
        if (feed == NULL && !head->whole) break;
        if (feed == NULL) feed = head->end;
        const uint8_t *const text = json_pass_blanks(at, feed);
        if (text != feed) {
            lines++;
            objects += *text == '{' && form_look_is_container(text, feed);
        }
        at = feed + 1;
    }
    return objects != 0 && 2 * objects >= lines;
}

bool form_look_next_line_opens(const struct form_head *head)
{
    const uint8_t *feed = memchr(head->text, '\n', (size_t)(head->end - head->text));
    if (feed == NULL) return false;
    feed = json_pass_blanks(feed, head->end);
    return feed < head->end && *feed == '{';
}

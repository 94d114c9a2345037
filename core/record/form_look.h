/* form_look.h - the first bytes of a source, which may end anywhere: steps over the JSON in them, and whether
 * their lines are records. By brackets and quotes alone: whether they fit is the walk's business.
 *
 * Pure. Thread rule: any; bytes are borrowed. Private to the form (form.h). */
#ifndef PENSTOCK_CORE_RECORD_FORM_LOOK_H
#define PENSTOCK_CORE_RECORD_FORM_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text's first bytes: to `end`, behind which there may be more. */
struct form_head {
    const uint8_t *text, *end; /* blanks before the text left out */
    bool whole;
    const uint8_t *first_end; /* behind the container that it begins with; NULL: it goes on behind the head */
};

/* Of `length` bytes, `from` of them a byte order mark. `whole`: that is all of the source. */
struct form_head form_look_at(const uint8_t *bytes, size_t length, size_t from, bool whole);

/* Behind what begins at `at`; NULL: the bytes end before, or no such thing is there. */
const uint8_t *form_look_container(const uint8_t *at, const uint8_t *end);
const uint8_t *form_look_value(const uint8_t *at, const uint8_t *end);
/* Is [at, end) one object or array, blanks around it left out? */
bool form_look_is_container(const uint8_t *at, const uint8_t *end);
/* Behind the comma that another member follows; takes NULL. */
const uint8_t *form_look_comma(const uint8_t *at, const uint8_t *end);

/* A member of an object: its key with the quotes, and where its value begins. */
struct form_member {
    const uint8_t *key, *key_end, *value;
};
bool form_look_member(const uint8_t *at, const uint8_t *end, struct form_member *member); /* false: as NULL */

/* Are at least half of the lines that are there to their ends whole objects? */
bool form_look_lines_are_records(const struct form_head *head);
/* Does the first line that is not blank behind the one at hand begin with a bracket? */
bool form_look_next_line_opens(const struct form_head *head);

#endif

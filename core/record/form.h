/* form.h - the container that a source's records stand in, told by its first bytes (contract:
 * `source.format`).
 *
 *   FORM_NDJSON        a record a line
 *   FORM_ARRAY         one array
 *   FORM_CONCATENATED  one text behind the other, pretty-printed or not
 *   FORM_ENTITIES      { "<id>": { "entity": { the record }, … }, … }
 *   FORM_KEYED_ARRAY   one object, one member of which is an array of records. Beside it stand scalars; or
 *                      anything, when it is known for one of records by its key (results, records, profiles),
 *                      by a member `_page` before it, or because one was asked for
 *
 * Pure. Thread rule: read-only once found. */
#ifndef PENSTOCK_CORE_RECORD_FORM_H
#define PENSTOCK_CORE_RECORD_FORM_H

#include "core/record/record_mark.h"

/* The contract lets "the lines of the first 64 KiB decide". */
#define FORM_HEAD_BYTES (64u * 1024)

enum form_kind { FORM_NDJSON, FORM_ARRAY, FORM_CONCATENATED, FORM_ENTITIES, FORM_KEYED_ARRAY };

struct form {
    enum form_kind kind;
    uint64_t begin; /* of the first record or the blanks before it: behind what opens the container */
    uint64_t lines; /* line feeds before that */
    bool beside; /* KEYED_ARRAY: anything may stand beside the array, but no other one of objects behind it */
    bool alone;  /* KEYED_ARRAY: all on one line, as far as is seen: so nothing may */
    bool unsure; /* the first object is not seen to its end: a longer head might show another kind */
    struct record_mark mark;
};

/* Bytes that an entity's member may have beyond source.max_record, which is the entity's own: its id, and
 * what stands beside the entity. AEP writes some 200 there, or a graph of at most 50 identities of at most
 * 1,024 characters each, with their namespaces: 60 KiB. */
#define FORM_BESIDE_MAX (64u * 1024)

/* Bytes of the longest element (element_scan.h; NULL: line) where records have at most `max_record`. */
static inline uint64_t form_element_max(const struct form *form, uint64_t max_record)
{
    return form != NULL && form->kind == FORM_ENTITIES ? max_record + FORM_BESIDE_MAX : max_record;
}

/* Of any source, whatever its form. */
static inline uint64_t form_longest_element(uint64_t max_record)
{
    return max_record + FORM_BESIDE_MAX;
}

/* source.format, as it was asked for. */
enum form_choice {
    FORM_CHOICE_AUTO,
    FORM_CHOICE_NDJSON,
    FORM_CHOICE_ARRAY,
    FORM_CHOICE_CONCATENATED,
    FORM_CHOICE_ENTITIES
};

/* The first `length` bytes of a source, `from` of them a byte order mark. `whole`: that is all of it. */
void form_find(struct form *form, const uint8_t *head, size_t length, size_t from, bool whole);
/* As a kind that was asked for (FORM_ARRAY may turn out to be keyed). False: it does not begin as one. */
bool form_take(struct form *form, enum form_kind kind, const uint8_t *head, size_t length, size_t from);

/* Are these bytes one object or array, blanks around it left out, as far as strings and brackets tell? */
bool form_is_closed(const uint8_t *bytes, size_t length);

/* What may stand behind an array under a key, to the end of its object: a page's links and counts. */
#define FORM_REST_MAX (16u * 1024)

/* Of an array under a key: do these bytes, behind the array, end the object and the source? */
bool form_ends_object(const struct form *form, const uint8_t *bytes, size_t length);

/* As the job wants it. False: it does not begin so. */
bool form_choose(struct form *form, enum form_choice choice, const uint8_t *head, size_t length, size_t from,
                 bool whole);

/* The byte that ends the container; 0: none does. */
static inline uint8_t form_closer(const struct form *form)
{
    if (form->kind == FORM_ARRAY || form->kind == FORM_KEYED_ARRAY) return ']';
    return form->kind == FORM_ENTITIES ? '}' : 0;
}

#endif

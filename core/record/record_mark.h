/* record_mark.h - what the beginning of a record looks like in a container: how workers that begin anywhere
 * in a file guess where a record begins, and where the reading goes on behind a broken one.
 *
 * A place looks like a beginning when it holds `{`, then the key that the first record begins with (or that
 * another of the first records does), its closing quote and a colon; and when before it stands what separates
 * records in this form. In a pretty-printed file it must stand at the beginning of a line, as far in as the
 * first record. Blanks between these are passed over, up to RECORD_MARK_BLANKS of each kind of place.
 *
 * In valid JSON such a place lies in no string: its quotes would be escaped there. It may begin an object
 * inside a record; so a mark is only ever a guess, or a remedy.
 *
 * Thread rule: read-only once learnt. Owns nothing. */
#ifndef PENSTOCK_CORE_RECORD_RECORD_MARK_H
#define PENSTOCK_CORE_RECORD_RECORD_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_MARK_KEYS    8u  /* different first keys that are learnt */
#define RECORD_MARK_KEY_MAX 64u /* bytes of one, raw; longer ones are not learnt */
#define RECORD_MARK_BLANKS  256u
#define RECORD_MARK_INDENT  64u  /* deeper records are taken at any place in their line */
#define RECORD_MARK_ID_MAX  512u /* bytes of the key that an entity stands under, raw */

/* Bytes that one must see before a place and behind it to tell whether it is one: the blanks of three gaps,
 * an id, a key, and some for the signs between. */
#define RECORD_MARK_BEHIND 1024u
#define RECORD_MARK_AHEAD  4096u

/* What stands between records. */
enum record_mark_joint {
    RECORD_MARK_COMMA,  /* `,` before an element of an array */
    RECORD_MARK_NAMED,  /* `,` and `"id":` before the value of a member: the place is the id's quote */
    RECORD_MARK_NOTHING /* a line feed before one of several texts, or no sign that a value stands behind */
};

struct record_mark {
    enum record_mark_joint joint;
    uint32_t key_count; /* 0: nothing looks like a record */
    uint32_t key_lengths[RECORD_MARK_KEYS];
    uint8_t keys[RECORD_MARK_KEYS][RECORD_MARK_KEY_MAX];
    bool has_indent; /* records begin on a line of their own, behind exactly these blanks */
    uint32_t indent_length;
    uint8_t indent[RECORD_MARK_INDENT];
};

/* No such place. */
#define RECORD_MARK_NONE SIZE_MAX

/* Learns from the record (of a NAMED one: from the id's quote) at `at`; `first` takes over the indentation,
 * too. */
void record_mark_learn(struct record_mark *mark, const uint8_t *bytes, size_t length, size_t at, bool first);
/* Is `at` one? Looks at bytes[0 .. length). */
bool record_mark_is(const struct record_mark *mark, const uint8_t *bytes, size_t length, size_t at);
/* The first one at or behind `from`. LIMIT_PADDING readable bytes behind `length`,
 * which are what a step reads too far at most. */
size_t record_mark_next(const struct record_mark *mark, const uint8_t *bytes, size_t length, size_t from);
/* The last one at or behind `from`. */
size_t record_mark_last(const struct record_mark *mark, const uint8_t *bytes, size_t length, size_t from);

#endif

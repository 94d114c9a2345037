/* profilegen_text.h - edits of one record that is already written: the slow road, for the few records that
 * --nasty and --irregular change.
 *
 * A text has a fixed capacity; an edit that does not fit, or a place that is not found, is an error of the
 * generator itself and ends the program with 70. Thread rule: a text belongs to one thread. */
#ifndef PENSTOCK_DATASETS_PROFILEGEN_TEXT_H
#define PENSTOCK_DATASETS_PROFILEGEN_TEXT_H

#include "datasets/profilegen_prng.h"

#include <stddef.h>

/* The longest oddity is a value of 128 KiB; a record of usual length, spread by blanks to five times its
 * length or nested 3,000 levels deep, stays far below that. */
#define TEXT_BYTES_MAX (1024u * 1024)

/* Objects and arrays inside one another; records written here have 6. */
#define TEXT_DEPTH_MAX 32

struct text {
    char *data;
    size_t length; /* at most TEXT_BYTES_MAX */
};

/* Says that the generator itself is wrong (or out of memory), and exits with 70. */
_Noreturn void text_own_error(const char *what, const char *detail);

/* Where `pattern` begins, looked for from `from` on. */
size_t text_find(const struct text *text, size_t from, const char *pattern);
/* Where `pattern` ends. */
size_t text_find_end(const struct text *text, size_t from, const char *pattern);

/* `removed` bytes at `at` give way to `inserted`. */
void text_replace(struct text *text, size_t at, size_t removed, const char *inserted, size_t length);
/* The same with a string for the new bytes. */
void text_replace_string(struct text *text, size_t at, size_t removed, const char *string);

/* Behind the value that begins at `at`; the text from there on is valid compact JSON. */
size_t text_value_end(const char *data, size_t at);

/* Drops each member of each object with the probability `share` (of PRNG_SHARE_ONE), except those that lead
 * to the identity: identityMap, its customerid and the ids in it. `in` is valid compact JSON; `out` has room
 * for as many bytes. Returns what follows the last byte written. */
char *text_drop_members(struct prng *prng, uint32_t share, const char *in, size_t length, char *out);

/* Puts spaces, tabs and carriage returns between the tokens of valid compact JSON. */
void text_spread(struct prng *prng, struct text *text);

#endif

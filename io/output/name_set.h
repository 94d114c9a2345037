/* name_set.h - a set of names, looked up as a whole or by the first bytes of a text. Texts are borrowed.
 *
 * Names are added first; from the first look-up on it is sorted, so that a look-up behind an addition sorts
 * again. Ownership: the struct owns its list until name_set_free(). Thread rule: one thread. */
#ifndef PENSTOCK_IO_OUTPUT_NAME_SET_H
#define PENSTOCK_IO_OUTPUT_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>

struct name_set {
    const char **names;
    size_t count, room;
    bool sorted;
};

/* False: no memory. A name may be added twice. */
bool name_set_add(struct name_set *set, const char *name);
/* Is that name in it? */
bool name_set_has(struct name_set *set, const char *name);
/* Is there a name of exactly the first `length` bytes of `text`, none of which is a zero? */
bool name_set_has_first(struct name_set *set, const char *text, size_t length);
/* Sorts, and leaves each name once. */
void name_set_sort(struct name_set *set);
void name_set_free(struct name_set *set); /* zeroed is fine */

#endif

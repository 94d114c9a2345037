/* name_set.c - a sorted array. Thread: one. Owns the array, not the texts. */
#include "io/output/name_set.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64u

bool name_set_add(struct name_set *set, const char *name)
{
    if (set->count == set->room) {
        size_t const room = set->room == 0 ? FIRST_ROOM : 2 * set->room;
        const char **const names = reallocarray(set->names, room, sizeof *names);
        if (names == NULL) return false;
        set->names = names;
        set->room = room;
    }
    set->names[set->count++] = name;
    set->sorted = false;
    return true;
}

static int compare(const void *a, const void *b)
{
    const char *const *const one = a, *const *const other = b;
    return strcmp(*one, *other);
}

void name_set_sort(struct name_set *set)
{
    if (set->sorted) return;
    set->sorted = true;
    if (set->count == 0) return;
    qsort(set->names, set->count, sizeof *set->names, compare);
    size_t kept = 1;
    for (size_t i = 1; i < set->count; i++)
        if (strcmp(set->names[kept - 1], set->names[i]) != 0) set->names[kept++] = set->names[i];
    set->count = kept;
}

bool name_set_has_first(struct name_set *set, const char *text, size_t length)
{
    name_set_sort(set);
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t const middle = low + (high - low) / 2;
        const char *const name = set->names[middle];
        int order = strncmp(name, text, length);
        if (order == 0 && name[length] != '\0') order = 1;
        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool name_set_has(struct name_set *set, const char *name)
{
    return name_set_has_first(set, name, strlen(name));
}

void name_set_free(struct name_set *set)
{
    free(set->names);
    *set = (struct name_set){.names = NULL};
}

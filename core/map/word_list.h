/* word_list.h - is a text one of a few words, such as consent's allowed values and segments' statuses? Words
 * of up to 8 bytes are compared as numbers, all of them without a branch: which of several words comes next
 * nobody can foretell, and a branch that is guessed wrong costs more than comparing with all of them.
 *
 * Thread rule: read-only once it is made. Ownership: the list lies in the arena, its texts are the caller's.
 */
#ifndef PENSTOCK_CORE_MAP_WORD_LIST_H
#define PENSTOCK_CORE_MAP_WORD_LIST_H

#include "core/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that are compared as one number. */
#define WORD_LIST_SHORT 8u

struct word_list {
    const uint64_t *table; /* word_list_short() of those of up to 8 bytes, at their hash; elsewhere one of
                              them, whose hash is another; NULL: there are none, or too many */
    uint64_t multiplier;
    unsigned shift;           /* 64 - log2(table size) */
    const char *const *texts; /* all */
    size_t count;
};

/* Of `count` texts. False: no memory. */
bool word_list_make(struct arena *arena, const char *const *texts, size_t count, struct word_list *list);

/* The same as word_list_has(), by comparing with all. */
bool word_list_search(const struct word_list *list, const uint8_t *text, size_t length);

/* The bytes of a short text as a number, zeroes behind them. Little-endian, as plan.h asserts. */
static inline uint64_t word_list_short(const uint8_t *text, size_t length)
{
    uint64_t word;
    __builtin_memcpy(&word, text, sizeof word);
    return length < WORD_LIST_SHORT ? word & ((UINT64_C(1) << (8 * length)) - 1) : word;
}

/* `text` has at least 8 readable bytes whatever its length. */
static inline bool word_list_has(const struct word_list *list, const uint8_t *text, size_t length)
{
    if (length > WORD_LIST_SHORT || list->table == NULL) return word_list_search(list, text, length);
    uint64_t const word = word_list_short(text, length);
    /* no word holds a NUL: only those at the text's end would not show in the number */
    return list->table[word * list->multiplier >> list->shift] == word &&
           (length == 0 || text[length - 1] != 0);
}

#ifdef __cplusplus
}
#endif

#endif

/* word_list.c - see the header. Thread: any. Owns nothing. */
#include "core/map/word_list.h"

#include <string.h>

/* Tables have up to 2^8 numbers, 2 KiB; more than some 30 words, which find no place in these, are searched.
 */
#define BITS_MAX 8u

/* Multipliers tried for each size: n words meet nowhere among m places with a probability of e^(-n^2/2m). */
#define TRIES 64u

/* Numbers at their hashes. False: two of them meet. */
static bool place(uint64_t *table, const struct word_list *list, const uint64_t *words, size_t count)
{
    for (size_t at = 0; at <= UINT64_MAX >> list->shift; at++)
        table[at] = words[0];
    for (size_t i = 0; i < count; i++) {
        uint64_t *const own = &table[words[i] * list->multiplier >> list->shift];
        if (*own != words[0] && *own != words[i]) return false;
        *own = words[i];
    }
    return table[words[0] * list->multiplier >> list->shift] == words[0];
}

/* A size and a multiplier with which no two meet; list->table stays NULL when there is none. */
static void make_table(struct word_list *list, uint64_t *table, const uint64_t *words, size_t count)
{
    uint64_t multiplier = 0;
    for (unsigned bits = 1; bits <= BITS_MAX; bits++)
        for (unsigned try = 0; try < TRIES; try++) {
            multiplier += UINT64_C(0x9e3779b97f4a7c15); /* 2^64 by the golden ratio: far from all before */
            list->multiplier = multiplier | 1;
            list->shift = 64 - bits;
            if (!place(table, list, words, count)) continue;
            list->table = table;
            return;
        }
}

bool word_list_make(struct arena *arena, const char *const *texts, size_t count, struct word_list *list)
{
    uint64_t *const words = arena_array(arena, count, sizeof *words);
    uint64_t *const table = arena_array(arena, (size_t)1 << BITS_MAX, sizeof *table);
    size_t word_count = 0;
    if (words == NULL || table == NULL) return false;
    *list = (struct word_list){.texts = texts, .count = count};
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[WORD_LIST_SHORT] = {0};
        size_t const length = strlen(texts[i]);
        if (length > sizeof bytes) continue;
        memcpy(bytes, texts[i], length);
        words[word_count++] = word_list_short(bytes, length);
    }
    if (word_count != 0) make_table(list, table, words, word_count);
    return true;
}

bool word_list_search(const struct word_list *list, const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < list->count; i++)
        if (strlen(list->texts[i]) == length && memcmp(list->texts[i], text, length) == 0) return true;
    return false;
}

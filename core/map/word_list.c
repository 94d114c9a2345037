/* word_list.c - see the header. Thread: any. Owns nothing. */
#include "core/map/word_list.h"

#include <string.h>

bool word_list_make(struct arena *arena, const char *const *texts, size_t count, struct word_list *list)
{
    uint64_t *const shorts = arena_array(arena, count, sizeof *shorts);
    size_t short_count = 0;
    if (shorts == NULL) return false;
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[WORD_LIST_SHORT] = {0};
        size_t const length = strlen(texts[i]);
        if (length > sizeof bytes) continue;
        memcpy(bytes, texts[i], length);
        shorts[short_count++] = word_list_short(bytes, length);
    }
    *list = (struct word_list){.shorts = shorts, .short_count = short_count, .texts = texts, .count = count};
    return true;
}

bool word_list_has_long(const struct word_list *list, const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < list->count; i++)
        if (strlen(list->texts[i]) == length && memcmp(list->texts[i], text, length) == 0) return true;
    return false;
}

/* record_keys.c - see the header. Thread: the caller's. Owns its stack. */
#include "core/record/record_keys.h"

#include "core/record/json_text.h"

#include <stdlib.h>

size_t record_keys_bytes(size_t record_max, uint32_t depth_max)
{
    return (record_max / RECORD_KEYS_BYTES_PER_KEY + 1) * sizeof(struct record_key) +
           ((size_t)depth_max + 1) * sizeof(struct record_keys_object);
}

bool record_keys_create(struct record_keys *keys, size_t record_max, uint32_t depth_max)
{
    *keys = (struct record_keys){0};
    keys->list = malloc((record_max / RECORD_KEYS_BYTES_PER_KEY + 1) * sizeof *keys->list);
    keys->objects = malloc(((size_t)depth_max + 1) * sizeof *keys->objects);
    return keys->list != NULL && keys->objects != NULL;
}

void record_keys_destroy(struct record_keys *keys)
{
    free(keys->list);
    free(keys->objects);
    *keys = (struct record_keys){0};
}

void record_keys_look(struct record_keys *keys, struct record_keys_object *object, struct record_key key,
                      uint32_t length)
{
    if (keys->count - object->first >= RECORD_KEYS_FEW) {
        object->sorts = true;
        return;
    }
    const uint8_t *const text = keys->bytes + key.at;
    for (uint32_t i = object->first; i < keys->count; i++)
        if (keys->list[i].hash == key.hash && memcmp(keys->bytes + keys->list[i].at, text, length) == 0 &&
            keys->bytes[keys->list[i].at + length] == '"')
            keys->duplicate = true;
}

/* ---- sorting ---- */

static size_t key_length(const uint8_t *key)
{
    const uint8_t *at = key;
    while (*at != '"')
        at += *at == '\\' ? 2 : 1; /* ends: the key is closed */
    return (size_t)(at - key);
}

/* By hash; by text where hashes are equal, so that no choice of keys makes the order degenerate. */
static int compare(const struct record_keys *keys, struct record_key a, struct record_key b)
{
    const uint8_t *const a_text = keys->bytes + a.at, *const b_text = keys->bytes + b.at;
    if (a.hash != b.hash) return a.hash < b.hash ? -1 : 1;
    return json_compare_text(a_text, key_length(a_text), b_text, key_length(b_text));
}

/* Moves list[at] down to its place in the heap list[0, count): the largest on top. */
static void sift(const struct record_keys *keys, struct record_key *list, uint32_t at, uint32_t count)
{
    struct record_key const key = list[at];
    for (uint32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && compare(keys, list[child], list[child + 1]) < 0) child++;
        if (compare(keys, key, list[child]) >= 0) break;
        list[at] = list[child];
        at = child;
    }
    list[at] = key;
}

/* A heap sort: in place, and n log n for any keys. */
void record_keys_sort(struct record_keys *keys, const struct record_keys_object *object)
{
    struct record_key *const list = keys->list + object->first;
    uint32_t const count = keys->count - object->first;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *const text = keys->bytes + list[i].at;
        list[i].hash = json_hash(text, key_length(text)); /* the same for all spellings */
    }
    for (uint32_t i = count / 2; i-- > 0;)
        sift(keys, list, i, count);
    for (uint32_t left = count; left > 1 && !keys->duplicate; left--) {
        struct record_key const largest = list[0];
        list[0] = list[left - 1];
        sift(keys, list, 0, left - 1);
        if (compare(keys, largest, list[0]) == 0) keys->duplicate = true;
    }
}

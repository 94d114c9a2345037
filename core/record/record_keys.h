/* record_keys.h - does a key come twice in an object? Asked of all objects of a record, front to back, as
 * they are walked. Keys are equal when their texts are, however they are escaped.
 *
 * Keys of the open objects stand on a stack, those of the innermost one on top. A key is looked for among
 * those before it only when a filter of 64 bits can't say that it is new. Objects of very many keys, and
 * those with escapes in keys, are sorted when they close: so the work is never more than n log n.
 *
 * Ownership: record_keys_create() allocates, once a thread. Thread rule: one thread. */
#ifndef PENSTOCK_CORE_RECORD_RECORD_KEYS_H
#define PENSTOCK_CORE_RECORD_RECORD_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* No key with what must stand around it is shorter: `"":{`. */
#define RECORD_KEYS_BYTES_PER_KEY 4u
/* Keys of one object after which a new one is not looked for any more: the filter says little by then. */
#define RECORD_KEYS_FEW 64u

struct record_key {
    uint32_t at;   /* behind the opening quote */
    uint32_t hash; /* of a key without escapes */
};

/* An open object. */
struct record_keys_object {
    uint64_t filter; /* a bit for each hash that came */
    uint32_t first;  /* of its keys on the stack */
    bool sorts;      /* when it closes */
};

struct record_keys {
    const uint8_t *bytes;               /* LIMIT_PADDING readable bytes behind them */
    struct record_key *list;            /* room for those of one record */
    struct record_keys_object *objects; /* by depth, from 1 */
    uint32_t count;
    bool duplicate; /* a key came twice in an object of the record */
};

/* Bytes that record_keys_create() takes for records of at most `record_max` bytes. */
size_t record_keys_bytes(size_t record_max, uint32_t depth_max);
bool record_keys_create(struct record_keys *keys, size_t record_max, uint32_t depth_max);
void record_keys_destroy(struct record_keys *keys); /* a zeroed struct is fine */

/* A record begins; `bytes`: what places count from. */
static inline void record_keys_begin(struct record_keys *keys, const uint8_t *bytes);
/* An object opens or closes, and is the one at `depth`. */
static inline void record_keys_open(struct record_keys *keys, uint32_t depth);
static inline void record_keys_close(struct record_keys *keys, uint32_t depth);
/* A key of it: good JSON, its closing quote at bytes[at + length]. */
static inline void record_keys_add(struct record_keys *keys, uint32_t depth, uint32_t at, uint32_t length,
                                   bool escaped);

/* ------------------------------------------------------------------------------------------------------- */

void record_keys_look(struct record_keys *keys, struct record_keys_object *object, struct record_key key,
                      uint32_t length);
void record_keys_sort(struct record_keys *keys, const struct record_keys_object *object);

static inline void record_keys_begin(struct record_keys *keys, const uint8_t *bytes)
{
    keys->bytes = bytes;
    keys->count = 0;
    keys->duplicate = false;
}

static inline void record_keys_open(struct record_keys *keys, uint32_t depth)
{
    keys->objects[depth] = (struct record_keys_object){.filter = 0, .first = keys->count};
}

static inline void record_keys_close(struct record_keys *keys, uint32_t depth)
{
    const struct record_keys_object *const object = &keys->objects[depth];
    if (__builtin_expect(object->sorts, 0)) record_keys_sort(keys, object);
    keys->count = object->first;
}

/* Of both ends of a key and its length: keys of one object that agree in these are rare, and then compared.
 */
static inline uint32_t record_keys_hash(const uint8_t *key, uint32_t length)
{
    uint64_t front, back = length;
    memcpy(&front, key, sizeof front);
    if (length < sizeof front) {
        front &= (1ull << (8 * length)) - 1;
    } else {
        memcpy(&back, key + length - sizeof back, sizeof back);
        back += length;
    }
    uint64_t const mixed =
        (front ^ (back << 32 | back >> 32)) * 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio */
    return (uint32_t)(mixed >> 32);
}

static inline void record_keys_add(struct record_keys *keys, uint32_t depth, uint32_t at, uint32_t length,
                                   bool escaped)
{
    struct record_keys_object *const object = &keys->objects[depth];
    struct record_key const key = {.at = at, .hash = record_keys_hash(keys->bytes + at, length)};
    uint64_t const bit = 1ull << (key.hash >> 26);
    if (__builtin_expect((object->filter & bit) != 0, 0)) record_keys_look(keys, object, key, length);
    object->filter |= bit;
    object->sorts |= escaped;
    keys->list[keys->count++] = key;
}

#endif

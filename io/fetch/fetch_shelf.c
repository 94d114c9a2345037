/* fetch_shelf.c - a shelf's life: its objects, its slots, what of them is wanted. Thread: main. Owns slots,
 * objects' sums, and the calls that are out. */
#include "io/fetch/fetch_shelf_inside.h"

#include "core/base/limits.h"
#include "io/fetch/fetch_inside.h"

#include <stdlib.h>

struct fetch_shelf *fetch_shelf_create(void)
{
    struct fetch_shelf *const shelf = calloc(1, sizeof *shelf);
    if (shelf == NULL) return NULL;
    if (pthread_mutex_init(&shelf->mutex, NULL) == 0) {
        if (pthread_cond_init(&shelf->changed, NULL) == 0) return shelf;
        (void)pthread_mutex_destroy(&shelf->mutex);
    }
    free(shelf);
    return NULL;
}

size_t fetch_shelf_add(struct fetch_shelf *shelf, const struct s3_object *object)
{
    if (shelf->count == shelf->room) {
        size_t const room = shelf->room == 0 ? 16 : 2 * shelf->room;
        struct shelved *const more = realloc(shelf->objects, room * sizeof *more);
        if (more == NULL) return SIZE_MAX;
        shelf->objects = more;
        shelf->room = room;
    }
    shelf->objects[shelf->count] = (struct shelved){.object = *object, .wanted = object->size};
    return shelf->count++;
}

static void number_ranges(struct fetch_shelf *shelf)
{
    shelf->total = 0;
    for (size_t i = 0; i < shelf->count; i++) {
        struct shelved *const shelved = &shelf->objects[i];
        shelved->first = shelf->total;
        shelved->ranges = (shelved->wanted + shelf->range_bytes - 1) / shelf->range_bytes;
        shelf->total += shelved->ranges;
    }
    shelf->asked = shelf->highest = 0;
    shelf->asks_of = 0;
    fetch_pace_start(&shelf->pace, shelf->slot_count, shelf->now == NULL ? FETCH_FAR : FETCH_UNKNOWN);
}

bool fetch_shelf_start(struct fetch_shelf *shelf, const struct fetch_shelf_rules *rules)
{
    shelf->prepare = rules->prepare;
    shelf->now = rules->now;
    shelf->range_bytes = rules->range_bytes;
    shelf->slots = calloc((size_t)rules->slots + 1, sizeof *shelf->slots);
    if (shelf->slots == NULL) return false;
    for (; shelf->slot_count < rules->slots; shelf->slot_count++) {
        struct fetch_slot *const slot = &shelf->slots[shelf->slot_count];
        slot->range.bytes = malloc(rules->range_bytes + LIMIT_PADDING);
        if (slot->range.bytes == NULL) return false;
    }
    number_ranges(shelf);
    return true;
}

/* ---- before and after ---- */

void fetch_shelf_cut(struct fetch_shelf *shelf, size_t object, uint64_t bytes)
{
    if (bytes < shelf->objects[object].wanted) shelf->objects[object].wanted = bytes;
}

/* Waits for what is on its way. */
static void clear(struct fetch_shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    for (uint32_t i = 0; i < shelf->slot_count; i++) {
        (void)fetch_shelf_take(shelf, &shelf->slots[i]);
        shelf->slots[i].state = SLOT_FREE;
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
}

void fetch_shelf_restart(struct fetch_shelf *shelf)
{
    clear(shelf);
    number_ranges(shelf);
}

enum status fetch_shelf_check(struct fetch_shelf *shelf, size_t object, struct fault *fault)
{
    const struct shelved *const shelved = &shelf->objects[object];
    if (!shelved->sums.wrong) return STATUS_OK;
    return fetch_say_wrong_sum(&shelved->object, &shelved->sums.proof, fault);
}

void fetch_shelf_destroy(struct fetch_shelf *shelf)
{
    if (shelf == NULL) return;
    clear(shelf);
    for (size_t i = 0; i < shelf->count; i++) {
        (void)pthread_mutex_lock(&shelf->mutex);
        fetch_shelf_await_proof(shelf, i);
        (void)pthread_mutex_unlock(&shelf->mutex);
        fetch_sums_free(&shelf->objects[i].sums);
    }
    for (uint32_t i = 0; i < shelf->slot_count; i++)
        free(shelf->slots[i].range.bytes);
    free(shelf->slots);
    free(shelf->objects);
    (void)pthread_cond_destroy(&shelf->changed);
    (void)pthread_mutex_destroy(&shelf->mutex);
    free(shelf);
}

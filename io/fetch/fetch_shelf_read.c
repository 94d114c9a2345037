/* fetch_shelf_read.c - reading from a shelf: which ranges are asked for when, in which slots, and who takes
 * them. Thread: any, as fetch_shelf_inside.h says. Owns nothing beyond each call but what the shelf owns. */
#include "io/fetch/fetch_shelf_inside.h"

#include <stdlib.h>
#include <string.h>

/* Ranges before those that are read that stay while others are empty: for second looks. */
#define KEPT_BEHIND 2u
/* Of a range's time: who waits for less found it there. */
#define WAITED_SHARE 8u

/* ---- proofs: under the mutex, but for waiting ---- */

static void ask_proof(struct shelved *shelved)
{
    if (shelved->proof != PROOF_NONE || shelved->object.size == 0) return;
    shelved->proof = PROOF_HERE; /* without memory there is none */
    shelved->head = malloc(sizeof *shelved->head);
    if (shelved->head == NULL) return;
    shelved->proof = PROOF_COMING;
    s3_object_ask(shelved->head, &shelved->object);
}

static void set_proof(struct fetch_shelf *shelf, struct shelved *shelved, const struct s3_proof *proof)
{
    shelved->proof = PROOF_HERE;
    if (proof->kind == CHECKSUM_NONE) return;
    if (!fetch_sums_start(&shelved->sums, proof, shelved->object.size, shelf->range_bytes))
        fetch_sums_free(&shelved->sums);
}

/* Until the object's proof is known, as far as there is one. A store that does not answer HEAD has none: what
 * keeps objects from being read, GET tells as well. */
void fetch_shelf_await_proof(struct fetch_shelf *shelf, size_t object)
{
    while (shelf->objects[object].proof == PROOF_TAKEN)
        (void)pthread_cond_wait(&shelf->changed, &shelf->mutex);
    struct shelved *const shelved = &shelf->objects[object];
    if (shelved->proof != PROOF_COMING) return;
    struct s3_object_facts facts;
    shelved->proof = PROOF_TAKEN;
    (void)pthread_mutex_unlock(&shelf->mutex);
    enum status const status = s3_object_take(shelved->head, &shelved->object, &facts, NULL);
    (void)pthread_mutex_lock(&shelf->mutex);
    free(shelved->head);
    shelved->head = NULL;
    const char *const etag = shelved->object.etag;
    bool const same = status == STATUS_OK && (etag == NULL || strcmp(etag, facts.etag) == 0);
    struct s3_proof const none = {.kind = CHECKSUM_NONE};
    set_proof(shelf, shelved, same ? &facts.proof : &none);
    (void)pthread_cond_broadcast(&shelf->changed);
}

/* ---- slots: under the mutex ---- */

static uint64_t cell_bytes(const struct fetch_shelf *shelf)
{
    return (shelf->range_bytes + CELLS - 1) / CELLS;
}

static uint64_t first_cells(uint64_t count)
{
    return count >= CELLS ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

/* Cells whose last byte lies in [begin, end) of the slot's range. */
static void mark_read(const struct fetch_shelf *shelf, struct fetch_slot *slot, uint64_t begin, uint64_t end)
{
    uint64_t const cell = cell_bytes(shelf);
    uint64_t const to = end == slot->range.wanted ? CELLS : end / cell;
    slot->unread &= ~(first_cells(to) & ~first_cells(begin / cell));
}

static struct fetch_slot *find_slot(struct fetch_shelf *shelf, uint64_t number)
{
    for (uint32_t i = 0; i < shelf->slot_count; i++)
        if (shelf->slots[i].state != SLOT_FREE && shelf->slots[i].number == number) return &shelf->slots[i];
    return NULL;
}

/* The range before which nobody looks at any. Who has stood still while half the shelf went by is passed
 * over. */
static uint64_t lowest_view(const struct fetch_shelf *shelf)
{
    uint64_t lowest = shelf->highest;
    for (const struct fetch_view *view = shelf->views; view != NULL; view = view->next)
        if (view->number < lowest && view->number + shelf->slot_count / 2 >= shelf->highest)
            lowest = view->number;
    return lowest;
}

/* Of those below `limit` that were read to their end the one left longest, or one without a range; NULL: all
 * are in use. What was used is in the caches, perhaps, and its pages are there; but as long as there is room,
 * ranges just behind the readers stay. */
static struct fetch_slot *find_room(struct fetch_shelf *shelf, uint64_t limit)
{
    struct fetch_slot *best = NULL, *empty = NULL;
    for (uint32_t i = 0; i < shelf->slot_count; i++) {
        struct fetch_slot *const slot = &shelf->slots[i];
        if (slot->state == SLOT_FREE && (empty == NULL || (slot->is_prepared && !empty->is_prepared)))
            empty = slot;
        bool const spent = slot->state == SLOT_HERE && slot->readers == 0 && slot->unread == 0;
        if (spent && slot->number < limit && (best == NULL || slot->used < best->used)) best = slot;
    }
    bool const is_kept = best != NULL && best->number + KEPT_BEHIND >= limit;
    return best == NULL || (is_kept && empty != NULL) ? empty : best;
}

static void ask_into(struct fetch_shelf *shelf, struct fetch_slot *slot, size_t object, uint64_t number)
{
    struct shelved *const shelved = &shelf->objects[object];
    uint64_t const begin = (number - shelved->first) * shelf->range_bytes;
    uint64_t const left = shelved->object.size - begin;
    slot->number = number;
    slot->object = object;
    slot->state = SLOT_COMING;
    slot->asked_at = shelf->now == NULL ? 0 : shelf->now();
    slot->unread = UINT64_MAX;
    if (!slot->is_prepared && shelf->prepare != NULL)
        shelf->prepare(slot->range.bytes, shelf->range_bytes, PREPARE_IN_ORDER);
    slot->is_prepared = true;
    if (shelved->object.size > shelf->range_bytes) ask_proof(shelved);
    s3_range_ask(&slot->range, &shelved->object, begin,
                 left < shelf->range_bytes ? (size_t)left : shelf->range_bytes);
}

static void ask_ahead(struct fetch_shelf *shelf)
{
    struct fetch_slot *slot;
    uint64_t const limit = lowest_view(shelf);
    while (shelf->asked < shelf->total && shelf->asked < shelf->highest + shelf->pace.reach &&
           (slot = find_room(shelf, limit)) != NULL) {
        while (shelf->asked >= shelf->objects[shelf->asks_of].first + shelf->objects[shelf->asks_of].ranges)
            shelf->asks_of++;
        ask_into(shelf, slot, shelf->asks_of, shelf->asked++);
    }
}

static void note_wanted(struct fetch_shelf *shelf, size_t object, uint64_t number)
{
    if (number < shelf->highest) return;
    shelf->highest = number + 1;
    fetch_pace_wanted(&shelf->pace, shelf->readers);
    if (number > shelf->asked + shelf->slot_count) { /* what lies between is not wanted now */
        shelf->asked = number;
        shelf->asks_of = object;
    }
}

/* The slot with that range, which may be on its way; NULL: there is no room for it. */
static struct fetch_slot *want(struct fetch_shelf *shelf, size_t object, uint64_t number)
{
    note_wanted(shelf, object, number);
    ask_ahead(shelf);
    struct fetch_slot *slot = find_slot(shelf, number);
    if (slot != NULL) return slot;
    slot = find_room(shelf, UINT64_MAX);
    if (slot == NULL || number > shelf->asked) return NULL;
    ask_into(shelf, slot, object, number);
    if (number == shelf->asked)
        shelf->asked++;
    else
        slot->unread = 0; /* it has been read before: others may have its place at once */
    return slot;
}

/* ---- reading ---- */

/* The range was asked for at `asked`, and somebody began to wait for it at `began`. */
static void note_time(struct fetch_shelf *shelf, const struct fetch_slot *slot, uint64_t began)
{
    uint64_t const now = shelf->now == NULL ? 0 : shelf->now();
    bool const waited = (now - began) > (now - slot->asked_at) / WAITED_SHARE; /* else it was there already */
    if (shelf->now != NULL && slot->state == SLOT_HERE && waited)
        fetch_pace_took(&shelf->pace, slot->range.filled, now - slot->asked_at);
}

/* The first to need it takes a range off the network. `mutex` is held, but while it waits. True: it was it.
 */
bool fetch_shelf_take(struct fetch_shelf *shelf, struct fetch_slot *slot)
{
    while (slot->state == SLOT_TAKEN)
        (void)pthread_cond_wait(&shelf->changed, &shelf->mutex);
    if (slot->state != SLOT_COMING) return false;
    struct s3_object const object = shelf->objects[slot->object].object;
    struct s3_proof proof;
    uint64_t const began = shelf->now == NULL ? 0 : shelf->now();
    slot->state = SLOT_TAKEN;
    (void)pthread_mutex_unlock(&shelf->mutex);
    enum status const status = s3_range_take(&slot->range, &object, &proof, &slot->fault);
    (void)pthread_mutex_lock(&shelf->mutex);
    slot->state = status == STATUS_OK ? SLOT_HERE : SLOT_FAILED;
    note_time(shelf, slot, began);
    struct shelved *const shelved = &shelf->objects[slot->object];
    if (shelved->proof == PROOF_NONE) set_proof(shelf, shelved, &proof);
    (void)pthread_cond_broadcast(&shelf->changed);
    return status == STATUS_OK;
}

/* `mutex` is held, but while it computes. */
static void sum_up(struct fetch_shelf *shelf, struct fetch_slot *slot)
{
    fetch_shelf_await_proof(shelf, slot->object);
    struct shelved *const shelved = &shelf->objects[slot->object];
    enum checksum_kind const kind = shelved->sums.proof.kind;
    if (kind == CHECKSUM_NONE) return;
    (void)pthread_mutex_unlock(&shelf->mutex);
    uint64_t const value = checksum_update(kind, 0, slot->range.bytes, slot->range.filled);
    (void)pthread_mutex_lock(&shelf->mutex);
    fetch_sums_add(&shelved->sums, slot->number - shelved->first, value);
}

/* One more reader of the slot, when its range is there. */
static enum status open_slot(struct fetch_shelf *shelf, struct fetch_slot *slot, struct fault *fault)
{
    slot->readers++;
    bool const is_new = fetch_shelf_take(shelf, slot);
    if (slot->state == SLOT_FAILED) {
        slot->readers--;
        return fault_set(fault, slot->fault.status, "%s", slot->fault.message);
    }
    if (is_new) sum_up(shelf, slot);
    return STATUS_OK;
}

static void close_slot(struct fetch_shelf *shelf, struct fetch_slot *slot)
{
    if (slot == NULL) return;
    slot->readers--;
    slot->used = ++shelf->clock;
    ask_ahead(shelf);
}

/* As much as the slot has from `from` in its range. */
static enum status read_slot(struct fetch_shelf *shelf, struct fetch_slot *slot, size_t from, uint8_t *into,
                             size_t length, struct fault *fault)
{
    enum status const status = open_slot(shelf, slot, fault);
    if (status != STATUS_OK) return status;
    (void)pthread_mutex_unlock(&shelf->mutex);
    memcpy(into, slot->range.bytes + from, length);
    (void)pthread_mutex_lock(&shelf->mutex);
    mark_read(shelf, slot, from, from + length);
    close_slot(shelf, slot);
    return STATUS_OK;
}

/* Past the shelf. */
static enum status read_alone(const struct s3_object *object, uint64_t offset, uint8_t *into, size_t length,
                              struct fault *fault)
{
    struct s3_range *const range = malloc(sizeof *range); /* some 8 KB: not for the stack */
    if (range == NULL) return fault_set(fault, STATUS_IO, "no memory to read from S3");
    range->bytes = into;
    s3_range_ask(range, object, offset, length);
    enum status const status = s3_range_take(range, object, NULL, fault);
    free(range);
    return status;
}

/* The slot of range `range` of the object; NULL: there is none for it. */
static struct fetch_slot *want_of(struct fetch_shelf *shelf, size_t object, uint64_t range)
{
    const struct shelved *const shelved = &shelf->objects[object];
    return range < shelved->ranges ? want(shelf, object, shelved->first + range) : NULL;
}

/* What lies before the window's begin, the view does not come back to. */
static void move_view(const struct fetch_shelf *shelf, struct fetch_view *view, size_t object,
                      uint64_t offset)
{
    view->number = shelf->objects[object].first + offset / shelf->range_bytes;
}

/* What the view was shown before goes when it has what it wants now: the two may overlap. */
static void turn_view(struct fetch_shelf *shelf, struct fetch_view *view, struct fetch_slot *slot)
{
    struct fetch_slot *const before = view->shown;
    view->shown = slot;
    close_slot(shelf, before);
}

enum status fetch_shelf_show(struct fetch_shelf *shelf, struct fetch_view *view, size_t object,
                             uint64_t offset, size_t length, const uint8_t **bytes, struct fault *fault)
{
    size_t const from = (size_t)(offset % shelf->range_bytes);
    enum status status = STATUS_OK;
    *bytes = NULL;
    if (length > shelf->range_bytes - from) return STATUS_OK;
    (void)pthread_mutex_lock(&shelf->mutex);
    move_view(shelf, view, object, offset);
    struct fetch_slot *const slot = want_of(shelf, object, offset / shelf->range_bytes);
    if (slot != NULL) status = open_slot(shelf, slot, fault);
    if (slot != NULL && status == STATUS_OK) {
        *bytes = slot->range.bytes + from;
        mark_read(shelf, slot, from, from + length);
        turn_view(shelf, view, slot);
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
    return status;
}

enum status fetch_shelf_read(struct fetch_shelf *shelf, struct fetch_view *view, size_t object,
                             uint64_t offset, uint8_t *into, size_t length, struct fault *fault)
{
    enum status status = STATUS_OK;
    (void)pthread_mutex_lock(&shelf->mutex);
    move_view(shelf, view, object, offset);
    (void)pthread_mutex_unlock(&shelf->mutex);
    for (size_t more = 0; status == STATUS_OK && length > 0; offset += more, into += more, length -= more) {
        size_t const from = (size_t)(offset % shelf->range_bytes);
        more = length < shelf->range_bytes - from ? length : shelf->range_bytes - from;
        (void)pthread_mutex_lock(&shelf->mutex);
        struct fetch_slot *const slot = want_of(shelf, object, offset / shelf->range_bytes);
        if (slot != NULL) status = read_slot(shelf, slot, from, into, more, fault);
        (void)pthread_mutex_unlock(&shelf->mutex);
        if (slot == NULL) status = read_alone(&shelf->objects[object].object, offset, into, more, fault);
    }
    (void)pthread_mutex_lock(&shelf->mutex);
    turn_view(shelf, view, NULL);
    (void)pthread_mutex_unlock(&shelf->mutex);
    return status;
}

void fetch_shelf_join(struct fetch_shelf *shelf, struct fetch_view *view)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    view->number = UINT64_MAX;
    view->next = shelf->views;
    shelf->views = view;
    shelf->readers++;
    (void)pthread_mutex_unlock(&shelf->mutex);
}

void fetch_shelf_leave(struct fetch_shelf *shelf, struct fetch_view *view)
{
    (void)pthread_mutex_lock(&shelf->mutex);
    struct fetch_view **at = &shelf->views;
    while (*at != view)
        at = &(*at)->next;
    *at = view->next;
    shelf->readers--;
    turn_view(shelf, view, NULL);
    (void)pthread_mutex_unlock(&shelf->mutex);
}

/* cells.c - allocation, and the rare cases: duplicate keys and namespaces in several spellings.
 * Thread: one a struct. Owns the arrays of the struct. */
#include "core/record/cells.h"

#include "core/record/json_equal.h"
#include "core/record/json_text.h"

#include <stdlib.h>
#include <string.h>

static uint32_t items_for(const struct plan *plan, size_t record_max)
{
    if (!plan->has_many) return 0;
    size_t const items = record_max / CELLS_BYTES_PER_ITEM;
    return (uint32_t)(items < CELLS_ITEMS_MIN ? CELLS_ITEMS_MIN : items);
}

static bool has_fold(const struct plan *plan)
{
    for (uint32_t n = 0; n < plan->node_count; n++)
        if (plan->nodes[n].under_fold) return true;
    return false;
}

static size_t spelling_count(const struct plan *plan)
{
    return has_fold(plan) ? (size_t)plan->node_count * CELLS_SPELLINGS_MAX : 0;
}

static uint32_t members_for(const struct plan *plan)
{
    for (uint32_t n = 0; n < plan->node_count; n++)
        if (plan->nodes[n].branches) return CELLS_MEMBERS_MAX;
    return 0;
}

/* At most half full: a search ends soon. */
static size_t member_table_size(const struct plan *plan)
{
    return 2 * (size_t)members_for(plan);
}

static uint32_t sparse_count(const struct plan *plan)
{
    return plan->slot_count - plan->sparse_first;
}

size_t cells_bytes(const struct plan *plan, size_t record_max)
{
    return plan->slot_count * sizeof(struct cell) + plan->node_count * sizeof(struct cells_seen) +
           spelling_count(plan) * sizeof(struct cells_spelling) +
           items_for(plan, record_max) * sizeof(struct cells_item) +
           sparse_count(plan) * (sizeof(uint32_t) + sizeof(bool)) +
           members_for(plan) * sizeof(struct cells_member) + member_table_size(plan) * sizeof(uint16_t);
}

/* calloc of nothing may give NULL: ask for one more, so that NULL means no memory. */
static void *array_new(size_t count, size_t bytes)
{
    return calloc(count + 1, bytes);
}

bool cells_create(struct cells *cells, const struct plan *plan, size_t record_max)
{
    *cells = (struct cells){.plan = plan, .item_max = items_for(plan, record_max)};
    cells->slots = array_new(plan->slot_count, sizeof *cells->slots);
    cells->seen = array_new(plan->node_count, sizeof *cells->seen);
    cells->spellings = array_new(spelling_count(plan), sizeof *cells->spellings);
    cells->items = array_new(cells->item_max, sizeof *cells->items);
    cells->filled = array_new(sparse_count(plan), sizeof *cells->filled);
    cells->is_filled = array_new(sparse_count(plan), sizeof *cells->is_filled);
    cells->member_max = members_for(plan);
    cells->members = array_new(cells->member_max, sizeof *cells->members);
    cells->member_table = array_new(member_table_size(plan), sizeof *cells->member_table);
    if (cells->slots != NULL && cells->seen != NULL && cells->spellings != NULL && cells->items != NULL &&
        cells->filled != NULL && cells->is_filled != NULL && cells->members != NULL &&
        cells->member_table != NULL)
        return true;
    cells_destroy(cells);
    return false;
}

void cells_destroy(struct cells *cells)
{
    free(cells->slots);
    free(cells->seen);
    free(cells->spellings);
    free(cells->items);
    free(cells->filled);
    free(cells->is_filled);
    free(cells->members);
    free(cells->member_table);
    *cells = (struct cells){0};
}

void cells_clear(struct cells *cells, uint32_t first, uint32_t end)
{
    memset(cells->slots + first, 0, (end - first) * sizeof *cells->slots);
}

/* ---- slots with several values, and those of which a record fills few ---- */

void cells_put_many(struct cells *cells, uint32_t slot, const uint8_t *at, uint32_t length)
{
    struct cell *cell = &cells->slots[slot];
    uint32_t const sparse = cells->plan->sparse_first;
    if (slot >= sparse && !cells->is_filled[slot - sparse]) {
        cells->is_filled[slot - sparse] = true;
        cells->filled[cells->filled_count++] = slot;
    }
    if (cells->item_count == cells->item_max) {
        cells->overflow = true;
        return;
    }
    struct cells_item *item = &cells->items[cells->item_count++];
    item->offset = (uint32_t)(at - cells->record);
    item->length = length;
    item->before = cell->last;
    cell->last = cells->item_count;
}

void cells_empty_filled(struct cells *cells)
{
    for (uint32_t i = 0; i < cells->filled_count; i++) {
        cells->slots[cells->filled[i]] = (struct cell){0};
        cells->is_filled[cells->filled[i] - cells->plan->sparse_first] = false;
    }
    cells->filled_count = 0;
}

/* ---- values that are forgotten ---- */

/* Takes the items [first, end) out of a chain, whose numbers grow towards its end. */
static void chain_unlink(struct cells *cells, struct cell *cell, uint32_t first, uint32_t end)
{
    uint32_t *link = &cell->last;
    while (*link > first) {
        struct cells_item *item = &cells->items[*link - 1];
        if (*link <= end)
            *link = item->before;
        else
            link = &item->before;
    }
    if (cell->last == 0) {
        *cell = (struct cell){0};
        return;
    }
    const struct cells_item *last = &cells->items[cell->last - 1];
    cell->at = cells->record + last->offset;
    cell->length = last->length;
}

/* Forgets what the slots below a node hold: the items [first, end), or the one value. */
static void node_forget(struct cells *cells, uint32_t node, uint32_t first, uint32_t end)
{
    const struct plan_node *plan_node = &cells->plan->nodes[node];
    uint32_t const sparse = cells->plan->sparse_first;
    for (uint32_t slot = plan_node->slot_first; slot < plan_node->slot_end && slot < sparse; slot++)
        if (cells->plan->slot_many[slot])
            chain_unlink(cells, &cells->slots[slot], first, end);
        else
            cells->slots[slot] = (struct cell){0};
    if (plan_node->slot_end <= sparse) return;
    for (uint32_t i = 0; i < cells->filled_count; i++) {
        uint32_t const slot = cells->filled[i];
        if (slot >= plan_node->slot_first && slot < plan_node->slot_end)
            chain_unlink(cells, &cells->slots[slot], first, end);
    }
}

bool cells_enter_again(struct cells *cells, uint32_t node, bool exact)
{
    struct cells_seen *seen = &cells->seen[node];
    if (exact ? seen->exact : seen->prefixed) cells->duplicate = true;
    bool const gives_way = seen->exact && !exact; /* `xdm:key` behind `key` */
    seen->exact = seen->exact || exact;
    seen->prefixed = seen->prefixed || !exact;
    if (!gives_way) node_forget(cells, node, seen->item_first, cells->item_count);
    return !gives_way;
}

/* Two raw keys, as texts. The quotes around them are the record's. */
static bool key_equal(const uint8_t *a, uint32_t a_length, const uint8_t *b, uint32_t b_length)
{
    if (a_length == b_length && memcmp(a, b, a_length) == 0) return true;
    if (memchr(a, '\\', a_length) == NULL && memchr(b, '\\', b_length) == NULL) return false;
    return json_equal(a - 1, a_length + 2u, b - 1, b_length + 2u);
}

/* ---- namespaces ---- */

static struct cells_spelling *spellings_of(struct cells *cells, uint32_t node)
{
    return cells->spellings + (size_t)node * CELLS_SPELLINGS_MAX;
}

static uint32_t spellings_kept(const struct cells_seen *seen)
{
    return seen->spellings < CELLS_SPELLINGS_MAX ? seen->spellings : CELLS_SPELLINGS_MAX;
}

static struct cells_spelling *spelling_find(struct cells *cells, uint32_t node, const uint8_t *key,
                                            uint32_t length)
{
    struct cells_spelling *spellings = spellings_of(cells, node);
    uint32_t const kept = spellings_kept(&cells->seen[node]);
    for (uint32_t i = 0; i < kept; i++)
        if (key_equal(spellings[i].key, spellings[i].length, key, length)) return &spellings[i];
    return NULL;
}

/* The spelling's values go; the new ones are its own from here on, moved to the end. */
static void spelling_repeat(struct cells *cells, uint32_t node, struct cells_spelling *same)
{
    struct cells_seen *seen = &cells->seen[node];
    uint32_t const kept = spellings_kept(seen);
    cells->duplicate = true;
    node_forget(cells, node, same->item_first, same->item_end);
    memmove(same, same + 1, (size_t)(spellings_of(cells, node) + kept - (same + 1)) * sizeof *same);
    seen->spellings = (uint8_t)(kept - 1);
}

bool cells_enter_fold(struct cells *cells, uint64_t object, uint32_t node, bool exact, const uint8_t *key,
                      uint32_t length)
{
    struct cells_seen *seen = &cells->seen[node];
    if (seen->object != object)
        *seen = (struct cells_seen){.object = object, .item_first = cells->item_count, .exact = exact};
    if (!seen->exact && exact) { /* all so far came by `xdm:` keys */
        node_forget(cells, node, seen->item_first, cells->item_count);
        seen->exact = true;
    }
    struct cells_spelling *same = spelling_find(cells, node, key, length);
    if (same != NULL) spelling_repeat(cells, node, same);
    if (seen->spellings < CELLS_SPELLINGS_MAX)
        spellings_of(cells, node)[seen->spellings] = (struct cells_spelling){
            .key = key, .length = length, .item_first = cells->item_count, .item_end = cells->item_count};
    if (seen->spellings <= CELLS_SPELLINGS_MAX) seen->spellings++;
    return exact || !seen->exact;
}

void cells_leave_fold(struct cells *cells, uint32_t node)
{
    uint32_t const count = cells->seen[node].spellings;
    if (count == 0 || count > CELLS_SPELLINGS_MAX) return;
    spellings_of(cells, node)[count - 1].item_end = cells->item_count;
}

/* ---- members under [*] and filters ---- */

/* Where the member stands in the table, or would: a free place. */
static uint32_t member_place(const struct cells *cells, uint64_t object, const uint8_t *key, uint32_t length)
{
    uint32_t const mask = 2 * CELLS_MEMBERS_MAX - 1;
    uint32_t place = (json_hash(key, length) ^ (uint32_t)object * 0x9e3779b1u) & mask;
    for (; cells->member_table[place] != 0; place = (place + 1) & mask) {
        const struct cells_member *member = &cells->members[cells->member_table[place] - 1];
        if (member->object == object && key_equal(member->key, member->length, key, length)) break;
    }
    return place;
}

static void branches_forget(struct cells *cells, const struct plan_node *plan_node, uint32_t first,
                            uint32_t end)
{
    if (plan_node->wildcard != PLAN_NONE) node_forget(cells, plan_node->wildcard, first, end);
    for (uint32_t i = 0; i < plan_node->filter_count; i++)
        node_forget(cells, plan_node->filters[i].node, first, end);
}

uint32_t cells_enter_member(struct cells *cells, uint64_t object, const struct plan_node *node,
                            const uint8_t *key, uint32_t length)
{
    uint32_t const place = member_place(cells, object, key, length);
    uint32_t number = cells->member_table[place];
    if (number != 0) {
        struct cells_member *member = &cells->members[number - 1];
        cells->duplicate = true;
        branches_forget(cells, node, member->item_first, member->item_end);
    } else {
        if (cells->member_count == cells->member_max) return CELLS_NO_MEMBER;
        number = ++cells->member_count;
        cells->member_table[place] = (uint16_t)number;
        cells->members[number - 1] =
            (struct cells_member){.object = object, .key = key, .length = length, .place = place};
    }
    cells->members[number - 1].item_first = cells->members[number - 1].item_end = cells->item_count;
    return number - 1;
}

void cells_leave_member(struct cells *cells, uint32_t member)
{
    if (member != CELLS_NO_MEMBER) cells->members[member].item_end = cells->item_count;
}

/* Last in, first out: no search of an older member has passed the place that becomes free. */
static void member_pop(struct cells *cells)
{
    cells->member_table[cells->members[--cells->member_count].place] = 0;
}

void cells_leave_object(struct cells *cells, uint64_t object)
{
    while (cells->member_count != 0 && cells->members[cells->member_count - 1].object == object)
        member_pop(cells);
}

void cells_drop_members(struct cells *cells)
{
    while (cells->member_count != 0)
        member_pop(cells);
}

/* ---- filters ---- */

enum defect cells_compared(const struct cells *cells, const uint8_t *at, uint32_t length, size_t *bad)
{
    struct json_string string;
    if (*at != '"' || memchr(at, '\\', length) == NULL) return DEFECT_NONE;
    (void)json_unescape(at + 1, length - 2, NULL, &string);
    size_t const null_at = cells->plan->mapping->csv.null_character_drop ? SIZE_MAX : string.null_character;
    if (string.lone_surrogate == SIZE_MAX && null_at == SIZE_MAX) return DEFECT_NONE;
    bool const lone = string.lone_surrogate < null_at;
    *bad = 1 + (lone ? string.lone_surrogate : null_at);
    return lone ? DEFECT_LONE_SURROGATE : DEFECT_NULL_CHARACTER;
}

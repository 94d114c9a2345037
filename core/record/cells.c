/* cells.c - allocation, and the rare cases: duplicate keys and namespaces in several spellings.
 * Thread: one a struct. Owns the arrays of the struct. */
#include "core/record/cells.h"

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

size_t cells_bytes(const struct plan *plan, size_t record_max)
{
    return plan->slot_count * sizeof(struct cell) + plan->node_count * sizeof(struct cells_seen) +
           spelling_count(plan) * sizeof(struct cells_spelling) +
           items_for(plan, record_max) * sizeof(struct cells_item);
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
    if (cells->slots != NULL && cells->seen != NULL && cells->spellings != NULL && cells->items != NULL)
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
    *cells = (struct cells){0};
}

void cells_clear(struct cells *cells, uint32_t first, uint32_t end)
{
    memset(cells->slots + first, 0, (end - first) * sizeof *cells->slots);
}

bool cells_enter_again(struct cells *cells, uint32_t node, bool exact)
{
    struct cells_seen *seen = &cells->seen[node];
    const struct plan_node *plan_node = &cells->plan->nodes[node];
    if (seen->exact && !exact) return false; /* `xdm:key` behind `key` */
    if (seen->exact == exact) cells->duplicate = true;
    seen->exact = exact;
    cells_clear(cells, plan_node->slot_first, plan_node->slot_end);
    return true;
}

/* ---- namespaces ---- */

static struct cells_spelling *spellings_of(struct cells *cells, uint32_t node)
{
    return cells->spellings + (size_t)node * CELLS_SPELLINGS_MAX;
}

/* Takes the items [first, end) out of the chains of the node's slots. */
static void items_unlink(struct cells *cells, const struct plan_node *node, uint32_t first, uint32_t end)
{
    for (uint32_t slot = node->slot_first; slot < node->slot_end; slot++) {
        struct cell *cell = &cells->slots[slot];
        uint32_t *link = &cell->last;
        while (*link != 0) {
            struct cells_item *item = &cells->items[*link - 1];
            if (*link - 1 >= first && *link - 1 < end)
                *link = item->before;
            else
                link = &item->before;
        }
        if (cell->last == 0) *cell = (struct cell){0};
    }
}

static struct cells_spelling *spelling_find(struct cells *cells, uint32_t node, const uint8_t *key,
                                            uint32_t length)
{
    struct cells_spelling *spellings = spellings_of(cells, node);
    uint32_t const count = cells->seen[node].spellings;
    for (uint32_t i = 0; i < count && i < CELLS_SPELLINGS_MAX; i++)
        if (spellings[i].length == length && memcmp(spellings[i].key, key, length) == 0) return &spellings[i];
    return NULL;
}

bool cells_enter_fold(struct cells *cells, uint64_t object, uint32_t node, bool exact, const uint8_t *key,
                      uint32_t length)
{
    struct cells_seen *seen = &cells->seen[node];
    const struct plan_node *plan_node = &cells->plan->nodes[node];
    if (seen->object != object) {
        *seen = (struct cells_seen){.object = object, .exact = exact};
    } else if (seen->exact && !exact) {
        return false;
    } else if (!seen->exact && exact) { /* all so far came by `xdm:` keys */
        cells_clear(cells, plan_node->slot_first, plan_node->slot_end);
        *seen = (struct cells_seen){.object = object, .exact = true};
    }
    struct cells_spelling *same = spelling_find(cells, node, key, length);
    if (same != NULL) { /* its values go; the new ones are the spelling's from here on, moved to the end */
        cells->duplicate = true;
        items_unlink(cells, plan_node, same->item_first, same->item_end);
        struct cells_spelling *spellings = spellings_of(cells, node);
        uint32_t const kept = seen->spellings < CELLS_SPELLINGS_MAX ? seen->spellings : CELLS_SPELLINGS_MAX;
        memmove(same, same + 1, (size_t)(spellings + kept - (same + 1)) * sizeof *same);
        seen->spellings = kept - 1;
    }
    if (seen->spellings < CELLS_SPELLINGS_MAX)
        spellings_of(cells, node)[seen->spellings] =
            (struct cells_spelling){.key = key, .length = length, .item_first = cells->item_count};
    seen->spellings++;
    return true;
}

void cells_leave_fold(struct cells *cells, uint32_t node)
{
    uint32_t const count = cells->seen[node].spellings;
    if (count == 0 || count > CELLS_SPELLINGS_MAX) return;
    spellings_of(cells, node)[count - 1].item_end = cells->item_count;
}

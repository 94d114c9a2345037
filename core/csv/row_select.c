/* row_select.c - see the header. Thread: the row's. Owns nothing. */
#include "core/csv/row_select.h"

#include "core/base/scan.h"
#include "core/csv/csv_put.h"

#include <string.h>

/* Is this token a string without escapes? It is its own text then. */
static inline bool is_plain_string(const uint8_t *at, uint32_t length)
{
    return *at == '"' && !scan_has_either(at + 1, length - 2, '\\', '\\');
}

/* ---- segments ---- */

/* *member: a status of the slot is wanted; there are several when the namespace is spelled in several ways.
 */
static bool judge_statuses(struct csv_row *row, const struct cells *cells, uint32_t slot, bool *member)
{
    const struct word_list *const wanted = &row->plan->status_words;
    bool good = true;
    for (uint32_t number = cells->slots[slot].last; number != 0; number = cells->items[number - 1].before) {
        const struct cells_item *item = &cells->items[number - 1];
        const uint8_t *const at = cells->record + item->offset;
        struct csv_value value;
        if (is_plain_string(at, item->length))
            *member |= word_list_has(wanted, at + 1, item->length - 2);
        else if (!csv_value_of_token(row, cells, at, item->length, row->plan->slot_path[slot],
                                     row->buffers[0], &value))
            good = false;
        else if (value.is_text && word_list_has(wanted, value.bytes, value.length))
            *member = true;
    }
    return good;
}

/* The numbers of the set, ascending, to row->members. */
static void list_members(struct csv_row *row, const uint64_t *set, size_t words)
{
    for (size_t w = 0; w < words; w++)
        for (uint64_t left = set[w]; left != 0; left &= left - 1)
            row->members[row->member_count++] = (uint32_t)(64 * w) + (uint32_t)__builtin_ctzll(left);
}

bool row_select_segments(struct csv_row *row, const struct cells *cells, bool *selected)
{
    const struct segments *segments = &row->plan->mapping->segments;
    uint64_t set[MAPPING_SEGMENTS_MAX / 64];
    size_t const words = segments->split ? (segments->count + 63) / 64 : 0;
    bool good = true;
    memset(set, 0, words * sizeof *set);
    *selected = false;
    for (uint32_t i = 0; i < cells->filled_count; i++) {
        uint32_t const segment = cells->filled[i] - row->plan->sparse_first;
        bool member = false;
        good = judge_statuses(row, cells, cells->filled[i], &member) && good;
        *selected = *selected || member;
        if (member && words != 0) set[segment / 64] |= UINT64_C(1) << segment % 64;
    }
    list_members(row, set, words);
    return good;
}

/* ---- consent ---- */

struct verdict {
    bool said, denied; /* by any value that is not null; by one that is not allowed */
};

static bool judge_value(struct csv_row *row, const struct cells *cells, uint32_t number, const uint8_t *at,
                        uint32_t length, struct verdict *verdict)
{
    const struct word_list *const allowed = &row->plan->consent_words[number];
    const struct path *const path = &row->plan->mapping->consent[number].path;
    struct csv_value value = {0};
    bool const is_container = *at == '{' || *at == '['; /* no text that could be allowed */
    if (!is_container && !csv_value_of_token(row, cells, at, length, path, row->buffers[0], &value))
        return false;
    if (value.is_null) return true;
    verdict->said = true;
    if (is_container || !word_list_has(allowed, value.bytes, value.length)) verdict->denied = true;
    return true;
}

/* *given: every value of the path of rule `number` is allowed, or there is none and that will do. */
static bool judge_rule(struct csv_row *row, const struct cells *cells, uint32_t number, bool *given)
{
    const struct consent_rule *const rule = &row->plan->mapping->consent[number];
    uint32_t const slot = row->plan->consent_slots[number];
    const struct cell *cell = &cells->slots[slot];
    struct verdict verdict = {0};
    bool good = true;
    if (!row->plan->slot_many[slot]) {
        good = cell->at == NULL || judge_value(row, cells, number, cell->at, cell->length, &verdict);
    } else {
        for (uint32_t last = cell->last; last != 0; last = cells->items[last - 1].before) {
            const struct cells_item *item = &cells->items[last - 1];
            const uint8_t *const at = cells->record + item->offset;
            good = judge_value(row, cells, number, at, item->length, &verdict) && good;
        }
    }
    *given = verdict.said ? !verdict.denied : rule->missing == CONSENT_ALLOW;
    return good;
}

/* The commonest case: one string without escapes. False: it is not. */
static inline bool judge_fast(const struct csv_row *row, const struct cells *cells, uint32_t number,
                              bool *given)
{
    uint32_t length;
    const uint8_t *const at = csv_put_single(row, cells, row->plan->consent_slots[number], &length);
    if (at == NULL || !is_plain_string(at, length)) return false;
    *given = word_list_has(&row->plan->consent_words[number], at + 1, length - 2);
    return true;
}

bool row_select_consent(struct csv_row *row, const struct cells *cells, bool *selected)
{
    uint32_t const count = (uint32_t)row->plan->mapping->consent_count;
    *selected = true;
    for (uint32_t i = 0; i < count && *selected; i++) {
        row->consent_rule = i;
        if (!judge_fast(row, cells, i, selected) && !judge_rule(row, cells, i, selected)) return false;
    }
    return true;
}

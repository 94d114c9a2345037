/* row_select.c - see the header. Thread: the row's. Owns nothing. */
#include "core/csv/row_select.h"

#include <string.h>

/* Byte by byte: such texts are words, and most differ in the first one. */
static bool is_text(const struct csv_value *value, const char *text)
{
    for (size_t i = 0; i < value->length; i++)
        if (text[i] == '\0' || (uint8_t)text[i] != value->bytes[i]) return false;
    return text[value->length] == '\0';
}

static bool is_one_of(const struct csv_value *value, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_text(value, texts[i])) return true;
    return false;
}

/* ---- segments ---- */

/* *member: a status of the slot is wanted; there are several when the namespace is spelled in several ways.
 */
static bool judge_statuses(struct csv_row *row, const struct cells *cells, uint32_t slot, bool *member)
{
    const struct segments *segments = &row->plan->mapping->segments;
    bool good = true;
    for (uint32_t number = cells->slots[slot].last; number != 0; number = cells->items[number - 1].before) {
        const struct cells_item *item = &cells->items[number - 1];
        const uint8_t *const at = cells->record + item->offset;
        struct csv_value value;
        if (!csv_value_of_token(row, cells, at, item->length, row->plan->slot_path[slot], row->buffers[0],
                                &value))
            good = false;
        else if (value.is_text && is_one_of(&value, segments->statuses, segments->status_count))
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

static bool judge_value(struct csv_row *row, const struct cells *cells, const struct consent_rule *rule,
                        const uint8_t *at, uint32_t length, struct verdict *verdict)
{
    struct csv_value value = {0};
    bool const is_container = *at == '{' || *at == '['; /* no text that could be allowed */
    if (!is_container && !csv_value_of_token(row, cells, at, length, &rule->path, row->buffers[0], &value))
        return false;
    if (value.is_null) return true;
    verdict->said = true;
    if (is_container || !is_one_of(&value, rule->allow, rule->allow_count)) verdict->denied = true;
    return true;
}

/* *given: every value of the rule's path is allowed, or there is none and that will do. */
static bool judge_rule(struct csv_row *row, const struct cells *cells, const struct consent_rule *rule,
                       uint32_t slot, bool *given)
{
    const struct cell *cell = &cells->slots[slot];
    struct verdict verdict = {0};
    bool good = true;
    if (!row->plan->slot_many[slot]) {
        good = cell->at == NULL || judge_value(row, cells, rule, cell->at, cell->length, &verdict);
    } else {
        for (uint32_t number = cell->last; number != 0; number = cells->items[number - 1].before) {
            const struct cells_item *item = &cells->items[number - 1];
            const uint8_t *const at = cells->record + item->offset;
            good = judge_value(row, cells, rule, at, item->length, &verdict) && good;
        }
    }
    *given = verdict.said ? !verdict.denied : rule->missing == CONSENT_ALLOW;
    return good;
}

bool row_select_consent(struct csv_row *row, const struct cells *cells, bool *selected)
{
    const struct mapping *mapping = row->plan->mapping;
    *selected = true;
    for (uint32_t i = 0; i < mapping->consent_count && *selected; i++) {
        row->consent_rule = i;
        if (!judge_rule(row, cells, &mapping->consent[i], row->plan->consent_slots[i], selected))
            return false;
    }
    return true;
}

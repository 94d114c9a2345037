/* csv_row.c - one record's cells to its CSV rows. Thread: one struct a thread. Owns its text buffers.
 *
 * The order of what can end a row follows the contract ("Which record goes where"): syntax of the values
 * used, segments, identity, deduplicate, consent, required, columns. A defect found in one stage never hides
 * one of an earlier stage: what an earlier stage has not looked at yet is checked when a record is dropped
 * (csv_value_check_all). Within a stage the first in byte order is named. */
#include "core/csv/csv_row.h"

#include "core/base/limits.h"
#include "core/csv/csv_put.h"
#include "core/csv/row_contender.h"
#include "core/csv/row_identity.h"
#include "core/csv/row_select.h"
#include "core/csv/transform.h"

#include <stdlib.h>
#include <string.h>

/* ---- the record ---- */

/* Syntax goes before deduplication: a record that lacks it was never to be compared. */
static bool check_syntax(struct csv_row *row, const struct cells *cells)
{
    bool const good = csv_value_check_all(row, cells);
    if (row->defect == DEFECT_SYNTAX) row->is_contender = false;
    return good;
}

/* A defect behind the syntax stage: what other values lack in syntax goes before it. */
static enum csv_row_result record_failed(struct csv_row *row, const struct cells *cells)
{
    check_syntax(row, cells);
    return row->defect == DEFECT_TOO_LARGE ? ROW_TOO_LONG : ROW_FAILED;
}

/* The record is dropped, unless the syntax of a value that was not looked at goes before that. */
static enum csv_row_result record_skipped(struct csv_row *row, const struct cells *cells, enum skip skip)
{
    if (!check_syntax(row, cells)) return ROW_FAILED;
    row->skip = skip;
    return ROW_SKIPPED;
}

/* Each stage: ROW_WRITTEN stands for "goes on". */
static enum csv_row_result judge_segments(struct csv_row *row, const struct cells *cells)
{
    bool selected;
    if (!row_select_segments(row, cells, &selected)) return record_failed(row, cells);
    return selected ? ROW_WRITTEN : record_skipped(row, cells, SKIP_SEGMENT);
}

static enum csv_row_result judge_identity(struct csv_row *row, const struct cells *cells)
{
    const struct identity *identity = &row->plan->mapping->identity;
    if (!row_identity_find(row, cells)) return record_failed(row, cells);
    if (row->id_count != 0) return ROW_WRITTEN;
    enum csv_row_result const skipped = record_skipped(row, cells, SKIP_IDENTITY);
    if (skipped != ROW_SKIPPED || identity->missing == IDENTITY_SKIP) return skipped;
    row->defect = DEFECT_MISSING_IDENTITY;
    row->defect_path = &identity->paths[0];
    return ROW_FAILED;
}

static enum csv_row_result judge_contender(struct csv_row *row, const struct cells *cells)
{
    return row_contender_make(row, cells) ? ROW_WRITTEN : record_failed(row, cells);
}

static enum csv_row_result judge_consent(struct csv_row *row, const struct cells *cells)
{
    bool selected;
    if (!row_select_consent(row, cells, &selected)) return record_failed(row, cells);
    return selected ? ROW_WRITTEN : record_skipped(row, cells, SKIP_CONSENT);
}

static enum csv_row_result judge_required(struct csv_row *row, const struct cells *cells)
{
    for (size_t c = 0; c < row->plan->mapping->column_count; c++) {
        const struct plan_column *planned = &row->plan->columns[c];
        if (!planned->column->required) continue;
        struct csv_value value;
        if (!csv_value_of_column(row, cells, &row->plan->columns[c], &value))
            continue; /* has one: the column's stage judges it */
        if (!value.is_null && !csv_value_is_empty(row, value.bytes, value.length)) continue;
        row->defect = DEFECT_NONE;
        return record_skipped(row, cells, SKIP_REQUIRED);
    }
    return row->defect == DEFECT_TOO_LARGE ? ROW_TOO_LONG : ROW_WRITTEN;
}

/* Slots that no column's value need come from: fallbacks, further identity paths, primary flags. */
static bool check_unread(struct csv_row *row, const struct cells *cells)
{
    bool good = true;
    for (uint32_t i = 0; i < row->unread_count; i++) {
        const struct cell *const cell = &cells->slots[row->unread[i]];
        bool const empty = cell->at == NULL && cell->last == 0; /* as most of them are */
        good = (empty || csv_value_check(row, cells, row->unread[i])) && good;
    }
    return good;
}

enum csv_row_result csv_row_open(struct csv_row *row, const struct cells *cells)
{
    const struct mapping *mapping = row->plan->mapping;
    enum csv_row_result result = ROW_WRITTEN;
    row->defect = DEFECT_NONE;
    row->defect_path = NULL;
    row->id_count = 1;
    row->member_count = 0;
    row->is_contender = false;
    if (row->unread_count != 0 && !check_unread(row, cells)) return ROW_FAILED;
    if (mapping->segments.count != 0) result = judge_segments(row, cells);
    if (result == ROW_WRITTEN && mapping->identity.column != NULL) result = judge_identity(row, cells);
    if (result == ROW_WRITTEN && row->deduplicates) result = judge_contender(row, cells);
    if (result == ROW_WRITTEN && mapping->consent_count != 0) result = judge_consent(row, cells);
    if (result == ROW_WRITTEN && row->has_required) result = judge_required(row, cells);
    return result;
}

/* ---- one of its rows ---- */

/* The id was judged when the record was opened. */
static enum csv_row_result write_identity(struct csv_row *row, const struct cells *cells, uint32_t id,
                                          struct csv_out *out)
{
    const uint8_t *const token = cells->record + row->ids[id].offset;
    uint32_t const length = row->ids[id].length;
    if (row->plain && csv_put_token(row, out, token, length)) return ROW_WRITTEN;
    struct csv_value value;
    if (!csv_value_of_token(row, cells, token, length, NULL, row->buffers[0], &value)) return ROW_FAILED;
    return csv_put_value(row, out, &value) ? ROW_WRITTEN : ROW_NO_ROOM;
}

/* What was changed in the id alone: of a row that loses against another one it is taken back. */
static void note_id(struct csv_row *row, uint32_t id)
{
    row->id_changed[id] = 0;
    for (unsigned c = 0; c < CHANGE_COUNT; c++)
        if (row->changed[c] != 0) row->id_changed[id] |= (uint8_t)(1u << c);
}

/* The columns from number `c` on, with the delimiters before them, up to the first one that can't go the fast
 * way: most rows have none. Returns its number. */
static size_t write_run(const struct csv_row *row, const struct cells *cells, size_t c, struct csv_out *out)
{
    size_t const count = row->plan->mapping->column_count;
    struct csv_run run;
    if (!csv_run_begin(&run, row, out)) return c;
    uint8_t *end = run.at; /* of the last field that was written */
    size_t delimiter = c != 0 || row->plan->mapping->identity.column != NULL;
    for (; c < count; c++) {
        *end = run.delimiter; /* there is room: see csv_run_begin() */
        run.at = end + delimiter;
        if (!csv_run_column(&run, cells, &row->fast[c])) break;
        end = run.at;
        delimiter = 1;
    }
    out->at = end;
    return c;
}

static enum csv_row_result write_columns(struct csv_row *row, const struct cells *cells, struct csv_out *out)
{
    size_t const count = row->plan->mapping->column_count;
    bool const has_identity = row->plan->mapping->identity.column != NULL;
    for (size_t c = 0;; c++) {
        c = write_run(row, cells, c, out);
        if (c == count) break;
        if (c != 0 || has_identity) {
            if (!csv_put_room(out, 1)) return ROW_NO_ROOM;
            *out->at++ = row->field.delimiter;
        }
        if (csv_put_many(row, cells, &row->fast[c], out)) continue;
        struct csv_value value;
        if (!csv_value_of_column(row, cells, &row->plan->columns[c], &value)) {
            if (row->defect == DEFECT_NONE) return ROW_BROKEN;
            continue; /* the others may fail earlier in the record */
        }
        if (!csv_put_value(row, out, &value)) return ROW_NO_ROOM;
    }
    if (row->defect == DEFECT_NONE) return ROW_WRITTEN;
    return record_failed(row, cells);
}

static enum csv_row_result write_row(struct csv_row *row, const struct cells *cells, uint32_t id,
                                     struct csv_out *out)
{
    enum csv_row_result result = ROW_WRITTEN;
    if (row->plan->mapping->identity.column != NULL) result = write_identity(row, cells, id, out);
    if (row->is_contender) note_id(row, id);
    if (result == ROW_WRITTEN) result = write_columns(row, cells, out);
    if (result != ROW_WRITTEN) return result;
    if (!csv_put_room(out, row->field.line_end_length)) return ROW_NO_ROOM;
    memcpy(out->at, row->field.line_end, row->field.line_end_length);
    out->at += row->field.line_end_length;
    return ROW_WRITTEN;
}

enum csv_row_result csv_row_write(struct csv_row *row, const struct cells *cells, uint32_t id,
                                  struct csv_out *out)
{
    uint8_t *const begin = out->at;
    row->defect = DEFECT_NONE;
    row->defect_path = NULL;
    memset(row->changed, 0, sizeof row->changed);
    enum csv_row_result const result = write_row(row, cells, id, out);
    if (result != ROW_WRITTEN && out->more == NULL) out->at = begin;
    return result;
}

/* ---- set-up ---- */

/* Delimiters that a number or literal may hold: such jobs take the general way. */
static bool is_odd_delimiter(uint8_t delimiter)
{
    return (delimiter >= '0' && delimiter <= '9') ||
           ((delimiter | 0x20) >= 'a' && (delimiter | 0x20) <= 'z') || delimiter == '.' || delimiter == '+' ||
           delimiter == '-' || delimiter == '\\';
}

static bool wants_sha256(const struct mapping *mapping)
{
    for (size_t c = 0; c < mapping->column_count; c++)
        for (size_t t = 0; t < mapping->columns[c].transform_count; t++)
            if (mapping->columns[c].transforms[t] == TRANSFORM_SHA256) return true;
    return false;
}

static bool wants_case(const struct mapping *mapping)
{
    for (size_t c = 0; c < mapping->column_count; c++)
        for (size_t t = 0; t < mapping->columns[c].transform_count; t++)
            if (mapping->columns[c].transforms[t] == TRANSFORM_LOWER ||
                mapping->columns[c].transforms[t] == TRANSFORM_UPPER)
                return true;
    return false;
}

/* A text, mapped to another case where a column wants that, with an apostrophe; a digest; and the padding
 * that scans may read. */
static size_t buffer_bytes(const struct mapping *mapping, size_t text_max)
{
    size_t const text = wants_case(mapping) ? transform_case_bound(text_max) : text_max;
    return (text > SHA256_HEX_LENGTH ? text : SHA256_HEX_LENGTH) + 1 + LIMIT_PADDING;
}

/* The most ids that a record of text_max bytes can have. */
static size_t ids_for(const struct mapping *mapping, size_t text_max)
{
    return mapping->identity.multiple == IDENTITY_EXPLODE ? text_max / CSV_BYTES_PER_ID + 1 : 1;
}

static bool deduplicates(const struct mapping *mapping)
{
    return mapping->identity.column != NULL && mapping->identity.deduplicate == IDENTITY_KEEP_LATEST;
}

static bool wants_keys(const struct mapping *mapping)
{
    return deduplicates(mapping) || mapping->identity.multiple == IDENTITY_EXPLODE;
}

/* Places of row->id_table: a power of two of them is used, of which at most half are taken. */
static size_t id_table_size(const struct mapping *mapping, size_t text_max)
{
    return mapping->identity.multiple == IDENTITY_EXPLODE ? 4 * ids_for(mapping, text_max) : 0;
}

static size_t id_bytes(const struct mapping *mapping)
{
    return sizeof(struct csv_id) + (wants_keys(mapping) ? sizeof(struct key_digest) : 0) +
           (deduplicates(mapping) ? sizeof(uint8_t) : 0);
}

static size_t members_for(const struct mapping *mapping)
{
    return mapping->segments.split ? mapping->segments.count : 0;
}

size_t csv_row_bytes(const struct plan *plan, size_t text_max, uint32_t depth_max)
{
    return 2 * buffer_bytes(plan->mapping, text_max) + depth_max + 1 + plan->slot_count * sizeof(uint32_t) +
           plan->mapping->column_count * sizeof(struct csv_fast) +
           ids_for(plan->mapping, text_max) * id_bytes(plan->mapping) +
           id_table_size(plan->mapping, text_max) * sizeof(uint32_t) +
           members_for(plan->mapping) * sizeof(uint32_t);
}

/* Values that may be copied as they are: see csv_run_column(). */
static struct csv_fast fast_of(const struct csv_row *row, const struct column *column, const uint32_t *slots)
{
    bool const fast =
        row->plain && column->path_count != 0 && column->transform_count == 0 && column->type == COLUMN_TEXT;
    if (!fast) return (struct csv_fast){.slot = PLAN_NONE};
    bool const alone = column->path_count == 1 && column->default_text == NULL && row->field_count > 1;
    return (struct csv_fast){.slot = slots[0], .many = row->plan->slot_many[slots[0]], .empty = alone};
}

static void find_fast(struct csv_row *row)
{
    const struct mapping *mapping = row->plan->mapping;
    for (size_t c = 0; c < mapping->column_count; c++)
        row->fast[c] = fast_of(row, &mapping->columns[c], row->plan->columns[c].slots);
    row->fast_identity = (struct csv_fast){.slot = PLAN_NONE};
    if (mapping->identity.path_count == 0) return;
    const struct plan_identity_path *first = &row->plan->identity_paths[0];
    uint32_t const slot = first->is_namespace ? first->name_space.id : first->slot;
    row->fast_identity = (struct csv_fast){.slot = slot, .many = row->plan->slot_many[slot]};
}

/* The slots that columns read first in any case are checked when they are written, and so is the first
 * identity path's when it has one value. Not where records are compared: there a record that is broken must
 * not win against one that is not. */
static void find_unread(struct csv_row *row)
{
    const struct mapping *mapping = row->plan->mapping;
    for (uint32_t slot = 0; slot < row->plan->sparse_first; slot++) {
        bool read = row->plan->slot_use[slot] == PLAN_IGNORED || slot == row->fast_identity.slot;
        for (size_t c = 0; c < mapping->column_count && !read; c++)
            read = mapping->columns[c].path_count != 0 && row->plan->columns[c].slots[0] == slot;
        if (!read) row->unread[row->unread_count++] = slot;
    }
}

/* calloc of nothing may give NULL: ask for one more, so that NULL means no memory. */
static void *array_new(size_t count, size_t bytes)
{
    return calloc(count + 1, bytes);
}

static bool allocate(struct csv_row *row, const struct plan *plan)
{
    const struct mapping *mapping = plan->mapping;
    row->buffers[0] = malloc(buffer_bytes(mapping, row->text_max));
    row->buffers[1] = malloc(buffer_bytes(mapping, row->text_max));
    row->brackets = malloc((size_t)row->depth_max + 1);
    row->unread = array_new(plan->slot_count, sizeof *row->unread);
    row->fast = array_new(mapping->column_count, sizeof *row->fast);
    row->id_room = array_new(row->id_max, sizeof *row->id_room);
    row->id_table = array_new(id_table_size(mapping, row->text_max), sizeof *row->id_table);
    row->keys = array_new(row->wants_keys ? row->id_max : 0, sizeof *row->keys);
    row->id_changed = array_new(row->deduplicates ? row->id_max : 0, sizeof *row->id_changed);
    row->members = array_new(members_for(mapping), sizeof *row->members);
    bool const hashes = wants_sha256(mapping);
    if (hashes) row->hasher = sha256_create();
    return row->buffers[0] != NULL && row->buffers[1] != NULL && row->brackets != NULL &&
           row->unread != NULL && row->fast != NULL && row->id_room != NULL && row->id_table != NULL &&
           row->keys != NULL && row->id_changed != NULL && row->members != NULL &&
           (!hashes || row->hasher != NULL);
}

bool csv_row_create(struct csv_row *row, const struct plan *plan, size_t text_max, uint32_t depth_max)
{
    const struct mapping *mapping = plan->mapping;
    *row = (struct csv_row){.plan = plan,
                            .csv = &mapping->csv,
                            .field = csv_field_options(&mapping->csv),
                            .text_max = text_max,
                            .depth_max = depth_max,
                            .deduplicates = deduplicates(mapping),
                            .wants_keys = wants_keys(mapping),
                            .id_max = (uint32_t)ids_for(mapping, text_max)};
    row->plain = !row->field.quote_all && row->field.null_length == 0 && !row->field.formula_escape &&
                 !is_odd_delimiter(row->field.delimiter);
    row->field_count = (uint32_t)mapping->column_count + (mapping->identity.column != NULL);
    for (size_t c = 0; c < mapping->column_count; c++)
        row->has_required = row->has_required || mapping->columns[c].required;
    if (!allocate(row, plan)) {
        csv_row_destroy(row);
        return false;
    }
    find_fast(row);
    find_unread(row);
    return true;
}

void csv_row_destroy(struct csv_row *row)
{
    free(row->buffers[0]);
    free(row->buffers[1]);
    free(row->brackets);
    free(row->unread);
    free(row->fast);
    free(row->id_room);
    free(row->id_table);
    free(row->keys);
    free(row->id_changed);
    free(row->members);
    sha256_destroy(row->hasher);
    *row = (struct csv_row){0};
}

static size_t header_bound(const struct mapping *mapping)
{
    size_t bound = 2; /* the line's end */
    if (mapping->identity.column != NULL) bound += csv_field_bound(strlen(mapping->identity.column)) + 1;
    for (size_t c = 0; c < mapping->column_count; c++)
        bound += csv_field_bound(strlen(mapping->columns[c].name)) + 1;
    return bound;
}

static uint8_t *header_name(const struct csv_field *field, uint8_t *out, const char *name, bool first)
{
    size_t const length = strlen(name);
    if (!first) *out++ = field->delimiter;
    bool const quoted = csv_field_quoted(field, (const uint8_t *)name, length, false);
    if (quoted) *out++ = '"';
    out = csv_field_double(out, (const uint8_t *)name, length); /* unquoted: there is nothing to double */
    if (quoted) *out++ = '"';
    return out;
}

struct csv_text csv_row_header(struct arena *arena, const struct mapping *mapping)
{
    struct csv_field const field = csv_field_options(&mapping->csv);
    uint8_t *const begin = arena_alloc(arena, header_bound(mapping));
    if (begin == NULL) return (struct csv_text){0};
    uint8_t *at = begin;
    if (mapping->identity.column != NULL) at = header_name(&field, at, mapping->identity.column, true);
    for (size_t c = 0; c < mapping->column_count; c++)
        at = header_name(&field, at, mapping->columns[c].name, at == begin);
    memcpy(at, field.line_end, field.line_end_length);
    at += field.line_end_length;
    return (struct csv_text){begin, (size_t)(at - begin)};
}

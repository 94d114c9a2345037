/* csv_scan_model.h - what csv_scan.h says, a byte at a time: for its test and its fuzzer. */
#ifndef PENSTOCK_TESTS_UNIT_CSV_SCAN_MODEL_H
#define PENSTOCK_TESTS_UNIT_CSV_SCAN_MODEL_H

#include "core/csv/csv_scan.h"

struct csv_model {
    struct csv_scan_dialect dialect;
    struct csv_scan found; /* its results only */
    uint64_t columns;      /* of the open row, so far */
    uint64_t length;       /* of the open row */
    bool quoted, field_begins, closed, cr;
};

static inline void csv_model_note(struct csv_model *model, enum csv_scan_defect defect, uint64_t offset)
{
    if (model->found.defects++ == 0 || offset < model->found.defect_offset) {
        model->found.defect = defect;
        model->found.defect_offset = offset;
    }
}

static inline void csv_model_row(struct csv_model *model, bool blank, uint64_t begin)
{
    struct csv_scan *const found = &model->found;
    if (blank) {
        csv_model_note(model, CSV_SCAN_BLANK_LINE, begin);
    } else {
        found->rows++;
        if (found->rows == 1) {
            found->columns = model->columns;
            found->first_row_bytes = found->bytes;
        }
        if (model->columns != found->columns && found->uneven++ == 0) {
            found->uneven_row = found->rows;
            found->uneven_columns = model->columns;
        }
    }
    model->columns = 1;
    model->length = 0;
}

static inline void csv_model_outside(struct csv_model *model, uint8_t byte)
{
    uint64_t const at = model->found.bytes;
    bool const begins = model->field_begins, closed = model->closed, cr = model->cr;
    model->field_begins = model->closed = model->cr = false;
    bool const delimiter = byte == (uint8_t)model->dialect.delimiter;
    if (byte == '"') {
        if (!begins && !closed) csv_model_note(model, CSV_SCAN_STRAY_QUOTE, at);
        model->quoted = true;
    } else if (closed && !delimiter && byte != '\n' && byte != '\r') {
        csv_model_note(model, CSV_SCAN_AFTER_QUOTE, at);
    }
    if (model->dialect.crlf ? cr != (byte == '\n') : byte == '\r')
        csv_model_note(model, CSV_SCAN_LINE_END, at);
    model->cr = byte == '\r';
    model->field_begins = delimiter || byte == '\n';
    model->columns += delimiter;
    if (byte == '\n') {
        bool const blank = model->length == 0 || (model->length == 1 && cr);
        uint64_t const begin = at - model->length;
        model->found.bytes++;
        csv_model_row(model, blank, begin);
        return;
    }
    model->found.bytes++;
    model->length++;
}

static inline void csv_model_run(struct csv_model *model, struct csv_scan_dialect dialect,
                                 const uint8_t *bytes, size_t length)
{
    *model = (struct csv_model){.dialect = dialect, .columns = 1, .field_begins = true};
    for (size_t i = 0; i < length; i++) {
        if (!model->quoted) {
            csv_model_outside(model, bytes[i]);
            continue;
        }
        if (bytes[i] == '"') {
            model->quoted = false;
            model->closed = true;
        }
        model->found.bytes++;
        model->length++;
    }
    if (model->quoted) csv_model_note(model, CSV_SCAN_OPEN_QUOTE, length);
    if (model->cr && dialect.crlf) csv_model_note(model, CSV_SCAN_LINE_END, length);
    if (model->length > 0) csv_model_row(model, false, 0);
}

/* The same results? The kind of a defect counts when it is the only one at its place. */
static inline bool csv_model_agrees(const struct csv_model *model, const struct csv_scan *scan)
{
    const struct csv_scan *const wanted = &model->found;
    if (scan->bytes != wanted->bytes || scan->rows != wanted->rows || scan->columns != wanted->columns ||
        scan->first_row_bytes != wanted->first_row_bytes || scan->uneven != wanted->uneven ||
        scan->defects != wanted->defects)
        return false;
    if (wanted->uneven != 0 &&
        (scan->uneven_row != wanted->uneven_row || scan->uneven_columns != wanted->uneven_columns))
        return false;
    return wanted->defects == 0 || scan->defect_offset == wanted->defect_offset;
}

/* Scanned in ranges that begin behind the line feeds at or after `cuts`, each guessed wrong first when `lie`
 * says so (and then done again), joined. */
static inline void csv_model_ranges(struct csv_scan_dialect dialect, const uint8_t *bytes, size_t length,
                                    size_t step, bool lie, struct csv_scan *whole)
{
    struct csv_scan first;
    csv_scan_begin(&first, dialect); /* what a row has is known before the ranges are */
    csv_scan_bytes(&first, bytes, length);
    csv_scan_end(&first);
    csv_scan_begin(whole, dialect);
    whole->columns = first.columns;
    size_t begin = 0;
    for (size_t cut = step;; cut += step) {
        size_t end = cut < length ? cut : length;
        while (end < length && bytes[end - 1] != '\n')
            end++;
        if (end < begin) end = begin;
        struct csv_scan range;
        if (begin == 0) {
            csv_scan_bytes(whole, bytes, end);
        } else {
            for (int guess = lie; guess < 3; guess++) {
                if (guess % 2 == 0)
                    csv_scan_begin_row(&range, dialect, first.columns);
                else
                    csv_scan_begin_inside(&range, dialect, first.columns);
                if (csv_scan_joins(whole, &range)) break;
            }
            csv_scan_bytes(&range, bytes + begin, end - begin);
            csv_scan_join(whole, &range);
        }
        begin = end;
        if (end == length) break;
    }
    csv_scan_end(whole);
}

#endif

/* row_desk.h - one record at a time from its text to its rows, by On-Demand and csv_row. For cmocka tests. */
#ifndef PENSTOCK_TESTS_UNIT_ROW_DESK_H
#define PENSTOCK_TESTS_UNIT_ROW_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/csv/csv_row.h"
#include "core/record/record_walk.h"
#include "tests/unit/memory_ports.h"

#define ROW_DESK_DEPTH      64u
#define ROW_DESK_RECORD_MAX 65536u

struct row_desk {
    struct memory_job job;
    struct record_parser *parser;
    struct cells cells;
    struct csv_row row;
    uint8_t *text; /* the record, LIMIT_PADDING behind it */
    size_t text_max;
};

static inline void row_desk_start(struct row_desk *desk, const char *identity)
{
    *desk = (struct row_desk){.text_max = ROW_DESK_RECORD_MAX};
    memory_job_start(&desk->job, identity);
}

static inline void row_desk_ready(struct row_desk *desk)
{
    memory_job_compile(&desk->job);
    desk->parser = memory_must(record_parser_create(ROW_DESK_RECORD_MAX, ROW_DESK_DEPTH));
    assert_true(cells_create(&desk->cells, &desk->job.plan, ROW_DESK_RECORD_MAX));
    assert_true(csv_row_create(&desk->row, &desk->job.plan, desk->text_max, ROW_DESK_DEPTH));
}

static inline void row_desk_end(struct row_desk *desk)
{
    csv_row_destroy(&desk->row);
    cells_destroy(&desk->cells);
    record_parser_destroy(desk->parser);
    memory_job_free(&desk->job);
    free(desk->text);
}

static inline enum csv_row_result row_desk_write(struct row_desk *desk, const char *record,
                                                 struct csv_out *out)
{
    size_t const length = strlen(record);
    free(desk->text);
    desk->text = memory_must(malloc(length + LIMIT_PADDING));
    memcpy(desk->text, record, length);
    memory_decoy(desk->text + length, LIMIT_PADDING);
    cells_begin(&desk->cells, desk->text);
    assert_true(record_walk(desk->parser, desk->text, length, &desk->cells));
    enum csv_row_result result = csv_row_open(&desk->row, &desk->cells);
    for (uint32_t id = 0; result == ROW_WRITTEN && id < desk->row.id_count; id++)
        result = csv_row_write(&desk->row, &desk->cells, id, out);
    return result;
}

/* The rows, or "skip REASON", "fail CODE PATH", "too long PATH", "broken". */
static inline const char *row_desk_says(struct row_desk *desk, const char *record)
{
    static char text[ROW_DESK_RECORD_MAX + 200];
    struct csv_out out = {
        .begin = (uint8_t *)text, .at = (uint8_t *)text, .end = (uint8_t *)text + ROW_DESK_RECORD_MAX};
    enum csv_row_result const result = row_desk_write(desk, record, &out);
    size_t const length = (size_t)(out.at - out.begin);
    const struct csv_row *row = &desk->row;
    const char *path = row->defect_path == NULL ? "-" : row->defect_path->text;
    if (result != ROW_WRITTEN) assert_int_equal(length, 0);
    text[length] = '\0';
    switch (result) {
    case ROW_WRITTEN: return text;
    case ROW_SKIPPED:
        if (row->skip == SKIP_CONSENT)
            snprintf(text, sizeof text, "skip consent %u", row->consent_rule);
        else
            snprintf(text, sizeof text, "skip %s", tally_skip_name(row->skip));
        break;
    case ROW_FAILED: snprintf(text, sizeof text, "fail %s %s", tally_defect_name(row->defect), path); break;
    case ROW_NO_ROOM: snprintf(text, sizeof text, "no room"); break;
    case ROW_TOO_LONG: snprintf(text, sizeof text, "too long %s", path); break;
    case ROW_BROKEN: snprintf(text, sizeof text, "broken"); break;
    }
    return text;
}

struct row_desk_pair {
    const char *record, *wanted;
};

static inline void row_desk_check(struct row_desk *desk, const struct row_desk_pair *pairs, size_t count)
{
    row_desk_ready(desk);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(row_desk_says(desk, pairs[i].record), pairs[i].wanted);
    row_desk_end(desk);
}

#endif

/* csv_row.h - from the cells of one record to one CSV row: identity, required, columns, quoting.
 *
 * What the contract calls "Values" lives here: which slot gives a column its value, transforms, types, joined
 * lists, what csv options change, when a field is quoted. Records that give no row get their reason.
 *
 * Most values are strings without escapes in columns without options: they are copied 16 bytes at a time from
 * the input straight into the output, looked through for the delimiter on the way. All else takes the general
 * way, through the row's text buffers.
 *
 * Thread rule: one struct a thread. Nothing allocates after create. */
#ifndef PENSTOCK_CORE_CSV_CSV_ROW_H
#define PENSTOCK_CORE_CSV_CSV_ROW_H

#include "core/base/sha256.h"
#include "core/base/tally.h"
#include "core/csv/csv_field.h"
#include "core/map/plan.h"
#include "core/record/cells.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum csv_row_result {
    ROW_WRITTEN,
    ROW_SKIPPED,  /* row->skip says why */
    ROW_FAILED,   /* row->defect, row->defect_path */
    ROW_NO_ROOM,  /* the output's room is too small; nothing counts, the same record may be tried again */
    ROW_TOO_LONG, /* a value is longer than row->text_max */
    ROW_BROKEN    /* SHA-256 failed in libcrypto: the run can't go on */
};

/* Where a row's bytes go. With `more`, a row may be longer than the room: more() takes what was written, from
 * `begin` to `at`, and sets new room. Without, such a row ends with ROW_NO_ROOM. */
struct csv_out {
    uint8_t *begin, *at, *end;
    void (*more)(struct csv_out *out);
    void *context;
};

/* Room that any `more` must give at least: a field is written in pieces of it. */
#define CSV_OUT_ROOM_MIN 32768u

struct csv_text {
    const uint8_t *bytes;
    size_t length;
};

/* A column whose values may be copied as they are. */
struct csv_fast {
    uint32_t slot; /* PLAN_NONE: it takes the general way */
    bool many;
    bool empty; /* no value is an empty field, and nothing else gives one */
};

struct csv_row {
    const struct plan *plan;
    const struct csv_options *csv;
    struct csv_field field; /* the options as the field writer wants them */
    bool plain;             /* values without escapes may be copied as they are, but for the delimiter */
    bool has_required;
    uint32_t field_count; /* identity column included */
    size_t text_max;      /* longest value */
    uint8_t *buffers[2];  /* text_max, and room for case mapping */
    uint8_t *brackets;    /* depth_max + 1, for json_container() */
    uint32_t depth_max;
    uint32_t *unread; /* slots that are not read whenever a row is written: checked for themselves */
    uint32_t unread_count;
    struct csv_fast *fast; /* of each column */
    struct csv_fast fast_identity;
    struct sha256 *hasher; /* NULL: no column wants it */
    /* the outcome of the last csv_row_write() */
    enum skip skip;
    enum defect defect;
    uint32_t defect_at;             /* offset in the record */
    const struct path *defect_path; /* NULL: none */
    uint32_t changed[CHANGE_COUNT];
};

size_t csv_row_bytes(const struct plan *plan, size_t text_max, uint32_t depth_max);
bool csv_row_create(struct csv_row *row, const struct plan *plan, size_t text_max, uint32_t depth_max);
void csv_row_destroy(struct csv_row *row); /* a zeroed struct is fine */

/* Writes the row of a record whose walk was good. out->at moves only with ROW_WRITTEN (with out->more, pieces
 * of a row that fails later may have been taken already: measure first, see convert.c). */
enum csv_row_result csv_row_write(struct csv_row *row, const struct cells *cells, struct csv_out *out);

/* The header line, quoted as the options say, in the arena. */
struct csv_text csv_row_header(struct arena *arena, const struct mapping *mapping);

#endif

/* csv_row.h - from the cells of one record to its CSV rows, in two steps.
 *
 * csv_row_open() judges the record: segments, identity, consent, required columns. A record that gives no row
 * gets its reason; one that does says how many rows it has (one for each of its ids with identity.multiple:
 * explode, else one), whose member it is, and what deduplication compares. csv_row_write() writes one of the
 * rows: what the contract calls "Values" lives there: which slot gives a column its value, transforms, types,
 * joined lists, what csv options change, when a field is quoted.
 *
 * Most values are strings without escapes in columns without options: they are copied 16 bytes at a time from
 * the input straight into the output, looked through for the delimiter on the way. All else takes the general
 * way, through the row's text buffers.
 *
 * Thread rule: one struct a thread. Nothing allocates after create. */
#ifndef PENSTOCK_CORE_CSV_CSV_ROW_H
#define PENSTOCK_CORE_CSV_CSV_ROW_H

#include "core/base/key_digest.h"
#include "core/base/sha256.h"
#include "core/base/tally.h"
#include "core/csv/csv_field.h"
#include "core/map/plan.h"
#include "core/record/cells.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum csv_row_result {
    ROW_WRITTEN,  /* opened: the record goes on, its rows may be written */
    ROW_SKIPPED,  /* row->skip says why; SKIP_CONSENT: row->consent_rule, too */
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

/* An id, as it stands in the record: a string with its quotes, a number, true or false. */
struct csv_id {
    uint32_t offset, length;
};

/* Bytes of record for one id: {"id":1}, is the shortest entry of a namespace. */
#define CSV_BYTES_PER_ID 9u

/* row->time of a record without identity.timestamp: older than any. */
#define ROW_TIME_NONE INT64_MIN

struct csv_row {
    const struct plan *plan;
    const struct csv_options *csv;
    struct csv_field field; /* the options as the field writer wants them */
    bool plain;             /* values without escapes may be copied as they are, but for the delimiter */
    bool has_required;
    bool deduplicates;    /* identity.deduplicate: latest, of a job with an identity */
    bool wants_keys;      /* that, or identity.multiple: explode */
    uint32_t field_count; /* identity column included */
    size_t text_max;      /* longest value */
    uint8_t *buffers[2];  /* text_max, and room for case mapping */
    uint8_t *brackets;    /* depth_max + 1, for json_container() */
    uint32_t depth_max;
    uint32_t *unread; /* slots that are not read whenever a row is written: checked for themselves */
    uint32_t unread_count;
    struct csv_fast *fast; /* of each column */
    struct csv_fast fast_identity;
    struct sha256 *hasher;  /* NULL: no column wants it */
    struct csv_id *id_room; /* id_max; filled from its end */
    uint32_t id_max;
    uint32_t *id_table; /* explode: room to look for ids that stand twice */
    /* the outcome of the last csv_row_open() or csv_row_write() */
    enum skip skip;
    enum defect defect;
    uint32_t defect_at;             /* offset in the record */
    const struct path *defect_path; /* NULL: none */
    uint32_t consent_rule;          /* SKIP_CONSENT: the number of the first rule that is not given */
    /* of the record that was opened, when it goes on */
    const struct csv_id *ids;
    uint32_t id_count;     /* rows that it has: no two ids are written alike */
    uint32_t *members;     /* segments.split: the numbers of its segments, ascending */
    uint32_t member_count; /* at least 1 then; 0 without split */
    /* identity.deduplicate: latest; the record is to be compared, whatever else becomes of it. Known when it
     * was opened and, if it goes on, all its rows were written: a value may still lack in syntax, which goes
     * before. */
    bool is_contender;
    struct key_digest *keys; /* of each id's text as written; with explode they are there anyway */
    uint8_t *id_changed;     /* of each id whose row was written: bit c is set when changed[c] counts it */
    int64_t time;            /* of identity.timestamp: microseconds since 1970, or ROW_TIME_NONE */
    /* of the row that was written */
    uint32_t changed[CHANGE_COUNT];
};

size_t csv_row_bytes(const struct plan *plan, size_t text_max, uint32_t depth_max);
bool csv_row_create(struct csv_row *row, const struct plan *plan, size_t text_max, uint32_t depth_max);
void csv_row_destroy(struct csv_row *row); /* a zeroed struct is fine */

/* Judges a record whose walk was good. ROW_WRITTEN: rows 0 to row->id_count - 1 may be written. Never
 * ROW_NO_ROOM. */
enum csv_row_result csv_row_open(struct csv_row *row, const struct cells *cells);
/* Writes row number `id` of the record that was opened last, whose cells are still the same; as often as one
 * likes. What else than the room may go wrong does so for all rows of a record alike. out->at moves only with
 * ROW_WRITTEN (with out->more, pieces of a row that fails later may have been taken already: measure first,
 * see convert_out.c). */
enum csv_row_result csv_row_write(struct csv_row *row, const struct cells *cells, uint32_t id,
                                  struct csv_out *out);

/* The header line, quoted as the options say, in the arena. */
struct csv_text csv_row_header(struct arena *arena, const struct mapping *mapping);

#endif

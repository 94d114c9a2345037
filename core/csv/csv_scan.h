/* csv_scan.h - counts the rows of a CSV file and holds it to its dialect, without looking at values.
 *
 * Is every row as long as the first, in columns? Do quotes stand where RFC 4180 lets them stand, and the
 * dialect's line ends at the end of every row? The bytes come in pieces, cut anywhere; memory is this struct.
 *
 * A file may be scanned in ranges by several threads: csv_scan_begin() for the first, csv_scan_begin_inside()
 * or csv_scan_begin_row() for what begins behind a line feed that is taken to be inside quotes, or the end of
 * a row. csv_scan_joins() says whether that was right once the range before is through, and csv_scan_join()
 * adds the later range to the earlier one.
 *
 * 64 bytes at a time: masks of quotes, delimiters and line ends, quoted stretches by a running parity.
 * Thread rule: pure; one thread a scan. */
#ifndef PENSTOCK_CORE_CSV_CSV_SCAN_H
#define PENSTOCK_CORE_CSV_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_scan_dialect {
    char delimiter; /* ASCII, neither quote nor line end */
    bool crlf;      /* rows end in CR LF, else in LF alone */
};

enum csv_scan_defect {
    CSV_SCAN_FINE,
    CSV_SCAN_STRAY_QUOTE, /* a quote inside a value that does not begin with one */
    CSV_SCAN_AFTER_QUOTE, /* something other than a delimiter or line end behind a closing quote */
    CSV_SCAN_OPEN_QUOTE,  /* the file ends inside quotes */
    CSV_SCAN_LINE_END,    /* CR or LF outside quotes that is not the dialect's line end */
    CSV_SCAN_BLANK_LINE   /* which readers pass over: it is not counted */
};

struct csv_scan {
    struct csv_scan_dialect dialect;

    uint64_t bytes;                      /* scanned */
    uint64_t rows;                       /* that have ended */
    uint64_t columns;                    /* of the first row; 0: it has not ended yet */
    uint64_t first_row_bytes;            /* with its line end */
    uint64_t uneven;                     /* rows with another number of columns */
    uint64_t uneven_row, uneven_columns; /* of the first of them; rows are counted from 1 */
    enum csv_scan_defect defect;         /* the first */
    uint64_t defect_offset;              /* from the first byte scanned */
    uint64_t defects;

    /* of the row that is open */
    uint64_t delimiters;
    uint64_t row_begin; /* offset */
    bool quoted;        /* the next byte is inside quotes */

    /* a range that begins inside a row */
    bool begins_inside, lead_ended;
    uint64_t lead_delimiters; /* of that row, when it has ended */

    /* of the last byte, as 0 or 1 */
    uint8_t before_field; /* a quote may open behind it */
    uint8_t closed;       /* it was a closing quote */
    uint8_t cr;           /* it was a CR outside quotes */
};

void csv_scan_begin(struct csv_scan *scan, struct csv_scan_dialect dialect);
/* A range that is taken to begin with a row of a file whose rows have `columns`. */
void csv_scan_begin_row(struct csv_scan *scan, struct csv_scan_dialect dialect, uint64_t columns);
/* The same, taken to begin inside quotes, behind a line feed. */
void csv_scan_begin_inside(struct csv_scan *scan, struct csv_scan_dialect dialect, uint64_t columns);

void csv_scan_bytes(struct csv_scan *scan, const uint8_t *bytes, size_t length);
/* The file's end: a row without a line end is one all the same. Not for a range that another one follows. */
void csv_scan_end(struct csv_scan *scan);

/* Did `later` begin as `scan` ended? */
bool csv_scan_joins(const struct csv_scan *scan, const struct csv_scan *later);
/* `scan`, which begins the file, becomes what a scan of both in a row would be. They join. */
void csv_scan_join(struct csv_scan *scan, const struct csv_scan *later);

/* "a quote inside a value that does not begin with one", ... */
const char *csv_scan_defect_text(enum csv_scan_defect defect);

#endif

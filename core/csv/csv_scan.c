/* csv_scan.c - see the header. Thread: one a scan. Owns nothing.
 *
 * Quotes pair up by parity: a byte is quoted when an odd number of quotes stands before it, so that the two
 * quotes of a doubled one close and open again with nothing between them. What RFC 4180 allows then is a
 * matter of neighbours: an opening quote stands behind a delimiter, a line end or a closing quote, and behind
 * a closing one stands a delimiter, a line end or an opening quote. */
#include "core/csv/csv_scan.h"

#include "core/base/scan.h"

#include <string.h>

#define BLOCK 64u

/* One bit a byte. */
struct masks {
    uint64_t valid, quote, delimiter, lf, cr;
};

static void start(struct csv_scan *scan, struct csv_scan_dialect dialect, uint64_t columns)
{
    *scan = (struct csv_scan){.dialect = dialect, .columns = columns, .before_field = 1};
}

void csv_scan_begin(struct csv_scan *scan, struct csv_scan_dialect dialect)
{
    start(scan, dialect, 0);
}

void csv_scan_begin_row(struct csv_scan *scan, struct csv_scan_dialect dialect, uint64_t columns)
{
    start(scan, dialect, columns);
}

void csv_scan_begin_inside(struct csv_scan *scan, struct csv_scan_dialect dialect, uint64_t columns)
{
    start(scan, dialect, columns);
    scan->quoted = true;
    scan->begins_inside = true;
    scan->before_field = 0;
}

/* ---- what is found ---- */

static void note(struct csv_scan *scan, enum csv_scan_defect defect, uint64_t offset, uint64_t count)
{
    if (scan->defects == 0 || offset < scan->defect_offset) {
        scan->defect = defect;
        scan->defect_offset = offset;
    }
    scan->defects += count;
}

static void note_mask(struct csv_scan *scan, enum csv_scan_defect defect, uint64_t mask)
{
    if (mask == 0) return;
    note(scan, defect, scan->bytes + (unsigned)__builtin_ctzll(mask), (unsigned)__builtin_popcountll(mask));
}

/* Row number `row` has `columns`. */
static void judge_row(struct csv_scan *scan, uint64_t row, uint64_t columns)
{
    if (scan->columns == 0) scan->columns = columns;
    if (columns == scan->columns) return;
    if (scan->uneven == 0) {
        scan->uneven_row = row;
        scan->uneven_columns = columns;
    }
    scan->uneven++;
}

/* A row ends before the byte at `end`, whose last bytes are its line end. */
static void end_row(struct csv_scan *scan, uint64_t delimiters, uint64_t end, bool after_cr)
{
    uint64_t const length = end - scan->row_begin;
    bool const is_lead = scan->begins_inside && !scan->lead_ended;
    if (!is_lead && length <= 1u + after_cr) {
        note(scan, CSV_SCAN_BLANK_LINE, scan->row_begin, 1);
        scan->row_begin = end;
        return;
    }
    scan->row_begin = end;
    scan->rows++;
    if (scan->rows == 1) scan->first_row_bytes = end;
    if (is_lead) {
        scan->lead_ended = true;
        scan->lead_delimiters = delimiters;
    } else {
        judge_row(scan, scan->rows, delimiters + 1);
    }
}

/* ---- blocks ---- */

/* Bit i: an odd number of bits is set from 0 to i. */
static uint64_t parity(uint64_t bits)
{
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ bits << 32;
}

static uint8_t last_of(uint64_t mask, unsigned length)
{
    return (uint8_t)(mask >> (length - 1) & 1);
}

/* `outside`: LF, CR and delimiters are those outside quotes. */
static void take_rows(struct csv_scan *scan, struct masks outside)
{
    uint64_t const after_cr = outside.cr << 1 | scan->cr;
    while (outside.lf != 0) {
        uint64_t const up_to = outside.lf ^ (outside.lf - 1);
        unsigned const at = (unsigned)__builtin_ctzll(outside.lf);
        uint64_t const delimiters =
            scan->delimiters + (unsigned)__builtin_popcountll(outside.delimiter & up_to);
        end_row(scan, delimiters, scan->bytes + at + 1, (after_cr >> at & 1) != 0);
        scan->delimiters = 0;
        outside.delimiter &= ~up_to;
        outside.lf &= outside.lf - 1;
    }
    scan->delimiters += (unsigned)__builtin_popcountll(outside.delimiter);
}

static void check_line_ends(struct csv_scan *scan, const struct masks *outside)
{
    if (!scan->dialect.crlf) {
        note_mask(scan, CSV_SCAN_LINE_END, outside->cr);
        return;
    }
    uint64_t const after_cr = outside->cr << 1 | scan->cr;
    note_mask(scan, CSV_SCAN_LINE_END, (after_cr ^ outside->lf) & outside->valid);
}

static void take_block(struct csv_scan *scan, const struct masks *found, unsigned length)
{
    uint64_t const quoted = (parity(found->quote) ^ (scan->quoted ? UINT64_MAX : 0)) & found->valid;
    struct masks const outside = {.valid = found->valid,
                                  .quote = found->quote,
                                  .delimiter = found->delimiter & ~quoted,
                                  .lf = found->lf & ~quoted,
                                  .cr = found->cr & ~quoted};
    uint64_t const opening = found->quote & quoted, closing = found->quote & ~quoted;
    uint64_t const before_field = outside.delimiter | outside.lf | closing;
    uint64_t const behind_close = (closing << 1 | scan->closed) & found->valid;
    note_mask(scan, CSV_SCAN_STRAY_QUOTE, opening & ~(before_field << 1 | scan->before_field));
    note_mask(scan, CSV_SCAN_AFTER_QUOTE,
              behind_close & ~(found->delimiter | found->lf | found->cr | found->quote));
    if ((outside.cr | scan->cr) != 0 || scan->dialect.crlf) check_line_ends(scan, &outside);
    take_rows(scan, outside);
    scan->quoted = last_of(quoted, length) != 0;
    scan->before_field = last_of(before_field, length);
    scan->closed = last_of(closing, length);
    scan->cr = last_of(outside.cr, length);
    scan->bytes += length;
}

static void find(const struct csv_scan *scan, const uint8_t *bytes, struct masks *found)
{
    found->quote = scan_mask64(bytes, '"') & found->valid;
    found->delimiter = scan_mask64(bytes, (uint8_t)scan->dialect.delimiter) & found->valid;
    found->lf = scan_mask64(bytes, '\n') & found->valid;
    found->cr = scan_mask64(bytes, '\r') & found->valid;
}

void csv_scan_bytes(struct csv_scan *scan, const uint8_t *bytes, size_t length)
{
    struct masks found = {.valid = UINT64_MAX};
    for (; length >= BLOCK; bytes += BLOCK, length -= BLOCK) {
        find(scan, bytes, &found);
        take_block(scan, &found, BLOCK);
    }
    if (length == 0) return;
    uint8_t rest[BLOCK] = {0};
    memcpy(rest, bytes, length);
    found.valid = ((uint64_t)1 << length) - 1;
    find(scan, rest, &found);
    take_block(scan, &found, (unsigned)length);
}

void csv_scan_end(struct csv_scan *scan)
{
    if (scan->quoted) note(scan, CSV_SCAN_OPEN_QUOTE, scan->bytes, 1);
    if (scan->cr != 0 && scan->dialect.crlf) note(scan, CSV_SCAN_LINE_END, scan->bytes, 1);
    if (scan->row_begin < scan->bytes || (scan->begins_inside && !scan->lead_ended)) {
        scan->row_begin--; /* as if a line feed stood there */
        end_row(scan, scan->delimiters, scan->bytes, false);
    }
    scan->delimiters = 0;
    scan->row_begin = scan->bytes;
}

/* ---- ranges ---- */

bool csv_scan_joins(const struct csv_scan *scan, const struct csv_scan *later)
{
    if (scan->quoted) return later->begins_inside;
    return !later->begins_inside && scan->row_begin == scan->bytes;
}

/* The row that was open at the end of `scan` ended in `later`, or is open still. */
static void join_open_row(struct csv_scan *scan, const struct csv_scan *later)
{
    if (!later->begins_inside || later->lead_ended) {
        if (later->begins_inside)
            judge_row(scan, scan->rows + 1, scan->delimiters + later->lead_delimiters + 1);
        scan->delimiters = later->delimiters;
        scan->row_begin = scan->bytes + later->row_begin;
    } else {
        scan->delimiters += later->delimiters;
    }
    if (scan->rows == 0 && later->rows > 0) scan->first_row_bytes = scan->bytes + later->first_row_bytes;
}

void csv_scan_join(struct csv_scan *scan, const struct csv_scan *later)
{
    join_open_row(scan, later);
    if (scan->columns == 0) scan->columns = later->columns;
    if (later->uneven > 0 && scan->uneven == 0) {
        scan->uneven_row = scan->rows + later->uneven_row;
        scan->uneven_columns = later->uneven_columns;
    }
    scan->uneven += later->uneven;
    if (later->defects > 0) note(scan, later->defect, scan->bytes + later->defect_offset, later->defects);
    scan->rows += later->rows;
    scan->bytes += later->bytes;
    scan->quoted = later->quoted;
    scan->before_field = later->before_field;
    scan->closed = later->closed;
    scan->cr = later->cr;
}

const char *csv_scan_defect_text(enum csv_scan_defect defect)
{
    switch (defect) {
    case CSV_SCAN_FINE: return "nothing";
    case CSV_SCAN_STRAY_QUOTE: return "a quote inside a value that does not begin with one";
    case CSV_SCAN_AFTER_QUOTE: return "a character behind a closing quote";
    case CSV_SCAN_OPEN_QUOTE: return "the file ends inside quotes";
    case CSV_SCAN_LINE_END: return "a CR or LF outside quotes that is not the line end of the rows";
    case CSV_SCAN_BLANK_LINE: return "a blank line, which readers pass over";
    }
    return "unknown";
}

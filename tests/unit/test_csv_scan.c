/* test_csv_scan.c - rows, columns and quotes by hand; then random bytes of the characters that matter,
 * against a model that looks at one byte at a time: whole, in pieces, in ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/csv_scan_model.h"

#include <stdlib.h>
#include <string.h>

static const struct csv_scan_dialect lf = {.delimiter = ','}, crlf = {.delimiter = ',', .crlf = true};

static struct csv_scan scan_text(struct csv_scan_dialect dialect, const char *text)
{
    struct csv_scan scan;
    csv_scan_begin(&scan, dialect);
    csv_scan_bytes(&scan, (const uint8_t *)text, strlen(text));
    csv_scan_end(&scan);
    return scan;
}

static void counts_rows_and_columns(void **state)
{
    (void)state;
    struct csv_scan scan = scan_text(lf, "");
    assert_int_equal(scan.rows, 0);
    assert_int_equal(scan.columns, 0);
    scan = scan_text(lf, "a,b,c\n1,2,3\n,,\n");
    assert_int_equal(scan.rows, 3);
    assert_int_equal(scan.columns, 3);
    assert_int_equal(scan.first_row_bytes, 6);
    assert_int_equal(scan.uneven, 0);
    assert_int_equal(scan.defects, 0);
    scan = scan_text(lf, "a\n1\n\"\"\nlast");
    assert_int_equal(scan.rows, 4);
    assert_int_equal(scan.columns, 1);
    assert_int_equal(scan.defects, 0);
    scan = scan_text(lf, "a,b\n1\n1,2\n1,2,3\n");
    assert_int_equal(scan.rows, 4);
    assert_int_equal(scan.uneven, 2);
    assert_int_equal(scan.uneven_row, 2);
    assert_int_equal(scan.uneven_columns, 1);
    scan = scan_text(crlf, "a,b\r\n1,2\r\n");
    assert_int_equal(scan.rows, 2);
    assert_int_equal(scan.first_row_bytes, 5);
    assert_int_equal(scan.defects, 0);
    scan = scan_text((struct csv_scan_dialect){.delimiter = '\t'}, "a\tb\n1,2\t3\n");
    assert_int_equal(scan.columns, 2);
    assert_int_equal(scan.uneven, 0);
}

static void reads_quoted_values(void **state)
{
    (void)state;
    struct csv_scan scan = scan_text(lf, "a,b\n\"x,y\nz\",\"he said \"\"no\"\"\"\n\"\",\"\"\"\"\n");
    assert_int_equal(scan.rows, 3);
    assert_int_equal(scan.uneven, 0);
    assert_int_equal(scan.defects, 0);
    scan = scan_text(crlf, "\"a\",\"b\"\r\n\"1\r\n2\",\"\r\"\r\n");
    assert_int_equal(scan.rows, 2);
    assert_int_equal(scan.defects, 0);
}

static void finds(struct csv_scan_dialect dialect, const char *text, enum csv_scan_defect defect,
                  uint64_t offset, uint64_t rows)
{
    struct csv_scan const scan = scan_text(dialect, text);
    if (scan.defect != defect || scan.defect_offset != offset || scan.rows != rows)
        fail_msg("%s: defect %d at %lu, %lu rows", text, scan.defect, (unsigned long)scan.defect_offset,
                 (unsigned long)scan.rows);
    assert_true(strlen(csv_scan_defect_text(defect)) > 5);
}

static void finds_what_breaks_the_dialect(void **state)
{
    (void)state;
    finds(lf, "a,b\nx\"y,1\n\",2\n", CSV_SCAN_STRAY_QUOTE, 5, 2);
    finds(lf, "a,b\n\"x\"y,1\n", CSV_SCAN_AFTER_QUOTE, 7, 2);
    finds(lf, "a,b\n\"x\" ,1\n", CSV_SCAN_AFTER_QUOTE, 7, 2);
    finds(lf, "a,b\n \"x\",1\n", CSV_SCAN_STRAY_QUOTE, 5, 2);
    finds(lf, "a,b\n1,\"2\n", CSV_SCAN_OPEN_QUOTE, 9, 2);
    finds(lf, "a,b\r\n1,2\n", CSV_SCAN_LINE_END, 3, 2);
    finds(lf, "a,b\n1\r,2\n", CSV_SCAN_LINE_END, 5, 2);
    finds(crlf, "a,b\n1,2\r\n", CSV_SCAN_LINE_END, 3, 2);
    finds(crlf, "a,b\r\n1,\r2\r\n", CSV_SCAN_LINE_END, 8, 2);
    finds(crlf, "a,b\r\n1,2\r", CSV_SCAN_LINE_END, 9, 2);
    finds(lf, "a,b\n\n1,2\n", CSV_SCAN_BLANK_LINE, 4, 2);
    finds(crlf, "a,b\r\n\r\n1,2\r\n", CSV_SCAN_BLANK_LINE, 5, 2);
    finds(lf, "\n", CSV_SCAN_BLANK_LINE, 0, 0);
}

/* xorshift: the same every time. */
static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    return *seed ^= *seed << 5;
}

/* Mostly well-formed rows when `tame`, else any mix of the characters that matter. */
static size_t make(uint32_t *seed, bool tame, bool with_crlf, uint8_t *out, size_t most)
{
    static const char any[] = "ab,\"\"\n\r";
    size_t length = 0;
    while (length + 16 < most) {
        if (!tame) {
            out[length++] = (uint8_t)any[next(seed) % (sizeof any - 1)];
            continue;
        }
        for (unsigned column = 0; column < 3; column++) {
            static const char *const values[] = {"",         "x",     "\"a,b\"", "\"l\nm\"",
                                                 "\"\"\"\"", "12345", "\"\r\n\""};
            const char *const value = values[next(seed) % 7];
            memcpy(out + length, value, strlen(value));
            length += strlen(value);
            out[length++] = ',';
            if (length + 16 >= most) return length;
        }
        length--;
        if (with_crlf) out[length++] = '\r';
        out[length++] = '\n';
    }
    return length;
}

static void agrees_with_the_model(void **state)
{
    (void)state;
    uint32_t seed = 20261122;
    for (unsigned round = 0; round < 4000; round++) {
        uint8_t bytes[700];
        bool const with_crlf = (round & 2) != 0;
        struct csv_scan_dialect const dialect = with_crlf ? crlf : lf;
        size_t const length = make(&seed, (round & 1) != 0, with_crlf, bytes, 17 + next(&seed) % 680);
        struct csv_model model;
        csv_model_run(&model, dialect, bytes, length);
        struct csv_scan scan;
        csv_scan_begin(&scan, dialect);
        for (size_t at = 0; at < length;) {
            size_t piece = 1 + next(&seed) % (round % 3 == 0 ? 300 : 9);
            if (piece > length - at) piece = length - at;
            uint8_t *const copy = malloc(piece); /* so that a sanitizer sees what reads too far */
            assert_non_null(copy);
            memcpy(copy, bytes + at, piece);
            csv_scan_bytes(&scan, copy, piece);
            free(copy);
            at += piece;
        }
        csv_scan_end(&scan);
        if (!csv_model_agrees(&model, &scan)) fail_msg("round %u", round);
    }
}

static void joins_ranges_as_if_they_were_one(void **state)
{
    (void)state;
    uint32_t seed = 4;
    for (unsigned round = 0; round < 4000; round++) {
        uint8_t bytes[700];
        bool const with_crlf = (round & 2) != 0;
        struct csv_scan_dialect const dialect = with_crlf ? crlf : lf;
        size_t const length = make(&seed, (round & 1) != 0, with_crlf, bytes, 17 + next(&seed) % 680);
        struct csv_model model;
        csv_model_run(&model, dialect, bytes, length);
        struct csv_scan whole;
        csv_model_ranges(dialect, bytes, length, 1 + next(&seed) % 200, (round & 4) != 0, &whole);
        if (!csv_model_agrees(&model, &whole)) fail_msg("round %u", round);
    }
}

static void joins_what_fits_only(void **state)
{
    (void)state;
    struct csv_scan first, row, inside;
    csv_scan_begin_row(&row, lf, 2);
    csv_scan_begin_inside(&inside, lf, 2);
    csv_scan_begin(&first, lf);
    csv_scan_bytes(&first, (const uint8_t *)"a,b\n", 4);
    assert_true(csv_scan_joins(&first, &row));
    assert_false(csv_scan_joins(&first, &inside));
    csv_scan_bytes(&first, (const uint8_t *)"1,\"\n", 4);
    assert_false(csv_scan_joins(&first, &row));
    assert_true(csv_scan_joins(&first, &inside));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_rows_and_columns),          cmocka_unit_test(reads_quoted_values),
        cmocka_unit_test(finds_what_breaks_the_dialect),    cmocka_unit_test(agrees_with_the_model),
        cmocka_unit_test(joins_ranges_as_if_they_were_one), cmocka_unit_test(joins_what_fits_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

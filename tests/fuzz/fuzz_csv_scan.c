/* fuzz_csv_scan.c - any bytes as CSV: a scan in pieces and one in ranges say what the model says, which looks
 * at one byte at a time.
 *
 * Byte 0: line ends, guesses; byte 1: the pieces; byte 2: the ranges; the rest is the file. */
#include "tests/unit/csv_scan_model.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) return 0;
    struct csv_scan_dialect const dialect = {.delimiter = ',', .crlf = (data[0] & 1) != 0};
    const uint8_t *const bytes = data + 3;
    size_t const length = size - 3, step = (size_t)data[1] + 1;
    struct csv_model model;
    csv_model_run(&model, dialect, bytes, length);
    struct csv_scan scan;
    csv_scan_begin(&scan, dialect);
    for (size_t at = 0; at < length; at += step)
        csv_scan_bytes(&scan, bytes + at, length - at < step ? length - at : step);
    csv_scan_end(&scan);
    if (!csv_model_agrees(&model, &scan)) abort();
    csv_model_ranges(dialect, bytes, length, (size_t)data[2] + 1, (data[0] & 2) != 0, &scan);
    if (!csv_model_agrees(&model, &scan)) abort();
    return 0;
}

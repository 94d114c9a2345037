/* verify_tell.c - see the header. Thread: main. Owns nothing. */
#include "io/cli/verify_tell.h"

#include "io/output/output_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A manifest's name, each byte of it escaped. */
#define NAME_SHOWN (4 * MANIFEST_NAME_MAX + 1)

struct telling {
    const struct verify *verify;
    uint64_t wrong;
    char name[NAME_SHOWN]; /* what the next lines are about */
};

__attribute__((format(printf, 2, 3))) static void tell(struct telling *telling, const char *format, ...)
{
    if (telling->wrong++ >= VERIFY_TELL_MAX) return;
    printf("%s: ", telling->name);
    va_list arguments;
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static void tell_trouble(struct telling *telling, const char *what, const char *words)
{
    char shown[FAULT_MESSAGE_MAX];
    tell(telling, "%s: %s", what, output_text_printable(words, shown, sizeof shown));
}

static void about(struct telling *telling, const char *name)
{
    (void)output_text_printable(name, telling->name, sizeof telling->name);
}

static void tell_count(struct telling *telling, const char *what, uint64_t expected, uint64_t found)
{
    if (expected != found) tell(telling, "%s: expected %" PRIu64 ", found %" PRIu64, what, expected, found);
}

/* ---- one file ---- */

static uint64_t rows_of(const struct verify *verify, size_t file)
{
    uint64_t const rows = verify->results[file].scan.rows;
    return verify_has_header(verify, file) && rows > 0 ? rows - 1 : rows;
}

static void tell_more(char out[48], uint64_t count)
{
    out[0] = '\0';
    if (count > 1) (void)snprintf(out, 48, ", and %" PRIu64 " more", count - 1);
}

static void tell_header(struct telling *telling, size_t file)
{
    const struct verify *const verify = telling->verify;
    char first[NAME_SHOWN];
    if (!verify->results[file].other_header) return;
    tell(telling, "header: expected that of %s, found another",
         output_text_printable(verify->options.manifest->files[verify->header_file].name, first,
                               sizeof first));
}

/* How a file is compressed that is called so. */
static enum unpack_form form_by_name(const char *name)
{
    const char *const dot = strrchr(name, '.');
    if (dot == NULL) return UNPACK_PLAIN;
    return strcmp(dot, ".gz") == 0 ? UNPACK_GZIP : strcmp(dot, ".zst") == 0 ? UNPACK_ZSTD : UNPACK_PLAIN;
}

/* A reader goes by the name. Java's GZIPInputStream may stop silently behind the first of several members. */
static void tell_form(struct telling *telling, const char *name, const struct verify_result *result)
{
    enum unpack_form const expected = form_by_name(name);
    if (result->form != expected)
        tell(telling, "compression: expected %s as its name says, found %s", unpack_form_name(expected),
             unpack_form_name(result->form));
    if (result->form == UNPACK_GZIP && result->trouble == NULL)
        tell_count(telling, "gzip members", 1, result->members);
}

static void tell_rows(struct telling *telling, size_t file)
{
    const struct csv_scan *const scan = &telling->verify->results[file].scan;
    char more[48];
    tell_count(telling, "rows", telling->verify->options.manifest->files[file].records,
               rows_of(telling->verify, file));
    tell_more(more, scan->uneven);
    if (scan->uneven > 0)
        tell(telling, "columns: expected %" PRIu64 ", found %" PRIu64 " in row %" PRIu64 "%s", scan->columns,
             scan->uneven_columns, scan->uneven_row, more);
    tell_more(more, scan->defects);
    if (scan->defects > 0)
        tell(telling, "csv: expected the job's dialect, found %s at byte %" PRIu64 "%s",
             csv_scan_defect_text(scan->defect), scan->defect_offset, more);
}

static void tell_checksum(struct telling *telling, const struct report_entry *entry, uint64_t checksum)
{
    char expected[CHECKSUM_TEXT_SIZE], found[CHECKSUM_TEXT_SIZE];
    if (entry->checksum_kind == CHECKSUM_NONE || entry->checksum == checksum) return;
    checksum_text(entry->checksum_kind, entry->checksum, expected);
    checksum_text(entry->checksum_kind, checksum, found);
    tell(telling, "%s: expected %s, found %s", checksum_name(entry->checksum_kind), expected, found);
}

static void tell_report(struct telling *telling, size_t file)
{
    const struct verify *const verify = telling->verify;
    const struct verify_result *const result = &verify->results[file];
    const struct report_entry *const entry = verify->entries[file];
    if (verify->options.report == NULL) return;
    if (entry == NULL) {
        tell(telling, "report: expected this file in it, found none");
        return;
    }
    if (result->trouble == NULL)
        tell_count(telling, "rows of the report", entry->rows, rows_of(verify, file));
    tell_count(telling, "bytes of the report", entry->bytes, result->bytes);
    tell_checksum(telling, entry, result->checksum);
}

/* False: it has no place to be looked at. */
static bool tell_place(struct telling *telling, size_t file, const char *prefix)
{
    char place[VERIFY_PLACE_MAX], shown[NAME_SHOWN];
    const char *const name = telling->verify->options.manifest->files[file].name;
    switch (verify_place_of(&telling->verify->place, name, place, NULL)) {
    case VERIFY_PLACE_FINE: return true;
    case VERIFY_PLACE_PREFIX:
        tell(telling, "name: expected pega.path_prefix \"%s\" at its begin, found none",
             output_text_printable(prefix, shown, sizeof shown));
        return false;
    case VERIFY_PLACE_OUTSIDE: break;
    }
    tell(telling, "name: expected a path below the manifest's folder, found one that leads elsewhere");
    return false;
}

static void tell_file(struct telling *telling, size_t file, const char *prefix)
{
    const struct verify *const verify = telling->verify;
    const struct manifest_file *const said = &verify->options.manifest->files[file];
    const struct verify_result *const result = &verify->results[file];
    about(telling, said->name);
    if (verify->named_before[file]) tell(telling, "name: expected once in the manifest, found again");
    if (!tell_place(telling, file, prefix) || !result->seen) return;
    if (result->missing || (result->trouble != NULL && result->bytes == 0)) {
        tell_trouble(telling, result->missing ? "missing" : "can't be read", result->trouble);
        return;
    }
    if (said->has_size) tell_count(telling, "size", said->size, result->bytes);
    tell_form(telling, said->name, result);
    tell_header(telling, file);
    if (result->trouble != NULL) /* what rows there are behind it nobody knows */
        tell_trouble(telling, "can't be read to its end", result->trouble);
    else
        tell_rows(telling, file);
    tell_report(telling, file);
}

/* ---- the report ---- */

static void tell_other(struct telling *telling, const struct verify_other *other)
{
    const struct verify_result *const result = &other->result;
    if (result->missing || (result->trouble != NULL && result->bytes == 0)) {
        tell_trouble(telling, result->missing ? "missing" : "can't be read", result->trouble);
        return;
    }
    tell_count(telling, "bytes of the report", other->entry->bytes, result->bytes);
    tell_checksum(telling, other->entry, result->checksum);
}

/* The manifest itself, of which the next lines are. */
static void tell_manifest(struct telling *telling)
{
    const struct verify *const verify = telling->verify;
    if (verify->options.report == NULL) return;
    if (verify->other_count > 0)
        tell_other(telling, &verify->others[0]);
    else
        tell(telling, "report: expected this manifest in it, found none");
}

/* What the report has beside the manifest and the files that it names. */
static void tell_rest(struct telling *telling)
{
    const struct verify *const verify = telling->verify;
    for (size_t i = 0; verify->whole && i < verify->options.report->data.count; i++) {
        if (verify->reported[i]) continue;
        about(telling, verify->options.report->data.entries[i].url);
        tell(telling, "manifest: expected this file of the report in it, found none");
    }
    for (size_t i = 1; i < verify->other_count; i++) {
        about(telling, verify->others[i].entry->url);
        tell_other(telling, &verify->others[i]);
    }
}

/* ---- all ---- */

static uint64_t sum_of_records(const struct manifest *manifest)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < manifest->file_count; i++)
        sum +=
            manifest->files[i].records; /* 100,000 numbers below 10^18 may pass 2^64: they differ then too */
    return sum;
}

static void summarise(const struct telling *telling)
{
    const struct verify *const verify = telling->verify;
    size_t const files = verify->options.manifest->file_count;
    uint64_t rows = 0, bytes = 0;
    for (size_t i = 0; i < files; i++) {
        rows += rows_of(verify, i);
        bytes += verify->results[i].bytes;
    }
    if (telling->wrong > VERIFY_TELL_MAX)
        printf("%" PRIu64 " more things are wrong\n", telling->wrong - VERIFY_TELL_MAX);
    printf("%s: %zu %s, %" PRIu64 " %s, %" PRIu64 " bytes", telling->wrong == 0 ? "verified" : "not verified",
           files, files == 1 ? "file" : "files", rows, rows == 1 ? "row" : "rows", bytes);
    if (telling->wrong > 0)
        printf("; %" PRIu64 " %s wrong", telling->wrong, telling->wrong == 1 ? "thing is" : "things are");
    putchar('\n');
}

uint64_t verify_tell(const struct verify *verify, const char *manifest, const char *prefix)
{
    struct telling telling = {.verify = verify};
    const struct manifest *const said = verify->options.manifest;
    about(&telling, manifest);
    tell_count(&telling, "totalRecordCount", sum_of_records(said), said->total);
    tell_manifest(&telling);
    for (size_t i = 0; i < said->file_count; i++)
        tell_file(&telling, i, prefix);
    tell_rest(&telling);
    summarise(&telling);
    return telling.wrong;
}

void verify_tell_manifest(const char *words)
{
    char shown[FAULT_MESSAGE_MAX];
    printf("%s\nnot verified: 1 thing is wrong\n", output_text_printable(words, shown, sizeof shown));
}

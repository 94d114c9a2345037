/* pega_manifest.c - a manifest as text. Thread: any. Owns nothing beyond each call. */
#include "io/pega/pega_manifest.h"

#include "core/base/utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is written in place of a character; NULL: itself. Quotes need it in attributes only. */
static const char *entity_of(char character)
{
    switch (character) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    default: return NULL;
    }
}

static void put_text(FILE *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        const char *const entity = entity_of(*at);
        if (entity != NULL)
            fputs(entity, out);
        else
            fputc(*at, out);
    }
}

static void put_element(FILE *out, int indent, const char *name, const char *text)
{
    fprintf(out, "%*s<%s>", indent, "", name);
    put_text(out, text);
    fprintf(out, "</%s>\n", name);
}

static void put_number(FILE *out, int indent, const char *name, uint64_t number)
{
    fprintf(out, "%*s<%s>%" PRIu64 "</%s>\n", indent, "", name, number, name);
}

static void put_file(FILE *out, const struct pega_manifest_file *file)
{
    fputs("    <file>\n", out);
    put_element(out, 6, "name", file->name);
    put_number(out, 6, "size", file->size);
    put_number(out, 6, "recordCount", file->records);
    fputs("    </file>\n", out);
}

static void put_manifest(FILE *out, const struct pega_manifest *manifest)
{
    uint64_t total = 0;
    for (size_t i = 0; i < manifest->count; i++)
        total += manifest->files[i].records;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<manifest>\n", out);
    put_element(out, 2, "processType", manifest->process_type);
    put_number(out, 2, "totalRecordCount", total);
    fputs("  <files>\n", out);
    for (size_t i = 0; i < manifest->count; i++)
        put_file(out, &manifest->files[i]);
    fputs("  </files>\n</manifest>\n", out);
}

/* Control characters but TAB, LF and CR, and U+FFFE and U+FFFF, are in no XML 1.0 document, escaped or not;
 * CR and LF would not come back as they were, and no name has them. */
static bool has_place_in_xml(const char *text)
{
    size_t const length = strlen(text);
    if (utf8_valid_prefix(text, length) < length) return false;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at < 0x20 && *at != '\t') return false;
        if (at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe) return false;
    }
    return true;
}

enum status pega_manifest_check(const char *what, const char *text, struct fault *fault)
{
    if (has_place_in_xml(text)) return STATUS_OK;
    return fault_set(fault, STATUS_JOB,
                     "%s: holds a character that XML can't hold (a control character, U+FFFE or U+FFFF), so "
                     "that no manifest can say it: leave it out",
                     what);
}

static enum status check(const struct pega_manifest *manifest, struct fault *fault)
{
    enum status status = pega_manifest_check("pega.process_type", manifest->process_type, fault);
    for (size_t i = 0; i < manifest->count && status == STATUS_OK; i++)
        status = pega_manifest_check("files.name or pega.path_prefix", manifest->files[i].name, fault);
    return status;
}

enum status pega_manifest_write(const struct pega_manifest *manifest, struct pega_manifest_text *text,
                                struct fault *fault)
{
    enum status const status = check(manifest, fault);
    if (status != STATUS_OK) return status;
    *text = (struct pega_manifest_text){.bytes = NULL};
    FILE *const out = open_memstream(&text->bytes, &text->length);
    bool good = out != NULL;
    if (good) {
        put_manifest(out, manifest);
        good = ferror(out) == 0;
        good = fclose(out) == 0 && good;
    }
    if (good) return STATUS_OK;
    free(text->bytes);
    text->bytes = NULL;
    return fault_set(fault, STATUS_IO, "no memory left for a manifest of %zu files", manifest->count);
}

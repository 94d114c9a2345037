/* manifest_read.c - by libexpat, the only file that includes expat.h for manifests.
 *
 * All is given to expat at once, which then never scans a token twice. Without a DTD there are no entities
 * but the five of XML, so nothing can grow while it is read.
 *
 * Thread: any. Owns its parser and the list of files while it reads. */
#include "io/manifest/manifest_read.h"

#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 16u
/* 2^63 has 19: 18 can't overflow. */
#define NUMBER_DIGITS 18u
#define FILES_FIRST   64u
#define REASON_MAX    160u
/* Where the root is looked for in what expat does not understand: behind a declaration and comments. */
#define ROOT_WITHIN (64u * 1024)

enum element {
    ELEMENT_PROCESS_TYPE,
    ELEMENT_TOTAL,
    ELEMENT_FILES,
    ELEMENT_NAME,
    ELEMENT_SIZE,
    ELEMENT_COUNT,
    ELEMENTS
};

/* Where they stand: level 2 below manifest, level 4 below file. */
static const struct known {
    const char *name;
    unsigned level;
} known[ELEMENTS] = {[ELEMENT_PROCESS_TYPE] = {"processType", 2},
                     [ELEMENT_TOTAL] = {"totalRecordCount", 2},
                     [ELEMENT_FILES] = {"files", 2},
                     [ELEMENT_NAME] = {"name", 4},
                     [ELEMENT_SIZE] = {"size", 4},
                     [ELEMENT_COUNT] = {"recordCount", 4}};

struct reader {
    XML_Parser parser;
    struct manifest *manifest;
    struct manifest_file file; /* that is open */
    size_t room;               /* of manifest->files */
    unsigned level;            /* of the element that is open */
    unsigned unknown;          /* the level below which all is passed over; 0: none */
    bool seen[ELEMENTS];
    bool names_only;
    bool in_text; /* of `element` */
    enum element element;
    char text[MANIFEST_NAME_MAX + 1];
    size_t text_length;
    bool bad;
    unsigned long line;
    char reason[REASON_MAX];
};

/* The first reason stays; expat may send some more events. */
__attribute__((format(printf, 2, 3))) static void fail(struct reader *reader, const char *format, ...)
{
    if (reader->bad) return;
    reader->bad = true;
    reader->line = XML_GetCurrentLineNumber(reader->parser);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reader->reason, sizeof reader->reason, format, arguments);
    va_end(arguments);
    (void)XML_StopParser(reader->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
    const char *const colon = strrchr(name, ':');
    return colon == NULL ? name : colon + 1;
}

/* ---- elements that begin ---- */

static bool is_wanted(const struct reader *reader, enum element element)
{
    return !reader->names_only || element == ELEMENT_FILES || element == ELEMENT_NAME;
}

static void open_known(struct reader *reader, enum element element)
{
    if (reader->seen[element]) {
        fail(reader, "<%s> is there twice", known[element].name);
        return;
    }
    reader->seen[element] = true;
    if (element == ELEMENT_FILES) return;
    reader->in_text = true;
    reader->element = element;
    reader->text_length = 0;
}

static void open_file(struct reader *reader)
{
    if (reader->manifest->file_count == MANIFEST_FILES_MAX) {
        fail(reader, "more than %u files", MANIFEST_FILES_MAX);
        return;
    }
    reader->file = (struct manifest_file){.name = NULL};
    reader->seen[ELEMENT_NAME] = reader->seen[ELEMENT_SIZE] = reader->seen[ELEMENT_COUNT] = false;
}

static void open_element(struct reader *reader, const char *name)
{
    unsigned const level = ++reader->level;
    if (level > LEVELS_MAX) {
        fail(reader, "elements nest deeper than %u", LEVELS_MAX);
        return;
    }
    if (reader->unknown != 0) return;
    if (reader->in_text) {
        fail(reader, "an element stands inside <%s>", known[reader->element].name);
        return;
    }
    if (level == 1) {
        if (strcmp(name, "manifest") != 0) fail(reader, "the root is not <manifest>");
        return;
    }
    if (level == 3 && strcmp(name, "file") == 0) {
        open_file(reader);
        return;
    }
    for (int i = 0; i < ELEMENTS; i++)
        if (is_wanted(reader, (enum element)i) && known[i].level == level &&
            strcmp(name, known[i].name) == 0) {
            open_known(reader, (enum element)i);
            return;
        }
    reader->unknown = level;
}

/* ---- elements that end ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without white space around it. */
static const char *trimmed(struct reader *reader)
{
    char *text = reader->text;
    while (reader->text_length > 0 && is_blank(text[reader->text_length - 1]))
        reader->text_length--;
    text[reader->text_length] = '\0';
    while (is_blank(*text))
        text++;
    return text;
}

static bool read_number(struct reader *reader, const char *text, uint64_t *value)
{
    size_t const digits = strspn(text, "0123456789");
    if (digits == 0 || digits > NUMBER_DIGITS || text[digits] != '\0') {
        fail(reader, "<%s> is not a number", known[reader->element].name);
        return false;
    }
    *value = strtoull(text, NULL, 10);
    return true;
}

static const char *keep(struct reader *reader, const char *text)
{
    const char *const copy = arena_text(&reader->manifest->arena, text, strlen(text));
    if (copy == NULL) fail(reader, "no memory to read it");
    return copy;
}

static void close_text(struct reader *reader)
{
    struct manifest *const manifest = reader->manifest;
    const char *const text = trimmed(reader);
    reader->in_text = false;
    switch (reader->element) {
    case ELEMENT_PROCESS_TYPE: manifest->process_type = keep(reader, text); break;
    case ELEMENT_TOTAL: (void)read_number(reader, text, &manifest->total); break;
    case ELEMENT_NAME:
        if (text[0] == '\0') fail(reader, "<name> is empty");
        reader->file.name = keep(reader, text);
        break;
    case ELEMENT_SIZE: reader->file.has_size = read_number(reader, text, &reader->file.size); break;
    case ELEMENT_COUNT: (void)read_number(reader, text, &reader->file.records); break;
    case ELEMENT_FILES:
    case ELEMENTS: break;
    }
}

static void close_file(struct reader *reader)
{
    struct manifest *const manifest = reader->manifest;
    bool const counted = reader->seen[ELEMENT_COUNT] || !is_wanted(reader, ELEMENT_COUNT);
    if (!reader->seen[ELEMENT_NAME] || !counted) {
        fail(reader, "a <file> has no <%s>",
             known[reader->seen[ELEMENT_NAME] ? ELEMENT_COUNT : ELEMENT_NAME].name);
        return;
    }
    if (manifest->file_count == reader->room) {
        size_t const room = reader->room == 0 ? FILES_FIRST : reader->room * 2;
        struct manifest_file *const files = realloc(manifest->files, room * sizeof *files);
        if (files == NULL) {
            fail(reader, "no memory to read it");
            return;
        }
        manifest->files = files;
        reader->room = room;
    }
    manifest->files[manifest->file_count++] = reader->file;
}

static void close_element(struct reader *reader)
{
    unsigned const level = reader->level--;
    if (reader->unknown != 0) {
        if (reader->unknown == level) reader->unknown = 0;
    } else if (reader->in_text) {
        close_text(reader);
    } else if (level == 3) {
        close_file(reader);
    }
}

/* ---- expat's events ---- */

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *const reader = context;
    (void)attributes;
    if (!reader->bad) open_element(reader, local_name(name));
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
    struct reader *const reader = context;
    (void)name;
    if (!reader->bad) close_element(reader);
}

static void XMLCALL on_text(void *context, const XML_Char *text, int length)
{
    struct reader *const reader = context;
    if (reader->bad || !reader->in_text || reader->unknown != 0) return;
    if ((size_t)length > MANIFEST_NAME_MAX - reader->text_length) {
        fail(reader, "<%s> is longer than %u bytes", known[reader->element].name, MANIFEST_NAME_MAX);
        return;
    }
    memcpy(reader->text + reader->text_length, text, (size_t)length);
    reader->text_length += (size_t)length;
}

static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int has_subset)
{
    (void)name, (void)system, (void)public, (void)has_subset;
    fail(context, "it has a DTD, which a manifest never has");
}

/* ---- the whole ---- */

static void parse(struct reader *reader, const uint8_t *bytes, size_t length)
{
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    if (XML_Parse(reader->parser, (const char *)bytes, (int)length, 1) != XML_STATUS_OK)
        fail(reader, "it is not XML: %s", XML_ErrorString(XML_GetErrorCode(reader->parser)));
    for (int i = 0; i < ELEMENT_NAME; i++)
        if (!reader->seen[i] && i != ELEMENT_PROCESS_TYPE && is_wanted(reader, (enum element)i))
            fail(reader, "it has no <%s>", known[i].name);
}

static enum status read_it(const char *what, const uint8_t *bytes, size_t length, bool names_only,
                           struct manifest *manifest, struct fault *fault)
{
    *manifest = (struct manifest){.process_type = ""};
    if (length > MANIFEST_BYTES_MAX)
        return fault_set(fault, STATUS_IO, "%s: has %zu bytes; a manifest has at most %u", what, length,
                         MANIFEST_BYTES_MAX);
    struct reader *const reader = calloc(1, sizeof *reader);
    if (reader == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", what);
    reader->manifest = manifest;
    reader->names_only = names_only;
    reader->parser = XML_ParserCreate(NULL);
    if (reader->parser == NULL) {
        free(reader);
        return fault_set(fault, STATUS_IO, "%s: no memory to read it", what);
    }
    parse(reader, bytes, length);
    enum status status = STATUS_OK;
    if (reader->bad)
        status = fault_set(fault, STATUS_IO, "%s: is no manifest of a Pega data job: line %lu: %s", what,
                           reader->line, reader->reason);
    XML_ParserFree(reader->parser);
    free(reader);
    return status;
}

enum status manifest_read(const char *what, const uint8_t *bytes, size_t length, struct manifest *manifest,
                          struct fault *fault)
{
    return read_it(what, bytes, length, false, manifest, fault);
}

enum status manifest_read_names(const char *what, const uint8_t *bytes, size_t length,
                                struct manifest *manifest, struct fault *fault)
{
    return read_it(what, bytes, length, true, manifest, fault);
}

void manifest_free(struct manifest *manifest)
{
    arena_free(&manifest->arena);
    free(manifest->files);
    *manifest = (struct manifest){.process_type = ""};
}

/* ---- the first element alone ---- */

struct root {
    XML_Parser parser;
    bool seen, is_manifest;
};

static void XMLCALL on_root(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct root *const root = context;
    (void)attributes;
    if (root->seen) return;
    root->seen = true;
    root->is_manifest = strcmp(local_name(name), "manifest") == 0;
    (void)XML_StopParser(root->parser, XML_FALSE);
}

/* expat waits for more of a word that never ends. UTF-16 and UTF-32 have a zero beside the bracket. */
static bool begins_as_xml(const uint8_t *bytes, size_t length)
{
    size_t at = length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (at < length && is_blank((char)bytes[at]))
        at++;
    return at == length || bytes[at] == '<' || bytes[at] == 0 || bytes[at] >= 0xFE;
}

/* Is there such a tag in what is no XML to expat, such as one of an encoding that it does not know? */
static bool holds_root(const uint8_t *bytes, size_t length)
{
    static const char root[] = "<manifest";
    return memmem(bytes, length < ROOT_WITHIN ? length : ROOT_WITHIN, root, sizeof root - 1) != NULL;
}

bool manifest_may_be(const uint8_t *bytes, size_t length)
{
    if (!begins_as_xml(bytes, length)) return false;
    struct root root = {.parser = XML_ParserCreate(NULL)};
    if (root.parser == NULL) return true; /* no memory: whoever reads it will say so */
    XML_SetUserData(root.parser, &root);
    XML_SetStartElementHandler(root.parser, on_root);
    bool const is_xml = XML_Parse(root.parser, (const char *)bytes, (int)length, 0) == XML_STATUS_OK;
    XML_ParserFree(root.parser);
    return root.seen ? root.is_manifest : is_xml || holds_root(bytes, length);
}

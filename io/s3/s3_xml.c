/* s3_xml.c - reads the XML of S3's replies with libexpat, the only file that includes expat.h for S3.
 *
 * The document is read into a copy of the answer, which takes its place only when all of it was good. Without
 * a DTD there are no entities but the five of XML, so nothing can grow while it is read: S3_XML_MAX bounds
 * everything. All is given to expat at once, which then never scans a token twice.
 *
 * Thread rule: pure but for malloc; any thread. Owns its parser while it reads; lists go to the answer's
 * arena. */
#include "io/s3/s3_xml.h"

#include "io/s3/s3_xml_field.h"
#include "io/s3/s3_xml_text.h"

#include <expat.h>
#include <string.h>

/* The deepest that is known, ListMultipartUploadsResult, has 4 (Upload, Initiator, ID). */
#define XML_LEVELS 16u

struct reader {
    XML_Parser parser;
    struct s3_xml_draft draft;
    unsigned level; /* of the element that is open */
    bool bad;       /* expat may send some more events */
};

static void fail(struct reader *reader)
{
    if (reader->bad) return;
    reader->bad = true;
    XML_StopParser(reader->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon == NULL ? name : colon + 1;
}

/* False: another root, too deep, an element where a text should be, or an entry too many. */
static bool open_element(struct reader *reader, const char *name)
{
    struct s3_xml_draft *draft = &reader->draft;
    reader->level++;
    if (reader->level == 1) return s3_xml_field_root(draft, name);
    if (reader->level > XML_LEVELS || draft->rule != NULL) return false;
    if (reader->level == 2 && s3_xml_field_is_entry(draft, name)) return s3_xml_field_begin_entry(draft);
    if (reader->level == (draft->in_entry ? 3 : 2)) s3_xml_field_open(draft, name);
    return true;
}

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *reader = context;
    (void)attributes;
    if (!reader->bad && !open_element(reader, local_name(name))) fail(reader);
}

static void XMLCALL on_text(void *context, const XML_Char *text, int length)
{
    struct reader *reader = context;
    if (reader->bad || reader->draft.rule == NULL) return;
    if (!s3_xml_field_text(&reader->draft, text, (size_t)length)) fail(reader);
}

static bool close_element(struct reader *reader)
{
    struct s3_xml_draft *draft = &reader->draft;
    unsigned const level = reader->level--;
    if (draft->rule != NULL) return s3_xml_field_close(draft);
    return level != 2 || !draft->in_entry || s3_xml_field_end_entry(draft);
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
    struct reader *reader = context;
    (void)name;
    if (!reader->bad && !close_element(reader)) fail(reader);
}

static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int has_subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_subset;
    fail(context);
}

static bool parse(struct reader *reader, const uint8_t *bytes, size_t length)
{
    reader->parser = XML_ParserCreate(NULL);
    if (reader->parser == NULL) return false;
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    enum XML_Status const status = XML_Parse(reader->parser, (const char *)bytes, (int)length, 1);
    XML_ParserFree(reader->parser);
    return status == XML_STATUS_OK && !reader->bad;
}

enum s3_document s3_xml_read(const uint8_t *bytes, size_t length, enum checksum_kind checksum_kind,
                             struct s3_answer *answer)
{
    while (length > 0 && s3_xml_text_is_blank((char)*bytes)) {
        bytes++;
        length--;
    }
    if (length == 0 || length > S3_XML_MAX) return S3_DOCUMENT_BAD;
    struct s3_answer draft = *answer;
    struct reader reader = {.draft = {.answer = &draft, .kind = checksum_kind}};
    bool const good = parse(&reader, bytes, length) && s3_xml_field_finish(&reader.draft);
    answer->arena = draft.arena; /* what was allocated for a bad document is freed with the answer */
    if (!good) return S3_DOCUMENT_BAD;
    *answer = draft;
    return reader.draft.document;
}

/* aws_sts_xml.c - STS's answers, by expat with an allocator that overwrites what it frees.
 *
 * Thread rule: reentrant. Owns the text of the element that is being read. */
#include "io/aws/aws_sts_xml.h"

#include "io/aws/aws_memory.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

enum sts_field {
    STS_ACCESS_KEY_ID,
    STS_SECRET_ACCESS_KEY,
    STS_SESSION_TOKEN,
    STS_EXPIRATION,
    STS_CODE,
    STS_MESSAGE,
    STS_FIELDS
};

static const char *const sts_names[STS_FIELDS] = {
    "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "Code", "Message"};

struct sts_parser {
    XML_Parser expat;
    unsigned depth;
    enum sts_field field; /* STS_FIELDS: text is of no interest */
    unsigned field_depth;
    size_t length;
    char text[AWS_CREDENTIAL_TEXT_MAX + 1];
    bool seen[STS_FIELDS];
    struct aws_sts_reply *reply;
};

static void sts_stop(struct sts_parser *parser)
{
    XML_StopParser(parser->expat, XML_FALSE);
}

/* Printable ASCII, since it goes into messages; cut to the room. */
static void sts_take_printable(const struct sts_parser *parser, char *out, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < parser->length && length + 1 < size; i++) {
        char const c = parser->text[i];
        out[length++] = (char)(c >= 0x20 && c < 0x7F ? c : c == '\n' || c == '\t' ? ' ' : '?');
    }
    out[length] = '\0';
}

static void sts_take_copy(struct sts_parser *parser, char **out)
{
    if (parser->length == 0) return;
    *out = strdup(parser->text);
    if (*out == NULL) sts_stop(parser);
}

static void sts_take(struct sts_parser *parser)
{
    struct aws_sts_reply *const reply = parser->reply;
    parser->text[parser->length] = '\0';
    switch (parser->field) {
    case STS_ACCESS_KEY_ID: sts_take_copy(parser, &reply->access_key_id); break;
    case STS_SECRET_ACCESS_KEY: sts_take_copy(parser, &reply->secret_access_key); break;
    case STS_SESSION_TOKEN: sts_take_copy(parser, &reply->session_token); break;
    case STS_EXPIRATION: sts_take_printable(parser, reply->expiration, sizeof reply->expiration); break;
    case STS_CODE: sts_take_printable(parser, reply->code, sizeof reply->code); break;
    case STS_MESSAGE: sts_take_printable(parser, reply->message, sizeof reply->message); break;
    case STS_FIELDS: break;
    }
}

static void XMLCALL sts_start_element(void *context, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    struct sts_parser *const parser = context;
    if (++parser->depth > AWS_STS_XML_DEPTH_MAX) sts_stop(parser);
    parser->field = STS_FIELDS;
    const char *const colon = strrchr(name, ':');
    for (unsigned i = 0; i < STS_FIELDS; i++)
        if (!parser->seen[i] && strcmp(colon == NULL ? name : colon + 1, sts_names[i]) == 0)
            parser->field = (enum sts_field)i;
    parser->field_depth = parser->depth;
    parser->length = 0;
}

static void XMLCALL sts_end_element(void *context, const XML_Char *name)
{
    (void)name;
    struct sts_parser *const parser = context;
    if (parser->field != STS_FIELDS && parser->field_depth == parser->depth) {
        parser->seen[parser->field] = true;
        sts_take(parser);
    }
    parser->field = STS_FIELDS;
    parser->depth--;
}

static void XMLCALL sts_text(void *context, const XML_Char *text, int length)
{
    struct sts_parser *const parser = context;
    size_t const more = (size_t)length;
    if (parser->field == STS_FIELDS) return;
    if (more > AWS_CREDENTIAL_TEXT_MAX - parser->length) {
        sts_stop(parser);
        return;
    }
    memcpy(parser->text + parser->length, text, more);
    parser->length += more;
}

static void XMLCALL sts_doctype(void *context, const XML_Char *name, const XML_Char *system,
                                const XML_Char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    sts_stop((struct sts_parser *)context);
}

bool aws_sts_xml_read(const char *text, size_t length, struct aws_sts_reply *reply)
{
    static const XML_Memory_Handling_Suite memory = {aws_memory_allocate, aws_memory_resize,
                                                     aws_memory_release};
    *reply = (struct aws_sts_reply){0};
    if (length > AWS_STS_XML_BYTES_MAX) return false;
    struct sts_parser *const parser = calloc(1, sizeof *parser);
    if (parser == NULL) return false;
    parser->reply = reply;
    parser->field = STS_FIELDS;
    parser->expat = XML_ParserCreate_MM("UTF-8", &memory, NULL);
    bool read = parser->expat != NULL;
    if (read) {
        XML_SetUserData(parser->expat, parser);
        XML_SetElementHandler(parser->expat, sts_start_element, sts_end_element);
        XML_SetCharacterDataHandler(parser->expat, sts_text);
        XML_SetStartDoctypeDeclHandler(parser->expat, sts_doctype);
        read = XML_Parse(parser->expat, text, (int)length, XML_TRUE) == XML_STATUS_OK;
        XML_ParserFree(parser->expat);
    }
    aws_wipe_free(parser, sizeof *parser);
    if (!read) aws_sts_xml_free(reply);
    return read;
}

static void sts_wipe_text(char *text)
{
    if (text != NULL) aws_wipe_free(text, strlen(text));
}

void aws_sts_xml_free(struct aws_sts_reply *reply)
{
    sts_wipe_text(reply->access_key_id);
    sts_wipe_text(reply->secret_access_key);
    sts_wipe_text(reply->session_token);
    *reply = (struct aws_sts_reply){0};
}

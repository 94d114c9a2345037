/* s3_complete_xml.c - writes the list of parts that Complete is sent with.
 *
 * The ETags are those of UploadPart's replies, never of a listing (S3's advice); each part carries its
 * checksum, so that S3 compares them once more.
 *
 * Thread rule: pure. Owns nothing: the text lies in the caller's arena. */
#include "io/s3/s3_complete_xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define XMLNS    "http://s3.amazonaws.com/doc/2006-03-01/"
#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUpload xmlns=\"" XMLNS "\">\n"
#define XML_TAIL "</CompleteMultipartUpload>\n"

enum {
    /* A part's elements but its ETag's text: tags 87, two checksum tags 43, base64 12, number 5. */
    XML_PART_BYTES = 160,
    XML_ESCAPE_MOST = 5 /* "&amp;" */
};

const char *s3_complete_xml_checksum(enum checksum_kind kind)
{
    switch (kind) {
    case CHECKSUM_CRC64NVME: return "CRC64NVME";
    case CHECKSUM_CRC32C: return "CRC32C";
    case CHECKSUM_CRC32: return "CRC32";
    case CHECKSUM_NONE: break;
    }
    return NULL;
}

static char *put_text(char *at, const char *text)
{
    size_t const length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

/* ETags are the server's, so they may be anything. */
static char *put_escaped(char *at, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&': at = put_text(at, "&amp;"); break;
        case '<': at = put_text(at, "&lt;"); break;
        case '>': at = put_text(at, "&gt;"); break;
        default: *at++ = *text; break;
        }
    }
    return at;
}

static bool parts_are_whole(const struct s3_op *op)
{
    uint64_t size = 0;
    if (op->part_count == 0 || op->part_count > S3_PARTS_MAX) return false;
    for (size_t i = 0; i < op->part_count; i++) {
        const struct s3_part *part = &op->parts[i];
        if (part->number != i + 1 || part->etag[0] == '\0') return false;
        size += part->size;
    }
    return size == op->object_size;
}

static char *put_part(char *at, char *end, const struct s3_part *part, enum checksum_kind kind)
{
    at = put_text(at, "<Part><ETag>");
    at = put_escaped(at, part->etag);
    at = put_text(at, "</ETag>");
    if (kind != CHECKSUM_NONE) {
        char checksum[CHECKSUM_TEXT_SIZE];
        const char *word = s3_complete_xml_checksum(kind);
        checksum_text(kind, part->checksum, checksum);
        at += snprintf(at, (size_t)(end - at), "<Checksum%s>%s</Checksum%s>", word, checksum, word);
    }
    return at +
           snprintf(at, (size_t)(end - at), "<PartNumber>%" PRIu32 "</PartNumber></Part>\n", part->number);
}

enum status s3_complete_xml(const struct s3_op *op, struct arena *arena, struct http_span *xml,
                            struct fault *fault)
{
    if (!parts_are_whole(op))
        return fault_set(
            fault, STATUS_INTERNAL,
            "CompleteMultipartUpload: the list of parts has a gap, or is not as long as the object");
    size_t size = sizeof XML_HEAD + sizeof XML_TAIL;
    for (size_t i = 0; i < op->part_count; i++)
        size += XML_PART_BYTES + XML_ESCAPE_MOST * strlen(op->parts[i].etag);
    char *text = arena_alloc(arena, size);
    if (text == NULL)
        return fault_set(fault, STATUS_IO, "out of memory for the list of %zu parts", op->part_count);
    char *at = put_text(text, XML_HEAD), *const end = text + size;
    for (size_t i = 0; i < op->part_count; i++)
        at = put_part(at, end, &op->parts[i], op->checksum_kind);
    at = put_text(at, XML_TAIL);
    *xml = (struct http_span){(const uint8_t *)text, (size_t)(at - text)};
    return STATUS_OK;
}

/* fuzz_s3_xml.c - any bytes as a reply's XML: reading stays within its memory and bounds, a document that is
 * refused changes nothing, what is read is as it must be, twice the same, and not read any more when it is
 * cut.
 *
 * Byte 0 chooses the kind of checksum, byte 1 where the document is cut; the rest is the document. */
#include "io/s3/s3_xml.h"

#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 65536 };

static void expect(bool holds)
{
    if (!holds) abort();
}

/* What an answer had before: the request's facts, which no document may change. */
static const struct s3_answer before = {.status = 418, .retry_after_ms = -1, .content_length = 77};

static void check_text(const char *text, size_t size)
{
    size_t const length = strnlen(text, size);
    expect(length < size);
    expect(utf8_valid_prefix(text, length) == length);
    for (size_t i = 0; i < length; i++)
        expect((uint8_t)text[i] >= ' ' && text[i] != 0x7F);
    expect(length == 0 || (text[0] != ' ' && text[length - 1] != ' '));
}

static void check_error(const struct s3_answer *answer)
{
    check_text(answer->code, sizeof answer->code);
    check_text(answer->message, sizeof answer->message);
    check_text(answer->request_id, sizeof answer->request_id);
    check_text(answer->host_id, sizeof answer->host_id);
    check_text(answer->region, sizeof answer->region);
    check_text(answer->endpoint, sizeof answer->endpoint);
}

static void check_parts(const struct s3_answer *answer)
{
    expect(answer->part_count <= S3_LIST_MAX && answer->next_part_marker <= S3_PARTS_MAX);
    expect(!answer->truncated || answer->next_part_marker != 0);
    expect(!answer->has_checksum || answer->part_count > 0);
    for (size_t i = 0; i < answer->part_count; i++) {
        const struct s3_part *part = &answer->parts[i];
        expect(part->number >= 1 && part->number <= S3_PARTS_MAX && part->size <= S3_OBJECT_MAX);
        expect(strnlen(part->etag, sizeof part->etag) < sizeof part->etag);
    }
}

static void check_uploads(const struct s3_answer *answer)
{
    expect(answer->upload_count <= S3_LIST_MAX);
    expect(!answer->truncated || answer->next_key_marker != NULL);
    for (size_t i = 0; i < answer->upload_count; i++) {
        const struct s3_listed_upload *upload = &answer->uploads[i];
        size_t const key = strlen(upload->key), id = strlen(upload->upload_id);
        expect(key <= S3_KEY_MAX && id >= 1 && id <= S3_UPLOAD_ID_MAX);
    }
}

static void check_rest(const struct s3_answer *answer)
{
    expect(answer->status == before.status && answer->retry_after_ms == before.retry_after_ms &&
           answer->content_length == before.content_length);
    expect(strnlen(answer->upload_id, sizeof answer->upload_id) < sizeof answer->upload_id);
    expect(strnlen(answer->etag, sizeof answer->etag) < sizeof answer->etag);
}

static bool same_text(const char *a, const char *b)
{
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void check_same(const struct s3_answer *a, const struct s3_answer *b)
{
    expect(strcmp(a->code, b->code) == 0 && strcmp(a->message, b->message) == 0);
    expect(strcmp(a->upload_id, b->upload_id) == 0 && strcmp(a->etag, b->etag) == 0);
    expect(a->has_checksum == b->has_checksum && a->checksum == b->checksum && a->date == b->date);
    expect(a->part_count == b->part_count && a->upload_count == b->upload_count);
    expect(same_text(a->next_key_marker, b->next_key_marker));
    for (size_t i = 0; i < a->part_count; i++)
        expect(memcmp(&a->parts[i], &b->parts[i], sizeof a->parts[i]) == 0);
    for (size_t i = 0; i < a->upload_count; i++)
        expect(same_text(a->uploads[i].key, b->uploads[i].key) &&
               a->uploads[i].initiated == b->uploads[i].initiated);
}

/* Cut before its last '>' no document is whole. */
static void check_cut(const uint8_t *bytes, size_t length, size_t part, enum checksum_kind kind)
{
    while (length > 0 && bytes[length - 1] != '>')
        length--;
    if (length == 0) return;
    uint8_t *copy = malloc(length);
    expect(copy != NULL);
    size_t const kept = (length - 1) * part / 255;
    memcpy(copy, bytes, kept);
    struct s3_answer answer = before;
    if (memchr(bytes, 0, length) == NULL && memmem(bytes, length, "-->", 3) == NULL &&
        memmem(bytes, length, "?>", 2) == NULL)
        expect(s3_xml_read(copy, kept, kind, &answer) == S3_DOCUMENT_BAD);
    arena_free(&answer.arena);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX) return 0;
    enum checksum_kind const kind = (enum checksum_kind)(data[0] % (CHECKSUM_CRC32 + 1));
    size_t const length = size - 2;
    uint8_t *copy = malloc(length + (length == 0));
    expect(copy != NULL);
    memcpy(copy, data + 2, length);
    struct s3_answer answer = before, again = before;
    enum s3_document const document = s3_xml_read(copy, length, kind, &answer);
    expect(s3_xml_read(copy, length, kind, &again) == document);
    check_same(&answer, &again);
    check_rest(&answer);
    if (document == S3_DOCUMENT_ERROR) check_error(&answer);
    if (document == S3_DOCUMENT_PARTS) check_parts(&answer);
    if (document == S3_DOCUMENT_UPLOADS) check_uploads(&answer);
    if (document == S3_DOCUMENT_BAD) {
        arena_free(&answer.arena);
        expect(memcmp(&answer, &before, sizeof answer) == 0);
    } else {
        check_cut(copy, length, data[1], kind);
    }
    arena_free(&answer.arena);
    arena_free(&again.arena);
    free(copy);
    return 0;
}

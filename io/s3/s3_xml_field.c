/* s3_xml_field.c - a table of the elements that are read, and what each puts into the answer.
 *
 * Pure but for malloc. Thread: any. Owns nothing: lists are the answer's. */
#include "io/s3/s3_xml_field.h"

#include "core/csv/timestamp.h"
#include "io/s3/s3_xml_text.h"

#include <stddef.h>
#include <string.h>

/* Base64 of 8 bytes, "-10000" and the blanks that a pretty printer may add. */
#define XML_WORD 64u

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum field {
    FIELD_NONE,
    FIELD_CODE,
    FIELD_MESSAGE,
    FIELD_REQUEST_ID,
    FIELD_HOST_ID,
    FIELD_REGION,
    FIELD_ENDPOINT,
    FIELD_SERVER_TIME,
    FIELD_CREATED_ID,
    FIELD_ETAG,
    FIELD_CHECKSUM,
    FIELD_CHECKSUM_TYPE,
    FIELD_TRUNCATED,
    FIELD_NEXT_PART,
    FIELD_NEXT_KEY,
    FIELD_NEXT_UPLOAD,
    FIELD_ENCODING,
    FIELD_PART_NUMBER,
    FIELD_PART_SIZE,
    FIELD_PART_ETAG,
    FIELD_PART_CHECKSUM,
    FIELD_UPLOAD_KEY,
    FIELD_UPLOAD_ID,
    FIELD_UPLOAD_TIME,
    FIELD_NEXT_TOKEN,
    FIELD_OBJECT_KEY,
    FIELD_OBJECT_SIZE,
    FIELD_OBJECT_ETAG
};

struct s3_xml_rule {
    enum s3_document document;
    bool in_entry;
    bool cut; /* for people only: too long is no mistake */
    const char *name;
    enum field field;
    unsigned most; /* bytes of text */
};

#define SIZE_OF(member) (sizeof((struct s3_answer *)NULL)->member)

/* A checksum's element is named by its kind: see lookup(). */
static const struct s3_xml_rule rules[] = {
    {S3_DOCUMENT_ERROR, false, false, "Code", FIELD_CODE, SIZE_OF(code) - 1},
    {S3_DOCUMENT_ERROR, false, true, "Message", FIELD_MESSAGE, S3_XML_TEXT},
    {S3_DOCUMENT_ERROR, false, true, "RequestId", FIELD_REQUEST_ID, SIZE_OF(request_id) - 1},
    {S3_DOCUMENT_ERROR, false, true, "HostId", FIELD_HOST_ID, SIZE_OF(host_id) - 1},
    {S3_DOCUMENT_ERROR, false, false, "Region", FIELD_REGION, S3_REGION_MAX},
    {S3_DOCUMENT_ERROR, false, false, "Endpoint", FIELD_ENDPOINT, S3_HOST_MAX},
    {S3_DOCUMENT_ERROR, false, true, "ServerTime", FIELD_SERVER_TIME, XML_WORD},
    {S3_DOCUMENT_CREATE, false, false, "UploadId", FIELD_CREATED_ID, S3_UPLOAD_ID_MAX},
    {S3_DOCUMENT_COMPLETE, false, false, "ETag", FIELD_ETAG, S3_ETAG_MAX},
    {S3_DOCUMENT_COMPLETE, false, false, "ChecksumType", FIELD_CHECKSUM_TYPE, XML_WORD},
    {S3_DOCUMENT_COMPLETE, false, false, "Checksum", FIELD_CHECKSUM, XML_WORD},
    {S3_DOCUMENT_PARTS, false, false, "ChecksumType", FIELD_CHECKSUM_TYPE, XML_WORD},
    {S3_DOCUMENT_PARTS, false, false, "IsTruncated", FIELD_TRUNCATED, XML_WORD},
    {S3_DOCUMENT_PARTS, false, false, "NextPartNumberMarker", FIELD_NEXT_PART, XML_WORD},
    {S3_DOCUMENT_PARTS, true, false, "PartNumber", FIELD_PART_NUMBER, XML_WORD},
    {S3_DOCUMENT_PARTS, true, false, "Size", FIELD_PART_SIZE, XML_WORD},
    {S3_DOCUMENT_PARTS, true, false, "ETag", FIELD_PART_ETAG, S3_ETAG_MAX},
    {S3_DOCUMENT_PARTS, true, false, "Checksum", FIELD_PART_CHECKSUM, XML_WORD},
    {S3_DOCUMENT_UPLOADS, false, false, "IsTruncated", FIELD_TRUNCATED, XML_WORD},
    {S3_DOCUMENT_UPLOADS, false, false, "NextKeyMarker", FIELD_NEXT_KEY, S3_XML_TEXT},
    {S3_DOCUMENT_UPLOADS, false, false, "NextUploadIdMarker", FIELD_NEXT_UPLOAD, S3_UPLOAD_ID_MAX},
    {S3_DOCUMENT_UPLOADS, false, false, "EncodingType", FIELD_ENCODING, XML_WORD},
    {S3_DOCUMENT_UPLOADS, true, false, "Key", FIELD_UPLOAD_KEY, S3_XML_TEXT},
    {S3_DOCUMENT_UPLOADS, true, false, "UploadId", FIELD_UPLOAD_ID, S3_UPLOAD_ID_MAX},
    {S3_DOCUMENT_UPLOADS, true, false, "Initiated", FIELD_UPLOAD_TIME, XML_WORD},
    {S3_DOCUMENT_OBJECTS, false, false, "IsTruncated", FIELD_TRUNCATED, XML_WORD},
    {S3_DOCUMENT_OBJECTS, false, false, "NextContinuationToken", FIELD_NEXT_TOKEN, S3_XML_TEXT},
    {S3_DOCUMENT_OBJECTS, false, false, "EncodingType", FIELD_ENCODING, XML_WORD},
    {S3_DOCUMENT_OBJECTS, true, false, "Key", FIELD_OBJECT_KEY, S3_XML_TEXT},
    {S3_DOCUMENT_OBJECTS, true, false, "Size", FIELD_OBJECT_SIZE, XML_WORD},
    {S3_DOCUMENT_OBJECTS, true, false, "ETag", FIELD_OBJECT_ETAG, S3_ETAG_MAX},
};

/* ---- the document ---- */

static enum s3_document document_named(const char *name)
{
    static const struct {
        const char *name;
        enum s3_document document;
    } roots[] = {{"Error", S3_DOCUMENT_ERROR},
                 {"InitiateMultipartUploadResult", S3_DOCUMENT_CREATE},
                 {"CompleteMultipartUploadResult", S3_DOCUMENT_COMPLETE},
                 {"ListPartsResult", S3_DOCUMENT_PARTS},
                 {"ListMultipartUploadsResult", S3_DOCUMENT_UPLOADS},
                 {"ListBucketResult", S3_DOCUMENT_OBJECTS}};
    for (size_t i = 0; i < COUNT(roots); i++)
        if (strcmp(name, roots[i].name) == 0) return roots[i].document;
    return S3_DOCUMENT_BAD;
}

/* A list of an earlier page is none of this one. */
static void forget_lists(struct s3_answer *answer)
{
    answer->truncated = false;
    answer->next_part_marker = 0;
    answer->next_key_marker = answer->next_upload_marker = NULL;
    answer->parts = NULL;
    answer->uploads = NULL;
    answer->objects = NULL;
    answer->next_list_token = NULL;
    answer->part_count = answer->upload_count = answer->object_count = 0;
}

bool s3_xml_field_root(struct s3_xml_draft *draft, const char *name)
{
    draft->document = document_named(name);
    if (draft->document == S3_DOCUMENT_PARTS || draft->document == S3_DOCUMENT_UPLOADS ||
        draft->document == S3_DOCUMENT_OBJECTS)
        forget_lists(draft->answer);
    return draft->document != S3_DOCUMENT_BAD;
}

bool s3_xml_field_is_entry(const struct s3_xml_draft *draft, const char *name)
{
    return (draft->document == S3_DOCUMENT_PARTS && strcmp(name, "Part") == 0) ||
           (draft->document == S3_DOCUMENT_UPLOADS && strcmp(name, "Upload") == 0) ||
           (draft->document == S3_DOCUMENT_OBJECTS && strcmp(name, "Contents") == 0);
}

static const char *checksum_element(enum checksum_kind kind)
{
    switch (kind) {
    case CHECKSUM_CRC64NVME: return "ChecksumCRC64NVME";
    case CHECKSUM_CRC32C: return "ChecksumCRC32C";
    case CHECKSUM_CRC32: return "ChecksumCRC32";
    case CHECKSUM_NONE: break;
    }
    return NULL;
}

static bool is_named(const struct s3_xml_draft *draft, const struct s3_xml_rule *rule, const char *name)
{
    bool const sum = rule->field == FIELD_CHECKSUM || rule->field == FIELD_PART_CHECKSUM;
    const char *wanted = sum ? checksum_element(draft->kind) : rule->name;
    return wanted != NULL && strcmp(name, wanted) == 0;
}

static const struct s3_xml_rule *lookup(const struct s3_xml_draft *draft, const char *name)
{
    for (size_t i = 0; i < COUNT(rules); i++)
        if (rules[i].document == draft->document && rules[i].in_entry == draft->in_entry &&
            is_named(draft, &rules[i], name))
            return &rules[i];
    return NULL;
}

void s3_xml_field_open(struct s3_xml_draft *draft, const char *name)
{
    draft->rule = lookup(draft, name);
    draft->length = 0;
    draft->text[0] = 0;
}

bool s3_xml_field_text(struct s3_xml_draft *draft, const char *text, size_t length)
{
    size_t const room = draft->rule->most - draft->length;
    if (length > room && !draft->rule->cut) return false;
    if (length > room) length = room; /* perhaps inside a character, which s3_xml_text_clean() drops then */
    memcpy(draft->text + draft->length, text, length);
    draft->length += length;
    draft->text[draft->length] = 0;
    return true;
}

/* ---- fields ---- */

/* The text without blanks around it: what pretty printers add. Not for keys and ids. */
static const char *trimmed(struct s3_xml_draft *draft)
{
    size_t begin = 0;
    while (s3_xml_text_is_blank(draft->text[begin]))
        begin++;
    while (draft->length > begin && s3_xml_text_is_blank(draft->text[draft->length - 1]))
        draft->text[--draft->length] = 0;
    return draft->text + begin;
}

static bool put_clean(char *to, size_t size, const struct s3_xml_draft *draft)
{
    s3_xml_text_clean(to, size, draft->text);
    return true;
}

/* What a header may have told already. */
static bool put_if_new(char *to, size_t size, const struct s3_xml_draft *draft)
{
    return to[0] != 0 || put_clean(to, size, draft);
}

static bool put_exact(char *to, const char *text)
{
    memcpy(to, text, strlen(text) + 1); /* the rule's `most` is the field's size */
    return true;
}

static char *keep_text(struct s3_xml_draft *draft)
{
    return arena_text(&draft->answer->arena, draft->text, draft->length);
}

/* RFC 3339 with a fraction, as all stores write it. */
static bool put_time(const char *text, int64_t *seconds)
{
    return timestamp_from_text(text, strlen(text), seconds);
}

static bool put_error(struct s3_xml_draft *draft, enum field field)
{
    struct s3_answer *answer = draft->answer;
    switch (field) {
    case FIELD_CODE: return put_clean(answer->code, sizeof answer->code, draft);
    case FIELD_MESSAGE: return put_clean(answer->message, sizeof answer->message, draft);
    case FIELD_REQUEST_ID: return put_if_new(answer->request_id, sizeof answer->request_id, draft);
    case FIELD_HOST_ID: return put_if_new(answer->host_id, sizeof answer->host_id, draft);
    case FIELD_REGION: return put_if_new(answer->region, sizeof answer->region, draft);
    case FIELD_ENDPOINT: return put_clean(answer->endpoint, sizeof answer->endpoint, draft);
    case FIELD_SERVER_TIME:
        if (answer->date == 0) (void)put_time(trimmed(draft), &answer->date); /* stays 0 when it is none */
        return true;
    default: return false;
    }
}

static bool put_result(struct s3_xml_draft *draft, enum field field)
{
    struct s3_answer *answer = draft->answer;
    switch (field) {
    case FIELD_CREATED_ID: return put_exact(answer->upload_id, draft->text);
    case FIELD_ETAG: return put_exact(answer->etag, trimmed(draft));
    case FIELD_CHECKSUM_TYPE: draft->composite = strcmp(trimmed(draft), "COMPOSITE") == 0; return true;
    case FIELD_CHECKSUM:
        answer->has_checksum = true;
        return s3_xml_text_checksum(draft->kind, trimmed(draft), &answer->checksum,
                                    &answer->checksum_is_composite);
    default: return put_error(draft, field);
    }
}

/* NULL for an empty text: there is no such marker. */
static bool put_marker(struct s3_xml_draft *draft, char **marker)
{
    if (draft->length == 0) return true;
    if (*marker != NULL) return false; /* twice */
    *marker = keep_text(draft);
    return *marker != NULL;
}

static bool put_next_part(struct s3_xml_draft *draft)
{
    const char *text = trimmed(draft);
    uint64_t value = 0;
    if (text[0] != 0 && !s3_xml_text_number(text, S3_PARTS_MAX, &value)) return false;
    draft->answer->next_part_marker = (uint32_t)value;
    return true;
}

static bool put_listing(struct s3_xml_draft *draft, enum field field)
{
    struct s3_answer *answer = draft->answer;
    switch (field) {
    case FIELD_TRUNCATED: return s3_xml_text_boolean(trimmed(draft), &answer->truncated);
    case FIELD_ENCODING: draft->encoded = strcmp(trimmed(draft), "url") == 0; return true;
    case FIELD_NEXT_PART: return put_next_part(draft);
    case FIELD_NEXT_KEY: return put_marker(draft, &draft->next_key);
    case FIELD_NEXT_UPLOAD: return put_marker(draft, &draft->next_upload);
    case FIELD_NEXT_TOKEN: return put_marker(draft, &draft->next_token);
    default: return put_result(draft, field);
    }
}

static bool put_part(struct s3_xml_draft *draft, enum field field)
{
    struct s3_part *part = &draft->answer->parts[draft->answer->part_count];
    const char *text = trimmed(draft);
    uint64_t number = 0;
    bool composite = false;
    switch (field) {
    case FIELD_PART_NUMBER:
        if (!s3_xml_text_number(text, S3_PARTS_MAX, &number)) return false;
        part->number = (uint32_t)number;
        return true;
    case FIELD_PART_SIZE: draft->has_size = true; return s3_xml_text_number(text, S3_OBJECT_MAX, &part->size);
    case FIELD_PART_ETAG: return put_exact(part->etag, text);
    default:
        draft->has_sum = true;
        return s3_xml_text_checksum(draft->kind, text, &part->checksum, &composite) && !composite;
    }
}

static bool put_upload(struct s3_xml_draft *draft, enum field field)
{
    size_t const at = draft->answer->upload_count;
    struct s3_listed_upload *upload = &draft->answer->uploads[at];
    switch (field) {
    case FIELD_UPLOAD_KEY:
        if (upload->key != NULL) return false; /* twice: nobody writes that, and the arena would grow */
        upload->key = draft->keys[at] = keep_text(draft);
        return upload->key != NULL;
    case FIELD_UPLOAD_ID:
        if (upload->upload_id != NULL) return false;
        upload->upload_id = keep_text(draft);
        return upload->upload_id != NULL;
    default: draft->has_time = true; return put_time(trimmed(draft), &upload->initiated);
    }
}

static bool put_object(struct s3_xml_draft *draft, enum field field)
{
    size_t const at = draft->answer->object_count;
    struct s3_listed_object *object = &draft->answer->objects[at];
    switch (field) {
    case FIELD_OBJECT_KEY:
        if (object->key != NULL) return false; /* as above */
        object->key = draft->keys[at] = keep_text(draft);
        return object->key != NULL;
    case FIELD_OBJECT_SIZE:
        draft->has_size = true;
        return s3_xml_text_number(trimmed(draft), S3_OBJECT_MAX, &object->size);
    default:
        if (object->etag != NULL) return false;
        const char *const etag = trimmed(draft);
        if (etag[0] == '\0') return true;
        object->etag = arena_text(&draft->answer->arena, etag, strlen(etag));
        return object->etag != NULL;
    }
}

static bool put(struct s3_xml_draft *draft, const struct s3_xml_rule *rule)
{
    if (!rule->in_entry) return put_listing(draft, rule->field);
    if (draft->document == S3_DOCUMENT_OBJECTS) return put_object(draft, rule->field);
    return draft->document == S3_DOCUMENT_PARTS ? put_part(draft, rule->field)
                                                : put_upload(draft, rule->field);
}

bool s3_xml_field_close(struct s3_xml_draft *draft)
{
    const struct s3_xml_rule *rule = draft->rule;
    draft->rule = NULL;
    return put(draft, rule);
}

/* ---- entries ---- */

/* Room for all entries at once: a page of parts takes 150 KB, and an arena can't grow what it gave. */
bool s3_xml_field_begin_entry(struct s3_xml_draft *draft)
{
    struct s3_answer *answer = draft->answer;
    struct arena *arena = &answer->arena;
    draft->in_entry = true;
    draft->has_size = draft->has_time = draft->has_sum = false;
    if (draft->document == S3_DOCUMENT_PARTS) {
        if (answer->parts == NULL) answer->parts = arena_array(arena, S3_LIST_MAX, sizeof *answer->parts);
        return answer->parts != NULL && answer->part_count < S3_LIST_MAX;
    }
    if (draft->keys == NULL) draft->keys = arena_array(arena, S3_LIST_MAX, sizeof *draft->keys);
    if (draft->document == S3_DOCUMENT_OBJECTS) {
        if (answer->objects == NULL)
            answer->objects = arena_array(arena, S3_LIST_MAX, sizeof *answer->objects);
        return answer->objects != NULL && draft->keys != NULL && answer->object_count < S3_LIST_MAX;
    }
    if (answer->uploads == NULL) answer->uploads = arena_array(arena, S3_LIST_MAX, sizeof *answer->uploads);
    return answer->uploads != NULL && draft->keys != NULL && answer->upload_count < S3_LIST_MAX;
}

/* Without its time an upload would count as a very old one, which `cleanup` aborts. */
bool s3_xml_field_end_entry(struct s3_xml_draft *draft)
{
    struct s3_answer *answer = draft->answer;
    draft->in_entry = false;
    if (draft->document == S3_DOCUMENT_PARTS) {
        draft->sums += draft->has_sum;
        return answer->parts[answer->part_count++].number != 0 && draft->has_size;
    }
    if (draft->document == S3_DOCUMENT_OBJECTS) {
        const char *const key = answer->objects[answer->object_count++].key;
        return key != NULL && key[0] != 0 && draft->has_size;
    }
    const struct s3_listed_upload *upload = &answer->uploads[answer->upload_count++];
    return upload->key != NULL && upload->key[0] != 0 && upload->upload_id != NULL &&
           upload->upload_id[0] != 0 && draft->has_time;
}

/* ---- the end ---- */

static bool finish_key(const struct s3_xml_draft *draft, char *key)
{
    return (!draft->encoded || s3_xml_text_url_decode(key)) && strlen(key) <= S3_KEY_MAX;
}

static bool finish_uploads(struct s3_xml_draft *draft)
{
    struct s3_answer *answer = draft->answer;
    for (size_t i = 0; i < answer->upload_count; i++)
        if (!finish_key(draft, draft->keys[i])) return false;
    if (draft->next_key != NULL && !finish_key(draft, draft->next_key)) return false;
    answer->next_key_marker = draft->next_key;
    answer->next_upload_marker = draft->next_upload;
    return !answer->truncated || draft->next_key != NULL;
}

static bool finish_objects(struct s3_xml_draft *draft)
{
    struct s3_answer *answer = draft->answer;
    for (size_t i = 0; i < answer->object_count; i++)
        if (!finish_key(draft, draft->keys[i])) return false;
    answer->next_list_token = draft->next_token;
    return !answer->truncated || draft->next_token != NULL;
}

bool s3_xml_field_finish(struct s3_xml_draft *draft)
{
    struct s3_answer *answer = draft->answer;
    if (draft->document == S3_DOCUMENT_OBJECTS) return finish_objects(draft);
    if (draft->document == S3_DOCUMENT_UPLOADS) return finish_uploads(draft);
    if (draft->document == S3_DOCUMENT_COMPLETE && draft->composite) answer->checksum_is_composite = true;
    if (draft->document != S3_DOCUMENT_PARTS) return true;
    answer->has_checksum = answer->part_count > 0 && draft->sums == answer->part_count;
    answer->checksum_is_composite = draft->composite;
    return !answer->truncated || answer->next_part_marker != 0;
}

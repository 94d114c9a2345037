/* fake_s3.h - a store for tests of what asks S3 one question at a time: it keeps uploads, denies what it is
 * told to, and writes down what it was asked. */
#ifndef PENSTOCK_TESTS_UNIT_FAKE_S3_H
#define PENSTOCK_TESTS_UNIT_FAKE_S3_H

#include "io/s3/s3_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_UPLOADS 16
#define FAKE_LOG     4096

struct fake_upload {
    char key[64], id[16];
    int64_t initiated;
    bool gone;
};

struct fake_s3 {
    struct fake_upload uploads[FAKE_UPLOADS];
    size_t upload_count;
    size_t page;      /* entries of a page of the list; 0: all */
    bool encodes;     /* keys of the list, without saying so; markers not: as RGW 16 */
    bool stuck_list;  /* the list says it goes on where it was */
    bool taken;       /* an object has the key */
    uint32_t denied;  /* bit of each s3_op_kind: 403 */
    const char *code; /* of those; NULL: AccessDenied */
    bool denies_tags, denies_acl, denies_kms; /* Create with one of them */
    enum s3_op_kind fails;                    /* this operation fails ... */
    enum s3_verdict verdict;                  /* ... like this, when not S3_DONE */
    enum status status;
    uint32_t stubborn; /* aborts that leave the upload there */
    uint32_t attempts; /* of a Create; 0: 1 */
    int64_t date, abort_date;
    uint32_t stop_after; /* calls until the person interrupts; 0: never */
    uint32_t calls, pauses;
    char log[FAKE_LOG]; /* "head-bucket head create part ..." */
    struct s3_op last_create, last_part;
    uint8_t part_byte;
};

static inline const char *fake_name(enum s3_op_kind kind)
{
    switch (kind) {
    case S3_HEAD_BUCKET: return "bucket";
    case S3_HEAD_OBJECT: return "head";
    case S3_CREATE_UPLOAD: return "create";
    case S3_UPLOAD_PART: return "part";
    case S3_LIST_PARTS: return "parts";
    case S3_ABORT_UPLOAD: return "abort";
    case S3_LIST_UPLOADS: return "list";
    default: return "other";
    }
}

static inline enum status fake_end(struct s3_call *call, enum s3_verdict verdict, enum status status,
                                   const char *code)
{
    call->verdict = verdict;
    call->status = status;
    snprintf(call->answer.code, sizeof call->answer.code, "%s", code);
    if (status != STATUS_OK) fault_set(&call->fault, status, "%s: %s", fake_name(call->op.kind), code);
    return status;
}

static inline enum status fake_denied(const struct fake_s3 *fake, struct s3_call *call)
{
    return fake_end(call, S3_DENIED, STATUS_RIGHTS, fake->code != NULL ? fake->code : "AccessDenied");
}

static inline struct fake_upload *fake_find(struct fake_s3 *fake, const struct s3_op *op)
{
    for (size_t i = 0; i < fake->upload_count; i++)
        if (!fake->uploads[i].gone && strcmp(fake->uploads[i].id, op->upload_id) == 0 &&
            strcmp(fake->uploads[i].key, op->key) == 0)
            return &fake->uploads[i];
    return NULL;
}

static inline struct fake_upload *fake_add(struct fake_s3 *fake, const char *key, int64_t initiated)
{
    if (fake->upload_count == FAKE_UPLOADS) abort();
    struct fake_upload *const upload = &fake->uploads[fake->upload_count++];
    snprintf(upload->key, sizeof upload->key, "%s", key);
    snprintf(upload->id, sizeof upload->id, "id%zu", fake->upload_count);
    upload->initiated = initiated;
    upload->gone = false;
    return upload;
}

static inline const char *fake_key(const struct fake_s3 *fake, struct arena *arena, const char *key)
{
    char out[3 * 64 + 1];
    size_t used = 0;
    for (; *key != '\0'; key++) {
        bool const plain = !fake->encodes || strchr(" %=+", *key) == NULL;
        used += (size_t)snprintf(out + used, sizeof out - used, plain ? "%c" : "%%%02X",
                                 (unsigned)(unsigned char)*key);
    }
    return arena_text(arena, out, used);
}

static inline enum status fake_create(struct fake_s3 *fake, struct s3_call *call)
{
    const struct s3_object_options *const object = call->op.object;
    fake->last_create = call->op;
    bool const kms = object->sse != NULL && strncmp(object->sse, "aws:kms", 7) == 0;
    if ((fake->denies_tags && object->tag_count > 0) || (fake->denies_acl && object->acl != NULL) ||
        (fake->denies_kms && kms))
        return fake_denied(fake, call);
    const struct fake_upload *const upload = fake_add(fake, call->op.key, 1000);
    snprintf(call->answer.upload_id, sizeof call->answer.upload_id, "%s", upload->id);
    call->attempts = fake->attempts == 0 ? 1 : fake->attempts;
    call->answer.abort_date = fake->abort_date;
    return fake_end(call, S3_DONE, STATUS_OK, "");
}

/* In the order they were added, from behind the markers. */
static inline enum status fake_list(const struct fake_s3 *fake, struct s3_call *call)
{
    struct s3_answer *const answer = &call->answer;
    answer->uploads = arena_array(&answer->arena, FAKE_UPLOADS, sizeof *answer->uploads);
    size_t const page = fake->page == 0 ? FAKE_UPLOADS : fake->page;
    bool begun = call->op.upload_marker == NULL;
    for (size_t i = 0; i < fake->upload_count; i++) {
        const struct fake_upload *const upload = &fake->uploads[i];
        bool const marked = !begun && strcmp(upload->id, call->op.upload_marker) == 0;
        if (marked) begun = true;
        if (marked || !begun || upload->gone ||
            strncmp(upload->key, call->op.prefix, strlen(call->op.prefix)) != 0)
            continue;
        if (answer->upload_count == page) {
            answer->truncated = true;
            break;
        }
        answer->uploads[answer->upload_count++] =
            (struct s3_listed_upload){.key = fake_key(fake, &answer->arena, upload->key),
                                      .upload_id = arena_text(&answer->arena, upload->id, strlen(upload->id)),
                                      .initiated = upload->initiated};
        answer->next_key_marker = arena_text(&answer->arena, upload->key, strlen(upload->key));
        answer->next_upload_marker = answer->uploads[answer->upload_count - 1].upload_id;
    }
    if (fake->stuck_list) {
        answer->truncated = true;
        answer->next_key_marker = "k";
        answer->next_upload_marker = fake->uploads[0].id;
    }
    answer->date = fake->date;
    return fake_end(call, S3_DONE, STATUS_OK, "");
}

static inline enum status fake_abort(struct fake_s3 *fake, struct s3_call *call)
{
    struct fake_upload *const upload = fake_find(fake, &call->op);
    if (upload == NULL) return fake_end(call, S3_NO_UPLOAD, STATUS_IO, "NoSuchUpload");
    if (fake->stubborn > 0)
        fake->stubborn--;
    else
        upload->gone = true;
    return fake_end(call, S3_DONE, STATUS_OK, "");
}

static inline enum status fake_answer(struct fake_s3 *fake, struct s3_call *call)
{
    enum s3_op_kind const kind = call->op.kind;
    if ((fake->denied >> kind & 1) != 0) return fake_denied(fake, call);
    if (fake->verdict != S3_DONE && fake->fails == kind)
        return fake_end(call, fake->verdict, fake->status, "Scripted");
    switch (kind) {
    case S3_HEAD_OBJECT:
        return fake->taken ? fake_end(call, S3_DONE, STATUS_OK, "")
                           : fake_end(call, S3_NO_KEY, STATUS_IO, "NoSuchKey");
    case S3_CREATE_UPLOAD: return fake_create(fake, call);
    case S3_UPLOAD_PART:
        fake->last_part = call->op;
        fake->part_byte = call->op.body[0].bytes[0];
        break;
    case S3_LIST_PARTS:
        if (fake_find(fake, &call->op) == NULL)
            return fake_end(call, S3_NO_UPLOAD, STATUS_IO, "NoSuchUpload");
        break;
    case S3_ABORT_UPLOAD: return fake_abort(fake, call);
    case S3_LIST_UPLOADS: return fake_list(fake, call);
    default: break;
    }
    return fake_end(call, S3_DONE, STATUS_OK, "");
}

static inline enum status fake_run(void *context, struct s3_call *call, bool uninterrupted)
{
    struct fake_s3 *const fake = context;
    size_t const used = strlen(fake->log);
    snprintf(fake->log + used, sizeof fake->log - used, "%s%s", used == 0 ? "" : " ",
             fake_name(call->op.kind));
    fake->calls++;
    call->attempts = 1;
    if (fake->stop_after != 0 && fake->calls > fake->stop_after && !uninterrupted)
        return fake_end(call, S3_FATAL, STATUS_INTERRUPTED, "cancelled");
    return fake_answer(fake, call);
}

static inline void fake_pause(void *context, uint32_t ms)
{
    struct fake_s3 *const fake = context;
    fake->pauses += ms > 0;
}

static inline struct s3_port fake_port(struct fake_s3 *fake)
{
    return (struct s3_port){.context = fake,
                            .run = fake_run,
                            .pause = fake_pause,
                            .bucket = "bucket",
                            .expected_owner = "123456789012"};
}

static inline size_t fake_left(const struct fake_s3 *fake)
{
    size_t left = 0;
    for (size_t i = 0; i < fake->upload_count; i++)
        left += !fake->uploads[i].gone;
    return left;
}

#endif

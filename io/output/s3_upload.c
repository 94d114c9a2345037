/* s3_upload.c - pieces to parts of exact sizes. Thread: the assembler's. Owns what the upload holds: parts in
 * the making, their lists of spans, ETags, kept bytes. */
#include "io/output/s3_upload.h"

#include "io/output/output_text.h"
#include "io/s3/s3_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "S3: no memory left for the list of parts");
}

/* ---- the value ---- */

struct s3_upload *s3_upload_create(const char *key)
{
    struct s3_upload *const upload = calloc(1, sizeof *upload);
    char *const kept = strdup(key);
    if (upload != NULL && kept != NULL) {
        upload->key = kept;
        return upload;
    }
    free(upload);
    free(kept);
    return NULL;
}

void s3_outgoing_free(struct s3_outgoing *part, struct s3_holds *holds)
{
    if (part == NULL) return;
    for (size_t i = 0; i < part->count; i++)
        s3_hold_release(holds, part->holds[i]);
    free(part->spans);
    free(part->holds);
    free(part);
}

struct s3_outgoing *s3_upload_next(struct s3_upload *upload)
{
    struct s3_outgoing *const part = upload->first;
    if (part == NULL) return NULL;
    upload->first = part->next;
    if (upload->first == NULL) upload->last = NULL;
    upload->queued--;
    part->next = NULL;
    return part;
}

void s3_upload_drop(struct s3_upload *upload, struct s3_holds *holds)
{
    for (struct s3_outgoing *part = s3_upload_next(upload); part != NULL; part = s3_upload_next(upload))
        s3_outgoing_free(part, holds);
    s3_outgoing_free(upload->filling, holds);
    upload->filling = NULL;
}

void s3_upload_settle(struct s3_upload *upload, enum s3_upload_state state)
{
    upload->state = state;
    for (uint32_t i = 0; i < upload->part_count; i++)
        free(upload->parts[i].etag);
    free(upload->parts);
    free(upload->kept);
    upload->parts = NULL;
    upload->part_count = upload->part_room = 0;
    upload->kept = NULL;
    if (state == S3_UPLOAD_COMPLETE) return;
    free(upload->upload_id);
    upload->upload_id = NULL;
}

void s3_upload_destroy(struct s3_upload *upload, struct s3_holds *holds)
{
    if (upload == NULL) return;
    s3_upload_drop(upload, holds);
    s3_upload_settle(upload, S3_UPLOAD_GONE);
    free(upload->key);
    free(upload);
}

uint64_t s3_upload_filled(const struct s3_upload *upload)
{
    return upload->filling == NULL ? 0 : upload->filling->length;
}

/* ---- parts ---- */

static enum status check_part(const struct s3_upload *upload, const struct s3_upload_rules *rules,
                              uint32_t number, uint64_t size, struct fault *fault)
{
    char key[OUTPUT_TEXT_PRINTABLE];
    if (number > S3_PARTS_MAX)
        return fault_set(fault, STATUS_JOB,
                         "s3://%s/%s: is larger than the %u parts that an object may have: give a larger "
                         "--part-size, or smaller files by files.max_bytes or files.max_rows",
                         rules->bucket, output_text_printable(upload->key, key, sizeof key), S3_PARTS_MAX);
    if (s3_plan_part_fits(size, rules->hold)) return STATUS_OK;
    return fault_set(
        fault, STATUS_JOB,
        "s3://%s/%s: its part %u has %" PRIu64 " MiB (parts grow with the object, which has %" PRIu64
        " MiB so far), too much for the %" PRIu64
        " MiB that the upload holds at these sizes: give more --connections or a larger --part-size (both "
        "take memory: --memory-limit), or make smaller files by files.max_bytes or files.max_rows",
        rules->bucket, output_text_printable(upload->key, key, sizeof key), number, size >> 20,
        upload->size >> 20, rules->hold >> 20);
}

static enum status open_part(struct s3_upload *upload, const struct s3_upload_rules *rules,
                             struct fault *fault)
{
    uint32_t const number = upload->part_count + 1;
    uint64_t const size = s3_plan_part(rules->part_size, number);
    enum status const status = check_part(upload, rules, number, size, fault);
    if (status != STATUS_OK) return status;
    if (upload->part_count == upload->part_room) {
        uint32_t const room = upload->part_room == 0 ? 1 : 2 * upload->part_room;
        struct s3_sent *const parts = reallocarray(upload->parts, room, sizeof *parts);
        if (parts == NULL) return no_memory(fault);
        upload->parts = parts;
        upload->part_room = room;
    }
    struct s3_outgoing *const part = calloc(1, sizeof *part);
    if (part == NULL) return no_memory(fault);
    part->number = number;
    part->size = size;
    upload->filling = part;
    return STATUS_OK;
}

static void close_part(struct s3_upload *upload, const struct s3_upload_rules *rules)
{
    struct s3_outgoing *const part = upload->filling;
    upload->filling = NULL;
    upload->parts[upload->part_count++] = (struct s3_sent){.size = part->length, .checksum = part->checksum};
    upload->size += part->length;
    upload->checksum = checksum_combine(rules->checksum, upload->checksum, part->checksum, part->length);
    if (upload->last == NULL)
        upload->first = part;
    else
        upload->last->next = part;
    upload->last = part;
    upload->queued++;
}

/* Adds a span, which joins the one before it where they are neighbours in memory. The caller's use of `hold`
 * becomes the span's; on failure it is released. */
static enum status add_span(struct s3_outgoing *part, struct s3_holds *holds, const uint8_t *bytes,
                            size_t length, struct s3_hold *hold, struct fault *fault)
{
    struct http_span *const before = part->count == 0 ? NULL : &part->spans[part->count - 1];
    if (before != NULL && part->holds[part->count - 1] == hold && before->bytes + before->length == bytes) {
        before->length += length;
        s3_hold_release(holds, hold); /* the span has one use already */
        return STATUS_OK;
    }
    if (part->count == part->room) {
        size_t const room = part->room == 0 ? 4 : 2 * part->room;
        struct http_span *const spans = reallocarray(part->spans, room, sizeof *spans);
        if (spans != NULL) part->spans = spans;
        struct s3_hold **const kept = reallocarray(part->holds, room, sizeof *kept);
        if (kept != NULL) part->holds = kept;
        if (spans == NULL || kept == NULL) {
            s3_hold_release(holds, hold);
            return no_memory(fault);
        }
        part->room = room;
    }
    part->spans[part->count] = (struct http_span){.bytes = bytes, .length = length};
    part->holds[part->count++] = hold;
    return STATUS_OK;
}

static enum status add_copy(struct s3_outgoing *part, struct s3_holds *holds, const uint8_t *bytes,
                            size_t length, struct fault *fault)
{
    while (length != 0) {
        size_t copied;
        struct s3_hold *hold;
        const uint8_t *const copy = s3_hold_copy(holds, bytes, length, &copied, &hold);
        if (copy == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left to gather rows in");
        enum status const status = add_span(part, holds, copy, copied, hold, fault);
        if (status != STATUS_OK) return status;
        bytes += copied;
        length -= copied;
    }
    return STATUS_OK;
}

/* ---- pieces ---- */

/* A piece while it is taken. */
struct taking {
    const struct sink_piece *piece;
    struct s3_hold *hold; /* with a use of ours; NULL: nothing pins it so far */
    size_t at;
    uint64_t rest_checksum; /* of the bytes from `at` on */
    bool has_checksum;
    bool copy;
};

static enum status add_slice(struct s3_outgoing *part, struct s3_holds *holds, struct taking *taking,
                             size_t length, struct fault *fault)
{
    const struct sink_piece *const piece = taking->piece;
    const uint8_t *const bytes = piece->bytes + taking->at;
    if (piece->owner == NULL) return add_span(part, holds, bytes, length, NULL, fault);
    bool const is_short = s3_holds_is_short(holds, piece->length);
    if (is_short && (taking->copy || s3_holds_have_room(holds, length)))
        return add_copy(part, holds, bytes, length, fault);
    if (taking->hold == NULL) taking->hold = s3_hold_piece(piece);
    if (taking->hold == NULL) return no_memory(fault);
    s3_hold_use(taking->hold);
    enum status const status = add_span(part, holds, bytes, length, taking->hold, fault);
    if (status == STATUS_OK && is_short) part->short_bytes += length;
    return status;
}

/* The checksum of the next `length` bytes; leaves that of the bytes behind them. crc(AB) = crc(A) moved over
 * B
 * + crc(B), and + is exclusive or: so crc(B) = crc(AB) + crc(A) moved over B. */
static uint64_t slice_checksum(enum checksum_kind kind, struct taking *taking, size_t length)
{
    const struct sink_piece *const piece = taking->piece;
    size_t const left = piece->length - taking->at;
    if (taking->has_checksum && length == left) return taking->rest_checksum;
    uint64_t const head = checksum_update(kind, 0, piece->bytes + taking->at, length);
    if (taking->has_checksum) taking->rest_checksum ^= checksum_combine(kind, head, 0, left - length);
    return head;
}

static enum status take_slice(struct s3_upload *upload, const struct s3_upload_rules *rules,
                              struct s3_holds *holds, struct taking *taking, struct fault *fault)
{
    if (upload->filling == NULL) {
        enum status const status = open_part(upload, rules, fault);
        if (status != STATUS_OK) return status;
    }
    struct s3_outgoing *const part = upload->filling;
    uint64_t const room = part->size - part->length;
    size_t const left = taking->piece->length - taking->at;
    size_t const length = left < room ? left : (size_t)room;
    enum status const status = add_slice(part, holds, taking, length, fault);
    if (status != STATUS_OK) return status;
    if (rules->checksum != CHECKSUM_NONE)
        part->checksum = checksum_combine(rules->checksum, part->checksum,
                                          slice_checksum(rules->checksum, taking, length), length);
    part->length += length;
    taking->at += length;
    if (part->length == part->size) close_part(upload, rules);
    return STATUS_OK;
}

enum status s3_upload_take(struct s3_upload *upload, const struct s3_upload_rules *rules,
                           struct s3_holds *holds, const struct sink_piece *piece, bool copy,
                           struct fault *fault)
{
    struct taking taking = {
        .piece = piece, .rest_checksum = piece->checksum, .has_checksum = piece->has_checksum, .copy = copy};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && taking.at < piece->length)
        status = take_slice(upload, rules, holds, &taking, fault);
    if (taking.hold == NULL)
        s3_holds_home(holds, piece);
    else
        s3_hold_release(holds, taking.hold);
    return status;
}

enum status s3_upload_tidy(struct s3_upload *upload, struct s3_holds *holds, bool copy, struct fault *fault)
{
    struct s3_outgoing *const part = upload->filling;
    if (part == NULL || part->short_bytes == 0) return STATUS_OK;
    if (!copy && !s3_holds_have_room(holds, part->short_bytes)) return STATUS_OK;
    struct s3_outgoing old = *part;
    part->spans = NULL;
    part->holds = NULL;
    part->count = part->room = 0;
    part->short_bytes = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < old.count; i++) {
        const struct http_span *const span = &old.spans[i];
        struct s3_hold *const hold = old.holds[i];
        bool const is_short = s3_hold_is_short_piece(holds, hold);
        if (status != STATUS_OK || is_short) {
            if (status == STATUS_OK) status = add_copy(part, holds, span->bytes, span->length, fault);
            s3_hold_release(holds, hold);
        } else {
            status = add_span(part, holds, span->bytes, span->length, hold, fault);
        }
    }
    free(old.spans);
    free(old.holds);
    return status;
}

/* ---- the end ---- */

static enum status keep(struct s3_upload *upload, struct s3_holds *holds, struct fault *fault)
{
    struct s3_outgoing *const part = upload->filling;
    upload->is_kept = true;
    if (part == NULL) return STATUS_OK; /* an empty object: size 0, checksum 0 */
    uint8_t *const kept = malloc(part->length);
    if (kept == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left for a small file");
    size_t at = 0;
    for (size_t i = 0; i < part->count; i++) {
        memcpy(kept + at, part->spans[i].bytes, part->spans[i].length);
        at += part->spans[i].length;
    }
    upload->kept = kept;
    upload->size = part->length;
    upload->checksum = part->checksum;
    upload->filling = NULL;
    s3_outgoing_free(part, holds);
    return STATUS_OK;
}

enum status s3_upload_end(struct s3_upload *upload, const struct s3_upload_rules *rules,
                          struct s3_holds *holds, bool keep_it, struct fault *fault)
{
    upload->ended = true;
    if (keep_it) return keep(upload, holds, fault);
    if (upload->filling != NULL) close_part(upload, rules);
    return STATUS_OK;
}

/* s3_upload.c - pieces to parts of exact sizes. Thread: the assembler's. Owns what the upload holds: parts in
 * the making, their lists of spans, ETags, kept bytes. */
#include "io/output/s3_upload.h"

#include "io/output/output_text.h"
#include "io/s3/s3_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "S3: no memory left for the list of parts");
}

/* ---- the value ---- */

struct s3_upload *s3_upload_create(const char *key, enum sink_stage stage)
{
    struct s3_upload *const upload = calloc(1, sizeof *upload);
    char *const kept = strdup(key);
    if (upload != NULL && kept != NULL) {
        upload->key = kept;
        upload->stage = stage;
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

/* The part is not being filled any more. */
static struct s3_outgoing *take_filling(struct s3_upload *upload, struct s3_holds *holds)
{
    struct s3_outgoing *const part = upload->filling;
    upload->filling = NULL;
    if (part == NULL) return NULL;
    holds->filling -= part->size;
    holds->pinned -= (uint64_t)part->long_pieces * holds->block_bytes;
    holds->waiting -= part->short_bytes;
    return part;
}

static void leave_block(struct s3_upload *upload, struct s3_holds *holds)
{
    s3_holds_leave(holds, upload->block);
    upload->block = NULL;
}

void s3_upload_drop(struct s3_upload *upload, struct s3_holds *holds)
{
    for (struct s3_outgoing *part = s3_upload_next(upload); part != NULL; part = s3_upload_next(upload))
        s3_outgoing_free(part, holds);
    s3_outgoing_free(take_filling(upload, holds), holds);
    leave_block(upload, holds);
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

static enum status too_large(const struct s3_upload *upload, const struct s3_upload_rules *rules,
                             const struct s3_holds *holds, uint32_t number, uint64_t size,
                             struct fault *fault)
{
    char key[OUTPUT_TEXT_PRINTABLE], others[96] = "";
    bool const is_alone = holds->filling == 0;
    if (!is_alone)
        snprintf(others, sizeof others, ", beside %" PRIu64 " MiB in parts of other open files",
                 holds->filling >> 20);
    return fault_set(
        fault, STATUS_JOB,
        "s3://%s/%s: its part %u has %" PRIu64 " MiB (parts grow with the object, which has %" PRIu64
        " MiB so far)%s, too much for the %" PRIu64
        " MiB that the upload holds at these sizes: give more --connections or a larger --part-size (both "
        "take memory: --memory-limit), or make smaller files by files.max_bytes or files.max_rows%s",
        rules->bucket, output_text_printable(upload->key, key, sizeof key), number, size >> 20,
        upload->size >> 20, others, rules->hold >> 20,
        is_alone ? "" : ", or fewer at once (segments with segments.split, files.count)");
}

static enum status check_part(const struct s3_upload *upload, const struct s3_upload_rules *rules,
                              const struct s3_holds *holds, uint32_t number, uint64_t size,
                              struct fault *fault)
{
    char key[OUTPUT_TEXT_PRINTABLE];
    if (number > S3_PARTS_MAX)
        return fault_set(fault, STATUS_JOB,
                         "s3://%s/%s: is larger than the %u parts that an object may have: give a larger "
                         "--part-size, or smaller files by files.max_bytes or files.max_rows",
                         rules->bucket, output_text_printable(upload->key, key, sizeof key), S3_PARTS_MAX);
    if (holds->filling + size <= holds->filling_max) return STATUS_OK;
    return too_large(upload, rules, holds, number, size, fault);
}

static enum status open_part(struct s3_upload *upload, const struct s3_upload_rules *rules,
                             struct s3_holds *holds, struct fault *fault)
{
    uint32_t const number = upload->part_count + 1;
    uint64_t const size = s3_plan_part(rules->part_size, number);
    enum status const status = check_part(upload, rules, holds, number, size, fault);
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
    holds->filling += size;
    return STATUS_OK;
}

static void close_part(struct s3_upload *upload, const struct s3_upload_rules *rules, struct s3_holds *holds)
{
    struct s3_outgoing *const part = take_filling(upload, holds);
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

static enum status add_copy(struct s3_upload *upload, struct s3_holds *holds, const uint8_t *bytes,
                            size_t length, struct fault *fault)
{
    while (length != 0) {
        size_t copied;
        const uint8_t *const copy = s3_hold_copy(holds, &upload->block, bytes, length, &copied);
        if (copy == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left to gather rows in");
        enum status const status = add_span(upload->filling, holds, copy, copied, upload->block, fault);
        if (status != STATUS_OK) return status;
        bytes += copied;
        length -= copied;
    }
    return STATUS_OK;
}

/* The caller's use of `hold` becomes the span's. */
static enum status add_pin(struct s3_outgoing *part, struct s3_holds *holds, const uint8_t *bytes,
                           size_t length, struct s3_hold *hold, bool is_short, struct fault *fault)
{
    enum status const status = add_span(part, holds, bytes, length, hold, fault);
    if (status != STATUS_OK) return status;
    if (is_short) {
        part->short_bytes += length;
        holds->waiting += length;
    } else {
        part->long_pieces++;
        holds->pinned += holds->block_bytes;
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

/* Short pieces, long ones when enough are pinned; as far as there is room, with `copy` short ones beyond it.
 */
static bool is_to_be_copied(const struct s3_upload *upload, const struct s3_holds *holds, size_t length,
                            bool is_short, bool copy)
{
    if (is_short && copy) return true;
    return (is_short || s3_holds_pin_too_much(holds, 1)) && s3_holds_have_room(holds, upload->block, length);
}

/* The tail of a piece whose head went into the part before is judged alone: it stays longer. */
static enum status add_slice(struct s3_upload *upload, struct s3_holds *holds, struct taking *taking,
                             size_t length, struct fault *fault)
{
    const struct sink_piece *const piece = taking->piece;
    const uint8_t *const bytes = piece->bytes + taking->at;
    if (piece->owner == NULL) return add_span(upload->filling, holds, bytes, length, NULL, fault);
    bool const is_short = s3_holds_is_short(holds, taking->at == 0 ? piece->length : length);
    if (is_to_be_copied(upload, holds, length, is_short, taking->copy))
        return add_copy(upload, holds, bytes, length, fault);
    if (taking->hold == NULL) taking->hold = s3_hold_piece(piece);
    if (taking->hold == NULL) return no_memory(fault);
    s3_hold_use(taking->hold);
    return add_pin(upload->filling, holds, bytes, length, taking->hold, is_short, fault);
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
        enum status const status = open_part(upload, rules, holds, fault);
        if (status != STATUS_OK) return status;
    }
    struct s3_outgoing *const part = upload->filling;
    uint64_t const room = part->size - part->length;
    size_t const left = taking->piece->length - taking->at;
    size_t const length = left < room ? left : (size_t)room;
    enum status const status = add_slice(upload, holds, taking, length, fault);
    if (status != STATUS_OK) return status;
    if (rules->checksum != CHECKSUM_NONE)
        part->checksum = checksum_combine(rules->checksum, part->checksum,
                                          slice_checksum(rules->checksum, taking, length), length);
    part->length += length;
    taking->at += length;
    if (part->length == part->size) close_part(upload, rules, holds);
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

/* One span of a part that is laid out anew: the use of its hold is taken over. */
static enum status lay_anew(struct s3_upload *upload, struct s3_holds *holds, const struct http_span *span,
                            struct s3_hold *hold, bool copy, struct fault *fault)
{
    struct s3_outgoing *const part = upload->filling;
    if (!s3_hold_is_piece(hold)) return add_span(part, holds, span->bytes, span->length, hold, fault);
    bool const is_short = s3_holds_is_short(holds, span->length);
    if (!is_to_be_copied(upload, holds, span->length, is_short, copy))
        return add_pin(part, holds, span->bytes, span->length, hold, is_short, fault);
    enum status const status = add_copy(upload, holds, span->bytes, span->length, fault);
    s3_hold_release(holds, hold);
    return status;
}

enum status s3_upload_tidy(struct s3_upload *upload, struct s3_holds *holds, bool copy, struct fault *fault)
{
    struct s3_outgoing *const part = upload->filling;
    if (part == NULL) return STATUS_OK;
    bool const copy_short =
        part->short_bytes != 0 && (copy || s3_holds_have_room(holds, upload->block, part->short_bytes));
    bool const copy_long = part->long_pieces != 0 && s3_holds_pin_too_much(holds, 0) &&
                           s3_holds_have_room(holds, upload->block, holds->block_bytes);
    if (!copy_short && !copy_long) return STATUS_OK;
    struct s3_outgoing const old = *part;
    holds->pinned -= (uint64_t)part->long_pieces * holds->block_bytes;
    holds->waiting -= part->short_bytes;
    part->spans = NULL;
    part->holds = NULL;
    part->count = part->room = 0;
    part->short_bytes = 0;
    part->long_pieces = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < old.count; i++) {
        if (status == STATUS_OK)
            status = lay_anew(upload, holds, &old.spans[i], old.holds[i], copy, fault);
        else
            s3_hold_release(holds, old.holds[i]);
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
    s3_outgoing_free(take_filling(upload, holds), holds);
    return STATUS_OK;
}

enum status s3_upload_end(struct s3_upload *upload, const struct s3_upload_rules *rules,
                          struct s3_holds *holds, bool keep_it, struct fault *fault)
{
    upload->ended = true;
    enum status status = STATUS_OK;
    if (keep_it)
        status = keep(upload, holds, fault);
    else if (upload->filling != NULL)
        close_part(upload, rules, holds);
    leave_block(upload, holds);
    return status;
}

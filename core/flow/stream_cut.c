/* stream_cut.c - see the header. Thread: whoever reads the stream now. Owns the carry. */
#include "core/flow/stream_cut.h"

#include "core/flow/stream_cut_form.h"
#include "core/flow/track.h"
#include "core/record/json_text.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t byte_order_mark[] = {0xEF, 0xBB, 0xBF};

#define OVERLAP_BYTES STREAM_OVERLAP_BYTES

/* How much of a long line is kept. */
size_t stream_cut_kept_bytes(const struct stream_cut_rules *rules)
{
    size_t const longest = (size_t)form_longest_element(rules->max_record);
    size_t const text = longest > rules->block_bytes ? longest : rules->block_bytes;
    return text > LIMIT_REJECT_RAW ? text : LIMIT_REJECT_RAW;
}

size_t stream_cut_large_bytes(const struct stream_cut_rules *rules)
{
    return stream_cut_kept_bytes(rules) + STREAM_ROOM_BYTES;
}

void stream_cut_start(struct stream_cut *cut, struct stream *stream, const struct stream_cut_rules *rules)
{
    *cut = (struct stream_cut){.stream = stream, .rules = *rules};
}

void stream_cut_end(struct stream_cut *cut)
{
    if (cut->state == STREAM_CUT_CLOSED) return;
    cut->stream->close(cut->stream);
    free(cut->carry);
    free(cut->back);
    cut->carry = cut->back = NULL;
    cut->state = STREAM_CUT_ENDED;
}

/* ---- reading ---- */

/* What was taken back, as if it were read now. */
static size_t read_back(struct stream_cut *cut, uint8_t *into, size_t room)
{
    size_t const left = cut->back_end - cut->back_at;
    size_t const length = left < room ? left : room;
    memcpy(into, cut->back + cut->back_at, length);
    cut->back_at += length;
    if (cut->back_at != cut->back_end) return length;
    free(cut->back);
    cut->back = NULL;
    return length;
}

size_t stream_cut_read(struct stream_cut *cut, uint8_t *into, size_t room)
{
    size_t length = 0;
    if (cut->back != NULL) return read_back(cut, into, room);
    cut->at_end = cut->at_end || cut->back_ends;
    if (cut->back_fails) cut->state = STREAM_CUT_FAILED;
    if (cut->at_end || cut->state != STREAM_CUT_OPEN) return 0;
    struct track_mark const mark = track_begin(cut->stream->track);
    enum status const status = cut->stream->read(cut->stream, into, room, &length, &cut->fault);
    track_end(cut->stream->track, mark, TRACK_READ, status == STATUS_OK ? length : 0);
    if (status != STATUS_OK) {
        cut->state = STREAM_CUT_FAILED;
        return 0;
    }
    cut->at_end = length == 0;
    return length;
}

/* The next text where the stream has it, with what was carried in front of it, in the place of the block's
 * memory. False: it has to be read. */
static bool swap_block(struct stream_cut *cut, struct stream_block *block)
{
    struct stream *const stream = cut->stream;
    if (cut->state != STREAM_CUT_OPEN || cut->at_end || cut->form != NULL) return false;
    if (stream->swap_bytes == 0 || stream->swap_bytes != block->capacity || cut->carried > stream->swap_lead)
        return false;
    size_t begin = 0, length = 0;
    struct track_mark const mark = track_begin(stream->track);
    enum status const status = stream->swap(stream, &block->bytes, &begin, &length, &cut->fault);
    track_end(stream->track, mark, TRACK_READ, length);
    if (status != STATUS_OK) cut->state = STREAM_CUT_FAILED;
    cut->at_end = status == STATUS_OK && length == 0;
    if (length == 0) return false;
    block->lead = begin - cut->carried;
    block->bytes += block->lead;
    block->capacity -= block->lead;
    block->length = cut->carried + length;
    return true;
}

static void open_stream(struct stream_cut *cut)
{
    cut->state = STREAM_CUT_FAILED;
    cut->carry = malloc(cut->rules.block_bytes);
    if (cut->carry == NULL)
        fault_set(&cut->fault, STATUS_IO, "%s: no memory to read it", cut->stream->name);
    else if (cut->stream->open(cut->stream, &cut->fault) == STATUS_OK)
        cut->state = STREAM_CUT_OPEN;
}

/* ---- blocks ---- */

void stream_cut_fill(struct stream_cut *cut, struct stream_block *block)
{
    for (size_t got; block->length < block->capacity; block->length += got) {
        got = stream_cut_read(cut, block->bytes + block->length, block->capacity - block->length);
        if (got == 0) break;
    }
}

/* Takes bytes off the front. */
void stream_cut_strip(struct stream_block *block, size_t bytes)
{
    if (bytes == 0) return;
    memmove(block->bytes, block->bytes + bytes, block->length - bytes);
    block->length -= bytes;
    block->offset += bytes;
}

size_t stream_cut_leading_blanks(const uint8_t *bytes, size_t length)
{
    size_t blanks = 0;
    while (blanks < length && json_is_blank(bytes[blanks]))
        blanks++;
    return blanks;
}

/* Bytes up to behind the last one that is no blank. */
size_t stream_cut_text_end(const uint8_t *bytes, size_t length)
{
    while (length > 0 && json_is_blank(bytes[length - 1]))
        length--;
    return length;
}

void stream_cut_carry_over(struct stream_cut *cut, const uint8_t *bytes, size_t length, uint64_t offset)
{
    memcpy(cut->carry, bytes, length);
    cut->carried = length;
    cut->offset = offset;
}

void stream_cut_take_back(struct stream_cut *cut, const uint8_t *bytes, size_t length, uint64_t offset)
{
    size_t const left = cut->back == NULL ? 0 : cut->back_end - cut->back_at;
    cut->carried = 0;
    cut->offset = offset;
    if (cut->back == NULL) cut->back = malloc(stream_cut_large_bytes(&cut->rules));
    if (cut->back == NULL) {
        cut->state = STREAM_CUT_FAILED;
        fault_set(&cut->fault, STATUS_IO, "%s: no memory to read it", cut->stream->name);
        return;
    }
    /* there is room: all that is left was read behind one element, and this is nearer to the stream's place
     */
    memmove(cut->back + length, cut->back + cut->back_at, left);
    memcpy(cut->back, bytes, length);
    cut->back_at = 0;
    cut->back_end = length + left;
    cut->back_ends = cut->back_ends || cut->at_end;
    cut->back_fails = cut->back_fails || cut->state == STREAM_CUT_FAILED;
    cut->at_end = false;
    cut->state = STREAM_CUT_OPEN;
}

/* A stream that failed. */
static enum stream_block_kind ends_how(const struct stream_cut *cut)
{
    return cut->rules.forgives && cut->stream->damaged ? STREAM_TRUNCATED : STREAM_BROKEN;
}

/* The block that ends a stream that failed: what was carried is the record that it was damaged in. */
void stream_cut_end_failed(struct stream_cut *cut, struct stream_block *block)
{
    block->kind = ends_how(cut);
    block->final = true;
    stream_cut_strip(block, stream_cut_leading_blanks(block->bytes, block->length));
    block->length = stream_cut_text_end(block->bytes, block->length);
    block->record_length = block->length;
}

/* Of a line that the stream failed in: did its record come whole, with its last bracket? Whoever is longer
 * than may be is not looked at: not all of it may be there. */
static bool is_whole(const struct stream_cut *cut, const uint8_t *bytes, size_t length)
{
    return length <= cut->rules.max_record && form_is_closed(bytes, length);
}

/* Cuts behind the last line feed; false: there is none. */
static bool cut_lines(struct stream_cut *cut, struct stream_block *block)
{
    const uint8_t *const feed = memrchr(block->bytes, '\n', block->length);
    if (feed == NULL) return false;
    size_t const lines = (size_t)(feed - block->bytes) + 1;
    stream_cut_carry_over(cut, block->bytes + lines, block->length - lines, block->offset + lines);
    block->length = lines;
    return true;
}

/* The line that the stream failed in, when it came whole; else the stream's end. */
static void end_line_failed(struct stream_cut *cut, struct stream_block *block)
{
    stream_cut_strip(block, stream_cut_leading_blanks(block->bytes, block->length));
    size_t const text = stream_cut_text_end(block->bytes, block->length);
    if (is_whole(cut, block->bytes, text))
        cut->offset = block->offset + block->length; /* the end comes next, without a byte */
    else
        stream_cut_end_failed(cut, block);
}

enum stream_cut_result stream_cut_next(struct stream_cut *cut, struct stream_block *block)
{
    bool const first = cut->state == STREAM_CUT_CLOSED;
    if (first) open_stream(cut);
    *block = (struct stream_block){.bytes = block->bytes - block->lead,
                                   .capacity = block->capacity + block->lead,
                                   .length = cut->carried,
                                   .offset = cut->offset};
    bool const is_swapped = !first && swap_block(cut, block);
    if (cut->carried != 0) memcpy(block->bytes, cut->carry, cut->carried);
    cut->carried = 0;
    if (!is_swapped) stream_cut_fill(cut, block);
    if (first) cut->form = cut->stream->form;
    if (cut->form != NULL) return stream_cut_elements(cut, block, first);
    for (bool is_enough = is_swapped;; is_enough = false) {
        if (!is_enough) stream_cut_fill(cut, block);
        if (first && block->offset == 0 && block->length >= sizeof byte_order_mark &&
            memcmp(block->bytes, byte_order_mark, sizeof byte_order_mark) == 0)
            stream_cut_strip(block, sizeof byte_order_mark);
        if (cut->at_end) {
            block->final = true;
            return STREAM_CUT_BLOCK;
        }
        if (cut_lines(cut, block)) return STREAM_CUT_BLOCK;
        if (cut->state == STREAM_CUT_FAILED) {
            end_line_failed(cut, block);
            return STREAM_CUT_BLOCK;
        }
        size_t const blanks = stream_cut_leading_blanks(block->bytes, block->length);
        stream_cut_strip(block, blanks);
        if (blanks == 0 && block->length == block->capacity) break;
    }
    stream_cut_carry_over(cut, block->bytes, block->length, block->offset);
    return STREAM_CUT_WANTS_LARGE;
}

/* ---- a line longer than a block ---- */

/* A line as far as it was read: its bytes up to `keep` stand at the block's front. */
struct long_line {
    struct stream_block *block;
    size_t keep;
    uint64_t length; /* read of it */
    uint64_t text;   /* of these, up to the last one that is no blank */
    bool ended;      /* by its line feed, or the stream's end */
};

/* Does it name a wanted segment? Looks at the bytes [at, at + length), which share an id's length with those
 * before. */
void stream_cut_look_for_segments(const struct stream_cut *cut, struct stream_block *block, const uint8_t *at,
                                  size_t length)
{
    struct prefilter_scan scan;
    if (block->may_name) return;
    prefilter_begin(&scan, cut->rules.prefilter, at, length);
    block->may_name = prefilter_may_name(&scan, 0, length);
}

/* Takes `length` bytes that were read to `at`, behind `before` bytes of the line that are still there; what
 * stands behind a line feed is carried over. */
static void take_piece(struct stream_cut *cut, struct long_line *line, const uint8_t *at, size_t length,
                       size_t before)
{
    const uint8_t *const feed = memchr(at, '\n', length);
    size_t const own = feed == NULL ? length : (size_t)(feed - at);
    size_t const text = stream_cut_text_end(at, own);
    if (text > 0) line->text = line->length + text;
    line->length += own;
    stream_cut_look_for_segments(cut, line->block, at - before, before + own);
    if (feed == NULL) return;
    line->ended = line->block->feed = true;
    stream_cut_carry_over(cut, feed + 1, length - own - 1, line->block->offset + line->length + 1);
}

static void read_line(struct stream_cut *cut, struct long_line *line)
{
    /* what stands behind the line feed must fit the carry */
    size_t const block_bytes = cut->rules.block_bytes;
    size_t const step = block_bytes < STREAM_STEP_BYTES ? block_bytes : STREAM_STEP_BYTES;
    uint8_t *const scratch = line->block->bytes + line->keep + OVERLAP_BYTES;
    uint8_t *at = line->block->bytes + line->length;
    while (!line->ended) {
        size_t const got = stream_cut_read(cut, at, step);
        if (got == 0) break;
        size_t const before = line->length < OVERLAP_BYTES ? (size_t)line->length : OVERLAP_BYTES;
        take_piece(cut, line, at, got, before);
        at += got;
        if (line->length < line->keep) continue;
        size_t const shared = line->length < OVERLAP_BYTES ? (size_t)line->length : OVERLAP_BYTES;
        memmove(scratch - shared, at - shared, shared);
        at = scratch;
    }
    line->ended = line->ended || cut->at_end;
}

void stream_cut_large(struct stream_cut *cut, struct stream_block *block)
{
    if (cut->form != NULL) {
        stream_cut_element(cut, block);
        return;
    }
    *block = (struct stream_block){.bytes = block->bytes, .capacity = block->capacity, .offset = cut->offset};
    struct long_line line = {.block = block, .keep = stream_cut_kept_bytes(&cut->rules)};
    size_t const carried = cut->carried;
    cut->carried = 0;
    memcpy(block->bytes, cut->carry, carried);
    line.length = carried; /* no line feed in it */
    line.text = stream_cut_text_end(block->bytes, carried);
    block->may_name = cut->rules.prefilter == NULL;
    stream_cut_look_for_segments(cut, block, block->bytes, carried);
    read_line(cut, &line);
    block->record_length = line.text;
    block->length = line.text < LIMIT_REJECT_RAW ? (size_t)line.text : (size_t)LIMIT_REJECT_RAW;
    bool const whole =
        !line.ended && line.text <= cut->rules.max_record && is_whole(cut, block->bytes, (size_t)line.text);
    block->final = !block->feed && !whole;
    if (whole) {
        block->length = (size_t)line.text;
        cut->offset = block->offset + line.length;
    } else if (!line.ended) {
        block->kind = ends_how(cut);
    } else if (line.text > cut->rules.max_record) {
        block->kind = STREAM_TOO_LARGE;
    } else {
        block->length = (size_t)line.text;
        if (block->feed) block->bytes[block->length++] = '\n';
    }
}

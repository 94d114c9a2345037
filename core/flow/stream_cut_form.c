/* stream_cut_form.c - see the header. Thread: whoever reads the stream now. Owns nothing. */
#include "core/flow/stream_cut_form.h"

#include "core/base/scan.h"

#include <string.h>

/* Read at once of an element that no block holds. */
#define STEP_BYTES (32u * 1024)
/* Bytes before the scan's place that are kept of it when its front is: to a mark in a string, and from that
 * to the blanks before it. */
#define BACK_BYTES (32u * 1024)

/* So the scan is beyond its limit when anything is given up. */
_Static_assert(STREAM_ROOM_BYTES > BACK_BYTES + RECORD_MARK_BEHIND + RECORD_MARK_AHEAD + STEP_BYTES,
               "the large block shows all that a scan may turn back to");

/* Bytes of the longest element. */
static uint64_t element_max(const struct stream_cut *cut)
{
    return form_element_max(cut->form, cut->rules.max_record);
}

static void begin_scan(struct stream_cut *cut, uint64_t at)
{
    if (cut->scan.form == NULL)
        element_scan_begin(&cut->scan, cut->form, element_max(cut), at);
    else
        element_scan_again(&cut->scan, at);
    cut->scan.cut_off = cut->state == STREAM_CUT_FAILED;
}

/* Of an element that the stream failed in: did it come whole, with its last bracket? */
static bool is_whole(const struct stream_cut *cut)
{
    const struct element_scan *const scan = &cut->scan;
    return element_scan_is_closed(scan) && scan->text_end - scan->begin <= element_max(cut);
}

static bool is_over(const struct stream_cut *cut)
{
    return cut->at_end || cut->state == STREAM_CUT_FAILED;
}

/* ---- behind the container ---- */

/* Blanks off the front, as many as there are. */
static void strip_blanks(struct stream_cut *cut, struct stream_block *block)
{
    for (;;) {
        stream_cut_fill(cut, block);
        size_t const blanks = stream_cut_leading_blanks(block->bytes, block->length);
        block->lines += scan_count(block->bytes, blanks, '\n');
        stream_cut_strip(block, blanks);
        if (blanks == 0 || is_over(cut)) return;
    }
}

/* The text behind the container to its end: its front stays in the block. */
static void read_trailing(struct stream_cut *cut, struct stream_block *block)
{
    uint64_t read = block->length;
    size_t const kept = block->length < LIMIT_REJECT_RAW ? block->length : (size_t)LIMIT_REJECT_RAW;
    block->kind = STREAM_TRAILING;
    block->record_length = stream_cut_text_end(block->bytes, block->length);
    uint8_t *const rest = block->bytes + kept; /* the block was filled: there is room, or nothing comes */
    for (size_t got; (got = stream_cut_read(cut, rest, block->capacity - kept)) != 0; read += got) {
        size_t const text = stream_cut_text_end(rest, got);
        if (text != 0) block->record_length = read + text;
    }
    block->length = block->record_length < kept ? (size_t)block->record_length : kept;
}

/* All that is left of a stream whose container ended. */
static void read_rest(struct stream_cut *cut, struct stream_block *block)
{
    bool const keyed = cut->form->kind == FORM_KEYED_ARRAY;
    block->final = block->closed = block->ends = true;
    strip_blanks(cut, block);
    if (block->length != 0)
        read_trailing(cut, block);
    else if (cut->at_end && keyed)
        block->kind = STREAM_BAD_END;
    if (cut->at_end && keyed && block->record_length != 0 && block->record_length <= FORM_REST_MAX &&
        form_ends_object(cut->form, block->bytes, block->length)) {
        block->kind = STREAM_LINES; /* of which there are none */
        block->length = 0;
    }
    if (cut->state == STREAM_CUT_FAILED) stream_cut_end_failed(cut, block);
    block->seen = block->length;
}

/* ---- blocks of elements ---- */

/* What stands before the first element is known from the stream's head, which may be longer than a block. */
static void strip_prologue(struct stream_cut *cut, struct stream_block *block)
{
    uint64_t const begin = cut->form->begin;
    for (;;) {
        uint64_t const left = begin - block->offset;
        stream_cut_strip(block, left < block->length ? (size_t)left : block->length);
        stream_cut_fill(cut, block);
        if (block->offset == begin || block->length == 0) return;
    }
}

/* The block's elements end at `at`: what stands behind is carried over. */
static enum stream_cut_result cut_at(struct stream_cut *cut, struct stream_block *block, uint64_t at)
{
    size_t const length = (size_t)(at - block->offset);
    block->seen = block->length;
    block->ends = cut->at_end;
    stream_cut_carry_over(cut, block->bytes + length, block->length - length, at);
    block->length = length;
    return STREAM_CUT_BLOCK;
}

/* The stream ends with the block, or failed at `at`, behind the element there when that is `whole`. */
static enum stream_cut_result cut_end(struct stream_cut *cut, struct stream_block *block, uint64_t at,
                                      bool whole)
{
    uint64_t const end = block->offset + block->length;
    if (cut->state != STREAM_CUT_FAILED) {
        block->final = block->ends = true;
        block->seen = block->length;
    } else if (whole) {
        (void)cut_at(cut, block, end);
        block->ends = block->cut_off = true;
    } else if (at != block->offset) {
        return cut_at(cut, block, at);
    } else {
        stream_cut_end_failed(cut, block);
    }
    return STREAM_CUT_BLOCK;
}

/* Behind an element: is that all that is wanted? Then nothing comes behind the block. */
static bool is_enough(struct stream_cut *cut)
{
    cut->taken++;
    return cut->taken == cut->stream->wanted;
}

/* The block ends at `at`, and with it what is wanted. */
static enum stream_cut_result cut_enough(struct stream_cut *cut, struct stream_block *block, uint64_t at)
{
    block->final = block->cut_off = true;
    return cut_at(cut, block, at);
}

enum stream_cut_result stream_cut_elements(struct stream_cut *cut, struct stream_block *block, bool first)
{
    if (cut->bad_end) {
        *block = (struct stream_block){.bytes = block->bytes,
                                       .capacity = block->capacity,
                                       .offset = cut->offset,
                                       .kind = STREAM_BAD_END,
                                       .final = true,
                                       .closed = true};
        return STREAM_CUT_BLOCK;
    }
    stream_cut_fill(cut, block);
    if (first) strip_prologue(cut, block);
    if (cut->closed) {
        read_rest(cut, block);
        return STREAM_CUT_BLOCK;
    }
    uint64_t const end = block->offset + block->length;
    uint64_t at = block->offset;
    for (;;) {
        at += stream_cut_leading_blanks(block->bytes + (at - block->offset), (size_t)(end - at));
        if (at == end) return is_over(cut) ? cut_end(cut, block, at, false) : cut_at(cut, block, at);
        begin_scan(cut, at);
        switch (element_scan_run(&cut->scan, block->bytes, block->length, block->offset, is_over(cut))) {
        case ELEMENT_MORE:
            if (at != block->offset) return cut_at(cut, block, at);
            stream_cut_carry_over(cut, block->bytes, block->length, block->offset);
            return STREAM_CUT_WANTS_LARGE;
        case ELEMENT_SOURCE:
            cut->taken += cut->state != STREAM_CUT_FAILED || is_whole(cut);
            return cut_end(cut, block, at, is_whole(cut));
        case ELEMENT_CLOSES:
            cut->closed = block->closed = true;
            block->final = cut->scan.text_end != cut->scan.begin && is_enough(cut);
            return cut_at(cut, block, cut->scan.next);
        case ELEMENT_COMMA:
        case ELEMENT_NEXT:
        case ELEMENT_BROKEN: at = cut->scan.next; break;
        }
        if (is_enough(cut)) return cut_enough(cut, block, at);
    }
}

/* ---- an element that no block holds ---- */

/* What was read of it: its front stays, and behind that a window goes along. */
struct long_element {
    struct stream_block *block;
    size_t kept;     /* bytes of the front */
    size_t window;   /* where the window begins in the block; 0: nothing was given up */
    size_t length;   /* bytes in the block, the front included */
    uint64_t offset; /* in the stream, of the window's first byte */
    uint64_t named;  /* bytes before this were looked at for segments, */
    uint64_t lines;  /* and their line feeds counted */
};

static const uint8_t *byte_at(const struct long_element *element, uint64_t at)
{
    return element->block->bytes + element->window + (at - element->offset);
}

/* Looks at the bytes of the element up to `to`. */
static void pass_text(struct stream_cut *cut, struct long_element *element, uint64_t to)
{
    if (to <= element->named) return;
    uint64_t const begin = element->named - cut->scan.begin;
    uint64_t const shared = begin < STREAM_OVERLAP_BYTES ? begin : STREAM_OVERLAP_BYTES;
    const uint8_t *const at = byte_at(element, element->named);
    size_t const length = (size_t)(to - element->named);
    element->block->lines += scan_count(at, length, '\n');
    stream_cut_look_for_segments(cut, element->block, at - shared, (size_t)shared + length);
    element->named = to;
}

/* Makes room behind what was read. */
static void slide(struct stream_cut *cut, struct long_element *element)
{
    uint64_t const behind = BACK_BYTES + RECORD_MARK_BEHIND;
    uint64_t const from = cut->scan.at - behind;
    uint8_t *const to = element->block->bytes + element->kept;
    const uint8_t *const at = byte_at(element, from);
    size_t const length = element->length - (size_t)(at - element->block->bytes);
    memmove(to, at, length);
    element->window = element->kept;
    element->offset = from;
    element->length = element->kept + length;
}

static enum element_end scan_long(struct stream_cut *cut, struct long_element *element)
{
    struct stream_block *const block = element->block;
    for (;;) {
        cut->scan.cut_off = cut->state == STREAM_CUT_FAILED;
        enum element_end const end =
            element_scan_run(&cut->scan, block->bytes + element->window, element->length - element->window,
                             element->offset, is_over(cut));
        pass_text(cut, element, end == ELEMENT_MORE ? cut->scan.at : cut->scan.text_end);
        if (end != ELEMENT_MORE) return end;
        if (block->capacity - element->length < STEP_BYTES) slide(cut, element);
        element->length += stream_cut_read(cut, block->bytes + element->length, STEP_BYTES);
    }
}

static void finish_long(struct stream_cut *cut, struct long_element *element, enum element_end end)
{
    struct stream_block *const block = element->block;
    uint64_t const next = end == ELEMENT_SOURCE ? cut->scan.at : cut->scan.next;
    uint64_t const read = element->offset + (element->length - element->window);
    uint64_t const counted = element->named;
    if (next > counted)
        block->lines += scan_count(byte_at(element, counted), (size_t)(next - counted), '\n');
    else
        block->lines -= scan_count(byte_at(element, next), (size_t)(counted - next), '\n');
    size_t const rest = (size_t)(read - next);
    if (rest <= cut->rules.block_bytes)
        stream_cut_carry_over(cut, byte_at(element, next), rest, next);
    else
        stream_cut_take_back(cut, byte_at(element, next), rest, next);
    cut->closed = end == ELEMENT_CLOSES;
    bool const bounded = cut->form->kind != FORM_CONCATENATED;
    bool const whole = cut->scan.behind && !cut->scan.lost && !cut->scan.string_open;
    bool const ends = end == ELEMENT_SOURCE && cut->state != STREAM_CUT_FAILED;
    bool const enough = is_enough(cut);
    cut->bad_end = ends && bounded && whole && !enough;
    block->final = (ends && !cut->bad_end) || enough;
}

void stream_cut_element(struct stream_cut *cut, struct stream_block *block)
{
    *block = (struct stream_block){.bytes = block->bytes, .capacity = block->capacity, .offset = cut->offset};
    struct long_element element = {.block = block,
                                   .kept = stream_cut_kept_bytes(&cut->rules),
                                   .length = cut->carried,
                                   .offset = cut->offset,
                                   .named = cut->offset};
    memcpy(block->bytes, cut->carry, cut->carried);
    cut->carried = 0;
    block->may_name = cut->rules.prefilter == NULL;
    begin_scan(cut, cut->offset);
    enum element_end const end = scan_long(cut, &element);
    uint64_t const text = cut->scan.text_end - cut->scan.begin;
    block->record_length = text;
    block->length = text < LIMIT_REJECT_RAW ? (size_t)text : (size_t)LIMIT_REJECT_RAW;
    if (end == ELEMENT_SOURCE && cut->state == STREAM_CUT_FAILED && !is_whole(cut)) {
        stream_cut_end_failed(cut, block);
        block->record_length = text;
        return;
    }
    finish_long(cut, &element, end);
    block->broken = end == ELEMENT_BROKEN || cut->scan.lost;
    block->kind = text > element_max(cut) ? STREAM_TOO_LARGE : STREAM_ELEMENT;
    if (block->kind == STREAM_ELEMENT) block->length = (size_t)text;
    block->seen = block->length;
}

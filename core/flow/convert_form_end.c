/* convert_form_end.c - the end of a container: what stands behind it, what is missing, and the lines passed.
 * See convert_form.h.
 * Thread: a worker. Owns nothing. */
#include "core/flow/convert_form.h"
#include "core/flow/convert_form_inside.h"

#include "core/base/scan.h"
#include "core/record/json_text.h"

_Static_assert(FORM_REST_MAX <= CONVERT_FORM_WINDOW_MIN, "a window shows the rest of an object");

/* Blanks at a source's end that are looked at in steps of RECORD_MARK_BEHIND. So short a step never goes back
 * before what was said to be expected of a shard that has a record (convert.c), for which a reader that reads
 * ahead would have to begin anew; where more blanks stand, long steps are worth it. */
#define NEAR_END (64u * 1024)

/* ---- lines ---- */

void convert_form_count_lines(struct convert *convert, struct form_course *course,
                              const struct form_piece *piece, uint64_t to)
{
    if (to <= course->counted) return;
    /* may stand before the piece: elements that were taken one by one are behind its front */
    size_t const from = (size_t)(course->counted - (piece->offset - piece->behind));
    convert->tally.lines +=
        scan_count(piece->bytes - piece->behind + from, (size_t)(to - course->counted), '\n');
    course->counted = to;
}

/* The same when they are not at hand. */
enum status convert_form_count_far(struct convert *convert, struct form_course *course, uint64_t to,
                                   struct fault *fault)
{
    while (course->counted < to) {
        struct source_window window;
        uint64_t const left = to - course->counted;
        size_t const step = left < convert->tools.capacity ? (size_t)left : convert->tools.capacity;
        enum status const status =
            convert_show(convert, &convert->tools, course->counted, step, &window, fault);
        if (status != STATUS_OK || window.length == 0) return status;
        convert->tally.lines += scan_count(window.bytes, window.length, '\n');
        course->counted += window.length;
    }
    return STATUS_OK;
}

/* ---- refusals ---- */

enum status convert_form_refuse(struct convert *convert, uint64_t offset, uint64_t length, enum defect code,
                                struct fault *fault)
{
    struct source_window window = {.bytes = (const uint8_t *)"", .length = 0};
    size_t const shown = length < LIMIT_REJECT_RAW ? (size_t)length : (size_t)LIMIT_REJECT_RAW;
    if (!convert_form_wait(convert)) return STATUS_OK;
    enum status const status =
        shown == 0 ? STATUS_OK : convert_show(convert, convert->large, offset, shown, &window, fault);
    if (status != STATUS_OK) return status;
    struct convert_record const record = {
        .bytes = window.bytes, .length = (uint32_t)window.length, .offset = offset};
    convert_reject(convert, &record, length, code, NULL, false);
    return STATUS_OK;
}

/* ---- behind the container ---- */

/* The next byte at or behind *at that is no blank; convert->end: there is none. */
static enum status pass_blanks(struct convert *convert, uint64_t *at, struct fault *fault)
{
    while (*at < convert->end) {
        struct source_window window;
        enum status const status =
            convert_show(convert, &convert->tools, *at, convert->tools.capacity, &window, fault);
        if (status != STATUS_OK || window.length == 0) return status;
        size_t blanks = 0;
        while (blanks < window.length && json_is_blank(window.bytes[blanks]))
            blanks++;
        *at += blanks;
        if (blanks < window.length) break;
    }
    return STATUS_OK;
}

/* Behind the last byte from `from` on that is no blank; found from the source's end. */
static enum status last_text(struct convert *convert, uint64_t from, uint64_t *end, struct fault *fault)
{
    *end = convert->end;
    while (*end > from) {
        struct source_window window;
        uint64_t const left = *end - from;
        size_t const most = convert->end - *end < NEAR_END ? RECORD_MARK_BEHIND : convert->tools.capacity;
        size_t const step = left < most ? (size_t)left : most;
        enum status const status = convert_show(convert, &convert->tools, *end - step, step, &window, fault);
        if (status != STATUS_OK) return status;
        size_t text = window.length;
        while (text > 0 && json_is_blank(window.bytes[text - 1]))
            text--;
        *end -= step - text;
        if (text > 0) break;
    }
    return STATUS_OK;
}

/* Of an array under a key: is the text [at, end) the rest of its object? */
static enum status ends_object(struct convert *convert, uint64_t at, uint64_t end, bool *ends,
                               struct fault *fault)
{
    struct source_window window;
    *ends = false;
    if (end - at > FORM_REST_MAX) return STATUS_OK;
    enum status const status = convert_show(convert, &convert->tools, at, (size_t)(end - at), &window, fault);
    if (status == STATUS_OK) *ends = form_ends_object(convert->form, window.bytes, window.length);
    return status;
}

enum status convert_form_close(struct convert *convert, struct form_course *course, uint64_t at,
                               struct fault *fault)
{
    uint64_t text = at, end;
    bool const keyed = convert->form->kind == FORM_KEYED_ARRAY;
    bool fine = false;
    course->closed = true;
    course->at = convert->end;
    enum status status = convert_form_count_far(convert, course, at, fault);
    if (convert->block != NULL) return status; /* what follows in a stream is looked at where it is cut */
    if (status == STATUS_OK) status = pass_blanks(convert, &text, fault);
    if (status != STATUS_OK) return status;
    if (text == convert->end)
        return keyed ? convert_form_refuse(convert, at, 0, DEFECT_SYNTAX, fault) : STATUS_OK;
    status = last_text(convert, text, &end, fault);
    if (status == STATUS_OK && keyed) status = ends_object(convert, text, end, &fine, fault);
    if (status != STATUS_OK || fine) return status;
    status = convert_form_count_far(convert, course, text, fault);
    return status == STATUS_OK
               ? convert_form_refuse(convert, text, end - text, DEFECT_TRAILING_CONTENT, fault)
               : status;
}

enum status convert_form_miss_end(struct convert *convert, struct form_course *course, struct fault *fault)
{
    uint64_t end;
    course->closed = true;
    if (convert->form->kind == FORM_CONCATENATED || !course->last) return STATUS_OK;
    if (convert->end == convert->form->begin) return STATUS_OK; /* without a byte there is no shard, either */
    enum status status = last_text(convert, course->first, &end, fault);
    if (status == STATUS_OK) status = convert_form_count_far(convert, course, end, fault);
    return status == STATUS_OK ? convert_form_refuse(convert, end, 0, DEFECT_SYNTAX, fault) : status;
}

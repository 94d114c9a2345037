/* convert_large.c - the large lane: records and lines that a worker's own tools don't take. See the header.
 * Thread: a worker, while it has its turn. Borrows the lane's tools. */
#include "core/flow/convert_inside.h"

#include "core/base/limits.h"
#include "core/flow/convert_form.h"
#include "core/record/json_text.h"

#include <string.h>

_Static_assert(2 * MAPPING_SEGMENT_ID_MAX < LIMIT_REJECT_RAW, "windows of the lane go on behind any id");

/* Looks for the end of the line at `from`: *line_end is the offset of its line feed or of the source's end,
 * and *text_end is behind its last byte that is no blank (`from` when there is none). */
static enum status find_line_end(struct convert *convert, struct convert_tools *tools, uint64_t from,
                                 uint64_t *line_end, uint64_t *text_end, struct fault *fault)
{
    size_t const step = convert->tools.capacity;
    uint64_t at = from;
    *text_end = from;
    while (at < convert->end) {
        struct source_window window;
        if (convert->port.stopped(convert->port.context)) {
            convert->stopping = true; /* half a line is no record */
            break;
        }
        enum status const status = convert_show(convert, tools, at, step, &window, fault);
        if (status != STATUS_OK) return status;
        const uint8_t *feed = memchr(window.bytes, '\n', window.length);
        size_t length = feed == NULL ? window.length : (size_t)(feed - window.bytes);
        size_t text = length;
        while (text > 0 && json_is_blank(window.bytes[text - 1]))
            text--;
        if (text > 0) *text_end = at + text;
        at += length;
        if (feed != NULL) break;
    }
    *line_end = at;
    return STATUS_OK;
}

/* Passes the blanks at `from`, at most to `end`. */
static enum status skip_blanks(struct convert *convert, struct convert_tools *tools, uint64_t from,
                               uint64_t end, uint64_t *text, struct fault *fault)
{
    *text = from;
    while (*text < end) {
        struct source_window window;
        uint64_t const left = end - *text;
        size_t const step = left < convert->tools.capacity ? (size_t)left : convert->tools.capacity;
        enum status const status = convert_show(convert, tools, *text, step, &window, fault);
        if (status != STATUS_OK) return status;
        size_t blanks = 0;
        while (blanks < window.length && json_is_blank(window.bytes[blanks]))
            blanks++;
        *text += blanks;
        if (blanks < window.length) break;
    }
    return STATUS_OK;
}

/* May the record name a wanted segment? Looked at in windows that share what an id or an escape can reach
 * over.
 */
static enum status large_may_name(struct convert *convert, uint64_t text, uint64_t length, bool *may,
                                  struct fault *fault)
{
    const struct prefilter *const filter = convert->rules->prefilter;
    *may = filter == NULL;
    if (filter == NULL) return STATUS_OK;
    size_t const shared = prefilter_key_max(filter);
    uint64_t done = 0;
    while (!*may) {
        struct source_window window;
        struct prefilter_scan scan;
        uint64_t const left = length - done;
        size_t const step = left < convert->large->capacity ? (size_t)left : convert->large->capacity;
        enum status const status = convert_show(convert, convert->large, text + done, step, &window, fault);
        if (status != STATUS_OK) return status;
        prefilter_begin(&scan, filter, window.bytes, window.length);
        *may = prefilter_may_name(&scan, 0, window.length);
        if (step == left) break;
        done += step - shared;
    }
    return STATUS_OK;
}

enum status convert_large_record(struct convert *convert, uint64_t text, uint64_t length, struct fault *fault)
{
    struct convert_tools *tools = convert->large;
    bool const fits = length <= form_element_max(convert->form, convert->rules->max_record);
    bool may;
    enum status status = large_may_name(convert, text, length, &may, fault);
    if (status != STATUS_OK) return status;
    if (!may) {
        convert_pass(convert);
        return STATUS_OK;
    }
    uint64_t const shown = fits || length < LIMIT_REJECT_RAW ? length : LIMIT_REJECT_RAW;
    struct source_window window;
    status = convert_show(convert, tools, text, shown < tools->capacity ? (size_t)shown : tools->capacity,
                          &window, fault);
    if (status != STATUS_OK) return status;
    struct convert_record const record = {
        .bytes = window.bytes, .length = (uint32_t)window.length, .offset = text};
    if (fits && convert->form != NULL)
        convert_form_judge(convert, tools, &record);
    else if (fits)
        convert_judge(convert, tools, &record);
    else
        convert_reject(convert, &record, length, DEFECT_TOO_LARGE, NULL, false);
    return STATUS_OK;
}

enum status convert_large(struct convert *convert, uint64_t from, uint64_t *next, struct fault *fault)
{
    struct convert_tools *tools = convert->large;
    uint64_t line_end, text_end, text;
    *next = convert->end;
    if (!convert->port.wait_for_turn(convert->port.context, convert->shard)) {
        convert->stopping = true;
        return STATUS_OK;
    }
    enum status status = find_line_end(convert, tools, from, &line_end, &text_end, fault);
    if (convert->stopping) return status;
    if (status == STATUS_OK) status = skip_blanks(convert, tools, from, text_end, &text, fault);
    if (status != STATUS_OK) return status;
    bool const has_feed = line_end < convert->end;
    *next = line_end + has_feed;
    if (text < text_end) status = convert_large_record(convert, text, text_end - text, fault);
    convert->tally.lines += has_feed;
    return status;
}

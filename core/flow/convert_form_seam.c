/* convert_form_seam.c - where the records of a shard begin and end, found before anything is made of them:
 * for who can't take back what a record did. See convert_form.h. Thread: a worker. Owns nothing. */
#include "core/flow/convert_form.h"
#include "core/flow/convert_form_inside.h"

#include "core/record/json_text.h"

static enum status show(struct convert *convert, struct form_course *course, uint64_t at,
                        struct form_piece *piece, struct fault *fault)
{
    enum status const status = convert_form_show(convert, course, at, piece, fault);
    if (status != STATUS_OK) return status;
    convert_form_see_stop(convert, course, piece);
    if (convert->port.stopped(convert->port.context)) convert->stopping = true;
    return STATUS_OK;
}

static enum status pass_blanks(struct convert *convert, struct form_course *course, struct form_piece *piece,
                               struct fault *fault)
{
    while (course->at < convert->end) {
        /* a broken element goes back to a mark, which may stand before what is at hand */
        if (course->at < piece->offset || course->at >= piece->offset + piece->length) {
            enum status const status = show(convert, course, course->at, piece, fault);
            if (status != STATUS_OK || convert->stopping) return status;
        }
        if (!json_is_blank(piece->bytes[course->at - piece->offset])) break;
        course->at++;
    }
    return STATUS_OK;
}

/* The element that is due; behind it another one is. */
static enum status pass_element(struct convert *convert, struct form_course *course, struct form_piece *piece,
                                struct fault *fault)
{
    struct element_scan *const scan = &convert->scan;
    enum element_end end;
    element_scan_again(scan, course->at);
    while ((end = element_scan_run(scan, piece->bytes, piece->length, piece->offset, piece->ends)) ==
           ELEMENT_MORE) {
        uint64_t const behind = scan->at - scan->begin;
        uint64_t const from = scan->at - (behind < RECORD_MARK_BEHIND ? behind : RECORD_MARK_BEHIND);
        course->wide = scan->at != scan->begin; /* what was at hand showed some of it, and not enough */
        enum status const status = show(convert, course, from, piece, fault);
        if (status != STATUS_OK || convert->stopping) return status;
    }
    course->wide = false;
    course->at = end == ELEMENT_CLOSES || end == ELEMENT_SOURCE ? convert->end : scan->next;
    return STATUS_OK;
}

/* Goes the way of convert_form() from `begin` on. *end: where that ends. */
static enum status find_end(struct convert *convert, const struct shard *shard, uint64_t begin, uint64_t *end,
                            struct fault *fault)
{
    struct form_course course = {.at = begin,
                                 .first = shard->source_begin,
                                 .stop = CONVERT_FORM_NOWHERE,
                                 .stop_from = shard->end,
                                 .searched = shard->end,
                                 .ends = true};
    struct form_piece piece = {.offset = begin};
    enum status status = STATUS_OK;
    element_scan_begin(&convert->scan, convert->form,
                       form_element_max(convert->form, convert->rules->max_record), begin);
    for (bool due = false; status == STATUS_OK && !convert->stopping && course.at < convert->end;
         due = !due) {
        if (course.at >= course.searched && course.stop == CONVERT_FORM_NOWHERE) {
            status = convert_form_search_stop(convert, &course, course.at + 1, fault);
            piece = (struct form_piece){.offset = course.at}; /* it is shown anew */
        }
        if (status != STATUS_OK || course.at >= course.stop) break;
        status = due ? pass_element(convert, &course, &piece, fault)
                     : pass_blanks(convert, &course, &piece, fault);
    }
    *end = course.at;
    return status;
}

enum status convert_form_seam(struct convert *convert, const struct shard *shard, uint64_t *begin,
                              struct fault *fault)
{
    const struct convert_port *const port = &convert->port;
    bool const is_last = shard->end >= convert->end; /* nobody asks where it ends */
    bool const known = port->due(port->context, convert->shard, false, begin);
    uint64_t guess = CONVERT_FORM_NOWHERE, end = 0;
    enum status status = STATUS_OK;
    if (!known && !is_last) status = convert_form_find_begin(convert, shard, &guess, fault);
    if (status == STATUS_OK && guess != CONVERT_FORM_NOWHERE)
        status = find_end(convert, shard, guess, &end, fault);
    if (status != STATUS_OK || convert->stopping) return status;
    if (!known) convert->stopping = !port->due(port->context, convert->shard, true, begin);
    if (convert->stopping || is_last) return STATUS_OK;
    if (guess != *begin) {
        bool passed;
        end = *begin;
        status = convert_form_is_passed(convert, shard, *begin, &passed, fault);
        if (status == STATUS_OK && !passed) status = find_end(convert, shard, *begin, &end, fault);
    }
    if (status == STATUS_OK && !convert->stopping) port->tell_due(port->context, convert->shard, end);
    return status;
}

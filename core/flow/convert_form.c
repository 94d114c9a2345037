/* convert_form.c - the way through a shard of a container. See the header.
 * Thread: a worker. Owns nothing. */
#include "core/flow/convert_form.h"

#include "core/flow/convert_form_inside.h"
#include "core/record/json_text.h"

static size_t seen_behind(const struct form_course *course, uint64_t at)
{
    uint64_t const behind = at - course->first;
    return behind < RECORD_MARK_BEHIND ? (size_t)behind : (size_t)RECORD_MARK_BEHIND;
}

enum status convert_form_search_stop(struct convert *convert, struct form_course *course, uint64_t to,
                                     struct fault *fault)
{
    while (course->stop == CONVERT_FORM_NOWHERE && course->searched < to) {
        struct source_window window;
        size_t const behind = seen_behind(course, course->searched);
        uint64_t const from = course->searched - behind;
        uint64_t const left = to - from;
        size_t want = left < convert->tools.capacity - RECORD_MARK_AHEAD - 1
                          ? (size_t)left + RECORD_MARK_AHEAD + 1
                          : convert->tools.capacity;
        enum status const status = convert_show(convert, &convert->tools, from, want, &window, fault);
        if (status != STATUS_OK) return status;
        size_t const mark = record_mark_next(&convert->form->mark, window.bytes, window.length, behind);
        if (mark != RECORD_MARK_NONE)
            course->stop = from + mark;
        else if (from + window.length >= convert->end)
            course->stop = convert->end;
        else
            course->searched = from + window.length - RECORD_MARK_AHEAD;
    }
    return STATUS_OK;
}

void convert_form_see_stop(struct convert *convert, struct form_course *course,
                           const struct form_piece *piece)
{
    uint64_t const end = piece->offset + piece->length;
    if (course->stop != CONVERT_FORM_NOWHERE || course->searched >= end) return;
    uint64_t const from = course->searched > piece->offset ? course->searched : piece->offset;
    uint64_t const offset = piece->offset - piece->behind;
    size_t const mark = record_mark_next(&convert->form->mark, piece->bytes - piece->behind,
                                         piece->length + piece->behind, (size_t)(from - offset));
    if (mark != RECORD_MARK_NONE)
        course->stop = offset + mark;
    else if (piece->ends)
        course->stop = convert->end;
    else if (end - RECORD_MARK_AHEAD > from)
        course->searched = end - RECORD_MARK_AHEAD;
}

/* Bytes up to behind a whole number of elements; 0: not one can be seen to end. */
static size_t block_bytes(const struct convert *convert, const struct form_course *course,
                          const struct form_piece *piece)
{
    if (course->stop != CONVERT_FORM_NOWHERE && course->stop <= piece->offset + piece->length)
        return (size_t)(course->stop - piece->offset);
    if (piece->ends) return piece->length;
    size_t const mark = record_mark_last(&convert->form->mark, piece->bytes, piece->length, 1);
    return mark == RECORD_MARK_NONE ? 0 : mark;
}

enum status convert_form_show(struct convert *convert, const struct form_course *course, uint64_t at,
                              struct form_piece *piece, struct fault *fault)
{
    struct source_window window;
    size_t const capacity = convert->tools.capacity, overhang = 2 * RECORD_MARK_AHEAD;
    size_t const behind = seen_behind(course, at);
    uint64_t const left = course->stop_from > at ? course->stop_from - at : 0;
    size_t want = capacity - behind;
    if (!course->wide && left + overhang < want) want = (size_t)left + overhang;
    enum status const status =
        convert_show(convert, &convert->tools, at - behind, behind + want, &window, fault);
    if (status != STATUS_OK) return status;
    if (window.length < behind)
        return fault_set(fault, STATUS_IO, "%s: became shorter", convert->source->name);
    *piece = (struct form_piece){.bytes = window.bytes + behind,
                                 .length = window.length - behind,
                                 .behind = behind,
                                 .offset = at,
                                 .ends = course->ends && at - behind + window.length >= convert->end};
    return STATUS_OK;
}

/* What is before course->at is behind us. */
static void leave_front(const struct form_course *course, struct form_piece *piece)
{
    size_t const passed = (size_t)(course->at - piece->offset);
    piece->bytes += passed;
    piece->length -= passed;
    piece->behind += passed;
    piece->offset = course->at;
}

/* Passes the blanks at the front of a piece. */
static void pass_front(struct convert *convert, struct form_course *course, struct form_piece *piece)
{
    size_t blanks = 0;
    while (blanks < piece->length && json_is_blank(piece->bytes[blanks]))
        blanks++;
    convert_form_count_lines(convert, course, piece, piece->offset + blanks);
    if (course->empty_at == course->at) course->empty_at += blanks;
    course->at += blanks;
    leave_front(course, piece);
}

/* One element after the other while the piece shows them: where no mark is, and they may be very short. */
static enum status take_one_by_one(struct convert *convert, struct form_course *course,
                                   struct form_piece *piece, struct fault *fault)
{
    for (bool reads = false;;) {
        enum status const status = convert_form_element(convert, course, piece, course->at, &reads, fault);
        if (status != STATUS_OK || convert->stopping || reads || course->closed) return status;
        if (course->at >= piece->offset + piece->length) return STATUS_OK;
        leave_front(course, piece);
        pass_front(convert, course, piece);
        if (piece->length == 0 || course->at >= course->searched || course->at >= course->stop)
            return STATUS_OK;
    }
}

/* Converts from course->at on, a window at most. */
static enum status convert_step(struct convert *convert, struct form_course *course, struct fault *fault)
{
    struct form_piece piece = {.length = 0};
    enum status const status = convert_form_show(convert, course, course->at, &piece, fault);
    if (status != STATUS_OK) return status;
    bool const was_wide = piece.ends || piece.length + piece.behind >= convert->tools.capacity;
    pass_front(convert, course, &piece);
    convert_form_see_stop(convert, course, &piece);
    if (piece.length == 0 || course->at >= course->stop) return STATUS_OK;
    piece.block = block_bytes(convert, course, &piece);
    course->wide = piece.block == 0 && !was_wide;
    if (course->wide) return STATUS_OK;
    if (piece.block != 0) return convert_form_block(convert, course, &piece, fault);
    return take_one_by_one(convert, course, &piece, fault);
}

static enum status run_course(struct convert *convert, struct form_course *course, struct fault *fault)
{
    struct source *const source = convert->source;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !convert->stopping && !course->closed) {
        if (course->at >= course->searched)
            status = convert_form_search_stop(convert, course, course->at + 1, fault);
        if (status == STATUS_OK && course->at > course->counted)
            status = convert_form_count_far(convert, course, course->at, fault);
        if (status != STATUS_OK || course->at >= course->stop || course->at >= convert->end) break;
        if (convert->port.stopped(convert->port.context)) convert->stopping = true;
        if (!convert->stopping) status = convert_step(convert, course, fault);
        if (status == STATUS_OK && source->drop != NULL && convert->tools.reader != NULL && !course->closed)
            source->drop(convert->tools.reader, course->at - seen_behind(course, course->at));
    }
    if (status != STATUS_OK || convert->stopping || course->closed || course->at < convert->end)
        return status;
    return convert_form_miss_end(convert, course, fault);
}

enum status convert_form_find_begin(struct convert *convert, const struct shard *shard, uint64_t *begin,
                                    struct fault *fault)
{
    struct form_course guess = {
        .first = shard->source_begin, .stop = CONVERT_FORM_NOWHERE, .searched = shard->begin};
    *begin = shard->begin;
    if (shard->begin == shard->source_begin) return STATUS_OK;
    enum status const status = convert_form_search_stop(convert, &guess, shard->end, fault);
    *begin = guess.stop < shard->end ? guess.stop : CONVERT_FORM_NOWHERE;
    return status;
}

enum status convert_form_is_passed(struct convert *convert, const struct shard *shard, uint64_t begin,
                                   bool *passed, struct fault *fault)
{
    uint64_t mark = begin;
    enum status status = STATUS_OK;
    *passed = begin >= convert->end;
    if (*passed || begin < shard->end) return STATUS_OK;
    status = convert_form_find_begin(convert, shard, &mark, fault);
    *passed = mark == CONVERT_FORM_NOWHERE;
    return status;
}

enum status convert_form(struct convert *convert, const struct shard *shard, uint64_t begin,
                         struct fault *fault)
{
    bool const guesses = begin == CONVERT_FORM_GUESS;
    enum status status = STATUS_OK;
    if (guesses) status = convert_form_find_begin(convert, shard, &begin, fault);
    convert->began = convert->ended = begin;
    if (convert->contenders != NULL) convert->contenders->began = begin; /* kept from the shard before */
    if (status != STATUS_OK || begin == CONVERT_FORM_NOWHERE) return status;
    const struct stream_block *const block = convert->block;
    bool passed = false;
    if (block == NULL) status = convert_form_is_passed(convert, shard, begin, &passed, fault);
    if (status != STATUS_OK || passed) return status;
    bool const known = block != NULL || shard->end >= convert->end;
    struct form_course course = {.at = begin,
                                 .first = shard->source_begin,
                                 .empty_at = begin == convert->form->begin ? begin : CONVERT_FORM_NOWHERE,
                                 .stop = known ? shard->end : CONVERT_FORM_NOWHERE,
                                 .stop_from = shard->end,
                                 .searched = known ? CONVERT_FORM_NOWHERE : shard->end,
                                 .counted = begin,
                                 .last = block == NULL || (block->final && !block->closed && !block->cut_off),
                                 .ends = block == NULL || block->ends};
    element_scan_begin(&convert->scan, convert->form,
                       form_element_max(convert->form, convert->rules->max_record), begin);
    convert->scan.cut_off = block != NULL && block->cut_off;
    status = run_course(convert, &course, fault);
    convert->ended = course.closed ? convert->end : course.at;
    return status;
}

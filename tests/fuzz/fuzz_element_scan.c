/* fuzz_element_scan.c - elements of texts, found byte by byte and in blocks: the same ones end at the same
 * places.
 *
 * Byte 0 chooses the form that is asked for, byte 1 how much more is shown at a time the second time; the
 * rest is the text, in which `$` stands for the beginning of a record. Behind it stand blanks, as many as are
 * left for a next call: so that one byte more at a time is looked at alone. */
#include "core/record/element_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 2048, MAX_RECORD = 600, TAIL = RECORD_MARK_AHEAD + 1 };

struct text {
    uint8_t bytes[8 * INPUT_MAX + TAIL + LIMIT_PADDING];
    size_t length;
};

static void unfold(struct text *text, const uint8_t *data, size_t size)
{
    static const char mark[] = "{\"id\":";
    text->length = 0;
    for (size_t i = 0; i < size; i++) {
        size_t const length = data[i] == '$' ? sizeof mark - 1 : 1;
        memcpy(text->bytes + text->length, data[i] == '$' ? (const uint8_t *)mark : data + i, length);
        text->length += length;
    }
    memset(text->bytes + text->length, ' ', TAIL + LIMIT_PADDING);
    text->length += TAIL;
}

/* The element that was begun, `step` bytes more at a time. */
static enum element_end scan_one(struct element_scan *scan, const struct text *text, size_t step)
{
    size_t shown = (size_t)scan->begin;
    for (;;) {
        shown = text->length - shown > step ? shown + step : text->length;
        uint64_t const from =
            scan->at - scan->begin < RECORD_MARK_BEHIND ? scan->begin : scan->at - RECORD_MARK_BEHIND;
        enum element_end const end =
            element_scan_run(scan, text->bytes + from, shown - (size_t)from, from, shown == text->length);
        if (end != ELEMENT_MORE) return end;
    }
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void compare(const struct form *form, const struct text *text, size_t step)
{
    static struct element_scan alone, blocks;
    uint64_t at = form->begin;
    element_scan_begin(&alone, form, MAX_RECORD, at);
    element_scan_begin(&blocks, form, MAX_RECORD, at);
    for (;;) {
        while (at < text->length && is_blank(text->bytes[at]))
            at++;
        if (at == text->length) return;
        element_scan_again(&alone, at);
        element_scan_again(&blocks, at);
        enum element_end const end = scan_one(&alone, text, 1);
        if (scan_one(&blocks, text, step) != end || alone.text_end != blocks.text_end ||
            alone.lost != blocks.lost || (end != ELEMENT_SOURCE && alone.next != blocks.next))
            abort();
        if (end == ELEMENT_SOURCE || end == ELEMENT_CLOSES) return;
        at = alone.next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum form_choice choices[] = {FORM_CHOICE_AUTO, FORM_CHOICE_ARRAY, FORM_CHOICE_CONCATENATED,
                                               FORM_CHOICE_ENTITIES};
    static struct text text;
    struct form form;
    if (size < 2 || size > INPUT_MAX) return 0;
    unfold(&text, data + 2, size - 2);
    if (!form_choose(&form, choices[data[0] % 4], text.bytes, text.length, 0, true)) return 0;
    if (form.kind == FORM_NDJSON) return 0;
    compare(&form, &text, text.length);
    compare(&form, &text, 1 + data[1]);
    return 0;
}

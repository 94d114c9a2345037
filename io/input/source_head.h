/* source_head.h - what a file is, by its first bytes alone: what can be read, and what is refused by name.
 *
 * A first record that is merely broken never makes a file another form: it must not take its neighbours with
 * it. Pure. Thread rule: any thread. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_HEAD_H
#define PENSTOCK_IO_INPUT_SOURCE_HEAD_H

#include "core/codec/unpack.h"
#include "core/record/form.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The contract lets "the lines of the first 64 KiB decide". */
#define SOURCE_HEAD_BYTES (64u * 1024)
/* Of a text whose first object goes on behind them (form.h, `unsure`) sixteen times as much is looked at, and
 * then as much as a record may have by default (source.max_record). Of files and objects that comes before
 * memory is planned, and is gone by then, as manifests are, which may be as large; of standard input it is
 * planned (source_front.h). */
#define SOURCE_HEAD_STEP      16u
#define SOURCE_HEAD_BYTES_MAX (SOURCE_HEAD_STEP * SOURCE_HEAD_STEP * SOURCE_HEAD_BYTES)

/* How much of an unsure text to look at next, behind `room` bytes; 0: no more. */
static inline size_t source_head_further(size_t room)
{
    return room < SOURCE_HEAD_BYTES_MAX ? room * SOURCE_HEAD_STEP : 0;
}

/* How stored bytes have to be taken apart. A file that was cut off inside the mark of a form is of that form,
 * as far as two bytes tell; `whole`: the bytes are all that there are. */
enum unpack_form source_head_form(const uint8_t *stored, size_t length, bool whole);

/* The first bytes of a text, decompressed. */
struct source_head {
    const uint8_t *bytes;
    size_t length;           /* at most SOURCE_HEAD_BYTES_MAX */
    bool whole;              /* the text ends here */
    enum form_choice choice; /* source.format */
};

/* NULL: *form is what it holds, as far as one can see; else a phrase that goes on after "FILE: ": what it is,
 * and what to do about it.  */
const char *source_head_judge(const struct source_head *head, struct form *form);

#endif

/* profilegen_nasty.h - broken records, and odd ones that are valid.
 *
 * Every defect fails in the same way with and without --strict, whatever the job, as long as the job reads
 * the sixteen columns of demo.job.yaml: where the contract checks only what is used, the defect is in what is
 * used. Thread rule: reentrant. */
#ifndef PENSTOCK_DATASETS_PROFILEGEN_NASTY_H
#define PENSTOCK_DATASETS_PROFILEGEN_NASTY_H

#include "datasets/profilegen_text.h"

#include <stddef.h>

/* What became of a record: the text holds blank lines, blanks, the record and its line end. */
struct nasty {
    const char *kind;    /* NULL: not broken */
    const char *code;    /* the reject code */
    size_t lines_before; /* blank lines in front of it */
    size_t offset;       /* of the record inside the text: blank lines and blanks left out */
    size_t length;
};

/* `text` holds a full record (record_write() with `full`); it is changed to a line or several. */
void nasty_break(struct prng *prng, struct text *text, struct nasty *nasty);
/* The same, but the record stays valid. */
void nasty_oddify(struct prng *prng, struct text *text, struct nasty *nasty);

#endif

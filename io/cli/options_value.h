/* options_value.h - the text of one flag or environment variable as a typed value. Pure. */
#ifndef PENSTOCK_IO_CLI_OPTIONS_VALUE_H
#define PENSTOCK_IO_CLI_OPTIONS_VALUE_H

#include "io/cli/options.h"

struct options_value {
    const char *text;
    uint64_t number; /* NUMBER, SIZE; seconds of an AGE; the word's place of a CHOICE; 1 or 0 of a SWITCH */
    int64_t time;
    struct job_budget budget;
};

/* Reads `text` as the row's kind wants. STATUS_USAGE: the fault's message is `LABEL: what is wrong; allowed:
 * …`, with `label` naming the flag or the variable. */
enum status options_value_read(const struct option_row *row, const char *label, const char *text,
                               struct options_value *value, struct fault *fault);

/* The words of a CHOICE that are supported now, or those that come later, as "auto, mmap, read". */
#define OPTIONS_WORDS_MAX 128 /* a line of help; the table's longest list has 30 characters */
void options_value_words(const struct option_row *row, bool later, const char *separator,
                         char list[OPTIONS_WORDS_MAX]);

#endif

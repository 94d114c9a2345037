/* profilegen_options.h - the command line of profilegen. Thread rule: used once, at the start. */
#ifndef PENSTOCK_DATASETS_PROFILEGEN_OPTIONS_H
#define PENSTOCK_DATASETS_PROFILEGEN_OPTIONS_H

#include <stdint.h>

/* More than any disk holds (1.6 PB), and offsets stay far inside 64 bits. */
#define OPTIONS_ROWS_MAX 1000000000000u

struct options {
    uint64_t rows;
    uint64_t seed;
    uint32_t irregular;  /* share of PRNG_SHARE_ONE */
    uint32_t nasty;      /* likewise */
    uint32_t duplicates; /* likewise */
    const char *out;     /* NULL: standard output */
    const char *truth;   /* NULL: none */
};

enum options_result { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_WRONG };

/* OPTIONS_HELP: the help was asked for. OPTIONS_WRONG: the sentence for the person is on standard error. */
enum options_result options_read(int count, char **arguments, struct options *options);

/* The help's text. */
const char *options_help(void);

#endif

/* former_inside.h - what former_delivery.c and former_judge.c share. Thread rule: theirs. */
#ifndef PENSTOCK_IO_OUTPUT_FORMER_INSIDE_H
#define PENSTOCK_IO_OUTPUT_FORMER_INSIDE_H

#include "io/output/former_delivery.h"
#include "io/output/output_name.h"
#include "io/output/output_text.h"

enum status former_no_memory(struct fault *fault);
void former_warn(const struct former *former, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A name with its place, printable, as a value. */
struct former_shown {
    char text[2 * OUTPUT_TEXT_PRINTABLE];
};
struct former_shown former_show(const struct former *former, const char *name);

/* Holds all folders of ours with all names of a manifest. */
struct former_path {
    char text[OUTPUT_NAME_SIZE + MANIFEST_NAME_MAX];
};
/* A file of that bare name beside `of`; returns path->text. */
const char *former_beside(const char *of, const char *name, struct former_path *path);

/* Could a bare name be that of a delivery's file? Hidden ones are unfinished files; no run makes names with
 * control characters. */
bool former_is_plain(const char *name);
/* Adds a copy of the name to the set. False: no memory. */
bool former_keep(struct former *former, struct name_set *set, const char *name);

#endif

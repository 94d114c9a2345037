/* aws_form.h - a text of the form name=value&name=value, for the bodies of STS. Wiped when freed: it may hold
 * a token. Thread rule: belongs to who fills it. */
#ifndef PENSTOCK_IO_AWS_AWS_FORM_H
#define PENSTOCK_IO_AWS_AWS_FORM_H

#include <stdbool.h>
#include <stddef.h>

struct aws_form {
    char *text; /* terminated; NULL: empty */
    size_t length, size;
    bool failed; /* no memory: then the text is not whole */
};

/* A NULL value is left out. */
void aws_form_add(struct aws_form *form, const char *name, const char *value);
void aws_form_free(struct aws_form *form); /* zeroed is fine */

#endif

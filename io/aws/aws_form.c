/* aws_form.c - grows a form's text.
 *
 * Thread rule: pure but for memory. Owns the text. */
#include "io/aws/aws_form.h"

#include "io/aws/aws_credentials.h"
#include "io/aws/aws_request.h"

#include <stdlib.h>
#include <string.h>

/* Room for most forms; only a web identity's token is longer. */
#define FORM_FIRST 1024u

static bool form_room(struct aws_form *form, size_t more)
{
    size_t size = form->size == 0 ? FORM_FIRST : form->size;
    while (size < form->length + more)
        size *= 2;
    if (size == form->size) return true;
    /* Not realloc(), which would leave the old copy unwiped. */
    char *const text = calloc(1, size);
    if (text == NULL) {
        form->failed = true;
        return false;
    }
    if (form->text != NULL) memcpy(text, form->text, form->length);
    aws_wipe_free(form->text, form->size);
    form->text = text;
    form->size = size;
    return true;
}

void aws_form_add(struct aws_form *form, const char *name, const char *value)
{
    if (value == NULL || form->failed) return;
    size_t const encoded = aws_encode(value, false, NULL, 0), named = strlen(name);
    if (!form_room(form, named + encoded + 3)) return; /* & = and the terminator */
    char *at = form->text + form->length;
    if (form->length != 0) *at++ = '&';
    memcpy(at, name, named);
    at += named;
    *at++ = '=';
    aws_encode(value, false, at, encoded + 1);
    form->length = (size_t)(at - form->text) + encoded;
}

void aws_form_free(struct aws_form *form)
{
    aws_wipe_free(form->text, form->size);
    *form = (struct aws_form){0};
}

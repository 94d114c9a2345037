/* s3_message_text.c - foreign texts made fit for a message. Thread: any; pure. Owns nothing. */
#include "io/s3/s3_message_text.h"

#include "core/base/utf8.h"
#include "io/s3/s3_message.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ELLIPSIS "..."

/* What signatures (hex), keys and tokens (base64, URL-encoded too) are made of. */
static bool is_of_secrets(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("+/=%_-", c) != NULL);
}

/* Bytes of the character that `text` begins with, 0 for a part of one. */
static size_t character(const char *text)
{
    size_t const left = strlen(text);
    for (size_t bytes = 1; bytes <= UTF8_BYTES_MAX && bytes <= left; bytes++)
        if (utf8_valid_prefix(text, bytes) == bytes) return bytes;
    return 0;
}

/* Appends if all of it fits and the ellipsis after it still would. */
static bool append(char *out, size_t size, size_t *used, const char *bytes, size_t length)
{
    if (*used + length + sizeof ELLIPSIS > size) return false;
    memcpy(out + *used, bytes, length);
    *used += length;
    return true;
}

void s3_message_words(const char *text, char *out, size_t size)
{
    size_t used = 0;
    bool whole = true;
    while (*text != '\0' && whole) {
        size_t run = 0;
        while (is_of_secrets(text[run]))
            run++;
        size_t const bytes = run > 0 ? run : character(text);
        if (run > S3_MESSAGE_RUN_MAX)
            whole = append(out, size, &used, "[...]", 5);
        else if (bytes == 0 || utf8_has_control(text, bytes))
            whole = append(out, size, &used, "?", 1);
        else
            whole = append(out, size, &used, text, bytes);
        text += bytes > 0 ? bytes : 1;
    }
    memcpy(out + used, whole ? "" : ELLIPSIS, whole ? 1 : sizeof ELLIPSIS);
}

/* A copy with its middle left out: begin and end of a key tell files apart. Cut between characters. */
static void shorten(const char *text, char *out, size_t size)
{
    size_t const length = strlen(text);
    if (length < size) {
        memcpy(out, text, length + 1);
        return;
    }
    size_t const each = (size - sizeof ELLIPSIS) / 2;
    size_t head = each, tail = length - each;
    while (head > 0 && ((unsigned char)text[head] & 0xC0) == 0x80)
        head--;
    while (tail < length && ((unsigned char)text[tail] & 0xC0) == 0x80)
        tail++;
    (void)snprintf(out, size, "%.*s" ELLIPSIS "%s", (int)head, text, text + tail);
}

void s3_message_url(const char *bucket, const char *key, char *out, size_t size)
{
    char place[S3_MESSAGE_URL_MAX / 2], name[S3_MESSAGE_URL_MAX / 2];
    shorten(bucket, place, sizeof place);
    shorten(key != NULL ? key : "", name, sizeof name);
    (void)snprintf(out, size, "s3://%s%s%s", place, name[0] != '\0' ? "/" : "", name);
}

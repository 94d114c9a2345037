/* s3_message_text.h - foreign texts made fit for a message. Pure. Private to s3_message. */
#ifndef PENSTOCK_IO_S3_S3_MESSAGE_TEXT_H
#define PENSTOCK_IO_S3_S3_MESSAGE_TEXT_H

#include <stddef.h>

/* A server's words: long runs left out, cut with "..." to `size`, no control characters. */
void s3_message_words(const char *text, char *out, size_t size);
/* "s3://bucket/key", long ones with "..." in their middle. `key` NULL: the bucket alone. */
void s3_message_url(const char *bucket, const char *key, char *out, size_t size);

#endif

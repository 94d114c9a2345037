/* s3_xml_text.h - texts of S3's replies as values: numbers, checksums, encoded keys, words for a person.
 *
 * Thread rule: pure; any thread. */
#ifndef PENSTOCK_IO_S3_S3_XML_TEXT_H
#define PENSTOCK_IO_S3_S3_XML_TEXT_H

#include "core/base/checksum.h"
#include "io/s3/s3_url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* XML's white space. */
bool s3_xml_text_is_blank(char c);

/* Copies UTF-8 without control characters (C0, DEL, C1), with runs of blanks as one blank and none around,
 * cut between two characters to fit `size` with its terminator. */
void s3_xml_text_clean(char *to, size_t size, const char *from);

/* Decimal digits alone, at most `most`. */
bool s3_xml_text_number(const char *text, uint64_t most, uint64_t *value);

/* "true" or "false". */
bool s3_xml_text_boolean(const char *text, bool *value);

/* What checksum_text() writes, and "-N" behind it for a checksum of parts' checksums (`composite`). False for
 * CHECKSUM_NONE. */
bool s3_xml_text_checksum(enum checksum_kind kind, const char *text, uint64_t *value, bool *composite);

/* EncodingType url, in place: %XX, and '+' for a blank (S3 writes it, botocore reads it so). False: a broken
 * %XX, or a zero byte, which no key has. */
bool s3_xml_text_url_decode(char *text);
/* What a listed key stands for when the store encodes keys without saying so (Ceph RGW 16). False: it stands
 * for itself, or for nothing that can be a key. */
bool s3_xml_text_hidden_key(const char *listed, char out[S3_KEY_MAX + 1]);

#endif

/* s3_xml_text.c - strict readers of small texts. Pure. Thread: any. Owns nothing. */
#include "io/s3/s3_xml_text.h"

#include "io/s3/s3_op.h"

#include <string.h>

/* A byte count has 14 digits at most (48.8 TiB), a part number 5; 18 can't overflow. */
#define NUMBER_DIGITS 18u

bool s3_xml_text_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Bytes of the character at `at`; 0: it is cut. */
static size_t character_bytes(const unsigned char *at)
{
    size_t const bytes = *at < 0x80 ? 1 : *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : 4;
    for (size_t i = 1; i < bytes; i++)
        if (at[i] == 0) return 0;
    return bytes;
}

void s3_xml_text_clean(char *to, size_t size, const char *from)
{
    size_t length = 0, bytes = 0;
    for (const unsigned char *at = (const unsigned char *)from; *at != 0; at += bytes) {
        bytes = character_bytes(at);
        if (bytes == 0) break;
        bool const blank = s3_xml_text_is_blank((char)*at);
        if (!blank && (*at < 0x20 || *at == 0x7F || (*at == 0xC2 && at[1] < 0xA0))) continue;
        if (blank && (length == 0 || to[length - 1] == ' ')) continue;
        if (length + bytes >= size) break;
        memcpy(to + length, at, bytes);
        if (blank) to[length] = ' ';
        length += bytes;
    }
    if (length > 0 && to[length - 1] == ' ') length--;
    to[length] = 0;
}

bool s3_xml_text_number(const char *text, uint64_t most, uint64_t *value)
{
    size_t const digits = strspn(text, "0123456789");
    if (digits == 0 || digits > NUMBER_DIGITS || text[digits] != 0) return false;
    *value = 0;
    for (size_t i = 0; i < digits; i++)
        *value = *value * 10 + (uint64_t)(text[i] - '0');
    return *value <= most;
}

bool s3_xml_text_boolean(const char *text, bool *value)
{
    *value = strcmp(text, "true") == 0;
    return *value || strcmp(text, "false") == 0;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool s3_xml_text_checksum(enum checksum_kind kind, const char *text, uint64_t *value, bool *composite)
{
    if (kind == CHECKSUM_NONE) return false;
    size_t const bytes = kind == CHECKSUM_CRC64NVME ? 8 : 4;
    size_t const digits = (bytes * 8 + 5) / 6, padded = (bytes + 2) / 3 * 4;
    unsigned const unused = (unsigned)(digits * 6 - bytes * 8); /* low bits of the last digit */
    uint64_t sum = 0, parts;
    for (size_t i = 0; i < digits; i++) {
        int const six = base64_value(text[i]);
        unsigned const over = i + 1 < digits ? 0 : unused;
        if (six < 0 || ((unsigned)six & ((1u << over) - 1)) != 0) return false;
        sum = sum << (6 - over) | (uint64_t)six >> over;
    }
    for (size_t i = digits; i < padded; i++)
        if (text[i] != '=') return false;
    *composite = text[padded] == '-';
    if (text[padded] != 0 && (!*composite || !s3_xml_text_number(text + padded + 1, S3_PARTS_MAX, &parts)))
        return false;
    *value = sum;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool s3_xml_text_url_decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != 0; from++) {
        char c = *from == '+' ? ' ' : *from;
        if (c == '%') {
            int const high = hex_value(from[1]), low = high < 0 ? -1 : hex_value(from[2]);
            if (low < 0 || (high == 0 && low == 0)) return false;
            c = (char)(high * 16 + low);
            from += 2;
        }
        *to++ = c;
    }
    *to = 0;
    return true;
}

bool s3_xml_text_hidden_key(const char *listed, char out[S3_KEY_MAX + 1])
{
    char text[3 * S3_KEY_MAX + 1]; /* each byte as %XX */
    size_t const length = strlen(listed);
    if (length >= sizeof text) return false;
    memcpy(text, listed, length + 1);
    if (!s3_xml_text_url_decode(text) || strlen(text) > S3_KEY_MAX) return false;
    memcpy(out, text, strlen(text) + 1);
    return strcmp(out, listed) != 0;
}

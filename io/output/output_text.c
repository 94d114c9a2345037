/* output_text.c - escapes texts for JSON and for messages. Pure; any thread; owns nothing, never allocates.
 */
#include "io/output/output_text.h"

#include "core/base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the well-formed UTF-8 sequence that `text` begins with, of `left` bytes; 0: it begins with none.
 */
static size_t sequence_length(const char *text, size_t left)
{
    if (left == 0) return 0;
    unsigned const first = (unsigned char)text[0];
    size_t const length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return length <= left && utf8_valid_prefix(text, length) == length ? length : 0;
}

/* The JSON escape of one ASCII byte; 0 when it stands for itself. */
static size_t json_escape(unsigned char byte, char escape[8])
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letter[] = "\"\\bfnrt";
    const char *const found = byte == 0 ? NULL : strchr(plain, byte);
    if (found != NULL) {
        escape[0] = '\\';
        escape[1] = letter[found - plain];
        return 2;
    }
    if (byte >= 0x20) return 0;
    return (size_t)snprintf(escape, 8, "\\u%04x", (unsigned)byte);
}

size_t output_text_json(const char *text, size_t length, char *out, size_t size)
{
    size_t written = 0;
    for (size_t at = 0; at < length;) {
        char escape[8];
        const char *piece = text + at;
        size_t step = sequence_length(text + at, length - at);
        size_t piece_length = step;
        if (step == 0) {
            piece = "\xEF\xBF\xBD"; /* U+FFFD */
            piece_length = 3;
            step = 1;
        } else if (step == 1) {
            size_t const escaped = json_escape((unsigned char)text[at], escape);
            if (escaped != 0) {
                piece = escape;
                piece_length = escaped;
            }
        }
        if (piece_length >= size - written) break;
        memcpy(out + written, piece, piece_length);
        written += piece_length;
        at += step;
    }
    out[written] = '\0';
    return written;
}

/* C1 controls, U+0080 to U+009F, are C2 80 to C2 9F: terminals obey them too. */
static bool is_c1(const unsigned char *sequence, size_t length)
{
    return length == 2 && sequence[0] == 0xC2 && sequence[1] < 0xA0;
}

/* How one character is shown, in `piece`; returns the length of that and sets *step to the bytes it stands
 * for. */
static size_t show(const char *text, size_t left, char piece[8], size_t *step)
{
    const unsigned char *const byte = (const unsigned char *)text;
    size_t const length = sequence_length(text, left);
    *step = 1; /* the second byte of a C1 control is then no sequence, and is escaped alike */
    if (length == 0 || is_c1(byte, length) || (length == 1 && (*byte < 0x20 || *byte == 0x7F)))
        return (size_t)snprintf(piece, 8, "\\x%02x", (unsigned)*byte);
    if (*byte == '\\') {
        memcpy(piece, "\\\\", 2);
        return 2;
    }
    memcpy(piece, text, length);
    *step = length;
    return length;
}

const char *output_text_printable(const char *text, char *out, size_t size)
{
    static const char cut[] = "...";
    size_t const length = strlen(text);
    size_t written = 0;
    size_t mark = 0; /* the last place where `cut` fits */
    for (size_t at = 0; at < length;) {
        char piece[8];
        size_t step = 0;
        size_t const piece_length = show(text + at, length - at, piece, &step);
        if (written + sizeof cut <= size) mark = written;
        if (written + piece_length >= size) {
            memcpy(out + mark, cut, sizeof cut);
            return out;
        }
        memcpy(out + written, piece, piece_length);
        written += piece_length;
        at += step;
    }
    out[written] = '\0';
    return out;
}

/* utf8.c - well-formedness by the table of the Unicode standard, one character at a time. Pure; owns nothing.
 */
#include "core/base/utf8.h"

/* Length of the well-formed character at `at`, 0 when there is none. The second byte's bounds keep out
 * overlong forms (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4). */
static size_t utf8_one(const unsigned char *at, size_t left)
{
    unsigned const lead = at[0];
    if (lead < 0x80) return 1;
    size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || left < length) return 0;
    unsigned const low = lead == 0xE0 ? 0xA0u : lead == 0xF0 ? 0x90u : 0x80u;
    unsigned const high = lead == 0xED ? 0x9Fu : lead == 0xF4 ? 0x8Fu : 0xBFu;
    if (at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xC0u) != 0x80u) return 0;
    return length;
}

size_t utf8_valid_prefix(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t const step = utf8_one((const unsigned char *)text + at, length - at);
        if (step == 0) break;
        at += step;
    }
    return at;
}

size_t utf8_characters(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0u) != 0x80u;
    return count;
}

bool utf8_has_control(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] < 0x20 || bytes[i] == 0x7F) return true;
        if (bytes[i] == 0xC2 && i + 1 < length && bytes[i + 1] < 0xA0) return true; /* U+0080 to U+009F */
    }
    return false;
}

size_t utf8_write(uint32_t character, char *out)
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    size_t const length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80u | (character & 0x3Fu));
        character >>= 6;
    }
    out[0] = (char)(leads[length] | character);
    return length;
}

/* transform.c - trim, and Unicode's simple case mapping; the only file that includes <utf8proc.h>.
 *
 * Most texts are plain ASCII, so eight bytes are folded at once as long as none of them has its high bit set;
 * only what is not ASCII goes through libutf8proc, one code point at a time.
 * Thread rule: pure and reentrant. Owns nothing. */
#include "core/csv/transform.h"

#include <utf8proc.h>

#include <stdint.h>
#include <string.h>

enum {
    WORD_BYTES = sizeof(uint64_t),
    UTF8_BYTES_MAX = 4, /* longest UTF-8 sequence (RFC 3629, section 3) */
    CASE_BIT = 0x20,    /* all that 'A' and 'a' differ in */
    SHARP_S = 0xDF
};

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (uint64_t)(value))
#define HIGH_BITS        EACH_BYTE(0x80)

/* One direction of mapping: the ASCII letters that change and the function for all other code points. */
struct case_rule {
    unsigned char first, last;
    utf8proc_int32_t (*map)(utf8proc_int32_t);
};

static bool is_json_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void transform_trim(const char **text, size_t *length)
{
    const char *first = *text;
    size_t left = *length;

    while (left != 0 && is_json_space(first[left - 1]))
        left--;
    while (left != 0 && is_json_space(*first)) {
        first++;
        left--;
    }
    *text = first;
    *length = left;
}

size_t transform_case_bound(size_t length)
{
    /* Only 2-byte code points grow, by one byte (test_transform goes through all of Unicode). */
    return length + length / 2;
}

/* Flips the case of the rule's letters in eight ASCII bytes. No byte has its high bit set, and none of the
 * sums below passes 0xFF, so that nothing carries into the next byte: a sum's high bit says "at least first"
 * and "greater than last", and a byte with just the first of both is a letter. */
static uint64_t flip_word(uint64_t word, const struct case_rule *rule)
{
    uint64_t const at_least_first = word + EACH_BYTE(0x80 - rule->first);
    uint64_t const above_last = word + EACH_BYTE(0x7F - rule->last);
    uint64_t const letters = (at_least_first ^ above_last) & HIGH_BITS;
    return word ^ (letters >> 2); /* 0x80 >> 2 is CASE_BIT */
}

/* Maps ASCII from the front; returns how many bytes that were: all, or up to the first other byte. */
static size_t map_ascii(const char *text, size_t length, char *out, const struct case_rule *rule)
{
    size_t done = 0;

    while (length - done >= WORD_BYTES) {
        uint64_t word;
        memcpy(&word, text + done, WORD_BYTES);
        if ((word & HIGH_BITS) != 0) break;
        word = flip_word(word, rule);
        memcpy(out + done, &word, WORD_BYTES);
        done += WORD_BYTES;
    }
    for (; done < length; done++) {
        unsigned char const c = (unsigned char)text[done];
        if (c >= 0x80) break;
        out[done] = (char)(c >= rule->first && c <= rule->last ? c ^ CASE_BIT : c);
    }
    return done;
}

/* libutf8proc follows Unicode's simple mapping but for one code point: it gives sharp s the capital U+1E9E
 * (its data generator says so), for which UnicodeData.txt has no upper case at all. */
static utf8proc_int32_t simple_upper(utf8proc_int32_t code)
{
    return code == SHARP_S ? code : utf8proc_toupper(code);
}

/* Maps the one code point that begins at `text`. Bytes that are no UTF-8 can't come by the header's contract;
 * were one to come all the same, it passes as it is: out of bounds is never an answer. */
static size_t map_code_point(const char *text, size_t length, char **out, const struct case_rule *rule)
{
    size_t const window = length < UTF8_BYTES_MAX ? length : UTF8_BYTES_MAX;
    utf8proc_int32_t code = 0;
    utf8proc_ssize_t const taken =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)window, &code);
    if (taken <= 0) {
        *(*out)++ = *text;
        return 1;
    }
    utf8proc_uint8_t mapped[UTF8_BYTES_MAX];
    size_t const given = (size_t)utf8proc_encode_char(rule->map(code), mapped);
    memcpy(*out, mapped, given);
    *out += given;
    return (size_t)taken;
}

static size_t map_case(const char *text, size_t length, char *out, const struct case_rule *rule)
{
    char *const begin = out;
    size_t at = 0;

    while (at < length) {
        size_t const ascii = map_ascii(text + at, length - at, out, rule);
        at += ascii;
        out += ascii;
        while (at < length && (unsigned char)text[at] >= 0x80)
            at += map_code_point(text + at, length - at, &out, rule);
    }
    return (size_t)(out - begin);
}

size_t transform_lower(const char *text, size_t length, char *out)
{
    struct case_rule const rule = {.first = 'A', .last = 'Z', .map = utf8proc_tolower};
    return map_case(text, length, out, &rule);
}

size_t transform_upper(const char *text, size_t length, char *out)
{
    struct case_rule const rule = {.first = 'a', .last = 'z', .map = simple_upper};
    return map_case(text, length, out, &rule);
}

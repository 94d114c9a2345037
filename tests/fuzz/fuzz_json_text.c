/* fuzz_json_text.c - any bytes as a string's inside, a scalar, a container and two values to compare: the
 * scanners agree with each other and with a plain recursive one, write no byte too many, and minified text
 * stays as it is.
 *
 * Byte 0 is the greatest depth, byte 1 says where the second of two values begins; the rest is the text. */
#include "core/base/utf8.h"
#include "core/record/json_container.h"
#include "core/record/json_equal.h"
#include "core/record/json_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096, DEPTH_MAX = 16 };

static void expect(bool holds)
{
    if (!holds) abort();
}

/* An exact copy on the heap, so that every byte too far is seen. */
static uint8_t *copy_of(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length + (length == 0));
    expect(copy != NULL);
    memcpy(copy, bytes, length);
    return copy;
}

/* ---- the plain one ---- */

struct plain {
    const uint8_t *text;
    size_t length, at;
    uint32_t depth_max;
};

static void plain_blanks(struct plain *p)
{
    while (p->at < p->length && json_is_blank(p->text[p->at]))
        p->at++;
}

static bool plain_char(struct plain *p, char wanted)
{
    if (p->at == p->length || p->text[p->at] != (uint8_t)wanted) return false;
    p->at++;
    return true;
}

static bool plain_string(struct plain *p)
{
    if (!plain_char(p, '"')) return false;
    while (p->at < p->length && p->text[p->at] != '"') {
        if (!plain_char(p, '\\')) {
            p->at++;
            continue;
        }
        if (p->at == p->length) return false;
        uint8_t const kind = p->text[p->at++];
        if (kind != 'u') {
            if (kind == 0 || strchr("\"\\/bfnrt", kind) == NULL) return false;
            continue;
        }
        for (int i = 0; i < 4; i++, p->at++)
            if (p->at == p->length || strchr("0123456789abcdefABCDEF", p->text[p->at]) == NULL ||
                p->text[p->at] == 0)
                return false;
    }
    return plain_char(p, '"');
}

static bool plain_digits(struct plain *p)
{
    size_t const from = p->at;
    while (p->at < p->length && p->text[p->at] >= '0' && p->text[p->at] <= '9')
        p->at++;
    return p->at > from;
}

static bool plain_number(struct plain *p)
{
    plain_char(p, '-');
    if (!plain_char(p, '0') && !plain_digits(p)) return false;
    if (plain_char(p, '.') && !plain_digits(p)) return false;
    if (!plain_char(p, 'e') && !plain_char(p, 'E')) return true;
    if (!plain_char(p, '+')) plain_char(p, '-');
    return plain_digits(p);
}

static bool plain_value(struct plain *p, uint32_t depth);

static bool plain_items(struct plain *p, uint32_t depth, char close)
{
    if (depth == p->depth_max) return false;
    plain_blanks(p);
    if (plain_char(p, close)) return true;
    for (;;) {
        plain_blanks(p);
        if (close == '}') {
            if (!plain_string(p)) return false;
            plain_blanks(p);
            if (!plain_char(p, ':')) return false;
            plain_blanks(p);
        }
        if (!plain_value(p, depth + 1)) return false;
        plain_blanks(p);
        if (plain_char(p, close)) return true;
        if (!plain_char(p, ',')) return false;
    }
}

static bool plain_value(struct plain *p, uint32_t depth)
{
    static const char *const words[] = {"true", "false", "null"};
    if (p->at == p->length) return false;
    if (p->text[p->at] == '"') return plain_string(p);
    if (plain_char(p, '{')) return plain_items(p, depth, '}');
    if (plain_char(p, '[')) return plain_items(p, depth, ']');
    for (size_t i = 0; i < 3; i++) {
        size_t const length = strlen(words[i]);
        if (p->length - p->at < length || memcmp(p->text + p->at, words[i], length) != 0) continue;
        p->at += length;
        return true;
    }
    return plain_number(p);
}

static bool plain_is_value(const uint8_t *text, size_t length, uint32_t depth_max)
{
    struct plain p = {.text = text, .length = length, .depth_max = depth_max};
    return plain_value(&p, 0) && p.at == length;
}

/* ---- checks ---- */

static void check_unescape(const uint8_t *raw, size_t length)
{
    struct json_string looked, written;
    uint8_t *out = malloc(length + (length == 0));
    expect(out != NULL);
    bool const good = json_unescape(raw, length, NULL, &looked);
    expect(json_unescape(raw, length, out, &written) == good);
    if (good) {
        expect(looked.length == written.length && written.length <= length && written.bad == SIZE_MAX);
        expect(looked.lone_surrogate == written.lone_surrogate &&
               looked.null_character == written.null_character);
        if (utf8_valid_prefix((const char *)raw, length) == length)
            expect(utf8_valid_prefix((const char *)out, written.length) == written.length);
        expect(written.null_character >= length || raw[written.null_character] == '\\');
        expect(written.lone_surrogate >= length || raw[written.lone_surrogate] == '\\');
    } else {
        expect(looked.bad == written.bad && looked.bad < length && raw[looked.bad] == '\\');
        expect(json_unescape(raw, looked.bad, NULL, &looked));
    }
    free(out);
}

static void check_container(const uint8_t *text, size_t length, uint32_t depth_max)
{
    uint8_t brackets[DEPTH_MAX + 1];
    size_t looked, written, bad, again;
    uint8_t *out = malloc(length + (length == 0)), *twice = malloc(length + (length == 0));
    expect(out != NULL && twice != NULL);
    bool const good = json_container(text, length, brackets, depth_max, NULL, &looked, &bad);
    expect(json_container(text, length, brackets, depth_max, out, &written, &again) == good && again == bad);
    expect(looked == written && written <= length && bad <= length);
    if (good) {
        expect(json_container(out, written, brackets, depth_max, twice, &again, &bad) && again == written);
        expect(memcmp(out, twice, written) == 0);
    }
    free(out);
    free(twice);
}

static void check_value(const uint8_t *text, size_t length, uint32_t depth_max)
{
    uint8_t brackets[DEPTH_MAX + 1];
    size_t bad = 0;
    bool const value = json_is_value(text, length, brackets, depth_max);
    bool const scalar = json_is_scalar(text, length, &bad);
    expect(value == plain_is_value(text, length, depth_max));
    expect(bad <= length);
    if (length > 0 && text[0] != '{' && text[0] != '[') expect(scalar == value);
    if (json_is_number(text, length)) expect(scalar);
    if (scalar) {
        expect(json_equal(text, length, text, length));
        /* as the one element of an array it is good too */
        uint8_t *array = malloc(length + 2);
        expect(array != NULL);
        array[0] = '[';
        memcpy(array + 1, text, length);
        array[length + 1] = ']';
        expect(depth_max == 0 || json_is_value(array, length + 2, brackets, depth_max));
        free(array);
    }
}

static void check_equal(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    uint8_t brackets[DEPTH_MAX + 1];
    if (!json_is_value(a, a_length, brackets, DEPTH_MAX) || !json_is_value(b, b_length, brackets, DEPTH_MAX))
        return;
    bool const equal = json_equal(a, a_length, b, b_length);
    expect(json_equal(b, b_length, a, a_length) == equal);
    if (!equal || a[0] != '"') return;
    expect(json_hash(a + 1, a_length - 2) == json_hash(b + 1, b_length - 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX) return 0;
    uint32_t const depth_max = data[0] % (DEPTH_MAX + 1);
    size_t const length = size - 2, half = length == 0 ? 0 : data[1] % length;
    uint8_t *text = copy_of(data + 2, length), *front = copy_of(data + 2, half);
    check_unescape(text, length);
    check_container(text, length, depth_max);
    check_value(text, length, depth_max);
    check_equal(front, half, text + half, length - half);
    free(text);
    free(front);
    return 0;
}

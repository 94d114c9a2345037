/* json_equal.c - see the header. No memory of its own. */
#include "core/record/json_equal.h"

#include "core/record/json_text.h"

#include <string.h>

/* A number as sign, digits d (no zero at either end) and exponent: value = 0.d1d2d3… x 10^exponent. */
struct decimal {
    const uint8_t *token;
    size_t length;
    bool negative;
    size_t first, end; /* of the significant digits in the token, the point possibly among them */
    int64_t exponent;
    bool exponent_huge; /* beyond what 64 bits hold: equal only when spelled the same way */
};

static void decimal_exponent(struct decimal *d, size_t at)
{
    enum { EXPONENT_DIGITS = 17 };
    bool const negative = at < d->length && d->token[at] == '-';
    if (at < d->length && (d->token[at] == '-' || d->token[at] == '+')) at++;
    while (at < d->length && d->token[at] == '0')
        at++;
    d->exponent_huge = d->length - at > EXPONENT_DIGITS;
    int64_t value = 0;
    for (; !d->exponent_huge && at < d->length; at++)
        value = value * 10 + (d->token[at] - '0');
    d->exponent += negative ? -value : value;
}

static struct decimal decimal_read(const uint8_t *token, size_t length)
{
    struct decimal d = {.token = token, .length = length, .negative = token[0] == '-'};
    size_t at = d.negative, point = SIZE_MAX, last = 0;
    d.first = SIZE_MAX;
    for (; at < length && (token[at] | 0x20) != 'e'; at++) {
        if (token[at] == '.') {
            point = at;
        } else if (token[at] != '0') {
            if (d.first == SIZE_MAX) d.first = at;
            last = at;
        }
    }
    if (d.first == SIZE_MAX)
        return (struct decimal){.token = token, .length = length}; /* zero, of either sign */
    d.end = last + 1;
    size_t const integer_end = point == SIZE_MAX ? at : point;
    d.exponent =
        d.first < integer_end ? (int64_t)(integer_end - d.first) : -(int64_t)(d.first - integer_end - 1);
    if (at < length) decimal_exponent(&d, at + 1);
    return d;
}

static bool decimal_equal(const uint8_t *a_token, size_t a_length, const uint8_t *b_token, size_t b_length)
{
    struct decimal const a = decimal_read(a_token, a_length), b = decimal_read(b_token, b_length);
    if (a.end == 0 || b.end == 0) return a.end == b.end;
    if (a.exponent_huge || b.exponent_huge)
        return a_length == b_length && memcmp(a_token, b_token, a_length) == 0;
    if (a.negative != b.negative || a.exponent != b.exponent) return false;
    size_t i = a.first, j = b.first;
    for (;;) {
        if (i < a.end && a_token[i] == '.') i++;
        if (j < b.end && b_token[j] == '.') j++;
        if (i >= a.end || j >= b.end) return i >= a.end && j >= b.end;
        if (a_token[i++] != b_token[j++]) return false;
    }
}

bool json_equal(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    if (a_length == 0 || b_length == 0) return false;
    bool const a_number = json_is_number(a, a_length), b_number = json_is_number(b, b_length);
    if (a_number || b_number) return a_number && b_number && decimal_equal(a, a_length, b, b_length);
    if (a[0] == '"' && b[0] == '"')
        return a_length >= 2 && b_length >= 2 &&
               json_compare_text(a + 1, a_length - 2, b + 1, b_length - 2) == 0;
    if (a[0] == '{' || a[0] == '[') return false;
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

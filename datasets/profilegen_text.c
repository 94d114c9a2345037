/* profilegen_text.c - find and replace in a record, drop members, spread tokens; see the header.
 * Owns nothing. Thread rule: reentrant. */
#include "datasets/profilegen_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void text_own_error(const char *what, const char *detail)
{
    fprintf(stderr, "profilegen: %s%s: an error of the generator itself, please report it\n", what, detail);
    exit(70);
}

size_t text_find(const struct text *text, size_t from, const char *pattern)
{
    size_t const length = strlen(pattern);
    for (size_t at = from; at + length <= text->length; at++)
        if (memcmp(text->data + at, pattern, length) == 0) return at;
    text_own_error("no place for a change: ", pattern);
}

size_t text_find_end(const struct text *text, size_t from, const char *pattern)
{
    return text_find(text, from, pattern) + strlen(pattern);
}

void text_replace(struct text *text, size_t at, size_t removed, const char *inserted, size_t length)
{
    if (at > text->length || removed > text->length - at) text_own_error("a change outside the record", "");
    if (length > TEXT_BYTES_MAX - (text->length - removed)) text_own_error("a change too large", "");
    memmove(text->data + at + length, text->data + at + removed, text->length - at - removed);
    memcpy(text->data + at, inserted, length);
    text->length = text->length - removed + length;
}

void text_replace_string(struct text *text, size_t at, size_t removed, const char *string)
{
    text_replace(text, at, removed, string, strlen(string));
}

/* Behind the string whose first quote is at `at`. */
static size_t string_end(const char *data, size_t at)
{
    for (at++; data[at] != '"'; at++)
        if (data[at] == '\\') at++;
    return at + 1;
}

size_t text_value_end(const char *data, size_t at)
{
    size_t depth = 0;
    do {
        char const c = data[at];
        if (c == '"') {
            at = string_end(data, at);
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        at++;
    } while (depth > 0 || (data[at] != ',' && data[at] != '}' && data[at] != ']'));
    return at;
}

/* What text_drop_members() knows of the brackets that are open. */
struct dropper {
    struct prng *prng;
    uint32_t share;
    size_t depth;
    size_t identity_depth; /* depth inside the array customerid; 0: not inside */
    bool is_object[TEXT_DEPTH_MAX + 1];
};

static bool key_is(const char *key, size_t length, const char *name)
{
    return length == strlen(name) && memcmp(key, name, length) == 0;
}

/* The member whose key (without quotes) is given: does it go? */
static bool dropper_drops(struct dropper *dropper, const char *key, size_t length)
{
    if (dropper->depth == 1 && key_is(key, length, "identityMap")) return false;
    if (dropper->depth == 2 && key_is(key, length, "customerid")) {
        dropper->identity_depth = dropper->depth + 1;
        return false;
    }
    if (dropper->identity_depth != 0 && key_is(key, length, "id")) return false;
    return prng_share(dropper->prng, dropper->share);
}

static void dropper_enter(struct dropper *dropper, char bracket)
{
    if (dropper->depth == TEXT_DEPTH_MAX) text_own_error("a record nested too deep", "");
    dropper->is_object[++dropper->depth] = bracket == '{';
}

static void dropper_leave(struct dropper *dropper)
{
    if (dropper->depth == dropper->identity_depth) dropper->identity_depth = 0;
    dropper->depth--;
}

char *text_drop_members(struct prng *prng, uint32_t share, const char *in, size_t length, char *out)
{
    struct dropper dropper = {.prng = prng, .share = share};
    size_t at = 0;
    while (at < length) {
        char const c = in[at];
        bool const begins = at > 0 && (in[at - 1] == '{' || in[at - 1] == ',');
        if (c == '"' && begins && dropper.is_object[dropper.depth]) {
            size_t const colon = string_end(in, at);
            if (dropper_drops(&dropper, in + at + 1, colon - at - 2)) {
                at = text_value_end(in, colon + 1);
                if (in[at] == ',') at++;
                continue;
            }
        }
        size_t const next = c == '"' ? string_end(in, at) : at + 1;
        if (c == '{' || c == '[') dropper_enter(&dropper, c);
        if (c == '}' || c == ']') {
            dropper_leave(&dropper);
            if (out[-1] == ',') out--; /* what followed the comma is gone */
        }
        memcpy(out, in + at, next - at);
        out += next - at;
        at = next;
    }
    return out;
}

static char *put_blanks(struct prng *prng, char *p)
{
    uint32_t const draw = prng_below(prng, 8);
    if (draw >= 1 && draw <= 5) *p++ = ' ';
    if (draw == 5 || draw == 6) *p++ = '\t';
    if (draw == 7) *p++ = prng_below(prng, 8) == 0 ? '\r' : ' ';
    return p;
}

void text_spread(struct prng *prng, struct text *text)
{
    /* Each byte is at worst a token with two blanks before and two behind. */
    char *const spread = malloc(5 * text->length + 1);
    if (spread == NULL) text_own_error("out of memory", "");
    char *p = spread;
    for (size_t at = 0; at < text->length;) {
        char const c = text->data[at];
        bool const token = memchr("{}[]:,", c, 6) != NULL;
        size_t const next = c == '"' ? string_end(text->data, at) : at + 1;
        if (token && at > 0) p = put_blanks(prng, p);
        memcpy(p, text->data + at, next - at);
        p += next - at;
        if (token && next < text->length) p = put_blanks(prng, p);
        at = next;
    }
    text_replace(text, 0, text->length, spread, (size_t)(p - spread));
    free(spread);
}

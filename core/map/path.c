/* path.c - parses the text of a path (path.h's subset of RFC 9535), one cursor from left to right, no
 * recursion.
 *
 * Thread rule: reentrant. Owns nothing: what stays lies in the caller's arena, copied at its exact length
 * (the cursor's buffers are on the stack). Rule numbers in comments are those of RFC 9535. */
#include "core/map/path.h"

#include "core/base/utf8.h"

#include <stdio.h>
#include <string.h>

enum {
    PATH_SHOWN_MAX = 120, /* bytes of the path that a message repeats: longer ones hide the sentence */
    /* A text re-encoded as JSON: one quote inside '…' becomes two bytes, nothing grows more, two quotes
       around. */
    PATH_LITERAL_MAX = 2 * PATH_TEXT_MAX + 2
};

struct path_cursor {
    struct arena *arena;
    struct fault *fault;
    const char *text;
    size_t length, at;
    struct path_part parts[PATH_PARTS_MAX];
    size_t count;
};

/* The text for a message: cut at a whole character, what a terminal would act upon made visible as "?". */
static void path_show(const char *text, size_t length, char out[PATH_SHOWN_MAX + 4])
{
    size_t shown = length > PATH_SHOWN_MAX ? PATH_SHOWN_MAX : length;
    while (shown < length && shown > 0 && ((unsigned char)text[shown] & 0xC0u) == 0x80u)
        shown--;
    for (size_t i = 0; i < shown; i++)
        out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? '?' : text[i];
    memcpy(out + shown, shown < length ? "..." : "", shown < length ? 4 : 1);
}

/* Everything in front of `at` is valid UTF-8, so that characters can be counted. */
static enum status path_refuse(const struct path_cursor *cursor, size_t at, const char *what)
{
    char shown[PATH_SHOWN_MAX + 4];
    path_show(cursor->text, cursor->length, shown);
    return fault_set(cursor->fault, STATUS_JOB, "path \"%s\", character %zu: %s", shown,
                     utf8_characters(cursor->text, at) + 1, what);
}

static enum status path_no_memory(const struct path_cursor *cursor)
{
    return fault_set(cursor->fault, STATUS_IO, "no memory for a path");
}

static bool path_at(const struct path_cursor *cursor, char wanted)
{
    return cursor->at < cursor->length && cursor->text[cursor->at] == wanted;
}

static bool path_accept(struct path_cursor *cursor, char wanted)
{
    bool const found = path_at(cursor, wanted);
    cursor->at += found;
    return found;
}

static bool path_accept_word(struct path_cursor *cursor, const char *word)
{
    size_t const length = strlen(word);
    if (cursor->length - cursor->at < length || memcmp(cursor->text + cursor->at, word, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

static void path_blanks(struct path_cursor *cursor)
{
    while (path_at(cursor, ' ') || path_at(cursor, '\t') || path_at(cursor, '\n') || path_at(cursor, '\r'))
        cursor->at++;
}

static bool path_digit(const struct path_cursor *cursor)
{
    return cursor->at < cursor->length && cursor->text[cursor->at] >= '0' && cursor->text[cursor->at] <= '9';
}

static bool path_name_character(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == ':' || c >= 0x80;
}

/* A bare name; the cursor stands on what must be its first character. */
static enum status path_name(struct path_cursor *cursor, const char **name, size_t *length)
{
    size_t const start = cursor->at;
    while (cursor->at < cursor->length && path_name_character((unsigned char)cursor->text[cursor->at]))
        cursor->at++;
    if (cursor->at == start) {
        if (path_at(cursor, '.'))
            return path_refuse(cursor, start, "\"..\" is not supported; name every step");
        if (path_at(cursor, '*')) return path_refuse(cursor, start, "for all elements write [*]");
        return path_refuse(
            cursor, start,
            "a name is expected here: letters, digits, _ - : and non-ASCII characters (any other "
            "key as ['key'])");
    }
    *length = cursor->at - start;
    *name = arena_text(cursor->arena, cursor->text + start, *length);
    return *name == NULL ? path_no_memory(cursor) : STATUS_OK;
}

/* Four hex digits behind "\u"; false when there are none. */
static bool path_hex(struct path_cursor *cursor, uint32_t *value)
{
    if (cursor->length - cursor->at < 4) return false;
    *value = 0;
    for (int i = 0; i < 4; i++) {
        char const c = cursor->text[cursor->at + (size_t)i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A') + 10;
        else
            return false;
        *value = *value << 4 | digit;
    }
    cursor->at += 4;
    return true;
}

/* hexchar (2.3.1.1): a code unit that is no surrogate, or a high one with its low one behind. */
static enum status path_unicode_escape(struct path_cursor *cursor, size_t start, uint32_t *character)
{
    if (!path_hex(cursor, character)) return path_refuse(cursor, start, "\\u takes four hexadecimal digits");
    if (*character < 0xD800 || *character > 0xDFFF) return STATUS_OK;
    uint32_t low = 0;
    if (*character > 0xDBFF || !path_accept_word(cursor, "\\u") || !path_hex(cursor, &low) || low < 0xDC00 ||
        low > 0xDFFF)
        return path_refuse(cursor, start,
                           "half of a surrogate pair; write both halves, or the character itself");
    *character = 0x10000 + ((*character - 0xD800) << 10) + (low - 0xDC00);
    return STATUS_OK;
}

/* What stands behind a backslash. Only the quote in use may be escaped. */
static enum status path_escape(struct path_cursor *cursor, char quote, uint32_t *character)
{
    static const char letters[] = "bfnrt/\\";
    static const char meanings[] = "\b\f\n\r\t/\\";
    size_t const start = cursor->at - 1;
    if (cursor->at == cursor->length) return path_refuse(cursor, start, "the text does not end");
    char const c = cursor->text[cursor->at++];
    if (c == 'u') return path_unicode_escape(cursor, start, character);
    const char *found = c == '\0' ? NULL : strchr(letters, c);
    if (found == NULL && c != quote)
        return path_refuse(cursor, start,
                           quote == '\''
                               ? "no escape of '...': allowed are \\' \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"
                               : "no escape of \"...\": allowed are \\\" \\\\ \\/ \\b \\f \\n \\r \\t "
                                 "\\uXXXX");
    *character = (unsigned char)(found == NULL ? c : meanings[found - letters]);
    return STATUS_OK;
}

/* A string literal (2.3.1.1); the cursor stands on its quote. Unescaping never makes a text longer, so
 * PATH_TEXT_MAX bytes always do. */
static enum status path_string(struct path_cursor *cursor, char out[PATH_TEXT_MAX], size_t *length)
{
    size_t const start = cursor->at;
    char const quote = cursor->text[cursor->at++];
    *length = 0;
    while (cursor->at < cursor->length) {
        char const c = cursor->text[cursor->at++];
        if (c == quote) return STATUS_OK;
        if ((unsigned char)c < 0x20)
            return path_refuse(cursor, cursor->at - 1,
                               "a control character must be escaped, e.g. \\n or \\u0001");
        if (c != '\\') {
            out[(*length)++] = c;
            continue;
        }
        uint32_t character = 0;
        enum status const status = path_escape(cursor, quote, &character);
        if (status != STATUS_OK) return status;
        *length += utf8_write(character, out + *length);
    }
    return path_refuse(cursor, start, "the text that begins here has no closing quote");
}

/* A quoted key, kept in the arena. */
static enum status path_key(struct path_cursor *cursor, const char **name, size_t *length)
{
    char text[PATH_TEXT_MAX];
    enum status const status = path_string(cursor, text, length);
    if (status != STATUS_OK) return status;
    *name = arena_text(cursor->arena, text, *length);
    return *name == NULL ? path_no_memory(cursor) : STATUS_OK;
}

static size_t path_json_character(unsigned char c, char *out)
{
    static const char controls[] = "\b\f\n\r\t\"\\";
    static const char letters[] = "bfnrt\"\\";
    const char *found = c == '\0' ? NULL : strchr(controls, c);
    if (found != NULL) {
        out[0] = '\\';
        out[1] = letters[found - controls];
        return 2;
    }
    if (c >= 0x20) {
        out[0] = (char)c;
        return 1;
    }
    return (size_t)snprintf(out, sizeof "\\u0000", "\\u%04x", c);
}

/* A text literal, as the one JSON text that stands for it: equal texts become equal literals. */
static enum status path_literal_text(struct path_cursor *cursor, struct path_part *part)
{
    char text[PATH_TEXT_MAX];
    size_t length = 0;
    enum status const status = path_string(cursor, text, &length);
    if (status != STATUS_OK) return status;
    /* One escape more than the bound: snprintf writes its terminator behind the last one. */
    char json[PATH_LITERAL_MAX + sizeof "\\u0000"];
    size_t used = 0;
    json[used++] = '"';
    for (size_t i = 0; i < length; i++)
        used += path_json_character((unsigned char)text[i], json + used);
    json[used++] = '"';
    part->literal = arena_text(cursor->arena, json, used);
    part->literal_length = used;
    return part->literal == NULL ? path_no_memory(cursor) : STATUS_OK;
}

static bool path_digits(struct path_cursor *cursor)
{
    size_t const start = cursor->at;
    while (path_digit(cursor))
        cursor->at++;
    return cursor->at > start;
}

/* number (2.3.5.1), the same as JSON's: -0 is one, 01 and 1. and .5 are none. */
static enum status path_literal_number(struct path_cursor *cursor, struct path_part *part)
{
    static const char wrong[] =
        "no JSON number (no leading zeros, no \"+\", digits on both sides of the point)";
    size_t const start = cursor->at;
    path_accept(cursor, '-');
    bool whole = path_accept(cursor, '0') ? !path_digit(cursor) : path_digits(cursor);
    if (whole && path_accept(cursor, '.')) whole = path_digits(cursor);
    if (whole && (path_accept(cursor, 'e') || path_accept(cursor, 'E'))) {
        if (!path_accept(cursor, '-')) path_accept(cursor, '+');
        whole = path_digits(cursor);
    }
    if (!whole) return path_refuse(cursor, start, wrong);
    part->literal_length = cursor->at - start;
    part->literal = arena_text(cursor->arena, cursor->text + start, part->literal_length);
    return part->literal == NULL ? path_no_memory(cursor) : STATUS_OK;
}

static enum status path_literal(struct path_cursor *cursor, struct path_part *part)
{
    static const char *const words[] = {"true", "false", "null"};
    if (path_at(cursor, '\'') || path_at(cursor, '"')) return path_literal_text(cursor, part);
    if (path_digit(cursor) || path_at(cursor, '-')) return path_literal_number(cursor, part);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!path_accept_word(cursor, words[i])) continue;
        part->literal = words[i];
        part->literal_length = strlen(words[i]);
        return STATUS_OK;
    }
    return path_refuse(cursor, cursor->at,
                       "a value is expected here: 'text', a JSON number, true, false or null");
}

/* ".name" or "['key']" behind the "@" of a filter. */
static enum status path_filter_key(struct path_cursor *cursor, struct path_part *part)
{
    path_blanks(cursor);
    if (path_accept(cursor, '.')) return path_name(cursor, &part->name, &part->name_length);
    if (path_accept(cursor, '[')) {
        path_blanks(cursor);
        if (!path_at(cursor, '\'') && !path_at(cursor, '"'))
            return path_refuse(cursor, cursor->at, "a quoted key is expected here, e.g. @['key']");
        enum status const status = path_key(cursor, &part->name, &part->name_length);
        if (status != STATUS_OK) return status;
        path_blanks(cursor);
        if (path_accept(cursor, ']')) return STATUS_OK;
        return path_refuse(cursor, cursor->at, "\"]\" is expected here");
    }
    return path_refuse(cursor, cursor->at,
                       "a filter tests one member of the element, e.g. [?@.type == 'home']");
}

/* The cursor stands behind "?". */
static enum status path_filter(struct path_cursor *cursor, struct path_part *part)
{
    part->kind = PATH_FILTER;
    path_blanks(cursor);
    if (path_at(cursor, '('))
        return path_refuse(cursor, cursor->at, "leave the parentheses out: [?@.key == literal]");
    if (!path_accept(cursor, '@'))
        return path_refuse(cursor, cursor->at, "a filter has the form [?@.key == literal], nothing else");
    enum status status = path_filter_key(cursor, part);
    if (status != STATUS_OK) return status;
    path_blanks(cursor);
    if (path_at(cursor, '.') || path_at(cursor, '['))
        return path_refuse(cursor, cursor->at,
                           "a filter tests a member of the element itself, not one below it");
    if (!path_accept_word(cursor, "=="))
        return path_refuse(cursor, cursor->at,
                           "\"==\" is expected here, the only comparison that is supported");
    path_blanks(cursor);
    status = path_literal(cursor, part);
    if (status != STATUS_OK) return status;
    path_blanks(cursor);
    if (path_at(cursor, '&') || path_at(cursor, '|'))
        return path_refuse(cursor, cursor->at, "&& and || are not supported; a filter has one comparison");
    return STATUS_OK;
}

/* int (2.1): "0", or digits without a leading zero, "-" before them or not; "-0" is none. */
static enum status path_index(struct path_cursor *cursor, struct path_part *part)
{
    size_t const start = cursor->at;
    bool const negative = path_accept(cursor, '-');
    part->kind = PATH_INDEX;
    if (!path_digit(cursor)) return path_refuse(cursor, start, "an index has digits behind its \"-\"");
    bool const zero = path_at(cursor, '0');
    size_t const first = cursor->at;
    for (; path_digit(cursor); cursor->at++) {
        part->index = part->index * 10 + (cursor->text[cursor->at] - '0');
        if (part->index > PATH_INDEX_MAX)
            return path_refuse(cursor, start, "the index is too large; at most 1000000000 is allowed");
    }
    if (zero && (negative || cursor->at - first > 1))
        return path_refuse(cursor, start, "an index has no leading zeros and is not -0");
    if (negative) part->index = -part->index;
    return STATUS_OK;
}

static enum status path_bracket_end(struct path_cursor *cursor)
{
    path_blanks(cursor);
    if (path_accept(cursor, ']')) return STATUS_OK;
    if (path_at(cursor, ',')) return path_refuse(cursor, cursor->at, "unions ([a, b]) are not supported");
    if (path_at(cursor, ':')) return path_refuse(cursor, cursor->at, "slices ([a:b]) are not supported");
    return path_refuse(cursor, cursor->at, "\"]\" is expected here");
}

/* The cursor stands behind "[". */
static enum status path_bracket(struct path_cursor *cursor, struct path_part *part)
{
    enum status status = STATUS_OK;
    path_blanks(cursor);
    if (path_at(cursor, '\'') || path_at(cursor, '"'))
        status = path_key(cursor, &part->name, &part->name_length);
    else if (path_accept(cursor, '*'))
        part->kind = PATH_WILDCARD;
    else if (path_accept(cursor, '?'))
        status = path_filter(cursor, part);
    else if (path_digit(cursor) || path_at(cursor, '-'))
        status = path_index(cursor, part);
    else if (path_at(cursor, ':'))
        status = path_refuse(cursor, cursor->at, "slices ([a:b]) are not supported");
    else
        status =
            path_refuse(cursor, cursor->at, "a bracket holds a quoted key ['key'], a number, * or a filter");
    return status == STATUS_OK ? path_bracket_end(cursor) : status;
}

/* One part; only the first may be a name without its dot. */
static enum status path_next(struct path_cursor *cursor, bool first)
{
    if (cursor->count == PATH_PARTS_MAX)
        return path_refuse(cursor, cursor->at, "too many parts; a path has at most 64");
    struct path_part *part = &cursor->parts[cursor->count++];
    *part = (struct path_part){.kind = PATH_NAME};
    if (path_accept(cursor, '[')) return path_bracket(cursor, part);
    bool const bare = first && cursor->at == 0;
    if (!bare && !path_accept(cursor, '.'))
        return path_refuse(cursor, cursor->at, "\".\", \"[\" or the end of the path is expected here");
    if (bare && path_at(cursor, '.'))
        return path_refuse(cursor, 0, "a path begins with a name, \"[\" or \"$\", not with a dot");
    return path_name(cursor, &part->name, &part->name_length);
}

static enum status path_parts(struct path_cursor *cursor)
{
    if (cursor->length == 0) return path_refuse(cursor, 0, "is empty; a path names at least one member");
    if (path_accept(cursor, '$') && cursor->at == cursor->length)
        return path_refuse(cursor, 0, "\"$\" alone is the whole record; name a member of it");
    do {
        enum status const status = path_next(cursor, cursor->count == 0);
        if (status != STATUS_OK) return status;
    } while (cursor->at < cursor->length);
    return STATUS_OK;
}

enum status path_parse(struct arena *arena, const char *text, size_t length, struct path *path,
                       struct fault *fault)
{
    struct path_cursor cursor = {.arena = arena, .fault = fault, .text = text, .length = length};
    size_t const valid = utf8_valid_prefix(text, length);
    if (length > PATH_TEXT_MAX)
        return fault_set(fault, STATUS_JOB, "the path is %zu bytes long; at most %d are allowed", length,
                         PATH_TEXT_MAX);
    if (valid < length) {
        cursor.length = valid; /* a message shows the part that can be shown */
        return path_refuse(&cursor, valid, "the bytes here are not UTF-8");
    }
    enum status const status = path_parts(&cursor);
    if (status != STATUS_OK) return status;
    struct path_part *parts = arena_array(arena, cursor.count, sizeof *parts);
    path->text = arena_text(arena, text, length);
    if (parts == NULL || path->text == NULL) return path_no_memory(&cursor);
    memcpy(parts, cursor.parts, cursor.count * sizeof *parts);
    path->parts = parts;
    path->part_count = cursor.count;
    return STATUS_OK;
}

static bool path_same_text(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && (a_length == 0 || memcmp(a, b, a_length) == 0);
}

bool path_equal(const struct path *a, const struct path *b)
{
    if (a->part_count != b->part_count) return false;
    for (size_t i = 0; i < a->part_count; i++) {
        const struct path_part *p = &a->parts[i], *q = &b->parts[i];
        if (p->kind != q->kind || p->index != q->index ||
            !path_same_text(p->name, p->name_length, q->name, q->name_length) ||
            !path_same_text(p->literal, p->literal_length, q->literal, q->literal_length))
            return false;
    }
    return true;
}

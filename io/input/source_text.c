/* source_text.c - forms of texts by their beginning. Pure. Owns nothing. */
#include "io/input/source_text.h"

#include <stddef.h>
#include <string.h>

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static const uint8_t *skip_blank(const uint8_t *at, const uint8_t *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* ---- containers of records ---- */

/* A line of `{` alone, then a line that goes on inside it: one object over several lines. A line that begins
 * otherwise, or none, leaves it what it looks like: a broken first record of an NDJSON file, which must not
 * take its neighbours with it. */
static bool text_pretty(const uint8_t *text, const uint8_t *end)
{
    bool line_ended = false;
    for (text++; text < end && is_blank(*text); text++)
        line_ended = line_ended || *text == '\n';
    return line_ended && text < end && (*text == '"' || *text == '}');
}

/* Behind the string that begins at `at`; NULL: it has no end here. */
static const uint8_t *skip_string(const uint8_t *at, const uint8_t *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end) at++;
    return at < end ? at + 1 : NULL;
}

/* Behind the array or object that begins at `at`; NULL: it has no end here. Brackets count as one kind:
 * whether they fit is the walk's business. */
static const uint8_t *skip_container(const uint8_t *at, const uint8_t *end)
{
    size_t depth = 0;
    while (at != NULL && at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[') depth++;
        if (*at == '}' || *at == ']') depth--;
        at++;
        if (depth == 0) return at;
    }
    return NULL;
}

/* The value of the first member of the object that begins at `at`; NULL: not to be seen. `name`, when given,
 * is what the member has to be called. */
static const uint8_t *first_value(const uint8_t *at, const uint8_t *end, const char *name)
{
    const uint8_t *const key = skip_blank(at + 1, end);
    if (key >= end || *key != '"') return NULL;
    const uint8_t *const key_end = skip_string(key, end);
    if (key_end == NULL) return NULL;
    size_t const length = (size_t)(key_end - key) - 2;
    if (name != NULL && (length != strlen(name) || memcmp(key + 1, name, length) != 0)) return NULL;
    at = skip_blank(key_end, end);
    if (at >= end || *at != ':') return NULL;
    at = skip_blank(at + 1, end);
    return at < end ? at : NULL;
}

/* The array of objects at `array` is the one member of the one object of the text. */
static bool text_array_under_key(const uint8_t *array, const uint8_t *end)
{
    const uint8_t *const first = skip_blank(array + 1, end);
    if (first >= end || *first != '{') return false;
    const uint8_t *at = skip_container(array, end);
    at = at == NULL ? end : skip_blank(at, end);
    return at < end && *at == '}' && skip_blank(at + 1, end) == end;
}

/* `{"key":[` alone on its line, then a line that no NDJSON has: one that ends with a comma or opens something
 * that goes on, or closes the array. Whole records behind it make it a broken record among others. */
static bool text_array_opened(const uint8_t *array, const uint8_t *end)
{
    const uint8_t *const line = skip_blank(array + 1, end);
    if (line == end || memchr(array, '\n', (size_t)(line - array)) == NULL) return false;
    const uint8_t *last = memchr(line, '\n', (size_t)(end - line));
    if (last == NULL) last = end;
    while (is_blank(last[-1])) /* stops at `line`, which is not blank */
        last--;
    return *line == ']' || last[-1] == ',' || last[-1] == '{' || last[-1] == '[';
}

/* `text` is at a `{`. A file with a second line that is not blank is NDJSON, but for text_array_opened(). */
static const char *text_object(const uint8_t *text, const uint8_t *end, bool whole)
{
    static const char array[] =
        "holds a JSON array under a key, which is not supported yet: write one record "
        "a line (jq -c '.[][]')";
    const uint8_t *const value = first_value(text, end, NULL);
    if (value == NULL) return NULL;
    if (*value == '[' && text_array_opened(value, end)) return array;
    if (!whole)
        return NULL; /* a first record that is longer than the head must not be taken for another form */
    const uint8_t *const line_end = memchr(text, '\n', (size_t)(end - text));
    if (line_end != NULL && skip_blank(line_end, end) != end) return NULL;
    if (*value == '[' && text_array_under_key(value, end)) return array;
    if (*value == '{' && first_value(value, end, "entity") != NULL)
        return "holds a map of entities, which is not supported yet: write one entity a line (jq -c "
               "'.[].entity')";
    return NULL;
}

/* ---- other texts ---- */

/* Does the text begin with `word`, without regard to ASCII case? `word` is in lower case. */
static bool begins_with(const uint8_t *text, const uint8_t *end, const char *word)
{
    for (; *word != '\0'; word++, text++) {
        if (text == end) return false;
        uint8_t const lower = *text >= 'A' && *text <= 'Z' ? (uint8_t)(*text | 0x20) : *text;
        if (lower != (uint8_t)*word) return false;
    }
    return true;
}

static bool is_page(const uint8_t *text, const uint8_t *end)
{
    return begins_with(text, end, "<!doctype html") || begins_with(text, end, "<html");
}

/* Delimiters in [line, end) that stand outside quotes. */
static size_t count_delimiters(const uint8_t *line, const uint8_t *end, uint8_t delimiter)
{
    size_t count = 0;
    bool quoted = false;
    for (; line < end; line++) {
        if (*line == '"') quoted = !quoted;
        count += !quoted && *line == delimiter;
    }
    return count;
}

static const uint8_t *line_end(const uint8_t *line, const uint8_t *end)
{
    const uint8_t *const feed = memchr(line, '\n', (size_t)(end - line));
    return feed == NULL ? end : feed;
}

/* A line that begins as a record does, anywhere in the text: then the text is one of records. */
static bool has_container(const uint8_t *text, const uint8_t *end)
{
    while (text < end) {
        text = skip_blank(text, end);
        if (text < end && (*text == '{' || *text == '[')) return true;
        text = line_end(text, end);
    }
    return false;
}

/* A header without brackets, and a row with as many fields. */
static bool is_csv(const uint8_t *text, const uint8_t *end)
{
    static const uint8_t delimiters[] = {',', ';', '\t', '|'};
    const uint8_t *const header_end = line_end(text, end);
    const uint8_t *const row = skip_blank(header_end, end);
    if (row == end || has_container(text, end)) return false;
    for (const uint8_t *at = text; at < header_end; at++)
        if (*at == '{' || *at == '}' || *at == '[' || *at == ']') return false;
    for (size_t i = 0; i < sizeof delimiters; i++) {
        size_t const fields = count_delimiters(text, header_end, delimiters[i]);
        if (fields > 0 && fields == count_delimiters(row, line_end(row, end), delimiters[i])) return true;
    }
    return false;
}

const char *source_text_foreign(const uint8_t *text, const uint8_t *end)
{
    text = skip_blank(text, end);
    if (is_page(text, end))
        return "is an HTML page, perhaps an error message in place of the data: look at it, and fetch the "
               "file again";
    if (begins_with(text, end, "<?xml"))
        return "is an XML document, perhaps an error message in place of the data: look at it, and fetch the "
               "file again";
    return NULL;
}

const char *source_text_judge(const uint8_t *text, const uint8_t *end, bool whole)
{
    text = skip_blank(text, end);
    if (text == end) return NULL;
    if (is_csv(text, end))
        return "is CSV, which is not supported: export the dataset as JSON (an export of penstock is no "
               "input)";
    if (*text == '[')
        return "is a JSON array, which is not supported yet: write one record a line (jq -c '.[]')";
    if (*text == '{' && text_pretty(text, end))
        return "holds pretty-printed or concatenated JSON (its first line is just `{`), which is not "
               "supported yet: "
               "write one record a line (jq -c .)";
    return *text == '{' ? text_object(text, end, whole) : NULL;
}

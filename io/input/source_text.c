/* source_text.c - texts that are no JSON, by their beginning. Pure. Owns nothing. */
#include "io/input/source_text.h"

#include "core/record/json_text.h"

#include <stddef.h>
#include <string.h>

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
        text = json_pass_blanks(text, end);
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
    const uint8_t *const row = json_pass_blanks(header_end, end);
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
    text = json_pass_blanks(text, end);
    if (is_page(text, end))
        return "is an HTML page, perhaps an error message in place of the data: look at it, and fetch the "
               "file again";
    /* the second: what S3 says of an object that it does not give, without the declaration */
    if (begins_with(text, end, "<?xml") || begins_with(text, end, "<error>"))
        return "is an XML document, perhaps an error message in place of the data: look at it, and fetch the "
               "file again";
    return NULL;
}

const char *source_text_judge(const uint8_t *text, const uint8_t *end)
{
    text = json_pass_blanks(text, end);
    if (text == end || !is_csv(text, end)) return NULL;
    return "is CSV, which is not supported: export the dataset as JSON (an export of penstock is no input)";
}

/* http_send.c - reads a body of spans in order, and makes header lines. Pure.
 * Thread: whoever owns the cursor or the lines. Owns: the block of the lines; spans are borrowed. */
#include "io/http/http_send.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What libcurl would add by itself; a name without a value keeps it from doing so. */
static const char *const unwanted[] = {"Accept", "Expect", "Content-Type"};

size_t http_cursor_read(struct http_cursor *cursor, uint8_t *out, size_t size)
{
    size_t done = 0;
    while (done < size && cursor->span < cursor->count) {
        const struct http_span *const span = &cursor->spans[cursor->span];
        size_t const left = span->length - cursor->offset;
        size_t const piece = left < size - done ? left : size - done;
        if (piece > 0) memcpy(out + done, span->bytes + cursor->offset, piece);
        done += piece;
        cursor->offset += piece;
        if (cursor->offset == span->length) {
            cursor->span++;
            cursor->offset = 0;
        }
    }
    return done;
}

bool http_cursor_seek(struct http_cursor *cursor, uint64_t position)
{
    cursor->span = 0;
    cursor->offset = 0;
    while (cursor->span < cursor->count && position >= cursor->spans[cursor->span].length)
        position -= cursor->spans[cursor->span++].length;
    if (cursor->span == cursor->count) return position == 0;
    cursor->offset = (size_t)position;
    return true;
}

const char *http_lines_check(const struct http_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (headers[i].name[0] == '\0' || strpbrk(headers[i].name, ": \t\r\n") != NULL) return "(nameless)";
        if (strpbrk(headers[i].value, "\r\n") != NULL || strcasecmp(headers[i].name, "Content-Length") == 0)
            return headers[i].name;
    }
    return NULL;
}

static bool is_listed(const struct http_header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(headers[i].name, name) == 0) return true;
    return false;
}

static void put(struct http_lines *lines, const char *text)
{
    size_t const length = strlen(text);
    memcpy(lines->block + lines->used, text, length);
    lines->used += length;
}

/* "Name: value"; "Name;" sends a header without a value; "Name:" keeps libcurl from sending its own. */
static void put_line(struct http_lines *lines, const char *name, const char *value)
{
    put(lines, name);
    if (value == NULL)
        put(lines, ":");
    else if (value[strspn(value, " \t")] == '\0')
        put(lines, ";");
    else {
        put(lines, ": ");
        put(lines, value);
    }
    lines->block[lines->used++] = '\0';
    lines->count++;
}

bool http_lines_make(struct http_lines *lines, const struct http_header *headers, size_t count)
{
    size_t need = 0;
    for (size_t i = 0; i < count; i++)
        need += strlen(headers[i].name) + strlen(headers[i].value) + sizeof ": ";
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++)
        need += strlen(unwanted[i]) + sizeof ":";
    if (need > lines->size) {
        char *const block = malloc(need);
        if (block == NULL) return false;
        http_lines_free(lines);
        lines->block = block;
        lines->size = need;
    }
    lines->used = lines->count = 0;
    for (size_t i = 0; i < count; i++)
        put_line(lines, headers[i].name, headers[i].value);
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++)
        if (!is_listed(headers, count, unwanted[i])) put_line(lines, unwanted[i], NULL);
    return true;
}

char *http_lines_next(const struct http_lines *lines, const char *line)
{
    return line == NULL ? lines->block : lines->block + (size_t)(line - lines->block) + strlen(line) + 1;
}

void http_lines_wipe(struct http_lines *lines)
{
    if (lines->used > 0) explicit_bzero(lines->block, lines->used);
    lines->used = lines->count = 0;
}

void http_lines_free(struct http_lines *lines)
{
    http_lines_wipe(lines);
    free(lines->block);
    *lines = (struct http_lines){0};
}

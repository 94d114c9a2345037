/* catalogue_path.c - the path of a node as jobs write it. Pure. */
#include "core/inspect/catalogue.h"

#include <stdio.h>
#include <string.h>

struct text {
    char *out;
    size_t size, length; /* `length` goes on where there is no room */
};

static void put(struct text *text, const char *bytes, size_t length)
{
    if (text->length < text->size) {
        size_t const room = text->size - 1 - text->length;
        memcpy(text->out + text->length, bytes, length < room ? length : room);
    }
    text->length += length;
}

static bool is_bare(const char *key, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char const c = (unsigned char)key[i];
        bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '_' && c != '-' && c != ':' && c < 0x80) return false;
    }
    return length > 0;
}

/* A string literal of RFC 9535. */
static void put_quoted(struct text *text, const char *key, size_t length)
{
    put(text, "['", 2);
    for (size_t i = 0; i < length; i++) {
        char escape[8];
        unsigned char const c = (unsigned char)key[i];
        if (c < 0x20)
            put(text, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
        else if (c == '\'' || c == '\\')
            put(text, escape, (size_t)snprintf(escape, sizeof escape, "\\%c", c));
        else
            put(text, key + i, 1);
    }
    put(text, "']", 2);
}

size_t catalogue_path(const struct catalogue_node *node, char *out, size_t size)
{
    const struct catalogue_node *parts[CATALOGUE_DEPTH_MAX + 1];
    struct text text = {.out = out, .size = size};
    size_t count = 0;
    for (; node->parent != NULL; node = node->parent)
        parts[count++] = node;
    while (count > 0) {
        const struct catalogue_node *const part = parts[--count];
        if (part->is_each) {
            put(&text, "[*]", 3);
        } else if (is_bare(part->key, part->key_length)) {
            if (text.length != 0) put(&text, ".", 1);
            put(&text, part->key, part->key_length);
        } else {
            put_quoted(&text, part->key, part->key_length);
        }
    }
    if (size > 0) out[text.length < size ? text.length : size - 1] = '\0';
    return text.length;
}

/* json_container.c - see the header. No memory of its own. */
#include "core/record/json_container.h"

#include "core/record/json_text.h"

#include <string.h>

struct container {
    const uint8_t *text;
    size_t length, at;
    uint8_t *out;
    size_t written;
};

static void container_put(struct container *c, size_t from, size_t length)
{
    if (c->out != NULL) memcpy(c->out + c->written, c->text + from, length);
    c->written += length;
}

static void container_blanks(struct container *c)
{
    while (c->at < c->length && json_is_blank(c->text[c->at]))
        c->at++;
}

/* A string at c->at: passes it. */
static bool container_string(struct container *c)
{
    size_t const begin = c->at;
    size_t end;
    if (begin >= c->length || c->text[begin] != '"') return false;
    bool const good = json_pass_string(c->text + begin, c->length - begin, &end);
    c->at = begin + end;
    if (good) container_put(c, begin, end);
    return good;
}

static bool is_scalar_end(uint8_t byte)
{
    return json_is_blank(byte) || byte == ',' || byte == ':' || byte == ']' || byte == '}' || byte == '[' ||
           byte == '{' || byte == '"';
}

static bool container_scalar(struct container *c)
{
    if (c->at < c->length && c->text[c->at] == '"') return container_string(c);
    size_t end = c->at, bad;
    while (end < c->length && !is_scalar_end(c->text[end]))
        end++;
    if (!json_is_scalar(c->text + c->at, end - c->at, &bad)) {
        c->at += bad;
        return false;
    }
    container_put(c, c->at, end - c->at);
    c->at = end;
    return true;
}

static bool container_char(struct container *c, uint8_t wanted)
{
    if (c->at >= c->length || c->text[c->at] != wanted) return false;
    container_put(c, c->at++, 1);
    return true;
}

/* The key and colon of a member. */
static bool container_key(struct container *c)
{
    if (!container_string(c)) return false;
    container_blanks(c);
    if (!container_char(c, ':')) return false;
    container_blanks(c);
    return true;
}

/* A value begins at c->at: passes a scalar, or opens a container. */
static bool container_value(struct container *c, uint8_t *brackets, uint32_t depth_max, uint32_t *depth,
                            bool *opened)
{
    uint8_t const first = c->at < c->length ? c->text[c->at] : 0;
    *opened = first == '{' || first == '[';
    if (!*opened) return container_scalar(c);
    if (*depth == depth_max) return false;
    brackets[(*depth)++] = first;
    return container_char(c, first);
}

/* Behind a value: closes what is closed here, passes a comma. */
static bool container_next(struct container *c, const uint8_t *brackets, uint32_t *depth)
{
    for (;;) {
        if (*depth == 0) return true;
        container_blanks(c);
        uint8_t const close = brackets[*depth - 1] == '{' ? '}' : ']';
        if (container_char(c, close)) {
            --*depth;
            continue;
        }
        if (!container_char(c, ',')) return false;
        container_blanks(c);
        return close == ']' || container_key(c);
    }
}

static bool container_walk(struct container *c, uint8_t *brackets, uint32_t depth_max)
{
    uint32_t depth = 0;
    do {
        bool opened;
        if (!container_value(c, brackets, depth_max, &depth, &opened)) return false;
        if (opened) {
            container_blanks(c);
            uint8_t const open = brackets[depth - 1];
            bool const empty = c->at < c->length && c->text[c->at] == (open == '{' ? '}' : ']');
            if (!empty && open == '{' && !container_key(c)) return false;
            if (!empty) continue;
        }
        if (!container_next(c, brackets, &depth)) return false;
    } while (depth != 0);
    return true;
}

bool json_container(const uint8_t *text, size_t length, uint8_t *brackets, uint32_t depth_max, uint8_t *out,
                    size_t *written, size_t *bad)
{
    struct container c = {.text = text, .length = length, .out = out};
    bool const good = container_walk(&c, brackets, depth_max) && c.at == length;
    *written = c.written;
    *bad = c.at;
    return good;
}

bool json_is_value(const uint8_t *text, size_t length, uint8_t *brackets, uint32_t depth_max)
{
    size_t written, bad;
    if (length > 0 && (text[0] == '{' || text[0] == '['))
        return json_container(text, length, brackets, depth_max, NULL, &written, &bad);
    return json_is_scalar(text, length, NULL);
}

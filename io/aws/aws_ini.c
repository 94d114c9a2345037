/* aws_ini.c - a line at a time: section, setting, nested setting, or more of the value above.
 *
 * Thread rule: pure and reentrant. Owns nothing: what it makes lies in the caller's arena, but for the list
 * of a section's settings while it grows, which holds no text. */
#include "io/aws/aws_ini.h"

#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>

struct ini_span {
    const char *text;
    size_t length;
};

struct ini_parser {
    struct arena *arena;
    const char *file;
    bool credentials;
    struct aws_ini *out;
    struct fault *fault;
    unsigned line;
    struct aws_ini_section *section, *last;
    struct aws_setting *settings; /* of `section`, as they come */
    size_t count, room;
    bool open;          /* is there a key that an indented line may belong to? */
    size_t indent;      /* of that key */
    const char *parent; /* that key, when it has no value: nested settings follow */
    char *value;        /* its value while it grows over several lines; NULL: one line so far */
    size_t value_length, value_room;
};

static bool ini_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static struct ini_span ini_trim(struct ini_span span)
{
    while (span.length != 0 && ini_blank(span.text[0])) {
        span.text++;
        span.length--;
    }
    while (span.length != 0 && ini_blank(span.text[span.length - 1]))
        span.length--;
    return span;
}

static enum status ini_refuse(struct ini_parser *parser, const char *what)
{
    return fault_set(parser->fault, STATUS_RIGHTS, "%s:%u: %s", parser->file, parser->line, what);
}

static enum status ini_no_memory(struct ini_parser *parser)
{
    return fault_set(parser->fault, STATUS_IO, "%s: no memory to read it", parser->file);
}

/* Settings are gathered on the heap, since their number is known only at the section's end. */
static enum status ini_close_section(struct ini_parser *parser)
{
    if (parser->section == NULL || parser->count == 0) return STATUS_OK;
    struct aws_setting *settings = arena_array(parser->arena, parser->count, sizeof *settings);
    if (settings == NULL) return ini_no_memory(parser);
    memcpy(settings, parser->settings, parser->count * sizeof *settings);
    parser->section->settings = settings;
    parser->section->count = parser->count;
    parser->count = 0;
    return STATUS_OK;
}

/* One pair of quotes around a name with blanks: [profile "my name"]. */
static struct ini_span ini_unquote(struct ini_span name)
{
    bool const quoted = name.length >= 2 && (name.text[0] == '"' || name.text[0] == '\'') &&
                        name.text[name.length - 1] == name.text[0];
    if (!quoted) return name;
    return (struct ini_span){name.text + 1, name.length - 2};
}

/* Does the header begin with this word and a blank? Then `rest` is the name behind it. */
static bool ini_headed(struct ini_span header, const char *word, struct ini_span *rest)
{
    size_t const length = strlen(word);
    if (header.length <= length || memcmp(header.text, word, length) != 0 || !ini_blank(header.text[length]))
        return false;
    *rest = ini_unquote(ini_trim((struct ini_span){header.text + length, header.length - length}));
    return true;
}

static bool ini_is(struct ini_span span, const char *word)
{
    return span.length == strlen(word) && memcmp(span.text, word, span.length) == 0;
}

static enum aws_ini_kind ini_kind(const struct ini_parser *parser, struct ini_span header,
                                  struct ini_span *name)
{
    *name = header;
    if (ini_headed(header, "services", name)) return AWS_INI_SERVICES;
    if (ini_headed(header, "sso-session", name)) return AWS_INI_SSO_SESSION;
    if (parser->credentials) {
        *name = ini_unquote(header);
        return AWS_INI_PROFILE;
    }
    if (ini_headed(header, "profile", name) || ini_is(header, "default")) return AWS_INI_PROFILE;
    return AWS_INI_OTHER;
}

static enum status ini_section(struct ini_parser *parser, struct ini_span line)
{
    const char *const end = memchr(line.text, ']', line.length);
    if (end == NULL) return ini_refuse(parser, "a section begins with [ and lacks its ]");
    size_t const inner = (size_t)(end - line.text);
    struct ini_span const behind = ini_trim((struct ini_span){end + 1, line.length - inner - 1});
    if (behind.length != 0 && behind.text[0] != '#' && behind.text[0] != ';')
        return ini_refuse(parser, "only a comment may stand behind a section's ]");
    struct ini_span const header = ini_trim((struct ini_span){line.text + 1, inner - 1});
    struct ini_span name = {0};
    enum aws_ini_kind const kind = ini_kind(parser, header, &name);
    if (name.length == 0) return ini_refuse(parser, "the section has no name");
    if (parser->out->count == AWS_INI_SECTIONS_MAX)
        return fault_set(parser->fault, STATUS_RIGHTS, "%s:%u: more than %u sections", parser->file,
                         parser->line, AWS_INI_SECTIONS_MAX);
    enum status const status = ini_close_section(parser);
    if (status != STATUS_OK) return status;
    struct aws_ini_section *section = arena_alloc(parser->arena, sizeof *section);
    if (section == NULL) return ini_no_memory(parser);
    section->kind = kind;
    section->line = parser->line;
    section->name = arena_text(parser->arena, name.text, name.length);
    if (parser->last == NULL)
        parser->out->first = section;
    else
        parser->last->next = section;
    parser->last = parser->section = section;
    parser->out->count++;
    parser->open = false;
    return section->name == NULL ? ini_no_memory(parser) : STATUS_OK;
}

/* The key in lower case, behind its parent's where it is nested. */
static const char *ini_key(struct ini_parser *parser, const char *parent, struct ini_span key)
{
    size_t const before = parent == NULL ? 0 : strlen(parent) + 1;
    char *const text = arena_alloc(parser->arena, before + key.length + 1);
    if (text == NULL) return NULL;
    if (parent != NULL) {
        memcpy(text, parent, before - 1);
        text[before - 1] = '.';
    }
    for (size_t i = 0; i < key.length; i++) {
        char const c = key.text[i];
        text[before + i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return text;
}

/* Cuts the comment off: a # behind a blank. (A ; may be part of a credential_process.) */
static struct ini_span ini_value(struct ini_span value)
{
    for (size_t i = 0; i < value.length; i++)
        if (value.text[i] == '#' && i != 0 && ini_blank(value.text[i - 1])) value.length = i;
    return ini_trim(value);
}

static enum status ini_add(struct ini_parser *parser, const char *key, struct ini_span value)
{
    if (parser->count == parser->room) {
        /* Bounded by the file's size: a setting takes two bytes or more of it. */
        size_t const room = parser->room == 0 ? 32 : 2 * parser->room;
        struct aws_setting *const more = realloc(parser->settings, room * sizeof *more);
        if (more == NULL) return ini_no_memory(parser);
        parser->settings = more;
        parser->room = room;
    }
    const char *const text = arena_text(parser->arena, value.text, value.length);
    if (key == NULL || text == NULL) return ini_no_memory(parser);
    parser->settings[parser->count++] =
        (struct aws_setting){.key = key, .value = text, .file = parser->file, .line = parser->line};
    return STATUS_OK;
}

/* Key and value of a line; `nested` ones have = alone, as in botocore. False: there is none. */
static bool ini_split(struct ini_span line, bool nested, struct ini_span *key, struct ini_span *value)
{
    size_t at = 0;
    while (at < line.length && line.text[at] != '=' && (nested || line.text[at] != ':'))
        at++;
    if (at == line.length) return false;
    *key = ini_trim((struct ini_span){line.text, at});
    *value = ini_value((struct ini_span){line.text + at + 1, line.length - at - 1});
    return key->length != 0;
}

static enum status ini_setting(struct ini_parser *parser, struct ini_span line, size_t indent)
{
    struct ini_span key = {0}, value = {0};
    if (parser->section == NULL)
        return ini_refuse(parser, "a setting before the first section; profiles begin with [default] or "
                                  "[profile NAME]");
    if (!ini_split(line, false, &key, &value))
        return ini_refuse(parser, "neither a section ([name]) nor a setting (key = value)");
    if (key.length > AWS_INI_KEY_MAX) return ini_refuse(parser, "the key is too long");
    const char *const name = ini_key(parser, NULL, key);
    parser->open = true;
    parser->indent = indent;
    parser->parent = value.length == 0 ? name : NULL;
    parser->value = NULL;
    parser->value_length = value.length;
    return ini_add(parser, name, value);
}

static enum status ini_nested(struct ini_parser *parser, struct ini_span line)
{
    struct ini_span key = {0}, value = {0};
    if (!ini_split(line, true, &key, &value))
        return ini_refuse(parser,
                          "an indented line under a key without value must be a setting (key = value)");
    if (key.length > AWS_INI_KEY_MAX) return ini_refuse(parser, "the key is too long");
    return ini_add(parser, ini_key(parser, parser->parent, key), value);
}

/* Room for `length` characters more in the value above; it doubles, so that many short lines stay linear. */
static bool ini_grow(struct ini_parser *parser, struct aws_setting *setting, size_t length)
{
    size_t const needed = parser->value_length + length + 1;
    if (parser->value != NULL && needed <= parser->value_room) return true;
    char *const text = arena_alloc(parser->arena, 2 * needed);
    if (text == NULL) return false;
    memcpy(text, setting->value, parser->value_length);
    parser->value = text;
    parser->value_room = 2 * needed;
    setting->value = text;
    return true;
}

/* The value goes on: joined with a line end, which credential_process takes for a blank. */
static enum status ini_continued(struct ini_parser *parser, struct ini_span line)
{
    struct ini_span const more = ini_value(line);
    if (parser->value_length + more.length > AWS_INI_LONG_VALUE_MAX)
        return ini_refuse(parser, "a value of several lines is too long");
    if (!ini_grow(parser, &parser->settings[parser->count - 1], 1 + more.length))
        return ini_no_memory(parser);
    char *const end = parser->value + parser->value_length;
    end[0] = '\n';
    memcpy(end + 1, more.text, more.length);
    end[1 + more.length] = '\0';
    parser->value_length += 1 + more.length;
    return STATUS_OK;
}

static enum status ini_line(struct ini_parser *parser, struct ini_span raw)
{
    struct ini_span const line = ini_trim(raw);
    if (utf8_valid_prefix(raw.text, raw.length) != raw.length) return ini_refuse(parser, "not UTF-8 text");
    for (size_t i = 0; i < raw.length; i++)
        if ((unsigned char)raw.text[i] < ' ' && !ini_blank(raw.text[i]))
            return ini_refuse(parser, "a control character");
    if (line.length == 0 || line.text[0] == '#' || line.text[0] == ';') return STATUS_OK;
    size_t const indent = (size_t)(line.text - raw.text);
    if (line.text[0] == '[') return ini_section(parser, line);
    if (parser->open && indent > parser->indent)
        return parser->parent != NULL ? ini_nested(parser, line) : ini_continued(parser, line);
    return ini_setting(parser, line, indent);
}

enum status aws_ini_parse(struct arena *arena, const char *file, const char *bytes, size_t length,
                          bool credentials, struct aws_ini *out, struct fault *fault)
{
    *out = (struct aws_ini){0};
    struct ini_parser parser = {
        .arena = arena, .file = file, .credentials = credentials, .out = out, .fault = fault};
    enum status status = STATUS_OK;
    size_t at = length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (status == STATUS_OK && at < length) {
        const char *const end = memchr(bytes + at, '\n', length - at);
        size_t const taken = end == NULL ? length - at : (size_t)(end - bytes) - at;
        parser.line++;
        status = ini_line(&parser, (struct ini_span){bytes + at, taken});
        at += taken + 1;
    }
    if (status == STATUS_OK) status = ini_close_section(&parser);
    free(parser.settings);
    if (status != STATUS_OK) *out = (struct aws_ini){0};
    return status;
}

const struct aws_setting *aws_ini_get(const struct aws_setting *settings, size_t count, const char *key)
{
    for (size_t i = count; i-- > 0;)
        if (strcmp(settings[i].key, key) == 0) return &settings[i];
    return NULL;
}

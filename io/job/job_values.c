/* job_values.c - the messages of a job and the values that many keys share: texts, choices, numbers, paths.
 *
 * Thread rule: one thread a builder. Owns nothing; texts go into the job's arena. */
#include "io/job/job_build.h"

#include "core/base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct job_shown job_show(const char *text, size_t length)
{
    struct job_shown shown;
    size_t used = length > JOB_SHOWN_MAX ? JOB_SHOWN_MAX : length;
    while (used < length && used > 0 && ((unsigned char)text[used] & 0xC0u) == 0x80u)
        used--;
    for (size_t i = 0; i < used; i++)
        shown.text[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? '?' : text[i];
    memcpy(shown.text + used, used < length ? "..." : "", used < length ? 4 : 1);
    return shown;
}

enum status job_refuse(const struct job_builder *builder, unsigned line, const char *place,
                       const char *format, ...)
{
    char sentence[FAULT_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int const length = vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (length < 0) sentence[0] = '\0';
    if (builder->file == NULL) return fault_set(builder->fault, builder->refusal, "%s: %s", place, sentence);
    return fault_set(builder->fault, builder->refusal, "%s:%u: %s: %s", builder->file, line, place, sentence);
}

enum status job_no_memory(const struct job_builder *builder)
{
    return fault_set(builder->fault, STATUS_IO, "no memory for the job");
}

void job_warn(struct job_builder *builder, unsigned line, const char *place, const char *format, ...)
{
    char sentence[FAULT_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int const length = vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (length < 0 || builder->warning_count == JOB_WARNINGS_MAX) return;
    struct fault whole; /* cuts with "..." what is too long */
    if (builder->file == NULL)
        fault_set(&whole, STATUS_OK, "%s: %s", place, sentence);
    else
        fault_set(&whole, STATUS_OK, "%s:%u: %s: %s", builder->file, line, place, sentence);
    builder->warnings[builder->warning_count++] =
        arena_text(&builder->job->arena, whole.message, strlen(whole.message));
}

/* A text, not a list or mapping. */
static enum status job_scalar(const struct job_builder *builder, const char *place,
                              const struct job_node *value)
{
    if (value->kind == JOB_NODE_TEXT) return STATUS_OK;
    return job_refuse(builder, value->line, place, "is a %s; one text is allowed here",
                      value->kind == JOB_NODE_LIST ? "list" : "mapping");
}

enum status job_value_text(struct job_builder *builder, const char *place, const struct job_node *value,
                           size_t most, const char **text)
{
    enum status const status = job_scalar(builder, place, value);
    if (status != STATUS_OK) return status;
    if (memchr(value->text, '\0', value->length) != NULL)
        return job_refuse(builder, value->line, place, "holds a NUL character; none is allowed");
    if (value->length > most)
        return job_refuse(builder, value->line, place, "is %zu bytes long; at most %zu are allowed",
                          value->length, most);
    *text = arena_text(&builder->job->arena, value->text, value->length);
    return *text == NULL ? job_no_memory(builder) : STATUS_OK;
}

/* Position of a text in "a, b, c"; -1: it is none of them. */
static int job_choice(const char *choices, const char *text, size_t length)
{
    int position = 0;
    for (const char *at = choices;; position++) {
        size_t const size = strcspn(at, ",");
        if (size == length && memcmp(at, text, length) == 0) return position;
        if (at[size] == '\0') return -1;
        at += size + strlen(", ");
    }
}

static enum status job_not_one_of(const struct job_builder *builder, const char *place,
                                  const struct job_node *value, const char *choices)
{
    return job_refuse(builder, value->line, place, "\"%s\" is not one of %s",
                      job_show(value->text, value->length).text, choices);
}

enum status job_value_choice(struct job_builder *builder, const struct job_key *key, const char *place,
                             const struct job_node *value, unsigned *choice)
{
    enum status const status = job_scalar(builder, place, value);
    if (status != STATUS_OK) return status;
    int const position = job_choice(key->choices, value->text, value->length);
    if (position < 0) return job_not_one_of(builder, place, value, key->choices);
    *choice = (unsigned)position;
    return STATUS_OK;
}

enum status job_value_bool(struct job_builder *builder, const char *place, const struct job_node *value,
                           bool *on)
{
    static const char choices[] = "true, false";
    enum status const status = job_scalar(builder, place, value);
    if (status != STATUS_OK) return status;
    /* A quoted "true" is a text in every YAML reader: refused, so that the file means the same to all. */
    int const position = value->plain ? job_choice(choices, value->text, value->length) : -1;
    if (position >= 0) {
        *on = position == 0;
        return STATUS_OK;
    }
    return job_refuse(builder, value->line, place, "%s\"%s\" is not one of %s (without quotes)",
                      value->plain ? "" : "the text ", job_show(value->text, value->length).text, choices);
}

enum status job_value_count(struct job_builder *builder, const char *place, const struct job_node *value,
                            uint64_t least, uint64_t most, uint64_t *count)
{
    enum status const status = job_scalar(builder, place, value);
    if (status != STATUS_OK) return status;
    const char *end = value->text;
    if (job_digits(value->text, count, &end) && (size_t)(end - value->text) == value->length &&
        *count >= least && *count <= most)
        return STATUS_OK;
    return job_refuse(builder, value->line, place,
                      "\"%s\" is not a whole number from %" PRIu64 " to %" PRIu64,
                      job_show(value->text, value->length).text, least, most);
}

enum status job_value_size(struct job_builder *builder, const char *place, const struct job_node *value,
                           uint64_t least, uint64_t most, uint64_t *bytes)
{
    enum status const status = job_scalar(builder, place, value);
    if (status != STATUS_OK) return status;
    if (memchr(value->text, '\0', value->length) == NULL && job_parse_size(value->text, bytes) &&
        *bytes >= least && *bytes <= most)
        return STATUS_OK;
    return job_refuse(builder, value->line, place,
                      "\"%s\" is not a size from %" PRIu64 " to %" PRIu64
                      " bytes; write it like 64MiB, 1.5GB or 4096",
                      job_show(value->text, value->length).text, least, most);
}

enum status job_value_later(struct job_builder *builder, const struct job_key *key, const char *place,
                            const struct job_node *value)
{
    const char *accepted = key->accepted;
    bool const text = value->kind == JOB_NODE_TEXT;
    if (accepted != NULL && text && strlen(accepted) == value->length &&
        memcmp(accepted, value->text, value->length) == 0)
        return STATUS_OK;
    if (accepted != NULL && strcmp(accepted, "{}") == 0 && value->kind == JOB_NODE_MAP && value->count == 0)
        return STATUS_OK;
    if (key->choices != NULL) {
        enum status const status = job_scalar(builder, place, value);
        if (status != STATUS_OK) return status;
        if (job_choice(key->choices, value->text, value->length) < 0)
            return job_not_one_of(builder, place, value, key->choices);
    }
    /* The key's own line: a value in a block stands below it. */
    return job_refuse(builder, value->key->line, place, "not supported yet; leave it out%s%s",
                      accepted != NULL ? ", or set it to its default " : "",
                      accepted != NULL ? accepted : "");
}

enum status job_value_list(struct job_builder *builder, const char *place, const struct job_node *value,
                           size_t most)
{
    if (value->kind != JOB_NODE_LIST)
        return job_refuse(builder, value->line, place, "is not a list; write [ %s ]",
                          value->kind == JOB_NODE_TEXT ? job_show(value->text, value->length).text
                                                       : "item, item");
    size_t index = 0;
    for (const struct job_node *item = value->first; item != NULL; item = item->next, index++) {
        char here[JOB_PLACE_MAX];
        snprintf(here, sizeof here, "%s[%zu]", place, index);
        if (index == most)
            return job_refuse(builder, item->line, here, "is one too many; at most %zu are allowed", most);
        if (job_node_is_null(item))
            return job_refuse(builder, item->line, here,
                              "is empty; write a text, with quotes when it is \"null\" or \"~\"");
        enum status const status = job_scalar(builder, here, item);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

enum status job_value_texts(struct job_builder *builder, const char *place, const struct job_node *value,
                            size_t most, size_t most_bytes, const char *const **texts, size_t *count)
{
    enum status status = job_value_list(builder, place, value, most);
    if (status != STATUS_OK) return status;
    const char **list = arena_array(&builder->job->arena, value->count, sizeof *list);
    if (list == NULL) return job_no_memory(builder);
    size_t index = 0;
    for (const struct job_node *item = value->first; item != NULL; item = item->next, index++) {
        char here[JOB_PLACE_MAX];
        snprintf(here, sizeof here, "%s[%zu]", place, index);
        status = job_value_text(builder, here, item, most_bytes, &list[index]);
        if (status != STATUS_OK) return status;
    }
    *texts = list;
    *count = index;
    return STATUS_OK;
}

enum status job_value_word(struct job_builder *builder, const char *place, const struct job_node *value,
                           size_t most, const char **text)
{
    const char *word = NULL;
    enum status const status = job_value_text(builder, place, value, most, &word);
    if (status != STATUS_OK) return status;
    if (value->length == 0) return job_refuse(builder, value->line, place, "is empty; a text is needed");
    if (utf8_has_control(word, value->length))
        return job_refuse(builder, value->line, place, "\"%s\" holds a control character; none is allowed",
                          job_show(word, value->length).text);
    *text = word;
    return STATUS_OK;
}

enum status job_value_file(struct job_builder *builder, const char *place, const struct job_node *value,
                           const char **file)
{
    const char *path = NULL;
    enum status const status = job_value_text(builder, place, value, SIZE_MAX, &path);
    if (status != STATUS_OK) return status;
    if (value->length == 0 || path[value->length - 1] == '/')
        return job_refuse(builder, value->line, place, "\"%s\" is not the path of a file",
                          job_show(path, value->length).text);
    const char *slash = strrchr(builder->file, '/');
    size_t const folder = path[0] == '/' || slash == NULL ? 0 : (size_t)(slash - builder->file) + 1;
    char *whole = arena_alloc(&builder->job->arena, folder + value->length + 1);
    if (whole == NULL) return job_no_memory(builder);
    memcpy(whole, builder->file, folder);
    memcpy(whole + folder, path, value->length);
    *file = whole;
    return STATUS_OK;
}

enum status job_value_path(struct job_builder *builder, const char *place, const struct job_node *value,
                           struct path *path)
{
    enum status status = job_scalar(builder, place, value);
    if (status != STATUS_OK) return status;
    struct fault fault;
    status = path_parse(&builder->job->arena, value->text, value->length, path, &fault);
    if (status == STATUS_OK) return STATUS_OK;
    if (status != STATUS_JOB) return job_no_memory(builder);
    return job_refuse(builder, value->line, place, "%s", fault.message);
}

enum status job_value_paths(struct job_builder *builder, const char *place, const struct job_node *value,
                            size_t most, struct path **paths, size_t *count)
{
    enum status status = job_value_list(builder, place, value, most);
    if (status != STATUS_OK) return status;
    *paths = arena_array(&builder->job->arena, value->count, sizeof **paths);
    if (*paths == NULL) return job_no_memory(builder);
    *count = 0;
    for (const struct job_node *item = value->first; item != NULL; item = item->next, ++*count) {
        char here[JOB_PLACE_MAX];
        snprintf(here, sizeof here, "%s[%zu]", place, *count);
        status = job_value_path(builder, here, item, &(*paths)[*count]);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* job_sections.c - readers of keys that have rules of their own (see job_read_fn), columns excepted.
 *
 * Thread rule: one thread a builder. Owns nothing; texts go into the job's arena. */
#include "io/job/job_build.h"

#include "core/base/limits.h"

#include <stdio.h>
#include <string.h>

enum { JOB_NAME_MAX = 64 };

static bool job_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

enum status job_read_name(struct job_builder *builder, const struct job_key *key, const char *place,
                          const struct job_node *value, void *target)
{
    (void)key;
    const char *name = NULL;
    enum status const status = job_value_text(builder, place, value, SIZE_MAX, &name);
    if (status != STATUS_OK) return status;
    bool good = job_name_character(name[0]) && value->length <= JOB_NAME_MAX;
    for (const char *at = name; *at != '\0' && good; at++)
        good = job_name_character(*at) || *at == '_' || *at == '-';
    if (!good)
        return job_refuse(
            builder, value->line, place,
            "\"%s\" is not a job name; 1 to 64 ASCII letters, digits, _ and - are allowed, a letter or "
            "digit first",
            job_show(name, value->length).text);
    *(const char **)target = name;
    return STATUS_OK;
}

enum status job_read_sources(struct job_builder *builder, const struct job_key *key, const char *place,
                             const struct job_node *value, void *target)
{
    (void)key, (void)target;
    struct job *job = builder->job;
    enum status status = job_value_list(builder, place, value, JOB_SOURCES_MAX);
    if (status != STATUS_OK) return status;
    const char **paths = arena_array(&job->arena, value->count, sizeof *paths);
    if (paths == NULL) return job_no_memory(builder);
    size_t count = 0;
    for (const struct job_node *item = value->first; item != NULL; item = item->next, count++) {
        char here[JOB_PLACE_MAX];
        snprintf(here, sizeof here, "%s[%zu]", place, count);
        status = job_value_text(builder, here, item, SIZE_MAX, &paths[count]);
        if (status != STATUS_OK) return status;
        if (item->length == 0)
            return job_refuse(builder, item->line, here, "is empty; a file, directory or glob is needed");
    }
    job->source_paths = paths;
    job->source_count = count;
    return STATUS_OK;
}

enum status job_read_record_size(struct job_builder *builder, const struct job_key *key, const char *place,
                                 const struct job_node *value, void *target)
{
    (void)key;
    return job_value_size(builder, place, value, LIMIT_RECORD_MIN, LIMIT_RECORD_MAX, target);
}

enum status job_read_depth(struct job_builder *builder, const struct job_key *key, const char *place,
                           const struct job_node *value, void *target)
{
    (void)key;
    uint64_t depth = 0;
    enum status const status =
        job_value_count(builder, place, value, LIMIT_DEPTH_MIN, LIMIT_DEPTH_MAX, &depth);
    if (status == STATUS_OK) *(uint32_t *)target = (uint32_t)depth;
    return status;
}

enum status job_read_max_rows(struct job_builder *builder, const struct job_key *key, const char *place,
                              const struct job_node *value, void *target)
{
    (void)key;
    *(uint64_t *)target = 0;
    if (job_node_is_null(value)) return STATUS_OK;
    return job_value_count(builder, place, value, 1, INT64_MAX, target);
}

enum status job_read_max_bytes(struct job_builder *builder, const struct job_key *key, const char *place,
                               const struct job_node *value, void *target)
{
    (void)key;
    return job_value_size(builder, place, value, 1, INT64_MAX, target);
}

enum status job_read_dialect(struct job_builder *builder, const struct job_key *key, const char *place,
                             const struct job_node *value, void *target)
{
    (void)target;
    unsigned choice = 0;
    enum status const status = job_value_choice(builder, key, place, value, &choice);
    builder->dialect_pega = choice == 1;
    return status;
}

enum status job_read_delimiter(struct job_builder *builder, const struct job_key *key, const char *place,
                               const struct job_node *value, void *target)
{
    (void)key;
    const char *text = NULL;
    enum status const status = job_value_text(builder, place, value, SIZE_MAX, &text);
    if (status != STATUS_OK) return status;
    if (value->length != 1 || (unsigned char)text[0] > 0x7F || strchr("\"\r\n", text[0]) != NULL)
        return job_refuse(
            builder, value->line, place,
            "\"%s\" is not allowed; one ASCII character is, but not the quote, CR or LF (a TAB is "
            "\"\\t\" in double quotes)",
            job_show(text, value->length).text);
    *(char *)target = text[0];
    return STATUS_OK;
}

enum status job_read_null_text(struct job_builder *builder, const struct job_key *key, const char *place,
                               const struct job_node *value, void *target)
{
    if (!job_node_is_null(value)) return job_value_text(builder, place, value, key->most, target);
    job_warn(
        builder, value->key->line, place,
        "a plain %s means \"not set\", so that nulls become empty text; put it into quotes when that text is "
        "meant",
        value->length == 0 ? "nothing" : value->text);
    return STATUS_OK;
}

enum status job_read_rejects_path(struct job_builder *builder, const struct job_key *key, const char *place,
                                  const struct job_node *value, void *target)
{
    (void)key;
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
    *(const char **)target = whole;
    return STATUS_OK;
}

enum status job_read_rejects_max(struct job_builder *builder, const struct job_key *key, const char *place,
                                 const struct job_node *value, void *target)
{
    (void)key;
    const char *text = NULL;
    enum status const status = job_value_text(builder, place, value, SIZE_MAX, &text);
    if (status != STATUS_OK) return status;
    if (job_parse_budget(text, target)) return STATUS_OK;
    return job_refuse(
        builder, value->line, place,
        "\"%s\" is not allowed; a number of records (1000) or a share of them (5%%, 0.25%%, at most "
        "100%%, 4 decimals) is",
        job_show(text, value->length).text);
}

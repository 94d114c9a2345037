/* job_sections.c - readers of keys that have rules of their own (see job_read_fn), columns excepted.
 *
 * Thread rule: one thread a builder. Owns nothing; texts go into the job's arena. */
#include "io/job/job_build.h"

#include "core/base/limits.h"

#include <stdio.h>
#include <string.h>

enum { JOB_NAME_MAX = 64 };
/* files.count: files that are open at once for each stream. Pega takes one partition a file, some 4 to 40. */
enum { JOB_FILE_COUNT_MAX = 10000 };

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
    enum status const status = job_value_texts(builder, place, value, JOB_SOURCES_MAX, SIZE_MAX,
                                               &job->source_paths, &job->source_count);
    if (status != STATUS_OK) return status;
    size_t index = 0;
    for (const struct job_node *item = value->first; item != NULL; item = item->next, index++) {
        char here[JOB_PLACE_MAX];
        snprintf(here, sizeof here, "%s[%zu]", place, index);
        if (item->length == 0)
            return job_refuse(builder, item->line, here, "is empty; a file, directory or glob is needed");
    }
    return STATUS_OK;
}

enum status job_read_format(struct job_builder *builder, const struct job_key *key, const char *place,
                            const struct job_node *value, void *target)
{
    unsigned choice = FORM_CHOICE_AUTO;
    enum status const status = job_value_choice(builder, key, place, value, &choice);
    if (status == STATUS_OK) *(enum form_choice *)target = (enum form_choice)choice;
    return status;
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

enum status job_read_file_count(struct job_builder *builder, const struct job_key *key, const char *place,
                                const struct job_node *value, void *target)
{
    (void)key;
    uint64_t count = 0;
    enum status const status = job_value_count(builder, place, value, 1, JOB_FILE_COUNT_MAX, &count);
    if (status == STATUS_OK) *(uint32_t *)target = (uint32_t)count;
    return status;
}

enum status job_files_check(struct job_builder *builder)
{
    static const char *const limits[] = {"files.max_rows", "files.max_bytes"};
    struct job *job = builder->job;
    if (job->file_count == 0) return STATUS_OK;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (job_set_line(builder, limits[i]) != 0)
            return job_refuse(
                builder, job_set_line(builder, limits[i]), limits[i],
                "can't stand beside files.count, which makes even files; leave one of them out");
    job->max_rows = 0;
    if (job->file_count > 1 && strstr(job->file_name, "{part}") == NULL)
        return job_refuse(builder, job_set_line(builder, "files.count"), "files.count",
                          "makes %u files, which one name can't tell apart; put {part} into files.name",
                          (unsigned)job->file_count);
    return STATUS_OK;
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
    return job_value_file(builder, place, value, target);
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

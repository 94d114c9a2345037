/* job_pega.c - readers of the keys of `pega`: what its data job finds in manifests and tokens.
 *
 * Thread rule: one thread a builder. Owns nothing; texts go into the job's arena. */
#include "io/job/job_build.h"

#include <string.h>

enum { JOB_TOKEN_SUFFIX_MAX = 64 };

/* The section itself asks for manifests, so that an empty one does; `null` takes that back as it does
 * everywhere. */
enum status job_read_pega(struct job_builder *builder, const struct job_key *key, const char *place,
                          const struct job_node *value, void *target)
{
    (void)target;
    bool const empty = job_node_is_null(value);
    if (empty && value->length > 0) return STATUS_OK;
    builder->job->pega.wanted = true;
    return empty ? STATUS_OK : job_section(builder, place, key->name, value, builder->job);
}

enum status job_read_pega_text(struct job_builder *builder, const struct job_key *key, const char *place,
                               const struct job_node *value, void *target)
{
    (void)key;
    return job_value_word(builder, place, value, JOB_NAME_TEXT_MAX, target);
}

/* Names in a manifest are relative to the repository's root (Pega Academy, "Import data jobs"). */
enum status job_read_path_prefix(struct job_builder *builder, const struct job_key *key, const char *place,
                                 const struct job_node *value, void *target)
{
    (void)key;
    if (value->kind == JOB_NODE_TEXT && value->length == 0) return STATUS_OK;
    enum status const status = job_value_word(builder, place, value, JOB_NAME_TEXT_MAX, target);
    if (status != STATUS_OK) return status;
    if (value->text[0] == '/')
        job_warn(builder, value->line, place,
                 "begins with a slash, but Pega takes names from the root of its repository on");
    else if (value->text[value->length - 1] != '/')
        job_warn(builder, value->line, place, "does not end with a slash: file NAME will be called %sNAME",
                 job_show(value->text, value->length).text);
    return STATUS_OK;
}

enum status job_read_token_suffix(struct job_builder *builder, const struct job_key *key, const char *place,
                                  const struct job_node *value, void *target)
{
    (void)key;
    enum status const status = job_value_word(builder, place, value, JOB_TOKEN_SUFFIX_MAX, target);
    if (status != STATUS_OK) return status;
    if (strpbrk(value->text, "/{}") != NULL)
        return job_refuse(
            builder, value->line, place,
            "\"%s\" is not allowed; it ends the names of tokens, like .TOK, without slashes and "
            "placeholders",
            job_show(value->text, value->length).text);
    return STATUS_OK;
}

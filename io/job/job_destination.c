/* job_destination.c - readers of account_id and of the destination's keys, and what they ask of each other.
 *
 * Thread rule: one thread a builder. Owns nothing; texts go into the job's arena. */
#include "io/job/job_build.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html: ten tags, names of 128 and values of 256
 * characters of UTF-8. */
enum { JOB_TAGS_MAX = 10, JOB_TAG_NAME_MAX = 128 * 4, JOB_TAG_VALUE_MAX = 256 * 4 };
/* A region is part of a host's name: one label of DNS. */
enum { JOB_REGION_MAX = 63, JOB_STORAGE_CLASS_MAX = 64, JOB_ACCOUNT_DIGITS = 12 };

#define JOB_DIGITS "0123456789"
#define JOB_LOWER  "abcdefghijklmnopqrstuvwxyz"
#define JOB_UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* A text of `characters` only, of 1 to `most` bytes. */
static enum status job_read_word(struct job_builder *builder, const char *place, const struct job_node *value,
                                 const char *characters, size_t most, const char *allowed,
                                 const char **target)
{
    const char *text = NULL;
    enum status const status = job_value_text(builder, place, value, SIZE_MAX, &text);
    if (status != STATUS_OK) return status;
    if (value->length == 0 || value->length > most || text[strspn(text, characters)] != '\0')
        return job_refuse(builder, value->line, place, "\"%s\" is not allowed; %s",
                          job_show(text, value->length).text, allowed);
    *target = text;
    return STATUS_OK;
}

enum status job_read_account(struct job_builder *builder, const struct job_key *key, const char *place,
                             const struct job_node *value, void *target)
{
    static const char allowed[] = "the 12 digits of an AWS account are";
    (void)key;
    const char *text = NULL;
    enum status const status =
        job_read_word(builder, place, value, JOB_DIGITS, JOB_ACCOUNT_DIGITS, allowed, &text);
    if (status != STATUS_OK) return status;
    if (value->length != JOB_ACCOUNT_DIGITS)
        return job_refuse(builder, value->line, place, "\"%s\" is not allowed; %s", text, allowed);
    *(const char **)target = text;
    return STATUS_OK;
}

enum status job_read_url(struct job_builder *builder, const struct job_key *key, const char *place,
                         const struct job_node *value, void *target)
{
    (void)key;
    static const char allowed[] = "a directory, s3://bucket/prefix/ or null: is allowed";
    const char *url = NULL;
    enum status const status = job_value_text(builder, place, value, SIZE_MAX, &url);
    if (status != STATUS_OK) return status;
    if (value->length == 0) return job_refuse(builder, value->line, place, "is empty; %s", allowed);
    *(const char **)target = url;
    /* Schemes have no case (RFC 3986, 3.1). */
    if (strncasecmp(url, "s3://", 5) == 0) return STATUS_OK;
    size_t const scheme = strspn(url, JOB_LOWER JOB_UPPER JOB_DIGITS "+-.");
    if ((scheme > 0 && strncmp(url + scheme, "://", 3) == 0) || strncasecmp(url, "s3:", 3) == 0)
        return job_refuse(builder, value->line, place, "\"%s\" is not a kind of destination; %s",
                          job_show(url, strnlen(url, scheme + 3)).text, allowed);
    return STATUS_OK;
}

enum status job_read_region(struct job_builder *builder, const struct job_key *key, const char *place,
                            const struct job_node *value, void *target)
{
    (void)key;
    return job_read_word(builder, place, value, JOB_LOWER JOB_DIGITS "-", JOB_REGION_MAX,
                         "a region's name such as eu-central-1 is", target);
}

enum status job_read_endpoint(struct job_builder *builder, const struct job_key *key, const char *place,
                              const struct job_node *value, void *target)
{
    (void)key;
    const char *text = NULL;
    enum status const status = job_value_text(builder, place, value, SIZE_MAX, &text);
    if (status != STATUS_OK) return status;
    bool const is_web = strncasecmp(text, "https://", 8) == 0 || strncasecmp(text, "http://", 7) == 0;
    /* What stands before an @ would be a secret: the message does not repeat it. */
    if (strchr(text, '@') != NULL)
        return job_refuse(
            builder, value->line, place,
            "holds an @; credentials never belong into a URL, they come from the environment or "
            "the AWS profile");
    if (!is_web)
        return job_refuse(builder, value->line, place,
                          "\"%s\" is not allowed; a URL such as https://s3.example.net is",
                          job_show(text, value->length).text);
    *(const char **)target = text;
    return STATUS_OK;
}

enum status job_read_sse(struct job_builder *builder, const struct job_key *key, const char *place,
                         const struct job_node *value, void *target)
{
    static const char *const words[] = {NULL, "AES256", "aws:kms", "aws:kms:dsse"};
    unsigned choice = 0;
    enum status const status = job_value_choice(builder, key, place, value, &choice);
    if (status == STATUS_OK) *(const char **)target = words[choice];
    return status;
}

/* Stores add classes of their own: only the form is checked here. */
enum status job_read_storage_class(struct job_builder *builder, const struct job_key *key, const char *place,
                                   const struct job_node *value, void *target)
{
    (void)key;
    return job_read_word(builder, place, value, JOB_UPPER JOB_DIGITS "_-", JOB_STORAGE_CLASS_MAX,
                         "a storage class such as STANDARD_IA is", target);
}

enum status job_read_acl(struct job_builder *builder, const struct job_key *key, const char *place,
                         const struct job_node *value, void *target)
{
    unsigned choice = 0;
    enum status const status = job_value_choice(builder, key, place, value, &choice);
    return status == STATUS_OK ? job_value_text(builder, place, value, SIZE_MAX, target) : status;
}

static enum status job_read_tag(struct job_builder *builder, const char *place, const struct job_node *value,
                                struct job_tag *tag)
{
    char here[JOB_PLACE_MAX];
    snprintf(here, sizeof here, "%s.%s", place, job_show(value->key->text, value->key->length).text);
    enum status status = job_value_text(builder, here, value->key, JOB_TAG_NAME_MAX, &tag->name);
    if (status == STATUS_OK && tag->name[0] == '\0')
        status = job_refuse(builder, value->key->line, here, "is a tag without a name");
    if (status == STATUS_OK && strncasecmp(tag->name, "aws:", 4) == 0)
        status =
            job_refuse(builder, value->key->line, here, "begins with aws:, which Amazon keeps for itself");
    if (status == STATUS_OK && job_node_is_null(value))
        status = job_refuse(builder, value->key->line, here, "has no value; write \"\" for an empty one");
    return status == STATUS_OK ? job_value_text(builder, here, value, JOB_TAG_VALUE_MAX, &tag->value)
                               : status;
}

enum status job_read_tags(struct job_builder *builder, const struct job_key *key, const char *place,
                          const struct job_node *value, void *target)
{
    (void)key, (void)target;
    struct job_destination *destination = &builder->job->destination;
    if (value->kind != JOB_NODE_MAP)
        return job_refuse(builder, value->line, place, "is not a mapping; write { name: value }");
    if (value->count > JOB_TAGS_MAX)
        return job_refuse(builder, value->line, place, "has %zu tags; S3 allows %d", value->count,
                          (int)JOB_TAGS_MAX);
    struct job_tag *tags = arena_array(&builder->job->arena, value->count, sizeof *tags);
    if (tags == NULL) return job_no_memory(builder);
    size_t count = 0;
    for (const struct job_node *item = value->first; item != NULL; item = item->next, count++) {
        enum status const status = job_read_tag(builder, place, item, &tags[count]);
        if (status != STATUS_OK) return status;
        for (size_t i = 0; i < count; i++)
            if (strcmp(tags[i].name, tags[count].name) == 0)
                return job_refuse(builder, item->key->line, place, "names the tag \"%s\" twice",
                                  job_show(tags[count].name, strlen(tags[count].name)).text);
    }
    destination->tags = tags;
    destination->tag_count = count;
    return STATUS_OK;
}

enum status job_destination_check(const struct job_builder *builder)
{
    const struct job_destination *destination = &builder->job->destination;
    bool const kms = destination->sse != NULL && strncmp(destination->sse, "aws:kms", 7) == 0;
    if (destination->kms_key_id != NULL && !kms)
        return job_refuse(builder, job_set_line(builder, "destination.kms_key_id"), "destination.kms_key_id",
                          "is set, but destination.sse is %s; a key belongs to aws:kms or aws:kms:dsse",
                          destination->sse == NULL ? "none" : destination->sse);
    return STATUS_OK;
}

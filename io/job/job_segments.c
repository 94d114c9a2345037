/* job_segments.c - readers of the keys of `segments`, and what they ask of each other.
 *
 * Thread rule: one thread a builder. Owns nothing; texts go into the job's arena. */
#include "io/job/job_build.h"

#include <stdio.h>
#include <string.h>

enum status job_read_namespace(struct job_builder *builder, const struct job_key *key, const char *place,
                               const struct job_node *value, void *target)
{
    (void)key;
    return job_value_word(builder, place, value, MAPPING_TEXT_MAX, target);
}

/* The segment of this id among the first `count`; NULL: none. */
static struct segment *job_segment_of(const struct job_builder *builder, size_t count, const char *id,
                                      size_t length)
{
    for (size_t i = 0; i < count; i++) {
        struct segment *segment = &builder->segments[i];
        if (segment->id_length == length && memcmp(segment->id, id, length) == 0) return segment;
    }
    return NULL;
}

enum status job_read_segment_ids(struct job_builder *builder, const struct job_key *key, const char *place,
                                 const struct job_node *value, void *target)
{
    (void)key, (void)target;
    struct segments *segments = &builder->job->mapping.segments;
    const char *const *ids = NULL;
    size_t count = 0;
    enum status const status =
        job_value_texts(builder, place, value, MAPPING_SEGMENTS_MAX, MAPPING_SEGMENT_ID_MAX, &ids, &count);
    if (status != STATUS_OK) return status;
    builder->segments = arena_array(&builder->job->arena, count, sizeof *builder->segments);
    if (builder->segments == NULL) return job_no_memory(builder);
    const struct job_node *item = value->first;
    for (size_t i = 0; i < count; i++, item = item->next) {
        char here[JOB_PLACE_MAX];
        snprintf(here, sizeof here, "%s[%zu]", place, i);
        if (item->length == 0)
            return job_refuse(builder, item->line, here, "is empty; the id of a segment is needed");
        if (job_segment_of(builder, i, ids[i], item->length) != NULL)
            return job_refuse(builder, item->line, here, "\"%s\" stands here twice; once is allowed",
                              job_show(ids[i], item->length).text);
        builder->segments[i] = (struct segment){.id = ids[i], .id_length = item->length};
    }
    segments->list = builder->segments;
    segments->count = count;
    return STATUS_OK;
}

/* Ids may stand below: job_segments_check() goes on. */
enum status job_read_segment_names(struct job_builder *builder, const struct job_key *key, const char *place,
                                   const struct job_node *value, void *target)
{
    (void)key, (void)target;
    if (value->kind != JOB_NODE_MAP)
        return job_refuse(builder, value->line, place, "is not a mapping; write { id: name }");
    builder->segment_names = value;
    return STATUS_OK;
}

enum status job_read_statuses(struct job_builder *builder, const struct job_key *key, const char *place,
                              const struct job_node *value, void *target)
{
    (void)target;
    struct segments *segments = &builder->job->mapping.segments;
    enum status status = job_value_texts(builder, place, value, MAPPING_STATUSES_MAX, SIZE_MAX,
                                         &segments->statuses, &segments->status_count);
    if (status == STATUS_OK && value->count == 0)
        status = job_refuse(builder, value->line, place, "is empty; name at least one of %s", key->choices);
    unsigned named = 0, choice = 0, index = 0;
    for (const struct job_node *item = value->first; item != NULL && status == STATUS_OK;
         item = item->next, index++) {
        char here[JOB_PLACE_MAX];
        snprintf(here, sizeof here, "%s[%u]", place, index);
        status = job_value_choice(builder, key, here, item, &choice);
        if (status == STATUS_OK && (named >> choice & 1) != 0)
            status = job_refuse(builder, item->line, here, "\"%s\" stands here twice; once is allowed",
                                segments->statuses[index]);
        named |= 1u << choice;
    }
    return status;
}

/* A name becomes part of files' names and of keys, whatever the pattern around it. */
static enum status job_segment_name(struct job_builder *builder, const struct job_node *value)
{
    char place[JOB_PLACE_MAX];
    const struct job_node *id = value->key;
    snprintf(place, sizeof place, "segments.names.%s", job_show(id->text, id->length).text);
    struct segment *segment =
        job_segment_of(builder, builder->job->mapping.segments.count, id->text, id->length);
    if (segment == NULL)
        return job_refuse(builder, id->line, place,
                          "is the name of no segment; segments.ids does not list it");
    if (segment->name != NULL)
        return job_refuse(builder, id->line, place, "stands here twice; once is allowed");
    if (job_node_is_null(value))
        return job_refuse(builder, id->line, place,
                          "has no name; leave it out, then {segment_name} is its id");
    enum status const status = job_value_word(builder, place, value, MAPPING_TEXT_MAX, &segment->name);
    if (status != STATUS_OK) return status;
    if (segment->name[0] == '.' || strchr(segment->name, '/') != NULL)
        return job_refuse(builder, value->line, place,
                          "\"%s\" %s; {segment_name} stands in names of files: give it another name",
                          job_show(segment->name, value->length).text,
                          segment->name[0] == '.' ? "begins with a dot" : "holds a slash");
    return STATUS_OK;
}

enum status job_segments_check(struct job_builder *builder)
{
    struct segments *segments = &builder->job->mapping.segments;
    unsigned const line = job_set_line(builder, "segments");
    if (line == 0) return STATUS_OK;
    if (segments->count == 0)
        return job_refuse(builder, line, "segments.ids", "is missing; at least one id is needed");
    builder->job->split_line = job_set_line(builder, "segments.split");
    if (segments->split && segments->count > MAPPING_SPLIT_MAX)
        return job_refuse(builder, builder->job->split_line, "segments.split",
                          "makes %zu deliveries; at most %d are allowed", segments->count, MAPPING_SPLIT_MAX);
    if (builder->segment_names == NULL) return STATUS_OK;
    for (const struct job_node *item = builder->segment_names->first; item != NULL; item = item->next) {
        enum status const status = job_segment_name(builder, item);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

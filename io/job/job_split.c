/* job_split.c - segments in names: placeholders of URLs, and whether each segment's files have names of their
 * own. Asked for the URL that is delivered to, which may be another than the job's.
 *
 * Thread rule: reentrant. Owns nothing beyond each call. */
#include "io/job/job_build.h"

#include <string.h>
#include <strings.h>

enum { JOB_FOLDER_MAX = 255 }; /* NAME_MAX of Linux */

/* Placeholders make folders: each of those, for each segment, is one that file systems and keys can have. */
static enum status job_folders_check(const struct job_builder *builder, const char *place, unsigned line,
                                     const char *folders)
{
    while (*folders != '\0') {
        size_t const length = strcspn(folders, "/");
        bool const dots =
            (length == 1 && folders[0] == '.') || (length == 2 && memcmp(folders, "..", 2) == 0);
        if (length == 0 || dots || length > JOB_FOLDER_MAX)
            return job_refuse(
                builder, line, place,
                "makes the folder \"%s\" behind a placeholder; it needs 1 to %d bytes, but not . "
                "or ..",
                job_show(folders, length).text, JOB_FOLDER_MAX);
        folders += length + (folders[length] == '/');
    }
    return STATUS_OK;
}

enum status job_url_check(const struct job_builder *builder, const char *place, unsigned line,
                          const char *url)
{
    const struct segments *segments = &builder->job->mapping.segments;
    struct job_pattern const pattern = {
        .place = place, .text = url, .line = line, .holds = JOB_HOLDS_SEGMENT};
    enum status status = job_pattern_check(builder, &pattern);
    const char *brace = strchr(url, '{');
    if (status != STATUS_OK || brace == NULL) return status;
    bool const s3 = strncasecmp(url, "s3://", 5) == 0;
    if (s3 && strcspn(url + 5, "/") > (size_t)(brace - url - 5))
        return job_refuse(builder, line, place,
                          "has a placeholder in the name of the bucket; one bucket takes all segments, as in "
                          "s3://bucket/{segment_name}/");
    const char *folders = brace;
    while (folders > url && folders[-1] != '/')
        folders--;
    struct arena scratch = {0};
    for (size_t i = 0; i < segments->count && status == STATUS_OK; i++) {
        const char *made = job_pattern_longest(builder->job, &scratch, folders, &segments->list[i]);
        status = made != NULL ? job_folders_check(builder, place, line, made) : job_no_memory(builder);
    }
    arena_free(&scratch);
    return status;
}

/* No two segments give one name; `key` is what makes it, in folders that `url` makes. */
static enum status job_segments_differ(const struct job_builder *builder, struct arena *scratch,
                                       const char *key, const char *pattern, const char *url)
{
    const struct segments *segments = &builder->job->mapping.segments;
    const char **folders = arena_array(scratch, segments->count, sizeof *folders);
    const char **names = arena_array(scratch, segments->count, sizeof *names);
    if (folders == NULL || names == NULL) return job_no_memory(builder);
    for (size_t i = 0; i < segments->count; i++) {
        folders[i] = job_pattern_longest(builder->job, scratch, url, &segments->list[i]);
        names[i] = job_pattern_longest(builder->job, scratch, pattern, &segments->list[i]);
        if (folders[i] == NULL || names[i] == NULL) return job_no_memory(builder);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(folders[i], folders[k]) != 0 || strcmp(names[i], names[k]) != 0) continue;
            const struct segment *one = &segments->list[k], *other = &segments->list[i];
            bool const none = strstr(pattern, "{segment_") == NULL && strstr(url, "{segment_") == NULL;
            return job_refuse(
                builder, builder->job->split_line, "segments.split",
                "segments \"%s\" and \"%s\" would write to one place: %s %s",
                job_show(one->id, one->id_length).text, job_show(other->id, other->id_length).text, key,
                none ? "and destination.url hold neither {segment_id} nor {segment_name}; put one "
                       "of them into either"
                     : "and destination.url give both the same name; give them different "
                       "segments.names, or use {segment_id}");
        }
    }
    return STATUS_OK;
}

enum status job_names_check(const struct job *job, const char *url, bool url_is_jobs, struct fault *fault)
{
    /* what was built is only read: the builder is for messages */
    struct job_builder builder = {.job = (struct job *)job, .fault = fault};
    struct arena scratch = {0};
    enum status status = STATUS_OK;
    if (!url_is_jobs) { /* the job's own was looked at when it was loaded */
        builder.refusal = STATUS_USAGE;
        status = job_url_check(&builder, "--to", 0, url);
    }
    builder.refusal = STATUS_JOB;
    builder.file = job->file;
    if (status == STATUS_OK && job->mapping.segments.split)
        status = job_segments_differ(&builder, &scratch, "files.name", job->file_name, url);
    if (status == STATUS_OK && job->mapping.segments.split && job->pega.wanted)
        status = job_segments_differ(&builder, &scratch, "pega.manifest", job->pega.manifest, url);
    arena_free(&scratch);
    return status;
}

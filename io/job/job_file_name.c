/* job_file_name.c - the patterns of a job: do they make names? A files.name without {part} is fine as long as
 * the run has one file: that is seen when a second one is needed.
 *
 * Thread rule: reentrant. Owns nothing. */
#include "io/job/job_build.h"

#include "core/base/utf8.h"

#include <stdio.h>
#include <string.h>

enum {
    /* What file systems allow (NAME_MAX of Linux: 255 bytes), less what a temporary name adds: ".", ".", 16
     * digits of the run id, ".tmp". */
    JOB_FILE_NAME_MAX = 255 - 22
};

/* What stands for a placeholder at its longest. */
static const struct {
    const char *name;
    unsigned holds;
    const char *longest; /* NULL: the job or the segment knows it */
} job_placeholders[] = {
    {"{name}", JOB_HOLDS_RUN, NULL},
    {"{run_time}", JOB_HOLDS_RUN, "yyyyMMddTHHmmssZ"},
    {"{run_id}", JOB_HOLDS_RUN, "0123456789abcdef"}, /* unless given: its flag checks its own length */
    {"{part}", JOB_HOLDS_PART, "4294967295"},
    {"{segment_id}", JOB_HOLDS_SEGMENT, NULL},
    {"{segment_name}", JOB_HOLDS_SEGMENT, NULL},
};
enum {
    JOB_PLACEHOLDERS = sizeof job_placeholders / sizeof *job_placeholders,
    JOB_NAME_HOLDER = 0, /* positions in the table */
    JOB_SEGMENT_ID_HOLDER = 4
};

/* Position of the placeholder at `at`, JOB_PLACEHOLDERS when it is none. */
static size_t job_placeholder(const char *at, size_t length)
{
    size_t i = 0;
    while (i < JOB_PLACEHOLDERS &&
           (strlen(job_placeholders[i].name) != length || memcmp(job_placeholders[i].name, at, length) != 0))
        i++;
    return i;
}

/* "{name} {run_time} …": what the pattern may hold in this job. */
static void job_allowed(const struct job_pattern *pattern, bool split, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < JOB_PLACEHOLDERS; i++) {
        bool const segment = job_placeholders[i].holds == JOB_HOLDS_SEGMENT;
        if ((pattern->holds & job_placeholders[i].holds) == 0 || (segment && !split)) continue;
        int const more = snprintf(out + used, size - used, " %s", job_placeholders[i].name);
        used += more > 0 && (size_t)more < size - used ? (size_t)more : 0;
    }
    if (used == 0) snprintf(out, size, " {segment_id} {segment_name}, with segments.split: true");
}

static enum status job_placeholder_check(const struct job_builder *builder, const struct job_pattern *pattern,
                                         const char *at, size_t length)
{
    bool const split = builder->job->mapping.segments.split;
    size_t const found = job_placeholder(at, length);
    bool const known = found < JOB_PLACEHOLDERS;
    char allowed[256];
    job_allowed(pattern, split, allowed, sizeof allowed);
    if (!known)
        return job_refuse(builder, pattern->line, pattern->place,
                          "\"%s\" is not a placeholder; allowed are%s", job_show(at, length).text, allowed);
    if ((pattern->holds & job_placeholders[found].holds) == 0)
        return job_refuse(builder, pattern->line, pattern->place, "%s can't stand here; allowed are%s",
                          job_placeholders[found].name, allowed);
    if (job_placeholders[found].holds == JOB_HOLDS_SEGMENT && !split)
        return job_refuse(builder, pattern->line, pattern->place,
                          "%s is for jobs that split by segments (segments.split: true); allowed here are%s",
                          job_placeholders[found].name, allowed);
    return STATUS_OK;
}

/* An id that the pattern uses: segments.names were looked at where they stand. */
static enum status job_segment_id_check(const struct job_builder *builder, const struct job_pattern *pattern,
                                        const char *id)
{
    const char *problem = NULL;
    if (id[0] == '.') problem = "begins with a dot";
    if (strchr(id, '/') != NULL) problem = "holds a slash";
    if (utf8_has_control(id, strlen(id))) problem = "holds a control character";
    if (problem == NULL) return STATUS_OK;
    return job_refuse(builder, pattern->line, pattern->place,
                      "the segment id \"%s\" %s, which can't stand in a name; give the segment one in "
                      "segments.names, and use {segment_name}",
                      job_show(id, strlen(id)).text, problem);
}

static enum status job_segment_ids_check(const struct job_builder *builder, const struct job_pattern *pattern)
{
    const struct segments *segments = &builder->job->mapping.segments;
    bool const ids = strstr(pattern->text, "{segment_id}") != NULL;
    bool const names = strstr(pattern->text, "{segment_name}") != NULL;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < segments->count && status == STATUS_OK; i++)
        if (ids || (names && segments->list[i].name == NULL))
            status = job_segment_id_check(builder, pattern, segments->list[i].id);
    return status;
}

enum status job_pattern_check(const struct job_builder *builder, const struct job_pattern *pattern)
{
    for (const char *at = pattern->text; *at != '\0';) {
        at += strcspn(at, "{}");
        if (*at == '\0') break;
        if (*at == '}')
            return job_refuse(builder, pattern->line, pattern->place, "has a \"}\" without \"{\" before it");
        const char *end = strchr(at, '}');
        if (end == NULL)
            return job_refuse(builder, pattern->line, pattern->place, "has a \"{\" without \"}\" behind it");
        size_t const length = (size_t)(end - at) + 1;
        enum status const status = job_placeholder_check(builder, pattern, at, length);
        if (status != STATUS_OK) return status;
        at = end + 1;
    }
    return job_segment_ids_check(builder, pattern);
}

static const char *job_longest(const struct job *job, const struct segment *segment, size_t placeholder)
{
    if (job_placeholders[placeholder].longest != NULL) return job_placeholders[placeholder].longest;
    if (placeholder == JOB_NAME_HOLDER) return job->name;
    if (segment == NULL) return "";
    return placeholder == JOB_SEGMENT_ID_HOLDER || segment->name == NULL ? segment->id : segment->name;
}

const char *job_pattern_longest(const struct job *job, struct arena *arena, const char *pattern,
                                const struct segment *segment)
{
    char *out = NULL;
    for (int pass = 0; pass < 2; pass++) { /* measures, then writes */
        size_t used = 0;
        for (const char *at = pattern; *at != '\0';) {
            size_t length = *at == '{' ? strcspn(at, "}") + 1 : strcspn(at, "{");
            const char *text = *at == '{' ? job_longest(job, segment, job_placeholder(at, length)) : at;
            size_t const made = *at == '{' ? strlen(text) : length;
            if (out != NULL) memcpy(out + used, text, made);
            used += made;
            at += length;
        }
        if (out == NULL) out = arena_alloc(arena, used + 1);
        if (out == NULL) return NULL;
    }
    return out;
}

/* The longest name of all segments; `more`: bytes that are put behind the pattern's. */
static enum status job_name_length_check(struct job_builder *builder, const struct job_pattern *pattern,
                                         size_t more)
{
    const struct segments *segments = &builder->job->mapping.segments;
    for (size_t i = 0; i == 0 || (segments->split && i < segments->count); i++) {
        const struct segment *segment = segments->split ? &segments->list[i] : NULL;
        const char *name = job_pattern_longest(builder->job, &builder->scratch, pattern->text, segment);
        if (name == NULL) return job_no_memory(builder);
        if (strlen(name) + more > JOB_FILE_NAME_MAX)
            return job_refuse(builder, pattern->line, pattern->place,
                              "makes names of up to %zu bytes; at most %d are allowed", strlen(name) + more,
                              JOB_FILE_NAME_MAX);
    }
    return STATUS_OK;
}

/* A pattern that makes the name of a file. */
static enum status job_name_check(struct job_builder *builder, const struct job_pattern *pattern, size_t more)
{
    size_t const written = strlen(pattern->text);
    const char *problem = NULL;
    if (written == 0)
        problem = "is empty; a pattern like {name}_{run_time} is needed";
    else if (strchr(pattern->text, '/') != NULL)
        problem = "holds a slash; folders belong into destination.url";
    else if (utf8_has_control(pattern->text, written))
        problem = "holds a control character; none is allowed in a file name";
    else if (pattern->text[0] == '.')
        problem = "begins with a dot; such names are hidden and kept for unfinished files";
    if (problem != NULL) return job_refuse(builder, pattern->line, pattern->place, "%s", problem);
    enum status const status = job_pattern_check(builder, pattern);
    return status == STATUS_OK ? job_name_length_check(builder, pattern, more) : status;
}

static unsigned job_line_or_top(const struct job_builder *builder, const char *key)
{
    unsigned const line = job_set_line(builder, key);
    return line != 0 ? line : builder->top_line;
}

bool job_is_of_a_run(const char *pattern)
{
    return strstr(pattern, "{run_time}") != NULL || strstr(pattern, "{run_id}") != NULL;
}

/* Behind a name that lost its extension only a dot tells a token's suffix (former_judge.c): with other
 * settings later, acme_0001READY would stay over new data files. */
static enum status job_replace_token_check(struct job_builder *builder)
{
    const struct job_pega *pega = &builder->job->pega;
    bool const whole = pega->token == JOB_TOKEN_NONE || !pega->token_replaces_extension;
    if (whole || pega->token_suffix[0] == '.') return STATUS_OK;
    return job_refuse(
        builder, job_line_or_top(builder, "pega.token.suffix"), "pega.token.suffix",
        "\"%s\" does not begin with a dot, and with replace_extension: true nothing tells such "
        "tokens from other files: destination.if_exists: replace could not find them later; let "
        "it begin with a dot, or leave replace_extension out",
        job_show(pega->token_suffix, strlen(pega->token_suffix)).text);
}

/* A manifest whose name is its run's alone is found by what it names only (former_delivery.h), not by its
 * name. Of two runs at once on S3, where there are no locks, each would leave one, with its token, over data
 * files that both exchanged: Pega would import them by its counts. */
static enum status job_replace_check(struct job_builder *builder)
{
    const struct job *job = builder->job;
    if (job->destination.if_exists != JOB_EXISTS_REPLACE || !job->pega.wanted) return STATUS_OK;
    if (!job_is_of_a_run(job->pega.manifest) || job_is_of_a_run(job->file_name))
        return job_replace_token_check(builder);
    return job_refuse(
        builder, job_line_or_top(builder, "pega.manifest"), "pega.manifest",
        "\"%s\" differs from run to run, but files.name \"%s\" does not: destination.if_exists: "
        "replace would exchange data files below the manifest and token of the run before; put "
        "{run_time} or {run_id} into both or into neither",
        job->pega.manifest, job->file_name);
}

enum status job_file_name_check(struct job_builder *builder)
{
    const struct job *job = builder->job;
    enum { PLAIN = JOB_HOLDS_RUN | JOB_HOLDS_SEGMENT, PARTS = PLAIN | JOB_HOLDS_PART };
    /* compression adds its suffix, a token its own */
    size_t const suffix = job->compression == JOB_COMPRESSION_NONE ? 0 : strlen(".zst");
    size_t const token =
        job->pega.wanted && job->pega.token != JOB_TOKEN_NONE ? strlen(job->pega.token_suffix) : 0;
    bool const per_file = job->pega.token == JOB_TOKEN_FILE;
    const struct {
        const char *key, *text;
        unsigned holds;
        size_t more;
    } names[] = {{"files.name", job->file_name, PARTS, suffix + (per_file ? token : 0)},
                 {"files.purge_name", job->purge_name, PARTS, suffix + (per_file ? token : 0)},
                 {"pega.manifest", job->pega.manifest, PLAIN, per_file ? 0 : token},
                 {"pega.purge_manifest", job->pega.purge_manifest, PLAIN, per_file ? 0 : token}};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && status == STATUS_OK; i++) {
        struct job_pattern const pattern = {.place = names[i].key,
                                            .text = names[i].text,
                                            .line = job_line_or_top(builder, names[i].key),
                                            .holds = names[i].holds};
        status = job_name_check(builder, &pattern, names[i].more);
    }
    if (status == STATUS_OK) status = job_replace_check(builder);
    struct job_pattern const prefix = {.place = "pega.path_prefix",
                                       .text = job->pega.path_prefix,
                                       .line = job_line_or_top(builder, "pega.path_prefix"),
                                       .holds = PLAIN};
    if (status == STATUS_OK) status = job_pattern_check(builder, &prefix);
    if (status == STATUS_OK && job->destination.url != NULL)
        status = job_url_check(builder, "destination.url", job_line_or_top(builder, "destination.url"),
                               job->destination.url);
    return status;
}

/* job_file_name.c - is files.name a pattern that makes file names? One without {part} is fine as long as
 * the run has one file: that is seen when a second one is needed.
 *
 * Thread rule: reentrant. Owns nothing. */
#include "io/job/job_build.h"

#include "core/base/utf8.h"

#include <string.h>

enum {
    /* What file systems allow (NAME_MAX of Linux: 255 bytes), less what a temporary name adds: ".", ".", 16
     * digits of the run id, ".tmp". */
    JOB_FILE_NAME_MAX = 255 - 22,
    JOB_RUN_TIME_LENGTH = 16, /* yyyyMMddTHHmmssZ */
    JOB_RUN_ID_LENGTH = 16,   /* unless given: its flag checks its own length */
    JOB_PART_LENGTH = 10      /* of a 32-bit number */
};

static const char job_placeholders[] = "{name} {run_time} {run_id} {part}";

/* Bytes that the placeholder at `at` can take; 0: it is not one of this version. */
static size_t job_placeholder(const struct job_builder *builder, const char *at, size_t length)
{
    const struct {
        const char *name;
        size_t bytes;
    } all[] = {{"{name}", strlen(builder->job->name)},
               {"{run_time}", JOB_RUN_TIME_LENGTH},
               {"{run_id}", JOB_RUN_ID_LENGTH},
               {"{part}", JOB_PART_LENGTH}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strlen(all[i].name) == length && memcmp(all[i].name, at, length) == 0) return all[i].bytes;
    return 0;
}

static bool job_segment_placeholder(const char *at, size_t length)
{
    static const char id[] = "{segment_id}", name[] = "{segment_name}";
    return (length == strlen(id) && memcmp(at, id, length) == 0) ||
           (length == strlen(name) && memcmp(at, name, length) == 0);
}

/* The placeholders: adds up the longest name they can make. */
static enum status job_file_name_length(const struct job_builder *builder, unsigned line, size_t *bytes)
{
    static const char place[] = "files.name";
    *bytes = 0;
    for (const char *at = builder->job->file_name; *at != '\0';) {
        if (*at == '}') return job_refuse(builder, line, place, "has a \"}\" without \"{\" before it");
        if (*at != '{') {
            at++;
            ++*bytes;
            continue;
        }
        const char *end = strchr(at, '}');
        if (end == NULL) return job_refuse(builder, line, place, "has a \"{\" without \"}\" behind it");
        size_t const length = (size_t)(end - at) + 1;
        size_t const made = job_placeholder(builder, at, length);
        if (made == 0 && job_segment_placeholder(at, length))
            return job_refuse(builder, line, place, "placeholder %.*s is not supported yet; allowed are %s",
                              (int)length, at, job_placeholders);
        if (made == 0)
            return job_refuse(builder, line, place, "\"%s\" is not a placeholder; allowed are %s",
                              job_show(at, length).text, job_placeholders);
        *bytes += made;
        at = end + 1;
    }
    return STATUS_OK;
}

enum status job_file_name_check(const struct job_builder *builder)
{
    static const char place[] = "files.name";
    const char *name = builder->job->file_name;
    unsigned const set = job_set_line(builder, place);
    unsigned const line = set != 0 ? set : builder->top_line;
    size_t const written = strlen(name);
    if (written == 0)
        return job_refuse(builder, line, place, "is empty; a pattern like {name}_{part}.csv is needed");
    if (strchr(name, '/') != NULL)
        return job_refuse(builder, line, place, "holds a slash; folders belong into destination.url");
    if (utf8_has_control(name, written))
        return job_refuse(builder, line, place, "holds a control character; none is allowed in a file name");
    if (name[0] == '.')
        return job_refuse(builder, line, place,
                          "begins with a dot; such names are hidden and kept for unfinished files");
    size_t bytes = 0;
    enum status const status = job_file_name_length(builder, line, &bytes);
    if (status != STATUS_OK) return status;
    if (bytes > JOB_FILE_NAME_MAX)
        return job_refuse(builder, line, place, "makes names of up to %zu bytes; at most %d are allowed",
                          bytes, JOB_FILE_NAME_MAX);
    return STATUS_OK;
}

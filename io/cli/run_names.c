/* run_names.c - patterns of the job, values of the run. Thread: main. Owns nothing. */
#include "io/cli/run_names.h"

#include "io/pega/pega_manifest.h"

#include <string.h>

uint32_t run_stream_count(const struct run *run)
{
    const struct segments *const segments = &run->job.mapping.segments;
    return segments->split ? (uint32_t)segments->count : 1;
}

/* `part` 0: of what has no parts. */
static struct file_name_values values_of(const struct run *run, uint32_t stream, uint32_t part)
{
    const struct segments *const segments = &run->job.mapping.segments;
    return (struct file_name_values){.name = run->job.name,
                                     .run_time = run->run_time,
                                     .run_id = run->run_id,
                                     .part = part,
                                     .segment_id = segments->split ? segments->list[stream].id : NULL,
                                     .segment_name = segments->split ? segments->list[stream].name : NULL};
}

enum status run_file_name(const struct run *run, uint32_t stream, uint32_t part, char out[OUTPUT_NAME_SIZE],
                          struct fault *fault)
{
    static const char *const suffixes[] = {
        [JOB_COMPRESSION_NONE] = "", [JOB_COMPRESSION_GZIP] = ".gz", [JOB_COMPRESSION_ZSTD] = ".zst"};
    struct file_name_pattern const pattern = {
        .key = "files.name", .text = run->job.file_name, .suffix = suffixes[run->job.compression]};
    struct file_name_values const values = values_of(run, stream, part);
    return output_name_expand(run->place.folders, &pattern, &values, out, fault);
}

enum status run_manifest_name(const struct run *run, uint32_t stream, char out[OUTPUT_NAME_SIZE],
                              struct fault *fault)
{
    struct file_name_pattern const pattern = {
        .key = "pega.manifest", .text = run->job.pega.manifest, .suffix = ""};
    struct file_name_values const values = values_of(run, stream, 0);
    return output_name_expand(run->place.folders, &pattern, &values, out, fault);
}

enum status run_token_name(const struct run *run, const char *name, char out[OUTPUT_NAME_SIZE],
                           struct fault *fault)
{
    const struct job_pega *const pega = &run->job.pega;
    return output_name_token(name, pega->token_suffix, pega->token_replaces_extension, run->run_id, out,
                             fault);
}

enum status run_path_prefix(const struct run *run, uint32_t stream, char out[OUTPUT_NAME_SIZE],
                            struct fault *fault)
{
    struct file_name_values const values = values_of(run, stream, 0);
    return file_name_expand_text("pega.path_prefix", run->job.pega.path_prefix, &values, out,
                                 OUTPUT_NAME_SIZE, fault);
}

static enum status visit_token(const struct run *run, enum job_token per, const char *of,
                               const struct run_names_visitor *visitor, struct fault *fault)
{
    char token[OUTPUT_NAME_SIZE];
    if (!run->job.pega.wanted || run->job.pega.token != per) return STATUS_OK;
    enum status const status = run_token_name(run, of, token, fault);
    return status == STATUS_OK ? visitor->name(visitor->context, token, fault) : status;
}

static enum status visit_manifest(const struct run *run, uint32_t stream,
                                  const struct run_names_visitor *visitor, struct fault *fault)
{
    char name[OUTPUT_NAME_SIZE];
    if (!run->job.pega.wanted) return STATUS_OK;
    enum status status = run_manifest_name(run, stream, name, fault);
    if (status == STATUS_OK) status = visitor->name(visitor->context, name, fault);
    return status == STATUS_OK ? visit_token(run, JOB_TOKEN_MANIFEST, name, visitor, fault) : status;
}

enum status run_names_of_file(const struct run *run, const char *name,
                              const struct run_names_visitor *visitor, struct fault *fault)
{
    enum status const status = visitor->name(visitor->context, name, fault);
    return status == STATUS_OK ? visit_token(run, JOB_TOKEN_FILE, name, visitor, fault) : status;
}

static enum status visit_file(const struct run *run, uint32_t stream, uint32_t part,
                              const struct run_names_visitor *visitor, struct fault *fault)
{
    char name[OUTPUT_NAME_SIZE];
    enum status const status = run_file_name(run, stream, part, name, fault);
    return status == STATUS_OK ? run_names_of_file(run, name, visitor, fault) : status;
}

enum status run_names_each(const struct run *run, uint32_t parts, const struct run_names_visitor *visitor,
                           struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t stream = 0; stream < run_stream_count(run) && status == STATUS_OK; stream++) {
        status = visit_manifest(run, stream, visitor, fault);
        for (uint32_t part = 1; part <= parts && status == STATUS_OK; part++)
            status = visit_file(run, stream, part, visitor, fault);
    }
    return status;
}

const char *run_names_bare(const char *name)
{
    const char *const slash = strrchr(name, '/');
    return slash == NULL ? name : slash + 1;
}

static enum status same_names(const char *key, const char *what, const char *name, const char *other,
                              struct fault *fault)
{
    return fault_set(fault, STATUS_JOB, "%s: %s would be called %s, like %s; change one of them", key, what,
                     name, other);
}

/* One data file against its stream's manifest and the token of that ("": none), and its own token. */
static enum status check_file(const struct run *run, const char *file, const char *manifest,
                              const char *token, struct fault *fault)
{
    char own[OUTPUT_NAME_SIZE];
    if (strcmp(manifest, file) == 0)
        return same_names("pega.manifest", "a manifest", manifest, "a data file", fault);
    if (strcmp(token, file) == 0) return same_names("pega.token", "a token", token, "a data file", fault);
    if (run->job.pega.token != JOB_TOKEN_FILE) return STATUS_OK;
    enum status const status = run_token_name(run, file, own, fault);
    if (status != STATUS_OK || strcmp(own, manifest) != 0) return status;
    return same_names("pega.token", "a token", own, "the manifest", fault);
}

/* The manifest, what is written in it, and the token of one stream. */
static enum status check_manifest(const struct run *run, uint32_t stream, char manifest[OUTPUT_NAME_SIZE],
                                  char token[OUTPUT_NAME_SIZE], struct fault *fault)
{
    char prefix[OUTPUT_NAME_SIZE];
    token[0] = '\0';
    enum status status = run_manifest_name(run, stream, manifest, fault);
    if (status == STATUS_OK) status = run_path_prefix(run, stream, prefix, fault);
    if (status == STATUS_OK)
        status = pega_manifest_check("pega.process_type", run->job.pega.process_type, fault);
    if (status == STATUS_OK) status = pega_manifest_check("pega.path_prefix", prefix, fault);
    if (status != STATUS_OK || run->job.pega.token != JOB_TOKEN_MANIFEST) return status;
    return run_token_name(run, manifest, token, fault);
}

/* More parts than these are found out when they are begun. */
static enum status check_pega(const struct run *run, uint32_t stream, struct fault *fault)
{
    char file[OUTPUT_NAME_SIZE], manifest[OUTPUT_NAME_SIZE], token[OUTPUT_NAME_SIZE];
    enum status status = check_manifest(run, stream, manifest, token, fault);
    for (uint32_t part = 1; part <= RUN_NAMES_PARTS && status == STATUS_OK; part++) {
        status = run_file_name(run, stream, part, file, fault);
        if (status == STATUS_OK) status = check_file(run, file, manifest, token, fault);
    }
    return status;
}

enum status run_names_check(const struct run *run, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t stream = 0; stream < run_stream_count(run) && status == STATUS_OK; stream++) {
        char file[OUTPUT_NAME_SIZE];
        status = run_file_name(run, stream, 1, file, fault);
        if (status == STATUS_OK && run->job.pega.wanted) status = check_pega(run, stream, fault);
    }
    return status;
}

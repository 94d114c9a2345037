/* job_load.c - from a file to a job: reads it, walks it with the table of keys, weighs the keys together.
 *
 * Thread rule: one thread a job. Owns the file while it is read, and the builder's scratch memory. */
#include "io/job/job_build.h"

#include "core/base/limits.h"
#include "core/map/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Defaults of the contract's "Job file"; all texts are literals. */
void job_defaults(struct job *job)
{
    static const char *const members[] = {"realized", "existing"};
    *job = (struct job){
        .max_record = 16 * LIMIT_MIB,
        .max_depth = 1024,
        .destination = {.if_exists = JOB_EXISTS_FAIL, .checksum = CHECKSUM_CRC64NVME},
        .file_name = "{name}_{run_time}_{part}.csv",
        .purge_name = "{name}_purge_{run_time}_{part}.csv",
        .max_rows = 5000000,
        .pega = {.process_type = "CustomerDataIngestion",
                 .purge_process_type = "CustomerDataPurge",
                 .manifest = "{name}_{run_time}.xml",
                 .purge_manifest = "{name}_purge_{run_time}.xml",
                 .path_prefix = "",
                 .token = JOB_TOKEN_MANIFEST,
                 .token_suffix = ".TOK"},
        .mapping.segments = {.name_space = "ups",
                             .statuses = members,
                             .status_count = sizeof members / sizeof *members},
        .mapping.identity = {.multiple = IDENTITY_PRIMARY, .missing = IDENTITY_REJECT},
        .mapping.csv = {.delimiter = ',', .null_text = "", .list_separator = "|"},
        .budget.text = "0",
    };
}

/* Keys of `identity` that are fine, but do little as they stand. */
static void job_identity_warn(struct job_builder *builder)
{
    const struct identity *identity = &builder->job->mapping.identity;
    if (identity->deduplicate == IDENTITY_KEEP_LATEST && identity->timestamp.part_count == 0)
        job_warn(
            builder, job_set_line(builder, "identity.deduplicate"), "identity.deduplicate",
            "is latest without identity.timestamp: of records with one id the last in input order stays");
    bool has_namespace = false;
    for (size_t i = 0; i < identity->path_count; i++)
        has_namespace = has_namespace || plan_is_namespace(&identity->paths[i]);
    if (identity->multiple == IDENTITY_EXPLODE && !has_namespace)
        job_warn(builder, job_set_line(builder, "identity.multiple"), "identity.multiple",
                 "explode has no effect: no identity path is a namespace like identityMap.CRM, and other "
                 "paths give one id");
}

static enum status job_identity_check(struct job_builder *builder)
{
    struct identity *identity = &builder->job->mapping.identity;
    unsigned const line = job_set_line(builder, "identity");
    if (line == 0) return STATUS_OK;
    if (identity->path_count == 0)
        return job_refuse(builder, line, "identity.paths", "is missing; at least one path is needed");
    if (identity->column == NULL) identity->column = "CustomerID";
    unsigned const time_line = job_set_line(builder, "identity.timestamp");
    for (size_t i = 0; i < identity->timestamp.part_count; i++)
        if (identity->timestamp.parts[i].kind == PATH_WILDCARD ||
            identity->timestamp.parts[i].kind == PATH_FILTER)
            return job_refuse(builder, time_line, "identity.timestamp",
                              "may select several values; a path without [*] and filters is needed");
    job_identity_warn(builder);
    return STATUS_OK;
}

/* Keys that depend on each other, whatever their order in the file. */
static enum status job_weigh(struct job_builder *builder)
{
    struct job *job = builder->job;
    if (job->name == NULL)
        return job_refuse(builder, builder->top_line, "name",
                          "is missing; a job needs one: 1 to 64 ASCII letters, digits, _ and -");
    if (builder->dialect_pega) {
        if (job_set_line(builder, "csv.newline_in_value") == 0) job->mapping.csv.newline_to_space = true;
        if (job_set_line(builder, "csv.null_character") == 0) job->mapping.csv.null_character_drop = true;
    }
    enum status status = job_identity_check(builder);
    if (status == STATUS_OK) status = job_segments_check(builder);
    if (status == STATUS_OK) status = job_consent_check(builder);
    if (status == STATUS_OK) status = job_destination_check(builder);
    if (status == STATUS_OK) status = job_files_check(builder);
    if (status == STATUS_OK) status = job_file_name_check(builder);
    if (status == STATUS_OK) status = job_columns_finish(builder);
    if (status == STATUS_OK) status = job_newlines_check(builder);
    return status == STATUS_OK ? job_governance_check(builder) : status;
}

enum status job_finish(struct job_builder *builder, enum status status)
{
    struct job *job = builder->job;
    if (status == STATUS_OK) {
        job->warnings = arena_array(&job->arena, builder->warning_count, sizeof *job->warnings);
        if (job->warnings != NULL)
            memcpy(job->warnings, builder->warnings, builder->warning_count * sizeof *job->warnings);
        job->warning_count = builder->warning_count;
        if (arena_failed(&job->arena)) status = job_no_memory(builder);
    }
    arena_free(&builder->scratch);
    if (status != STATUS_OK && job->governance.violation_count == 0) job_free(job);
    return status;
}

enum status job_load_texts(const char *file, struct job_text text, struct job_text labels, struct job *job,
                           struct fault *fault)
{
    job_defaults(job);
    struct job_builder builder = {
        .job = job, .file = file, .refusal = STATUS_JOB, .fault = fault, .labels = labels};
    const struct job_node *root = NULL;
    job->file = arena_text(&job->arena, file, strlen(file));
    enum status status = job_yaml_read(&builder.scratch, file, text.bytes, text.length, &root, fault);
    if (status == STATUS_OK) {
        builder.top_line = root->line;
        status = job_section(&builder, "", "", root, job);
    }
    if (status == STATUS_OK) status = job_weigh(&builder);
    return job_finish(&builder, status);
}

enum status job_load_bytes(const char *file, const char *bytes, size_t length, struct job *job,
                           struct fault *fault)
{
    struct job_text const text = {.bytes = bytes, .length = length};
    return job_load_texts(file, text, (struct job_text){0}, job, fault);
}

_Static_assert(JOB_FILE_BYTES_MAX == 4194304, "job_file_read() says so");

enum status job_file_read(const char *file, char **bytes, size_t *length, const char **problem)
{
    *bytes = NULL;
    /* "e": not inherited by children. Pipes (-j <(…)) are fine: read to the end, no size is asked. */
    FILE *stream = fopen(file, "re");
    *problem = stream == NULL ? strerror(errno) : NULL;
    if (stream == NULL) return STATUS_JOB;
    *bytes = malloc(JOB_FILE_BYTES_MAX + 1);
    if (*bytes == NULL) {
        *problem = "no memory for it";
    } else {
        errno = 0;
        *length = fread(*bytes, 1, JOB_FILE_BYTES_MAX + 1, stream);
        if (ferror(stream))
            *problem = strerror(errno);
        else if (*length > JOB_FILE_BYTES_MAX)
            *problem = "it is too large; at most 4194304 bytes are allowed";
    }
    fclose(stream);
    if (*problem == NULL) return STATUS_OK;
    return *bytes == NULL ? STATUS_IO : STATUS_JOB;
}

enum status job_load(const char *file, struct job *job, struct fault *fault)
{
    *job = (struct job){0};
    char *bytes;
    size_t length = 0;
    const char *problem;
    enum status status = job_file_read(file, &bytes, &length, &problem);
    if (status == STATUS_OK)
        status = job_load_bytes(file, bytes, length, job, fault);
    else
        fault_set(fault, status, "%s: the job file can't be read: %s", file, problem);
    free(bytes);
    return status;
}

void job_free(struct job *job)
{
    arena_free(&job->arena);
    *job = (struct job){0};
}

/* job_load.c - from a file to a job: reads it, walks it with the table of keys, weighs the keys together.
 *
 * Thread rule: one thread a job. Owns the file while it is read, and the builder's scratch memory. */
#include "io/job/job_build.h"

#include "core/base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Defaults of the contract's "Job file"; all texts are literals. */
void job_defaults(struct job *job)
{
    *job = (struct job){
        .max_record = 16 * LIMIT_MIB,
        .max_depth = 1024,
        .destination = {.if_exists = JOB_EXISTS_FAIL, .checksum = CHECKSUM_CRC64NVME},
        .file_name = "{name}_{run_time}_{part}.csv",
        .max_rows = 5000000,
        .mapping.identity = {.multiple = IDENTITY_PRIMARY, .missing = IDENTITY_REJECT},
        .mapping.csv = {.delimiter = ',', .null_text = "", .list_separator = "|"},
        .budget.text = "0",
    };
}

/* Keys that depend on each other, whatever their order in the file. */
static enum status job_weigh(struct job_builder *builder)
{
    struct job *job = builder->job;
    struct identity *identity = &job->mapping.identity;
    if (job->name == NULL)
        return job_refuse(builder, builder->top_line, "name",
                          "is missing; a job needs one: 1 to 64 ASCII letters, digits, _ and -");
    unsigned const line = job_set_line(builder, "identity");
    if (line != 0 && identity->path_count == 0)
        return job_refuse(builder, line, "identity.paths", "is missing; at least one path is needed");
    if (line != 0 && identity->column == NULL) identity->column = "CustomerID";
    if (builder->dialect_pega) {
        if (job_set_line(builder, "csv.newline_in_value") == 0) job->mapping.csv.newline_to_space = true;
        if (job_set_line(builder, "csv.null_character") == 0) job->mapping.csv.null_character_drop = true;
    }
    enum status status = job_destination_check(builder);
    if (status == STATUS_OK) status = job_file_name_check(builder);
    return status == STATUS_OK ? job_columns_finish(builder) : status;
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
    if (status != STATUS_OK) job_free(job);
    return status;
}

enum status job_load_bytes(const char *file, const char *bytes, size_t length, struct job *job,
                           struct fault *fault)
{
    job_defaults(job);
    struct job_builder builder = {.job = job, .file = file, .refusal = STATUS_JOB, .fault = fault};
    const struct job_node *root = NULL;
    job->file = arena_text(&job->arena, file, strlen(file));
    enum status status = job_yaml_read(&builder.scratch, file, bytes, length, &root, fault);
    if (status == STATUS_OK) {
        builder.top_line = root->line;
        status = job_section(&builder, "", "", root, job);
    }
    if (status == STATUS_OK) status = job_weigh(&builder);
    return job_finish(&builder, status);
}

static enum status job_cannot_read(const char *file, int error, struct fault *fault)
{
    return fault_set(fault, STATUS_JOB, "%s: the job file can't be read: %s", file, strerror(error));
}

enum status job_load(const char *file, struct job *job, struct fault *fault)
{
    *job = (struct job){0};
    /* "e": not inherited by children. Pipes (-j <(…)) are fine: read to the end, no size is asked. */
    FILE *stream = fopen(file, "re");
    if (stream == NULL) return job_cannot_read(file, errno, fault);
    char *bytes = malloc(JOB_FILE_BYTES_MAX + 1);
    enum status status = STATUS_OK;
    size_t length = 0;
    if (bytes == NULL) {
        status = fault_set(fault, STATUS_IO, "%s: no memory to read it", file);
    } else {
        errno = 0;
        length = fread(bytes, 1, JOB_FILE_BYTES_MAX + 1, stream);
        if (ferror(stream))
            status = job_cannot_read(file, errno, fault);
        else if (length > JOB_FILE_BYTES_MAX)
            status =
                fault_set(fault, STATUS_JOB, "%s: the job file is too large; at most %u bytes are allowed",
                          file, JOB_FILE_BYTES_MAX);
    }
    fclose(stream);
    if (status == STATUS_OK) status = job_load_bytes(file, bytes, length, job, fault);
    free(bytes);
    return status;
}

void job_free(struct job *job)
{
    arena_free(&job->arena);
    *job = (struct job){0};
}

/* job_flags.c - the short form of export: --id PATH and --column NAME=PATH as a job.
 *
 * Thread rule: one thread a job. Owns the builder's scratch memory. */
#include "io/job/job_build.h"

#include <string.h>

/* A path of the command line: its fault becomes one of usage, with the flag before it. */
static enum status job_flag_path(struct job_builder *builder, const char *flag, const char *name,
                                 const char *text, struct path *path)
{
    struct fault fault;
    enum status const status = path_parse(&builder->job->arena, text, strlen(text), path, &fault);
    if (status == STATUS_OK) return STATUS_OK;
    if (status != STATUS_JOB) return job_no_memory(builder);
    return job_refuse(builder, 0, flag, "%s%s%s", name, name[0] == '\0' ? "" : ": ", fault.message);
}

static enum status job_flag_id(struct job_builder *builder, const char *text)
{
    struct identity *identity = &builder->job->mapping.identity;
    struct path *path = arena_alloc(&builder->job->arena, sizeof *path);
    if (path == NULL) return job_no_memory(builder);
    identity->column = "CustomerID";
    identity->paths = path;
    identity->path_count = 1;
    return job_flag_path(builder, "--id", "", text, path);
}

static enum status job_flag_column(struct job_builder *builder, const struct job_flag_column *flag,
                                   struct job_column *draft)
{
    struct arena *arena = &builder->job->arena;
    draft->place = "--column";
    size_t const length = strlen(flag->name);
    enum status const status = job_header_check(builder, 0, "--column: the name", flag->name, length);
    if (status != STATUS_OK) return status;
    struct path *path = arena_alloc(arena, sizeof *path);
    draft->column.name = arena_text(arena, flag->name, length);
    if (path == NULL || draft->column.name == NULL) return job_no_memory(builder);
    draft->column.paths = path;
    draft->column.path_count = 1;
    return job_flag_path(builder, "--column", job_show(flag->name, length).text, flag->path, path);
}

enum status job_from_flags(const char *id_path, const struct job_flag_column *columns, size_t column_count,
                           struct job *job, struct fault *fault)
{
    job_defaults(job);
    job->name = "export";
    struct job_builder builder = {.job = job, .refusal = STATUS_USAGE, .fault = fault};
    enum status status = id_path != NULL ? job_flag_id(&builder, id_path) : STATUS_OK;
    size_t const most = MAPPING_COLUMNS_MAX + 1; /* job_columns_finish() refuses the last one */
    size_t const count = column_count < most ? column_count : most;
    builder.columns = arena_array(&builder.scratch, count, sizeof *builder.columns);
    if (builder.columns == NULL) status = job_no_memory(&builder);
    for (; builder.column_count < count && status == STATUS_OK; builder.column_count++)
        status =
            job_flag_column(&builder, &columns[builder.column_count], &builder.columns[builder.column_count]);
    if (status == STATUS_OK) status = job_columns_finish(&builder);
    return job_finish(&builder, status);
}

/* fuzz_job.c - any bytes as a job file: loaded with every promise of job.h kept, or refused by a message that
 * begins with the file's name; never a crash, never a leak. */
#include "io/job/job_yaml.h"

#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds) abort();
}

static void check_mapping(const struct mapping *mapping)
{
    const struct identity *identity = &mapping->identity;
    expect(identity->column != NULL || mapping->column_count > 0);
    expect((identity->column != NULL) == (identity->path_count > 0));
    expect(mapping->column_count + (identity->column != NULL) <= MAPPING_COLUMNS_MAX);
    expect(mapping->csv.null_text != NULL && mapping->csv.list_separator != NULL);
    expect(mapping->csv.delimiter != '\0' && mapping->csv.delimiter != '"' && mapping->csv.delimiter != '\n');
    for (size_t i = 0; i < mapping->column_count; i++) {
        const struct column *column = &mapping->columns[i];
        expect(column->name != NULL && column->name[0] != '\0');
        expect((column->constant != NULL) == (column->path_count == 0));
        expect(column->path_count <= 1 + MAPPING_FALLBACKS_MAX);
        expect(column->transform_count <= MAPPING_TRANSFORMS_MAX);
        for (size_t k = 0; k < column->path_count; k++)
            expect(column->paths[k].part_count > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char file[] = "jobs/acme.yaml";
    struct job job;
    struct fault fault = {0};
    enum status const status = job_load_bytes(file, (const char *)data, size, &job, &fault);
    if (status == STATUS_OK) {
        expect(job.name != NULL && strcmp(job.file, file) == 0);
        expect(job.max_record >= LIMIT_RECORD_MIN && job.max_record <= LIMIT_RECORD_MAX);
        expect(job.max_depth >= LIMIT_DEPTH_MIN && job.max_depth <= LIMIT_DEPTH_MAX);
        expect(strstr(job.file_name, "{part}") != NULL || (job.max_rows == 0 && job.max_bytes == 0));
        expect(job.budget.text != NULL && job.budget.millionths <= 1000000);
        for (size_t i = 0; i < job.warning_count; i++)
            expect(job.warnings[i] != NULL);
        check_mapping(&job.mapping);
    } else {
        expect(status == STATUS_JOB && strncmp(fault.message, file, strlen(file)) == 0);
    }
    job_free(&job);
    return 0;
}

/* fuzz_job.c - any bytes as a job file, and behind a line of "%%%" as its labels: loaded with every promise
 * of job.h kept, or refused by a message that begins with the file's name; never a crash, never a leak. */
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

static void check_selection(const struct mapping *mapping)
{
    const struct segments *segments = &mapping->segments;
    expect(segments->name_space[0] != '\0' && segments->count <= MAPPING_SEGMENTS_MAX);
    expect(segments->status_count > 0 && segments->status_count <= MAPPING_STATUSES_MAX);
    expect(!segments->split || (segments->count > 0 && segments->count <= MAPPING_SPLIT_MAX));
    for (size_t i = 0; i < segments->count; i++)
        expect(segments->list[i].id_length > 0 &&
               strlen(segments->list[i].id) == segments->list[i].id_length);
    expect(mapping->consent_count <= MAPPING_CONSENT_RULES_MAX);
    for (size_t i = 0; i < mapping->consent_count; i++)
        expect(mapping->consent[i].path.part_count > 0 && mapping->consent[i].allow_count > 0);
}

static void check_files(const struct job *job)
{
    expect(job->file_count == 0 || (job->max_rows == 0 && job->max_bytes == 0));
    expect(job->file_count <= 1 || strstr(job->file_name, "{part}") != NULL);
    expect(job->pega.process_type[0] != '\0' && job->pega.token_suffix[0] != '\0');
    expect(job->governance.violation_count == 0);
    struct fault fault = {0};
    enum status const status = job_names_check(job, "out/{segment_name}/", false, &fault);
    expect(status == STATUS_OK || status == STATUS_USAGE || (status == STATUS_JOB && job->split_line != 0));
}

/* What follows the first line of "%%%". */
static struct job_text cut_labels(const uint8_t *data, size_t *size)
{
    static const char mark[] = "\n%%%\n";
    const uint8_t *const found = memmem(data, *size, mark, sizeof mark - 1);
    if (found == NULL) return (struct job_text){.bytes = "", .length = 0};
    const uint8_t *const labels = found + sizeof mark - 1;
    struct job_text const text = {.bytes = (const char *)labels, .length = *size - (size_t)(labels - data)};
    *size = (size_t)(found - data);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char file[] = "jobs/acme.yaml";
    struct job job;
    struct fault fault = {0};
    struct job_text const labels = cut_labels(data, &size);
    struct job_text const text = {.bytes = (const char *)data, .length = size};
    enum status const status = job_load_texts(file, text, labels, &job, &fault);
    if (status == STATUS_OK) {
        expect(job.name != NULL && strcmp(job.file, file) == 0);
        expect(job.max_record >= LIMIT_RECORD_MIN && job.max_record <= LIMIT_RECORD_MAX);
        expect(job.max_depth >= LIMIT_DEPTH_MIN && job.max_depth <= LIMIT_DEPTH_MAX);
        expect(job.budget.text != NULL && job.budget.millionths <= 1000000);
        for (size_t i = 0; i < job.warning_count; i++)
            expect(job.warnings[i] != NULL);
        check_mapping(&job.mapping);
        check_selection(&job.mapping);
        check_files(&job);
    } else {
        /* of the job file, or of the labels file that it names */
        bool const of_job = strncmp(fault.message, file, strlen(file)) == 0;
        expect(status == STATUS_JOB && (of_job || strchr(fault.message, ':') != NULL));
    }
    job_free(&job);
    return 0;
}

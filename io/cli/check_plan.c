/* check_plan.c - prints facts. Thread: main. Owns nothing. */
#include "io/cli/check_plan.h"

#include "core/csv/timestamp.h"
#include "io/cli/run_names.h"
#include "io/output/output_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* The second column: behind the longest label, "would be delivered". */
#define LABEL_WIDTH 20

__attribute__((format(printf, 3, 4))) static void line(FILE *out, const char *label, const char *format, ...)
{
    va_list arguments;
    fprintf(out, "%-*s", LABEL_WIDTH, label);
    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
    fputc('\n', out);
}

/* A foreign text made printable, as a value: two of them fit into one call. */
struct shown {
    char text[OUTPUT_TEXT_PRINTABLE];
};

static struct shown show(const char *text)
{
    struct shown shown;
    output_text_printable(text, shown.text, sizeof shown.text);
    return shown;
}

static const char *plural(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

/* A limit that 0 takes away. */
static void limit_line(FILE *out, const char *label, uint64_t limit)
{
    if (limit == 0)
        line(out, label, "no limit");
    else
        line(out, label, "at most %" PRIu64, limit);
}

/* ---- the job ---- */

static void put_source(FILE *out, const struct source_item *item)
{
    bool const is_packed = item->form != UNPACK_PLAIN;
    if (item->kind == SOURCE_KIND_STANDARD)
        line(out, "source", "- (standard input)");
    else
        line(out, "source", "%s, %" PRIu64 " bytes%s%s", show(item->path).text, item->stamp.size,
             is_packed ? " of " : "", is_packed ? unpack_form_name(item->form) : "");
}

static void put_sources(FILE *out, const struct run *run)
{
    line(out, "sources", "%zu %s, %" PRIu64 " bytes", run->source_count,
         plural(run->source_count, "file", "files"), run->input_bytes);
    for (size_t i = 0; i < run->source_count && i < CHECK_PLAN_SOURCES; i++)
        put_source(out, &run->list.items[i]);
    if (run->source_count > CHECK_PLAN_SOURCES)
        line(out, "source", "... and %zu more", run->source_count - CHECK_PLAN_SOURCES);
    if (run->options->sample != 0)
        line(out, "sample", "the first %" PRIu64 " %s", run->options->sample,
             plural(run->options->sample, "record", "records"));
}

/* What sources on S3 are read by. */
static void put_download(FILE *out, const struct run *run)
{
    const struct fetch_plan *const plan = &run->objects.plan;
    if (run->objects.fetch == NULL) return;
    line(out, "download", "%" PRIu32 " %s to %" PRIu32 " %s, ranges of %zu KiB, %" PRIu64 " MiB in all",
         run->objects.connections, plural(run->objects.connections, "connection", "connections"),
         run->objects.count, plural(run->objects.count, "bucket", "buckets"), plan->range_bytes / 1024,
         (plan->memory + LIMIT_MIB - 1) / LIMIT_MIB);
}

static void put_paths(FILE *out, const struct path *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i == 0 ? "" : ", else ", show(paths[i].text).text);
}

static void put_identity(FILE *out, const struct identity *identity)
{
    if (identity->column == NULL) {
        line(out, "identity", "none");
        return;
    }
    fprintf(out, "%-*s%s: ", LABEL_WIDTH, "identity", show(identity->column).text);
    static const char *const multiples[] = {
        [IDENTITY_PRIMARY] = "primary", [IDENTITY_FIRST] = "first", [IDENTITY_EXPLODE] = "explode"};
    put_paths(out, identity->paths, identity->path_count);
    fprintf(out, "; multiple %s; missing %s\n", multiples[identity->multiple],
            identity->missing == IDENTITY_REJECT ? "reject" : "skip");
    if (identity->deduplicate == IDENTITY_KEEP_LATEST)
        line(out, "deduplicate", "latest by %s",
             identity->timestamp.part_count > 0 ? show(identity->timestamp.text).text : "input order");
}

static void put_texts(FILE *out, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i == 0 ? "" : ", ", show(texts[i]).text);
}

static void put_segments(FILE *out, const struct segments *segments)
{
    if (segments->count == 0) return;
    fprintf(out, "%-*s%zu of %s: ", LABEL_WIDTH, "segments", segments->count,
            show(segments->name_space).text);
    put_texts(out, segments->statuses, segments->status_count);
    fprintf(out, "%s\n", segments->split ? "; a delivery for each" : "");
    for (size_t i = 0; i < segments->count && i < CHECK_PLAN_SOURCES; i++) {
        const struct segment *const segment = &segments->list[i];
        line(out, "segment", "%s%s%s%s", show(segment->id).text, segment->name != NULL ? " (" : "",
             segment->name != NULL ? show(segment->name).text : "", segment->name != NULL ? ")" : "");
    }
    if (segments->count > CHECK_PLAN_SOURCES)
        line(out, "segment", "... and %zu more", segments->count - CHECK_PLAN_SOURCES);
}

static void put_consent(FILE *out, const struct consent_rule *rule)
{
    fprintf(out, "%-*s%s: ", LABEL_WIDTH, "consent", show(rule->path.text).text);
    put_texts(out, rule->allow, rule->allow_count);
    fprintf(out, "; missing %s\n", rule->missing == CONSENT_DENY ? "deny" : "allow");
}

/* A job whose columns violate is refused before there is a plan. */
static void put_governance(FILE *out, const struct job_governance *governance)
{
    if (governance->labels == NULL) return;
    fprintf(out, "%-*s%s, %s: ", LABEL_WIDTH, "governance", show(governance->labels).text,
            governance->marketing_action != NULL ? governance->marketing_action : "no marketing action");
    if (governance->dropped_count == 0) fputs("no violation", out);
    if (governance->dropped_count > 0) fputs("dropped ", out);
    put_texts(out, governance->dropped, governance->dropped_count);
    fputc('\n', out);
}

static void put_column(FILE *out, const struct column *column)
{
    static const char *const types[] = {
        [COLUMN_TEXT] = "text", [COLUMN_TIMESTAMP] = "timestamp", [COLUMN_DATE] = "date"};
    static const char *const transforms[] = {[TRANSFORM_TRIM] = "trim",
                                             [TRANSFORM_LOWER] = "lower",
                                             [TRANSFORM_UPPER] = "upper",
                                             [TRANSFORM_SHA256] = "sha256"};
    fprintf(out, "%-*s%s: ", LABEL_WIDTH, "column", show(column->name).text);
    if (column->constant != NULL) {
        fprintf(out, "constant \"%s\"\n", show(column->constant).text);
        return;
    }
    put_paths(out, column->paths, column->path_count);
    fprintf(out, "; %s", types[column->type]);
    for (size_t i = 0; i < column->transform_count; i++)
        fprintf(out, "%s%s", i == 0 ? "; " : ", ", transforms[column->transforms[i]]);
    if (column->default_text != NULL) fprintf(out, "; default \"%s\"", show(column->default_text).text);
    fprintf(out, "%s\n", column->required ? "; required" : "");
}

static void put_csv(FILE *out, const struct csv_options *csv)
{
    static const char *const headers[] = {
        [CSV_HEADER_EVERY] = "every", [CSV_HEADER_FIRST] = "first", [CSV_HEADER_NONE] = "none"};
    char const delimiter[] = {csv->delimiter, '\0'};
    line(out, "csv delimiter", "\"%s\"", show(delimiter).text);
    line(out, "csv quote", "%s", csv->quote == CSV_QUOTE_ALL ? "all" : "necessary");
    line(out, "csv header", "%s", headers[csv->header]);
    line(out, "csv line end", "%s", csv->line_end == CSV_LINE_CRLF ? "crlf" : "lf");
    line(out, "csv null", "\"%s\"", show(csv->null_text).text);
    line(out, "csv values", "newline %s, null character %s, list separator \"%s\", formula escape %s",
         csv->newline_to_space ? "space" : "keep", csv->null_character_drop ? "drop" : "reject",
         show(csv->list_separator).text, csv->formula_escape ? "true" : "false");
}

/* Names were expanded before (run_names_check): none fails. */
static void put_pega(FILE *out, const struct run *run, const char *file)
{
    const struct job_pega *const pega = &run->job.pega;
    char name[OUTPUT_NAME_SIZE], prefix[OUTPUT_NAME_SIZE];
    struct fault fault;
    if (!pega->wanted || run_manifest_name(run, 0, name, &fault) != STATUS_OK ||
        run_path_prefix(run, 0, prefix, &fault) != STATUS_OK)
        return;
    bool const more = run_stream_count(run) > 1;
    line(out, "manifest", "%s, %s%s", show(name).text, show(pega->process_type).text, more ? ", ..." : "");
    line(out, "  names files", "%s%s", show(prefix).text, show(run_names_bare(file)).text);
    bool const per_file = pega->token == JOB_TOKEN_FILE;
    if (pega->token == JOB_TOKEN_NONE)
        line(out, "token", "none");
    else if (run_token_name(run, per_file ? file : name, prefix, &fault) == STATUS_OK)
        line(out, "token", "%s%s", show(prefix).text, per_file || more ? ", ..." : "");
}

static void put_files(FILE *out, const struct run *run, const char *name)
{
    static const char *const compressions[] = {
        [JOB_COMPRESSION_NONE] = "none", [JOB_COMPRESSION_GZIP] = "gzip", [JOB_COMPRESSION_ZSTD] = "zstd"};
    const struct job *const job = &run->job;
    line(out, "files", "%s, ...", show(name).text);
    if (job->compression != JOB_COMPRESSION_NONE)
        line(out, "compression", "%s", compressions[job->compression]);
    if (job->file_count != 0) line(out, "even files", "%" PRIu32, job->file_count);
    limit_line(out, "rows in a file", job->max_rows);
    limit_line(out, "bytes in a file", job->max_bytes);
    if (job->empty_header) line(out, "without rows", "a file with the header");
    put_pega(out, run, name);
}

void check_plan_job(FILE *out, const struct run *run, const char *name)
{
    const struct job *const job = &run->job;
    const struct mapping *const mapping = &job->mapping;
    char time[TIMESTAMP_TEXT_LENGTH + 1] = "";
    timestamp_write(run->run_time, time);
    line(out, "job", "%s%s%s%s", show(job->name).text, job->file != NULL ? " (" : "",
         job->file != NULL ? show(job->file).text : "", job->file != NULL ? ")" : "");
    line(out, "run", "%s, %.10sT%.8sZ", run->run_id, time, time + 11);
    put_sources(out, run);
    line(out, "largest record", "%" PRIu64 " bytes, nested %" PRIu32 " deep", job->max_record,
         job->max_depth);
    put_files(out, run, name);
    put_segments(out, &mapping->segments);
    put_identity(out, &mapping->identity);
    for (size_t i = 0; i < mapping->consent_count; i++)
        put_consent(out, &mapping->consent[i]);
    put_governance(out, &job->governance);
    for (size_t i = 0; i < mapping->column_count; i++)
        put_column(out, &mapping->columns[i]);
    put_csv(out, &mapping->csv);
    if (run->rejects_path == NULL)
        line(out, "rejects", "no file");
    else
        line(out, "rejects", "%s, which check does not write", show(run->rejects_path).text);
    line(out, "rejects allowed", "%s", run->budget.text);
}

void check_plan_machine(FILE *out, const struct run *run)
{
    const struct pipeline_options *const pipeline = &run->pipeline;
    line(out, "threads", "%" PRIu32, pipeline->threads);
    line(out, "memory", "at most %" PRIu64 " MiB of %" PRIu64 " MiB (--memory-limit)",
         (pipeline->sizes.memory + LIMIT_MIB - 1) / LIMIT_MIB, run_memory_limit(run->options) / LIMIT_MIB);
    put_download(out, run);
    if (run->destination.kind != DESTINATION_S3) return;
    const struct s3_plan *const plan = &run->destination.plan;
    line(out, "part size", "%" PRIu64 " bytes, doubled every %u parts", plan->part_size,
         S3_PARTS_BEFORE_DOUBLING);
    line(out, "largest object", "%" PRIu64 " bytes", plan->reach);
    if (plan->open_files > 1)
        line(out, "files at once", "%" PRIu32 " at most, %" PRIu64 " MiB for the part that each one fills",
             plan->open_files, plan->fill / LIMIT_MIB);
    line(out, "connections", "%" PRIu32, plan->connections);
    line(out, "uploader threads", "%" PRIu32, plan->threads);
    line(out, "held memory", "%" PRIu64 " MiB of rows, %" PRIu64 " MiB for the upload in all",
         plan->hold / LIMIT_MIB, (plan->memory + LIMIT_MIB - 1) / LIMIT_MIB);
}

/* ---- the destination ---- */

static const char *if_exists(const struct run *run)
{
    return run->job.destination.if_exists == JOB_EXISTS_REPLACE ? "replace" : "fail";
}

void check_plan_local(FILE *out, const struct run *run, bool there)
{
    if (run->destination.kind == DESTINATION_NULL) {
        line(out, "destination", "null: (the rows are dropped)");
        return;
    }
    line(out, "destination", "%s (a directory, %s)", show(run->destination.url).text,
         there ? "there already" : "to be made");
    line(out, "if_exists", "%s", if_exists(run));
}

static bool is_virtual(const struct s3_endpoint *endpoint, const char *bucket)
{
    size_t const length = strlen(bucket);
    return strncasecmp(endpoint->host, bucket, length) == 0 && endpoint->host[length] == '.';
}

static void put_object(FILE *out, const struct job_destination *job)
{
    line(out, "if_exists", "%s", job->if_exists == JOB_EXISTS_REPLACE ? "replace" : "fail");
    line(out, "checksum", "%s", checksum_name(job->checksum));
    line(out, "encryption (sse)", "%s", job->sse == NULL ? "none asked for" : show(job->sse).text);
    if (job->kms_key_id != NULL) line(out, "kms_key_id", "%s", show(job->kms_key_id).text);
    if (job->storage_class != NULL) line(out, "storage_class", "%s", show(job->storage_class).text);
    if (job->acl != NULL) line(out, "acl", "%s", show(job->acl).text);
    for (size_t i = 0; i < job->tag_count; i++)
        line(out, "tag", "%s=%s", show(job->tags[i].name).text, show(job->tags[i].value).text);
}

void check_plan_s3(FILE *out, const struct run *run)
{
    const struct destination *const destination = &run->destination;
    const struct job_destination *const job = &run->job.destination;
    const struct s3_endpoint *const endpoint = s3_client_endpoint(destination->client);
    bool const by_host = is_virtual(endpoint, destination->place.bucket);
    line(out, "destination", "s3://%s/%s", show(destination->place.bucket).text,
         show(destination->place.key).text);
    line(out, "endpoint", "%s://%s%s", endpoint->tls ? "https" : "http", show(endpoint->host).text,
         show(endpoint->base).text);
    line(out, "region", "%s", show(endpoint->region).text);
    line(out, "addressing", "%s", by_host ? "virtual" : "path");
    line(out, "credentials", "%s", s3_client_credentials_name(destination->client));
    line(out, "bucket owner", "%s", job->account_id == NULL ? "not checked (account_id)" : job->account_id);
    put_object(out, job);
}

void check_plan_rights(FILE *out, const struct run *run, const struct s3_probe_result *result)
{
    char time[TIMESTAMP_TEXT_LENGTH + 1] = "";
    /* HEAD of what is not there tells of s3:ListBucket only */
    line(out, "rights", "an upload was begun, sent and aborted%s%s",
         result->lists_bucket && result->lists_parts ? "" : ", but see the warnings",
         result->taken ? "" : "; s3:GetObject shows only when an object is there");
    if (result->taken) line(out, "first file", "there already: would be replaced");
    if (result->abort_date >= TIMESTAMP_SECONDS_MIN && result->abort_date <= TIMESTAMP_SECONDS_MAX &&
        result->abort_date != 0) {
        timestamp_write(result->abort_date, time);
        line(out, "unfinished uploads", "removed by a rule of the bucket, one of now at %.10sT%.8sZ", time,
             time + 11);
    } else {
        line(out, "unfinished uploads", "no rule of the bucket that removes them was told%s",
             run->destination.place.key[0] == '\0' ? "" : " for this prefix");
    }
}

void check_plan_replaced(FILE *out, uint32_t pega, uint32_t data)
{
    if (pega != 0)
        line(out, "manifests, tokens",
             "%" PRIu32 " there already: taken away before data files are replaced (s3:DeleteObject)", pega);
    if (data != 0) line(out, "other files", "%" PRIu32 " there already: would be replaced", data);
}

/* ---- the records ---- */

void check_plan_records(FILE *out, const struct run *run, const struct assemble *assemble)
{
    const struct tally *const tally = &assemble->tally;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < assemble->file_count; i++)
        bytes += assemble->files[i].bytes;
    line(out, "records read", "%" PRIu64 "%s", tally->input, run->options->sample != 0 ? " (--sample)" : "");
    line(out, "would be delivered", "%" PRIu64 ": %" PRIu64 " %s in %" PRIu32 " %s of %" PRIu64 " bytes",
         tally->delivered, tally->rows, plural(tally->rows, "row", "rows"), assemble->file_count,
         plural(assemble->file_count, "file", "files"), bytes);
    line(out, "would be skipped", "%" PRIu64, tally_skipped(tally));
    for (int i = 0; i < SKIP_COUNT; i++)
        if (tally->skipped[i] != 0)
            line(out, "  skipped", "%s %" PRIu64, tally_skip_name((enum skip)i), tally->skipped[i]);
    line(out, "would fail", "%" PRIu64, tally_failed(tally));
    for (int i = DEFECT_NONE + 1; i < DEFECT_COUNT; i++)
        if (tally->failed[i] != 0)
            line(out, "  failed", "%s %" PRIu64, tally_defect_name((enum defect)i), tally->failed[i]);
    if (tally->duplicate_keys != 0) line(out, "a key twice", "%" PRIu64, tally->duplicate_keys);
    for (int i = 0; i < CHANGE_COUNT; i++)
        if (tally->changed[i] != 0)
            line(out, "values changed", "%s %" PRIu64, tally_change_name((enum change)i), tally->changed[i]);
}

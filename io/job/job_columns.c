/* job_columns.c - headers, paths and what one column may combine; the columns of both ways to a job.
 *
 * Thread rule: one thread a builder. Drafts lie in builder->scratch, what stays in the job's arena. */
#include "io/job/job_build.h"

#include "core/base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert(TRANSFORM_TRIM == 0 && TRANSFORM_LOWER == 1 && TRANSFORM_UPPER == 2 && TRANSFORM_SHA256 == 3,
               "the order of the choices of columns[].transform");

enum status job_header_check(const struct job_builder *builder, unsigned line, const char *place,
                             const char *header, size_t length)
{
    if (length == 0) return job_refuse(builder, line, place, "is empty; a header text is needed");
    if (length > MAPPING_TEXT_MAX)
        return job_refuse(builder, line, place, "is %zu bytes long; at most %d are allowed", length,
                          MAPPING_TEXT_MAX);
    if (utf8_valid_prefix(header, length) < length)
        return job_refuse(builder, line, place, "is not UTF-8 from byte %zu on; a header must be",
                          utf8_valid_prefix(header, length) + 1);
    if (utf8_has_control(header, length))
        return job_refuse(builder, line, place, "\"%s\" holds a control character; a header may not",
                          job_show(header, length).text);
    return STATUS_OK;
}

enum status job_read_header(struct job_builder *builder, const struct job_key *key, const char *place,
                            const struct job_node *value, void *target)
{
    (void)key;
    const char *header = NULL;
    enum status status = job_value_text(builder, place, value, SIZE_MAX, &header);
    if (status == STATUS_OK) status = job_header_check(builder, value->line, place, header, value->length);
    if (status == STATUS_OK) *(const char **)target = header;
    return status;
}

enum status job_read_identity_paths(struct job_builder *builder, const struct job_key *key, const char *place,
                                    const struct job_node *value, void *target)
{
    (void)key, (void)target;
    struct identity *identity = &builder->job->mapping.identity;
    struct path *paths = NULL;
    enum status const status =
        job_value_paths(builder, place, value, MAPPING_IDENTITY_PATHS_MAX, &paths, &identity->path_count);
    identity->paths = paths;
    return status;
}

enum status job_read_path(struct job_builder *builder, const struct job_key *key, const char *place,
                          const struct job_node *value, void *target)
{
    (void)key;
    return job_value_path(builder, place, value, target);
}

enum status job_read_fallback(struct job_builder *builder, const struct job_key *key, const char *place,
                              const struct job_node *value, void *target)
{
    (void)key;
    struct job_column *draft = target;
    return job_value_paths(builder, place, value, MAPPING_FALLBACKS_MAX, &draft->fallbacks,
                           &draft->fallback_count);
}

enum status job_read_transform(struct job_builder *builder, const struct job_key *key, const char *place,
                               const struct job_node *value, void *target)
{
    struct column *column = &((struct job_column *)target)->column;
    enum status status = job_value_list(builder, place, value, MAPPING_TRANSFORMS_MAX);
    for (const struct job_node *item = value->first; item != NULL && status == STATUS_OK; item = item->next) {
        char here[JOB_PLACE_MAX];
        unsigned choice = 0;
        snprintf(here, sizeof here, "%s[%zu]", place, column->transform_count);
        status = job_value_choice(builder, key, here, item, &choice);
        if (status == STATUS_OK) column->transforms[column->transform_count++] = (enum transform)choice;
    }
    return status;
}

/* AEP's header of a path: its names joined with "_", dots inside a name become "_" too, an index stands
 * behind its name (AdobeDocs, "Activate batch profile destinations" and "Export arrays, maps and objects":
 * person.name -> person_name, array[0] -> array0). [*] and filters add nothing. */
static const char *job_default_header(struct job_builder *builder, const struct path *path)
{
    size_t room = 1;
    for (size_t i = 0; i < path->part_count; i++)
        room += path->parts[i].kind == PATH_NAME ? path->parts[i].name_length + 1 : sizeof "-1000000000";
    char *header = arena_alloc(&builder->job->arena, room);
    if (header == NULL) return NULL;
    size_t used = 0;
    for (size_t i = 0; i < path->part_count; i++) {
        const struct path_part *part = &path->parts[i];
        if (part->kind == PATH_INDEX)
            used += (size_t)snprintf(header + used, room - used, "%" PRId64, part->index);
        if (part->kind != PATH_NAME) continue;
        if (used > 0) header[used++] = '_';
        for (size_t k = 0; k < part->name_length; k++) {
            char const c = part->name[k];
            header[used++] = c == '.'    ? '_'
                             : c == '\0' ? '\x01'
                                         : c; /* NUL stays a control character: refused */
        }
    }
    header[used] = '\0';
    return header;
}

/* A constant is the whole column: other keys would have no effect. */
static enum status job_constant_alone(const struct job_builder *builder, const struct job_column *draft)
{
    static const char *const others[] = {"path", "fallback", "transform", "type", "required", "default"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char name[JOB_PLACE_MAX], place[JOB_PLACE_MAX];
        snprintf(name, sizeof name, "columns[].%s", others[i]);
        snprintf(place, sizeof place, "%s.%s", draft->place, others[i]);
        unsigned const line = job_set_line(builder, name);
        if (line != 0)
            return job_refuse(builder, line, place, "can't stand beside constant; leave one of them out");
    }
    return STATUS_OK;
}

/* The path and its fallbacks in one array, and a name for a column that has none. */
static enum status job_column_paths(struct job_builder *builder, struct job_column *draft)
{
    struct path *paths = arena_array(&builder->job->arena, 1 + draft->fallback_count, sizeof *paths);
    if (paths == NULL) return job_no_memory(builder);
    paths[0] = draft->path;
    if (draft->fallback_count > 0) memcpy(paths + 1, draft->fallbacks, draft->fallback_count * sizeof *paths);
    draft->column.paths = paths;
    draft->column.path_count = 1 + draft->fallback_count;
    if (draft->column.name != NULL) return STATUS_OK;
    draft->column.name = job_default_header(builder, &draft->path);
    if (draft->column.name == NULL) return job_no_memory(builder);
    char place[JOB_PLACE_MAX];
    snprintf(place, sizeof place, "%s.name (made from the path)", draft->place);
    return job_header_check(builder, draft->line, place, draft->column.name, strlen(draft->column.name));
}

/* What the keys of one column mean together. */
static enum status job_column_weigh(struct job_builder *builder, struct job_column *draft)
{
    struct column *column = &draft->column;
    unsigned const name_line = job_set_line(builder, "columns[].name");
    draft->name_line = name_line != 0 ? name_line : draft->line;
    if (column->constant != NULL) {
        if (column->name == NULL)
            return job_refuse(builder, draft->line, draft->place, "has no name; a constant column needs one");
        return job_constant_alone(builder, draft);
    }
    unsigned const fallback = job_set_line(builder, "columns[].fallback");
    if (draft->path.part_count == 0)
        return job_refuse(builder, fallback != 0 ? fallback : draft->line, draft->place,
                          fallback != 0 ? "has a fallback, but no path" : "needs a path or a constant");
    for (size_t i = 0; i < column->transform_count; i++)
        if (column->transforms[i] == TRANSFORM_SHA256 && column->type != COLUMN_TEXT)
            return job_refuse(builder, job_set_line(builder, "columns[].transform"), draft->place,
                              "sha256 makes a text; it can't stand beside type timestamp or date");
    return job_column_paths(builder, draft);
}

enum status job_read_columns(struct job_builder *builder, const struct job_key *key, const char *place,
                             const struct job_node *value, void *target)
{
    (void)key, (void)target;
    if (value->kind != JOB_NODE_LIST)
        return job_refuse(builder, value->line, place,
                          "is not a list of columns; write - { name: Email, path: … }");
    /* One more than allowed, so that job_columns_finish() counts them together with the identity column. */
    size_t const most = MAPPING_COLUMNS_MAX + 1;
    builder->columns =
        arena_array(&builder->scratch, value->count < most ? value->count : most, sizeof *builder->columns);
    if (builder->columns == NULL) return job_no_memory(builder);
    for (const struct job_node *item = value->first; item != NULL && builder->column_count < most;
         item = item->next) {
        struct job_column *draft = &builder->columns[builder->column_count];
        char here[JOB_PLACE_MAX];
        int const length = snprintf(here, sizeof here, "%s[%zu]", place, builder->column_count);
        draft->place = arena_text(&builder->scratch, here, (size_t)length);
        if (draft->place == NULL) return job_no_memory(builder);
        draft->line = item->line;
        job_forget(builder, "columns[]");
        enum status status = job_section(builder, here, "columns[]", item, draft);
        if (status == STATUS_OK) status = job_column_weigh(builder, draft);
        if (status != STATUS_OK) return status;
        builder->column_count++;
    }
    return STATUS_OK;
}

static enum status job_columns_count(struct job_builder *builder)
{
    size_t const identity = builder->job->mapping.identity.column != NULL;
    size_t const count = builder->column_count + identity;
    bool const file = builder->file != NULL;
    if (count == 0)
        return job_refuse(
            builder, builder->top_line, file ? "columns" : "--column", "there is nothing to write; %s",
            file ? "a job needs identity, columns or both" : "give --id PATH, --column NAME=PATH or both");
    if (count > MAPPING_COLUMNS_MAX) {
        const struct job_column *first = &builder->columns[MAPPING_COLUMNS_MAX - identity];
        return job_refuse(builder, first->line, first->place,
                          "is one column too many; at most %d are allowed, the identity column included",
                          MAPPING_COLUMNS_MAX);
    }
    if (count > MAPPING_COLUMNS_WARN)
        job_warn(builder, builder->top_line, file ? "columns" : "--column",
                 "%zu columns, the identity column included; Pega advises at most %d", count,
                 MAPPING_COLUMNS_WARN);
    return STATUS_OK;
}

static void job_header_warn(struct job_builder *builder, unsigned line, const char *place, const char *header)
{
    size_t const characters = utf8_characters(header, strlen(header));
    if (characters <= MAPPING_HEADER_WARN) return;
    job_warn(builder, line, place, "the header \"%s\" has %zu characters; Pega property names end at %d",
             job_show(header, strlen(header)).text, characters, MAPPING_HEADER_WARN);
}

/* The header of this column was not used before: not by the identity column, not by an earlier one. */
static enum status job_header_new(const struct job_builder *builder, size_t index)
{
    const struct job_column *draft = &builder->columns[index];
    const char *identity = builder->job->mapping.identity.column;
    const char *other = NULL;
    if (identity != NULL && strcmp(identity, draft->column.name) == 0) other = "the identity column";
    for (size_t i = 0; i < index && other == NULL; i++)
        if (strcmp(builder->columns[i].column.name, draft->column.name) == 0)
            other = builder->columns[i].place;
    if (other == NULL) return STATUS_OK;
    char place[JOB_PLACE_MAX];
    snprintf(place, sizeof place, "%s%s", draft->place, builder->file != NULL ? ".name" : "");
    return job_refuse(builder, draft->name_line, place,
                      "\"%s\" is the header of %s already; headers must differ",
                      job_show(draft->column.name, strlen(draft->column.name)).text, other);
}

enum status job_columns_finish(struct job_builder *builder)
{
    struct mapping *mapping = &builder->job->mapping;
    enum status status = job_columns_count(builder);
    if (status != STATUS_OK) return status;
    if (mapping->identity.column != NULL) {
        unsigned const line = job_set_line(builder, "identity.column");
        job_header_warn(builder, line, builder->file != NULL ? "identity.column" : "--id",
                        mapping->identity.column);
    }
    struct column *columns = arena_array(&builder->job->arena, builder->column_count, sizeof *columns);
    if (columns == NULL) return job_no_memory(builder);
    for (size_t i = 0; i < builder->column_count; i++) {
        const struct job_column *draft = &builder->columns[i];
        status = job_header_new(builder, i);
        if (status != STATUS_OK) return status;
        job_header_warn(builder, draft->name_line, draft->place, draft->column.name);
        columns[i] = draft->column;
    }
    mapping->columns = columns;
    mapping->column_count = builder->column_count;
    return STATUS_OK;
}

static bool holds_newline(const char *text)
{
    return text != NULL && strpbrk(text, "\r\n") != NULL;
}

enum status job_newlines_check(const struct job_builder *builder)
{
    static const char why[] =
        "holds a CR or LF, which csv.newline_in_value: space (that of dialect pega) allows "
        "in no value; write a blank in its place";
    const struct csv_options *csv = &builder->job->mapping.csv;
    if (!csv->newline_to_space) return STATUS_OK;
    if (holds_newline(csv->null_text))
        return job_refuse(builder, job_set_line(builder, "csv.null"), "csv.null", "%s", why);
    for (size_t i = 0; i < builder->column_count; i++) {
        const struct job_column *draft = &builder->columns[i];
        bool const is_constant = holds_newline(draft->column.constant);
        if (!is_constant && !holds_newline(draft->column.default_text)) continue;
        char place[JOB_PLACE_MAX];
        snprintf(place, sizeof place, "%s.%s", draft->place, is_constant ? "constant" : "default");
        return job_refuse(builder, draft->line, place, "%s", why);
    }
    return STATUS_OK;
}

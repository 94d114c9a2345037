/* job_yaml.c - libyaml's events as a tree (job_yaml.h). The only file that includes yaml.h.
 *
 * Thread rule: reentrant; a libyaml parser lives inside one call. Owns that parser and the event at hand;
 * nodes and texts are copied into the caller's arena. No recursion: open lists and mappings stand on a
 * bounded stack (libyaml's own is on the heap and stops growing when we stop at JOB_DEPTH_MAX). */
#include "io/job/job_yaml.h"

#include "io/job/job_build.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct job_frame {
    struct job_node *node; /* a list or mapping that is still open */
    struct job_node *last; /* its last child */
    struct job_node *key;  /* mapping: the key whose value comes next */
};

struct job_reader {
    struct arena *arena;
    const char *file;
    const char *bytes;
    size_t length;
    struct fault *fault;
    struct job_frame frames[JOB_DEPTH_MAX];
    size_t depth, nodes, documents;
    struct job_node *root;
};

/* "columns[3].type", from the open lists and mappings; "" at the top. */
static void job_yaml_place(const struct job_reader *reader, char out[JOB_PLACE_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < reader->depth && used < JOB_PLACE_MAX; i++) {
        const struct job_frame *frame = &reader->frames[i];
        int written = 0;
        if (frame->node->kind == JOB_NODE_LIST) /* an open list or mapping has been counted already */
            written = snprintf(out + used, JOB_PLACE_MAX - used, "[%zu]",
                               frame->node->count - (i + 1 < reader->depth ? 1 : 0));
        else if (frame->key != NULL || i + 1 < reader->depth)
            written = snprintf(out + used, JOB_PLACE_MAX - used, "%s%s", used == 0 ? "" : ".",
                               job_show(frame->key != NULL ? frame->key->text : frame->last->key->text,
                                        frame->key != NULL ? frame->key->length : frame->last->key->length)
                                   .text);
        used += written > 0 ? (size_t)written : 0;
    }
}

static enum status job_yaml_refuse(const struct job_reader *reader, unsigned line, const char *what)
{
    char place[JOB_PLACE_MAX];
    job_yaml_place(reader, place);
    return fault_set(reader->fault, STATUS_JOB, "%s:%u: %s%s%s", reader->file, line, place,
                     place[0] == '\0' ? "" : ": ", what);
}

static enum status job_yaml_add(struct job_reader *reader, struct job_node *node)
{
    if (reader->depth == 0) {
        reader->root = node;
        return STATUS_OK;
    }
    struct job_frame *frame = &reader->frames[reader->depth - 1];
    if (frame->node->kind == JOB_NODE_MAP && frame->key == NULL) {
        if (node->kind != JOB_NODE_TEXT) return job_yaml_refuse(reader, node->line, "a key must be a text");
        frame->key = node;
        return STATUS_OK;
    }
    node->key = frame->key;
    frame->key = NULL;
    if (frame->last == NULL)
        frame->node->first = node;
    else
        frame->last->next = node;
    frame->last = node;
    frame->node->count++;
    return STATUS_OK;
}

static enum status job_yaml_node(struct job_reader *reader, const yaml_event_t *event,
                                 enum job_node_kind kind, struct job_node **node)
{
    unsigned const line = (unsigned)event->start_mark.line + 1;
    if (++reader->nodes > JOB_NODES_MAX)
        return job_yaml_refuse(reader, line, "more than 200000 values; that is larger than any job file");
    *node = arena_alloc(reader->arena, sizeof **node);
    if (*node == NULL) return fault_set(reader->fault, STATUS_IO, "%s: no memory to read it", reader->file);
    (*node)->kind = kind;
    (*node)->line = line;
    return STATUS_OK;
}

static enum status job_yaml_plain_only(const struct job_reader *reader, const yaml_event_t *event,
                                       const yaml_char_t *anchor, const yaml_char_t *tag)
{
    unsigned const line = (unsigned)event->start_mark.line + 1;
    if (anchor != NULL) return job_yaml_refuse(reader, line, "anchors (&name) are not allowed here");
    if (tag != NULL)
        return job_yaml_refuse(reader, line, "tags (!name) are not allowed here; quote a text with !");
    return STATUS_OK;
}

static enum status job_yaml_text(struct job_reader *reader, const yaml_event_t *event)
{
    enum status status =
        job_yaml_plain_only(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
    struct job_node *node = NULL;
    if (status == STATUS_OK) status = job_yaml_node(reader, event, JOB_NODE_TEXT, &node);
    if (status != STATUS_OK) return status;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->length = event->data.scalar.length;
    node->text = arena_text(reader->arena, (const char *)event->data.scalar.value, node->length);
    if (node->text == NULL)
        return fault_set(reader->fault, STATUS_IO, "%s: no memory to read it", reader->file);
    return job_yaml_add(reader, node);
}

static enum status job_yaml_open(struct job_reader *reader, const yaml_event_t *event,
                                 enum job_node_kind kind, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct job_node *node = NULL;
    enum status status = job_yaml_plain_only(reader, event, anchor, tag);
    if (status == STATUS_OK && reader->depth == JOB_DEPTH_MAX)
        status = job_yaml_refuse(reader, (unsigned)event->start_mark.line + 1,
                                 "more than 16 lists and mappings inside each other");
    if (status == STATUS_OK) status = job_yaml_node(reader, event, kind, &node);
    if (status == STATUS_OK) status = job_yaml_add(reader, node);
    if (status == STATUS_OK) reader->frames[reader->depth++] = (struct job_frame){.node = node};
    return status;
}

static enum status job_yaml_event(struct job_reader *reader, const yaml_event_t *event)
{
    unsigned const line = (unsigned)event->start_mark.line + 1;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (reader->documents++ == 0) return STATUS_OK;
        return job_yaml_refuse(reader, line, "a second document (---) begins here; a file holds one");
    case YAML_ALIAS_EVENT:
        return job_yaml_refuse(reader, line,
                               "aliases (*name) are not allowed here; quote a text that begins with *");
    case YAML_SCALAR_EVENT: return job_yaml_text(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return job_yaml_open(reader, event, JOB_NODE_LIST, event->data.sequence_start.anchor,
                             event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return job_yaml_open(reader, event, JOB_NODE_MAP, event->data.mapping_start.anchor,
                             event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: reader->depth--; return STATUS_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return STATUS_OK;
    }
    return STATUS_OK;
}

/* libyaml knows the byte, not the line, of what it can't decode. */
static unsigned job_yaml_line_of(const struct job_reader *reader, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset && i < reader->length; i++)
        line += reader->bytes[i] == '\n';
    return line;
}

/* What libyaml itself could not read. */
static enum status job_yaml_syntax(const struct job_reader *reader, const yaml_parser_t *parser)
{
    const char *problem = parser->problem != NULL ? parser->problem : "unknown problem";
    if (parser->error == YAML_MEMORY_ERROR)
        return fault_set(reader->fault, STATUS_IO, "%s: no memory to read it", reader->file);
    if (parser->error == YAML_READER_ERROR)
        return fault_set(reader->fault, STATUS_JOB, "%s:%u: is not YAML text in UTF-8: %s", reader->file,
                         job_yaml_line_of(reader, parser->problem_offset), problem);
    unsigned const line = (unsigned)parser->problem_mark.line + 1;
    unsigned const column = (unsigned)parser->problem_mark.column + 1;
    /* No key: libyaml looks ahead, the last one it told may be another one. */
    return fault_set(
        reader->fault, STATUS_JOB,
        "%s:%u: column %u is not valid YAML: %s%s%s (TABs can't indent; texts with : # [ { * & ! need "
        "quotes)",
        reader->file, line, column, problem, parser->context != NULL ? " " : "",
        parser->context != NULL ? parser->context : "");
}

enum status job_yaml_read(struct arena *arena, const char *file, const char *bytes, size_t length,
                          const struct job_node **root, struct fault *fault)
{
    struct job_reader reader = {
        .arena = arena, .file = file, .bytes = bytes, .length = length, .fault = fault};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return fault_set(fault, STATUS_IO, "%s: no memory to read it", file);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, length);
    enum status status = STATUS_OK;
    for (bool end = false; !end && status == STATUS_OK;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status = job_yaml_syntax(&reader, &parser);
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        status = job_yaml_event(&reader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (status != STATUS_OK) return status;
    if (reader.root == NULL) return fault_set(fault, STATUS_JOB, "%s:1: the file is empty", file);
    *root = reader.root;
    return STATUS_OK;
}

bool job_node_is_null(const struct job_node *node)
{
    return node->kind == JOB_NODE_TEXT && node->plain &&
           (node->length == 0 || (node->length == 1 && node->text[0] == '~') ||
            (node->length == 4 && memcmp(node->text, "null", 4) == 0));
}

/* source_open.c - see the header. Thread: main. Owns nothing. */
#include "io/input/source_open.h"

#include "io/input/source_stream.h"

static struct source *open_object(const struct source_item *item, const struct source_open_rules *rules,
                                  struct source_bytes **bytes, struct fault *fault)
{
    const struct source_remote *const remote = rules->remote;
    if (item->kind == SOURCE_KIND_FILE) return remote->open(remote->self, item->object, fault);
    *bytes = remote->bytes(remote->self, item->object, fault);
    return NULL;
}

static struct source *open_stream(const struct source_item *item, const struct source_open_rules *rules,
                                  struct source_bytes *bytes, struct fault *fault)
{
    struct source_stream_rules const stream = {.path = item->path,
                                               .is_standard_input = item->kind == SOURCE_KIND_STANDARD,
                                               .bytes = bytes,
                                               .form = item->form,
                                               .stamp = item->stamp,
                                               .window_log_max = rules->window_log_max,
                                               .records = item->records,
                                               .format = rules->format};
    struct source *const source = source_stream_create(&stream, fault);
    if (source == NULL && bytes != NULL) bytes->destroy(bytes);
    return source;
}

struct source *source_open(const struct source_item *item, const struct source_open_rules *rules,
                           struct fault *fault)
{
    struct source_bytes *bytes = NULL;
    struct source *source = NULL;
    if (item->object != NULL) {
        source = open_object(item, rules, &bytes, fault);
        if (source == NULL && bytes == NULL) return NULL;
    } else if (item->kind == SOURCE_KIND_FILE) {
        source = source_file_open(item->path, rules->mode, fault);
        if (source == NULL) return NULL;
    }
    if (source == NULL) return open_stream(item, rules, bytes, fault);
    source->form = item->records;
    return source;
}

enum status source_check(const struct source *source, const struct source_item *item,
                         const struct source_remote *remote, struct fault *fault)
{
    if (source->stream != NULL) return source_stream_check(source, fault);
    return item->object != NULL ? remote->check(source, fault) : source_file_check(source, fault);
}

void source_close(struct source *source, const struct source_item *item, const struct source_remote *remote)
{
    if (source == NULL) return;
    if (source->stream != NULL)
        source_stream_destroy(source);
    else if (item->object != NULL)
        remote->close(source);
    else
        source_file_close(source);
}

uint64_t source_stream_needs(const struct source_item *item, unsigned window_log_max)
{
    switch (item->kind) {
    case SOURCE_KIND_FILE: break;
    case SOURCE_KIND_PACKED: return source_stream_memory(item->form, window_log_max);
    case SOURCE_KIND_STANDARD: return source_stream_memory(UNPACK_ZSTD, window_log_max); /* the most */
    }
    return 0;
}

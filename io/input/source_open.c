/* source_open.c - see the header. Thread: main. Owns nothing. */
#include "io/input/source_open.h"

#include "io/input/source_stream.h"

static struct source *open_stream(const struct source_item *item, const struct source_open_rules *rules,
                                  struct source_bytes *bytes, struct source *object, struct fault *fault)
{
    struct source_stream_rules const stream = {.path = item->path,
                                               .is_standard_input = item->kind == SOURCE_KIND_STANDARD,
                                               .bytes = bytes,
                                               .object = object,
                                               .remote = rules->remote,
                                               .form = item->form,
                                               .stamp = item->stamp,
                                               .window_log_max = rules->window_log_max,
                                               .records = item->records,
                                               .format = rules->format};
    struct source *const source = source_stream_create(&stream, fault);
    if (source == NULL && bytes != NULL) bytes->destroy(bytes);
    if (source == NULL && object != NULL) rules->remote->close(object);
    return source;
}

bool source_open_anywhere(const struct source_item *item, bool shares_frames)
{
    if (item->kind == SOURCE_KIND_FILE) return true;
    return shares_frames && item->object != NULL && item->kind == SOURCE_KIND_PACKED &&
           item->form == UNPACK_ZSTD;
}

static struct source *open_object(const struct source_item *item, const struct source_open_rules *rules,
                                  struct fault *fault)
{
    const struct source_remote *const remote = rules->remote;
    if (!source_open_anywhere(item, rules->shares_frames)) {
        struct source_bytes *const bytes = remote->bytes(remote->self, item->object, fault);
        return bytes == NULL ? NULL : open_stream(item, rules, bytes, NULL, fault);
    }
    struct source *const object = remote->open(remote->self, item->object, fault);
    if (object == NULL || item->kind == SOURCE_KIND_FILE) return object;
    return open_stream(item, rules, NULL, object, fault);
}

struct source *source_open(const struct source_item *item, const struct source_open_rules *rules,
                           struct fault *fault)
{
    struct source *const source = item->object != NULL ? open_object(item, rules, fault)
                                  : item->kind == SOURCE_KIND_FILE
                                      ? source_file_open(item->path, rules->mode, fault)
                                      : open_stream(item, rules, NULL, NULL, fault);
    if (source != NULL && source->stream == NULL) source->form = item->records; /* a stream has its own */
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

/* source_open.c - see the header. Thread: main. Owns nothing. */
#include "io/input/source_open.h"

#include "io/input/source_stream.h"

struct source *source_open(const struct source_item *item, const struct source_open_rules *rules,
                           struct fault *fault)
{
    if (item->kind == SOURCE_KIND_FILE) {
        struct source *const source = source_file_open(item->path, rules->mode, fault);
        if (source != NULL) source->form = item->records;
        return source;
    }
    struct source_stream_rules const stream = {.path = item->path,
                                               .is_standard_input = item->kind == SOURCE_KIND_STANDARD,
                                               .form = item->form,
                                               .stamp = item->stamp,
                                               .window_log_max = rules->window_log_max,
                                               .records = item->records,
                                               .format = rules->format};
    return source_stream_create(&stream, fault);
}

enum status source_check(const struct source *source, struct fault *fault)
{
    return source->stream != NULL ? source_stream_check(source, fault) : source_file_check(source, fault);
}

void source_close(struct source *source)
{
    if (source != NULL && source->stream != NULL)
        source_stream_destroy(source);
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

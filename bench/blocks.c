/* blocks.c - see the header. Thread: one. */
#include "bench/blocks.h"

#include "bench/harness.h"
#include "core/flow/convert.h"
#include "core/flow/pipeline.h"
#include "io/cli/options.h"

#include <string.h>

void blocks_open(struct blocks *blocks, const char *path, enum source_mode mode)
{
    struct fault fault;
    *blocks = (struct blocks){.source = source_file_open(path, mode, &fault)};
    if (blocks->source == NULL) harness_fail("%s", fault.message);
    blocks->reader = blocks->source->open_reader(blocks->source, PIPELINE_BLOCK_MAX);
    if (blocks->reader == NULL) harness_fail("%s: no memory to read it", path);
}

/* Bytes of whole lines at the front of the window that begin in the shard, as convert_lines.c finds them. */
static size_t whole_lines(const struct source_window *window, uint64_t shard_left, bool at_source_end)
{
    const uint8_t *feed;
    if (shard_left <= window->length) {
        size_t const from = (size_t)shard_left - 1;
        feed = memchr(window->bytes + from, '\n', window->length - from);
        if (feed != NULL) return (size_t)(feed - window->bytes) + 1;
    }
    if (at_source_end) return window->length;
    feed = memrchr(window->bytes, '\n', window->length);
    return feed == NULL ? 0 : (size_t)(feed - window->bytes) + 1;
}

bool blocks_next(struct blocks *blocks)
{
    struct source *source = blocks->source;
    struct source_window window;
    struct fault fault;
    if (source->drop != NULL && blocks->at != 0) source->drop(blocks->reader, blocks->at);
    if (blocks->at == source->size) return false;
    uint64_t const shard_left = OPTIONS_SHARD_DEFAULT - blocks->at % OPTIONS_SHARD_DEFAULT;
    size_t const whole_shard = (size_t)shard_left + CONVERT_OVERHANG;
    size_t want = whole_shard < PIPELINE_BLOCK_MAX ? whole_shard : PIPELINE_BLOCK_MAX;
    if (want > source->size - blocks->at) want = (size_t)(source->size - blocks->at);
    if (source->window(blocks->reader, blocks->at, want, &window, &fault) != STATUS_OK)
        harness_fail("%s", fault.message);
    blocks->bytes = window.bytes;
    blocks->length = whole_lines(&window, shard_left, blocks->at + window.length == source->size);
    if (blocks->length == 0)
        harness_fail("%s: a record near byte %llu is longer than %u bytes: benchmarks take shorter ones",
                     source->name, (unsigned long long)blocks->at, CONVERT_OVERHANG);
    blocks->at += blocks->length;
    return true;
}

void blocks_close(struct blocks *blocks)
{
    blocks->source->close_reader(blocks->reader);
    source_file_close(blocks->source);
    *blocks = (struct blocks){0};
}

/* convert_lines.c - records in lines: blocks of whole lines, and the lines of a shard. See the header.
 * Thread: a worker. Owns nothing. */
#include "core/flow/convert_inside.h"

#include "core/record/json_text.h"

#include <string.h>

/* ---- blocks of lines ---- */

struct block {
    const uint8_t *bytes;
    size_t length; /* up to behind the last line feed in it, or the source's end */
    uint64_t offset;
    const uint32_t *token; /* the next token; NULL: the block is taken record by record */
    size_t token_base;     /* what tokens count from */
    unsigned reindexed;
};

/* The index of the lines in [from, end). */
static void block_index(struct convert *convert, struct block *block, size_t from, size_t end)
{
    struct record_index index;
    block->token = NULL;
    block->token_base = from;
    if (convert->rules->walk != CONVERT_FAST || block->reindexed > CONVERT_REINDEX_MAX) return;
    if (!record_parser_index(convert->tools.parser, block->bytes + from, end - from, &index)) return;
    block->token = index.tokens;
}

static struct convert_record trim(const struct block *block, size_t begin, size_t end)
{
    while (begin < end && json_is_blank(block->bytes[begin]))
        begin++;
    while (end > begin && json_is_blank(block->bytes[end - 1]))
        end--;
    return (struct convert_record){
        .bytes = block->bytes + begin, .length = (uint32_t)(end - begin), .offset = block->offset + begin};
}

/* The line [begin, end) by the index. False: it is not good, or not for this lane. */
static bool line_fast(struct convert *convert, struct block *block, size_t begin, size_t end)
{
    struct convert_tools *tools = &convert->tools;
    const uint8_t *const bytes = block->bytes + block->token_base;
    uint32_t const line_end = (uint32_t)(end - block->token_base);
    if (*block->token >= line_end) return true; /* a blank line: no token in it */
    if (end - begin > convert->rules->max_record) return false;
    uint64_t const offset = block->offset + block->token_base;
    const uint32_t *const next = convert_walk(convert, tools, bytes, block->token, line_end, offset);
    if (next == NULL) return false;
    struct convert_record const record = {.bytes = bytes + *block->token,
                                          .length = next[-1] + 1 - *block->token,
                                          .offset = offset + *block->token};
    if (!convert_accept(convert, tools, &record)) return false;
    block->token = next;
    return true;
}

/* The line [begin, end) alone. False: not for this lane. */
static bool line_careful(struct convert *convert, struct block *block, size_t begin, size_t end)
{
    struct convert_record const record = trim(block, begin, end);
    if (record.length == 0) return true;
    if (record.length > convert->rules->max_record) return false;
    return convert_judge(convert, &convert->tools, &record);
}

/* One line of a block; `feed`: it has a line feed behind it. */
static enum status convert_line(struct convert *convert, struct block *block, size_t begin, size_t end,
                                bool feed, struct fault *fault)
{
    if (block->token != NULL && line_fast(convert, block, begin, end)) {
        convert->tally.lines += feed;
        return STATUS_OK;
    }
    bool const had_index = block->token != NULL;
    bool const done = line_careful(convert, block, begin, end);
    enum status status = STATUS_OK;
    if (done) {
        convert->tally.lines += feed;
    } else {
        uint64_t next;
        status = convert_large(convert, block->offset + begin, &next, fault);
    }
    if (had_index && convert->rules->prefilter == NULL) { /* the parser's index was overwritten */
        block->reindexed++;
        block_index(convert, block, end + feed < block->length ? end + feed : block->length, block->length);
    }
    return status;
}

/* A line that can't name a wanted segment: skipped as it is, broken or not. */
static void pass_line(struct convert *convert, const struct block *block, size_t begin, size_t end, bool feed)
{
    if (trim(block, begin, end).length != 0) convert_pass(convert);
    convert->tally.lines += feed;
}

static enum status convert_block(struct convert *convert, struct block *block, struct fault *fault)
{
    const struct prefilter *const filter = convert->rules->prefilter;
    struct prefilter_scan scan;
    size_t at = 0;
    enum status status = STATUS_OK;
    if (filter != NULL)
        prefilter_begin(&scan, filter, block->bytes, block->length);
    else
        block_index(convert, block, 0, block->length);
    while (at < block->length && status == STATUS_OK && !convert->stopping) {
        const uint8_t *feed = memchr(block->bytes + at, '\n', block->length - at);
        size_t const end = feed == NULL ? block->length : (size_t)(feed - block->bytes);
        if (filter != NULL && !prefilter_may_name(&scan, at, end)) {
            pass_line(convert, block, at, end, feed != NULL);
        } else {
            if (filter != NULL) block_index(convert, block, at, end);
            status = convert_line(convert, block, at, end, feed != NULL, fault);
        }
        at = end + (feed != NULL);
    }
    return status;
}

/* ---- shards ---- */

/* The first line that begins at or behind shard->begin. shard->end: there is none in the shard. */
static enum status find_first_line(struct convert *convert, const struct shard *shard, uint64_t *first,
                                   struct fault *fault)
{
    *first = shard->begin;
    if (shard->begin == shard->source_begin) return STATUS_OK;
    uint64_t at = shard->begin - 1; /* a line feed here ends the line before: the shard begins with a line */
    while (at < shard->end) {
        struct source_window window;
        uint64_t const left = shard->end - at;
        size_t step = convert->tools.capacity;
        if (step > CONVERT_OVERHANG && at < shard->begin) step = CONVERT_OVERHANG;
        enum status const status =
            convert_show(convert, &convert->tools, at, left < step ? (size_t)left : step, &window, fault);
        if (status != STATUS_OK) return status;
        const uint8_t *feed = memchr(window.bytes, '\n', window.length);
        if (feed != NULL) {
            *first = at + (uint64_t)(feed - window.bytes) + 1;
            return STATUS_OK;
        }
        at += window.length;
    }
    *first = shard->end;
    return STATUS_OK;
}

/* Bytes of whole lines at the front of the window that begin before shard_left; 0: not one line is whole. */
static size_t whole_lines(const struct source_window *window, uint64_t shard_left, bool at_source_end)
{
    const uint8_t *feed;
    if (shard_left <= window->length) {
        size_t const from = (size_t)shard_left - 1; /* the last line to begin in the shard holds this byte */
        feed = memchr(window->bytes + from, '\n', window->length - from);
        if (feed != NULL) return (size_t)(feed - window->bytes) + 1;
    }
    if (at_source_end) return window->length;
    feed = memrchr(window->bytes, '\n', window->length);
    return feed == NULL ? 0 : (size_t)(feed - window->bytes) + 1;
}

/* Converts whole lines from *at on; moves it behind them. */
static enum status convert_step(struct convert *convert, uint64_t shard_end, uint64_t *at,
                                struct fault *fault)
{
    size_t const capacity = convert->tools.capacity;
    uint64_t const shard_left = shard_end - *at;
    size_t want = CONVERT_OVERHANG < capacity ? CONVERT_OVERHANG : capacity;
    want = shard_left < capacity - want ? (size_t)shard_left + want : capacity;
    for (;;) {
        struct source_window window;
        enum status const status = convert_show(convert, &convert->tools, *at, want, &window, fault);
        if (status != STATUS_OK) return status;
        bool const at_source_end = *at + window.length >= convert->end;
        size_t const length = whole_lines(&window, shard_left, at_source_end);
        if (length != 0) {
            struct block block = {.bytes = window.bytes, .length = length, .offset = *at};
            *at += length;
            return convert_block(convert, &block, fault);
        }
        if (want == capacity) return convert_large(convert, *at, at, fault);
        want = want < capacity / 4 ? want * 4 : capacity;
    }
}

enum status convert_lines(struct convert *convert, const struct shard *shard, struct fault *fault)
{
    uint64_t at;
    enum status status = find_first_line(convert, shard, &at, fault);
    while (status == STATUS_OK && at < shard->end && !convert->stopping) {
        if (convert->port.stopped(convert->port.context)) convert->stopping = true;
        if (!convert->stopping) status = convert_step(convert, shard->end, &at, fault);
        if (status == STATUS_OK && convert->source->drop != NULL && convert->tools.reader != NULL)
            convert->source->drop(convert->tools.reader, at);
    }
    return status;
}

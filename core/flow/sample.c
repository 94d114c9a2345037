/* sample.c - counts lines from the beginning of sources. Thread: one, before the workers start. Owns the
 * reader it opens. */
#include "core/flow/sample.h"

#include "core/flow/stream_cut.h"
#include "core/record/json_text.h"

#include <stdlib.h>
#include <string.h>

bool sample_scan_bytes(struct sample_scan *scan, const uint8_t *bytes, size_t length, uint64_t offset)
{
    const uint8_t *at = bytes, *const end = bytes + length;
    while (at < end) {
        if (scan->text) {
            at = memchr(at, '\n', (size_t)(end - at));
            if (at == NULL) return false;
            scan->text = false;
            scan->left--;
            scan->end = offset + (uint64_t)(at + 1 - bytes);
            if (scan->left == 0) return true;
        }
        while (at < end && json_is_blank(*at))
            at++;
        scan->text = at < end;
    }
    return false;
}

static enum status check_interrupted(enum status (*interrupted)(void), struct fault *fault)
{
    enum status const status = interrupted();
    return status == STATUS_OK ? STATUS_OK : fault_set(fault, status, "stopped");
}

static enum status scan_stream(struct sample_scan *scan, struct stream *stream, uint8_t *window,
                               enum status (*interrupted)(void), struct fault *fault)
{
    size_t length = 1;
    bool found = false;
    while (!found && length > 0) {
        enum status status = check_interrupted(interrupted, fault);
        if (status == STATUS_OK) status = stream->read(stream, window, SAMPLE_WINDOW, &length, fault);
        if (status != STATUS_OK && !stream->damaged) return status;
        if (status != STATUS_OK) break;
        found = sample_scan_bytes(scan, window, length, 0);
    }
    if (!found && scan->text) scan->left--; /* a last line without its end */
    return STATUS_OK;
}

/* Elements of a container, as a run would cut it. */
struct elements {
    struct stream_cut cut;
    struct stream_block block, large; /* `large`: made when it is wanted */
};

static enum status scan_elements(struct elements *elements, enum status (*interrupted)(void),
                                 struct fault *fault)
{
    struct stream_cut *const cut = &elements->cut;
    struct stream_block *block = &elements->block, *const large = &elements->large;
    do {
        enum status const status = check_interrupted(interrupted, fault);
        if (status != STATUS_OK) return status;
        block = &elements->block;
        if (stream_cut_next(cut, block) == STREAM_CUT_BLOCK) continue;
        block = large;
        if (large->bytes == NULL) large->bytes = malloc(large->capacity + LIMIT_PADDING);
        if (large->bytes == NULL)
            return fault_set(fault, STATUS_IO, "%s: no memory to read it", cut->stream->name);
        stream_cut_large(cut, block);
    } while (!block->final);
    if (block->kind != STREAM_BROKEN || cut->stream->damaged) return STATUS_OK;
    *fault = cut->fault;
    return fault->status;
}

static enum status count_elements(struct stream *stream, uint64_t max_record, uint64_t *records,
                                  enum status (*interrupted)(void), struct fault *fault)
{
    struct stream_cut_rules const rules = {.max_record = max_record, .block_bytes = SAMPLE_WINDOW};
    struct elements *const elements = calloc(1, sizeof *elements);
    enum status status = fault_set(fault, STATUS_IO, "%s: no memory to read it", stream->name);
    if (elements == NULL) return status;
    elements->block.bytes = malloc(SAMPLE_WINDOW + LIMIT_PADDING);
    elements->block.capacity = SAMPLE_WINDOW;
    elements->large.capacity = stream_cut_large_bytes(&rules);
    stream->wanted = *records;
    stream_cut_start(&elements->cut, stream, &rules);
    if (elements->block.bytes != NULL) status = scan_elements(elements, interrupted, fault);
    *records -= elements->cut.taken < *records ? elements->cut.taken : *records;
    stream_cut_end(&elements->cut);
    free(elements->block.bytes);
    free(elements->large.bytes);
    free(elements);
    return status;
}

enum status sample_count_stream(struct stream *stream, uint64_t max_record, uint64_t *records,
                                enum status (*interrupted)(void), struct fault *fault)
{
    if (*records == 0) return STATUS_OK;
    if (stream->form != NULL) return count_elements(stream, max_record, records, interrupted, fault);
    struct sample_scan scan = {.left = *records};
    uint8_t *const window = malloc(SAMPLE_WINDOW);
    if (window == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", stream->name);
    enum status status = stream->open(stream, fault);
    if (status == STATUS_OK) status = scan_stream(&scan, stream, window, interrupted, fault);
    stream->close(stream);
    free(window);
    *records = scan.left;
    return status;
}

enum status sample_cut(struct source *source, struct shard_source *extent, uint64_t *records,
                       enum status (*interrupted)(void), struct fault *fault)
{
    struct sample_scan scan = {.left = *records};
    if (*records == 0) {
        extent->size = extent->begin;
        return STATUS_OK;
    }
    struct source_reader *const reader = source->open_reader(source, SAMPLE_WINDOW);
    if (reader == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", source->name);
    enum status status = STATUS_OK;
    bool found = false;
    for (uint64_t at = extent->begin; !found && at < extent->size;) {
        struct source_window window;
        status = check_interrupted(interrupted, fault);
        if (status == STATUS_OK) status = source->window(reader, at, SAMPLE_WINDOW, &window, fault);
        if (status != STATUS_OK) break;
        found = sample_scan_bytes(&scan, window.bytes, window.length, at);
        at += window.length;
        if (source->drop != NULL) source->drop(reader, at);
        if (window.length == 0) break; /* the source says no more, whatever its size */
    }
    source->close_reader(reader);
    if (status != STATUS_OK) return status;
    if (!found && scan.text) scan.left--; /* a last line without its end */
    if (found) extent->size = scan.end;
    *records = scan.left;
    return STATUS_OK;
}

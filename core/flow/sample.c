/* sample.c - counts lines from the beginning of the input. Thread: one, before the workers start. Owns the
 * reader it opens. */
#include "core/flow/sample.h"

#include "core/record/json_text.h"

#include <stdbool.h>
#include <string.h>

/* The scan of one source: where in a line it is. */
struct scan {
    uint64_t left; /* records still wanted */
    uint64_t end;  /* of the last line that was wanted */
    bool text;     /* the line at hand has a byte that is no blank */
};

/* Looks at the bytes at `offset`. True: the last record that is wanted ends here. */
static bool scan_window(struct scan *scan, const struct source_window *window, uint64_t offset)
{
    const uint8_t *at = window->bytes, *const end = at + window->length;
    while (at < end) {
        if (scan->text) {
            at = memchr(at, '\n', (size_t)(end - at));
            if (at == NULL) return false;
            scan->text = false;
            scan->left--;
            scan->end = offset + (uint64_t)(at + 1 - window->bytes);
            if (scan->left == 0) return true;
        }
        while (at < end && json_is_blank(*at))
            at++;
        scan->text = at < end;
    }
    return false;
}

static enum status scan_source(struct scan *scan, struct source *source, const struct shard_source *extent,
                               enum status (*interrupted)(void), struct fault *fault)
{
    struct source_reader *const reader = source->open_reader(source, SAMPLE_WINDOW);
    if (reader == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", source->name);
    enum status status = STATUS_OK;
    bool found = false;
    scan->text = false;
    for (uint64_t at = extent->begin; !found && at < extent->size;) {
        struct source_window window;
        status = interrupted();
        if (status != STATUS_OK)
            fault_set(fault, status, "stopped");
        else
            status = source->window(reader, at, SAMPLE_WINDOW, &window, fault);
        if (status != STATUS_OK) break;
        found = scan_window(scan, &window, at);
        at += window.length;
        if (source->drop != NULL) source->drop(reader, at);
        if (window.length == 0) break; /* the source says no more, whatever its size */
    }
    if (status == STATUS_OK && !found) {
        if (scan->text) scan->left--; /* a last line without its end */
        scan->end = extent->size;
    }
    source->close_reader(reader);
    return status;
}

enum status sample_cut(struct source *const *sources, struct shard_source *extents, size_t count,
                       uint64_t records, enum status (*interrupted)(void), struct fault *fault)
{
    struct scan scan = {.left = records};
    for (size_t i = 0; i < count; i++) {
        if (scan.left == 0) {
            extents[i].size = extents[i].begin;
            continue;
        }
        enum status const status = scan_source(&scan, sources[i], &extents[i], interrupted, fault);
        if (status != STATUS_OK) return status;
        extents[i].size = scan.end;
    }
    return STATUS_OK;
}

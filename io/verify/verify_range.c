/* verify_range.c - a plain file in ranges. Thread: one a worker. Owns nothing but troubles until they are
 * joined.
 *
 * A range cannot know whether its first line feed ends a row or is inside quotes. It takes what makes less
 * trouble in the first block: quotes that stand where they should and rows that are even. verify_file_join()
 * sees whether that was right. */
#include "io/verify/verify_file.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    struct verify_tools *tools;
    const struct verify_task *task;
    struct verify_range *range;
    uint64_t offset; /* of the block */
    bool begun, over;
};

static uint64_t troubles(const struct csv_scan *scan)
{
    return scan->defects + scan->uneven;
}

/* `bytes` stand behind a line feed. */
static void begin_scan(struct walk *walk, uint64_t offset, const uint8_t *bytes, size_t length)
{
    struct verify_range *const range = walk->range;
    uint64_t const columns = walk->task->header->columns;
    struct csv_scan row, inside;
    walk->begun = true;
    range->has_scan = true;
    range->scan_begin = offset;
    csv_scan_begin_row(&row, walk->task->dialect, columns);
    range->scan = row;
    if (offset == 0) return;
    csv_scan_begin_inside(&inside, walk->task->dialect, columns);
    struct csv_scan const untouched = inside;
    csv_scan_bytes(&row, bytes, length);
    csv_scan_bytes(&inside, bytes, length);
    if (troubles(&inside) < troubles(&row)) range->scan = untouched;
}

/* The bytes of the block that are of this range are summed, and looked at for the header. */
static void take_own(struct walk *walk, const uint8_t *bytes, size_t length)
{
    struct verify_range *const range = walk->range;
    const struct verify_task *const task = walk->task;
    if (walk->offset >= range->end) return;
    uint64_t const left = range->end - walk->offset;
    size_t const own = length < left ? length : (size_t)left;
    range->checksum = checksum_update(task->checksum, range->checksum, bytes, own);
    range->checked += own;
    if (!task->compare || walk->offset >= task->header->length) return;
    size_t const head = task->header->length - (size_t)walk->offset;
    if (memcmp(bytes, task->header->bytes + walk->offset, own < head ? own : head) != 0)
        range->other_header = true;
}

/* Scans from `from` in the block; ends behind the first line feed at or behind the range's end. */
static void scan_block(struct walk *walk, const uint8_t *bytes, size_t from, size_t length)
{
    struct verify_range *const range = walk->range;
    size_t to = length;
    if (walk->offset + length > range->end) {
        size_t const behind = range->end > walk->offset ? (size_t)(range->end - walk->offset) : 0;
        size_t const look = behind > from ? behind : from;
        const uint8_t *const feed = memchr(bytes + look, '\n', length - look);
        if (feed != NULL) {
            to = (size_t)(feed - bytes) + 1;
            walk->over = true;
        }
    }
    csv_scan_bytes(&range->scan, bytes + from, to - from);
}

static void take_block(struct walk *walk, const uint8_t *bytes, size_t length)
{
    struct verify_range *const range = walk->range;
    size_t from = 0;
    take_own(walk, bytes, length);
    if (!walk->begun && walk->offset == 0) begin_scan(walk, 0, bytes, length);
    if (!walk->begun) {
        uint64_t const left = range->end > walk->offset ? range->end - walk->offset : 0;
        const uint8_t *const feed = memchr(bytes, '\n', length < left ? length : (size_t)left);
        if (feed == NULL) {
            walk->over = length >= left;
            return;
        }
        from = (size_t)(feed - bytes) + 1;
        begin_scan(walk, walk->offset + from, bytes + from, length - from);
    }
    scan_block(walk, bytes, from, length);
}

static enum status keep_trouble(char **trouble, struct fault *fault)
{
    *trouble = strdup(fault->message);
    if (*trouble != NULL) return STATUS_OK;
    return fault_set(fault, STATUS_IO, "no memory to note what is wrong with a file");
}

/* From walk->offset on, until it is over or the file ends. */
static enum status walk_file(struct walk *walk, char **trouble, struct fault *fault)
{
    struct verify_source *const source = walk->tools->source;
    uint64_t size = 0;
    const uint8_t *bytes = NULL;
    size_t length = 1;
    enum status status = source->open(source, walk->task->place, &size, fault);
    if (status == STATUS_OK) source->seek(source, walk->offset);
    while (status == STATUS_OK && !walk->over && length > 0) {
        if (atomic_load_explicit(walk->tools->stop, memory_order_relaxed)) {
            source->close(source);
            return fault_set(fault, STATUS_INTERRUPTED, "stopped");
        }
        status = source->next(source, &bytes, &length, fault);
        if (status != STATUS_OK || length == 0) break;
        take_block(walk, bytes, length);
        walk->offset += length;
    }
    source->close(source);
    return status == STATUS_OK ? STATUS_OK : keep_trouble(trouble, fault);
}

enum status verify_file_range(struct verify_tools *tools, const struct verify_task *task,
                              struct verify_range *range, struct fault *fault)
{
    struct walk walk = {.tools = tools, .task = task, .range = range, .offset = range->begin};
    return walk_file(&walk, &range->trouble, fault);
}

/* ---- joining ---- */

/* The range's begin was guessed wrong: looks at its rows again, from how the rows before it ended. */
static enum status look_again(struct verify_tools *tools, const struct verify_task *task,
                              struct verify_range *range, const struct csv_scan *before, struct fault *fault)
{
    struct verify_range again = {.begin = range->begin, .end = range->end, .has_scan = true};
    struct verify_task rows_only = *task;
    rows_only.checksum = CHECKSUM_NONE;
    rows_only.compare = false;
    struct walk walk = {
        .tools = tools, .task = &rows_only, .range = &again, .offset = range->scan_begin, .begun = true};
    if (before->quoted)
        csv_scan_begin_inside(&again.scan, task->dialect, task->header->columns);
    else
        csv_scan_begin_row(&again.scan, task->dialect, task->header->columns);
    enum status const status = walk_file(&walk, &range->trouble, fault);
    range->scan = again.scan;
    return status;
}

static void take_sums(const struct verify_task *task, const struct verify_range *range,
                      struct verify_result *result)
{
    result->checksum = checksum_combine(task->checksum, result->checksum, range->checksum, range->checked);
    result->bytes += range->checked;
    result->other_header = result->other_header || range->other_header;
}

enum status verify_file_join(struct verify_tools *tools, const struct verify_task *task,
                             struct verify_range *ranges, size_t count, struct verify_result *result,
                             struct fault *fault)
{
    enum status status = STATUS_OK;
    result->seen = true;
    csv_scan_begin_row(&result->scan, task->dialect, task->header->columns);
    for (size_t i = 0; i < count; i++) {
        struct verify_range *const range = &ranges[i];
        take_sums(task, range, result);
        if (status == STATUS_OK && range->has_scan && range->trouble == NULL) {
            if (!csv_scan_joins(&result->scan, &range->scan))
                status = look_again(tools, task, range, &result->scan, fault);
            csv_scan_join(&result->scan, &range->scan);
        }
        if (range->trouble != NULL && result->trouble == NULL)
            result->trouble = range->trouble;
        else
            free(range->trouble);
        range->trouble = NULL;
    }
    csv_scan_end(&result->scan);
    if (task->compare && result->scan.bytes < task->header->length) result->other_header = true;
    return status;
}

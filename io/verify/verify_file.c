/* verify_file.c - a file from its begin to its end. Ranges: verify_range.c. Thread: one a worker. Owns the
 * source, the decoders and the room; results and headers are the callers'. */
#include "io/verify/verify_file.h"

#include <stdlib.h>
#include <string.h>

/* ---- tools ---- */

bool verify_tools_make(struct verify_tools *tools, struct verify_source *source, unsigned window_log,
                       const _Atomic bool *stop)
{
    *tools = (struct verify_tools){
        .source = source, .window_log = window_log, .room = malloc(VERIFY_BLOCK), .stop = stop};
    return source != NULL && tools->room != NULL;
}

void verify_tools_free(struct verify_tools *tools)
{
    if (tools->source != NULL) tools->source->destroy(tools->source);
    unpack_destroy(tools->gzip);
    unpack_destroy(tools->zstd);
    free(tools->room);
    *tools = (struct verify_tools){.source = NULL};
}

static struct unpack *unpack_for(struct verify_tools *tools, enum unpack_form form)
{
    struct unpack **const kept = form == UNPACK_GZIP ? &tools->gzip : &tools->zstd;
    if (*kept == NULL)
        *kept = unpack_create(form, tools->window_log);
    else
        unpack_restart(*kept);
    return *kept;
}

/* ---- one file ---- */

/* What takes the unpacked bytes. False: enough. */
typedef bool take_fn(void *context, const uint8_t *bytes, size_t length);

struct reading {
    struct verify_tools *tools;
    enum checksum_kind checksum;
    struct verify_result *result;
    struct unpack *unpack; /* NULL: plain */
    take_fn *take;
    void *context;
    bool enough;
};

static enum status keep_trouble(struct verify_result *result, const char *words, struct fault *fault)
{
    result->trouble = strdup(words);
    if (result->trouble != NULL) return STATUS_OK;
    return fault_set(fault, STATUS_IO, "no memory to note what is wrong with a file");
}

/* A failure that is the file's, or one that ends the run. */
static enum status judge(struct verify_result *result, enum status status, struct fault *fault)
{
    result->missing = status == STATUS_NO_SOURCE;
    if (status != STATUS_NO_SOURCE && status != STATUS_IO && status != STATUS_INPUT) return status;
    char words[FAULT_MESSAGE_MAX];
    memcpy(words, fault->message, sizeof words);
    return keep_trouble(result, words, fault);
}

static enum status unpack_block(struct reading *reading, const uint8_t *bytes, size_t length, bool last,
                                struct fault *fault)
{
    struct unpack_step step = {.in = bytes, .in_left = length, .last = last};
    enum unpack_state state;
    do {
        step.out = reading->tools->room;
        step.out_left = VERIFY_BLOCK;
        state = unpack_run(reading->unpack, &step);
        size_t const given = VERIFY_BLOCK - step.out_left;
        if (given > 0) reading->enough = !reading->take(reading->context, reading->tools->room, given);
        if (reading->enough) return STATUS_OK;
        if (atomic_load_explicit(reading->tools->stop, memory_order_relaxed))
            return fault_set(fault, STATUS_INTERRUPTED, "stopped");
    } while (state == UNPACK_GOES_ON && (step.in_left > 0 || step.out_left == 0));
    reading->result->members = unpack_members(reading->unpack);
    if (state != UNPACK_BROKEN) return STATUS_OK;
    char words[UNPACK_DEFECT_TEXT];
    unpack_defect_text(reading->result->form, unpack_defect(reading->unpack), words);
    reading->enough = true;
    return keep_trouble(reading->result, words, fault);
}

static enum status begin_form(struct reading *reading, const uint8_t *bytes, size_t length,
                              struct fault *fault)
{
    reading->result->form = unpack_recognise(bytes, length);
    if (reading->result->form == UNPACK_PLAIN) return STATUS_OK;
    reading->unpack = unpack_for(reading->tools, reading->result->form);
    if (reading->unpack != NULL) return STATUS_OK;
    return fault_set(fault, STATUS_IO, "no memory to unpack a file; lower --threads");
}

/* One block of the stored bytes; `length` 0: the end. */
static enum status take_block(struct reading *reading, const uint8_t *bytes, size_t length,
                              struct fault *fault)
{
    struct verify_result *const result = reading->result;
    if (result->bytes == 0 && length > 0) {
        enum status const status = begin_form(reading, bytes, length, fault);
        if (status != STATUS_OK) return status;
    }
    result->checksum = checksum_update(reading->checksum, result->checksum, bytes, length);
    result->bytes += length;
    if (reading->enough) return STATUS_OK; /* damaged: size and checksum tell something all the same */
    if (reading->unpack != NULL) return unpack_block(reading, bytes, length, length == 0, fault);
    if (length > 0) reading->enough = !reading->take(reading->context, bytes, length);
    return STATUS_OK;
}

/* `all`: on to the end, whatever take() says. */
static enum status read_file(struct reading *reading, const char *place, bool all, struct fault *fault)
{
    struct verify_source *const source = reading->tools->source;
    struct verify_result *const result = reading->result;
    uint64_t size = 0;
    const uint8_t *bytes = NULL;
    size_t length = 1;
    result->seen = true;
    enum status status = source->open(source, place, &size, fault);
    bool foreign = true; /* a failure of the source, not of ours */
    while (status == STATUS_OK && length > 0 && (all || !reading->enough)) {
        foreign = true;
        if (atomic_load_explicit(reading->tools->stop, memory_order_relaxed))
            status = fault_set(fault, STATUS_INTERRUPTED, "stopped");
        else
            status = source->next(source, &bytes, &length, fault);
        if (status != STATUS_OK) break;
        foreign = false;
        status = take_block(reading, bytes, length, fault);
    }
    source->close(source);
    return status != STATUS_OK && foreign ? judge(result, status, fault) : status;
}

/* ---- against the header ---- */

struct comparing {
    const struct verify_header *header;
    struct verify_result *result;
};

/* Equal bytes end their first row at the same place. */
static bool differs(const struct verify_header *header, uint64_t offset, const uint8_t *bytes, size_t length)
{
    if (header == NULL || offset >= header->length) return false;
    size_t const left = header->length - (size_t)offset;
    return memcmp(bytes, header->bytes + offset, length < left ? length : left) != 0;
}

static bool compare_and_scan(void *context, const uint8_t *bytes, size_t length)
{
    struct comparing *const comparing = context;
    struct verify_result *const result = comparing->result;
    if (differs(comparing->header, result->scan.bytes, bytes, length)) result->other_header = true;
    csv_scan_bytes(&result->scan, bytes, length);
    return true;
}

enum status verify_file(struct verify_tools *tools, const struct verify_task *task,
                        struct verify_result *result, struct fault *fault)
{
    struct comparing comparing = {.header = task->compare ? task->header : NULL, .result = result};
    struct reading reading = {.tools = tools,
                              .checksum = task->checksum,
                              .result = result,
                              .take = compare_and_scan,
                              .context = &comparing};
    csv_scan_begin_row(&result->scan, task->dialect, task->header->columns);
    enum status const status = read_file(&reading, task->place, true, fault);
    csv_scan_end(&result->scan);
    bool const ends_inside = comparing.header != NULL && result->scan.bytes < comparing.header->length;
    if (ends_inside && result->trouble == NULL) result->other_header = true;
    return status;
}

/* ---- the header itself ---- */

struct heading {
    struct verify_header *header;
    struct csv_scan scan;
    size_t used;
};

static bool take_header(void *context, const uint8_t *bytes, size_t length)
{
    struct heading *const heading = context;
    size_t const room = VERIFY_HEADER_MAX - heading->used;
    size_t const taken = length < room ? length : room;
    memcpy(heading->header->bytes + heading->used, bytes, taken);
    heading->used += taken;
    csv_scan_bytes(&heading->scan, bytes, taken);
    return heading->scan.rows == 0 && heading->used < VERIFY_HEADER_MAX;
}

enum status verify_file_header(struct verify_tools *tools, const char *place, struct csv_scan_dialect dialect,
                               struct verify_header *header, struct fault *fault)
{
    struct verify_result result = {.seen = false};
    struct heading heading = {.header = header};
    struct reading reading = {.tools = tools, .result = &result, .take = take_header, .context = &heading};
    header->length = 0;
    header->columns = 0;
    csv_scan_begin(&heading.scan, dialect);
    enum status status = read_file(&reading, place, false, fault);
    if (heading.used < VERIFY_HEADER_MAX) csv_scan_end(&heading.scan); /* a row without a line end */
    if (heading.scan.rows > 0) {
        header->length = (size_t)heading.scan.first_row_bytes;
        header->columns = heading.scan.columns;
    }
    if (status == STATUS_OK && result.missing)
        status = fault_set(fault, STATUS_NO_SOURCE, "%s", result.trouble);
    free(result.trouble);
    return status;
}

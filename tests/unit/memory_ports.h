/* memory_ports.h - what tests of core/flow share: a source and a sink that live in memory, and small jobs.
 *
 * The source shows each window in a room of its own that ends at a page which can't be touched, LIMIT_PADDING
 * behind the window's end: whoever reads further dies. What lies before a window and behind it is misleading
 * on purpose. The sink keeps files as bytes; it may hold pieces back and copies them only when it gives them
 * home, so that bytes which change too early show up as wrong output. Both can be told to fail at a call.
 *
 * The source's readers may be used by several threads (no cmocka assertions there: it aborts); the sink is
 * the assembler's. */
#ifndef PENSTOCK_TESTS_UNIT_MEMORY_PORTS_H
#define PENSTOCK_TESTS_UNIT_MEMORY_PORTS_H

#include "core/base/limits.h"
#include "core/flow/assemble.h"
#include "core/flow/sink.h"
#include "core/flow/source.h"
#include "core/flow/wait.h"
#include "core/map/plan.h"
#include "core/record/shard_plan.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static inline void *memory_must(void *memory)
{
    if (memory != NULL) return memory;
    fprintf(stderr, "test: no memory\n");
    abort();
}

static inline uint64_t memory_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- a watch over runs that may hang ---- */

static inline void memory_watch_barks(int number)
{
    static const char message[] = "watchdog: the run hangs: a wake-up or a chunk was lost\n";
    (void)number;
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0) _exit(2);
    abort();
}

/* Ends the program unless memory_watch_end() follows within `seconds`. */
static inline void memory_watch(unsigned seconds)
{
    signal(SIGALRM, memory_watch_barks);
    alarm(seconds);
}

static inline void memory_watch_end(void)
{
    alarm(0);
}

/* ---- a text that grows ---- */

struct memory_text {
    uint8_t *bytes;
    size_t length, room;
};

static inline void memory_append(struct memory_text *text, const void *bytes, size_t length)
{
    if (text->room - text->length < length) {
        text->room = 2 * (text->length + length) + 64;
        text->bytes = memory_must(realloc(text->bytes, text->room));
    }
    if (length != 0) memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

static inline void memory_print(struct memory_text *text, const char *line)
{
    memory_append(text, line, strlen(line));
}

static inline void memory_fill(struct memory_text *text, char byte, size_t count)
{
    if (text->room - text->length < count) {
        text->room = 2 * (text->length + count) + 64;
        text->bytes = memory_must(realloc(text->bytes, text->room));
    }
    if (count != 0) memset(text->bytes + text->length, byte, count);
    text->length += count;
}

static inline void memory_text_free(struct memory_text *text)
{
    free(text->bytes);
    *text = (struct memory_text){0};
}

/* ---- the source ---- */

struct memory_source {
    struct source port;
    const uint8_t *bytes;
    uint64_t fail_at;              /* the number of the window() that fails, from 1; 0: none */
    _Atomic uint64_t reads;        /* calls of window() */
    _Atomic int64_t readers;       /* open ones */
    _Atomic uint64_t wrong;        /* calls that break the port's rules */
    _Atomic uint64_t expectations; /* calls of expect() */
    const uint8_t *later;          /* shown from the second window on that begins at `front`; NULL: never */
    uint64_t front;
    _Atomic uint64_t looks; /* windows that began there */
};

struct source_reader {
    struct memory_source *source;
    uint8_t *room; /* pages, then one that can't be touched */
    size_t room_bytes, page, window_max;
    uint64_t expected; /* no window begins before it */
};

/* What lies around windows: text that would be taken for a record. */
#define MEMORY_DECOY "\"}\n{\"id\":\"decoy\",\"a\":\"decoy\"}\n"

static inline void memory_decoy(uint8_t *out, size_t length)
{
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)MEMORY_DECOY[i % (sizeof MEMORY_DECOY - 1)];
}

static inline struct source_reader *memory_open_reader(struct source *source, size_t window_max)
{
    struct source_reader *reader = memory_must(calloc(1, sizeof *reader));
    reader->source = source->self;
    reader->window_max = window_max;
    reader->page = (size_t)sysconf(_SC_PAGESIZE);
    reader->room_bytes =
        (window_max + 2 * LIMIT_PADDING + reader->page - 1) / reader->page * reader->page + reader->page;
    reader->room = mmap(NULL, reader->room_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (reader->room == MAP_FAILED) memory_must(NULL);
    if (mprotect(reader->room + reader->room_bytes - reader->page, reader->page, PROT_NONE) != 0)
        memory_must(NULL);
    atomic_fetch_add(&reader->source->readers, 1);
    return reader;
}

static inline void memory_close_reader(struct source_reader *reader)
{
    if (reader == NULL) return;
    atomic_fetch_sub(&reader->source->readers, 1);
    munmap(reader->room, reader->room_bytes);
    free(reader);
}

static inline enum status memory_window(struct source_reader *reader, uint64_t offset, size_t length,
                                        struct source_window *window, struct fault *fault)
{
    struct memory_source *source = reader->source;
    uint64_t const number = atomic_fetch_add(&source->reads, 1) + 1;
    if (number == source->fail_at) return fault_set(fault, STATUS_IO, "%s: read failed", source->port.name);
    if (length > reader->window_max || offset > source->port.size || offset < reader->expected)
        atomic_fetch_add(&source->wrong, 1);
    uint64_t const left = source->port.size - offset;
    if (length > left) length = (size_t)left;
    uint8_t *end = reader->room + reader->room_bytes - reader->page - LIMIT_PADDING;
    memory_decoy(end, LIMIT_PADDING);
    memory_decoy(end - length - LIMIT_PADDING, LIMIT_PADDING);
    if (source->later != NULL && offset == source->front) atomic_fetch_add(&source->looks, 1);
    const uint8_t *const bytes = atomic_load(&source->looks) > 1 ? source->later : source->bytes;
    if (length != 0) memcpy(end - length, bytes + offset, length);
    *window = (struct source_window){.bytes = end - length, .length = length};
    return STATUS_OK;
}

static inline void memory_drop(struct source_reader *reader, uint64_t end)
{
    if (end > reader->source->port.size) atomic_fetch_add(&reader->source->wrong, 1);
}

static inline void memory_expect(struct source_reader *reader, uint64_t from, uint64_t to)
{
    if (from > to || from > reader->source->port.size) atomic_fetch_add(&reader->source->wrong, 1);
    reader->expected = from;
    atomic_fetch_add(&reader->source->expectations, 1);
}

static inline void memory_source_start(struct memory_source *source, const char *name, const void *bytes,
                                       size_t length)
{
    *source = (struct memory_source){.bytes = bytes};
    source->port = (struct source){.self = source,
                                   .name = name,
                                   .size = length,
                                   .open_reader = memory_open_reader,
                                   .close_reader = memory_close_reader,
                                   .window = memory_window,
                                   .drop = memory_drop,
                                   .expect = memory_expect};
}

/* ---- the sink ---- */

struct memory_file {
    char name[ASSEMBLE_NAME_MAX];
    struct memory_text text;
    uint64_t rows;
    enum sink_stage stage;
    bool open;
};

struct memory_held { /* a piece that is not home */
    struct sink_piece piece;
    uint32_t file;
    size_t at;
};

struct memory_sink {
    struct sink port;
    struct memory_file *files;
    uint32_t file_count, file_room;
    uint32_t open_count;
    uint64_t calls, fail_at; /* the call that fails, from 1; 0: none */
    enum status fail_status;
    uint32_t hold; /* pieces that are held back at most; 0: all go home at once */
    struct memory_held *held;
    size_t held_count, held_room;
    uint32_t random;    /* != 0: reap() gives home as it likes */
    size_t part;        /* != 0: reap() gives home when this many bytes are held, or no file is open */
    uint32_t undrained; /* as many more reap() it takes until all was passed on */
    uint32_t aborts;
    uint64_t wrong; /* calls out of order */
};

static inline bool memory_sink_fails(struct memory_sink *sink, struct fault *fault)
{
    if (++sink->calls != sink->fail_at) return false;
    fault_set(fault, sink->fail_status, "sink: call %llu failed", (unsigned long long)sink->calls);
    return true;
}

/* Held piece number `i` goes home: only now its bytes are looked at. */
static inline void memory_give_home(struct memory_sink *sink, size_t i)
{
    struct memory_held const held = sink->held[i];
    sink->held[i] = sink->held[--sink->held_count];
    memcpy(sink->files[held.file].text.bytes + held.at, held.piece.bytes, held.piece.length);
    sink->port.home(sink->port.home_context, &held.piece);
}

static inline void memory_give_all(struct memory_sink *sink)
{
    while (sink->held_count != 0)
        memory_give_home(sink, 0);
}

static inline uint32_t memory_random(struct memory_sink *sink)
{
    sink->random = sink->random * 1664525u + 1013904223u; /* any full-period LCG will do */
    return sink->random >> 8;
}

static inline enum status memory_begin(struct sink *port, uint32_t file, const char *name,
                                       enum sink_stage stage, struct fault *fault)
{
    struct memory_sink *sink = port->self;
    if (memory_sink_fails(sink, fault)) return sink->fail_status;
    if (file != sink->file_count) {
        sink->wrong++;
        return fault_set(fault, STATUS_INTERNAL, "sink: begin() out of order");
    }
    if (file == sink->file_room) {
        sink->file_room = 2 * file + 4;
        sink->files = memory_must(realloc(sink->files, sink->file_room * sizeof *sink->files));
    }
    sink->files[file] = (struct memory_file){.open = true, .stage = stage};
    snprintf(sink->files[file].name, sizeof sink->files[file].name, "%s", name);
    sink->file_count++;
    sink->open_count++;
    return STATUS_OK;
}

/* A file that is none is counted, and another one taken in its place. */
static inline struct memory_file *memory_open_file(struct memory_sink *sink, uint32_t file)
{
    if (file >= sink->file_count) {
        sink->wrong++;
        file = 0;
    }
    if (!sink->files[file].open) sink->wrong++;
    return &sink->files[file];
}

static inline enum status memory_write(struct sink *port, uint32_t number, const struct sink_piece *piece,
                                       struct fault *fault)
{
    struct memory_sink *sink = port->self;
    struct memory_file *file = memory_open_file(sink, number);
    if (piece->length == 0) sink->wrong++;
    bool const fails = memory_sink_fails(sink, fault);
    size_t const at = file->text.length;
    memory_fill(&file->text, '#', piece->length);
    if (piece->owner == NULL) {
        memcpy(file->text.bytes + at, piece->bytes, piece->length);
        return fails ? sink->fail_status : STATUS_OK;
    }
    if (sink->held_count == sink->held_room) {
        sink->held_room = 2 * sink->held_room + 16;
        sink->held = memory_must(realloc(sink->held, sink->held_room * sizeof *sink->held));
    }
    sink->held[sink->held_count++] = (struct memory_held){.piece = *piece, .file = number, .at = at};
    while (sink->held_count > sink->hold)
        memory_give_home(sink, 0);
    return fails ? sink->fail_status : STATUS_OK;
}

static inline enum status memory_end(struct sink *port, uint32_t number, uint64_t rows, uint64_t bytes,
                                     struct fault *fault)
{
    struct memory_sink *sink = port->self;
    if (memory_sink_fails(sink, fault)) return sink->fail_status;
    struct memory_file *file = memory_open_file(sink, number);
    if (bytes != file->text.length) sink->wrong++;
    sink->open_count--;
    file->open = false;
    file->rows = rows;
    return STATUS_OK;
}

/* Gives home: a part at a time, or as it likes, or one piece. */
static inline enum status memory_reap(struct sink *port, struct fault *fault)
{
    struct memory_sink *sink = port->self;
    if (memory_sink_fails(sink, fault)) return sink->fail_status;
    if (sink->undrained != 0) sink->undrained--;
    if (sink->part != 0) {
        size_t held = 0;
        for (size_t i = 0; i < sink->held_count; i++)
            held += sink->held[i].piece.length;
        if (held >= sink->part || sink->open_count == 0) memory_give_all(sink);
    } else if (sink->random == 0) {
        if (sink->held_count != 0) memory_give_home(sink, 0);
    } else {
        while (sink->held_count != 0 && memory_random(sink) % 4 == 0)
            memory_give_home(sink, memory_random(sink) % sink->held_count);
    }
    return STATUS_OK;
}

static inline bool memory_drained(const struct sink *port)
{
    const struct memory_sink *sink = port->self;
    return sink->undrained == 0;
}

static inline void memory_abort(struct sink *port)
{
    struct memory_sink *sink = port->self;
    memory_give_all(sink);
    sink->aborts++;
}

static inline void memory_sink_start(struct memory_sink *sink)
{
    *sink = (struct memory_sink){.fail_status = STATUS_IO};
    sink->port = (struct sink){.self = sink,
                               .background = true,
                               .begin = memory_begin,
                               .write = memory_write,
                               .end = memory_end,
                               .reap = memory_reap,
                               .drained = memory_drained,
                               .abort = memory_abort};
}

/* All files as one text: "[name rows]\n" and the bytes of each. */
static inline struct memory_text memory_sink_text(const struct memory_sink *sink)
{
    struct memory_text all = {0};
    for (uint32_t f = 0; f < sink->file_count; f++) {
        char title[ASSEMBLE_NAME_MAX + 40];
        snprintf(title, sizeof title, "[%s %llu]\n", sink->files[f].name,
                 (unsigned long long)sink->files[f].rows);
        memory_print(&all, title);
        memory_append(&all, sink->files[f].text.bytes, sink->files[f].text.length);
    }
    memory_append(&all, "", 1);
    return all;
}

static inline void memory_sink_free(struct memory_sink *sink)
{
    for (uint32_t f = 0; f < sink->file_count; f++)
        memory_text_free(&sink->files[f].text);
    free(sink->files);
    free(sink->held);
    *sink = (struct memory_sink){0};
}

/* A sink's thread, as far as the pipeline sees one: it says again and again that pieces may come home. */
struct memory_waker {
    struct wait *arrivals;
    _Atomic bool stop;
    pthread_t thread;
};

static inline void *memory_waker_main(void *argument)
{
    struct memory_waker *waker = argument;
    struct timespec const pause = {.tv_nsec = 100000};
    while (!atomic_load(&waker->stop)) {
        wait_wake(waker->arrivals);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static inline void memory_waker_start(struct memory_waker *waker, struct wait *arrivals)
{
    *waker = (struct memory_waker){.arrivals = arrivals};
    if (pthread_create(&waker->thread, NULL, memory_waker_main, waker) != 0) memory_must(NULL);
}

static inline void memory_waker_stop(struct memory_waker *waker)
{
    atomic_store(&waker->stop, true);
    if (pthread_join(waker->thread, NULL) != 0) memory_must(NULL);
}

/* ---- what the assembler asks of a run ---- */

struct memory_log {
    struct memory_text rejects; /* "source:line offset+length code path raw\n" */
    uint64_t reject_count, large_rows;
    uint64_t large_bytes; /* of the last large row */
};

/* "f1" of the first stream, "s1/f1" of the next. */
static inline enum status memory_name(void *context, uint32_t stream, uint32_t part, char *out, size_t size,
                                      struct fault *fault)
{
    (void)context;
    (void)fault;
    if (stream == 0)
        snprintf(out, size, "f%u", part);
    else
        snprintf(out, size, "s%u/f%u", stream, part);
    return STATUS_OK;
}

static inline enum status memory_reject(void *context, const struct reject *reject, struct fault *fault)
{
    struct memory_log *log = context;
    char line[512];
    (void)fault;
    snprintf(line, sizeof line, "%s:%llu %llu+%llu %s %s ", reject->source, (unsigned long long)reject->line,
             (unsigned long long)reject->offset, (unsigned long long)reject->length,
             tally_defect_name(reject->code), reject->path);
    memory_print(&log->rejects, line);
    memory_append(&log->rejects, reject->raw, reject->raw_length);
    memory_append(&log->rejects, "\n", 1);
    log->reject_count++;
    return STATUS_OK;
}

static inline void memory_large_row(void *context, const char *file, uint64_t bytes)
{
    struct memory_log *log = context;
    (void)file;
    log->large_rows++;
    log->large_bytes = bytes;
}

static inline struct assemble_rules memory_rules(struct memory_log *log, const char *header)
{
    return (struct assemble_rules){
        .header_line = {.bytes = (const uint8_t *)header, .length = strlen(header)},
        .budget_records = UINT64_MAX,
        .budget_text = "N",
        .name = memory_name,
        .reject = memory_reject,
        .reject_context = log,
        .large_row = memory_large_row,
        .large_row_context = log};
}

/* ---- jobs ---- */

#define MEMORY_COLUMNS_MAX MAPPING_COLUMNS_MAX

struct memory_job {
    const struct prefilter *prefilter; /* NULL: all records are parsed */
    struct arena arena;
    struct column *columns;
    struct mapping mapping;
    struct plan plan;
};

static inline const struct path *memory_paths(struct arena *arena, const char *const *texts, size_t count)
{
    struct path *paths = memory_must(arena_array(arena, count, sizeof *paths));
    for (size_t i = 0; i < count; i++) {
        struct fault fault;
        if (path_parse(arena, texts[i], strlen(texts[i]), &paths[i], &fault) == STATUS_OK) continue;
        fprintf(stderr, "test: %s: %s\n", texts[i], fault.message);
        abort();
    }
    return paths;
}

/* An identity column of one path (NULL: no identity column). */
static inline void memory_job_start(struct memory_job *job, const char *identity)
{
    *job = (struct memory_job){0};
    job->columns = memory_must(arena_array(&job->arena, MEMORY_COLUMNS_MAX, sizeof *job->columns));
    job->mapping.columns = job->columns;
    job->mapping.csv = (struct csv_options){.delimiter = ',', .null_text = "", .list_separator = "|"};
    if (identity == NULL) return;
    job->mapping.identity =
        (struct identity){.column = "Id", .paths = memory_paths(&job->arena, &identity, 1), .path_count = 1};
}

/* A column of the given path, to be changed by the test until memory_job_compile(). */
static inline struct column *memory_column(struct memory_job *job, const char *path)
{
    struct column *column = &job->columns[job->mapping.column_count++];
    *column = (struct column){.name = "C"};
    if (path == NULL) return column;
    column->paths = memory_paths(&job->arena, &path, 1);
    column->path_count = 1;
    return column;
}

static inline void memory_job_compile(struct memory_job *job)
{
    struct fault fault;
    if (plan_compile(&job->arena, &job->mapping, &job->plan, &fault) == STATUS_OK) return;
    fprintf(stderr, "test: %s\n", fault.message);
    abort();
}

static inline void memory_job_free(struct memory_job *job)
{
    arena_free(&job->arena);
}

#endif

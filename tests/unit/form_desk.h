/* form_desk.h - runs a text in memory through the whole pipeline, with its form as found: what unit tests and
 * the fuzzer of containers share. One run at a time; aborts when something is wrong that no input may cause.
 */
#ifndef PENSTOCK_TESTS_UNIT_FORM_DESK_H
#define PENSTOCK_TESTS_UNIT_FORM_DESK_H

#include "core/flow/pipeline.h"
#include "core/inspect/catalogue_walk.h"
#include "core/record/form.h"
#include "tests/unit/memory_ports.h"
#include "tests/unit/memory_stream.h"

struct form_run {
    uint32_t threads;
    uint64_t shard_bytes;
    size_t block; /* 0: PIPELINE_BLOCK_MIN */
    bool stream;  /* read front to back */
    size_t stream_block;
    uint64_t max_record; /* 0: 1 MiB */
    const struct prefilter *prefilter;
    const enum form_kind *kind; /* NULL: as found */
    enum convert_walk walk;
    bool strict;
    bool visits;                /* records are looked at as a whole, as by inspect */
    void (*met)(void *context); /* visits: by each thread, once a record; may be NULL */
    void *met_context;
    const uint8_t *later; /* what the source is when its front is looked at again; NULL: the same */
    size_t damaged_at;    /* a stream whose bytes go no further, which is forgiven; 0: they do */
    const char *fails;    /* with STATUS_IO and a message that has this in it; there is no outcome then */
};

struct form_outcome {
    struct memory_text rows, rejects; /* with a terminator that does not count; visits: no rows but the places
                                         of records, in their order */
    struct tally tally;
    uint64_t windows; /* of the source that were shown */
    enum form_kind kind;
};

static inline uint64_t form_desk_now(void)
{
    return 0;
}

static inline enum status form_desk_uninterrupted(void)
{
    return STATUS_OK;
}

static inline void form_outcome_free(struct form_outcome *outcome)
{
    memory_text_free(&outcome->rows);
    memory_text_free(&outcome->rejects);
}

/* ---- records that are looked at as a whole ---- */

enum { FORM_DESK_DEPTH = 64, FORM_DESK_THREADS = 8 };

struct form_visitor {
    struct catalogue catalogue;
    struct catalogue_walk walk;
    const struct form_run *run;
    uint64_t *places;
    size_t count, room;
};

static inline const uint32_t *form_visitor_visit(void *self, const struct record_view *view)
{
    struct form_visitor *const visitor = self;
    const uint32_t *const next = catalogue_walk_record(&visitor->walk, view);
    if (next == NULL) return NULL;
    if (visitor->count == visitor->room) {
        visitor->room = 2 * visitor->room + 64;
        visitor->places = memory_must(realloc(visitor->places, visitor->room * sizeof *visitor->places));
    }
    visitor->places[visitor->count++] = view->offset + *view->token;
    if (visitor->run->met != NULL) visitor->run->met(visitor->run->met_context);
    return next;
}

static inline void form_visitor_open(struct form_visitor *visitor, const struct form_run *run)
{
    static const struct catalogue_limits limits = {.paths = 64, .segments = 16, .spaces = 16};
    *visitor = (struct form_visitor){.run = run};
    if (!catalogue_create(&visitor->catalogue, &limits) ||
        !catalogue_walk_create(&visitor->walk, &visitor->catalogue, FORM_DESK_DEPTH))
        memory_must(NULL);
}

static inline void form_visitor_close(struct form_visitor *visitor)
{
    catalogue_walk_destroy(&visitor->walk);
    catalogue_destroy(&visitor->catalogue);
    free(visitor->places);
}

static inline int form_visitor_order(const void *left, const void *right)
{
    uint64_t const a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Of all threads, in order. */
static inline void form_visitor_print(struct form_visitor *visitors, uint32_t threads,
                                      struct memory_text *out)
{
    struct form_visitor all = {.count = 0};
    for (uint32_t w = 0; w < threads; w++)
        all.room += visitors[w].count;
    all.places = memory_must(malloc((all.room + 1) * sizeof *all.places));
    for (uint32_t w = 0; w < threads; w++) {
        if (visitors[w].count != 0)
            memcpy(all.places + all.count, visitors[w].places, visitors[w].count * sizeof *all.places);
        all.count += visitors[w].count;
    }
    qsort(all.places, all.count, sizeof *all.places, form_visitor_order);
    for (size_t i = 0; i < all.count; i++) {
        char line[32];
        snprintf(line, sizeof line, "%llu\n", (unsigned long long)all.places[i]);
        memory_print(out, line);
    }
    free(all.places);
}

/* What selects a record as a whole; made once. */
static inline const struct plan *form_desk_whole(void)
{
    static const struct path whole = {.text = ""};
    static const struct column column = {.name = "record", .paths = &whole, .path_count = 1};
    static struct mapping mapping = {.columns = &column, .column_count = 1};
    static struct arena arena;
    static struct plan plan;
    struct fault fault;
    if (mapping.csv.null_text != NULL) return &plan;
    mapping.csv = (struct csv_options){.delimiter = ',', .null_text = "", .list_separator = "|"};
    if (plan_compile(&arena, &mapping, &plan, &fault) != STATUS_OK) memory_must(NULL);
    return &plan;
}

/* ---- runs ---- */

/* `bytes`: LIMIT_PADDING readable behind them. False: it does not begin as the kind asked for. */
static inline bool form_desk_run(struct memory_job *job, const uint8_t *bytes, size_t length,
                                 const struct form_run *run, struct form_outcome *outcome)
{
    struct memory_source source;
    struct memory_stream stream;
    struct memory_sink sink;
    struct memory_log log = {.reject_count = 0};
    struct wait arrivals;
    struct form form;
    struct shard_plan plan;
    struct pipeline_result result;
    struct fault fault = {.status = STATUS_OK};
    size_t const head = length < FORM_HEAD_BYTES ? length : FORM_HEAD_BYTES;
    size_t const mark = length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    *outcome = (struct form_outcome){.kind = FORM_NDJSON};
    if (run->kind == NULL)
        form_find(&form, bytes, head, mark, head == length);
    else if (!form_take(&form, *run->kind, bytes, head, mark))
        return false;
    outcome->kind = form.kind;
    struct form_visitor visited[FORM_DESK_THREADS];
    struct record_visitor visitors[FORM_DESK_THREADS];
    for (uint32_t w = 0; run->visits && w < run->threads; w++) {
        form_visitor_open(&visited[w], run);
        visitors[w] = (struct record_visitor){.self = &visited[w], .visit = form_visitor_visit};
    }
    struct convert_rules const rules = {.plan = run->visits ? form_desk_whole() : &job->plan,
                                        .max_record = run->max_record != 0 ? run->max_record : 1 << 20,
                                        .max_depth = FORM_DESK_DEPTH,
                                        .walk = run->walk,
                                        .prefilter = run->prefilter,
                                        .strict = run->strict,
                                        .forgives_damage = run->damaged_at != 0,
                                        .visits = run->visits};
    if (!wait_init(&arrivals)) memory_must(NULL);
    struct pipeline_options options = {
        .threads = run->threads,
        .rules = &rules,
        .visitors = visitors,
        .arrivals = &arrivals,
        .sizes = {.block = run->block != 0 ? run->block : PIPELINE_BLOCK_MIN,
                  .stream_block = run->stream_block != 0 ? run->stream_block : PIPELINE_STREAM_BLOCK_MIN,
                  .chunk = CHUNK_BYTES_MIN,
                  .chunks = PIPELINE_CHUNKS_MIN},
        .buffered_sources = true,
        .now = form_desk_now,
        .interrupted = form_desk_uninterrupted};
    options.assemble = memory_rules(&log, "");
    options.assemble.header = CSV_HEADER_NONE;
    memory_source_start(&source, "s", bytes, length);
    source.later = run->later;
    source.front = form.begin;
    if (form.kind != FORM_NDJSON && !run->stream) source.port.form = &form;
    struct shard_source extent = {.begin = form.begin, .size = length};
    if (run->stream) {
        memory_stream_start(&stream, "s", bytes, length, (uint32_t)length);
        stream.port.form = form.kind == FORM_NDJSON ? NULL : &form;
        stream.damage = run->damaged_at != 0;
        if (stream.damage) stream.fails_at = run->damaged_at;
        source.port.stream = &stream.port;
        extent.size = extent.begin;
    }
    struct source *const ports[1] = {&source.port};
    if (!shard_plan_create(&plan, &extent, 1, run->shard_bytes)) memory_must(NULL);
    memory_sink_start(&sink);
    enum status const status = pipeline_run(&options, ports, &plan, &sink.port, &result, &fault);
    bool const failed =
        run->fails != NULL && status == STATUS_IO && strstr(fault.message, run->fails) != NULL;
    if (failed != (run->fails != NULL) || (status != STATUS_OK && !failed) || sink.wrong != 0 ||
        atomic_load(&source.wrong) != 0 || atomic_load(&source.readers) != 0) {
        fprintf(stderr, "form_desk: %s\n", fault.message);
        abort();
    }
    outcome->rows = memory_sink_text(&sink);
    if (run->visits) {
        form_visitor_print(visited, run->threads, &outcome->rows);
        memory_append(&outcome->rows, "", 1);
    }
    for (uint32_t w = 0; run->visits && w < run->threads; w++)
        form_visitor_close(&visited[w]);
    outcome->rejects = log.rejects;
    memory_append(&outcome->rejects, "", 1);
    outcome->rejects.length--;
    outcome->tally = result.assemble.tally;
    outcome->windows = atomic_load(&source.reads);
    assemble_free(&result.assemble);
    memory_sink_free(&sink);
    shard_plan_destroy(&plan);
    wait_destroy(&arrivals);
    return true;
}

#endif

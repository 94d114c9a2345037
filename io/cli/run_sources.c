/* run_sources.c - see the header. Thread: main. Owns nothing beyond struct run. */
#include "io/cli/run_sources.h"

#include "io/cli/machine.h"
#include "io/cli/run_tracks.h"
#include "io/input/source_direct.h"
#include "io/input/source_frames.h"
#include "io/input/source_front.h"
#include "io/input/source_open.h"
#include "io/input/source_ring.h"
#include "io/input/source_stream.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors beside those of sources: standard ones, files being written, connections, what libraries keep.
 */
#define DESCRIPTORS_BESIDE 4096u

_Static_assert(PIPELINE_BLOCK_MAX <= SOURCE_DIRECT_READ_MIN * SOURCE_DIRECT_DEPTH,
               "the reads on their way hold a block, whatever the memory");

/* ---- opening ---- */

static struct track *make_tracks(void *context, uint32_t threads)
{
    return run_tracks_beside(context, "download", threads);
}

static enum status list_sources(struct run *run, struct fault *fault)
{
    const struct options *const options = run->options;
    bool const given = options->source_count != 0;
    struct source_list_rules rules = {.paths = given ? options->sources : run->job.source_paths,
                                      .count = given ? options->source_count : run->job.source_count,
                                      .format = run->job.format,
                                      .remote = NULL};
    if (rules.count == 0)
        return fault_set(fault, STATUS_USAGE,
                         "no sources: name files on the command line, or in source.paths");
    struct run_objects_request const objects = {.paths = rules.paths,
                                                .count = rules.count,
                                                .connections = options->connections,
                                                .memory = run_memory_limit(options),
                                                .shared = run->destination.kind == DESTINATION_S3,
                                                .destination = &run->job.destination,
                                                .make_tracks = make_tracks,
                                                .context = run};
    enum status const status = run_objects_open(&run->objects, &objects, fault);
    rules.remote = run_objects_port(&run->objects);
    return status == STATUS_OK ? source_list_build(&rules, &run->list, fault) : status;
}

/* Streams that are open at once: pipeline.h. */
static uint64_t streams_open(const struct run *run)
{
    uint64_t streams = 0;
    for (size_t i = 0; i < run->list.count; i++)
        streams += run->list.items[i].kind != SOURCE_KIND_FILE;
    uint64_t const most = (uint64_t)run_threads(run->options) + 1;
    return streams < most ? streams : most;
}

/* The window of zstd frames that there is memory for in any case: what the first frames ask for. */
static unsigned least_window(const struct run *run)
{
    unsigned window_log = UNPACK_WINDOW_LOG_LEAST;
    for (size_t i = 0; i < run->list.count; i++)
        if (run->list.items[i].window_log > window_log) window_log = run->list.items[i].window_log;
    return window_log;
}

static bool is_direct(const struct run *run, size_t i)
{
    const struct source_item *const item = &run->list.items[i];
    return item->kind == SOURCE_KIND_FILE && item->object == NULL &&
           source_file_mode(run->sources[i]) == SOURCE_MODE_DIRECT;
}

bool run_sources_are_direct(const struct run *run)
{
    bool any = false;
    for (size_t i = 0; i < run->source_count && !any; i++)
        any = is_direct(run, i);
    return any;
}

/* With files.count the shards show in the output: then their size may depend on nothing but the input. */
static uint64_t shard_size(const struct run *run)
{
    const struct options *options = run->options;
    bool const shows = run->job.file_count != 0;
    if (options_is_set(options, OPTION_SHARD_SIZE) && !shows) return options->shard_size;
    bool const may_be_large = shows || run->destination.kind == DESTINATION_S3 || run_sources_are_direct(run);
    return may_be_large && run->input_bytes >= RUN_LARGE_INPUT ? RUN_SHARD_LARGE : OPTIONS_SHARD_DEFAULT;
}

/* One compressed file or object alone is decompressed by several threads, if its frames allow. */
static bool shares_frames(const struct run *run)
{
    return run->list.count == 1 && run_threads(run->options) > 1;
}

/* Bytes of local files that can be read anywhere. */
static uint64_t plain_bytes(const struct run *run)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < run->list.count; i++) {
        const struct source_item *const item = &run->list.items[i];
        if (item->kind == SOURCE_KIND_FILE && item->object == NULL) bytes += item->stamp.size;
    }
    return bytes;
}

/* Are shards of a file looked at twice (convert_form_seam())? The page cache has them the second time. */
static bool looks_twice(const struct run *run)
{
    bool has_container = false;
    for (size_t i = 0; i < run->list.count && !has_container; i++) {
        const struct source_item *const item = &run->list.items[i];
        has_container = item->kind == SOURCE_KIND_FILE && item->object == NULL && item->records != NULL;
    }
    bool const keeps =
        run->visitor_bytes != 0 || run->job.mapping.identity.deduplicate == IDENTITY_KEEP_LATEST;
    return has_container && keeps && run_threads(run->options) > 1;
}

/* What --input-mode asks for; by itself the page cache is gone around for input that it can't hold, which it
 * would be emptied for. STATUS_USAGE: this system does not have it. */
static enum status choose_mode(const struct run *run, enum source_mode *mode, struct fault *fault)
{
    enum options_input_mode const asked = run->options->input_mode;
    uint64_t const bytes = plain_bytes(run);
    /* A visitor takes a record's bytes for those that its tokens were made of, which a mapping can't promise
     * while somebody writes to the file. */
    bool const maps = asked == OPTIONS_INPUT_MMAP && run->visitor_bytes == 0;
    *mode = maps ? SOURCE_MODE_MMAP : SOURCE_MODE_READ;
    bool const is_large = asked == OPTIONS_INPUT_AUTO && bytes > machine_memory() && !looks_twice(run);
    if (!is_large && (asked != OPTIONS_INPUT_DIRECT || bytes == 0)) return STATUS_OK;
    int const refusal = source_ring_refusal();
    if (refusal == 0) *mode = is_large ? SOURCE_MODE_LARGE : SOURCE_MODE_DIRECT;
    if (refusal == 0 || is_large) return STATUS_OK;
    return fault_set(fault, STATUS_USAGE,
                     "--input-mode direct: io_uring is not allowed here (%s): containers forbid it by their "
                     "seccomp profile, systems by the sysctl kernel.io_uring_disabled; allow it, or take "
                     "--input-mode read",
                     strerror(refusal));
}

/* Streams have no shards: they stay empty extents. */
static enum status open_all(struct run *run, struct shard_source *extents, struct fault *fault)
{
    struct source_open_rules rules = {.window_log_max = run->window_log_max,
                                      .format = run->job.format,
                                      .remote = run_objects_port(&run->objects),
                                      .shares_frames = shares_frames(run)};
    enum status const status = choose_mode(run, &rules.mode, fault);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < run->list.count; i++) {
        const struct source_item *const item = &run->list.items[i];
        struct source *const source = source_open(item, &rules, fault);
        if (source == NULL) return fault->status;
        run->sources[run->source_count++] = source;
        run->input_bytes += source->stream == NULL ? source->size : item->stamp.size;
        if (source->stream == NULL)
            extents[i] = (struct shard_source){.begin = item->content_start, .size = source->size};
    }
    return STATUS_OK;
}

/* Samples of containers are counted from their begin: see sample.h. */
static void read_in_order(struct source_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].records != NULL) list->items[i].kind = SOURCE_KIND_PACKED;
}

enum status run_sources_open(struct run *run, struct fault *fault)
{
    enum status status = list_sources(run, fault);
    if (status != STATUS_OK) return status;
    if (run->options->sample != 0) read_in_order(&run->list);
    machine_raise_files(run->list.count + DESCRIPTORS_BESIDE);
    run->window_log_max = least_window(run);
    run->sources = calloc(run->list.count, sizeof(struct source *));
    struct shard_source *extents = calloc(run->list.count, sizeof *extents);
    if (run->sources == NULL || extents == NULL)
        status = fault_set(fault, STATUS_IO, "no memory for the sources");
    if (status == STATUS_OK) status = open_all(run, extents, fault);
    if (status == STATUS_OK && !shard_plan_create(&run->shards, extents, run->list.count, shard_size(run)))
        status = fault_set(fault, STATUS_IO, "no memory for the sources");
    free(extents);
    return status;
}

void run_sources_close(struct run *run)
{
    run_objects_stop(&run->objects); /* streams wait for nothing then */
    shard_plan_destroy(&run->shards);
    for (size_t i = 0; i < run->source_count; i++)
        source_close(run->sources[i], &run->list.items[i], run_objects_port(&run->objects));
    free(run->sources);
    free(run->heads);
    run->sources = NULL;
    run->heads = NULL;
    run->source_count = 0;
    run_objects_close(&run->objects); /* its texts are the list's */
    source_list_free(&run->list);
}

/* ---- sizes ---- */

void run_sources_needs(const struct run *run, struct pipeline_needs *needs)
{
    needs->sources = run->list.count;
    needs->blocks_show = run->job.file_count != 0;
    needs->other += run->list.count * (uint64_t)RUN_SOURCE_BYTES;
    for (size_t i = 0; i < run->list.count; i++) {
        needs->has_forms = needs->has_forms || run->sources[i]->form != NULL;
        const struct source_item *const item = &run->list.items[i];
        bool const may_have_form = item->records != NULL || item->kind == SOURCE_KIND_STANDARD;
        uint64_t const bytes = source_stream_needs(item, run->window_log_max);
        if (item->kind == SOURCE_KIND_STANDARD) needs->other += source_front_memory(run->job.format);
        needs->stream_sources += bytes != 0;
        needs->stream_forms =
            needs->stream_forms || (bytes != 0 && may_have_form && run->job.format != FORM_CHOICE_NDJSON);
        if (bytes > needs->stream_bytes) needs->stream_bytes = bytes;
    }
}

void run_sources_plan(struct run *run, uint64_t memory)
{
    struct fetch_request request = {.memory = memory,
                                    .connections = run->objects.connections,
                                    .receive_buffer = run->objects.receive_buffer,
                                    .threads = run->pipeline.threads,
                                    .buckets = run->objects.count,
                                    .shard = run->shards.shard_bytes};
    uint32_t streams = 0;
    for (size_t i = 0; i < run->list.count; i++) {
        const struct source_item *const item = &run->list.items[i];
        if (item->object == NULL) continue;
        bool const is_shelved = source_open_anywhere(item, shares_frames(run));
        request.shelved += is_shelved ? item->object->size : 0;
        request.objects += is_shelved;
        streams += !is_shelved;
        if (is_shelved && item->kind == SOURCE_KIND_PACKED) { /* alone */
            request.shard = 0;
            request.wish = SOURCE_FRAMES_RUN_BYTES + RUN_FRAME_BYTES;
        }
    }
    request.streams = streams < run->pipeline.threads + 1 ? streams : run->pipeline.threads + 1;
    fetch_plan_make(&request, &run->objects.plan);
}

uint64_t run_sources_read_ahead(struct run *run, uint64_t memory)
{
    size_t const read = source_direct_fit(memory);
    if (!run_sources_are_direct(run)) return 0;
    for (size_t i = 0; i < run->source_count; i++)
        if (is_direct(run, i)) source_file_read_ahead(run->sources[i], read);
    return SOURCE_DIRECT_BYTES(read);
}

enum status run_sources_start(struct run *run, struct fault *fault)
{
    return run->objects.fetch == NULL ? STATUS_OK
                                      : fetch_start(run->objects.fetch, &run->objects.plan, fault);
}

/* Stored bytes of a frame at most whose end is looked for. Of an object, the ranges in which the decoders'
 * runs lie have to be held, and those where they begin and end. */
static uint64_t longest_frame(const struct run *run, uint32_t decoders)
{
    const struct fetch_plan *const plan = &run->objects.plan;
    const struct source_object *const object = run->list.items[0].object;
    if (object == NULL || object->size <= plan->slots * (uint64_t)plan->range_bytes)
        return SOURCE_FRAMES_WALK_MAX;
    if (plan->slots <= decoders + 1) return 0;
    uint64_t const each = (plan->slots - decoders - 1) * (uint64_t)plan->range_bytes / decoders;
    uint64_t const longest = each > SOURCE_FRAMES_RUN_BYTES ? each - SOURCE_FRAMES_RUN_BYTES : 0;
    return longest < SOURCE_FRAMES_WALK_MAX ? longest : SOURCE_FRAMES_WALK_MAX;
}

static void share_stream(struct run *run, uint32_t decoders, size_t pieces, uint64_t longest)
{
    struct source_stream_share const share = {.decoders = decoders,
                                              .pieces = pieces,
                                              .piece_bytes = run->pipeline.sizes.stream_block,
                                              .swaps = run->job.file_count == 0, /* else blocks show */
                                              .walk_max = longest,
                                              .tracks = run_tracks_beside(run, "decoder", decoders)};
    source_stream_share(run->sources[0], &share);
}

/* As many decoders as there are converters; of several files, each has its own. Half of what is left goes to
 * windows, the other to text that waits. */
static void share_frames(struct run *run, uint64_t left)
{
    uint32_t const decoders = run_threads(run->options);
    uint64_t const beside = source_frames_memory(decoders, run->window_log_max);
    size_t const block = run->pipeline.sizes.stream_block;
    size_t const pieces = beside < left ? source_frames_pieces(decoders, block, left - beside) : 0;
    uint64_t const longest = longest_frame(run, decoders);
    if (shares_frames(run) && pieces > 0 && longest > 0) share_stream(run, decoders, pieces, longest);
}

/* Later frames may ask for larger windows than the first ones. */
void run_sources_widen(struct run *run, uint64_t left)
{
    uint64_t const streams = streams_open(run);
    if (streams == 0) return;
    uint64_t const open = run->list.count == 1 ? run_threads(run->options) : streams;
    uint64_t const taken = streams * source_stream_memory(UNPACK_ZSTD, run->window_log_max);
    unsigned window_log = UNPACK_WINDOW_LOG_MOST;
    while (window_log > run->window_log_max &&
           open * source_stream_memory(UNPACK_ZSTD, window_log) > taken + left / 2)
        window_log--;
    run->window_log_max = window_log;
    for (size_t i = 0; i < run->source_count; i++)
        if (run->sources[i]->stream != NULL) source_stream_allow_window(run->sources[i], window_log);
    if (run->sources[0]->stream != NULL) share_frames(run, left);
}

uint64_t run_sources_text(const struct run *run)
{
    uint64_t text = 0;
    for (size_t i = 0; i < run->list.count; i++) {
        const struct source_item *const item = &run->list.items[i];
        if (item->kind == SOURCE_KIND_STANDARD) return 0;
        text += item->stamp.size * (item->form == UNPACK_PLAIN ? 1 : RUN_TEXT_RATIO);
    }
    return text;
}

/* ---- samples ---- */

/* In place of source `i`, the first records of it; how many are left then is only known by reading it.
 * Standard input can't be read twice: what follows it is left out. */
static enum status sample_stream(struct run *run, size_t i, uint64_t *records,
                                 enum status (*interrupted)(void), struct fault *fault)
{
    struct stream *const whole = run->sources[i]->stream;
    stream_head_start(&run->heads[i], whole, *records);
    run->sources[i]->stream = &run->heads[i].port;
    if (i + 1 == run->source_count) return STATUS_OK;
    if (run->list.items[i].kind != SOURCE_KIND_STANDARD)
        return sample_count_stream(whole, run->job.max_record, records, interrupted, fault);
    *records = 0;
    return STATUS_OK;
}

/* What was read to find where the sample ends is read again, and no more than that. */
static void cut_objects(struct run *run)
{
    for (size_t i = 0; i < run->source_count; i++)
        if (run->list.items[i].object != NULL && run->sources[i]->stream == NULL)
            fetch_cut(run->sources[i], run->shards.sources[i].size);
    fetch_restart(run->objects.fetch);
}

enum status run_sources_sample(struct run *run, uint64_t records, enum status (*interrupted)(void),
                               struct fault *fault)
{
    struct shard_plan cut;
    struct shard_source *const extents = run->shards.sources;
    run->heads = calloc(run->source_count, sizeof *run->heads);
    if (run->heads == NULL) return fault_set(fault, STATUS_IO, "no memory for the sources");
    for (size_t i = 0; i < run->source_count; i++) {
        struct source *const source = run->sources[i];
        enum status const status = source->stream != NULL
                                       ? sample_stream(run, i, &records, interrupted, fault)
                                       : sample_cut(source, &extents[i], &records, interrupted, fault);
        if (status != STATUS_OK) return status;
    }
    if (!shard_plan_create(&cut, extents, run->source_count, run->shards.shard_bytes))
        return fault_set(fault, STATUS_IO, "no memory for the sources");
    shard_plan_destroy(&run->shards);
    run->shards = cut;
    if (run->objects.fetch != NULL) cut_objects(run);
    return STATUS_OK;
}

/* ---- afterwards ---- */

void run_sources_count(struct run *run)
{
    run->input_bytes = 0;
    for (size_t i = 0; i < run->source_count; i++)
        run->input_bytes += run->sources[i]->stream == NULL ? run->shards.sources[i].size
                                                            : source_stream_stored(run->sources[i]);
}

enum status run_sources_check(const struct run *run, struct fault *fault)
{
    for (size_t i = 0; i < run->source_count; i++) {
        enum status const changed =
            source_check(run->sources[i], &run->list.items[i], run_objects_port(&run->objects), fault);
        if (changed != STATUS_OK) return changed;
    }
    return STATUS_OK;
}

static bool is_source(const struct source_item *item, const struct stat *file)
{
    struct stat source;
    int const done =
        item->kind == SOURCE_KIND_STANDARD ? fstat(STDIN_FILENO, &source) : stat(item->path, &source);
    return done == 0 && source.st_dev == file->st_dev && source.st_ino == file->st_ino;
}

static enum status say_source(const char *place, struct fault *fault)
{
    return fault_set(fault, STATUS_JOB,
                     "%.400s: is a source, which destination.if_exists: replace would overwrite; give the "
                     "delivery other names or another place",
                     place);
}

static enum status spare_objects(const struct run *run, const char *name, struct fault *fault)
{
    const struct s3_url *const to = &run->destination.place;
    char place[PATH_MAX];
    int const length = snprintf(place, sizeof place, "s3://%s/%s%s", to->bucket, to->key, name);
    if (length < 0 || (size_t)length >= sizeof place) return STATUS_OK;
    for (size_t i = 0; i < run->list.count; i++)
        if (strcmp(run->list.items[i].path, place) == 0) return say_source(place, fault);
    return STATUS_OK;
}

enum status run_sources_spare(void *context, const char *name, struct fault *fault)
{
    const struct run *const run = context;
    char place[PATH_MAX];
    struct stat file;
    if (run->job.destination.if_exists != JOB_EXISTS_REPLACE || run->destination.kind == DESTINATION_NULL)
        return STATUS_OK;
    if (run->destination.kind == DESTINATION_S3) return spare_objects(run, name, fault);
    int const length = snprintf(place, sizeof place, "%s/%s", run->destination.url, name);
    if (length < 0 || (size_t)length >= sizeof place || stat(place, &file) != 0) return STATUS_OK;
    for (size_t i = 0; i < run->list.count; i++)
        if (is_source(&run->list.items[i], &file)) return say_source(place, fault);
    return STATUS_OK;
}

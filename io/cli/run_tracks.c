/* run_tracks.c - see the header. Thread: main. The tracks are the run's. */
#include "io/cli/run_tracks.h"

#include "io/cli/machine.h"
#include "io/cli/version.h"
#include "io/output/trace.h"
#include "io/s3/s3_plan.h"

#include <stdlib.h>
#include <string.h>

/* Main stands behind the workers. */
static size_t count_of(const struct run *run)
{
    return (size_t)run->pipeline.threads + 1;
}

static uint32_t spans_of(const struct run *run)
{
    return run->trace_path == NULL ? 0 : TRACK_SPANS_MAX;
}

/* Threads beside that are made when memory was planned: decoders, and those of an upload. */
static size_t expected(const struct run *run)
{
    uint32_t const connections =
        run->options->connections == 0 ? S3_CONNECTIONS_DEFAULT : run->options->connections;
    bool const uploads = run->destination.kind == DESTINATION_S3;
    return run->pipeline.threads +
           (uploads ? (connections + S3_CONNECTIONS_A_THREAD - 1) / S3_CONNECTIONS_A_THREAD : 0);
}

uint64_t run_tracks_memory(const struct run *run)
{
    size_t const beside = run->trace_path == NULL ? 0 : run->beside_count + expected(run);
    return (count_of(run) + beside) * (sizeof(struct track) + spans_of(run) * sizeof(struct track_span));
}

/* Zeroed; NULL: no memory. */
static struct track *make(size_t count)
{
    struct track *const tracks = aligned_alloc(_Alignof(struct track), count * sizeof(struct track));
    if (tracks != NULL) memset(tracks, 0, count * sizeof *tracks);
    return tracks;
}

static void free_tracks(struct track *tracks, size_t count)
{
    for (size_t t = 0; t < count; t++)
        track_free(&tracks[t]);
    free(tracks);
}

static void close_pipeline(struct run *run)
{
    free_tracks(run->pipeline.tracks, run->track_count);
    run->pipeline.tracks = NULL;
    run->track_count = 0;
}

enum status run_tracks_start(struct run *run, struct fault *fault)
{
    close_pipeline(run);
    struct track *const tracks = make(count_of(run));
    if (tracks == NULL) return fault_set(fault, STATUS_IO, "no memory to measure the run");
    run->pipeline.tracks = tracks;
    run->track_count = count_of(run);
    for (size_t t = 0; t < run->track_count; t++)
        if (!track_init(&tracks[t], machine_now, spans_of(run)))
            return fault_set(fault, STATUS_IO, "no memory for a trace: run without PENSTOCK_TRACE");
    return STATUS_OK;
}

struct track *run_tracks_beside(struct run *run, const char *kind, uint32_t count)
{
    if (run->trace_path == NULL || run->beside_count == RUN_BESIDE_MAX) return NULL;
    struct track *const tracks = make(count);
    bool good = tracks != NULL;
    for (uint32_t t = 0; good && t < count; t++)
        good = track_init(&tracks[t], machine_now, spans_of(run));
    if (!good) {
        if (tracks != NULL) free_tracks(tracks, count);
        return NULL;
    }
    run->beside[run->beside_count++] = (struct run_beside){.kind = kind, .tracks = tracks, .count = count};
    return tracks;
}

void run_tracks_close(struct run *run)
{
    close_pipeline(run);
    for (uint32_t b = 0; b < run->beside_count; b++)
        free_tracks(run->beside[b].tracks, run->beside[b].count);
    run->beside_count = 0;
}

struct track *run_tracks_main(const struct run *run)
{
    return run->track_count == 0 ? NULL : &run->pipeline.tracks[run->track_count - 1];
}

struct stage_uses run_tracks_sum_up(const struct run *run)
{
    struct track sum = {.now = NULL};
    track_add(run->pipeline.tracks, run->track_count, &sum);
    uint64_t const elapsed = run->began == 0 ? 0 : machine_now() - run->began;
    return stage_sum_up(&sum, run->pipeline.threads, elapsed);
}

enum status run_tracks_check(const struct run *run, struct fault *fault)
{
    return run->trace_path == NULL ? STATUS_OK : trace_check(run->trace_path, run->run_id, fault);
}

/* The threads of all that are beside, numbered by kind. Those that never did anything are left out. */
static uint32_t list_beside(const struct run *run, struct trace_beside *list)
{
    uint32_t count = 0, number = 0;
    for (uint32_t b = 0; b < run->beside_count; b++) {
        const struct run_beside *const group = &run->beside[b];
        if (b == 0 || strcmp(group->kind, run->beside[b - 1].kind) != 0) number = 0;
        for (uint32_t t = 0; t < group->count; t++, number++)
            if (group->tracks[t].counted != 0)
                list[count++] =
                    (struct trace_beside){.kind = group->kind, .number = number, .track = &group->tracks[t]};
    }
    return count;
}

static struct trace_beside *make_list(const struct run *run, uint32_t *count)
{
    size_t room = 1;
    for (uint32_t b = 0; b < run->beside_count; b++)
        room += run->beside[b].count;
    struct trace_beside *const list = calloc(room, sizeof *list);
    *count = list == NULL ? 0 : list_beside(run, list); /* without memory, their lines are left out */
    return list;
}

void run_tracks_write(const struct run *run)
{
    struct fault fault;
    uint32_t count;
    if (run->trace_path == NULL || run->track_count == 0) return;
    struct trace_beside *const beside = make_list(run, &count);
    struct trace const trace = {.version = PENSTOCK_VERSION,
                                .run_id = run->run_id,
                                .began = run->started,
                                .tracks = run->pipeline.tracks,
                                .workers = run->pipeline.threads,
                                .beside = beside,
                                .beside_count = count};
    if (trace_write(&trace, run->trace_path, &fault) != STATUS_OK)
        log_warning(run->logger, "%s; the run stands", fault.message);
    free(beside);
}

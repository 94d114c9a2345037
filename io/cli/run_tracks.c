/* run_tracks.c - see the header. Thread: main. The tracks are the run's. */
#include "io/cli/run_tracks.h"

#include "io/cli/machine.h"
#include "io/cli/version.h"
#include "io/output/trace.h"

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

uint64_t run_tracks_memory(const struct run *run)
{
    return count_of(run) * (sizeof(struct track) + spans_of(run) * sizeof(struct track_span));
}

enum status run_tracks_start(struct run *run, struct fault *fault)
{
    size_t const bytes = count_of(run) * sizeof(struct track);
    run_tracks_close(run);
    struct track *const tracks = aligned_alloc(_Alignof(struct track), bytes);
    if (tracks == NULL) return fault_set(fault, STATUS_IO, "no memory to measure the run");
    memset(tracks, 0, bytes);
    run->pipeline.tracks = tracks;
    run->track_count = count_of(run);
    for (size_t t = 0; t < run->track_count; t++)
        if (!track_init(&tracks[t], machine_now, spans_of(run)))
            return fault_set(fault, STATUS_IO, "no memory for a trace: run without PENSTOCK_TRACE");
    return STATUS_OK;
}

void run_tracks_close(struct run *run)
{
    for (size_t t = 0; t < run->track_count; t++)
        track_free(&run->pipeline.tracks[t]);
    free(run->pipeline.tracks);
    run->pipeline.tracks = NULL;
    run->track_count = 0;
}

struct track *run_tracks_main(const struct run *run)
{
    return run->track_count == 0 ? NULL : &run->pipeline.tracks[run->track_count - 1];
}

struct stage_uses run_tracks_sum_up(const struct run *run)
{
    struct track sum = {.now = NULL};
    track_add(run->pipeline.tracks, run->track_count, &sum);
    return stage_sum_up(&sum, run->pipeline.threads);
}

enum status run_tracks_check(const struct run *run, struct fault *fault)
{
    return run->trace_path == NULL ? STATUS_OK : trace_check(run->trace_path, run->run_id, fault);
}

void run_tracks_write(const struct run *run)
{
    struct fault fault;
    if (run->trace_path == NULL || run->track_count == 0) return;
    struct trace const trace = {.version = PENSTOCK_VERSION,
                                .run_id = run->run_id,
                                .began = run->started,
                                .tracks = run->pipeline.tracks,
                                .workers = run->pipeline.threads};
    if (trace_write(&trace, run->trace_path, &fault) != STATUS_OK)
        log_warning(run->logger, "%s; the run stands", fault.message);
}

/* run_pack.c - see the header. Thread: main. The crew is the run's, the compressor the destination's. */
#include "io/cli/run_pack.h"

#include "core/flow/pack_sink.h"
#include "io/cli/machine.h"
#include "io/cli/run_tracks.h"
#include "io/cli/signals.h"

bool run_is_packed(const struct run *run)
{
    return run->job.compression != JOB_COMPRESSION_NONE;
}

static struct pack_sink_options options_of(struct run *run, uint64_t hold)
{
    bool const zstd = run->job.compression == JOB_COMPRESSION_ZSTD;
    return (struct pack_sink_options){.kind = zstd ? PACK_ZSTD : PACK_GZIP,
                                      .unit = PACK_UNIT,
                                      .open = destination_open_files(&run->job),
                                      .hold = hold,
                                      .block_bytes = CHUNK_BYTES_MIN,
                                      .checksum = destination_checksum(&run->destination),
                                      .crew = &run->crew,
                                      .arrivals = &run->arrivals,
                                      .track = run_tracks_main(run),
                                      .now = machine_now,
                                      .interrupted = signals_caught};
}

uint64_t run_pack_memory(struct run *run, uint64_t hold)
{
    if (!run_is_packed(run)) return 0;
    struct pack_sink_options const options = options_of(run, hold);
    return pack_sink_memory(&options, run->pipeline.threads);
}

size_t run_pack_piece(const struct run *run)
{
    return run_is_packed(run) ? CHUNK_BYTES_MIN : run->pipeline.sizes.chunk;
}

enum status run_pack_open(struct run *run, struct fault *fault)
{
    struct destination *const destination = &run->destination;
    if (!run_is_packed(run)) return STATUS_OK;
    if (!crew_create(&run->crew, run->pipeline.threads))
        return fault_set(fault, STATUS_IO, "no memory to compress");
    run->pipeline.crew = &run->crew;
    struct pack_sink_options const options = options_of(run, destination->plan.hold);
    destination->sink = pack_sink_create(&options, destination->sink, fault);
    return destination->sink == NULL ? fault->status : STATUS_OK;
}

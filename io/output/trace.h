/* trace.h - the trace of a run: what each of its threads did when, as Chrome's trace-event JSON, which
 * Perfetto and chrome://tracing show.
 *
 * One thread a track: complete events ("X") named by act, categories "busy" and "waiting", times in
 * microseconds since the run began; `args` have the bytes, and the microseconds that no event inside it took
 * ("own"). `otherData` has the sums of all acts of the pipeline's threads, those of spans that were dropped
 * included, and their number; beside them the sums of each thread that serves these: what it does, they wait
 * for or never see, so that it does not count twice.
 *
 * Pointers are borrowed. Thread rule: one thread, when those of the tracks are joined. */
#ifndef PENSTOCK_IO_OUTPUT_TRACE_H
#define PENSTOCK_IO_OUTPUT_TRACE_H

#include "core/base/status.h"
#include "core/flow/track.h"

/* A thread beside the pipeline's: one that decodes frames, or moves bytes from or to S3. */
struct trace_beside {
    const char *kind; /* "decoder", ...: plain text */
    uint32_t number;  /* of its kind, from 0 */
    const struct track *track;
};

struct trace {
    const char *version, *run_id;
    uint64_t began;             /* what times count from, of the tracks' clock */
    const struct track *tracks; /* of each worker, and of the main thread behind them */
    uint32_t workers;
    const struct trace_beside *beside;
    uint32_t beside_count;
};

/* As output_whole.h says; a file that is neither empty nor a trace is not replaced. */
enum status trace_write(const struct trace *trace, const char *path, struct fault *fault);
enum status trace_check(const char *path, const char *run_id, struct fault *fault);

#endif

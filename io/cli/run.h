/* run.h - what a run of `export` or `check` is made of, and the steps that lead up to its first record:
 *
 *   job -> plan -> destination's kind -> sources -> memory -> destination
 *
 * Each step fills its part of struct run; run_close() takes whatever is there. Thread: main. */
#ifndef PENSTOCK_IO_CLI_RUN_H
#define PENSTOCK_IO_CLI_RUN_H

#include "core/flow/pipeline.h"
#include "core/flow/stream_head.h"
#include "io/cli/destination.h"
#include "io/cli/log.h"
#include "io/cli/options.h"
#include "io/cli/run_objects.h"
#include "io/input/source_list.h"
#include "io/output/output_name.h"
#include "io/output/spool_file.h"

/* Threads beside the pipeline's: of each source bucket's client, of the upload's, of a decoder of frames. */
#define RUN_BESIDE_MAX (RUN_OBJECTS_BUCKETS_MAX + 2)

struct run_beside {
    const char *kind;     /* borrowed */
    struct track *tracks; /* one for each thread */
    uint32_t count;
};

/* The first record in input order that failed. */
struct run_failed {
    const char *source; /* a source's name, as long as it is there; NULL: none did */
    uint64_t line;
    enum defect code;
};

struct run {
    const struct options *options;
    const struct log *logger;
    struct job job;
    struct arena arena;
    struct plan plan;
    struct convert_rules rules;
    struct run_objects objects; /* what reads sources on S3 */
    struct source_list list;
    struct source **sources; /* of the list's items */
    size_t source_count;
    unsigned window_log_max;   /* of zstd frames: what there is memory for */
    struct stream_head *heads; /* of --sample: one for each source; NULL: none */
    struct shard_plan shards;
    struct output_place place; /* the destination's URL in two: segments have folders of their own */
    struct destination destination;
    struct spool_file spool; /* made only when a run that deduplicates has no more memory for rows */
    struct wait arrivals;    /* what main sleeps on */
    bool can_wait;
    struct crew crew; /* with files.compression */
    struct pipeline_options pipeline;
    size_t track_count;                       /* of pipeline.tracks; 0: none yet */
    const char *trace_path;                   /* PENSTOCK_TRACE; NULL: no trace */
    struct run_beside beside[RUN_BESIDE_MAX]; /* for the trace */
    uint32_t beside_count;
    bool pins;                   /* PENSTOCK_PIN=numa */
    struct machine_nodes *nodes; /* of the machine, with `pins`; else NULL */
    uint8_t *node_of;            /* each worker's, likewise */
    const char *rejects_path;
    struct job_budget budget;
    struct run_failed first_failed; /* set by run_convert() */
    uint64_t visitor_bytes; /* memory of what sees a thread's records in place of rows (rules.visits) */
    char run_id[OPTIONS_RUN_ID_MAX + 1];
    int64_t run_time; /* seconds since 1970 */
    int64_t started_milliseconds;
    uint64_t started;
    uint64_t began;       /* to convert; 0: not yet */
    uint64_t input_bytes; /* of the sources as stored; standard input counts when it was read */
};

/* Takes the options in, sets id and time. */
enum status run_start(struct run *run, const struct options *options, const struct log *logger,
                      struct fault *fault);
/* All steps up to memory; nothing outside was touched yet but sources opened. */
enum status run_prepare(struct run *run, struct fault *fault);
enum status run_open_destination(struct run *run, struct fault *fault);
/* Of a command that only reads, and has no job file: sources and memory. No record fails for its values, none
 * is dropped. `visitor_bytes`: for each thread. There are fewer threads than CPUs where memory is short. */
enum status run_prepare_reading(struct run *run, uint64_t visitor_bytes, struct fault *fault);
/* Leaves the first `options->sample` records of the sources; 0: all. */
enum status run_cut_to_sample(struct run *run, struct fault *fault);
/* Closes destination and sources: no other thread of the run is there any more. */
void run_stop(struct run *run);
void run_close(struct run *run); /* stops it, too */
/* What flags say, or else the machine. */
uint32_t run_threads(const struct options *options);
uint64_t run_memory_limit(const struct options *options);

#endif

/* s3_flight.h - struct s3_engine, and what its thread does with calls that are sent: attempts, hedges, ends.
 * Thread rule: everything but what says "main's" is the engine's thread's. Private to io/s3's engine. */
#ifndef PENSTOCK_IO_S3_S3_FLIGHT_H
#define PENSTOCK_IO_S3_S3_FLIGHT_H

#include "core/flow/ring.h"
#include "io/s3/s3_engine.h"
#include "io/s3/s3_task.h"

#define S3_NANOSECONDS_A_MS UINT64_C(1000000)
/* How often parts on their way are looked at for a hedge: fine enough for limits of 700 ms and more. */
#define S3_HEDGE_LOOK_MS 100u

struct track;

struct s3_engine {
    struct ring calls, results;
    struct s3_shared *shared;
    uint32_t index;
    pthread_t thread; /* main's */
    bool started;     /* main's */
    struct http *http;
    struct track *track; /* NULL: none */
    struct aws_signer *signer;
    uint32_t parts_most, others_most;
    /* the thread's */
    struct s3_tasks parts, others, waiting, flying;
    uint32_t parts_flying, others_flying;
    struct s3_attempt *ended, *ended_last; /* transfers that ended in this turn */
    struct s3_endpoint endpoint;
    uint64_t endpoint_version;
    uint64_t random, hedges_at;
    bool wishes;  /* has a ticket for the window */
    bool arrived; /* results that main was not told of */
};

/* Starts what may start now: hedges, parts as the window allows, other calls. */
void s3_flight_send(struct s3_engine *engine);
/* Judges the transfers that ended. */
void s3_flight_settle(struct s3_engine *engine);
/* Ends a task that is in any list: its call is cancelled. */
void s3_flight_cancel(struct s3_engine *engine, struct s3_task *task);
/* Puts a task that is in no list where it belongs. */
void s3_flight_place(struct s3_engine *engine, struct s3_task *task, enum s3_next next);
/* Is it for the window, or a small call? */
bool s3_flight_is_part(const struct s3_task *task);

#endif

/* s3_shared.h - what the threads of a client share: endpoint, region, clock, window, budget, hedges,
 * counters.
 *
 * What one call learns from a reply (the bucket's region, the server's clock) holds for all that come after
 * it. Private to io/s3's client and engines.
 *
 * The window is entered in turns: an engine that was refused has a ticket, and who comes later gets in only
 * while there is room for all older tickets. So one busy engine can't keep another one's parts out for ever.
 *
 * Thread rule: s3_shared_*() take the mutex, any thread may call them, but for start and stop (main, while no
 * engine runs). The atomic orders are written by main and read by engines. */
#ifndef PENSTOCK_IO_S3_S3_SHARED_H
#define PENSTOCK_IO_S3_S3_SHARED_H

#include "io/aws/aws_provider.h"
#include "io/s3/s3_client.h"
#include "io/s3/s3_hedge.h"
#include "io/s3/s3_window.h"

#include <pthread.h>
#include <stdatomic.h>

/* One engine for S3_CONNECTIONS_A_THREAD connections: 16 do for S3_CONNECTIONS_MAX; room for more. */
#define S3_ENGINES_MAX 64u
/* A clock that is off by less can't be why S3 refuses a signature (it allows 15 minutes). */
#define S3_CLOCK_STEP_MS 60000

/* Times of the engine, apart so that tests need not wait. */
struct s3_limits {
    uint32_t connect_ms;
    uint32_t stall_seconds;  /* aws-c-s3 gives a silent connection up after as long */
    uint32_t delay_percent;  /* of s3_retry.h's back-offs */
    uint32_t renew_step_ms;  /* how often new credentials are asked for ... */
    uint32_t renew_most_ms;  /* ... and how long */
    uint32_t renew_again_ms; /* a refresh that failed is asked for again after as long */
    uint32_t hedge_ms;       /* in place of s3_hedge.h's limit; 0: that one */
};

extern const struct s3_limits s3_limits_usual;

struct s3_shared {
    struct s3_client_options options; /* texts are borrowed */
    struct s3_limits limits;
    struct aws_provider *provider;
    struct http *https[S3_ENGINES_MAX]; /* for wake-ups; set before the threads start */
    uint32_t engines;

    pthread_mutex_t mutex;
    /* guarded by it: */
    char region[S3_REGION_MAX + 1];
    struct s3_endpoint_rules rules;
    struct s3_endpoint endpoint;
    uint64_t endpoint_version; /* from 1, grows with each change */
    int64_t clock_offset_ms;   /* the server's clock less ours */
    struct s3_window window;
    struct s3_hedge hedge;
    struct s3_retry_budget budget;
    struct s3_client_stats stats;
    bool reached;                     /* the host answered once */
    bool echo_seen;                   /* the store knows our kind of checksum */
    double part_ms, part_bytes;       /* of the newest parts, for their usual time; 0: not known */
    uint64_t tickets;                 /* given so far */
    uint64_t waiting[S3_ENGINES_MAX]; /* an engine's ticket; 0: it does not wait */

    /* main's orders, looked at by engines once a turn */
    _Atomic bool stop, cancel_all;
    _Atomic(struct s3_call *) cancel_one;
    _Atomic uint64_t hurry; /* options.now()'s time after which no attempt is repeated; 0: none */
};

/* `shared` is zeroed; options, limits, engines, rules and region are set. Resolves the endpoint. */
enum status s3_shared_start(struct s3_shared *shared, struct fault *fault);
void s3_shared_stop(struct s3_shared *shared);

/* May engine `k` send one more part? If not it is woken when it may. */
bool s3_shared_enter(struct s3_shared *shared, uint32_t k);
void s3_shared_leave(struct s3_shared *shared, uint32_t k);
void s3_shared_no_wish(struct s3_shared *shared, uint32_t k); /* engine `k` has no part to send */

/* Copies the endpoint if it is newer than `*version`. */
void s3_shared_endpoint(const struct s3_shared *shared, struct s3_endpoint *copy, uint64_t *version);
/* A request that was signed for `used` is told to go to `region`. True: try again with the endpoint of now.
 */
bool s3_shared_learn_region(struct s3_shared *shared, const char *used, const char *region);

int64_t s3_shared_clock_offset(struct s3_shared *shared);
/* The server's clock was `offset` ahead of ours when a request failed that was made with `used`. True: try
 * again with the offset of now. */
bool s3_shared_learn_clock(struct s3_shared *shared, int64_t used, int64_t offset);

/* Did any answer bring our kind of checksum? `seen`: this one did. */
bool s3_shared_echo(struct s3_shared *shared, bool seen);
/* Did the host ever answer? `now`: it did now. */
bool s3_shared_reached(struct s3_shared *shared, bool now);

/* A part of `bytes` was taken after `ms`. */
void s3_shared_part_done(struct s3_shared *shared, uint64_t bytes, uint32_t ms);
void s3_shared_done(struct s3_shared *shared, bool was_repeat);
void s3_shared_throttled(struct s3_shared *shared, bool windowed);
void s3_shared_stats(const struct s3_shared *shared, struct s3_client_stats *stats);
void s3_shared_sent(struct s3_shared *shared, uint64_t bytes);
/* Is the run ending, so that nothing is tried again? */
bool s3_shared_hurried(const struct s3_shared *shared);
bool s3_shared_repeat(struct s3_shared *shared, enum s3_verdict verdict); /* false: the budget is used up */
void s3_shared_hedged(struct s3_shared *shared);
/* Milliseconds after which a part of `bytes` is sent a second time; 0: never. */
uint32_t s3_shared_hedge_after(struct s3_shared *shared, uint64_t bytes);

#endif

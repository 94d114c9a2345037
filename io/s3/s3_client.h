/* s3_client.h - calls to one bucket: signed, retried, many at once, over uploader threads.
 *
 *    main thread                                 uploader thread k (s3_engine.c), k = 0 .. threads-1
 *    s3_client_submit(call)  --- ring --->       waiting -> window -> attempt (sign, HTTP) -> verdict
 *    s3_client_reap()        <-- ring ---        done <- back-off, hedge, new region, clock, credentials <-
 *
 * A call is one operation until it succeeded or failed for good. Attempts: s3_retry.h; one send window for
 * the parts of all threads: s3_window.h; slow parts are hedged: s3_hedge.h. Endpoint and region that a reply
 * teaches, and the clock's offset, hold for all calls after it. A part's answer is good only if it echoes our
 * checksum and brings an ETag; a store that never echoes one fails with a message that names
 * destination.checksum.
 *
 * Thread rule: create, submit, reap, run, cancel, destroy by one thread (main). Finished calls wake
 * `arrivals`. Ownership: a call and all its operation points at stay valid and unchanged from submit until
 * reap gave it back. */
#ifndef PENSTOCK_IO_S3_S3_CLIENT_H
#define PENSTOCK_IO_S3_S3_CLIENT_H

#include "core/flow/wait.h"
#include "io/aws/aws_config.h"
#include "io/s3/s3_op.h"
#include "io/s3/s3_retry.h"

#include <stdbool.h>
#include <stdint.h>

struct s3_client;
struct track;

struct s3_client_options {
    const struct aws_config *config; /* loaded; outlives the client */
    const char *bucket;
    const char *region;             /* job's; NULL: config's, else what the bucket says */
    const char *endpoint;           /* job's; NULL: config's, else AWS's own */
    enum aws_addressing addressing; /* job's; AUTO: config's */
    const char *expected_owner;     /* account_id; NULL: not sent */
    enum checksum_kind checksum;    /* for messages about stores that don't know it; ops say their own */
    uint32_t connections, threads;
    size_t receive_buffer; /* of each connection: S3_RECEIVE_SMALL, LARGE; 0: SMALL */
    struct track *tracks; /* of each thread, written until destroy returned (core/flow/track.h); NULL: none */
    const char *user_agent;
    bool is_source;                   /* it is read from: no such bucket is STATUS_NO_SOURCE then */
    struct wait *arrivals;            /* woken when a call is done */
    enum status (*interrupted)(void); /* asked while main waits in here; STATUS_OK: go on; may be NULL */
    uint64_t (*now)(void);            /* nanoseconds of CLOCK_MONOTONIC: wait.h sleeps by it */
    int64_t (*wall_milliseconds)(void);
};

struct s3_call {
    struct s3_op op;
    struct s3_answer answer; /* of the attempt that counted; s3_call_free() */
    enum s3_verdict verdict; /* S3_DONE, or why it failed for good */
    enum status
        status; /* what a run ends with for it: 0, 73, 74, 75, 77, 78 (a source: the caller's matter) */
    struct fault fault; /* operation, URL, what the server said, request ids, the remedy */
    uint32_t attempts;
    bool uncertain; /* an attempt before may have been carried out: its reply was lost (complete, put) */
    void *owner;    /* the caller's */
    /* the client's: */
    void *state;
    struct s3_call *next;
};

struct s3_client_stats {
    uint64_t retries, throttles, hedges, bytes_sent;
};

/* Loads credentials, resolves the endpoint, asks HEAD Bucket when the region is not known (or when `probe`),
 * starts the threads. STATUS_RIGHTS, STATUS_JOB (no such bucket), STATUS_TRY_AGAIN, ... A HEAD that is denied
 * ends it with `probe` only: the right to put objects does not need the one to list them, and the region is
 * told all the same. */
struct s3_client *s3_client_create(const struct s3_client_options *options, bool probe, struct fault *fault);
/* Cancels what runs, joins the threads. Takes NULL. */
void s3_client_destroy(struct s3_client *client);

/* Hands a call on. Never waits; the number of calls out is bounded by memory only. */
void s3_client_submit(struct s3_client *client, struct s3_call *call);
/* The next finished call in any order, NULL: none now. */
struct s3_call *s3_client_reap(struct s3_client *client);
/* Would it give one? To be asked between wait_prepare() and wait_sleep_until() on `arrivals`. */
bool s3_client_ready(struct s3_client *client);
/* Calls submitted and not reaped. */
size_t s3_client_out(const struct s3_client *client);
/* Submits one call and waits for it, leaving other finished calls for s3_client_reap(). When the person
 * interrupts, the call is cancelled: status STATUS_INTERRUPTED or STATUS_TERMINATED. `uninterrupted`: not
 * even then (abort). */
enum status s3_client_run(struct s3_client *client, struct s3_call *call, bool uninterrupted);
/* A refused HEAD has no body that says why. Asks a question whose answer has one (ListMultipartUploads); when
 * it is the keys, the session, the clock, the region or the bucket that is wrong, the call takes over that
 * verdict, status and fault. Other calls, and other refusals, stay as they are. Waits for the network; for
 * calls that failed. */
void s3_client_explain(struct s3_client *client, struct s3_call *call);
/* Waits until a finished call can be reaped, at most 200 ms. */
void s3_client_wait(struct s3_client *client);
/* Cancels every call that is out: each comes back by reap with verdict S3_FATAL and status STATUS_INTERRUPTED
 * (its spans are not read any more then). Returns when all are ready to be reaped. */
void s3_client_cancel(struct s3_client *client);
/* Gives up sooner: from now on a call fails at its first failed attempt that is later than `ms` from now. */
void s3_client_hurry(struct s3_client *client, uint32_t ms);

void s3_client_stats(const struct s3_client *client, struct s3_client_stats *stats);
const struct s3_endpoint *s3_client_endpoint(const struct s3_client *client);
const char *s3_client_credentials_name(const struct s3_client *client);
void s3_call_free(struct s3_call *call); /* what it holds inside; not the call */

#endif

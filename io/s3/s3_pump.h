/* s3_pump.h - calls of any thread to a client, which is main's.
 *
 *    worker                         main                                    uploader threads
 *    s3_pump_submit(job)  --list--> s3_pump_turn(): s3_client_submit  --->
 *    s3_pump_await(job)   <--cond--                 s3_client_reap    <---
 *
 * Main turns the pump for as long as workers live, and sleeps in between on the client's `arrivals`, which
 * are woken by workers and by finished calls. No other calls of the client may be out meanwhile.
 *
 * Thread rule: submit and await by any thread, one a job; all else by main. Ownership: a job, and all that
 * its call points at, stays valid and unchanged from submit until await returned. */
#ifndef PENSTOCK_IO_S3_S3_PUMP_H
#define PENSTOCK_IO_S3_S3_PUMP_H

#include "io/s3/s3_client.h"

struct s3_pump_job {
    struct s3_call call;
    /* the pump's: */
    struct s3_pump_job *next;
    bool done;
};

struct s3_pump;

/* NULL: no memory. `arrivals` is that of the client's options. */
struct s3_pump *s3_pump_create(struct s3_client *client, struct wait *arrivals);
void s3_pump_destroy(struct s3_pump *pump); /* when no job is out; takes NULL */

void s3_pump_submit(struct s3_pump *pump, struct s3_pump_job *job);
/* Until the job's call is over: its verdict, status and fault then say how. */
void s3_pump_await(struct s3_pump *pump, struct s3_pump_job *job);

/* Passes on what workers submitted, and gives back what is finished. Never waits. */
void s3_pump_turn(struct s3_pump *pump);
/* Is there something to turn for? To be asked between wait_prepare() and wait_sleep_until(). */
bool s3_pump_has_work(struct s3_pump *pump);
/* Calls off what is out: from now on every job ends with STATUS_INTERRUPTED. */
void s3_pump_stop(struct s3_pump *pump);

#endif

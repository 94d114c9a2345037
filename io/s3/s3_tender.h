/* s3_tender.h - a thread that turns pumps (s3_pump.h) for runs whose main has other things to do.
 *
 *    worker, main                 tender                             uploader threads of each client
 *    s3_pump_submit(job) -->  s3_pump_turn() of every pump  <--->    ...
 *
 * The clients are the tender's from start to stop: nobody else calls them, but for their statistics.
 *
 * Thread rule: start and stop by main; no job may be out at stop, or its owner is told STATUS_INTERRUPTED. */
#ifndef PENSTOCK_IO_S3_S3_TENDER_H
#define PENSTOCK_IO_S3_S3_TENDER_H

#include "io/s3/s3_pump.h"

struct s3_tender_options {
    struct s3_pump *const *pumps; /* their clients' `arrivals` is that below; outlive the tender */
    size_t count;
    struct wait *arrivals;
    enum status (*interrupted)(void); /* asked five times a second: else than STATUS_OK calls off all jobs,
                                         from then on; NULL: never */
    uint64_t (*now)(void);            /* nanoseconds of CLOCK_MONOTONIC */
};

struct s3_tender;

/* NULL with the fault filled, STATUS_IO: no memory, no thread. `options` is copied. */
struct s3_tender *s3_tender_start(const struct s3_tender_options *options, struct fault *fault);
void s3_tender_stop(struct s3_tender *tender); /* calls off what is out, joins the thread; takes NULL */

#endif

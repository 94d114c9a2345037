/* verify_crew.h - threads that read while main turns the pump and looks for signals.
 *
 * Thread rule: main runs it. The work's functions run on threads of their own, in which all signals are
 * blocked. The first that fails decides; the others are told by `stop`. */
#ifndef PENSTOCK_IO_VERIFY_VERIFY_CREW_H
#define PENSTOCK_IO_VERIFY_VERIFY_CREW_H

#include "core/base/status.h"
#include "core/flow/wait.h"
#include "io/s3/s3_pump.h"

#include <stdatomic.h>
#include <stdint.h>

struct verify_crew {
    struct s3_pump *pump;             /* NULL: nothing is on S3 */
    struct wait *arrivals;            /* woken by the pump's workers, and when a thread ends */
    enum status (*interrupted)(void); /* asked five times a second; STATUS_OK: go on */
    uint64_t (*now)(void);            /* nanoseconds of CLOCK_MONOTONIC */
    _Atomic bool stop;                /* what the work looks at */
};

/* `thread` is from 0. Returns STATUS_INTERRUPTED when it was stopped. */
typedef enum status verify_work_fn(void *context, uint32_t thread, struct fault *fault);

/* Until all of `threads` have ended: STATUS_OK, the first failure, or what `interrupted` said. */
enum status verify_crew_run(struct verify_crew *crew, uint32_t threads, verify_work_fn *work, void *context,
                            struct fault *fault);

#endif

/* stage.h - the stages of a run: what each did and was waited for, and which one is the bottleneck.
 *
 *   read -> inflate -> convert -> compress     the workers': whoever has nothing else does what is due
 *                                      \
 *                                       deliver    the assembler's and the sink's ("upload" to S3, else
 * "write")
 *
 * The bottleneck is the stage that would have to be faster for the run to be. It is found by who stands still
 * for whom, since a stage that others do not wait for is fast enough, however busy it is:
 *
 * 1. deliver, when the workers stood still for it for a larger share of their time than the assembler for
 *    rows (or for what the workers compress) of its own, and the assembler was at work for half of its time
 * at least. (Workers that are ahead of a slow front source have no chunks left either, but then the assembler
 * has next to nothing to do.) What it takes behind the last row, the workers stand still for;
 * 2. else read or inflate, whichever took longer, when workers stood still for text of streams for more than
 *    a tenth of their time. A stream is read by one of them at a time, so that it can hold up many while it
 *    takes little of the time of all; less than a tenth is the first block of a short run;
 * 3. else where the workers spent most of their time.
 *
 * A thread's time is all of the run's, also what no act of its has: before it began, and while it had no CPU.
 * Where no worker did anything, there is no bottleneck.
 *
 * Pure. */
#ifndef PENSTOCK_CORE_FLOW_STAGE_H
#define PENSTOCK_CORE_FLOW_STAGE_H

#include "core/flow/track.h"

enum stage {
    STAGE_READ,
    STAGE_INFLATE,
    STAGE_CONVERT,
    STAGE_COMPRESS,
    STAGE_DELIVER,
    STAGE_COUNT,
    STAGE_NONE = STAGE_COUNT
};

struct stage_use {
    uint64_t busy;    /* nanoseconds of all threads in it */
    uint64_t waiting; /* nanoseconds of threads that stood still for it */
    uint64_t bytes;   /* that it was given; read: the text that it gave (inflate is inside of it) */
};

struct stage_uses {
    struct stage_use of[STAGE_COUNT];
    enum stage bottleneck; /* or STAGE_NONE */
};

/* `sum`: of all threads; `workers`: how many of them convert; `elapsed`: nanoseconds from before they began
 * to behind the delivery. */
struct stage_uses stage_sum_up(const struct track *sum, uint32_t workers, uint64_t elapsed);
/* Of a stage, as the report has it: read, inflate, convert, compress, upload or write. */
const char *stage_name(enum stage stage, bool uploads);

#endif

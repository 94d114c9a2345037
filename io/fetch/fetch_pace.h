/* fetch_pace.h - how many ranges are on their way ahead of who reads them. Pure.
 *
 * One, then two, four, ... with every range that is wanted first, up to all that there is room for. A far
 * store needs that: it answers after 30 ms, and each connection carries some 90 MB/s. A near one (this
 * machine, or the next one in the rack) is busy with a few; more fill memory that no cache holds any more
 * before it is read (measured on loopback, 644 MB in ranges of 4 MiB: 7 % of the run's CPU time, more than
 * half of its memory).
 *
 * A store is near when the first range that somebody waits for comes sooner than any far one can send it:
 * FETCH_NEAR_ANSWER and its bytes at FETCH_NEAR_RATE. It is far from then on when FETCH_LATE_MOST ranges one
 * behind the other were waited for FETCH_LATE times as long: its disks may be slower than what it had in
 * memory.
 *
 * Thread rule: none of its own. Owns nothing. */
#ifndef PENSTOCK_IO_FETCH_FETCH_PACE_H
#define PENSTOCK_IO_FETCH_FETCH_PACE_H

#include <stddef.h>
#include <stdint.h>

#define FETCH_NEAR_ANSWER UINT64_C(2000000) /* nanoseconds: a tenth of what S3 takes */
/* Bytes a second: ten times what a connection to S3 carries, and about what a reader converts. */
#define FETCH_NEAR_RATE UINT64_C(1000000000)
/* Ranges of a near store that are on their way at least; with many readers one for each, and two. */
#define FETCH_NEAR_REACH 4u
/* Those share what the store can give. */
#define FETCH_LATE      (2 * FETCH_NEAR_REACH)
#define FETCH_LATE_MOST 16u

enum fetch_distance { FETCH_UNKNOWN, FETCH_NEAR, FETCH_FAR };

struct fetch_pace {
    uint32_t reach; /* ranges that may be asked for ahead */
    uint32_t most;
    enum fetch_distance distance;
    uint32_t late; /* the last so many that were waited for took too long for a near store */
};

/* `most`: what there is room for. FETCH_UNKNOWN, or FETCH_FAR where nobody measures. */
void fetch_pace_start(struct fetch_pace *pace, uint32_t most, enum fetch_distance distance);
/* A range was wanted for the first time, while so many read. */
void fetch_pace_wanted(struct fetch_pace *pace, uint32_t readers);
/* Somebody waited for a range; it came so many nanoseconds after it had been asked for. */
void fetch_pace_took(struct fetch_pace *pace, size_t bytes, uint64_t nanoseconds);

#endif

/* fetch_pace.c - see the header. Pure. Owns nothing. */
#include "io/fetch/fetch_pace.h"

#define NANOSECONDS_A_SECOND UINT64_C(1000000000)

void fetch_pace_start(struct fetch_pace *pace, uint32_t most, enum fetch_distance distance)
{
    *pace = (struct fetch_pace){.reach = 1, .most = most, .distance = distance};
}

void fetch_pace_wanted(struct fetch_pace *pace, uint32_t readers)
{
    uint32_t limit = pace->most;
    if (pace->distance != FETCH_FAR) {
        uint32_t const near = readers + 2 > FETCH_NEAR_REACH ? readers + 2 : FETCH_NEAR_REACH;
        if (near < limit) limit = near;
    }
    if (pace->reach < limit) pace->reach *= 2;
}

void fetch_pace_took(struct fetch_pace *pace, size_t bytes, uint64_t nanoseconds)
{
    uint64_t const near = FETCH_NEAR_ANSWER + bytes * NANOSECONDS_A_SECOND / FETCH_NEAR_RATE;
    if (pace->distance == FETCH_UNKNOWN) pace->distance = nanoseconds < near ? FETCH_NEAR : FETCH_FAR;
    if (pace->distance == FETCH_FAR) return;
    pace->late = nanoseconds < FETCH_LATE * near ? 0 : pace->late + 1;
    if (pace->late == FETCH_LATE_MOST) pace->distance = FETCH_FAR;
}

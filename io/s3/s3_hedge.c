/* s3_hedge.c - a limit that follows the answers' times. Pure: no clock, no lock. Thread: whoever holds the
 * client's mutex. Owns nothing. */
#include "io/s3/s3_hedge.h"

#include <stdlib.h>

/* All figures: aws-c-s3, aws_s3_client_update_upload_part_timeout(). */
#define HEDGE_SAMPLES_LEAST 10u
#define HEDGE_LIMIT_LEAST   1000.0 /* ms; S3 answers within 0.2 s as a rule, 0.1 % take 5 s */
#define HEDGE_LIMIT_MOST    5000.0 /* ms; what is that slow anyway is not helped by sending more */
#define HEDGE_ABOVE_MEAN    700.0  /* ms */
#define HEDGE_FOLLOW        0.01
#define HEDGE_RISE          100.0  /* ms, when more than one part in HEDGE_OFTEN was hedged */
#define HEDGE_RISE_MUCH     1000.0 /* ms, ... in HEDGE_VERY_OFTEN */
#define HEDGE_OFTEN         1000u
#define HEDGE_VERY_OFTEN    100u

void s3_hedge_start(struct s3_hedge *hedge, uint32_t connections)
{
    uint32_t least = connections < HEDGE_SAMPLES_LEAST ? HEDGE_SAMPLES_LEAST : connections;
    if (least > S3_HEDGE_SAMPLES) least = S3_HEDGE_SAMPLES; /* P90 is of those that were kept */
    *hedge = (struct s3_hedge){.least_samples = least};
}

static int compare_times(const void *left, const void *right)
{
    uint32_t const a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The least time that nine in ten samples don't pass. Sorts them: their order has no more use. */
static double percentile_90(struct s3_hedge *hedge)
{
    qsort(hedge->times, hedge->kept, sizeof *hedge->times, compare_times);
    return hedge->times[(hedge->kept * 9 + 9) / 10 - 1];
}

static void set_limit(struct s3_hedge *hedge, double limit)
{
    hedge->limit_ms = limit;
    if (limit > HEDGE_LIMIT_MOST) hedge->off = true;
}

void s3_hedge_sample(struct s3_hedge *hedge, uint32_t answer_ms)
{
    hedge->samples++;
    hedge->since++;
    hedge->mean_ms += (answer_ms - hedge->mean_ms) / (double)hedge->samples;
    if (hedge->off) return;
    if (hedge->samples <= hedge->least_samples) hedge->times[hedge->kept++] = answer_ms;
    if (hedge->samples < hedge->least_samples) return;
    if (hedge->samples == hedge->least_samples) {
        double const slow = percentile_90(hedge);
        set_limit(hedge, slow < HEDGE_LIMIT_LEAST ? HEDGE_LIMIT_LEAST : slow);
        if (hedge->mean_ms > HEDGE_LIMIT_MOST) hedge->off = true;
        return;
    }
    set_limit(hedge,
              (1 - HEDGE_FOLLOW) * hedge->limit_ms + HEDGE_FOLLOW * (hedge->mean_ms + HEDGE_ABOVE_MEAN));
}

/* Is `part` more than one in `in` of `whole`? One is never too many: it may be the first of very many. */
static bool more_than(uint64_t part, uint64_t whole, uint64_t in)
{
    uint64_t const fine = whole / in + (whole % in != 0);
    return part > (fine == 0 ? 1 : fine);
}

void s3_hedge_count(struct s3_hedge *hedge)
{
    hedge->hedged++;
    hedge->hedged_since++;
    if (hedge->off || hedge->limit_ms == 0) return;
    double rise = 0;
    if (more_than(hedge->hedged_since, hedge->since, HEDGE_VERY_OFTEN))
        rise = HEDGE_RISE_MUCH;
    else if (more_than(hedge->hedged_since, hedge->since, HEDGE_OFTEN))
        rise = HEDGE_RISE;
    if (rise == 0) return;
    hedge->since = hedge->hedged_since =
        0; /* what was sent under the old limit says nothing of the new one */
    set_limit(hedge, hedge->limit_ms + rise);
}

uint32_t s3_hedge_limit(const struct s3_hedge *hedge)
{
    return hedge->off ? 0 : (uint32_t)hedge->limit_ms; /* 0, or from 700 to 5000 */
}

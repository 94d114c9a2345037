/* s3_hedge.h - when a part is so slow that sending it once more, on another connection, pays.
 *
 * After aws-c-s3: as soon as max(10, connections) parts are done, a part whose answer has not come `limit`
 * after its last byte was sent (or that takes `limit` more than the usual whole time) is sent a second time;
 * whichever answers first counts, the other is cancelled. limit starts at max(1 s, P90 of the answers'
 * times), is moved 1 % towards (mean + 700 ms) by each sample, rises by 100 ms when more than 0.1 % of the
 * parts were hedged and by 1 s when more than 1 %, and above 5 s hedging stops. Sending a part again is
 * harmless: the same number is replaced by the same bytes. Pure; times in milliseconds. Thread rule: guarded
 * by the client's mutex. */
#ifndef PENSTOCK_IO_S3_S3_HEDGE_H
#define PENSTOCK_IO_S3_S3_HEDGE_H

#include <stdbool.h>
#include <stdint.h>

#define S3_HEDGE_SAMPLES 1024u /* kept for P90 while there are few */

struct s3_hedge {
    uint32_t least_samples;
    uint64_t samples, hedged;
    uint64_t since, hedged_since; /* the same, since the limit rose last: what rates are taken of */
    double mean_ms, limit_ms;     /* limit 0: not known yet */
    bool off;
    uint32_t kept;
    uint32_t times[S3_HEDGE_SAMPLES];
};

void s3_hedge_start(struct s3_hedge *hedge, uint32_t connections);
void s3_hedge_sample(struct s3_hedge *hedge, uint32_t answer_ms); /* from the last byte sent to the answer */
void s3_hedge_count(struct s3_hedge *hedge);                      /* one more was sent twice */
/* Milliseconds without an answer after which to hedge; 0: don't. */
uint32_t s3_hedge_limit(const struct s3_hedge *hedge);

#endif

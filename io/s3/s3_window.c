/* s3_window.c - additive increase, multiplicative decrease of the number of parts on their way. Pure: no
 * clock, no lock. Thread: whoever holds the client's mutex. Owns nothing. */
#include "io/s3/s3_window.h"

/* CUBIC's factor (RFC 9438), botocore's adaptive mode too. */
#define WINDOW_CUT 0.7
/* The requests of one burst were sent before any of them could know; S3 answers a 503 within a second. */
#define WINDOW_CUT_EVERY_MS 1000u
/* Beyond the size that was too much once, one more request in ten windows' worth of successes: at 0.3 s a
 * part that asks for more every 3 s. */
#define WINDOW_PROBE 0.1

void s3_window_start(struct s3_window *window, uint32_t connections)
{
    uint32_t const most = connections == 0 ? 1 : connections;
    *window = (struct s3_window){.size = most, .most = most};
}

uint32_t s3_window_size(const struct s3_window *window)
{
    return (uint32_t)window->size; /* from 1 to `most` */
}

bool s3_window_enter(struct s3_window *window)
{
    if (window->flying >= s3_window_size(window)) return false;
    window->flying++;
    return true;
}

void s3_window_leave(struct s3_window *window)
{
    if (window->flying > 0) window->flying--;
}

void s3_window_success(struct s3_window *window)
{
    bool const known = window->ceiling_seen == 0 || window->size < window->ceiling_seen;
    window->size += (known ? 1.0 : WINDOW_PROBE) / window->size;
    if (window->size > window->most) window->size = window->most;
}

void s3_window_throttled(struct s3_window *window, uint64_t now_ms)
{
    /* threads read the clock before they take the mutex, so `now` may lie a little before the last cut */
    bool const same_burst =
        window->was_cut && (now_ms < window->cut_at_ms || now_ms - window->cut_at_ms < WINDOW_CUT_EVERY_MS);
    if (!same_burst) {
        window->was_cut = true;
        window->cut_at_ms = now_ms;
        window->ceiling_seen = window->size;
    }
    /* What it grew since the cut was too much already: else the few successes of a server that takes next to
     * nothing would make good for each cut. */
    double const cut = window->ceiling_seen * WINDOW_CUT;
    if (window->size > cut) window->size = cut < 1 ? 1 : cut;
}

/* s3_window.h - how many parts may be on their way at once: one window for all uploader threads.
 *
 * Starts at the number of connections. A throttling answer cuts it to 0.7 (at most once a second, so that one
 * burst counts once; what it grew since is taken back); a success grows it by 1/window, quickly up to where
 * it was last cut, slowly beyond (as CUBIC does); never below 1 nor above the connections. Pure: `now` in
 * milliseconds of a steady clock comes in. Thread rule: guarded by the client's mutex. */
#ifndef PENSTOCK_IO_S3_S3_WINDOW_H
#define PENSTOCK_IO_S3_S3_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct s3_window {
    double size, ceiling_seen; /* requests; ceiling_seen: its size when it was cut last, 0: never */
    uint32_t most;
    uint32_t flying;
    uint64_t cut_at_ms;
    bool was_cut;
};

void s3_window_start(struct s3_window *window, uint32_t connections);
bool s3_window_enter(struct s3_window *window); /* false: full */
void s3_window_leave(struct s3_window *window); /* however it ended */
void s3_window_success(struct s3_window *window);
void s3_window_throttled(struct s3_window *window, uint64_t now_ms);
uint32_t s3_window_size(const struct s3_window *window);

#endif

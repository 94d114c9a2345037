/* source_ring.h - reads by io_uring, as a port of source_ahead.h: the only file that knows liburing.
 *
 * Each reader has a ring of its own: no lock, and what it waits for is its own. Each read is handed to the
 * kernel at once, since who asked for it goes on to work.
 *
 * Thread rule: one thread at a time. Owns the ring. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_RING_H
#define PENSTOCK_IO_INPUT_SOURCE_RING_H

#include "io/input/source_ahead.h"

struct source_ring;

/* Memory that a ring takes of the process: its two queues lie in pages of the kernel's. */
#define SOURCE_RING_BYTES 4096u

/* A ring for `depth` reads at once from `descriptor`; NULL with *error, an errno: EPERM and ENOSYS where a
 * container's seccomp rules or a sysctl forbid it. */
struct source_ring *source_ring_create(int descriptor, uint32_t depth, int *error);
/* Nothing may be on its way. Takes NULL. */
void source_ring_destroy(struct source_ring *ring);
const struct source_ahead_port *source_ring_port(const struct source_ring *ring);

/* 0 when this process may have rings that read (Linux 5.6), else why not (an errno). Makes one and lets it
 * go. */
int source_ring_refusal(void);

#endif

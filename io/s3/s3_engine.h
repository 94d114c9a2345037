/* s3_engine.h - an uploader thread: the calls of its share of connections, from the ring to the reply.
 *
 *    calls --ring--> parts, others --window--> flying --verdict--> results --ring--> main
 *                         ^                                 |
 *                         +------------ waiting <-----------+   by due time: back-off, credentials
 *
 * Parts and whole objects go by the window; what is small and quick (Create, Complete, HEAD, ...) has a bound
 * of its own, so that it need not queue behind bodies. Rings are bounded; main gives an engine at most
 * S3_ENGINE_CALLS that it did not take back, so that neither ring is ever full.
 *
 * Thread rule: create, start, give, take, wake, stop, destroy by main. */
#ifndef PENSTOCK_IO_S3_S3_ENGINE_H
#define PENSTOCK_IO_S3_S3_ENGINE_H

#include "io/s3/s3_shared.h"

/* Calls inside an engine: far more than its connections (S3_CONNECTIONS_A_THREAD) can be busy with, so that
 * it has work while main is busy; two rings of pointers have 64 KiB then. */
#define S3_ENGINE_CALLS 4096u
/* Calls at once that are no bodies, a thread. S3 takes thousands a second; more would only be a burst. */
#define S3_OTHERS_MOST  16u
#define S3_OTHERS_LEAST 2u

struct s3_engine;

/* Its share of `shared->options.connections`; sets shared->https[index]. */
struct s3_engine *s3_engine_create(struct s3_shared *shared, uint32_t index, struct fault *fault);
enum status s3_engine_start(struct s3_engine *engine, struct fault *fault);
void s3_engine_give(struct s3_engine *engine, struct s3_call *call);
struct s3_call *s3_engine_take(struct s3_engine *engine); /* NULL: none is finished */
bool s3_engine_has(struct s3_engine *engine);             /* would take() give one? */
void s3_engine_wake(struct s3_engine *engine);
void s3_engine_stop(struct s3_engine *engine); /* joins it; shared->stop is set */
void s3_engine_destroy(struct s3_engine *engine);

#endif

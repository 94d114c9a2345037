/* s3_task.h - a call inside an engine, and what a verdict means for it: over, again now, again later.
 *
 * Here the bounds of one call are kept: attempts, changes of region, redirects, clocks, new credentials. The
 * engine does the starting and waiting. Thread rule: the engine's thread; touches the shared state only by
 * s3_shared.h. Private to io/s3's engine. */
#ifndef PENSTOCK_IO_S3_S3_TASK_H
#define PENSTOCK_IO_S3_S3_TASK_H

#include "io/s3/s3_attempt.h"
#include "io/s3/s3_shared.h"

/* What a call may be sent round before it is believed to run in circles. A region is learnt once; twice, when
 * the bucket of that name was just made elsewhere. Likewise the clock and the session. */
#define S3_REGIONS_MAX   2u
#define S3_REDIRECTS_MAX 3u
#define S3_CLOCKS_MAX    2u
#define S3_RENEWALS_MAX  2u
/* Answers without our checksum from a store that never sent one: the second is no accident. */
#define S3_SILENT_ECHOES_MAX 2u

enum s3_next { S3_NEXT_NOW, S3_NEXT_LATER, S3_NEXT_OVER };

struct s3_tasks {
    struct s3_task *first, *last;
};

struct s3_task {
    struct s3_call *call;
    struct s3_task *next, *previous; /* in */
    struct s3_tasks *in;
    struct s3_attempt *tries[2]; /* the attempt, and its hedge; NULL: none */
    uint64_t due;                /* S3_NEXT_LATER: until then */
    char payload_hash[AWS_HASH_SIZE];
    char host[S3_HOST_MAX + 1]; /* a redirect's; "": the endpoint's */
    char etag[S3_ETAG_MAX + 1]; /* get: of what was begun */
    uint64_t taken, length;     /* get: bytes handed on; how many there are in all, 0: not known */
    uint32_t failures;          /* that are counted against S3_ATTEMPTS_MAX */
    uint32_t regions, redirects, clocks, renewals, corrupted, silent_echoes;
    uint64_t renew_until, renew_again; /* now() */
    uint64_t stale;                    /* generation of credentials that have expired */
    bool renewing;                     /* waits for credentials */
    bool probe;                        /* the next attempt asks for the bucket's region */
    bool fresh;                        /* the next attempt gets a connection of its own */
};

/* What its next attempt asks; `op` is the call's, the rest of it, or HEAD of the bucket. */
void s3_task_op(const struct s3_task *task, struct s3_op *op);
/* After an attempt that was judged: takes its answer into the call. `random`: any 64 bits. */
enum s3_next s3_task_judged(struct s3_task *task, struct s3_shared *shared, struct s3_attempt *attempt,
                            uint64_t random);
/* Credentials could not be had just now. */
enum s3_next s3_task_unsigned(struct s3_task *task, struct s3_shared *shared);
/* Its time has come. */
enum s3_next s3_task_due(struct s3_task *task, struct s3_shared *shared);
/* It can't be sent at all. */
void s3_task_refused(struct s3_task *task, struct s3_shared *shared, enum status status, const char *why);
void s3_task_cancelled(struct s3_task *task, struct s3_shared *shared);

/* Lists. A task is in one at most. */
void s3_tasks_append(struct s3_tasks *tasks, struct s3_task *task);
void s3_tasks_prepend(struct s3_tasks *tasks, struct s3_task *task);
void s3_tasks_insert(struct s3_tasks *tasks, struct s3_task *task); /* by `due`, behind equal ones */
void s3_tasks_remove(struct s3_task *task);

#endif

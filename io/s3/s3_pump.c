/* s3_pump.c - a list under a mutex in each direction; bodies are so large that its cost is none. Thread: as
 * the header says. Owns the mutex; jobs are the callers'. */
#include "io/s3/s3_pump.h"

#include <pthread.h>
#include <stdlib.h>

struct s3_pump {
    struct s3_client *client; /* main's */
    struct wait *arrivals;
    pthread_mutex_t mutex;
    pthread_cond_t finished;
    /* guarded by it: */
    struct s3_pump_job *first, *last; /* submitted, not passed on */
    bool stopped;
};

struct s3_pump *s3_pump_create(struct s3_client *client, struct wait *arrivals)
{
    struct s3_pump *const pump = calloc(1, sizeof *pump);
    if (pump == NULL) return NULL;
    pump->client = client;
    pump->arrivals = arrivals;
    if (pthread_mutex_init(&pump->mutex, NULL) == 0) {
        if (pthread_cond_init(&pump->finished, NULL) == 0) return pump;
        (void)pthread_mutex_destroy(&pump->mutex);
    }
    free(pump);
    return NULL;
}

void s3_pump_destroy(struct s3_pump *pump)
{
    if (pump == NULL) return;
    (void)pthread_cond_destroy(&pump->finished);
    (void)pthread_mutex_destroy(&pump->mutex);
    free(pump);
}

void s3_pump_submit(struct s3_pump *pump, struct s3_pump_job *job)
{
    job->next = NULL;
    job->done = false;
    job->call.owner = job;
    (void)pthread_mutex_lock(&pump->mutex);
    if (pump->first == NULL)
        pump->first = job;
    else
        pump->last->next = job;
    pump->last = job;
    (void)pthread_mutex_unlock(&pump->mutex);
    wait_wake(pump->arrivals);
}

void s3_pump_await(struct s3_pump *pump, struct s3_pump_job *job)
{
    (void)pthread_mutex_lock(&pump->mutex);
    while (!job->done)
        (void)pthread_cond_wait(&pump->finished, &pump->mutex);
    (void)pthread_mutex_unlock(&pump->mutex);
}

static struct s3_pump_job *take_all(struct s3_pump *pump, bool *stopped)
{
    (void)pthread_mutex_lock(&pump->mutex);
    struct s3_pump_job *const jobs = pump->first;
    pump->first = pump->last = NULL;
    *stopped = pump->stopped;
    (void)pthread_mutex_unlock(&pump->mutex);
    return jobs;
}

/* Under the mutex: the worker may free the job as soon as it is done. */
static void finish(struct s3_pump *pump, struct s3_pump_job *job)
{
    (void)pthread_mutex_lock(&pump->mutex);
    job->done = true;
    (void)pthread_cond_broadcast(&pump->finished);
    (void)pthread_mutex_unlock(&pump->mutex);
}

void s3_pump_turn(struct s3_pump *pump)
{
    bool stopped;
    struct s3_pump_job *next;
    for (struct s3_pump_job *job = take_all(pump, &stopped); job != NULL; job = next) {
        next = job->next;
        if (!stopped) {
            s3_client_submit(pump->client, &job->call);
            continue;
        }
        job->call.verdict = S3_FATAL;
        job->call.status = fault_set(&job->call.fault, STATUS_INTERRUPTED, "cancelled");
        finish(pump, job);
    }
    struct s3_call *call;
    while ((call = s3_client_reap(pump->client)) != NULL)
        finish(pump, call->owner);
}

bool s3_pump_has_work(struct s3_pump *pump)
{
    (void)pthread_mutex_lock(&pump->mutex);
    bool const waits = pump->first != NULL;
    (void)pthread_mutex_unlock(&pump->mutex);
    return waits || s3_client_ready(pump->client);
}

void s3_pump_stop(struct s3_pump *pump)
{
    (void)pthread_mutex_lock(&pump->mutex);
    pump->stopped = true;
    (void)pthread_mutex_unlock(&pump->mutex);
    s3_client_cancel(pump->client);
    s3_pump_turn(pump);
}

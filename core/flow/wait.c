/* wait.c - an event count: an epoch and a number of waiters in one word, a mutex and a condition.
 *
 * Why no wake-up is lost. Every change of `state` is a read-modify-write, so all of them stand in one order,
 * and each one synchronises with all before it (release sequences run through read-modify-writes). Take a
 * waiter, whose prepare is W1, and a signaller, which makes the condition true and then wakes by S1.
 *
 * - S1 before W1: W1 acquires what S1 released, so the waiter's second look sees the condition. No sleep.
 * - W1 before S1: the waiter is counted from W1 to W3, so S1 sees it (or W3 came before S1: then it does
 *   not sleep any more) and goes on to lock the mutex. S1 has moved the epoch past the ticket.
 *   - The signaller has the mutex before the waiter: W2 reads S1's epoch or a later one (unlock happens
 *     before lock), and the waiter does not sleep.
 *   - The signaller has it after the waiter: W2 saw a new epoch, and there is no sleep; or the waiter gave
 *     the mutex up inside pthread_cond_wait(), is asleep, and the broadcast behind the mutex finds it.
 *
 * The signaller passes through the mutex for just this: between W2 and falling asleep there is no gap. The
 * broadcast stands behind it, so that who wakes up does not run into a mutex that is still held.
 *
 * The epoch only has to differ from the ticket. It wraps after 2^32 wake-ups, out of the word's top and not
 * into the waiters. To be fooled, one thread must stand still between W1 and W2 while others wake an exact
 * multiple of 2^32 times, each of them by way of the mutex (a waiter is counted): minutes of nothing else.
 * Even then the next wake-up ends that sleep.
 *
 * Thread rule: any number of waiters and signallers, up to 2^32 - 1 waiting at once (LIMIT_THREADS is far
 * less); init before they start, destroy after they are joined.
 * Owns: mutex and condition. */
#include "core/flow/wait.h"

#include <assert.h>

#define WAITER     UINT64_C(1)
#define EPOCH_STEP (UINT64_C(1) << 32)

static uint32_t epoch_of(uint64_t state)
{
    return (uint32_t)(state >> 32);
}

static uint32_t waiters_of(uint64_t state)
{
    return (uint32_t)state;
}

bool wait_init(struct wait *wait)
{
    atomic_init(&wait->state, 0);
    if (pthread_mutex_init(&wait->mutex, NULL) != 0) return false;
    pthread_condattr_t attributes;
    bool made = pthread_condattr_init(&attributes) == 0;
    if (made) {
        made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
               pthread_cond_init(&wait->changed, &attributes) == 0;
        (void)pthread_condattr_destroy(&attributes);
    }
    if (!made) (void)pthread_mutex_destroy(&wait->mutex);
    return made;
}

void wait_destroy(struct wait *wait)
{
    assert(waiters_of(atomic_load_explicit(&wait->state, memory_order_relaxed)) == 0);
    (void)pthread_cond_destroy(&wait->changed);
    (void)pthread_mutex_destroy(&wait->mutex);
}

/* W3: this thread waits no more. */
static void leave(struct wait *wait)
{
    uint64_t const before = atomic_fetch_sub_explicit(&wait->state, WAITER, memory_order_seq_cst);
    assert(waiters_of(before) != 0); /* cancel or sleep without prepare */
    (void)before;
}

uint32_t wait_prepare(struct wait *wait)
{
    /* W1: pairs with S1. */
    return epoch_of(atomic_fetch_add_explicit(&wait->state, WAITER, memory_order_seq_cst));
}

void wait_cancel(struct wait *wait)
{
    leave(wait);
}

void wait_sleep(struct wait *wait, uint32_t ticket)
{
    /* The calls below can't fail by POSIX: an ordinary mutex, initialised, locked by this thread only once.
     */
    (void)pthread_mutex_lock(&wait->mutex);
    /* W2: pairs with S1; a loop, since conditions wake up for no reason too. */
    while (epoch_of(atomic_load_explicit(&wait->state, memory_order_seq_cst)) == ticket)
        (void)pthread_cond_wait(&wait->changed, &wait->mutex);
    (void)pthread_mutex_unlock(&wait->mutex);
    leave(wait);
}

void wait_sleep_until(struct wait *wait, uint32_t ticket, uint64_t until)
{
    struct timespec const end = {.tv_sec = (time_t)(until / 1000000000),
                                 .tv_nsec = (long)(until % 1000000000)};
    (void)pthread_mutex_lock(&wait->mutex);
    int late = 0;
    while (late == 0 && epoch_of(atomic_load_explicit(&wait->state, memory_order_seq_cst)) == ticket) /* W2 */
        late = pthread_cond_timedwait(&wait->changed, &wait->mutex, &end);
    (void)pthread_mutex_unlock(&wait->mutex);
    leave(wait);
}

void wait_wake(struct wait *wait)
{
    /* S1: pairs with W1 and W2. One step moves the epoch and tells whether somebody waits. */
    uint64_t const before = atomic_fetch_add_explicit(&wait->state, EPOCH_STEP, memory_order_seq_cst);
    if (waiters_of(before) == 0) return;
    (void)pthread_mutex_lock(&wait->mutex);
    (void)pthread_mutex_unlock(&wait->mutex);
    (void)pthread_cond_broadcast(&wait->changed);
}

bool wait_has_waiters(struct wait *wait)
{
    /* S0: pairs with W1, as S1 does, and moves nothing. */
    return waiters_of(atomic_fetch_add_explicit(&wait->state, 0, memory_order_seq_cst)) != 0;
}

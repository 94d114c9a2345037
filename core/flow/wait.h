/* wait.h - sleeping and waking: the one place where a thread waits for another (an event count).
 *
 * A waiter says which state it saw, looks once more at the condition, then sleeps only if nothing was
 * signalled since:
 *
 *     uint32_t ticket = wait_prepare(&w);
 *     if (condition()) wait_cancel(&w); else wait_sleep(&w, ticket);
 *
 * It does so in a loop: every signal ends every sleep, so wait_sleep() may return too early.
 *
 * A signaller makes the condition true first (release), then calls wait_wake(). wait_prepare() and
 * wait_wake() are sequentially consistent read-modify-writes on the same word, so that either the signaller
 * sees the waiter or the waiter's second look sees the condition: no wake-up is lost (wait.c has the proof).
 * wait_wake() with nobody waiting costs one atomic operation and no system call.
 *
 * Thread rule: any number of waiters and signallers; wait_destroy() after all of them are joined. */
#ifndef PENSTOCK_CORE_FLOW_WAIT_H
#define PENSTOCK_CORE_FLOW_WAIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct wait {
    /* High 32 bits: epoch; low 32 bits: number of waiters. Read-modify-write by all. */
    _Atomic uint64_t state;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

bool wait_init(struct wait *wait); /* false: the system has no mutex to give */
void wait_destroy(struct wait *wait);

uint32_t wait_prepare(struct wait *wait);
void wait_cancel(struct wait *wait);
void wait_sleep(struct wait *wait, uint32_t ticket);
/* Ends at `until` too, nanoseconds of CLOCK_MONOTONIC: for who must look at something that wakes nobody (a
 * signal's flag). */
void wait_sleep_until(struct wait *wait, uint32_t ticket, uint64_t until);
void wait_wake(struct wait *wait); /* wakes all */
/* Does anybody wait? For a signaller that wakes only when a waiter may want it: what it made true before this
 * call is seen by whoever prepares later, and what a waiter wrote before it prepared is seen by what the
 * signaller reads next. */
bool wait_has_waiters(struct wait *wait);

#endif

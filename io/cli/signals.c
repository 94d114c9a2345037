/* signals.c - the only mutable global of the program: the number of the first signal that was caught.
 * Thread rule: the handler may run on any thread, and any thread may ask; one atomic is all that it touches.
 * Relaxed: the number stands for itself. */
#include "io/cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static atomic_int signals_first; /* 0: none yet */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler may touch atomics that take no lock");

static void catch (int number)
{
    int none = 0;
    (void)atomic_compare_exchange_strong_explicit(&signals_first, &none, number, memory_order_relaxed,
                                                  memory_order_relaxed);
}

/* An inherited "ignored" is overridden on purpose: a shell without job control ignores SIGINT for what it
 * runs in the background, and a scheduler's wrapper must still be able to stop a run in order. */
static enum status set(int number, void (*handler)(int), int flags, struct fault *fault)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    if (sigaction(number, &action, NULL) == 0) return STATUS_OK;
    return fault_set(fault, STATUS_INTERNAL, "signal %d can't be set up: %s", number, strerror(errno));
}

/* nohup ignores SIGHUP on purpose, so that a run outlives its terminal. */
static enum status set_hangup(int flags, struct fault *fault)
{
    struct sigaction inherited;
    if (sigaction(SIGHUP, NULL, &inherited) == 0 && inherited.sa_handler == SIG_IGN) return STATUS_OK;
    return set(SIGHUP, catch, flags, fault);
}

enum status signals_install(struct fault *fault)
{
    /* SA_RESTART: no read or write of a worker fails with EINTR. SA_RESETHAND: the second signal of the same
     * kind meets the default action. */
    int const once = (int)(SA_RESTART | SA_RESETHAND); /* 1 << 31 is unsigned in glibc */
    enum status status = set(SIGINT, catch, once, fault);
    if (status == STATUS_OK) status = set(SIGTERM, catch, once, fault);
    if (status == STATUS_OK) status = set_hangup(once, fault);
    if (status == STATUS_OK) status = set(SIGPIPE, SIG_IGN, 0, fault);
    if (status == STATUS_OK) status = set(SIGXFSZ, SIG_IGN, 0, fault);
    return status;
}

enum status signals_caught(void)
{
    switch (atomic_load_explicit(&signals_first, memory_order_relaxed)) {
    case 0: return STATUS_OK;
    case SIGINT: return STATUS_INTERRUPTED;
    default: return STATUS_TERMINATED;
    }
}

const char *signals_name(void)
{
    switch (atomic_load_explicit(&signals_first, memory_order_relaxed)) {
    case 0: return "no signal";
    case SIGINT: return "SIGINT";
    case SIGHUP: return "SIGHUP";
    default: return "SIGTERM";
    }
}

void signals_reset(void)
{
    atomic_store_explicit(&signals_first, 0, memory_order_relaxed);
}

/* source_guard.c - the SIGBUS handler and its table of mapped ranges.
 * Thread: add and remove on any thread; the handler on the thread that touched the lost page.
 * Owns: the table below, the one piece of shared state a signal handler can reach; SIGBUS's action.
 *
 * Why the handler is async-signal-safe: it calls three functions. sigaction() and raise() are in POSIX's list
 * of async-signal-safe functions (POSIX.1-2017, XSH 2.4.3), and so are memcpy() and memset(), which a
 * compiler may put in for it; syscall() is AS-Safe in the GNU C library's manual ("System Calls"), and mmap
 * through it is a bare system call. Everything else it touches are lock-free atomics (C17 7.14.1.1p5) and its
 * own stack; errno is put back. It takes no lock, so it can't meet one that the interrupted code holds, and
 * touches no mapped file, so it can't raise SIGBUS itself.
 *
 * Why it never takes a wrong range: a slot's version is its step (below) plus SLOT_STEPS for each use. The
 * handler reads version, fields, version: the fields are stored with release after the version left
 * SLOT_LIVE, and loaded with acquire, so that a field of a later use shows itself by a changed second version
 * (a sequence lock). It never needs a second try: a thread touches a range after add() and before remove(),
 * so the slot that holds the address it touched is not changing. */
#include "io/input/source_guard.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(void *) == 8 && sizeof(long) == 8,
               "whole files are mapped, and SYS_mmap takes six plain arguments on 64-bit systems only");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2 && ATOMIC_BOOL_LOCK_FREE == 2,
               "a signal handler may use lock-free atomics only");

/* A slot's life: free, being filled by the thread that claimed it, live, free again (the next version). */
enum { SLOT_FREE = 0, SLOT_FILLING = 1, SLOT_LIVE = 2, SLOT_STEPS = 4 };

struct guard_slot {
    _Atomic uint32_t version; /* use * SLOT_STEPS + step; wraps after 2^30 uses */
    _Atomic bool broken;      /* set by the handler, cleared by add() */
    _Atomic uintptr_t begin;  /* a page's begin */
    _Atomic uintptr_t end;    /* a page's end */
    _Atomic uintptr_t page;   /* the page size: sysconf() is not for handlers */
};

static struct guard_slot guard_slots[SOURCE_GUARD_RANGES_MAX];

static bool guard_patch(struct guard_slot *slot, uintptr_t address)
{
    uint32_t const version = atomic_load_explicit(&slot->version, memory_order_acquire); /* add()'s release */
    if (version % SLOT_STEPS != SLOT_LIVE) return false;
    uintptr_t const begin = atomic_load_explicit(&slot->begin, memory_order_acquire);
    uintptr_t const end = atomic_load_explicit(&slot->end, memory_order_acquire);
    uintptr_t const page = atomic_load_explicit(&slot->page, memory_order_acquire);
    if (atomic_load_explicit(&slot->version, memory_order_relaxed) != version) return false;
    if (address < begin || address >= end) return false;

    /* First the mark, then the zeroes: who reads a zero can see the mark. */
    atomic_store_explicit(&slot->broken, true, memory_order_seq_cst);
    /* To the range's end, not one page: a truncated file has lost all that follows, and one area a page could
     * run into vm.max_map_count. Read-only zeroes take no memory. */
    uintptr_t const from = address - address % page;
    long const mapped = syscall(SYS_mmap, from, end - from, (long)PROT_READ,
                                (long)(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE), -1L, 0L);
    return mapped != -1;
}

static void guard_on_sigbus(int number, siginfo_t *info, void *context)
{
    (void)context;
    int const saved = errno;
    bool patched = false;
    /* Only these say that the access at si_addr failed; BUS_MCEERR_AO and sent signals don't. */
    bool const access =
        info->si_code == BUS_ADRERR || info->si_code == BUS_OBJERR || info->si_code == BUS_MCEERR_AR;
    for (size_t i = 0; access && !patched && i < SOURCE_GUARD_RANGES_MAX; i++)
        patched = guard_patch(&guard_slots[i], (uintptr_t)info->si_addr);
    if (!patched) {
        struct sigaction action = {.sa_handler = SIG_DFL};
        (void)sigaction(number, &action, NULL);
        /* An access strikes again by itself; any other is sent once more and strikes when this returns. */
        if (!access) (void)raise(number);
    }
    errno = saved;
}

static bool guard_install(void)
{
    /* On the alternate stack where there is one; where there is none the flag means nothing. */
    struct sigaction action = {.sa_sigaction = guard_on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    return sigemptyset(&action.sa_mask) == 0 && sigaction(SIGBUS, &action, NULL) == 0;
}

/* Claims a free slot; no slot: SOURCE_GUARD_NONE. */
static int guard_claim(uint32_t *version)
{
    for (int i = 0; i < SOURCE_GUARD_RANGES_MAX; i++) {
        uint32_t free = atomic_load_explicit(&guard_slots[i].version, memory_order_relaxed);
        if (free % SLOT_STEPS != SLOT_FREE) continue;
        /* acquire: partner of remove()'s release */
        if (atomic_compare_exchange_strong_explicit(&guard_slots[i].version, &free, free + SLOT_FILLING,
                                                    memory_order_acquire, memory_order_relaxed)) {
            *version = free;
            return i;
        }
    }
    return SOURCE_GUARD_NONE;
}

int source_guard_add(const void *begin, size_t length)
{
    uintptr_t const page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t const first = (uintptr_t)begin;
    if (length == 0 || first % page != 0 || length > UINTPTR_MAX - first - page) return SOURCE_GUARD_NONE;
    if (!guard_install()) return SOURCE_GUARD_NONE;
    uint32_t version;
    int const range = guard_claim(&version);
    if (range == SOURCE_GUARD_NONE) return range;

    struct guard_slot *slot = &guard_slots[range];
    atomic_store_explicit(&slot->broken, false, memory_order_release);
    atomic_store_explicit(&slot->begin, first, memory_order_release);
    atomic_store_explicit(&slot->end, first + (length + page - 1) / page * page, memory_order_release);
    atomic_store_explicit(&slot->page, page, memory_order_release);
    atomic_store_explicit(&slot->version, version + SLOT_LIVE, memory_order_release); /* guard_patch() */
    return range;
}

bool source_guard_broken(int range)
{
    if (range == SOURCE_GUARD_NONE) return false;
    return atomic_load_explicit(&guard_slots[range].broken, memory_order_seq_cst);
}

void source_guard_remove(int range)
{
    if (range == SOURCE_GUARD_NONE) return;
    struct guard_slot *slot = &guard_slots[range];
    uint32_t const version = atomic_load_explicit(&slot->version, memory_order_relaxed); /* ours alone */
    atomic_store_explicit(&slot->version, version - SLOT_LIVE + SLOT_STEPS, memory_order_release);
}

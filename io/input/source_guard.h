/* source_guard.h - keeps the process alive when a mapped file loses its bytes.
 *
 * Touching a mapped page that the file no longer has (it was truncated) or that the storage can't give raises
 * SIGBUS. The guard's handler replaces the registered range, from the page that was touched to its end, with
 * zeroes and marks the range broken. The thread goes on and reads zeroes; who registered the range must ask
 * source_guard_broken() before it believes what was read: the mark is set before the first zero is visible.
 * A SIGBUS for any other address, or one that was sent, gets the default action: the process ends as it would
 * have without the guard.
 *
 * Condition: SIGBUS must not be blocked in a thread that reads a mapped range (the kernel kills the process
 * then). A thread that blocks all signals must leave out SIGBUS: sigfillset(), sigdelset(SIGBUS).
 *
 * Thread rule: any thread. A range is removed only when no thread reads it any more. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_GUARD_H
#define PENSTOCK_IO_INPUT_SOURCE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Ranges at one time. A mapped file takes at most three areas of the address space (file, zeroes of a broken
 * tail, padding page), and Linux allows 65530 of them in a process (vm.max_map_count, its default): 4096
 * files use less than a fifth, which leaves room for the stacks and heaps of LIMIT_THREADS threads. */
#define SOURCE_GUARD_RANGES_MAX 4096

/* What stands for "no range". */
#define SOURCE_GUARD_NONE (-1)

/* Registers a mapping that begins at a page's begin, and (re)installs the handler. Returns the range's
 * number, SOURCE_GUARD_NONE when all are taken or the handler can't be installed: then the file must not be
 * mapped. */
int source_guard_add(const void *begin, size_t length);
/* True once a byte of the range was replaced. */
bool source_guard_broken(int range);
/* Before the mapping goes. Takes SOURCE_GUARD_NONE. */
void source_guard_remove(int range);

#endif

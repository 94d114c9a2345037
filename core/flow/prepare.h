/* prepare.h - the port by which core tells the system of memory that is about to be filled, so that its pages
 * come at once instead of with a fault for each. It changes no content, and may do nothing.
 *
 * Thread rule: called by any thread. The memory stays the caller's. */
#ifndef PENSTOCK_CORE_FLOW_PREPARE_H
#define PENSTOCK_CORE_FLOW_PREPARE_H

#include <stddef.h>

enum prepare_use {
    PREPARE_IN_ORDER, /* filled and read from its first to its last byte */
    PREPARE_SCATTERED /* met anywhere: large pages (LIMIT_LARGE_PAGE) spare it misses of the TLB */
};

typedef void prepare_fn(void *memory, size_t bytes, enum prepare_use use);

#endif

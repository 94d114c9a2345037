/* pack_sink.h - a sink that compresses its files and gives them to another one.
 *
 *   write() --copy--> the file's unit --full--> slot --crew--> a worker compresses it
 *                                                |
 *      inner sink <--blocks-- pack_out <--in the order of dispatch--   (reap, or whoever waits for a slot)
 *
 * Same input, same bytes: a unit is the same number of the file's bytes wherever pieces begin and end, a
 * result depends on its unit's bytes only, and results are passed on in the order in which units became full.
 * The inner sink sees the calls for files in the order in which they came here; never more files are open
 * there than here.
 *
 *   begin()    of data: as soon as all that came before has been passed on, but before any byte of the
 *              file. Files of later stages are passed on as they are; their begin() waits until all data is.
 *
 *   write()    gives the piece home at once. It waits while no slot is free: for the workers, who do what
 *              they were given without anybody's help (crew.h), and for blocks, which the inner sink gives
 *              home without waiting for more (pack_out.h). It sleeps on `arrivals`, reaps meanwhile, and
 *              gives up when the run is interrupted or stopped.
 *
 *   end()      sends the last unit, which may be empty. The inner end() follows when it was passed on, with
 *              the bytes that were stored, and no rows: many may be fewer bytes than rows.
 *
 *   drained()  says whether all was passed on.
 *
 * Thread rule: the assembler's, as sink.h says; a slot is a worker's from crew_give() until crew_reap(). Owns
 * the inner sink, and the memory of units, slots and blocks; the crew is lent and outlives it. */
#ifndef PENSTOCK_CORE_FLOW_PACK_SINK_H
#define PENSTOCK_CORE_FLOW_PACK_SINK_H

#include "core/base/checksum.h"
#include "core/codec/pack.h"
#include "core/flow/crew.h"
#include "core/flow/sink.h"
#include "core/flow/wait.h"

struct pack_sink_options {
    enum pack_kind kind;
    size_t unit;                 /* PACK_UNIT; less in tests */
    uint32_t open;               /* data files that may be open at once */
    uint64_t hold;               /* bytes that the inner sink may hold back; 0: gives them home at once */
    size_t block_bytes;          /* of the pieces that it gets */
    enum checksum_kind checksum; /* of the stored bytes */
    struct crew *crew;
    struct wait *arrivals;            /* what the assembler sleeps on */
    struct track *track;              /* the assembler's; NULL: nobody counts */
    uint64_t (*now)(void);            /* nanoseconds of CLOCK_MONOTONIC */
    enum status (*interrupted)(void); /* STATUS_OK: go on; asked while write() and others wait */
};

/* Takes `inner` over, also when it fails: then it is destroyed. NULL: no memory. */
struct sink *pack_sink_create(const struct pack_sink_options *options, struct sink *inner,
                              struct fault *fault);
/* Bytes that it takes with a crew of so many workers, with the blocks, without the inner sink's own. Uses
 * kind, unit, open, hold and block_bytes. */
uint64_t pack_sink_memory(const struct pack_sink_options *options, uint32_t workers);

#endif

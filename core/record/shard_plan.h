/* shard_plan.h - cuts the input into shards by position: the unit that a worker claims.
 *
 * Shard k of a source covers the bytes [begin, end) of it; it owns the records whose line begins there,
 * wherever they end. So every record belongs to one shard, whatever the number of threads, and shards can be
 * found without reading. Sources follow each other in one numbering.
 *
 * Thread rule: read-only once planned. Owns the array of first numbers. */
#ifndef PENSTOCK_CORE_RECORD_SHARD_PLAN_H
#define PENSTOCK_CORE_RECORD_SHARD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shard_source {
    uint64_t begin; /* of its contents: behind a byte order mark */
    uint64_t size;
};

struct shard_plan {
    struct shard_source *sources;
    uint64_t *first; /* number of each source's first shard; one more behind the last */
    size_t source_count;
    uint64_t shard_bytes;
    uint64_t count;
};

struct shard {
    size_t source;
    uint64_t source_begin, begin, end;
};

/* False: no memory. A source without contents has no shard. */
bool shard_plan_create(struct shard_plan *plan, const struct shard_source *sources, size_t count,
                       uint64_t shard_bytes);
void shard_plan_destroy(struct shard_plan *plan);                            /* a zeroed struct is fine */
struct shard shard_plan_get(const struct shard_plan *plan, uint64_t number); /* number < plan->count */

#endif

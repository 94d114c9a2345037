/* shard_plan.c - arithmetic of positions. Thread: main creates, all read. */
#include "core/record/shard_plan.h"

#include <stdlib.h>
#include <string.h>

bool shard_plan_create(struct shard_plan *plan, const struct shard_source *sources, size_t count,
                       uint64_t shard_bytes)
{
    *plan = (struct shard_plan){.source_count = count, .shard_bytes = shard_bytes};
    plan->sources = calloc(count + 1, sizeof *plan->sources);
    plan->first = calloc(count + 1, sizeof *plan->first);
    if (plan->sources == NULL || plan->first == NULL) {
        shard_plan_destroy(plan);
        return false;
    }
    if (count != 0) memcpy(plan->sources, sources, count * sizeof *sources);
    for (size_t i = 0; i < count; i++) {
        uint64_t const bytes = sources[i].size > sources[i].begin ? sources[i].size - sources[i].begin : 0;
        plan->first[i] = plan->count;
        plan->count += bytes / shard_bytes + (bytes % shard_bytes != 0);
    }
    plan->first[count] = plan->count;
    return true;
}

void shard_plan_destroy(struct shard_plan *plan)
{
    free(plan->sources);
    free(plan->first);
    *plan = (struct shard_plan){0};
}

struct shard shard_plan_get(const struct shard_plan *plan, uint64_t number)
{
    size_t low = 0, high = plan->source_count; /* the last source whose first shard is at most `number` */
    while (high - low > 1) {
        size_t const middle = low + (high - low) / 2;
        if (plan->first[middle] <= number)
            low = middle;
        else
            high = middle;
    }
    const struct shard_source *source = &plan->sources[low];
    uint64_t const begin = source->begin + (number - plan->first[low]) * plan->shard_bytes;
    uint64_t const left = source->size - begin;
    return (struct shard){.source = low,
                          .source_begin = source->begin,
                          .begin = begin,
                          .end = begin + (left < plan->shard_bytes ? left : plan->shard_bytes)};
}

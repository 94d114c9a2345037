/* pipeline_sizes.c - see the header. Pure. Thread: any. Owns nothing. */
#include "core/flow/pipeline_sizes.h"

#include "core/flow/pipeline_inside.h"

#include <inttypes.h>

static uint64_t reader_bytes(bool buffered, size_t capacity)
{
    return buffered ? capacity + LIMIT_PADDING + 2 * 4096 : 0; /* pages or blocks of a device at both ends */
}

struct feed_rules pipeline_feed_rules(const struct convert_rules *rules, uint32_t threads,
                                      const struct pipeline_sizes *sizes)
{
    return (struct feed_rules){.workers = threads,
                               .cut = {.max_record = rules->max_record,
                                       .forgives = rules->forgives_damage,
                                       .prefilter = rules->prefilter,
                                       .block_bytes = sizes->stream_block}};
}

static uint64_t feed_bytes(const struct pipeline_needs *needs, const struct pipeline_sizes *sizes)
{
    struct feed_rules const rules = pipeline_feed_rules(needs->rules, needs->threads, sizes);
    uint64_t const most = (uint64_t)needs->threads + 1; /* open at once: see feed.c */
    uint64_t const open = needs->stream_sources < most ? needs->stream_sources : most;
    if (needs->stream_sources == 0) return 0;
    uint64_t const back =
        needs->stream_forms ? stream_cut_large_bytes(&rules.cut) : 0; /* of the front source */
    return feed_memory(&rules) + needs->stream_bytes * open + back;
}

/* What deduplication takes in workers, chunks and replay, and its own sizes. */
static uint64_t dedup_memory_of(const struct pipeline_needs *needs, const struct pipeline_sizes *sizes)
{
    if (!convert_deduplicates(needs->rules)) return 0;
    uint64_t const chunks = (uint64_t)needs->threads * (sizes->chunks + 1) + sizes->extra; /* 1: split.h */
    return chunks * chunk_mark_room(sizes->chunk) * sizeof(uint32_t) + sizes->chunk +
           needs->threads * contend_memory() + sizes->dedup.table + sizes->dedup.spool;
}

static uint64_t memory_of(const struct pipeline_needs *needs, const struct pipeline_sizes *sizes)
{
    const struct convert_rules *rules = needs->rules;
    size_t const lane = convert_large_capacity(rules, sizes->block);
    uint64_t const worker =
        convert_tools_bytes(rules, sizes->block) + reader_bytes(needs->buffered_sources, sizes->block) +
        needs->reads_ahead + sizes->chunks * chunk_memory(sizes->chunk, rules->streams) +
        split_memory(sizes->chunk, rules->streams) + sizeof(struct pipeline_worker) + 64 * LIMIT_KIB;
    bool const has_mender = needs->has_forms && !convert_keeps(rules);
    uint32_t const workers = needs->threads + has_mender; /* the assembler's mender is like one more */
    return PIPELINE_MEMORY_BASE + convert_tools_bytes(rules, lane) +
           reader_bytes(needs->buffered_sources, lane) + workers * worker +
           sizes->extra * chunk_memory(sizes->chunk, rules->streams) + needs->other +
           feed_bytes(needs, sizes) + dedup_memory_of(needs, sizes);
}

static struct pipeline_sizes sizes_at_most(const struct pipeline_needs *needs)
{
    bool const holds = needs->hold != 0;
    size_t const chunk = holds ? CHUNK_BYTES_MIN : CHUNK_BYTES_MAX;
    struct dedup_sizes const none = {.table = 0};
    return (struct pipeline_sizes){.dedup = convert_deduplicates(needs->rules) ? DEDUP_SIZES_MIN : none,
                                   .block = PIPELINE_BLOCK_MAX,
                                   .stream_block = STREAM_BLOCK_BYTES,
                                   .chunk = chunk,
                                   .chunks = holds ? PIPELINE_CHUNKS_SMALL : PIPELINE_CHUNKS_PER_WORKER,
                                   .extra = (uint32_t)((needs->hold + chunk - 1) / chunk)};
}

/* One step down; false: there is none. */
static bool sizes_shrink(const struct pipeline_needs *needs, struct pipeline_sizes *sizes)
{
    if (sizes->chunk > CHUNK_BYTES_MIN)
        sizes->chunk /= 2;
    else if (sizes->chunks > PIPELINE_CHUNKS_MIN)
        sizes->chunks--;
    else if (sizes->stream_block > PIPELINE_STREAM_BLOCK_MIN && !needs->blocks_show)
        sizes->stream_block /= 2;
    else if (sizes->block > PIPELINE_BLOCK_MIN)
        sizes->block /= 2;
    else
        return false;
    return true;
}

/* More chunks, where sources run ahead of others. */
static void grow_chunks(const struct pipeline_needs *needs, uint64_t limit, struct pipeline_sizes *sizes)
{
    if (needs->stream_sources == 0 || needs->sources < 2 || needs->threads < 2) return;
    uint64_t const share = limit / PIPELINE_AHEAD_SHARE, left = limit - sizes->memory;
    struct pipeline_sizes one_more = *sizes;
    one_more.chunks++; /* of each worker */
    uint64_t const more = (share < left ? share : left) / (memory_of(needs, &one_more) - sizes->memory);
    sizes->chunks += (uint32_t)(more < PIPELINE_AHEAD_MAX ? more : PIPELINE_AHEAD_MAX);
    sizes->memory = memory_of(needs, sizes);
}

uint64_t pipeline_least(const struct pipeline_needs *needs)
{
    struct pipeline_sizes sizes = sizes_at_most(needs);
    while (sizes_shrink(needs, &sizes)) {
    }
    return memory_of(needs, &sizes);
}

enum status pipeline_size(const struct pipeline_needs *needs, uint64_t limit, struct pipeline_sizes *sizes,
                          struct fault *fault)
{
    uint64_t const wanted = convert_deduplicates(needs->rules) ? limit / 2 : limit; /* the rest is for keys */
    *sizes = sizes_at_most(needs);
    do {
        sizes->memory = memory_of(needs, sizes);
        if (sizes->memory <= wanted) {
            grow_chunks(needs, wanted, sizes);
            return STATUS_OK;
        }
    } while (sizes_shrink(needs, sizes));
    if (sizes->memory <= limit) return STATUS_OK;
    return fault_set(fault, STATUS_USAGE,
                     "--memory-limit: %" PRIu64 " MiB are not enough for %u %s and records of up to %" PRIu64
                     " bytes; the least that works is %" PRIu64
                     "MiB (fewer --threads or a smaller source.max_record need less)",
                     limit / LIMIT_MIB, needs->threads, needs->threads == 1 ? "thread" : "threads",
                     needs->rules->max_record, sizes->memory / LIMIT_MIB + 1);
}

void pipeline_fill(const struct pipeline_needs *needs, uint64_t limit, struct pipeline_sizes *sizes)
{
    if (!convert_deduplicates(needs->rules) || sizes->memory >= limit) return;
    struct pipeline_sizes const most = sizes_at_most(needs);
    uint64_t const beside = sizes->memory - sizes->dedup.table - sizes->dedup.spool;
    uint64_t const at_most = memory_of(needs, &most) - most.dedup.table - most.dedup.spool;
    sizes->dedup = dedup_share(limit - beside);
    sizes->dedup.beside = beside > at_most ? beside : at_most;
    sizes->memory = memory_of(needs, sizes);
}

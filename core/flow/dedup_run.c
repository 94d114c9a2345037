/* dedup_run.c - see the header. Thread: whoever has the partition. Owns nothing. */
#include "core/flow/dedup_run.h"

static uint8_t *block_of(const struct dedup_run *run, uint32_t block)
{
    return run->first + block * run->slab_bytes;
}

uint8_t *dedup_run_at(const struct dedup_run *run, uint32_t entry)
{
    return block_of(run, entry / DEDUP_BLOCK_ENTRIES) + entry % DEDUP_BLOCK_ENTRIES * DEDUP_ENTRY_BYTES;
}

/* Of two with the same key: does `a` stay? The later time, and on ties the later one in the input. */
static bool beats(const struct dedup_run *run, const struct dedup_entry *a, const struct dedup_entry *b)
{
    return a->time != b->time ? a->time > b->time : losers_is_later(run->losers, a->place, b->place);
}

/* ---- a walk over entries ---- */

struct walk {
    const struct dedup_run *run;
    uint8_t *at;
    uint32_t block, left; /* entries of the block from `at` on (forwards), or before it (backwards) */
};

static struct walk walk_from(const struct dedup_run *run, uint32_t entry)
{
    return (struct walk){.run = run,
                         .at = dedup_run_at(run, entry),
                         .block = entry / DEDUP_BLOCK_ENTRIES,
                         .left = DEDUP_BLOCK_ENTRIES - entry % DEDUP_BLOCK_ENTRIES};
}

/* To the next entry; there must be one. */
static inline void walk_on(struct walk *walk)
{
    walk->at += DEDUP_ENTRY_BYTES;
    if (--walk->left != 0) return;
    walk->at = block_of(walk->run, ++walk->block);
    walk->left = DEDUP_BLOCK_ENTRIES;
}

/* `entry` is not 0: the walk stands on the one before it. */
static struct walk walk_back_from(const struct dedup_run *run, uint32_t entry)
{
    return (struct walk){.run = run,
                         .at = dedup_run_at(run, entry - 1),
                         .block = (entry - 1) / DEDUP_BLOCK_ENTRIES,
                         .left = (entry - 1) % DEDUP_BLOCK_ENTRIES};
}

/* To the entry before; there must be one. */
static inline void walk_back(struct walk *walk)
{
    if (walk->left != 0) {
        walk->left--;
        walk->at -= DEDUP_ENTRY_BYTES;
        return;
    }
    walk->left = DEDUP_BLOCK_ENTRIES - 1;
    walk->at = block_of(walk->run, --walk->block) + walk->left * DEDUP_ENTRY_BYTES;
}

/* ---- sorting ---- */

/* Bits that tell some `count` keys into as many buckets. */
static unsigned bucket_bits(uint32_t count)
{
    unsigned bits = 1;
    while ((UINT32_C(2) << bits) <= count)
        bits++;
    return bits;
}

/* Loose entries into the scratch by the first bits of their keys: about one a bucket, keys fall evenly. */
static void scatter(const struct dedup_run *run, struct dedup_scratch *scratch)
{
    unsigned const bits = bucket_bits(run->loose), shift = DEDUP_KEY_BITS - bits;
    uint32_t *const starts = scratch->starts;
    memset(starts, 0, ((size_t)1 << bits) * sizeof *starts);
    struct walk walk = walk_from(run, run->sorted);
    for (uint32_t left = run->loose;;) {
        starts[dedup_entry_key(walk.at) >> shift]++;
        if (--left == 0) break;
        walk_on(&walk);
    }
    uint32_t sum = 0;
    for (uint32_t b = 0; b < UINT32_C(1) << bits; b++) {
        uint32_t const count = starts[b];
        starts[b] = sum;
        sum += count;
    }
    walk = walk_from(run, run->sorted);
    for (uint32_t left = run->loose;;) {
        struct dedup_entry const entry = dedup_entry_unpack(walk.at);
        scratch->entries[starts[entry.key >> shift]++] = entry;
        if (--left == 0) break;
        walk_on(&walk);
    }
}

/* Insertion sort, which is quick on what is nearly in order. Equal keys stay in the order they came in: many
 * of one key cost no more than a few. */
static void sort(struct dedup_entry *entries, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct dedup_entry const entry = entries[i];
        uint32_t at = i;
        for (; at > 0 && entries[at - 1].key > entry.key; at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* One of each key stays. Returns how many these are. */
static uint32_t unite(const struct dedup_run *run, struct dedup_entry *entries, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct dedup_entry *const last = &entries[kept == 0 ? 0 : kept - 1];
        if (kept == 0 || last->key != entries[i].key) {
            entries[kept++] = entries[i];
        } else if (beats(run, &entries[i], last)) {
            losers_mark(run->losers, last->place);
            *last = entries[i];
        } else {
            losers_mark(run->losers, entries[i].place);
        }
    }
    return kept;
}

/* ---- the run ---- */

/* A key that the run has already: the better entry stands there afterwards. */
static void meet(const struct dedup_run *run, uint8_t *at, const struct dedup_entry *challenger)
{
    struct dedup_entry const holder = dedup_entry_unpack(at);
    if (beats(run, challenger, &holder)) {
        losers_mark(run->losers, holder.place);
        dedup_entry_pack(challenger, at);
    } else {
        losers_mark(run->losers, challenger->place);
    }
}

uint32_t dedup_run_settle(struct dedup_run *run, struct dedup_scratch *scratch)
{
    struct dedup_entry *const entries = scratch->entries;
    if (run->loose == 0) return 0;
    scatter(run, scratch);
    sort(entries, run->loose);
    uint32_t const count = unite(run, entries, run->loose);
    run->loose = 0;
    if (run->sorted == 0) return count;
    entries[count].key = DEDUP_KEY_NONE;
    uint32_t kept = 0, next = 0;
    struct walk walk = walk_from(run, 0);
    for (uint32_t left = run->sorted;;) {
        uint64_t const key = dedup_entry_key(walk.at);
        while (entries[next].key < key)
            entries[kept++] = entries[next++];
        if (entries[next].key == key) meet(run, walk.at, &entries[next++]);
        if (--left == 0) break;
        walk_on(&walk);
    }
    while (next < count)
        entries[kept++] = entries[next++];
    return kept;
}

void dedup_run_merge(struct dedup_run *run, const struct dedup_scratch *scratch, uint32_t count)
{
    uint32_t sorted = run->sorted;
    run->sorted += count;
    if (count == 0) return;
    struct walk to = walk_back_from(run, run->sorted);
    struct walk from = sorted == 0 ? to : walk_back_from(run, sorted);
    while (count > 0) {
        if (sorted > 0 && dedup_entry_key(from.at) > scratch->entries[count - 1].key) {
            memcpy(to.at, from.at, DEDUP_ENTRY_BYTES);
            if (--sorted > 0) walk_back(&from);
        } else {
            dedup_entry_pack(&scratch->entries[--count], to.at);
        }
        if (sorted + count > 0) walk_back(&to);
    }
}

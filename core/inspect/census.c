/* census.c - see the header. Thread: the caller's. Owns entries and table. */
#include "core/inspect/census.h"

#include <stdlib.h>
#include <string.h>

/* The table is at most half full. */
static uint32_t table_size(uint32_t limit)
{
    uint32_t size = 8;
    while (size < 4 * limit)
        size *= 2;
    return size;
}

size_t census_bytes(uint32_t limit)
{
    return 2 * limit * sizeof(struct census_entry) + table_size(limit) * sizeof(uint32_t);
}

bool census_create(struct census *census, uint32_t limit)
{
    uint32_t const size = table_size(limit);
    *census = (struct census){.limit = limit, .table_mask = size - 1, .ceiling = UINT64_MAX};
    census->entries = calloc(2 * (size_t)limit, sizeof *census->entries);
    census->table = calloc(size, sizeof *census->table);
    return census->entries != NULL && census->table != NULL;
}

void census_destroy(struct census *census)
{
    for (uint32_t i = 0; i < census->count; i++)
        hyperloglog_free(&census->entries[i].distinct);
    free(census->entries);
    free(census->table);
    *census = (struct census){0};
}

/* ---- keys ---- */

/* The namespace's digest without regard to case, and the id's, stirred into one. Long namespaces are told
 * apart by as much as is kept. */
static struct key_digest digest_of(const struct census_key *key)
{
    uint8_t folded[CENSUS_NAME_MAX];
    uint32_t const length = key->name_length < CENSUS_NAME_MAX ? key->name_length : CENSUS_NAME_MAX;
    for (uint32_t i = 0; i < length; i++)
        folded[i] =
            key->name[i] >= 'A' && key->name[i] <= 'Z' ? (uint8_t)(key->name[i] | 0x20) : key->name[i];
    struct key_digest const parts[2] = {key_digest_of(folded, length),
                                        key_digest_of(key->id, key->id_length)};
    return key_digest_of(parts, sizeof parts);
}

static bool is_same(struct key_digest a, struct key_digest b)
{
    return a.low == b.low && a.high == b.high;
}

/* The place in the table where a digest stands, or would. */
static uint32_t place_of(const struct census *census, struct key_digest digest)
{
    uint32_t at = (uint32_t)digest.high & census->table_mask;
    while (census->table[at] != 0 && !is_same(census->entries[census->table[at] - 1].digest, digest))
        at = (at + 1) & census->table_mask; /* ends: half the table is free */
    return at;
}

/* A NUL becomes its picture (U+2400): so the text has an end, and differs from one without it. */
static void keep_text(char *out, size_t room, const uint8_t *text, size_t length)
{
    static const char picture[] = "\xe2\x90\x80";
    size_t used = 0;
    for (size_t i = 0; i < length && used < room; i++) {
        if (text[i] != '\0') {
            out[used++] = (char)text[i];
            continue;
        }
        if (room - used < sizeof picture - 1) break;
        memcpy(out + used, picture, sizeof picture - 1);
        used += sizeof picture - 1;
    }
    out[used] = '\0';
}

static bool is_before(struct census_place a, struct census_place b)
{
    return a.source != b.source ? a.source < b.source : a.offset < b.offset;
}

/* ---- the bound ---- */

static int by_digest(const void *left, const void *right)
{
    const struct census_entry *const a = left, *const b = right;
    return a->digest.low < b->digest.low ? -1 : a->digest.low > b->digest.low;
}

static void index_again(struct census *census)
{
    memset(census->table, 0, (census->table_mask + 1) * sizeof *census->table);
    for (uint32_t i = 0; i < census->count; i++)
        census->table[place_of(census, census->entries[i].digest)] = i + 1;
}

/* Keeps the `limit` entries with the lowest digests. */
static void prune(struct census *census)
{
    if (census->count <= census->limit) return;
    qsort(census->entries, census->count, sizeof *census->entries, by_digest);
    for (uint32_t i = census->limit; i < census->count; i++)
        hyperloglog_free(&census->entries[i].distinct);
    census->count = census->limit;
    census->ceiling = census->entries[census->count - 1].digest.low;
    census->over = true;
    index_again(census);
}

static struct census_entry *add(struct census *census, struct key_digest digest)
{
    if (digest.low > census->ceiling) return NULL;
    if (census->count == 2 * census->limit) prune(census);
    if (digest.low > census->ceiling) return NULL;
    census->entries[census->count] = (struct census_entry){.digest = digest};
    census->table[place_of(census, digest)] = ++census->count;
    return &census->entries[census->count - 1];
}

/* ---- what it is asked ---- */

struct census_entry *census_find(struct census *census, const struct census_key *key)
{
    struct key_digest const digest = digest_of(key);
    uint32_t const number = census->table[place_of(census, digest)];
    if (number != 0) return &census->entries[number - 1];
    struct census_entry *const entry = add(census, digest);
    if (entry == NULL) return NULL;
    entry->first = key->place;
    keep_text(entry->name, CENSUS_NAME_MAX, key->name, key->name_length);
    keep_text(entry->id, CENSUS_ID_MAX, key->id, key->id_length);
    return entry;
}

bool census_merge(struct census *census, const struct census *more)
{
    bool good = true;
    if (more->ceiling < census->ceiling) census->ceiling = more->ceiling;
    census->over = census->over || more->over;
    for (uint32_t i = 0; i < more->count; i++) {
        const struct census_entry *const from = &more->entries[i];
        uint32_t const number = census->table[place_of(census, from->digest)];
        struct census_entry *const to =
            number != 0 ? &census->entries[number - 1] : add(census, from->digest);
        if (to == NULL) continue;
        if (number == 0 || is_before(from->first, to->first)) {
            to->first = from->first;
            memcpy(to->name, from->name, sizeof to->name);
            memcpy(to->id, from->id, sizeof to->id);
        }
        for (unsigned c = 0; c < CENSUS_COUNTS; c++)
            to->counts[c] += from->counts[c];
        to->records += from->records;
        good = hyperloglog_merge(&to->distinct, &from->distinct) && good;
    }
    return good;
}

static int by_text(const void *left, const void *right)
{
    const struct census_entry *const a = left, *const b = right;
    int const names = strcmp(a->name, b->name);
    if (names != 0) return names;
    int const ids = strcmp(a->id, b->id);
    return ids != 0 ? ids : by_digest(left, right); /* long ids may begin alike */
}

/* A ceiling that came with another part leaves entries above it: they were not counted there. */
static void drop_above_ceiling(struct census *census)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < census->count; i++) {
        if (census->entries[i].digest.low <= census->ceiling)
            census->entries[kept++] = census->entries[i];
        else
            hyperloglog_free(&census->entries[i].distinct);
    }
    census->count = kept;
}

void census_finish(struct census *census)
{
    drop_above_ceiling(census);
    prune(census);
    qsort(census->entries, census->count, sizeof *census->entries, by_text);
    index_again(census);
}

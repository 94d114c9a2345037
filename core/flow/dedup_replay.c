/* dedup_replay.c - see the header. Thread: the assembler's. Owns the contenders at hand. */
#include "core/flow/dedup_replay.h"

#include <stdlib.h>
#include <string.h>

bool dedup_replay_create(struct dedup_replay *replay, enum checksum_kind checksum, size_t chunk)
{
    *replay = (struct dedup_replay){.checksum = checksum};
    replay->contenders = malloc(chunk);
    return replay->contenders != NULL;
}

void dedup_replay_destroy(struct dedup_replay *replay)
{
    free(replay->contenders);
    replay->contenders = NULL;
}

void dedup_replay_begin(struct dedup_replay *replay, struct losers_unit losers)
{
    replay->losers = losers;
    replay->has_losers = losers_any(&losers);
    replay->records = replay->candidates = 0;
    replay->contender_count = replay->next = replay->counted = 0;
    replay->some_stay = false;
    replay->correction = (struct tally){0};
}

/* ---- records ---- */

static uint32_t count_lost(struct dedup_replay *replay, uint32_t candidates)
{
    uint32_t lost = 0;
    for (uint32_t i = 0; i < candidates; i++)
        lost += losers_has(&replay->losers, replay->candidates + i);
    return lost;
}

/* What the whole record was counted as. */
static void take_back(struct tally *correction, const struct contender *contender)
{
    correction->skipped[SKIP_DUPLICATE]++;
    switch ((enum contender_outcome)contender->outcome) {
    case CONTENDER_ROWS: correction->delivered--; break;
    case CONTENDER_SKIPPED:
        correction->skipped[contender->reason]--;
        if (contender->reason == SKIP_CONSENT) correction->consent[contender->rule]--;
        break;
    case CONTENDER_FAILED: correction->failed[contender->reason]--; break;
    }
}

/* A candidate's rows, each of them. */
static void take_rows_back(struct tally *correction, const struct contender *contender, uint32_t candidates)
{
    uint64_t const rows = (uint64_t)candidates * contender->rows;
    if (contender->outcome != CONTENDER_ROWS) return;
    correction->rows -= rows;
    for (int c = 0; c < CHANGE_COUNT; c++)
        correction->changed[c] -= rows * contender->changed[c];
}

/* Candidates of the contender at hand that are not counted yet. */
static uint32_t left(const struct dedup_replay *replay)
{
    return replay->contenders[replay->next].candidates - replay->counted;
}

/* The next `records` of a contender that stands for records of one candidate each. */
static void count_alone(struct dedup_replay *replay, uint32_t records)
{
    const struct contender *const contender = &replay->contenders[replay->next];
    uint32_t const lost = count_lost(replay, records);
    take_rows_back(&replay->correction, contender, lost);
    for (uint32_t i = 0; i < lost; i++)
        take_back(&replay->correction, contender);
    replay->candidates += records;
    replay->records += records;
}

/* A contender of one record. */
static void count_whole(struct dedup_replay *replay, uint32_t candidates)
{
    const struct contender *const contender = &replay->contenders[replay->next];
    uint32_t const lost = count_lost(replay, candidates);
    take_rows_back(&replay->correction, contender, lost);
    replay->candidates += candidates;
    replay->some_stay = replay->some_stay || lost < candidates;
    if (contender->shape == CONTENDER_MORE) return;
    if (!replay->some_stay) take_back(&replay->correction, contender);
    replay->some_stay = false;
    replay->records++;
}

/* Counts on to record number `records`, or as far as the contenders at hand reach. */
static void count_to(struct dedup_replay *replay, uint64_t records)
{
    while (replay->records < records && replay->next < replay->contender_count) {
        uint32_t count = left(replay);
        if (replay->contenders[replay->next].shape != CONTENDER_ALONE) {
            count_whole(replay, count);
        } else {
            if (count > records - replay->records) count = (uint32_t)(records - replay->records);
            count_alone(replay, count);
        }
        if (count == left(replay)) {
            replay->next++;
            replay->counted = 0;
        } else {
            replay->counted += count;
        }
    }
}

void dedup_replay_contenders(struct dedup_replay *replay, uint32_t count)
{
    replay->contender_count = count;
    replay->next = replay->counted = 0;
}

void dedup_replay_count(struct dedup_replay *replay)
{
    if (replay->has_losers) count_to(replay, UINT64_MAX);
}

/* ---- rejects ---- */

/* Did the record of this reject lose? All records before it are counted. */
static bool is_lost(struct dedup_replay *replay, const struct chunk_reject *entry)
{
    if (!entry->contends || replay->next == replay->contender_count) return false;
    bool const alone = replay->contenders[replay->next].shape == CONTENDER_ALONE;
    uint32_t const candidates = alone ? 1 : left(replay);
    return count_lost(replay, candidates) == candidates;
}

void dedup_replay_rejects(struct dedup_replay *replay, struct chunk *chunk)
{
    uint32_t to = 0, rows = 0;
    if (!replay->has_losers) return;
    for (uint32_t at = 0; at < chunk->length;) {
        struct chunk_reject entry;
        memcpy(&entry, chunk->bytes + at, sizeof entry);
        uint32_t const bytes = (uint32_t)chunk_reject_bytes(entry.raw_length);
        count_to(replay, entry.contenders);
        if (!is_lost(replay, &entry)) {
            tally_add(&entry.tally, &replay->correction);
            memmove(chunk->bytes + to, chunk->bytes + at, bytes);
            memcpy(chunk->bytes + to, &entry, sizeof entry);
            to += bytes;
            rows++;
        }
        at += bytes;
    }
    chunk->length = to;
    chunk->rows = rows;
}

/* ---- rows ---- */

/* How far a chunk is cut: what is read, and where it goes. */
struct cut {
    struct dedup_replay *replay;
    struct chunk *chunk;
    uint32_t row, at, end; /* end: of all bytes */
    uint32_t to_row, to;
};

static bool row_is_lost(const struct cut *cut)
{
    return losers_has(&cut->replay->losers, cut->chunk->row_marks[cut->row]);
}

/* Keeps the bytes up to `end`, or leaves them out. */
static void cut_to(struct cut *cut, uint32_t end, bool lost)
{
    if (!lost) {
        memmove(cut->chunk->bytes + cut->to, cut->chunk->bytes + cut->at, end - cut->at);
        cut->to += end - cut->at;
    }
    cut->at = end;
}

/* The rows of one stream; with the last of them comes what is left behind the chunk's last row end. */
static void cut_run(struct cut *cut, struct chunk_run *run, bool is_last)
{
    uint32_t const begin = cut->to;
    uint32_t kept = 0;
    for (uint32_t left = run->rows; left > 0; left--) {
        bool const lost = row_is_lost(cut);
        cut_to(cut, cut->chunk->row_ends[cut->row++], lost);
        if (lost) continue;
        cut->chunk->row_ends[cut->to_row++] = cut->to;
        kept++;
    }
    if (is_last && cut->at < cut->end) {
        bool const lost = row_is_lost(cut);
        cut_to(cut, cut->end, lost);
        if (lost) cut->chunk->open_row = 0;
    }
    run->rows = kept;
    run->checksum = checksum_update(cut->replay->checksum, 0, cut->chunk->bytes + begin, cut->to - begin);
}

static void cut_runs(struct cut *cut)
{
    struct chunk *const chunk = cut->chunk;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < chunk->run_count; i++) {
        struct chunk_run run = chunk->runs[i];
        uint32_t const begin = cut->to;
        cut_run(cut, &run, i + 1 == chunk->run_count);
        if (cut->to != begin) chunk->runs[kept++] = run;
    }
    chunk->run_count = kept;
}

static bool any_row_is_lost(struct cut cut)
{
    for (; cut.row < chunk_mark_count(cut.chunk); cut.row++)
        if (row_is_lost(&cut)) return true;
    return false;
}

void dedup_replay_rows(struct dedup_replay *replay, struct chunk *chunk)
{
    struct cut cut = {.replay = replay, .chunk = chunk, .end = chunk->length};
    if (!replay->has_losers || !any_row_is_lost(cut)) return;
    if (chunk->run_count != 0) {
        cut_runs(&cut);
    } else {
        struct chunk_run whole = {.rows = chunk->rows};
        cut_run(&cut, &whole, true);
        chunk->checksum = whole.checksum;
    }
    chunk->rows = cut.to_row;
    chunk->length = cut.to;
}

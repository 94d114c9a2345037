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

/* How far a chunk is read: its rows, and its bytes, of which those up to `from` are taken or passed, and
 * those from there to `at` stay. */
struct cut {
    struct dedup_replay *replay;
    struct chunk *chunk;
    struct spool *spool;
    uint32_t stay; /* so many rows stay for sure */
    uint32_t row, from, at, end;
    uint32_t to_row, to; /* where rows that stay go */
};

static bool row_is_lost(const struct cut *cut)
{
    return cut->row >= cut->stay && losers_has(&cut->replay->losers, cut->chunk->row_marks[cut->row]);
}

/* Takes what stays. */
static enum status take(struct cut *cut, struct fault *fault)
{
    enum status const status =
        spool_take(cut->spool, cut->chunk->bytes + cut->to, cut->at - cut->from, fault);
    cut->to += cut->at - cut->from;
    cut->from = cut->at;
    return status;
}

/* The bytes up to `end` stay, or are left out. */
static enum status cut_to(struct cut *cut, uint32_t end, bool lost, struct fault *fault)
{
    enum status status = lost ? take(cut, fault) : STATUS_OK;
    if (lost && status == STATUS_OK) status = spool_take(cut->spool, NULL, end - cut->at, fault);
    cut->at = end;
    if (lost) cut->from = end;
    return status;
}

/* The rows of one stream; with the last of them comes what is left behind the chunk's last row end. */
static enum status cut_run(struct cut *cut, struct chunk_run *run, bool is_last, struct fault *fault)
{
    uint32_t const begin = cut->to;
    enum status status = STATUS_OK;
    uint32_t kept = 0;
    for (uint32_t left = run->rows; left > 0 && status == STATUS_OK; left--) {
        bool const lost = row_is_lost(cut);
        status = cut_to(cut, cut->chunk->row_ends[cut->row++], lost, fault);
        if (lost) continue;
        cut->chunk->row_ends[cut->to_row++] = cut->to + (cut->at - cut->from);
        kept++;
    }
    if (is_last && cut->at < cut->end && status == STATUS_OK) {
        bool const lost = row_is_lost(cut);
        status = cut_to(cut, cut->end, lost, fault);
        if (lost) cut->chunk->open_row = 0;
    }
    if (status == STATUS_OK) status = take(cut, fault);
    run->rows = kept;
    run->checksum = checksum_update(cut->replay->checksum, 0, cut->chunk->bytes + begin, cut->to - begin);
    return status;
}

static enum status cut_runs(struct cut *cut, struct fault *fault)
{
    struct chunk *const chunk = cut->chunk;
    enum status status = STATUS_OK;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < chunk->run_count && status == STATUS_OK; i++) {
        struct chunk_run run = chunk->runs[i];
        uint32_t const begin = cut->to;
        status = cut_run(cut, &run, i + 1 == chunk->run_count, fault);
        if (cut->to != begin) chunk->runs[kept++] = run;
    }
    chunk->run_count = kept;
    return status;
}

/* How many rows come before the first that is lost. */
static uint32_t count_staying(struct cut cut)
{
    uint32_t const count = chunk_mark_count(cut.chunk);
    while (cut.row < count && !row_is_lost(&cut))
        cut.row++;
    return cut.row;
}

enum status dedup_replay_rows(struct dedup_replay *replay, struct chunk *chunk, struct spool *spool,
                              struct fault *fault)
{
    struct cut cut = {.replay = replay, .chunk = chunk, .spool = spool, .end = chunk->length};
    if (replay->has_losers) cut.stay = count_staying(cut);
    if (!replay->has_losers || cut.stay == chunk_mark_count(chunk))
        return spool_take(spool, chunk->bytes, chunk->length, fault);
    enum status status;
    if (chunk->run_count != 0) {
        status = cut_runs(&cut, fault);
    } else {
        struct chunk_run whole = {.rows = chunk->rows};
        status = cut_run(&cut, &whole, true, fault);
        chunk->checksum = whole.checksum;
    }
    chunk->rows = cut.to_row;
    chunk->length = cut.to;
    return status;
}

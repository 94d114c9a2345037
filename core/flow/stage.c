/* stage.c - see the header. Any thread. Owns nothing. */
#include "core/flow/stage.h"

/* Of the workers' time: waiting for text that is more than that holds them up. */
#define TEXT_SHARE 10u
/* Of the assembler's time: who waits for rows for more than that is not the bottleneck. */
#define IDLE_SHARE 2u

/* Nanoseconds of a run's threads stay below 2^63 (LIMIT_THREADS of them for a century), but products don't.
 */
static double share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : (double)part / (double)whole;
}

static uint64_t workers_busy(const struct track *sum)
{
    return sum->spent[TRACK_READ] + sum->spent[TRACK_INFLATE] + sum->spent[TRACK_CONVERT] +
           sum->spent[TRACK_COMPRESS];
}

/* Of all threads, their whole times: all that they did, or the run's where some of it is in no act. */
struct whole {
    uint64_t workers, assembler;
    uint64_t after; /* of the workers, behind the last row */
};

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Of the assembler's time, what the delivery took. */
static uint64_t delivering(const struct track *sum)
{
    return sum->spent[TRACK_WRITE] + sum->spent[TRACK_WAIT_SINK] + sum->spent[TRACK_FINISH];
}

static struct whole whole_of(const struct track *sum, uint32_t workers, uint64_t elapsed)
{
    uint64_t const after = sum->spent[TRACK_FINISH] * workers;
    uint64_t const told = workers_busy(sum) + sum->spent[TRACK_WAIT_TEXT] + sum->spent[TRACK_WAIT_CHUNK] +
                          sum->spent[TRACK_WAIT_TURN] + after;
    uint64_t const assembler = delivering(sum) + sum->spent[TRACK_WAIT_ROWS] + sum->spent[TRACK_WAIT_WORK];
    return (struct whole){
        .workers = larger(told, elapsed * workers), .assembler = larger(assembler, elapsed), .after = after};
}

/* Rule 1. */
static bool delivery_holds_up(const struct track *sum, const struct whole *whole)
{
    uint64_t const idle = whole->assembler - delivering(sum);
    uint64_t const stood = sum->spent[TRACK_WAIT_CHUNK] + whole->after;
    return idle <= whole->assembler / IDLE_SHARE &&
           share(idle, whole->assembler) < share(stood, whole->workers);
}

static enum stage slower_input(const struct track *sum)
{
    return sum->spent[TRACK_INFLATE] > sum->spent[TRACK_READ] ? STAGE_INFLATE : STAGE_READ;
}

/* Rule 2. Workers that wait for chunks wait for the front source, when it is not the delivery. */
static bool text_holds_up(const struct track *sum, const struct whole *whole)
{
    bool const has_streams = sum->spent[TRACK_WAIT_TEXT] != 0 || sum->spent[TRACK_INFLATE] != 0;
    uint64_t const stood = sum->spent[TRACK_WAIT_TEXT] + sum->spent[TRACK_WAIT_CHUNK];
    return has_streams && stood > whole->workers / TEXT_SHARE;
}

static enum stage busiest(const struct stage_uses *uses)
{
    enum stage most = STAGE_CONVERT;
    for (enum stage s = STAGE_READ; s < STAGE_DELIVER; s++)
        if (uses->of[s].busy > uses->of[most].busy) most = s;
    return most;
}

struct stage_uses stage_sum_up(const struct track *sum, uint32_t workers, uint64_t elapsed)
{
    struct stage_uses uses = {.bottleneck = STAGE_NONE};
    static const enum track_act acts[STAGE_DELIVER] = {TRACK_READ, TRACK_INFLATE, TRACK_CONVERT,
                                                       TRACK_COMPRESS};
    for (enum stage s = STAGE_READ; s < STAGE_DELIVER; s++)
        uses.of[s] = (struct stage_use){.busy = sum->spent[acts[s]], .bytes = sum->bytes[acts[s]]};
    uses.of[STAGE_DELIVER] = (struct stage_use){.busy = sum->spent[TRACK_WRITE] + sum->spent[TRACK_FINISH],
                                                .waiting = sum->spent[TRACK_WAIT_SINK],
                                                .bytes = sum->bytes[TRACK_WRITE]};
    struct whole const whole = whole_of(sum, workers, elapsed);
    bool const delivers = delivery_holds_up(sum, &whole), reads = text_holds_up(sum, &whole);
    enum stage const input = slower_input(sum);
    uses.of[input].waiting += sum->spent[TRACK_WAIT_TEXT];
    uses.of[STAGE_COMPRESS].waiting = sum->spent[TRACK_WAIT_WORK];
    uses.of[STAGE_CONVERT].waiting += sum->spent[TRACK_WAIT_TURN] + sum->spent[TRACK_WAIT_ROWS];
    if (workers_busy(sum) == 0)
        uses.bottleneck = STAGE_NONE;
    else if (delivers)
        uses.bottleneck = STAGE_DELIVER;
    else if (reads)
        uses.bottleneck = input;
    else
        uses.bottleneck = busiest(&uses);
    enum stage const front = reads ? input : STAGE_CONVERT; /* what the front shard is at */
    uses.of[delivers ? STAGE_DELIVER : front].waiting += sum->spent[TRACK_WAIT_CHUNK];
    return uses;
}

const char *stage_name(enum stage stage, bool uploads)
{
    static const char *const names[STAGE_COUNT] = {"read", "inflate", "convert", "compress", "write"};
    return stage == STAGE_DELIVER && uploads ? "upload" : names[stage];
}

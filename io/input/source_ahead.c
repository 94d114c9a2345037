/* source_ahead.c - see the header. Thread: one. Owns the buffer, of which reads that are on their way own
 * their slots. */
#include "io/input/source_ahead.h"

#include "core/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- places ---- */

static uint64_t read_from(const struct source_ahead *ahead, uint64_t number)
{
    return ahead->run_from + number * ahead->rules.read;
}

static uint64_t read_of(const struct source_ahead *ahead, uint64_t offset)
{
    return (offset - ahead->run_from) / ahead->rules.read;
}

static struct source_ahead_slot *slot_of(struct source_ahead *ahead, uint64_t number)
{
    return &ahead->slot[number % ahead->rules.depth];
}

/* Where a round of all slots begins in the file. */
static uint64_t lap_from(const struct source_ahead *ahead, uint64_t lap)
{
    return read_from(ahead, lap * ahead->rules.depth);
}

/* ---- reads ---- */

/* Asks for what a slot still lacks. */
static void ask(struct source_ahead *ahead, uint32_t number)
{
    struct source_ahead_slot *const slot = &ahead->slot[number];
    size_t const left = (size_t)source_ahead_up(slot->wanted - slot->done, ahead->rules.align);
    slot->error =
        ahead->port->start(ahead->port->self, number, ahead->slots + number * ahead->rules.read + slot->done,
                           left, slot->from + slot->done);
    slot->on_way = slot->error == 0;
    ahead->on_way += slot->on_way;
}

/* What came for a slot; what is missing is asked for again, as long as there is progress. */
static void land(struct source_ahead *ahead, uint32_t number, int64_t result)
{
    struct source_ahead_slot *const slot = &ahead->slot[number];
    ahead->on_way--;
    slot->on_way = false;
    if (result < 0 && result != -EINTR) {
        slot->error = (int)-result;
        return;
    }
    size_t const before = slot->done;
    if (result > 0)
        slot->done = source_ahead_progress(before, (size_t)result, slot->wanted, ahead->rules.align);
    if (slot->done < slot->wanted && (result < 0 || slot->done > before)) ask(ahead, number);
}

/* Waits for one read, whichever it is. 0, or why that is not possible. */
static int wait_one(struct source_ahead *ahead)
{
    uint32_t number = 0;
    int64_t result = 0;
    int const error = ahead->port->wait(ahead->port->self, &number, &result);
    if (error == 0) land(ahead, number, result);
    return error;
}

/* Bytes of a read that begins at `from` and is wanted up to `to`: no more than a slot holds. */
static size_t bytes_wanted(const struct source_ahead *ahead, uint64_t from, uint64_t to)
{
    const struct source_ahead_rules *const rules = &ahead->rules;
    uint64_t const end =
        source_ahead_up(to, rules->align) < rules->size ? source_ahead_up(to, rules->align) : rules->size;
    return end - from < rules->read ? (size_t)(end - from) : rules->read;
}

/* Starts the reads before `to`, which is in the file, that slots are free for. The last one stops there: one
 * that stopped earlier goes on. */
static int start_reads(struct source_ahead *ahead, uint64_t to)
{
    int error = 0;
    if (ahead->next > ahead->first) {
        struct source_ahead_slot *const last = slot_of(ahead, ahead->next - 1);
        size_t const wanted = bytes_wanted(ahead, last->from, to > last->from ? to : last->from);
        while (wanted > last->wanted && last->on_way && error == 0)
            error = wait_one(ahead);
        if (wanted > last->wanted && error == 0 && last->error == 0 && last->done == last->wanted) {
            last->wanted = wanted;
            ask(ahead, (uint32_t)((ahead->next - 1) % ahead->rules.depth));
        }
    }
    while (error == 0 && ahead->next - ahead->first < ahead->rules.depth &&
           read_from(ahead, ahead->next) < to) {
        uint64_t const from = read_from(ahead, ahead->next);
        *slot_of(ahead, ahead->next) =
            (struct source_ahead_slot){.from = from, .wanted = bytes_wanted(ahead, from, to)};
        ask(ahead, (uint32_t)(ahead->next % ahead->rules.depth));
        ahead->next++;
    }
    return error;
}

/* Waits until nothing is on its way: slots may be filled anew then. */
static int settle(struct source_ahead *ahead)
{
    int error = 0;
    while (ahead->on_way != 0 && error == 0)
        error = wait_one(ahead);
    return error;
}

/* Waits until reads [first, last] are there. */
static bool await(struct source_ahead *ahead, uint64_t first, uint64_t last,
                  struct source_ahead_trouble *trouble)
{
    for (uint64_t number = first; number <= last; number++) {
        const struct source_ahead_slot *const slot = slot_of(ahead, number);
        int error = 0;
        while (slot->on_way && error == 0)
            error = wait_one(ahead);
        if (error == 0) error = slot->error;
        if (error == 0 && slot->done == slot->wanted) continue;
        *trouble = (struct source_ahead_trouble){.offset = slot->from + slot->done, .error = error};
        return false;
    }
    return true;
}

/* ---- the run ---- */

static int begin_run(struct source_ahead *ahead, uint64_t offset)
{
    ahead->runs = false;
    int const error = settle(ahead);
    if (error != 0) return error;
    ahead->runs = true;
    ahead->run_from = ahead->held_from = source_ahead_down(offset, ahead->rules.align);
    ahead->first = ahead->next = ahead->lap = 0;
    ahead->expected = 0;
    return 0;
}

/* Lets go of the slots before `offset`, or begins a run there. 0, or why what is on its way can't be waited
 * for. */
static int go_to(struct source_ahead *ahead, uint64_t offset)
{
    if (!ahead->runs || offset < ahead->held_from || offset > read_from(ahead, ahead->next))
        return begin_run(ahead, offset);
    uint64_t const number = read_of(ahead, offset); /* of what lies in the lead: before the first */
    int error = 0;
    while (ahead->first < number && error == 0) { /* one that nobody looked at may be on its way still */
        while (slot_of(ahead, ahead->first)->on_way && error == 0)
            error = wait_one(ahead);
        ahead->first += error == 0;
        ahead->held_from = read_from(ahead, ahead->first);
    }
    ahead->lap = ahead->first / ahead->rules.depth;
    return error;
}

/* The window goes on behind the last slot: its front is moved to the lead, where it ends at slot 0. */
static bool move_front(struct source_ahead *ahead, uint64_t offset, struct source_ahead_trouble *trouble)
{
    uint64_t const behind = (ahead->lap + 1) * ahead->rules.depth; /* the first read of the next round */
    uint64_t const end = lap_from(ahead, ahead->lap + 1);
    size_t const length = (size_t)(end - offset);
    if (!await(ahead, ahead->first, behind - 1, trouble)) return false;
    memmove(ahead->slots - length, ahead->slots + (offset - lap_from(ahead, ahead->lap)), length);
    ahead->first = behind;
    ahead->lap++;
    ahead->held_from = offset;
    return true;
}

/* ---- the port's users ---- */

size_t source_ahead_bytes(const struct source_ahead_rules *rules)
{
    return (size_t)source_ahead_up(rules->window_max, rules->align) + rules->read * rules->depth +
           LIMIT_PADDING;
}

bool source_ahead_create(struct source_ahead *ahead, const struct source_ahead_rules *rules,
                         const struct source_ahead_port *port)
{
    void *buffer = NULL;
    *ahead = (struct source_ahead){.rules = *rules, .port = port};
    if (posix_memalign(&buffer, rules->align, source_ahead_bytes(rules)) != 0) return false;
    ahead->buffer = buffer;
    ahead->slots = ahead->buffer + source_ahead_up(rules->window_max, rules->align);
    return true;
}

void source_ahead_destroy(struct source_ahead *ahead)
{
    if (settle(ahead) != 0) return; /* what is on its way would be written to someone else's memory */
    free(ahead->buffer);
    ahead->buffer = NULL;
}

void source_ahead_expect(struct source_ahead *ahead, uint64_t from, uint64_t to)
{
    if (go_to(ahead, from) != 0) return; /* a window will say so */
    ahead->expected = to < ahead->rules.size ? to : ahead->rules.size;
    (void)start_reads(ahead, ahead->expected);
}

/* A window that was not expected takes the rest of its last read along. */
static void expect_window(struct source_ahead *ahead, uint64_t end)
{
    if (ahead->expected >= end) return;
    uint64_t const to = read_from(ahead, read_of(ahead, end - 1) + 1);
    ahead->expected = to < ahead->rules.size ? to : ahead->rules.size;
}

const uint8_t *source_ahead_window(struct source_ahead *ahead, uint64_t offset, size_t length,
                                   struct source_ahead_trouble *trouble)
{
    uint64_t const end = offset + length;
    *trouble = (struct source_ahead_trouble){.offset = offset, .error = go_to(ahead, offset)};
    if (trouble->error != 0) return NULL;
    if (length == 0) return ahead->buffer;
    expect_window(ahead, end);
    trouble->error = start_reads(ahead, ahead->expected);
    if (trouble->error != 0) return NULL;
    if (end > lap_from(ahead, ahead->lap + 1)) {
        if (!move_front(ahead, offset, trouble)) return NULL;
        trouble->error = start_reads(ahead, ahead->expected);
        if (trouble->error != 0) return NULL;
    }
    if (!await(ahead, ahead->first, read_of(ahead, end - 1), trouble)) return NULL;
    return ahead->slots + (int64_t)(offset - lap_from(ahead, ahead->lap));
}

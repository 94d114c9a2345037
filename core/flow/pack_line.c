/* pack_line.c - see the header. Thread: the assembler's, but for compress(), which is a worker's. Owns units,
 * slots and tools. */
#include "core/flow/pack_line.h"

#include "core/base/checksum.h"

#include <assert.h>
#include <stdlib.h>

/* A worker's. Its tool serves no other; the crew's rings hand the slot over and back. */
static void compress(struct crew_work *work, uint32_t worker)
{
    struct pack_slot *const slot = (struct pack_slot *)work;
    const struct pack_line *const line = slot->line;
    if (pack_wants_crc32(line->kind))
        slot->crc32 = (uint32_t)checksum_update(CHECKSUM_CRC32, 0, slot->unit, slot->length);
    slot->good = pack_unit(line->tools[worker], slot->unit, slot->length, slot->out, &slot->out_length);
}

uint8_t *pack_line_unit(struct pack_line *line)
{
    assert(line->empty_count != 0);
    return line->empty[--line->empty_count];
}

bool pack_line_has_slot(const struct pack_line *line)
{
    return line->busy < line->slot_count;
}

bool pack_line_is_idle(const struct pack_line *line)
{
    return line->busy == 0;
}

void pack_line_send(struct pack_line *line, uint32_t file, uint8_t *unit, size_t length, bool is_last,
                    bool is_needed)
{
    struct pack_slot *const slot = &line->slots[(line->first + line->busy) % line->slot_count];
    *slot = (struct pack_slot){.work = {.run = compress, .done = true, .bytes = length},
                               .line = line,
                               .file = file,
                               .is_last = is_last,
                               .unit = unit,
                               .length = length,
                               .out = slot->out,
                               .good = true};
    line->busy++;
    if (is_needed) crew_give(line->crew, &slot->work);
}

void pack_line_reap(struct pack_line *line)
{
    crew_reap(line->crew);
}

const struct pack_slot *pack_line_first(const struct pack_line *line)
{
    const struct pack_slot *const slot = &line->slots[line->first];
    return line->busy != 0 && slot->work.done ? slot : NULL;
}

void pack_line_pop(struct pack_line *line)
{
    uint8_t *const unit = line->slots[line->first].unit;
    if (unit != NULL) line->empty[line->empty_count++] = unit;
    line->first = (line->first + 1) % line->slot_count;
    line->busy--;
}

/* ---- set-up and tear-down ---- */

uint64_t pack_line_memory(enum pack_kind kind, size_t unit, uint32_t open, uint32_t workers)
{
    uint64_t const slots = (uint64_t)workers * CREW_WORKS;
    return workers * (uint64_t)(pack_tool_memory(kind) + sizeof(struct pack_tool *)) +
           slots * (sizeof(struct pack_slot) + pack_room(kind, unit)) +
           (slots + open) * (unit + sizeof(uint8_t *));
}

static bool make_tools(struct pack_line *line)
{
    line->tools = calloc(line->crew->workers, sizeof(struct pack_tool *));
    for (uint32_t w = 0; line->tools != NULL && w < line->crew->workers; w++) {
        line->tools[w] = pack_tool_create(line->kind);
        if (line->tools[w] == NULL) return false;
    }
    return line->tools != NULL;
}

bool pack_line_create(struct pack_line *line, enum pack_kind kind, size_t unit, uint32_t open,
                      struct crew *crew)
{
    size_t const room = pack_room(kind, unit);
    uint32_t const slots = crew_room(crew);
    *line = (struct pack_line){
        .kind = kind, .unit = unit, .crew = crew, .slot_count = slots, .empty_count = slots + open};
    line->slots = calloc(slots, sizeof *line->slots);
    line->out_bytes = malloc(slots * room);
    line->empty = calloc(line->empty_count, sizeof(uint8_t *));
    line->unit_bytes = malloc(line->empty_count * unit);
    if (line->slots == NULL || line->out_bytes == NULL || line->empty == NULL || line->unit_bytes == NULL)
        return false;
    for (uint32_t i = 0; i < slots; i++)
        line->slots[i].out = line->out_bytes + i * room;
    for (uint32_t i = 0; i < line->empty_count; i++)
        line->empty[i] = line->unit_bytes + i * unit;
    return make_tools(line);
}

void pack_line_destroy(struct pack_line *line)
{
    for (uint32_t w = 0; line->tools != NULL && w < line->crew->workers; w++)
        pack_tool_destroy(line->tools[w]);
    free(line->tools);
    free(line->slots);
    free(line->out_bytes);
    free(line->empty);
    free(line->unit_bytes);
    *line = (struct pack_line){.crew = NULL};
}

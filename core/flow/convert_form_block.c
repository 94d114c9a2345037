/* convert_form_block.c - many elements of a container by one index of stage 1: the fast way, which takes an
 * element only where element_scan.h is bound to find the same. See convert_form.h.
 * Thread: a worker. Owns nothing. */
#include "core/flow/convert_form_inside.h"

#include "core/base/scan.h"
#include "core/record/entity_find.h"
#include "core/record/json_text.h"

struct block {
    const uint32_t *token; /* of the element that is due next; NULL: there is no index */
    size_t base;           /* what tokens count from */
    uint64_t mark;         /* the first mark behind the element at hand */
    unsigned reindexed;
    bool filtered;
    struct prefilter_scan filter;
};

static void index_block(struct convert *convert, struct block *block, const struct form_piece *piece,
                        size_t from)
{
    struct record_index index;
    block->token = NULL;
    block->base = from;
    if (convert->rules->walk != CONVERT_FAST || block->reindexed > CONVERT_REINDEX_MAX) return;
    if (!record_parser_index(convert->tools.parser, piece->bytes + from, piece->block - from, &index)) return;
    block->token = index.tokens;
}

/* The element at the token at hand, as far as its brackets go. */
struct taken {
    const uint32_t *record, *next; /* tokens: the record's first, and the one behind the element */
    uint32_t record_end, end;
};

static bool bracket_element(struct convert *convert, const uint32_t *token, bool walks, struct taken *taken)
{
    struct convert_tools *const tools = &convert->tools;
    struct index_walk *const walk = &tools->walk;
    if (convert->form->kind == FORM_ENTITIES) {
        struct entity entity;
        if (!entity_find(walk, token, walks, &entity)) return false;
        *taken = (struct taken){.record = entity.record, .next = entity.next, .record_end = entity.end};
    } else {
        if (walk->bytes[*token] != '{') return false;
        if (walks) cells_begin(&tools->cells, walk->bytes + *token);
        const uint32_t *const next =
            walks ? index_walk_element(walk, token) : index_walk_skip(walk, token, 0);
        if (next == NULL) return false;
        *taken = (struct taken){.record = token, .next = next, .record_end = next[-1] + 1};
    }
    taken->end = taken->next[-1] + 1;
    return taken->end <= walk->end;
}

/* Is it no longer than may be? */
static bool fits(const struct convert *convert, uint32_t begin, const struct taken *taken)
{
    uint64_t const max_record = convert->rules->max_record;
    return taken->end - begin <= form_element_max(convert->form, max_record) &&
           taken->record_end - *taken->record <= max_record;
}

/* Is what follows the element what separates it from the next one? *next: where that is due. */
static bool separated(const struct convert *convert, const struct taken *taken, const uint32_t **next)
{
    const struct index_walk *const walk = &convert->tools.walk;
    bool const more = *taken->next < walk->end;
    *next = taken->next;
    if (convert->form->kind == FORM_CONCATENATED) return true;
    *next = taken->next + 1;
    return more && walk->bytes[*taken->next] == ',';
}

/* Who looks at all of a record, behind the walk: found it good? `base`: of what tokens count from, in the
 * source; `token`: the element's first. */
static bool watch(struct convert *convert, const uint32_t *token, const struct taken *taken, uint64_t base)
{
    struct convert_tools *const tools = &convert->tools;
    const uint8_t *const bytes = tools->walk.bytes;
    if (convert->visitor == NULL) {
        if (convert->form->kind == FORM_ENTITIES &&
            convert_form_strict(tools, bytes, token, taken->end) != DEFECT_NONE)
            return false;
        return convert_strict(tools, bytes, taken->record, taken->record_end) != NULL;
    }
    struct record_view const view = {.bytes = bytes,
                                     .token = taken->record,
                                     .end = taken->record_end,
                                     .source = convert->source_number,
                                     .offset = base};
    return convert->visitor->visit(convert->visitor->self, &view) != NULL;
}

/* `element`: where that begins which the record is in. A reject has the line of the record: see
 * judge_entity(). */
static bool accept(struct convert *convert, uint32_t element, const struct convert_record *record)
{
    struct convert_tools *const tools = &convert->tools;
    const uint8_t *const begin = tools->walk.bytes + element;
    if (record->bytes == begin) return convert_accept(convert, tools, record);
    uint64_t const lines = scan_count(begin, (size_t)(record->bytes - begin), '\n');
    convert->tally.lines += lines;
    bool const accepted = convert_accept(convert, tools, record);
    convert->tally.lines -= lines;
    return accepted;
}

/* The element at the token at hand, by the index. False: not so. */
static bool take_fast(struct convert *convert, struct form_course *course, const struct form_piece *piece,
                      struct block *block)
{
    struct convert_tools *const tools = &convert->tools;
    struct taken taken;
    const uint32_t *next;
    tools->walk.bytes = piece->bytes + block->base;
    tools->walk.end = (uint32_t)(piece->block - block->base);
    uint64_t const base = piece->offset + block->base, begin = base + *block->token;
    bool const walks = !block->filtered && convert->visitor == NULL;
    if (!bracket_element(convert, block->token, walks, &taken)) return false;
    if (!fits(convert, *block->token, &taken) || !separated(convert, &taken, &next)) return false;
    if (block->mark <= begin) {
        size_t const mark = record_mark_next(&convert->form->mark, piece->bytes, piece->length,
                                             (size_t)(begin - piece->offset) + 1);
        block->mark = mark == RECORD_MARK_NONE ? CONVERT_FORM_NOWHERE : piece->offset + mark;
    }
    if (block->mark < base + taken.end) return false;
    convert_form_count_lines(convert, course, piece, begin);
    if (block->filtered) {
        size_t const from = (size_t)(begin - piece->offset);
        if (!prefilter_may_name(&block->filter, from, block->base + taken.end)) {
            convert_pass(convert);
            block->token = next;
            return true;
        }
        if (!bracket_element(convert, block->token, true, &taken)) return false;
    }
    struct convert_record const record = {.bytes = tools->walk.bytes + *taken.record,
                                          .length = taken.record_end - *taken.record,
                                          .offset = base + *taken.record};
    if (convert->watched && !watch(convert, block->token, &taken, base)) return false;
    if (!accept(convert, *block->token, &record)) return false;
    block->token = next;
    return true;
}

/* Where the next element of a block is due; piece->block: behind it. */
static size_t next_due(const struct form_piece *piece, const struct block *block, size_t at)
{
    if (block->token != NULL) {
        size_t const due = block->base + *block->token;
        return due < piece->block ? due : piece->block;
    }
    while (at < piece->block && json_is_blank(piece->bytes[at]))
        at++;
    return at;
}

enum status convert_form_block(struct convert *convert, struct form_course *course,
                               const struct form_piece *piece, struct fault *fault)
{
    const struct prefilter *const filter = convert->rules->prefilter;
    struct block block = {.filtered = filter != NULL, .mark = 0};
    if (filter != NULL) prefilter_begin(&block.filter, filter, piece->bytes, piece->length);
    index_block(convert, &block, piece, 0);
    size_t at = next_due(piece, &block, 0);
    while (at < piece->block && !convert->stopping) {
        bool reads = false;
        if (block.token != NULL && take_fast(convert, course, piece, &block)) {
            at = next_due(piece, &block, at);
            continue;
        }
        bool const had_index = block.token != NULL;
        enum status const status =
            convert_form_element(convert, course, piece, piece->offset + at, &reads, fault);
        if (status != STATUS_OK || convert->stopping) return status;
        if (reads || course->at >= piece->offset + piece->block)
            return course->closed ? STATUS_OK : convert_form_count_far(convert, course, course->at, fault);
        at = (size_t)(course->at - piece->offset);
        block.reindexed += had_index;
        block.token = NULL;
        if (had_index) index_block(convert, &block, piece, at); /* the parser's index was overwritten */
        at = next_due(piece, &block, at);
    }
    course->at = piece->offset + piece->block;
    convert_form_count_lines(convert, course, piece, course->at);
    return STATUS_OK;
}

/* catalogue_walk.c - counts a record that was found good. Thread: one a struct. Owns its scratch.
 *
 * Functions take the token they begin at and return the token behind what they passed. */
#include "core/inspect/catalogue_walk.h"

#include "core/base/scan.h"
#include "core/csv/timestamp.h"
#include "core/record/json_text.h"

#include <stdlib.h>
#include <string.h>

/* Unescaped keys of namespaces and ids, cut: what a census shows is shorter. */
#define KEY_ROOM 4096u
/* Of a longer text: each character of the example may be an escape of 6 bytes, and one be cut. */
#define FRONT_ROOM 512u

_Static_assert(FRONT_ROOM > 6 * CATALOGUE_EXAMPLE + 12 && FRONT_ROOM <= CATALOGUE_WALK_TEXT, "see above");

size_t catalogue_walk_bytes(uint32_t depth_max)
{
    return depth_max + 2 + CATALOGUE_WALK_TEXT + 2 * KEY_ROOM;
}

bool catalogue_walk_create(struct catalogue_walk *walk, struct catalogue *catalogue, uint32_t depth_max)
{
    *walk = (struct catalogue_walk){.catalogue = catalogue, .depth_max = depth_max};
    walk->brackets = malloc((size_t)depth_max + 2);
    walk->text = malloc(CATALOGUE_WALK_TEXT);
    walk->keys = malloc(2 * KEY_ROOM);
    return walk->brackets != NULL && walk->text != NULL && walk->keys != NULL;
}

void catalogue_walk_destroy(struct catalogue_walk *walk)
{
    free(walk->brackets);
    free(walk->text);
    free(walk->keys);
    *walk = (struct catalogue_walk){0};
}

/* ---- texts ---- */

static struct census_place place_at(const struct catalogue_walk *walk, uint32_t offset)
{
    return (struct census_place){.source = walk->base.source, .offset = walk->base.offset + offset};
}

/* Is the text [begin, begin + length) as it stands? Asked front to back. */
static inline bool is_plain(struct catalogue_walk *walk, uint32_t begin, uint32_t length)
{
    return !record_escapes_in(&walk->escapes, begin, begin + length);
}

/* A text with escapes, unescaped in `room`; as it stands when it does not fit. string->length is the whole
 * text's. */
static struct catalogue_text unescape(const uint8_t *raw, uint32_t raw_length, uint8_t *room,
                                      uint32_t room_length, struct json_string *string)
{
    bool const fits = raw_length <= room_length;
    json_unescape(raw, raw_length, fits ? room : NULL, string);
    return fits ? (struct catalogue_text){.at = room, .length = (uint32_t)string->length}
                : (struct catalogue_text){.at = raw, .length = raw_length};
}

/* The front of a text that is too long to be unescaped, as much of it as an example shows. */
static struct catalogue_text unescape_front(const uint8_t *raw, uint8_t *room)
{
    uint32_t length = FRONT_ROOM;
    struct json_string string;
    if (!json_unescape(raw, length, room, &string)) { /* the last escape is cut in two */
        length = (uint32_t)string.bad;
        json_unescape(raw, length, room, &string);
    }
    return (struct catalogue_text){.at = room, .length = (uint32_t)string.length};
}

/* The text of the key at `token`, in `room` when it has escapes. */
static struct catalogue_text key_text(struct catalogue_walk *walk, const uint32_t *token, uint8_t *room,
                                      uint32_t room_length)
{
    uint32_t const begin = token[0] + 1;
    uint32_t const length = record_check_scalar_end(walk->bytes, token[1], walk->end) - begin - 1;
    struct json_string string;
    const uint8_t *const raw = walk->bytes + begin;
    if (is_plain(walk, begin, length)) return (struct catalogue_text){.at = raw, .length = length};
    return unescape(raw, length, room, room_length, &string);
}

/* ---- scalars ---- */

/* How a string reads as a time. Once a path had one that is none, nobody asks any more. */
static void read_time(struct catalogue_node *node, struct catalogue_text text)
{
    int64_t seconds;
    if ((node->readings & READS_NO_TIME) != 0 || text.length == 0) return;
    bool const may = text.length >= TIMESTAMP_DATE_LENGTH && text.at[4] == '-' && text.at[7] == '-';
    if (!may || !timestamp_from_text((const char *)text.at, text.length, &seconds))
        node->readings |= READS_NO_TIME;
    else
        node->readings |= text.length == TIMESTAMP_DATE_LENGTH ? READS_DATE : READS_TIME;
}

/* What stays of the first value of a path that is not empty: the front of it. */
static void keep_example(struct catalogue_walk *walk, struct catalogue_node *node, struct catalogue_text text,
                         uint64_t length, uint32_t offset)
{
    node->example_at = place_at(walk, offset);
    node->example_length = length;
    memcpy(node->example, text.at, text.length < CATALOGUE_EXAMPLE ? text.length : CATALOGUE_EXAMPLE);
}

/* `length`: of the whole text, where `text` is its spelling. */
static void count_text(struct catalogue_walk *walk, struct catalogue_node *node, struct catalogue_text text,
                       uint64_t length, uint32_t offset)
{
    uint64_t const hash = key_digest_of(text.at, text.length).low;
    if (length > node->longest) node->longest = length;
    if (hash == node->last_hash) return;
    node->last_hash = hash;
    if (!hyperloglog_add(&node->distinct, hash)) walk->catalogue->no_memory = true;
    if (node->example_length != 0 || length == 0) return;
    bool const is_spelling = text.length != length;
    keep_example(walk, node, is_spelling ? unescape_front(text.at, walk->text) : text, length, offset);
}

static enum catalogue_status status_of(struct catalogue_text text)
{
    static const char *const names[] = {"realized", "existing", "exited"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == text.length && memcmp(names[i], text.at, text.length) == 0)
            return (enum catalogue_status)i;
    return SEGMENT_OTHER;
}

/* Ids may be strings or numbers. `text` lasts as long as the entry when it is not in the scratch. */
static void note_role(struct catalogue_walk *walk, const struct catalogue_node *node,
                      struct catalogue_text text)
{
    switch (node->role) {
    case ROLE_STATUS: walk->status = status_of(text); break;
    case ROLE_ID:
    case ROLE_CODE: {
        bool const is_id = node->role == ROLE_ID;
        struct catalogue_text *const to = is_id ? &walk->id : &walk->code;
        *to = text;
        if (text.at != walk->text) break;
        if (text.length > KEY_ROOM) to->length = KEY_ROOM;
        to->at = memcpy(walk->keys + (is_id ? 0 : KEY_ROOM), text.at, to->length);
        break;
    }
    default: break;
    }
}

static void count_string(struct catalogue_walk *walk, struct catalogue_node *node, uint32_t begin,
                         uint32_t end)
{
    struct catalogue_text text = {.at = walk->bytes + begin + 1, .length = end - begin - 2};
    uint64_t length = text.length;
    if (__builtin_expect(!is_plain(walk, begin + 1, text.length), 0)) {
        struct json_string string;
        text = unescape(text.at, text.length, walk->text, CATALOGUE_WALK_TEXT, &string);
        length = string.length;
        if (string.lone_surrogate != SIZE_MAX) walk->lone_surrogate = true;
        if (string.null_character != SIZE_MAX) node->readings |= READS_NULL_CHAR;
    }
    node->types[CATALOGUE_STRING]++;
    read_time(node, text);
    count_text(walk, node, text, length, begin);
    if (node->role != ROLE_PLAIN) note_role(walk, node, text);
}

static void count_scalar(struct catalogue_walk *walk, struct catalogue_node *node, const uint32_t *token)
{
    uint32_t const begin = token[0], end = record_check_scalar_end(walk->bytes, token[1], walk->end);
    uint8_t const first = walk->bytes[begin];
    if (first == '"') {
        count_string(walk, node, begin, end);
        return;
    }
    struct catalogue_text const text = {.at = walk->bytes + begin, .length = end - begin};
    bool const is_word = first == 't' || first == 'f';
    if (first == 'n') {
        node->types[CATALOGUE_NULL]++;
        return;
    }
    node->types[is_word ? CATALOGUE_BOOLEAN : CATALOGUE_NUMBER]++;
    count_text(walk, node, text, text.length, begin);
    if (node->role == ROLE_PRIMARY) walk->primary = first == 't';
    if (node->role == ROLE_ID && !is_word) note_role(walk, node, text);
}

/* ---- what is counted by key ---- */

static void count_segment(struct catalogue_walk *walk, uint32_t offset)
{
    if (walk->space.at == NULL) return; /* not in an object of namespaces */
    struct census_key const key = {.name = walk->space.at,
                                   .name_length = walk->space.length,
                                   .id = walk->id.at,
                                   .id_length = walk->id.length,
                                   .place = place_at(walk, offset)};
    struct census_entry *const entry = census_find(&walk->catalogue->segments, &key);
    if (entry != NULL) entry->counts[walk->status]++;
}

/* An entry of a namespace, when it has an id. */
static void count_identity(struct catalogue_walk *walk, struct catalogue_text space, uint32_t offset)
{
    if (space.at == NULL || walk->id.at == NULL || walk->id.length == 0) return;
    struct census_key const key = {
        .name = space.at, .name_length = space.length, .id = space.at, .place = place_at(walk, offset)};
    struct census_entry *const entry = census_find(&walk->catalogue->spaces, &key);
    if (entry == NULL) return;
    entry->counts[SPACE_IDS]++;
    entry->counts[SPACE_PRIMARY] += walk->primary;
    entry->records += entry->last_record != walk->record;
    entry->last_record = walk->record;
    if (!hyperloglog_add(&entry->distinct, key_digest_of(walk->id.at, walk->id.length).low))
        walk->catalogue->no_memory = true;
}

/* ---- containers ---- */

static const uint32_t *walk_value(struct catalogue_walk *walk, const uint32_t *token,
                                  struct catalogue_node *node);

/* Passes a value that is not counted. */
static const uint32_t *pass_value(const struct catalogue_walk *walk, const uint32_t *token)
{
    uint32_t depth = 0;
    do {
        uint8_t const byte = walk->bytes[*token++] | 0x20;
        depth += byte == '{';
        depth -= byte == '}';
    } while (depth > 0);
    return token;
}

static inline bool is_expected(const struct catalogue_node *node, const uint8_t *key)
{
    return node != NULL && node->low != 0 && (scan_equal(key, node->text) & node->low) == node->low &&
           (scan_equal(key + SCAN_STEP, node->text + SCAN_STEP) & node->high) == node->high;
}

/* The path of a member by its key, which is not the expected one. */
static struct catalogue_node *look_up(struct catalogue_walk *walk, struct catalogue_node *node,
                                      const uint32_t *token)
{
    if (node->is_map) return catalogue_each(walk->catalogue, node);
    struct catalogue_text const key = key_text(walk, token, walk->text, CATALOGUE_WALK_TEXT);
    return catalogue_member(walk->catalogue, node, key.at, key.length);
}

/* A member of a map whose keys mean something. They last as long as the member: the room of namespaces is the
 * second half. */
static const uint32_t *walk_keyed(struct catalogue_walk *walk, const uint32_t *token,
                                  struct catalogue_node *node, struct catalogue_node *each)
{
    bool const is_segment = node->role == ROLE_SEGMENT_SPACE;
    *(is_segment ? &walk->id : &walk->space) =
        key_text(walk, token, walk->keys + (is_segment ? 0 : KEY_ROOM), KEY_ROOM);
    walk->status = SEGMENT_OTHER;
    const uint32_t *const next = walk_value(walk, token + 2, each);
    if (is_segment)
        count_segment(walk, token[0]);
    else
        walk->space = (struct catalogue_text){0};
    return next;
}

static bool has_keys(const struct catalogue_node *node)
{
    return node->role == ROLE_SEGMENTS || node->role == ROLE_SEGMENT_SPACE || node->role == ROLE_IDENTITIES;
}

static const uint32_t *walk_object(struct catalogue_walk *walk, const uint32_t *token,
                                   struct catalogue_node *node)
{
    const uint8_t *const bytes = walk->bytes;
    struct catalogue_node **expected = &node->first_follow;
    token++;
    if (bytes[*token] == '}') return token + 1;
    for (;;) {
        struct catalogue_node *child = *expected;
        if (!is_expected(child, bytes + token[0] + 1)) {
            bool const was_map = node->is_map;
            child = look_up(walk, node, token);
            if (!was_map && node->is_map) expected = &node->first_follow; /* folded: the others are gone */
            if (!node->is_map && child != NULL) *expected = child;
        }
        if (child == NULL) {
            token = pass_value(walk, token + 2);
        } else if (has_keys(node)) {
            token = walk_keyed(walk, token, node, child);
        } else {
            token = walk_value(walk, token + 2, child);
            if (!node->is_map) expected = &child->follow;
        }
        if (bytes[*token++] == '}') return token;
    }
}

static const uint32_t *walk_array(struct catalogue_walk *walk, const uint32_t *token,
                                  struct catalogue_node *node)
{
    token++;
    if (walk->bytes[*token] == ']') return token + 1;
    struct catalogue_node *const each = catalogue_each(walk->catalogue, node);
    do {
        token = each == NULL ? pass_value(walk, token) : walk_value(walk, token, each);
    } while (walk->bytes[*token++] == ',');
    return token;
}

/* An entry of a namespace: what its members are is known behind it. */
static const uint32_t *walk_identity(struct catalogue_walk *walk, const uint32_t *token,
                                     struct catalogue_node *node)
{
    bool const is_listed = node->parent->role == ROLE_IDENTITY_LIST;
    walk->id = walk->code = (struct catalogue_text){0};
    walk->primary = false;
    const uint32_t *const next = walk_object(walk, token, node);
    count_identity(walk, is_listed ? walk->code : walk->space, *token);
    return next;
}

/* Recursion ends with the levels of the catalogue: a deeper container has no children to descend to. */
static const uint32_t *walk_value(struct catalogue_walk *walk, const uint32_t *token,
                                  struct catalogue_node *node)
{
    uint8_t const byte = walk->bytes[*token];
    if (!node->seen) {
        node->seen = true;
        node->first = place_at(walk, *token);
    }
    if (byte != 'n' && node->last_record != walk->record) {
        node->last_record = walk->record;
        node->records++;
    }
    if (byte == '{') {
        node->types[CATALOGUE_OBJECT]++;
        if (node->role == ROLE_IDENTITY) return walk_identity(walk, token, node);
        return walk_object(walk, token, node);
    }
    if (byte == '[') {
        node->types[CATALOGUE_ARRAY]++;
        return walk_array(walk, token, node);
    }
    count_scalar(walk, node, token);
    return token + 1;
}

const uint32_t *catalogue_walk_record(void *self, const struct record_view *view)
{
    struct catalogue_walk *const walk = self;
    struct catalogue *const catalogue = walk->catalogue;
    if (*view->token >= view->end) return NULL;
    walk->bytes = view->bytes;
    walk->end = view->end;
    walk->escapes = (struct record_escapes){.bytes = view->bytes, .end = view->end};
    record_escapes_find(&walk->escapes, *view->token);
    struct record_check check = {.bytes = view->bytes,
                                 .end = view->end,
                                 .escapes = walk->escapes,
                                 .brackets = walk->brackets,
                                 .depth_max = walk->depth_max};
    const uint32_t *const next = record_check(&check, view->token);
    if (next == NULL) return NULL;
    walk->lone_surrogate = false;
    walk->record = ++catalogue->records;
    walk->base = (struct census_place){.source = view->source, .offset = view->offset};
    walk_value(walk, view->token, catalogue->root);
    catalogue->surrogate_records += walk->lone_surrogate;
    return next;
}

/* entity_find.c - see the header. Thread: the walk's. Owns nothing. */
#include "core/record/entity_find.h"

#include <string.h>

/* One member of an entity's object: the value's token; NULL: it is none. */
static const uint32_t *member_value(const struct index_walk *walk, const uint32_t *token, bool *entity)
{
    static const char name[] = "\"entity\"";
    if (token[0] >= walk->end || token[1] >= walk->end) return NULL;
    if (walk->bytes[token[0]] != '"' || walk->bytes[token[1]] != ':') return NULL;
    *entity =
        token[1] - token[0] >= sizeof name - 1 && memcmp(walk->bytes + token[0], name, sizeof name - 1) == 0;
    return token + 2;
}

bool entity_find(struct index_walk *walk, const uint32_t *token, bool walks, struct entity *entity)
{
    bool is_entity;
    entity->record = NULL;
    token = member_value(walk, token, &is_entity);
    if (token == NULL || *token >= walk->end || walk->bytes[*token] != '{') return false;
    token++;
    for (;;) {
        const uint32_t *const value = member_value(walk, token, &is_entity);
        if (value == NULL || *value >= walk->end) return false;
        if (is_entity && walk->bytes[*value] != '{') return false;
        if (is_entity && walks) {
            cells_begin(walk->cells, walk->bytes + *value);
            token = index_walk_element(walk, value);
        } else {
            token = index_walk_skip(walk, value, is_entity ? 0 : 1);
        }
        if (token == NULL || *token >= walk->end) return false;
        if (is_entity) *entity = (struct entity){.record = value, .end = token[-1] + 1};
        if (walk->bytes[*token] == '}') break;
        if (walk->bytes[*token++] != ',') return false;
    }
    entity->next = token + 1;
    return entity->record != NULL;
}

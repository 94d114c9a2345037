/* strict.c - see the header. Thread: the caller's. Owns its brackets and keys. */
#include "core/record/strict.h"

#include <stdlib.h>

size_t strict_bytes(size_t record_max, uint32_t depth_max)
{
    return record_keys_bytes(record_max, depth_max) + depth_max + 2;
}

bool strict_create(struct strict *strict, size_t record_max, uint32_t depth_max, bool drops_nulls)
{
    *strict = (struct strict){.depth_max = depth_max, .drops_nulls = drops_nulls};
    strict->brackets = malloc((size_t)depth_max + 2);
    return record_keys_create(&strict->keys, record_max, depth_max) && strict->brackets != NULL;
}

void strict_destroy(struct strict *strict)
{
    record_keys_destroy(&strict->keys);
    free(strict->brackets);
    *strict = (struct strict){0};
}

static struct record_check check_of(struct strict *strict, const uint8_t *bytes, uint32_t end)
{
    return (struct record_check){.bytes = bytes,
                                 .end = end,
                                 .escapes = {.bytes = bytes, .end = end},
                                 .brackets = strict->brackets,
                                 .depth_max = strict->depth_max,
                                 .refuses_surrogates = true,
                                 .refuses_nulls = !strict->drops_nulls,
                                 .keys = &strict->keys,
                                 .open_string = RECORD_CHECK_ALL_CLOSED};
}

const uint32_t *strict_record(struct strict *strict, const uint8_t *bytes, const uint32_t *token,
                              uint32_t end)
{
    struct record_check check = check_of(strict, bytes, end);
    record_keys_begin(&strict->keys, bytes);
    return record_check_keys(&check, token);
}

bool strict_around(struct strict *strict, const uint8_t *bytes, const uint32_t *token, uint32_t end)
{
    struct record_check check = check_of(strict, bytes, end);
    check.depth_max++;
    return record_check(&check, token) != NULL;
}

enum defect strict_text(const struct strict *strict, const uint8_t *raw, size_t length)
{
    struct record_check const check = {.refuses_surrogates = true, .refuses_nulls = !strict->drops_nulls};
    size_t bad;
    return record_check_text(&check, raw, length, &bad);
}

enum defect strict_defect(struct strict *strict, const uint8_t *bytes, const uint32_t *token, uint32_t end,
                          uint32_t open_string, uint32_t *at)
{
    struct record_check check = check_of(strict, bytes, end);
    check.open_string = open_string;
    *at = end;
    if (record_check_exact(&check, token) != NULL) return DEFECT_NONE;
    *at = check.defect_at;
    return check.defect;
}

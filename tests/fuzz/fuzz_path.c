/* fuzz_path.c - any bytes as a path: parsed or refused with a place, never a crash; a path that was parsed is
 * equal to itself parsed again, and every part is within its bounds. */
#include "core/base/utf8.h"
#include "core/map/path.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds) abort();
}

static void check_part(const struct path_part *part)
{
    switch (part->kind) {
    case PATH_NAME:
        expect(part->name != NULL && utf8_valid_prefix(part->name, part->name_length) == part->name_length);
        break;
    case PATH_INDEX: expect(part->index >= -PATH_INDEX_MAX && part->index <= PATH_INDEX_MAX); break;
    case PATH_WILDCARD: break;
    case PATH_FILTER:
        expect(part->name != NULL && part->literal != NULL && part->literal_length > 0);
        expect(strlen(part->literal) == part->literal_length);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct path path = {0}, again = {0};
    struct fault fault = {0};
    enum status const status = path_parse(&arena, (const char *)data, size, &path, &fault);
    if (status == STATUS_OK) {
        expect(path.part_count >= 1 && path.part_count <= PATH_PARTS_MAX);
        for (size_t i = 0; i < path.part_count; i++)
            check_part(&path.parts[i]);
        expect(strlen(path.text) == size && memcmp(path.text, data, size) == 0);
        expect(path_parse(&arena, path.text, size, &again, &fault) == STATUS_OK && path_equal(&path, &again));
    } else {
        expect(status == STATUS_JOB && fault.message[0] != '\0');
        expect(utf8_valid_prefix(fault.message, strlen(fault.message)) == strlen(fault.message));
    }
    arena_free(&arena);
    return 0;
}

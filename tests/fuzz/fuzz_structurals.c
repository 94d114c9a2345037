/* fuzz_structurals.c - the structural index of our own against simdjson's, of any bytes: as they are, and a
 * second time behind 61 others, so that what is one block is two. */
#include "tests/unit/structurals_desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 14, FRONT = 61 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct structurals_desk desk;
    if (size > INPUT_MAX) return 0;
    if (desk.parser == NULL) structurals_desk_open(&desk, INPUT_MAX + FRONT);
    uint8_t *const text = calloc(1, FRONT + size + LIMIT_PADDING);
    structurals_desk_must(text != NULL, "no memory");
    memset(text, ' ', FRONT);
    memcpy(text + FRONT, data, size);
    structurals_desk_compare(&desk, text + FRONT, size);
    structurals_desk_compare(&desk, text, FRONT + size);
    free(text);
    return 0;
}

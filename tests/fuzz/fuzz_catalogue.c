/* fuzz_catalogue.c - lines of JSON into a catalogue: the check must agree with record_defect about each, and
 * the lines dealt to two catalogues must add up to what one alone has seen.
 *
 * Byte 0 chooses the greatest depth; the rest are the lines. */
#include "tests/unit/catalogue_desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 14, DEPTHS = 4 };

static const uint32_t depths[DEPTHS] = {1, 3, 40, 1024};

/* Into `both` and one of the parts. */
static void add_lines(struct catalogue_desk *both, struct catalogue_desk *parts, const char *bytes,
                      size_t length)
{
    unsigned number = 0;
    for (size_t at = 0; at < length; number++) {
        const char *const feed = memchr(bytes + at, '\n', length - at);
        size_t const end = feed == NULL ? length : (size_t)(feed - bytes);
        bool const good = catalogue_desk_line(both, bytes + at, end - at, at);
        bool const again = catalogue_desk_line(&parts[number % 2], bytes + at, end - at, at);
        catalogue_desk_must(good == again, "what was learnt changes what is good");
        at = end + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX) return 0;
    struct catalogue_desk both, parts[2];
    uint32_t const depth = depths[data[0] % DEPTHS];
    /* small: made anew for each input */
    struct catalogue_limits const limits = {.paths = 700, .segments = 8, .spaces = 4};
    catalogue_desk_limited(&both, depth, INPUT_MAX, limits);
    for (unsigned p = 0; p < 2; p++)
        catalogue_desk_limited(&parts[p], depth, INPUT_MAX, limits);
    add_lines(&both, parts, (const char *)data + 1, size - 1);
    catalogue_merge(&parts[1].catalogue, &parts[0].catalogue);
    bool const full = both.catalogue.full || parts[1].catalogue.full;
    catalogue_finish(&both.catalogue);
    catalogue_finish(&parts[1].catalogue);
    char *const expected = catalogue_desk_text(&both.catalogue), *const text =
                                                                     catalogue_desk_text(&parts[1].catalogue);
    catalogue_desk_must(full || strcmp(text, expected) == 0, "parts do not add up");
    free(expected);
    free(text);
    catalogue_desk_close(&both);
    for (unsigned p = 0; p < 2; p++)
        catalogue_desk_close(&parts[p]);
    return 0;
}

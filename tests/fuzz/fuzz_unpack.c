/* fuzz_unpack.c - any bytes as gzip or zstd: reading stays within its room, ends, and says the same of the
 * stream however it is cut into steps.
 *
 * Byte 0 chooses the form, bytes 1 and 2 the steps; the rest is the stream. */
#include "core/codec/unpack.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A stream that gives more is left there. */
#define GIVEN_MAX ((size_t)1 << 20)

static void expect(bool holds)
{
    if (!holds) abort();
}

struct found {
    enum unpack_state state;
    enum unpack_defect_kind kind;
    uint64_t members;
    size_t given;
    uint8_t *bytes; /* of GIVEN_MAX */
};

static void run(enum unpack_form form, const uint8_t *in, size_t length, size_t in_step, size_t out_step,
                struct found *found)
{
    struct unpack *const unpack = unpack_create(form, UNPACK_WINDOW_LOG_LEAST);
    uint8_t *const room = malloc(out_step);
    expect(unpack != NULL && room != NULL);
    size_t at = 0, idle = 0;
    found->state = UNPACK_GOES_ON;
    found->given = 0;
    while (found->state == UNPACK_GOES_ON && found->given < GIVEN_MAX) {
        size_t const piece = length - at < in_step ? length - at : in_step;
        struct unpack_step step = {
            .in = in + at, .in_left = piece, .out = room, .out_left = out_step, .last = at + piece == length};
        found->state = unpack_run(unpack, &step);
        size_t const taken = piece - step.in_left;
        size_t given = out_step - step.out_left;
        expect(taken <= piece && given <= out_step);
        idle = taken == 0 && given == 0 ? idle + 1 : 0;
        expect(idle < 3);
        at += taken;
        if (given > GIVEN_MAX - found->given) given = GIVEN_MAX - found->given;
        memcpy(found->bytes + found->given, room, given);
        found->given += given;
    }
    expect(found->state != UNPACK_ENDED || at == length);
    found->kind = unpack_defect(unpack)->kind;
    found->members = unpack_members(unpack);
    expect(unpack_defect(unpack)->offset <= length);
    free(room);
    unpack_destroy(unpack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) return 0;
    enum unpack_form const form = (data[0] & 1) != 0 ? UNPACK_ZSTD : UNPACK_GZIP;
    struct found whole = {.bytes = malloc(GIVEN_MAX)}, cut = {.bytes = malloc(GIVEN_MAX)};
    expect(whole.bytes != NULL && cut.bytes != NULL);
    run(form, data + 3, size - 3, size, (size_t)1 << 16, &whole);
    run(form, data + 3, size - 3, (size_t)data[1] + 1, (size_t)data[2] * 16 + 1, &cut);
    if (whole.state != UNPACK_GOES_ON && cut.state != UNPACK_GOES_ON) {
        expect(whole.state == cut.state);
        if (whole.state == UNPACK_ENDED) {
            expect(whole.given == cut.given && whole.members == cut.members);
            expect(memcmp(whole.bytes, cut.bytes, cut.given) == 0);
        }
    }
    free(whole.bytes);
    free(cut.bytes);
    return 0;
}

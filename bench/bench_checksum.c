/* bench_checksum.c - the checksums of deliveries alone: bytes a second, and what it costs to join two.
 *
 *   crc64nvme, crc32c, crc32     as checksum.h has them
 *   crc64nvme_WAY                in each way that this CPU has: table, fold_128, ...
 *   ..._64B                      4 KiB in pieces of 64 bytes: what short updates cost
 *   ..._64KiB                    in one piece that stays in the inner caches
 *   ..._16MiB                    the size of a part: from the outer cache or memory
 *   combine_KIND                 checksum_combine() with lengths of up to 16 MiB
 *
 * Verified: every pass over the bytes against a CRC bit by bit. Thread: main. */
#include "bench/harness.h"
#include "core/base/checksum.h"
#include "core/base/crc64.h"

#include <stdio.h>
#include <stdlib.h>

#define KIB          1024u
#define SAMPLE_BYTES (16u * KIB * KIB)
/* Of one lap: some 5 ms of the fastest, 150 ms of the table. */
#define LAP_BYTES     (16u * (size_t)SAMPLE_BYTES)
#define LAP_COMBINES  20000u
#define VARIANT_NAMES 32u

static const struct harness_wants wants = {.name = "bench_checksum",
                                           .about = "Times CRC-64/NVME in all its ways, CRC-32C and CRC-32."};

/* ---- the independent result ---- */

static uint64_t by_bits(enum checksum_kind kind, const uint8_t *bytes, size_t length)
{
    static const uint64_t reflected[] = {
        [CHECKSUM_CRC64NVME] = UINT64_C(0x9a6c9329ac4bc9b5),
        [CHECKSUM_CRC32C] = 0x82f63b78,
        [CHECKSUM_CRC32] = 0xedb88320,
    };
    uint64_t const ones = kind == CHECKSUM_CRC64NVME ? UINT64_MAX : UINT32_MAX;
    uint64_t state = ones;
    for (size_t i = 0; i < length; i++) {
        state ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            state = state >> 1 ^ (reflected[kind] & (0 - (state & 1)));
    }
    return state ^ ones;
}

/* ---- bytes ---- */

/* Bytes that look random, the same in every run (a linear congruence's upper half; Knuth). */
static uint8_t *sample_make(void)
{
    uint8_t *sample = malloc(SAMPLE_BYTES);
    uint64_t number = 1;
    if (sample == NULL) harness_fail("no memory for the sample");
    for (size_t i = 0; i < SAMPLE_BYTES; i++) {
        number = number * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        sample[i] = (uint8_t)(number >> 56);
    }
    return sample;
}

struct method {
    enum checksum_kind kind;
    enum crc64_way way; /* CRC64_WAYS: by checksum_update() */
};

/* What one pass goes over, and in pieces of what size. */
static const struct span {
    const char *name;
    size_t bytes, piece;
} spans[] = {{"64B", 4 * KIB, 64}, {"64KiB", 64 * KIB, 64 * KIB}, {"16MiB", SAMPLE_BYTES, SAMPLE_BYTES}};

static uint64_t pass(struct method method, const struct span *span, const uint8_t *sample)
{
    uint64_t value = 0;
    for (size_t at = 0; at < span->bytes; at += span->piece)
        value = method.way == CRC64_WAYS ? checksum_update(method.kind, value, sample + at, span->piece)
                                         : crc64_update_by(method.way, value, sample + at, span->piece);
    return value;
}

static void bench_bytes(struct method method, const struct span *span, const uint8_t *sample,
                        const struct harness_options *options)
{
    struct harness_laps laps = {.count = 0};
    uint64_t const right =
        options->verify ? by_bits(method.kind, sample, span->bytes) : pass(method, span, sample);
    size_t const passes = LAP_BYTES / span->bytes;
    bool correct = true;
    for (unsigned round = 0; round < options->rounds; round++) {
        struct harness_time const began = harness_begin();
        for (size_t i = 0; i < passes; i++)
            correct = pass(method, span, sample) == right && correct;
        harness_lap(&laps, began);
    }
    char name[VARIANT_NAMES];
    bool const is_way = method.way != CRC64_WAYS;
    snprintf(name, sizeof name, "%s%s%s_%s", checksum_name(method.kind), is_way ? "_" : "",
             is_way ? crc64_way_name(method.way) : "", span->name);
    struct harness_result const result = {.bench = "checksum",
                                          .variant = name,
                                          .unit = "piece",
                                          .items = LAP_BYTES / span->piece,
                                          .bytes = LAP_BYTES,
                                          .threads = 1,
                                          .verified = options->verify,
                                          .correct = correct,
                                          .laps = &laps};
    harness_print(&result);
}

/* ---- joining ---- */

/* The sample's first bytes and the others, joined, are the sample; cut where the sample itself says. */
static void bench_combine(enum checksum_kind kind, const uint8_t *sample,
                          const struct harness_options *options)
{
    enum { CUTS = 8 };
    struct harness_laps laps = {.count = 0};
    uint64_t first[CUTS], second[CUTS], left[CUTS];
    uint64_t const right = options->verify ? by_bits(kind, sample, SAMPLE_BYTES)
                                           : checksum_update(kind, 0, sample, SAMPLE_BYTES);
    for (size_t i = 0; i < CUTS; i++) {
        size_t const cut =
            ((size_t)sample[3 * i] << 16 | (size_t)sample[3 * i + 1] << 8 | sample[3 * i + 2]) % SAMPLE_BYTES;
        first[i] = checksum_update(kind, 0, sample, cut);
        left[i] = SAMPLE_BYTES - cut;
        second[i] = checksum_update(kind, 0, sample + cut, SAMPLE_BYTES - cut);
    }
    bool correct = true;
    for (unsigned round = 0; round < options->rounds; round++) {
        struct harness_time const began = harness_begin();
        for (size_t i = 0; i < LAP_COMBINES; i++)
            correct =
                checksum_combine(kind, first[i % CUTS], second[i % CUTS], left[i % CUTS]) == right && correct;
        harness_lap(&laps, began);
    }
    char name[VARIANT_NAMES];
    snprintf(name, sizeof name, "combine_%s", checksum_name(kind));
    struct harness_result const result = {.bench = "checksum",
                                          .variant = name,
                                          .unit = "combine",
                                          .items = LAP_COMBINES,
                                          .threads = 1,
                                          .verified = options->verify,
                                          .correct = correct,
                                          .laps = &laps};
    harness_print(&result);
}

int main(int argc, char **argv)
{
    static const enum checksum_kind kinds[] = {CHECKSUM_CRC64NVME, CHECKSUM_CRC32C, CHECKSUM_CRC32};
    struct harness_options const options = harness_options(argc, argv, &wants);
    uint8_t *const sample = sample_make();
    harness_environment(&wants, &options);
    for (size_t s = 0; s < sizeof spans / sizeof *spans; s++) {
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            bench_bytes((struct method){kinds[k], CRC64_WAYS}, &spans[s], sample, &options);
        for (int way = 0; way < CRC64_WAYS; way++)
            if (crc64_supported((enum crc64_way)way))
                bench_bytes((struct method){CHECKSUM_CRC64NVME, (enum crc64_way)way}, &spans[s], sample,
                            &options);
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        bench_combine(kinds[k], sample, &options);
    free(sample);
    return harness_status();
}

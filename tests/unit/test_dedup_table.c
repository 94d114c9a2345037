/* test_dedup_table.c - which candidate of a key stays, against a model that sorts; many threads; full tables.
 */
#define _GNU_SOURCE 1 /* pthread_timedjoin_np() in stress.h */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/flow/dedup_table.h"
#include "tests/unit/stress.h"
#include "tests/unit/under_tsan.h"

#include <string.h>

#define THREADS_MAX 8u

/* ---- a load: candidates of shards, and who has to lose ---- */

struct load {
    uint64_t shards;
    uint32_t *counts;                    /* candidates of each shard */
    struct dedup_candidate **candidates; /* of each shard */
    struct losers_piece **pieces;        /* the first of each shard */
    uint32_t batch;                      /* candidates entered at once */
    uint64_t total, keys;
    _Atomic uint64_t next;
    _Atomic uint32_t errors;
    struct dedup_table table;
    struct fault fault; /* of one thread: tests with faults use one */
};

static void *must(void *memory)
{
    assert_non_null(memory);
    return memory;
}

static uint64_t mixed(uint64_t value)
{
    value += 0x9E3779B97F4A7C15u; /* splitmix64, S. Vigna */
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
    value = (value ^ value >> 27) * 0x94D049BB133111EBu;
    return value ^ value >> 31;
}

static struct key_digest digest(uint64_t key)
{
    return (struct key_digest){.low = mixed(key), .high = mixed(~key)};
}

/* `total` candidates of about `keys` keys, in shards of up to `most` candidates. */
static struct load *load_create(uint64_t total, uint64_t keys, uint32_t most, uint32_t batch, uint32_t seed)
{
    struct load *const load = must(calloc(1, sizeof *load));
    uint32_t random = seed;
    uint64_t made = 0;
    load->total = total;
    load->keys = keys;
    load->batch = batch;
    load->counts = must(calloc(total + 2, sizeof *load->counts));
    load->candidates = must(calloc(total + 2, sizeof(struct dedup_candidate *)));
    load->pieces = must(calloc(total + 2, sizeof(struct losers_piece *)));
    while (made < total) {
        uint64_t const left = total - made;
        uint32_t count = stress_random(&random) % (most + 1);
        if (count > left) count = (uint32_t)left;
        struct dedup_candidate *const list = must(calloc(count + 1, sizeof *list));
        for (uint32_t i = 0; i < count; i++) {
            uint32_t const dice = stress_random(&random) % 10;
            int64_t const step = (int64_t)(stress_random(&random) % 5);
            list[i].key = digest(stress_random(&random) % keys);
            list[i].time = dice == 0   ? INT64_MIN
                           : dice == 1 ? TIMESTAMP_SECONDS_MIN * 1000000
                           : dice == 2 ? TIMESTAMP_SECONDS_MAX * 1000000 + 999999
                                       : INT64_C(1700000000000000) + step;
        }
        load->counts[load->shards] = count;
        load->candidates[load->shards++] = list;
        made += count;
    }
    return load;
}

static void load_destroy(struct load *load)
{
    dedup_table_destroy(&load->table);
    for (uint64_t s = 0; s < load->shards; s++)
        free(load->candidates[s]);
    free(load->counts);
    free(load->candidates);
    free(load->pieces);
    free(load);
}

static enum status enter_shard(struct load *load, struct dedup_scratch *scratch, uint64_t shard,
                               struct fault *fault)
{
    struct losers_piece *last = NULL;
    enum status status = STATUS_OK;
    for (uint32_t at = 0; status == STATUS_OK && at < load->counts[shard]; at += load->batch) {
        uint32_t const left = load->counts[shard] - at;
        status = dedup_table_insert(&load->table, scratch, shard, at, load->candidates[shard] + at,
                                    left < load->batch ? left : load->batch, &last, fault);
        if (at == 0) load->pieces[shard] = last;
    }
    dedup_table_count_unit(&load->table);
    return status;
}

static void *enter_main(void *argument)
{
    struct load *const load = argument;
    struct dedup_scratch *const scratch = malloc(sizeof *scratch);
    struct fault fault;
    for (uint64_t shard; scratch != NULL && (shard = atomic_fetch_add(&load->next, 1)) < load->shards;)
        if (enter_shard(load, scratch, shard, &fault) != STATUS_OK) atomic_fetch_add(&load->errors, 1);
    free(scratch);
    return NULL;
}

static void *finish_main(void *argument)
{
    struct load *const load = argument;
    struct dedup_scratch *const scratch = malloc(sizeof *scratch);
    uint32_t const count = dedup_table_partitions(&load->table);
    for (uint64_t p; scratch != NULL && (p = atomic_fetch_add(&load->next, 1)) < count;)
        dedup_table_finish(&load->table, scratch, (uint32_t)p);
    free(scratch);
    return NULL;
}

static void in_threads(struct load *load, void *(*run)(void *), uint32_t threads)
{
    pthread_t started[THREADS_MAX];
    atomic_store(&load->next, 0);
    for (uint32_t t = 0; t < threads; t++)
        stress_start(&started[t], run, load);
    for (uint32_t t = 0; t < threads; t++)
        stress_join(started[t], "table of keys");
}

static void load_run(struct load *load, uint64_t bytes, uint32_t threads)
{
    struct dedup_table_options const options = {.bytes = bytes, .units = load->shards};
    assert_true(dedup_table_create(&load->table, &options));
    in_threads(load, enter_main, threads);
    assert_int_equal(atomic_load(&load->errors), 0);
    in_threads(load, finish_main, threads);
    dedup_table_forget_keys(&load->table);
    for (uint64_t s = 0; s < load->shards; s++)
        assert_true(losers_keep(&load->table.losers, load->pieces[s]));
}

/* ---- the model ---- */

struct entered {
    struct dedup_candidate candidate;
    uint64_t shard;
    uint32_t number;
};

static int by_key_and_age(const void *left, const void *right)
{
    const struct entered *const a = left, *const b = right;
    int const keys = memcmp(&a->candidate.key, &b->candidate.key, sizeof a->candidate.key);
    if (keys != 0) return keys;
    if (a->candidate.time != b->candidate.time) return a->candidate.time < b->candidate.time ? -1 : 1;
    if (a->shard != b->shard) return a->shard < b->shard ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Every bit is what sorting says: all but the last of a key have lost. */
static void check(const struct load *load)
{
    struct entered *const all = must(calloc(load->total + 1, sizeof *all));
    uint64_t count = 0, wrong = 0;
    for (uint64_t s = 0; s < load->shards; s++)
        for (uint32_t i = 0; i < load->counts[s]; i++)
            all[count++] = (struct entered){.candidate = load->candidates[s][i], .shard = s, .number = i};
    qsort(all, count, sizeof *all, by_key_and_age);
    for (uint64_t i = 0; i < count; i++) {
        bool const loses = i + 1 < count && memcmp(&all[i].candidate.key, &all[i + 1].candidate.key,
                                                   sizeof all[i].candidate.key) == 0;
        struct losers_unit unit = losers_unit(&load->table.losers, all[i].shard);
        wrong += losers_has(&unit, all[i].number) != loses;
    }
    assert_int_equal(wrong, 0);
    free(all);
}

static void check_load(uint64_t total, uint64_t keys, uint32_t most, uint32_t batch, uint64_t bytes,
                       uint32_t threads)
{
    struct load *const load = load_create(total, keys, most, batch, (uint32_t)(total + keys + threads) | 1);
    load_run(load, bytes, threads);
    check(load);
    load_destroy(load);
}

/* ---- tests ---- */

static void packs_entries(void **state)
{
    (void)state;
    static const struct dedup_entry cases[] = {
        {0, 0, 0},
        {(UINT64_C(1) << 60) - 1, (UINT64_C(1) << 60) - 1, (UINT64_C(1) << 48) - 1},
        {UINT64_C(0xABCDEF123456789), UINT64_C(0x9876543210FEDCB), UINT64_C(0x123456789ABC)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t packed[DEDUP_ENTRY_BYTES + 1] = {[DEDUP_ENTRY_BYTES] = 0xA5};
        dedup_entry_pack(&cases[i], packed);
        struct dedup_entry const got = dedup_entry_unpack(packed);
        assert_true(got.key == cases[i].key && got.time == cases[i].time && got.place == cases[i].place);
        assert_true(dedup_entry_key(packed) == cases[i].key);
        assert_int_equal(packed[DEDUP_ENTRY_BYTES], 0xA5);
    }
    assert_true(dedup_entry_time(INT64_MIN) == 0);
    assert_true(dedup_entry_time(TIMESTAMP_SECONDS_MIN * 1000000) == 1);
    assert_true(dedup_entry_time(TIMESTAMP_SECONDS_MAX * 1000000 + 999999) < UINT64_C(1) << 60);
}

static void keeps_the_latest_of_each_key(void **state)
{
    (void)state;
    check_load(0, 1, 10, 100, DEDUP_TABLE_BYTES_MIN, 1);
    check_load(1, 1, 10, 100, DEDUP_TABLE_BYTES_MIN, 1);
    check_load(1000, 1, 10, 100, DEDUP_TABLE_BYTES_MIN, 1);
    check_load(20000, 3, 700, 4096, DEDUP_TABLE_BYTES_MIN, 1);
    check_load(30000, 10000, 700, 4096, DEDUP_TABLE_BYTES_MIN, 1);
    check_load(100000, 30000, 700, 4096, DEDUP_TABLE_BYTES_MIN, 1);
    check_load(300000, 1000000, 700, 4096, 8 * LIMIT_MIB, 1);
    check_load(300000, 200000, 700, 4096, 64 * LIMIT_MIB, 1);
}

static void keeps_the_latest_whatever_the_threads(void **state)
{
    (void)state;
    for (uint32_t threads = 2; threads <= THREADS_MAX; threads *= 2) {
        check_load(3000, 1, 10, 100, DEDUP_TABLE_BYTES_MIN, threads);
        check_load(50000, 17, 100, 4096, DEDUP_TABLE_BYTES_MIN, threads);
        check_load(100000, 30000, 700, 4096, DEDUP_TABLE_BYTES_MIN, threads);
        check_load(300000, 300000, 700, 4096, 8 * LIMIT_MIB, threads);
    }
}

/* Many batches of one shard: bits in pieces that double. */
static void takes_shards_with_many_candidates(void **state)
{
    (void)state;
    for (uint32_t batch = 1; batch <= 1000; batch = batch * 7 + 3) {
        check_load(20000, 5000, 20000, batch, 8 * LIMIT_MIB, 1);
        check_load(20000, 5000, 3000, batch, 8 * LIMIT_MIB, 4);
    }
}

/* Keys whose digests agree in what chooses the partition, or in what is kept of them. */
static void takes_digests_that_fall_unevenly(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct load *const load = load_create(8000, 4000, 500, 4096, 77);
        for (uint64_t s = 0; s < load->shards; s++)
            for (uint32_t i = 0; i < load->counts[s]; i++) {
                struct key_digest *const key = &load->candidates[s][i].key;
                if (kind == 0) key->high = 5;
                if (kind == 1) key->low &= UINT64_C(0xFFFFFFFF0);
                if (kind == 2)
                    *key = (struct key_digest){.low = UINT64_MAX, .high = key->high & UINT64_C(1) << 63};
            }
        load_run(load, DEDUP_TABLE_BYTES_MIN, 1);
        check(load);
        load_destroy(load);
    }
}

/* As many keys as fit, entered one shard of a thousand after the other. */
static enum status fill(struct dedup_table *table, uint64_t keys, uint64_t *entered, struct fault *fault)
{
    struct dedup_scratch *const scratch = must(malloc(sizeof *scratch));
    struct dedup_candidate list[1000];
    enum status status = STATUS_OK;
    *entered = 0;
    for (uint64_t shard = 0; status == STATUS_OK && *entered < keys; shard++) {
        uint32_t const count = keys - *entered < 1000 ? (uint32_t)(keys - *entered) : 1000;
        for (uint32_t i = 0; i < count; i++)
            list[i] = (struct dedup_candidate){.key = digest(*entered + i), .time = 1};
        struct losers_piece *piece = NULL;
        status = dedup_table_insert(table, scratch, shard, 0, list, count, &piece, fault);
        if (status == STATUS_OK) dedup_table_count_unit(table);
        *entered += count;
    }
    free(scratch);
    return status;
}

static void holds_a_key_in_24_bytes(void **state)
{
    (void)state;
    static const uint64_t counts[] = {1000000, 1400000, 2500000, 5000000};
    size_t const rounds = UNDER_TSAN ? 1 : sizeof counts / sizeof *counts; /* one thread */
    for (size_t i = 0; i < rounds; i++) {
        struct dedup_table table;
        struct dedup_table_options const options = {.bytes = counts[i] * DEDUP_KEY_BYTES,
                                                    .units = counts[i] / 1000};
        struct fault fault;
        uint64_t entered;
        assert_true(dedup_table_create(&table, &options));
        assert_int_equal(fill(&table, counts[i], &entered, &fault), STATUS_OK);
        uint64_t const bytes = table.slab_count * table.slab_bytes + atomic_load(&table.losers.bytes);
        assert_true(bytes <= options.bytes);
        dedup_table_destroy(&table);
    }
}

/* The number that stands in `text` behind `before`. */
static double number_behind(const char *text, const char *before)
{
    const char *const at = strstr(text, before);
    assert_non_null(at);
    return strtod(at + strlen(before), NULL);
}

static void says_what_would_do_when_full(void **state)
{
    (void)state;
    struct dedup_table table;
    struct dedup_table_options options = {.bytes = 30 * LIMIT_MIB, .beside = 100 * LIMIT_MIB, .units = 4000};
    struct fault fault;
    uint64_t entered;
    assert_true(dedup_table_create(&table, &options));
    assert_int_equal(fill(&table, 4000000, &entered, &fault), STATUS_USAGE);
    assert_true(entered * DEDUP_KEY_BYTES > options.bytes);
    assert_non_null(strstr(fault.message, "takes 24 bytes for each key, and the 30.0 MiB"));
    assert_true(number_behind(fault.message, "the input had ") >= (double)entered - 1000);
    double const limit = number_behind(fault.message, "--memory-limit ");
    dedup_table_destroy(&table);
    options.bytes = (uint64_t)((limit - 100) * 1024 * 1024 * 3 / 4);
    assert_true(options.bytes < 4000000 * 25);
    assert_true(dedup_table_create(&table, &options));
    assert_int_equal(fill(&table, 4000000, &entered, &fault), STATUS_OK);
    dedup_table_destroy(&table);
}

/* Bits of candidates count, too. */
static void is_full_of_candidates_without_new_keys(void **state)
{
    (void)state;
    enum { MANY = 4096 };
    struct dedup_table table;
    struct dedup_table_options const options = {.bytes = DEDUP_TABLE_BYTES_MIN, .units = 20000};
    struct dedup_scratch *const scratch = must(malloc(sizeof *scratch));
    struct dedup_candidate *const list = must(calloc(MANY, sizeof *list));
    struct fault fault;
    enum status status = STATUS_OK;
    uint64_t shard = 0;
    assert_true(dedup_table_create(&table, &options));
    for (; status == STATUS_OK && shard < options.units; shard++) {
        struct losers_piece *piece = NULL;
        status = dedup_table_insert(&table, scratch, shard, 0, list, MANY, &piece, &fault);
    }
    assert_int_equal(status, STATUS_USAGE);
    assert_in_range(shard, 1000, 2000); /* 512 bytes each */
    dedup_table_destroy(&table);
    free(list);
    free(scratch);
}

/* An input whose length is not known before its end. */
static void says_less_when_less_is_known(void **state)
{
    (void)state;
    struct dedup_table table;
    struct dedup_table_options const options = {.bytes = DEDUP_TABLE_BYTES_MIN};
    struct fault fault;
    uint64_t entered;
    assert_true(dedup_table_create(&table, &options));
    assert_int_equal(fill(&table, 100000, &entered, &fault), STATUS_USAGE);
    assert_non_null(strstr(fault.message, "the input so far had "));
    assert_non_null(strstr(fault.message, "; a larger --memory-limit holds more"));
    dedup_table_destroy(&table);
}

/* Places are in input order, whoever came first. */
static void orders_places_by_input(void **state)
{
    (void)state;
    struct losers losers;
    assert_true(losers_create(&losers));
    struct losers_piece *const later = losers_add(&losers, 7, 0, 100, NULL);
    struct losers_piece *const first = losers_add(&losers, 3, 0, LOSERS_PIECE_MAX, NULL);
    struct losers_piece *const second = losers_add(&losers, 3, LOSERS_PIECE_MAX, 1, first);
    const uint64_t places[] = {losers_place(first, 0), losers_place(first, LOSERS_PIECE_MAX - 1),
                               losers_place(second, 0), losers_place(later, 0), losers_place(later, 99)};
    for (size_t a = 0; a < 5; a++)
        for (size_t b = 0; b < 5; b++)
            assert_int_equal(losers_is_later(&losers, places[a], places[b]), a > b);
    assert_true(losers_keep(&losers, first) && losers_keep(&losers, NULL) && losers_keep(&losers, later));
    losers_mark(&losers, places[2]);
    losers_mark(&losers, places[4]);
    struct losers_unit unit = losers_unit(&losers, 0);
    assert_true(losers_any(&unit) && losers_has(&unit, LOSERS_PIECE_MAX) && !losers_has(&unit, 0));
    unit = losers_unit(&losers, 1);
    assert_false(losers_any(&unit));
    unit = losers_unit(&losers, 2);
    assert_true(losers_any(&unit) && losers_has(&unit, 99) && !losers_has(&unit, 98));
    losers_drop(&losers, 0);
    losers_destroy(&losers);
    losers_destroy(&losers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packs_entries),
        cmocka_unit_test(keeps_the_latest_of_each_key),
        cmocka_unit_test(keeps_the_latest_whatever_the_threads),
        cmocka_unit_test(takes_shards_with_many_candidates),
        cmocka_unit_test(takes_digests_that_fall_unevenly),
        cmocka_unit_test(holds_a_key_in_24_bytes),
        cmocka_unit_test(says_what_would_do_when_full),
        cmocka_unit_test(is_full_of_candidates_without_new_keys),
        cmocka_unit_test(says_less_when_less_is_known),
        cmocka_unit_test(orders_places_by_input),
    };
    return cmocka_run_group_tests_name("dedup_table", tests, NULL, NULL);
}

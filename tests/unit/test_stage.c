/* test_stage.c - the rule that names the bottleneck, case by case; and what stages are charged with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/stage.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct run {
    const char *what;
    uint32_t workers;
    uint64_t spent[TRACK_ACTS]; /* any unit */
    enum stage bottleneck;
    uint64_t elapsed; /* 0: no more than the acts say */
};

static const struct run runs[] = {
    {"nothing happened", 4, {0}, STAGE_NONE, 0},
    {"nothing was read", 4, {[TRACK_WRITE] = 1, [TRACK_FINISH] = 1}, STAGE_NONE, 2},
    {"far more threads than CPUs: the assembler has none for most of the time, and then work at once",
     192,
     {[TRACK_CONVERT] = 100, [TRACK_WAIT_CHUNK] = 150, [TRACK_WAIT_ROWS] = 1, [TRACK_WRITE] = 10},
     STAGE_CONVERT,
     150},
    {"the same with a slow disk",
     192,
     {[TRACK_CONVERT] = 4000, [TRACK_WAIT_CHUNK] = 20000, [TRACK_WAIT_ROWS] = 1, [TRACK_WRITE] = 130},
     STAGE_DELIVER,
     150},
    {"one small gzip file: most of the run goes to starting threads",
     8,
     {[TRACK_INFLATE] = 10, [TRACK_CONVERT] = 15, [TRACK_WAIT_TEXT] = 12, [TRACK_WAIT_ROWS] = 20},
     STAGE_CONVERT,
     100},
    {"files in memory to null:",
     2,
     {[TRACK_READ] = 10, [TRACK_CONVERT] = 90, [TRACK_WAIT_ROWS] = 49, [TRACK_WRITE] = 1},
     STAGE_CONVERT,
     0},
    {"one worker, whose rows take the assembler half as long",
     1,
     {[TRACK_READ] = 10, [TRACK_CONVERT] = 90, [TRACK_WAIT_ROWS] = 50, [TRACK_WRITE] = 50},
     STAGE_CONVERT,
     0},
    {"a cold disk",
     8,
     {[TRACK_READ] = 600, [TRACK_CONVERT] = 200, [TRACK_WAIT_ROWS] = 95, [TRACK_WRITE] = 5},
     STAGE_READ,
     0},
    {"a slow disk for the output, one worker",
     1,
     {[TRACK_CONVERT] = 50, [TRACK_WAIT_CHUNK] = 50, [TRACK_WAIT_ROWS] = 2, [TRACK_WRITE] = 98},
     STAGE_DELIVER,
     0},
    {"the same with many workers: they are busy for the most part, and wait all the same",
     8,
     {[TRACK_CONVERT] = 600, [TRACK_WAIT_CHUNK] = 200, [TRACK_WAIT_ROWS] = 1, [TRACK_WRITE] = 99},
     STAGE_DELIVER,
     0},
    {"bursts: workers wait now and then, the assembler far more",
     2,
     {[TRACK_CONVERT] = 176, [TRACK_WAIT_CHUNK] = 24, [TRACK_WAIT_ROWS] = 40, [TRACK_WRITE] = 60},
     STAGE_CONVERT,
     0},
    {"a slow network: the assembler has nothing to do but wait for it",
     4,
     {[TRACK_CONVERT] = 100, [TRACK_WAIT_CHUNK] = 300, [TRACK_WAIT_SINK] = 90, [TRACK_WRITE] = 10},
     STAGE_DELIVER,
     0},
    {"a small run, whose one part is on its way when all is converted",
     4,
     {[TRACK_CONVERT] = 40, [TRACK_WAIT_ROWS] = 10, [TRACK_WRITE] = 1, [TRACK_FINISH] = 20},
     STAGE_DELIVER,
     0},
    {"one gzip file, many workers",
     8,
     {[TRACK_READ] = 5,
      [TRACK_INFLATE] = 95,
      [TRACK_CONVERT] = 250,
      [TRACK_WAIT_TEXT] = 450,
      [TRACK_WAIT_ROWS] = 95,
      [TRACK_WRITE] = 5},
     STAGE_INFLATE,
     0},
    {"the same with four: more is converted than inflated, but nobody waits for that",
     4,
     {[TRACK_INFLATE] = 100, [TRACK_CONVERT] = 240, [TRACK_WAIT_TEXT] = 60, [TRACK_WAIT_ROWS] = 100},
     STAGE_INFLATE,
     0},
    {"with two, only the first block is waited for",
     2,
     {[TRACK_INFLATE] = 60, [TRACK_CONVERT] = 130, [TRACK_WAIT_TEXT] = 10, [TRACK_WAIT_ROWS] = 100},
     STAGE_CONVERT,
     0},
    {"gzip through a slow pipe",
     2,
     {[TRACK_READ] = 80,
      [TRACK_INFLATE] = 10,
      [TRACK_CONVERT] = 20,
      [TRACK_WAIT_TEXT] = 90,
      [TRACK_WAIT_ROWS] = 100},
     STAGE_READ,
     0},
    {"many gzip files: those ahead of the front one have no chunks left, and the assembler has no rows",
     16,
     {[TRACK_INFLATE] = 300,
      [TRACK_CONVERT] = 200,
      [TRACK_WAIT_CHUNK] = 1100,
      [TRACK_WAIT_ROWS] = 60,
      [TRACK_WRITE] = 40},
     STAGE_INFLATE,
     0},
    {"gzip output: the assembler waits for the workers",
     2,
     {[TRACK_CONVERT] = 80,
      [TRACK_COMPRESS] = 110,
      [TRACK_WAIT_CHUNK] = 10,
      [TRACK_WAIT_WORK] = 60,
      [TRACK_WRITE] = 40},
     STAGE_COMPRESS,
     0},
    {"large records, one worker after the other",
     4,
     {[TRACK_READ] = 20,
      [TRACK_CONVERT] = 80,
      [TRACK_WAIT_TURN] = 300,
      [TRACK_WAIT_ROWS] = 90,
      [TRACK_WRITE] = 10},
     STAGE_CONVERT,
     0},
    {"plain files of which one is slow: no stream to blame",
     4,
     {[TRACK_READ] = 50,
      [TRACK_CONVERT] = 150,
      [TRACK_WAIT_CHUNK] = 200,
      [TRACK_WAIT_ROWS] = 90,
      [TRACK_WRITE] = 10},
     STAGE_CONVERT,
     0},
    {"a century of a thousand threads",
     1024,
     {[TRACK_CONVERT] = UINT64_C(1) << 61,
      [TRACK_WAIT_CHUNK] = UINT64_C(1) << 62,
      [TRACK_WRITE] = UINT64_C(1) << 52},
     STAGE_DELIVER,
     0},
};

static void names_the_bottleneck(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct track sum = {.now = NULL};
        for (unsigned a = 0; a < TRACK_ACTS; a++)
            sum.spent[a] = runs[i].spent[a];
        struct stage_uses const uses = stage_sum_up(&sum, runs[i].workers, runs[i].elapsed);
        if (uses.bottleneck != runs[i].bottleneck) print_message("%s\n", runs[i].what);
        assert_int_equal(uses.bottleneck, runs[i].bottleneck);
    }
}

/* Every wait is charged to one stage. */
static void charges_each_wait_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct track sum = {.now = NULL};
        uint64_t waits = 0, busy = 0, charged = 0, worked = 0;
        for (enum track_act a = 0; a < TRACK_ACTS; a++) {
            sum.spent[a] = runs[i].spent[a];
            if (track_is_wait(a))
                waits += sum.spent[a];
            else
                busy += sum.spent[a];
        }
        struct stage_uses const uses = stage_sum_up(&sum, runs[i].workers, runs[i].elapsed);
        for (enum stage s = 0; s < STAGE_COUNT; s++) {
            charged += uses.of[s].waiting;
            worked += uses.of[s].busy;
        }
        assert_true(charged == waits && worked == busy);
    }
}

static void passes_on_bytes(void **state)
{
    (void)state;
    struct track const sum = {.bytes = {[TRACK_READ] = 1,
                                        [TRACK_INFLATE] = 2,
                                        [TRACK_CONVERT] = 3,
                                        [TRACK_COMPRESS] = 4,
                                        [TRACK_WRITE] = 5}};
    struct stage_uses const uses = stage_sum_up(&sum, 1, 0);
    for (enum stage s = 0; s < STAGE_COUNT; s++)
        assert_int_equal(uses.of[s].bytes, s + 1);
}

static void has_the_names_of_the_report(void **state)
{
    (void)state;
    assert_string_equal(stage_name(STAGE_READ, true), "read");
    assert_string_equal(stage_name(STAGE_INFLATE, false), "inflate");
    assert_string_equal(stage_name(STAGE_CONVERT, true), "convert");
    assert_string_equal(stage_name(STAGE_COMPRESS, false), "compress");
    assert_string_equal(stage_name(STAGE_DELIVER, false), "write");
    assert_string_equal(stage_name(STAGE_DELIVER, true), "upload");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_bottleneck),
        cmocka_unit_test(charges_each_wait_once),
        cmocka_unit_test(passes_on_bytes),
        cmocka_unit_test(has_the_names_of_the_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

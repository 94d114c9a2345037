/* test_crew.c - work that is given comes back, once, whoever stalls; and an orderly end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/crew.h"
#include "core/flow/wait.h"
#include "tests/unit/stress.h"

#define WORKERS_MAX 8u

struct job {
    struct crew_work work; /* first */
    uint32_t number;
    enum stress_pace pace;
    uint32_t runs, worker; /* the worker's */
};

/* Workers that do nothing but work, as the pipeline's do after the last shard. */
struct squad {
    struct crew crew;
    struct wait beds[WORKERS_MAX], arrivals;
    struct squad_member {
        struct squad *squad;
        uint32_t number;
        pthread_t thread;
    } members[WORKERS_MAX];
};

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void wake_worker(void *context, uint32_t worker)
{
    struct squad *squad = context;
    wait_wake(&squad->beds[worker]);
}

static void wake_assembler(void *context)
{
    struct squad *squad = context;
    wait_wake(&squad->arrivals);
}

static void *member_main(void *argument)
{
    struct squad_member *const member = argument;
    struct squad *const squad = member->squad;
    struct crew *const crew = &squad->crew;
    while (!crew_is_stopped(crew) && !crew_is_over(crew, member->number)) {
        crew_work(crew, member->number, NULL);
        uint32_t const ticket = wait_prepare(&squad->beds[member->number]);
        if (crew_is_stopped(crew) || crew_has_work(crew, member->number) ||
            crew_is_over(crew, member->number))
            wait_cancel(&squad->beds[member->number]);
        else
            wait_sleep(&squad->beds[member->number], ticket);
    }
    return NULL;
}

static void squad_start(struct squad *squad, uint32_t workers)
{
    assert_true(crew_create(&squad->crew, workers));
    assert_true(wait_init(&squad->arrivals));
    for (uint32_t w = 0; w < workers; w++)
        assert_true(wait_init(&squad->beds[w]));
    crew_enter(&squad->crew, wake_worker, wake_assembler, squad);
    for (uint32_t w = 0; w < workers; w++) {
        squad->members[w] = (struct squad_member){.squad = squad, .number = w};
        stress_start(&squad->members[w].thread, member_main, &squad->members[w]);
    }
}

static void squad_end(struct squad *squad)
{
    for (uint32_t w = 0; w < squad->crew.workers; w++) {
        stress_join(squad->members[w].thread, "a worker of the crew");
        wait_destroy(&squad->beds[w]);
    }
    crew_leave(&squad->crew);
    crew_destroy(&squad->crew);
    wait_destroy(&squad->arrivals);
}

static void run(struct crew_work *work, uint32_t worker)
{
    struct job *const job = (struct job *)work;
    uint32_t random = job->number * 2654435761u + 1;
    stress_stall(job->pace, &random);
    job->runs++;
    job->worker = worker;
}

/* Waits until the oldest work is back. */
static void wait_for(struct squad *squad, const struct job *job)
{
    crew_reap(&squad->crew);
    while (!job->work.done) {
        uint32_t const ticket = wait_prepare(&squad->arrivals);
        crew_reap(&squad->crew);
        if (job->work.done)
            wait_cancel(&squad->arrivals);
        else
            wait_sleep(&squad->arrivals, ticket);
    }
}

/* As many as there is room for are out at any time; they are taken back in order. */
static void all_work_comes_back(uint32_t workers, uint32_t count, enum stress_pace pace)
{
    struct squad *const squad = calloc(1, sizeof *squad);
    struct job *const jobs = calloc(count, sizeof *jobs);
    uint32_t random = workers * 77 + 1;
    squad_start(squad, workers);
    uint32_t const room = crew_room(&squad->crew);
    for (uint32_t i = 0; i < count; i++) {
        if (i >= room) wait_for(squad, &jobs[i - room]);
        jobs[i] = (struct job){.work = {.run = run}, .number = i, .pace = pace};
        crew_give(&squad->crew, &jobs[i].work);
        stress_stall(pace, &random);
    }
    for (uint32_t i = count < room ? 0 : count - room; i < count; i++)
        wait_for(squad, &jobs[i]);
    crew_close(&squad->crew);
    squad_end(squad);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(jobs[i].runs, 1);
        assert_in_range(jobs[i].worker, 0, workers - 1);
    }
    free(jobs);
    free(squad);
}

static void comes_back_from_any_number_of_workers(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= WORKERS_MAX; workers++)
        for (enum stress_pace pace = STRESS_FAST; pace <= STRESS_SLOW; pace++)
            all_work_comes_back(workers, 5000, pace);
}

static void few_works_are_enough_for_many_workers(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++)
        all_work_comes_back(WORKERS_MAX, (uint32_t)round % 5, STRESS_FAST);
}

/* The time that works take is told. */
static void nap(struct crew_work *work, uint32_t worker)
{
    (void)work;
    (void)worker;
    stress_nap(2000000);
}

static void tells_how_long_it_worked(void **state)
{
    (void)state;
    struct crew crew;
    struct crew_work works[3] = {
        {.run = nap, .bytes = 1}, {.run = nap, .bytes = 20}, {.run = nap, .bytes = 300}};
    struct squad squad = {.arrivals = {0}};
    assert_true(wait_init(&squad.arrivals) && wait_init(&squad.beds[0]));
    struct track track;
    assert_true(track_init(&track, now, 0));
    assert_true(crew_create(&crew, 1));
    crew_enter(&crew, wake_worker, wake_assembler, &squad);
    crew_work(&crew, 0, &track);
    assert_int_equal(track.counted, 0);
    for (int i = 0; i < 3; i++)
        crew_give(&crew, &works[i]);
    assert_true(crew_has_work(&crew, 0));
    assert_false(works[0].done);
    crew_work(&crew, 0, &track);
    assert_in_range(track.spent[TRACK_COMPRESS], 6000000, UINT64_MAX);
    assert_int_equal(track.bytes[TRACK_COMPRESS], 321);
    assert_false(crew_has_work(&crew, 0));
    assert_false(works[2].done); /* not before it is taken back */
    crew_reap(&crew);
    assert_true(works[0].done && works[1].done && works[2].done);
    assert_false(crew_is_over(&crew, 0));
    crew_close(&crew);
    assert_true(crew_is_over(&crew, 0));
    crew_leave(&crew);
    crew_destroy(&crew);
    wait_destroy(&squad.arrivals);
    wait_destroy(&squad.beds[0]);
}

/* While nobody works, each of a crew of N gets every Nth. */
static void shares_out_evenly(void **state)
{
    (void)state;
    struct squad squad = {.arrivals = {0}};
    struct crew crew;
    assert_true(wait_init(&squad.arrivals));
    for (uint32_t w = 0; w < WORKERS_MAX; w++)
        assert_true(wait_init(&squad.beds[w]));
    assert_true(crew_create(&crew, WORKERS_MAX));
    crew_enter(&crew, wake_worker, wake_assembler, &squad);
    struct job jobs[WORKERS_MAX * CREW_WORKS];
    uint32_t got[WORKERS_MAX] = {0};
    assert_int_equal(crew_room(&crew), WORKERS_MAX * CREW_WORKS);
    for (uint32_t i = 0; i < crew_room(&crew); i++) {
        jobs[i] = (struct job){.work = {.run = run}};
        crew_give(&crew, &jobs[i].work);
        got[jobs[i].work.worker]++;
    }
    for (uint32_t w = 0; w < WORKERS_MAX; w++)
        assert_int_equal(got[w], CREW_WORKS);
    /* who gave some back gets the next */
    crew_work(&crew, 5, NULL);
    crew_reap(&crew);
    for (uint32_t i = 0; i < CREW_WORKS; i++) {
        struct job *const job = &jobs[i * WORKERS_MAX + 5];
        assert_int_equal(job->work.worker, 5);
        crew_give(&crew, &job->work);
        assert_int_equal(job->work.worker, 5);
    }
    crew_leave(&crew);
    crew_destroy(&crew);
    for (uint32_t w = 0; w < WORKERS_MAX; w++)
        wait_destroy(&squad.beds[w]);
    wait_destroy(&squad.arrivals);
}

static void does_it_at_once_without_workers(void **state)
{
    (void)state;
    struct crew crew;
    struct job job = {.work = {.run = run}, .worker = 9};
    assert_true(crew_create(&crew, 3));
    for (uint32_t i = 1; i < 100; i++) {
        crew_give(&crew, &job.work);
        assert_true(job.work.done);
        assert_int_equal(job.runs, i);
    }
    assert_int_equal(job.worker, 0);
    crew_reap(&crew);
    crew_destroy(&crew);
}

/* Works may stay undone then; nobody hangs. */
static void stops_at_any_time(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 200; round++) {
        struct squad *const squad = calloc(1, sizeof *squad);
        struct job jobs[4 * CREW_WORKS];
        uint32_t random = round + 1;
        squad_start(squad, 4);
        for (uint32_t i = 0; i < round % (4 * CREW_WORKS); i++) {
            jobs[i] = (struct job){.work = {.run = run}, .number = i, .pace = STRESS_RANDOM};
            crew_give(&squad->crew, &jobs[i].work);
        }
        stress_jitter(2000, &random);
        crew_stop(&squad->crew);
        for (uint32_t w = 0; w < 4; w++)
            wait_wake(&squad->beds[w]);
        squad_end(squad);
        free(squad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_from_any_number_of_workers),
        cmocka_unit_test(few_works_are_enough_for_many_workers),
        cmocka_unit_test(tells_how_long_it_worked),
        cmocka_unit_test(shares_out_evenly),
        cmocka_unit_test(does_it_at_once_without_workers),
        cmocka_unit_test(stops_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

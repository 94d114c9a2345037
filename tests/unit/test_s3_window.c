/* test_s3_window.c - the send window: its edges, and simulations against a server that takes so many requests
 * at once and throttles the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_window.h"

static void starts_at_the_connections(void **state)
{
    (void)state;
    struct s3_window window;
    s3_window_start(&window, 25);
    assert_int_equal(s3_window_size(&window), 25);
    for (int i = 0; i < 25; i++)
        assert_true(s3_window_enter(&window));
    assert_false(s3_window_enter(&window));
    s3_window_leave(&window);
    assert_true(s3_window_enter(&window));
    s3_window_start(&window, 0); /* one at least, or nothing would ever be sent */
    assert_int_equal(s3_window_size(&window), 1);
}

static void a_leave_too_many_is_harmless(void **state)
{
    (void)state;
    struct s3_window window;
    s3_window_start(&window, 2);
    s3_window_leave(&window);
    assert_int_equal(window.flying, 0);
    assert_true(s3_window_enter(&window));
    assert_true(s3_window_enter(&window));
    assert_false(s3_window_enter(&window));
}

static void a_burst_counts_once(void **state)
{
    (void)state;
    struct s3_window window;
    s3_window_start(&window, 100);
    for (uint64_t i = 0; i < 100; i++)
        s3_window_throttled(&window, 5000 + i * 999 / 99);
    assert_int_equal(s3_window_size(&window), 70);
    s3_window_throttled(&window, 4990); /* a clock that was read before the mutex was taken */
    assert_int_equal(s3_window_size(&window), 70);
    s3_window_throttled(&window, 6000);
    assert_int_equal(s3_window_size(&window), 49);
}

static void the_first_cut_counts_at_time_0(void **state)
{
    (void)state;
    struct s3_window window;
    s3_window_start(&window, 10);
    s3_window_throttled(&window, 0);
    assert_int_equal(s3_window_size(&window), 7);
    s3_window_throttled(&window, 999);
    assert_int_equal(s3_window_size(&window), 7);
}

static void stays_within_its_bounds(void **state)
{
    (void)state;
    for (uint32_t connections = 1; connections <= 1024; connections = connections * 2 + 1) {
        struct s3_window window;
        s3_window_start(&window, connections);
        for (uint64_t i = 0; i < 200; i++) {
            s3_window_throttled(&window, i * 1000);
            assert_in_range(s3_window_size(&window), 1, connections);
        }
        assert_int_equal(s3_window_size(&window), 1);
        assert_true(s3_window_enter(&window)); /* one is always on its way */
        for (uint64_t i = 0; i < 20 * (uint64_t)connections * connections + 20; i++) {
            s3_window_success(&window);
            assert_in_range(s3_window_size(&window), 1, connections);
        }
        assert_int_equal(s3_window_size(&window), connections);
    }
}

/* Successes among the refusals of one burst don't make good for the cut. */
static void growth_within_a_burst_is_taken_back(void **state)
{
    (void)state;
    struct s3_window window;
    s3_window_start(&window, 10);
    s3_window_throttled(&window, 1);
    for (int i = 0; i < 20; i++)
        s3_window_success(&window);
    assert_in_range(s3_window_size(&window), 8, 10);
    s3_window_throttled(&window, 900);
    assert_int_equal(s3_window_size(&window), 7);
    s3_window_throttled(&window, 1001);
    assert_int_equal(s3_window_size(&window), 4);
}

/* What was flying when the window was cut comes back, and nothing enters before there is room. */
static void nothing_enters_above_a_cut(void **state)
{
    (void)state;
    struct s3_window window;
    s3_window_start(&window, 10);
    for (int i = 0; i < 10; i++)
        assert_true(s3_window_enter(&window));
    s3_window_throttled(&window, 1);
    for (int i = 0; i < 3; i++) {
        assert_false(s3_window_enter(&window));
        s3_window_leave(&window);
    }
    assert_false(s3_window_enter(&window)); /* 7 of 7 */
    s3_window_leave(&window);
    assert_true(s3_window_enter(&window));
}

static unsigned successes_to(struct s3_window *window, double size)
{
    unsigned count = 0;
    for (; window->size < size; count++)
        s3_window_success(window);
    return count;
}

static void grows_quickly_to_where_it_was_cut_then_slowly(void **state)
{
    (void)state;
    struct s3_window window;
    s3_window_start(&window, 200);
    window.size = 100;
    s3_window_throttled(&window, 0);
    unsigned const back = successes_to(&window, 100), beyond = successes_to(&window, 101);
    assert_in_range(back, 2400, 2700); /* 30 rounds of 70 to 100 */
    assert_in_range(beyond, 990, 1020);
}

/* ---- against a server ---- */

struct server {
    uint32_t takes;        /* requests at once; more are answered with 503 */
    uint64_t now_ms;       /* a round of requests takes 300 ms */
    uint64_t sent, thrown; /* of the rounds counted */
};

static void play_round(struct s3_window *window, struct server *server)
{
    uint32_t flying = 0;
    while (s3_window_enter(window))
        flying++;
    assert_int_equal(flying, s3_window_size(window));
    server->now_ms += 300;
    for (uint32_t i = 0; i < flying; i++) {
        s3_window_leave(window);
        if (i < server->takes)
            s3_window_success(window);
        else
            s3_window_throttled(window, server->now_ms);
    }
    server->sent += flying;
    server->thrown += flying > server->takes ? flying - server->takes : 0;
}

static void play(struct s3_window *window, struct server *server, unsigned rounds)
{
    server->sent = server->thrown = 0;
    for (unsigned i = 0; i < rounds; i++)
        play_round(window, server);
}

static void settles_near_what_the_server_takes(void **state)
{
    (void)state;
    static const uint32_t taken[] = {1, 2, 5, 20, 60, 100, 250};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        struct server server = {.takes = taken[i]};
        struct s3_window window;
        s3_window_start(&window, 256);
        play(&window, &server, 100); /* 30 seconds to find it */
        play(&window, &server, 1000);
        uint64_t const good = server.sent - server.thrown, possible = 1000u * (uint64_t)taken[i];
        assert_true(good * 100 >= possible * 80);
        assert_true(server.thrown <= 1000); /* one a round: it has to ask for more now and then */
        if (taken[i] >= 20) assert_true(server.thrown * 100 <= server.sent);
    }
}

static void follows_a_server_that_takes_more_again(void **state)
{
    (void)state;
    struct server server = {.takes = 4};
    struct s3_window window;
    s3_window_start(&window, 64);
    play(&window, &server, 100);
    assert_true(s3_window_size(&window) <= 6);
    server.takes = 1000;
    play(&window, &server, 800); /* four minutes */
    assert_int_equal(s3_window_size(&window), 64);
    assert_int_equal(server.thrown, 0);
}

static void a_server_that_never_throttles_sees_all(void **state)
{
    (void)state;
    struct server server = {.takes = 1000};
    struct s3_window window;
    s3_window_start(&window, 25);
    play(&window, &server, 100);
    assert_int_equal(server.sent, 2500);
}

static void a_server_that_takes_nothing_sees_one(void **state)
{
    (void)state;
    struct server server = {.takes = 0};
    struct s3_window window;
    s3_window_start(&window, 25);
    play(&window, &server, 100);
    play(&window, &server, 100);
    assert_int_equal(server.sent, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_at_the_connections),
        cmocka_unit_test(a_leave_too_many_is_harmless),
        cmocka_unit_test(a_burst_counts_once),
        cmocka_unit_test(the_first_cut_counts_at_time_0),
        cmocka_unit_test(stays_within_its_bounds),
        cmocka_unit_test(growth_within_a_burst_is_taken_back),
        cmocka_unit_test(nothing_enters_above_a_cut),
        cmocka_unit_test(grows_quickly_to_where_it_was_cut_then_slowly),
        cmocka_unit_test(settles_near_what_the_server_takes),
        cmocka_unit_test(follows_a_server_that_takes_more_again),
        cmocka_unit_test(a_server_that_never_throttles_sees_all),
        cmocka_unit_test(a_server_that_takes_nothing_sees_one),
    };
    return cmocka_run_group_tests_name("s3_window", tests, NULL, NULL);
}

/* test_aws_provider.c - credentials are renewed in time, once, and outlive failures; with a clock of our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/aws_stage.h"

/* Waits for what must come; a test that waits for ever is ended by its runner. */
static void await_generation(struct stage *stage, uint64_t generation)
{
    for (;;) {
        struct aws_credentials keys;
        uint64_t now = 0;
        aws_provider_current(stage->provider, &keys, &now, &stage->fault);
        aws_credentials_wipe(&keys);
        if (now >= generation) return;
        poll(NULL, 0, 1);
    }
}

static void await_settled(struct stage *stage)
{
    while (!aws_provider_settled(stage->provider))
        poll(NULL, 0, 1);
}

static unsigned asked(struct stage *stage)
{
    pthread_mutex_lock(&stage->cloud.mutex);
    unsigned const count = stage->cloud.asked;
    pthread_mutex_unlock(&stage->cloud.mutex);
    return count;
}

static void offer(struct stage *stage, int64_t expires, bool fresh, unsigned failures)
{
    pthread_mutex_lock(&stage->cloud.mutex);
    stage->cloud.expires = expires;
    stage->cloud.fresh = fresh;
    stage->cloud.failures = failures;
    stage->cloud.failure = 500;
    pthread_mutex_unlock(&stage->cloud.mutex);
}

static void renews_before_the_end(void **state)
{
    struct stage *const stage = *state;
    set_ecs(stage);
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "container role");
    offer(stage, EPOCH + 7200, true, 0);
    atomic_store(&stage->now, EPOCH + 3600 - 901);
    poll(NULL, 0, 50); /* time to do what it must not */
    assert_int_equal(asked(stage), 1);
    atomic_store(&stage->now, EPOCH + 3600 - 900);
    await_generation(stage, 2);
    struct aws_credentials keys;
    uint64_t generation = 0;
    assert_int_equal(aws_provider_current(stage->provider, &keys, &generation, &stage->fault), STATUS_OK);
    assert_string_equal(keys.access_key_id, "ID2");
    assert_int_equal(keys.expires, EPOCH + 7200);
    assert_int_equal(generation, 2);
    aws_credentials_wipe(&keys);
}

static void survives_failures(void **state)
{
    struct stage *const stage = *state;
    set_ecs(stage);
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "container role");
    offer(stage, EPOCH + 7200, true, 1000000);
    atomic_store(&stage->now, EPOCH + 3000);
    while (asked(stage) < 8) /* it tries again and again */
        poll(NULL, 0, 1);
    struct aws_credentials keys;
    uint64_t generation = 0;
    assert_int_equal(aws_provider_current(stage->provider, &keys, &generation, &stage->fault), STATUS_OK);
    aws_credentials_wipe(&keys);
    atomic_store(&stage->now, EPOCH + 3600);
    assert_int_equal(aws_provider_current(stage->provider, &keys, &generation, &stage->fault),
                     STATUS_TRY_AGAIN);
    assert_null(keys.access_key_id);
    assert_int_equal(generation, 1);
    assert_non_null(strstr(stage->fault.message, "the credentials (container role) have expired"));
    assert_non_null(strstr(stage->fault.message, "it answered 500"));
    offer(stage, EPOCH + 7200, true, 0);
    await_generation(stage, 2);
    assert_int_equal(aws_provider_current(stage->provider, &keys, &generation, &stage->fault), STATUS_OK);
    assert_string_equal(keys.access_key_id, "ID2");
    aws_credentials_wipe(&keys);
}

/* The instance that loses its role: a failure, not the end of the search. */
static void notices_what_is_gone(void **state)
{
    struct stage *const stage = *state;
    set_imds(stage);
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "instance role (IMDSv2)");
    pthread_mutex_lock(&stage->cloud.mutex);
    stage->cloud.no_role = 404;
    pthread_mutex_unlock(&stage->cloud.mutex);
    assert_true(aws_provider_renew(stage->provider, 1));
    await_settled(stage);
    atomic_store(&stage->now, EPOCH + 4000);
    struct aws_credentials keys;
    uint64_t generation = 0;
    assert_int_equal(aws_provider_current(stage->provider, &keys, &generation, &stage->fault),
                     STATUS_TRY_AGAIN);
    assert_non_null(strstr(stage->fault.message, "this instance has no role"));
}

static void *renew_once(void *context)
{
    struct stage *const stage = context;
    struct aws_credentials keys;
    uint64_t generation = 0;
    struct fault fault;
    if (!aws_provider_renew(stage->provider, 1)) return NULL;
    do {
        if (aws_provider_current(stage->provider, &keys, &generation, &fault) != STATUS_OK) return NULL;
        aws_credentials_wipe(&keys);
    } while (generation == 1);
    return context;
}

static void fetches_once_for_many(void **state)
{
    struct stage *const stage = *state;
    enum { THREADS = 16 };
    pthread_t threads[THREADS];
    set_ecs(stage);
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "container role");
    offer(stage, EPOCH + 7200, true, 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, renew_once, stage), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, stage);
    }
    await_settled(stage);
    assert_int_equal(asked(stage), 2);
    assert_true(aws_provider_renew(stage->provider, 1)); /* old news: newer ones are there */
    assert_true(aws_provider_settled(stage->provider));
    assert_int_equal(asked(stage), 2);
}

static void knows_the_same_keys(void **state)
{
    struct stage *const stage = *state;
    set_ecs(stage);
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "container role");
    assert_true(aws_provider_renew(stage->provider, 1));
    await_settled(stage);
    struct aws_credentials keys;
    uint64_t generation = 0;
    assert_int_equal(aws_provider_current(stage->provider, &keys, &generation, &stage->fault), STATUS_OK);
    assert_int_equal(generation, 1);
    assert_int_equal(asked(stage), 2);
    aws_credentials_wipe(&keys);
}

/* destroy() during a fetch that gets no answer, and after the run was told to stop. */
static void ends_in_a_fetch(void **state)
{
    struct stage *const stage = *state;
    set_ecs(stage);
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "container role");
    atomic_store(&stage->stop, true);
    offer(stage, EPOCH + 7200, true, 0);
    assert_true(aws_provider_renew(stage->provider, 1));
    await_generation(stage, 2);
    pthread_mutex_lock(&stage->cloud.mutex);
    stage->cloud.hang = true;
    pthread_mutex_unlock(&stage->cloud.mutex);
    assert_true(aws_provider_renew(stage->provider, 2));
    while (asked(stage) < 3)
        poll(NULL, 0, 1);
    aws_provider_destroy(stage->provider);
    stage->provider = NULL;
    aws_provider_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(renews_before_the_end), STAGED(survives_failures),   STAGED(notices_what_is_gone),
        STAGED(fetches_once_for_many), STAGED(knows_the_same_keys), STAGED(ends_in_a_fetch),
    };
    return cmocka_run_group_tests(tests, group_enter, group_leave);
}

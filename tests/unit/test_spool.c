/* test_spool.c - bytes that wait, in memory and in a file: whole, in order, wherever appends and takes end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/spool.h"
#include "io/output/spool_file.h"
#include "tests/unit/memory_store.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)SPOOL_BLOCK_BYTES)

/* ---- what goes in comes out ---- */

static uint32_t random_state;

static uint32_t any(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(random_state >> 4) * below >> 28);
}

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 131 + (offset >> 8) * 17 + (offset >> 20));
}

/* Appends `total` bytes in steps of up to `step`, rewinds, takes them in others. The status of what failed.
 */
static enum status pass(struct spool *spool, uint64_t total, uint32_t step, struct fault *fault)
{
    uint8_t *const bytes = malloc(step);
    enum status status = STATUS_OK;
    uint64_t wrong = 0;
    assert_non_null(bytes);
    for (uint64_t at = 0; status == STATUS_OK && at < total;) {
        uint64_t length = any(step + 1);
        if (length > total - at) length = total - at;
        for (uint64_t i = 0; i < length; i++)
            bytes[i] = byte_at(at + i);
        status = spool_append(spool, bytes, length, fault);
        at += length;
    }
    if (status == STATUS_OK) status = spool_rewind(spool, fault);
    for (uint64_t at = 0; status == STATUS_OK && at < total;) {
        uint64_t length = any(step + 1);
        if (length > total - at) length = total - at;
        assert_int_equal(spool_left(spool), total - at);
        status = spool_take(spool, bytes, length, fault);
        for (uint64_t i = 0; status == STATUS_OK && i < length; i++)
            wrong += bytes[i] != byte_at(at + i);
        at += length;
    }
    free(bytes);
    assert_int_equal(wrong, 0);
    return status;
}

static void gives_back_what_it_got(void **state)
{
    (void)state;
    static const uint64_t totals[] = {0,         1,         BLOCK - 1, BLOCK,         BLOCK + 1,
                                      2 * BLOCK, 3 * BLOCK, 5 * BLOCK, 4 * BLOCK + 7, 3 * BLOCK - 1};
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++)
        for (uint64_t blocks = 1; blocks <= 6; blocks++)
            for (uint32_t step = 1000; step <= 3 * BLOCK; step *= 40) {
                struct memory_store store;
                struct spool spool;
                struct fault fault;
                memory_store_start(&store);
                assert_true(spool_create(&spool, blocks * BLOCK + 5, &store.port, NULL));
                assert_int_equal(pass(&spool, totals[t], step, &fault), STATUS_OK);
                assert_int_equal(spool_left(&spool), 0);
                /* memory first, and the store only when that is full */
                uint64_t const front = totals[t] <= blocks * BLOCK ? totals[t] : (blocks - 1) * BLOCK;
                assert_int_equal(store.length, totals[t] - front);
                assert_int_equal(store.read, store.length);
                assert_int_equal(store.wrong, 0);
                spool_destroy(&spool);
                memory_store_free(&store);
            }
}

static void survives_a_store_that_fails(void **state)
{
    (void)state;
    for (uint64_t k = 1;; k++) {
        struct memory_store store;
        struct spool spool;
        struct fault fault = {.status = STATUS_OK};
        memory_store_start(&store);
        store.fail_at = k;
        assert_true(spool_create(&spool, 2 * BLOCK, &store.port, NULL));
        enum status const status = pass(&spool, 5 * BLOCK + 3, 100000, &fault);
        bool const end = store.writes + store.reads < k;
        assert_int_equal(status, end ? STATUS_OK : STATUS_IO);
        spool_destroy(&spool);
        memory_store_free(&store);
        if (end) break;
    }
}

static void says_when_there_is_less_than_asked_for(void **state)
{
    (void)state;
    struct spool spool;
    struct fault fault;
    char bytes[4] = "abc";
    assert_true(spool_create(&spool, SPOOL_BYTES_MIN, NULL, NULL));
    assert_int_equal(spool_append(&spool, bytes, 3, &fault), STATUS_OK);
    assert_int_equal(spool_rewind(&spool, &fault), STATUS_OK);
    assert_int_equal(spool_take(&spool, bytes, 4, &fault), STATUS_INTERNAL);
    spool_destroy(&spool);
    spool_destroy(&spool);
}

/* ---- the file ---- */

static char folder[] = "/tmp/test_spool.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int entries(void)
{
    int count = 0;
    DIR *const open = opendir(folder);
    assert_non_null(open);
    for (const struct dirent *entry; (entry = readdir(open)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

static void keeps_bytes_in_a_file_without_a_name(void **state)
{
    (void)state;
    struct spool_file file;
    struct spool spool;
    struct fault fault;
    struct stat found;
    spool_file_start(&file, folder);
    assert_int_equal(file.fd, -1); /* until it is needed */
    assert_true(spool_create(&spool, BLOCK, &file.store, NULL));
    assert_int_equal(pass(&spool, 7 * BLOCK + 11, 300000, &fault), STATUS_OK);
    assert_int_equal(fstat(file.fd, &found), 0);
    assert_int_equal(found.st_size, 7 * BLOCK + 11);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(found.st_nlink, 0);
    assert_int_equal(entries(), 0);
    spool_destroy(&spool);
    spool_file_close(&file);
    spool_file_close(&file);
}

static void takes_the_folder_of_the_environment(void **state)
{
    (void)state;
    struct spool_file file;
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    spool_file_start(&file, NULL);
    assert_string_equal(file.folder, folder);
    assert_int_equal(setenv("TMPDIR", "", 1), 0);
    spool_file_start(&file, NULL);
    assert_string_equal(file.folder, "/tmp");
    assert_int_equal(unsetenv("TMPDIR"), 0);
    spool_file_start(&file, NULL);
    assert_string_equal(file.folder, "/tmp");
}

static void names_folder_and_remedy(void **state)
{
    (void)state;
    struct spool_file file;
    struct fault fault;
    spool_file_start(&file, "/no/such/folder");
    assert_int_equal(file.store.write(file.store.self, 0, "x", 1, &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "/no/such/folder: No such file"));
    assert_non_null(strstr(fault.message, "TMPDIR"));
    spool_file_close(&file);
}

/* A limit of this process's stands for a disk that is full. */
static void says_when_the_disk_is_full(void **state)
{
    (void)state;
    struct spool_file file;
    struct spool spool;
    struct fault fault;
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit const low = {.rlim_cur = 3 * BLOCK + 100, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    spool_file_start(&file, folder);
    assert_true(spool_create(&spool, BLOCK, &file.store, NULL));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    enum status const status = pass(&spool, 9 * BLOCK, 300000, &fault);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(fault.message, folder));
    assert_non_null(strstr(fault.message, "with 3 MiB of the rows"));
    assert_non_null(strstr(fault.message, "TMPDIR"));
    spool_destroy(&spool);
    spool_file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_it_got),
        cmocka_unit_test(survives_a_store_that_fails),
        cmocka_unit_test(says_when_there_is_less_than_asked_for),
        cmocka_unit_test(keeps_bytes_in_a_file_without_a_name),
        cmocka_unit_test(takes_the_folder_of_the_environment),
        cmocka_unit_test(names_folder_and_remedy),
        cmocka_unit_test(says_when_the_disk_is_full),
    };
    return cmocka_run_group_tests_name("spool", tests, make_folder, remove_folder);
}

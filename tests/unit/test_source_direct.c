/* test_source_direct.c - files around the page cache: alignments, reads ahead by a ring of the kernel's, what
 * is read without one, files that become shorter, systems that refuse. Thread: main, and children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those above */

#include "core/base/limits.h"
#include "io/input/source_direct.h"
#include "io/input/source_file.h"
#include "io/input/source_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW = 100000, SIZE = 3 * 1024 * 1024 + 123 };

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 31 + offset / 251 + 1);
}

static const char *path_of(void **state)
{
    return *state;
}

static int setup(void **state)
{
    static const char name[] = "/var/tmp/test_source_direct.XXXXXX";
    char *const path = malloc(sizeof name);
    if (path == NULL) return -1;
    memcpy(path, name, sizeof name);
    int const descriptor = mkstemp(path);
    FILE *const file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (file == NULL) return -1;
    for (uint64_t i = 0; i < SIZE; i++)
        (void)putc(byte_at(i), file);
    *state = path;
    return fclose(file);
}

static int teardown(void **state)
{
    int const gone = unlink(path_of(state));
    free(*state);
    return gone;
}

static struct source *must_open(const char *path, enum source_mode mode)
{
    struct fault fault;
    struct source *const source = source_file_open(path, mode, &fault);
    if (source == NULL) fail_msg("%s", fault.message);
    return source;
}

static void check_window(struct source *source, struct source_reader *reader, uint64_t offset, size_t length)
{
    struct source_window window;
    struct fault fault;
    assert_int_equal(source->window(reader, offset, length, &window, &fault), STATUS_OK);
    for (size_t i = 0; i < window.length; i++)
        if (window.bytes[i] != byte_at(offset + i)) fail_msg("byte %zu of window at %zu", i, (size_t)offset);
    assert_true(window.length == length || offset + window.length == source->size);
}

/* Shards as workers take them: every second one, with the bytes behind their ends. */
static void walk(struct source *source, struct source_reader *reader)
{
    uint64_t const shard = 1024 * 1024;
    for (size_t turn = 0; turn < 4; turn++) {
        uint64_t const from = shard * (turn * 2 % 4 + turn / 2);
        if (from >= source->size) continue;
        source->expect(reader, from == 0 ? 0 : from - 1, from + shard + 16384);
        if (from != 0) check_window(source, reader, from - 1, 16384);
        for (uint64_t at = from; at < from + shard && at < source->size; at += WINDOW - 777)
            check_window(source, reader, at, WINDOW);
    }
}

static void shards(void **state)
{
    static const size_t reads[] = {SOURCE_DIRECT_READ_MIN, 2 * SOURCE_DIRECT_READ_MIN, SOURCE_DIRECT_READ};
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        struct source *const source = must_open(path_of(state), SOURCE_MODE_DIRECT);
        assert_int_equal(source_file_mode(source), SOURCE_MODE_DIRECT);
        assert_null(source->drop);
        source_file_read_ahead(source, reads[i]);
        struct source_reader *const reader = source->open_reader(source, WINDOW);
        assert_non_null(reader);
        walk(source, reader);
        source->close_reader(reader);
        struct source_reader *const large = source->open_reader(source, 4 * SOURCE_DIRECT_READ + 1);
        check_window(source, large, 5, 4 * SOURCE_DIRECT_READ + 1); /* more than reads on their way hold */
        check_window(source, large, 6, 4 * SOURCE_DIRECT_READ + 1);
        check_window(source, large, 10000, 10);
        check_window(source, large, SIZE - 1, 10);
        walk(source, large);
        source->close_reader(large);
        struct source_reader *const left = source->open_reader(source, WINDOW);
        source->expect(left, 0, SIZE); /* closed with all on its way */
        source->close_reader(left);
        assert_int_equal(source_file_check(source, NULL), STATUS_OK);
        source_file_close(source);
    }
}

static void shrinking(void **state)
{
    static const size_t lefts[] = {0, 5, 4096, 1000000, SIZE - 1};
    for (size_t i = 0; i < sizeof lefts / sizeof *lefts; i++) {
        struct source *const source = must_open(path_of(state), SOURCE_MODE_DIRECT);
        struct source_reader *const reader = source->open_reader(source, WINDOW);
        struct source_window window;
        struct fault fault = {.status = STATUS_OK};
        enum status status = STATUS_OK;
        assert_int_equal(truncate(path_of(state), (off_t)lefts[i]), 0);
        source->expect(reader, 0, SIZE);
        for (uint64_t at = 0; at < SIZE && status == STATUS_OK; at += WINDOW)
            status = source->window(reader, at, WINDOW, &window, &fault);
        assert_int_equal(status, STATUS_IO);
        assert_non_null(strstr(fault.message, "became shorter while it was read"));
        source->close_reader(reader);
        assert_int_equal(source_file_check(source, NULL), STATUS_IO);
        source_file_close(source);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

enum { THREADS = 4 };

struct walker {
    pthread_t thread;
    struct source *source;
    enum status status; /* the last one */
};

/* From front to back, again and again, until something can't be had. */
static void *walk_until_lost(void *argument)
{
    struct walker *const walker = argument;
    struct source *const source = walker->source;
    struct source_reader *const reader = source->open_reader(source, WINDOW);
    while (walker->status == STATUS_OK) {
        source->expect(reader, 0, SIZE);
        for (uint64_t at = 0; at < SIZE && walker->status == STATUS_OK; at += WINDOW) {
            struct source_window window;
            walker->status = source->window(reader, at, WINDOW, &window, NULL);
        }
    }
    source->close_reader(reader);
    return NULL;
}

static void shrinking_under_threads(void **state)
{
    for (long round = 0; round < 5; round++) {
        struct walker walkers[THREADS];
        struct source *const source = must_open(path_of(state), SOURCE_MODE_DIRECT);
        for (size_t i = 0; i < THREADS; i++) {
            walkers[i] = (struct walker){.source = source, .status = STATUS_OK};
            assert_int_equal(pthread_create(&walkers[i].thread, NULL, walk_until_lost, &walkers[i]), 0);
        }
        struct timespec const pause = {.tv_nsec = round * 3000000};
        (void)nanosleep(&pause, NULL);
        assert_int_equal(truncate(path_of(state), SIZE / 3), 0);
        for (size_t i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(walkers[i].thread, NULL), 0);
            assert_int_equal(walkers[i].status, STATUS_IO);
        }
        assert_int_equal(source_file_check(source, NULL), STATUS_IO);
        source_file_close(source);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

static void memory(void **state)
{
    (void)state;
    assert_int_equal(source_direct_fit(UINT64_MAX), SOURCE_DIRECT_READ);
    assert_int_equal(source_direct_fit(SOURCE_DIRECT_BYTES(SOURCE_DIRECT_READ)), SOURCE_DIRECT_READ);
    assert_int_equal(source_direct_fit(SOURCE_DIRECT_BYTES(SOURCE_DIRECT_READ) - 1), SOURCE_DIRECT_READ / 2);
    assert_int_equal(source_direct_fit(0), SOURCE_DIRECT_READ_MIN);
}

static void alignments(void **state)
{
    int error = 0;
    int const descriptor = open(path_of(state), O_RDONLY | O_CLOEXEC);
    size_t const align = source_direct_align(descriptor, &error);
    assert_true(align != 0 && align <= SOURCE_DIRECT_ALIGN_MAX && (align & (align - 1)) == 0);
    assert_true((fcntl(descriptor, F_GETFL) & O_DIRECT) != 0);
    assert_int_equal(close(descriptor), 0);
    assert_int_equal(source_direct_align(descriptor, &error), 0);
    assert_int_equal(error, EBADF);
    /* a file system of which nothing can be read so */
    int const none = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    assert_int_equal(source_direct_align(none, &error), 0);
    assert_int_equal(error, EINVAL);
    char byte;
    assert_int_equal(pread(none, &byte, 1, 0), 1); /* can be read as ever */
    assert_int_equal(close(none), 0);
}

/* ---- systems that refuse ---- */

/* From now on a system call of this process fails, when the low half of its third argument has these bits. */
static bool refuse(uint32_t call, uint32_t bits, uint32_t error)
{
    struct sock_filter const code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, bits, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog const program = {.len = sizeof code / sizeof *code,
                                       .filter = (struct sock_filter *)code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* In a child: what is refused stays so. Ends with the number of the check that failed; 0: none. */
static int in_child(int (*test)(const char *path), const char *path)
{
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(test(path));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static bool all_there(struct source *source)
{
    struct source_reader *const reader = source->open_reader(source, WINDOW);
    bool good = reader != NULL;
    if (good && source->expect != NULL) source->expect(reader, 0, SIZE);
    for (uint64_t at = 0; good && at < SIZE; at += WINDOW - 3) {
        struct source_window window = {.length = 0};
        good = source->window(reader, at, WINDOW, &window, NULL) == STATUS_OK;
        for (size_t i = 0; good && i < window.length; i++)
            good = window.bytes[i] == byte_at(at + i);
    }
    source->close_reader(reader);
    return good;
}

static int no_rings(const char *path)
{
    if (!refuse(SYS_io_uring_setup, 0, EPERM)) return 2;
    if (source_ring_refusal() != EPERM) return 3;
    struct source *const source = source_file_open(path, SOURCE_MODE_DIRECT, NULL);
    if (source == NULL || source_file_mode(source) != SOURCE_MODE_DIRECT) return 4;
    if (!all_there(source)) return 5; /* read when they are asked for */
    source_file_close(source);
    return 0;
}

static int no_direct_reads(const char *path)
{
    struct fault fault = {.status = STATUS_OK};
    if (!refuse(SYS_fcntl, O_DIRECT, EINVAL)) return 1;
    if (source_file_open(path, SOURCE_MODE_DIRECT, &fault) != NULL) return 2;
    if (fault.status != STATUS_USAGE || strstr(fault.message, "--input-mode read") == NULL) return 3;
    if (strstr(fault.message, path) == NULL) return 4;
    struct source *const source = source_file_open(path, SOURCE_MODE_LARGE, &fault);
    if (source == NULL || source_file_mode(source) != SOURCE_MODE_READ) return 5;
    if (!all_there(source)) return 6;
    source_file_close(source);
    return 0;
}

static int failing_reads(const char *path)
{
    struct fault fault = {.status = STATUS_OK};
    struct source *const source = source_file_open(path, SOURCE_MODE_DIRECT, NULL);
    struct source_window window;
    if (source == NULL) return 1;
    struct source_reader *const reader = source->open_reader(source, SIZE); /* has no ring */
    if (!refuse(SYS_pread64, 0, EIO)) return 2;
    if (source->window(reader, 4100, 10, &window, &fault) != STATUS_IO) return 3;
    if (strstr(fault.message, "can't be read at byte 4096: Input/output error") == NULL) return 4;
    source->close_reader(reader);
    source_file_close(source);
    return 0;
}

static void refusals(void **state)
{
    assert_int_equal(in_child(no_rings, path_of(state)), 0);
    assert_int_equal(in_child(no_direct_reads, path_of(state)), 0);
    assert_int_equal(in_child(failing_reads, path_of(state)), 0);
    struct source *const large = must_open(path_of(state), SOURCE_MODE_LARGE);
    assert_int_equal(source_file_mode(large), SOURCE_MODE_DIRECT);
    assert_true(all_there(large));
    source_file_close(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shards, setup, teardown),
        cmocka_unit_test_setup_teardown(shrinking, setup, teardown),
        cmocka_unit_test_setup_teardown(shrinking_under_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(memory, setup, teardown),
        cmocka_unit_test_setup_teardown(alignments, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

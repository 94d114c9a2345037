/* test_source_file.c - windows of local files in all modes, their padding, files that change while they are
 * read, and the SIGBUS guard. Thread: main, and the readers some tests start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those above */

#include "core/base/limits.h"
#include "io/input/source_file.h"
#include "io/input/source_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const enum source_mode modes[] = {SOURCE_MODE_MMAP, SOURCE_MODE_READ, SOURCE_MODE_DIRECT};
enum { MODES = sizeof modes / sizeof *modes };

struct fixture {
    char folder[64];
    char path[96];
};

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 31 + offset / 251 + 1);
}

static void write_file(const char *path, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(i);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    free(bytes);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL) return -1;
    memcpy(fixture->folder, "/tmp/test_source_file.XXXXXX", sizeof "/tmp/test_source_file.XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) return -1;
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/data", fixture->folder);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    (void)unlink(fixture->path);
    int const gone = rmdir(fixture->folder);
    free(fixture);
    return gone;
}

static struct source *must_open(const char *path, enum source_mode mode)
{
    struct fault fault = {.status = STATUS_OK};
    struct source *source = source_file_open(path, mode, &fault);
    if (source == NULL && mode == SOURCE_MODE_DIRECT && fault.status == STATUS_USAGE) /* tmpfs before 6.6 */
        source = source_file_open(path, SOURCE_MODE_LARGE, &fault);
    if (source == NULL) fail_msg("%s", fault.message);
    return source;
}

/* Checks a window's bytes and touches its padding. */
static void check_window(struct source *source, struct source_reader *reader, uint64_t offset, size_t length)
{
    struct source_window window;
    struct fault fault;
    assert_int_equal(source->window(reader, offset, length, &window, &fault), STATUS_OK);
    uint64_t const left = offset < source->size ? source->size - offset : 0;
    assert_int_equal(window.length, length < left ? length : left);
    for (size_t i = 0; i < window.length; i++)
        if (window.bytes[i] != byte_at(offset + i)) fail_msg("byte %zu of window at %zu", i, (size_t)offset);
    unsigned sum = 0;
    for (size_t i = 0; i < LIMIT_PADDING; i++)
        sum += ((const volatile uint8_t *)window.bytes)[window.length + i];
    assert_true(sum <= 255 * LIMIT_PADDING);
}

static void check_size(const char *path, size_t size)
{
    write_file(path, size);
    for (size_t m = 0; m < MODES; m++) {
        struct source *source = must_open(path, modes[m]);
        assert_int_equal(source->size, size);
        assert_string_equal(source->name, path);
        bool const plain = (size == 0 && modes[m] == SOURCE_MODE_MMAP) ||
                           (modes[m] == SOURCE_MODE_DIRECT && source->expect == NULL);
        assert_int_equal(source_file_mode(source), plain ? SOURCE_MODE_READ : modes[m]);
        struct source_reader *reader = source->open_reader(source, size + 1);
        assert_non_null(reader);
        check_window(source, reader, 0, size);
        check_window(source, reader, 0, size + 1);
        check_window(source, reader, size / 2, size);
        check_window(source, reader, size, 1);
        check_window(source, reader, size + 1, 1);
        check_window(source, reader, UINT64_MAX, 1);
        check_window(source, reader, 0, 0);
        if (size != 0) check_window(source, reader, size - 1, 1);
        source->close_reader(reader);
        struct fault fault;
        assert_int_equal(source_file_check(source, &fault), STATUS_OK);
        source_file_close(source);
    }
}

static void padding_behind_the_end(void **state)
{
    struct fixture *fixture = *state;
    size_t const page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t size = page - 64; size <= page + 1; size++)
        check_size(fixture->path, size);
    check_size(fixture->path, 1);
    check_size(fixture->path, 3 * page);
    check_size(fixture->path, 3 * page - 1);
}

static void empty_file(void **state)
{
    struct fixture *fixture = *state;
    check_size(fixture->path, 0);
}

static void windows_at_all_offsets(void **state)
{
    struct fixture *fixture = *state;
    size_t const size = 10007;
    static const size_t lengths[] = {1, 63, 64, 65, 4096, 5000};
    write_file(fixture->path, size);
    for (size_t m = 0; m < MODES; m++) {
        struct source *source = must_open(fixture->path, modes[m]);
        struct source_reader *reader = source->open_reader(source, 5000);
        assert_non_null(reader);
        for (size_t offset = 0; offset <= size; offset += 1 + offset % 3) /* forward, overlapping */
            check_window(source, reader, offset, lengths[offset % 6]);
        for (size_t i = 0; i < 3000; i++) /* anywhere, backward too, with drops */
        {
            uint64_t const offset = i * 7919 % (size + 1);
            check_window(source, reader, offset, lengths[i % 6]);
            if (source->drop != NULL && i % 5 == 0) source->drop(reader, offset);
        }
        source->close_reader(reader);
        source_file_close(source);
    }
}

static void window_larger_than_the_reader(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture->path, 1000);
    for (size_t m = 0; m < MODES; m++) {
        struct source *source = must_open(fixture->path, modes[m]);
        struct source_reader *reader = source->open_reader(source, 100);
        struct source_window window;
        struct fault fault;
        assert_int_equal(source->window(reader, 0, 101, &window, &fault), STATUS_INTERNAL);
        assert_int_equal(source->window(reader, 0, 101, &window, NULL), STATUS_INTERNAL);
        check_window(source, reader, 0, 100);
        source->close_reader(reader);
        source->close_reader(NULL);
        reader = source->open_reader(source, SIZE_MAX); /* a window is never longer than the file */
        assert_non_null(reader);
        check_window(source, reader, 0, SIZE_MAX);
        source->close_reader(reader);
        source_file_close(source);
    }
    source_file_close(NULL);
}

/* In READ mode overlapping bytes come from the buffer: the file is changed in place to tell. */
static void overlap_is_not_read_again(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture->path, 3000);
    struct source *source = must_open(fixture->path, SOURCE_MODE_READ);
    assert_null(source->drop);
    struct source_reader *reader = source->open_reader(source, 1000);
    check_window(source, reader, 0, 1000);
    int const descriptor = open(fixture->path, O_WRONLY);
    uint8_t const other[3000] = {0};
    assert_int_equal(pwrite(descriptor, other, sizeof other, 0), sizeof other);
    assert_int_equal(close(descriptor), 0);
    struct source_window window;
    struct fault fault;
    assert_int_equal(source->window(reader, 900, 1000, &window, &fault), STATUS_OK);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(window.bytes[i], i < 100 ? byte_at(900 + i) : 0);
    assert_int_equal(source->window(reader, 950, 20, &window, &fault), STATUS_OK); /* inside: still held */
    assert_int_equal(window.bytes[0], byte_at(950));
    assert_int_equal(source->window(reader, 899, 20, &window, &fault), STATUS_OK); /* backward: read anew */
    assert_int_equal(window.bytes[2], 0);
    source->close_reader(reader);
    source_file_close(source);
}

/* ---- files that change ---- */

static void shrinking_under_mmap(void **state)
{
    struct fixture *fixture = *state;
    size_t const size = 64 * 4096 + 17;
    write_file(fixture->path, size);
    struct source *source = must_open(fixture->path, SOURCE_MODE_MMAP);
    struct source_reader *reader = source->open_reader(source, size);
    struct source_window window;
    struct fault fault;
    check_window(source, reader, 0, size);
    assert_int_equal(source->window(reader, 0, size, &window, &fault), STATUS_OK);
    assert_int_equal(truncate(fixture->path, 0), 0);
    errno = 12345;
    unsigned sum = 0;
    for (size_t i = 0; i < size + LIMIT_PADDING; i++)
        sum += ((const volatile uint8_t *)window.bytes)[i];
    assert_int_equal(errno, 12345);
    assert_int_equal(sum, 0);
    assert_int_equal(source->window(reader, 100, 5, &window, &fault), STATUS_IO); /* broken is for good */
    assert_non_null(strstr(fault.message, "became shorter while it was read (0 bytes instead of 262161)"));
    assert_non_null(strstr(fault.message, fixture->path));
    fault.message[0] = '\0';
    assert_int_equal(source_file_check(source, &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "became shorter"));
    source->close_reader(reader);
    source_file_close(source);
}

/* The range is broken though size and time look as before. */
static void shrinking_and_coming_back(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture->path, 8192);
    struct stat before;
    assert_int_equal(stat(fixture->path, &before), 0);
    struct source *source = must_open(fixture->path, SOURCE_MODE_MMAP);
    struct source_reader *reader = source->open_reader(source, 8192);
    struct source_window window;
    struct fault fault;
    assert_int_equal(source->window(reader, 0, 8192, &window, &fault), STATUS_OK);
    assert_int_equal(truncate(fixture->path, 4096), 0);
    assert_int_equal(((const volatile uint8_t *)window.bytes)[5000], 0);
    assert_int_equal(((const volatile uint8_t *)window.bytes)[4095],
                     byte_at(4095)); /* the front is untouched */
    assert_int_equal(truncate(fixture->path, 8192), 0);
    struct timespec const times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, fixture->path, times, 0), 0);
    assert_int_equal(source_file_check(source, &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "could not be read"));
    source->close_reader(reader);
    source_file_close(source);
}

/* The window itself finds out, without a signal (MADV_POPULATE_READ) or with one: touched by the test. */
static void shrinking_before_the_window(void **state)
{
    struct fixture *fixture = *state;
    size_t const size = 4 * 1024 * 1024;
    for (size_t m = 0; m < MODES; m++) {
        write_file(fixture->path, size);
        struct source *source = must_open(fixture->path, modes[m]);
        struct source_reader *reader = source->open_reader(source, 1024 * 1024);
        struct fault fault = {.status = STATUS_OK};
        struct source_window window;
        check_window(source, reader, 0, 1024 * 1024);
        assert_int_equal(truncate(fixture->path, 1536 * 1024), 0);
        enum status status = source->window(reader, 1024 * 1024, 1024 * 1024, &window, &fault);
        if (status == STATUS_OK) { /* a kernel before 5.14 */
            assert_int_equal(((const volatile uint8_t *)window.bytes)[window.length - 1], 0);
            status = source->window(reader, 1024 * 1024, 1, &window, &fault);
        }
        assert_int_equal(status, STATUS_IO);
        assert_non_null(
            strstr(fault.message, "became shorter while it was read (1572864 bytes instead of 4194304)"));
        assert_int_equal(source_file_check(source, &fault), STATUS_IO);
        source->close_reader(reader);
        source_file_close(source);
    }
}

static void growing_and_touching(void **state)
{
    struct fixture *fixture = *state;
    for (size_t m = 0; m < MODES; m++) {
        write_file(fixture->path, 5000);
        struct source *source = must_open(fixture->path, modes[m]);
        struct source_reader *reader = source->open_reader(source, 10000);
        struct fault fault;
        assert_int_equal(truncate(fixture->path, 9000), 0);
        check_window(source, reader, 0, 10000); /* still 5000 bytes */
        assert_int_equal(source_file_check(source, &fault), STATUS_IO);
        assert_non_null(strstr(fault.message, "changed while it was read (it grew from 5000 to 9000 bytes)"));
        assert_int_equal(source_file_check(source, NULL), STATUS_IO);
        source->close_reader(reader);
        source_file_close(source);

        source = must_open(fixture->path, modes[m]);
        assert_int_equal(source_file_check(source, &fault), STATUS_OK);
        struct timespec const times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
        assert_int_equal(utimensat(AT_FDCWD, fixture->path, times, 0), 0);
        assert_int_equal(source_file_check(source, &fault), STATUS_IO);
        assert_non_null(strstr(fault.message, "changed while it was read (it was modified since)"));
        source_file_close(source);

        /* replaced by rename, or unlinked: what was opened is still whole */
        source = must_open(fixture->path, modes[m]);
        assert_int_equal(unlink(fixture->path), 0);
        assert_int_equal(source_file_check(source, &fault), STATUS_OK);
        source_file_close(source);
    }
}

/* ---- threads ---- */

enum { THREADS = 4 };

struct walker {
    struct source *source;
    uint64_t from, to;
    bool ok;
};

static void *walk(void *argument)
{
    struct walker *walker = argument;
    struct source *source = walker->source;
    size_t const step = 100000;
    struct source_reader *reader = source->open_reader(source, step + 500);
    walker->ok = reader != NULL;
    for (uint64_t offset = walker->from; walker->ok && offset < walker->to; offset += step) {
        struct source_window window;
        walker->ok = source->window(reader, offset, step + 500, &window, NULL) == STATUS_OK;
        for (size_t i = 0; walker->ok && i < window.length; i++)
            walker->ok = window.bytes[i] == byte_at(offset + i);
        if (source->drop != NULL) source->drop(reader, offset + step);
    }
    source->close_reader(reader);
    return NULL;
}

/* Walks the whole file twice, each thread a share, then another's: seams are passed and shared. */
static void readers_in_threads(void **state)
{
    struct fixture *fixture = *state;
    size_t const size = 12 * 1024 * 1024 + 77;
    write_file(fixture->path, size);
    for (size_t m = 0; m < MODES; m++) {
        struct source *source = must_open(fixture->path, modes[m]);
        for (size_t round = 0; round < 2; round++) {
            pthread_t threads[THREADS];
            struct walker walkers[THREADS];
            for (size_t i = 0; i < THREADS; i++) {
                size_t const share = (i + round) % THREADS;
                walkers[i] =
                    (struct walker){source, size * share / THREADS, size * (share + 1) / THREADS, false};
                assert_int_equal(pthread_create(&threads[i], NULL, walk, &walkers[i]), 0);
            }
            for (size_t i = 0; i < THREADS; i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_true(walkers[i].ok);
            }
        }
        struct fault fault;
        assert_int_equal(source_file_check(source, &fault), STATUS_OK);
        source_file_close(source);
    }
}

static void *touch_all(void *argument)
{
    struct walker *walker = argument;
    struct source_reader *reader = walker->source->open_reader(walker->source, walker->source->size);
    struct source_window window;
    unsigned sum = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK) { /* ends when the truncation below is seen */
        status = walker->source->window(reader, walker->from, walker->source->size, &window, NULL);
        for (size_t i = 0; status == STATUS_OK && i < window.length; i += 512)
            sum += ((const volatile uint8_t *)window.bytes)[i];
        if (status == STATUS_OK) walker->source->drop(reader, walker->source->size);
    }
    walker->ok = status == STATUS_IO;
    walker->to = sum;
    walker->source->close_reader(reader);
    return NULL;
}

static void shrinking_under_threads(void **state)
{
    struct fixture *fixture = *state;
    for (size_t round = 0; round < 20; round++) {
        size_t const size = 4 * 1024 * 1024 + 5;
        write_file(fixture->path, size);
        struct source *source = must_open(fixture->path, SOURCE_MODE_MMAP);
        pthread_t threads[THREADS];
        struct walker walkers[THREADS];
        for (size_t i = 0; i < THREADS; i++) {
            walkers[i] = (struct walker){source, size * i / THREADS, 0, false};
            assert_int_equal(pthread_create(&threads[i], NULL, touch_all, &walkers[i]), 0);
        }
        struct timespec const pause = {.tv_nsec = (long)(round % 5) * 1000000};
        (void)nanosleep(&pause, NULL);
        assert_int_equal(truncate(fixture->path, 0), 0);
        for (size_t i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_true(walkers[i].ok);
        }
        assert_int_equal(source_file_check(source, NULL), STATUS_IO);
        source_file_close(source);
    }
}

/* ---- memory ---- */

/* Pages of [base, base+length) that this process has mapped now, from /proc/self/smaps' Rss of the area. */
static long resident_kib(const void *base)
{
    char line[512], start[32];
    int const wanted = snprintf(start, sizeof start, "%lx-", (unsigned long)(uintptr_t)base);
    FILE *maps = fopen("/proc/self/smaps", "r");
    long found = -1;
    bool here = false;
    while (maps != NULL && found < 0 && fgets(line, sizeof line, maps) != NULL) {
        if (strncmp(line, start, (size_t)wanted) == 0) here = true;
        if (here && strncmp(line, "Rss:", 4) == 0) found = strtol(line + 4, NULL, 10);
    }
    if (maps != NULL) (void)fclose(maps);
    return found;
}

static void resident_memory_stays_flat(void **state)
{
    struct fixture *fixture = *state;
    size_t const size = 32 * 1024 * 1024, step = 256 * 1024;
    write_file(fixture->path, size);
    struct source *source = must_open(fixture->path, SOURCE_MODE_MMAP);
    struct source_reader *reader = source->open_reader(source, step + 5000);
    const void *base = NULL;
    long most = 0;
    for (uint64_t offset = 4000; offset < size; offset += step) {
        struct source_window window;
        assert_int_equal(source->window(reader, offset, step + 5000, &window, NULL), STATUS_OK);
        if (base == NULL) base = window.bytes - 4000;
        for (size_t i = 0; i < window.length; i += 4096) /* kernels before 5.14 bring pages in when touched */
            (void)((const volatile uint8_t *)window.bytes)[i];
        long const now = resident_kib(base);
        most = now > most ? now : most;
        source->drop(reader, offset + step);
    }
    assert_true(most >= (long)(step / 1024));
    assert_true(most <= (long)(SOURCE_FILE_DROP_STEP + 3 * step) / 1024);
    source->close_reader(reader);
    assert_int_equal(resident_kib(base), 0);
    source_file_close(source);
}

static void no_address_space_falls_back(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture->path, 100);
    /* Sparse: more than any address space holds. */
    if (truncate(fixture->path, (off_t)1 << 43) != 0) return; /* this file system has no such files */
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
    struct rlimit const tight = {.rlim_cur = (rlim_t)1 << 42, .rlim_max = old.rlim_max};
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
    struct source *source = must_open(fixture->path, SOURCE_MODE_MMAP);
    assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
    assert_int_equal(source_file_mode(source), SOURCE_MODE_READ);
    source_file_close(source);
#else
    (void)tight; /* sanitizers reserve more than that themselves */
#endif
}

/* ---- opening ---- */

static void expect_refused(const char *path, enum status status, const char *text)
{
    for (size_t m = 0; m < MODES; m++) {
        struct fault fault = {.status = STATUS_OK};
        assert_null(source_file_open(path, modes[m], &fault));
        assert_int_equal(fault.status, status);
        assert_non_null(strstr(fault.message, text));
        assert_null(source_file_open(path, modes[m], NULL));
    }
}

static void what_can_not_be_opened(void **state)
{
    struct fixture *fixture = *state;
    expect_refused(fixture->path, STATUS_NO_SOURCE, "no such file");
    expect_refused("", STATUS_NO_SOURCE, "(empty path)");
    expect_refused(fixture->folder, STATUS_INPUT, "directory");
    expect_refused("/dev/null", STATUS_INPUT, "device");
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    expect_refused(fixture->path, STATUS_INPUT, "FIFO");
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(symlink("data", fixture->path), 0);
    expect_refused(fixture->path, STATUS_NO_SOURCE, "can't be reached");
    assert_int_equal(unlink(fixture->path), 0);
    write_file(fixture->path, 10);
    if (geteuid() != 0) {
        assert_int_equal(chmod(fixture->path, 0), 0);
        expect_refused(fixture->path, STATUS_NO_SOURCE, "may not be read");
    }
}

/* ---- the guard ---- */

static void guard_table_is_bounded(void **state)
{
    (void)state;
    size_t const page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *base = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(base != MAP_FAILED);
    assert_int_equal(source_guard_add(base, 0), SOURCE_GUARD_NONE);
    assert_int_equal(source_guard_add(base + 1, 1), SOURCE_GUARD_NONE);
    assert_int_equal(source_guard_add(base, SIZE_MAX), SOURCE_GUARD_NONE);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < SOURCE_GUARD_RANGES_MAX; i++)
            assert_int_equal(source_guard_add(base, page), i);
        assert_int_equal(source_guard_add(base, page), SOURCE_GUARD_NONE);
        source_guard_remove(7);
        assert_int_equal(source_guard_add(base, page), 7);
        assert_false(source_guard_broken(7));
        struct fixture *fixture = *state;
        write_file(fixture->path, 100);
        struct source *source = must_open(fixture->path, SOURCE_MODE_MMAP); /* no range left: read instead */
        assert_int_equal(source_file_mode(source), SOURCE_MODE_READ);
        source_file_close(source);
        for (int i = 0; i < SOURCE_GUARD_RANGES_MAX; i++)
            source_guard_remove(i);
    }
    source_guard_remove(SOURCE_GUARD_NONE);
    assert_false(source_guard_broken(SOURCE_GUARD_NONE));
    assert_int_equal(munmap(base, page), 0);
}

/* A slot that was broken is clean for its next file. */
static void guard_slot_is_reused_clean(void **state)
{
    struct fixture *fixture = *state;
    shrinking_under_mmap(state);
    write_file(fixture->path, 5000);
    struct source *source = must_open(fixture->path, SOURCE_MODE_MMAP);
    assert_int_equal(source_file_mode(source), SOURCE_MODE_MMAP);
    struct source_reader *reader = source->open_reader(source, 5000);
    check_window(source, reader, 0, 5000);
    assert_int_equal(source_file_check(source, NULL), STATUS_OK);
    source->close_reader(reader);
    source_file_close(source);
}

/* What the guard does not own ends the process as ever: its children tell by which signal. */
static int child_signal(void (*crash)(const char *path), const char *path)
{
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit const none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        struct source *source = source_file_open(path, SOURCE_MODE_MMAP, NULL);
        if (source != NULL) crash(path);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void crash_elsewhere(const char *path)
{
    int const descriptor = open(path, O_RDWR);
    const volatile uint8_t *bytes = mmap(NULL, 8192, PROT_READ, MAP_SHARED, descriptor, 0);
    if (ftruncate(descriptor, 0) != 0) _exit(1);
    (void)bytes[0];
}

static void crash_sent(const char *path)
{
    (void)path;
    (void)kill(getpid(), SIGBUS);
}

static void foreign_sigbus_is_deadly(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture->path, 8192);
    assert_int_equal(child_signal(crash_sent, fixture->path), SIGBUS);
    assert_int_equal(child_signal(crash_elsewhere, fixture->path), SIGBUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(padding_behind_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_file, setup, teardown),
        cmocka_unit_test_setup_teardown(windows_at_all_offsets, setup, teardown),
        cmocka_unit_test_setup_teardown(window_larger_than_the_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(overlap_is_not_read_again, setup, teardown),
        cmocka_unit_test_setup_teardown(shrinking_under_mmap, setup, teardown),
        cmocka_unit_test_setup_teardown(shrinking_and_coming_back, setup, teardown),
        cmocka_unit_test_setup_teardown(shrinking_before_the_window, setup, teardown),
        cmocka_unit_test_setup_teardown(growing_and_touching, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_in_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(shrinking_under_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(resident_memory_stays_flat, setup, teardown),
        cmocka_unit_test_setup_teardown(no_address_space_falls_back, setup, teardown),
        cmocka_unit_test_setup_teardown(what_can_not_be_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(guard_table_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(guard_slot_is_reused_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(foreign_sigbus_is_deadly, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_zstd_frame.c - headers of frames: every flag, cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/codec/zstd_frame.h"

#include <string.h>

#define MAGIC "\x28\xb5\x2f\xfd"

static void expect(const char *header, size_t length, uint64_t window, bool has_content, uint64_t content)
{
    struct zstd_frame frame;
    for (size_t i = 0; i < length; i++)
        assert_false(zstd_frame_read((const uint8_t *)header, i, &frame));
    assert_true(zstd_frame_read((const uint8_t *)header, length, &frame));
    assert_int_equal(frame.window, window);
    assert_int_equal(frame.has_content, has_content);
    assert_int_equal(frame.content, content);
}

#define EXPECT(header, ...) expect(MAGIC header, sizeof(MAGIC header) - 1, __VA_ARGS__)

static void reads_headers(void **state)
{
    (void)state;
    /* no content size: the window's descriptor says all */
    EXPECT("\x00\x00", 1024, false, 0);
    EXPECT("\x00\x58", 2 << 20, false, 0);
    EXPECT("\x04\x59", (2 << 20) + (2 << 17), false, 0); /* mantissa 1; a checksum follows the data */
    EXPECT("\x00\xff", ((uint64_t)1 << 41) + ((uint64_t)7 << 38), false, 0);
    /* dictionary ids of 1, 2, 4 bytes */
    EXPECT("\x01\x58\x09", 2 << 20, false, 0);
    EXPECT("\x02\x58\x09\x09", 2 << 20, false, 0);
    EXPECT("\x03\x58\x09\x09\x09\x09", 2 << 20, false, 0);
    /* content sizes of 1, 2, 4, 8 bytes; single segments have the content as their window */
    EXPECT("\x20\x07", 7, true, 7);
    EXPECT("\x60\x07\x01", 263 + 256, true, 263 + 256);
    EXPECT("\x40\x58\x00\x00", 2 << 20, true, 256);
    EXPECT("\xa0\x00\x00\x00\x01", 1 << 24, true, 1 << 24);
    EXPECT("\x80\x58\x01\x00\x00\x00", 2 << 20, true, 1);
    EXPECT("\xe0\x01\x02\x03\x04\x05\x06\x07\x08", 0x0807060504030201, true, 0x0807060504030201);
}

static unsigned window_log(const char *bytes, size_t length)
{
    return zstd_frame_window_log((const uint8_t *)bytes, length);
}

#define LOG(bytes) window_log(bytes, sizeof(bytes) - 1)

static void finds_the_window(void **state)
{
    (void)state;
    assert_int_equal(LOG(MAGIC "\x20\x07"), 10);
    assert_int_equal(LOG(MAGIC "\x00\x00"), 10);
    assert_int_equal(LOG(MAGIC "\x00\x01"), 11); /* an eighth more */
    assert_int_equal(LOG(MAGIC "\x00\x58"), 21);
    assert_int_equal(LOG(MAGIC "\xe0\xff\xff\xff\xff\xff\xff\xff\xff"), 63);
    /* behind skippable frames */
    assert_int_equal(LOG("\x50\x2a\x4d\x18\x02\0\0\0ab" MAGIC "\x00\x58"), 21);
    assert_int_equal(LOG("\x5f\x2a\x4d\x18\0\0\0\0\x50\x2a\x4d\x18\x01\0\0\0a" MAGIC "\x00\x58"), 21);
    /* not to be told */
    assert_int_equal(LOG(""), 0);
    assert_int_equal(LOG(MAGIC), 0);
    assert_int_equal(LOG("\x1f\x8b\x08\0\0\0"), 0);
    assert_int_equal(LOG("\x50\x2a\x4d\x18\xff\xff\xff\xff" MAGIC "\x00\x58"), 0);
    assert_int_equal(LOG("\x50\x2a\x4d\x18\x02\0\0"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_headers), cmocka_unit_test(finds_the_window)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* under_tsan.h - how much of a test is enough under ThreadSanitizer, which takes ten to thirty times as long
 * for the same code. It looks for pairs of accesses without an edge between them: these show in the first
 * rounds as well as in the last ones. So a test of threads comes to all of its states there, too, but less
 * often, and every other build does all of it. */
#ifndef PENSTOCK_TESTS_UNIT_UNDER_TSAN_H
#define PENSTOCK_TESTS_UNIT_UNDER_TSAN_H

#if defined(__SANITIZE_THREAD__) /* GCC */
#define UNDER_TSAN 1
#elif defined(__has_feature) /* Clang */
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

#endif

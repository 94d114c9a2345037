/* wide_registers.c - see the header. Thread: any. Owns nothing. */
#include "core/base/wide_registers.h"

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx"), noinline)) static void zero_upper(void)
{
    _mm256_zeroupper();
}

void wide_registers_leave(void)
{
    if (__builtin_cpu_supports("avx")) zero_upper();
}
#else
void wide_registers_leave(void) {}
#endif

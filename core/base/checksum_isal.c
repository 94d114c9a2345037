/* checksum_isal.c - see the header. Thread: any (isa-l chooses its code for the CPU at the first call, by
 * writing a pointer that every thread would write alike). Owns nothing. */
#include "core/base/checksum_isal.h"

#include "core/base/wide_registers.h"

#include <isa-l/crc.h>

/* crc32_iscsi() counts in int: longer pieces go in steps of 1 GiB, a multiple of every lane's width. */
#define STEP_MAX ((size_t)1 << 30)

/* isa-l's function takes and gives the register, and its bytes without const, which it only reads. */
uint32_t checksum_isal_crc32c(uint32_t so_far, const void *bytes, size_t length)
{
    unsigned char *at = (unsigned char *)(uintptr_t)bytes;
    uint32_t state = ~so_far;
    while (length != 0) {
        size_t const step = length < STEP_MAX ? length : STEP_MAX;
        state = crc32_iscsi(at, (int)step, state);
        at += step;
        length -= step;
    }
    wide_registers_leave();
    return ~state;
}

/* This one complements at both ends itself, and counts in 64 bits. */
uint32_t checksum_isal_crc32(uint32_t so_far, const void *bytes, size_t length)
{
    if (length == 0) return so_far;
    uint32_t const crc = crc32_gzip_refl(so_far, bytes, length);
    wide_registers_leave();
    return crc;
}

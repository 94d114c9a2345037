/* crc64.h - CRC-64/NVME in several ways, of which the CPU's best is taken.
 *
 * Values are finished CRCs: crc64_update(0, ...) begins one, and a result may be given on as `so_far`. Use
 * checksum.h; the single ways are shown for tests and benchmarks.
 *
 * Thread rule: pure; any thread. */
#ifndef PENSTOCK_CORE_BASE_CRC64_H
#define PENSTOCK_CORE_BASE_CRC64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum crc64_way {
    CRC64_TABLE,    /* everywhere */
    CRC64_FOLD_128, /* PCLMULQDQ and SSE4.1: x86-64 since 2010 */
    CRC64_FOLD_256, /* VPCLMULQDQ and AVX2 */
    CRC64_FOLD_512, /* VPCLMULQDQ and AVX-512F */
    CRC64_WAYS
};

/* Each by its CPU features, asked at run time. */
bool crc64_supported(enum crc64_way way);
/* "table", "fold_128", ... */
const char *crc64_way_name(enum crc64_way way);

uint64_t crc64_update(uint64_t so_far, const void *bytes, size_t length);
/* In the way that is asked for, which must be supported; below 16 bytes all take the table. */
uint64_t crc64_update_by(enum crc64_way way, uint64_t so_far, const void *bytes, size_t length);

#endif

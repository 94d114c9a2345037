/* crc64_fold.h - CRC-64/NVME by carry-less multiplication, for crc64.c only.
 *
 * Thread rule: pure; any thread. */
#ifndef PENSTOCK_CORE_BASE_CRC64_FOLD_H
#define PENSTOCK_CORE_BASE_CRC64_FOLD_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#define CRC64_FOLD_IS_HERE 1
#else
#define CRC64_FOLD_IS_HERE 0
#endif

/* Fewest bytes that these functions take: one lane. */
#define CRC64_FOLD_MIN 16u

#if CRC64_FOLD_IS_HERE
/* `state` is the register: the complement of a finished CRC. Each needs the CPU features of its way
 * (crc64.h). */
uint64_t crc64_fold_128(uint64_t state, const uint8_t *bytes, size_t length);
uint64_t crc64_fold_256(uint64_t state, const uint8_t *bytes, size_t length);
uint64_t crc64_fold_512(uint64_t state, const uint8_t *bytes, size_t length);
#endif

#endif

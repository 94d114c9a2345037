/* checksum_isal.h - CRC-32C and CRC-32 of isa-l, in the form of checksum.h: finished CRCs in and out, any
 * length.
 *
 * Thread rule: pure; any thread. */
#ifndef PENSTOCK_CORE_BASE_CHECKSUM_ISAL_H
#define PENSTOCK_CORE_BASE_CHECKSUM_ISAL_H

#include <stddef.h>
#include <stdint.h>

uint32_t checksum_isal_crc32c(uint32_t so_far, const void *bytes, size_t length);
uint32_t checksum_isal_crc32(uint32_t so_far, const void *bytes, size_t length);

#endif

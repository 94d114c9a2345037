/* checksum.h - the checksums that S3 keeps of objects: CRC-64/NVME, CRC-32C, CRC-32.
 *
 * A value is the finished CRC, as check values are published (crc64nvme of "123456789": 0xae8b14860a799888),
 * so that checksum_update(kind, 0, ...) begins one, and a piece's value can be told to another thread and
 * joined there: checksum_combine(kind, crc(A), crc(B), length of B) = crc(AB).
 *
 * CRC-64/NVME: polynomial 0xad93d23594c93659, reflected, all ones in and out (NVM Express NVM Command
 * Set 1.0, 5.2.1.3.4; S3's `x-amz-checksum-crc64nvme`). Carry-less multiplication where the CPU has it
 * (VPCLMULQDQ, PCLMULQDQ, chosen at run time), else a table. CRC-32C and CRC-32 are isa-l's.
 *
 * Thread rule: pure; any thread. */
#ifndef PENSTOCK_CORE_BASE_CHECKSUM_H
#define PENSTOCK_CORE_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

enum checksum_kind { CHECKSUM_NONE, CHECKSUM_CRC64NVME, CHECKSUM_CRC32C, CHECKSUM_CRC32 };

/* Base64 of 8 bytes, and the terminator. */
#define CHECKSUM_TEXT_SIZE 13u

/* 0 for CHECKSUM_NONE. */
uint64_t checksum_update(enum checksum_kind kind, uint64_t so_far, const void *bytes, size_t length);
uint64_t checksum_combine(enum checksum_kind kind, uint64_t first, uint64_t second, uint64_t second_length);

/* As in S3's headers: base64 of the big-endian bytes. "" for CHECKSUM_NONE. */
void checksum_text(enum checksum_kind kind, uint64_t value, char out[CHECKSUM_TEXT_SIZE]);
/* "crc64nvme", "crc32c", "crc32", "none": the words of destination.checksum; x-amz-checksum-NAME. */
const char *checksum_name(enum checksum_kind kind);

#endif

/* checksum.c - see the header: which CRC is meant, and its text. Thread: any. Owns nothing. */
#include "core/base/checksum.h"

#include "core/base/checksum_isal.h"
#include "core/base/crc64.h"
#include "core/base/crc_shift.h"

uint64_t checksum_update(enum checksum_kind kind, uint64_t so_far, const void *bytes, size_t length)
{
    switch (kind) {
    case CHECKSUM_CRC64NVME: return crc64_update(so_far, bytes, length);
    case CHECKSUM_CRC32C: return checksum_isal_crc32c((uint32_t)so_far, bytes, length);
    case CHECKSUM_CRC32: return checksum_isal_crc32((uint32_t)so_far, bytes, length);
    case CHECKSUM_NONE: break;
    }
    return 0;
}

/* The register begins with all ones and is complemented at the end. So the first CRC, moved over the second
 * piece, brings in the complement of what the second one had for a beginning, and the sum is right as it is:
 * crc(AB) = crc(A) x^(8 length of B) + crc(B). */
uint64_t checksum_combine(enum checksum_kind kind, uint64_t first, uint64_t second, uint64_t second_length)
{
    switch (kind) {
    case CHECKSUM_CRC64NVME: return crc_shift(CRC_SHIFT_CRC64NVME, first, second_length) ^ second;
    case CHECKSUM_CRC32C:
        return crc_shift(CRC_SHIFT_CRC32C, (uint32_t)first, second_length) ^ (uint32_t)second;
    case CHECKSUM_CRC32: return crc_shift(CRC_SHIFT_CRC32, (uint32_t)first, second_length) ^ (uint32_t)second;
    case CHECKSUM_NONE: break;
    }
    return 0;
}

static size_t size_of(enum checksum_kind kind)
{
    switch (kind) {
    case CHECKSUM_CRC64NVME: return 8;
    case CHECKSUM_CRC32C:
    case CHECKSUM_CRC32: return 4;
    case CHECKSUM_NONE: break;
    }
    return 0;
}

void checksum_text(enum checksum_kind kind, uint64_t value, char out[CHECKSUM_TEXT_SIZE])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t const size = size_of(kind);
    char *at = out;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = 0;
        for (size_t k = i; k < i + 3; k++)
            three = three << 8 | (k < size ? (uint32_t)(value >> 8 * (size - 1 - k) & 0xFF) : 0);
        at[0] = digits[three >> 18];
        at[1] = digits[three >> 12 & 0x3F];
        at[2] = i + 1 < size ? digits[three >> 6 & 0x3F] : '=';
        at[3] = i + 2 < size ? digits[three & 0x3F] : '=';
        at += 4;
    }
    *at = '\0';
}

const char *checksum_name(enum checksum_kind kind)
{
    switch (kind) {
    case CHECKSUM_CRC64NVME: return "crc64nvme";
    case CHECKSUM_CRC32C: return "crc32c";
    case CHECKSUM_CRC32: return "crc32";
    case CHECKSUM_NONE: break;
    }
    return "none";
}

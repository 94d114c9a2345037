/* crc64_check.c - CRC-64/NVME and CRC-32C by tables, for the scripted S3 of the tests (loaded by ctypes).
 *
 * A second implementation on purpose: it shares nothing with core/. Slice by eight. Pure; any thread, after
 * crc_check_start() was called once. Polynomials, reflected: NVM Express NVM Command Set 1.0, 5.2.1.3.4; RFC
 * 3720, B.4. */
#include <stddef.h>
#include <stdint.h>

#define SLICES 8u

void crc_check_start(void);
uint64_t crc64nvme_check(const uint8_t *bytes, size_t length);
uint32_t crc32c_check(const uint8_t *bytes, size_t length);

static uint64_t table64[SLICES][256], table32[SLICES][256];

static void fill(uint64_t table[SLICES][256], uint64_t polynomial)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t value = byte;
        for (unsigned bit = 0; bit < 8; bit++)
            value = (value >> 1) ^ ((value & 1) != 0 ? polynomial : 0);
        table[0][byte] = value;
    }
    for (unsigned slice = 1; slice < SLICES; slice++)
        for (unsigned byte = 0; byte < 256; byte++)
            table[slice][byte] = (table[slice - 1][byte] >> 8) ^ table[0][table[slice - 1][byte] & 255];
}

static uint64_t run(uint64_t table[SLICES][256], uint64_t value, const uint8_t *bytes, size_t length)
{
    while (length >= SLICES) {
        uint64_t word = 0;
        for (unsigned i = 0; i < SLICES; i++)
            word |= (uint64_t)bytes[i] << (8 * i);
        word ^= value;
        value = 0;
        for (unsigned i = 0; i < SLICES; i++)
            value ^= table[SLICES - 1 - i][(word >> (8 * i)) & 255];
        bytes += SLICES;
        length -= SLICES;
    }
    while (length-- > 0)
        value = (value >> 8) ^ table[0][(value ^ *bytes++) & 255];
    return value;
}

void crc_check_start(void)
{
    fill(table64, 0x9a6c9329ac4bc9b5ull);
    fill(table32, 0x82f63b78ull);
}

uint64_t crc64nvme_check(const uint8_t *bytes, size_t length)
{
    return ~run(table64, ~0ull, bytes, length);
}

uint32_t crc32c_check(const uint8_t *bytes, size_t length)
{
    return (uint32_t)~run(table32, 0xffffffffull, bytes, length);
}

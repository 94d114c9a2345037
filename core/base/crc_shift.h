/* crc_shift.h - what n bytes of zeros behind a message do to its CRC: a multiplication by x^(8n). For
 * checksum_combine() only.
 *
 * One arithmetic for CRCs of 64 and of 32 bits: modulo a polynomial of degree 64, reflected (bit i of a
 * number is the coefficient of x^(63-i)). A CRC of 32 bits times x^32 is one modulo its polynomial times
 * x^32; as a reflected number it is the same number.
 *
 * Thread rule: pure; any thread. */
#ifndef PENSTOCK_CORE_BASE_CRC_SHIFT_H
#define PENSTOCK_CORE_BASE_CRC_SHIFT_H

#include <stdint.h>

struct crc_shift_modulus {
    uint64_t low;      /* the modulus without x^64 */
    uint64_t quotient; /* x^128 by the modulus, rounded down: bit i is of x^(64-i), that of x^0 is left out */
};

/* test_checksum.c divides by hand. The polynomials: NVM Express NVM Command Set 1.0, 5.2.1.3.4; RFC 3720,
 * 12.1; RFC 1952, 8. */
#define CRC_SHIFT_CRC64NVME                                        \
    (struct crc_shift_modulus)                                     \
    {                                                              \
        UINT64_C(0x9a6c9329ac4bc9b5), UINT64_C(0x27ecfa329aef9f77) \
    }
#define CRC_SHIFT_CRC32C                                   \
    (struct crc_shift_modulus)                             \
    {                                                      \
        UINT64_C(0x82f63b78), UINT64_C(0x4869ec38dea713f1) \
    }
#define CRC_SHIFT_CRC32                                    \
    (struct crc_shift_modulus)                             \
    {                                                      \
        UINT64_C(0xedb88320), UINT64_C(0xb4e5b025f7011641) \
    }

/* `value` times x^(8 bytes). */
uint64_t crc_shift(struct crc_shift_modulus modulus, uint64_t value, uint64_t bytes);
/* The same bit by bit, as where the CPU has no PCLMULQDQ. */
uint64_t crc_shift_plain(struct crc_shift_modulus modulus, uint64_t value, uint64_t bytes);

#endif

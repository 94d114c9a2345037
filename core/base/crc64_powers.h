/* crc64_powers.h - powers of x modulo the polynomial of CRC-64/NVME: every constant that computes one.
 *
 * Notation: polynomials over GF(2) of degree below 64 are 64-bit numbers whose bit i stands for x^(63-i)
 * ("reflected": the first bit of a byte on the wire is its lowest). P = x^64 + CRC64_POLYNOMIAL; x^n is short
 * for x^n mod P. test_crc64.c works out every one of them bit by bit.
 *
 * Thread rule: constants only. */
#ifndef PENSTOCK_CORE_BASE_CRC64_POWERS_H
#define PENSTOCK_CORE_BASE_CRC64_POWERS_H

#include <stdint.h>

/* 0xad93d23594c93659 (NVM Express NVM Command Set 1.0, 5.2.1.3.4), reflected. */
#define CRC64_POLYNOMIAL UINT64_C(0x9a6c9329ac4bc9b5)

/* What the folds multiply by. To move 64 bits on by D bits and to bring them back below x^64 is one
 * carry-less multiplication by x^D; as a product of reflected numbers comes out one bit too low, that is
 * x^(D-1). Of a lane's 128 bits the earlier 64 have 64 bits further to go: x^(D+63). So for every distance D
 * there are two. */
#define CRC64_X127  UINT64_C(0x21e9761e252621ac) /* D = 128 */
#define CRC64_X191  UINT64_C(0xeadc41fd2ba3d420)
#define CRC64_X255  UINT64_C(0xe1e0bb9d45d7a44c) /* D = 256 */
#define CRC64_X319  UINT64_C(0xb0bc2e589204f500)
#define CRC64_X383  UINT64_C(0xa3ffdc1fe8e82a8b) /* D = 384 */
#define CRC64_X447  UINT64_C(0xbdd7ac0ee1a4a0f0)
#define CRC64_X511  UINT64_C(0x62242240ace5045a) /* D = 512 */
#define CRC64_X575  UINT64_C(0x0c32cdb31e18a84a)
#define CRC64_X1023 UINT64_C(0x5f852fb61e8d92dc) /* D = 1024 */
#define CRC64_X1087 UINT64_C(0xa1ca681e733f9c40)
#define CRC64_X2047 UINT64_C(0xa043808c0f782663) /* D = 2048 */
#define CRC64_X2111 UINT64_C(0x37ccd3e14069cabc)

/* Barrett's: x^128 / P, rounded down. It has 65 bits: here bit i stands for x^(64-i), and the one of x^0 is
 * left out (a product's lower half does not depend on it). */
#define CRC64_QUOTIENT UINT64_C(0x27ecfa329aef9f77)

/* x^64 to x^127, each from the one before: the table of crc64.c is made of these when it is compiled. */
#define CRC64_STEP(power) \
    ((uint64_t)(power) >> 1 ^ (((uint64_t)(power)&1) != 0 ? CRC64_POLYNOMIAL : UINT64_C(0)))
#define CRC64_NEXT(n, before) CRC64_X_##n = CRC64_STEP(CRC64_X_##before)

enum crc64_powers {
    CRC64_X_64 = CRC64_POLYNOMIAL,
    CRC64_NEXT(65, 64),
    CRC64_NEXT(66, 65),
    CRC64_NEXT(67, 66),
    CRC64_NEXT(68, 67),
    CRC64_NEXT(69, 68),
    CRC64_NEXT(70, 69),
    CRC64_NEXT(71, 70),
    CRC64_NEXT(72, 71),
    CRC64_NEXT(73, 72),
    CRC64_NEXT(74, 73),
    CRC64_NEXT(75, 74),
    CRC64_NEXT(76, 75),
    CRC64_NEXT(77, 76),
    CRC64_NEXT(78, 77),
    CRC64_NEXT(79, 78),
    CRC64_NEXT(80, 79),
    CRC64_NEXT(81, 80),
    CRC64_NEXT(82, 81),
    CRC64_NEXT(83, 82),
    CRC64_NEXT(84, 83),
    CRC64_NEXT(85, 84),
    CRC64_NEXT(86, 85),
    CRC64_NEXT(87, 86),
    CRC64_NEXT(88, 87),
    CRC64_NEXT(89, 88),
    CRC64_NEXT(90, 89),
    CRC64_NEXT(91, 90),
    CRC64_NEXT(92, 91),
    CRC64_NEXT(93, 92),
    CRC64_NEXT(94, 93),
    CRC64_NEXT(95, 94),
    CRC64_NEXT(96, 95),
    CRC64_NEXT(97, 96),
    CRC64_NEXT(98, 97),
    CRC64_NEXT(99, 98),
    CRC64_NEXT(100, 99),
    CRC64_NEXT(101, 100),
    CRC64_NEXT(102, 101),
    CRC64_NEXT(103, 102),
    CRC64_NEXT(104, 103),
    CRC64_NEXT(105, 104),
    CRC64_NEXT(106, 105),
    CRC64_NEXT(107, 106),
    CRC64_NEXT(108, 107),
    CRC64_NEXT(109, 108),
    CRC64_NEXT(110, 109),
    CRC64_NEXT(111, 110),
    CRC64_NEXT(112, 111),
    CRC64_NEXT(113, 112),
    CRC64_NEXT(114, 113),
    CRC64_NEXT(115, 114),
    CRC64_NEXT(116, 115),
    CRC64_NEXT(117, 116),
    CRC64_NEXT(118, 117),
    CRC64_NEXT(119, 118),
    CRC64_NEXT(120, 119),
    CRC64_NEXT(121, 120),
    CRC64_NEXT(122, 121),
    CRC64_NEXT(123, 122),
    CRC64_NEXT(124, 123),
    CRC64_NEXT(125, 124),
    CRC64_NEXT(126, 125),
    CRC64_NEXT(127, 126)
};

#endif

/* wide_registers.h - what is due after a call into isa-l.
 *
 * isa-l 2.30's functions may return with the upper halves of vector registers in use, and code that is
 * compiled for SSE, as all of ours is, is slower until they are zero: measured on an AMD EPYC of family 26,
 * crc64_fold_128() takes 7 GB/s instead of 15 after either of its CRCs.
 *
 * Thread rule: pure; any thread. */
#ifndef PENSTOCK_CORE_BASE_WIDE_REGISTERS_H
#define PENSTOCK_CORE_BASE_WIDE_REGISTERS_H

void wide_registers_leave(void);

#endif

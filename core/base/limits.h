/* limits.h - the bounds that several modules share, each with its derivation. A bound of one module only
 * stands in that module's header. */
#ifndef PENSTOCK_CORE_BASE_LIMITS_H
#define PENSTOCK_CORE_BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#define LIMIT_KIB ((uint64_t)1024)
#define LIMIT_MIB (1024u * LIMIT_KIB)

/* A large page of x86-64, and of aarch64 with small ones of 4 KiB. */
#define LIMIT_LARGE_PAGE (2u * LIMIT_MIB)

/* Readable bytes behind every window of input: simdjson 3.0 asks for 64 (SIMDJSON_PADDING; asserted in
 * record_walk.cpp). */
#define LIMIT_PADDING 64u

/* Converter threads: the largest EC2 instances have 448 vCPUs and more; 1024 leaves room, and bounds every
 * array that has one item a thread. */
#define LIMIT_THREADS 1024u

/* Cache line: what two threads must not share. x86 prefetches lines in pairs, so 128. */
#define LIMIT_LINE 128u
/* Do two members of a struct lie on different lines, wherever the struct is? For _Static_assert: what one
 * thread writes and another one reads or writes all the time. */
#define LIMIT_APART(type, one, other)    \
    (_Alignof(type) % LIMIT_LINE == 0 && \
     offsetof(type, one) / LIMIT_LINE != offsetof(type, other) / LIMIT_LINE)

/* source.max_record: from any size at all (the contract sets no minimum) to what 32-bit structural indexes
 * can address with room to spare. */
#define LIMIT_RECORD_MIN 1u
#define LIMIT_RECORD_MAX (1024u * LIMIT_MIB)

/* source.max_depth */
#define LIMIT_DEPTH_MIN 1u
#define LIMIT_DEPTH_MAX 65536u

/* Rules of consent.require: each is counted in every tally. XDM has a dozen marketing channels. */
#define LIMIT_CONSENT_RULES 16u

/* Raw bytes of a failed record that a reject line carries (contract: "raw base64 of at most 64 KiB"). */
#define LIMIT_REJECT_RAW (64u * LIMIT_KIB)

#endif

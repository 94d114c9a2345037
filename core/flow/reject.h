/* reject.h - a record that failed, as the reject file shows it (contract: "A record is isolated"). Found in
 * core, written by io/output/rejects. All pointers are borrowed for the call they are given to. */
#ifndef PENSTOCK_CORE_FLOW_REJECT_H
#define PENSTOCK_CORE_FLOW_REJECT_H

#include "core/base/tally.h"

#include <stddef.h>
#include <stdint.h>

struct reject {
    const char *source; /* as the user wrote it: bytes, not always UTF-8 */
    uint64_t offset;    /* of the record in the decompressed source, surrounding blanks left out */
    uint64_t length;    /* bytes of the record, without line end and surrounding blanks */
    uint64_t line;      /* from 1 */
    enum defect code;
    const char *path; /* the column's path the defect was met at; "" or NULL where there is none */
    const uint8_t *raw;
    size_t raw_length; /* of it at most LIMIT_REJECT_RAW bytes are written */
};

#endif

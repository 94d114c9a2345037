/* sink_null.h - the destination `null:`: everything is done but the bytes are dropped, for measuring.
 *
 * It still checks what it is told: files in order, rows and bytes of each file. A file's url is `null:NAME`.
 */
#ifndef PENSTOCK_IO_OUTPUT_SINK_NULL_H
#define PENSTOCK_IO_OUTPUT_SINK_NULL_H

#include "core/flow/sink.h"

/* The caller sets `home` and `home_context` before the first begin(). NULL: no memory (fault filled). */
struct sink *sink_null_create(struct fault *fault);

#endif

/* source_open.h - the files of a list as sources (core/flow/source.h), whatever they are read by.
 *
 * Thread rule: main, while no worker runs. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_OPEN_H
#define PENSTOCK_IO_INPUT_SOURCE_OPEN_H

#include "core/flow/source.h"
#include "io/input/source_file.h"
#include "io/input/source_list.h"

struct source_open_rules {
    enum source_mode mode;              /* of files that can be read anywhere */
    unsigned window_log_max;            /* of zstd frames */
    enum form_choice format;            /* as the list was built with */
    const struct source_remote *remote; /* likewise */
    bool shares_frames;                 /* of zstd objects, which can be read anywhere then */
};

/* NULL with the fault filled. A file that is read front to back is not opened before its turn. */
struct source *source_open(const struct source_item *item, const struct source_open_rules *rules,
                           struct fault *fault);
/* STATUS_IO when what was read changed meanwhile, or is not what the store says it holds. */
enum status source_check(const struct source *source, const struct source_item *item,
                         const struct source_remote *remote, struct fault *fault);
void source_close(struct source *source, const struct source_item *item,
                  const struct source_remote *remote); /* takes NULL */

/* Are its stored bytes read anywhere, or front to back? */
bool source_open_anywhere(const struct source_item *item, bool shares_frames);
/* Memory of one while it is read front to back; 0 when it is not. */
uint64_t source_stream_needs(const struct source_item *item, unsigned window_log_max);

#endif

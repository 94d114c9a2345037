/* source_list_inside.h - a list of sources in the making. Private to source_list.c and source_list_remote.c.
 *
 * Thread rule: the one that builds the list. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_LIST_INSIDE_H
#define PENSTOCK_IO_INPUT_SOURCE_LIST_INSIDE_H

#include "io/input/source_list.h"
#include "io/input/source_peek.h"

/* An item beside its file's real path, to find files that were named twice. */
struct source_candidate {
    struct source_item item;
    const char *real;
};

struct source_builder {
    struct source_list *list;
    struct source_peek *peek;
    struct source_candidate *candidates;
    size_t count, room;
    enum form_choice format;
    const struct source_remote *remote; /* NULL: none */
    const struct form *last;            /* of the files so far: files of a dump are alike */
    struct fault *fault;
};

/* STATUS_INPUT: too many. */
enum status source_list_add(struct source_builder *builder, const struct source_candidate *candidate);
/* Takes what the first bytes say into the item, and looks at more of them by the peek's port where they leave
 * it open. STATUS_INPUT: they are refused. Else the port's failures. */
enum status source_list_judge(struct source_builder *builder, const struct source_peek_port *port,
                              struct source_look *look, struct source_item *item);
/* May it be a manifest? STATUS_INPUT: it is one that can't be read. */
enum status source_list_manifest(struct source_builder *builder, const struct source_look *look,
                                 const struct source_item *item, bool *may_be);
enum status source_list_no_memory(struct fault *fault);

/* source_list_remote.c: a path that is the remote's. */
enum status source_list_take_remote(struct source_builder *builder, const char *path);

#endif

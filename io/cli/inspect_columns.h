/* inspect_columns.h - which paths of a catalogue become columns, under which headers, and which is the
 * identity.
 *
 * Columns are the paths with scalar values, also inside lists; not those inside maps (their keys are data),
 * nor identities and segments, which jobs select otherwise. When there are more than a delivery should have,
 * those with the highest fill rate stay. Their order is the input's.
 *
 * A header is the path's last name with a capital (FirstName) where only one column would have it, else what
 * AEP writes by default: the whole path with _ for dots (person_name_firstName). Headers are Pega property
 * names: letters, digits and _.
 *
 * Ownership: lies in the arena given. Thread rule: main. */
#ifndef PENSTOCK_IO_CLI_INSPECT_COLUMNS_H
#define PENSTOCK_IO_CLI_INSPECT_COLUMNS_H

#include "core/base/arena.h"
#include "core/inspect/catalogue.h"
#include "core/map/mapping.h"

#define INSPECT_IDENTITY_HEADER "CustomerID"

struct inspect_column {
    const struct catalogue_node *node;
    char *path, *header;
    size_t order; /* its place in the input's order */
    bool is_list;
};

struct inspect_columns {
    const struct census_entry *space; /* the identity: ids of this namespace, */
    const struct catalogue_node *id;  /* or this path, which is no column then; both NULL: none */
    struct inspect_column *list;
    size_t count;
    size_t left_out; /* paths that would be columns, too */
};

/* False: no memory. */
bool inspect_columns_choose(struct arena *arena, const struct catalogue *catalogue,
                            struct inspect_columns *columns);

#endif

/* verify_place.h - where the files of a manifest lie. Names in a manifest are relative to the root of Pega's
 * repository, which is not known here; the manifest's own folder is.
 *
 * With a job: pega.path_prefix is taken off the name, and what is left lies below that folder. {name} in the
 * prefix is filled in; with other placeholders, which only the run knew, it is as if there were no job.
 * Without a job: the first file decides how many folders are taken off all names: all of them when its last
 * component lies beside the manifest, else as few as possible. The first file that is there decides; when
 * none is, all are taken off.
 *
 * Pure and reentrant. */
#ifndef PENSTOCK_IO_VERIFY_VERIFY_PLACE_H
#define PENSTOCK_IO_VERIFY_VERIFY_PLACE_H

#include <stdbool.h>

/* A folder of PATH_MAX bytes, and a name of MANIFEST_NAME_MAX. */
#define VERIFY_PLACE_MAX (4096u + 1024u)

struct verify_place {
    char folder[VERIFY_PLACE_MAX]; /* "", or with its last slash */
    char prefix[VERIFY_PLACE_MAX];
    bool has_prefix;
    unsigned strip; /* folders taken off names, when there is no prefix */
};

/* `manifest`: its path or key. `prefix`: NULL, or pega.path_prefix, with `name` for its {name}. False: too
 * long. */
bool verify_place_make(struct verify_place *place, const char *manifest, const char *prefix,
                       const char *name);
/* How many folders a name has. */
unsigned verify_place_folders(const char *name);
/* The nth way to take folders off a name that has `folders` of them, n from 0 to `folders`. */
unsigned verify_place_strip(unsigned folders, unsigned nth);

enum verify_place_result {
    VERIFY_PLACE_FINE,
    VERIFY_PLACE_PREFIX, /* it does not begin with the prefix */
    VERIFY_PLACE_OUTSIDE /* "..", "." or an empty component in it, or too long */
};

/* `relative` (may be NULL): the part of `out` below the folder. */
enum verify_place_result verify_place_of(const struct verify_place *place, const char *name,
                                         char out[VERIFY_PLACE_MAX], const char **relative);

#endif

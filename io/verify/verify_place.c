/* verify_place.c - see the header. Pure. Owns nothing. */
#include "io/verify/verify_place.h"

#include <string.h>

#define NAME_PLACEHOLDER "{name}"

/* False: too long, or a placeholder that only the run knew. */
static bool expand(const char *prefix, const char *name, char out[VERIFY_PLACE_MAX])
{
    size_t used = 0;
    while (*prefix != '\0') {
        bool const is_name = strncmp(prefix, NAME_PLACEHOLDER, strlen(NAME_PLACEHOLDER)) == 0;
        if (*prefix == '{' && !is_name) return false;
        const char *const from = is_name ? name : prefix;
        size_t const length = is_name ? strlen(name) : 1;
        if (length >= VERIFY_PLACE_MAX - used) return false;
        memcpy(out + used, from, length);
        used += length;
        prefix += is_name ? strlen(NAME_PLACEHOLDER) : 1;
    }
    out[used] = '\0';
    return true;
}

bool verify_place_make(struct verify_place *place, const char *manifest, const char *prefix, const char *name)
{
    *place = (struct verify_place){.strip = 0};
    const char *const slash = strrchr(manifest, '/');
    size_t const length = slash == NULL ? 0 : (size_t)(slash - manifest) + 1;
    if (length >= VERIFY_PLACE_MAX) return false;
    memcpy(place->folder, manifest, length);
    place->folder[length] = '\0';
    place->has_prefix = prefix != NULL && expand(prefix, name, place->prefix);
    return true;
}

unsigned verify_place_folders(const char *name)
{
    unsigned folders = 0;
    for (; *name != '\0'; name++)
        folders += *name == '/';
    return folders;
}

unsigned verify_place_strip(unsigned folders, unsigned nth)
{
    return nth == 0 ? folders : nth - 1;
}

static bool is_inside(const char *relative)
{
    for (const char *at = relative;; at++) {
        size_t const length = strcspn(at, "/");
        if (length == 0 || (length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        at += length;
        if (*at == '\0') return true;
    }
}

enum verify_place_result verify_place_of(const struct verify_place *place, const char *name,
                                         char out[VERIFY_PLACE_MAX], const char **relative)
{
    const char *rest = name;
    if (place->has_prefix) {
        size_t const length = strlen(place->prefix);
        if (strncmp(name, place->prefix, length) != 0) return VERIFY_PLACE_PREFIX;
        rest += length;
    } else {
        for (unsigned i = 0; i < place->strip; i++) {
            const char *const slash = strchr(rest, '/');
            if (slash == NULL) break;
            rest = slash + 1;
        }
    }
    if (!is_inside(rest)) return VERIFY_PLACE_OUTSIDE;
    size_t const folder = strlen(place->folder), length = strlen(rest);
    if (length >= VERIFY_PLACE_MAX - folder) return VERIFY_PLACE_OUTSIDE;
    memcpy(out, place->folder, folder);
    memcpy(out + folder, rest, length + 1);
    if (relative != NULL) *relative = out + folder;
    return VERIFY_PLACE_FINE;
}

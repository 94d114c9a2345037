/* output_name.c - joins folders and names, and makes names of tokens. Pure; any thread; owns nothing. */
#include "io/output/output_name.h"

#include "io/output/output_text.h"
#include "io/s3/s3_url.h"

#include <stdio.h>
#include <string.h>

_Static_assert(OUTPUT_NAME_BYTES_MAX == S3_KEY_MAX, "a key of S3");

bool output_place_split(struct arena *arena, const char *url, struct output_place *place)
{
    const char *cut = url + strcspn(url, "{");
    *place = (struct output_place){.base = url, .folders = ""};
    if (*cut == '\0') return true;
    while (cut > url && cut[-1] != '/')
        cut--;
    size_t const length = strlen(cut);
    char *const folders = arena_alloc(arena, length + 2);
    place->base = cut == url ? "." : arena_text(arena, url, (size_t)(cut - url));
    if (folders == NULL || place->base == NULL) return false;
    snprintf(folders, length + 2, "%s%s", cut, cut[length - 1] == '/' ? "" : "/");
    place->folders = folders;
    return true;
}

static enum status too_long(const char *key, const char *name, struct fault *fault)
{
    char shown[OUTPUT_TEXT_PRINTABLE];
    return fault_set(fault, STATUS_JOB,
                     "%s: gives a name that begins \"%s\", which is too long with its folders", key,
                     output_text_printable(name, shown, sizeof shown));
}

enum status output_name_expand(const char *folders, const struct file_name_pattern *pattern,
                               const struct file_name_values *values, char out[OUTPUT_NAME_SIZE],
                               struct fault *fault)
{
    char name[FILE_NAME_SIZE];
    enum status status = file_name_expand(pattern, values, name, fault);
    if (status == STATUS_OK)
        status = file_name_expand_text("destination.url", folders, values, out, OUTPUT_NAME_SIZE, fault);
    if (status != STATUS_OK) return status;
    size_t const used = strlen(out);
    if (used + strlen(name) >= OUTPUT_NAME_SIZE) return too_long(pattern->key, out, fault);
    memcpy(out + used, name, strlen(name) + 1);
    return STATUS_OK;
}

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t const bytes = strlen(end);
    return length > bytes && memcmp(text + length - bytes, end, bytes) == 0;
}

size_t output_name_stem(const char *name)
{
    size_t length = strlen(name);
    if (ends_with(name, length, ".gz"))
        length -= strlen(".gz");
    else if (ends_with(name, length, ".zst"))
        length -= strlen(".zst");
    for (size_t at = length; at > 1; at--)
        if (name[at - 1] == '.') return at - 1;
    return length;
}

enum status output_name_token(const char *name, const char *suffix, bool replaces, const char *run_id,
                              char out[OUTPUT_NAME_SIZE], struct fault *fault)
{
    static const char key[] = "pega.token.suffix";
    const char *const slash = strrchr(name, '/');
    size_t const folders = slash == NULL ? 0 : (size_t)(slash - name) + 1;
    const char *const file = name + folders;
    size_t const stem = replaces ? output_name_stem(file) : strlen(file);
    size_t const bytes = stem + strlen(suffix);
    if (folders + bytes >= OUTPUT_NAME_SIZE) return too_long(key, name, fault);
    snprintf(out, OUTPUT_NAME_SIZE, "%.*s%s", (int)(folders + stem), name, suffix);
    char shown[OUTPUT_TEXT_PRINTABLE];
    output_text_printable(file, shown, sizeof shown);
    if (strcmp(out, name) == 0)
        return fault_set(fault, STATUS_JOB,
                         "%s: gives the token of \"%s\" that name itself; take another suffix", key, shown);
    if (bytes > file_name_bytes_max(run_id))
        return fault_set(fault, STATUS_JOB,
                         "%s: gives the token of \"%s\" a name of %zu bytes; at most %zu are allowed", key,
                         shown, bytes, file_name_bytes_max(run_id));
    return STATUS_OK;
}

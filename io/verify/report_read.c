/* report_read.c - by jansson. Its allocator is the one that io/aws/aws_json.c set before main().
 *
 * Entries are sorted by their URLs read from the end, so that the two neighbours of a place's own spot are
 * those that have most of its end. Thread: see the header. Owns the tree while it reads. */
#include "io/verify/report_read.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static enum status is_none(const char *what, const char *why, struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "%s: is no report of penstock: %s", what, why);
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *const at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

/* What checksum_text() writes: any other text for the same value is refused by writing it again. */
static bool read_checksum(enum checksum_kind kind, const char *text, uint64_t *value)
{
    size_t const bits = kind == CHECKSUM_CRC64NVME ? 64 : 32;
    uint64_t sum = 0;
    size_t have = 0;
    for (const char *at = text; have < bits; at++) {
        int const six = base64_value(*at);
        if (six < 0) return false;
        size_t const take = bits - have < 6 ? bits - have : 6;
        sum = sum << take | (uint64_t)six >> (6 - take);
        have += take;
    }
    char again[CHECKSUM_TEXT_SIZE];
    checksum_text(kind, sum, again);
    *value = sum;
    return strcmp(again, text) == 0;
}

static bool read_number(const json_t *file, const char *key, uint64_t *value)
{
    const json_t *const number = json_object_get(file, key);
    if (!json_is_integer(number) || json_integer_value(number) < 0) return false;
    *value = (uint64_t)json_integer_value(number);
    return true;
}

/* NULL: good. */
static const char *read_file(const json_t *file, struct arena *arena, struct report_entry *entry)
{
    static const enum checksum_kind kinds[] = {CHECKSUM_CRC64NVME, CHECKSUM_CRC32C, CHECKSUM_CRC32};
    const json_t *const url = json_object_get(file, "url");
    if (!json_is_string(url)) return "a file has no url";
    entry->url = arena_text(arena, json_string_value(url), json_string_length(url));
    if (entry->url == NULL) return "no memory to read it";
    if (!read_number(file, "rows", &entry->rows)) return "a file's rows are no number";
    if (!read_number(file, "bytes", &entry->bytes)) return "a file's bytes are no number";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const json_t *const text = json_object_get(file, checksum_name(kinds[i]));
        if (text == NULL) continue;
        if (!json_is_string(text) || !read_checksum(kinds[i], json_string_value(text), &entry->checksum))
            return "a file's checksum is none";
        entry->checksum_kind = kinds[i];
        break;
    }
    return NULL;
}

/* NULL: what a file of its kind is good for is not known here. */
static struct report_list *list_of(struct report_files *files, const json_t *file)
{
    const char *const kind = json_string_value(json_object_get(file, "kind"));
    if (kind == NULL) return NULL;
    if (strcmp(kind, "data") == 0 || strcmp(kind, "purge") == 0) return &files->data;
    if (strcmp(kind, "manifest") == 0) return &files->manifests;
    return strcmp(kind, "token") == 0 ? &files->tokens : NULL;
}

/* From the end; a text that is the end of another one comes first. */
static int compare_ends(const char *a, const char *b)
{
    size_t i = strlen(a), k = strlen(b);
    while (i > 0 && k > 0) {
        unsigned char const left = (unsigned char)a[--i], right = (unsigned char)b[--k];
        if (left != right) return left < right ? -1 : 1;
    }
    return (i > 0) - (k > 0);
}

static int compare_entries(const void *a, const void *b)
{
    return compare_ends(((const struct report_entry *)a)->url, ((const struct report_entry *)b)->url);
}

/* Room for all files of a kind. */
static bool make_lists(struct report_files *files, const json_t *list)
{
    struct report_list *const lists[] = {&files->data, &files->manifests, &files->tokens};
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct report_list *const of = list_of(files, json_array_get(list, i));
        if (of != NULL) of->count++;
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        lists[i]->entries = arena_array(&files->arena, lists[i]->count, sizeof *lists[i]->entries);
        if (lists[i]->entries == NULL) return false;
        lists[i]->count = 0; /* filled next */
    }
    return true;
}

static void sort_list(struct report_list *list)
{
    if (list->count > 1) qsort(list->entries, list->count, sizeof *list->entries, compare_entries);
}

static enum status read_files(const char *what, const json_t *root, struct report_files *files,
                              struct fault *fault)
{
    const json_t *const list = json_object_get(root, "files");
    if (!json_is_array(list)) return is_none(what, "it has no list of files", fault);
    if (!make_lists(files, list)) return fault_set(fault, STATUS_IO, "%s: no memory to read it", what);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *const file = json_array_get(list, i);
        struct report_list *const of = list_of(files, file);
        if (of == NULL) continue;
        const char *const wrong = read_file(file, &files->arena, &of->entries[of->count]);
        if (wrong != NULL) return is_none(what, wrong, fault);
        of->count++;
    }
    sort_list(&files->data);
    sort_list(&files->manifests);
    sort_list(&files->tokens);
    return STATUS_OK;
}

enum status report_read(const char *what, const char *text, size_t length, struct report_files *files,
                        struct fault *fault)
{
    *files = (struct report_files){.data = {.count = 0}};
    if (length > REPORT_BYTES_MAX)
        return fault_set(fault, STATUS_IO, "%s: has %zu bytes; a report has at most %zu", what, length,
                         REPORT_BYTES_MAX);
    json_error_t error;
    json_t *const root = json_loadb(text, length, 0, &error);
    if (root == NULL) /* not jansson's words: they quote the text */
        return fault_set(fault, STATUS_IO, "%s: is no report of penstock: line %d is not JSON", what,
                         error.line);
    const char *const tool = json_string_value(json_object_get(root, "tool"));
    enum status const status = tool == NULL || strcmp(tool, "penstock") != 0
                                   ? is_none(what, "its \"tool\" is not \"penstock\"", fault)
                                   : read_files(what, root, files, fault);
    json_decref(root);
    return status;
}

/* Bytes that both texts end in. */
static size_t common_end(const char *a, const char *b)
{
    size_t const left = strlen(a), right = strlen(b);
    size_t same = 0;
    while (same < left && same < right && a[left - 1 - same] == b[right - 1 - same])
        same++;
    return same;
}

static bool ends_in(const char *url, const char *relative)
{
    size_t const length = strlen(url), tail = strlen(relative);
    if (length < tail || strcmp(url + length - tail, relative) != 0) return false;
    return length == tail || url[length - tail - 1] == '/';
}

const struct report_entry *report_find(const struct report_list *list, const char *place,
                                       const char *relative)
{
    size_t low = 0, high = list->count; /* the first that is not before the place */
    while (low < high) {
        size_t const middle = low + (high - low) / 2;
        if (compare_ends(list->entries[middle].url, place) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct report_entry *best = NULL;
    size_t most = 0;
    for (size_t i = low == 0 ? 0 : low - 1; i < list->count && i <= low; i++) {
        size_t const same = common_end(list->entries[i].url, place);
        if (!ends_in(list->entries[i].url, relative) || (best != NULL && same <= most)) continue;
        best = &list->entries[i];
        most = same;
    }
    return best;
}

void report_read_free(struct report_files *files)
{
    arena_free(&files->arena);
    *files = (struct report_files){.data = {.count = 0}};
}

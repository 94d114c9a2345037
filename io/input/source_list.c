/* source_list.c - looks at every named path before a run starts: is it there, and is it NDJSON by its first
 * bytes. Thread: the one that builds the list. Owns: nothing after it returns but the list's arena. Never:
 * keeps a file open, changes one, or waits for one (a FIFO is refused before it is opened). */
#include "io/input/source_list.h"

#include "io/input/source_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* First bytes that name a format which is no JSON text: no record begins so, and by design of those formats
 * no other text does (PAR1 is the exception, and unlikely enough). */
struct signature {
    const char *bytes;
    size_t length;
    const char *what; /* goes on after "FILE: " */
};

#define ZSTD_REFUSAL "is compressed with zstd, which is not supported yet: decompress it first (zstd -d)"

#define SIGNATURE(bytes, what)         \
    {                                  \
        bytes, sizeof(bytes) - 1, what \
    }

static const struct signature signatures[] = {
    /* RFC 1952, 2.3.1 */
    SIGNATURE("\x1f\x8b",
              "is compressed with gzip, which is not supported yet: decompress it first (gzip -d)"),
    /* RFC 8878, 3.1.1; skippable frames are head_skippable()'s */
    SIGNATURE("\x28\xb5\x2f\xfd", ZSTD_REFUSAL),
    /* .xz file format 1.2.1, 2.1.1.1 */
    SIGNATURE("\xfd"
              "7zXZ\0",
              "is compressed with xz, which is not supported: decompress it first (xz -d)"),
    /* LZ4 frame format 1.6 */
    SIGNATURE("\x04\x22\x4d\x18",
              "is compressed with lz4, which is not supported: decompress it first (lz4 -d)"),
    /* APPNOTE.TXT 6.3: local file header; an empty archive; a split one */
    SIGNATURE("PK\x03\x04", "is a zip archive, which is not supported: unpack it first (unzip)"),
    SIGNATURE("PK\x05\x06", "is a zip archive, which is not supported: unpack it first (unzip)"),
    SIGNATURE("PK\x07\x08", "is a zip archive, which is not supported: unpack it first (unzip)"),
    SIGNATURE("7z\xbc\xaf\x27\x1c", "is a 7-Zip archive, which is not supported: unpack it first"),
    /* Parquet file format; its "PARE" (encrypted) is left out: text may begin so */
    SIGNATURE("PAR1", "is a Parquet file, which is not supported: export the dataset as JSON"),
    /* Avro 1.11 object container file */
    SIGNATURE("Obj\x01", "is an Avro file, which is not supported: export the dataset as JSON"),
    /* Byte order marks (Unicode 15, 23.8): the longer marks first, as UTF-32's begins with UTF-16's */
    SIGNATURE("\xff\xfe\0\0", "is UTF-32 text, which is not supported: convert it to UTF-8 (iconv)"),
    SIGNATURE("\0\0\xfe\xff", "is UTF-32 text, which is not supported: convert it to UTF-8 (iconv)"),
    SIGNATURE("\xff\xfe", "is UTF-16 text, which is not supported: convert it to UTF-8 (iconv)"),
    SIGNATURE("\xfe\xff", "is UTF-16 text, which is not supported: convert it to UTF-8 (iconv)"),
};

struct builder {
    struct source_list *list;
    uint8_t *head; /* SOURCE_LIST_HEAD_BYTES */
    struct fault *fault;
};

/* An item beside its file's real path, to find files that were named twice. */
struct candidate {
    struct source_item item;
    const char *real;
};

/* ---- contents ---- */

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* RFC 8878, 3.1.2: 0x184D2A50 to 0x184D2A5F, little-endian. */
static bool head_skippable(const uint8_t *head, size_t length)
{
    return length >= 4 && (head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0;
}

/* A stream header with a block size, then a block (digits of pi) or the end (of its square root). All ten
 * bytes are asked for because the first four are printable and could begin a broken record. The format has no
 * written standard: this is what bzip2 1.0 writes. */
static bool head_bzip2(const uint8_t *head, size_t length)
{
    return length >= 10 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9' &&
           (memcmp(head + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
            memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/* UTF-16 or UTF-32 without a mark. JSON begins with two ASCII characters, so that the NULs among its first
 * four bytes tell (RFC 4627, 3); a text of one character has two bytes. NULL: neither. */
static const char *head_wide(const uint8_t *head, size_t length)
{
    unsigned pattern = 0; /* a bit for each byte that is not NUL, the first byte's highest */
    for (size_t i = 0; i < 4 && i < length; i++)
        pattern = pattern << 1 | (head[i] != 0);
    if (length >= 4 && (pattern == 1 || pattern == 8))
        return "is UTF-32 text, which is not supported: convert it to UTF-8 (iconv)";
    if ((length >= 4 && (pattern == 5 || pattern == 10)) || (length == 2 && (pattern == 1 || pattern == 2)))
        return "is UTF-16 text, which is not supported: convert it to UTF-8 (iconv)";
    return NULL;
}

static const char *head_binary(const uint8_t *head, size_t length)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (length >= signatures[i].length && memcmp(head, signatures[i].bytes, signatures[i].length) == 0)
            return signatures[i].what;
    if (head_skippable(head, length)) return ZSTD_REFUSAL;
    if (head_bzip2(head, length))
        return "is compressed with bzip2, which is not supported: decompress it first (bzip2 -d)";
    return head_wide(head, length);
}

/* A line of `{` alone, then a line that goes on inside it: one object over several lines. A line that begins
 * otherwise, or none, leaves it what it looks like: a broken first record of an NDJSON file, which must not
 * take its neighbours with it. */
static bool text_pretty(const uint8_t *text, const uint8_t *end)
{
    bool line_ended = false;
    for (text++; text < end && is_blank(*text); text++)
        line_ended = line_ended || *text == '\n';
    return line_ended && text < end && (*text == '"' || *text == '}');
}

static const uint8_t *skip_blank(const uint8_t *at, const uint8_t *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* Behind the string that begins at `at`; NULL: it has no end here. */
static const uint8_t *skip_string(const uint8_t *at, const uint8_t *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end) at++;
    return at < end ? at + 1 : NULL;
}

/* Behind the array or object that begins at `at`; NULL: it has no end here. Brackets count as one kind:
 * whether they fit is the walk's business. */
static const uint8_t *skip_container(const uint8_t *at, const uint8_t *end)
{
    size_t depth = 0;
    while (at != NULL && at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[') depth++;
        if (*at == '}' || *at == ']') depth--;
        at++;
        if (depth == 0) return at;
    }
    return NULL;
}

/* The value of the first member of the object that begins at `at`; NULL: not to be seen. `name`, when given,
 * is what the member has to be called. */
static const uint8_t *first_value(const uint8_t *at, const uint8_t *end, const char *name)
{
    const uint8_t *const key = skip_blank(at + 1, end);
    if (key >= end || *key != '"') return NULL;
    const uint8_t *const key_end = skip_string(key, end);
    if (key_end == NULL) return NULL;
    size_t const length = (size_t)(key_end - key) - 2;
    if (name != NULL && (length != strlen(name) || memcmp(key + 1, name, length) != 0)) return NULL;
    at = skip_blank(key_end, end);
    if (at >= end || *at != ':') return NULL;
    at = skip_blank(at + 1, end);
    return at < end ? at : NULL;
}

/* The array of objects at `array` is the one member of the one object of the text. */
static bool text_array_under_key(const uint8_t *array, const uint8_t *end)
{
    const uint8_t *const first = skip_blank(array + 1, end);
    if (first >= end || *first != '{') return false;
    const uint8_t *at = skip_container(array, end);
    at = at == NULL ? end : skip_blank(at, end);
    return at < end && *at == '}' && skip_blank(at + 1, end) == end;
}

/* `{"key":[` alone on its line, then a line that no NDJSON has: one that ends with a comma or opens something
 * that goes on, or closes the array. Whole records behind it make it a broken record among others. */
static bool text_array_opened(const uint8_t *array, const uint8_t *end)
{
    const uint8_t *const line = skip_blank(array + 1, end);
    if (line == end || memchr(array, '\n', (size_t)(line - array)) == NULL) return false;
    const uint8_t *last = memchr(line, '\n', (size_t)(end - line));
    if (last == NULL) last = end;
    while (is_blank(last[-1])) /* stops at `line`, which is not blank */
        last--;
    return *line == ']' || last[-1] == ',' || last[-1] == '{' || last[-1] == '[';
}

/* `text` is at a `{`. A file with a second line that is not blank is NDJSON, but for text_array_opened(). */
static const char *head_object(const uint8_t *text, const uint8_t *end, bool whole)
{
    static const char array[] =
        "holds a JSON array under a key, which is not supported yet: write one record "
        "a line (jq -c '.[][]')";
    const uint8_t *const value = first_value(text, end, NULL);
    if (value == NULL) return NULL;
    if (*value == '[' && text_array_opened(value, end)) return array;
    if (!whole)
        return NULL; /* a first record that is longer than the head must not be taken for another form */
    const uint8_t *const line_end = memchr(text, '\n', (size_t)(end - text));
    if (line_end != NULL && skip_blank(line_end, end) != end) return NULL;
    if (*value == '[' && text_array_under_key(value, end)) return array;
    if (*value == '{' && first_value(value, end, "entity") != NULL)
        return "holds a map of entities, which is not supported yet: write one entity a line (jq -c "
               "'.[].entity')";
    return NULL;
}

/* `whole`: the text is the file's, to its end. */
static const char *head_text(const uint8_t *text, const uint8_t *end, bool whole)
{
    text = skip_blank(text, end);
    if (text == end) return NULL;
    if (*text == '[')
        return "is a JSON array, which is not supported yet: write one record a line (jq -c '.[]')";
    if (*text == '{' && text_pretty(text, end))
        return "holds pretty-printed or concatenated JSON (its first line is just `{`), which is not "
               "supported yet: "
               "write one record a line (jq -c .)";
    return *text == '{' ? head_object(text, end, whole) : NULL;
}

/* Judges the first `length` bytes. NULL: NDJSON as far as one can see. */
static const char *head_judge(const uint8_t *head, size_t length, bool whole, uint64_t *content_start)
{
    bool const marked = length >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0;
    *content_start = marked ? 3 : 0;
    const char *refusal = marked ? NULL : head_binary(head, length);
    return refusal != NULL ? refusal : head_text(head + *content_start, head + length, whole);
}

/* ---- paths ---- */

/* Forms that are known by the text alone. */
static const char *path_refusal(const char *path)
{
    if (strcmp(path, "-") == 0)
        return "reading from standard input is not supported yet: write it to a file first";
    if (strncmp(path, "s3://", 5) == 0)
        return "reading from S3 is not supported yet: copy it to a file first";
    return NULL;
}

static bool path_is_glob(const char *path)
{
    struct stat about;
    return strpbrk(path, "*?[") != NULL && stat(path, &about) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static enum status list_no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "there is no memory for the list of sources: name fewer files");
}

static enum status path_real(struct builder *builder, const char *path, const char **real)
{
    char *found = realpath(path, NULL);
    if (found == NULL) {
        enum status const status = errno == ENOENT || errno == EACCES ? STATUS_NO_SOURCE : STATUS_IO;
        return fault_set(builder->fault, status, "%s: its real path can't be found: %s", path,
                         strerror(errno));
    }
    *real = arena_text(&builder->list->arena, found, strlen(found));
    free(found);
    return *real == NULL ? list_no_memory(builder->fault) : STATUS_OK;
}

static enum status path_head(struct builder *builder, int descriptor, struct source_item *item)
{
    int64_t const length = source_file_pread(descriptor, builder->head, SOURCE_LIST_HEAD_BYTES, 0);
    if (length < 0)
        return fault_set(builder->fault, STATUS_IO, "%s: can't be read at byte 0: %s", item->path,
                         strerror(errno));
    const char *refusal =
        head_judge(builder->head, (size_t)length, (uint64_t)length >= item->size, &item->content_start);
    return refusal == NULL ? STATUS_OK
                           : fault_set(builder->fault, STATUS_INPUT, "%s: %s", item->path, refusal);
}

static enum status path_check(struct builder *builder, struct candidate *candidate)
{
    struct source_item *item = &candidate->item;
    const char *refusal = path_refusal(item->path);
    if (refusal == NULL && path_is_glob(item->path))
        refusal =
            "there is no such file, and globs are not supported yet: name the files (a shell expands an "
            "unquoted glob)";
    if (refusal != NULL) return fault_set(builder->fault, STATUS_INPUT, "%s: %s", item->path, refusal);
    struct stat about;
    int const descriptor = source_file_descriptor(item->path, &about, builder->fault);
    if (descriptor < 0) return builder->fault->status;
    item->size = (uint64_t)about.st_size;
    enum status status = path_head(builder, descriptor, item);
    (void)close(descriptor);
    if (status == STATUS_OK) status = path_real(builder, item->path, &candidate->real);
    return status;
}

/* ---- order ---- */

static int order_by_path(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;
    return strcmp(one->item.path, other->item.path); /* strcmp compares as unsigned char: byte order */
}

static int order_by_file(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;
    int const order = strcmp(one->real, other->real);
    return order != 0 ? order : strcmp(one->item.path, other->item.path);
}

/* Keeps the first path of each file, in byte order of paths. */
static enum status list_fill(struct source_list *list, struct candidate *candidates, size_t count,
                             struct fault *fault)
{
    qsort(candidates, count, sizeof *candidates, order_by_file);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(candidates[kept - 1].real, candidates[i].real) != 0)
            candidates[kept++] = candidates[i];
    qsort(candidates, kept, sizeof *candidates, order_by_path);
    list->items = arena_array(&list->arena, kept, sizeof *list->items);
    if (list->items == NULL) return list_no_memory(fault);
    for (size_t i = 0; i < kept; i++)
        list->items[i] = candidates[i].item;
    list->count = kept;
    return STATUS_OK;
}

static enum status list_collect(struct builder *builder, const char *const *paths, size_t count,
                                struct candidate *candidates)
{
    for (size_t i = 0; i < count; i++) {
        const char *copy = arena_text(&builder->list->arena, paths[i], strlen(paths[i]));
        if (copy == NULL) return list_no_memory(builder->fault);
        candidates[i].item.path = copy;
    }
    qsort(candidates, count, sizeof *candidates, order_by_path);
    for (size_t i = 0; i < count; i++) {
        enum status const status = path_check(builder, &candidates[i]);
        if (status != STATUS_OK) return status;
    }
    return list_fill(builder->list, candidates, count, builder->fault);
}

enum status source_list_build(const char *const *paths, size_t count, struct source_list *list,
                              struct fault *fault)
{
    *list = (struct source_list){.items = NULL};
    if (count == 0) return STATUS_OK;
    struct fault unseen; /* path_check() takes its status from the fault: there has to be one */
    struct builder builder = {.list = list, .fault = fault != NULL ? fault : &unseen};
    builder.head = malloc(SOURCE_LIST_HEAD_BYTES);
    struct candidate *candidates = calloc(count, sizeof *candidates);
    enum status const status = builder.head != NULL && candidates != NULL
                                   ? list_collect(&builder, paths, count, candidates)
                                   : list_no_memory(builder.fault);
    free(candidates);
    free(builder.head);
    if (status != STATUS_OK) source_list_free(list);
    return status;
}

void source_list_free(struct source_list *list)
{
    arena_free(&list->arena);
    list->items = NULL;
    list->count = 0;
}

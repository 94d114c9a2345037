/* fuzz_source_head.c - first bytes of files, headers of zstd frames, manifests of AEP: whatever they are,
 * nothing is read beyond them, and what is said does not hang on what stands behind. */
#include "core/codec/zstd_frame.h"
#include "io/input/source_head.h"
#include "io/input/source_manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const uint8_t *bytes, size_t length)
{
    struct form form, again;
    for (int flags = 0; flags < 10; flags++) {
        struct source_head const head = {.bytes = bytes,
                                         .length = length,
                                         .whole = (flags & 1) != 0,
                                         .choice = (enum form_choice)(flags / 2)};
        const char *const refusal = source_head_judge(&head, &form);
        if (source_head_judge(&head, &again) != refusal) abort();
        if (refusal == NULL && (again.kind != form.kind || again.begin != form.begin || form.begin > length))
            abort();
        if (refusal != NULL && strncmp(refusal, "is ", 3) != 0 && strncmp(refusal, "does not ", 9) != 0)
            abort();
    }
}

static void read_frame(const uint8_t *bytes, size_t length)
{
    struct zstd_frame frame;
    if (zstd_frame_read(bytes, length, &frame) && frame.header > length) abort();
    if (zstd_frame_window_log(bytes, length) > 63) abort();
}

static bool nothing_is_there(void *context, const char *path, uint64_t *size)
{
    (void)context;
    (void)path;
    (void)size;
    return false;
}

static void read_manifest(const uint8_t *bytes, size_t length)
{
    struct source_manifest_port const port = {.is_there = nothing_is_there};
    struct source_paths paths = {0};
    struct arena arena = {0};
    struct fault fault;
    bool is_manifest = false;
    enum status const status = source_manifest_read(&port, "/nowhere/manifest.json", (const char *)bytes,
                                                    length, &is_manifest, &paths, &arena, &fault);
    /* nothing is there */
    if (paths.count != 0 || (is_manifest && status == STATUS_OK)) abort();
    if (status != STATUS_INPUT && status != (is_manifest ? STATUS_NO_SOURCE : STATUS_OK)) abort();
    for (int form = UNPACK_PLAIN; form <= UNPACK_ZSTD; form++) {
        const char *const refusal =
            source_manifest_judge(bytes, length, (enum unpack_form)form, length, &is_manifest);
        if (refusal != NULL && (is_manifest || form == UNPACK_PLAIN)) abort();
    }
    source_paths_free(&paths);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t const length = size < SOURCE_HEAD_BYTES ? size : SOURCE_HEAD_BYTES;
    uint8_t *const exact = malloc(length + (length == 0));
    if (exact == NULL) return 0;
    if (length > 0) memcpy(exact, data, length);
    judge(exact, length);
    read_frame(exact, length);
    read_manifest(exact, length);
    free(exact);
    return 0;
}

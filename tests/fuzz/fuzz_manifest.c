/* fuzz_manifest.c - any bytes as a manifest: reading stays within its bounds, what is read is as it must be,
 * and what is refused is explained; and what can be read is taken for one by its beginning. */
#include "io/manifest/manifest_read.h"

#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds) abort();
}

static void check(const struct manifest *manifest)
{
    expect(manifest->process_type != NULL && strlen(manifest->process_type) <= MANIFEST_NAME_MAX);
    expect(manifest->file_count <= MANIFEST_FILES_MAX);
    for (size_t i = 0; i < manifest->file_count; i++) {
        const char *const name = manifest->files[i].name;
        size_t const length = strlen(name);
        expect(length > 0 && length <= MANIFEST_NAME_MAX && utf8_valid_prefix(name, length) == length);
        expect(manifest->files[i].has_size || manifest->files[i].size == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest manifest;
    struct fault fault = {.status = STATUS_OK};
    enum status const status = manifest_read("fuzz", data, size, &manifest, &fault);
    expect(status == STATUS_OK || (status == STATUS_IO && fault.message[0] != '\0'));
    if (status == STATUS_OK) check(&manifest);
    bool const may_be = manifest_may_be(data, size);
    if (status == STATUS_OK) expect(may_be && manifest_may_be(data, size / 2));
    struct manifest names;
    enum status const named = manifest_read_names("fuzz", data, size, &names, &fault);
    if (status == STATUS_OK) expect(named == STATUS_OK && names.file_count == manifest.file_count);
    manifest_free(&names);
    manifest_free(&manifest);
    return 0;
}

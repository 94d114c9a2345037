/* output_path.c - checks names with folders and makes temporary ones. Pure; any thread; owns nothing. */
#include "io/output/output_path.h"

#include "io/output/output_text.h"

#include <stdbool.h>
#include <string.h>

size_t output_path_folders(const char *name)
{
    const char *const slash = strrchr(name, '/');
    return slash == NULL ? 0 : (size_t)(slash - name) + 1;
}

static bool is_folder_allowed(const char *folder, size_t length)
{
    if (length == 0 || length > FILE_NAME_BYTES_MAX) return false;
    if (folder[0] == '.' && (length == 1 || (length == 2 && folder[1] == '.'))) return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)folder[i] < 0x20 || folder[i] == 0x7F) return false;
    return true;
}

enum status output_path_check(const char *name, const char *run_id, struct fault *fault)
{
    char shown[OUTPUT_TEXT_PRINTABLE];
    size_t const folders = output_path_folders(name);
    for (size_t at = 0; at < folders;) {
        size_t const length = strcspn(name + at, "/");
        if (!is_folder_allowed(name + at, length))
            return fault_set(
                fault, STATUS_JOB,
                "destination.url: gives folders that can't be made, of the file \"%s\": a folder "
                "has 1 to %u bytes without control characters, and is not \".\" or \"..\"",
                output_text_printable(name, shown, sizeof shown), FILE_NAME_BYTES_MAX);
        at += length + 1;
    }
    if (strlen(name) > OUTPUT_NAME_BYTES_MAX)
        return fault_set(fault, STATUS_JOB,
                         "destination.url: gives %zu bytes of folders and name, \"%s\"; at most %u are "
                         "allowed: shorten the folders, files.name or name",
                         strlen(name), output_text_printable(name, shown, sizeof shown),
                         OUTPUT_NAME_BYTES_MAX);
    return file_name_check(name + folders, run_id, fault);
}

/* The name was checked: all of it fits. */
static size_t copy_folders(const char *name, char out[OUTPUT_PATH_OTHER_SIZE])
{
    size_t const folders = output_path_folders(name);
    memcpy(out, name, folders);
    return folders;
}

void output_path_temporary(const char *name, const char *run_id, char out[OUTPUT_PATH_OTHER_SIZE])
{
    size_t const folders = copy_folders(name, out);
    char last[FILE_NAME_SIZE];
    file_name_temporary(name + folders, run_id, last);
    memcpy(out + folders, last, strlen(last) + 1);
}

void output_path_old(const char *name, const char *run_id, char out[OUTPUT_PATH_OTHER_SIZE])
{
    size_t const folders = copy_folders(name, out);
    char last[FILE_NAME_SIZE];
    file_name_old(name + folders, run_id, last);
    memcpy(out + folders, last, strlen(last) + 1);
}

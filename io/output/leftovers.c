/* leftovers.c - see the header. Thread: one. Owns the descriptor inside each call. */
#include "io/output/leftovers.h"

#include "io/output/output_fs.h"
#include "io/output/output_text.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool leftovers_is_one(const char *name, const char *run_id)
{
    size_t const length = strlen(name);
    char id[FILE_NAME_RUN_ID_MAX + 1];
    if (name[0] != '.' || length <= FILE_NAME_TEMPORARY_EXTRA || length > FILE_NAME_BYTES_MAX) return false;
    const char *const end = name + length - strlen(".tmp");
    if (strcmp(end, ".tmp") != 0 && strcmp(end, ".old") != 0) return false;
    const char *dot = end - 1;
    while (dot > name + 1 && *dot != '.')
        dot--;
    size_t const bytes = (size_t)(end - dot) - 1;
    if (*dot != '.' || dot == name + 1 || bytes > FILE_NAME_RUN_ID_MAX) return false;
    memcpy(id, dot + 1, bytes);
    id[bytes] = '\0';
    if (!file_name_run_id_valid(id)) return false;
    /* an id may hold dots itself: of ours all of it stands there */
    if (run_id == NULL) return true;
    size_t const ours = strlen(run_id);
    return (size_t)(end - name) <= ours + 1 || end[-(ptrdiff_t)ours - 1] != '.' ||
           memcmp(end - ours, run_id, ours) != 0;
}

void leftovers_count(const struct output_directory *directory, const char *folder, const char *run_id,
                     struct leftovers *leftovers)
{
    int const fd =
        output_fs_open_at(directory->fd, folder[0] == '\0' ? "." : folder, O_RDONLY | O_DIRECTORY, 0);
    DIR *const entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        if (fd >= 0) output_fs_close(fd);
        return;
    }
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (!leftovers_is_one(entry->d_name, run_id)) continue;
        if (leftovers->count++ == 0) snprintf(leftovers->first, sizeof leftovers->first, "%s", entry->d_name);
    }
    closedir(entries);
}

void leftovers_tell(const struct leftovers *leftovers, const struct output_directory *directory,
                    void (*warn)(void *context, const char *message), void *context)
{
    char message[FAULT_MESSAGE_MAX], path[OUTPUT_TEXT_PRINTABLE], name[OUTPUT_TEXT_PRINTABLE];
    bool const one = leftovers->count == 1;
    if (leftovers->count == 0 || warn == NULL) return;
    output_text_printable(directory->path, path, sizeof path);
    snprintf(message, sizeof message,
             "%s: holds %" PRIu64
             " unfinished %s, such as %s, of runs that were killed, or that are going on now; "
             "`penstock cleanup %s --older-than 1d` removes %s",
             path, leftovers->count, one ? "file" : "files",
             output_text_printable(leftovers->first, name, sizeof name), path, one ? "it" : "them");
    warn(context, message);
}

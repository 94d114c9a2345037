/* directory_former.c - the port of former_search.h over a directory. Thread: the sink's. Owns descriptors and
 * texts inside each call. */
#include "io/output/directory_former.h"

#include "io/output/former_search.h"
#include "io/output/output_fs.h"
#include "io/output/output_path.h"
#include "io/output/output_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SHOWN (OUTPUT_TEXT_PRINTABLE + OUTPUT_PATH_OTHER_SIZE)

static enum status place_fault(const struct output_directory *directory, enum status status, int error,
                               const char *doing, const char *name, struct fault *fault)
{
    char path[PATH_SHOWN];
    snprintf(path, sizeof path, "%s/%s", directory->path, name);
    return output_fs_fault(fault, status, error, doing, path);
}

/* What can't be looked at can't be judged: `doing` says what was tried. */
static enum status look_fault(const struct output_directory *directory, int error, const char *doing,
                              const char *name, struct fault *fault)
{
    if (error != EACCES && error != EPERM)
        return place_fault(directory, STATUS_IO, error, doing, name, fault);
    char path[PATH_SHOWN], shown[OUTPUT_TEXT_PRINTABLE];
    snprintf(path, sizeof path, "%s/%s", directory->path, name);
    return fault_set(
        fault, STATUS_JOB,
        "%s: this user may not read it, so it is not known what if_exists: replace would have to take "
        "away before data files are replaced (%s): grant the right, remove it, or give another "
        "destination",
        output_text_printable(path, shown, sizeof shown), doing);
}

/* ---- the port ---- */

/* Is it gone, or something that nobody can read as a file? */
static bool is_nothing(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENXIO || error == ENODEV;
}

static enum status see(const struct output_directory *directory, const char *folder, const char *entry,
                       struct former *former, struct fault *fault)
{
    char name[OUTPUT_NAME_SIZE + FILE_NAME_SIZE];
    struct stat found;
    snprintf(name, sizeof name, "%s%s", folder, entry);
    if (fstatat(directory->fd, name, &found, 0) != 0) {
        if (is_nothing(errno) || errno == EACCES)
            return STATUS_OK; /* a link to nowhere, or to where none looks */
        return look_fault(directory, errno, "looking for former deliveries", name, fault);
    }
    return S_ISREG(found.st_mode) ? former_seen(former, name, (uint64_t)found.st_size, fault) : STATUS_OK;
}

static enum status list(void *context, const char *folder, struct former *former, struct fault *fault)
{
    const struct output_directory *const directory = context;
    enum status status = STATUS_OK;
    int const fd =
        output_fs_open_at(directory->fd, folder[0] == '\0' ? "." : folder, O_RDONLY | O_DIRECTORY, 0);
    DIR *const entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        status = look_fault(directory, errno, "looking for former deliveries", folder, fault);
        if (fd >= 0) output_fs_close(fd);
        return status;
    }
    int error;
    do {
        errno = 0;
        const struct dirent *const entry = readdir(entries);
        error = errno;
        if (entry == NULL) break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        status = see(directory, folder, entry->d_name, former, fault);
    } while (status == STATUS_OK);
    closedir(entries);
    if (status == STATUS_OK && error != 0)
        status = look_fault(directory, error, "looking for former deliveries", folder, fault);
    return status;
}

static int read_first(int fd, size_t most, uint8_t *bytes, size_t *length)
{
    while (*length < most) {
        ssize_t const got = read(fd, bytes + *length, most - *length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return 0;
        *length += (size_t)got;
    }
    return 0;
}

static enum status read_text(void *context, const char *name, size_t most, uint8_t **bytes, size_t *length,
                             struct fault *fault)
{
    const struct output_directory *const directory = context;
    struct stat found;
    int const fd = output_fs_open_at(directory->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0 && is_nothing(errno)) return STATUS_OK;
    int error = fd < 0 ? errno : fstat(fd, &found) == 0 ? 0 : errno;
    if (error == 0 && S_ISREG(found.st_mode)) {
        *bytes = malloc(most);
        error = *bytes == NULL ? ENOMEM : read_first(fd, most, *bytes, length);
    }
    if (fd >= 0) output_fs_close(fd);
    if (error == 0) return STATUS_OK;
    return look_fault(directory, error, "reading what may be a former manifest", name, fault);
}

/* ---- what was found ---- */

enum status directory_former_start(struct directory_former *found, const struct output_directory *directory,
                                   const struct former_rules *rules, struct fault *fault)
{
    *found = (struct directory_former){.files = NULL};
    size_t const length = strlen(directory->path);
    found->place = malloc(length + 2);
    if (found->place == NULL) return fault_set(fault, STATUS_IO, "destination directory: no memory left");
    bool const has_slash = length > 0 && directory->path[length - 1] == '/'; /* "/" itself */
    snprintf(found->place, length + 2, "%s%s", directory->path, has_slash ? "" : "/");
    former_start(&found->former, rules, found->place);
    return STATUS_OK;
}

/* Its name and the run's id are to fit into the name that it gets meanwhile. */
static enum status check_name(const struct output_target *place, const char *name, struct fault *fault)
{
    struct fault unused;
    if (output_path_check(name, place->run_id, &unused) == STATUS_OK) return STATUS_OK;
    char shown[OUTPUT_TEXT_PRINTABLE], folder[OUTPUT_TEXT_PRINTABLE];
    return fault_set(
        fault, STATUS_JOB,
        "%s/%s: is the token or manifest of a former delivery whose data files this run replaces, "
        "and its name is too long to be moved aside first: remove it, or give a shorter --run-id",
        output_text_printable(place->directory->path, folder, sizeof folder),
        output_text_printable(name, shown, sizeof shown));
}

enum status directory_former_find(struct directory_former *found, const struct output_target *place,
                                  struct fault *fault)
{
    struct former_port const port = {.context = (void *)place->directory, .list = list, .read = read_text};
    const struct former *const former = &found->former;
    enum status status = former_search(&found->former, &port, fault);
    if (status != STATUS_OK) return status;
    found->files = calloc(former->count + 1, sizeof *found->files);
    if (found->files == NULL) return fault_set(fault, STATUS_IO, "destination directory: no memory left");
    for (size_t i = 0; i < former->count && former->list[i].stage != SINK_DATA && status == STATUS_OK; i++) {
        found->files[found->count++] =
            (struct output_file){.name = former->list[i].name, .state = OUTPUT_FILE_DONE};
        status = check_name(place, former->list[i].name, fault);
    }
    return status;
}

enum status directory_former_remove(const struct output_target *place, const char *name, struct fault *fault)
{
    struct stat found;
    int error = fstatat(place->directory->fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
    if (is_nothing(error) || error == ENAMETOOLONG) return STATUS_OK;
    if (error == 0 && !S_ISREG(found.st_mode) && !S_ISLNK(found.st_mode))
        return fault_set(fault, STATUS_JOB, "%s/%s: is no regular file", place->directory->path, name);
    if (error == 0) error = unlinkat(place->directory->fd, name, 0) == 0 ? 0 : errno;
    if (error == 0 || error == ENOENT) return STATUS_OK;
    return place_fault(place->directory, STATUS_IO, error, "removing a data file of the former delivery",
                       name, fault);
}

void directory_former_free(struct directory_former *found)
{
    former_free(&found->former);
    free(found->files);
    free(found->place);
    *found = (struct directory_former){.files = NULL};
}

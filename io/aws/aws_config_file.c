/* aws_config_file.c - finds and reads the shared files.
 *
 * Read with read(2): stdio would keep a copy of the secrets in its buffer.
 * Thread rule: reentrant. Owns the text while it is parsed, and wipes it. */
#include "io/aws/aws_config_file.h"

#include "io/aws/aws_credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char no_home[] = "(no home directory)";

/* sysconf(_SC_GETPW_R_SIZE_MAX) says 1024; entries of directory services are longer. */
#define CONFIG_PASSWD_BYTES 16384u

/* HOME, else what the user database says: services often run without HOME. In the arena; NULL: none. */
static const char *config_home(struct aws_config *config)
{
    const char *const home = aws_config_variable(config, "HOME");
    if (home != NULL) return home;
    char *const buffer = arena_alloc(&config->arena, CONFIG_PASSWD_BYTES);
    struct passwd entry, *found = NULL;
    if (buffer == NULL || getpwuid_r(getuid(), &entry, buffer, CONFIG_PASSWD_BYTES, &found) != 0) return NULL;
    return found == NULL || found->pw_dir == NULL || found->pw_dir[0] == '\0' ? NULL : found->pw_dir;
}

static const char *config_below(struct aws_config *config, const char *folder, const char *name)
{
    size_t const before = strlen(folder), length = strlen(name);
    char *const path = arena_alloc(&config->arena, before + length + 2);
    if (path == NULL) return NULL;
    memcpy(path, folder, before);
    path[before] = '/';
    memcpy(path + before + 1, name, length);
    return path;
}

enum status aws_config_file_path(struct aws_config *config, const char *variable, const char *below_home,
                                 const char **path, struct fault *fault)
{
    const char *const named = aws_config_variable(config, variable);
    if (named != NULL && strncmp(named, "~/", 2) != 0) {
        *path = arena_text(&config->arena, named, strlen(named));
    } else {
        const char *const home = config_home(config);
        *path = home == NULL ? no_home : config_below(config, home, named == NULL ? below_home : named + 2);
    }
    return *path != NULL ? STATUS_OK
                         : fault_set(fault, STATUS_IO, "no memory for the path of %s", below_home);
}

/* What read(2) is asked for first where the size says nothing: pipes, /proc. */
#define CONFIG_FIRST_BYTES 4096u

struct config_buffer {
    char *bytes;
    size_t length, size;
};

/* Not realloc(), which would leave the old copy unwiped. */
static bool config_grow(struct config_buffer *buffer, size_t size)
{
    char *const bytes = malloc(size);
    if (bytes == NULL) return false;
    if (buffer->bytes != NULL) memcpy(bytes, buffer->bytes, buffer->length);
    aws_wipe_free(buffer->bytes, buffer->length);
    buffer->bytes = bytes;
    buffer->size = size;
    return true;
}

/* To the end, with room for a terminator. */
static enum aws_file_read config_read_all(int fd, size_t max, struct config_buffer *buffer)
{
    for (;;) {
        if (buffer->size - buffer->length < 2 && !config_grow(buffer, 2 * buffer->size))
            return AWS_FILE_FAILED;
        ssize_t const got = read(fd, buffer->bytes + buffer->length, buffer->size - buffer->length - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return AWS_FILE_FAILED;
        if (got == 0) return AWS_FILE_READ;
        buffer->length += (size_t)got;
        if (buffer->length > max) return AWS_FILE_TOO_LONG;
    }
}

enum aws_file_read aws_config_file_bytes(const char *path, size_t max, char **bytes, size_t *length)
{
    *bytes = NULL;
    *length = 0;
    struct stat about;
    /* A folder on the way that may not be entered: not there for this user, as os.path.isfile() has it. */
    if (stat(path, &about) != 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? AWS_FILE_MISSING : AWS_FILE_FAILED;
    if (S_ISDIR(about.st_mode)) return AWS_FILE_MISSING;
    if (about.st_size > 0 && (uintmax_t)about.st_size > max) return AWS_FILE_TOO_LONG;
    int const fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return AWS_FILE_FAILED;
    struct config_buffer buffer = {0};
    enum aws_file_read read_as = AWS_FILE_FAILED;
    if (config_grow(&buffer, about.st_size > 0 ? (size_t)about.st_size + 2 : CONFIG_FIRST_BYTES))
        read_as = config_read_all(fd, max, &buffer);
    int const error = errno;
    close(fd);
    if (read_as == AWS_FILE_READ) {
        buffer.bytes[buffer.length] = '\0';
        *bytes = buffer.bytes;
        *length = buffer.length;
    } else {
        aws_wipe_free(buffer.bytes, buffer.length);
    }
    errno = error;
    return read_as;
}

enum status aws_config_file_read(struct aws_config *config, const char *path, bool credentials,
                                 struct aws_ini *out, struct fault *fault)
{
    char *bytes = NULL;
    size_t length = 0;
    *out = (struct aws_ini){0};
    if (path == no_home) return STATUS_OK;
    switch (aws_config_file_bytes(path, AWS_FILE_BYTES_MAX, &bytes, &length)) {
    case AWS_FILE_READ: break;
    case AWS_FILE_MISSING: return STATUS_OK;
    case AWS_FILE_TOO_LONG:
        return fault_set(fault, STATUS_RIGHTS, "%s: larger than %u bytes, which no file of AWS's tools is",
                         path, AWS_FILE_BYTES_MAX);
    case AWS_FILE_FAILED:
        return fault_set(fault, STATUS_RIGHTS, "%s: can't be read: %s", path, strerror(errno));
    }
    enum status const status = aws_ini_parse(&config->arena, path, bytes, length, credentials, out, fault);
    aws_wipe_free(bytes, length);
    return status;
}

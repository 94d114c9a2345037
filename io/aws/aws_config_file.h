/* aws_config_file.h - where the shared files lie, and reading them. Used by aws_config.c alone, and by the
 * sources of credentials that read a small secret file (tokens). */
#ifndef PENSTOCK_IO_AWS_AWS_CONFIG_FILE_H
#define PENSTOCK_IO_AWS_AWS_CONFIG_FILE_H

#include "io/aws/aws_config.h"
#include "io/aws/aws_ini.h"

/* The variable's path ("~/" is the home directory), else `below_home`; "(no home directory)" when there is
 * none, which aws_config_file_read() passes over. */
enum status aws_config_file_path(struct aws_config *config, const char *variable, const char *below_home,
                                 const char **path, struct fault *fault);

/* A file that isn't there is an empty one, as for AWS's tools. */
enum status aws_config_file_read(struct aws_config *config, const char *path, bool credentials,
                                 struct aws_ini *out, struct fault *fault);

enum aws_file_read {
    AWS_FILE_READ,
    AWS_FILE_MISSING,
    AWS_FILE_TOO_LONG,
    AWS_FILE_FAILED /* errno says why */
};

/* All of a file of at most `max` bytes, terminated by a 0 that is not counted. `*bytes` is freed with
 * aws_wipe_free(*bytes, *length). */
enum aws_file_read aws_config_file_bytes(const char *path, size_t max, char **bytes, size_t *length);

#endif

/* aws_ini.h - the shared files of AWS's tools (~/.aws/config, ~/.aws/credentials) as sections and settings.
 *
 * The form, as botocore 1.29 reads it and the "Shared config and credentials files" page of the SDK guide
 * tells it:
 * `[section]`, `key = value` (`:` is taken too), keys without regard to case; a line that is indented deeper
 * than its key is a nested setting where the key has no value ("s3 =" and "  addressing_style = path" make
 * "s3.addressing_style"), else the value goes on in it. Lines that begin with # or ; are comments, and so is
 * what follows " #" behind a value. A byte order mark and CRLF are fine. A section or a key twice: the later
 * wins.
 *
 * Pure: from bytes to values, all in the arena. Messages name file and line, never a value. */
#ifndef PENSTOCK_IO_AWS_AWS_INI_H
#define PENSTOCK_IO_AWS_AWS_INI_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "io/aws/aws_config.h"

/* Files with thousands of generated profiles exist; the bound keeps lookups by name, which are linear, short.
 */
#define AWS_INI_SECTIONS_MAX 16384u
/* The longest key of the SDK guide has 40 characters; nested ones repeat their parent's. */
#define AWS_INI_KEY_MAX 256u
/* A value over several lines is a credential_process with its arguments. */
#define AWS_INI_LONG_VALUE_MAX (64u * 1024)

enum aws_ini_kind {
    AWS_INI_PROFILE,     /* [profile x], [default]; in the credentials file [x] */
    AWS_INI_SERVICES,    /* [services x] */
    AWS_INI_SSO_SESSION, /* [sso-session x] */
    AWS_INI_OTHER        /* what AWS's tools pass over: [preview] of old CLIs, [x] in the config file */
};

struct aws_ini_section {
    enum aws_ini_kind kind;
    const char *name;
    unsigned line;
    struct aws_setting *settings; /* in order, a key may be there twice: see aws_ini_get() */
    size_t count;
    struct aws_ini_section *next;
};

struct aws_ini {
    struct aws_ini_section *first; /* in order */
    size_t count;
};

/* `file` is kept by reference: it names the file in settings and messages. `credentials`: by the rules of the
 * credentials file. STATUS_RIGHTS: the text is wrong; STATUS_IO: no memory. */
enum status aws_ini_parse(struct arena *arena, const char *file, const char *bytes, size_t length,
                          bool credentials, struct aws_ini *out, struct fault *fault);

/* The last setting with that key; NULL: none. */
const struct aws_setting *aws_ini_get(const struct aws_setting *settings, size_t count, const char *key);

#endif

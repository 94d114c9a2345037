/* aws_credentials.h - keys as a value. Each text is memory of its own, wiped before it is freed.
 * Thread rule: a value belongs to who holds it; copies are deep. */
#ifndef PENSTOCK_IO_AWS_AWS_CREDENTIALS_H
#define PENSTOCK_IO_AWS_AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer texts are refused: access keys have 16 to 128 characters, session tokens "typically less than 4096".
 */
#define AWS_CREDENTIAL_TEXT_MAX (16u * 1024)

struct aws_credentials {
    char *access_key_id, *secret_access_key;
    char *session_token; /* NULL: none */
    int64_t expires;     /* seconds since 1970; 0: never */
    const char
        *provider; /* a constant text for messages: "environment", "profile", "instance role (IMDSv2)" */
};

/* False: no memory; `out` is empty then. */
bool aws_credentials_set(struct aws_credentials *out, const char *access_key_id,
                         const char *secret_access_key, const char *session_token, int64_t expires,
                         const char *provider);
bool aws_credentials_copy(struct aws_credentials *out, const struct aws_credentials *from);
void aws_credentials_wipe(struct aws_credentials *credentials); /* zeroed is fine */

/* Wipes memory in a way that no compiler leaves out; then free(). Takes NULL. */
void aws_wipe_free(void *bytes, size_t length);

#endif

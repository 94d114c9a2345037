/* aws_json.h - credentials as JSON: what IMDS, container endpoints and a credential_process answer. The only
 * module that knows jansson.
 *
 * Pure: from bytes to a value. Messages name the place and what is missing, never a value: jansson's own
 * messages quote the text and are not used. Thread rule: reentrant. */
#ifndef PENSTOCK_IO_AWS_AWS_JSON_H
#define PENSTOCK_IO_AWS_AWS_JSON_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Session tokens are "typically less than 4096" bytes; credential_process may print 64 KiB (botocore: no
 * bound). */
#define AWS_JSON_BYTES_MAX (64u * 1024)
/* "AssumeRoleUnauthorizedAccess" is the longest code that IMDS is known to send. */
#define AWS_JSON_CODE_MAX 64u

struct aws_json_credentials {
    char *access_key_id, *secret_access_key; /* NULL: the key is not there, null or empty */
    char *session_token;                     /* SessionToken or Token */
    bool expires_given;
    int64_t expires; /* Expiration: seconds since 1970 */
    bool version_given;
    int64_t version;
    char code[AWS_JSON_CODE_MAX]; /* Code: "Success", or why there are none; "": not there. Letters and digits
                                   */
};

/* `what` names the text in messages. STATUS_RIGHTS: not a JSON object, or a key of a wrong type, or an
 * Expiration that is no time; STATUS_IO: no memory. */
enum status aws_json_read(const char *what, const char *text, size_t length, struct aws_json_credentials *out,
                          struct fault *fault);
void aws_json_free(struct aws_json_credentials *credentials); /* wipes; zeroed is fine */

#endif

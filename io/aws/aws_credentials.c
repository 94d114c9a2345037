/* aws_credentials.c - keys as a value: made, copied, wiped.
 *
 * Thread rule: pure but for memory. Owns the texts in a value until it is wiped. */
#include "io/aws/aws_credentials.h"

#include <stdlib.h>
#include <string.h>

void aws_wipe_free(void *bytes, size_t length)
{
    if (bytes == NULL) return;
    explicit_bzero(bytes, length);
    free(bytes);
}

static void credentials_wipe_text(char **text)
{
    if (*text != NULL) aws_wipe_free(*text, strlen(*text));
    *text = NULL;
}

bool aws_credentials_set(struct aws_credentials *out, const char *access_key_id,
                         const char *secret_access_key, const char *session_token, int64_t expires,
                         const char *provider)
{
    *out = (struct aws_credentials){.expires = expires, .provider = provider};
    out->access_key_id = strdup(access_key_id);
    out->secret_access_key = strdup(secret_access_key);
    if (session_token != NULL) out->session_token = strdup(session_token);
    bool const whole = out->access_key_id != NULL && out->secret_access_key != NULL &&
                       (session_token == NULL || out->session_token != NULL);
    if (!whole) aws_credentials_wipe(out);
    return whole;
}

bool aws_credentials_copy(struct aws_credentials *out, const struct aws_credentials *from)
{
    return aws_credentials_set(out, from->access_key_id, from->secret_access_key, from->session_token,
                               from->expires, from->provider);
}

void aws_credentials_wipe(struct aws_credentials *credentials)
{
    credentials_wipe_text(&credentials->access_key_id);
    credentials_wipe_text(&credentials->secret_access_key);
    credentials_wipe_text(&credentials->session_token);
    *credentials = (struct aws_credentials){0};
}

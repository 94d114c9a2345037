/* aws_source.h - inside of aws_provider: the sources of credentials, each a function, and what they share.
 *
 * Nobody but aws_provider*.c, aws_source.c and their tests includes this. A source is asked again, in the
 * same way, when its credentials are about to expire. */
#ifndef PENSTOCK_IO_AWS_AWS_SOURCE_H
#define PENSTOCK_IO_AWS_AWS_SOURCE_H

#include "core/base/status.h"
#include "io/aws/aws_config.h"
#include "io/aws/aws_credentials.h"
#include "io/aws/aws_provider.h"
#include "io/http/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Answers of metadata services and STS; credentials are below 10 KiB. */
#define AWS_SOURCE_REPLY_MAX (64u * 1024)
/* WebIdentityToken of STS's AssumeRoleWithWebIdentity: 20,000 characters at most; EKS's tokens have some
 * 1,500. */
#define AWS_SOURCE_TOKEN_MAX 20000u
/* A server's clock that differs by less is taken for the network's delay (STS's own tolerance is 5 minutes).
 */
#define AWS_SOURCE_SKEW_SECONDS 120

/* Times, so that tests need not wait. aws_source_tuning() gives those of real life. */
struct aws_tuning {
    int64_t (*now)(void *context); /* seconds since 1970 */
    void *now_context;
    uint32_t advisory_seconds;  /* new credentials are fetched that long before the old ones expire */
    uint32_t retry_ms;          /* between two fetches that nobody asked for */
    uint32_t look_ms;           /* the clock is looked at that often: it may be set, or the machine sleep */
    uint32_t process_ms;        /* a credential_process may take that long */
    uint32_t pause_ms;          /* before a repeated request; doubles */
    const char *container_base; /* what AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is relative to */
};

struct aws_tuning aws_source_tuning(void);
/* Of a clock that nobody sets. */
int64_t aws_source_milliseconds(void);

struct aws_source {
    const struct aws_config *config;
    const struct aws_tuning *tuning;
    const char *region, *user_agent;
    bool (*stop)(void *context); /* may be NULL */
    void *stop_context;
    bool again;     /* it had credentials before: that it is silent now is a failure */
    int64_t skew;   /* server's clock minus ours, by the last reply's Date; 0: about the same */
    char note[256]; /* why the instance metadata service had nothing, for the message of the whole search */
};

enum aws_found { AWS_ABSENT, AWS_FOUND, AWS_FAILED /* the fault says why */ };

typedef enum aws_found aws_source_fn(struct aws_source *source, struct aws_credentials *out,
                                     struct fault *fault);

aws_source_fn aws_source_environment;  /* aws_provider_static.c */
aws_source_fn aws_source_role;         /* aws_provider_role.c: the profile's role_arn */
aws_source_fn aws_source_web_identity; /* aws_provider_role.c: environment and profile */
aws_source_fn aws_source_keys;         /* aws_provider_static.c: the profile's */
aws_source_fn aws_source_process;      /* aws_provider_process.c: the profile's */
aws_source_fn aws_source_container;    /* aws_provider_container.c */
aws_source_fn aws_source_imds;         /* aws_provider_imds.c */

/* The same for any profile, as the base of a role. */
enum aws_found aws_profile_keys(const struct aws_profile *profile, struct aws_credentials *out,
                                struct fault *fault);
enum aws_found aws_profile_process(struct aws_source *source, const struct aws_profile *profile,
                                   struct aws_credentials *out, struct fault *fault);

/* Ends a source: checks that the texts are fit for headers, and takes copies. `where` is for messages. */
struct aws_found_keys {
    const char *access_key_id, *secret_access_key, *session_token; /* NULL: missing */
    int64_t expires;                                               /* by the server's clock; 0: never */
};
enum aws_found aws_source_found(const struct aws_source *source, const struct aws_found_keys *keys,
                                const char *provider, const char *where, struct aws_credentials *out,
                                struct fault *fault);
/* The same from a JSON text (AWS_JSON_BYTES_MAX); wants `version` 1 when `versioned`, an Expiration when not.
 */
enum aws_found aws_source_json(const struct aws_source *source, const char *text, size_t length,
                               bool versioned, const char *provider, const char *where,
                               struct aws_credentials *out, struct fault *fault);
/* `return aws_source_fail(fault, STATUS_..., "...")` */
enum aws_found aws_source_fail(struct fault *fault, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* HTTP for a source: metadata services never by a proxy. NULL: the fault says why. */
struct http *aws_source_http(const struct aws_source *source, bool metadata, struct fault *fault);
/* Sends, minds the server's clock. False: stopped; the fault says so. */
bool aws_source_send(struct aws_source *source, struct http *http, struct http_request *request,
                     struct fault *fault);
/* Wipes and frees what http_perform() left. */
void aws_source_reply_free(struct http_request *request);
/* Ends a source whose request had no reply. */
enum aws_found aws_source_no_reply(const struct http_request *request, const char *where,
                                   struct fault *fault);
/* May the same request do better in a moment? No reply but for lack of trust, 429, 5xx. */
bool aws_source_passing(const struct http_reply *reply);
/* Waits, asking stop(). False: stopped; the fault says so. */
bool aws_source_pause(const struct aws_source *source, uint32_t milliseconds, struct fault *fault);

/* A token in a file, printable ASCII, without the blanks around it, terminated. Freed by
 * aws_wipe_free(*token, AWS_SOURCE_TOKEN_MAX). False: the fault says why. */
bool aws_source_token_file(const char *path, const char *what, char **token, struct fault *fault);
/* Printable ASCII without blanks: fit for a header. */
bool aws_source_is_token(const char *text);

/* One call of STS. `body` is the form; signed when `sign_with` is not NULL. */
struct aws_sts_call {
    const char *body;
    size_t length;
    const struct aws_credentials *sign_with;
    const char *provider;
    const char *where; /* "the role arn:... of profile 'x'" */
};
enum aws_found aws_sts_perform(struct aws_source *source, const struct aws_sts_call *call,
                               struct aws_credentials *out, struct fault *fault);
#define AWS_STS_URL_MAX 2048u
/* Where STS is: the endpoint of the configuration, else AWS's for the region. Writes a URL without a last
 * slash and the region to sign for. */
bool aws_sts_endpoint(const struct aws_source *source, char url[AWS_STS_URL_MAX], char region[64],
                      struct fault *fault);

/* aws_provider_create() with other times. `tuning` is copied. */
struct aws_provider *aws_provider_create_tuned(const struct aws_config *config, const char *region,
                                               const char *user_agent, bool (*stop)(void *),
                                               void *stop_context, const struct aws_tuning *tuning,
                                               struct fault *fault);

#endif

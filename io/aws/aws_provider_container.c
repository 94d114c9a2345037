/* aws_provider_container.c - the endpoint that a container's agent offers: ECS, EKS Pod Identity, and others
 * that play it.
 *
 * Facts: "Container credential provider" of the SDK guide. The token goes only to hosts that nobody else can
 * be: loopback, ECS's and EKS's link-local addresses, or over TLS. Thread rule: reentrant. Owns the token
 * while it asks, and wipes it. */
#include "io/aws/aws_source.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* botocore: 2 s, three times. EKS's agent asks AWS first, so the whole may take longer than the connection.
 */
#define CONTAINER_CONNECT_MS 2000u
#define CONTAINER_WHOLE_MS   5000u
#define CONTAINER_ATTEMPTS   3u
#define CONTAINER_URL_MAX    2048u

static const char container_what[] = "the container's credentials endpoint";

static bool container_v4(const char *host)
{
    struct in_addr address;
    if (inet_pton(AF_INET, host, &address) != 1) return false;
    uint32_t const number = ntohl(address.s_addr);
    return number >> 24 == 127 || number == 0xA9FEAA02 /* 169.254.170.2 */ || number == 0xA9FEAA17 /* .23 */;
}

static bool container_v6(const char *host)
{
    struct in6_addr address, eks;
    if (inet_pton(AF_INET6, host, &address) != 1) return false;
    return IN6_IS_ADDR_LOOPBACK(&address) ||
           (inet_pton(AF_INET6, "fd00:ec2::23", &eks) == 1 && memcmp(&address, &eks, sizeof eks) == 0);
}

/* The host between "http://" and the port or path; with user information it is none of ours. A backslash,
 * which some readers of URLs take for a slash and libcurl doesn't, is nowhere allowed. */
static bool container_host_allowed(const char *authority)
{
    char host[256];
    size_t const length = strcspn(authority, "/?#");
    if (strchr(authority, '\\') != NULL || length == 0 || length >= sizeof host ||
        memchr(authority, '@', length) != NULL)
        return false;
    memcpy(host, authority, length);
    host[length] = '\0';
    if (host[0] == '[') {
        char *const end = strchr(host, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':')) return false;
        *end = '\0';
        return container_v6(host + 1);
    }
    host[strcspn(host, ":")] = '\0';
    return strcmp(host, "localhost") == 0 || container_v4(host);
}

static bool container_allowed(const char *url)
{
    if (!aws_source_is_token(url)) return false;
    if (strncmp(url, "https://", 8) == 0) return true;
    return strncmp(url, "http://", 7) == 0 && container_host_allowed(url + 7);
}

/* False: there is none (*wrong is false), or it may not be used. */
static bool container_url(const struct aws_source *source, char url[CONTAINER_URL_MAX], bool *wrong,
                          struct fault *fault)
{
    const char *const relative =
        aws_config_variable(source->config, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *const full = aws_config_variable(source->config, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    *wrong = false;
    if (relative == NULL && full == NULL) return false;
    *wrong = true;
    if (relative != NULL && (relative[0] != '/' || !aws_source_is_token(relative))) {
        fault_set(fault, STATUS_RIGHTS,
                  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: a path that begins with / is wanted");
        return false;
    }
    if (relative == NULL && !container_allowed(full)) {
        fault_set(fault, STATUS_RIGHTS,
                  "AWS_CONTAINER_CREDENTIALS_FULL_URI: allowed are https:// and, over http://, loopback, "
                  "169.254.170.2, 169.254.170.23 and [fd00:ec2::23]");
        return false;
    }
    int const length =
        snprintf(url, CONTAINER_URL_MAX, "%s%s", relative == NULL ? "" : source->tuning->container_base,
                 relative == NULL ? full : relative);
    *wrong = length < 0 || (unsigned)length >= CONTAINER_URL_MAX;
    if (*wrong) fault_set(fault, STATUS_RIGHTS, "AWS_CONTAINER_CREDENTIALS_*_URI: too long");
    return !*wrong;
}

/* Read anew for every fetch: EKS changes the file. *token is NULL when none is wanted. */
static bool container_token(const struct aws_source *source, char **token, struct fault *fault)
{
    *token = NULL;
    const char *const path = aws_config_variable(source->config, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (path != NULL)
        return aws_source_token_file(path, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token, fault);
    const char *const text = aws_config_variable(source->config, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (text == NULL) return true;
    /* May be "Bearer ...": a blank is fine here, a line end is not. */
    if (strpbrk(text, "\r\n") != NULL || strlen(text) > AWS_SOURCE_TOKEN_MAX) {
        fault_set(fault, STATUS_RIGHTS, "AWS_CONTAINER_AUTHORIZATION_TOKEN: not fit for a header");
        return false;
    }
    *token = calloc(1, AWS_SOURCE_TOKEN_MAX + 1);
    if (*token == NULL) {
        fault_set(fault, STATUS_IO, "%s: no memory for its token", container_what);
        return false;
    }
    memcpy(*token, text, strlen(text));
    return true;
}

static enum aws_found container_take(struct aws_source *source, const struct http_request *request,
                                     struct aws_credentials *out, struct fault *fault)
{
    const struct http_reply *const reply = &request->reply;
    if (reply->failure != HTTP_OK) return aws_source_no_reply(request, container_what, fault);
    if (reply->status != 200)
        return aws_source_fail(fault, aws_source_passing(reply) ? STATUS_TRY_AGAIN : STATUS_RIGHTS,
                               "%s: it answered %u%s", container_what, reply->status,
                               reply->status == 401 || reply->status == 403
                                   ? "; AWS_CONTAINER_AUTHORIZATION_TOKEN or _TOKEN_FILE must give its token"
                                   : "");
    const char *const text = reply->body == NULL ? "" : (const char *)reply->body;
    return aws_source_json(source, text, reply->body_length, false, "container role", container_what, out,
                           fault);
}

static enum aws_found container_fetch(struct aws_source *source, struct http *http, const char *url,
                                      const char *token, struct aws_credentials *out, struct fault *fault)
{
    struct http_header const headers[] = {{"Accept", "application/json"}, {"Authorization", token}};
    uint32_t pause = source->tuning->pause_ms;
    for (unsigned attempt = 1;; attempt++) {
        struct http_request request = {.method = HTTP_GET,
                                       .url = url,
                                       .headers = headers,
                                       .header_count = token == NULL ? 1 : 2,
                                       .connect_ms = CONTAINER_CONNECT_MS,
                                       .timeout_ms = CONTAINER_WHOLE_MS};
        if (!aws_source_send(source, http, &request, fault)) return AWS_FAILED;
        bool const again = attempt < CONTAINER_ATTEMPTS && aws_source_passing(&request.reply);
        enum aws_found const found = again ? AWS_ABSENT : container_take(source, &request, out, fault);
        aws_source_reply_free(&request);
        if (!again) return found;
        if (!aws_source_pause(source, pause, fault)) return AWS_FAILED;
        pause *= 2;
    }
}

enum aws_found aws_source_container(struct aws_source *source, struct aws_credentials *out,
                                    struct fault *fault)
{
    char url[CONTAINER_URL_MAX];
    char *token = NULL;
    bool wrong = false;
    if (!container_url(source, url, &wrong, fault)) return wrong ? AWS_FAILED : AWS_ABSENT;
    if (!container_token(source, &token, fault)) return AWS_FAILED;
    struct http *const http = aws_source_http(source, true, fault);
    enum aws_found const found =
        http == NULL ? AWS_FAILED : container_fetch(source, http, url, token, out, fault);
    http_destroy(http);
    aws_wipe_free(token, AWS_SOURCE_TOKEN_MAX + 1);
    return found;
}

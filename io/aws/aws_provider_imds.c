/* aws_provider_imds.c - the instance's role by the Instance Metadata Service, version 2 alone: version 1
 * answers anybody who makes this process, or a proxy beside it, send a GET.
 *
 * Facts: "Use the Instance Metadata Service" of the EC2 user guide; the switches of "IMDS client" of the SDK
 * guide. Thread rule: reentrant. Owns the session token while it asks, and wipes it. */
#include "io/aws/aws_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IMDS_ROLES_PATH  "/latest/meta-data/iam/security-credentials/"
#define IMDS_REGION_PATH "/latest/meta-data/placement/region"
/* Session tokens have 56 characters. */
#define IMDS_TOKEN_MAX 1024u
/* IAM: a role's name has 64 characters at most. */
#define IMDS_NAME_MAX 128u
#define IMDS_URL_MAX  1024u
/* metadata_service_timeout (s) and _num_attempts: 1 each, as in botocore; more would make every start without
 * IMDS slow. */
#define IMDS_TIMEOUT_MAX  60u
#define IMDS_ATTEMPTS_MAX 20u

struct imds {
    struct aws_source *source;
    struct http *http;
    char base[IMDS_URL_MAX]; /* without a last slash */
    uint32_t timeout_ms;
    unsigned attempts;
    char token[IMDS_TOKEN_MAX];
    struct fault *fault;
};

static const char imds_what[] = "the instance metadata service (IMDSv2)";

static const char *imds_setting(const struct aws_config *config, const char *variable, const char *key)
{
    const char *const value = aws_config_variable(config, variable);
    return value != NULL ? value : aws_profile_get(config->profile, key);
}

static bool imds_number(const char *text, unsigned most, unsigned *out)
{
    if (text == NULL) return true;
    char *end = NULL;
    unsigned long const value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < 1 || value > most) return false;
    *out = (unsigned)value;
    return true;
}

static bool imds_refuse(const struct imds *imds, const char *what)
{
    fault_set(imds->fault, STATUS_RIGHTS, "%s", what);
    return false;
}

static bool imds_base(struct imds *imds, const struct aws_config *config)
{
    const char *base =
        imds_setting(config, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    const char *const mode =
        imds_setting(config, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
    if (mode != NULL && strcasecmp(mode, "ipv4") != 0 && strcasecmp(mode, "ipv6") != 0)
        return imds_refuse(imds, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: allowed are IPv4 and IPv6");
    if (base == NULL)
        base = mode != NULL && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]"
                                                             : "http://169.254.169.254";
    size_t length = strlen(base);
    while (length != 0 && base[length - 1] == '/')
        length--;
    bool const url = strncmp(base, "http://", 7) == 0 || strncmp(base, "https://", 8) == 0;
    if (!url || length >= sizeof imds->base || !aws_source_is_token(base))
        return imds_refuse(
            imds, "AWS_EC2_METADATA_SERVICE_ENDPOINT: a URL such as http://169.254.169.254/ is wanted");
    memcpy(imds->base, base, length);
    imds->base[length] = '\0';
    return true;
}

static bool imds_prepare(struct imds *imds)
{
    const struct aws_config *const config = imds->source->config;
    unsigned seconds = 1;
    imds->attempts = 1;
    if (!imds_number(imds_setting(config, "AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout"),
                     IMDS_TIMEOUT_MAX, &seconds))
        return imds_refuse(imds, "AWS_METADATA_SERVICE_TIMEOUT: allowed are 1 to 60 (seconds)");
    if (!imds_number(
            imds_setting(config, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts"),
            IMDS_ATTEMPTS_MAX, &imds->attempts))
        return imds_refuse(imds, "AWS_METADATA_SERVICE_NUM_ATTEMPTS: allowed are 1 to 20");
    imds->timeout_ms = 1000 * seconds;
    if (!imds_base(imds, config)) return false;
    imds->http = aws_source_http(imds->source, true, imds->fault);
    return imds->http != NULL;
}

static bool imds_disabled(const struct aws_config *config)
{
    const char *const value = aws_config_variable(config, "AWS_EC2_METADATA_DISABLED");
    return value != NULL && strcasecmp(value, "true") == 0;
}

/* One question, asked again where that may help. The reply is in `request`. False: stopped. */
static bool imds_ask(struct imds *imds, enum http_method method, const char *path,
                     const struct http_header *header, struct http_request *request)
{
    char url[IMDS_URL_MAX + 256];
    snprintf(url, sizeof url, "%s%s", imds->base, path);
    uint32_t pause = imds->source->tuning->pause_ms;
    for (unsigned attempt = 1;; attempt++) {
        *request = (struct http_request){.method = method,
                                         .url = url,
                                         .headers = header,
                                         .header_count = 1,
                                         .connect_ms = imds->timeout_ms,
                                         .timeout_ms = imds->timeout_ms};
        bool const sent = aws_source_send(imds->source, imds->http, request, imds->fault);
        request->url = NULL; /* ends here */
        if (!sent) return false;
        if (attempt >= imds->attempts || !aws_source_passing(&request->reply)) return true;
        aws_source_reply_free(request);
        if (!aws_source_pause(imds->source, pause, imds->fault)) return false;
        pause *= 2;
    }
}

static bool imds_good(const struct http_request *request)
{
    return request->reply.failure == HTTP_OK && request->reply.status == 200 && request->reply.body != NULL;
}

/* The first line of a text reply. False: none, or too long, or not fit for a header or URL. */
static bool imds_line(const struct http_request *request, char *out, size_t size)
{
    if (request->reply.body == NULL) return false;
    const char *const text = (const char *)request->reply.body;
    size_t const length = strcspn(text, "\r\n");
    if (length >= size) return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return aws_source_is_token(out);
}

/* Nothing here: for the search that is no failure, unless there was something before. */
static enum aws_found imds_absent(struct imds *imds, const struct http_request *request, const char *note)
{
    const struct http_reply *const reply = &request->reply;
    if (reply->failure != HTTP_OK)
        snprintf(imds->source->note, sizeof imds->source->note, "%s", http_failure_text(reply->failure));
    else
        snprintf(imds->source->note, sizeof imds->source->note, "it answered %u%s", reply->status, note);
    if (!imds->source->again) return AWS_ABSENT;
    return aws_source_fail(imds->fault, STATUS_TRY_AGAIN, "%s: %s", imds_what, imds->source->note);
}

static enum aws_found imds_token(struct imds *imds)
{
    /* Six hours are the longest; the token serves this one fetch. */
    static const struct http_header header = {"X-aws-ec2-metadata-token-ttl-seconds", "21600"};
    struct http_request request;
    if (!imds_ask(imds, HTTP_PUT, "/latest/api/token", &header, &request)) return AWS_FAILED;
    enum aws_found found = AWS_FOUND;
    if (!imds_good(&request) || !imds_line(&request, imds->token, sizeof imds->token))
        found =
            imds_absent(imds, &request,
                        request.reply.status == 403   ? " to the request for a session: it is switched off"
                        : request.reply.status == 200 ? " to the request for a session without one"
                                                      : " to the request for a session: it has no version 2");
    aws_source_reply_free(&request);
    return found;
}

static enum aws_found imds_role(struct imds *imds, const struct http_header *header, char name[IMDS_NAME_MAX])
{
    struct http_request request;
    if (!imds_ask(imds, HTTP_GET, IMDS_ROLES_PATH, header, &request)) return AWS_FAILED;
    enum aws_found found = AWS_FOUND;
    if (request.reply.failure == HTTP_OK && request.reply.status == 404)
        found = imds_absent(imds, &request, ": this instance has no role");
    else if (!imds_good(&request))
        found = imds_absent(imds, &request, " to the question for the role");
    else if (!imds_line(&request, name, IMDS_NAME_MAX) || strpbrk(name, "/?#%") != NULL)
        found = aws_source_fail(imds->fault, STATUS_RIGHTS, "%s: it names no role that can be understood",
                                imds_what);
    aws_source_reply_free(&request);
    return found;
}

static enum aws_found imds_keys(struct imds *imds, const struct http_header *header, const char *name,
                                struct aws_credentials *out)
{
    char path[sizeof IMDS_ROLES_PATH + IMDS_NAME_MAX], where[256];
    snprintf(path, sizeof path, "%s%s", IMDS_ROLES_PATH, name);
    snprintf(where, sizeof where, "%s, role '%.*s'", imds_what, (int)IMDS_NAME_MAX, name);
    struct http_request request;
    if (!imds_ask(imds, HTTP_GET, path, header, &request)) return AWS_FAILED;
    enum aws_found found = AWS_FAILED;
    if (request.reply.failure != HTTP_OK)
        found = aws_source_no_reply(&request, where, imds->fault);
    else if (!imds_good(&request))
        found = aws_source_fail(imds->fault,
                                aws_source_passing(&request.reply) ? STATUS_TRY_AGAIN : STATUS_RIGHTS,
                                "%s: it answered %u", where, request.reply.status);
    else
        found = aws_source_json(imds->source, (const char *)request.reply.body, request.reply.body_length,
                                false, "instance role (IMDSv2)", where, out, imds->fault);
    aws_source_reply_free(&request);
    return found;
}

enum aws_found aws_source_imds(struct aws_source *source, struct aws_credentials *out, struct fault *fault)
{
    struct imds imds = {.source = source, .fault = fault};
    if (imds_disabled(source->config)) {
        snprintf(source->note, sizeof source->note, "switched off by AWS_EC2_METADATA_DISABLED");
        return AWS_ABSENT;
    }
    if (!imds_prepare(&imds)) return AWS_FAILED;
    char name[IMDS_NAME_MAX];
    struct http_header const header = {"X-aws-ec2-metadata-token", imds.token};
    enum aws_found found = imds_token(&imds);
    if (found == AWS_FOUND) found = imds_role(&imds, &header, name);
    if (found == AWS_FOUND) found = imds_keys(&imds, &header, name, out);
    http_destroy(imds.http);
    explicit_bzero(&imds, sizeof imds);
    return found;
}

bool aws_provider_instance_region(const struct aws_config *config, char *out, size_t size)
{
    struct aws_tuning const tuning = aws_source_tuning();
    struct aws_source source = {.config = config, .tuning = &tuning, .user_agent = "penstock"};
    struct fault fault = {0};
    struct imds imds = {.source = &source, .fault = &fault};
    if (size == 0 || imds_disabled(config) || !imds_prepare(&imds)) return false;
    struct http_header const header = {"X-aws-ec2-metadata-token", imds.token};
    struct http_request request;
    bool known = false;
    if (imds_token(&imds) == AWS_FOUND && imds_ask(&imds, HTTP_GET, IMDS_REGION_PATH, &header, &request)) {
        known = imds_good(&request) && imds_line(&request, out, size);
        aws_source_reply_free(&request);
    }
    http_destroy(imds.http);
    explicit_bzero(&imds, sizeof imds);
    return known;
}

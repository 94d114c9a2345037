/* aws_provider_sts.c - one call of STS: where to, signed, sent, understood.
 *
 * Facts: "AssumeRole" and "AssumeRoleWithWebIdentity" of the STS reference (version 2011-06-15); regional
 * endpoints of the service's endpoints page. What passes (no reply, 5xx, throttling) is tried three times.
 * Thread rule: reentrant. Owns signer, connection and replies while it asks; bodies are wiped. */
#include "io/aws/aws_sigv4.h"
#include "io/aws/aws_source.h"
#include "io/aws/aws_sts_xml.h"
#include "io/aws/aws_time.h"

#include <stdio.h>
#include <string.h>

/* botocore's standard mode tries three times. */
#define STS_ATTEMPTS   3u
#define STS_CONNECT_MS 10000u
#define STS_WHOLE_MS   30000u

static const char sts_type[] = "application/x-www-form-urlencoded; charset=utf-8";

struct sts {
    struct aws_source *source;
    const struct aws_sts_call *call;
    struct fault *fault;
    struct http *http;
    struct aws_signer *signer;
    char url[AWS_STS_URL_MAX];
    char region[64];
    unsigned attempt;
    bool clock_mended;
};

/* A region becomes part of a host's name. */
static bool sts_region_ok(const char *region)
{
    size_t const length = strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length != 0 && length < 64 && region[length] == '\0' && region[0] != '-' &&
           region[length - 1] != '-';
}

/* The partition's domain by the region's name; its dual-stack one where there is one. */
static const char *sts_domain(const char *region, bool dual)
{
    static const struct {
        const char *prefix, *domain, *dual;
    } partitions[] = {{"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
                      {"us-iso-", "c2s.ic.gov", NULL},
                      {"us-isob-", "sc2s.sgov.gov", NULL},
                      {"eusc-", "amazonaws.eu", NULL},
                      {"", "amazonaws.com", "api.aws"}};
    for (size_t i = 0; i < sizeof partitions / sizeof *partitions; i++)
        if (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) == 0)
            return dual && partitions[i].dual != NULL ? partitions[i].dual : partitions[i].domain;
    return "amazonaws.com";
}

static bool sts_own_endpoint(const char *endpoint, char url[AWS_STS_URL_MAX], struct fault *fault)
{
    size_t length = strlen(endpoint);
    while (length != 0 && endpoint[length - 1] == '/')
        length--;
    bool const scheme = strncmp(endpoint, "http://", 7) == 0 || strncmp(endpoint, "https://", 8) == 0;
    if (!scheme || length < 9 || length >= AWS_STS_URL_MAX || !aws_source_is_token(endpoint) ||
        strpbrk(endpoint, "?#@") != NULL) {
        fault_set(
            fault, STATUS_RIGHTS,
            "the endpoint for STS (AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, endpoint_url): a URL such as "
            "https://sts.example.net is wanted");
        return false;
    }
    memcpy(url, endpoint, length);
    url[length] = '\0';
    return true;
}

bool aws_sts_endpoint(const struct aws_source *source, char url[AWS_STS_URL_MAX], char region[64],
                      struct fault *fault)
{
    const struct aws_config *const config = source->config;
    const char *name = source->region != NULL ? source->region : config->region;
    bool const global = name == NULL;
    if (global) name = "us-east-1";
    if (!sts_region_ok(name)) {
        fault_set(fault, STATUS_RIGHTS,
                  "the region (AWS_REGION, or region of the profile) is not one: small letters, "
                  "digits and - are allowed");
        return false;
    }
    snprintf(region, 64, "%s", name);
    if (config->sts_endpoint_url != NULL) return sts_own_endpoint(config->sts_endpoint_url, url, fault);
    if (global && !config->use_fips && !config->use_dualstack) {
        snprintf(url, AWS_STS_URL_MAX, "https://sts.amazonaws.com"); /* signed for us-east-1 */
        return true;
    }
    /* GovCloud's plain endpoints are the FIPS ones. */
    bool const fips = config->use_fips && strncmp(name, "us-gov-", 7) != 0;
    snprintf(url, AWS_STS_URL_MAX, "https://sts%s.%s.%s", fips ? "-fips" : "", name,
             sts_domain(name, config->use_dualstack));
    return true;
}

/* The URL in the signer's parts; they lie in `parts`. */
static void sts_request(const struct sts *sts, char parts[AWS_STS_URL_MAX + 1], struct aws_request *request)
{
    const char *const behind = strstr(sts->url, "://") + 3;
    size_t const host = strcspn(behind, "/");
    memcpy(parts, behind, host);
    parts[host] = '\0';
    snprintf(parts + host + 1, AWS_STS_URL_MAX - host, "%s/", behind + host);
    *request = (struct aws_request){.method = HTTP_POST,
                                    .scheme = strncmp(sts->url, "https:", 6) == 0 ? "https" : "http",
                                    .host = parts,
                                    .path = parts + host + 1,
                                    .headers = {{"content-type", sts_type}},
                                    .header_count = 1};
}

static bool sts_sign(struct sts *sts, struct aws_signed *out)
{
    char parts[AWS_STS_URL_MAX + 1], hash[AWS_HASH_SIZE];
    struct aws_request request;
    sts_request(sts, parts, &request);
    struct http_span const span = {(const uint8_t *)sts->call->body, sts->call->length};
    const struct aws_tuning *const tuning = sts->source->tuning;
    struct aws_scope const scope = {.region = sts->region,
                                    .service = "sts",
                                    .time = tuning->now(tuning->now_context) + sts->source->skew,
                                    .encode_twice = true,
                                    .normalize_path = true};
    return aws_signer_hash(sts->signer, &span, 1, hash, sts->fault) == STATUS_OK &&
           aws_sign(sts->signer, &request, &scope, sts->call->sign_with, hash, out, sts->fault) == STATUS_OK;
}

static bool sts_send(struct sts *sts, struct http_request *request)
{
    struct aws_signed ready = {0};
    if (!sts_sign(sts, &ready)) return false;
    struct http_span const span = {(const uint8_t *)sts->call->body, sts->call->length};
    *request = (struct http_request){.method = HTTP_POST,
                                     .url = ready.url,
                                     .headers = ready.headers,
                                     .header_count = ready.header_count,
                                     .body = &span,
                                     .body_count = 1,
                                     .body_length = sts->call->length,
                                     .connect_ms = STS_CONNECT_MS,
                                     .timeout_ms = STS_WHOLE_MS};
    bool const sent = aws_source_send(sts->source, sts->http, request, sts->fault);
    aws_signed_free(&ready);
    request->url = NULL; /* these three ended here */
    request->headers = NULL;
    request->body = NULL;
    return sent;
}

static bool sts_code_is(const char *code, const char *const list[])
{
    for (size_t i = 0; list[i] != NULL; i++)
        if (strcmp(code, list[i]) == 0) return true;
    return false;
}

static bool sts_passing(const struct http_reply *reply, const char *code)
{
    static const char *const passing[] = {"Throttling",
                                          "ThrottlingException",
                                          "RequestLimitExceeded",
                                          "ServiceUnavailable",
                                          "IDPCommunicationError",
                                          "InternalFailure",
                                          NULL};
    return aws_source_passing(reply) || sts_code_is(code, passing);
}

/* Refused since our clock is wrong, and the reply's Date told the right time? */
static bool sts_clock(const struct sts *sts, const char *code)
{
    static const char *const clock[] = {"SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed",
                                        "InvalidSignatureException", NULL};
    return !sts->clock_mended && sts->source->skew != 0 && sts_code_is(code, clock);
}

static enum aws_found sts_refused(const struct sts *sts, const struct http_reply *reply,
                                  const struct aws_sts_reply *answer)
{
    /* Other messages may quote the request: canonical request, token. */
    static const char *const harmless[] = {"AccessDenied",
                                           "ExpiredToken",
                                           "ExpiredTokenException",
                                           "InvalidClientTokenId",
                                           "RegionDisabledException",
                                           "IDPRejectedClaim",
                                           "IDPCommunicationError",
                                           "Throttling",
                                           NULL};
    bool const shown = answer->message[0] != '\0' && sts_code_is(answer->code, harmless);
    return aws_source_fail(sts->fault, sts_passing(reply, answer->code) ? STATUS_TRY_AGAIN : STATUS_RIGHTS,
                           "%s: STS at %s answered %u%s%s%s%s", sts->call->where, sts->url, reply->status,
                           answer->code[0] == '\0' ? "" : " ", answer->code, shown ? ": " : "",
                           shown ? answer->message : "");
}

static enum aws_found sts_granted(const struct sts *sts, const struct aws_sts_reply *answer,
                                  struct aws_credentials *out)
{
    struct aws_found_keys keys = {.access_key_id = answer->access_key_id,
                                  .secret_access_key = answer->secret_access_key,
                                  .session_token = answer->session_token};
    if (answer->session_token == NULL || !aws_time_rfc3339(answer->expiration, &keys.expires))
        return aws_source_fail(sts->fault, STATUS_RIGHTS,
                               "%s: STS at %s answered without a session token or its expiration",
                               sts->call->where, sts->url);
    return aws_source_found(sts->source, &keys, sts->call->provider, sts->call->where, out, sts->fault);
}

/* AWS_ABSENT: to be tried again, after `*pause_ms`. */
static enum aws_found sts_judge(struct sts *sts, const struct http_request *request,
                                struct aws_credentials *out, uint32_t *pause_ms)
{
    const struct http_reply *const reply = &request->reply;
    struct aws_sts_reply answer = {0};
    bool const xml = reply->failure == HTTP_OK && reply->body != NULL &&
                     aws_sts_xml_read((const char *)reply->body, reply->body_length, &answer);
    enum aws_found found = AWS_FAILED;
    *pause_ms = sts->source->tuning->pause_ms << sts->attempt;
    if (reply->failure == HTTP_OK && sts_clock(sts, answer.code)) {
        sts->clock_mended = true;
        *pause_ms = 0;
        found = AWS_ABSENT;
    } else if (sts->attempt + 1 < STS_ATTEMPTS && sts_passing(reply, answer.code)) {
        sts->attempt++;
        found = AWS_ABSENT;
    } else if (reply->failure != HTTP_OK) {
        found = aws_source_no_reply(request, sts->call->where, sts->fault);
    } else if (reply->status == 200 && xml && answer.code[0] == '\0') {
        found = sts_granted(sts, &answer, out);
    } else {
        found = sts_refused(sts, reply, &answer);
    }
    aws_sts_xml_free(&answer);
    return found;
}

static enum aws_found sts_try(struct sts *sts, struct aws_credentials *out)
{
    for (;;) {
        struct http_request request = {0};
        uint32_t pause_ms = 0;
        if (!sts_send(sts, &request)) return AWS_FAILED;
        enum aws_found const found = sts_judge(sts, &request, out, &pause_ms);
        aws_source_reply_free(&request);
        if (found != AWS_ABSENT) return found;
        if (!aws_source_pause(sts->source, pause_ms, sts->fault)) return AWS_FAILED;
    }
}

enum aws_found aws_sts_perform(struct aws_source *source, const struct aws_sts_call *call,
                               struct aws_credentials *out, struct fault *fault)
{
    struct sts sts = {.source = source, .call = call, .fault = fault};
    source->skew = 0;
    if (!aws_sts_endpoint(source, sts.url, sts.region, fault)) return AWS_FAILED;
    sts.signer = aws_signer_create(fault);
    sts.http = sts.signer == NULL ? NULL : aws_source_http(source, false, fault);
    enum aws_found const found = sts.http == NULL ? AWS_FAILED : sts_try(&sts, out);
    http_destroy(sts.http);
    aws_signer_destroy(sts.signer);
    return found;
}

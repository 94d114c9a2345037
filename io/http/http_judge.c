/* http_judge.c - see the header. Thread: the transfer's owner. Owns nothing. */
#include "io/http/http_judge.h"

#include <string.h>

/* An early answer that doesn't say where it ends (no length) is taken for whole after that silence: the
 * server may be waiting for the rest of a body that we no longer send. */
#define EARLY_QUIET_US 1000000u

/* A time-out means what it was doing. */
static enum http_failure judge_timeout(const struct http_transfer *transfer)
{
    uint64_t const total = http_watch_now() - transfer->started_us;
    uint32_t const timeout_ms = transfer->request->timeout_ms;
    if (transfer->connected_us != 0 || (timeout_ms != 0 && total >= (uint64_t)timeout_ms * 1000))
        return HTTP_STALLED;
    curl_off_t resolved = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
    return resolved == 0 ? HTTP_RESOLVE : HTTP_CONNECT;
}

/* A connection that broke before it was up: a proxy that refused is told apart by its status. */
static enum http_failure judge_broken(const struct http_transfer *transfer)
{
    long status = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return transfer->connected_us == 0 && status != 0 && status / 100 != 2 ? HTTP_PROXY : HTTP_BROKEN;
}

/* A handshake that was cut is no matter of TLS; libcurl tells it by its text only. */
static enum http_failure judge_handshake(const struct http_transfer *transfer)
{
    static const char *const cuts[] = {"SSL_ERROR_SYSCALL", "onnection reset", "unexpected eof",
                                       "roken pipe"};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        if (strstr(transfer->error, cuts[i]) != NULL) return HTTP_BROKEN;
    return HTTP_TLS;
}

static enum http_failure judge_code(const struct http_transfer *transfer, CURLcode code)
{
    bool const connected = transfer->connected_us != 0;
    switch (code) {
    case CURLE_OK: return HTTP_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_URL_MALFORMAT: return HTTP_RESOLVE;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return connected ? HTTP_BAD_REPLY : HTTP_RESOLVE; /* HTTP/0.9, or ftp:// */
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return HTTP_PROXY;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED: return HTTP_CONNECT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return HTTP_TLS_TRUST;
    case CURLE_SSL_CONNECT_ERROR: return judge_handshake(transfer);
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED: return HTTP_TLS;
    case CURLE_OPERATION_TIMEDOUT: return judge_timeout(transfer);
    case CURLE_OUT_OF_MEMORY: /* 7.88's word for a header line of more than 100 KiB, too */
        return transfer->build.status != 0 && !transfer->build.head_ended ? HTTP_BAD_REPLY : HTTP_MEMORY;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return HTTP_BAD_REPLY;
    default: return judge_broken(transfer);
    }
}

/* libcurl's own words, unless they might quote a URL or a proxy with its password. */
static const char *safe_text(const struct http_transfer *transfer, CURLcode code)
{
    const char *const text = transfer->error;
    bool const quotes = strstr(text, "://") != NULL || strchr(text, '?') != NULL || strchr(text, '@') != NULL;
    return text[0] == '\0' || quotes ? curl_easy_strerror(code) : text;
}

/* The whole body was to be sent, unless the answer was a refusal. */
static bool is_cut_short(const struct http_transfer *transfer)
{
    const struct http_request *const request = transfer->request;
    curl_off_t sent = 0;
    if (transfer->build.status >= 300 || request->method != HTTP_PUT) return false;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    return (uint64_t)sent < request->body_length;
}

enum http_failure http_judge(const struct http_transfer *transfer, CURLcode code, const char **text)
{
    const struct http_build *const build = &transfer->build;
    enum http_failure const refused = transfer->refused;
    if (refused != HTTP_OK) {
        *text = refused == HTTP_BAD_REPLY ? "the reply is longer than expected" : http_failure_text(refused);
        return refused;
    }
    enum http_failure const failure = judge_code(transfer, code);
    *text = safe_text(transfer, code);
    if (failure == HTTP_BROKEN && build->status >= 300 &&
        http_build_is_whole(build, transfer->request->method == HTTP_HEAD))
        return HTTP_OK; /* what broke after the whole answer doesn't matter */
    if (failure != HTTP_OK) return failure;
    if (build->status < 200) {
        *text = "no final status";
        return HTTP_BAD_REPLY;
    }
    if (!is_cut_short(transfer)) return HTTP_OK;
    *text = "answered before the whole body was sent";
    return HTTP_BROKEN;
}

bool http_judge_early_answer(const struct http_transfer *transfer, uint64_t silent_us)
{
    if (!transfer->paused) return false;
    return http_build_is_whole(&transfer->build, false) ||
           (silent_us >= EARLY_QUIET_US && !http_build_is_framed(&transfer->build));
}

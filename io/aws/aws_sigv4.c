/* aws_sigv4.c - string to sign, keys and signature; the only file of io/aws that includes OpenSSL's headers.
 *
 * HMAC and SHA-256 are fetched once a signer and their contexts are used again: since OpenSSL 3.0 an
 * EVP_sha256() or HMAC() means a lookup under a lock at every call (manual page crypto(7), "Explicit
 * fetching"). The signing key is kept for its day, region and service: 4 HMACs once instead of each time. To
 * know whether the secret is another one, its SHA-256 is kept, not the secret.
 *
 * Thread rule: one signer a thread. Owns: the contexts and the key, which is wiped when it changes. */
#include "io/aws/aws_canonical.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALGORITHM  "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"

enum {
    HASH_BYTES = 32,
    DAY_LENGTH = 8,      /* "20261123" of a timestamp */
    SCOPE_TEXT_MAX = 128 /* region and service: hosts bound both to 63 each */
};

struct aws_signer {
    EVP_MD *sha256;
    EVP_MD_CTX *digest;
    EVP_MAC *hmac;
    EVP_MAC_CTX *mac;
    bool has_key;
    char day[DAY_LENGTH + 1], region[SCOPE_TEXT_MAX], service[SCOPE_TEXT_MAX];
    unsigned char secret_hash[HASH_BYTES], key[HASH_BYTES];
};

static enum status crypto_failed(struct fault *fault)
{
    return fault_set(
        fault, STATUS_IO,
        "libcrypto can't compute a signature (out of memory, or HMAC with SHA-256 is forbidden by "
        "its configuration)");
}

struct aws_signer *aws_signer_create(struct fault *fault)
{
    struct aws_signer *signer = calloc(1, sizeof *signer);
    if (signer == NULL) {
        fault_set(fault, STATUS_IO, "out of memory for a signer");
        return NULL;
    }
    signer->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    signer->digest = EVP_MD_CTX_new();
    signer->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (signer->hmac != NULL) signer->mac = EVP_MAC_CTX_new(signer->hmac);
    char name[] = "SHA256";
    OSSL_PARAM const parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                     OSSL_PARAM_construct_end()};
    /* Set once: given at each EVP_MAC_init() it would fetch the digest again. */
    if (signer->sha256 == NULL || signer->digest == NULL || signer->mac == NULL ||
        EVP_MAC_CTX_set_params(signer->mac, parameters) != 1) {
        aws_signer_destroy(signer);
        crypto_failed(fault);
        return NULL;
    }
    return signer;
}

void aws_signer_destroy(struct aws_signer *signer)
{
    if (signer == NULL) return;
    EVP_MAC_CTX_free(signer->mac); /* all four take NULL */
    EVP_MAC_free(signer->hmac);
    EVP_MD_CTX_free(signer->digest);
    EVP_MD_free(signer->sha256);
    OPENSSL_cleanse(signer, sizeof *signer);
    free(signer);
}

static bool sha256_spans(struct aws_signer *signer, const struct http_span *spans, size_t count,
                         unsigned char out[HASH_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (EVP_DigestInit_ex2(signer->digest, signer->sha256, NULL) != 1) return false;
    for (size_t i = 0; i < count; i++)
        if (spans[i].length != 0 && EVP_DigestUpdate(signer->digest, spans[i].bytes, spans[i].length) != 1)
            return false;
    if (EVP_DigestFinal_ex(signer->digest, digest, &length) != 1 || length != HASH_BYTES) return false;
    memcpy(out, digest, HASH_BYTES);
    return true;
}

static bool sha256_text(struct aws_signer *signer, const char *text, unsigned char out[HASH_BYTES])
{
    struct http_span const span = {(const uint8_t *)text, strlen(text)};
    return sha256_spans(signer, &span, 1, out);
}

static bool hmac_sha256(struct aws_signer *signer, const void *key, size_t key_length, const char *text,
                        unsigned char out[HASH_BYTES])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t length = 0;
    bool const done = EVP_MAC_init(signer->mac, key, key_length, NULL) == 1 &&
                      EVP_MAC_update(signer->mac, (const unsigned char *)text, strlen(text)) == 1 &&
                      EVP_MAC_final(signer->mac, mac, &length, sizeof mac) == 1 && length == HASH_BYTES;
    if (done) memcpy(out, mac, HASH_BYTES);
    OPENSSL_cleanse(mac, sizeof mac); /* a key of the chain */
    return done;
}

static void hex_text(const unsigned char bytes[HASH_BYTES], char out[AWS_HASH_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_BYTES; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[AWS_HASH_SIZE - 1] = '\0';
}

enum status aws_signer_hash(struct aws_signer *signer, const struct http_span *spans, size_t count,
                            char out[AWS_HASH_SIZE], struct fault *fault)
{
    unsigned char hash[HASH_BYTES];
    if (!sha256_spans(signer, spans, count, hash)) return crypto_failed(fault);
    hex_text(hash, out);
    return STATUS_OK;
}

static bool derive(struct aws_signer *signer, const char *secret)
{
    size_t const length = strlen(secret);
    char *first = malloc(length + sizeof "AWS4");
    if (first == NULL) return false;
    memcpy(first, "AWS4", 4);
    memcpy(first + 4, secret, length + 1);
    unsigned char *key = signer->key;
    bool const done = hmac_sha256(signer, first, length + 4, signer->day, key) &&
                      hmac_sha256(signer, key, HASH_BYTES, signer->region, key) &&
                      hmac_sha256(signer, key, HASH_BYTES, signer->service, key) &&
                      hmac_sha256(signer, key, HASH_BYTES, TERMINATOR, key);
    aws_wipe_free(first, length + sizeof "AWS4");
    return done;
}

/* Sees to it that signer->key is the one of day, region, service and secret. */
static enum status signer_key(struct aws_signer *signer, const struct aws_scope *scope, const char *timestamp,
                              const char *secret, struct fault *fault)
{
    unsigned char secret_hash[HASH_BYTES];
    if (strlen(scope->region) >= SCOPE_TEXT_MAX || strlen(scope->service) >= SCOPE_TEXT_MAX)
        return fault_set(fault, STATUS_JOB, "the region's name is longer than %d characters",
                         SCOPE_TEXT_MAX - 1);
    if (!sha256_text(signer, secret, secret_hash)) return crypto_failed(fault);
    bool const same = signer->has_key && strncmp(signer->day, timestamp, DAY_LENGTH) == 0 &&
                      strcmp(signer->region, scope->region) == 0 &&
                      strcmp(signer->service, scope->service) == 0 &&
                      CRYPTO_memcmp(signer->secret_hash, secret_hash, HASH_BYTES) == 0;
    if (!same) {
        memcpy(signer->day, timestamp, DAY_LENGTH);
        strcpy(signer->region, scope->region);
        strcpy(signer->service, scope->service);
        memcpy(signer->secret_hash, secret_hash, HASH_BYTES);
        signer->has_key = derive(signer, secret);
        if (!signer->has_key) OPENSSL_cleanse(signer->key, HASH_BYTES);
    }
    OPENSSL_cleanse(secret_hash, sizeof secret_hash);
    return signer->has_key ? STATUS_OK : crypto_failed(fault);
}

/* A line end behind a token, as `export X=$(cat file)` never leaves but files do, would end the header. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~') return false;
    return true;
}

static enum status check_credentials(const struct aws_credentials *credentials, struct fault *fault)
{
    const char *wrong = NULL;
    if (!is_printable(credentials->access_key_id)) wrong = "access key id";
    if (credentials->session_token != NULL && !is_printable(credentials->session_token))
        wrong = "session token";
    if (wrong == NULL) return STATUS_OK;
    return fault_set(
        fault, STATUS_RIGHTS,
        "credentials (%s): the %s has a blank, a line end or a character that is not ASCII; give "
        "it as it was issued",
        credentials->provider != NULL ? credentials->provider : "given", wrong);
}

/* What aws_sign() and aws_sign_explain() have in common. */
struct signing {
    char timestamp[AWS_TIMESTAMP_SIZE];
    struct aws_canonical canonical;
    char string_to_sign[sizeof ALGORITHM + AWS_TIMESTAMP_SIZE + DAY_LENGTH + 2 * SCOPE_TEXT_MAX +
                        sizeof TERMINATOR + AWS_HASH_SIZE + 8];
};

static enum status signing_start(struct aws_signer *signer, const struct aws_request *request,
                                 const struct aws_scope *scope, const struct aws_credentials *credentials,
                                 const char *payload_hash, struct signing *signing, struct fault *fault)
{
    signing->canonical = (struct aws_canonical){0};
    if (!aws_canonical_timestamp(scope->time, signing->timestamp))
        return fault_set(fault, STATUS_INTERNAL, "a request can't be signed for the second %lld since 1970",
                         (long long)scope->time);
    enum status status = check_credentials(credentials, fault);
    if (status != STATUS_OK) return status;
    struct aws_canonical_input const input = {
        .request = request,
        .timestamp = signing->timestamp,
        .content_hash = scope->sign_payload_header ? payload_hash : NULL,
        .token = scope->unsigned_token ? NULL : credentials->session_token,
        .payload_hash = payload_hash,
        .encode_twice = scope->encode_twice,
        .normalize_path = scope->normalize_path,
    };
    status = aws_canonical_make(&input, &signing->canonical, fault);
    if (status != STATUS_OK) return status;

    unsigned char hash[HASH_BYTES];
    char hex[AWS_HASH_SIZE];
    if (!sha256_text(signer, signing->canonical.text, hash)) return crypto_failed(fault);
    hex_text(hash, hex);
    int const length = snprintf(signing->string_to_sign, sizeof signing->string_to_sign,
                                ALGORITHM "\n%s\n%.*s/%s/%s/" TERMINATOR "\n%s", signing->timestamp,
                                DAY_LENGTH, signing->timestamp, scope->region, scope->service, hex);
    if (length < 0 || (size_t)length >= sizeof signing->string_to_sign)
        return fault_set(fault, STATUS_JOB, "the region's name is longer than %d characters",
                         SCOPE_TEXT_MAX - 1);
    return STATUS_OK;
}

enum status aws_sign_explain(struct aws_signer *signer, const struct aws_request *request,
                             const struct aws_scope *scope, const struct aws_credentials *credentials,
                             const char *payload_hash, char **canonical_request, char **string_to_sign,
                             struct fault *fault)
{
    struct signing signing;
    *canonical_request = *string_to_sign = NULL;
    enum status status = signing_start(signer, request, scope, credentials, payload_hash, &signing, fault);
    if (status == STATUS_OK) {
        *canonical_request = strdup(signing.canonical.text);
        *string_to_sign = strdup(signing.string_to_sign);
        if (*canonical_request == NULL || *string_to_sign == NULL) {
            free(*canonical_request);
            free(*string_to_sign);
            *canonical_request = *string_to_sign = NULL;
            status = fault_set(fault, STATUS_IO, "out of memory for a request's signature");
        }
    }
    aws_canonical_free(&signing.canonical);
    return status;
}

/* Copies texts into the block of a signed request, which was measured for them: signed_block(). */
static const char *keep(char **at, const char *text)
{
    size_t const size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

static void add_header(struct aws_signed *out, char **at, const char *name, const char *value)
{
    out->headers[out->header_count].name = name;
    out->headers[out->header_count++].value = keep(at, value);
}

static enum status signed_block(struct aws_signed *out, const struct aws_request *request, size_t more,
                                struct fault *fault)
{
    size_t size = more + strlen(request->scheme) + sizeof "://" + 2 * (strlen(request->host) + 1) +
                  aws_encode(request->path, true, NULL, 0) + sizeof "?";
    for (size_t i = 0; i < request->query_count; i++)
        size += aws_encode(request->query[i].name, false, NULL, 0) +
                aws_encode(request->query[i].value, false, NULL, 0) + sizeof "&=";
    for (size_t i = 0; i < request->header_count; i++)
        size += strlen(request->headers[i].name) + strlen(request->headers[i].value) + 2;
    *out = (struct aws_signed){.block_size = size, .block = malloc(size)};
    if (out->block == NULL) return fault_set(fault, STATUS_IO, "out of memory for a signed request");
    return STATUS_OK;
}

/* URL, Host and the request's own headers. The URL's bytes are those that were signed. */
static char *signed_begin(struct aws_signed *out, const struct aws_request *request, const char *query)
{
    char *at = out->block, *const end = out->block + out->block_size;
    out->url = at;
    at += snprintf(at, (size_t)(end - at), "%s://%s", request->scheme, request->host);
    at += aws_encode(request->path, true, at, (size_t)(end - at));
    if (*query != '\0') at += snprintf(at, (size_t)(end - at), "?%s", query);
    at++;
    add_header(out, &at, "host", request->host);
    for (size_t i = 0; i < request->header_count; i++) {
        const char *name = keep(&at, request->headers[i].name);
        add_header(out, &at, name, request->headers[i].value);
    }
    return at;
}

static enum status sign_anonymous(const struct aws_request *request, struct aws_signed *out,
                                  struct fault *fault)
{
    struct aws_canonical canonical;
    struct aws_canonical_input const input = {.request = request, .timestamp = "", .payload_hash = ""};
    enum status status = aws_canonical_make(&input, &canonical, fault);
    if (status == STATUS_OK) status = signed_block(out, request, 0, fault);
    if (status == STATUS_OK) signed_begin(out, request, canonical.query);
    aws_canonical_free(&canonical);
    return status;
}

static enum status sign_finish(struct aws_signer *signer, const struct aws_request *request,
                               const struct aws_scope *scope, const struct aws_credentials *credentials,
                               const char *payload_hash, const struct signing *signing,
                               struct aws_signed *out, struct fault *fault)
{
    unsigned char mac[HASH_BYTES];
    char signature[AWS_HASH_SIZE];
    if (!hmac_sha256(signer, signer->key, HASH_BYTES, signing->string_to_sign, mac))
        return crypto_failed(fault);
    hex_text(mac, signature);

    const char *token = credentials->session_token;
    size_t const authorization =
        sizeof ALGORITHM " Credential=//// , SignedHeaders=, Signature=" + sizeof TERMINATOR + DAY_LENGTH +
        strlen(credentials->access_key_id) + strlen(scope->region) + strlen(scope->service) +
        strlen(signing->canonical.signed_headers) + AWS_HASH_SIZE;
    size_t const more = authorization + AWS_TIMESTAMP_SIZE + strlen(payload_hash) + 1 +
                        (token != NULL ? strlen(token) + 1 : 0);
    enum status const status = signed_block(out, request, more, fault);
    if (status != STATUS_OK) return status;
    char *at = signed_begin(out, request, signing->canonical.query);
    add_header(out, &at, "x-amz-date", signing->timestamp);
    if (scope->sign_payload_header) add_header(out, &at, "x-amz-content-sha256", payload_hash);
    if (token != NULL) add_header(out, &at, "x-amz-security-token", token);
    snprintf(at, authorization,
             ALGORITHM " Credential=%s/%.*s/%s/%s/" TERMINATOR ", SignedHeaders=%s, Signature=%s",
             credentials->access_key_id, DAY_LENGTH, signing->timestamp, scope->region, scope->service,
             signing->canonical.signed_headers, signature);
    out->headers[out->header_count++] = (struct http_header){"authorization", at};
    return STATUS_OK;
}

enum status aws_sign(struct aws_signer *signer, const struct aws_request *request,
                     const struct aws_scope *scope, const struct aws_credentials *credentials,
                     const char *payload_hash, struct aws_signed *out, struct fault *fault)
{
    *out = (struct aws_signed){0};
    if (credentials == NULL) return sign_anonymous(request, out, fault);

    struct signing signing;
    enum status status = signing_start(signer, request, scope, credentials, payload_hash, &signing, fault);
    if (status == STATUS_OK)
        status = signer_key(signer, scope, signing.timestamp, credentials->secret_access_key, fault);
    if (status == STATUS_OK)
        status = sign_finish(signer, request, scope, credentials, payload_hash, &signing, out, fault);
    aws_canonical_free(&signing.canonical);
    return status;
}

/* test_aws_sigv4.c - signatures: AWS's published vectors, the examples of S3's documentation, and edges.
 *
 * The vectors stand in tests/data/sigv4_vectors.txt, which names their origin and explains its form.
 * TESTS_DATA is that folder; without the definition, as seen from the root of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/aws/aws_canonical.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_2015 1440938160 /* 2015-08-30T12:36:00Z, of all vectors */
#define TIME_2013 1369353600 /* 2013-05-24T00:00:00Z, of S3's examples */
#define EMPTY     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#ifndef TESTS_DATA
#define TESTS_DATA "tests/data"
#endif
#define VECTORS_FILE TESTS_DATA "/sigv4_vectors.txt"

/* TEXT_MAX: the longest text of a vector has some 1000 bytes. */
enum { TEXT_MAX = 4 * 1024, VECTORS = 38 };

static char secret_2013[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
static char access_2013[] = "AKIAIOSFODNN7EXAMPLE";

static struct aws_signer *signer_new(void)
{
    struct fault fault = {0};
    struct aws_signer *signer = aws_signer_create(&fault);
    assert_non_null(signer);
    return signer;
}

static const char *header_of(const struct aws_signed *request, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcmp(request->headers[i].name, name) != 0) continue;
        assert_null(found); /* none twice */
        found = request->headers[i].value;
    }
    return found;
}

static void assert_ends(const char *text, const char *end)
{
    assert_non_null(text);
    size_t const length = strlen(text), end_length = strlen(end);
    if (length < end_length || strcmp(text + length - end_length, end) != 0)
        fail_msg("'%s' does not end in '%s'", text, end);
}

/* ---- the published vectors ---- */

struct vector {
    char name[64];
    char request_text[TEXT_MAX], canonical[TEXT_MAX], to_sign[TEXT_MAX], signature[65];
    char access[32], secret[64], token[1024], region[32], service[32];
    bool normalize, sign_body, omit_session_token;
    struct aws_request request;
    const char *body;
};

static void keep(char *out, size_t size, const char *value)
{
    assert_true(strlen(value) < size);
    memcpy(out, value, strlen(value) + 1);
}

/* One more line of a text of several; the first has no line feed before it. */
static void add_line(char *text, bool *begun, const char *line)
{
    size_t const length = strlen(text);
    int const added = snprintf(text + length, TEXT_MAX - length, "%s%s", *begun ? "\n" : "", line);
    assert_true(added >= 0 && (size_t)added < TEXT_MAX - length);
    *begun = true;
}

static void vector_flags(struct vector *vector, char *flags)
{
    while (flags != NULL) {
        const char *flag = strsep(&flags, " ");
        if (strcmp(flag, "normalize") == 0)
            vector->normalize = true;
        else if (strcmp(flag, "sign_body") == 0)
            vector->sign_body = true;
        else if (strcmp(flag, "omit_session_token") == 0)
            vector->omit_session_token = true;
        else
            fail_msg("%s: flag '%s'", vector->name, flag);
    }
}

/* A line that is no part of a text. Returns the text that it opens, or NULL. */
static char *vector_word(struct vector *vector, const char *word, char *value)
{
    if (strcmp(word, "request") == 0) return vector->request_text;
    if (strcmp(word, "canonical") == 0) return vector->canonical;
    if (strcmp(word, "to_sign") == 0) return vector->to_sign;
    assert_non_null(value);
    if (strcmp(word, "access_key_id") == 0)
        keep(vector->access, sizeof vector->access, value);
    else if (strcmp(word, "secret_access_key") == 0)
        keep(vector->secret, sizeof vector->secret, value);
    else if (strcmp(word, "region") == 0)
        keep(vector->region, sizeof vector->region, value);
    else if (strcmp(word, "service") == 0)
        keep(vector->service, sizeof vector->service, value);
    else if (strcmp(word, "timestamp") == 0)
        assert_string_equal(value, "2015-08-30T12:36:00Z");
    else if (strcmp(word, "vector") == 0)
        keep(vector->name, sizeof vector->name, value);
    else if (strcmp(word, "token") == 0)
        keep(vector->token, sizeof vector->token, value);
    else if (strcmp(word, "signature") == 0)
        keep(vector->signature, sizeof vector->signature, value);
    else if (strcmp(word, "flags") == 0)
        vector_flags(vector, value);
    else
        fail_msg("%s: a line '%s' after vector '%s'", VECTORS_FILE, word, vector->name);
    return NULL;
}

/* Reads up to the signature of the next vector into `vector`, which has the values that hold for all. */
static bool vector_next(FILE *file, struct vector *vector)
{
    char line[TEXT_MAX], *text = NULL;
    bool begun = false;
    while (fgets(line, sizeof line, file) != NULL) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        if (line[0] == '|') {
            assert_non_null(text);
            add_line(text, &begun, line + 1);
            continue;
        }
        if (line[0] == '#' || line[0] == '\0') continue;
        char *value = line;
        const char *word = strsep(&value, " ");
        text = vector_word(vector, word, value);
        begun = false;
        if (strcmp(word, "signature") == 0) return true;
    }
    return false;
}

static void decode(char *text)
{
    char *out = text;
    for (; *text != '\0'; text++) {
        unsigned byte = 0;
        if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
            *out++ = (char)byte;
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

static void vector_query(struct vector *vector, char *text)
{
    while (text != NULL && *text != '\0') {
        char *pair = strsep(&text, "&");
        char *name = strsep(&pair, "=");
        assert_true(vector->request.query_count < AWS_QUERY_MAX);
        char *value = pair != NULL ? pair : name + strlen(name);
        decode(name);
        decode(value);
        vector->request.query[vector->request.query_count++] = (struct aws_pair){name, value};
    }
}

static void vector_headers(struct vector *vector, char *text)
{
    vector->body = "";
    while (text != NULL && *text != '\0') {
        if (*text == '\n') {
            vector->body = text + 1;
            return;
        }
        char *line = text, *end = strchr(text, '\n');
        while (end != NULL &&
               end[1] == ' ') { /* a folded value: RFC 9112, 5.2, blanks instead of the line end */
            *end = ' ';
            end = strchr(end, '\n');
        }
        text = end != NULL ? end + 1 : NULL;
        if (end != NULL) *end = '\0';
        char *name = strsep(&line, ":");
        assert_non_null(line);
        if (strcmp(name, "Host") == 0) {
            vector->request.host = line;
        } else {
            vector->request.headers[vector->request.header_count++] = (struct aws_pair){name, line};
        }
    }
}

/* The request of the vector's text, taken apart as our callers give it. */
static void vector_request(struct vector *vector)
{
    char *rest = vector->request_text;
    char *line = strsep(&rest, "\n");
    char *method = strsep(&line, " ");
    char *end = strstr(line, " HTTP/1.1");
    assert_non_null(end);
    *end = '\0';
    vector->request.scheme = "https";
    vector->request.method = strcmp(method, "POST") == 0 ? HTTP_POST : HTTP_GET;
    vector->request.path = strsep(&line, "?");
    vector_query(vector, line);
    vector_headers(vector, rest);
}

static void check_texts(struct aws_signer *signer, const struct vector *vector, const struct aws_scope *scope,
                        const struct aws_credentials *credentials, const char *hash)
{
    char *canonical, *to_sign;
    struct fault fault = {0};
    if (aws_sign_explain(signer, &vector->request, scope, credentials, hash, &canonical, &to_sign, &fault) !=
        STATUS_OK)
        fail_msg("%s: %s", vector->name, fault.message);
    if (strcmp(canonical, vector->canonical) != 0)
        fail_msg("%s: canonical request\n%s\nexpected\n%s", vector->name, canonical, vector->canonical);
    if (strcmp(to_sign, vector->to_sign) != 0)
        fail_msg("%s: string to sign\n%s\nexpected\n%s", vector->name, to_sign, vector->to_sign);
    free(canonical);
    free(to_sign);
}

static void check_vector(struct aws_signer *signer, struct vector *vector)
{
    assert_int_equal(strlen(vector->signature), 64);
    vector_request(vector);
    struct aws_scope const scope = {
        .region = vector->region,
        .service = vector->service,
        .time = TIME_2015,
        .normalize_path = vector->normalize,
        .sign_payload_header = vector->sign_body,
        .unsigned_token = vector->omit_session_token,
    };
    struct aws_credentials const credentials = {
        .access_key_id = vector->access,
        .secret_access_key = vector->secret,
        .session_token = vector->token[0] != '\0' ? vector->token : NULL,
    };
    struct http_span const body = {(const uint8_t *)vector->body, strlen(vector->body)};
    struct aws_signed out;
    struct fault fault = {0};
    char hash[AWS_HASH_SIZE], end[128];
    assert_int_equal(aws_signer_hash(signer, &body, 1, hash, &fault), STATUS_OK);
    check_texts(signer, vector, &scope, &credentials, hash);
    if (aws_sign(signer, &vector->request, &scope, &credentials, hash, &out, &fault) != STATUS_OK)
        fail_msg("%s: %s", vector->name, fault.message);
    snprintf(end, sizeof end, ", Signature=%s", vector->signature);
    assert_ends(header_of(&out, "authorization"), end);
    const char *token = header_of(&out, "x-amz-security-token"); /* sent, also where it is not signed */
    if (credentials.session_token != NULL) assert_string_equal(token, credentials.session_token);
    if (credentials.session_token == NULL) assert_null(token);
    aws_signed_free(&out);
}

static void published_vectors(void **state)
{
    (void)state;
    FILE *file = fopen(VECTORS_FILE, "rb");
    if (file == NULL) fail_msg("%s is missing: it is part of the tree", VECTORS_FILE);
    struct aws_signer *signer = signer_new();
    struct vector all = {0};
    int count = 0;
    for (;;) {
        struct vector vector = all;
        if (!vector_next(file, &vector)) break;
        if (count++ == 0) { /* what stands before the first vector holds for all */
            memcpy(all.access, vector.access, sizeof all.access);
            memcpy(all.secret, vector.secret, sizeof all.secret);
            memcpy(all.region, vector.region, sizeof all.region);
            memcpy(all.service, vector.service, sizeof all.service);
        }
        check_vector(signer, &vector);
    }
    fclose(file);
    aws_signer_destroy(signer);
    assert_int_equal(count, VECTORS);
}

/* ---- the examples of S3's documentation (sig-v4-header-based-auth.html) ---- */

struct example {
    enum http_method method;
    const char *path;
    struct aws_pair query[2];
    size_t query_count;
    struct aws_pair headers[2];
    size_t header_count;
    const char *body, *signature;
};

static const struct example examples[] = {
    {.method = HTTP_GET,
     .path = "/test.txt",
     .headers = {{"Range", "bytes=0-9"}},
     .header_count = 1,
     .body = "",
     .signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {.method = HTTP_PUT,
     .path = "/test$file.text",
     .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     .header_count = 2,
     .body = "Welcome to Amazon S3.",
     .signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {.method = HTTP_GET,
     .path = "/",
     .query = {{"lifecycle", ""}},
     .query_count = 1,
     .body = "",
     .signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {.method = HTTP_GET,
     .path = "/",
     .query = {{"prefix", "J"}, {"max-keys", "2"}},
     .query_count = 2,
     .body = "",
     .signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static struct aws_request example_request(const struct example *example)
{
    struct aws_request request = {.method = example->method,
                                  .scheme = "https",
                                  .host = "examplebucket.s3.amazonaws.com",
                                  .path = example->path,
                                  .query_count = example->query_count,
                                  .header_count = example->header_count};
    memcpy(request.query, example->query, sizeof example->query);
    memcpy(request.headers, example->headers, sizeof example->headers);
    return request;
}

static struct aws_scope s3_scope(void)
{
    return (struct aws_scope){
        .region = "us-east-1", .service = "s3", .time = TIME_2013, .sign_payload_header = true};
}

static struct aws_credentials s3_credentials(void)
{
    return (struct aws_credentials){.access_key_id = access_2013, .secret_access_key = secret_2013};
}

static void s3_examples(void **state)
{
    (void)state;
    struct aws_signer *signer = signer_new();
    struct aws_credentials const credentials = s3_credentials();
    struct aws_scope const scope = s3_scope();
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct aws_request const request = example_request(&examples[i]);
        struct http_span const body = {(const uint8_t *)examples[i].body, strlen(examples[i].body)};
        struct aws_signed out;
        struct fault fault = {0};
        char hash[AWS_HASH_SIZE];
        assert_int_equal(aws_signer_hash(signer, &body, 1, hash, &fault), STATUS_OK);
        assert_int_equal(aws_sign(signer, &request, &scope, &credentials, hash, &out, &fault), STATUS_OK);
        assert_ends(header_of(&out, "authorization"), examples[i].signature);
        aws_signed_free(&out);
    }
    aws_signer_destroy(signer);
}

/* ---- what is sent ---- */

static void sends_what_it_signed(void **state)
{
    (void)state;
    struct aws_signer *signer = signer_new();
    char token[] = "session/token+==";
    struct aws_credentials credentials = s3_credentials();
    credentials.session_token = token;
    struct aws_scope const scope = s3_scope();
    struct aws_request const request = {
        .method = HTTP_PUT,
        .scheme = "http",
        .host = "localhost:7480",
        .path = "/bucket/dt=2024-01-01/a b~\xC3\xA4+%//../x",
        .query = {{"uploadId", "a/b=c&d"}, {"partNumber", "10"}, {"uploads", ""}},
        .query_count = 3,
        .headers = {{"X-Amz-Meta-B", "  two   blanks "},
                    {"User-Agent", "penstock"},
                    {"x-amz-acl", "private"}},
        .header_count = 3,
    };
    struct aws_signed out;
    struct fault fault = {0};
    assert_int_equal(aws_sign(signer, &request, &scope, &credentials, AWS_UNSIGNED_PAYLOAD, &out, &fault),
                     STATUS_OK);
    assert_string_equal(out.url,
                        "http://localhost:7480/bucket/dt%3D2024-01-01/a%20b~%C3%A4%2B%25//../x?partNumber=10&"
                        "uploadId=a%2Fb%3Dc%26d&uploads=");
    assert_int_equal(out.header_count, 8);
    assert_string_equal(header_of(&out, "host"), "localhost:7480");
    assert_string_equal(header_of(&out, "X-Amz-Meta-B"), "  two   blanks "); /* as given */
    assert_string_equal(header_of(&out, "User-Agent"), "penstock");
    assert_string_equal(header_of(&out, "x-amz-date"), "20130524T000000Z");
    assert_string_equal(header_of(&out, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
    assert_string_equal(header_of(&out, "x-amz-security-token"), token);
    static const char begin[] =
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-b;x-amz-security-token, "
        "Signature=";
    const char *authorization = header_of(&out, "authorization");
    assert_int_equal(strlen(authorization), sizeof begin - 1 + 64);
    assert_memory_equal(authorization, begin, sizeof begin - 1);
    aws_signed_free(&out);
    assert_null(out.block);
    aws_signed_free(&out);
    aws_signer_destroy(signer);
}

static void anonymous_requests(void **state)
{
    (void)state;
    struct aws_signer *signer = signer_new();
    struct aws_scope const scope = s3_scope();
    struct aws_request const request = example_request(&examples[3]);
    struct aws_signed out;
    struct fault fault = {0};
    assert_int_equal(aws_sign(signer, &request, &scope, NULL, EMPTY, &out, &fault), STATUS_OK);
    assert_string_equal(out.url, "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J");
    assert_int_equal(out.header_count, 1);
    assert_null(header_of(&out, "authorization"));
    aws_signed_free(&out);
    aws_signer_destroy(signer);
}

/* ---- the kept key ---- */

static char *authorization_with(struct aws_signer *signer, const struct aws_scope *scope,
                                const struct aws_credentials *credentials)
{
    struct aws_request const request = example_request(&examples[0]);
    struct aws_signed out;
    struct fault fault = {0};
    assert_int_equal(aws_sign(signer, &request, scope, credentials, EMPTY, &out, &fault), STATUS_OK);
    char *copy = strdup(header_of(&out, "authorization"));
    aws_signed_free(&out);
    return copy;
}

/* A signer that signed for something else before gives what a new one gives. */
static void key_follows_scope(void **state)
{
    (void)state;
    char other_secret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEZ";
    struct aws_credentials const first = s3_credentials();
    struct aws_credentials second = first;
    second.secret_access_key = other_secret;
    struct aws_scope scopes[4] = {s3_scope(), s3_scope(), s3_scope(), s3_scope()};
    scopes[1].time += 86400;
    scopes[2].region = "eu-central-1";
    scopes[3].service = "sts";
    struct aws_signer *used = signer_new();
    char *seen[8];
    for (size_t i = 0; i < 8; i++) {
        const struct aws_scope *scope = &scopes[i / 2];
        const struct aws_credentials *credentials = i % 2 == 0 ? &first : &second;
        struct aws_signer *fresh = signer_new();
        char *expected = authorization_with(fresh, scope, credentials);
        seen[i] = authorization_with(used, scope, credentials);
        char *again = authorization_with(used, scope, credentials);
        assert_string_equal(seen[i], expected);
        assert_string_equal(again, expected);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
        free(expected);
        free(again);
        aws_signer_destroy(fresh);
    }
    for (size_t i = 0; i < 8; i++)
        free(seen[i]);
    aws_signer_destroy(used);
}

/* ---- hashes, encoding, time ---- */

static void hashes(void **state)
{
    (void)state;
    struct aws_signer *signer = signer_new();
    struct http_span const spans[] = {{(const uint8_t *)"a", 1}, {NULL, 0}, {(const uint8_t *)"bc", 2}};
    struct fault fault = {0};
    char hash[AWS_HASH_SIZE];
    assert_int_equal(aws_signer_hash(signer, NULL, 0, hash, &fault), STATUS_OK);
    assert_string_equal(hash, EMPTY);
    assert_int_equal(aws_signer_hash(signer, spans, 3, hash, &fault), STATUS_OK);
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    aws_signer_destroy(signer);
    aws_signer_destroy(NULL);
}

static void encodes(void **state)
{
    (void)state;
    char out[64];
    assert_int_equal(aws_encode("", true, out, sizeof out), 0);
    assert_string_equal(out, "");
    assert_int_equal(aws_encode("a/b", true, out, sizeof out), 3);
    assert_string_equal(out, "a/b");
    assert_int_equal(aws_encode("a/b", false, out, sizeof out), 5);
    assert_string_equal(out, "a%2Fb");
    assert_int_equal(aws_encode("-._~ +=%*\x01\x7F\xFF", false, out, sizeof out), 4 + 8 * 3);
    assert_string_equal(out, "-._~%20%2B%3D%25%2A%01%7F%FF");
    /* Short buffers: the length is still told, the text ends, and no escape is cut in two. */
    assert_int_equal(aws_encode("ab c", false, NULL, 0), 6);
    for (size_t size = 1; size <= 7; size++) {
        static const char *const expected[] = {"", "a", "ab", "ab", "ab", "ab%20", "ab%20c"};
        memset(out, 'x', sizeof out);
        assert_int_equal(aws_encode("ab c", false, out, size), 6);
        assert_string_equal(out, expected[size - 1]);
        assert_int_equal(out[size], 'x');
    }
}

static void timestamps(void **state)
{
    (void)state;
    char out[AWS_TIMESTAMP_SIZE];
    assert_true(aws_canonical_timestamp(0, out));
    assert_string_equal(out, "19700101T000000Z");
    assert_true(aws_canonical_timestamp(1709210096, out));
    assert_string_equal(out, "20240229T123456Z");
    assert_true(aws_canonical_timestamp(253402300799, out));
    assert_string_equal(out, "99991231T235959Z");
    assert_false(aws_canonical_timestamp(253402300800, out));
    assert_false(aws_canonical_timestamp(INT64_MAX, out));
    assert_false(aws_canonical_timestamp(INT64_MIN, out));
}

/* ---- the canonical request ---- */

static char *canonical_of(const struct aws_request *request, bool encode_twice, bool normalize)
{
    struct aws_canonical_input const input = {.request = request,
                                              .timestamp = "20130524T000000Z",
                                              .payload_hash = "HASH",
                                              .encode_twice = encode_twice,
                                              .normalize_path = normalize};
    struct aws_canonical canonical;
    struct fault fault = {0};
    assert_int_equal(aws_canonical_make(&input, &canonical, &fault), STATUS_OK);
    char *copy = strdup(canonical.text);
    aws_canonical_free(&canonical);
    return copy;
}

static void expect_path(const char *path, bool encode_twice, bool normalize, const char *expected)
{
    struct aws_request const request = {.method = HTTP_HEAD, .scheme = "https", .host = "h", .path = path};
    char *canonical = canonical_of(&request, encode_twice, normalize);
    char whole[512];
    snprintf(whole, sizeof whole, "HEAD\n%s\n\nhost:h\nx-amz-date:20130524T000000Z\n\nhost;x-amz-date\nHASH",
             expected);
    assert_string_equal(canonical, whole);
    free(canonical);
}

static void paths(void **state)
{
    (void)state;
    expect_path("/", false, false, "/");
    expect_path("/a/../b//./c/", false, false, "/a/../b//./c/");
    expect_path("/a b", true, false, "/a%2520b");
    expect_path("/", false, true, "/");
    expect_path("//", false, true, "/");
    expect_path("/..", false, true, "/");
    expect_path("/../../a", false, true, "/a");
    expect_path("/a/b/..", false, true, "/a");
    expect_path("/a/b/../", false, true, "/a/");
    expect_path("/a/./b/.", false, true, "/a/b");
    expect_path("/...//.a/", false, true, "/.../.a/");
    expect_path("/a/../a b//", true, true, "/a%2520b/");
}

static void query_order(void **state)
{
    (void)state;
    struct aws_request const request = {
        .method = HTTP_DELETE,
        .scheme = "https",
        .host = "h",
        .path = "/",
        .query = {{"a-b", "1"}, {"a", "2"}, {"a", "1"}, {"B", ""}, {"\xC3\xA4", "/"}, {"a", ""}},
        .query_count = 6};
    char *canonical = canonical_of(&request, false, false);
    assert_non_null(strstr(canonical, "DELETE\n/\n%C3%A4=%2F&B=&a=&a=1&a=2&a-b=1\nhost:h\n"));
    free(canonical);
}

static void header_forms(void **state)
{
    (void)state;
    struct aws_request const request = {.method = HTTP_GET,
                                        .scheme = "https",
                                        .host = "h",
                                        .path = "/",
                                        .headers = {{"zeta", ""},
                                                    {"X-Two", " \t 1 \t\t 2 "},
                                                    {"Accept", "*/*"},
                                                    {"x-two", "3"},
                                                    {"Expect", "100-continue"},
                                                    {"Connection", "close"},
                                                    {"x-amzn-trace-id", "1"},
                                                    {"Transfer-Encoding", "chunked"}},
                                        .header_count = 8};
    char *canonical = canonical_of(&request, false, false);
    assert_string_equal(canonical, "GET\n/\n\naccept:*/*\nhost:h\nx-amz-date:20130524T000000Z\nx-two:1 2,3\n"
                                   "zeta:\n\naccept;host;x-amz-date;x-two;zeta\nHASH");
    free(canonical);
}

/* ---- what is refused ---- */

static void expect_refused(const struct aws_request *request, const struct aws_scope *scope,
                           const struct aws_credentials *credentials, enum status expected, const char *words)
{
    struct aws_signer *signer = signer_new();
    struct aws_signed out;
    struct fault fault = {0};
    assert_int_equal(aws_sign(signer, request, scope, credentials, EMPTY, &out, &fault), expected);
    assert_null(out.block);
    assert_int_equal(fault.status, expected);
    if (strstr(fault.message, words) == NULL) fail_msg("'%s' not in: %s", words, fault.message);
    if (strstr(fault.message, "secret") != NULL) fail_msg("a value in: %s", fault.message);
    aws_signer_destroy(signer);
}

static void refuses_headers(void **state)
{
    (void)state;
    struct aws_scope const scope = s3_scope();
    struct aws_credentials const credentials = s3_credentials();
    static const struct {
        struct aws_pair header;
        enum status status;
        const char *words;
    } cases[] = {
        {{"x-a", "secret\r\nx-b: 1"}, STATUS_JOB, "x-a: control characters"},
        {{"x-a", "\x7F"}, STATUS_JOB, "x-a: control characters"},
        {{"", "1"}, STATUS_JOB, "header number 1"},
        {{"x a", "1"}, STATUS_JOB, "header number 1"},
        {{"x:", "1"}, STATUS_JOB, "header number 1"},
        {{"\xC3\xA4", "1"}, STATUS_JOB, "header number 1"},
        {{"Host", "h"}, STATUS_INTERNAL, "the signer's own"},
        {{"X-Amz-Date", "1"}, STATUS_INTERNAL, "the signer's own"},
        {{"authorization", "1"}, STATUS_INTERNAL, "the signer's own"},
        {{"x-amz-security-token", "1"}, STATUS_INTERNAL, "the signer's own"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aws_request request = example_request(&examples[2]);
        request.headers[0] = cases[i].header;
        request.header_count = 1;
        expect_refused(&request, &scope, &credentials, cases[i].status, cases[i].words);
        expect_refused(&request, &scope, NULL, cases[i].status, cases[i].words);
    }
    struct aws_request request = example_request(&examples[2]);
    request.header_count = AWS_HEADERS_MAX + 1;
    expect_refused(&request, &scope, &credentials, STATUS_INTERNAL, "49 headers");
    request = example_request(&examples[2]);
    request.query_count = AWS_QUERY_MAX + 1;
    expect_refused(&request, &scope, &credentials, STATUS_INTERNAL, "13 query");
    request = example_request(&examples[2]);
    request.path = "x";
    expect_refused(&request, &scope, &credentials, STATUS_INTERNAL, "slash");
    request = example_request(&examples[2]);
    request.host = "";
    expect_refused(&request, &scope, &credentials, STATUS_INTERNAL, "host");
}

static void refuses_scopes(void **state)
{
    (void)state;
    struct aws_request const request = example_request(&examples[2]);
    struct aws_credentials credentials = s3_credentials();
    struct aws_scope scope = s3_scope();
    char region[200];
    memset(region, 'r', sizeof region);
    region[sizeof region - 1] = '\0';
    scope.region = region;
    expect_refused(&request, &scope, &credentials, STATUS_JOB, "region");
    scope = s3_scope();
    scope.time = INT64_MAX;
    expect_refused(&request, &scope, &credentials, STATUS_INTERNAL, "since 1970");
    scope = s3_scope();
    char token[] = "secret\n", access[] = "A secret";
    credentials.session_token = token;
    expect_refused(&request, &scope, &credentials, STATUS_RIGHTS, "session token has");
    credentials.session_token = NULL;
    credentials.access_key_id = access;
    expect_refused(&request, &scope, &credentials, STATUS_RIGHTS, "access key id has");
}

/* The most of everything fits the block. */
static void largest(void **state)
{
    (void)state;
    struct aws_signer *signer = signer_new();
    struct aws_scope const scope = s3_scope();
    struct aws_credentials const credentials = s3_credentials();
    char text[1025], names[AWS_HEADERS_MAX][16];
    memset(text, '\xFF', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[0] = '/';
    struct aws_request request = {
        .method = HTTP_DELETE, .scheme = "https", .host = "h", .path = text, .query_count = AWS_QUERY_MAX};
    for (size_t i = 0; i < AWS_QUERY_MAX; i++)
        request.query[i] = (struct aws_pair){text, text};
    for (size_t i = 0; i < AWS_HEADERS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "X-%02zu", AWS_HEADERS_MAX - i);
        request.headers[request.header_count++] = (struct aws_pair){names[i], text};
    }
    struct aws_signed out;
    struct fault fault = {0};
    assert_int_equal(aws_sign(signer, &request, &scope, &credentials, EMPTY, &out, &fault), STATUS_OK);
    assert_int_equal(out.header_count, AWS_HEADERS_MAX + 4);
    aws_signed_free(&out);
    aws_signer_destroy(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(s3_examples),
        cmocka_unit_test(sends_what_it_signed),
        cmocka_unit_test(anonymous_requests),
        cmocka_unit_test(key_follows_scope),
        cmocka_unit_test(hashes),
        cmocka_unit_test(encodes),
        cmocka_unit_test(timestamps),
        cmocka_unit_test(paths),
        cmocka_unit_test(query_order),
        cmocka_unit_test(header_forms),
        cmocka_unit_test(refuses_headers),
        cmocka_unit_test(refuses_scopes),
        cmocka_unit_test(largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

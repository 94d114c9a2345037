/* aws_json.c - credentials out of JSON, by jansson.
 *
 * jansson copies texts into memory of its own, its lexer too; all of that is secret here. So it is given an
 * allocator that overwrites what it frees, once, before main(); reports are read with it too, which costs
 * them little. Thread rule: reentrant. Owns the tree while it reads. */
#include "io/aws/aws_json.h"

#include "io/aws/aws_credentials.h"
#include "io/aws/aws_memory.h"
#include "io/aws/aws_time.h"

#include <jansson.h>
#include <string.h>

/* Before main, since the setting is jansson's global and threads may read replies at the same time. */
__attribute__((constructor)) static void json_prepare(void)
{
    json_set_alloc_funcs(aws_memory_allocate, aws_memory_release);
}

struct json_reader {
    const char *what;
    const json_t *root;
    struct fault *fault;
};

static enum status json_wrong(const struct json_reader *reader, const char *key, const char *wanted)
{
    return fault_set(reader->fault, STATUS_RIGHTS, "%s: \"%s\" is not %s", reader->what, key, wanted);
}

/* Null and "" count as not there. */
static enum status json_take_text(const struct json_reader *reader, const char *key, char **out)
{
    const json_t *const value = json_object_get(reader->root, key);
    if (value == NULL || json_is_null(value)) return STATUS_OK;
    if (!json_is_string(value)) return json_wrong(reader, key, "a text");
    if (json_string_length(value) == 0) return STATUS_OK;
    char *const copy = strdup(json_string_value(value));
    if (copy == NULL) return fault_set(reader->fault, STATUS_IO, "%s: no memory to read it", reader->what);
    if (*out != NULL) aws_wipe_free(*out, strlen(*out));
    *out = copy;
    return STATUS_OK;
}

static enum status json_take_time(const struct json_reader *reader, struct aws_json_credentials *out)
{
    const json_t *const value = json_object_get(reader->root, "Expiration");
    if (value == NULL || json_is_null(value)) return STATUS_OK;
    out->expires_given = json_is_string(value) && aws_time_rfc3339(json_string_value(value), &out->expires);
    return out->expires_given ? STATUS_OK
                              : json_wrong(reader, "Expiration", "a time such as \"2026-11-23T10:00:00Z\"");
}

static enum status json_take_version(const struct json_reader *reader, struct aws_json_credentials *out)
{
    const json_t *const value = json_object_get(reader->root, "Version");
    if (value == NULL || json_is_null(value)) return STATUS_OK;
    if (!json_is_integer(value)) return json_wrong(reader, "Version", "an integer");
    out->version_given = true;
    out->version = json_integer_value(value);
    return STATUS_OK;
}

/* A code ends up in messages: only what codes are made of is taken over. */
static void json_take_code(const struct json_reader *reader, char code[AWS_JSON_CODE_MAX])
{
    const json_t *const value = json_object_get(reader->root, "Code");
    if (!json_is_string(value)) return;
    const char *const text = json_string_value(value);
    size_t const length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    if (length >= AWS_JSON_CODE_MAX || text[length] != '\0')
        memcpy(code, "(unreadable)", sizeof "(unreadable)");
    else
        memcpy(code, text, length + 1);
}

static enum status json_take_all(const struct json_reader *reader, struct aws_json_credentials *out)
{
    enum status status = json_take_text(reader, "AccessKeyId", &out->access_key_id);
    if (status == STATUS_OK) status = json_take_text(reader, "SecretAccessKey", &out->secret_access_key);
    if (status == STATUS_OK) status = json_take_text(reader, "Token", &out->session_token);
    if (status == STATUS_OK) status = json_take_text(reader, "SessionToken", &out->session_token);
    if (status == STATUS_OK) status = json_take_time(reader, out);
    if (status == STATUS_OK) status = json_take_version(reader, out);
    json_take_code(reader, out->code);
    return status;
}

enum status aws_json_read(const char *what, const char *text, size_t length, struct aws_json_credentials *out,
                          struct fault *fault)
{
    *out = (struct aws_json_credentials){0};
    if (length > AWS_JSON_BYTES_MAX)
        return fault_set(fault, STATUS_RIGHTS, "%s: more than %u bytes", what, AWS_JSON_BYTES_MAX);
    json_error_t error;
    /* Nesting is bounded by jansson itself (2048). */
    json_t *const root = json_loadb(text, length, 0, &error);
    if (root == NULL && json_error_code(&error) == json_error_out_of_memory)
        return fault_set(fault, STATUS_IO, "%s: no memory to read it", what);
    if (root == NULL || !json_is_object(root)) {
        json_decref(root);
        return fault_set(fault, STATUS_RIGHTS, "%s: not a JSON object", what);
    }
    struct json_reader const reader = {.what = what, .root = root, .fault = fault};
    enum status const status = json_take_all(&reader, out);
    json_decref(root);
    explicit_bzero(&error, sizeof error); /* quotes the text */
    if (status != STATUS_OK) aws_json_free(out);
    return status;
}

static void json_wipe_text(char *text)
{
    if (text != NULL) aws_wipe_free(text, strlen(text));
}

void aws_json_free(struct aws_json_credentials *credentials)
{
    json_wipe_text(credentials->access_key_id);
    json_wipe_text(credentials->secret_access_key);
    json_wipe_text(credentials->session_token);
    *credentials = (struct aws_json_credentials){0};
}

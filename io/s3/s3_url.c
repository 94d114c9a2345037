/* s3_url.c - reads s3:// URLs and says what is wrong with a name.
 *
 * Thread rule: pure and reentrant. Owns nothing. */
#include "io/s3/s3_url.h"

#include "core/base/utf8.h"

#include <string.h>
#include <strings.h>

#define SCHEME "s3://"
#define REMEDY "an S3 URL is s3://BUCKET/PREFIX/"

enum {
    SCHEME_LENGTH = sizeof SCHEME - 1,
    BUCKET_MIN = 3,
    BUCKET_NAME_MAX = 63,
    ACCOUNT_LENGTH = 12,
    PARTITION_MAX = 32, /* the longest of AWS's is aws-us-gov */
    ARN_FIELDS = 6,     /* arn:partition:service:region:account:resource */
    ACCESS_POINT_MIN = 3,
    ACCESS_POINT_MAX = 50 /* docs.aws.amazon.com/.../creating-access-points.html */
};

/* A piece of the URL. */
struct piece {
    const char *text;
    size_t length;
};

static bool piece_is(struct piece piece, const char *text)
{
    return piece.length == strlen(text) && memcmp(piece.text, text, piece.length) == 0;
}

static bool piece_begins(struct piece piece, const char *text)
{
    size_t const length = strlen(text);
    return piece.length >= length && memcmp(piece.text, text, length) == 0;
}

static bool piece_ends(struct piece piece, const char *text)
{
    size_t const length = strlen(text);
    return piece.length >= length && memcmp(piece.text + piece.length - length, text, length) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter_or_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

/* As much of a name as a message takes, whatever bytes it has. */
struct shown {
    char text[80];
};

static struct shown show(struct piece piece)
{
    struct shown shown;
    size_t length = piece.length < sizeof shown.text - 4 ? piece.length : sizeof shown.text - 4;
    for (size_t i = 0; i < length; i++)
        shown.text[i] = piece.text[i] < ' ' || piece.text[i] > '~' ? '?' : piece.text[i];
    strcpy(shown.text + length, length < piece.length ? "..." : "");
    return shown;
}

static enum status bucket_fault(struct fault *fault, struct piece bucket, const char *what)
{
    return fault_set(
        fault, STATUS_USAGE,
        "bucket \"%s\": %s; a bucket's name has 3 to 63 of a-z, 0-9, - and ., and begins and ends "
        "with a letter or digit",
        show(bucket).text, what);
}

/* Four numbers with dots between them. */
static bool looks_like_address(struct piece bucket)
{
    unsigned dots = 0;
    size_t digits = 0;
    for (size_t i = 0; i < bucket.length; i++) {
        if (bucket.text[i] == '.') {
            if (digits == 0) return false;
            dots++;
            digits = 0;
        } else if (is_digit(bucket.text[i])) {
            digits++;
        } else {
            return false;
        }
    }
    return dots == 3 && digits > 0;
}

/* Kinds of buckets that are there but need more than S3's ordinary requests. */
static const char *other_kind(struct piece bucket)
{
    if (piece_ends(bucket, "--x-s3"))
        return "directory buckets (S3 Express) are not supported; use a general purpose bucket";
    if (piece_ends(bucket, "--ol-s3"))
        return "this is an Object Lambda access point, which can't be written; use its bucket";
    if (piece_ends(bucket, ".mrap"))
        return "multi-region access points are not supported; use the bucket of one region";
    if (piece_ends(bucket, "--table-s3"))
        return "table buckets are not supported; use a general purpose bucket";
    return NULL;
}

static enum status check_name(struct piece bucket, struct fault *fault)
{
    const char *kind = other_kind(bucket);
    if (kind != NULL) return fault_set(fault, STATUS_USAGE, "bucket \"%s\": %s", show(bucket).text, kind);
    if (bucket.length < BUCKET_MIN) return bucket_fault(fault, bucket, "the name is too short");
    if (bucket.length > BUCKET_NAME_MAX) return bucket_fault(fault, bucket, "the name is too long");
    for (size_t i = 0; i < bucket.length; i++) {
        char const c = bucket.text[i];
        if (c >= 'A' && c <= 'Z') return bucket_fault(fault, bucket, "capital letters are not allowed");
        if (!is_letter_or_digit(c) && c != '.' && c != '-')
            return bucket_fault(fault, bucket, "there is a character that is not allowed");
        if (c == '.' && i > 0 && bucket.text[i - 1] == '.')
            return bucket_fault(fault, bucket, "two dots stand side by side");
    }
    if (!is_letter_or_digit(bucket.text[0]) || !is_letter_or_digit(bucket.text[bucket.length - 1]))
        return bucket_fault(fault, bucket, "it begins or ends with a dot or dash");
    if (looks_like_address(bucket)) return bucket_fault(fault, bucket, "it looks like an IP address");
    if (piece_begins(bucket, "xn--") || piece_begins(bucket, "sthree-"))
        return bucket_fault(fault, bucket, "names that begin with xn-- or sthree- are reserved");
    return STATUS_OK;
}

static enum status arn_fault(struct fault *fault, struct piece arn, const char *what)
{
    return fault_set(fault, STATUS_USAGE,
                     "\"%s\": %s; the ARN of an access point is arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME",
                     show(arn).text, what);
}

/* Splits at the first five colons; the resource keeps its own. False: there are fewer. */
static bool arn_split(const char *text, struct piece fields[ARN_FIELDS])
{
    for (size_t i = 0; i < ARN_FIELDS - 1; i++) {
        size_t const length = strcspn(text, ":/");
        if (text[length] != ':') return false;
        fields[i] = (struct piece){text, length};
        text += length + 1;
    }
    fields[ARN_FIELDS - 1] = (struct piece){text, strlen(text)};
    return true;
}

/* "accesspoint/NAME" or "accesspoint:NAME" at the beginning of `resource`; the name ends at the next slash,
 * where the key begins. */
static bool arn_name(struct piece resource, struct piece *name)
{
    static const char kind[] = "accesspoint";
    if (!piece_begins(resource, kind)) return false;
    const char *at = resource.text + sizeof kind - 1;
    if (*at != '/' && *at != ':') return false;
    *name = (struct piece){at + 1, strcspn(at + 1, "/")};
    return true;
}

static bool all(struct piece piece, bool (*allowed)(char c))
{
    for (size_t i = 0; i < piece.length; i++)
        if (!allowed(piece.text[i])) return false;
    return true;
}

static bool is_label(char c)
{
    return is_letter_or_digit(c) || c == '-';
}

/* `bucket`: the whole ARN, without what stands behind it. */
static enum status check_arn(const char *text, struct piece *bucket, struct fault *fault)
{
    struct piece fields[ARN_FIELDS], name;
    struct piece const whole = {text, strcspn(text, "/")};
    *bucket = whole;
    if (!arn_split(text, fields)) return arn_fault(fault, whole, "this ARN is cut");
    if (piece_is(fields[2], "s3-outposts") || piece_is(fields[2], "s3-object-lambda"))
        return arn_fault(fault, whole, "access points of Outposts and Object Lambda are not supported");
    if (!piece_is(fields[2], "s3")) return arn_fault(fault, whole, "this is not an ARN of S3");
    if (!piece_begins(fields[1], "aws") || fields[1].length > PARTITION_MAX || !all(fields[1], is_label))
        return arn_fault(fault, whole, "the partition is unknown");
    if (fields[3].length == 0 && fields[4].length == 0)
        return arn_fault(fault, whole, "write a bucket as s3://BUCKET/, not as an ARN");
    if (fields[3].length == 0) return arn_fault(fault, whole, "multi-region access points are not supported");
    if (fields[3].length > BUCKET_NAME_MAX || !all(fields[3], is_label))
        return arn_fault(fault, whole, "the region is not one");
    if (fields[4].length != ACCOUNT_LENGTH || !all(fields[4], is_digit))
        return arn_fault(fault, whole, "the account has 12 digits");
    if (!arn_name(fields[5], &name)) return arn_fault(fault, whole, "it names no access point");
    if (name.length < ACCESS_POINT_MIN || name.length > ACCESS_POINT_MAX || !all(name, is_label) ||
        name.text[0] == '-' || name.text[name.length - 1] == '-')
        return arn_fault(fault, whole, "an access point's name has 3 to 50 of a-z, 0-9 and -");
    bucket->length = (size_t)(name.text + name.length - text);
    return STATUS_OK;
}

static enum status check_key(const char *key, struct fault *fault)
{
    size_t const length = strlen(key);
    struct shown const shown = show((struct piece){key, length});
    if (length > S3_KEY_MAX)
        return fault_set(fault, STATUS_USAGE, "key \"%s\": it has %zu bytes; S3 allows %u", shown.text,
                         length, S3_KEY_MAX);
    if (utf8_valid_prefix(key, length) != length)
        return fault_set(fault, STATUS_USAGE, "key \"%s\": it is not UTF-8, which S3 asks for", shown.text);
    if (utf8_has_control(key, length))
        return fault_set(fault, STATUS_USAGE,
                         "key \"%s\": control characters in keys are not supported (XML can't carry them)",
                         shown.text);
    return STATUS_OK;
}

bool s3_url_is(const char *text)
{
    return strncasecmp(text, SCHEME, SCHEME_LENGTH) == 0;
}

enum status s3_url_parse(const char *text, struct s3_url *url, struct fault *fault)
{
    *url = (struct s3_url){0};
    if (!s3_url_is(text))
        return fault_set(fault, STATUS_USAGE, "\"%s\": not an S3 URL; " REMEDY,
                         show((struct piece){text, strlen(text)}).text);
    text += SCHEME_LENGTH;
    struct piece bucket = {text, strcspn(text, "/")};
    if (bucket.length == 0) return fault_set(fault, STATUS_USAGE, "an S3 URL without a bucket; " REMEDY);
    enum status status =
        piece_begins(bucket, "arn:") ? check_arn(text, &bucket, fault) : check_name(bucket, fault);
    if (status != STATUS_OK) return status;
    const char *key = bucket.text + bucket.length;
    if (*key == '/') key++;
    status = check_key(key, fault);
    if (status != STATUS_OK) return status;
    memcpy(url->bucket, bucket.text, bucket.length); /* an ARN's fields are bounded: far below the size */
    memcpy(url->key, key, strlen(key));
    return STATUS_OK;
}

/* "." and "..": written to a folder they come from a path that was joined wrongly, and proxies resolve them
 * on the way, which breaks the signature. */
static bool has_dot_segment(const char *key)
{
    while (*key != '\0') {
        size_t const length = strcspn(key, "/");
        if ((length == 1 && key[0] == '.') || (length == 2 && key[0] == '.' && key[1] == '.')) return true;
        key += length;
        key += strspn(key, "/");
    }
    return false;
}

enum status s3_url_parse_folder(const char *text, struct s3_url *url, struct fault *fault)
{
    enum status const status = s3_url_parse(text, url, fault);
    if (status != STATUS_OK) return status;
    size_t const length = strlen(url->key);
    struct shown const shown = show((struct piece){url->key, length});
    if (has_dot_segment(url->key))
        return fault_set(fault, STATUS_USAGE,
                         "prefix \"%s\": . and .. mean nothing in S3; write the prefix without them",
                         shown.text);
    bool const needs_slash = length > 0 && url->key[length - 1] != '/';
    if (length + needs_slash >= S3_KEY_MAX)
        return fault_set(fault, STATUS_USAGE,
                         "prefix \"%s\": it leaves no room for a file's name in the %u bytes of a key",
                         shown.text, S3_KEY_MAX);
    if (needs_slash) url->key[length] = '/';
    return STATUS_OK;
}

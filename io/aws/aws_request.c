/* aws_request.c - percent-encoding, and the end of a signed request.
 *
 * Thread rule: pure but for memory. Owns nothing. */
#include "io/aws/aws_request.h"

#include "io/aws/aws_credentials.h"

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

size_t aws_encode(const char *text, bool keep_slash, char *out, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t needed = 0, written = 0;
    bool full = false;
    for (; *text != '\0'; text++) {
        unsigned char const c = (unsigned char)*text;
        char piece[3] = {(char)c};
        size_t length = 1;
        if (!is_unreserved(c) && !(keep_slash && c == '/')) {
            piece[0] = '%';
            piece[1] = digits[c >> 4];
            piece[2] = digits[c & 15];
            length = 3;
        }
        needed += length;
        full = full || size - written <= length; /* never half a %XX, always a terminator */
        for (size_t i = 0; i < length && !full; i++)
            out[written++] = piece[i];
    }
    if (size > 0) out[written] = '\0';
    return needed;
}

void aws_signed_free(struct aws_signed *signed_request)
{
    aws_wipe_free(signed_request->block, signed_request->block_size);
    *signed_request = (struct aws_signed){0};
}

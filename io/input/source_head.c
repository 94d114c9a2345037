/* source_head.c - see the header. Pure. Owns nothing. */
#include "io/input/source_head.h"

#include "io/input/source_text.h"

#include <string.h>

/* ---- how it is stored ---- */

enum unpack_form source_head_form(const uint8_t *stored, size_t length, bool whole)
{
    static const uint8_t gzip[] = {0x1f,
                                   0x8b}; /* RFC 1952, 2.3.1; what stands behind is the decoder's to judge */
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd}; /* RFC 8878, 3.1.1 */
    if (length >= sizeof gzip && memcmp(stored, gzip, sizeof gzip) == 0) return UNPACK_GZIP;
    bool const is_cut = whole && length >= 2 && length < sizeof zstd && memcmp(stored, zstd, length) == 0;
    return is_cut ? UNPACK_ZSTD : unpack_recognise(stored, length);
}

/* ---- no text ---- */

/* First bytes that name a format which is no JSON text: no record begins so, and by design of those formats
 * no other text does (PAR1 is the exception, and unlikely enough). */
struct signature {
    const char *bytes;
    size_t length;
    const char *what; /* goes on after "FILE: " */
};

#define SIGNATURE(bytes, what)         \
    {                                  \
        bytes, sizeof(bytes) - 1, what \
    }

static const struct signature signatures[] = {
    /* .xz file format 1.2.1, 2.1.1.1 */
    SIGNATURE("\xfd"
              "7zXZ\0",
              "is compressed with xz, which is not supported: decompress it first (xz -d)"),
    /* LZ4 frame format 1.6 */
    SIGNATURE("\x04\x22\x4d\x18",
              "is compressed with lz4, which is not supported: decompress it first (lz4 -d)"),
    /* APPNOTE.TXT 6.3: local file header; an empty archive; a split one */
    SIGNATURE("PK\x03\x04", "is a zip archive, which is not supported: unpack it first (unzip)"),
    SIGNATURE("PK\x05\x06", "is a zip archive, which is not supported: unpack it first (unzip)"),
    SIGNATURE("PK\x07\x08", "is a zip archive, which is not supported: unpack it first (unzip)"),
    SIGNATURE("7z\xbc\xaf\x27\x1c", "is a 7-Zip archive, which is not supported: unpack it first"),
    /* Parquet file format; its "PARE" (encrypted) is left out: text may begin so */
    SIGNATURE("PAR1", "is a Parquet file, which is not supported: export the dataset as JSON"),
    /* Avro 1.11 object container file */
    SIGNATURE("Obj\x01", "is an Avro file, which is not supported: export the dataset as JSON"),
    /* Byte order marks (Unicode 15, 23.8): the longer marks first, as UTF-32's begins with UTF-16's */
    SIGNATURE("\xff\xfe\0\0", "is UTF-32 text, which is not supported: convert it to UTF-8 (iconv)"),
    SIGNATURE("\0\0\xfe\xff", "is UTF-32 text, which is not supported: convert it to UTF-8 (iconv)"),
    SIGNATURE("\xff\xfe", "is UTF-16 text, which is not supported: convert it to UTF-8 (iconv)"),
    SIGNATURE("\xfe\xff", "is UTF-16 text, which is not supported: convert it to UTF-8 (iconv)"),
};

/* A stream header with a block size, then a block (digits of pi) or the end (of its square root). All ten
 * bytes are asked for because the first four are printable and could begin a broken record. The format has no
 * written standard: this is what bzip2 1.0 writes. */
static bool head_bzip2(const uint8_t *head, size_t length)
{
    return length >= 10 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9' &&
           (memcmp(head + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
            memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/* UTF-16 or UTF-32 without a mark. JSON begins with two ASCII characters, so that the NULs among its first
 * four bytes tell (RFC 4627, 3); a text of one character has two bytes. NULL: neither. */
static const char *head_wide(const uint8_t *head, size_t length)
{
    unsigned pattern = 0; /* a bit for each byte that is not NUL, the first byte's highest */
    for (size_t i = 0; i < 4 && i < length; i++)
        pattern = pattern << 1 | (head[i] != 0);
    if (length >= 4 && (pattern == 1 || pattern == 8))
        return "is UTF-32 text, which is not supported: convert it to UTF-8 (iconv)";
    if ((length >= 4 && (pattern == 5 || pattern == 10)) || (length == 2 && (pattern == 1 || pattern == 2)))
        return "is UTF-16 text, which is not supported: convert it to UTF-8 (iconv)";
    return NULL;
}

/* Apache ORC 1.8: "ORC", then compressed or protobuf bytes, which no text has. */
static bool head_orc(const uint8_t *head, size_t length)
{
    enum { LOOK = 64 };
    if (length < 4 || memcmp(head, "ORC", 3) != 0) return false;
    for (size_t i = 3; i < length && i < LOOK; i++)
        if ((head[i] < ' ' && head[i] != '\n' && head[i] != '\r' && head[i] != '\t') || head[i] >= 0x7f)
            return true;
    return false;
}

/* POSIX.1-1988 and later: a magic behind the fields of the first member's header. */
static bool head_tar(const uint8_t *head, size_t length)
{
    enum { MAGIC_AT = 257 };
    return length >= MAGIC_AT + 5 && memcmp(head + MAGIC_AT, "ustar", 5) == 0;
}

static const char *head_binary(const uint8_t *head, size_t length)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (length >= signatures[i].length && memcmp(head, signatures[i].bytes, signatures[i].length) == 0)
            return signatures[i].what;
    if (source_head_form(head, length, false) != UNPACK_PLAIN)
        return "is compressed more than once, which is not supported: decompress it first (gzip -d, zstd -d)";
    if (head_bzip2(head, length))
        return "is compressed with bzip2, which is not supported: decompress it first (bzip2 -d)";
    if (head_orc(head, length)) return "is an ORC file, which is not supported: export the dataset as JSON";
    if (head_tar(head, length)) return "is a tar archive, which is not supported: unpack it first (tar -x)";
    return head_wide(head, length);
}

const char *source_head_judge(const struct source_head *head, struct form *form)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    static const char not_array[] = "does not begin as a JSON array does: set source.format to auto";
    static const char not_entities[] = "does not begin as a map of entities does: set source.format to auto";
    bool const marked = head->length >= sizeof mark && memcmp(head->bytes, mark, sizeof mark) == 0;
    size_t const from = marked ? sizeof mark : 0;
    const uint8_t *const text = head->bytes + from, *const end = head->bytes + head->length;
    const char *refusal = marked ? NULL : head_binary(head->bytes, head->length);
    if (refusal == NULL) refusal = source_text_foreign(text, end);
    if (refusal == NULL && head->choice == FORM_CHOICE_AUTO) refusal = source_text_judge(text, end);
    if (refusal != NULL) return refusal;
    if (form_choose(form, head->choice, head->bytes, head->length, from, head->whole)) return NULL;
    return head->choice == FORM_CHOICE_ARRAY ? not_array : not_entities;
}

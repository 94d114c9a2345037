/* s3_xml_field.h - what the elements of S3's replies say: which are read, and what they put into an answer.
 *
 * Private to s3_xml.c, which moves a struct s3_xml_draft over the events of a document. All documents are
 * flat: fields under the root, and under one kind of entry (Part, Upload, Contents) below it.
 *
 * Thread rule: pure but for malloc; any thread. Lists go to the answer's arena. */
#ifndef PENSTOCK_IO_S3_S3_XML_FIELD_H
#define PENSTOCK_IO_S3_S3_XML_FIELD_H

#include "io/s3/s3_xml.h"

/* The longest text that is read: a key each of whose bytes is %XX; messages are cut to less. */
#define S3_XML_TEXT (3u * S3_KEY_MAX)

struct s3_xml_rule;

struct s3_xml_draft {
    struct s3_answer *answer;
    enum checksum_kind kind;
    enum s3_document document;
    bool in_entry;                    /* inside a Part, Upload or Contents */
    bool encoded;                     /* keys are */
    bool composite;                   /* ChecksumType says so; it may come before the checksum */
    bool has_size, has_time, has_sum; /* of the entry that is open */
    size_t sums;                      /* entries with a checksum */
    char *next_key, *next_upload;     /* markers, put into the answer at the end */
    char *next_token;                 /* likewise */
    char **keys;                      /* writable uploads[i].key, objects[i].key */
    const struct s3_xml_rule *rule;   /* of the field that is open; NULL: none */
    size_t length;                    /* of its text */
    char text[S3_XML_TEXT + 1];
};

/* The root was opened. False: none of S3's documents. */
bool s3_xml_field_root(struct s3_xml_draft *draft, const char *name);
/* Is an element below the root an entry of this document's list? */
bool s3_xml_field_is_entry(const struct s3_xml_draft *draft, const char *name);
/* An entry begins and ends. False: too many, no memory, or it lacks what it must have. */
bool s3_xml_field_begin_entry(struct s3_xml_draft *draft);
bool s3_xml_field_end_entry(struct s3_xml_draft *draft);
/* An element where fields are: opens the field if it is read (draft->rule). */
void s3_xml_field_open(struct s3_xml_draft *draft, const char *name);
/* More of its text. False: too long. */
bool s3_xml_field_text(struct s3_xml_draft *draft, const char *text, size_t length);
/* Its end: puts it. False: it is not what it must be. */
bool s3_xml_field_close(struct s3_xml_draft *draft);
/* The end of the document: what can be judged when all was seen only. */
bool s3_xml_field_finish(struct s3_xml_draft *draft);

#endif

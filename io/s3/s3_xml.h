/* s3_xml.h - the XML of S3's replies, by libexpat. Pure.
 *
 * Any document of the ones below is read into the fields of an s3_answer: Error,
 * InitiateMultipartUploadResult, CompleteMultipartUploadResult, ListPartsResult, ListMultipartUploadsResult,
 * ListBucketResult (ListObjectsV2's).
 * White space before the XML declaration is passed over (Complete keeps its connection alive so). Bounds:
 * S3_XML_MAX bytes, 16 levels, S3_LIST_MAX entries, texts as long as the fields (longer ones fail the parse,
 * but for messages, which are cut). DTDs are refused. Prefixes of namespaces and unknown elements are passed
 * over. What the reply's headers may have told already (request and host id, region, date) is set where it is
 * still empty only. Keys are decoded when the listing says <EncodingType>url</EncodingType>.
 *
 * Whether a document has all that its operation needs (UploadId, ETag) is the caller's to judge; but numbers,
 * times and checksums that it has must be ones, a listing's entries must have number, key and id, or key and
 * size, and a
 * listing that is cut must say where it goes on. has_checksum of a ListPartsResult: it has parts, and every
 * one has a checksum of the kind.
 *
 * Thread rule: pure (but for malloc); any thread. */
#ifndef PENSTOCK_IO_S3_S3_XML_H
#define PENSTOCK_IO_S3_S3_XML_H

#include "io/s3/s3_op.h"

enum s3_document {
    S3_DOCUMENT_BAD, /* not XML, cut, against the bounds, or another root */
    S3_DOCUMENT_ERROR,
    S3_DOCUMENT_CREATE,
    S3_DOCUMENT_COMPLETE,
    S3_DOCUMENT_PARTS,
    S3_DOCUMENT_UPLOADS,
    S3_DOCUMENT_OBJECTS
};

/* `answer` keeps what it had in other fields, and all of them with S3_DOCUMENT_BAD. `checksum_kind`: which
 * <Checksum...> elements are read. */
enum s3_document s3_xml_read(const uint8_t *bytes, size_t length, enum checksum_kind checksum_kind,
                             struct s3_answer *answer);

#endif

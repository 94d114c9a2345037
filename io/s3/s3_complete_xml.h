/* s3_complete_xml.h - the body of CompleteMultipartUpload. Pure. */
#ifndef PENSTOCK_IO_S3_S3_COMPLETE_XML_H
#define PENSTOCK_IO_S3_S3_COMPLETE_XML_H

#include "io/s3/s3_op.h"

/* The words of x-amz-checksum-algorithm and of the elements <Checksum...>: "CRC64NVME"; NULL for none. */
const char *s3_complete_xml_checksum(enum checksum_kind kind);

/* The list of parts, in the arena. STATUS_INTERNAL: it has a gap, a part without an ETag, or is not as long
 * as the object. */
enum status s3_complete_xml(const struct s3_op *op, struct arena *arena, struct http_span *xml,
                            struct fault *fault);

#endif

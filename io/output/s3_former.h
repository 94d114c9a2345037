/* s3_former.h - former deliveries below an S3 destination (former_delivery.h): found, and made ready to be
 * deleted.
 *
 * ListObjectsV2 of each folder of the run's files (with a delimiter: not of what lies deeper), and GETs of
 * what may be manifests, one after the other.
 *
 * Thread rule: the assembler's. What was found belongs to the delivery (s3_delivery_end). */
#ifndef PENSTOCK_IO_OUTPUT_S3_FORMER_H
#define PENSTOCK_IO_OUTPUT_S3_FORMER_H

#include "io/output/s3_delivery.h"

/* Pages of all lists of a run, but for the first one of each: a million objects. A nightly run of 100 files
 * leaves 37,000 a year. */
#define S3_FORMER_PAGES_MAX 1000u

/* Fills delivery->found, in which each is marked `former`. STATUS_RIGHTS: it takes s3:ListBucket and
 * s3:GetObject; STATUS_JOB: as former_search(), or the folders hold too many objects; else a call's. */
enum status s3_former_find(struct s3_delivery *delivery, struct fault *fault);

#endif

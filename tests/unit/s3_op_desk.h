/* s3_op_desk.h - the names and sums that the tests of requests and of answers share. */
#ifndef PENSTOCK_TESTS_UNIT_S3_OP_DESK_H
#define PENSTOCK_TESTS_UNIT_S3_OP_DESK_H

#include "io/s3/s3_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY    "out/a b.csv"
#define UPLOAD "up/load=1"
#define OWNER  "123456789012"

/* Values of "123456789" (the published check values). */
#define SUM64      0xae8b14860a799888u
#define SUM64_TEXT "rosUhgp5mIg="
#define SUM32C     0xe3069283u

#endif

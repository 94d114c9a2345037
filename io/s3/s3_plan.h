/* s3_plan.h - sizes of an upload: part size, connections, threads, memory. Pure.
 *
 * Part size: `--part-size`, else 16 MiB (S3's advice is 8 to 16), more when an object as large as `largest`
 * would take more than half of its 10,000 parts, less (down to 5 MiB) when memory is short. Within one object
 * the size doubles every 1,000 parts, so that no output is too large for its 10,000 parts (5 MiB parts
 * reach 4.9 TiB, 16 MiB ones 12 TiB; the cap of 5 GiB a part leaves S3's 48.8 TiB for larger beginnings). It
 * depends on the part's number only: the same output has the same parts. Connections: `--connections`, else
 * 25 (10 Gbit/s at the 50 MB/s that one carries, aws-c-s3), fewer when memory is short. Threads: one for 64
 * connections (over TLS one core encrypts for some 3 GB/s).
 *
 * Memory: `hold` bytes of CSV may be kept in the converters' chunks until S3 has them: a part for each
 * connection, one being filled, one waiting, and a quarter more, since chunks are not always full. For an
 * object whose parts will double it is as much for the larger parts, as far as the memory goes: fewer of them
 * are on their way at once then. Every file that is open has a part being filled: `fill` bytes are for copies
 * of them, a part of each file, and with several files larger ones before `hold` gets more. All parts being
 * filled may have `fill` and two fifths of `hold` in all (s3_hold.h says why), or the next part can't be
 * begun: `reach` says how large objects may become when all of them are. Memory that is short takes from the
 * part size first (parts of 5 MiB over all connections are faster than larger ones over few), then from the
 * connections. */
#ifndef PENSTOCK_IO_S3_S3_PLAN_H
#define PENSTOCK_IO_S3_S3_PLAN_H

#include "core/base/status.h"
#include "io/s3/s3_op.h"

#include <stdbool.h>
#include <stdint.h>

#define S3_PART_DEFAULT          (16ull << 20)
#define S3_CONNECTIONS_DEFAULT   25u
#define S3_CONNECTIONS_MAX       1024u
#define S3_CONNECTIONS_A_THREAD  64u
#define S3_PARTS_BEFORE_DOUBLING 1000u
/* libcurl's upload buffer, its receive buffer, TLS records, and what an attempt keeps. */
#define S3_UPLOAD_BUFFER    (512u << 10)
#define S3_CONNECTION_BYTES (S3_UPLOAD_BUFFER + (128u << 10))
/* What one recv() may bring. A client that reads much takes the large one where there is memory: with the
 * small one, a tenth of a run from S3 on the same machine went to more calls. */
#define S3_RECEIVE_SMALL (64u << 10)
#define S3_RECEIVE_LARGE (256u << 10)
/* Threads, certificates, OpenSSL, the client itself. */
#define S3_CLIENT_BYTES (6ull << 20)
/* Open files that are planned for at most: the sink refuses a run of more in any case. */
#define S3_PLAN_FILES_MAX 100000u

struct s3_plan_request {
    uint64_t memory;      /* bytes that the upload may take in all */
    uint64_t part_size;   /* 0: derive */
    uint32_t connections; /* 0: derive */
    uint32_t open_files;  /* written at once, each with a part being filled; 0: one */
    uint64_t largest; /* the largest object to expect: files.max_bytes, or the input's size; 0: not known */
    uint32_t hold_percent; /* memory that 100 held bytes take, with what chunks need beside them; 0: 100 */
    /* What else is taken at these sizes (the sink's copies of a part of each open file, say); NULL: nothing.
     * Grows with all of them. */
    uint64_t (*beside)(uint64_t part_size, uint32_t connections, uint32_t open_files);
};

struct s3_plan {
    uint64_t part_size;
    uint32_t connections, threads, open_files;
    uint64_t fill;   /* bytes of parts being filled that there is memory for beside `hold` */
    uint64_t hold;   /* CSV bytes kept at most */
    uint64_t other;  /* memory of client, connections and what is beside */
    uint64_t memory; /* all of it, with what holding takes */
    uint64_t reach;  /* the largest object whose parts all fit, see above */
};

/* STATUS_USAGE names the flag that doesn't fit. When memory is too short even for one connection and 5 MiB
 * (or for the flags given), `least` is what it takes and STATUS_USAGE is returned with a fault that says so;
 * else `least` is 0. */
enum status s3_plan_make(const struct s3_plan_request *request, struct s3_plan *plan, uint64_t *least,
                         struct fault *fault);
/* Bytes of part `number` (from 1) of a whole object that begins with `part_size`. 0: there is no such part.
 */
uint64_t s3_plan_part(uint64_t part_size, uint32_t number);
/* May parts of so many bytes in all be filled at once? */
bool s3_plan_parts_fit(uint64_t bytes, uint64_t fill, uint64_t hold);
/* The largest object that begins with `part_size`. */
uint64_t s3_plan_largest(uint64_t part_size);

#endif

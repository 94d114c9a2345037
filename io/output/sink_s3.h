/* sink_s3.h - the files of a run as S3 objects, by concurrent multipart uploads.
 *
 *   begin()   HEAD of the key (unless `replace`): STATUS_EXISTS. The first file waits for it, so that a
 *             delivery that is there already costs no upload; for later ones it comes by reap(). Waits
 *             while more calls are out than S3_CALLS_A_CONNECTION, or all room for copies is taken.
 *             As many files of rows may be open at once as `open_files` says; others don't count.
 *
 *   write()   pieces gather into parts of s3_plan_part(part_size, n) bytes exactly (the last one of a
 *             file but less), a part of each open file at once; CreateMultipartUpload goes out with a
 *             file's first whole one. Pieces shorter than half a chunk are copied together, so that what
 *             is held is at least half full; larger ones only when the parts being filled would pin more
 *             than their share of the chunks. s3_hold.h says why nothing locks up.
 *
 *   end()     the last part goes out. A file smaller than S3_SMALL_FILE that never had a part is kept (of
 *             those with rows, as long as all kept ones are within S3_KEPT_MAX) and put by one PutObject
 *             in commit(). An empty file, such as a token, always is.
 *
 *   commit()  all parts are with S3. HEAD of each key again; or with `replace`, former tokens and manifests
 *             are found and deleted (s3_former.h, s3_withdraw.h), and at the very end data files that only a
 *             former manifest names. In between stage by stage all
 *             Completes (If-None-Match unless `replace`, full-object checksum, mp-object-size) and
 *             PutObjects, and all verifications: HEAD, size, checksum and our token. A Complete whose
 *             reply was lost is judged by that HEAD. An object that was completed before another one
 *             failed for good stays; the message names it, and nothing of the stages behind is written.
 *             Of signals only the stage of rows takes notice, and only when nothing was deleted.
 *
 *   abort()   cancels what is on its way, aborts every upload of this run until ListParts says that it is
 *             gone; bounded by S3_ABORT_SECONDS. What could not be removed is named by a warning together
 *             with `penstock cleanup`.
 *
 * What comes from where: s3_hold (memory of bytes), s3_upload (bytes to parts), s3_delivery (calls),
 * s3_pass (a call for each file), s3_commit, s3_former, s3_withdraw, s3_abort, s3_stray (uploads begun by a
 * request whose reply was lost).
 *
 * Thread rule: the assembler's, as sink.h says; it is the client's thread too. Owns its uploads; the client
 * is lent and outlives it. */
#ifndef PENSTOCK_IO_OUTPUT_SINK_S3_H
#define PENSTOCK_IO_OUTPUT_SINK_S3_H

#include "core/flow/sink.h"
#include "io/output/former_delivery.h"
#include "io/s3/s3_client.h"

/* Three requests become one for files that one request carries anyway. */
#define S3_SMALL_FILE    (512u << 10)
#define S3_KEPT_MAX      (2u << 20)
#define S3_ABORT_SECONDS 60u
/* Files of rows of one run. Each has some 600 bytes here until the run ends (key, upload id, ETags), and
 * takes five requests: 25 connections need half an hour for them. More come from a mistaken files.max_rows or
 * max_bytes.
 */
#define S3_FILES_MAX 100000u
/* begin() waits while more calls are out, for each connection: one under way, and for each of the three that
 * a small file has (HEAD, Create, its part) one waiting, so that the next file is never late. Parts of large
 * files don't come near: `hold` bounds them to some 1.5 a connection. */
#define S3_CALLS_A_CONNECTION 4u

struct sink_s3_options {
    struct s3_client *client;
    const char *bucket, *prefix; /* prefix "" or with its last slash */
    const char *token; /* random for each process: tells our object from another's with the same key */
    bool replace;
    struct former_rules former;  /* with `replace`: what is known of former deliveries; warnings are its */
    enum checksum_kind checksum; /* that of pieces too */
    struct s3_object_options object; /* its metadata gets the token added */
    const char *expected_owner;
    uint64_t part_size, hold, fill; /* of s3_plan; `fill` 0: a part of each open file */
    uint32_t open_files;            /* of rows, at once; 0: one */
    uint32_t connections;
    size_t chunk_bytes;               /* capacity of a chunk */
    enum status (*interrupted)(void); /* asked while begin() and commit() wait; NULL: never */
    void (*warn)(void *context, const char *message);
    void *warn_context;
};

/* Texts are borrowed and outlive the sink. */
struct sink *sink_s3_create(const struct sink_s3_options *options, struct fault *fault);
/* `fill`, or what stands for it. */
uint64_t sink_s3_fill(const struct sink_s3_options *options);
/* Bytes of copies at most: of each open file a part made of nothing else, and what is half used at its ends.
 */
uint64_t sink_s3_copies(const struct sink_s3_options *options);
/* Bytes that the sink takes beside the pieces that it holds: copies, kept files, calls. */
uint64_t sink_s3_memory(const struct sink_s3_options *options);

#endif

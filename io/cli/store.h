/* store.h - how all commands get at S3: what the environment and the profile say, HTTP, and what clients are
 * told alike.
 *
 *   store_configure() the configuration; nothing is sent
 *   store_start()     HTTP, once before any client
 *   store_client()    the options of a client, to be completed by what the command wants of it
 *
 * Thread: main. Owns the configuration; clients and their options borrow it. */
#ifndef PENSTOCK_IO_CLI_STORE_H
#define PENSTOCK_IO_CLI_STORE_H

#include "io/aws/aws_config.h"
#include "io/job/job.h"
#include "io/s3/s3_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store {
    struct aws_config config;
    bool has_http;
};

enum status store_configure(struct store *store, struct fault *fault);
/* After store_configure(). STATUS_JOB: the file of authorities can't be read. */
enum status store_start(struct store *store, struct fault *fault);
void store_close(struct store *store); /* when its clients are gone; zeroed is fine */

/* One connection and one thread; region, endpoint and addressing are the configuration's. */
struct s3_client_options store_client(const struct store *store, const char *bucket, struct wait *arrivals);
/* For reading objects over so many connections, each with a buffer of `receive_buffer` bytes. */
void store_for_reading(struct s3_client_options *options, uint32_t connections, size_t receive_buffer);
/* Region, endpoint and addressing are those of the job's destination, where it names them. */
void store_as_destination(struct s3_client_options *options, const struct job_destination *destination);

#endif

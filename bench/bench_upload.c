/* bench_upload.c - uploads files as they are to S3, by the same parts that an export uses
 * (io/cli/destination, io/output/sink_s3, io/s3), and says what it took, as one JSON line:
 *
 *   bench_upload [--connections N] [--part-size MIB] [--checksum KIND] s3://BUCKET/PREFIX/ FILE...
 *
 * Endpoint, region and credentials come from the AWS environment. KIND: none (default), crc64nvme, crc32c,
 * crc32. Files are mapped and their pages lent to the sink, as chunks are. Objects of the same name are
 * replaced; each is verified as an export verifies it. After a failure or Ctrl-C its uploads are aborted.
 * Thread: main; the client has its own. Owns the mappings, the destination, the wait. */
#include "bench/harness.h"
#include "core/flow/chunk.h"
#include "io/cli/destination.h"
#include "io/cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any machine of ours has: connections and part size are told, not derived. */
#define UPLOAD_MEMORY       (64ull << 30)
#define CONNECTIONS_DEFAULT 8u
#define PART_MIB_DEFAULT    8u
#define PART_MIB_MAX        5120u /* S3's largest part */

static const char usage[] = "usage: bench_upload [--connections N] [--part-size MIB] [--checksum KIND] "
                            "s3://BUCKET/PREFIX/ FILE...\n";

struct upload {
    struct job job;
    struct destination destination;
    struct wait arrivals;
    struct fault fault;
    uint32_t connections;
    uint64_t part_mib;
    uint64_t out;  /* pieces that are not home */
    uint64_t sent; /* bytes */
};

static void come_home(void *context, const struct sink_piece *piece)
{
    struct upload *upload = context;
    if (piece->owner != NULL) upload->out--;
}

static enum checksum_kind kind_of(const char *name)
{
    for (enum checksum_kind kind = CHECKSUM_NONE; kind <= CHECKSUM_CRC32; kind++)
        if (strcmp(name, checksum_name(kind)) == 0) return kind;
    harness_fail("--checksum: '%s'; allowed: none, crc64nvme, crc32c, crc32", name);
}

static uint32_t number_of(const char *flag, const char *text, uint32_t most)
{
    char *end;
    errno = 0;
    unsigned long const value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value == 0 || value > most)
        harness_fail("%s: '%s'; allowed: 1 to %u", flag, text, most);
    return (uint32_t)value;
}

/* Index of the URL in argv; ends the program when there is none. */
static int read_flags(struct upload *upload, int argc, char **argv)
{
    int at = 1;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        const char *const flag = argv[at], *const value = argv[at + 1];
        if (strcmp(flag, "--connections") == 0)
            upload->connections = number_of(flag, value, S3_CONNECTIONS_MAX);
        else if (strcmp(flag, "--part-size") == 0)
            upload->part_mib = number_of(flag, value, PART_MIB_MAX);
        else if (strcmp(flag, "--checksum") == 0)
            upload->job.destination.checksum = kind_of(value);
        else
            break;
    }
    if (argc - at < 2 || argv[at][0] == '-') {
        fputs(usage, stderr);
        exit(2);
    }
    return at;
}

/* The whole file; NULL for an empty one. It stays mapped: a failed upload reads it until the sink's abort().
 */
static const uint8_t *map_file(const char *path, size_t *size)
{
    int const descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (descriptor < 0 || fstat(descriptor, &stat) != 0) harness_fail("%s: %s", path, strerror(errno));
    if (!S_ISREG(stat.st_mode)) harness_fail("%s: not a file", path);
    *size = (size_t)stat.st_size;
    const uint8_t *bytes = NULL;
    if (*size != 0) {
        bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (bytes == MAP_FAILED) harness_fail("%s: %s", path, strerror(errno));
    }
    close(descriptor);
    return bytes;
}

static enum status put_file(struct upload *upload, uint32_t number, const char *path)
{
    struct sink *const sink = upload->destination.sink;
    struct fault *const fault = &upload->fault;
    enum checksum_kind const kind = upload->job.destination.checksum;
    const char *const slash = strrchr(path, '/');
    size_t size;
    const uint8_t *const bytes = map_file(path, &size);
    enum status status = sink->begin(sink, number, slash == NULL ? path : slash + 1, SINK_DATA, fault);
    for (size_t at = 0; at < size && status == STATUS_OK; at += CHUNK_BYTES_MIN) {
        size_t const length = size - at < CHUNK_BYTES_MIN ? size - at : CHUNK_BYTES_MIN;
        struct sink_piece const piece = {.bytes = bytes + at,
                                         .length = length,
                                         .owner = upload,
                                         .checksum = checksum_update(kind, 0, bytes + at, length),
                                         .has_checksum = kind != CHECKSUM_NONE};
        upload->out++;
        status = sink->write(sink, number, &piece, fault);
        if (status == STATUS_OK) status = sink->reap(sink, fault);
    }
    if (status == STATUS_OK) status = sink->end(sink, number, 0, size, fault);
    upload->sent += size;
    return status;
}

/* Waits until all bytes are with S3, then makes the objects visible. */
static enum status finish(struct upload *upload)
{
    struct sink *const sink = upload->destination.sink;
    enum status status = STATUS_OK;
    while (upload->out != 0 && status == STATUS_OK) {
        s3_client_wait(upload->destination.client);
        status = sink->reap(sink, &upload->fault);
        if (status == STATUS_OK && signals_caught() != STATUS_OK)
            status = fault_set(&upload->fault, signals_caught(), "%s", signals_name());
    }
    return status == STATUS_OK ? sink->commit(sink, &upload->fault) : status;
}

static enum status open_destination(struct upload *upload, const char *url, const struct log *logger)
{
    struct destination *const destination = &upload->destination;
    struct fault *const fault = &upload->fault;
    uint64_t least;
    enum status status = destination_read(destination, url, false, &upload->job, "bench", logger, fault);
    if (status != STATUS_OK) return status;
    if (destination->kind != DESTINATION_S3) harness_fail("%s: not s3://BUCKET/PREFIX/", url);
    status = destination_plan(destination, UPLOAD_MEMORY, upload->connections, upload->part_mib << 20, 0,
                              &least, fault);
    if (status == STATUS_OK)
        status = destination_open(destination, CHUNK_BYTES_MIN, &upload->arrivals, fault);
    if (status != STATUS_OK) return status;
    destination->sink->home = come_home;
    destination->sink->home_context = upload;
    return STATUS_OK;
}

static void print_result(const struct upload *upload, struct harness_time began)
{
    struct harness_time const ended = harness_now();
    struct s3_client_stats stats;
    s3_client_stats(upload->destination.client, &stats);
    printf("{\"bench\":\"upload\",\"bytes\":%llu,\"connections\":%u,\"part_mib\":%llu,\"checksum\":\"%s\","
           "\"wall_s\":%.6f,\"cpu_s\":%.6f,\"retries\":%llu,\"throttles\":%llu,\"hedges\":%llu}\n",
           (unsigned long long)upload->sent, upload->connections, (unsigned long long)upload->part_mib,
           checksum_name(upload->job.destination.checksum), (double)(ended.wall - began.wall) / 1e9,
           (double)(ended.cpu - began.cpu) / 1e9, (unsigned long long)stats.retries,
           (unsigned long long)stats.throttles, (unsigned long long)stats.hedges);
}

int main(int argc, char **argv)
{
    struct upload upload = {.job = {.destination = {.if_exists = JOB_EXISTS_REPLACE}},
                            .connections = CONNECTIONS_DEFAULT,
                            .part_mib = PART_MIB_DEFAULT};
    int const url = read_flags(&upload, argc, argv);
    struct log const logger = {.stream = stderr, .most = LOG_LEVEL_WARNING};
    enum status status = signals_install(&upload.fault);
    if (!wait_init(&upload.arrivals)) harness_fail("no memory");
    struct harness_time const began = harness_now();
    if (status == STATUS_OK) status = open_destination(&upload, argv[url], &logger);
    for (int file = url + 1; file < argc && status == STATUS_OK; file++)
        status = put_file(&upload, (uint32_t)(file - url - 1), argv[file]);
    if (status == STATUS_OK) status = finish(&upload);
    if (status == STATUS_OK)
        print_result(&upload, began);
    else
        fprintf(stderr, "bench_upload: %s\n", upload.fault.message);
    if (status != STATUS_OK && upload.destination.sink != NULL)
        upload.destination.sink->abort(upload.destination.sink);
    destination_close(&upload.destination);
    wait_destroy(&upload.arrivals);
    return (int)status;
}

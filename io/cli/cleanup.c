/* cleanup.c - what interrupted uploads left behind, of whatever program. Thread: main. struct cleanup owns
 * the client and the store it was made with. */
#include "io/cli/cleanup.h"

#include "core/csv/timestamp.h"
#include "io/cli/cleanup_directory.h"
#include "io/cli/machine.h"
#include "io/cli/signals.h"
#include "io/cli/store.h"
#include "io/output/output_text.h"
#include "io/s3/s3_uploads.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* An escaped key: each byte may become four characters. */
#define KEY_SHOWN (4 * S3_KEY_MAX + 1)
#define ID_SHOWN  (4 * S3_UPLOAD_ID_MAX + 1)
#define AGE_SIZE  24

struct cleanup {
    const struct options *options;
    const struct log *logger;
    struct s3_url place; /* the key as it was given */
    struct store store;
    struct wait arrivals;
    struct s3_client *client;
    struct s3_port port;
    uint64_t found, old, aborted;
    bool unproven; /* an abort could not be looked at */
};

static enum status connect(struct cleanup *cleanup, struct fault *fault)
{
    enum status status = store_configure(&cleanup->store, fault);
    if (status == STATUS_OK) status = store_start(&cleanup->store, fault);
    if (status != STATUS_OK) return status;
    struct s3_client_options const options = /* a request at a time */
        store_client(&cleanup->store, cleanup->place.bucket, &cleanup->arrivals);
    cleanup->client = s3_client_create(&options, false, fault);
    if (cleanup->client == NULL) return fault->status;
    cleanup->port = s3_port_of(cleanup->client, cleanup->place.bucket, NULL);
    return STATUS_OK;
}

/* In the largest unit that still says two of it: 119s, 119m, 47h, 2d. As --older-than takes it. */
static void write_age(int64_t seconds, char out[AGE_SIZE])
{
    if (seconds < 2 * MINUTE)
        snprintf(out, AGE_SIZE, "%" PRId64 "s", seconds < 0 ? 0 : seconds);
    else if (seconds < 2 * HOUR)
        snprintf(out, AGE_SIZE, "%" PRId64 "m", seconds / MINUTE);
    else if (seconds < 2 * DAY)
        snprintf(out, AGE_SIZE, "%" PRId64 "h", seconds / HOUR);
    else
        snprintf(out, AGE_SIZE, "%" PRId64 "d", seconds / DAY);
}

void cleanup_print(int64_t when, int64_t age, const char *what, const char *fate)
{
    char time[TIMESTAMP_TEXT_LENGTH + 1] = "", words[AGE_SIZE];
    bool const has_time = when >= TIMESTAMP_SECONDS_MIN && when <= TIMESTAMP_SECONDS_MAX;
    timestamp_write(has_time ? when : 0, time);
    write_age(age, words);
    printf("%.10sT%.8sZ  %4s  %s%s%s\n", time, time + 11, words, what, fate[0] == '\0' ? "" : "  ", fate);
}

static void print(const struct cleanup *cleanup, const struct s3_listed_upload *upload, int64_t age,
                  const char *fate)
{
    char key[KEY_SHOWN], id[ID_SHOWN], what[KEY_SHOWN + ID_SHOWN + S3_BUCKET_MAX + 16];
    snprintf(what, sizeof what, "s3://%s/%s  %s", cleanup->place.bucket,
             output_text_printable(upload->key, key, sizeof key),
             output_text_printable(upload->upload_id, id, sizeof id));
    cleanup_print(upload->initiated, age, what, fate);
}

/* "s3://bucket/x" means the object x and what is under x/, not x2. */
static bool is_under(const struct cleanup *cleanup, const char *key)
{
    const char *const prefix = cleanup->place.key;
    size_t const length = strlen(prefix);
    if (length == 0 || prefix[length - 1] == '/') return true;
    return key[length] == '\0' || key[length] == '/';
}

static enum status take(void *context, const struct s3_listed_upload *upload, int64_t now,
                        struct fault *fault)
{
    struct cleanup *const cleanup = context;
    const struct options *const options = cleanup->options;
    if (!is_under(cleanup, upload->key)) return STATUS_OK;
    int64_t const age = (now != 0 ? now : machine_wall_milliseconds() / 1000) - upload->initiated;
    bool const judged = options_is_set(options, OPTION_OLDER_THAN);
    bool const old = judged && (uint64_t)(age > 0 ? age : 0) >= options->older_than;
    const char *fate = !judged ? "" : !old ? "kept" : "would abort";
    cleanup->found++;
    cleanup->old += old;
    if (old && !options->dry_run) {
        bool proven = true;
        enum status const status =
            s3_uploads_abort(&cleanup->port, upload->key, upload->upload_id, signals_caught, &proven, fault);
        if (status != STATUS_OK) {
            print(cleanup, upload, age, "not aborted");
            return status;
        }
        cleanup->unproven = cleanup->unproven || !proven;
        cleanup->aborted++;
        fate = "aborted";
    }
    print(cleanup, upload, age, fate);
    return STATUS_OK;
}

static void tell(const struct cleanup *cleanup)
{
    const char *const uploads = cleanup->found == 1 ? "upload" : "uploads";
    char key[KEY_SHOWN];
    output_text_printable(cleanup->place.key, key, sizeof key);
    if (cleanup->unproven)
        log_warning(
            cleanup->logger,
            "s3:ListMultipartUploadParts is missing: that the aborted uploads are gone could not be seen");
    if (!options_is_set(cleanup->options, OPTION_OLDER_THAN))
        log_info(cleanup->logger, "%" PRIu64 " unfinished %s under s3://%s/%s", cleanup->found, uploads,
                 cleanup->place.bucket, key);
    else if (cleanup->options->dry_run)
        log_info(cleanup->logger, "%" PRIu64 " unfinished %s under s3://%s/%s, %" PRIu64 " would be aborted",
                 cleanup->found, uploads, cleanup->place.bucket, key, cleanup->old);
    else
        log_info(cleanup->logger, "%" PRIu64 " unfinished %s under s3://%s/%s, %" PRIu64 " aborted",
                 cleanup->found, uploads, cleanup->place.bucket, key, cleanup->aborted);
}

static enum status work(struct cleanup *cleanup, struct fault *fault)
{
    enum status status = connect(cleanup, fault);
    if (status != STATUS_OK) return status;
    status = s3_uploads_list(&cleanup->port, cleanup->place.key, take, cleanup, fault);
    if (status != STATUS_OK && status == signals_caught())
        fault_set(fault, status, "stopped by %s", signals_name());
    bool const written = fflush(stdout) == 0 && !ferror(stdout);
    if (status == STATUS_OK || cleanup->found != 0) tell(cleanup);
    if (status == STATUS_OK && !written)
        status = fault_set(fault, STATUS_IO, "standard output: can't be written");
    return status;
}

enum status cleanup_run(const struct options *options, const struct log *logger)
{
    struct cleanup cleanup = {.options = options, .logger = logger};
    struct fault fault = {.status = STATUS_OK};
    bool has_wait = false;
    if (!s3_url_is(options->sources[0]) && cleanup_directory_is(options->sources[0]))
        return cleanup_directory_run(options, logger);
    enum status status = s3_url_parse(options->sources[0], &cleanup.place, &fault);
    if (status == STATUS_OK) {
        has_wait = wait_init(&cleanup.arrivals);
        if (!has_wait) status = fault_set(&fault, STATUS_IO, "no memory to wait with");
    }
    if (status == STATUS_OK) status = work(&cleanup, &fault);
    if (status != STATUS_OK) log_error(logger, "%s", fault.message);
    s3_client_destroy(cleanup.client);
    store_close(&cleanup.store);
    if (has_wait) wait_destroy(&cleanup.arrivals);
    return status;
}

/* s3_former.c - the port of former_search.h over S3. Thread: the assembler's. Owns its calls and texts. */
#include "io/output/s3_former.h"

#include "io/output/former_search.h"
#include "io/s3/s3_objects.h"
#include "io/s3/s3_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESTINATION_SIZE (S3_BUCKET_MAX + S3_KEY_MAX + 8u)

struct search {
    struct s3_delivery *delivery;
    struct s3_port port;
    struct former former;
    const char *folder; /* that is being listed */
    uint32_t pages;
    char destination[DESTINATION_SIZE];
};

/* What a refusal means here. */
static enum status explain(enum status status, struct fault *fault)
{
    char told[FAULT_MESSAGE_MAX];
    if (status != STATUS_RIGHTS || fault == NULL) return status;
    memcpy(told, fault->message, sizeof told);
    return fault_set(
        fault, status,
        "%s; if_exists: replace looks for former manifests and tokens over the data files that it "
        "replaces: that takes s3:ListBucket and s3:GetObject; or have {run_time} or {run_id} in the "
        "names, and if_exists: fail",
        told);
}

static bool key_of(const struct search *search, const char *name, char key[S3_KEY_MAX + 1])
{
    int const length = snprintf(key, S3_KEY_MAX + 1, "%s%s", search->delivery->options.prefix, name);
    return length >= 0 && (size_t)length <= S3_KEY_MAX;
}

/* ---- the port ---- */

static enum status see(void *context, const struct s3_listed_object *object, struct fault *fault)
{
    struct search *const search = context;
    size_t const prefix = strlen(search->delivery->options.prefix), folder = prefix + strlen(search->folder);
    /* a store that does not know the delimiter lists what lies deeper, too */
    if (strlen(object->key) <= folder || strchr(object->key + folder, '/') != NULL) return STATUS_OK;
    return former_seen(&search->former, object->key + prefix, object->size, fault);
}

static enum status list(void *context, const char *folder, struct former *former, struct fault *fault)
{
    struct search *const search = context;
    char key[S3_KEY_MAX + 1];
    (void)former;                                       /* search->former */
    if (!key_of(search, folder, key)) return STATUS_OK; /* nothing can stand there */
    search->folder = folder;
    struct s3_objects_request const request = {.port = &search->port,
                                               .bucket = search->port.bucket,
                                               .expected_owner = search->port.expected_owner,
                                               .prefix = key,
                                               .flat = true,
                                               .pages = &search->pages,
                                               .pages_most = S3_FORMER_PAGES_MAX};
    return explain(s3_objects_list(&request, see, search, fault), fault);
}

struct taken {
    uint8_t *bytes;
    size_t length, room;
};

/* More than was listed: it grew meanwhile, and is judged by its first bytes as one that is cut off. */
static bool on_bytes(void *context, const uint8_t *bytes, size_t length)
{
    struct taken *const taken = context;
    size_t const left = taken->room - taken->length, more = length < left ? length : left;
    memcpy(taken->bytes + taken->length, bytes, more);
    taken->length += more;
    return true;
}

static enum status get(struct search *search, const char *key, uint64_t range, struct taken *taken,
                       bool *missing, struct fault *fault)
{
    struct s3_call *const call = calloc(1, sizeof *call);
    if (call == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left for a request");
    call->op = (struct s3_op){
        .kind = S3_GET_OBJECT, .key = key, .range_length = range, .take = on_bytes, .take_context = taken};
    enum status const status = s3_port_run(&search->port, call, false, fault);
    *missing = call->verdict == S3_NO_KEY;
    s3_call_free(call);
    free(call);
    return *missing ? STATUS_OK : explain(status, fault);
}

static enum status read_text(void *context, const char *name, size_t most, uint8_t **bytes, size_t *length,
                             struct fault *fault)
{
    struct search *const search = context;
    char key[S3_KEY_MAX + 1];
    bool missing = false;
    struct taken taken = {.bytes = malloc(most), .room = most};
    if (taken.bytes == NULL)
        return fault_set(fault, STATUS_IO, "S3: no memory left to read a former manifest");
    (void)key_of(search, name, key); /* it was a key */
    /* of what is too large the head is asked for */
    enum status const status =
        get(search, key, most == FORMER_HEAD_MAX ? FORMER_HEAD_MAX : 0, &taken, &missing, fault);
    if (status != STATUS_OK || missing) {
        free(taken.bytes);
        return status;
    }
    *bytes = taken.bytes;
    *length = taken.length;
    return STATUS_OK;
}

/* ---- what was found ---- */

static enum status keep(struct search *search, struct fault *fault)
{
    struct s3_delivery *const delivery = search->delivery;
    const struct former *const former = &search->former;
    char key[S3_KEY_MAX + 1];
    delivery->found = calloc(former->count + 1, sizeof(void *));
    if (delivery->found == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left for former files");
    for (size_t i = 0; i < former->count; i++) {
        if (!key_of(search, former->list[i].name, key))
            continue; /* named by a manifest, but no key can be so long */
        struct s3_upload *const upload = s3_upload_create(key, former->list[i].stage);
        if (upload == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left for former files");
        upload->former = true;
        delivery->found[delivery->found_count++] = upload;
    }
    return STATUS_OK;
}

static enum status search_all(struct search *search, struct fault *fault)
{
    struct s3_delivery *const delivery = search->delivery;
    struct former_port const port = {.context = search, .list = list, .read = read_text};
    size_t const prefix = strlen(delivery->options.prefix);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < delivery->count && status == STATUS_OK; i++)
        status = former_own(&search->former, delivery->uploads[i]->key + prefix, delivery->uploads[i]->stage,
                            fault);
    if (status == STATUS_OK) status = former_search(&search->former, &port, fault);
    return status == STATUS_OK ? keep(search, fault) : status;
}

enum status s3_former_find(struct s3_delivery *delivery, struct fault *fault)
{
    const struct sink_s3_options *const options = &delivery->options;
    struct search *const search = calloc(1, sizeof *search);
    if (search == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left to look for former files");
    search->delivery = delivery;
    search->port = s3_port_of(options->client, options->bucket, options->expected_owner);
    snprintf(search->destination, sizeof search->destination, "s3://%s/%s", options->bucket, options->prefix);
    former_start(&search->former, &options->former, search->destination);
    enum status const status = search_all(search, fault);
    former_free(&search->former);
    free(search);
    return status;
}

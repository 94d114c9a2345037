/* s3_client_open.c - how a client begins and ends: credentials, endpoint, threads, a look at the bucket.
 * Thread: main. Owns: provider, engines, shared state. */
#include "io/s3/s3_client_inside.h"

#include <stdlib.h>
#include <string.h>

/* Where a bucket is asked for when nobody said a region: us-east-1 knows all buckets of its partition. */
#define REGION_FIRST "us-east-1"

static bool should_stop(void *context)
{
    const struct s3_client_options *const options = context;
    return options->interrupted != NULL && options->interrupted() != STATUS_OK;
}

static const char *region_of(const struct s3_client_options *options)
{
    return options->region != NULL ? options->region : options->config->region;
}

/* The region is a guess: job, environment and profile have none, and it is no ARN that tells. */
static bool is_guess(const struct s3_client_options *options)
{
    return region_of(options) == NULL && strncmp(options->bucket, "arn:", 4) != 0;
}

static enum status set_region(struct s3_shared *shared, struct fault *fault)
{
    const struct s3_client_options *const options = &shared->options;
    const char *const region = region_of(options);
    if (region != NULL && strlen(region) > S3_REGION_MAX)
        return fault_set(fault, STATUS_JOB, "region '%.80s...' is no region: at most %u characters", region,
                         S3_REGION_MAX);
    if (region != NULL) {
        memcpy(shared->region, region, strlen(region) + 1);
        return STATUS_OK;
    }
    /* An instance's own region is the best guess, and decides the partition. */
    bool const on_instance = strstr(aws_provider_name(shared->provider), "IMDS") != NULL;
    if (!on_instance || !aws_provider_instance_region(options->config, shared->region, sizeof shared->region))
        memcpy(shared->region, REGION_FIRST, sizeof REGION_FIRST);
    return STATUS_OK;
}

static enum status set_up(struct s3_client *client, struct fault *fault)
{
    struct s3_shared *const shared = &client->shared;
    const struct s3_client_options *const options = &shared->options;
    const struct aws_config *const config = options->config;
    client->shown = calloc(1, sizeof *client->shown);
    if (client->shown == NULL) return fault_set(fault, STATUS_IO, "S3 client: no memory");
    shared->provider = aws_provider_create(config, region_of(options), options->user_agent, should_stop,
                                           &shared->options, fault);
    if (shared->provider == NULL) {
        enum status const stop = options->interrupted != NULL ? options->interrupted() : STATUS_OK;
        return stop == STATUS_OK ? fault->status
                                 : fault_set(fault, stop, "interrupted while credentials were looked for");
    }
    enum status const status = set_region(shared, fault);
    if (status != STATUS_OK) return status;
    bool const automatic = options->addressing == AWS_ADDRESSING_AUTO;
    shared->rules = (struct s3_endpoint_rules){
        .endpoint = options->endpoint != NULL ? options->endpoint : config->endpoint_url,
        .addressing = automatic ? config->addressing : options->addressing,
        .fips = config->use_fips,
        .dualstack = config->use_dualstack,
        .accelerate = config->use_accelerate};
    return s3_shared_start(shared, fault);
}

static enum status start_engines(struct s3_client *client, struct fault *fault)
{
    struct s3_shared *const shared = &client->shared;
    for (uint32_t k = 0; k < shared->engines; k++) {
        client->engines[k] = s3_engine_create(shared, k, fault);
        if (client->engines[k] == NULL) return fault->status;
    }
    /* All of them first: each may wake all others. */
    for (uint32_t k = 0; k < shared->engines; k++) {
        enum status const status = s3_engine_start(client->engines[k], fault);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* HEAD of the bucket. Who may not ask is told its region all the same, and without `probe` that is enough:
 * the right to put objects does not need the one to list them. */
static enum status look_at_bucket(struct s3_client *client, bool probe, struct fault *fault)
{
    struct s3_call call = {
        .op = {.kind = S3_HEAD_BUCKET, .expected_owner = client->shared.options.expected_owner}};
    enum status status = s3_client_run(client, &call, false);
    s3_client_explain(client, &call);
    if (call.verdict != S3_DONE) status = call.status;
    if (call.verdict == S3_NO_BUCKET && client->shared.options.is_source) status = STATUS_NO_SOURCE;
    const char *const region = call.answer.region;
    if (is_guess(&client->shared.options) && region[0] != '\0')
        (void)s3_shared_learn_region(&client->shared, s3_client_endpoint(client)->region, region);
    if (call.verdict == S3_DENIED && !probe)
        status = STATUS_OK;
    else if (status != STATUS_OK)
        (void)fault_set(fault, status, "%s", call.fault.message);
    s3_call_free(&call);
    return status;
}

struct s3_client *s3_client_create_with(const struct s3_client_options *options,
                                        const struct s3_limits *limits, bool probe, struct fault *fault)
{
    struct fault dropped;
    if (fault == NULL) fault = &dropped;
    struct s3_client *const client = calloc(1, sizeof *client);
    if (client == NULL) {
        (void)fault_set(fault, STATUS_IO, "S3 client: no memory");
        return NULL;
    }
    client->shared.options = *options;
    client->shared.limits = *limits;
    uint32_t const threads = options->threads == 0 ? 1 : options->threads;
    client->shared.engines = threads < S3_ENGINES_MAX ? threads : S3_ENGINES_MAX;
    enum status status = set_up(client, fault);
    if (status == STATUS_OK) status = start_engines(client, fault);
    if (status == STATUS_OK && (probe || is_guess(options))) status = look_at_bucket(client, probe, fault);
    if (status == STATUS_OK) return client;
    s3_client_destroy(client);
    return NULL;
}

struct s3_client *s3_client_create(const struct s3_client_options *options, bool probe, struct fault *fault)
{
    return s3_client_create_with(options, &s3_limits_usual, probe, fault);
}

void s3_client_destroy(struct s3_client *client)
{
    if (client == NULL) return;
    /* O1. What an engine holds is called off by itself; calls that were not reaped stay the caller's. */
    atomic_store_explicit(&client->shared.stop, true, memory_order_release);
    for (uint32_t k = 0; k < client->shared.engines; k++)
        if (client->engines[k] != NULL) s3_engine_stop(client->engines[k]);
    for (uint32_t k = 0; k < client->shared.engines; k++)
        s3_engine_destroy(client->engines[k]);
    s3_shared_stop(&client->shared);
    aws_provider_destroy(client->shared.provider);
    free(client->shown);
    free(client);
}

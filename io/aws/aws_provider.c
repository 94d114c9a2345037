/* aws_provider.c - the chain, and the thread that keeps its credentials fresh.
 *
 * Thread rule: one mutex over everything that changes; a fetch runs outside it. There is one fetch at a time
 * because only one thread fetches: create()'s caller before the thread starts, the thread afterwards. Owns
 * the newest credentials, wiped when newer ones come, and the thread. */
#include "io/aws/aws_provider.h"

#include "io/aws/aws_source.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct aws_provider {
    struct aws_tuning tuning;
    struct aws_source source; /* of the thread that fetches */
    aws_source_fn *fetch;     /* the source that had credentials */
    bool (*stop)(void *);
    void *stop_context;
    atomic_bool ending;
    bool threaded;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* below: under the mutex */
    struct aws_credentials credentials;
    const char *name;
    uint64_t generation;
    int64_t refresh_at; /* by the tuning's clock */
    int64_t not_before; /* milliseconds of the monotonic clock: no fetch of our own accord before */
    bool wanted, fetching;
    bool failed; /* the last fetch; then `fault` says why */
    struct fault fault;
};

static int64_t provider_now(const struct aws_provider *provider)
{
    return provider->tuning.now(provider->tuning.now_context);
}

static bool provider_stop(void *context)
{
    const struct aws_provider *const provider = context;
    if (atomic_load_explicit(&provider->ending, memory_order_relaxed)) return true;
    return provider->stop != NULL && provider->stop(provider->stop_context);
}

/* botocore's order, without SSO. */
static aws_source_fn *const provider_chain[] = {
    aws_source_environment, aws_source_role,      aws_source_web_identity, aws_source_keys,
    aws_source_process,     aws_source_container, aws_source_imds};

/* A profile for SSO has no keys for us; to go on and take the instance's would be other rights than were
 * meant. */
static bool provider_is_sso(const struct aws_profile *profile)
{
    return aws_profile_get(profile, "sso_session") != NULL ||
           aws_profile_get(profile, "sso_start_url") != NULL ||
           aws_profile_get(profile, "login_session") != NULL;
}

static enum aws_found provider_refuse_sso(const struct aws_profile *profile, struct fault *fault)
{
    return aws_source_fail(
        fault, STATUS_RIGHTS,
        "profile '%s' logs in by SSO, which needs a person; give it 'credential_process = aws "
        "configure export-credentials --profile %s' in a profile of its own, or set "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        profile->name, profile->name);
}

static enum aws_found provider_nobody(const struct aws_provider *provider, struct fault *fault)
{
    const struct aws_config *const config = provider->source.config;
    const struct aws_profile *const profile = config->profile;
    const char *const note = provider->source.note;
    return aws_source_fail(
        fault, STATUS_RIGHTS,
        "no AWS credentials: the environment has no AWS_ACCESS_KEY_ID, no "
        "AWS_WEB_IDENTITY_TOKEN_FILE and no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI; "
        "profile '%s' %s; the instance metadata service: %s. Set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or name a profile in AWS_PROFILE, or give the machine a role",
        profile == NULL ? "default" : profile->name,
        profile == NULL ? "is in neither ~/.aws/config nor ~/.aws/credentials"
                        : "has no keys, role_arn or credential_process",
        note[0] == '\0' ? "nothing" : note);
}

static enum aws_found provider_search(struct aws_provider *provider, struct aws_credentials *out,
                                      struct fault *fault)
{
    for (size_t i = 0; i < sizeof provider_chain / sizeof *provider_chain; i++) {
        const struct aws_profile *const profile = provider->source.config->profile;
        if (provider_chain[i] == aws_source_container && provider_is_sso(profile))
            return provider_refuse_sso(profile, fault);
        enum aws_found const found = provider_chain[i](&provider->source, out, fault);
        if (found == AWS_FOUND) provider->fetch = provider_chain[i];
        if (found != AWS_ABSENT) return found;
    }
    return provider_nobody(provider, fault);
}

/* Takes over credentials that were fetched: with the mutex, or before there is a thread. The same keys again
 * (a service that has no newer ones yet) are no new generation. */
static void provider_take(struct aws_provider *provider, struct aws_credentials *fetched)
{
    int64_t const now = provider_now(provider);
    int64_t const life = fetched->expires - now;
    /* A short life has no 15 minutes to spare: then the last quarter of what is left. */
    int64_t const advisory =
        life / 4 < provider->tuning.advisory_seconds ? life / 4 : provider->tuning.advisory_seconds;
    provider->refresh_at = fetched->expires - (advisory > 0 ? advisory : 0);
    bool const same = provider->generation != 0 &&
                      strcmp(fetched->access_key_id, provider->credentials.access_key_id) == 0 &&
                      strcmp(fetched->secret_access_key, provider->credentials.secret_access_key) == 0 &&
                      fetched->expires == provider->credentials.expires;
    if (!same) provider->generation++;
    aws_credentials_wipe(&provider->credentials);
    provider->credentials = *fetched;
    provider->name = fetched->provider;
    *fetched = (struct aws_credentials){0};
}

/* One fetch by the thread; called with the mutex, which it lets go meanwhile. */
static void provider_refresh(struct aws_provider *provider)
{
    struct aws_credentials fetched = {0};
    struct fault fault = {0};
    provider->wanted = false;
    provider->fetching = true;
    pthread_mutex_unlock(&provider->mutex);
    enum aws_found found = provider->fetch(&provider->source, &fetched, &fault);
    pthread_mutex_lock(&provider->mutex);
    provider->fetching = false;
    provider->not_before = aws_source_milliseconds() + provider->tuning.retry_ms;
    provider->failed = found != AWS_FOUND;
    if (found == AWS_FOUND) {
        provider_take(provider, &fetched);
    } else {
        if (found == AWS_ABSENT)
            fault_set(&fault, STATUS_RIGHTS, "%s has no credentials any more", provider->name);
        provider->fault = fault;
    }
}

static bool provider_due(const struct aws_provider *provider)
{
    if (provider->wanted) return true;
    return provider->credentials.expires != 0 && provider_now(provider) >= provider->refresh_at &&
           aws_source_milliseconds() >= provider->not_before;
}

/* Sleeps until something may be due; the clock is asked again at least every look_ms. */
static void provider_sleep(struct aws_provider *provider)
{
    int64_t wait = provider->tuning.look_ms;
    int64_t const to_refresh = provider->refresh_at - provider_now(provider);
    int64_t const to_retry = provider->not_before - aws_source_milliseconds();
    if (provider->credentials.expires != 0) {
        int64_t until = to_refresh > wait / 1000 ? wait : to_refresh * 1000;
        if (to_retry > until) until = to_retry;
        if (until < wait) wait = until > 1 ? until : 1;
    }
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += wait / 1000;
    end.tv_nsec += (wait % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&provider->changed, &provider->mutex, &end);
}

static void *provider_run(void *context)
{
    struct aws_provider *const provider = context;
    pthread_mutex_lock(&provider->mutex);
    while (!atomic_load_explicit(&provider->ending, memory_order_relaxed)) {
        if (provider_due(provider))
            provider_refresh(provider);
        else
            provider_sleep(provider);
    }
    pthread_mutex_unlock(&provider->mutex);
    return NULL;
}

/* Signals are main's: the thread blocks them all. */
static bool provider_start(struct aws_provider *provider)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    provider->threaded = pthread_create(&provider->thread, NULL, provider_run, provider) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return provider->threaded;
}

static bool provider_locks(struct aws_provider *provider)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool const made = pthread_cond_init(&provider->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!made) return false;
    if (pthread_mutex_init(&provider->mutex, NULL) == 0) return true;
    pthread_cond_destroy(&provider->changed);
    return false;
}

/* The first fetch, by the caller; credentials that don't expire need no thread. */
static bool provider_begin(struct aws_provider *provider, struct fault *fault)
{
    struct aws_credentials fetched = {0};
    if (provider_search(provider, &fetched, fault) != AWS_FOUND) return false;
    provider_take(provider, &fetched);
    provider->source.again = true;
    /* From now on only destroy() stops a fetch: a run that was told to stop still needs keys to clean up. */
    provider->stop = NULL;
    if (provider->credentials.expires == 0 || provider_start(provider)) return true;
    fault_set(fault, STATUS_IO, "no thread for the renewal of credentials");
    return false;
}

struct aws_provider *aws_provider_create_tuned(const struct aws_config *config, const char *region,
                                               const char *user_agent, bool (*stop)(void *),
                                               void *stop_context, const struct aws_tuning *tuning,
                                               struct fault *fault)
{
    struct aws_provider *const provider = calloc(1, sizeof *provider);
    if (provider == NULL || !provider_locks(provider)) {
        free(provider);
        fault_set(fault, STATUS_IO, "no memory for credentials");
        return NULL;
    }
    provider->tuning = *tuning;
    provider->stop = stop;
    provider->stop_context = stop_context;
    provider->source = (struct aws_source){.config = config,
                                           .tuning = &provider->tuning,
                                           .region = region,
                                           .user_agent = user_agent,
                                           .stop = provider_stop,
                                           .stop_context = provider};
    if (provider_begin(provider, fault)) return provider;
    aws_provider_destroy(provider);
    return NULL;
}

struct aws_provider *aws_provider_create(const struct aws_config *config, const char *region,
                                         const char *user_agent, bool (*stop)(void *), void *stop_context,
                                         struct fault *fault)
{
    struct aws_tuning const tuning = aws_source_tuning();
    return aws_provider_create_tuned(config, region, user_agent, stop, stop_context, &tuning, fault);
}

void aws_provider_destroy(struct aws_provider *provider)
{
    if (provider == NULL) return;
    pthread_mutex_lock(&provider->mutex);
    atomic_store_explicit(&provider->ending, true, memory_order_relaxed);
    pthread_cond_broadcast(&provider->changed);
    pthread_mutex_unlock(&provider->mutex);
    if (provider->threaded) pthread_join(provider->thread, NULL);
    aws_credentials_wipe(&provider->credentials);
    pthread_cond_destroy(&provider->changed);
    pthread_mutex_destroy(&provider->mutex);
    free(provider);
}

static enum status provider_expired(const struct aws_provider *provider, struct fault *fault)
{
    return fault_set(fault, STATUS_TRY_AGAIN, "the credentials (%s) have expired, and no new ones came: %s",
                     provider->name, provider->failed ? provider->fault.message : "they are being fetched");
}

enum status aws_provider_current(struct aws_provider *provider, struct aws_credentials *out,
                                 uint64_t *generation, struct fault *fault)
{
    enum status status = STATUS_OK;
    *out = (struct aws_credentials){0};
    pthread_mutex_lock(&provider->mutex);
    int64_t const expires = provider->credentials.expires;
    if (expires != 0 && provider_now(provider) >= expires)
        status = provider_expired(provider, fault);
    else if (!aws_credentials_copy(out, &provider->credentials))
        status = fault_set(fault, STATUS_IO, "no memory for a copy of the credentials");
    *generation = provider->generation;
    pthread_mutex_unlock(&provider->mutex);
    return status;
}

bool aws_provider_renew(struct aws_provider *provider, uint64_t generation)
{
    pthread_mutex_lock(&provider->mutex);
    bool const renewable = provider->threaded;
    if (renewable && generation == provider->generation && !provider->fetching) {
        provider->wanted = true;
        pthread_cond_broadcast(&provider->changed);
    }
    pthread_mutex_unlock(&provider->mutex);
    return renewable;
}

bool aws_provider_settled(struct aws_provider *provider)
{
    pthread_mutex_lock(&provider->mutex);
    bool const settled = !provider->fetching && !provider->wanted;
    pthread_mutex_unlock(&provider->mutex);
    return settled;
}

const char *aws_provider_name(struct aws_provider *provider)
{
    pthread_mutex_lock(&provider->mutex);
    const char *const name = provider->name;
    pthread_mutex_unlock(&provider->mutex);
    return name;
}

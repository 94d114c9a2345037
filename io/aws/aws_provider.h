/* aws_provider.h - where credentials come from, and how they stay fresh.
 *
 * The chain (botocore's order, without SSO): environment; a profile that assumes a role (role_arn with
 * source_profile or credential_source, by STS AssumeRole; web_identity_token_file);
 * AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN (AssumeRoleWithWebIdentity, unsigned); keys of the shared
 * files; credential_process; container endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, _FULL_URI with its
 * token: ECS, EKS Pod Identity); IMDSv2 (never v1). The first that has credentials is kept for the run. A
 * provider that is configured but fails ends the search with its error (77, or 75 for what may pass); one
 * that is not there is passed over.
 *
 * aws_provider_create() fetches the first credentials. If they expire, a thread of the provider fetches new
 * ones 15 minutes before they do (or in the last quarter of a shorter life; a failure is tried again, every
 * 30 s) and, one at a time, when aws_provider_renew() says that the server calls them expired.
 *
 * Thread rule: create and destroy by main; current, renew by any thread. One mutex inside. */
#ifndef PENSTOCK_IO_AWS_AWS_PROVIDER_H
#define PENSTOCK_IO_AWS_AWS_PROVIDER_H

#include "core/base/status.h"
#include "io/aws/aws_config.h"
#include "io/aws/aws_credentials.h"

struct aws_provider;

/* `region`: for STS; may be NULL. `user_agent` is kept by reference. STATUS_RIGHTS when nobody has
 * credentials: the message names what was looked at and how to give them. `stop` (may be NULL) is asked while
 * this waits; later fetches end with destroy() alone, since a run that was told to stop still needs keys to
 * clean up. `config` and its environment are read by the provider's thread too. */
struct aws_provider *aws_provider_create(const struct aws_config *config, const char *region,
                                         const char *user_agent, bool (*stop)(void *), void *stop_context,
                                         struct fault *fault);
void aws_provider_destroy(struct aws_provider *provider); /* takes NULL */

/* A copy of the newest credentials, and their generation (from 1). STATUS_TRY_AGAIN: they expired and no new
 * ones came (the fault says why); STATUS_IO: no memory. Never waits for the network. */
enum status aws_provider_current(struct aws_provider *provider, struct aws_credentials *out,
                                 uint64_t *generation, struct fault *fault);

/* The server calls credentials of this generation expired. True: newer ones are there or being fetched (ask
 * current() again in a moment, until the generation is another or settled() says it failed); false: these
 * don't expire (environment, files): asking again is no use. */
bool aws_provider_renew(struct aws_provider *provider, uint64_t generation);
/* Is no fetch under way? */
bool aws_provider_settled(struct aws_provider *provider);

/* "environment", ...: of the credentials in use. A constant text. */
const char *aws_provider_name(struct aws_provider *provider);

/* Region of this EC2 instance by IMDS (placement/region), for who has none. Writes at most `size`; false: no
 * IMDS. */
bool aws_provider_instance_region(const struct aws_config *config, char *out, size_t size);

#endif

/* s3_objects.c - lists objects, one page after the other. Thread: the caller's. Owns its call and the token
 * of the next page. */
#include "io/s3/s3_objects.h"

#include "io/s3/s3_xml_text.h"

#include <stdlib.h>
#include <string.h>

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* A store that encodes keys, as we ask it to, but does not say so (as Ceph RGW 16 does for uploads): a key
 * that has lost the prefix it was asked for. */
static bool is_encoded(const struct s3_answer *answer, const char *prefix)
{
    char key[S3_KEY_MAX + 1];
    for (size_t i = 0; i < answer->object_count; i++)
        if (!begins(answer->objects[i].key, prefix) && s3_xml_text_hidden_key(answer->objects[i].key, key) &&
            begins(key, prefix))
            return true;
    return false;
}

static enum status tell_page(const struct s3_objects_request *request, const struct s3_answer *answer,
                             s3_objects_fn *each, void *context, struct fault *fault)
{
    bool const encoded = is_encoded(answer, request->prefix);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < answer->object_count; i++) {
        struct s3_listed_object object = answer->objects[i];
        char key[S3_KEY_MAX + 1];
        if (encoded && s3_xml_text_hidden_key(object.key, key)) object.key = key;
        status = each(context, &object, fault);
    }
    return status;
}

/* A list that says it goes on where it began would never end. */
static enum status move_on(const struct s3_objects_request *request, const struct s3_answer *answer,
                           char **token, struct fault *fault)
{
    const char *const next = answer->next_list_token;
    if (next == NULL || (*token != NULL && strcmp(*token, next) == 0))
        return fault_set(
            fault, STATUS_IO,
            "ListObjectsV2 s3://%s/%.512s: the store's list does not go on behind one of its pages; "
            "this is the store's mistake: name a smaller prefix, or ask its support",
            request->bucket, request->prefix);
    free(*token);
    *token = strdup(next);
    return *token != NULL ? STATUS_OK : fault_set(fault, STATUS_IO, "S3: no memory left for a list");
}

static enum status run_call(const struct s3_objects_request *request, struct s3_pump_job *job,
                            struct fault *fault)
{
    if (request->port != NULL) return s3_port_run(request->port, &job->call, false, fault);
    s3_pump_submit(request->pump, job);
    s3_pump_await(request->pump, job);
    enum status const status = job->call.verdict == S3_NO_BUCKET ? STATUS_NO_SOURCE : job->call.status;
    return status == STATUS_OK ? STATUS_OK : fault_set(fault, status, "%s", job->call.fault.message);
}

static enum status count_page(const struct s3_objects_request *request, const char *token,
                              struct fault *fault)
{
    if (token == NULL || request->pages_most == 0 || (*request->pages)++ < request->pages_most)
        return STATUS_OK;
    return fault_set(
        fault, STATUS_JOB,
        "s3://%s/%.512s: there are more than %u objects to look through: give another destination, "
        "or remove old ones",
        request->bucket, request->prefix, request->pages_most * S3_LIST_MAX);
}

static enum status list_page(const struct s3_objects_request *request, struct s3_pump_job *job, char **token,
                             s3_objects_fn *each, void *context, bool *more, struct fault *fault)
{
    *job = (struct s3_pump_job){.call.op = {.kind = S3_LIST_OBJECTS,
                                            .prefix = request->prefix,
                                            .list_token = *token,
                                            .list_flat = request->flat,
                                            .list_most = request->page,
                                            .expected_owner = request->expected_owner}};
    const struct s3_call *const call = &job->call;
    enum status status = count_page(request, *token, fault);
    if (status == STATUS_OK) status = run_call(request, job, fault);
    *more = call->answer.truncated && !request->first_page;
    if (status == STATUS_OK) status = tell_page(request, &call->answer, each, context, fault);
    if (status == STATUS_OK && *more) status = move_on(request, &call->answer, token, fault);
    s3_call_free(&job->call);
    return status;
}

enum status s3_objects_list(const struct s3_objects_request *request, s3_objects_fn *each, void *context,
                            struct fault *fault)
{
    char *token = NULL;
    enum status status = STATUS_OK;
    struct s3_pump_job *const job = malloc(sizeof *job); /* some 8 KB: not for the stack */
    if (job == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left for a request");
    for (bool more = true; status == STATUS_OK && more;)
        status = list_page(request, job, &token, each, context, &more, fault);
    free(token);
    free(job);
    return status;
}

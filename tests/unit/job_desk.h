/* job_desk.h - job files as texts, for the tests of io/job: one that is read, one that is refused. */
#ifndef PENSTOCK_TESTS_UNIT_JOB_DESK_H
#define PENSTOCK_TESTS_UNIT_JOB_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/job/job_yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOB_HEAD  "name: acme\n"
#define JOB_ID    "identity: { paths: [ id ] }\n"
#define JOB_BEGIN JOB_HEAD JOB_ID

static inline void load(const char *text, struct job *job)
{
    struct fault fault = {0};
    if (job_load_bytes("jobs/acme.yaml", text, strlen(text), job, &fault) != STATUS_OK)
        fail_msg("%s\nrefused: %s", text, fault.message);
}

static inline void refused(const char *text, const char *message)
{
    struct job job;
    struct fault fault = {0};
    size_t const length = strlen(text);
    char *copy = malloc(length + (length == 0)); /* exact, so that a read behind the end is seen */
    assert_non_null(copy);
    memcpy(copy, text, length);
    enum status const status = job_load_bytes("acme.yaml", copy, length, &job, &fault);
    free(copy);
    if (status != STATUS_JOB) fail_msg("%.300s\nnot refused (%d)", text, (int)status);
    assert_int_equal(fault.status, STATUS_JOB);
    if (strncmp(fault.message, message, strlen(message)) != 0)
        fail_msg("%.300s\nmessage: %s\nwanted:  %s", text, fault.message, message);
    job_free(&job);
}

/* What stands behind JOB_BEGIN, from line 3 on, is refused with the message behind "acme.yaml:". */
static inline void refused_behind(const char *text, const char *message)
{
    char whole[1024], wanted[512];
    assert_true(snprintf(whole, sizeof whole, JOB_BEGIN "%s", text) < (int)sizeof whole);
    snprintf(wanted, sizeof wanted, "acme.yaml:%s", message);
    refused(whole, wanted);
}

#endif

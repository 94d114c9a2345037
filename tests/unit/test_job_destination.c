/* test_job_destination.c - account_id and the keys of the destination: what they become, and every refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/job_desk.h"

#include <stdio.h>

static void reads_all_keys(void **state)
{
    (void)state;
    struct job job;
    load(JOB_BEGIN "account_id: \"123456789012\"\n"
                   "destination:\n  url: S3://acme-pega/DataJobs/\n  region: eu-central-1\n"
                   "  endpoint: https://s3.example.net:9000/base\n  addressing: path\n  if_exists: replace\n"
                   "  sse: aws:kms:dsse\n  kms_key_id: arn:aws:kms:eu-central-1:1:key/x\n"
                   "  storage_class: STANDARD_IA\n  acl: bucket-owner-full-control\n"
                   "  tags: { team: crm, \"cost centre\": \"\" }\n  checksum: crc32c\n",
         &job);
    const struct job_destination *destination = &job.destination;
    assert_string_equal(destination->account_id, "123456789012");
    assert_string_equal(destination->url, "S3://acme-pega/DataJobs/");
    assert_string_equal(destination->region, "eu-central-1");
    assert_string_equal(destination->endpoint, "https://s3.example.net:9000/base");
    assert_int_equal(destination->addressing, JOB_ADDRESSING_PATH);
    assert_int_equal(destination->if_exists, JOB_EXISTS_REPLACE);
    assert_string_equal(destination->sse, "aws:kms:dsse");
    assert_string_equal(destination->kms_key_id, "arn:aws:kms:eu-central-1:1:key/x");
    assert_string_equal(destination->storage_class, "STANDARD_IA");
    assert_string_equal(destination->acl, "bucket-owner-full-control");
    assert_int_equal(destination->tag_count, 2);
    assert_string_equal(destination->tags[0].name, "team");
    assert_string_equal(destination->tags[0].value, "crm");
    assert_string_equal(destination->tags[1].name, "cost centre");
    assert_string_equal(destination->tags[1].value, "");
    assert_int_equal(destination->checksum, CHECKSUM_CRC32C);
    job_free(&job);
}

static void has_defaults(void **state)
{
    (void)state;
    static const char *const texts[] = {
        JOB_BEGIN, JOB_BEGIN "account_id: ~\ndestination: { region: ~, endpoint: null, addressing: auto, "
                             "sse: none, kms_key_id: null,\n"
                             "  storage_class: null, acl: null, tags: {}, checksum: crc64nvme }\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct job job;
        load(texts[i], &job);
        const struct job_destination *destination = &job.destination;
        assert_null(destination->url);
        assert_null(destination->account_id);
        assert_null(destination->region);
        assert_null(destination->endpoint);
        assert_int_equal(destination->addressing, JOB_ADDRESSING_AUTO);
        assert_int_equal(destination->if_exists, JOB_EXISTS_FAIL);
        assert_null(destination->sse);
        assert_null(destination->kms_key_id);
        assert_null(destination->storage_class);
        assert_null(destination->acl);
        assert_int_equal(destination->tag_count, 0);
        assert_int_equal(destination->checksum, CHECKSUM_CRC64NVME);
        job_free(&job);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"account_id: 12345678901\n", "3: account_id: \"12345678901\" is not allowed; the 12 digits"},
        {"account_id: 1234567890123\n", "3: account_id: \"1234567890123\" is not allowed"},
        {"account_id: 12345678901x\n", "3: account_id: \"12345678901x\" is not allowed"},
        {"account_id: [ \"123456789012\" ]\n", "3: account_id: is a list"},
        {"destination: { url: \"\" }\n", "3: destination.url: is empty; a directory, s3://bucket/prefix/"},
        {"destination: { url: \"gs://x/\" }\n", "3: destination.url: \"gs://\" is not a kind of destination"},
        {"destination: { url: \"s3:x\" }\n", "3: destination.url: \"s3:x\" is not a kind of destination"},
        {"destination: { region: EU }\n", "3: destination.region: \"EU\" is not allowed; a region's name"},
        {"destination: { region: \"\" }\n", "3: destination.region: \"\" is not allowed"},
        {"destination: { region: eu.central }\n", "3: destination.region: \"eu.central\" is not allowed"},
        {"destination: { endpoint: s3.example.net }\n",
         "3: destination.endpoint: \"s3.example.net\" is not allowed"},
        {"destination: { endpoint: \"https://u:p@h\" }\n",
         "3: destination.endpoint: holds an @; credentials"},
        {"destination: { addressing: host }\n",
         "3: destination.addressing: \"host\" is not one of auto, virtual"},
        {"destination: { sse: aes256 }\n",
         "3: destination.sse: \"aes256\" is not one of none, AES256, aws:kms"},
        {"destination: { kms_key_id: x }\n",
         "3: destination.kms_key_id: is set, but destination.sse is none"},
        {"destination: { sse: AES256, kms_key_id: x }\n",
         "3: destination.kms_key_id: is set, but destination.sse is AES256"},
        {"destination: { storage_class: cold }\n", "3: destination.storage_class: \"cold\" is not allowed"},
        {"destination: { acl: everybody }\n", "3: destination.acl: \"everybody\" is not one of private, "},
        {"destination: { tags: x }\n", "3: destination.tags: is not a mapping; write { name: value }"},
        {"destination: { tags: { \"\": x } }\n", "3: destination.tags.: is a tag without a name"},
        {"destination: { tags: { a: ~ } }\n", "3: destination.tags.a: has no value; write \"\""},
        {"destination: { tags: { a: [ b ] } }\n", "3: destination.tags.a: is a list"},
        {"destination: { tags: { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1, k: 1 } }\n",
         "3: destination.tags: has 11 tags; S3 allows 10"},
        {"destination: { checksum: md5 }\n",
         "3: destination.checksum: \"md5\" is not one of none, crc64nvme"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], message[512];
        snprintf(text, sizeof text, JOB_BEGIN "%s", cases[i][0]);
        snprintf(message, sizeof message, "acme.yaml:%s", cases[i][1]);
        refused(text, message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_keys),
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

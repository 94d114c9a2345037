/* source_stamp.c - see the header. Pure. Owns nothing. */
#include "io/input/source_stamp.h"

#include <sys/stat.h>

struct source_stamp source_stamp_of(const struct stat *about)
{
    return (struct source_stamp){.size = (uint64_t)about->st_size, .modified = about->st_mtim};
}

enum status source_stamp_shorter(const char *path, uint64_t before, uint64_t now, struct fault *fault)
{
    return fault_set(
        fault, STATUS_IO,
        "%s: became shorter while it was read (%llu bytes instead of %llu): run again once nothing "
        "writes to it any more",
        path, (unsigned long long)now, (unsigned long long)before);
}

enum status source_stamp_check(const char *path, const struct source_stamp *before,
                               const struct source_stamp *now, struct fault *fault)
{
    if (now->size < before->size) return source_stamp_shorter(path, before->size, now->size, fault);
    if (now->size > before->size)
        return fault_set(
            fault, STATUS_IO,
            "%s: changed while it was read (it grew from %llu to %llu bytes): run again once nothing "
            "writes to it any more",
            path, (unsigned long long)before->size, (unsigned long long)now->size);
    if (now->modified.tv_sec != before->modified.tv_sec || now->modified.tv_nsec != before->modified.tv_nsec)
        return fault_set(
            fault, STATUS_IO,
            "%s: changed while it was read (it was modified since): run again once nothing writes to "
            "it any more",
            path);
    return STATUS_OK;
}

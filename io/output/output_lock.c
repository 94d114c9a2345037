/* output_lock.c - flock(2) with a bounded wait. Thread: one. Owns nothing. */
#include "io/output/output_lock.h"

#include "io/output/output_text.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

enum status output_lock_take(const struct output_directory *directory, enum status (*interrupted)(void),
                             struct fault *fault)
{
    struct timespec const pause = {.tv_nsec = OUTPUT_LOCK_LOOK_MS * 1000000l};
    char shown[OUTPUT_TEXT_PRINTABLE];
    for (unsigned looks = 0; looks <= OUTPUT_LOCK_SECONDS * 1000 / OUTPUT_LOCK_LOOK_MS; looks++) {
        enum status const stop = interrupted == NULL ? STATUS_OK : interrupted();
        if (stop != STATUS_OK) return fault_set(fault, stop, "stopped by a signal before the delivery");
        if (flock(directory->fd, LOCK_EX | LOCK_NB) == 0) return STATUS_OK;
        if (errno != EWOULDBLOCK && errno != EINTR) return STATUS_OK; /* no such locks here */
        nanosleep(&pause, NULL);
    }
    return fault_set(fault, STATUS_TRY_AGAIN,
                     "%s: another run of penstock is delivering into this directory (or a program has locked "
                     "it, by flock), for "
                     "more than %u seconds by now: run again when it has ended",
                     output_text_printable(directory->path, shown, sizeof shown), OUTPUT_LOCK_SECONDS);
}

void output_lock_release(const struct output_directory *directory)
{
    flock(directory->fd, LOCK_UN);
}

/* fetch_shelf_inside.h - what a shelf is made of. Private to fetch_shelf.c and fetch_shelf_read.c.
 *
 * Thread rule: all of it is guarded by its mutex, but for the bytes of a slot, which are the client's until
 * its range was taken, and readers' while `readers` counts them. */
#ifndef PENSTOCK_IO_FETCH_FETCH_SHELF_INSIDE_H
#define PENSTOCK_IO_FETCH_FETCH_SHELF_INSIDE_H

#include "io/fetch/fetch_pace.h"
#include "io/fetch/fetch_shelf.h"
#include "io/fetch/fetch_sums.h"

#include <pthread.h>

/* What is marked as read within a range: a bit each. */
#define CELLS 64u

enum slot_state {
    SLOT_FREE,
    SLOT_COMING, /* asked for */
    SLOT_TAKEN,  /* somebody takes it off the network */
    SLOT_HERE,
    SLOT_FAILED
};

struct fetch_slot {
    struct s3_range range; /* its buffer has range_bytes */
    enum slot_state state;
    uint64_t number; /* of its range, over all objects */
    size_t object;
    uint64_t unread;   /* cells */
    uint32_t readers;  /* no other range comes while there are any */
    uint64_t used;     /* when it was read last, by the shelf's clock */
    uint64_t asked_at; /* when its range was asked for, by the shelf's now() */
    bool is_prepared;  /* its buffer */
    struct fault fault;
};

enum proof_state { PROOF_NONE, PROOF_COMING, PROOF_TAKEN, PROOF_HERE };

struct shelved {
    struct s3_object object;
    uint64_t wanted; /* bytes from its begin */
    uint64_t first;  /* number of its first range */
    uint64_t ranges;
    enum proof_state proof;
    struct s3_pump_job *head; /* PROOF_COMING */
    struct fetch_sums sums;
};

struct fetch_shelf {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a slot or a proof is there */
    struct shelved *objects;
    size_t count, room;
    struct fetch_slot *slots;
    uint32_t slot_count;
    size_t range_bytes;
    uint64_t total;         /* ranges of all objects */
    uint64_t asked;         /* ranges before it were asked for */
    size_t asks_of;         /* the object of range `asked` */
    uint64_t highest;       /* behind the last range that was wanted */
    struct fetch_pace pace; /* how many are asked for ahead of it */
    uint64_t clock;         /* readings so far */
    prepare_fn *prepare;
    uint64_t (*now)(void); /* NULL: nobody measures */
    struct fetch_view *views;
    uint32_t readers; /* views */
};

/* fetch_shelf_read.c, under the mutex, which is held but while they wait: */

/* The first to need it takes a range off the network. True: it was it, and the range is there. */
bool fetch_shelf_take(struct fetch_shelf *shelf, struct fetch_slot *slot);
/* Until the object's proof is known, as far as there is one. */
void fetch_shelf_await_proof(struct fetch_shelf *shelf, size_t object);

#endif

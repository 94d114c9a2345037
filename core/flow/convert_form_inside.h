/* convert_form_inside.h - what the parts of a worker's loop over a container share: the way through a shard
 * (convert_form.c), blocks by the index (convert_form_block.c), elements alone (convert_form_element.c), and
 * the container's end (convert_form_end.c).
 *
 * Thread rule: the worker's, on its own struct convert. */
#ifndef PENSTOCK_CORE_FLOW_CONVERT_FORM_INSIDE_H
#define PENSTOCK_CORE_FLOW_CONVERT_FORM_INSIDE_H

#include "core/flow/convert_inside.h"

#define CONVERT_FORM_NOWHERE UINT64_MAX

/* The way through a shard. */
struct form_course {
    uint64_t at;       /* where an element is due, or blanks before it */
    uint64_t first;    /* of the source's elements: nothing of them stands before it */
    uint64_t empty_at; /* where the container may end without an element; CONVERT_FORM_NOWHERE: it has some */
    uint64_t stop;     /* where the course ends; CONVERT_FORM_NOWHERE: not found yet */
    uint64_t stop_from; /* the shard's end: the first mark at or behind it is `stop` */
    uint64_t searched;  /* there is none before this */
    uint64_t counted;   /* line feeds before this are in the tally */
    bool last;          /* nothing of the source comes behind: the container must have ended */
    bool ends;          /* what can be seen goes to the source's end */
    bool closed;        /* the container's end was met, or what stands for it */
    bool wide;          /* the last window showed no end of an element */
};

/* Bytes of the source, and the first of them that are a block: from an element to where another is due. */
struct form_piece {
    const uint8_t *bytes;
    size_t length, block;
    size_t behind; /* bytes that can be seen before these */
    uint64_t offset;
    bool ends; /* the source ends with them */
};

/* The bytes at `at`, of an element or blanks: near the shard's end not more than is likely to be wanted. */
enum status convert_form_show(struct convert *convert, const struct form_course *course, uint64_t at,
                              struct form_piece *piece, struct fault *fault);
/* Looks for course->stop: the first mark at or behind course->searched, in the bytes before `to` and some
 * behind. */
enum status convert_form_search_stop(struct convert *convert, struct form_course *course, uint64_t to,
                                     struct fault *fault);
/* The same in what is at hand. */
void convert_form_see_stop(struct convert *convert, struct form_course *course,
                           const struct form_piece *piece);
/* A guess where the first record of a shard is due; CONVERT_FORM_NOWHERE: none seems to begin in it. */
enum status convert_form_find_begin(struct convert *convert, const struct shard *shard, uint64_t *begin,
                                    struct fault *fault);

/* Does a course that comes to the shard at `begin` end there? So it is when the shard lies before that, and
 * no mark in it: then one that follows was the end of the course before, too. (To look for it from each of
 * many such shards on would take a time that grows with the square of their number.) */
enum status convert_form_is_passed(struct convert *convert, const struct shard *shard, uint64_t begin,
                                   bool *passed, struct fault *fault);

/* The elements of a piece's block; course->at goes to behind it, or to where the bytes at hand were given up.
 */
enum status convert_form_block(struct convert *convert, struct form_course *course,
                               const struct form_piece *piece, struct fault *fault);

/* The element at `at`, with what is at hand if that will do. *reads: it did not, and is not at hand any more.
 */
enum status convert_form_element(struct convert *convert, struct form_course *course,
                                 const struct form_piece *piece, uint64_t at, bool *reads,
                                 struct fault *fault);
/* `--strict`, over all of a map's member but its entity, which is judged for itself: what is wrong with its
 * id, or DEFECT_NOT_AN_OBJECT for what stands around the entity. */
enum defect convert_form_strict(struct convert_tools *tools, const uint8_t *bytes, const uint32_t *token,
                                uint32_t end);
/* Until the turn of the shard at hand. False: the run is being stopped. */
bool convert_form_wait(struct convert *convert);

/* The container was closed before `at`. */
enum status convert_form_close(struct convert *convert, struct form_course *course, uint64_t at,
                               struct fault *fault);
/* The source ends where the container should go on: that counts as a record. */
enum status convert_form_miss_end(struct convert *convert, struct form_course *course, struct fault *fault);
/* Bytes of the source that are refused, whatever they say, with the large lane. */
enum status convert_form_refuse(struct convert *convert, uint64_t offset, uint64_t length, enum defect code,
                                struct fault *fault);

/* Line feeds before `to` go to the tally: of a piece, of bytes that are not at hand. */
void convert_form_count_lines(struct convert *convert, struct form_course *course,
                              const struct form_piece *piece, uint64_t to);
enum status convert_form_count_far(struct convert *convert, struct form_course *course, uint64_t to,
                                   struct fault *fault);

#endif

/* http_queue.c - first come, first served. Pure. Thread: the owner's. Owns the items; requests are borrowed.
 */
#include "io/http/http_queue.h"

#include <stdlib.h>
#include <string.h>

/* A part of each of some connections' worth of files. */
#define ITEMS_FIRST 64u

/* Room for one more at the end: by moving to the begin when half is free, or by more memory. */
static bool make_room(struct http_queue *queue)
{
    if (queue->head + queue->count < queue->size) return true;
    if (queue->head > 0 && queue->count <= queue->size / 2) {
        memmove(queue->items, queue->items + queue->head, queue->count * sizeof *queue->items);
        queue->head = 0;
        return true;
    }
    size_t const size = queue->size == 0 ? ITEMS_FIRST : queue->size * 2;
    struct http_waiting *const items = realloc(queue->items, size * sizeof *items);
    if (items == NULL) return false;
    queue->items = items;
    queue->size = size;
    return true;
}

static void remove_at(struct http_queue *queue, size_t place)
{
    struct http_waiting *const at = queue->items + queue->head + place;
    if (place == 0)
        queue->head++;
    else
        memmove(at, at + 1, (queue->count - place - 1) * sizeof *at);
    if (--queue->count == 0) queue->head = 0;
}

bool http_queue_add(struct http_queue *queue, struct http_request *request, uint64_t now_us)
{
    if (!make_room(queue)) return false;
    queue->items[queue->head + queue->count++] =
        (struct http_waiting){.request = request, .started_us = now_us};
    return true;
}

bool http_queue_take(struct http_queue *queue, struct http_waiting *out)
{
    if (queue->count == 0) return false;
    *out = queue->items[queue->head];
    remove_at(queue, 0);
    return true;
}

/* Its place, or count. */
static size_t find(const struct http_queue *queue, const struct http_request *request)
{
    size_t place = 0;
    while (place < queue->count && queue->items[queue->head + place].request != request)
        place++;
    return place;
}

bool http_queue_holds(const struct http_queue *queue, const struct http_request *request)
{
    return find(queue, request) < queue->count;
}

bool http_queue_leave(struct http_queue *queue, const struct http_request *request)
{
    size_t const place = find(queue, request);
    if (place == queue->count) return false;
    remove_at(queue, place);
    return true;
}

bool http_queue_expire(struct http_queue *queue, uint64_t now_us, struct http_waiting *out)
{
    for (size_t i = 0; i < queue->count; i++) {
        *out = queue->items[queue->head + i];
        uint64_t const timeout_us = (uint64_t)out->request->timeout_ms * 1000;
        if (timeout_us == 0 || now_us - out->started_us < timeout_us) continue;
        remove_at(queue, i);
        return true;
    }
    return false;
}

void http_queue_free(struct http_queue *queue)
{
    free(queue->items);
    *queue = (struct http_queue){0};
}

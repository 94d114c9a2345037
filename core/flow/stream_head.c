/* stream_head.c - see the header. Thread: whoever reads the stream now. Owns nothing. */
#include "core/flow/stream_head.h"

static enum status head_open(struct stream *stream, struct fault *fault)
{
    struct stream_head *const head = stream->self;
    if (head->scan.left == 0) return STATUS_OK;
    head->whole->stopped = stream->stopped;
    head->whole->stopped_context = stream->stopped_context;
    head->is_open = true;
    return head->whole->open(head->whole, fault);
}

static enum status head_read(struct stream *stream, uint8_t *into, size_t room, size_t *length,
                             struct fault *fault)
{
    struct stream_head *const head = stream->self;
    *length = 0;
    if (head->scan.left == 0) return STATUS_OK;
    head->whole->track = stream->track;
    enum status const status = head->whole->read(head->whole, into, room, length, fault);
    stream->damaged = head->whole->damaged;
    stream->form = head->whole->form;
    if (stream->form != NULL) return status; /* whoever cuts it counts its records: stream->wanted */
    if (status == STATUS_OK && sample_scan_bytes(&head->scan, into, *length, 0))
        *length = (size_t)head->scan.end;
    return status;
}

static void head_close(struct stream *stream)
{
    struct stream_head *const head = stream->self;
    if (head->is_open) head->whole->close(head->whole);
    head->is_open = false;
}

void stream_head_start(struct stream_head *head, struct stream *whole, uint64_t records)
{
    *head = (struct stream_head){.whole = whole, .scan.left = records};
    head->port = (struct stream){.self = head,
                                 .name = whole->name,
                                 .wanted = records,
                                 .open = head_open,
                                 .read = head_read,
                                 .close = head_close};
}

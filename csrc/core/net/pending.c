#include "net/pending.h"

#include "base/alloc.h"
#include "wsgibench.h"

int
wb__pending_copy(wb__pending *pending, const char *data, size_t size)
{
    int error = wb__buf_append(&pending->tail, data, size);
    if (error == 0) {
        pending->size += size;
    }
    return error;
}

int
wb__pending_keep(wb__pending *pending, const char *data, size_t size,
                 void *owner)
{
    wb__segment *segment = wb__alloc(sizeof(*segment));
    if (segment == NULL) {
        return WB_NOMEM;
    }
    *segment = (wb__segment) {
        .copied = pending->tail, .data = data, .size = size, .owner = owner
    };
    pending->tail = (wb__buf) { 0 };
    wb__segment **end = &pending->first; /* there are few */
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = segment;
    pending->size += size;
    return 0;
}

int
wb__pending_front(const wb__pending *pending, struct iovec parts[2])
{
    const wb__segment *segment = pending->first;
    const wb__buf *buf = segment == NULL ? &pending->tail : &segment->copied;
    int count = 0;
    if (wb__buf_size(buf) > 0) {
        parts[count++]
            = (struct iovec) { wb__buf_data(buf), wb__buf_size(buf) };
    }
    if (segment != NULL) {
        parts[count++] = (struct iovec) { (void *)(uintptr_t)segment->data,
                                          segment->size };
    }
    return count;
}

static void
finish_first(wb__pending *pending, wb__segment **done)
{
    wb__segment *segment = pending->first;
    pending->first = segment->next;
    wb__buf_free(&segment->copied);
    segment->next = *done;
    *done = segment;
}

static size_t
consume_buf(wb__buf *buf, size_t size)
{
    size_t here = wb__buf_size(buf);
    here = here < size ? here : size;
    if (here > 0) {
        wb__buf_consume(buf, here);
    }
    return here;
}

void
wb__pending_consume(wb__pending *pending, size_t size, wb__segment **done)
{
    pending->size -= size;
    while (pending->first != NULL && size > 0) {
        wb__segment *segment = pending->first;
        size -= consume_buf(&segment->copied, size);
        size_t here = segment->size < size ? segment->size : size;
        segment->data += here;
        segment->size -= here;
        size -= here;
        if (segment->size > 0) {
            return;
        }
        finish_first(pending, done);
    }
    consume_buf(&pending->tail, size);
}

void
wb__pending_free(wb__pending *pending, wb__segment **done)
{
    while (pending->first != NULL) {
        finish_first(pending, done);
    }
    wb__buf_free(&pending->tail);
    pending->size = 0;
}

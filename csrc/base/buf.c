#include "base/buf.h"

#include <string.h>

#include "base/alloc.h"
#include "wsgibench.h"

enum { MIN_CAP = 512 };

int
wb__buf_reserve(wb__buf *buf, size_t more)
{
    size_t size = wb__buf_size(buf);
    if (buf->cap - buf->end >= more) {
        return 0;
    }
    if (more > SIZE_MAX / 4 - size) {
        return WB_NOMEM;
    }
    if (buf->cap >= size + more && buf->start >= size) {
        /* The front half is free: moving down costs no more than it freed. */
        memcpy(buf->data, buf->data + buf->start, size);
        buf->start = 0;
        buf->end = size;
        return 0;
    }
    size_t cap = buf->cap < MIN_CAP ? MIN_CAP : buf->cap;
    while (cap < size + more) {
        cap *= 2;
    }
    char *data = wb__alloc(cap);
    if (data == NULL) {
        return WB_NOMEM;
    }
    if (size > 0) {
        memcpy(data, buf->data + buf->start, size);
    }
    wb__free(buf->data);
    *buf = (wb__buf) { .data = data, .end = size, .cap = cap };
    return 0;
}

int
wb__buf_append(wb__buf *buf, const char *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    int error = wb__buf_reserve(buf, size);
    if (error < 0) {
        return error;
    }
    memcpy(buf->data + buf->end, data, size);
    buf->end += size;
    return 0;
}

void
wb__buf_consume(wb__buf *buf, size_t size)
{
    buf->start += size;
    if (buf->start == buf->end) {
        wb__buf_free(buf);
    }
}

void
wb__buf_free(wb__buf *buf)
{
    wb__free(buf->data);
    *buf = (wb__buf) { 0 };
}

/* Bytes that wait until a client has room for them: copies, and blocks that
 * are kept by reference and given back when they have gone out.
 *
 * Zero-initialised it is empty and owns nothing; emptied it gives its memory
 * back. */
#ifndef WB_PENDING_H
#define WB_PENDING_H

#include <sys/uio.h>

#include "base/buf.h"

/* Copied bytes, then a block kept by reference. */
typedef struct wb__segment {
    struct wb__segment *next;
    wb__buf copied;
    const char *data;
    size_t size;
    void *owner;
} wb__segment;

typedef struct wb__pending {
    wb__segment *first;
    wb__buf tail; /* copied bytes behind the last segment */
    size_t size;  /* of all bytes */
} wb__pending;

/* 0 or WB_NOMEM, and then nothing has changed. */
int wb__pending_copy(wb__pending *pending, const char *data, size_t size);
int wb__pending_keep(wb__pending *pending, const char *data, size_t size,
                     void *owner);
/* The bytes at the front, as one or two parts: how many. */
int wb__pending_front(const wb__pending *pending, struct iovec parts[2]);
/* `size` bytes from the front have gone. Segments that are done go to the
 * front of the list *done. */
void wb__pending_consume(wb__pending *pending, size_t size,
                         wb__segment **done);
void wb__pending_free(wb__pending *pending, wb__segment **done);

#endif

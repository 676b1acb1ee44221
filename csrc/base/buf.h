/* A growable run of bytes that is filled at the end and emptied at the
 * front. Zero-initialised it is empty and owns nothing; emptied it gives its
 * memory back, so that an idle connection holds none. */
#ifndef WB_BUF_H
#define WB_BUF_H

#include <stddef.h>

typedef struct wb__buf {
    char *data; /* owned */
    size_t start, end, cap;
} wb__buf;

static inline size_t
wb__buf_size(const wb__buf *buf)
{
    return buf->end - buf->start;
}

static inline char *
wb__buf_data(const wb__buf *buf)
{
    return buf->data + buf->start;
}

/* Room for `more` bytes at buf->data + buf->end. 0 or WB_NOMEM. */
int wb__buf_reserve(wb__buf *buf, size_t more);
int wb__buf_append(wb__buf *buf, const char *data, size_t size);
/* Drops bytes from the front; frees the memory when none are left. */
void wb__buf_consume(wb__buf *buf, size_t size);
void wb__buf_free(wb__buf *buf);

#endif

/* A connected socket: its descriptor, TLS over it, and the bytes that wait
 * until its client has room. It moves bytes; what becomes of the connection
 * is not decided here. */
#ifndef WB_STREAM_H
#define WB_STREAM_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "net/pending.h"
#include "tls/tls.h"

typedef struct wb__stream {
    wb__tls *tls; /* NULL: plain */
    wb__pending pending;
    int fd;
    uint8_t blocked; /* the kernel refused bytes: wait until it is writable */
    uint8_t guarded; /* wb__stream_guard() */
} wb__stream;

/* What all streams of a server share. */
typedef struct wb__outlet {
    uint64_t bytes; /* sent */
    wb__segment *_Atomic done; /* their owners have not been given back yet */
} wb__outlet;

/* Part of a file that follows the pending bytes. */
typedef struct wb__file {
    int fd; /* or -1: none */
    uint8_t owned; /* a duplicate of our own */
    uint8_t chunked; /* it is one chunk, ended by CRLF */
    int64_t offset, left;
} wb__file;

void wb__file_close(wb__file *file);

/* As recv(2). */
ssize_t wb__stream_receive(const wb__stream *stream, char *data, size_t size);
/* Bytes decrypted and not received yet: no descriptor gets readable. */
int wb__stream_has_more(const wb__stream *stream);
/* A send was wanted by the last receive, as TLS may. */
int wb__stream_wants_room(const wb__stream *stream);

/* Sends, and keeps what the kernel does not take; `hold`: keeps it all. What
 * was kept before goes first. `owner`: of parts[1], as wb_request_write().
 * 0, WB_FULL: it is blocked, or WB_GONE. */
int wb__stream_send(wb__stream *stream, wb__outlet *outlet,
                    struct iovec *parts, int count, int hold, void **owner);
/* Sends what is pending, then the file (or NULL). As above; 0: nothing is
 * left. */
int wb__stream_flush(wb__stream *stream, wb__outlet *outlet, wb__file *file);
/* From the beginning of an answer that ends with the connection until all of
 * it is out: if the process dies in between, the kernel does not close the
 * connection as if the answer were whole, but resets it. */
void wb__stream_guard(wb__stream *stream);
void wb__stream_unguard(wb__stream *stream);
/* Drops what is pending, and ends TLS without a word. The descriptor is the
 * caller's to close. */
void wb__stream_drop(wb__stream *stream, wb__outlet *outlet);
/* Before the descriptor is closed. A reset lets no client take what it got for
 * the whole. Children of this process may have copies of the descriptor: the
 * connection ends all the same. */
void wb__stream_end(const wb__stream *stream, int reset);

#endif

/* A connection: what state it is in, and what it sends. Reading is input.h's.
 *
 * The descriptor is polled through libuv (uv_poll_t) and read and written
 * directly: the first read follows the accept at once, and a connection that
 * is answered and closed in one turn never enters the poll set. */
#ifndef WB_CONN_H
#define WB_CONN_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/buf.h"
#include "http/request_head.h"
#include "net/stream.h"
#include "server/deadline.h"
#include "server/request.h"

/* conn.c has the table of what may follow what. */
enum wb__conn_state {
    WB__CONN_WAITING, /* for a request: nothing or part of a head is here */
    WB__CONN_PROXY,   /* for a PROXY header, which comes before anything */
    WB__CONN_BODY,    /* the body of a request is read */
    WB__CONN_ANSWER,  /* a request is here in full, its answer not yet */
    WB__CONN_SKIP,    /* answered; what is left of its body is dropped */
    WB__CONN_DETACHED, /* the application speaks with the client itself */
    WB__CONN_BROKEN,  /* the body cannot be had; its request is with the
                         caller, and input is dropped */
    WB__CONN_LAST, /* no further request: sends what is left, then closes */
    WB__CONN_LAST_UNREAD, /* the same, but the client may still be sending */
    WB__CONN_LINGER, /* all is sent; input is dropped up to its end */
    WB__CONN_CLOSING, /* over; the thread of the loop must still close it */
    WB__CONN_CLOSED /* over; freed with the last reference to it */
};

/* Bytes of an unread body that are read and dropped to keep a connection. More
 * would cost the server more than a new connection costs the client. */
enum { WB__MAX_REST = 1 << 20 };

typedef struct wb__conn {
    uv_poll_t poll; /* first; valid when `registered` */
    struct wb_server *server;
    struct wb__conn *prev, *next; /* all connections */
    struct wb__conn *next_attention, *next_resumable; /* attention.h */
    wb__timed timed;
    wb__stream stream;
    wb__buf in; /* received, not read yet */
    wb__request *request; /* the one at work, or NULL */
    wb__body *rest; /* of an answered request, to be dropped; or NULL */
    wb__cursor cursor; /* of the next head in `in` */
    uint32_t discarded; /* bytes dropped, up to WB__MAX_REST */
    uint16_t peer_port;
    uint8_t peer_size;
    uint8_t state;
    uint8_t events; /* polled for, UV_READABLE ... */
    uint8_t registered;
    uint8_t in_attention, in_resumable;
    uint8_t trusted; /* what it says of its client counts */
    uint8_t eof; /* the client sends no more */
    char peer[]; /* address as text, "" for AF_UNIX */
} wb__conn;

static inline int
wb__conn_is_open(const wb__conn *conn)
{
    return conn->state < WB__CONN_CLOSING;
}

/* Input is of no interest any more. */
static inline int
wb__conn_drops_input(const wb__conn *conn)
{
    return conn->state >= WB__CONN_BROKEN;
}

/* NULL: no memory. The descriptor stays the caller's then. */
wb__conn *wb__conn_new(struct wb_server *server, int fd,
                       const struct sockaddr_storage *peer);
void wb__conn_become(wb__conn *conn, enum wb__conn_state state);
void wb__conn_arm(wb__conn *conn, enum wb__deadline_kind kind);
/* Brings the poll set in line with what the connection waits for. */
void wb__conn_update(wb__conn *conn);

/* Sends, and keeps what the kernel does not take. `owner`: of parts[1], as
 * wb_request_write(). 0, WB_FULL, WB_GONE. */
int wb__conn_send(wb__conn *conn, struct iovec *parts, int count, int hold,
                  void **owner);
/* Sends what was kept, and the file of the request. 0, WB_FULL: something is
 * left, WB_GONE. */
int wb__conn_flush(wb__conn *conn);
/* "100 Continue", for which the client waits before it sends the body of the
 * request (RFC 9110 10.1.1). As wb__conn_send(). */
int wb__conn_continue(wb__conn *conn);

/* The request at work is answered; the next may be read. `unread`: its client
 * may still be sending its body. */
void wb__conn_answered(wb__conn *conn, int close, int unread);
/* Answers with a status of our own and closes. `data`: what came of a head,
 * for the log. */
void wb__conn_refuse(wb__conn *conn, int status, const char *data,
                     size_t size);
/* Sends what is left, then closes. `unread`: input is dropped first, for a
 * reset would destroy the answer on its way (RFC 9112 9.6). */
void wb__conn_finish(wb__conn *conn, int unread);
/* The last byte is sent. */
void wb__conn_sent_last(wb__conn *conn);
/* Closes now, and with a reset if that cuts an answer off. */
void wb__conn_close(wb__conn *conn);
/* Frees a closed one, unless it is still referred to. */
void wb__conn_release(wb__conn *conn);
/* What was left to the thread that turns the loop. */
void wb__conn_attend(wb__conn *conn);

#endif

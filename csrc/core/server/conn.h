/* A connection: bytes in, requests out; answers in, bytes out.
 *
 * The descriptor is polled through libuv (uv_poll_t) and read and written
 * directly: the first read follows the accept at once, and a connection that
 * is answered and closed in one turn never enters the poll set. */
#ifndef WB_CONN_H
#define WB_CONN_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <uv.h>

#include "base/buf.h"
#include "net/pending.h"
#include "server/deadline.h"
#include "server/request.h"
#include "tls/tls.h"

enum wb__reading {
    WB__READ_HEAD,
    WB__READ_BODY,
    WB__READ_NOTHING, /* a request is complete and not answered yet */
    WB__READ_DISCARD, /* the last answer is out; wait for the client's end */
};

/* Bytes of a body nobody read that are taken in to keep a connection. More
 * would cost the server more than a new connection costs the client. */
enum { WB__MAX_REST = 1 << 20 };

typedef struct wb__conn {
    uv_poll_t poll; /* first; valid when `registered` */
    struct wb_server *server;
    struct wb__conn *prev, *next;        /* all connections */
    struct wb__conn *attention; /* list of those the loop must see */
    wb__timed timed;
    wb__tls *tls; /* NULL: plain */
    wb__buf in; /* received, not understood yet */
    wb__pending out; /* answers the kernel did not take */
    wb__request *request; /* the one at work, or NULL */
    wb__body *rest; /* of an answered request: read and
                       dropped, so that the next one can
                       be found behind it; or NULL */
    size_t scanned; /* of `in`: see wb__lines_split() */
    uint64_t discarded;
    int fd;
    uint16_t hint; /* memo slot of the last head */
    uint8_t dead; /* over; the struct waits for its
                     request and its handle */
    uint8_t doomed; /* dead, and the loop thread must
                       still close it */
    uint8_t reading;
    uint8_t events; /* polled for, UV_READABLE ... */
    uint8_t registered, needs_attention;
    uint8_t trusted; /* what it says of its client counts */
    uint8_t proxy_due; /* a PROXY header comes first */
    uint8_t eof; /* the client sends no more */
    uint8_t close_after; /* close when `out` is empty */
    uint8_t blocked; /* the kernel refused bytes */
    uint8_t linger; /* see wb__conn_end() */
    uint16_t peer_port;
    char peer[]; /* address as text, "" for AF_UNIX */
} wb__conn;

/* Takes the descriptor over (and closes it on failure). */
void wb__conn_open(struct wb_server *server, int fd,
                   const struct sockaddr_storage *peer);
/* Readiness, as libuv tells it. */
void wb__conn_ready(wb__conn *conn, int status, int events);
/* The request at work is answered; the next may start. */
void wb__conn_next(wb__conn *conn, int close);
/* Answers with a status of our own and closes. `data`: what came of a head,
 * for the log. */
void wb__conn_refuse(wb__conn *conn, int status, const char *data,
                     size_t size);
/* Sends what is left, then closes; unread input is drained first, for a reset
 * would destroy the answer on its way (RFC 9112 9.6). */
void wb__conn_end(wb__conn *conn);
/* Closes now, and with a reset if that cuts an answer off. The struct lives on
 * while its request is with the caller. */
void wb__conn_close(wb__conn *conn);
void wb__conn_timeout(wb__conn *conn, enum wb__deadline_kind kind);
/* Frees a closed connection whose request is over. */
void wb__conn_release(wb__conn *conn);
/* libuv has let go of the handle. */
void wb__conn_on_closed(uv_handle_t *handle);
/* Brings the poll set in line with what the connection waits for. */
void wb__conn_update(wb__conn *conn);
void wb__conn_arm(wb__conn *conn, enum wb__deadline_kind kind);

/* understand.c ------------------------------------------------------------ */

/* Reads as much of the bytes as it can; returns how much that was. */
size_t wb__conn_understand(wb__conn *conn, char *data, size_t size);
/* The same with what was received before. */
void wb__conn_understand_kept(wb__conn *conn);

/* output.c ---------------------------------------------------------------- */

/* Sends, and keeps what the kernel does not take. `owner`: of parts[1], as
 * wb_request_write(). 0, WB_FULL, WB_GONE. */
int wb__conn_send(wb__conn *conn, struct iovec *parts, int count, int hold,
                  void **owner);
/* Sends what was kept, and the file of the request. 0, WB_FULL: something is
 * left, WB_GONE. */
int wb__conn_flush(wb__conn *conn);

#endif

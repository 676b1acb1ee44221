/* Answers: every framing decision (Content-Length, chunked, HEAD, 204 and
 * 304, Connection, Date) is taken here, once, for both bindings. */
#ifndef WB_RESPOND_H
#define WB_RESPOND_H

#include <time.h>

#include "base/buf.h"
#include "server/request.h"

enum { WB__HEADS = 16 };

/* A head the application gave before, checked and put into wire form; most
 * applications give the same few again and again. */
typedef struct wb__head {
    char *key;          /* status, then fields, as given; owned */
    uint32_t status_size, key_size, count;
    uint32_t text_size; /* "HTTP/1.1 200 OK\r\nName: value\r\n..." follows
                           the key in the same allocation */
    int status;
    int64_t content_length; /* -1: not given */
    uint8_t has_date, has_server, close;
    /* The whole of it as it last went to a connection that stays, with the
     * Date and the Content-Length it had then; owned, or NULL. */
    char *wire;
    uint32_t wire_size, wire_room;
    time_t wire_second;
    int64_t wire_length;
} wb__head;

typedef struct wb__responder {
    wb__head heads[WB__HEADS];
    wb__buf scratch;    /* one head being put together; kept between uses */
    time_t second;      /* `common` was made for */
    char date[40];
    char common[160];   /* "Server: ...\r\nDate: ...\r\n" */
    uint32_t common_size, server_size;
} wb__responder;

struct wb__conn;

void wb__responder_close(wb__responder *responder);
/* A short plain-text answer of our own, for a message that is refused. The
 * connection will be closed. Returns as wb__conn_send(). */
int wb__respond_plain(struct wb__conn *conn, int status, int is_head);

/* These bytes are the whole answer, head and all. Ends the request. */
void wb__respond_raw(wb__request *request, const char *data, size_t size);

#endif

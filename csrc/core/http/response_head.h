/* The head of a response: checked once, and put into wire form with all that
 * is the server's to say: Date, Server, Connection and the framing of the
 * body. */
#ifndef WB_RESPONSE_HEAD_H
#define WB_RESPONSE_HEAD_H

#include <time.h>

#include "base/buf.h"
#include "wsgibench.h"

enum { WB__HEADS = 16, WB__PLAIN_ROOM = 512 };

/* How the end of the body is marked, RFC 9112 section 6.3. */
enum wb__body_end {
    WB__NONE,   /* no body: HEAD, 204, 304 */
    WB__LENGTH, /* Content-Length */
    WB__CHUNKED,
    WB__UNTIL_CLOSE
};

/* What of the request decides how its response is framed, and what was
 * decided. */
typedef struct wb__answer {
    uint8_t minor_version; /* of the request */
    uint8_t is_head;       /* its method is HEAD */
    uint8_t close;         /* the connection ends with this response */
    uint8_t end;           /* enum wb__body_end */
    int status;
    int64_t left;          /* WB__LENGTH: bytes still to come */
} wb__answer;

/* Where a field stands in a head. */
typedef struct wb__head_field {
    uint32_t start, value, end; /* in the fields as given */
    uint32_t text; /* where its value is in the text, or 0: it is left out */
} wb__head_field;

/* A head the application gave before, checked and put into wire form; most
 * applications give the same few again and again. */
typedef struct wb__head {
    char *key;          /* status, then fields, as given; owned */
    uint32_t status_size, key_size, count;
    uint32_t text_size; /* "HTTP/1.1 200 OK\r\nName: value\r\n..." follows
                           the key in the same allocation */
    int status;
    wb__head_field *fields; /* `count` of them, in the same allocation */
    int64_t content_length; /* -1: not given */
    uint8_t has_date, has_server;
    uint8_t close;          /* the application said so */
    /* The whole of it as it last went to a connection that stays, with the
     * Date and the Content-Length it had then; owned, or NULL. */
    char *wire;
    uint32_t wire_size, wire_room;
    time_t wire_second;
    int64_t wire_length;
} wb__head;

/* What the responses of a server have in common. Zero-initialised it is
 * empty. */
typedef struct wb__responder {
    const char *server_name; /* borrowed; NULL or "": no Server field */
    wb__head heads[WB__HEADS];
    wb__buf scratch; /* one head being put together; kept between uses */
    time_t second; /* `common` was made for */
    char common[160]; /* "Server: ...\r\nDate: ...\r\n" */
    uint32_t common_size, server_size;
} wb__responder;

/* No byte of what the application returns is sent: RFC 9110 15.3.5, 15.3.6,
 * 15.4.5. */
int wb__status_has_no_content(int status);
/* The checked form of this head, from the table or made now (it stays valid
 * until the next call). 0, WB_INVALID or WB_NOMEM. */
int wb__head_find(wb__responder *responder, const wb_head *given,
                  wb__head **out);
/* Decides the framing of the answer, whose `close` is set if anything wants
 * the connection to end, and appends the head to the scratch buffer. `length`
 * of the body, or -1. 0 or WB_NOMEM. */
int wb__head_write(wb__responder *responder, wb__head *head,
                   wb__answer *answer, int64_t length);
/* A short text response of our own into `out`: its size. */
size_t wb__head_plain(wb__responder *responder, char out[WB__PLAIN_ROOM],
                      int status, int is_head);
void wb__responder_close(wb__responder *responder);

#endif

/* A request, from the first byte of its head to the last of its answer.
 *
 * Made by input.c, queued in ready.c, handed over by take.c, answered through
 * respond.c or respond_parts.c, and then again the server's: requests are kept
 * in a free list. */
#ifndef WB_REQUEST_H
#define WB_REQUEST_H

#include "http/block.h"
#include "http/request_line.h"
#include "http/response_head.h"
#include "net/stream.h"
#include "server/body.h"
#include "wsgibench.h"

enum { WB__LINE_INLINE = 512 };

enum wb__stage {
    WB__RECEIVING,
    WB__QUEUED, /* in the ready queue, new or resumed */
    WB__TAKEN   /* with the caller */
};

typedef struct wb__request {
    wb_request pub; /* first: the caller's pointer is ours */
    struct wb_server *server;
    struct wb__conn *conn; /* NULL once it is over */
    struct wb__request *prev, *next; /* ready queue or free list */
    wb__block *block;                /* a reference */
    wb__body *body;                  /* or NULL: none, or empty */
    wb__buf variables;               /* pub.variables; mostly empty */
    uint32_t holds;        /* references of wb_request_hold() */
    uint8_t detached;      /* its connection is the caller's */
    uint8_t over;          /* ended; lives on while it is held */
    uint8_t stage;
    uint8_t gone;          /* the connection ended underneath */
    uint8_t keep_alive;    /* as the client asked */
    uint8_t continue_due;  /* a 100 must be sent before the body is read */
    uint8_t resume_wanted; /* enqueue when the output has drained */
    uint8_t body_status;   /* nonzero: the body failed */

    /* The answer. Kept as it was given until the first byte goes out, when
     * the framing is decided. */
    wb__answer answer;
    uint8_t head_given;
    uint32_t head_count;
    uint32_t status_size; /* head holds the status, then the fields */
    wb__buf head;
    int64_t length; /* as announced by the caller, or -1 */
    uint64_t sent; /* of the body, for the log */
    wb__buf wire_head; /* as it was sent, if the log wants to know */
    uint64_t ready_us, queue_us, duration_us; /* see metrics.h */
    wb__file file; /* being sent; not owned during the caller's call */

    char *line; /* owned when longer than the inline one */
    char line_inline[WB__LINE_INLINE];
} wb__request;

struct wb_server;

/* From the free list or the heap; NULL: no memory. */
wb__request *wb__request_new(struct wb_server *server);
/* The server is done with it (NULL is fine). It lives on while it is held. */
void wb__request_free(wb__request *request);
/* Into one of the caller's calls: takes the lock. WB_FORKED, WB_OVER: not. */
int wb__request_enter(wb__request *request);
/* Copies method, target and the decoded path, so that they outlive the read
 * buffer. Takes over the reference to the block. 0 or WB_NOMEM (then it does
 * not). */
int wb__request_fill(wb__request *request, const char *data,
                     const wb__line *line, wb__block *block);

/* More of what the environ gets beside the fields: name NUL value NUL ..., of
 * which `count` values end here. 0 or WB_NOMEM. */
int wb__request_add_variables(wb__request *request, const char *data,
                              size_t size, uint32_t count);

/* Tells the caller that the body is complete; a thread that holds the request
 * is told in its own calls. */
void wb__request_show_body(wb__request *request);

#endif

/* The access log: lines are gathered and written in blocks.
 *
 * Nothing here waits: a log whose reader does not read, or whose disk is full,
 * holds up neither requests nor the end of the server. What finds no place in
 * the block is lost, counted, and told once. */
#ifndef WB_LOG_H
#define WB_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "server/log_format.h"

enum { WB__LOG_BLOCK = 128 << 10 };

typedef struct wb__log {
    wb__log_format *format; /* NULL: no log */
    char *block;            /* owned; allocated by the first line */
    size_t size;
    uint64_t lost;          /* lines, ever */
    uint64_t lost_told;     /* of them, when it was last said */
    int error;              /* of the last write; 0: it went well */
    uint8_t losing;         /* it has been said that lines are lost */
    time_t second;
    char time[32];          /* "26/Nov/2026:05:00:00" of `second` ... */
    char iso_time[32];      /* ... and "2026-11-26T05:00:00Z" */
} wb__log;

struct wb_server;
struct wb__conn;
struct wb__request;

/* Compiles config.log_format. 0, WB_BADFORMAT or WB_NOMEM. */
int wb__log_open(struct wb_server *server);
void wb__log_request(struct wb_server *server,
                     const struct wb__request *request);
/* A message that the core answers itself, with what came of it so far: the
 * request if it came to that, or its first bytes. */
void wb__log_refused(const struct wb__conn *conn, const char *data,
                     size_t size, int status);
/* That the content of a body could not be kept: to the error log. */
void wb__log_body(struct wb_server *server, int error);
void wb__log_flush(struct wb_server *server);
void wb__log_close(struct wb_server *server);

#endif

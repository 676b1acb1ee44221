/* The access log, in the common or combined format, written in blocks. */
#ifndef WB_LOG_H
#define WB_LOG_H

#include <stddef.h>
#include <time.h>

enum { WB__LOG_BLOCK = 65536 };

typedef struct wb__log {
    char *block; /* owned; allocated by the first line */
    size_t size;
    time_t second;
    char time[32]; /* "21/Nov/2026:05:00:00 +0000" of `second` */
} wb__log;

struct wb_server;
struct wb__request;

void wb__log_request(struct wb_server *server,
                     const struct wb__request *request);
void wb__log_flush(struct wb_server *server);
void wb__log_close(struct wb_server *server);

#endif

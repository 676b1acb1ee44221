/* What takes clocks: how long requests waited and how long they took. Only
 * where config.measure or the log's format asks for it. */
#ifndef WB_METRICS_H
#define WB_METRICS_H

#include <stdint.h>

#include "wsgibench.h"

struct wb_server;
struct wb__request;

typedef struct wb__metrics {
    uint8_t on;         /* clocks are read */
    uint64_t turned_us; /* when the loop's last turn ended */
    uint64_t busy_us;   /* from then to the begin of this one */
    wb_metrics counts;
} wb__metrics;

void wb__metrics_init(struct wb_server *server);
/* Around each turn of the loop. */
void wb__metrics_turn_begins(struct wb_server *server);
void wb__metrics_turn_ended(struct wb_server *server);
/* Its last byte is here. */
void wb__metrics_ready(struct wb_server *server, struct wb__request *request);
/* The caller gets it: the application's call follows. */
void wb__metrics_taken(struct wb_server *server, struct wb__request *request);
/* The answer is out. */
void wb__metrics_answered(struct wb_server *server,
                          struct wb__request *request);
/* Answered by the core itself. */
void wb__metrics_refused(struct wb_server *server, int status);

#endif

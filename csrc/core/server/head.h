/* The head of an answer: from what the application gives to wire form. */
#ifndef WB_HEAD_H
#define WB_HEAD_H

#include "server/respond.h"

struct wb_server;

/* The checked form of this head, from the table or made now (it stays valid
 * until the next call). 0, WB_INVALID or WB_NOMEM. */
int wb__head_find(wb__responder *responder, const wb_head *given,
                  wb__head **out);
/* Decides the framing of the request's answer, and appends the head to the
 * scratch buffer. `length` of the body, or -1. 0 or WB_NOMEM. */
int wb__head_write(struct wb_server *server, wb__request *request,
                   wb__head *head, int64_t length);
void wb__head_free(wb__head *head);
/* "Server: ...\r\nDate: ...\r\n", renewed every second. */
void wb__head_common(struct wb_server *server);

#endif

/* The queue of requests that are ready to be served, or to go on. */
#ifndef WB_READY_H
#define WB_READY_H

#include "server/request.h"
#include "server/server.h"

void wb__ready_add(wb_server *server, wb__request *request);
/* Takes it out, if it is there: it is the caller's. */
void wb__ready_remove(wb_server *server, wb__request *request);

#endif

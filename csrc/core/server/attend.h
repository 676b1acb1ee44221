/* Doing what attention.h keeps a list of. */
#ifndef WB_ATTEND_H
#define WB_ATTEND_H

#include "server/server.h"

/* Reads the requests that wait in the buffers of connections. */
void wb__attend_resumable(wb_server *server);
/* That, and what only the thread that turns the loop may do. */
void wb__attend_all(wb_server *server);

#endif

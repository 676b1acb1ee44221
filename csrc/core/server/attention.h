/* Connections that something is left to be done for: it is done when the
 * callers up the stack are done with them, and by a thread that may. */
#ifndef WB_ATTENTION_H
#define WB_ATTENTION_H

#include "server/conn.h"
#include "server/server.h"

/* Its place in the poll set, or its end: by the thread that turns the
 * loop. */
void wb__attention_add(wb_server *server, wb__conn *conn);
/* The next request, of which bytes have been received: by any thread. */
void wb__attention_resume(wb_server *server, wb__conn *conn);

#endif

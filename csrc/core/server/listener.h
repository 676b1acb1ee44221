/* Accepting connections, and stopping to when there is no room for more. */
#ifndef WB_LISTENER_H
#define WB_LISTENER_H

#include "server/server.h"

int wb__listener_open(wb_server *server); /* 0 or an error */
void wb__listener_pause(wb_server *server);
/* If it may: there is room, and no stop is under way. */
void wb__listener_resume(wb_server *server);
void wb__listener_close(wb_server *server);

#endif

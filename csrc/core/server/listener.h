/* Accepting connections, and stopping to when there is no room for more. */
#ifndef WB_LISTENER_H
#define WB_LISTENER_H

#include "server/server.h"

int wb__listener_open(wb_server *server); /* 0 or an error */
void wb__listener_pause(wb_server *server);
/* If it may: there is room, and the server is not being closed. */
void wb__listener_resume(wb_server *server);
/* 1: no one begins a handshake with it any more. */
int wb__listener_sealed(const wb_server *server);
void wb__listener_close(wb_server *server);

#endif

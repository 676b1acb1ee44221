/* The lock of a server, and who may touch its loop. */
#ifndef WB_LOCK_H
#define WB_LOCK_H

#include "server/server.h"

/* This is a child of the process that made it. */
static inline int
wb__server_forked(const wb_server *server)
{
    return server->process != wb__process_number;
}

int wb__lock_init(wb_server *server); /* 0 or WB_NOMEM */
/* Nothing happens as long as one thread alone calls. */
void wb__server_lock(wb_server *server);
void wb__server_unlock(wb_server *server);
void wb__server_share(wb_server *server); /* from now on several may call */
/* Whether this thread may touch the handles of the loop: it turns the loop,
 * or no thread does. */
int wb__server_on_loop(const wb_server *server);
void wb__server_progress(wb_server *server); /* wakes wb_request_wait() */
/* Gives up a reference that was counted in server->references; frees the
 * memory of a closed server with the last. Without the lock. */
void wb__server_unref(wb_server *server);

#endif

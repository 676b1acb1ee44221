#include "base/posix.h"

#include "server/attention.h"

#include "server/lead.h"
#include "server/lock.h"

void
wb__attention_add(wb_server *server, wb__conn *conn)
{
    if (!conn->in_attention) {
        conn->in_attention = 1;
        conn->next_attention = server->attention;
        server->attention = conn;
    }
    if (!wb__server_on_loop(server)) {
        uv_async_send(&server->async);
    }
}

void
wb__attention_resume(wb_server *server, wb__conn *conn)
{
    if (conn->in_resumable) {
        return;
    }
    conn->in_resumable = 1;
    conn->next_resumable = NULL;
    if (server->resumable_last != NULL) {
        server->resumable_last->next_resumable = conn;
    } else {
        server->resumable_first = conn;
    }
    server->resumable_last = conn;
    if (server->config.threaded) {
        wb__lead_resumed(server);
    } else if (!wb__server_on_loop(server)) {
        uv_async_send(&server->async);
    }
}

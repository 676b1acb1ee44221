#include "base/posix.h"

#include "server/attend.h"

#include "server/input.h"
#include "server/listener.h"

void
wb__attend_resumable(wb_server *server)
{
    /* Only those there now: each may come back to the end of the list. */
    wb__conn *conn = server->resumable_first;
    server->resumable_first = server->resumable_last = NULL;
    while (conn != NULL) {
        wb__conn *next = conn->next_resumable;
        conn->in_resumable = 0;
        wb__input_resume(conn);
        conn = next;
    }
}

void
wb__attend_all(wb_server *server)
{
    wb__attend_resumable(server);
    wb__conn *conn = server->attention;
    server->attention = NULL;
    while (conn != NULL) {
        wb__conn *next = conn->next_attention;
        conn->in_attention = 0;
        wb__conn_attend(conn);
        conn = next;
    }
    if (!server->accepting && server->accept_again == 0) {
        wb__listener_resume(server);
    }
}

#include "base/posix.h"

#include "server/ready.h"

#include "server/lock.h"

void
wb__ready_add(wb_server *server, wb__request *request)
{
    request->stage = WB__QUEUED;
    request->next = NULL;
    request->prev = server->ready_last;
    if (server->ready_last != NULL) {
        server->ready_last->next = request;
    } else {
        server->ready_first = request;
    }
    server->ready_last = request;
    server->ready++;
    if (!server->config.threaded) { /* or lead.c calls who takes it */
        wb__server_progress(server); /* wb_server_poll() may wait for it */
    }
}

void
wb__ready_remove(wb_server *server, wb__request *request)
{
    if (request->stage != WB__QUEUED) {
        return;
    }
    if (request->prev != NULL) {
        request->prev->next = request->next;
    } else {
        server->ready_first = request->next;
    }
    if (request->next != NULL) {
        request->next->prev = request->prev;
    } else {
        server->ready_last = request->prev;
    }
    request->stage = WB__TAKEN;
    server->ready--;
}

#include "base/posix.h"

#include "server/take.h"

#include "base/alloc.h"
#include "server/attend.h"
#include "server/input.h"
#include "server/lead.h"
#include "server/lock.h"
#include "server/metrics.h"
#include "server/ready.h"
#include "server/turn.h"

wb_request *
wb__take(wb_server *server)
{
    if (server->ready_first == NULL && server->resumable_first != NULL) {
        wb__attend_resumable(server);
    }
    wb__request *request = server->ready_first;
    if (request == NULL) {
        return NULL;
    }
    wb__ready_remove(server, request);
    if (request->pub.event == WB_NEW) {
        const wb__conn *conn = request->conn;
        request->pub.peer = conn->peer;
        request->pub.peer_size = conn->peer_size;
        request->pub.peer_port = conn->peer_port;
        server->stats.busy++;
        server->taken_ms = wb__now_ms();
        wb__metrics_taken(server, request);
    }
    return &request->pub;
}

wb_request *
wb_server_take(wb_server *server)
{
    if (wb__server_forked(server)) {
        return NULL;
    }
    wb__server_lock(server);
    wb_request *request = wb__take(server);
    if (!server->config.threaded) {
        wb__turn_count(server);
    } else if (request != NULL) {
        wb__lead_took(server);
    }
    wb__server_unlock(server);
    return request;
}

/* ---- giving back -------------------------------------------------------- */

void *
wb_server_released(wb_server *server)
{
    void *owner = NULL;
    if (atomic_load_explicit(&server->outlet.done, memory_order_relaxed)
        == NULL) {
        return NULL;
    }
    wb__server_lock(server);
    wb__segment *segment
        = atomic_load_explicit(&server->outlet.done, memory_order_relaxed);
    if (segment != NULL) {
        owner = segment->owner;
        atomic_store_explicit(&server->outlet.done, segment->next,
                              memory_order_relaxed);
        wb__free(segment);
    }
    wb__server_unlock(server);
    return owner;
}

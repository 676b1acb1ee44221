#include "base/posix.h"

#include "server/drain.h"

#include "server/attention.h"
#include "server/input.h"
#include "server/lead.h"
#include "server/listener.h"
#include "server/lock.h"
#include "server/tick.h"

enum {
    STEP_MS = 100,
    /* How long a client on a busy machine may be silent: a part of the grace,
     * between these. */
    WARM_PART = 15,
    MIN_WARM_MS = 500,
    MAX_WARM_MS = 2000
};

/* Idle: nothing of a request has come, nothing of an answer waits. */
static int
is_idle(const wb__conn *conn)
{
    return conn->state <= WB__CONN_PROXY && conn->request == NULL
        && wb__buf_size(&conn->in) == 0 && conn->stream.pending.size == 0;
}

/* Who has connected, or got an answer, only just now may have a request on
 * its way, and was not told that no more are welcome. */
static int
is_warm(const wb_server *server, const wb__conn *conn, uint64_t now)
{
    /* Who is idle was given a deadline when that began, if only one of 0. */
    uint64_t length = server->deadlines.length[conn->timed.kind];
    return now < conn->timed.due - length + server->drain_warm;
}

static void
close_idle(wb_server *server)
{
    uint64_t now = wb__now_ms();
    wb__conn *conn = server->conns;
    for (uint32_t n = server->stats.connections; n > 0; n--) {
        wb__conn *next = conn->next;
        if (is_idle(conn) && !is_warm(server, conn, now)) {
            wb__input_read(conn); /* a request in the kernel is answered */
            if (is_idle(conn)) {
                wb__conn_close(conn);
            }
        }
        conn = next;
    }
}

/* A client that is in the middle of its handshake takes itself for connected
 * when its last packet is sent, and is not in the queue before that has come.
 * Where no other client can begin one, the listener is kept for them a little;
 * elsewhere, always one more would come. */
static void
begin_drain(wb_server *server, uint64_t now)
{
    int waits = server->drain_until > now && wb__listener_sealed(server);
    server->draining = 1;
    server->drain_listen = now + (waits ? STEP_MS : 0);
    wb__tick_by(server, now + STEP_MS);
}

void
wb__drain_step(wb_server *server)
{
    int grace = atomic_load(&server->stop_grace);
    if (grace < 0) {
        return;
    }
    uint64_t now = wb__now_ms(), until = now + (uint64_t)grace;
    if (!server->draining) {
        uint64_t warm = (uint64_t)grace / WARM_PART;
        server->drain_warm = warm < MIN_WARM_MS ? MIN_WARM_MS
            : warm > MAX_WARM_MS                ? MAX_WARM_MS
                                                : warm;
        server->drain_until = until;
        begin_drain(server, now);
    } else if (until < server->drain_until) {
        server->drain_until = until;
    }
    if (now >= server->drain_listen || now >= server->drain_until) {
        wb__listener_close(server);
    }
    close_idle(server);
    if (wb__now_ms() >= server->drain_until) {
        while (server->conns != NULL) {
            wb__conn_close(server->conns);
        }
    }
    if (!server->listener_open && server->conns == NULL
        && server->stats.busy == 0 && server->ready == 0) {
        atomic_store(&server->stopped, 1);
        wb__lead_dismiss(server);
    }
}

void
wb_server_stop(wb_server *server, int grace_ms)
{
    int grace = grace_ms < 0 ? 0 : grace_ms;
    if (wb__server_forked(server)) {
        return; /* the eventfd is the parent's, too */
    }
    atomic_store(&server->stop_grace, grace);
    uv_async_send(&server->async);
}

int
wb_server_stopped(wb_server *server)
{
    return wb__server_forked(server) || atomic_load(&server->stopped);
}

/* What a connection takes on and sends: as much as the loop model allows. */
#include "base/posix.h"

#include <errno.h>

#include "conn.h"

static int
has_room(const wl_load *load, const wl__conn *conn)
{
    const wl_config *config = &load->config;
    uint32_t limit = config->close ? 1 : config->per_connection;
    return conn->under_way < config->pipeline && conn->state != WL__DEAF
        && conn->think_ns == 0 && !conn->said_close
        && conn->number < load->users
        && (limit == 0 || conn->taken_here < limit);
}

/* Takes requests that may start now; 0: there are none. */
int
wl__conn_take_on(wl_load *load, wl__conn *conn)
{
    uint64_t intended;
    while (has_room(load, conn) && wl__schedule_take(load, &intended)) {
        uint32_t at = conn->first + conn->under_way;
        at = at < load->config.pipeline ? at : at - load->config.pipeline;
        conn->sent[at] = (wl__sent) { .intended_ns = intended };
        wl__schedule_next(load, &conn->sent[at]);
        if (conn->response.visit != NULL) {
            wl__visit_start(conn->response.visit);
        }
        conn->said_close = load->requests[conn->sent[at].request].closes;
        conn->under_way++;
        conn->unsent++;
        conn->taken_here++;
        load->under_way++;
    }
    return conn->under_way > 0;
}

/* Sends what the kernel takes. A server may answer and close before it has
 * read everything: after a failed send, what came is read, and that decides.
 */
void
wl__conn_transmit(wl_load *load, wl__conn *conn)
{
    wl__batch batch;
    while (conn->unsent > 0 && load->now_ns >= conn->send_at_ns) {
        wl__batch_gather(load, conn, &batch);
        ssize_t n = wl__socket_send(conn, &batch);
        if (n < 0 && errno == EAGAIN) {
            conn->send_at_ns = 0; /* the kernel will say when */
            return;
        }
        if (n < 0) {
            conn->state = WL__DEAF;
            conn->unsent = 0;
            conn->send_at_ns = 0;
            conn->read_at_ns = load->now_ns;
            return;
        }
        int all = wl__batch_account(load, conn, &batch, (size_t)n);
        if (load->config.send_size > 0) {
            conn->send_at_ns = conn->unsent > 0
                ? load->now_ns + load->config.send_gap_ns
                : 0;
        } else if (!all && conn->tls == NULL) {
            return; /* the kernel is full, and will say when it is not */
        }
    }
}

/* Takes on and sends as much as the loop model allows. */
void
wl__conn_pump(wl_load *load, wl__conn *conn)
{
    wl__conn_take_on(load, conn);
    if (conn->unsent > 0) {
        wl__conn_transmit(load, conn);
    }
    if (load->open_loop && conn->state == WL__OPEN && has_room(load, conn)) {
        wl__conn_wait(load, conn);
    }
}

/* Before the connection is known to be there: 1 if it was, and its only
 * request is on its way; else nothing happened. */
int
wl__conn_send_first(wl_load *load, wl__conn *conn)
{
    wl__batch batch;
    if (conn->unsent != 1 || load->tls != NULL || load->slow) {
        return 0;
    }
    load->now_ns = wl__now_ns();
    wl__sent *sent = wl__batch_unsent(load, conn, 0);
    uint64_t before = sent->sent_ns; /* a redirect was followed */
    wl__batch_gather(load, conn, &batch);
    ssize_t n = wl__socket_send(conn, &batch);
    if (n > 0) {
        wl__batch_account(load, conn, &batch, (size_t)n);
    } else {
        sent->sent_ns = before;
    }
    return conn->unsent == 0;
}

/* The end of a connection: what becomes of its requests and its socket, and
 * when it is dialled again. */
#include "base/posix.h"

#include "conn.h"

enum {
    SEGMENT = 1000,     /* bytes that are one segment on every network */
    RESENT_NS = 5000000 /* no timer of TCP's goes off sooner */
};

/* Is each connection one request of one segment? */
static int
is_short(const wl_load *load)
{
    return load->config.close && load->longest <= SEGMENT
        && load->visits == NULL && load->tls == NULL;
}

/* Nothing but time makes the kernel send one segment again: asking how many
 * it was costs a system call. */
static int
may_have_resent(const wl_load *load, const wl__conn *conn)
{
    return !is_short(load) || load->now_ns - conn->connect_ns > RESENT_NS;
}

/* When the peer has answered and closed, nothing is left to be sent but our
 * FIN, which on loopback arrives at once: the socket may go on to the next
 * connection. */
static int
may_reuse(const wl_load *load, const wl__conn *conn)
{
    return conn->ended && load->is_near && is_short(load) && !load->slow
        && !load->ending;
}

void
wl__conn_close(wl_load *load, wl__conn *conn)
{
    if (wl__conn_is_open(conn)) {
        load->opened_now--;
    }
    wb__tls_free(conn->tls);
    conn->tls = NULL;
    if (conn->fd >= 0) {
        if (may_have_resent(load, conn)) {
            load->resent += wl__socket_resent(conn);
        }
        if (!may_reuse(load, conn) || !wl__socket_reuse(conn)) {
            wl__socket_close(conn);
        }
    }
    conn->state = WL__CLOSED;
    conn->ended = 0;
    conn->said_close = 0;
    conn->taken_here = conn->unsent = 0;
    conn->send_offset = 0;
    conn->connect_ns = conn->first_ns = 0;
    conn->send_at_ns = conn->read_at_ns = 0;
    wl__response_reset(&conn->response);
}

/* A connection that is free, for the next request of the open loop. */
void
wl__conn_wait(wl_load *load, wl__conn *conn)
{
    if (!conn->is_idle) {
        uint32_t at = (load->idle_first + load->idle_size++)
            % load->config.connections;
        load->idle[at] = conn;
        conn->is_idle = 1;
    }
}

/* When it is closed: what next? */
void
wl__conn_dial_later(wl_load *load, wl__conn *conn, uint64_t at_ns)
{
    if (load->on_demand && conn->under_way == 0) {
        wl__conn_wait(load, conn);
    } else {
        conn->retry_ns = at_ns;
    }
}

void
wl__conn_hang_up(wl_load *load, wl__conn *conn)
{
    wl__conn_close(load, conn);
    wl__conn_dial_later(load, conn, load->now_ns);
}

/* RFC 9112 9.6: a server that said close has read none of the requests behind
 * that answer, so they are sent again, on another connection. */
void
wl__conn_carry_over(wl_load *load, wl__conn *conn)
{
    uint32_t count = conn->under_way;
    load->sent_again += count - conn->unsent;
    wl__conn_hang_up(load, conn);
    conn->unsent = conn->taken_here = count;
    for (uint32_t i = 0; i < count; i++) {
        wl__sent *sent = wl__batch_unsent(load, conn, i);
        sent->sent_ns = 0;
        conn->said_close |= load->requests[sent->request].closes;
    }
}

static void
sample_what_came(wl_load *load, const wl__conn *conn, enum wl__class class)
{
    if (conn->under_way > 0
        && (class == WL__TIMEOUT || class == WL__EARLY_EOF
            || class == WL__RESET)) {
        wl__record_sample(load, conn, class, conn->response.kept,
                          conn->response.kept_size);
    }
}

void
wl__conn_fail(wl_load *load, wl__conn *conn, enum wl__class class)
{
    sample_what_came(load, conn, class);
    load->under_way -= conn->under_way;
    for (; conn->under_way > 0; conn->under_way--) {
        const wl__sent *sent = &conn->sent[conn->first];
        wl__record_failed(load, class, sent);
        conn->first = (conn->first + 1) % load->config.pipeline;
    }
    wl__conn_hang_up(load, conn);
}

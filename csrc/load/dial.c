/* Connecting: from connect(2) over the TLS handshake to the first request, or
 * to the next address. */
#include "base/posix.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "conn.h"

enum {
    RETRY_NS = 10000000, /* after a refused connect */
    FULL_NS = 1000000    /* after a full backlog (unix sockets) */
};

/* No descriptor or no port left: not the server's doing. The run ends. */
static int
is_ours(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS
        || error == ENOMEM || error == EADDRNOTAVAIL || error == EACCES
        || error == EPERM;
}

/* The same dial goes on with another socket. */
static void
undo_dial(wl__conn *conn)
{
    wl__socket_close(conn);
    conn->state = WL__CLOSED;
}

/* In the open loop a connection may be dialled without a request; then one
 * that waits ends with it, or a dead server would look like an idle one. */
void
wl__conn_give_up(wl_load *load, wl__conn *conn, enum wl__class class)
{
    if (conn->under_way == 0) {
        wl__conn_take_on(load, conn);
    }
    conn->failed_addresses = 0;
    wl__conn_fail(load, conn, class);
    if (conn->retry_ns != 0) {
        conn->retry_ns = load->now_ns + RETRY_NS;
    }
}

/* The next address, and only after the last of them the request's failure. */
static void
dial_failed(wl_load *load, wl__conn *conn, int error)
{
    int last = ++conn->failed_addresses >= load->address_count;
    conn->address = (uint8_t)((conn->address + 1u) % load->address_count);
    if (!last) {
        undo_dial(conn);
        conn->retry_ns = load->now_ns;
    } else if (is_ours(error)) {
        load->error = -error;
        wl__conn_fail(load, conn, WL__UNSENT);
    } else {
        wl__conn_give_up(load, conn, WL__REFUSED);
    }
}

static void
opened(wl_load *load, wl__conn *conn)
{
    conn->state = WL__OPEN;
    conn->failed_addresses = 0;
    load->established++;
    load->opened_now++;
    if (load->opened_now > load->opened_most) {
        load->opened_most = load->opened_now;
    }
    wl__histogram_record(&load->connect, load->now_ns - conn->connect_ns);
    wl__conn_pump(load, conn);
}

static void
shake_hands(wl_load *load, wl__conn *conn)
{
    char reason[WL__SAMPLE_ROOM];
    int done = wb__tls_handshake(conn->tls);
    if (done > 0) {
        load->now_ns = wl__now_ns();
        opened(load, conn);
    } else if (done < 0) {
        wb__tls_reason(conn->tls, reason, sizeof(reason));
        wl__record_sample(load, conn, WL__REFUSED, reason, strlen(reason));
        wl__conn_give_up(load, conn, WL__REFUSED);
    }
}

static void
connected(wl_load *load, wl__conn *conn)
{
    if (load->tls == NULL) {
        opened(load, conn);
        return;
    }
    conn->state = WL__SHAKING;
    conn->tls = wb__tls_new(load->tls, conn->fd);
    if (conn->tls == NULL) {
        dial_failed(load, conn, ENOMEM);
        return;
    }
    shake_hands(load, conn);
}

/* The closed loop dials with its first requests in hand, so that connecting
 * is part of their response time; with none left it does not dial. */
void
wl__conn_dial(wl_load *load, wl__conn *conn)
{
    conn->retry_ns = 0;
    if (!load->open_loop && conn->under_way == 0
        && !wl__conn_take_on(load, conn)) {
        return;
    }
    if (conn->connect_ns == 0) {
        conn->connect_ns = load->now_ns;
        load->connects++;
    }
    conn->state = WL__CONNECTING;
    int failed = wl__socket_connect(load, conn);
    if (failed < 0 && errno == EAGAIN) {
        undo_dial(conn);
        conn->retry_ns = load->now_ns + FULL_NS;
        return;
    }
    if (failed < 0 && errno != EINPROGRESS) {
        dial_failed(load, conn, errno);
        return;
    }
    /* To a near server the connection is there already. */
    int said
        = failed < 0 && load->config.close && wl__conn_send_first(load, conn);
    if (wl__socket_watch(load, conn, said ? 0 : EPOLLOUT) < 0) {
        dial_failed(load, conn, errno);
    } else if (said) {
        opened(load, conn);
    } else if (failed == 0) {
        connected(load, conn);
    }
}

void
wl__conn_connecting(wl_load *load, wl__conn *conn, uint32_t events)
{
    load->now_ns = wl__now_ns();
    if (conn->state == WL__SHAKING) {
        shake_hands(load, conn);
    } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        dial_failed(load, conn, wl__socket_error(conn));
    } else if ((events & EPOLLOUT) != 0) {
        connected(load, conn);
    }
}

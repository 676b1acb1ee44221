/* The life of one connection: what wakes it, and how it ends. */
#include "base/posix.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

uint64_t
wl__conn_resent(const wl__conn *conn)
{
    struct tcp_info info = { .tcpi_total_retrans = 0 };
    socklen_t size = sizeof(info);
    if (conn->fd < 0
        || getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) {
        return 0; /* a unix socket has none */
    }
    return info.tcpi_total_retrans;
}

void
wl__conn_close(wl_load *load, wl__conn *conn)
{
    load->opened_now -= conn->state == WL__OPEN;
    wb__tls_free(conn->tls);
    conn->tls = NULL;
    if (conn->fd >= 0) {
        load->resent += wl__conn_resent(conn);
        close(conn->fd);
        conn->fd = -1;
    }
    conn->state = WL__CLOSED;
    conn->dead = conn->readable = 0;
    conn->taken_here = conn->unsent = conn->send_offset = 0;
    conn->connect_ns = conn->first_ns = 0;
    conn->send_at_ns = conn->read_at_ns = 0;
    wl__response_reset(&conn->response);
}

static void
wait_for_work(wl_load *load, wl__conn *conn)
{
    if (!conn->is_idle) {
        uint32_t at = (load->idle_first + load->idle_size++)
            % load->config.connections;
        load->idle[at] = conn;
        conn->is_idle = 1;
    }
}

void
wl__conn_hang_up(wl_load *load, wl__conn *conn)
{
    wl__conn_close(load, conn);
    if (load->ending) {
        return;
    }
    if (load->on_demand) {
        wait_for_work(load, conn);
    } else {
        wl__conn_dial(load, conn);
    }
}

static void
give_up(wl_load *load, wl__conn *conn, enum wl__class class)
{
    load->under_way -= conn->under_way;
    for (; conn->under_way > 0; conn->under_way--) {
        wl__record_failed(load, class, &conn->sent[conn->first]);
        if (class == WL__TIMEOUT || class == WL__CONNECT_TIMEOUT
            || class == WL__UNSENT || class == WL__IN_FLIGHT) {
            wl__record_censored(load, &conn->sent[conn->first]);
        }
        conn->first = (conn->first + 1) % load->config.pipeline;
    }
}

/* Marks it to be dialled again. */
void
wl__conn_fail(wl_load *load, wl__conn *conn, enum wl__class class)
{
    give_up(load, conn, class);
    wl__conn_close(load, conn);
    if (load->on_demand) {
        wait_for_work(load, conn);
    } else {
        conn->again = 1;
        conn->retry_ns = load->now_ns;
    }
}

static void
work(wl_load *load, wl__conn *conn, uint32_t events)
{
    if (conn->state == WL__CONNECTING || conn->state == WL__SHAKING) {
        load->now_ns = wl__now_ns();
        wl__conn_connecting(load, conn, events);
    }
    if (conn->state == WL__OPEN && (events & EPOLLOUT) != 0
        && conn->unsent > 0) {
        load->now_ns = wl__now_ns();
        wl__transmit(load, conn);
    }
    if (conn->state == WL__OPEN
        && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        wl__receive(load, conn, events);
    }
}

void
wl__conn_ready(wl_load *load, wl__conn *conn, uint32_t events)
{
    work(load, conn, events);
    /* Here and not in wl__conn_fail(): a failure while dialling must not dial
     * again from within. */
    if (conn->again && conn->retry_ns <= load->now_ns && !load->ending) {
        wl__conn_dial(load, conn);
    }
}

/* ---- what no event announces -------------------------------------------- */

static void
expire(wl_load *load, wl__conn *conn)
{
    uint64_t limit = load->config.timeout_ns;
    if (conn->state == WL__OPEN) {
        uint64_t sent = conn->sent[conn->first].sent_ns;
        if (conn->under_way > 0 && sent > 0 && load->now_ns - sent > limit) {
            wl__conn_fail(load, conn, WL__TIMEOUT);
        }
    } else if (conn->connect_ns > 0
               && load->now_ns - conn->connect_ns > limit) {
        if (conn->under_way == 0) {
            wl__take_on(load, conn);
        }
        wl__conn_fail(load, conn, WL__CONNECT_TIMEOUT);
    }
}

void
wl__conn_tick(wl_load *load, wl__conn *conn)
{
    expire(load, conn);
    if (conn->again && load->now_ns >= conn->retry_ns
        && (!load->ending || conn->under_way > 0)) {
        wl__conn_dial(load, conn);
    }
    if (conn->state == WL__OPEN && conn->unsent > 0 && conn->send_at_ns > 0
        && load->now_ns >= conn->send_at_ns) {
        wl__transmit(load, conn);
    }
    if (conn->state == WL__OPEN && conn->readable
        && load->now_ns >= conn->read_at_ns) {
        wl__receive(load, conn, EPOLLIN);
    }
}

/* One connection, from dialling to its end, over and over.
 *
 *   CLOSED      waits for work, or to be dialled at retry_ns
 *     -> CONNECTING   wl__conn_dial()
 *   CONNECTING  connect(2) is under way
 *     -> SHAKING      connected(), with TLS
 *     -> OPEN         connected(), without
 *   SHAKING     the TLS handshake is under way
 *     -> OPEN         shake_hands()
 *   OPEN        requests go out, answers come in
 *     -> DEAF         wl__conn_transmit(): the peer takes nothing more
 *   DEAF        what the peer sent before it closed is still read
 *   all         -> CLOSED   wl__conn_close()
 *
 * Nothing here calls itself again: a connection that ends is dialled by
 * settle(), which ends whatever woke it. What is to be done later stands in
 * retry_ns, send_at_ns, read_at_ns or think_ns (0: nothing), and settle()
 * sets the timer for the first of them. */
#include "base/posix.h"

#include <sys/epoll.h>

#include "conn.h"

enum {
    STEPS = 4 /* of settle(), before others have a turn */
};

static uint64_t
sooner(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Ends whatever woke it: dials what was closed, reads what is left of a deaf
 * one, and sets the timer for what is to be done later. */
static void
settle(wl_load *load, wl__conn *conn)
{
    if ((conn->retry_ns | conn->send_at_ns | conn->read_at_ns | conn->think_ns)
            == 0
        && conn->timer == 0) {
        return;
    }
    int work = load->ending == 0 || conn->under_way > 0;
    for (int i = 0; i < STEPS; i++) {
        if (conn->state == WL__CLOSED && conn->retry_ns != 0 && work
            && conn->think_ns == 0 && conn->retry_ns <= load->now_ns) {
            wl__conn_dial(load, conn);
        } else if (conn->state == WL__DEAF && conn->read_at_ns != 0
                   && conn->read_at_ns <= load->now_ns) {
            wl__conn_receive(load, conn, EPOLLRDHUP);
        } else {
            break;
        }
    }
    uint64_t due = sooner(conn->send_at_ns, conn->read_at_ns);
    due = sooner(due, work ? conn->think_ns : 0);
    if (conn->state == WL__CLOSED && conn->think_ns == 0) {
        due = sooner(due, work ? conn->retry_ns : 0);
    }
    wl__timer_set(load, conn, due);
}

void
wl__conn_start(wl_load *load, wl__conn *conn)
{
    uint64_t number
        = (uint64_t)conn->number * load->config.parts + load->config.part;
    conn->address = (uint8_t)(number % load->address_count);
    wl__conn_dial_later(load, conn, load->now_ns);
    settle(load, conn);
}

void
wl__conn_event(wl_load *load, wl__conn *conn, uint32_t events)
{
    if (conn->state == WL__CONNECTING || conn->state == WL__SHAKING) {
        wl__conn_connecting(load, conn, events);
    }
    if (conn->state == WL__OPEN && (events & EPOLLOUT) != 0
        && conn->unsent > 0) {
        load->now_ns = wl__now_ns();
        wl__conn_transmit(load, conn);
    }
    if (wl__conn_is_open(conn)
        && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0
        && load->now_ns >= conn->read_at_ns) {
        wl__conn_receive(load, conn, events);
    }
    settle(load, conn);
}

void
wl__conn_timer(wl_load *load, wl__conn *conn)
{
    if (conn->think_ns != 0 && conn->think_ns <= load->now_ns) {
        conn->think_ns = 0;
        if (conn->state == WL__OPEN) {
            wl__conn_pump(load, conn);
        }
    }
    if (conn->state == WL__OPEN && conn->send_at_ns != 0
        && conn->send_at_ns <= load->now_ns) {
        wl__conn_transmit(load, conn);
    }
    if (wl__conn_is_open(conn) && conn->read_at_ns != 0
        && conn->read_at_ns <= load->now_ns) {
        wl__conn_receive(load, conn, EPOLLIN);
    }
    settle(load, conn);
}

void
wl__conn_wake(wl_load *load, wl__conn *conn)
{
    if (conn->state == WL__OPEN) {
        wl__conn_pump(load, conn);
    } else if (conn->state == WL__CLOSED && conn->under_way == 0) {
        wl__conn_dial_later(load, conn, load->now_ns);
    }
    settle(load, conn);
}

void
wl__conn_check(wl_load *load, wl__conn *conn)
{
    uint64_t limit = load->config.timeout_ns;
    if (wl__conn_is_open(conn) && conn->number >= load->users
        && conn->under_way == 0) {
        wl__conn_close(load, conn);
    }
    if (wl__conn_is_open(conn)) {
        uint64_t sent = conn->sent[conn->first].sent_ns;
        if (conn->under_way > 0 && sent > 0 && load->now_ns - sent > limit) {
            wl__conn_fail(load, conn, WL__TIMEOUT);
        }
    } else if (conn->connect_ns > 0
               && load->now_ns - conn->connect_ns > limit) {
        conn->address = (uint8_t)((conn->address + 1u) % load->address_count);
        wl__conn_give_up(load, conn, WL__CONNECT_TIMEOUT);
    }
    settle(load, conn);
}

/* ---- open loop ---------------------------------------------------------- */

static wl__conn *
next_idle(wl_load *load)
{
    while (load->idle_size > 0) {
        wl__conn *conn = load->idle[load->idle_first];
        load->idle_first = (load->idle_first + 1) % load->config.connections;
        load->idle_size--;
        conn->is_idle = 0;
        if (conn->state == WL__OPEN
            || (load->on_demand && conn->state == WL__CLOSED
                && conn->retry_ns == 0)) {
            return conn;
        }
    }
    return NULL;
}

/* Longest idle first, so that all connections are used. */
void
wl__conn_feed(wl_load *load)
{
    while (load->queue_size > 0) {
        wl__conn *conn = next_idle(load);
        if (conn == NULL) {
            break;
        }
        load->now_ns = wl__now_ns();
        if (conn->state == WL__OPEN) {
            wl__conn_pump(load, conn);
        } else if (wl__conn_take_on(load, conn)) {
            conn->retry_ns = load->now_ns;
        }
        settle(load, conn);
    }
    wl__schedule_starved(load);
}

/* From what is due to bytes on the wire. */
#include "base/posix.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "load.h"

/* ---- taking on ---------------------------------------------------------- */

static uint32_t
next_request(wl_load *load)
{
    const wl_config *config = &load->config;
    uint64_t at = load->request_at++;
    if (config->order_count > 0) {
        return config->order[at % config->order_count];
    }
    return config->request_count == 1 ? 0
                                      : (uint32_t)(at % config->request_count);
}

static int
has_room(const wl_load *load, const wl__conn *conn)
{
    const wl_config *config = &load->config;
    uint32_t limit = config->close ? 1 : config->per_connection;
    return conn->under_way < config->pipeline && !conn->dead
        && (limit == 0 || conn->taken_here < limit);
}

int
wl__take_on(wl_load *load, wl__conn *conn)
{
    uint64_t intended;
    while (has_room(load, conn) && wl__schedule_take(load, &intended)) {
        uint32_t at = conn->first + conn->under_way;
        at = at < load->config.pipeline ? at : at - load->config.pipeline;
        conn->sent[at] = (wl__sent) { .intended_ns = intended,
                                      .request = next_request(load) };
        conn->under_way++;
        conn->unsent++;
        conn->taken_here++;
        load->under_way++;
    }
    return conn->under_way > 0;
}

/* ---- sending ------------------------------------------------------------ */

static struct iovec
text_of(const wl_load *load, uint32_t request)
{
    const wl_config *config = &load->config;
    uint32_t start = request == 0 ? 0 : config->request_ends[request - 1];
    return (struct iovec) {
        .iov_base = (void *)(uintptr_t)(config->request + start),
        .iov_len = config->request_ends[request] - start,
    };
}

static wl__sent *
unsent_at(const wl_load *load, const wl__conn *conn, uint32_t offset)
{
    uint32_t at = conn->first + conn->under_way - conn->unsent + offset;
    return &conn->sent[at % load->config.pipeline];
}

/* What is to be sent next, and when each of it was: now. */
static int
gather(wl_load *load, wl__conn *conn, struct iovec *pieces)
{
    uint32_t count = conn->unsent < WL__GATHER ? conn->unsent : WL__GATHER;
    if (load->config.send_size > 0 || conn->tls != NULL) {
        count = 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        wl__sent *sent = unsent_at(load, conn, i);
        pieces[i] = text_of(load, sent->request);
        if (sent->sent_ns == 0) {
            sent->sent_ns = load->now_ns;
        }
    }
    pieces[0].iov_base = (char *)pieces[0].iov_base + conn->send_offset;
    pieces[0].iov_len -= conn->send_offset;
    uint32_t most = load->config.send_size;
    if (most > 0 && pieces[0].iov_len > most) {
        pieces[0].iov_len = most;
    }
    return (int)count;
}

static ssize_t
send_pieces(const wl__conn *conn, struct iovec *pieces, int count)
{
    if (conn->tls != NULL) {
        return wb__tls_send(conn->tls, pieces[0].iov_base, pieces[0].iov_len);
    }
    if (count == 1) {
        return send(conn->fd, pieces[0].iov_base, pieces[0].iov_len,
                    MSG_NOSIGNAL);
    }
    struct msghdr message = { .msg_iov = pieces, .msg_iovlen = (size_t)count };
    return sendmsg(conn->fd, &message, MSG_NOSIGNAL);
}

static void
account(wl_load *load, wl__conn *conn, size_t sent)
{
    load->bytes_out += sent;
    sent += conn->send_offset;
    while (conn->unsent > 0) {
        size_t size = text_of(load, unsent_at(load, conn, 0)->request).iov_len;
        if (sent < size) {
            break;
        }
        sent -= size;
        conn->unsent--;
    }
    conn->send_offset = (uint32_t)sent;
}

/* A server may answer and close before it has read everything: after a
 * failed send, what came is read, and that decides. */
void
wl__transmit(wl_load *load, wl__conn *conn)
{
    struct iovec pieces[WL__GATHER];
    while (conn->unsent > 0 && load->now_ns >= conn->send_at_ns) {
        int count = gather(load, conn, pieces);
        size_t size = 0;
        for (int i = 0; i < count; i++) {
            size += pieces[i].iov_len;
        }
        ssize_t n = send_pieces(conn, pieces, count);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n < 0) {
            conn->dead = 1;
            conn->unsent = 0;
            wl__receive(load, conn, EPOLLRDHUP);
            return;
        }
        account(load, conn, (size_t)n);
        if (load->config.send_size > 0) {
            conn->send_at_ns = load->now_ns + load->config.send_gap_ns;
        } else if ((size_t)n < size && conn->tls == NULL) {
            return; /* the kernel is full, and will say when it is not */
        }
    }
}

int
wl__send_first(wl_load *load, wl__conn *conn)
{
    struct iovec pieces[WL__GATHER];
    if (conn->unsent != 1 || load->tls != NULL || load->slow) {
        return 0;
    }
    load->now_ns = wl__now_ns();
    gather(load, conn, pieces);
    ssize_t n = send_pieces(conn, pieces, 1);
    if (n > 0) {
        account(load, conn, (size_t)n);
    } else {
        unsent_at(load, conn, 0)->sent_ns = 0;
    }
    return conn->unsent == 0;
}

void
wl__pump(wl_load *load, wl__conn *conn)
{
    wl__take_on(load, conn);
    if (conn->unsent > 0) {
        wl__transmit(load, conn);
    }
    if (load->config.rate > 0 && conn->state == WL__OPEN && !conn->is_idle
        && has_room(load, conn)) {
        uint32_t at = (load->idle_first + load->idle_size++)
            % load->config.connections;
        load->idle[at] = conn;
        conn->is_idle = 1;
    }
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
            || (load->on_demand && conn->state == WL__CLOSED)) {
            return conn;
        }
    }
    return NULL;
}

/* Longest idle first, so that all connections are used. */
void
wl__feed(wl_load *load)
{
    while (load->queue_size > 0) {
        wl__conn *conn = next_idle(load);
        if (conn == NULL) {
            break;
        }
        load->now_ns = wl__now_ns();
        if (conn->state == WL__OPEN) {
            wl__pump(load, conn);
        } else if (wl__take_on(load, conn)) {
            wl__conn_dial(load, conn);
        }
    }
    /* Whoever finds no connection is in time or late all the same. */
    for (uint64_t i = load->starved; i < load->queue_size; i++) {
        uint64_t at = (load->queue_first + i) % load->queue_cap;
        wl__histogram_record(&load->lag, load->now_ns - load->queue[at]);
    }
    load->starved_total += load->queue_size - load->starved;
    load->starved = load->queue_size;
}

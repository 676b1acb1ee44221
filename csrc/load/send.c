/* From what is due to bytes on the wire. */
#include "base/posix.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "load.h"

/* ---- taking on ---------------------------------------------------------- */

void
wl__next_request(wl_load *load, wl__sent *sent)
{
    uint64_t number
        = load->request_at++ * load->config.parts + load->config.part;
    sent->number = number;
    sent->request = load->order != NULL
        ? load->order[number % load->order_count]
        : load->request_count == 1 ? 0
                                   : (uint32_t)(number % load->request_count);
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
        conn->sent[at] = (wl__sent) { .intended_ns = intended };
        wl__next_request(load, &conn->sent[at]);
        conn->under_way++;
        conn->unsent++;
        conn->taken_here++;
        load->under_way++;
    }
    return conn->under_way > 0;
}

/* ---- sending ------------------------------------------------------------ */

/* What goes out next: the requests of `sizes`, less what was sent before. */
typedef struct batch {
    struct iovec pieces[WL__GATHER];
    size_t sizes[WL__GATHER]; /* of the whole requests */
    int count;
} batch;

/* The request's bytes: its own, or made in `room`. */
static struct iovec
bytes_of(const wl_load *load, const wl__conn *conn, const wl__sent *sent,
         char *room)
{
    const wl__request *request = &load->requests[sent->request];
    if (request->is_fixed) {
        return (struct iovec) {
            .iov_base = (void *)(uintptr_t)request->pieces[0].text,
            .iov_len = request->pieces[0].size,
        };
    }
    const wl__turn turn = {
        .pools = load->pools,
        .seed = load->config.seed,
        .number = sent->number,
        .connection
        = (uint64_t)conn->number * load->config.parts + load->config.part,
    };
    return (struct iovec) {
        .iov_base = room,
        .iov_len = wl__request_render(request, &turn, room),
    };
}

static wl__sent *
unsent_at(const wl_load *load, const wl__conn *conn, uint32_t offset)
{
    uint32_t at = conn->first + conn->under_way - conn->unsent + offset;
    return &conn->sent[at % load->config.pipeline];
}

/* What is to be sent next, and when each of it was: now. */
static void
gather(wl_load *load, wl__conn *conn, batch *out)
{
    uint32_t count = conn->unsent < WL__GATHER ? conn->unsent : WL__GATHER;
    size_t used = 0;
    if (load->config.send_size > 0 || conn->tls != NULL) {
        count = 1;
    }
    out->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        wl__sent *sent = unsent_at(load, conn, i);
        const wl__request *request = &load->requests[sent->request];
        size_t most = request->is_fixed ? 0 : request->longest;
        if (used + most > load->rendered_room) {
            break;
        }
        struct iovec piece = bytes_of(load, conn, sent, load->rendered + used);
        used += request->is_fixed ? 0 : piece.iov_len;
        out->pieces[i] = piece;
        out->sizes[i] = piece.iov_len;
        out->count++;
        if (sent->sent_ns == 0) {
            sent->sent_ns = load->now_ns;
        }
    }
    struct iovec *first = &out->pieces[0];
    first->iov_base = (char *)first->iov_base + conn->send_offset;
    first->iov_len -= conn->send_offset;
    uint32_t most = load->config.send_size;
    if (most > 0 && first->iov_len > most) {
        first->iov_len = most;
    }
}

static ssize_t
send_batch(const wl__conn *conn, batch *out)
{
    struct iovec *first = &out->pieces[0];
    if (conn->tls != NULL) {
        return wb__tls_send(conn->tls, first->iov_base, first->iov_len);
    }
    if (out->count == 1) {
        return send(conn->fd, first->iov_base, first->iov_len, MSG_NOSIGNAL);
    }
    struct msghdr message
        = { .msg_iov = out->pieces, .msg_iovlen = (size_t)out->count };
    return sendmsg(conn->fd, &message, MSG_NOSIGNAL);
}

/* 1: all of the batch is on its way. */
static int
account(wl_load *load, wl__conn *conn, const batch *out, size_t sent)
{
    load->bytes_out += sent;
    sent += conn->send_offset;
    int done = 0;
    while (done < out->count && sent >= out->sizes[done]) {
        sent -= out->sizes[done++];
        conn->unsent--;
    }
    conn->send_offset = (uint32_t)sent;
    return done == out->count;
}

/* A server may answer and close before it has read everything: after a
 * failed send, what came is read, and that decides. */
void
wl__transmit(wl_load *load, wl__conn *conn)
{
    batch out;
    while (conn->unsent > 0 && load->now_ns >= conn->send_at_ns) {
        gather(load, conn, &out);
        ssize_t n = send_batch(conn, &out);
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
        int all = account(load, conn, &out, (size_t)n);
        if (load->config.send_size > 0) {
            conn->send_at_ns = load->now_ns + load->config.send_gap_ns;
        } else if (!all && conn->tls == NULL) {
            return; /* the kernel is full, and will say when it is not */
        }
    }
}

int
wl__send_first(wl_load *load, wl__conn *conn)
{
    batch out;
    if (conn->unsent != 1 || load->tls != NULL || load->slow) {
        return 0;
    }
    load->now_ns = wl__now_ns();
    gather(load, conn, &out);
    ssize_t n = send_batch(conn, &out);
    if (n > 0) {
        account(load, conn, &out, (size_t)n);
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

/* From bytes to classes: every answer is read and checked whole. */
#include "base/posix.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load.h"

/* One answer is complete; `data` is what was read with its end. */
static void
answered(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    const wl__sent *sent = &conn->sent[conn->first];
    const wl__request *request = &load->requests[sent->request];
    enum wl__class class
        = !wl__request_expects(request, conn->response.head.status)
        ? WL__BAD_STATUS
        : conn->response.wrong_body ? WL__BAD_BODY
                                    : WL__OK;
    if (class == WL__OK) {
        wl__record_ok(load, conn, sent);
    } else {
        wl__record_sample(load, conn, class, data, size);
        wl__record_failed(load, class, sent);
    }
    conn->first
        = conn->first + 1 == load->config.pipeline ? 0 : conn->first + 1;
    conn->under_way--;
    load->under_way--;
    conn->first_ns = 0;
}

/* After the last response this connection may carry. */
static void
last_one(wl_load *load, wl__conn *conn)
{
    load->closes_seen += conn->response.head.close;
    if (conn->under_way > 0) {
        wl__conn_fail(load, conn, WL__EARLY_EOF);
    } else {
        wl__conn_hang_up(load, conn);
    }
}

static int
is_last(const wl_load *load, const wl__conn *conn)
{
    const wl_config *config = &load->config;
    /* An answer before the request was sent whole: nothing more can be sent
     * on this connection without finishing what nobody reads. */
    int early = conn->unsent > conn->under_way;
    return conn->response.head.close || config->close || early
        || (config->per_connection > 0 && conn->under_way == 0
            && conn->taken_here >= config->per_connection);
}

static void
broken(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    wl__record_sample(load, conn, WL__PARSE_ERROR, data, size);
    wl__conn_fail(load, conn, WL__PARSE_ERROR);
}

/* Bytes nobody asked for belong to no request, but are a fault. */
static void
stray(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    load->stray++;
    wl__record_sample(load, conn, WL__PARSE_ERROR, data, size);
    wl__conn_hang_up(load, conn);
}

/* 0: go on reading. */
static int
understand(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    while (size > 0) {
        size_t used;
        if (conn->under_way == 0) {
            stray(load, conn, data, size);
            return -1;
        }
        if (conn->first_ns == 0) {
            conn->first_ns = load->now_ns;
        }
        uint32_t request = conn->sent[conn->first].request;
        enum wl__verdict verdict = wl__response_read(
            &conn->response, &load->known[request % WL__KNOWN],
            &load->requests[request].body, data, size, &used);
        if (verdict == WL__BROKEN) {
            broken(load, conn, data, size);
            return -1;
        }
        if (verdict == WL__MORE) {
            return 0;
        }
        answered(load, conn, data, size);
        if (is_last(load, conn)) {
            last_one(load, conn);
            return -1;
        }
        data += used;
        size -= used;
    }
    return 0;
}

static void
at_eof(wl_load *load, wl__conn *conn)
{
    load->closes_seen++;
    if (conn->under_way > 0) {
        uint32_t request = conn->sent[conn->first].request;
        if (wl__response_eof(&conn->response, &load->requests[request].body)
            == WL__DONE) {
            answered(load, conn, "", 0);
        }
    }
    if (conn->under_way > 0) {
        wl__conn_fail(load, conn, WL__EARLY_EOF);
    } else {
        wl__conn_hang_up(load, conn);
    }
}

static ssize_t
receive(wl_load *load, wl__conn *conn, size_t room)
{
    ssize_t n;
    do {
        n = conn->tls != NULL
            ? wb__tls_recv(conn->tls, load->read_buffer, room)
            : recv(conn->fd, load->read_buffer, room, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* One read. 1: there may be more, 0: not now, -1: the connection is gone. */
static int
receive_some(wl_load *load, wl__conn *conn, uint32_t events)
{
    size_t room = sizeof(load->read_buffer);
    uint32_t most = load->config.read_size;
    room = most > 0 && most < room ? most : room;
    ssize_t n = receive(load, conn, room);
    if (n < 0 && errno == EAGAIN) {
        conn->readable = 0;
        return 0;
    }
    load->now_ns = wl__now_ns();
    if (n < 0) {
        if (conn->under_way > 0) {
            wl__conn_fail(load, conn, WL__RESET);
        } else {
            wl__conn_hang_up(load, conn);
        }
        return -1;
    }
    if (n == 0) {
        at_eof(load, conn);
        return -1;
    }
    load->bytes_in += (uint64_t)n;
    if (understand(load, conn, load->read_buffer, (size_t)n) < 0) {
        return -1;
    }
    if (most > 0) {
        conn->readable = 1;
        conn->read_at_ns = load->now_ns + load->config.read_gap_ns;
        return 0;
    }
    /* Edge-triggered: a short read says that the socket is empty; an end
     * that follows wakes us again. Not so for what TLS has buffered. */
    return (size_t)n == room || (events & EPOLLRDHUP) != 0
        || conn->tls != NULL;
}

void
wl__receive(wl_load *load, wl__conn *conn, uint32_t events)
{
    int more = 1;
    if (load->now_ns < conn->read_at_ns) {
        conn->readable = 1;
        return;
    }
    while (more > 0) {
        more = receive_some(load, conn, events);
    }
    if (more == 0 && conn->state == WL__OPEN) {
        wl__pump(load, conn);
    }
}

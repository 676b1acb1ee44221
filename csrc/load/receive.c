/* What comes in: answers are judged, redirects followed, and the connection
 * ends behind the last one. */
#include "base/posix.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "conn.h"
#include "random.h"

enum {
    READS = 4 /* of a connection before others have a turn */
};

static void
start_thinking(wl_load *load, wl__conn *conn)
{
    const wl_config *config = &load->config;
    if (config->think_most_ns > 0) {
        double share
            = (double)(wl__next_random(load->random) >> 11) * 0x1.0p-53;
        uint64_t range = config->think_most_ns - config->think_ns;
        conn->think_ns = load->now_ns + config->think_ns
            + (uint64_t)(share * (double)range);
    }
}

/* Those that are late are looked for now and then (wl__conn_check()), and here
 * if they were not found. */
static enum wl__class
class_of(const wl_load *load, const wl__conn *conn, const wl__sent *sent)
{
    const wl__request *request = &load->requests[sent->request];
    return load->now_ns - sent->sent_ns > load->config.timeout_ns ? WL__TIMEOUT
        : !wl__request_expects(request, conn->response.head.status)
        ? WL__BAD_STATUS
        : conn->response.wrong_body ? WL__BAD_BODY
                                    : WL__OK;
}

/* One answer is complete; `data` is what was read with its end. */
static void
answered(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    const wl__sent *sent = &conn->sent[conn->first];
    enum wl__class class = class_of(load, conn, sent);
    load->statuses[conn->response.head.status]++;
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
    start_thinking(load, conn);
}

/* Where a redirect led, once more: this connection takes nothing more. */
static void
go_elsewhere(wl_load *load, wl__conn *conn)
{
    wl__conn_hang_up(load, conn);
    conn->unsent = conn->taken_here = 1;
    conn->said_close = load->requests[conn->sent[conn->first].request].closes;
}

/* The answer is a redirect that is followed: the request stays under way, and
 * its latency counts from its first send. 0: it is none, -1: on another
 * connection. */
static int
follow(wl_load *load, wl__conn *conn)
{
    wl__visit *visit = conn->response.visit;
    if (visit == NULL || visit->most == 0) {
        return 0;
    }
    struct iovec asked = wl__batch_asked(load, conn, &conn->sent[conn->first],
                                         load->rendered);
    if (!wl__visit_follow(visit, asked.iov_base, asked.iov_len,
                          load->tls != NULL)) {
        return 0;
    }
    load->redirects++;
    conn->first_ns = 0;
    if (conn->response.head.close || load->config.close || conn->said_close
        || conn->unsent > 0 || conn->state != WL__OPEN) {
        go_elsewhere(load, conn);
        return -1;
    }
    conn->unsent = 1;
    return 1;
}

/* Was a redirect followed, and nothing sent since? */
static int
is_between(const wl__conn *conn)
{
    const wl__visit *visit = conn->response.visit;
    return visit != NULL && visit->hops > 0 && conn->unsent > 0
        && conn->send_offset == 0 && conn->first_ns == 0;
}

/* After the last response this connection may carry. */
static void
last_one(wl_load *load, wl__conn *conn)
{
    load->closes_seen += conn->response.head.close;
    if (conn->under_way == 0) {
        wl__conn_hang_up(load, conn);
    } else if (conn->response.head.close) {
        wl__conn_carry_over(load, conn);
    } else {
        wl__conn_fail(load, conn, WL__EARLY_EOF);
    }
}

static int
is_last(const wl_load *load, const wl__conn *conn)
{
    const wl_config *config = &load->config;
    /* An answer before the request was sent whole: the rest of it would have
     * to be sent before another request, and the server does not read it. */
    int early = conn->unsent > conn->under_way;
    int limit = config->per_connection > 0
        && conn->taken_here >= config->per_connection;
    return conn->response.head.close || config->close || early
        || (conn->under_way == 0
            && (limit || conn->said_close || conn->state == WL__DEAF));
}

static void
broken(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    wl__record_sample(load, conn, WL__PARSE_ERROR, data, size);
    wl__conn_fail(load, conn, WL__PARSE_ERROR);
}

/* A server may say that it waits no longer for a request before it closes an
 * idle connection (RFC 9110 15.5.9). */
static int
is_request_timeout(const char *data, size_t size)
{
    return size >= 12 && memcmp(data, "HTTP/1.", 7) == 0
        && memcmp(data + 8, " 408", 4) == 0;
}

/* Bytes without a request: a fault, but of no request. */
static void
without_request(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    if (is_request_timeout(data, size)) {
        load->closes_seen++;
    } else {
        load->stray++;
        wl__record_sample(load, conn, WL__PARSE_ERROR, data, size);
    }
    wl__conn_hang_up(load, conn);
}

/* 0: go on reading, -1: the connection is gone. */
static int
understand(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    while (size > 0) {
        size_t used;
        if (conn->under_way == 0) {
            without_request(load, conn, data, size);
            return -1;
        }
        if (conn->first_ns == 0) {
            conn->first_ns = load->now_ns;
        }
        if (conn->sent[conn->first].sent_ns == 0) { /* pipelined, behind */
            broken(load, conn, data, size);
            return -1;
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
        uint8_t closes = conn->response.head.close;
        int hop = follow(load, conn);
        if (hop > 0 && used < size) {
            broken(load, conn, data + used, size - used);
            return -1;
        }
        if (hop != 0) {
            load->closes_seen += hop < 0 ? closes : 0;
            return hop < 0 ? -1 : 0;
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
    if (is_between(conn)) {
        go_elsewhere(load, conn);
        return;
    }
    if (conn->under_way > 0) {
        uint32_t request = conn->sent[conn->first].request;
        int cut = conn->tls != NULL && wb__tls_was_cut(conn->tls);
        if (!cut /* RFC 9112 9.8 */
            && wl__response_eof(&conn->response, &load->requests[request].body)
                == WL__DONE) {
            if (follow(load, conn) != 0) {
                return;
            }
            answered(load, conn, "", 0);
        } else {
            wl__conn_fail(load, conn, WL__EARLY_EOF);
            return;
        }
    }
    if (conn->under_way > 0) {
        wl__conn_carry_over(load, conn);
    } else {
        wl__conn_hang_up(load, conn);
    }
}

/* One read. 1: there may be more, 0: not now, -1: the connection is gone. */
static int
receive_some(wl_load *load, wl__conn *conn, uint32_t events)
{
    size_t room = sizeof(load->read_buffer);
    uint32_t most = load->config.read_size;
    room = most > 0 && most < room ? most : room;
    ssize_t n = wl__socket_receive(conn, load->read_buffer, room);
    if (n < 0 && errno == EAGAIN) {
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
        conn->ended = 1;
        at_eof(load, conn);
        return -1;
    }
    load->bytes_in += (uint64_t)n;
    conn->ended = (events & EPOLLRDHUP) != 0;
    if (understand(load, conn, load->read_buffer, (size_t)n) < 0) {
        return -1;
    }
    if (most > 0) {
        conn->read_at_ns = load->now_ns + load->config.read_gap_ns;
        return 0;
    }
    /* Edge-triggered: a short read says that the socket is empty; an end
     * that follows wakes us again. Not so for what TLS has buffered. */
    return (size_t)n == room || (events & EPOLLRDHUP) != 0
        || conn->tls != NULL;
}

/* A peer that sends faster than we read must not keep others, or the clock,
 * waiting: the rest is read in the next turn. */
void
wl__conn_receive(wl_load *load, wl__conn *conn, uint32_t events)
{
    int more = 1;
    conn->read_at_ns = 0;
    for (int i = 0; i < READS && more > 0; i++) {
        more = receive_some(load, conn, events);
    }
    if (more > 0) {
        conn->read_at_ns = load->now_ns + 1;
    }
    if (more == 0 && conn->state == WL__OPEN) {
        wl__conn_pump(load, conn);
    }
}

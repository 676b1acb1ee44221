/* One connection: dial, send, read, and again. */
#include "posix.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define RETRY_NS 10000000u /* after a failed connect */

/* ---- dialling -------------------------------------------------------------------- */

/* Consecutive source addresses multiply the 28,232 ports one has to a given
 * destination; the port is chosen at connect(2). */
static int
bind_source(const wl_load *load, int fd, uint32_t number)
{
    struct sockaddr_in source = { .sin_family = AF_INET };
    int on = 1;
    if (load->config.source[0] == '\0'
        || load->address.any.sa_family != AF_INET) {
        return 0;
    }
    uv_inet_pton(AF_INET, load->config.source, &source.sin_addr);
    uint32_t step = number % (load->config.sources == 0
                                  ? 1
                                  : load->config.sources);
    source.sin_addr.s_addr = htonl(ntohl(source.sin_addr.s_addr) + step);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(fd, (struct sockaddr *)&source, sizeof(source));
}

static int
watch(wl_load *load, wl__conn *conn)
{
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data = { .ptr = conn },
    };
    return epoll_ctl(load->epoll, EPOLL_CTL_ADD, conn->fd, &event);
}

static void
opened(wl_load *load, wl__conn *conn)
{
    conn->state = WL__OPEN;
    load->established++;
    wl__histogram_record(&load->connect, load->now_ns - conn->connect_ns);
    wl__conn_pump(load, conn);
}

/* The request that would have used this connection ends with it; in the open
 * loop it stays in the queue for another. */
static void
dial_failed(wl_load *load, wl__conn *conn, enum wl__class class)
{
    uint64_t intended;
    wl__conn_close(load, conn);
    conn->retry_ns = load->now_ns + RETRY_NS;
    if (wl__schedule_take(load, &intended)) {
        wl__record_failed(load, class, 1);
    }
}

void
wl__conn_dial(wl_load *load, wl__conn *conn)
{
    int family = load->address.any.sa_family, on = 1;
    conn->connect_ns = load->now_ns;
    conn->sent_here = 0;
    load->connects++;
    conn->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0) {
        dial_failed(load, conn, WL__REFUSED);
        return;
    }
    conn->state = WL__CONNECTING;
    if (family != AF_UNIX && load->config.pipeline > 1) {
        setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (bind_source(load, conn->fd, conn->number) < 0) {
        dial_failed(load, conn, WL__REFUSED);
        return;
    }
    int failed = connect(conn->fd, &load->address.any, load->address_size);
    if (failed < 0 && errno != EINPROGRESS && errno != EAGAIN) {
        dial_failed(load, conn, WL__REFUSED);
        return;
    }
    if (watch(load, conn) < 0) {
        dial_failed(load, conn, WL__REFUSED);
        return;
    }
    if (failed == 0) {
        opened(load, conn);
    }
}

static void
check_connect(wl_load *load, wl__conn *conn, uint32_t events)
{
    int error = 0;
    socklen_t size = sizeof(error);
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        dial_failed(load, conn, WL__REFUSED);
        return;
    }
    if ((events & EPOLLOUT) != 0) {
        opened(load, conn);
    }
}

void
wl__conn_close(wl_load *load, wl__conn *conn)
{
    (void)load;
    if (conn->fd >= 0) {
        close(conn->fd);
        conn->fd = -1;
    }
    conn->state = WL__CLOSED;
    conn->pending_start = conn->pending_end = 0;
    wl__response_reset(&conn->response);
}

void
wl__conn_fail(wl_load *load, wl__conn *conn, enum wl__class class)
{
    if (conn->under_way > 0) {
        /* The first was being answered; those behind it never will be. */
        wl__record_failed(load, class, 1);
        if (conn->under_way > 1) {
            wl__record_failed(load, class == WL__TIMEOUT ? WL__TIMEOUT
                                                         : WL__RESET,
                              conn->under_way - 1);
        }
        conn->under_way = 0;
    }
    wl__conn_close(load, conn);
    conn->retry_ns = load->now_ns;
}

/* ---- sending ------------------------------------------------------------------------ */

static int
push_pending(wl_load *load, wl__conn *conn)
{
    while (conn->pending_start < conn->pending_end) {
        ssize_t n = send(conn->fd, load->config.request + conn->pending_start,
                         conn->pending_end - conn->pending_start,
                         MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno == EAGAIN ? 0 : -1;
        }
        load->bytes_out += (uint64_t)n;
        conn->pending_start += (uint32_t)n;
    }
    return 1;
}

static int
may_send(const wl_load *load, const wl__conn *conn)
{
    return conn->state == WL__OPEN && conn->pending_start == conn->pending_end
        && conn->under_way < load->config.pipeline
        && (load->config.per_connection == 0
            || conn->sent_here < load->config.per_connection)
        && !(load->config.close && conn->sent_here > 0);
}

void
wl__conn_pump(wl_load *load, wl__conn *conn)
{
    const wl_config *config = &load->config;
    uint64_t intended;
    while (may_send(load, conn) && wl__schedule_take(load, &intended)) {
        uint32_t at = load->request_at;
        load->request_at = (at + 1) % config->request_count;
        conn->pending_start = at == 0 ? 0 : config->request_ends[at - 1];
        conn->pending_end = config->request_ends[at];
        wl__sent *sent = &conn->sent[(conn->first + conn->under_way++)
                                     % config->pipeline];
        *sent = (wl__sent) { intended, load->now_ns };
        conn->sent_here++;
        if (config->rate > 0) {
            wl__histogram_record(&load->lag, load->now_ns - intended);
        }
        int sent_all = push_pending(load, conn);
        if (sent_all < 0) {
            wl__conn_fail(load, conn, WL__RESET);
            return;
        }
    }
}

/* ---- reading ------------------------------------------------------------------------- */

static void
answered(wl_load *load, wl__conn *conn)
{
    const wl_config *config = &load->config;
    wl__sent sent = conn->sent[conn->first];
    conn->first = (conn->first + 1) % config->pipeline;
    conn->under_way--;
    wl__histogram_record(&load->first_byte, conn->first_ns - sent.sent_ns);
    conn->first_ns = 0;
    if (conn->response.head.status != config->expect_status) {
        wl__record_failed(load, WL__BAD_STATUS, 1);
    } else if (conn->response.wrong_body) {
        wl__record_failed(load, WL__BAD_BODY, 1);
    } else {
        wl__record_ok(load, conn, &sent);
    }
}

/* After the last response this connection may carry. */
static void
hang_up(wl_load *load, wl__conn *conn)
{
    load->closes_seen += conn->response.head.close;
    if (conn->under_way > 0) {
        wl__conn_fail(load, conn, WL__EARLY_EOF);
    } else {
        wl__conn_close(load, conn);
        conn->retry_ns = load->now_ns;
    }
    if (!load->ending) {
        wl__conn_dial(load, conn);
    }
}

static int
is_last(const wl_load *load, const wl__conn *conn)
{
    return conn->response.head.close || load->config.close
        || (load->config.per_connection > 0 && conn->under_way == 0
            && conn->sent_here >= load->config.per_connection);
}

/* 0: go on reading. */
static int
understand(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    while (size > 0) {
        size_t used;
        if (conn->under_way == 0) {
            conn->under_way = 1; /* octets nobody asked for */
            load->scheduled++;
            wl__conn_fail(load, conn, WL__PARSE_ERROR);
            return -1;
        }
        if (conn->first_ns == 0) {
            conn->first_ns = load->now_ns;
        }
        enum wl__verdict verdict
            = wl__response_read(&conn->response, &load->known, &load->body,
                                data, size, &used);
        if (verdict == WL__BROKEN) {
            wl__conn_fail(load, conn, WL__PARSE_ERROR);
            return -1;
        }
        if (verdict == WL__MORE) {
            return 0;
        }
        data += used;
        size -= used;
        answered(load, conn);
        if (is_last(load, conn)) {
            hang_up(load, conn);
            return -1;
        }
    }
    return 0;
}

static void
at_eof(wl_load *load, wl__conn *conn)
{
    load->closes_seen++;
    if (conn->under_way > 0
        && wl__response_eof(&conn->response, &load->body) == WL__DONE) {
        answered(load, conn);
    }
    if (conn->under_way > 0) {
        wl__conn_fail(load, conn, WL__EARLY_EOF);
    } else {
        wl__conn_close(load, conn);
    }
    conn->retry_ns = load->now_ns;
    if (!load->ending) {
        wl__conn_dial(load, conn);
    }
}

/* Edge-triggered: until a read comes back short, which says that the socket
 * is empty; an end that follows wakes us again. */
static void
read_all(wl_load *load, wl__conn *conn, uint32_t events)
{
    for (;;) {
        ssize_t n = recv(conn->fd, load->read_buffer,
                         sizeof(load->read_buffer), 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            if (errno != EAGAIN) {
                wl__conn_fail(load, conn, WL__RESET);
            }
            break;
        }
        load->now_ns = wl__now_ns();
        if (n == 0) {
            at_eof(load, conn);
            return;
        }
        load->bytes_in += (uint64_t)n;
        if (understand(load, conn, load->read_buffer, (size_t)n) < 0) {
            return;
        }
        if ((size_t)n < sizeof(load->read_buffer)
            && (events & EPOLLRDHUP) == 0) {
            break;
        }
    }
    if (conn->state == WL__OPEN) {
        wl__conn_pump(load, conn);
    }
}

void
wl__conn_ready(wl_load *load, wl__conn *conn, uint32_t events)
{
    if (conn->state == WL__CONNECTING) {
        load->now_ns = wl__now_ns();
        check_connect(load, conn, events);
        events &= ~(uint32_t)EPOLLOUT;
    }
    if (conn->state != WL__OPEN) {
        return;
    }
    if ((events & EPOLLOUT) != 0 && conn->pending_start < conn->pending_end) {
        if (push_pending(load, conn) < 0) {
            wl__conn_fail(load, conn, WL__RESET);
            return;
        }
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        read_all(load, conn, events);
    }
}

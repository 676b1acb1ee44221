/* Making a connection: source address, connect, TLS handshake. */
#include "base/posix.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum {
    RETRY_NS = 10000000, /* after a refused connect */
    FULL_NS = 1000000    /* after a full backlog (unix sockets) */
};

/* ---- the socket --------------------------------------------------------- */

/* Consecutive source addresses multiply the 28,232 ports one has to a given
 * destination; the port is chosen at connect(2). */
static int
bind_source(const wl_load *load, const wl__conn *conn)
{
    struct sockaddr_in source = { .sin_family = AF_INET };
    uint32_t sources = load->config.sources;
    int on = 1;
    if (load->config.source[0] == '\0'
        || load->address.any.sa_family != AF_INET) {
        return 0;
    }
    uv_inet_pton(AF_INET, load->config.source, &source.sin_addr);
    uint32_t step = conn->number % (sources == 0 ? 1 : sources);
    source.sin_addr.s_addr = htonl(ntohl(source.sin_addr.s_addr) + step);
    setsockopt(conn->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(conn->fd, (struct sockaddr *)&source, sizeof(source));
}

static int
make_socket(const wl_load *load, wl__conn *conn)
{
    const wl_config *config = &load->config;
    int family = load->address.any.sa_family, on = 1;
    conn->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0) {
        return -1;
    }
    if (family != AF_UNIX && (config->pipeline > 1 || config->send_size > 0)) {
        setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (config->read_size > 0) {
        /* Or the kernel would read for the slow reader. */
        int room = (int)config->read_size;
        setsockopt(conn->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    }
    return bind_source(load, conn);
}

static int
watch(const wl_load *load, wl__conn *conn, uint32_t writable)
{
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLRDHUP | EPOLLET | writable,
        .data = { .ptr = conn },
    };
    return epoll_ctl(load->epoll, EPOLL_CTL_ADD, conn->fd, &event);
}

/* ---- what may go wrong -------------------------------------------------- */

/* In the open loop a connection may be dialled without a request; then one
 * that waits ends with it, or a dead server would look like an idle one. */
static void
refused(wl_load *load, wl__conn *conn, enum wl__class class)
{
    if (conn->under_way == 0) {
        wl__take_on(load, conn);
    }
    wl__conn_fail(load, conn, class);
    conn->again = !load->on_demand;
    conn->retry_ns = load->now_ns + RETRY_NS;
}

/* No descriptor or no port left: not the server's doing. The run ends. */
static int
is_ours(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS
        || error == ENOMEM || error == EADDRNOTAVAIL || error == EACCES
        || error == EPERM;
}

static void
dial_failed(wl_load *load, wl__conn *conn, int error)
{
    if (is_ours(error)) {
        load->error = -error;
        wl__conn_fail(load, conn, WL__UNSENT);
        return;
    }
    refused(load, conn, WL__REFUSED);
}

/* ---- the steps ---------------------------------------------------------- */

static void
opened(wl_load *load, wl__conn *conn)
{
    conn->state = WL__OPEN;
    load->established++;
    load->opened_now++;
    if (load->opened_now > load->opened_most) {
        load->opened_most = load->opened_now;
    }
    wl__histogram_record(&load->connect, load->now_ns - conn->connect_ns);
    wl__pump(load, conn);
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
        refused(load, conn, WL__REFUSED);
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
    conn->again = 0;
    if (load->config.rate <= 0 && conn->under_way == 0
        && !wl__take_on(load, conn)) {
        return;
    }
    if (conn->connect_ns == 0) {
        conn->connect_ns = load->now_ns;
        load->connects++;
    }
    if (make_socket(load, conn) < 0) {
        dial_failed(load, conn, errno);
        return;
    }
    conn->state = WL__CONNECTING;
    int failed = connect(conn->fd, &load->address.any, load->address_size);
    if (failed < 0 && errno == EAGAIN) {
        close(conn->fd);
        conn->fd = -1;
        conn->state = WL__CLOSED;
        conn->again = 1;
        conn->retry_ns = load->now_ns + FULL_NS;
        return;
    }
    if (failed < 0 && errno != EINPROGRESS) {
        dial_failed(load, conn, errno);
        return;
    }
    /* To a near server the connection is there already. */
    int said = failed < 0 && load->config.close && wl__send_first(load, conn);
    if (watch(load, conn, said ? 0 : EPOLLOUT) < 0) {
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
    int error = 0;
    socklen_t size = sizeof(error);
    if (conn->state == WL__SHAKING) {
        shake_hands(load, conn);
        return;
    }
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        dial_failed(load, conn, error);
    } else if ((events & EPOLLOUT) != 0) {
        connected(load, conn);
    }
}

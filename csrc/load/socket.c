/* Sockets: addresses, source addresses, and what goes through them. Knows of
 * a connection only its descriptor, its number and its TLS. */
#include "base/posix.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "load.h"

/* ---- addresses ---------------------------------------------------------- */

static int
unix_address(wl__address *address, const char *path)
{
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof(address->is.un.sun_path)) {
        return -ENAMETOOLONG;
    }
    address->is.un.sun_family = AF_UNIX;
    memcpy(address->is.un.sun_path, path, size);
    address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    if (path[0] == '@') { /* Linux: a name that is no file */
        address->is.un.sun_path[0] = '\0';
    } else {
        address->size++;
    }
    return 0;
}

static int
ip_address(wl__address *address, const char *text, int port)
{
    address->size = sizeof(address->is.in);
    if (uv_ip4_addr(text, port, &address->is.in) == 0) {
        return 0;
    }
    address->size = sizeof(address->is.in6);
    return uv_ip6_addr(text, port, &address->is.in6);
}

static uint32_t
count_lines(const char *text)
{
    uint32_t lines = 1;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

/* One a line of config.host. */
static int
read_addresses(wl_load *load, const char *text)
{
    char one[64]; /* INET6_ADDRSTRLEN, and a scope */
    int error = 0;
    for (uint32_t i = 0; i < load->address_count && error == 0; i++) {
        size_t size = strcspn(text, "\n");
        if (size >= sizeof(one)) {
            return -EINVAL;
        }
        memcpy(one, text, size);
        one[size] = '\0';
        error = ip_address(&load->addresses[i], one, (int)load->config.port);
        text += size + 1;
    }
    return error;
}

static int
is_loopback(const wl__address *address)
{
    switch (address->is.any.sa_family) {
    case AF_INET:
        return ntohl(address->is.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&address->is.in6.sin6_addr);
    default:
        return 0;
    }
}

int
wl__addresses_init(wl_load *load)
{
    const wl_config *config = &load->config;
    const char *path
        = strncmp(config->host, "unix:", 5) == 0 ? config->host + 5 : NULL;
    struct in_addr source;
    load->address_count = path != NULL ? 1 : count_lines(config->host);
    if (load->address_count > UINT8_MAX) {
        return -EINVAL;
    }
    load->addresses
        = wb__calloc(load->address_count * sizeof(*load->addresses));
    if (load->addresses == NULL) {
        return -ENOMEM;
    }
    if (path != NULL) {
        return unix_address(load->addresses, path);
    }
    if (config->source[0] != '\0'
        && uv_inet_pton(AF_INET, config->source, &source) != 0) {
        return -EINVAL;
    }
    int error = read_addresses(load, config->host);
    load->is_near = error == 0;
    for (uint32_t i = 0; i < load->address_count; i++) {
        load->is_near &= (uint8_t)is_loopback(&load->addresses[i]);
    }
    return error;
}

/* ---- a socket ----------------------------------------------------------- */

/* Consecutive source addresses multiply the 28,232 ports one has to a given
 * destination; the port is chosen at connect(2). */
static int
bind_source(const wl_load *load, const wl__conn *conn)
{
    struct sockaddr_in source = { .sin_family = AF_INET };
    uint32_t sources = load->config.sources;
    int on = 1;
    if (load->config.source[0] == '\0'
        || load->addresses[conn->address].is.any.sa_family != AF_INET) {
        return 0;
    }
    uv_inet_pton(AF_INET, load->config.source, &source.sin_addr);
    uint32_t step = conn->number % (sources == 0 ? 1 : sources);
    source.sin_addr.s_addr = htonl(ntohl(source.sin_addr.s_addr) + step);
    setsockopt(conn->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(conn->fd, (struct sockaddr *)&source, sizeof(source));
}

int
wl__socket_connect(const wl_load *load, wl__conn *conn)
{
    const wl_config *config = &load->config;
    const wl__address *address = &load->addresses[conn->address];
    int family = address->is.any.sa_family, on = 1;
    if (conn->fd < 0) { /* or the last one is used again */
        conn->fd
            = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (conn->fd < 0) {
        return -1;
    }
    if (family != AF_UNIX && (config->pipeline > 1 || config->send_size > 0)) {
        setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (family != AF_UNIX && config->close) {
        /* The request goes out at once, and takes the handshake's last
         * acknowledgement along: one packet less. */
        int off = 0;
        setsockopt(conn->fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
    }
    if (config->read_size > 0) {
        /* Or the kernel would read for the slow reader. */
        int room = (int)config->read_size;
        setsockopt(conn->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    }
    return bind_source(load, conn) < 0
        ? -1
        : connect(conn->fd, &address->is.any, address->size);
}

int
wl__socket_watch(const wl_load *load, wl__conn *conn, uint32_t writable)
{
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLRDHUP | EPOLLET | writable,
        .data = { .ptr = conn },
    };
    int known = conn->is_watched;
    if (known && writable == 0) {
        return 0;
    }
    conn->is_watched = 1;
    return epoll_ctl(load->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
                     conn->fd, &event);
}

void
wl__socket_close(wl__conn *conn)
{
    if (conn->fd >= 0) {
        close(conn->fd);
        conn->fd = -1;
    }
    conn->is_watched = 0;
}

/* Saves close(2), socket(2) and epoll_ctl(2); the segments are the same. */
int
wl__socket_reuse(wl__conn *conn)
{
    static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
    return shutdown(conn->fd, SHUT_WR) == 0
        && connect(conn->fd, &nowhere, sizeof(nowhere)) == 0;
}

int
wl__socket_error(const wl__conn *conn)
{
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

uint64_t
wl__socket_resent(const wl__conn *conn)
{
    struct tcp_info info = { .tcpi_total_retrans = 0 };
    socklen_t size = sizeof(info);
    if (conn->fd < 0
        || getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) {
        return 0; /* a unix socket has none */
    }
    return info.tcpi_total_retrans;
}

/* ---- bytes -------------------------------------------------------------- */

ssize_t
wl__socket_send(const wl__conn *conn, wl__batch *batch)
{
    struct iovec *first = &batch->pieces[0];
    struct msghdr message
        = { .msg_iov = batch->pieces, .msg_iovlen = (size_t)batch->count };
    ssize_t n;
    do {
        n = conn->tls != NULL
            ? wb__tls_send(conn->tls, first->iov_base, first->iov_len)
            : batch->count == 1
            ? send(conn->fd, first->iov_base, first->iov_len, MSG_NOSIGNAL)
            : sendmsg(conn->fd, &message, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n;
}

ssize_t
wl__socket_receive(const wl__conn *conn, char *data, size_t room)
{
    ssize_t n;
    do {
        n = conn->tls != NULL ? wb__tls_recv(conn->tls, data, room)
                              : recv(conn->fd, data, room, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

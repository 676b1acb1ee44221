#include "base/posix.h"

#include "server/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "server/input.h"
#include "server/lock.h"
#include "server/tick.h"

enum {
    LAST_BATCH = 4096,   /* before the listener is closed */
    BUSY_BATCH = 256,    /* after a run with many answers, and ... */
    BUSY_SHARE = 4,      /* ... so many of these for each one let in */
    RETRY_MS = 200       /* after EMFILE, ENFILE, ENOBUFS, ENOMEM */
};

/* 1: one was accepted, 0: none is waiting (or none can be taken). */
static int
accept_one(wb_server *server)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof(peer);
    peer.ss_family = AF_UNSPEC;
    int fd = accept4(server->config.listen_fd, (struct sockaddr *)&peer, &size,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        wb__input_open(server, fd, &peer);
        return 1;
    }
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        /* The listener stays readable: polling on would spin. */
        server->stats.accept_errors++;
        server->accept_again = wb__now_ms() + RETRY_MS;
        wb__listener_pause(server);
        wb__tick_by(server, server->accept_again);
        return 0;
    case EINTR:
    case ECONNABORTED:
        return 1; /* that one is gone; there may be others */
    default:
        return 0;
    }
}

static int
has_room(const wb_server *server)
{
    return server->config.max_connections == 0
        || server->stats.connections < server->config.max_connections;
}

/* A busy loop polls seldom: with a few connections let in each time, new
 * clients would wait for thousands of answers to others. So they get their
 * part, by how many answers a run had since this was last asked. */
static uint32_t
batch(wb_server *server)
{
    uint64_t runs = server->runs - server->accept_run;
    if (runs > 0) {
        uint64_t answers = server->stats.responses - server->accept_answers;
        uint64_t part = answers / runs / BUSY_SHARE;
        server->accept_busy = part < BUSY_BATCH ? (uint32_t)part : BUSY_BATCH;
        server->accept_answers = server->stats.responses;
        server->accept_run = server->runs;
    }
    return server->accept_busy > server->config.accept_batch
        ? server->accept_busy
        : server->config.accept_batch;
}

static void
on_listener(uv_poll_t *handle, int status, int events)
{
    wb_server *server = handle->data;
    (void)status;
    (void)events;
    wb__server_lock(server);
    for (uint32_t left = batch(server); left > 0 && server->accepting;
         left--) {
        if (!has_room(server)) {
            wb__listener_pause(server);
        } else if (accept_one(server) == 0) {
            break;
        }
    }
    wb__server_unlock(server);
}

void
wb__listener_pause(wb_server *server)
{
    if (server->accepting) {
        uv_poll_stop(&server->listener);
        server->accepting = 0;
        server->changed = 1;
    }
}

void
wb__listener_resume(wb_server *server)
{
    if (server->listener_open && !server->closing && !server->accepting
        && has_room(server)
        && uv_poll_start(&server->listener, UV_READABLE, on_listener) == 0) {
        server->accepting = 1;
        server->accept_again = 0;
        server->changed = 1;
    }
}

int
wb__listener_open(wb_server *server)
{
    int fd = server->config.listen_fd, on = 1, error;
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        return -errno;
    }
    server->is_tcp
        = address.ss_family == AF_INET || address.ss_family == AF_INET6;
    if (server->is_tcp) {
        /* Accepted sockets inherit it: no system call for each of them. */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (server->config.defer_accept) {
            setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof(on));
        }
    }
    if (server->config.backlog >= 0
        && listen(fd, server->config.backlog) < 0) {
        return -errno;
    }
    error = uv_poll_init(&server->loop, &server->listener, fd);
    if (error < 0) {
        return error;
    }
    server->listener.data = server;
    server->listener_open = 1;
    wb__listener_resume(server);
    return 0;
}

/* Clients in the queue count on being answered; closing would reset them. */
static void
empty_queue(wb_server *server)
{
    for (int i = 0; i < LAST_BATCH && has_room(server); i++) {
        if (accept_one(server) == 0) {
            break;
        }
    }
}

/* Its owner put a filter on it that drops every SYN: sockets.seal(). A length
 * of 0 asks for the number of the filter's instructions. */
int
wb__listener_sealed(const wb_server *server)
{
#ifdef SO_GET_FILTER
    socklen_t count = 0;
    return server->listener_open && server->is_tcp
        && getsockopt(server->config.listen_fd, SOL_SOCKET, SO_GET_FILTER,
                      NULL, &count)
        == 0
        && count > 0;
#else
    (void)server;
    return 0;
#endif
}

/* Whoever connects between the last accept4() and close() is reset: nothing
 * stands between the two. */
void
wb__listener_close(wb_server *server)
{
    int accepts = server->listener_open && !server->closing;
    if (server->listener_open) {
        server->listener_open = 0;
        server->accepting = 0;
        server->changed = 1;
        uv_close((uv_handle_t *)&server->listener, NULL);
        if (accepts) {
            empty_queue(server);
        }
        close(server->config.listen_fd);
        server->config.listen_fd = -1;
    }
}

#include "base/posix.h"

#include "server/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fork.h"
#include "server/server.h"

enum {
    MAX_AHEAD = 65536,     /* bytes kept of requests still to be served */
    MAX_HELD = 65536,      /* pipelined answers gathered for one write */
    MAX_DISCARD = WB__MAX_REST /* swallowed after the last answer */
};

/* ---- birth -------------------------------------------------------------- */

static char *
put_byte(char *out, unsigned value)
{
    if (value >= 100) {
        *out++ = (char)('0' + value / 100);
    }
    if (value >= 10) {
        *out++ = (char)('0' + value / 10 % 10);
    }
    *out++ = (char)('0' + value % 10);
    return out;
}

/* The client's address as text ("" for a unix socket), once and not for each
 * of its requests; its port. */
static uint16_t
read_peer(const struct sockaddr_storage *peer, char out[INET6_ADDRSTRLEN])
{
    out[0] = '\0';
    if (peer->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)peer;
        unsigned char bytes[4];
        memcpy(bytes, &in->sin_addr, sizeof(bytes));
        /* inet_ntop() would go through sprintf(). */
        for (int i = 0; i < 4; i++) {
            out = put_byte(out, bytes[i]);
            *out++ = i < 3 ? '.' : '\0';
        }
        return ntohs(in->sin_port);
    }
    if (peer->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)peer;
        inet_ntop(AF_INET6, &in6->sin6_addr, out, INET6_ADDRSTRLEN);
        return ntohs(in6->sin6_port);
    }
    return 0;
}

static void
link_conn(wb_server *server, wb__conn *conn)
{
    if (server->conns == NULL) {
        conn->prev = conn->next = conn;
        server->conns = conn;
        return;
    }
    conn->next = server->conns;
    conn->prev = server->conns->prev;
    conn->prev->next = conn->next->prev = conn;
}

static void
unlink_conn(wb_server *server, wb__conn *conn)
{
    if (server->conns == conn) {
        server->conns = conn->next == conn ? NULL : conn->next;
    }
    conn->prev->next = conn->next;
    conn->next->prev = conn->prev;
}

static void read_some(wb__conn *conn);

void
wb__conn_open(wb_server *server, int fd, const struct sockaddr_storage *peer)
{
    char text[INET6_ADDRSTRLEN];
    uint16_t port = read_peer(peer, text);
    size_t size = strlen(text) + 1;
    /* A PROXY header may bring another address. */
    size_t room = server->config.proxy_protocol != 0 ? INET6_ADDRSTRLEN : size;
    wb__conn *conn = wb__calloc(sizeof(*conn) + room);
    if (conn == NULL) {
        close(fd);
        return;
    }
    conn->server = server;
    conn->fd = fd;
    if (server->tls != NULL) {
        conn->tls = wb__tls_new(server->tls, fd);
        if (conn->tls == NULL) {
            wb__free(conn);
            close(fd);
            return;
        }
    }
    memcpy(conn->peer, text, size);
    conn->peer_port = port;
    link_conn(server, conn);
    server->stats.accepted++;
    server->stats.connections++;
    wb__conn_arm(conn, WB__HEAD);
    if (wb__proxied_accept(conn) < 0) {
        wb__conn_close(conn);
        return;
    }
    /* The first bytes are mostly here already. */
    read_some(conn);
    if (!conn->dead) {
        wb__conn_update(conn);
    }
}

void
wb__conn_arm(wb__conn *conn, enum wb__deadline_kind kind)
{
    wb__deadline_arm(&conn->server->deadlines, &conn->timed, kind,
                     wb__now_ms());
    if (conn->timed.kind != WB__NO_DEADLINE) {
        wb__server_tick_by(conn->server, conn->timed.due);
    }
}

/* ---- reading ------------------------------------------------------------ */

/* The client sends no more. It may still wait for an answer to what it sent
 * in full. */
static void
end_of_input(wb__conn *conn)
{
    wb__request *request = conn->request;
    conn->eof = 1;
    if (conn->reading == WB__READ_NOTHING
        || (conn->reading == WB__READ_HEAD && conn->blocked)) {
        return; /* whole requests may still wait in `in` */
    }
    if (request != NULL && request->hand != WB__INCOMING) {
        request->gone = 1; /* in the middle of its body */
        request->close = 1;
        conn->server->stats.resets++;
        conn->reading = WB__READ_DISCARD;
        wb__server_progress(conn->server);
        return;
    }
    if (request != NULL || wb__buf_size(&conn->in) > 0) {
        conn->server->stats.resets++;
    }
    if (conn->out.size > 0) {
        conn->close_after = 1;
        return;
    }
    wb__conn_close(conn);
}

static int
may_understand(const wb__conn *conn)
{
    /* A client that sends requests and takes no answers gets no further. */
    return conn->reading == WB__READ_BODY
        || (conn->reading == WB__READ_HEAD && !conn->blocked);
}

static void
take_bytes(wb__conn *conn, char *data, size_t size)
{
    if (wb__buf_size(&conn->in) == 0 && may_understand(conn)) {
        size_t used = wb__conn_understand(conn, data, size);
        data += used;
        size -= used;
        if (conn->dead || conn->reading == WB__READ_DISCARD) {
            return;
        }
        if (wb__buf_append(&conn->in, data, size) < 0) {
            wb__conn_close(conn);
        } else if (size > 0 && conn->timed.kind == WB__IDLE) {
            wb__conn_arm(conn, WB__HEAD);
        }
        return;
    }
    if (wb__buf_append(&conn->in, data, size) < 0) {
        wb__conn_close(conn);
    } else if (may_understand(conn)) {
        wb__conn_understand_kept(conn);
    }
}

static ssize_t
receive(const wb__conn *conn, char *data)
{
    ssize_t n;
    do {
        n = conn->tls == NULL ? recv(conn->fd, data, WB__READ_BUFFER, 0)
                              : wb__tls_recv(conn->tls, data, WB__READ_BUFFER);
    } while (n < 0 && errno == EINTR);
    return n;
}

static void
read_once(wb__conn *conn)
{
    wb_server *server = conn->server;
    ssize_t n = receive(conn, server->read_buffer);
    if (n < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            server->stats.resets += conn->request != NULL;
            wb__conn_close(conn);
        }
        return;
    }
    if (n == 0) {
        if (conn->reading == WB__READ_DISCARD && conn->request == NULL
            && conn->out.size == 0) {
            wb__conn_close(conn);
        } else {
            end_of_input(conn);
        }
        return;
    }
    server->stats.bytes_in += (uint64_t)n;
    if (conn->reading == WB__READ_DISCARD) {
        conn->discarded += (uint64_t)n;
        if (conn->discarded > MAX_DISCARD) {
            wb__conn_close(conn);
        }
        return;
    }
    take_bytes(conn, server->read_buffer, (size_t)n);
}

static void
read_some(wb__conn *conn)
{
    if (conn->proxy_due) {
        int state = wb__proxied_read(conn);
        if (state < 0) {
            wb__conn_close(conn);
        }
        if (state <= 0) {
            return;
        }
    }
    do {
        read_once(conn);
        /* What is decrypted already makes no descriptor readable. */
    } while (!conn->dead && conn->tls != NULL && wb__tls_pending(conn->tls));
}

static void
output_drained(wb__conn *conn)
{
    wb__request *request = conn->request;
    conn->blocked = 0;
    if (conn->timed.kind == WB__WRITE) {
        wb__deadline_clear(&conn->timed);
        if (conn->reading == WB__READ_BODY) {
            wb__conn_arm(conn, WB__BODY); /* it gave way to the other */
        }
    }
    if (conn->close_after
        && (request == NULL || request->hand == WB__INCOMING)) {
        wb__conn_end(conn);
    } else if (request != NULL) {
        if (request->resume_wanted && request->hand == WB__OUT) {
            request->resume_wanted = 0;
            request->pub.event = WB_RESUME;
            wb__server_enqueue(conn->server, request);
        }
        wb__server_progress(conn->server);
    } else {
        wb__conn_next(conn, 0);
    }
}

void
wb__conn_ready(wb__conn *conn, int status, int events)
{
    if (conn->dead) {
        return;
    }
    if (status < 0) {
        conn->server->stats.resets += conn->request != NULL;
        wb__conn_close(conn);
        return;
    }
    int read = (events & UV_READABLE) != 0
        || (conn->tls != NULL && wb__tls_wants_room(conn->tls));
    if ((events & UV_WRITABLE) != 0 && conn->blocked
        && wb__conn_flush(conn) == 0) {
        output_drained(conn);
    }
    if (!conn->dead && read) {
        read_some(conn);
    }
    if (!conn->dead) {
        wb__conn_update(conn);
    }
}

/* ---- between requests --------------------------------------------------- */

/* Answers to pipelined requests go out together when the input runs dry, as
 * long as the application is quick and they are few. */
static int
hold_output(const wb__conn *conn)
{
    /* A body still to come may never come while its sender waits for these
     * answers. */
    return conn->request != NULL && conn->request->hand == WB__QUEUED
        && conn->request->pub.body_complete && conn->server->quick
        && conn->out.size < MAX_HELD;
}

void
wb__conn_next(wb__conn *conn, int close)
{
    if (conn->dead) {
        wb__conn_release(conn);
        return;
    }
    if (close) {
        wb__conn_end(conn);
        return;
    }
    conn->reading = conn->rest != NULL ? WB__READ_BODY : WB__READ_HEAD;
    if (!conn->blocked) {
        wb__conn_understand_kept(conn);
    }
    if (conn->eof && conn->reading == WB__READ_BODY && conn->request != NULL) {
        end_of_input(conn); /* the rest of that body will never come */
        if (conn->close_after) {
            wb__conn_end(conn);
        }
    }
    if (conn->dead || conn->reading == WB__READ_DISCARD) {
        return;
    }
    if (conn->out.size > 0 && !conn->blocked && !hold_output(conn)
        && wb__conn_flush(conn) < 0) {
        return;
    }
    if (conn->request == NULL && !conn->blocked) {
        if (conn->eof) {
            wb__conn_end(conn);
            return;
        }
        wb__conn_arm(conn,
                     conn->rest != NULL                 ? WB__BODY
                         : wb__buf_size(&conn->in) == 0 ? WB__IDLE
                                                        : WB__HEAD);
    }
    wb__conn_update(conn);
}

void
wb__conn_refuse(wb__conn *conn, int status, const char *data, size_t size)
{
    wb_server *server = conn->server;
    wb__metrics_refused(server, status);
    if (server->log.format != NULL) {
        wb__log_refused(conn, data, size, status);
    }
    int is_head = conn->request != NULL && conn->request->is_head;
    wb__request_free(conn->request);
    conn->request = NULL;
    conn->linger = 1;
    server->stats.refused++;
    if (wb__respond_plain(conn, status, is_head) != WB_GONE) {
        wb__conn_end(conn);
    }
}

/* ---- the end ------------------------------------------------------------ */

void
wb__conn_end(wb__conn *conn)
{
    if (conn->dead) {
        return;
    }
    conn->reading = WB__READ_DISCARD;
    conn->close_after = 1;
    wb__body_free(conn->rest);
    conn->rest = NULL;
    if (wb__buf_size(&conn->in) > 0) {
        conn->linger = 1;
        wb__buf_free(&conn->in);
    }
    if (conn->out.size > 0) {
        if (!conn->blocked && wb__conn_flush(conn) == 0) {
            conn->blocked = 0;
        } else {
            return; /* output_drained() comes back here, or it is closed */
        }
    }
    if (conn->tls != NULL) {
        wb__tls_end(conn->tls);
    }
    if (!conn->linger || conn->eof) {
        wb__conn_close(conn);
        return;
    }
    shutdown(conn->fd, SHUT_WR);
    wb__conn_arm(conn, WB__LINGER);
    wb__conn_update(conn);
}

void
wb__conn_timeout(wb__conn *conn, enum wb__deadline_kind kind)
{
    conn->server->stats.timeouts++;
    if (kind == WB__HEAD && wb__buf_size(&conn->in) > 0 && !conn->proxy_due) {
        wb__conn_refuse(conn, 408, wb__buf_data(&conn->in),
                        wb__buf_size(&conn->in));
    } else if (kind == WB__BODY && conn->request != NULL
               && conn->request->hand == WB__INCOMING) {
        wb__conn_refuse(conn, 408, NULL, 0);
    } else {
        wb__conn_close(conn);
    }
}

void
wb__conn_on_closed(uv_handle_t *handle)
{
    wb__conn *conn = (wb__conn *)handle;
    wb_server *server = conn->server;
    wb__server_lock(server); /* its request may be with another thread */
    conn->registered = 0;
    wb__conn_release(conn);
    wb__server_unlock(server);
}

void
wb__conn_release(wb__conn *conn)
{
    if (conn->dead && !conn->doomed && !conn->registered
        && conn->request == NULL && !conn->needs_attention) {
        wb__free(conn);
    }
}

/* What becomes of the request when its connection is lost. */
static void
lose_request(wb__conn *conn)
{
    wb_server *server = conn->server;
    wb__request *request = conn->request;
    if (request->hand == WB__INCOMING
        || (request->hand == WB__QUEUED && request->pub.event == WB_NEW)) {
        wb__server_dequeue(server, request);
        wb__request_free(request);
        conn->request = NULL;
        return;
    }
    request->gone = 1;
    if (request->resume_wanted && request->hand == WB__OUT) {
        /* So that its caller learns of it and closes what it holds. */
        request->resume_wanted = 0;
        request->pub.event = WB_RESUME;
        wb__server_enqueue(server, request);
    }
    wb__server_progress(server);
}

/* An answer has begun, and its client will not get all of it. */
static int
is_cut(const wb__conn *conn)
{
    return conn->out.size > 0
        || (conn->request != NULL && conn->request->pub.head_sent);
}

/* What must be said to the kernel before the descriptor is closed. */
static void
say_farewell(const wb__conn *conn)
{
    int cut = is_cut(conn);
    if (conn->server->disowned) {
        return; /* the connection is the parent's */
    }
    if (cut) {
        /* The FIN of a plain close() would make a body that ends with the
         * connection look whole: a reset does not. */
        struct linger hard = { 1, 0 };
        setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    }
    if (wb__children > 0) {
        /* They may have copies of the descriptor, and with these the
         * connection would stay open. */
        if (cut) {
            struct sockaddr nobody = { .sa_family = AF_UNSPEC };
            connect(conn->fd, &nobody, sizeof(nobody)); /* resets */
        } else {
            shutdown(conn->fd, SHUT_RDWR);
        }
    }
}

void
wb__conn_close(wb__conn *conn)
{
    wb_server *server = conn->server;
    wb__segment *done = NULL;
    if (conn->dead) {
        return;
    }
    say_farewell(conn);
    conn->dead = 1;
    conn->doomed = 1;
    wb__deadline_clear(&conn->timed);
    wb__buf_free(&conn->in);
    wb__pending_free(&conn->out, &done);
    wb__server_give_back(server, done);
    wb__body_free(conn->rest);
    conn->rest = NULL;
    wb__tls_free(conn->tls);
    conn->tls = NULL;
    unlink_conn(server, conn);
    server->stats.closed++;
    server->stats.connections--;
    if (conn->request != NULL) {
        lose_request(conn);
    }
    if (!conn->registered || wb__server_on_loop(server)) {
        if (conn->registered) {
            uv_close((uv_handle_t *)&conn->poll, wb__conn_on_closed);
        }
        close(conn->fd);
        conn->doomed = 0;
    }
    /* Otherwise the loop thread closes it. Callers up the stack still look at
     * it: freed on the next turn. */
    wb__server_attend(server, conn);
}

/* ---- the poll set ------------------------------------------------------- */

static void
on_poll(uv_poll_t *handle, int status, int events)
{
    wb__conn *conn = (wb__conn *)handle;
    wb_server *server = conn->server;
    wb__server_lock(server);
    wb__conn_ready(conn, status, events);
    wb__server_unlock(server);
}

static int
wanted_events(const wb__conn *conn)
{
    int events = 0;
    /* A request that is being answered is seldom worth a place in the poll
     * set; once there, it stays, so that a client's end is noticed. */
    if (!conn->eof
        && (conn->reading != WB__READ_NOTHING
            || (conn->registered && wb__buf_size(&conn->in) < MAX_AHEAD))
        && !(conn->reading == WB__READ_HEAD && conn->blocked
             && wb__buf_size(&conn->in) >= MAX_AHEAD)) {
        events |= UV_READABLE;
    }
    if (conn->blocked
        || (conn->tls != NULL && wb__tls_wants_room(conn->tls))) {
        events |= UV_WRITABLE;
    }
    return events;
}

static int
poll_for(wb__conn *conn, int events)
{
    wb_server *server = conn->server;
    if (!conn->registered) {
        int error = uv_poll_init(&server->loop, &conn->poll, conn->fd);
        if (error < 0) {
            return error;
        }
        conn->registered = 1;
    }
    server->changed = 1;
    return events == 0 ? uv_poll_stop(&conn->poll)
                       : uv_poll_start(&conn->poll, events, on_poll);
}

void
wb__conn_update(wb__conn *conn)
{
    int events = wanted_events(conn);
    if (conn->dead || events == conn->events) {
        return;
    }
    if (!wb__server_on_loop(conn->server)) {
        wb__server_attend(conn->server, conn);
        return;
    }
    if (poll_for(conn, events) < 0) {
        wb__conn_close(conn);
        return;
    }
    conn->events = (uint8_t)events;
}

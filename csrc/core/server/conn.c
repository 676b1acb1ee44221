#include "base/posix.h"

#include "server/conn.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/attention.h"
#include "server/lock.h"
#include "server/ready.h"
#include "server/tick.h"

enum { MAX_AHEAD = 65536 }; /* bytes kept of requests still to be served */

/* ---- states ------------------------------------------------------------- */

#define BIT(state) (1u << WB__CONN_##state)
#define OVER       (BIT(CLOSING) | BIT(CLOSED))
#define LAST       (BIT(LAST) | BIT(LAST_UNREAD) | OVER)

/* What may follow what. */
static const unsigned may_follow[] = {
    [WB__CONN_WAITING] = BIT(PROXY) | BIT(BODY) | BIT(ANSWER) | LAST,
    [WB__CONN_PROXY] = BIT(WAITING) | OVER,
    [WB__CONN_BODY] = BIT(ANSWER) | BIT(SKIP) | BIT(BROKEN) | LAST,
    [WB__CONN_ANSWER] = BIT(WAITING) | BIT(DETACHED) | LAST,
    [WB__CONN_SKIP] = BIT(WAITING) | LAST,
    [WB__CONN_DETACHED] = OVER,
    [WB__CONN_BROKEN] = LAST,
    [WB__CONN_LAST] = OVER,
    [WB__CONN_LAST_UNREAD] = BIT(LINGER) | OVER,
    [WB__CONN_LINGER] = OVER,
    [WB__CONN_CLOSING] = BIT(CLOSED),
    [WB__CONN_CLOSED] = 0,
};

void
wb__conn_become(wb__conn *conn, enum wb__conn_state state)
{
#ifdef WB_TESTING
    if ((may_follow[conn->state] & (1u << state)) == 0) {
        abort();
    }
#else
    (void)may_follow;
#endif
    conn->state = (uint8_t)state;
}

/* ---- making ------------------------------------------------------------- */

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

wb__conn *
wb__conn_new(wb_server *server, int fd, const struct sockaddr_storage *peer)
{
    char text[INET6_ADDRSTRLEN];
    uint16_t port = read_peer(peer, text);
    size_t size = strlen(text) + 1;
    /* A PROXY header may bring another address. */
    size_t room = server->config.proxy_protocol != 0 ? INET6_ADDRSTRLEN : size;
    wb__conn *conn = wb__calloc(offsetof(wb__conn, peer) + room);
    if (conn == NULL) {
        return NULL;
    }
    conn->server = server;
    conn->stream.fd = fd;
    if (server->tls != NULL) {
        conn->stream.tls = wb__tls_new(server->tls, fd);
        if (conn->stream.tls == NULL) {
            wb__free(conn);
            return NULL;
        }
    }
    memcpy(conn->peer, text, size);
    conn->peer_size = (uint8_t)(size - 1);
    conn->peer_port = port;
    link_conn(server, conn);
    server->stats.accepted++;
    server->stats.connections++;
    /* Balancers open connections ahead: one that is silent is idle. But what
     * has to come before any request (a PROXY header, a handshake) must come
     * in time. */
    int begins_at_once
        = server->tls != NULL || server->config.proxy_protocol != 0;
    wb__conn_arm(conn, begins_at_once ? WB__HEAD : WB__IDLE);
    return conn;
}

void
wb__conn_arm(wb__conn *conn, enum wb__deadline_kind kind)
{
    wb__deadline_arm(&conn->server->deadlines, &conn->timed, kind,
                     wb__now_ms());
    if (conn->timed.kind != WB__NO_DEADLINE) {
        wb__tick_by(conn->server, conn->timed.due);
    }
}

/* ---- sending ------------------------------------------------------------ */

/* The client, or the memory for what it was to get, is gone. */
static int
lose(wb__conn *conn)
{
    conn->server->stats.resets++;
    wb__conn_close(conn);
    return WB_GONE;
}

/* What comes of a send: it may have to wait for room. `before`: what had been
 * sent by then. 0, WB_FULL or WB_GONE. */
static int
after_sending(wb__conn *conn, int result, uint64_t before)
{
    if (result == WB_GONE) {
        return lose(conn);
    }
    if (result == WB_FULL) {
        if (conn->server->outlet.bytes > before
            || conn->timed.kind != WB__WRITE) {
            wb__conn_arm(conn, WB__WRITE);
        }
        wb__conn_update(conn);
        if (!wb__conn_is_open(conn)) { /* no place in the poll set */
            return WB_GONE;
        }
    }
    return result;
}

int
wb__conn_send(wb__conn *conn, struct iovec *parts, int count, int hold,
              void **owner)
{
    wb__outlet *outlet = &conn->server->outlet;
    uint64_t before = outlet->bytes;
    if (!wb__conn_is_open(conn)) {
        return WB_GONE;
    }
    int result
        = wb__stream_send(&conn->stream, outlet, parts, count, hold, owner);
    if (result != 0 && after_sending(conn, result, before) < 0) {
        return WB_GONE;
    }
    return conn->stream.pending.size > conn->server->config.write_high
        ? WB_FULL
        : 0;
}

int
wb__conn_flush(wb__conn *conn)
{
    wb__outlet *outlet = &conn->server->outlet;
    uint64_t before = outlet->bytes;
    if (!wb__conn_is_open(conn)) {
        return WB_GONE;
    }
    wb__file *file = conn->request == NULL ? NULL : &conn->request->file;
    int result = wb__stream_flush(&conn->stream, outlet, file);
    return after_sending(conn, result, before);
}

int
wb__conn_continue(wb__conn *conn)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec part = { (void *)(uintptr_t)line, sizeof(line) - 1 };
    conn->request->continue_due = 0;
    return wb__conn_send(conn, &part, 1, 0, NULL);
}

/* ---- between requests --------------------------------------------------- */

void
wb__conn_answered(wb__conn *conn, int close, int unread)
{
    if (!wb__conn_is_open(conn)) {
        wb__conn_release(conn);
        return;
    }
    if (conn->state == WB__CONN_DETACHED) {
        wb__conn_close(conn);
        return;
    }
    if (close) {
        wb__conn_finish(conn, unread);
        return;
    }
    wb__conn_become(conn,
                    conn->rest != NULL ? WB__CONN_SKIP : WB__CONN_WAITING);
    if (wb__buf_size(&conn->in) > 0 || conn->eof) {
        wb__attention_resume(conn->server, conn);
        return;
    }
    if (!conn->stream.blocked) {
        wb__conn_arm(conn, conn->rest != NULL ? WB__BODY : WB__IDLE);
    }
    wb__conn_update(conn);
}

static void
drop_request(wb__conn *conn)
{
    wb__request_free(conn->request);
    conn->request = NULL;
}

void
wb__conn_refuse(wb__conn *conn, int status, const char *data, size_t size)
{
    wb_server *server = conn->server;
    char text[WB__PLAIN_ROOM];
    int is_head = conn->request != NULL && conn->request->answer.is_head;
    wb__metrics_refused(server, status);
    if (server->log.format != NULL) {
        wb__log_refused(conn, data, size, status);
    }
    drop_request(conn);
    server->stats.refused++;
    struct iovec part
        = { text, wb__head_plain(&server->responder, text, status, is_head) };
    if (wb__conn_send(conn, &part, 1, 0, NULL) != WB_GONE) {
        wb__conn_finish(conn, 1);
    }
}

/* ---- the end ------------------------------------------------------------ */

void
wb__conn_finish(wb__conn *conn, int unread)
{
    if (!wb__conn_is_open(conn)) {
        return;
    }
    unread |= wb__buf_size(&conn->in) > 0;
    wb__conn_become(
        conn, unread && !conn->eof ? WB__CONN_LAST_UNREAD : WB__CONN_LAST);
    wb__body_free(conn->rest);
    conn->rest = NULL;
    wb__buf_free(&conn->in);
    if (conn->stream.pending.size > 0
        && (conn->stream.blocked || wb__conn_flush(conn) != 0)) {
        return; /* wb__conn_sent_last() follows, or it is closed */
    }
    wb__conn_sent_last(conn);
}

void
wb__conn_sent_last(wb__conn *conn)
{
    if (conn->stream.tls != NULL) {
        wb__tls_end(conn->stream.tls);
    }
    wb__stream_unguard(&conn->stream);
    if (conn->state == WB__CONN_LAST || conn->eof) {
        wb__conn_close(conn);
        return;
    }
    wb__conn_become(conn, WB__CONN_LINGER);
    shutdown(conn->stream.fd, SHUT_WR);
    wb__conn_arm(conn, WB__LINGER);
    wb__conn_update(conn);
}

/* What becomes of the request when its connection is lost. */
static void
lose_request(wb__conn *conn)
{
    wb_server *server = conn->server;
    wb__request *request = conn->request;
    if (request->stage == WB__RECEIVING
        || (request->stage == WB__QUEUED && request->pub.event == WB_NEW)) {
        wb__ready_remove(server, request);
        drop_request(conn);
        return;
    }
    request->gone = 1;
    if (request->resume_wanted && request->stage == WB__TAKEN) {
        /* So that its caller learns of it and closes what it holds. */
        request->resume_wanted = 0;
        request->pub.event = WB_RESUME;
        wb__ready_add(server, request);
    }
    wb__server_progress(server);
}

void
wb__conn_release(wb__conn *conn)
{
    if (conn->state == WB__CONN_CLOSED && !conn->registered
        && conn->request == NULL && !conn->in_attention
        && !conn->in_resumable) {
        wb__free(conn);
    }
}

static void
on_closed(uv_handle_t *handle)
{
    wb__conn *conn = (wb__conn *)handle;
    wb_server *server = conn->server;
    wb__server_lock(server); /* its request may be with another thread */
    conn->registered = 0;
    wb__conn_release(conn);
    wb__server_unlock(server);
}

static void
close_descriptor(wb__conn *conn)
{
    wb__conn_become(conn, WB__CONN_CLOSED);
    if (conn->registered) {
        uv_close((uv_handle_t *)&conn->poll, on_closed);
    }
    close(conn->stream.fd);
}

/* An answer has begun, and its client will not get all of it. */
static int
is_cut(const wb__conn *conn)
{
    return conn->stream.pending.size > 0
        || (conn->request != NULL && conn->request->pub.head_sent);
}

void
wb__conn_close(wb__conn *conn)
{
    wb_server *server = conn->server;
    if (!wb__conn_is_open(conn)) {
        return;
    }
    if (conn->state == WB__CONN_DETACHED) {
        /* The application has a descriptor of it, and is let alone once its
         * call is back. */
        if (conn->request != NULL && !server->disowned) {
            shutdown(conn->stream.fd, SHUT_RDWR);
        }
    } else if (!server->disowned) { /* or the connection is the parent's */
        wb__stream_end(&conn->stream, is_cut(conn));
    }
    wb__deadline_clear(&conn->timed);
    wb__buf_free(&conn->in);
    wb__stream_drop(&conn->stream, &server->outlet);
    wb__body_free(conn->rest);
    conn->rest = NULL;
    unlink_conn(server, conn);
    server->stats.closed++;
    server->stats.connections--;
    if (!conn->registered || wb__server_on_loop(server)) {
        close_descriptor(conn);
    } else {
        wb__conn_become(conn, WB__CONN_CLOSING);
    }
    if (conn->request != NULL) {
        lose_request(conn);
    }
    /* Callers up the stack still look at it: freed on the next turn. */
    wb__attention_add(server, conn);
}

void
wb__conn_attend(wb__conn *conn)
{
    if (wb__conn_is_open(conn)) {
        wb__conn_update(conn);
        return;
    }
    if (conn->state == WB__CONN_CLOSING) {
        close_descriptor(conn);
    }
    wb__conn_release(conn);
}

/* ---- the poll set ------------------------------------------------------- */

/* A request that is being answered is seldom worth a place in the poll set;
 * once there, it stays, so that a client's end is noticed. A client that sends
 * requests and takes no answers gets no further. */
static int
wants_input(const wb__conn *conn)
{
    int full = wb__buf_size(&conn->in) >= MAX_AHEAD;
    if (conn->eof || conn->state == WB__CONN_DETACHED) {
        return 0;
    }
    return conn->state == WB__CONN_ANSWER ? conn->registered && !full
        : conn->state == WB__CONN_WAITING ? !(conn->stream.blocked && full)
                                          : 1;
}

static int
poll_for(wb__conn *conn, int events)
{
    wb_server *server = conn->server;
    if (!conn->registered) {
        int error = uv_poll_init(&server->loop, &conn->poll, conn->stream.fd);
        if (error < 0) {
            return error;
        }
        conn->registered = 1;
    }
    server->changed = 1;
    return events == 0 ? uv_poll_stop(&conn->poll)
                       : uv_poll_start(&conn->poll, events, server->on_poll);
}

void
wb__conn_update(wb__conn *conn)
{
    int events = 0;
    if (!wb__conn_is_open(conn)) {
        return;
    }
    if (wants_input(conn)) {
        events |= UV_READABLE;
    }
    if (conn->stream.blocked || wb__stream_wants_room(&conn->stream)) {
        events |= UV_WRITABLE;
    }
    if (events == conn->events) {
        return;
    }
    if (!wb__server_on_loop(conn->server)) {
        wb__attention_add(conn->server, conn);
    } else if (poll_for(conn, events) < 0) {
        wb__conn_close(conn);
    } else {
        conn->events = (uint8_t)events;
    }
}

/* Bytes in: what a connection receives is read as heads and bodies, and what
 * is complete enough is handed over. */
#include "base/posix.h"

#include "server/input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/lock.h"
#include "server/proxied.h"
#include "server/ready.h"

enum { MAX_HELD = 65536 }; /* pipelined answers gathered for one write */

/* ---- bodies ------------------------------------------------------------- */

/* The request is complete enough to be served. */
static void
hand_over(wb__conn *conn)
{
    wb__request *request = conn->request;
    conn->server->stats.requests++;
    wb__metrics_ready(conn->server, request);
    wb__ready_add(conn->server, request);
}

static void
body_is_complete(wb__conn *conn)
{
    wb__request *request = conn->request;
    wb__body *body = request->body;
    wb__conn_become(conn, WB__CONN_ANSWER);
    wb__deadline_clear(&conn->timed);
    request->continue_due = 0;
    if (request->stage != WB__TAKEN || !conn->server->shared) {
        wb__request_show_body(request);
        if (body->file < 0 && body->read == 0) {
            request->pub.body
                = body->received == 0 ? "" : wb__buf_data(&body->memory);
        }
    }
    if (request->stage == WB__RECEIVING) {
        hand_over(conn);
    } else {
        wb__server_progress(conn->server);
    }
}

/* The bytes do not frame a body. The application's next read fails, so that
 * it does not take what came for a whole body. */
static void
body_failed(wb__conn *conn, int status)
{
    wb__request *request = conn->request;
    if (request->body->error < 0) {
        wb__log_body(conn->server, request->body->error);
    }
    if (request->stage == WB__RECEIVING) {
        wb__conn_refuse(conn, status, NULL, 0);
        return;
    }
    request->body_status = 1;
    request->answer.close = 1;
    wb__conn_become(conn, WB__CONN_BROKEN);
    wb__deadline_clear(&conn->timed);
    wb__server_progress(conn->server);
}

static size_t
read_body(wb__conn *conn, const char *data, size_t size)
{
    wb__body *body = conn->request->body;
    size_t used = 0;
    int status = wb__body_feed(body, data, size, &used);
    if (status != 0) {
        body_failed(conn, status);
        return size;
    }
    if (body->complete) {
        body_is_complete(conn);
        return used;
    }
    if (body->received - body->mark >= conn->server->config.body_quantum) {
        body->mark = body->received;
        wb__conn_arm(conn, WB__BODY);
    }
    if (conn->request->stage != WB__RECEIVING) {
        wb__server_progress(conn->server);
    }
    return used;
}

/* What is left of a body after its answer (RFC 9112 9.3: read it, or close).
 */
static size_t
read_rest(wb__conn *conn, const char *data, size_t size)
{
    size_t used = 0;
    int status = wb__body_feed(conn->rest, data, size, &used);
    conn->discarded += (uint32_t)used;
    if (status != 0 || conn->discarded > WB__MAX_REST) {
        wb__conn_finish(conn, 1);
        return size;
    }
    if (conn->rest->complete) {
        wb__body_free(conn->rest);
        conn->rest = NULL;
        conn->discarded = 0;
        wb__conn_become(conn, WB__CONN_WAITING);
        if (conn->server->draining && used == size) {
            wb__conn_finish(conn, 0); /* idle, from now on */
        } else if (!conn->stream.blocked) {
            wb__conn_arm(conn, WB__IDLE);
        }
    }
    return used;
}

/* ---- heads -------------------------------------------------------------- */

/* 0, or the status to refuse it with. `here`: bytes of the body, or of what
 * follows, that are here. */
static int
start_body(wb__conn *conn, size_t here)
{
    wb_server *server = conn->server;
    wb__request *request = conn->request;
    const wb__block *block = request->block;
    int status = wb__body_new(&server->config, &server->stats.body_memory,
                              &block->framing, &block->parse, &request->body);
    if (status != 0) {
        return status;
    }
    wb__conn_become(conn, WB__CONN_BODY);
    wb__conn_arm(conn, WB__BODY);
    request->continue_due = request->pub.minor_version > 0
        && (block->flags & WB__CONTINUE) != 0 && here == 0;
    if (server->config.stream_body) {
        hand_over(conn);
    } else if (request->continue_due) {
        wb__conn_continue(conn); /* it is read before the call */
    }
    return 0;
}

/* As start_body(). Takes over the reference to the block. */
static int
start_request(wb__conn *conn, const char *data, const wb__request_head *head,
              size_t here)
{
    wb__block *block = head->block;
    wb__request *request = wb__request_new(conn->server);
    if (request == NULL) {
        wb__block_unref(block);
        return 503;
    }
    request->conn = conn;
    if (wb__request_fill(request, data, &head->line, block) < 0) {
        wb__block_unref(block);
        wb__request_free(request);
        return 503;
    }
    if ((conn->trusted || conn->server->proxied.root_path != NULL)
        && wb__proxied_request(request) < 0) {
        wb__request_free(request);
        return 503;
    }
    conn->request = request;
    if (block->framing.chunked || block->framing.length > 0) {
        return start_body(conn, here);
    }
    request->pub.body = "";
    request->pub.body_complete = 1;
    wb__conn_become(conn, WB__CONN_ANSWER);
    wb__deadline_clear(&conn->timed);
    hand_over(conn);
    return 0;
}

/* One head from the front of data. How much of it was used. */
static size_t
read_head(wb__conn *conn, const char *data, size_t size)
{
    wb__request_head head;
    enum wb__verdict verdict = wb__request_head_read(
        &conn->server->parser, &conn->cursor, data, size, &head);
    if (verdict == WB__MORE) {
        return head.skipped;
    }
    size_t used = head.skipped + head.size;
    int status = verdict == WB__REFUSED
        ? head.status
        : start_request(conn, data + head.skipped, &head, size - used);
    if (status != 0) {
        wb__conn_refuse(conn, status, data, size);
        return 0;
    }
    return used;
}

/* ---- bytes -------------------------------------------------------------- */

static int
may_parse(const wb__conn *conn)
{
    /* A client that sends requests and takes no answers gets no further. */
    return conn->state == WB__CONN_BODY || conn->state == WB__CONN_SKIP
        || (conn->state == WB__CONN_WAITING && !conn->stream.blocked);
}

/* Reads as much of the bytes as it can; returns how much that was. */
static size_t
parse(wb__conn *conn, const char *data, size_t size)
{
    size_t used = 0;
    while (used < size && may_parse(conn)) {
        const char *at = data + used;
        size_t left = size - used;
        size_t step = conn->state == WB__CONN_WAITING
            ? read_head(conn, at, left)
            : conn->state == WB__CONN_BODY ? read_body(conn, at, left)
                                           : read_rest(conn, at, left);
        if (step == 0) {
            break;
        }
        used += step;
    }
    return used;
}

/* The same with what was received before. */
static void
parse_kept(wb__conn *conn)
{
    if (wb__buf_size(&conn->in) == 0) {
        return;
    }
    size_t used
        = parse(conn, wb__buf_data(&conn->in), wb__buf_size(&conn->in));
    if (wb__conn_drops_input(conn)) {
        wb__buf_free(&conn->in); /* perhaps it is freed already */
    } else {
        wb__buf_consume(&conn->in, used);
    }
}

static void
take_bytes(wb__conn *conn, const char *data, size_t size)
{
    int at_once = wb__buf_size(&conn->in) == 0 && may_parse(conn);
    if (at_once) {
        size_t used = parse(conn, data, size);
        data += used;
        size -= used;
        if (wb__conn_drops_input(conn)) {
            return;
        }
    }
    if (wb__buf_append(&conn->in, data, size) < 0) {
        wb__conn_close(conn);
    } else if (at_once) {
        if (size > 0 && conn->request == NULL
            && conn->state == WB__CONN_WAITING
            && (conn->timed.kind == WB__IDLE
                || conn->timed.kind == WB__NO_DEADLINE)) {
            wb__conn_arm(conn, WB__HEAD); /* half a head has come */
        }
    } else if (may_parse(conn)) {
        parse_kept(conn);
    }
}

/* The client sends no more. It may still wait for answers to what it sent in
 * full. */
static void
end_of_input(wb__conn *conn)
{
    wb__request *request = conn->request;
    conn->eof = 1;
    switch (conn->state) {
    case WB__CONN_ANSWER:
    case WB__CONN_LAST:
    case WB__CONN_LAST_UNREAD:
        return;
    case WB__CONN_LINGER:
        wb__conn_close(conn);
        return;
    case WB__CONN_WAITING:
        if (conn->stream.blocked || conn->in_resumable) {
            return; /* whole requests may still wait in `in` */
        }
        break;
    default:
        break;
    }
    if (request != NULL && request->stage != WB__RECEIVING) {
        request->gone = 1; /* in the middle of its body */
        request->answer.close = 1;
        conn->server->stats.resets++;
        if (conn->state != WB__CONN_BROKEN) {
            wb__conn_become(conn, WB__CONN_BROKEN);
        }
        wb__server_progress(conn->server);
        return;
    }
    if (request != NULL || wb__buf_size(&conn->in) > 0) {
        conn->server->stats.resets++;
        wb__request_free(request);
        conn->request = NULL;
    }
    wb__conn_finish(conn, 0);
}

/* Nothing has come. What a client must send before any request (conn.c) is
 * here once the session is made: from then on it is idle. */
static void
nothing_came(wb__conn *conn)
{
    const wb__tls *tls = conn->stream.tls;
    if (tls != NULL && conn->state == WB__CONN_WAITING
        && (conn->timed.kind == WB__HEAD
            || conn->timed.kind == WB__NO_DEADLINE)
        && wb__buf_size(&conn->in) == 0 && wb__tls_is_made(tls)) {
        wb__conn_arm(conn, WB__IDLE);
    }
}

static void
read_once(wb__conn *conn)
{
    wb_server *server = conn->server;
    ssize_t n = wb__stream_receive(&conn->stream, server->read_buffer,
                                   WB__READ_BUFFER);
    if (n < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            server->stats.resets += conn->request != NULL;
            wb__conn_close(conn);
        } else {
            nothing_came(conn);
        }
        return;
    }
    if (n == 0) {
        end_of_input(conn);
        return;
    }
    server->stats.bytes_in += (uint64_t)n;
    if (wb__conn_drops_input(conn)) {
        conn->discarded += (uint32_t)n;
        if (conn->discarded > WB__MAX_REST) {
            wb__conn_close(conn);
        }
        return;
    }
    take_bytes(conn, server->read_buffer, (size_t)n);
}

void
wb__input_read(wb__conn *conn)
{
    if (conn->state == WB__CONN_PROXY) {
        int read = wb__proxied_read(conn);
        if (read < 0) {
            wb__conn_close(conn);
        }
        if (read <= 0) {
            wb__conn_update(conn);
            return;
        }
    }
    do {
        read_once(conn);
    } while (wb__conn_is_open(conn) && wb__stream_has_more(&conn->stream));
    wb__conn_update(conn);
}

void
wb__input_open(wb_server *server, int fd, const struct sockaddr_storage *peer)
{
    wb__conn *conn = wb__conn_new(server, fd, peer);
    if (conn == NULL) {
        close(fd);
        return;
    }
    if (wb__proxied_accept(conn) < 0) {
        wb__conn_close(conn);
        return;
    }
    wb__input_read(conn); /* the first bytes are mostly here already */
}

/* ---- after an answer ---------------------------------------------------- */

/* Answers to pipelined requests go out together when the input runs dry, as
 * long as the application is quick and they are few. */
static int
may_hold(const wb__conn *conn)
{
    /* A body still to come may never come while its sender waits for these
     * answers. */
    return conn->request != NULL && conn->request->stage == WB__QUEUED
        && conn->request->pub.body_complete && conn->server->quick
        && conn->stream.pending.size < MAX_HELD;
}

void
wb__input_resume(wb__conn *conn)
{
    if (!wb__conn_is_open(conn)) {
        wb__conn_release(conn);
        return;
    }
    if (may_parse(conn)) {
        parse_kept(conn);
    }
    if (conn->eof && conn->state == WB__CONN_BODY) {
        end_of_input(conn); /* the rest of that body will never come */
    }
    if (wb__conn_drops_input(conn)) {
        return;
    }
    if (conn->stream.pending.size > 0 && !conn->stream.blocked
        && !may_hold(conn) && wb__conn_flush(conn) < 0) {
        return;
    }
    if (conn->request == NULL && !conn->stream.blocked) {
        if (conn->eof) {
            wb__conn_finish(conn, 0);
            return;
        }
        wb__conn_arm(conn,
                     conn->rest != NULL                 ? WB__BODY
                         : wb__buf_size(&conn->in) == 0 ? WB__IDLE
                                                        : WB__HEAD);
    }
    wb__conn_update(conn);
}

/* ---- events ------------------------------------------------------------- */

static void
output_drained(wb__conn *conn)
{
    wb__request *request = conn->request;
    if (conn->timed.kind == WB__WRITE) {
        wb__deadline_clear(&conn->timed);
        if (conn->state == WB__CONN_BODY || conn->state == WB__CONN_SKIP) {
            wb__conn_arm(conn, WB__BODY); /* it gave way to the other */
        }
    }
    if (conn->state == WB__CONN_LAST || conn->state == WB__CONN_LAST_UNREAD) {
        wb__conn_sent_last(conn);
    } else if (request != NULL) {
        if (request->resume_wanted && request->stage == WB__TAKEN) {
            request->resume_wanted = 0;
            request->pub.event = WB_RESUME;
            wb__ready_add(conn->server, request);
        }
        wb__server_progress(conn->server);
    } else {
        wb__input_resume(conn);
    }
}

static void
ready(wb__conn *conn, int status, int events)
{
    if (!wb__conn_is_open(conn) || conn->state == WB__CONN_DETACHED) {
        return;
    }
    if (status < 0) {
        conn->server->stats.resets += conn->request != NULL;
        wb__conn_close(conn);
        return;
    }
    int readable
        = (events & UV_READABLE) != 0 || wb__stream_wants_room(&conn->stream);
    if ((events & UV_WRITABLE) != 0 && conn->stream.blocked
        && wb__conn_flush(conn) == 0) {
        output_drained(conn);
    }
    if (wb__conn_is_open(conn) && readable) {
        wb__input_read(conn);
    } else {
        wb__conn_update(conn);
    }
}

void
wb__input_on_poll(uv_poll_t *handle, int status, int events)
{
    wb__conn *conn = (wb__conn *)handle;
    wb_server *server = conn->server;
    wb__server_lock(server);
    ready(conn, status, events);
    wb__server_unlock(server);
}

void
wb__input_timeout(wb__conn *conn, enum wb__deadline_kind kind)
{
    conn->server->stats.timeouts++;
    if (kind == WB__HEAD && conn->state == WB__CONN_WAITING
        && wb__buf_size(&conn->in) > 0) {
        wb__conn_refuse(conn, 408, wb__buf_data(&conn->in),
                        wb__buf_size(&conn->in));
    } else if (kind == WB__BODY && conn->request != NULL
               && conn->request->stage == WB__RECEIVING) {
        wb__conn_refuse(conn, 408, NULL, 0);
    } else {
        wb__conn_close(conn);
    }
}

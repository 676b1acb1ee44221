#include "base/posix.h"

#include "server/respond.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "server/conn.h"
#include "server/lock.h"
#include "server/ready.h"
#include "server/request.h"

enum { SMALL = 16384 }; /* copied next to its head; larger is gathered */

/* ---- the end of a request ----------------------------------------------- */

/* The answer is out (or never will be): the request is the server's again. */
static void
done(wb__request *request, int complete)
{
    wb__conn *conn = request->conn;
    wb_server *server = request->server;
    int close = request->answer.close || !complete;
    int unread = request->body != NULL && !request->body->complete;
    /* Its connection may have put it there in this very call. */
    request->resume_wanted = 0;
    wb__ready_remove(server, request);
    if (complete) {
        server->stats.responses++;
        server->quick = wb__now_ms() - server->taken_ms < 5;
    }
    wb__metrics_answered(server, request);
    if (server->log.format != NULL) {
        wb__log_request(server, request);
    }
    if (unread && !close) {
        conn->rest = wb__body_discard(request->body);
        request->body = NULL;
    }
    server->stats.busy--;
    conn->request = NULL;
    wb__request_free(request);
    wb__conn_answered(conn, close, unread);
}

/* ---- writing ------------------------------------------------------------ */

static wb__buf *
scratch(wb__request *request)
{
    wb__buf *buf = &request->server->responder.scratch;
    buf->start = buf->end = 0;
    return buf;
}

/* Whether the connection ends with this response, as far as it is not the
 * head that says so. */
static int
must_close(const wb__request *request)
{
    const wb__conn *conn = request->conn;
    const wb__body *body = request->body;
    if (!request->keep_alive || request->server->draining
        || (conn->eof && wb__buf_size(&conn->in) == 0)) {
        return 1;
    }
    /* The rest of a body would have to be read before the next request is
     * found, and a client that waits for a 100 may or may not send it. */
    return body != NULL && !body->complete
        && (request->continue_due || wb__body_rest(body) > WB__MAX_REST);
}

/* Into the scratch buffer; and what the log may have to tell of it. */
static int
write_head(wb__request *request, wb__head *head, int64_t length)
{
    wb_server *server = request->server;
    request->answer.close |= (uint8_t)must_close(request);
    int error
        = wb__head_write(&server->responder, head, &request->answer, length);
    if (error == 0 && server->log.format != NULL
        && wb__log_format_wants_head(server->log.format)) {
        const wb__buf *wire = &server->responder.scratch;
        wb__buf_free(&request->wire_head);
        error = wb__buf_append(&request->wire_head, wire->data, wire->end);
    }
    return error;
}

/* Puts the head, which waited in the request, into the scratch buffer. */
static int
write_given_head(wb__request *request, int64_t length)
{
    wb_server *server = request->server;
    wb__head *head;
    const wb_head given = {
        .status = wb__buf_data(&request->head),
        .status_size = request->status_size,
        .lines = wb__buf_data(&request->head) + request->status_size,
        .lines_size = wb__buf_size(&request->head) - request->status_size,
        .count = request->head_count,
    };
    int error = wb__head_find(&server->responder, &given, &head);
    if (error == 0) {
        error = write_head(request, head, length);
    }
    if (error == 0) {
        request->pub.head_sent = 1;
        wb__buf_free(&request->head);
    }
    return error;
}

/* Head (if it is not out yet) and framing for `size` bytes of body, of which
 * *allowed may be sent. */
static int
frame(wb__request *request, wb__buf *out, uint64_t size, uint64_t *allowed)
{
    if (!request->pub.head_sent) {
        int error = write_given_head(request, request->length);
        if (error < 0) {
            return error;
        }
        if (request->answer.end == WB__UNTIL_CLOSE) {
            wb__stream_guard(&request->conn->stream);
        }
    }
    *allowed = size;
    if (request->answer.end == WB__NONE) {
        *allowed = 0;
    } else if (request->answer.end == WB__LENGTH) {
        if ((uint64_t)request->answer.left < size) {
            *allowed = (uint64_t)request->answer.left;
        }
        request->answer.left -= (int64_t)*allowed;
    } else if (request->answer.end == WB__CHUNKED && size > 0) {
        char line[20];
        int length = snprintf(line, sizeof(line), "%llx\r\n",
                              (unsigned long long)size);
        return wb__buf_append(out, line, (size_t)length);
    }
    return 0;
}

/* What the caller is told after its bytes went out. */
static int
note(const wb__request *request, int sent)
{
    if (sent < 0) {
        return sent;
    }
    if (request->answer.end == WB__NONE
        || (request->answer.end == WB__LENGTH && request->answer.left == 0)) {
        return WB_COMPLETE;
    }
    return sent;
}

/* Out of memory in mid-answer: all that is left is to be gone. */
static int
give_up(wb__request *request)
{
    request->answer.close = 1;
    wb__conn_close(request->conn);
    return WB_GONE;
}

static int
write_body(wb__request *request, const char *data, size_t size, void **owner)
{
    wb__conn *conn = request->conn;
    wb__buf *out = scratch(request);
    uint64_t allowed;
    if (frame(request, out, size, &allowed) < 0) {
        return give_up(request);
    }
    int chunk = request->answer.end == WB__CHUNKED && allowed > 0;
    request->sent += allowed;
    if (allowed <= SMALL && wb__buf_reserve(out, (size_t)allowed + 2) == 0) {
        wb__buf_append(out, data, (size_t)allowed); /* there is room */
        wb__buf_append(out, "\r\n", chunk ? 2 : 0);
        struct iovec part = { out->data, out->end };
        return note(request,
                    out->end == 0 ? 0
                                  : wb__conn_send(conn, &part, 1, 0, NULL));
    }
    struct iovec parts[3] = {
        { out->data, out->end },
        { (void *)(uintptr_t)data, (size_t)allowed },
        { (void *)(uintptr_t)"\r\n", 2 },
    };
    return note(request, wb__conn_send(conn, parts, chunk ? 3 : 2, 0, owner));
}

/* threaded: the caller waits in wb_request_wait(), and no other thread must be
 * handed its request meanwhile. */
static int
remember_full(wb__request *request, int result)
{
    if (result == WB_FULL && !request->server->config.threaded) {
        request->resume_wanted = 1;
    }
    return result;
}

/* ---- the public calls --------------------------------------------------- */

static int
give_head(wb__request *request, const wb_head *given, int64_t length)
{
    wb__responder *responder = &request->server->responder;
    wb__head *head;
    wb__buf copy = { 0 };
    int error = wb__head_find(responder, given, &head);
    if (error == 0) {
        error = wb__buf_append(&copy, given->status, given->status_size);
    }
    if (error == 0) {
        error = wb__buf_append(&copy, given->lines, given->lines_size);
    }
    if (error < 0) {
        wb__buf_free(&copy);
        return error;
    }
    wb__buf_free(&request->head);
    request->head = copy;
    request->head_given = 1;
    request->status_size = (uint32_t)given->status_size;
    request->head_count = given->count;
    request->length = length;
    return request->answer.is_head || head->status == 204
            || head->status == 304
        ? WB_COMPLETE
        : 0;
}

int
wb_request_head(wb_request *pub, const wb_head *head, int64_t length)
{
    wb__request *request = (wb__request *)pub;
    int result = wb__request_enter(request);
    if (result < 0) {
        return result;
    }
    result = request->detached ? WB_COMPLETE
        : pub->head_sent       ? WB_STATE
                               : give_head(request, head, length);
    wb__server_unlock(request->server);
    return result;
}

int
wb_request_write(wb_request *pub, const char *data, size_t size, void **owner)
{
    wb__request *request = (wb__request *)pub;
    int result = wb__request_enter(request);
    if (result < 0) {
        return result;
    }
    result = request->detached                          ? WB_COMPLETE
        : !request->head_given || request->file.fd >= 0 ? WB_STATE
        : request->gone                                 ? WB_GONE
                        : write_body(request, data, size, owner);
    result = remember_full(request, result);
    wb__server_unlock(request->server);
    return result;
}

/* The caller's descriptor for now; a duplicate for what is sent later. */
static int
begin_file(wb__request *request, int fd)
{
    wb__conn *conn = request->conn;
    int result = WB_FULL;
    request->file.fd = fd;
    if (!conn->stream.blocked) {
        result = wb__conn_flush(conn);
    }
    if (result != WB_FULL) {
        request->file.fd = -1;
        return result;
    }
    request->file.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    request->file.owned = 1;
    return request->file.fd < 0 ? give_up(request) : WB_FULL;
}

static int
send_file(wb__request *request, int fd, int64_t offset, int64_t size)
{
    wb__conn *conn = request->conn;
    wb__buf *out = scratch(request);
    uint64_t allowed;
    if (frame(request, out, (uint64_t)size, &allowed) < 0) {
        return give_up(request);
    }
    request->sent += allowed;
    struct iovec part = { out->data, out->end };
    int result = out->end == 0 ? 0 : wb__conn_send(conn, &part, 1, 0, NULL);
    if (result >= 0 && allowed > 0) {
        request->file.chunked = request->answer.end == WB__CHUNKED;
        request->file.offset = offset;
        request->file.left = (int64_t)allowed;
        result = begin_file(request, fd);
    }
    if (result == WB_FULL) {
        return result;
    }
    return note(request, result);
}

int
wb_request_file(wb_request *pub, int fd, int64_t offset, int64_t size)
{
    wb__request *request = (wb__request *)pub;
    int result = wb__request_enter(request);
    if (result < 0) {
        return result;
    }
    result = request->detached ? WB_COMPLETE
        : !request->head_given || request->file.fd >= 0 || size < 0 ? WB_STATE
        : request->gone                                             ? WB_GONE
                        : send_file(request, fd, offset, size);
    result = remember_full(request, result);
    wb__server_unlock(request->server);
    return result;
}

/* What marks the end of the body; 0 if there is nothing to mark, below 0 if
 * the answer is not whole. */
static int
write_end(wb__request *request)
{
    wb__conn *conn = request->conn;
    wb__buf *out = scratch(request);
    uint64_t allowed;
    if (!request->head_given || request->file.fd >= 0) {
        return WB_STATE;
    }
    if (!request->pub.head_sent) {
        /* Nothing was written: the body is empty, whatever was announced. */
        request->length = request->length < 0 ? 0 : request->length;
        if (frame(request, out, 0, &allowed) < 0) {
            return WB_NOMEM;
        }
    }
    if (request->answer.end == WB__CHUNKED
        && wb__buf_append(out, "0\r\n\r\n", 5) < 0) {
        return WB_NOMEM;
    }
    struct iovec part = { out->data, out->end };
    int sent = out->end == 0 ? 0 : wb__conn_send(conn, &part, 1, 0, NULL);
    if (sent < 0) {
        return sent;
    }
    return request->answer.end == WB__LENGTH && request->answer.left > 0
        ? WB_STATE
        : 0;
}

/* Cut off so that no client takes the answer for complete: closing resets the
 * connection of an answer that has begun. */
static void
cut(wb__request *request)
{
    wb__conn *conn = request->conn;
    if (request->detached) {
        done(request, 1);
        return;
    }
    request->answer.close = 1;
    if (request->pub.head_sent) {
        if (conn->stream.pending.size > 0 && !conn->stream.blocked) {
            wb__conn_flush(conn); /* answers before it that were held back */
        }
        wb__conn_close(conn);
    }
    done(request, 0);
}

int
wb_request_finish(wb_request *pub)
{
    wb__request *request = (wb__request *)pub;
    wb_server *server = request->server;
    int result = wb__request_enter(request);
    if (result < 0) {
        return result;
    }
    result = request->detached ? 0
        : request->gone        ? WB_GONE
                               : write_end(request);
    if (result == 0) {
        done(request, 1);
    } else {
        cut(request);
    }
    wb__server_unlock(server);
    return result;
}

int
wb_request_abort(wb_request *pub)
{
    wb__request *request = (wb__request *)pub;
    wb_server *server = request->server;
    int result = wb__request_enter(request);
    if (result == 0) {
        cut(request);
        wb__server_unlock(server);
    }
    return result;
}

/* More input waits behind this request: its answer may wait for the next. */
static int
may_hold(const wb__conn *conn)
{
    return wb__buf_size(&conn->in) > 0 && conn->server->quick
        && !conn->stream.blocked
        && conn->stream.pending.size < WB__READ_BUFFER;
}

static int
respond(wb__request *request, wb__head *head, const char *body, size_t size,
        void **owner)
{
    wb__conn *conn = request->conn;
    wb__buf *out = scratch(request);
    struct iovec parts[2];
    int count = 1;
    if (write_head(request, head, (int64_t)size) < 0) {
        return give_up(request);
    }
    request->pub.head_sent = 1;
    uint64_t wanted
        = request->answer.end == WB__NONE ? 0 : (uint64_t)request->answer.left;
    size_t allowed = wanted < size ? (size_t)wanted : size;
    request->sent = allowed;
    if (allowed > SMALL || wb__buf_append(out, body, allowed) < 0) {
        parts[1].iov_base = (void *)(uintptr_t)body;
        parts[1].iov_len = allowed;
        count = 2;
    }
    parts[0].iov_base = out->data;
    parts[0].iov_len = out->end;
    int result = wb__conn_send(conn, parts, count, may_hold(conn), owner);
    if (result < 0) {
        return result;
    }
    return allowed == wanted ? 0 : WB_STATE; /* shorter than announced */
}

int
wb_request_respond(wb_request *pub, const wb_head *given, const char *body,
                   size_t size, void **owner)
{
    wb__request *request = (wb__request *)pub;
    wb_server *server = request->server;
    wb__head *head;
    int result = wb__request_enter(request);
    if (result < 0) {
        return result;
    }
    result = pub->head_sent ? WB_STATE
                            : wb__head_find(&server->responder, given, &head);
    if (request->detached) {
        done(request, 1);
        result = 0;
    } else if (result == 0) {
        result = request->gone ? WB_GONE
                               : respond(request, head, body, size, owner);
        if (result == 0) {
            done(request, 1);
        } else {
            cut(request);
        }
    }
    wb__server_unlock(server);
    return result;
}

/* ---- answers of our own ------------------------------------------------- */

void
wb__respond_raw(wb_request *pub, const char *data, size_t size)
{
    wb__request *request = (wb__request *)pub;
    wb__conn *conn = request->conn;
    request->answer.status = 200;
    request->sent = size;
    request->answer.close = !request->keep_alive || request->server->draining;
    /* What RFC 9112, 9.3 and 9.6 want said goes behind the status line. */
    const char *option = request->answer.close ? "Connection: close\r\n"
        : request->answer.minor_version == 0   ? "Connection: keep-alive\r\n"
                                               : "";
    const char *end = *option == '\0' ? NULL : memchr(data, '\n', size);
    size_t line = end == NULL ? 0 : (size_t)(end + 1 - data);
    struct iovec parts[] = {
        { (void *)(uintptr_t)data, line },
        { (void *)(uintptr_t)option, strlen(option) },
        { (void *)(uintptr_t)(data + line), size - line },
    };
    struct iovec whole = { (void *)(uintptr_t)data, size };
    int sent = *option == '\0'
        ? wb__conn_send(conn, &whole, 1, may_hold(conn), NULL)
        : wb__conn_send(conn, parts, 3, may_hold(conn), NULL);
    done(request, sent >= 0);
}

int
wb_request_error(wb_request *pub, int status)
{
    wb__request *request = (wb__request *)pub;
    wb_server *server = request->server;
    int result = wb__request_enter(request);
    if (result < 0) {
        return result;
    }
    if (pub->head_sent || request->gone || request->detached) {
        cut(request);
    } else {
        request->answer.status = status;
        request->answer.close
            = 1; /* what the application left behind is unknown */
        char text[WB__PLAIN_ROOM];
        struct iovec part = { text,
                              wb__head_plain(&server->responder, text, status,
                                             request->answer.is_head) };
        done(request, wb__conn_send(request->conn, &part, 1, 0, NULL) >= 0);
    }
    wb__server_unlock(server);
    return 0;
}

/* An answer in one piece, and those of our own. */
#include "base/posix.h"

#include "server/respond.h"

#include <string.h>

#include "server/answer.h"
#include "server/conn.h"
#include "server/lock.h"

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
    wb__buf *out = wb__answer_buffer(request);
    struct iovec parts[2];
    int count = 1;
    if (wb__answer_head(request, head, (int64_t)size) < 0) {
        return wb__answer_give_up(request);
    }
    request->pub.head_sent = 1;
    uint64_t wanted
        = request->answer.end == WB__NONE ? 0 : (uint64_t)request->answer.left;
    size_t allowed = wanted < size ? (size_t)wanted : size;
    request->sent = allowed;
    if (allowed > WB__SMALL || wb__buf_append(out, body, allowed) < 0) {
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
        wb__answer_done(request, 1);
        result = 0;
    } else if (result == 0) {
        result = request->gone ? WB_GONE
                               : respond(request, head, body, size, owner);
        wb__answer_end(request, result);
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
    wb__answer_done(request, sent >= 0);
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
        wb__answer_cut(request);
    } else {
        request->answer.status = status;
        request->answer.close
            = 1; /* what the application left behind is unknown */
        char text[WB__PLAIN_ROOM];
        struct iovec part = { text,
                              wb__head_plain(&server->responder, text, status,
                                             request->answer.is_head) };
        wb__answer_done(request,
                        wb__conn_send(request->conn, &part, 1, 0, NULL) >= 0);
    }
    wb__server_unlock(server);
    return 0;
}

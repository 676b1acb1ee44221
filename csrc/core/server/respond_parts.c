/* An answer in parts: head, body as it comes, a file, the end. */
#include "base/posix.h"

#include <fcntl.h>

#include "server/answer.h"
#include "server/conn.h"
#include "server/lock.h"

static int
write_body(wb__request *request, const char *data, size_t size, void **owner)
{
    wb__conn *conn = request->conn;
    wb__buf *out = wb__answer_buffer(request);
    uint64_t allowed;
    if (wb__answer_frame(request, out, size, &allowed) < 0) {
        return wb__answer_give_up(request);
    }
    int chunk = request->answer.end == WB__CHUNKED && allowed > 0;
    request->sent += allowed;
    if (allowed <= WB__SMALL
        && wb__buf_reserve(out, (size_t)allowed + 2) == 0) {
        wb__buf_append(out, data, (size_t)allowed); /* there is room */
        wb__buf_append(out, "\r\n", chunk ? 2 : 0);
        struct iovec part = { out->data, out->end };
        return wb__answer_told(
            request,
            out->end == 0 ? 0 : wb__conn_send(conn, &part, 1, 0, NULL));
    }
    struct iovec parts[3] = {
        { out->data, out->end },
        { (void *)(uintptr_t)data, (size_t)allowed },
        { (void *)(uintptr_t)"\r\n", 2 },
    };
    return wb__answer_told(
        request, wb__conn_send(conn, parts, chunk ? 3 : 2, 0, owner));
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
    return request->answer.is_head || wb__status_has_no_content(head->status)
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
    return request->file.fd < 0 ? wb__answer_give_up(request) : WB_FULL;
}

static int
send_file(wb__request *request, int fd, int64_t offset, int64_t size)
{
    wb__conn *conn = request->conn;
    wb__buf *out = wb__answer_buffer(request);
    uint64_t allowed;
    if (wb__answer_frame(request, out, (uint64_t)size, &allowed) < 0) {
        return wb__answer_give_up(request);
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
    return wb__answer_told(request, result);
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
    wb__buf *out = wb__answer_buffer(request);
    uint64_t allowed;
    if (!request->head_given || request->file.fd >= 0) {
        return WB_STATE;
    }
    if (!request->pub.head_sent) {
        /* Nothing was written: the body is empty, whatever was announced. */
        request->length = request->length < 0 ? 0 : request->length;
        if (wb__answer_frame(request, out, 0, &allowed) < 0) {
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
    wb__answer_end(request, result);
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
        wb__answer_cut(request);
        wb__server_unlock(server);
    }
    return result;
}

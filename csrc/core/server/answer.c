#include "base/posix.h"

#include "server/answer.h"

#include <stdio.h>

#include "server/conn.h"
#include "server/ready.h"

wb__buf *
wb__answer_buffer(wb__request *request)
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

int
wb__answer_head(wb__request *request, wb__head *head, int64_t length)
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
        error = wb__answer_head(request, head, length);
    }
    if (error == 0) {
        request->pub.head_sent = 1;
        wb__buf_free(&request->head);
    }
    return error;
}

int
wb__answer_frame(wb__request *request, wb__buf *out, uint64_t size,
                 uint64_t *allowed)
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

int
wb__answer_told(const wb__request *request, int sent)
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

int
wb__answer_give_up(wb__request *request)
{
    request->answer.close = 1;
    wb__conn_close(request->conn);
    return WB_GONE;
}

void
wb__answer_done(wb__request *request, int complete)
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

void
wb__answer_cut(wb__request *request)
{
    wb__conn *conn = request->conn;
    if (request->detached) {
        wb__answer_done(request, 1);
        return;
    }
    request->answer.close = 1;
    if (request->pub.head_sent) {
        if (conn->stream.pending.size > 0 && !conn->stream.blocked) {
            wb__conn_flush(conn); /* answers before it that were held back */
        }
        wb__conn_close(conn);
    }
    wb__answer_done(request, 0);
}

void
wb__answer_end(wb__request *request, int result)
{
    if (result == 0) {
        wb__answer_done(request, 1);
    } else {
        wb__answer_cut(request);
    }
}

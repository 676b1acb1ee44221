/* Bytes in: what a connection receives is read as heads and bodies, and what
 * is complete enough is handed over. */
#include "base/posix.h"

#include "server/input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/scan.h"
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

/* The bytes do not frame a body. Whoever reads it must not take it for a
 * whole one. */
static void
body_failed(wb__conn *conn, int status)
{
    wb__request *request = conn->request;
    if (request->stage == WB__RECEIVING) {
        wb__conn_refuse(conn, status > 0 ? status : 500, NULL, 0);
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

/* max: bytes of a field line with its CRLF. */
static int
has_longer_line(const wb__lines *lines, size_t max)
{
    for (uint32_t i = 0; i < lines->count; i++) {
        if (lines->at[i].raw.len + 2 > max) {
            return 1;
        }
    }
    return 0;
}

/* The block of this head: one seen before, or a new one. 0: not whole yet, 1:
 * *out is set (a reference), otherwise the status to refuse it with. */
static int
find_block(wb__conn *conn, char *data, size_t size, uint8_t minor_version,
           wb__block **out)
{
    wb_server *server = conn->server;
    wb__memo *memo = &server->memo;
    wb__block *block
        = wb__memo_guess(memo, conn->hint, minor_version, data, size);
    if (block == NULL) {
        size_t scanned = conn->scanned;
        wb__lines *lines = &server->reader.lines;
        int64_t end = wb__lines_split(lines, data, size, &scanned);
        conn->scanned = (uint32_t)scanned;
        if (end < 0) {
            return end == WB_NOMEM ? 503 : 400;
        }
        if ((end == 0 ? size : (size_t)end) > server->config.max_head) {
            return 431;
        }
        if (end == 0) {
            return 0;
        }
        if (server->config.max_field != 0
            && has_longer_line(lines, server->config.max_field)) {
            return 431;
        }
        block = wb__memo_find(memo, lines->hash, minor_version, data,
                              (uint32_t)end);
        if (block == NULL) {
            int status = wb__block_new(&server->reader, data, (uint32_t)end,
                                       minor_version,
                                       server->config.max_fields, &block);
            if (status != 0) {
                return status > 0 ? status : 503;
            }
            wb__memo_add(memo, block);
        }
    }
    *out = block;
    return 1;
}

/* What the version makes of the fields, RFC 9112 3.2, 6.1; RFC 9110 10.1.1 */
static int
check_semantics(const wb__line *line, const wb__block *block)
{
    if (line->minor_version == 0) {
        return (block->flags & WB__HAS_TE) != 0 ? 400 : 0;
    }
    if ((block->flags & WB__HAS_HOST) == 0) {
        return 400;
    }
    if ((block->flags & WB__TE_UNKNOWN) != 0) {
        return 501;
    }
    return (block->flags & WB__EXPECT) != 0 ? 417 : 0;
}

static int
start_body(wb__conn *conn, const wb__line *line, const wb__block *block,
           size_t here)
{
    wb_server *server = conn->server;
    wb__request *request = conn->request;
    int status = wb__body_new(&server->config, &server->stats.body_memory,
                              &block->framing, &block->parse, &request->body);
    if (status != 0) {
        return status > 0 ? status : 503;
    }
    wb__conn_become(conn, WB__CONN_BODY);
    wb__conn_arm(conn, WB__BODY);
    request->continue_due = line->minor_version > 0
        && (block->flags & WB__CONTINUE) != 0 && here == 0;
    if (server->config.stream_body) {
        hand_over(conn);
    } else if (request->continue_due) {
        /* It will be read before the application is called. */
        wb__conn_continue(conn);
    }
    return 0;
}

static int
start_request(wb__conn *conn, const char *data, const wb__line *line,
              wb__block *block, size_t here)
{
    wb_server *server = conn->server;
    int status = check_semantics(line, block);
    wb__request *request = status == 0 ? wb__request_new(server) : NULL;
    if (request == NULL) {
        wb__block_unref(block);
        return status == 0 ? 503 : status;
    }
    request->conn = conn;
    if (wb__request_fill(request, data, line, block) < 0) {
        wb__block_unref(block);
        wb__request_free(request);
        return 503;
    }
    if ((conn->trusted || server->proxied.root_path != NULL)
        && wb__proxied_request(request) < 0) {
        wb__request_free(request);
        return 503;
    }
    if (block->slot != WB_NO_SLOT) {
        conn->hint = (uint16_t)block->slot;
    }
    conn->request = request;
    conn->scanned = 0;
    if (block->framing.chunked || block->framing.length > 0) {
        return start_body(conn, line, block, here);
    }
    request->pub.body = "";
    request->pub.body_complete = 1;
    wb__conn_become(conn, WB__CONN_ANSWER);
    wb__deadline_clear(&conn->timed);
    hand_over(conn);
    return 0;
}

/* Where the request line ends (its LF), or NULL and a status: 0 for "not
 * here yet". */
static const char *
find_line(const wb__conn *conn, const char *data, size_t size, int *status)
{
    size_t max = conn->server->config.max_line;
    size_t look = size < max + 2 ? size : max + 2;
    const char *lf = memchr(data, '\n', look);
    *status = 0;
    if (lf == NULL) {
        const char *cr = memchr(data, '\r', look);
        if (look == max + 2) {
            *status = 414;
        } else if (!wb__is(data[0], WB__TOKEN)
                   || (cr != NULL && cr != data + size - 1)) {
            *status = 400; /* it cannot become a request line any more */
        }
    } else if (lf == data || lf[-1] != '\r') {
        *status = 400;
        return NULL;
    }
    return lf;
}

/* One head from the front of data. How much of it was used; `data` is written
 * to. */
static size_t
read_head(wb__conn *conn, char *data, size_t size)
{
    int status;
    wb__line line;
    wb__block *block = NULL;
    if (size >= 2 && data[0] == '\r' && data[1] == '\n') {
        return 2; /* empty lines before it are ignored, RFC 9112 2.2 */
    }
    if (size == 1 && data[0] == '\r') {
        return 0;
    }
    const char *lf = find_line(conn, data, size, &status);
    if (lf == NULL) {
        if (status != 0) {
            wb__conn_refuse(conn, status, data, size);
        }
        return 0;
    }
    size_t start = (size_t)(lf - data) + 1;
    status = wb__line_parse(data, (uint32_t)start - 2, &line);
    if (status == 0) {
        status = find_block(conn, data + start, size - start,
                            line.minor_version, &block);
        if (status == 0) {
            return 0;
        }
        if (status == 1) {
            size_t used = start + block->raw_size;
            status = start_request(conn, data, &line, block, size - used);
            if (status == 0) {
                return used;
            }
        }
    }
    wb__conn_refuse(conn, status, data, size);
    return 0;
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
parse(wb__conn *conn, char *data, size_t size)
{
    size_t used = 0;
    while (used < size && may_parse(conn)) {
        char *at = data + used;
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
take_bytes(wb__conn *conn, char *data, size_t size)
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
        if (size > 0 && conn->timed.kind == WB__IDLE) {
            wb__conn_arm(conn, WB__HEAD);
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
    if (!wb__conn_is_open(conn)) {
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

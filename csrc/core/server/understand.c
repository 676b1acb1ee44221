/* Bytes to requests: what a connection received is read as heads and bodies,
 * and what is complete enough is handed over. */
#include "base/posix.h"

#include "server/conn.h"

#include <string.h>

#include "base/alloc.h"
#include "http/scan.h"
#include "server/server.h"

/* ---- bodies ------------------------------------------------------------- */

/* The request is complete enough to be served. */
static void
hand_over(wb__conn *conn)
{
    wb__request *request = conn->request;
    conn->server->stats.requests++;
    wb__metrics_ready(conn->server, request);
    wb__server_enqueue(conn->server, request);
}

static void
body_is_complete(wb__conn *conn)
{
    wb__request *request = conn->request;
    wb__body *body = request->body;
    conn->reading = WB__READ_NOTHING;
    wb__deadline_clear(&conn->timed);
    request->continue_due = 0;
    if (request->hand != WB__OUT || !conn->server->shared) {
        wb__request_show_body(request);
        if (body->file < 0 && body->read == 0) {
            request->pub.body
                = body->received == 0 ? "" : wb__buf_data(&body->memory);
        }
    }
    if (request->hand == WB__INCOMING) {
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
    if (request->hand == WB__INCOMING) {
        wb__conn_refuse(conn, status > 0 ? status : 500, NULL, 0);
        return;
    }
    request->body_status = 1;
    request->close = 1;
    conn->reading = WB__READ_DISCARD;
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
    if (conn->request->hand != WB__INCOMING) {
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
    conn->discarded += used;
    if (status != 0 || conn->discarded > WB__MAX_REST) {
        conn->linger = 1;
        wb__conn_end(conn);
        return size;
    }
    if (conn->rest->complete) {
        wb__body_free(conn->rest);
        conn->rest = NULL;
        conn->discarded = 0;
        conn->reading = WB__READ_HEAD;
        if (conn->server->draining && used == size) {
            wb__conn_end(conn); /* idle, from now on */
        } else if (!conn->blocked) {
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
        wb__lines *lines = &server->reader.lines;
        int64_t end = wb__lines_split(lines, data, size, &conn->scanned);
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
    conn->reading = WB__READ_BODY;
    wb__conn_arm(conn, WB__BODY);
    request->continue_due = line->minor_version > 0
        && (block->flags & WB__CONTINUE) != 0 && here == 0;
    if (server->config.stream_body) {
        hand_over(conn);
    } else if (request->continue_due) {
        /* It will be read before the application is called. */
        wb__request_continue(request);
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
    conn->reading = WB__READ_NOTHING;
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

/* Understands as much as it can; returns how much that was. */
size_t
wb__conn_understand(wb__conn *conn, char *data, size_t size)
{
    size_t used = 0;
    while (used < size && !conn->dead) {
        size_t step;
        if (conn->reading == WB__READ_HEAD && conn->blocked) {
            break; /* see may_understand() */
        } else if (conn->reading == WB__READ_HEAD) {
            step = read_head(conn, data + used, size - used);
        } else if (conn->reading == WB__READ_BODY) {
            step = conn->rest != NULL
                ? read_rest(conn, data + used, size - used)
                : read_body(conn, data + used, size - used);
        } else {
            break;
        }
        if (step == 0) {
            break;
        }
        used += step;
    }
    return used;
}

void
wb__conn_understand_kept(wb__conn *conn)
{
    if (wb__buf_size(&conn->in) == 0) {
        return;
    }
    size_t used = wb__conn_understand(conn, wb__buf_data(&conn->in),
                                      wb__buf_size(&conn->in));
    if (conn->reading == WB__READ_DISCARD) {
        wb__buf_free(&conn->in); /* perhaps it is freed already */
    } else if (!conn->dead) {
        wb__buf_consume(&conn->in, used);
    }
}
